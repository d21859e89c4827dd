"""The sound of sentences, made ahead of their playing in a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.errors import AssistantError, DeviceError
from assistant.speech.sound.resampling import even

# Blocks, of an eighth of a second mostly: the next sentence is ready in time, and whoever asks
# for another speed hears it after some seconds.
_MOST_AHEAD = 64


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a sentence, as mono 16-bit PCM."""

    sentence: int
    pcm: bytes
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The voice failed in this sentence, and makes no further one."""

    sentence: int
    why: DeviceError


@dataclass(frozen=True, slots=True)
class Finished:
    """That was the last sentence."""


Made = Sound | Broken | Finished
Speak = Callable[[str], tuple[int, Iterator[bytes]]]  # a sentence -> its rate in hertz, and its sound


class Making:
    """Makes the sentences from the `first` on with one voice, at most some seconds ahead."""

    def __init__(self, speak: Speak, sentences: Sequence[str], first: int = 0) -> None:
        self._speak = speak
        self._sentences = sentences
        self._made: queue.Queue[Made] = queue.Queue(_MOST_AHEAD)
        self._given_up = threading.Event()
        self._at = first  # the sentence that is being made
        self._since = time.monotonic()
        self._thread = threading.Thread(target=self._make, args=[first], name="voice", daemon=True)
        self._thread.start()

    def take(self, patience_seconds: float) -> Made | None:
        """What was made next; None where it is not ready yet.

        A voice that was waited for longer than that hangs: then it is Broken.
        """
        try:
            made = self._made.get_nowait()
        except queue.Empty:
            if time.monotonic() - self._since < patience_seconds:
                return None
            return Broken(self._at, DeviceError("the voice does not answer", "restart the program"))
        self._since = time.monotonic()
        return made

    def give_up(self) -> None:
        """Nothing more is wanted; a voice that hangs is left to itself."""
        self._given_up.set()

    def wait(self, seconds: float) -> None:
        """For its end; a voice that hangs is not waited for any longer."""
        self._thread.join(seconds)

    def _make(self, first: int) -> None:
        for number in range(first, len(self._sentences)):
            self._at = number
            try:
                self._make_one(number)
            except AssistantError as error:
                self._put(Broken(number, _as_device_error(error)))
                return
            except Exception as error:  # a voice may come from anywhere and raise anything
                self._put(Broken(number, DeviceError(f"the voice failed: {error!r}")))
                return
            if self._given_up.is_set():
                return
        self._put(Finished())

    def _make_one(self, number: int) -> None:
        rate_hz, blocks = self._speak(self._sentences[number])
        for block in even(blocks):
            if not self._put(Sound(number, block, rate_hz)):
                return

    def _put(self, made: Made) -> bool:
        while not self._given_up.is_set():
            try:
                self._made.put(made, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def _as_device_error(error: AssistantError) -> DeviceError:
    return error if isinstance(error, DeviceError) else DeviceError(error.fact, error.hint)
