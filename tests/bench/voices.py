"""How soon a voice is heard, and how soon it is silent: python -m tests.bench.voices

Twenty answers of the sample base are said, by each voice that is installed, into a loudspeaker
that plays them as fast as they sound and to nobody: first from one that was at rest (its opening
and lead-in are counted), then the same with words that were made ready in the pause before, then from one
that played a moment ago. Beside them the same answers by
the libraries alone, without a loudspeaker: pyttsx3 in a fresh process as its manual says (but
waited for: its `runAndWait` comes back early, and then no answer of more than a hundred letters
was said at all), Piper loaded but with the whole answer at once.
"""

from __future__ import annotations

import queue
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
from rich.table import Table

from assistant.dialogue.portions import sentences
from assistant.dialogue.spoken_form import spoken_form
from assistant.events import MouthEvent, VoiceEnded, VoiceFailed
from assistant.knowledge.library import Library
from assistant.ports import Synthesizer
from assistant.speech.speaking.piper_synthesizer import PiperSynthesizer
from assistant.speech.speaking.piper_voices import find_piper_voices, voices_for
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.speech.speaking.talking import Equipment, Talking
from tests.bench.options import options
from tests.bench.showing import show

REPOSITORY = Path(__file__).parents[2]
ANSWERS = 20
_MADE_TO_THE_END = 5
_AUDIBLE = 100  # of 32,768
_WAIT_SECONDS = 120
_PAUSE_SECONDS = 0.5  # between two answers: customers think longer
# The two lines that make it find the eSpeak NG of pip are not counted against it, but its start is.
_PYTTSX3_ALONE = """
import ctypes, os, sys, threading, espeakng_loader
ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)
os.environ["ESPEAK_DATA_PATH"] = espeakng_loader.get_data_path()
import pyttsx3
engine = pyttsx3.init()
engine.setProperty("voice", "gmw/en-us")
engine.setProperty("rate", 165)
finished = threading.Event()
engine.connect("finished-utterance", lambda name, completed: finished.set())
engine.save_to_file(sys.stdin.read(), sys.argv[1])
engine.runAndWait()
finished.wait(10)
"""


@dataclass
class Air:
    """A loudspeaker that plays in real time and notes when something was heard, and when it fell silent."""

    rate_hz: int = 48_000
    latency_seconds: float = 0.035  # as PortAudio has it over PulseAudio
    first_sound: float = 0.0
    fell_silent: threading.Event = field(default_factory=threading.Event)
    _played_until: float = 0.0

    def open(self) -> Air:
        return self

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        starts = max(self._played_until, time.perf_counter())
        self._played_until = starts + len(pcm) / 2 / self.rate_hz
        loud = np.flatnonzero(np.abs(np.frombuffer(pcm, "<i2").astype(int)) > _AUDIBLE)
        if len(loud) and not self.first_sound:
            self.first_sound = starts + loud[0] / self.rate_hz
        return not stopped.wait(max(self._played_until - time.perf_counter() - self.latency_seconds, 0))

    def close(self) -> None:
        self._played_until = 0.0
        self.fell_silent.set()


@dataclass(frozen=True, slots=True)
class Measured:
    first_sounds: Sequence[float]  # seconds, from a loudspeaker that was at rest
    ready: Sequence[float] = ()  # seconds, the same, with words that were made ready
    awake: Sequence[float] = ()  # seconds, from one that played a moment ago
    silences: Sequence[float] = ()  # seconds
    real_time_factor: float = 0.0
    megabytes: float = 0.0


def answers() -> list[str]:
    """The spoken answers of the English pages."""
    library = Library(REPOSITORY / "knowledge", "en")
    library.load()
    own = library.knowledge.own_names
    entries = (e for e in library.knowledge.entries if e.language == "en" and e.name not in own and e.answer)
    return [e.spoken_answer or spoken_form(e.answer, "en") for e in entries][:ANSWERS]


def measure(name: str, open_voice: Callable[[], Synthesizer], texts: Sequence[str]) -> Measured:
    """Each answer said and stopped a moment after its first sound; then some of them made to the end."""
    before = own_megabytes()
    told: queue.Queue[tuple[int, MouthEvent]] = queue.Queue()
    air, voice = Air(), open_voice()
    talking = Talking(Equipment([(name, lambda: voice)], air.open, lambda *event: told.put(event), sentences))
    talking.say("Ready.", "en")
    wait_for_end(told)
    time.sleep(_PAUSE_SECONDS)
    try:
        timed = [say_and_stop(talking, air, told, text) for text in texts]
        ready = [say_what_is_ready(talking, air, told, text) for text in texts]
        awake = [say_after_another(talking, air, told, text) for text in texts]
        megabytes = own_megabytes() - before + children_megabytes()
        factor = real_time_factor(voice, texts[:_MADE_TO_THE_END])
    finally:
        talking.close()
    firsts, silences = zip(*timed, strict=True)
    return Measured(firsts, ready, awake, silences, factor, megabytes)


def say_and_stop(
    talking: Talking, air: Air, told: queue.Queue[tuple[int, MouthEvent]], text: str
) -> tuple[float, float]:
    """How long it took to be heard, and then to be silent."""
    first = until_heard(talking, air, text)
    time.sleep(_PAUSE_SECONDS)
    air.fell_silent.clear()
    stopped = time.perf_counter()
    talking.stop()
    assert air.fell_silent.wait(_WAIT_SECONDS)
    silent = time.perf_counter() - stopped
    wait_for_end(told)
    time.sleep(_PAUSE_SECONDS)
    return first, silent


def say_what_is_ready(
    talking: Talking, air: Air, told: queue.Queue[tuple[int, MouthEvent]], text: str
) -> float:
    talking.make_ready(text, "en")
    time.sleep(_PAUSE_SECONDS)
    first = until_heard(talking, air, text)
    talking.stop()
    wait_for_end(told)
    time.sleep(_PAUSE_SECONDS)
    return first


def say_after_another(
    talking: Talking, air: Air, told: queue.Queue[tuple[int, MouthEvent]], text: str
) -> float:
    talking.say("Yes.", "en")
    wait_for_end(told)
    time.sleep(_PAUSE_SECONDS)
    first = until_heard(talking, air, text)
    talking.stop()
    wait_for_end(told)
    return first


def until_heard(talking: Talking, air: Air, text: str) -> float:
    air.first_sound = 0.0
    began = time.perf_counter()
    talking.say(text, "en")
    while not air.first_sound:
        time.sleep(0.001)
    return air.first_sound - began


def wait_for_end(told: queue.Queue[tuple[int, MouthEvent]]) -> None:
    while not isinstance(event := told.get(timeout=_WAIT_SECONDS)[1], VoiceEnded):
        assert not isinstance(event, VoiceFailed), event


def real_time_factor(voice: Synthesizer, texts: Sequence[str]) -> float:
    began = time.perf_counter()
    made = sum(
        len(block)
        for text in texts
        for sentence in sentences(text, "en")
        for block in voice.speak(sentence, "en")
    )
    return (time.perf_counter() - began) / (made / 2 / voice.rate_hz)


def pyttsx3_alone(texts: Sequence[str]) -> Measured:
    """Nothing can be played before the process has ended: no sooner is the file known to be whole."""
    firsts = []
    with tempfile.TemporaryDirectory() as folder:
        for text in texts:
            began = time.perf_counter()
            command = [sys.executable, "-c", _PYTTSX3_ALONE, f"{folder}/answer.wav"]
            subprocess.run(command, input=text, text=True, check=True, capture_output=True)
            ready = time.perf_counter() - began
            with wave.open(f"{folder}/answer.wav", "rb") as sound:
                firsts.append(ready + seconds_before_sound(sound.readframes(sound.getnframes()), 22_050))
    return Measured(firsts)


def seconds_before_sound(pcm: bytes, rate_hz: int) -> float:
    loud = np.abs(np.frombuffer(pcm, "<i2").astype(int)) > _AUDIBLE
    return float(loud.argmax()) / rate_hz


def piper_alone(path: Path, texts: Sequence[str]) -> Measured:
    import piper

    voice = piper.PiperVoice.load(str(path))
    list(voice.synthesize("Ready."))
    firsts = []
    for text in texts:
        began = time.perf_counter()
        pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(text))
        ready = time.perf_counter() - began
        firsts.append(ready + seconds_before_sound(pcm, voice.config.sample_rate))
    return Measured(firsts)


def own_megabytes(process: str = "self") -> float:
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return 0.0
    rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(rows["VmRSS"].split()[0]) / 1024


def children_megabytes() -> float:
    tasks = Path("/proc/self/task").glob("*/children")
    return sum(own_megabytes(child) for task in tasks for child in task.read_text().split())


def rows(texts: Sequence[str]) -> Iterator[tuple[str, ...]]:
    yield row("pyttsx3", measure("pyttsx3", Pyttsx3Synthesizer, texts))
    yield row("pyttsx3 alone", pyttsx3_alone(texts))
    found = voices_for("en", find_piper_voices([REPOSITORY / "models"]))
    if not found or find_spec("piper") is None:
        yield ("piper: not installed", *[""] * 9)
        return
    yield row("piper", measure("piper", partial(PiperSynthesizer, [found[0].path.parent]), texts))
    yield row("piper alone", piper_alone(found[0].path, texts))


def row(name: str, measured: Measured) -> tuple[str, ...]:
    return (
        name,
        f"{1000 * median(measured.first_sounds):.0f}",
        f"{1000 * max(measured.first_sounds):.0f}",
        f"{1000 * median(measured.ready):.0f}" if measured.ready else "",
        f"{1000 * max(measured.ready):.0f}" if measured.ready else "",
        f"{1000 * median(measured.awake):.0f}" if measured.awake else "",
        f"{1000 * max(measured.awake):.0f}" if measured.awake else "",
        f"{1000 * max(measured.silences):.1f}" if measured.silences else "",
        f"{measured.real_time_factor:.3f}" if measured.real_time_factor else "",
        f"{measured.megabytes:.0f}" if measured.megabytes else "",
    )


def main() -> None:
    options(__doc__, needs_folder=False).parse_args()
    texts = answers()
    table = Table(
        "voice", title=f"From `say` to the air, milliseconds, {len(texts)} answers of the sample base"
    )
    columns = ("at rest", "worst", "made ready", "worst", "awake", "worst")
    for column in (*columns, "stop to silence, worst", "real-time factor", "MB"):
        table.add_column(column, justify="right")
    show(table, rows(texts))


if __name__ == "__main__":
    main()
