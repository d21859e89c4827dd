"""Settings -> the ear and the mouth of a kiosk: they share one guard against the assistant's own voice."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import wiring
from assistant.errors import AudioError
from assistant.settings import Settings
from assistant.wiring.hearing import Sense, UpToDate, stop_word_reader

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.ports import Ear, Mouth, Recognizer, TellEar, TellMouth
    from assistant.speech.hearing.recognizer_pool import RecognizerPool
    from assistant.speech.hearing.stop_words import StopSpotters
    from assistant.speech.sound.echo import Echo


@dataclass(frozen=True, slots=True)
class Hardware:
    """The ears and mouths of one machine, for one assistant; made by `open_hardware`."""

    settings: Settings
    assistant: Assistant
    languages: tuple[str, ...]  # heard and spoken, the first one to whoever comes
    echo: Echo
    pool: RecognizerPool
    stop_spotters: StopSpotters
    keep: Callable[[bytes], None] | None = None  # is given the sound of every utterance

    def open_ear(self, tell: TellEar) -> Ear:
        """An ear at the standard microphone; lost microphones are told, not raised."""
        from assistant.speech.hearing.ear_tasks import EarParts
        from assistant.speech.hearing.listening import Listening
        from assistant.speech.sound.sounddevice_microphone import SounddeviceMicrophone

        self.pool.warm(self.languages)
        self.stop_spotters.warm(self.languages)
        sense = Sense(self.assistant)
        parts = EarParts(
            open_microphone=SounddeviceMicrophone,
            borrow=UpToDate(self.pool, self.stop_spotters, self.assistant).borrow,
            tell=tell,
            echo=self.echo,
            stop_words=self.stop_spotters,
            is_known_question=sense.is_known_question,
            judge=sense.judge,
            settings=self.settings.listening,
            keep=self.keep,
        )
        return Listening(parts)

    def open_mouth(self, tell: TellMouth) -> Mouth:
        """A mouth at the standard loudspeaker; one that is lost or missing is told, not raised."""
        from assistant.dialogue.portions import sentences
        from assistant.speech.sound.sounddevice_speaker import open_loudspeaker
        from assistant.speech.speaking.talking import Equipment, Talking

        equipment = Equipment(
            voices=wiring.voice_openers(self.settings),
            open_loudspeaker=open_loudspeaker,
            tell=tell,
            cut=sentences,
            settings=self.settings.speaking,
            played=self.echo.played,
            languages=self.languages,
        )
        return Talking(equipment)


@contextlib.contextmanager
def open_hardware(
    settings: Settings,
    assistant: Assistant,
    languages: Sequence[str],
    keep: Callable[[bytes], None] | None = None,
) -> Iterator[Hardware]:
    """What ears and mouths are made of; recognizers are closed at the end of the block."""
    from assistant.speech.hearing.recognizer_pool import RecognizerPool
    from assistant.speech.hearing.stop_words import StopSpotters
    from assistant.speech.sound.echo import Echo

    def open_one(language: str) -> Recognizer:
        return wiring.open_recognizer(settings, language, assistant.knowledge)

    with contextlib.closing(RecognizerPool(open_one)) as pool:
        spotters = StopSpotters(partial(stop_word_reader, settings, assistant))
        yield Hardware(settings, assistant, tuple(languages), Echo(), pool, spotters, keep)


def kiosk_languages(settings: Settings, assistant: Assistant, wanted: str | None) -> tuple[str, ...]:
    """What the kiosk hears and speaks: as asked for, else as set, else those of the pages that can be heard.

    Raises ModelError for a language that was named and cannot be heard, or where none can be.
    """
    named = (wanted,) if wanted else settings.kiosk.languages
    if named:
        for language in named:
            _check_hearable(settings, language)
        return named
    tags = assistant.knowledge.languages
    if found := tuple(tag for tag in tags if wiring.can_hear(settings, tag)):
        return found
    raise wiring.unheard(settings, assistant.knowledge.default_language)


def _check_hearable(settings: Settings, language: str) -> None:
    if not wiring.can_hear(settings, language):
        raise wiring.unheard(settings, language)


class SoundKeeper:
    """Writes the sound of each utterance to a file of its own; a kiosk goes on where that fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._lost: list[AudioError] = []

    def __call__(self, pcm: bytes) -> None:
        """16-bit mono PCM at 16,000 Hz."""
        from assistant.speech.sound.wav_audio import write_wav

        name = f"{time.strftime('%Y-%m-%d-%H%M%S')}-{next(self._numbers)}.wav"
        try:
            write_wav(self._folder / name, [pcm], 16_000)
        except AudioError as error:
            self._lost.append(error)

    @property
    def lost(self) -> str:
        """How many utterances could not be written, and why the first one; nothing where all were."""
        if not self._lost:
            return ""
        first = self._lost[0]
        return f"{len(self._lost)} utterances were not kept: {first.fact}; {first.hint}"
