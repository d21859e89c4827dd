"""What an ear is asked to do, each in a thread of its own: hear an utterance, or attend a stop word."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from assistant.errors import AssistantError
from assistant.events import EarEvent, HearingFailed, NothingSaid, StopSaid
from assistant.ports import Microphone, TellEar
from assistant.settings import ListeningSettings
from assistant.speech.hearing.interruption import SPOKEN
from assistant.speech.hearing.recognizing import Borrow, ReaderThreads
from assistant.speech.hearing.spoken_turn import (
    BYTES_A_SECOND,
    LONGEST_READING_SECONDS,
    RATE_HZ,
    Events,
    Failure,
    Judge,
    Reading,
    SpokenTurn,
)
from assistant.speech.hearing.stop_words import is_said
from assistant.speech.hearing.turn_taking import IsKnownQuestion, TurnTaking
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard

# So often a thread that waits for sound looks up whether it is still wanted.
_LOOK_UP_SECONDS = 1.0
# A stop word that is found later than this stops nothing any more.
_MOST_BEHIND_SECONDS = 2.0


class EchoGuard(Protocol):
    """Knows when the assistant's own voice is in the microphone, and takes it out as far as it can."""

    @property
    def is_playing(self) -> bool: ...

    @property
    def is_settled(self) -> bool:
        """False where so much of it may be left that words are understood in it."""
        ...

    def clean(self, block: bytes) -> bytes: ...


class StopSpotter(Protocol):
    """Hears in mono 16-bit PCM at 16,000 Hz nothing but the words that stop the assistant."""

    def hear(self, block: bytes) -> str:
        """The words that were said, or nothing."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class EarParts:
    """What an ear is made of."""

    open_microphone: Callable[[], Microphone]  # at 16,000 Hz; opened again when it is lost
    borrow: Borrow  # a warm recognizer of a language, for one thread
    tell: TellEar  # called by several threads
    echo: EchoGuard
    stop_words: Callable[[str], StopSpotter]  # for a language
    is_known_question: IsKnownQuestion
    judge: Judge  # between languages
    settings: ListeningSettings
    keep: Callable[[bytes], None] | None = None  # is given the sound of every utterance, 16-bit mono PCM
    # So much is remembered while a stop word is attended, for whoever stops the assistant by speaking on.
    # Only where its own voice is not in the microphone.
    seconds_before_interruption: float = 0.0


class Detectors:
    """Detectors of speech that are not in use: one takes some milliseconds to load."""

    def __init__(self) -> None:
        self._spare: queue.SimpleQueue[VoiceActivity] = queue.SimpleQueue()

    def take(self) -> VoiceActivity:
        try:
            return self._spare.get_nowait()
        except queue.Empty:
            return VoiceActivity(RATE_HZ)

    def give_back(self, detector: VoiceActivity) -> None:
        self._spare.put(detector)


class _Sign(Enum):
    """What comes to a task beside sound and readings."""

    LOOK_UP = auto()
    FINISH = auto()
    MICROPHONE_LOST = auto()


_Item = bytes | Reading | Failure | _Sign


class Task:
    """Something that the ear is asked to do, until its end is told or it is left."""

    def __init__(self, number: int, parts: EarParts, most_seconds: float) -> None:
        self._number = number
        self._parts = parts
        self._most_bytes = most_seconds * BYTES_A_SECOND
        self._inbox: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._left = self._is_told = self._is_overfull = False
        self._thread = threading.Thread(target=self._work, name=f"ear-{number}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def is_wanting(self) -> bool:
        """It has not come to its end."""
        return not self._left and not self._is_told

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def put(self, block: bytes) -> None:
        """Never waits: sound that cannot be taken in time is lost, and the task knows."""
        with self._counting:
            if self._waiting_bytes > self._most_bytes:
                self._is_overfull = True
                return
            self._waiting_bytes += len(block)
        self._inbox.put(block)

    def finish(self) -> None:
        self._inbox.put(_Sign.FINISH)

    def lose_microphone(self) -> None:
        self._inbox.put(_Sign.MICROPHONE_LOST)

    def leave(self) -> None:
        self._left = True
        self._inbox.put(_Sign.LOOK_UP)

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _work(self) -> None:
        try:
            self._do()
        except AssistantError as error:
            self._tell(HearingFailed(error.fact, error.hint))
        except Exception as error:  # whatever breaks, the ear lives on
            self._tell(HearingFailed(f"listening failed: {error or type(error).__name__}", "try again"))

    def _do(self) -> None:
        raise NotImplementedError

    def _next(self) -> _Item:
        """What comes next; a sign to look up where nothing comes for a while."""
        try:
            item = self._inbox.get(timeout=_LOOK_UP_SECONDS)
        except queue.Empty:
            return _Sign.LOOK_UP
        if isinstance(item, bytes):
            with self._counting:
                self._waiting_bytes -= len(item)
        return item

    def _tell(self, event: EarEvent) -> None:
        if self.is_wanting:
            # From here on sound is not for this task: it may be the beginning of what is said next.
            self._is_told = isinstance(event, StopSaid) or _is_end(event)
            self._parts.tell(self._number, event)


def _is_end(event: EarEvent) -> bool:
    return isinstance(event, NothingSaid | HearingFailed) or (isinstance(event, Heard) and event.final)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be heard."""

    languages: tuple[str, ...]
    push: bool = False


class Hearing(Task):
    """Hears one utterance in one of some languages."""

    def __init__(self, number: int, parts: EarParts, detectors: Detectors, wanted: Wanted) -> None:
        super().__init__(number, parts, parts.settings.longest_seconds)
        self._detectors = detectors
        self._wanted = wanted
        self._readers = ReaderThreads(wanted.languages, parts.borrow, self._inbox.put)
        self._is_finishing = False
        self._silent_looks = 0  # without a microphone no sound measures the time

    @property
    def is_alive(self) -> bool:
        return super().is_alive or self._readers.is_alive

    def join(self, seconds: float) -> None:
        super().join(seconds)
        self._readers.join(seconds)

    def _do(self) -> None:
        detector = self._detectors.take()
        try:
            turn = self._turn(detector)
            while self.is_wanting and not turn.is_over:
                for event in self._hear(turn):
                    self._tell(event)
            if self._parts.keep is not None and turn.sound and not self._left:
                self._parts.keep(turn.sound)
        finally:
            self._readers.close()
            self._detectors.give_back(detector)

    def _turn(self, detector: VoiceActivity) -> SpokenTurn:
        parts, wanted = self._parts, self._wanted
        taking = TurnTaking(parts.settings, parts.is_known_question, wanted.push)
        return SpokenTurn(taking, detector, self._readers, wanted.languages, parts.judge)

    def _hear(self, turn: SpokenTurn) -> Events:
        item = self._next()
        if self._is_overfull:
            return turn.break_off()
        if isinstance(item, bytes):
            # The last word is in the block that was being recorded when the key was let go.
            return (*turn.hear(item), *(turn.finish() if self._is_finishing else ()))
        if isinstance(item, Reading):
            return turn.read(item)
        if isinstance(item, Failure):
            return turn.fail(item)
        if item is _Sign.FINISH:
            self._is_finishing = True
            return ()
        if item is _Sign.MICROPHONE_LOST and turn.has_begun:
            return turn.finish()
        return self._look_up(turn)

    def _look_up(self, turn: SpokenTurn) -> Events:
        if self._is_finishing and not turn.is_reading:
            return turn.finish()
        self._silent_looks = self._silent_looks + 1 if turn.is_reading else 0
        if self._silent_looks * _LOOK_UP_SECONDS >= LONGEST_READING_SECONDS:
            return turn.break_off()
        return ()


class Attending(Task):
    """Attends a word that stops the assistant; such words in what it says itself are not believed."""

    was_interrupted = False  # by somebody who goes on speaking: what was said belongs to what comes now

    def __init__(self, number: int, parts: EarParts, language: str, saying: str) -> None:
        super().__init__(number, parts, _MOST_BEHIND_SECONDS)
        self._language = language
        self._saying = saying

    def _do(self) -> None:
        spotter = self._parts.stop_words(self._language)
        try:
            while self.is_wanting:
                item = self._next()
                if not isinstance(item, bytes):
                    continue
                words = spotter.hear(item)
                if words and self._parts.echo.is_settled and not self._is_own(words):
                    self.was_interrupted = words == SPOKEN
                    self._tell(StopSaid(words))
        finally:
            spotter.close()

    def _is_own(self, words: str) -> bool:
        return words != SPOKEN and is_said(words, self._saying)
