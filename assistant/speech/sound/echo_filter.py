"""How the sound of a loudspeaker comes back from a room: learned while it plays, and subtracted.

A partitioned-block Kalman filter in the frequency domain (after Enzner and Vary, and Kuech and others):
it knows how sure it is of each of its weights, so it learns fast at first and hardly anything
while somebody speaks over it, without a detector for that.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assistant.speech.sound.resampling import Samples

STEP = 512  # samples at a time; half as many learn a little faster at twice the cost
_PARTS = 10  # so many steps of 32 ms are as long as a room rings on after the first sound of it
_FFT = 2 * STEP
# Rooms change, and the clocks of two sound cards part: a weight that is not renewed is half forgotten
# after 4 seconds. Where they part by 20 millionths, 0.9995 left 4 dB more; where they do not, 2 dB less.
_KEEPS = 0.995
# What a weight may be before anything is known, squared: a loudspeaker a metre from the microphone.
_UNSURE = 1.0
_MOVED = 1.0  # of the weights squared: how unsure they are after a silence, as another room may have them
_SMOOTHING = 0.5  # of what cannot be explained: a syllable begins within two steps
_TINY = 1e-6  # a hundred times less than the faintest noise of 16 bits
# Twice what the filter doubts: 2 to 3 dB less is left of the echo, and no more is lost of who speaks over it.
_CAUTION = 2.0
_LEFT_OVER = 0.01  # of the echo: what small loudspeakers distort is never learned
_LEAST_GAIN = 0.05  # 26 dB: musical noise stays below what a recognizer hears
_NEAR = 160  # samples: 10 ms, within which the first reflections of a room come

Spectrum = npt.NDArray[np.complex64]
_WINDOW = np.sqrt(np.hanning(_FFT + 1)[:-1]).astype(np.float32)


class EchoFilter:
    """Takes the sound of a loudspeaker out of a microphone, both at 16,000 Hz and 512 samples at a time.

    What comes out is late by another 512 samples: what is still left is turned down in the second
    pass where the filter is not sure enough to subtract it.
    """

    def __init__(self) -> None:
        bins = STEP + 1
        self._weights = np.zeros((_PARTS, bins), np.complex64)
        self._doubt = np.full((_PARTS, bins), _UNSURE, np.float32)
        self._unexplained = np.zeros(bins, np.float32)
        self.begin()

    def begin(self) -> None:
        """Forget the last sounds, but not the room; only be less sure of it: somebody may have moved."""
        size = np.square(np.abs(self._weights)).mean(axis=1, keepdims=True)
        self._doubt = np.maximum(self._doubt, _MOVED * size).astype(np.float32)
        self._played = np.zeros((_PARTS, STEP + 1), np.complex64)
        self._last_played = np.zeros(STEP, np.float32)
        self._last_rest = np.zeros(STEP, np.float32)
        self._half_made = np.zeros(STEP, np.float32)

    def push(self, played: Samples, heard: Samples) -> Samples:
        """What of the heard is not an echo of the played."""
        self._played[1:] = self._played[:-1]
        self._played[0] = np.fft.rfft(np.concatenate((self._last_played, played)))
        self._last_played = played
        echo = np.fft.irfft((self._played * self._weights).sum(axis=0))[STEP:].astype(np.float32)
        rest: Samples = heard - echo
        doubtful = self._learn(rest)
        return self._turn_down(rest, echo, doubtful)

    def _learn(self, rest: Samples) -> Samples:
        """Returns the power of the echo that may be left in the rest, a bin each."""
        error = _spectrum_of_end(rest)
        power = np.square(self._played.real) + np.square(self._played.imag)
        doubtful = 0.5 * (power * self._doubt).sum(axis=0)
        self._unexplained += (1 - _SMOOTHING) * (np.square(np.abs(error)) - self._unexplained)
        step = self._doubt / (doubtful + self._unexplained + _TINY)
        change = np.fft.irfft(step * np.conj(self._played) * error, axis=1)
        change[:, STEP:] = 0  # a part reaches no further than a step
        self._weights = _KEEPS * (self._weights + np.fft.rfft(change, axis=1).astype(np.complex64))
        size = np.square(self._weights.real) + np.square(self._weights.imag)
        self._doubt = _KEEPS**2 * (1 - 0.5 * step * power) * self._doubt + (1 - _KEEPS**2) * size
        return np.asarray(doubtful, np.float32)

    def _turn_down(self, rest: Samples, echo: Samples, doubtful: Samples) -> Samples:
        both = np.fft.rfft(_WINDOW * np.concatenate((self._last_rest, rest)))
        self._last_rest = rest
        left = _CAUTION * doubtful + _LEFT_OVER * np.square(np.abs(_spectrum_of_end(echo)))
        gain = np.clip(1 - left / (self._unexplained + _TINY), _LEAST_GAIN, 1)
        made = _WINDOW * np.fft.irfft(both * gain).astype(np.float32)
        finished: Samples = self._half_made + made[:STEP]
        self._half_made = made[STEP:]
        return finished


def _spectrum_of_end(samples: Samples) -> Spectrum:
    return np.fft.rfft(np.concatenate((np.zeros(STEP, np.float32), samples))).astype(np.complex64)


def find_delay(played: Samples, heard: Samples, expected: int | None = None) -> tuple[int, float]:
    """By how many samples the heard comes after the played, and how clearly that stands out.

    Both end at the same moment; `played` begins earlier, and by so much the delay may be found.
    Of several places that are about as good the expected one is taken. The clearness is how many
    times the best place exceeds the second best: above 2 it was always right, in rooms that ring
    on for 0.3 s and at noise 15 dB below the echo.
    """
    reach = len(played) - len(heard)
    size = 1 << (len(played) + reach).bit_length()
    heard_late = np.concatenate((np.zeros(reach, np.float32), heard))
    cross = np.fft.rfft(heard_late, size) * np.conj(np.fft.rfft(played, size))
    strength = np.abs(cross)
    # All frequencies count alike, or the pitch of the voice would give a peak at every period.
    peaks = np.abs(np.fft.irfft(cross / (strength + 1e-3 * strength.max() + 1e-12), size)[:reach])
    best = int(np.argmax(peaks))
    highest = float(peaks[best])
    if expected is not None and peaks[max(0, expected - 2) : expected + 3].max(initial=0) > 0.7 * highest:
        best = expected
    peaks[max(0, best - _NEAR) : best + _NEAR] = 0
    return best, highest / (float(peaks.max()) + 1e-12)
