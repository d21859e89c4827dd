"""The voices of this machine, best first: which of them can speak a language now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from math import inf

from assistant.errors import DeviceError, NoVoiceError
from assistant.ports import Synthesizer

Openers = Sequence[tuple[str, Callable[[], Synthesizer]]]
# Long enough that a conversation is not halted by the same failure again and again, short enough
# that a passing one (no memory for a moment) is not remembered for the day.
_SECONDS_IN_DISGRACE = 60.0
_WARM_UP = "1"  # every voice of every language can say it


class Voices:
    """Opens a voice when it is first needed, and leaves one that failed for a language alone for a while."""

    def __init__(
        self, openers: Openers, words_a_minute: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.words_a_minute = words_a_minute
        self._openers = dict(openers)
        self._opened: dict[str, Synthesizer] = {}
        self._opening = {name: threading.Lock() for name in self._openers}
        self._failed: dict[tuple[str, str], tuple[float, DeviceError]] = {}  # until when, and why
        self._spoken: set[tuple[str, str]] = set()
        self._warming: tuple[str, str] | None = None
        self._clock = clock
        self._closed = False

    def best(self, language: str) -> str:
        """The first voice that has not failed, and is not still getting ready while another could speak.

        Raises what the last one failed with.
        """
        now = self._clock()
        able = [name for name in self._openers if self._until(name, language) <= now]
        if not able:
            raise self._why(language)
        return next((name for name in able if (name, language) != self._warming), able[0])

    def has_spoken(self, name: str, language: str) -> bool:
        """Until then it may have to load models, and that takes longer than to speak."""
        return (name, language) in self._spoken

    def praise(self, name: str, language: str) -> None:
        """It has spoken."""
        self._spoken.add((name, language))

    def blame(self, name: str, language: str, why: DeviceError) -> None:
        """It failed: not to be taken for a while, or never where it does not speak the language at all."""
        until = inf if isinstance(why, NoVoiceError) else self._clock() + _SECONDS_IN_DISGRACE
        self._failed[name, language] = until, why

    def speak(self, name: str, language: str, text: str) -> tuple[int, Iterator[bytes]]:
        """The rate of the sound in samples a second, and the sound; raises whatever the voice raises."""
        voice = self._open(name)
        voice.words_a_minute = self.words_a_minute
        return voice.rate_hz, voice.speak(text, language)

    def warm_up(self, languages: Sequence[str]) -> None:
        """Let a voice of each language speak once, unheard: the first customer then waits for nothing."""
        for language in languages:
            for name in self._openers:
                if self._closed:
                    return
                # What fails here fails again when it is needed, and is told then.
                self._warming = name, language
                with suppress(Exception):
                    for _ in self.speak(name, language, _WARM_UP)[1]:
                        self.praise(name, language)
                    break
        self._warming = None

    def stop(self) -> None:
        """What is being made is given up."""
        for voice in tuple(self._opened.values()):
            voice.stop()

    def close(self) -> None:
        self._closed = True
        for voice in tuple(self._opened.values()):
            voice.close()

    def _until(self, name: str, language: str) -> float:
        return self._failed[name, language][0] if (name, language) in self._failed else -inf

    def _why(self, language: str) -> DeviceError:
        """What the last of them failed with."""
        if not self._openers:
            return DeviceError("no voice is set up", "name one in settings.toml: voices, below [speaking]")
        return self._failed[list(self._openers)[-1], language][1]

    def _open(self, name: str) -> Synthesizer:
        with self._opening[name]:  # its own lock: a voice that takes its time keeps no other waiting
            if name not in self._opened:
                self._opened[name] = self._openers[name]()
            if self._closed:
                self._opened[name].close()
            return self._opened[name]
