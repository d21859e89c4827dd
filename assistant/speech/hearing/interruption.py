"""A customer who begins to speak while the assistant does: that stops it, whatever is said."""

from __future__ import annotations

from collections import deque

import numpy as np

from assistant.speech.hearing.stop_words import RATE_HZ, StopSpotter
from assistant.speech.sound.resampling import to_samples
from assistant.speech.sound.voice_activity import VoiceActivity

# Told instead of a word where somebody just goes on speaking; no speech is written like this.
SPOKEN = "…"
# A cough or "mhm" is shorter; the first two words of a question are not.
_SPEECH_SECONDS = 0.4
_WITHIN_SECONDS = 0.6
# What devices leave of the assistant's own voice is quieter than people who speak to a device, whose
# loudness it evens out: of the loudest that can be, a hundredth (40 dB below).
_LEAST_LOUDNESS = 0.01


class InterruptionSpotter:
    """A StopSpotter that hears stop words through another one, and beside them that somebody speaks.

    For sound that the assistant's own voice has been taken out of well: see `FarVoice`.
    """

    def __init__(self, stop_words: StopSpotter) -> None:
        self._stop_words = stop_words
        self._activity = VoiceActivity(RATE_HZ)
        self._frames: deque[bool] = deque(maxlen=round(_WITHIN_SECONDS / self._activity.frame_seconds))

    def hear(self, block: bytes) -> str:
        return SPOKEN if self._goes_on(block) else self._stop_words.hear(block)

    def reset(self) -> None:
        self._activity.reset()
        self._frames.clear()
        self._stop_words.reset()

    def close(self) -> None:
        self._stop_words.close()

    def _goes_on(self, block: bytes) -> bool:
        samples = to_samples(block)
        is_loud = bool(len(samples)) and float(np.sqrt(np.mean(samples * samples))) >= _LEAST_LOUDNESS
        self._frames.extend(is_loud and speech for speech in self._activity.push(block))
        if sum(self._frames) * self._activity.frame_seconds < _SPEECH_SECONDS:
            return False
        self.reset()
        return True
