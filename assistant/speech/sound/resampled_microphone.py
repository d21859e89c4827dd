"""A microphone at the rate that speech is heard at, whatever rate it has."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.ports import Microphone
from assistant.speech.sound.resampling import at_rate, check_rate


class ResampledMicrophone:
    """Gives the sound of another microphone at `rate_hz`; closing it closes that one."""

    def __init__(self, microphone: Microphone, rate_hz: int) -> None:
        """Raises AudioError for a microphone at whose rate speech cannot be recognized."""
        check_rate(microphone.rate_hz)
        self._microphone = microphone
        self._rate_hz = rate_hz

    @property
    def rate_hz(self) -> int:
        return self._rate_hz

    def __iter__(self) -> Iterator[bytes]:
        return at_rate(self._microphone, self._microphone.rate_hz, self._rate_hz)

    def close(self) -> None:
        self._microphone.close()
