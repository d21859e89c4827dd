"""The words that stop the assistant while it speaks, spotted in what the microphone hears meanwhile.

Keyword spotting as PocketSphinx has it found 12 of 100 spoken "stop"s and thought one said every minute.
So a short stretch that is louder than what is around it is cut out and read as a whole: it is one of the
words and nothing else, or it is none.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from assistant.speech.sound.voice_activity import VoiceActivity

RATE_HZ = 16_000
# Looked at again and again: a stop word with a little room around it, so often that no word falls
# between two looks.
_WINDOW_SECONDS = 1.4
_STEP_SECONDS = 0.3
# "Stop" takes a quarter of a second, and before it has ended nothing can be made of it.
_LEAST_SPEECH_SECONDS = 0.2
_FRAME = 320  # samples in which loudness is measured: 20 ms
# What is left of the assistant's own voice is further below that of a person at the microphone.
_LOUD_SHARE = 0.18  # of the loudest frame: 15 dB below
_GAP_FRAMES = 8  # so long a stop is the "p" of "stop it"
_MARGIN_FRAMES = 6  # beginning and end of a word are quieter than the rest
_FEWEST_FRAMES = 8  # a knock is shorter than any word

# A stretch of 16-bit mono PCM at 16,000 Hz -> the stop word that it is, or nothing.
ReadStretch = Callable[[bytes], str]


class StopSpotter(Protocol):
    """Hears in mono 16-bit PCM at 16,000 Hz nothing but the words that stop the assistant."""

    def hear(self, block: bytes) -> str:
        """The stop words that were said, once; else nothing."""
        ...

    def reset(self) -> None:
        """What comes now has nothing to do with what came before."""
        ...

    def close(self) -> None: ...


class WindowSpotter:
    """Reads a window of the last second or so where somebody speaks; one thread at a time."""

    def __init__(self, read: ReadStretch) -> None:
        self._read = read
        self._activity = VoiceActivity(RATE_HZ)
        self.reset()

    def reset(self) -> None:
        self._activity.reset()
        self._window: deque[bytes] = deque()
        self._window_bytes = 0
        self._speech_seconds = self._unread_seconds = 0.0

    def hear(self, block: bytes) -> str:
        seconds = len(block) / 2 / RATE_HZ
        frames = self._activity.push(block)
        self._speech_seconds += sum(frames) * self._activity.frame_seconds
        self._unread_seconds += seconds
        self._keep(block)
        if self._speech_seconds < _LEAST_SPEECH_SECONDS or self._unread_seconds < _STEP_SECONDS:
            return ""
        self._unread_seconds = 0.0
        if not any(frames):  # it has just ended: this is the last look at it
            self._speech_seconds = 0.0
        stretch = loud_stretch(b"".join(self._window))
        words = self._read(stretch) if stretch else ""
        if words:
            self.reset()
        return words

    def close(self) -> None:
        self.reset()

    def _keep(self, block: bytes) -> None:
        self._window.append(block)
        self._window_bytes += len(block)
        while self._window_bytes - len(self._window[0]) >= _WINDOW_SECONDS * RATE_HZ * 2:
            self._window_bytes -= len(self._window.popleft())


def loud_stretch(pcm: bytes) -> bytes:
    """The one stretch that is clearly louder than the rest, with a little around it.

    Nothing where it is too short for a word, or goes on beyond either end: then it is not over yet, or longer
    than any stop word.
    """
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) // (2 * _FRAME) * 2 * _FRAME], "<i2").astype(np.float32)
    loudness = np.sqrt(np.mean(samples.reshape(-1, _FRAME) ** 2, axis=1))
    if not len(loudness):
        return b""
    loud = np.flatnonzero(loudness > _LOUD_SHARE * loudness.max())
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > _GAP_FRAMES) + 1)
    part = next(part for part in parts if int(loudness.argmax()) in part)
    first, last = int(part[0]), int(part[-1])
    if last - first < _FEWEST_FRAMES or first == 0 or last + _GAP_FRAMES >= len(loudness):
        return b""
    begin, end = max(0, first - _MARGIN_FRAMES), last + 1 + _MARGIN_FRAMES
    return pcm[begin * _FRAME * 2 : end * _FRAME * 2]


class StopSpotters:
    """Makes a spotter for a language at once: what it reads with is opened once and kept.

    `open_reader` opens it; a language that nothing here reads gets a spotter that hears nothing.
    Readers know words of the pages: `forget` them when those have changed.
    """

    def __init__(self, open_reader: Callable[[str], ReadStretch | None]) -> None:
        self._open_reader = open_reader
        self._readers: dict[str, ReadStretch | None] = {}
        self._one_at_a_time = threading.Lock()

    def __call__(self, language: str) -> StopSpotter:
        return WindowSpotter(lambda stretch: self._read(language, stretch))

    def warm(self, languages: Sequence[str]) -> None:
        """Open the readers of these languages in the background: to open one takes half a second."""
        thread = threading.Thread(target=self._warm, args=[languages], name="warm-stop-words", daemon=True)
        thread.start()

    def forget(self) -> None:
        """What is open is opened anew in the background; until then it reads on."""
        with self._one_at_a_time:
            languages = [*self._readers]
        thread = threading.Thread(target=self._open_anew, args=[languages], name="stop-words", daemon=True)
        thread.start()

    def _open_anew(self, languages: Sequence[str]) -> None:
        for language in languages:
            reader = self._open_reader(language)
            with self._one_at_a_time:
                self._readers[language] = reader

    def _warm(self, languages: Sequence[str]) -> None:
        for language in languages:
            with self._one_at_a_time:
                self._reader(language)

    def _read(self, language: str, stretch: bytes) -> str:
        """A spotter that is being closed may still read when the next one begins."""
        with self._one_at_a_time:
            reader = self._reader(language)
            return reader(stretch) if reader else ""

    def _reader(self, language: str) -> ReadStretch | None:
        if language not in self._readers:
            self._readers[language] = self._open_reader(language)
        return self._readers[language]


def is_said(words: str, saying: str) -> bool:
    """True where the assistant says these words itself just now: hearing them means nothing then."""
    return f" {plain(words)} " in f" {plain(saying)} "


def plain(text: str) -> str:
    """Small letters and digits, words parted by one space."""
    folded = unicodedata.normalize("NFC", text.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in folded).split())
