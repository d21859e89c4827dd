"""Change the sampling rate of a stream without aliasing: a windowed-sinc low-pass, phase by phase."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import gcd
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from assistant.errors import AudioError

# Recognizers hang, crash or hear plausible rubbish at others.
SPEECH_RATES_HZ = range(8_000, 96_001)

Samples: TypeAlias = npt.NDArray[np.float32]

# 16 zero crossings a side with this window put what folds back from beyond the slope 80 dB below
# the signal: under the noise of any room, and cheap.
_CROSSINGS = 16
_KAISER_BETA = 8.0
# The pass band ends a little below half the rate, so that the slope of the filter ends near it.
_PASS_BAND = 0.94
# Rates that people use need at most 640 phases (11,025 -> 16,000); odd ones are computed as they come.
_PHASES_KEPT = 1024


class Resampler:
    """Turns mono samples at `from_hz` into samples at `to_hz`, block by block, without a seam."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._scale = min(1.0, to_hz / from_hz) * _PASS_BAND
        self._reach = int(np.ceil(_CROSSINGS / self._scale))  # input samples on either side
        self._waiting: Samples = np.zeros(self._reach, np.float32)  # as if silence had gone before
        self._first = -self._reach  # where the waiting samples begin in the input
        self._read = self._written = 0
        self._table = self._weights(np.arange(self._up)) if self._up <= _PHASES_KEPT else None

    def push(self, samples: Samples) -> Samples:
        """All output that the input so far decides; may be empty."""
        if self._up == self._down:
            return samples
        self._waiting = np.concatenate((self._waiting, samples))
        self._read += len(samples)
        # The last output whose right-hand neighbours are all here.
        return self._write_until((self._read - self._reach) * self._up // self._down)

    def flush(self) -> Samples:
        """The rest, as if silence followed; the resampler is used up then."""
        if self._up == self._down:
            return np.zeros(0, np.float32)
        length = -(-self._read * self._up // self._down)
        self._waiting = np.concatenate((self._waiting, np.zeros(2 * self._reach, np.float32)))
        return self._write_until(length)

    def _write_until(self, end: int) -> Samples:
        if end <= self._written:
            return np.zeros(0, np.float32)
        moments = np.arange(self._written, end, dtype=np.int64) * self._down
        starts = moments // self._up - self._reach + 1 - self._first
        phases = moments % self._up
        weights = self._weights(phases) if self._table is None else self._table[phases]
        windows = np.lib.stride_tricks.sliding_window_view(self._waiting, 2 * self._reach)[starts]
        self._written = end
        self._forget(end * self._down // self._up - self._reach)
        made: Samples = np.einsum("ij,ij->i", windows, weights)
        return made

    def _forget(self, needed_from: int) -> None:
        if needed_from > self._first:
            self._waiting = self._waiting[needed_from - self._first :]
            self._first = needed_from

    def _weights(self, phases: npt.NDArray[np.int64]) -> Samples:
        """One row of filter weights a phase: a sinc under a Kaiser window, summing to one."""
        offsets = np.arange(2 * self._reach) - self._reach + 1
        distance = (offsets[None, :] - phases[:, None] / self._up) * self._scale
        inside = np.clip(1 - (distance / _CROSSINGS) ** 2, 0, None)
        rows = np.sinc(distance) * np.i0(_KAISER_BETA * np.sqrt(inside))
        scaled: Samples = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
        return scaled


def to_samples(pcm: bytes) -> Samples:
    """16-bit little-endian PCM as numbers from -1 to 1; a lone last byte is left out."""
    whole = pcm[: len(pcm) & ~1]
    return np.frombuffer(whole, "<i2").astype(np.float32) / np.float32(32768)


def to_pcm(samples: Samples) -> bytes:
    """Numbers from -1 to 1 as 16-bit little-endian PCM; what is louder is clipped."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def at_rate(blocks: Iterable[bytes], from_hz: int, to_hz: int) -> Iterator[bytes]:
    """The same sound at another rate; unchanged where the rates are equal."""
    if from_hz == to_hz:
        yield from blocks
        return
    resampler = Resampler(from_hz, to_hz)
    for block in blocks:
        if made := to_pcm(resampler.push(to_samples(block))):
            yield made
    if made := to_pcm(resampler.flush()):
        yield made


def even(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same PCM in blocks of whole samples: half a sample would turn all that follows into noise."""
    odd = b""
    for block in blocks:
        whole = odd + block
        odd = whole[len(whole) & ~1 :]
        if len(whole) > 1:
            yield whole[: len(whole) & ~1]


def in_pieces(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in blocks of one even size; the last may be shorter."""
    waiting = b""
    for block in blocks:
        waiting += block
        while len(waiting) >= size:
            yield waiting[:size]
            waiting = waiting[size:]
    if waiting:
        yield waiting


def check_rate(rate_hz: int) -> int:
    """The rate itself; raises AudioError for one at which speech cannot be recognized."""
    if isinstance(rate_hz, bool) or not isinstance(rate_hz, int) or rate_hz not in SPEECH_RATES_HZ:
        raise AudioError(
            f"speech at {rate_hz} samples a second cannot be recognized",
            "8,000 to 96,000 can be; 16,000 is best",
        )
    return rate_hz
