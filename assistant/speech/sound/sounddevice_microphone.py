"""The microphone of this machine, through sounddevice."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from assistant.errors import DeviceError
from assistant.speech.sound.sounddevice_library import (
    Device,
    devices_held,
    find_device,
    look_again,
    portaudio,
)

if TYPE_CHECKING:
    from assistant.speech.sound.resampling import Samples

_RATE_HZ = 16_000
_BLOCK_SECONDS = 0.05  # an end of speech is noticed with the next; costs 0.2 % of a core more than 0.1 s
_WAITING_BLOCKS = 200  # ten seconds: whoever lags behind further has lost the customer anyway
# Measured: the first block took up to 1.95 s; later ones never 0.2 s. Twice that, and ten times.
_FIRST_BLOCK_SECONDS = 4.0
_NEXT_BLOCK_SECONDS = 2.0
_MUTED_SECONDS = 30.0  # nobody speaks for so long without a customer too, but no room is that quiet
_CLOSING_SECONDS = 2.0  # takes some milliseconds, where it works
_WAKE_UP = b""  # in the queue instead of a block: closed or lost


class SounddeviceMicrophone:
    """Live mono 16-bit blocks of 0.05 s at 16,000 Hz from the standard device, or one of a name or number.

    The device works at its own rate. It is opened here and held until `close()`, which ends an
    iteration at once, from any thread. Whoever reads too slowly misses the oldest blocks. Raises
    DeviceError where there is no PortAudio or no such microphone, and, while it is gone through,
    where it is taken away or gives no block for two seconds: then it is closed, make a new one.

    A microphone that gives nothing but exact zeros is no failure: one with a noise gate does so
    whenever nobody speaks, and one that is muted by its switch will be unmuted without a sign.
    After half a minute of them `notes` says so, until there is sound.
    """

    def __init__(self, wanted: str | int | None = None) -> None:
        from assistant.speech.sound.downmixing import Downmix
        from assistant.speech.sound.resampling import Resampler

        self.dropped_blocks = 0  # missed because nobody took them in time
        self._blocks: queue.Queue[bytes] = queue.Queue(_WAITING_BLOCKS)
        self._closed = False
        self._closing = threading.Lock()
        self._silent_seconds = 0.0
        self._held = ExitStack()
        device = self._open(portaudio(), wanted)
        self._downmix = Downmix(self._channels)
        self._resampler = Resampler(device.rate_hz, _RATE_HZ)

    @property
    def rate_hz(self) -> int:
        return _RATE_HZ

    @property
    def notes(self) -> tuple[str, ...]:
        """What is odd about it just now, in words for its owner; usually empty."""
        if self._silent_seconds < _MUTED_SECONDS:
            return ()
        return (f"nothing but silence for {self._silent_seconds:.0f} seconds: is the microphone muted?",)

    def __iter__(self) -> Iterator[bytes]:
        from assistant.speech.sound.resampling import to_pcm, to_samples

        patience_seconds = _FIRST_BLOCK_SECONDS
        while (block := self._next(patience_seconds)) is not None:
            patience_seconds = _NEXT_BLOCK_SECONDS
            samples = self._downmix.push(to_samples(block).reshape(-1, self._channels))
            self._listen_for_silence(samples)
            if pcm := to_pcm(self._resampler.push(samples)):
                yield pcm

    def close(self) -> None:
        self._closed = True
        self._put(_WAKE_UP)
        if not self._closing.acquire(blocking=False):  # once only: it is never released
            return
        # In a thread that may be left behind: a driver whose device was pulled out may hang in here.
        letting_go = threading.Thread(target=self._held.close, name="microphone closing", daemon=True)
        letting_go.start()
        letting_go.join(_CLOSING_SECONDS)

    def _open(self, library: Any, wanted: str | int | None) -> Device:
        try:
            look_again(library)  # it may have been plugged in a moment ago
            self._held.enter_context(devices_held())
            device = find_device("input", wanted)
            self._channels = min(2, device.channels)
            self._stream = library.RawInputStream(
                device.rate_hz,
                int(device.rate_hz * _BLOCK_SECONDS),
                device.number,
                self._channels,
                "int16",
                callback=self._take,
                finished_callback=lambda: self._put(_WAKE_UP),  # some drivers tell at once
            )
            self._held.callback(self._stream.close)
            self._stream.start()
        except library.PortAudioError as error:
            self._held.close()
            raise _cannot_use(f"the microphone cannot be opened: {error}") from None
        except DeviceError:
            self._held.close()
            raise
        return device

    def _take(self, sound: Any, _frames: int, _time: Any, status: Any) -> None:
        """In PortAudio's thread: no more than a copy, or sound is lost."""
        if status.input_overflow:
            self.dropped_blocks += 1
        self._put(bytes(sound))

    def _put(self, block: bytes) -> None:
        while True:
            try:
                return self._blocks.put_nowait(block)
            except queue.Full:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        try:
            self._blocks.get_nowait()
            self.dropped_blocks += 1
        except queue.Empty:  # the reader has just taken it
            pass

    def _next(self, patience_seconds: float) -> bytes | None:
        """The next block as the device gave it; None when closed."""
        try:
            block = self._blocks.get(timeout=patience_seconds)
        except queue.Empty:
            block = _WAKE_UP
        if self._closed:
            return None
        if not block:
            self.close()
            raise _cannot_use("the microphone was taken away, or gives no sound any more")
        return block

    def _listen_for_silence(self, samples: Samples) -> None:
        self._silent_seconds = 0.0 if samples.any() else self._silent_seconds + _BLOCK_SECONDS


def _cannot_use(fact: str) -> DeviceError:
    return DeviceError(fact, "check its plug and its switch, and that it is the standard microphone")
