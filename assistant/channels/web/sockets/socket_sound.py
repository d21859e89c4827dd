"""A browser's microphone and loudspeaker, at the other end of a WebSocket."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

import numpy as np

from assistant.channels.web.sockets.socket_line import MOST_SOUND_BYTES
from assistant.channels.web.values import VOICE_RATE_HZ
from assistant.errors import DeviceError

MICROPHONE_RATE_HZ = 16_000
# A recording of a question may come in one go, and a machine that is busy for a moment loses nothing.
_MOST_WAITING_SECONDS = 10.0
_BLOCK_SECONDS = 0.1  # turns are taken block by block: smaller ones cost more and tell no more
# So far ahead of its playing sound is sent: it survives a line that stalls for a moment.
_RUN_AHEAD_SECONDS = 0.3
# Over a network at home, and through a browser's own buffers.
_ON_ITS_WAY_SECONDS = 0.25
# Pauses in words are sent. Of longer ones the rest is not: what comes after them is sent when it is due.
_SENT_PAUSE_SECONDS = 0.1
_NEARLY_SILENT = 3  # a step up and down keeps loudspeakers awake, and nobody hears it
_STALLED_SECONDS = 5.0  # a line that takes nothing for so long is broken
_LOOK_SECONDS = 0.02
_PIECE_SECONDS = 0.05  # sound is handed on in no larger ones: in between it can be stopped
_LONGEST_WAIT_SECONDS = 60.0  # no wait is without an end
_DRAINING_SECONDS = 0.01
_LONGEST_DRAINING_SECONDS = 5.0
# After `finish` an ear takes one more block, that in which a key was let go. Here it has come already.
END_OF_SOUND = bytes(3200)


class SocketMicrophone:
    """A Microphone (see ports) that gives what `put` was given, until it is closed."""

    def __init__(self, rate_hz: int = MICROPHONE_RATE_HZ) -> None:
        self._rate_hz = rate_hz
        self._sound = bytearray()  # may end in half a sample: the other half comes with the next sound
        self._changed = threading.Condition()
        self._closed = False

    @property
    def rate_hz(self) -> int:
        return self._rate_hz

    @property
    def waiting_seconds(self) -> float:
        """How much has not been taken yet; a half sample does not count."""
        return len(self._sound) // 2 / self._rate_hz

    def put(self, sound: bytes) -> bool:
        """16-bit little-endian PCM, in pieces of any size; never waits.

        False where older sound had to be dropped because it is not taken as fast as it comes.
        """
        most = self._bytes(_MOST_WAITING_SECONDS)
        with self._changed:
            if self._closed:
                return True
            self._sound += sound
            surplus = len(self._sound) - most
            if surplus > 0:
                del self._sound[: surplus + surplus % 2]  # whole samples
            self._changed.notify()
        return surplus <= 0

    def __iter__(self) -> Iterator[bytes]:
        while block := self._take():
            yield block

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _take(self) -> bytes:
        """What waits, at most a block; nothing when it is closed."""
        with self._changed:
            while len(self._sound) < 2 and not self._closed:
                self._changed.wait(_LONGEST_WAIT_SECONDS)
            if self._closed:
                return b""
            size = min(len(self._sound) & ~1, self._bytes(_BLOCK_SECONDS))
            block = bytes(self._sound[:size])
            del self._sound[:size]
            return block

    def _bytes(self, seconds: float) -> int:
        return int(seconds * self._rate_hz) * 2


async def drained(microphone: SocketMicrophone) -> None:
    """Come back when the ear has taken all that was put, or does not take it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LONGEST_DRAINING_SECONDS):
            while microphone.waiting_seconds > 0:
                await asyncio.sleep(_DRAINING_SECONDS)


class Outlet(Protocol):
    """Where sound goes out to a client; may be used from any thread (see socket_line)."""

    @property
    def is_gone(self) -> bool: ...

    @property
    def sound_bytes(self) -> int:
        """So much has not gone out."""
        ...

    def play_later(self, pcm: bytes) -> None: ...

    def silence_later(self) -> None: ...


class SocketLoudspeaker:
    """A Loudspeaker (see ports) that takes sound as fast as it is played at the other end.

    It runs ahead a little and no further: what is stopped is not long on its way, and who does not
    listen costs no more than two seconds of sound. Opened again by being written to.
    """

    latency_seconds = _ON_ITS_WAY_SECONDS

    def __init__(
        self, outlet: Outlet, rate_hz: int = VOICE_RATE_HZ, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate_hz = rate_hz
        self._outlet = outlet
        self._clock = clock
        self._played_at = 0.0  # all that was written will have been played
        self._quiet_seconds = 0.0  # since the last sound that can be heard

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        """Raises DeviceError where the client is gone, or reads nothing."""
        size = int(_PIECE_SECONDS * self.rate_hz) * 2
        pieces = (pcm[start : start + size] for start in range(0, len(pcm), size))
        return all(self._write_piece(piece, stopped) for piece in pieces)

    def close(self) -> None:
        """The client is told to throw away what it has not played."""
        self._played_at, self._quiet_seconds = 0.0, 0.0
        self._outlet.silence_later()

    def _write_piece(self, pcm: bytes, stopped: threading.Event) -> bool:
        seconds = len(pcm) / 2 / self.rate_hz
        self._quiet_seconds = self._quiet_seconds + seconds if _is_quiet(pcm) else 0.0
        is_sent = self._quiet_seconds <= _SENT_PAUSE_SECONDS
        begins_at = max(self._played_at, self._clock())
        # A pause that is not sent is waited for to its end.
        until = begins_at + seconds - (_RUN_AHEAD_SECONDS if is_sent else 0.0)
        if not self._wait(until, stopped) or (is_sent and not self._has_room(stopped)):
            return False
        if is_sent:
            self._outlet.play_later(pcm)
        self._played_at = begins_at + seconds
        return True

    def _wait(self, until: float, stopped: threading.Event) -> bool:
        if self._outlet.is_gone:
            raise DeviceError("the customer has left")
        seconds = until - self._clock()
        return not (stopped.wait(seconds) if seconds > 0 else stopped.is_set())

    def _has_room(self, stopped: threading.Event) -> bool:
        """Waits for it; False: stopped."""
        given_up_at = self._clock() + _STALLED_SECONDS
        while self._outlet.sound_bytes >= MOST_SOUND_BYTES:
            if self._outlet.is_gone or self._clock() >= given_up_at:
                raise DeviceError("the customer's device takes no sound", "look whether its network works")
            if stopped.wait(_LOOK_SECONDS):
                return False
        return True


def _is_quiet(pcm: bytes) -> bool:
    samples = np.frombuffer(pcm, "<i2")
    return not len(samples) or bool(samples.max() <= _NEARLY_SILENT and samples.min() >= -_NEARLY_SILENT)
