"""The loudspeaker of this machine, through sounddevice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from assistant.errors import DeviceError
from assistant.speech.resampling import at_rate
from assistant.speech.sounddevice_library import look_again, portaudio

# Bluetooth and HDMI swallow the first part of what they are given.
_LEAD_IN_SECONDS = 0.3
# Short pieces, so that stopping is heard at once.
_PIECE_BYTES = 2 * 1600


class SounddeviceSpeaker:
    """Plays blocks through the standard loudspeaker, at the rate that it works at.

    Raises DeviceError where there is no PortAudio, no loudspeaker, or it is lost while it plays.
    """

    def __init__(self) -> None:
        self._sd = portaudio()
        try:
            look_again(self._sd)
            device = self._sd.query_devices(kind="output")
        except self._sd.PortAudioError as error:
            raise _no_loudspeaker(error) from None
        self._rate_hz = int(device["default_samplerate"])
        self._stream: Any = None

    def play(self, blocks: Iterable[bytes], rate_hz: int) -> None:
        """Play to the end, or until interrupted or closed: then it is quiet at once."""
        # The first block is made before the device waits for it: a device left waiting crackles.
        coming = iter(blocks)
        ready = chain([next(coming, b"")], coming)
        try:
            self._stream = self._sd.RawOutputStream(self._rate_hz, channels=1, dtype="int16")
            with self._stream:
                self._write(at_rate(_with_lead_in(ready, rate_hz), rate_hz, self._rate_hz))
        except self._sd.PortAudioError as error:
            raise _no_loudspeaker(error) from None
        finally:
            self._stream = None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.abort()

    def _write(self, blocks: Iterable[bytes]) -> None:
        try:
            for piece in _pieces(blocks):
                self._stream.write(piece)
        except BaseException:  # Ctrl-C above all: what is still buffered must not be played
            self._stream.abort()
            raise


def _no_loudspeaker(error: Exception) -> DeviceError:
    return DeviceError(f"no loudspeaker can be used: {error}", "plug one in and make it the standard device")


def _with_lead_in(blocks: Iterable[bytes], rate_hz: int) -> Iterator[bytes]:
    yield bytes(2 * int(_LEAD_IN_SECONDS * rate_hz))
    yield from blocks


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks of an even number of bytes; an odd byte waits for its other half."""
    rest = b""
    for block in blocks:
        rest += block
        while len(rest) >= _PIECE_BYTES:
            yield rest[:_PIECE_BYTES]
            rest = rest[_PIECE_BYTES:]
    yield rest[: len(rest) & ~1]
