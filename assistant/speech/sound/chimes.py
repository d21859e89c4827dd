"""The sounds that are nobody's voice: three chimes, and the near-silence that keeps a loudspeaker awake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assistant.ports import Chime
from assistant.speech.sound.resampling import Samples, to_pcm

# A quarter of full scale: as loud as speech, which has higher peaks.
_LOUDNESS = 0.25
# Long enough that neither end of a tone clicks.
_FADE_SECONDS = 0.012
# A little of the octave makes a sine sound like a bell.
_OCTAVE = 0.2


@dataclass(frozen=True, slots=True)
class _Tones:
    first_hz: float
    second_hz: float
    seconds: float  # of both together


# Upwards invites, a fifth up confirms quickly, downwards regrets. All within what small speakers play.
_CHIMES: Mapping[Chime, _Tones] = {
    "listening": _Tones(523.25, 659.25, 0.22),  # C5, E5
    "heard": _Tones(659.25, 987.77, 0.14),  # E5, B5
    "not-understood": _Tones(493.88, 392.00, 0.25),  # B4, G4
}


def chime(name: Chime, rate_hz: int) -> bytes:
    """The chime as mono 16-bit PCM at that rate, 0.1 to 0.25 seconds long, silent at both ends."""
    tones = _CHIMES[name]
    both = (_tone(hz, tones.seconds / 2, rate_hz) for hz in (tones.first_hz, tones.second_hz))
    return to_pcm(np.concatenate(list(both)))


def near_silence(rate_hz: int, seconds: float) -> bytes:
    """PCM that nobody hears, one step up and one down: some loudspeakers fall asleep over true zeros."""
    steps = np.ones(int(rate_hz * seconds), "<i2")
    steps[1::2] = -1
    return steps.tobytes()


def _tone(hz: float, seconds: float, rate_hz: int) -> Samples:
    at = np.arange(int(rate_hz * seconds), dtype=np.float32) / rate_hz
    rising = np.sin(np.pi / 2 * np.clip(at / _FADE_SECONDS, 0, 1)) ** 2
    fading = np.cos(np.pi / 2 * at / seconds) ** 2
    wave = np.sin(2 * np.pi * hz * at) + _OCTAVE * np.sin(4 * np.pi * hz * at)
    made: Samples = (_LOUDNESS / (1 + _OCTAVE) * rising * fading * wave).astype(np.float32)
    return made
