"""Warm recognizers, kept for the next customer: to open one takes seconds, to use a warm one nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

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
    borrower. Any number of threads may borrow. With `keeps_one_ready` whoever takes the last idle
    one lets another be opened in the background, so that the next borrower does not wait either.
    """

    def __init__(
        self, open_one: Callable[[str], Recognizer], size: int = 1, keeps_one_ready: bool = False
    ) -> None:
        self._open_one = open_one
        self._size = size
        self._keeps_one_ready = keeps_one_ready
        self._readying: set[str] = set()  # languages that another one is being opened for
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
        if self._keeps_one_ready:
            self._ready_another(language)
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
        """Open one for each language in the background; what fails there is told to the borrower."""
        for language in languages:
            self._in_background(self._warm_one, language)

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

    def _in_background(self, work: Callable[[str], None], language: str) -> None:
        thread = threading.Thread(target=work, args=[language], name=f"warm-{language}", daemon=True)
        with self._changed:
            self._warming = [one for one in self._warming if one.is_alive()] + [thread]
            thread.start()

    def _warm_one(self, language: str) -> None:
        with self._changed:
            if self._closed or self._count.get(language, 0):
                return
            self._count[language] = 1
        with suppress(AssistantError):  # the borrower asks again and is told
            self._give_back(language, self._open(language))

    def _ready_another(self, language: str) -> None:
        with self._changed:
            is_enough = self._idle.get(language) or self._count[language] >= self._size
            if self._closed or is_enough or language in self._readying:
                return
            self._count[language] += 1
            self._readying.add(language)
        self._in_background(self._open_another, language)

    def _open_another(self, language: str) -> None:
        try:
            with suppress(AssistantError):
                self._give_back(language, self._open(language))
        finally:
            self._readying.discard(language)

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
