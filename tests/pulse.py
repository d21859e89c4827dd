"""Sound without a sound card: a PulseAudio of our own with a virtual loudspeaker and microphone.

    with pulse() as sound:                       # PortAudio in here, and in children, sees nothing else
        sound.speak_into_microphone(Path("question.wav"))
        with sound.recording() as recording:
            ...                                  # the kiosk answers
            answer = recording.until_silence()   # mono 16-bit PCM at 16,000 Hz

Mark what uses it with `needs_pulse`. Environment and PortAudio belong to the whole process: one
`pulse()` at a time, and nothing else of PortAudio may be open when it begins or ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import DeviceError
from assistant.speech.sound.sounddevice_library import look_again, portaudio

RATE_HZ = 16_000  # of what is heard, and of raw PCM that is spoken
_PROGRAMS = ("pulseaudio", "pactl", "paplay", "parecord")
_MISSING = [program for program in _PROGRAMS if shutil.which(program) is None]
needs_pulse = pytest.mark.skipif(bool(_MISSING), reason=f"not installed: {', '.join(_MISSING)}")

# Nothing but the way to PulseAudio: whatever sound cards and settings the machine has, no test meets them.
_ALSA = "pcm.!default { type pulse }\nctl.!default { type pulse }\n"
_FORM = ("--raw", f"--rate={RATE_HZ}", "--channels=1", "--format=s16le")
_LOUDNESS = 100  # of 32,768: less is silence; the virtual devices add no noise of their own


class Recording:
    """What a source of PulseAudio gives, from the moment this is made until it is closed."""

    def __init__(self, source: str) -> None:
        self._program = subprocess.Popen(
            ["parecord", f"--device={source}", *_FORM, "--latency-msec=20"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._pcm = bytearray()
        self._sounding: list[int] = []  # numbers of the samples that are not silence
        self._looked_at = 0
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, name="recording", daemon=True)
        self._reader.start()
        with self._more:
            assert self._more.wait_for(lambda: self._pcm, 10), "nothing can be recorded"

    @property
    def pcm(self) -> bytes:
        """All so far; grows also while nobody plays anything."""
        with self._more:
            return bytes(self._pcm)

    def wait_for_sound(self, seconds: float = 10) -> bool:
        """True as soon as there is anything but silence in it, from its very beginning."""
        with self._more:
            return self._more.wait_for(lambda: bool(self._sounding), seconds)

    def until_silence(self, quiet_seconds: float = 1.0, seconds: float = 60) -> bytes:
        """Wait for sound and then for silence of that length; returns all so far.

        Fails where there is no sound, or no end to it, within `seconds`.
        """

        def is_over() -> bool:
            quiet = self._looked_at - self._sounding[-1] if self._sounding else 0
            return quiet > quiet_seconds * RATE_HZ

        with self._more:
            assert self._more.wait_for(is_over, seconds), f"sound so far: {len(self._sounding)} samples"
            return bytes(self._pcm)

    def close(self) -> None:
        self._program.terminate()
        self._program.wait(10)
        self._reader.join(10)

    def _read(self) -> None:
        assert self._program.stdout is not None
        with self._program.stdout as sound:
            while block := os.read(sound.fileno(), 65536):
                with self._more:
                    self._pcm += block
                    self._look()
                    self._more.notify_all()

    def _look(self) -> None:
        """Whole samples only: a block may end in the middle of one."""
        start, self._looked_at = self._looked_at, len(self._pcm) // 2
        fresh = np.frombuffer(bytes(self._pcm[2 * start : 2 * self._looked_at]), "<i2").astype(np.int32)
        self._sounding += (np.flatnonzero(np.abs(fresh) > _LOUDNESS) + start).tolist()


class Pulse:
    """A running PulseAudio; `environment` is what a child process needs to use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = folder / "asound.conf"
        settings.write_text(_ALSA)
        self.environment = {
            "PULSE_SERVER": f"unix:{folder}/native",
            "ALSA_CONFIG_PATH": str(settings),
            "PULSE_LOG": "0",  # a refused connection is no news to a test that refuses it
        }
        self._server: subprocess.Popen[bytes] | None = None
        self._speaking: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Bring the whole sound system (back): both devices are there when this returns."""
        modules = (
            f"module-native-protocol-unix auth-anonymous=1 socket={self.folder}/native",
            "module-null-sink sink_name=vspk rate=48000",
            f"module-null-sink sink_name=vmic_sink rate={RATE_HZ} channels=1",
            "module-remap-source source_name=vmic master=vmic_sink.monitor",
        )
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--log-target=null"]
        options += ["--disable-shm=yes"]  # with it, its client library may hang when the server dies
        self._server = subprocess.Popen(
            ["pulseaudio", *options, *(f"--load={module}" for module in modules)],
            env={**os.environ, "HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_ready()
        self._control("set-default-sink", "vspk")
        self._control("set-default-source", "vmic")

    def stop(self) -> None:
        """The whole sound system dies, and all streams with it."""
        for program in self._speaking:
            program.terminate()
            program.wait(10)
        if self._server is not None:
            self._server.terminate()
            self._server.wait(10)
        self._speaking, self._server = [], None

    def speak_into_microphone(self, sound: Path | bytes, wait: bool = True) -> None:
        """Play a WAV file, or mono 16-bit PCM at 16,000 Hz, into the microphone.

        Returns when the last of it was spoken; at once without `wait`.
        """
        if isinstance(sound, bytes):
            path = self.folder / f"spoken-{len(self._speaking)}.raw"
            path.write_bytes(sound)
            form = [*_FORM, str(path)]
        else:
            form = [str(sound)]
        program = subprocess.Popen(["paplay", "--device=vmic_sink", *form], stderr=subprocess.DEVNULL)
        self._speaking.append(program)
        if wait:
            assert program.wait(120) == 0

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Everything that the loudspeaker plays meanwhile."""
        recording = Recording("vspk.monitor")
        try:
            yield recording
        finally:
            recording.close()

    def hear_speaker(self, seconds: float) -> bytes:
        """What the loudspeaker plays from now on, as mono 16-bit PCM at 16,000 Hz."""
        with self.recording() as recording:
            time.sleep(seconds)
            return recording.pcm

    @contextmanager
    def microphone_hears_speaker(self, delay_milliseconds: int = 100) -> Iterator[None]:
        """Meanwhile the microphone stands in front of the loudspeaker: it hears all that is played."""
        number = self._control(
            *("load-module", "module-loopback", "source=vspk.monitor", "sink=vmic_sink"),
            f"latency_msec={delay_milliseconds}",
        )
        try:
            yield
        finally:
            self._control("unload-module", number.strip())

    def lose_microphone(self) -> None:
        """It stays in the list of devices but gives nothing any more, as one whose driver hangs.

        (Without its module PulseAudio would hand whoever listens another source: the loudspeaker's.)
        """
        self._control("suspend-source", "vmic", "1")

    def bring_microphone_back(self) -> None:
        self._control("suspend-source", "vmic", "0")

    def _control(self, *words: str) -> str:
        done = subprocess.run(
            ["pactl", *words], capture_output=True, text=True, timeout=10, env=os.environ | self.environment
        )
        assert done.returncode == 0, f"pactl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def _wait_until_ready(self) -> None:
        """The modules are loaded in order, so the last of them is the one to wait for."""
        for _ in range(100):
            with suppress(AssertionError):  # nobody listens yet
                if "vmic" in self._control("list", "short", "sources").split():
                    return
            time.sleep(0.1)
        raise AssertionError("PulseAudio does not start")


@contextmanager
def pulse() -> Iterator[Pulse]:
    """A PulseAudio that this process and its children use until the end of the block."""
    # Not below the test's own folder: the address of a socket is 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="pulse-", ignore_cleanup_errors=True) as folder:
        server = Pulse(Path(folder))
        before = {name: os.environ.get(name) for name in server.environment}
        os.environ.update(server.environment)
        try:
            server.start()
            _look_again()
            yield server
        finally:
            server.stop()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
            _look_again()


def _look_again() -> None:
    with suppress(DeviceError):  # no PortAudio: those who need it say so
        assert look_again(portaudio()), "a microphone or loudspeaker is still open"
