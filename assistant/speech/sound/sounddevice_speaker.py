"""The loudspeaker of this machine, through sounddevice."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack, closing
from itertools import chain
from typing import Any

from assistant.errors import DeviceError
from assistant.speech.sound.chimes import near_silence
from assistant.speech.sound.resampling import at_rate, even, in_pieces
from assistant.speech.sound.sounddevice_library import devices_held, find_device, look_again, portaudio

# Bluetooth and HDMI swallow the first part of what they are given.
_LEAD_IN_SECONDS = 0.3
# Short pieces: what is still to come can change after each of them.
_PIECE_SECONDS = 0.01
# The first block took up to two seconds (a sound server waking its device): longer is no waking.
_STALLED_SECONDS = 5.0


class Loudspeaker:
    """An open loudspeaker: it plays what is written, in order, until it is closed.

    One thread writes and closes. Whoever wants silence sets the event that was given to `write`.
    """

    def __init__(self, library: Any) -> None:
        """Raises the library's PortAudioError, or DeviceError where there is no loudspeaker at all."""
        self._broken = library.PortAudioError
        with ExitStack() as opening:
            opening.enter_context(devices_held())
            device = find_device("output")
            self.rate_hz = device.rate_hz
            self._stream = library.RawOutputStream(
                device.rate_hz, channels=1, dtype="int16", device=device.number
            )
            opening.callback(self._stream.close)
            self._stream.start()
            self.latency_seconds = float(self._stream.latency)  # from `write` to the air
            most = int(self.rate_hz * _PIECE_SECONDS)
            self._piece_frames = max(1, min(most, self._stream.write_available // 2))
            self._opened = opening.pop_all()

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        """Hand sound on as the device takes it; False where it was stopped before the end.

        Raises DeviceError where the loudspeaker is lost.
        """
        try:
            for piece in in_pieces([pcm], 2 * self._piece_frames):
                if not self._has_room(len(piece) // 2, stopped):
                    return False
                self._stream.write(piece)
        except self._broken as error:
            raise _no_loudspeaker(error) from None
        return True

    def close(self) -> None:
        """Silent at once: what was written and not yet played is dropped."""
        self._stream.abort()
        self._opened.close()

    def _has_room(self, frames: int, stopped: threading.Event) -> bool:
        """Waits for it, because a write that waits could not be stopped; False: stopped."""
        waited = 0.0
        while (missing := frames - self._stream.write_available) > 0:
            if waited > _STALLED_SECONDS:
                raise _no_loudspeaker("it takes no sound")
            seconds = max(missing / self.rate_hz, 0.001)  # a shorter wait would be a busy one
            if stopped.wait(seconds):
                return False
            waited += seconds
        return not stopped.is_set()


def open_loudspeaker() -> Loudspeaker:
    """The standard loudspeaker, open; one that was plugged in a moment ago is found.

    Raises DeviceError where there is no PortAudio or no loudspeaker.
    """
    library = portaudio()
    try:
        return Loudspeaker(library)
    except (library.PortAudioError, DeviceError):
        pass  # it may be another one now than when the list was made
    try:
        look_again(library)
        return Loudspeaker(library)
    except library.PortAudioError as error:
        raise _no_loudspeaker(error) from None


class SounddeviceSpeaker:
    """Plays blocks through the standard loudspeaker, at the rate that it works at.

    Raises DeviceError where there is no PortAudio, no loudspeaker, or it is lost while it plays.
    """

    def __init__(self) -> None:
        open_loudspeaker().close()
        self._stopped = threading.Event()

    def play(self, blocks: Iterable[bytes], rate_hz: int) -> None:
        """Play to the end, or until interrupted or closed: then it is quiet at once."""
        # The first block is made before the device waits for it: a device left waiting crackles.
        coming = iter(blocks)
        ready = chain([next(coming, b"")], coming)
        self._stopped = threading.Event()
        with closing(open_loudspeaker()) as loudspeaker:
            lead_in = near_silence(loudspeaker.rate_hz, _LEAD_IN_SECONDS)
            heard_all = near_silence(loudspeaker.rate_hz, loudspeaker.latency_seconds)
            sound = at_rate(even(ready), rate_hz, loudspeaker.rate_hz)
            for block in chain([lead_in], sound, [heard_all]):
                if not loudspeaker.write(block, self._stopped):
                    return

    def close(self) -> None:
        self._stopped.set()


def _no_loudspeaker(why: object) -> DeviceError:
    return DeviceError(f"no loudspeaker can be used: {why}", "plug one in and make it the standard device")
