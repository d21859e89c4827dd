"""Two processes that decode English for one recognizer: as its phrases, and as any English.

They work at the same time and beside our own interpreter, which a decoder would hold on to.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import DeviceError, ModelError
from assistant.speech.hearing.pocketsphinx_child import END, FOLLOW, FORGET, KEEP, LISTEN_FOR
from assistant.speech.hearing.readings import Reading
from assistant.speech.lasting_child import Answer, Frame, LastingChild

_CHILD = "assistant.speech.hearing.pocketsphinx_child"
_BYTES_A_SECOND = 2 * 16_000
# What is said is taken for one of the phrases when they explain the sound this much better than
# English at large does (difference of the natural logarithms of both path scores, a second).
# With 617 phrases, of 100 questions spoken by eSpeak and 100 by Piper 99 each were taken for a phrase, and
# of 105 other clips 8. At 0.04: all of them, and 27.
_BETTER_A_SECOND = 0.07
# The same a second, for phones: above it the decoder for any English, which costs three times as much,
# need not be asked. 188 of those 200 questions are above it, and 4 of the other clips.
_CLEARLY_A_PHRASE = -0.14
# What is followed goes in pieces, each of which costs a third of a millisecond.
_PIECE_BYTES = _BYTES_A_SECOND // 5
# To load the dictionary of any English takes a second, on a machine that is busy many.
_READY_SECONDS = 60.0
# The longest stretch of sound takes some seconds: a process that says nothing for so long hangs.
_SILENT_SECONDS = 30.0
REINSTALL = "reinstall it with: pip install --force-reinstall pocketsphinx"


class PocketSphinxProcesses:
    """Follows and reads one stretch of sound after another: 16-bit mono PCM at 16,000 Hz.

    Raises ModelError where the model cannot be used, DeviceError where a process cannot be started,
    has ended or hangs. Then both are ended, as by `end`, which any thread may call; all else is
    for one thread at a time.
    """

    left_out: tuple[str, ...] = ()  # words of the phrases that cannot be listened for

    def __init__(self, phrases: Sequence[str], model: Path) -> None:
        self._phrases: LastingChild | None = None
        self._job = 1
        self._unsent = bytearray()
        self._english = _start(None, model)
        try:
            if phrases:
                self._phrases = _start(phrases, model)
                ready = _ready(self._phrases)
                self.left_out = tuple(ready["left_out"])
                if not ready["listens"]:
                    self._phrases.end()
                    self._phrases = None
            _ready(self._english)
        except BaseException:
            self.end()
            raise

    @property
    def children(self) -> list[LastingChild]:
        return [child for child in (self._phrases, self._english) if child]

    @property
    def are_alive(self) -> bool:
        return all(child.is_alive for child in self.children)

    def end(self) -> None:
        for child in self.children:
            child.end()

    def follow(self, sound: bytes) -> str:
        """More of a stretch of sound -> what was heard in it so far, where that has changed; else nothing."""
        follower = self._phrases or self._english
        self._unsent += sound
        if len(self._unsent) >= _PIECE_BYTES:
            follower.ask(Frame(FOLLOW, self._job, bytes(self._unsent)))
            self._unsent.clear()
        with self._one_for_both():
            texts = [answer["text"] for answer in follower.answers_so_far() if answer["job"] == self._job]
        return next(filter(None, reversed(texts)), "")

    def read(self, sound: bytes) -> list[Reading]:
        """The whole stretch -> the readings that are worth passing on, best first. The next one begins."""
        if not sound:
            return []
        with self._one_for_both():
            readings = self._read(sound)
        self._job += 1
        return readings

    def forget(self) -> None:
        """Nothing more of this stretch is wanted; the next one begins."""
        self._unsent.clear()
        for child in self.children:
            child.ask(Frame(FORGET, self._job))
        self._job += 1

    @contextmanager
    def _one_for_both(self) -> Iterator[None]:
        """Where one is of no use any more, the other is not either."""
        try:
            yield
        except DeviceError:
            self.end()
            raise

    def _read(self, sound: bytes) -> list[Reading]:
        follower = self._phrases or self._english
        follower.ask(Frame(KEEP, self._job, bytes(self._unsent)))
        follower.ask(Frame(END, self._job))
        self._unsent.clear()
        if self._phrases is None:
            return [Reading(self._wait(self._english, "words")["text"])]
        self._english.ask(Frame(KEEP, self._job, sound))
        self._english.ask(Frame(END, self._job))
        return self._agreed(self._phrases, len(sound) / _BYTES_A_SECOND)

    def _agreed(self, phrases: LastingChild, seconds: float) -> list[Reading]:
        question = self._wait(phrases, "words")
        if question["text"]:
            phones = self._wait(self._english, "phones")
            if question["score"] - phones["score"] >= _CLEARLY_A_PHRASE * seconds:
                self._english.ask(Frame(FORGET, self._job))
                return [Reading(question["text"])]
        words = self._wait(self._english, "words")
        if question["text"] and question["score"] - words["score"] >= _BETTER_A_SECOND * seconds:
            return [Reading(question["text"]), Reading(words["text"], 1.0)]
        return [Reading(words["text"])]

    def _wait(self, child: LastingChild, what: str) -> Answer:
        while True:
            answer = child.wait(_SILENT_SECONDS)
            if (answer["job"], answer["what"]) == (self._job, what):
                return answer


def _start(phrases: Sequence[str] | None, model: Path) -> LastingChild:
    try:
        child = LastingChild(_CHILD, "the speech recognition")
    except (OSError, ValueError) as error:
        raise DeviceError(
            f"the speech recognition cannot be started: {error}", "close other programs"
        ) from None
    request = {"phrases": None if phrases is None else list(phrases), "model": str(model)}
    child.ask(Frame(LISTEN_FOR, 0, json.dumps(request).encode()))
    return child


def _ready(child: LastingChild) -> Answer:
    ready = child.wait(_READY_SECONDS)
    if ready["what"] == "failed":
        raise ModelError(f"PocketSphinx cannot be used: {ready['text']}", REINSTALL)
    return ready
