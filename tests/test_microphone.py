"""The live microphone: real through a virtual device, and how it is lost and found."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest

from assistant.errors import DeviceError
from assistant.ports import Microphone
from assistant.speech.sound.downmixing import Downmix
from assistant.speech.sound.lasting_microphone import LastingMicrophone
from assistant.speech.sound.resampling import Samples, to_pcm, to_samples
from assistant.speech.sound.sounddevice_library import (
    devices_held,
    find_device,
    input_devices,
    look_again,
    portaudio,
)
from assistant.speech.sound.sounddevice_microphone import SounddeviceMicrophone
from tests.pulse import Pulse, needs_pulse, pulse

LOST = "the microphone was taken away, or gives no sound any more"
TONE = (np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000) * 0.5).astype(np.float32)


def loudness(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, name="test", daemon=True)
    thread.start()
    return thread


# --- through PulseAudio ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound() -> Iterator[Pulse]:
    with pulse() as server:
        yield server


@needs_pulse
def test_what_is_spoken_is_heard_at_16_khz_and_as_loud(sound: Pulse) -> None:
    microphone = SounddeviceMicrophone()
    blocks = iter(microphone)
    next(blocks)
    sound.speak_into_microphone(to_pcm(TONE), wait=False)
    heard = [to_samples(next(blocks)) for _ in range(40)]
    microphone.close()
    tone = np.concatenate([block for block in heard if loudness(block) > 0.3])
    assert microphone.rate_hz == 16_000
    assert 0.8 < len(tone) / 16_000 <= 1.1
    assert loudness(tone) == pytest.approx(loudness(TONE), rel=0.05)
    assert np.argmax(np.abs(np.fft.rfft(tone[:8000]))) * 2 == pytest.approx(440, abs=2)
    assert list(blocks) == []


@needs_pulse
@pytest.mark.usefixtures("sound")
def test_closing_from_another_thread_ends_the_iteration() -> None:
    microphone = SounddeviceMicrophone(find_device("input").name)
    reader = in_thread(lambda: list(microphone) and None)
    microphone.close()
    microphone.close()
    reader.join(10)
    assert not reader.is_alive()
    with devices_held():
        assert not look_again(portaudio())
    assert look_again(portaudio())  # nobody holds the devices any more


@needs_pulse
def test_a_muted_microphone_is_noted_until_there_is_sound(
    sound: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.speech.sound.sounddevice_microphone._MUTED_SECONDS", 0.5)
    microphone = SounddeviceMicrophone()
    blocks = iter(microphone)
    next(blocks)
    assert microphone.notes == ()
    noted = [microphone.notes for _ in islice(blocks, 12)][-1]
    assert "is the microphone muted?" in noted[0]
    sound.speak_into_microphone(to_pcm(TONE), wait=False)
    assert any(microphone.notes == () for _ in islice(blocks, 40))
    microphone.close()


@needs_pulse
def test_a_device_that_hangs_is_told_and_found_again(sound: Pulse) -> None:
    happened: queue.Queue[str] = queue.Queue()
    microphone = LastingMicrophone(
        SounddeviceMicrophone, lambda error: happened.put(error.fact), lambda: happened.put("back"), 0.1
    )
    blocks = iter(microphone)
    assert next(blocks)
    sound.lose_microphone()
    reader = in_thread(lambda: [None for _ in blocks] and None)
    assert happened.get(timeout=10) == LOST
    sound.bring_microphone_back()
    assert happened.get(timeout=10) == "back"
    microphone.close()
    reader.join(10)
    assert not reader.is_alive() and happened.empty()


@needs_pulse
def test_a_sound_system_that_dies_is_told_and_found_again(sound: Pulse) -> None:
    happened: queue.Queue[str] = queue.Queue()
    microphone = LastingMicrophone(
        SounddeviceMicrophone, lambda error: happened.put(error.fact), lambda: happened.put("back"), 0.1
    )
    blocks = iter(microphone)
    assert next(blocks)
    sound.stop()
    reader = in_thread(lambda: [None for _ in blocks] and None)
    try:
        assert happened.get(timeout=10) == LOST
    finally:
        sound.start()
    assert happened.get(timeout=10) == "back"
    microphone.close()
    reader.join(10)
    assert not reader.is_alive() and happened.empty()


@needs_pulse
@pytest.mark.usefixtures("sound")
def test_a_microphone_that_is_not_there_is_told_with_those_that_are() -> None:
    names = [device.name for device in input_devices()]
    with pytest.raises(DeviceError, match="no microphone `parrot`") as raised:
        SounddeviceMicrophone("parrot")
    assert names and all(name in raised.value.hint for name in names)
    assert look_again(portaudio())


# --- survival, with microphones that do as they are told ---------------------------------------


class Scripted:
    """Gives its blocks, then fails; waits for `close()` where it is not told to fail."""

    rate_hz = 16_000

    def __init__(self, *blocks: bytes, error: DeviceError | None = None) -> None:
        self.closed = threading.Event()
        self._blocks, self._error = blocks, error

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks
        if self._error is not None:
            raise self._error
        self.closed.wait(10)

    def close(self) -> None:
        self.closed.set()


def lasting(*openings: Microphone | DeviceError) -> tuple[LastingMicrophone, list[str]]:
    happened: list[str] = []
    waiting = iter(openings)

    def open_one() -> Microphone:
        opening = next(waiting)
        if isinstance(opening, DeviceError):
            raise opening
        return opening

    def lost(error: DeviceError) -> None:
        happened.append(error.fact)

    return LastingMicrophone(open_one, lost, lambda: happened.append("back"), 0.001), happened


def test_a_loss_is_told_once_however_often_it_is_tried_again() -> None:
    first, gone = Scripted(b"11", error=DeviceError("pulled out")), DeviceError("there is no microphone")
    silent = Scripted(error=DeviceError("gives nothing"))
    microphone, happened = lasting(first, gone, silent, gone, Scripted(b"22", b"33"))
    blocks = iter(microphone)
    assert [next(blocks), next(blocks), next(blocks)] == [b"11", b"22", b"33"]
    assert happened == ["pulled out", "back"]
    assert first.closed.is_set() and silent.closed.is_set()


def test_a_machine_without_a_microphone_says_so_until_there_is_one() -> None:
    microphone, happened = lasting(DeviceError("there is no microphone"), Scripted(b"11"))
    assert next(iter(microphone)) == b"11"
    assert happened == ["there is no microphone", "back"]


def test_closing_ends_it_while_it_waits_for_a_block() -> None:
    first = Scripted(b"11")
    microphone, happened = lasting(first)
    blocks = iter(microphone)
    next(blocks)
    rest: list[bytes] = []
    reader = in_thread(lambda: rest.extend(blocks))
    microphone.close()
    reader.join(10)
    assert not reader.is_alive() and rest == [] and first.closed.is_set() and happened == []


def test_closing_ends_it_while_it_looks_for_a_microphone() -> None:
    looking = threading.Event()

    def open_one() -> Microphone:
        looking.set()
        raise DeviceError("none")

    microphone = LastingMicrophone(open_one, lambda _: None, lambda: None, 60)
    reader = in_thread(lambda: list(microphone) and None)
    assert looking.wait(10)
    microphone.close()
    reader.join(10)
    assert not reader.is_alive()


# --- channels --------------------------------------------------------------------------------

SILENCE = np.zeros_like(TONE)


@pytest.mark.parametrize(
    ("left", "right", "loud"),
    [
        pytest.param(TONE, TONE, 1.0, id="the same twice"),
        pytest.param(TONE, SILENCE, 1.0, id="nothing on the right"),
        pytest.param(SILENCE, TONE, 1.0, id="nothing on the left"),
        pytest.param(TONE, TONE * 0.01, 1.0, id="a hum on the right"),
        pytest.param(TONE, TONE * 0.5, 0.75, id="further away on the right"),
        pytest.param(TONE, -TONE, 1.0, id="a plug with one wire crossed"),
        pytest.param(SILENCE, SILENCE, 0.0, id="nothing at all"),
    ],
)
def test_two_channels_become_one_without_getting_quiet(left: Samples, right: Samples, loud: float) -> None:
    mixed = Downmix(2)
    frames = np.stack((left, right), axis=1)
    made = np.concatenate([mixed.push(frames[start : start + 1600]) for start in range(0, 16_000, 1600)])
    assert made.dtype == np.float32
    assert loudness(made) == pytest.approx(loud * loudness(TONE), rel=0.01, abs=1e-6)


def test_a_channel_that_begins_to_carry_sound_is_mixed_in_without_a_click() -> None:
    both = np.stack((TONE, np.concatenate((SILENCE[:8000], TONE[8000:]))), axis=1)
    mixed = Downmix(2)
    made = np.concatenate([mixed.push(both[start : start + 1600]) for start in range(0, 16_000, 1600)])
    assert np.abs(np.diff(made)).max() <= np.abs(np.diff(TONE)).max() * 1.01


@pytest.mark.skipif(sys.platform != "linux", reason="ALSA is Linux's")
def test_a_sound_system_that_ends_programs_does_not_end_ours() -> None:
    program = """
from assistant.errors import DeviceError
from assistant.speech.sound.sounddevice_library import portaudio
try:
    portaudio()
except DeviceError as error:
    print(error.fact)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "ALSA_CONFIG_PATH": "/there/is/none"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("there is no sound: ")
