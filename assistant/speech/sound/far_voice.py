"""The assistant's own voice where the customer's device takes it out of what it hears, as browsers do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from assistant.ports import Loudspeaker
from assistant.speech.sound.resampling import to_samples

_NEARLY_SILENT = 3 / 32768  # see echo.py: what keeps loudspeakers awake is no voice


class FarVoice:
    """Knows from what is written to a loudspeaker how long the voice will still sound; an EchoGuard.

    It is told by `played` of what is going to be written of a voice; chimes are written untold, and nobody
    is deaf while one sounds. One thread tells and writes. Between what was written and the air lies a
    network, so that nothing could be taken out here what the device had not taken out better.
    """

    is_settled = True

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._sounds_until = 0.0
        self._is_voice = False  # what is written next

    @property
    def is_playing(self) -> bool:
        return self.clock() < self._sounds_until

    def clean(self, block: bytes) -> bytes:
        return block

    def played(self, _block: bytes, _rate_hz: int) -> None:
        """What is written next is of a voice."""
        self._is_voice = True

    def takes_voice(self) -> bool:
        """Whether what is being written now is of a voice; asked once for each block."""
        is_voice, self._is_voice = self._is_voice, False
        return is_voice

    def through(self, loudspeaker: Loudspeaker) -> Loudspeaker:
        """The same loudspeaker, listened in to."""
        return _Followed(loudspeaker, self)

    def sounds_for(self, seconds: float) -> None:
        """From now on so long; 0: it is silent."""
        self._sounds_until = self.clock() + seconds


class _Followed:
    """A loudspeaker of which is known what it has still to play."""

    def __init__(self, loudspeaker: Loudspeaker, voice: FarVoice) -> None:
        self.rate_hz = loudspeaker.rate_hz
        self.latency_seconds = loudspeaker.latency_seconds
        self._loudspeaker, self._voice = loudspeaker, voice
        self._ends_at = 0.0  # all that was written will have been played

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        now = self._voice.clock()
        self._ends_at = max(now, self._ends_at) + len(pcm) / 2 / self.rate_hz
        samples = to_samples(pcm)
        if self._voice.takes_voice() and len(samples) and np.abs(samples).max() > _NEARLY_SILENT:
            self._voice.sounds_for(self._ends_at + self.latency_seconds - now)
        return self._loudspeaker.write(pcm, stopped)

    def close(self) -> None:
        self._ends_at = 0.0
        self._voice.sounds_for(0.0)
        self._loudspeaker.close()
