"""An hour in which nobody speaks: python -m tests.bench.idle [FOLDER] [MINUTES]

The ear of the kiosk hears a room that is mostly quiet, and in every minute one of the noises of the folder
(audio.jsonl: path, lang, kind), as fast as it takes them: CPU time a second of sound, memory, and ghosts.
In English and Korean, and in German where the packages of a Whisper model are installed.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.table import Table

from assistant import wiring
from assistant.answering import Assistant
from assistant.events import EarEvent, HearingFailed
from assistant.ports import Microphone, Recognizer
from assistant.settings import Settings, load_settings
from assistant.speech.hearing.ear_tasks import EarParts
from assistant.speech.hearing.listening import Listening
from assistant.speech.hearing.recognizer_pool import RecognizerPool
from assistant.speech.hearing.stop_words import StopSpotters
from assistant.speech.hearing.whole_utterance import as_utterance
from assistant.speech.sound.echo import Echo
from assistant.speech.sound.resampling import to_pcm
from assistant.values import Heard
from tests.bench.children import family_of, resident
from tests.bench.options import options
from tests.bench.showing import show
from tests.bench.speech import recorded, understood
from tests.whisper_base import for_a_while

_RATE_HZ = 16_000
_BLOCK_BYTES = 3200  # a tenth of a second
_HUSH_SECONDS = 50
_HUSH_LOUDNESS = 0.001  # of full scale: a quiet room
_MINUTES = 60.0


class PacedRecognizer:
    """A recognizer that can be asked whether it waits for sound."""

    def __init__(self, inner: Recognizer) -> None:
        self._inner = inner
        self.family = family_of(inner)
        self.is_at_work = False

    @property
    def language(self) -> str:
        return self._inner.language

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        try:
            yield from self._inner.recognize(_PacedMicrophone(microphone, self))
        finally:
            self.is_at_work = False

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True, slots=True)
class _PacedMicrophone:
    inner: Microphone
    recognizer: PacedRecognizer
    is_speech_only: bool = True

    @property
    def rate_hz(self) -> int:
        return self.inner.rate_hz

    def __iter__(self) -> Iterator[bytes]:
        for block in self.inner:
            self.recognizer.is_at_work = True
            yield block
            self.recognizer.family.keep_pace()
            self.recognizer.is_at_work = False
        self.recognizer.is_at_work = True  # the final reading is still to be made

    def close(self) -> None:
        self.inner.close()


class RoomMicrophone:
    """Gives a second of a room as soon as the ear is done with the one before."""

    rate_hz = _RATE_HZ

    def __init__(self, sound: Iterable[bytes], may_go_on: Callable[[], bool]) -> None:
        self._sound = sound
        self._may_go_on = may_go_on
        self._closed = threading.Event()
        self.seconds_given = 0
        self.has_ended = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        for second in self._sound:
            yield from (second[at : at + _BLOCK_BYTES] for at in range(0, len(second), _BLOCK_BYTES))
            self.seconds_given += 1
            while not self._may_go_on():
                if self._closed.wait(0.001):
                    return
        self.has_ended.set()
        self._closed.wait()

    def close(self) -> None:
        self._closed.set()


class IdleEar:
    """The ear of a kiosk, which listens again whenever it has come to an end."""

    def __init__(
        self, settings: Settings, assistant: Assistant, language: str, sound: Iterable[bytes]
    ) -> None:
        self._language = language
        self._ends: queue.SimpleQueue[EarEvent | None] = queue.SimpleQueue()
        opened = wiring.open_recognizer(settings, language, assistant.knowledge)
        self._recognizer = PacedRecognizer(opened)
        self._family = self._recognizer.family
        self._pool = RecognizerPool(lambda _: self._recognizer)
        self.microphone = RoomMicrophone(sound, self._may_go_on)
        parts = EarParts(
            open_microphone=lambda: self.microphone,
            borrow=self._pool.borrow,
            tell=self._tell,
            echo=Echo(),
            stop_words=StopSpotters(lambda _: None),
            is_known_question=lambda *_: False,
            judge=lambda _: 0.0,
            settings=settings.listening,
        )
        self._ear = Listening(parts)

    def events(self) -> Iterator[EarEvent]:
        """The ends of all that it listened to, until the room has ended."""
        while not self.microphone.has_ended.is_set():
            self._ear.listen([self._language])
            if event := self._next():
                yield event

    def close(self) -> None:
        self._ear.close()
        self._pool.close()

    def cpu_seconds(self) -> float:
        """Of this process, and of those that decode for it."""
        return time.process_time() + self._family.cpu_seconds()

    def resident(self) -> float:
        return resident() + self._family.resident()

    def _next(self) -> EarEvent | None:
        while not self.microphone.has_ended.is_set():
            try:
                return self._ends.get(timeout=1)
            except queue.Empty:
                continue
        return None

    def _tell(self, _: int, event: EarEvent) -> None:
        if not isinstance(event, Heard) or event.final:
            self._ends.put(event)

    def _may_go_on(self) -> bool:
        """All that was given has been worked on; a live microphone would not be ahead either."""
        task = self._ear._task
        is_listening = task is not None and task.is_wanting
        return is_listening and task._inbox.empty() and not self._recognizer.is_at_work  # type: ignore[union-attr]


def a_room(noises: Sequence[bytes], seconds: float) -> Iterator[bytes]:
    """Second after second of it."""
    random_source, given, number = np.random.default_rng(0), 0, 0
    while given < seconds:
        noise = noises[number % len(noises)]
        hush = to_pcm(random_source.normal(0, _HUSH_LOUDNESS, _RATE_HZ * _HUSH_SECONDS).astype(np.float32))
        whole, number = hush + noise, number + 1
        for at in range(0, len(whole), 2 * _RATE_HZ):
            yield whole[at : at + 2 * _RATE_HZ]
            given += 1


def rows(folder: Path, settings: Settings, minutes: float) -> Iterator[list[str]]:
    assistant = wiring.build_assistant(settings)
    understood(assistant, as_utterance(Heard("hello", "en")))  # whatever is loaded late is loaded now
    noises = [clip.sound for clip in recorded(folder, None)]
    with for_a_while() as model:
        whisper = replace(settings, listening=replace(settings.listening, whisper_model=model))
        for language, name, heard_with in (
            ("en", "PocketSphinx", settings),
            ("ko", "Vosk", settings),
            ("de", "Whisper base", whisper),
        ):
            if not wiring.can_hear(heard_with, language):
                continue
            room = a_room(noises, minutes * 60)
            with contextlib.closing(IdleEar(heard_with, assistant, language, room)) as ear:
                yield [f"{language} ({name})", *measured(ear, assistant)]


def measured(ear: IdleEar, assistant: Assistant) -> list[str]:
    began, before = ear.cpu_seconds(), ear.resident()
    after_ten_minutes, ghosts, answered = 0.0, 0, 0
    failures: list[str] = []
    for event in ear.events():
        if isinstance(event, Heard) and event.text:
            ghosts += 1
            answered += understood(assistant, as_utterance(event))[1]
        if isinstance(event, HearingFailed):
            failures.append(event.fact)
        if not after_ten_minutes and ear.microphone.seconds_given > 600:
            after_ten_minutes = ear.resident()
    seconds = ear.microphone.seconds_given
    return [
        f"{seconds / 60:.0f}",
        f"{(ear.cpu_seconds() - began) / seconds:.1%}",
        f"{before:.0f}, {after_ten_minutes:.0f}, {ear.resident():.0f}",
        str(ghosts),
        str(answered),
        ", ".join(failures) or "none",
    ]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=_MINUTES)
    given = parser.parse_args()
    table = Table("language", title="Rooms in which nobody speaks")
    names = ("minutes", "of a core", "MB at first, after 10 min, at last", "heard", "answered", "failures")
    for name in names:
        table.add_column(name, justify="right")
    settings = load_settings(Path(__file__).parents[2] / "knowledge")
    show(table, rows(given.folder, settings, given.minutes))


if __name__ == "__main__":
    main()
