"""The voice: it speaks real sound, survives every text, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import DeviceError, NoVoiceError
from assistant.speech.child_program import SpareChild
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer, Voice, voice_for
from assistant.speech.speaking.sayable import pieces

WITH_ESPEAK = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="speaks with the system's voices"
)


@pytest.fixture
def leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for temporary files, to see what stays in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def seconds(blocks: object) -> float:
    return sum(len(block) for block in blocks) / 2 / 22_050  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text, language",
    [("When are you open?", "en"), ("Wann haben Sie geöffnet?", "de"), ("배송", "ko"), ("Hello", "en-GB")],
)
@WITH_ESPEAK
def test_words_become_sound(text: str, language: str, leftovers: Path) -> None:
    sound = b"".join(Pyttsx3Synthesizer().speak(text, language))
    assert 0.3 < len(sound) / 2 / 22_050 < 5
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 3000
    assert list(leftovers.iterdir()) == []


@WITH_ESPEAK
def test_a_longer_text_is_longer_speech_and_a_faster_voice_is_shorter() -> None:
    usual = seconds(Pyttsx3Synthesizer().speak("We are open on Sunday.", "en"))
    longer = seconds(Pyttsx3Synthesizer().speak("We are open on Sunday. And on Monday until six.", "en"))
    faster = seconds(Pyttsx3Synthesizer(words_a_minute=300).speak("We are open on Sunday.", "en"))
    assert faster < usual < longer


@pytest.mark.parametrize("text", ["", "   ", "\0", "\0\x01\x02", "...", "?!", "\ud800", "\n\n"])
def test_a_text_without_words_is_silence(text: str) -> None:
    assert list(Pyttsx3Synthesizer().speak(text, "en")) == []


@pytest.mark.parametrize(
    "text",
    [
        "a\0b",
        "🙂🙂🙂",
        "x" * 1500,
        "9" * 499,
        "<speak>no</speak> & [[h@]]",
        "\ud800 hello",
        "a\r\n\tb",
        "\u202e abc",
    ],
    ids=lambda text: repr(text[:8]),
)
@WITH_ESPEAK
def test_strange_text_is_spoken_without_harm(text: str, leftovers: Path) -> None:
    assert seconds(Pyttsx3Synthesizer().speak(text, "en")) > 0
    assert list(leftovers.iterdir()) == []


@WITH_ESPEAK
def test_fifteen_thousand_characters_are_spoken_piece_by_piece() -> None:
    """In one piece they crash the library."""
    speech = Pyttsx3Synthesizer(words_a_minute=450).speak("We are open. " * 1154, "en")
    assert seconds(speech) > 300


@pytest.mark.parametrize(
    "text, expected",
    [
        ("One. Two! Three?", ("One. Two! Three?",)),
        ("One.\nTwo", ("One. Two",)),
        ("a" * 499 + ". b", ("a" * 499 + ".", "b")),
        ("a" * 1200, ("a" * 500, "a" * 500, "a" * 200)),
        ("word " * 150, (("word " * 100).strip(), ("word " * 50).strip())),
        ("첫째입니다。둘째입니다。", ("첫째입니다。 둘째입니다。",)),
        ("", ()),
    ],
    ids=["sentences", "lines", "at a sentence end", "no spaces", "between words", "wide stops", "nothing"],
)
def test_text_is_cut_where_a_speaker_would_breathe(text: str, expected: tuple[str, ...]) -> None:
    assert pieces(text) == expected


VOICES = (
    Voice("gmw/de", ("de",)),
    Voice("gmw/en", ("en-gb",)),
    Voice("gmw/en-us", ("en-us",)),
    Voice("sit/cmn", ("cmn",)),
    Voice("pt-br", ("pt-br",)),
)


@pytest.mark.parametrize(
    "language, expected",
    [
        ("de", "gmw/de"),
        ("de-AT", "gmw/de"),
        ("en", "gmw/en-us"),
        ("en_GB", "gmw/en"),
        ("zh", "sit/cmn"),
        ("zh-CN", "sit/cmn"),
        ("pt", "pt-br"),
        ("xx", None),
        ("", None),
    ],
)
def test_the_voice_is_chosen_by_language_and_then_by_region(language: str, expected: str | None) -> None:
    assert voice_for(language, VOICES) == expected


@WITH_ESPEAK
def test_a_language_without_a_voice_is_refused_at_once_and_the_others_are_named() -> None:
    with pytest.raises(NoVoiceError, match="`xx`") as caught:
        Pyttsx3Synthesizer().speak("hello", "xx")
    assert " de," in caught.value.hint and " ko," in caught.value.hint


@WITH_ESPEAK
def test_a_voice_can_be_chosen_by_name_and_a_wrong_name_is_refused() -> None:
    british = b"".join(Pyttsx3Synthesizer(voices={"en": "gmw/en"}).speak("can't dance", "en"))
    american = b"".join(Pyttsx3Synthesizer().speak("can't dance", "en"))
    assert british and british != american
    with pytest.raises(DeviceError, match="gmw/elvish"):
        Pyttsx3Synthesizer(voices={"en": "gmw/elvish"}).speak("hello", "en")


@pytest.mark.parametrize("words_a_minute", [0, -5, 79, 451, 10**9])
def test_a_speed_that_no_voice_has_is_refused(words_a_minute: int) -> None:
    with pytest.raises(DeviceError, match="words a minute"):
        Pyttsx3Synthesizer(words_a_minute)


@WITH_ESPEAK
def test_speech_given_up_in_the_middle_leaves_nothing_behind(leftovers: Path) -> None:
    speech = Pyttsx3Synthesizer().speak("We are open. " * 200, "en")
    assert next(speech)
    speech.close()  # type: ignore[attr-defined]
    assert list(leftovers.iterdir()) == []


@WITH_ESPEAK
def test_a_closed_voice_stops_in_the_middle_of_a_text_and_says_no_more(leftovers: Path) -> None:
    voice = Pyttsx3Synthesizer()
    blocks: list[bytes] = []
    speech = voice.speak("We are open. " * 2000, "en")
    blocks.append(next(speech))
    listener = threading.Thread(target=lambda: blocks.extend(speech))
    listener.start()
    voice.close()
    listener.join(60)
    assert not listener.is_alive()
    assert seconds(blocks) < 600  # all of it would be some 20 minutes
    assert list(leftovers.iterdir()) == []
    with pytest.raises(DeviceError, match="closed"):
        voice.speak("hello", "en")


@WITH_ESPEAK
def test_a_stopped_voice_ends_the_sentence_it_is_making_and_speaks_the_next() -> None:
    voice = Pyttsx3Synthesizer()
    given_up = voice.speak("We are open. " * 2000, "en")
    assert next(given_up)
    voice.stop()
    assert list(given_up) == []
    assert seconds(voice.speak("hello", "en")) > 0.3
    voice.close()


@WITH_ESPEAK
def test_its_speed_may_change_between_two_sentences() -> None:
    voice = Pyttsx3Synthesizer(words_a_minute=120)
    slow = seconds(voice.speak("We are open on Sunday.", "en"))
    voice.words_a_minute = 300
    assert seconds(voice.speak("We are open on Sunday.", "en")) < 0.7 * slow
    with pytest.raises(DeviceError, match="10 words a minute"):
        voice.words_a_minute = 10
    voice.close()


@WITH_ESPEAK
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_one_process_waits_ahead_until_the_voice_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    voice = Pyttsx3Synthesizer()
    first = the_process_that_mentions(str(tmp_path))
    list(voice.speak("hello", "en"))
    second = the_process_that_mentions(str(tmp_path))
    assert second != first
    voice.close()
    assert processes_that_mention(str(tmp_path)) == []


@WITH_ESPEAK
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_waiting_process_that_died_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    voice = Pyttsx3Synthesizer()
    list(voice.speak("hello", "en"))
    waiting = the_process_that_mentions(str(tmp_path))
    os.kill(int(waiting), signal.SIGKILL)
    assert seconds(voice.speak("hello", "en")) > 0.3
    assert the_process_that_mentions(str(tmp_path)) != waiting
    voice.close()


def test_a_child_that_waits_for_its_input_ends_with_us() -> None:
    spare = SpareChild("assistant.speech.speaking.pyttsx3_child")
    spare.restock()
    child = spare.take()
    assert child.stdin is not None
    child.communicate(b"", timeout=30)
    assert child.returncode == 0
    spare.close()
    spare.restock()  # closed is closed
    assert spare._waiting is None


def fake_loader(folder: Path, data: Path) -> str:
    """A module that stands in front of the real one and names another data folder."""
    import espeakng_loader

    library = espeakng_loader.get_library_path()
    (folder / "espeakng_loader.py").write_text(
        f"def get_library_path():\n    return {library!r}\n\n"
        f"def get_data_path():\n    return {str(data)!r}\n",
        encoding="utf-8",
    )
    return str(folder)


@WITH_ESPEAK
def test_a_voice_without_its_data_fails_with_a_message_and_we_live_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the check the library ends its process with no word."""
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, tmp_path / "nothing"))
    with pytest.raises(DeviceError, match="phontab") as caught:
        Pyttsx3Synthesizer().speak("hello", "en")
    assert "reinstall" in caught.value.hint


@WITH_ESPEAK
def test_a_voice_whose_program_dies_fails_with_a_message_and_we_live_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = Pyttsx3Synthesizer()
    list(voice.speak("hello", "en"))
    (tmp_path / "pyttsx3.py").write_text("import os\nos.abort()\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    list(voice.speak("hello", "en"))  # by the one that was started ahead
    with pytest.raises(DeviceError, match="the voice failed"):
        list(voice.speak("hello", "en"))


FORGETFUL = """
import pathlib, types, wave

def init():
    return Engine()

class Engine:
    def getProperty(self, name):
        if name == "voices":
            return [types.SimpleNamespace(id="gmw/en", languages=["en"])]
        asked = pathlib.Path(__file__).with_name("asked")
        asked.write_text(asked.read_text() + "x" if asked.exists() else "x")
        return 165 if len(asked.read_text()) > 1 else 200

    def setProperty(self, name, value):
        pass

    def save_to_file(self, text, path):
        with wave.open(path, "wb") as file:
            file.setparams((1, 2, 22_050, 0, "NONE", ""))
            file.writeframes(bytes(44_100))

    def runAndWait(self):
        pass
"""


@WITH_ESPEAK
def test_a_voice_that_forgot_how_fast_to_speak_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """eSpeak NG loses one command in a hundred on a busy machine, one in ten at worst, and says nothing."""
    (tmp_path / "pyttsx3.py").write_text(FORGETFUL, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert seconds(Pyttsx3Synthesizer().speak("hello", "en")) == 1
    assert (tmp_path / "asked").read_text() == "xx"


@WITH_ESPEAK
def test_data_in_a_folder_with_a_very_long_name_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library keeps only 160 characters of the path."""
    import espeakng_loader

    deep = tmp_path / ("x" * 120) / ("y" * 120)
    deep.mkdir(parents=True)
    (deep / "espeak-ng-data").symlink_to(espeakng_loader.get_data_path())
    monkeypatch.setenv("PYTHONPATH", fake_loader(tmp_path, deep / "espeak-ng-data"))
    assert seconds(Pyttsx3Synthesizer().speak("hello", "en")) > 0.3


@WITH_ESPEAK
def test_nothing_that_the_libraries_print_reaches_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    list(Pyttsx3Synthesizer().speak("hello", "en"))
    assert capfd.readouterr() == ("", "")


@WITH_ESPEAK
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_ctrl_c_ends_the_voice_and_leaves_neither_process_nor_file(tmp_path: Path) -> None:
    program = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored\n"
        "from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer\n"
        "speech = Pyttsx3Synthesizer().speak('We are open. ' * 50_000, 'en')\n"
        "print(len(next(speech)), flush=True)\n"
        "for _ in speech: pass\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        cwd=Path(__file__).parents[1],
    )
    assert child.stdout is not None
    assert int(child.stdout.readline()) > 0
    time.sleep(0.1)  # into the middle of some piece
    child.send_signal(signal.SIGINT)
    _, complaint = child.communicate(timeout=60)
    assert "KeyboardInterrupt" in complaint
    assert list(tmp_path.iterdir()) == []
    # One that was being started at that very moment ends as soon as it looks for what it is to say.
    for _ in range(300):
        if not processes_that_mention(str(tmp_path)):
            return
        time.sleep(0.1)
    assert not processes_that_mention(str(tmp_path))


def the_process_that_mentions(word: str) -> str:
    """The only one: while it starts, /proc may not tell its environment yet."""
    end = time.monotonic() + 10
    while len(found := processes_that_mention(word)) != 1 and time.monotonic() < end:
        time.sleep(0.01)
    [only] = found
    return only


def processes_that_mention(word: str) -> list[str]:
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            text = environment.read_bytes().decode("utf-8", "ignore")
        except OSError:
            continue
        if f"TMPDIR={word}\0" in text:
            found.append(environment.parent.name)
    return found
