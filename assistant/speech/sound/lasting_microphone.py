"""A microphone that survives the loss of the device behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from assistant.errors import DeviceError
from assistant.ports import Microphone

_RATE_HZ = 16_000
_SECONDS_BETWEEN_TRIES = 1.0


class LastingMicrophone:
    """Yields the blocks of one microphone after another, until `close()`, from any thread.

    `open_one` gives a microphone at 16,000 Hz or raises DeviceError; so may the microphone, at any
    block. Then `lost` is told, once, and it is tried again every second; `back` is told with the
    first block that comes. Both are called by the thread that iterates. Nothing is lost to begin
    with, so a machine without a microphone begins with `lost`.
    """

    def __init__(
        self,
        open_one: Callable[[], Microphone],
        lost: Callable[[DeviceError], None],
        back: Callable[[], None],
        seconds_between_tries: float = _SECONDS_BETWEEN_TRIES,
    ) -> None:
        self._open_one, self._tell_lost, self._tell_back = open_one, lost, back
        self._seconds_between_tries = seconds_between_tries
        self._closed = threading.Event()
        self._changing = threading.Lock()
        self._current: Microphone | None = None
        self._is_lost = False

    @property
    def rate_hz(self) -> int:
        return _RATE_HZ

    @property
    def notes(self) -> tuple[str, ...]:
        """What the microphone of the moment says about itself."""
        return tuple(getattr(self._current, "notes", ()))

    def __iter__(self) -> Iterator[bytes]:
        while not self._closed.is_set():
            try:
                yield from self._blocks_of_one()
                self._lose(DeviceError("the microphone gives no more sound"))
            except DeviceError as error:
                self._lose(error)
            self._closed.wait(self._seconds_between_tries)

    def close(self) -> None:
        self._closed.set()
        self._let_go()

    def _blocks_of_one(self) -> Iterator[bytes]:
        try:
            for block in self._open():
                if self._closed.is_set():
                    return
                self._find()
                yield block
        finally:
            self._let_go()

    def _open(self) -> Microphone:
        microphone = self._open_one()
        with self._changing:
            self._current = microphone
        if self._closed.is_set():  # while it was being opened
            self._let_go()
        return microphone

    def _let_go(self) -> None:
        with self._changing:
            microphone, self._current = self._current, None
        if microphone is not None:
            microphone.close()

    def _lose(self, error: DeviceError) -> None:
        if not self._is_lost and not self._closed.is_set():
            self._is_lost = True
            self._tell_lost(error)

    def _find(self) -> None:
        if self._is_lost:
            self._is_lost = False
            self._tell_back()
