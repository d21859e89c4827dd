"""How many customers speak with the server: seats as they are taken and given back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from assistant.channels.web.values import Seat
from assistant.ports import Ear, Loudspeaker, Microphone, Mouth, TellEar, TellMouth


class CountedSeats:
    """Hands out seats and knows how many are taken; may be used from any thread."""

    def __init__(self, take_seat: Callable[[], Seat]) -> None:
        self._take_seat = take_seat
        self._taken = 0
        self._counting = threading.Lock()

    @property
    def taken(self) -> int:
        return self._taken

    def take(self) -> Seat:
        """Raises BusyError where all are taken."""
        seat = self._take_seat()
        self._count(1)
        return _CountedSeat(seat, lambda: self._count(-1))

    def _count(self, change: int) -> None:
        with self._counting:
            self._taken += change


@dataclass(slots=True)
class _CountedSeat:
    seat: Seat
    given_back: Callable[[], None] | None  # None: it has been

    def open_ear(self, microphone: Microphone, tell: TellEar) -> Ear:
        return self.seat.open_ear(microphone, tell)

    def open_mouth(self, loudspeaker: Loudspeaker, tell: TellMouth) -> Mouth:
        return self.seat.open_mouth(loudspeaker, tell)

    def close(self) -> None:
        give_back, self.given_back = self.given_back, None
        try:
            self.seat.close()
        finally:
            if give_back:
                give_back()
