"""Several channels of live sound made one, without losing what only some of them carry."""

from __future__ import annotations

import numpy as np

from assistant.speech.sound.resampling import Samples

# 20 dB quieter than the loudest: a channel with nothing plugged into it, not one further away.
_SILENT = 0.01
# After a second the past counts for half: slow against words, quick against somebody who turns a switch.
_PAST_A_BLOCK = 0.93


class Downmix:
    """Gives the mean of the channels that carry sound, block by block (of about 0.1 s).

    A silent channel would only make the others quieter, and two channels of opposite sign would
    leave nothing: then the loudest one stands for all.
    """

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._powers = np.zeros(channels)
        self._mean_power = 0.0
        self._shares: Samples | None = None

    def push(self, frames: Samples) -> Samples:
        """Shape (frames, channels) in, (frames,) out."""
        if self._channels == 1:
            return frames[:, 0]
        self._powers = _PAST_A_BLOCK * self._powers + np.square(frames, dtype=np.float64).sum(axis=0)
        mean = frames.mean(axis=1, dtype=np.float64)
        self._mean_power = _PAST_A_BLOCK * self._mean_power + float(np.square(mean).sum())
        before, self._shares = self._shares, self._new_shares()
        if before is None or np.array_equal(before, self._shares):
            return np.asarray(frames @ self._shares, np.float32)
        fade = np.linspace(0, 1, len(frames), dtype=np.float32)[:, None]  # a sudden change would click
        return np.asarray((frames * (before + fade * (self._shares - before))).sum(axis=1), np.float32)

    def _new_shares(self) -> Samples:
        loudest = int(np.argmax(self._powers))
        chosen = self._powers >= _SILENT * self._powers[loudest]
        if self._mean_power < _SILENT * self._powers[loudest]:
            chosen = np.arange(self._channels) == loudest
        return np.asarray(chosen / chosen.sum(), np.float32)
