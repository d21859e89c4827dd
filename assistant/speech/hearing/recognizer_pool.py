"""Warm recognizers, kept for the next customer: to open one takes seconds, to use a warm one nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from assistant.errors import AssistantError, DeviceError
from assistant.ports import Recognizer

# A recognizer is given back when a customer has finished speaking, or is opened anew: a large model
# takes this long to load from a slow disk.
_WAIT_SECONDS = 60.0
_ENDING_SECONDS = 2.0  # a thread that opens a model cannot be hurried


class RecognizerPool:
    """Recognizers of each language, at most `size` of them, each used by one thread at a time.

    They are opened where they are first needed, or ahead by `warm`. One that raised while it was
    borrowed is closed, and the next borrower gets a new one. What `open_one` raises reaches the
    borrower. Any number of threads may borrow. So that borrowers who come after another do not wait
    either, up to `ahead` idle ones of a language are opened in the background, one at a time.
    """

    def __init__(self, open_one: Callable[[str], Recognizer], size: int = 1, ahead: int = 0) -> None:
        self._open_one = open_one
        self._size = size
        self._ahead = ahead
        self._readying: set[str] = set()  # languages that some are being opened for
        self._changed = threading.Condition()
        self._idle: dict[str, list[Recognizer]] = {}
        self._count: dict[str, int] = {}  # those idle, lent out and being opened
        self._lent: set[Recognizer] = set()
        self._warming: list[threading.Thread] = []
        self._generation = 0
        self._generations: dict[Recognizer, int] = {}  # of those that are open
        self._closed = False

    @contextmanager
    def borrow(self, language: str, wait_seconds: float = _WAIT_SECONDS) -> Iterator[Recognizer]:
        """A recognizer for this thread alone; raises DeviceError where none is free in time."""
        recognizer = self._take(language, wait_seconds)
        self._keep_ready(language, self._ahead)
        try:
            yield recognizer
        except GeneratorExit:  # the borrower has had enough: nothing broke
            self._give_back(language, recognizer)
            raise
        except BaseException:
            self._forget(language, recognizer)
            raise
        self._give_back(language, recognizer)

    def warm(self, languages: Sequence[str]) -> None:
        """Open one for each language in the background, or as many as are kept ready.

        What fails there is told to the borrower.
        """
        for language in languages:
            self._keep_ready(language, max(1, self._ahead))

    def renew(self) -> None:
        """What they listen for has changed: nobody is lent one from now on that was opened before.

        Who has borrowed one keeps it until the end. Instead of those that are idle new ones are warmed.
        """
        with self._changed:
            self._generation += 1
            idle = [(language, one) for language, some in self._idle.items() for one in some]
            self._idle.clear()
        for language, recognizer in idle:
            self._forget(language, recognizer)
        self.warm(list(dict.fromkeys(language for language, _ in idle)))

    def close(self) -> None:
        """Close them all; those that are lent out end what they hear without a final reading."""
        with self._changed:
            self._closed = True
            left = [*self._lent, *(one for idle in self._idle.values() for one in idle)]
            self._idle.clear()
            self._changed.notify_all()
        for recognizer in left:
            recognizer.close()
        deadline = time.monotonic() + _ENDING_SECONDS
        for thread in self._warming:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _take(self, language: str, wait_seconds: float) -> Recognizer:
        with self._changed:
            if not self._changed.wait_for(lambda: self._may_take(language), wait_seconds):
                raise DeviceError(
                    f"all {self._size} recognizers for `{language}` are in use",
                    "wait until somebody has finished speaking",
                )
            if self._closed:
                raise _closed()
            if idle := self._idle.get(language):
                recognizer = idle.pop()
                self._lent.add(recognizer)
                return recognizer
            self._count[language] = self._count.get(language, 0) + 1
        return self._open(language)

    def _may_take(self, language: str) -> bool:
        return self._closed or bool(self._idle.get(language)) or self._count.get(language, 0) < self._size

    def _open(self, language: str) -> Recognizer:
        """A new one, lent out already; its place was counted before."""
        generation = self._generation
        try:
            recognizer = self._open_one(language)
        except BaseException:
            self._free_place(language)
            raise
        with self._changed:
            if not self._closed:
                self._lent.add(recognizer)
                self._generations[recognizer] = generation
                return recognizer
        recognizer.close()
        raise _closed()

    def _keep_ready(self, language: str, wanted: int) -> None:
        with self._changed:
            if language in self._readying or not self._is_short(language, wanted):
                return
            self._readying.add(language)
            thread = threading.Thread(
                target=self._open_more, args=[language, wanted], name=f"warm-{language}", daemon=True
            )
            self._warming = [one for one in self._warming if one.is_alive()] + [thread]
            thread.start()

    def _open_more(self, language: str, wanted: int) -> None:
        try:
            while self._take_place(language, wanted):
                self._give_back(language, self._open(language))
        except BaseException as error:
            self._readying.discard(language)
            if not isinstance(error, AssistantError):  # the borrower asks again and is told
                raise

    def _take_place(self, language: str, wanted: int) -> bool:
        """For one that is opened ahead; where there are enough, whoever borrows the next looks again."""
        with self._changed:
            if is_short := self._is_short(language, wanted):
                self._count[language] = self._count.get(language, 0) + 1
            else:
                self._readying.discard(language)
            return is_short

    def _is_short(self, language: str, wanted: int) -> bool:
        is_full = self._count.get(language, 0) >= self._size
        return not self._closed and not is_full and len(self._idle.get(language, ())) < wanted

    def _give_back(self, language: str, recognizer: Recognizer) -> None:
        with self._changed:
            self._lent.discard(recognizer)
            is_old = self._generations[recognizer] != self._generation
            if not is_old and not self._closed:
                self._idle.setdefault(language, []).append(recognizer)
                self._changed.notify_all()
        if is_old:
            self._forget(language, recognizer)

    def _forget(self, language: str, recognizer: Recognizer) -> None:
        with self._changed:
            self._lent.discard(recognizer)
            self._generations.pop(recognizer, None)
        self._free_place(language)
        recognizer.close()

    def _free_place(self, language: str) -> None:
        with self._changed:
            self._count[language] -= 1
            self._changed.notify_all()


def _closed() -> DeviceError:
    return DeviceError("the recognizers were closed", "open a new pool")
