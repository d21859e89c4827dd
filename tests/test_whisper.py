"""Whisper behind the plug: a model that its owner gives, tried first, and nothing fetched from anywhere.

A tiny one with random weights is damaged in every way; what is heard, a real one hears.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assistant import wiring
from assistant.errors import AudioError, DeviceError, ModelError
from assistant.settings import ListeningSettings, Settings, load_settings
from assistant.speech.doctor import Languages, hearing_findings
from assistant.speech.hearing import whisper_models, whisper_reading, whisper_recognizer
from assistant.speech.hearing.nearest_phrases import NearestPhrases, likeness
from assistant.speech.hearing.pronunciation import words_of
from assistant.speech.hearing.readings import Reading
from assistant.speech.hearing.whisper_models import validate_whisper_model
from assistant.speech.hearing.whisper_reading import Stretch, WhisperReader, repetition
from assistant.speech.hearing.whisper_recognizer import WhisperRecognizer
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.sound.wav_audio import WavMicrophone, write_wav
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Finding, Heard, Knowledge
from assistant.wiring import build_assistant
from assistant.wiring.hearing import Sense
from tests.test_recognizers import WITH_ESPEAK, Sound, SpokenOnly, noise, spoken

pytest.importorskip("faster_whisper", reason="pip install -e '.[whisper]'")

QUESTION = Path(__file__).parent / "question.wav"
KNOWLEDGE = Path(__file__).parents[1] / "knowledge"
WIDTH = 16
SPECIAL: tuple[str, ...] = ("<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>")
SPECIAL += ("<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>")
WORDS = ("when", "are", "you", "open", "where", "can", "i", "park")
TOKENS = (*WORDS, *SPECIAL, *(f"<|{second / 50:.2f}|>" for second in range(1501)))


def shape(name: str) -> tuple[int, ...]:
    """Of a weight of the tiny model, by its place in it."""
    wide = 4 * WIDTH
    table = {
        "conv1/weight": (WIDTH, 80, 3),
        "conv2/weight": (WIDTH, WIDTH, 3),
        "encoder/position_encodings/encodings": (1500, WIDTH),
        "decoder/position_encodings/encodings": (448, WIDTH),
        "embeddings/weight": (len(TOKENS), WIDTH),
        "projection/weight": (len(TOKENS), WIDTH),
        "self_attention/linear_0/weight": (3 * WIDTH, WIDTH),
        "self_attention/linear_0/bias": (3 * WIDTH,),
        "attention/linear_1/weight": (2 * WIDTH, WIDTH),
        "attention/linear_1/bias": (2 * WIDTH,),
        "ffn/linear_0/weight": (wide, WIDTH),
        "ffn/linear_0/bias": (wide,),
        "ffn/linear_1/weight": (WIDTH, wide),
    }
    if "self_attention/linear_1" in name:  # of the encoder's and the decoder's own words: one to one
        return (WIDTH, WIDTH) if name.endswith("weight") else (WIDTH,)
    found = next((size for ending, size in table.items() if name.endswith(ending)), None)
    if found:
        return found
    square = name.endswith("weight") and "linear" in name
    return (WIDTH, WIDTH) if square else (WIDTH,)


def write_model(folder: Path) -> None:
    """A Whisper of one layer and 16 numbers a word that has learned nothing."""
    from ctranslate2.specs import WhisperSpec  # type: ignore[import-untyped]
    from ctranslate2.specs.model_spec import visit_spec  # type: ignore[import-untyped]
    from tokenizers import AddedToken, Tokenizer
    from tokenizers.models import WordLevel

    spec: Any = WhisperSpec(1, 1, 1, 1)
    random = np.random.default_rng(4)

    def fill(layer: Any, name: str, value: object) -> None:
        if value is None or name.endswith("encodings"):  # what an exporter may leave out
            setattr(layer, name.rpartition("/")[2], random.normal(0, 0.3, shape(name)).astype(np.float32))

    visit_spec(spec, fill)
    spec.decoder.projection.weight[len(WORDS) :] = 0  # it prefers words
    spec.register_vocabulary(list(TOKENS))
    spec.config.suppress_ids = spec.config.lang_ids = []
    spec.config.suppress_ids_begin = [TOKENS.index("<|endoftext|>")]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.save(str(folder))
    tokenizer = Tokenizer(WordLevel({token: number for number, token in enumerate(TOKENS)}, "when"))
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.save(str(folder / "tokenizer.json"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whisper")
    write_model(folder)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ear(model: Path, cache: Path) -> WhisperRecognizer:
    return WhisperRecognizer(model, "en", cache)


@pytest.mark.parametrize(
    "blocks", [[], [b""], [b"\0"], [bytes(64_000)]], ids=["none", "empty", "a byte", "silence"]
)
def test_where_nobody_speaks_nothing_is_heard(ear: WhisperRecognizer, blocks: list[bytes]) -> None:
    assert list(ear.recognize(Sound(blocks))) == [Heard("", "en")]


@pytest.mark.parametrize(
    "tokens, times",
    [([], 0), ([1, 2, 3], 0), ([1, 2, 1, 2], 2), ([7, 7, 7, 7], 3), ([5, 1, 2, 3, 1, 2, 3, 1, 2], 5)],
    ids=["nothing", "a sentence", "twice", "a word four times", "cut off in the middle of a loop"],
)
def test_tokens_that_only_say_the_same_again_are_counted(tokens: list[int], times: int) -> None:
    assert repetition(tokens) == times


def test_a_reading_that_repeats_itself_is_read_again_in_a_whole_window_and_believed_in_none(
    ear: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows: list[float] = []
    generate = WhisperReader._generate

    def repeating(reader: WhisperReader, sound: bytes, window_seconds: float) -> Any:
        windows.append(window_seconds)
        encoded, result = generate(reader, sound, window_seconds)
        looped = SimpleNamespace(sequences_ids=[[3] * 20], scores=result.scores[:1], no_speech_prob=0.0)
        return encoded, looped

    monkeypatch.setattr(WhisperReader, "_generate", repeating)
    monkeypatch.setattr(whisper_reading, "_LEAST_SCORE", -99.0)
    assert hear(WavMicrophone(QUESTION), ear) == Heard("", "en")
    assert windows == [10.0, 30]


def test_a_rate_that_speech_cannot_have_is_refused(ear: WhisperRecognizer) -> None:
    with pytest.raises(AudioError, match="samples a second"):
        hear(Sound([bytes(3200)], 0), ear)


def test_a_closed_recognizer_stops_and_hears_nothing_more(model: Path, cache: Path) -> None:
    ear = WhisperRecognizer(model, "en", cache)
    question = list(WavMicrophone(QUESTION))

    class Closing(Sound):
        def __iter__(self) -> Any:
            yield question[0]
            ear.close()
            yield from question[1:]

    assert list(ear.recognize(Closing([]))) == []
    with pytest.raises(DeviceError, match="closed"):
        hear(Sound([]), ear)


def test_two_at_once_is_an_error(ear: WhisperRecognizer) -> None:
    class Meanwhile(Sound):
        def __iter__(self) -> Any:
            with pytest.raises(DeviceError, match="listening already"):
                hear(Sound([]), ear)
            yield from self.blocks

    assert hear(Meanwhile([bytes(3200)]), ear).text == ""


def test_a_language_that_the_model_does_not_hear_is_refused(model: Path, cache: Path) -> None:
    with pytest.raises(ModelError, match="does not hear `de`"):
        WhisperRecognizer(model, "de", cache)


def test_a_model_is_loaded_once_however_many_listen(ear: WhisperRecognizer, model: Path, cache: Path) -> None:
    other = WhisperRecognizer(model, "en-GB", cache)
    assert other._reader._model is ear._reader._model
    other.close()
    assert hear(WavMicrophone(QUESTION), ear).final


def test_the_model_in_the_settings_comes_first(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "no models"))
    shutil.copytree(model, tmp_path / "models" / "tiny")
    listening = ListeningSettings(whisper_model=Path("../models/tiny"))
    settings = Settings(tmp_path / "pages", cache_folder=tmp_path / "cache", listening=listening)
    (tmp_path / "pages").mkdir()
    nothing = Knowledge.of("", "en", ())
    assert isinstance(wiring.open_recognizer(settings, "en", nothing), WhisperRecognizer)
    with pytest.raises(ModelError, match=r"no speech model for German in .*tiny hears other languages"):
        wiring.open_recognizer(settings, "de", nothing)


@pytest.mark.parametrize(
    ("name", "vocabulary", "hears_german"),
    [
        ("vocabulary.txt", "word\n" * 51_865, True),
        ("vocabulary.txt", "\n".join(["word"] * 51_865), True),  # no end of line after the last one
        ("vocabulary.txt", "word\n" * 51_864, False),
        ("vocabulary.json", json.dumps(["word"] * 51_866), True),
        ("vocabulary.json", json.dumps(["word"] * 51_864), False),
        ("vocabulary.json", "[", True),  # damaged: that is told when it is opened
        ("something.else", "", True),
    ],
)
def test_an_english_model_is_known_by_its_vocabulary(
    tmp_path: Path, name: str, vocabulary: str, hears_german: bool
) -> None:
    (tmp_path / name).write_text(vocabulary)
    settings = Settings(tmp_path, listening=ListeningSettings(whisper_model=tmp_path))
    assert wiring.can_hear(settings, "en")
    assert wiring.can_hear(settings, "de-CH") is hears_german


def test_a_sound_model_is_tried_once(model: Path, tmp_path: Path) -> None:
    validate_whisper_model(model, tmp_path)
    validate_whisper_model(model, tmp_path, seconds=0.01)  # too short for any trial: it is remembered


# --- a real model ---------------------------------------------------------------------------------

SAID = {
    "de": ("Wo ist die nächste Bushaltestelle?", "Das Paket kam beschädigt an"),
    "en": ("How do I delete my account?", "Are you open on bank holidays?"),
}


@pytest.fixture(scope="module")
def german(whisper_base: Path, cache: Path) -> WhisperRecognizer:
    return WhisperRecognizer(whisper_base, "de", cache)


@pytest.fixture(scope="module")
def english(whisper_base: Path, cache: Path) -> WhisperRecognizer:
    return WhisperRecognizer(whisper_base, "en", cache)


@WITH_ESPEAK
@pytest.mark.parametrize("language", SAID)
def test_what_is_said_is_heard_with_other_readings_beside_it(
    language: str, request: pytest.FixtureRequest
) -> None:
    ear = request.getfixturevalue("german" if language == "de" else "english")
    for said in SAID[language]:
        heard = hear(spoken(said, language), ear)
        assert words_of(heard.text) == words_of(said)
        assert heard.language == language and heard.text not in heard.also_heard and heard.also_heard


@WITH_ESPEAK
@pytest.mark.parametrize("language", SAID)
def test_what_is_translated_is_known_not_to_be_its_language(
    language: str, german: WhisperRecognizer, english: WhisperRecognizer
) -> None:
    for said in SAID[language]:
        own, other = (hear(spoken(said, language), ear) for ear in (german, english))
        if language == "en":
            own, other = other, own
        assert own.language_probability > 2 * other.language_probability


@WITH_ESPEAK
def test_of_two_languages_the_one_is_heard_that_is_spoken(
    german: WhisperRecognizer, english: WhisperRecognizer
) -> None:
    sense = Sense(build_assistant(load_settings(Path(__file__).parents[1] / "knowledge")))
    for language, said in (("en", "How much is delivery?"), ("de", "Ich habe meinen Gutschein verloren")):
        heard = [hear(spoken(said, language), ear) for ear in (german, english)]
        assert max(heard, key=sense.judge).language == language


@WITH_ESPEAK
def test_a_recognizer_for_a_region_hears_its_language(whisper_base: Path, cache: Path) -> None:
    ear = WhisperRecognizer(whisper_base, "de-AT", cache)
    heard = hear(spoken(SAID["de"][0], "de"), ear)
    assert (words_of(heard.text), heard.language) == (words_of(SAID["de"][0]), "de-AT")


@pytest.mark.parametrize("loudness", [0, 30, 3000], ids=["silence", "hiss", "loud noise"])
def test_in_noise_that_is_taken_for_speech_no_words_are_invented(
    german: WhisperRecognizer, english: WhisperRecognizer, loudness: int
) -> None:
    for ear in (german, english):
        assert hear(SpokenOnly([noise(4, loudness)]), ear).text == ""


@WITH_ESPEAK
def test_those_who_speak_at_once_are_heard_beside_each_other(whisper_base: Path, cache: Path) -> None:
    asked = [(language, said) for language, each in SAID.items() for said in each] * 2
    ears = [WhisperRecognizer(whisper_base, language, cache) for language, _ in asked]
    sounds = [spoken(said, language) for language, said in asked]
    with ThreadPoolExecutor(len(ears)) as threads:
        heard = list(threads.map(hear, sounds, ears))
    assert [words_of(each.text) for each in heard] == [words_of(said) for _, said in asked]


@WITH_ESPEAK
def test_more_than_the_model_takes_at_once_is_read_in_stretches(german: WhisperRecognizer) -> None:
    first, second = (b"".join(spoken(said, "de")) for said in SAID["de"])
    silence = bytes(30 * 32_000 - len(first))
    heard = hear(SpokenOnly([first + silence + second]), german)
    assert words_of(heard.text) == words_of(" ".join(SAID["de"]))


# --- words of the pages ---------------------------------------------------------------------------


def test_the_phrases_that_share_most_letters_with_any_reading_are_nearest() -> None:
    phrases = NearestPhrases(
        ["Where can I park?", "When are you open?", "Is there parking?", "ÖFFNUNGSZEITEN"]
    )
    assert phrases.nearest(["when are you opened", "is there a park"], 2) == [
        "When are you open?",
        "Is there parking?",
    ]
    assert phrases.nearest(["öffnungszeit"], 9) == ["ÖFFNUNGSZEITEN"]
    assert (
        phrases.nearest(["xyz"], 9) == phrases.nearest([], 9) == NearestPhrases([]).nearest(["when"], 9) == []
    )


@pytest.mark.parametrize(
    "other, least, most", [("When are you open?", 1, 1), ("", 0, 0), ("when open", 0.5, 0.8)]
)
def test_texts_are_alike_by_their_letters(other: str, least: float, most: float) -> None:
    assert least <= likeness("when are you open", other) <= most


@WITH_ESPEAK
def test_a_question_of_the_pages_is_heard_where_it_would_be_misheard(
    german: WhisperRecognizer, whisper_base: Path, cache: Path
) -> None:
    asked = ("Habt ihr Gutscheine?", "Muss ich den Versand zahlen?")
    knowing = WhisperRecognizer(whisper_base, "de", cache, [*asked, *SAID["de"], "Wann öffnen Sie?"])
    misheard = [said for said in asked if words_of(hear(spoken(said, "de"), german).text) != words_of(said)]
    assert misheard
    for said in misheard:
        assert words_of(hear(spoken(said, "de"), knowing).text) == words_of(said)


@WITH_ESPEAK
def test_what_is_no_question_of_the_pages_is_not_taken_for_one(whisper_base: Path, cache: Path) -> None:
    knowing = WhisperRecognizer(whisper_base, "en", cache, ["Where can I park?", "Do you wrap gifts?"])
    for said in SAID["en"]:
        assert words_of(hear(spoken(said, "en"), knowing).text) == words_of(said)


# --- in the product -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def heard_by_whisper(whisper_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pages, with the model in their settings."""
    folder = tmp_path_factory.mktemp("company") / "pages"
    shutil.copytree(KNOWLEDGE, folder)
    with (folder / "settings.toml").open("a", encoding="utf-8") as settings:
        settings.write(f"\n[listening]\nwhisper_model = {json.dumps(whisper_base.as_posix())}\n")
    return folder


@WITH_ESPEAK
def test_a_german_question_in_a_file_is_answered(heard_by_whisper: Path, tmp_path: Path) -> None:
    question = tmp_path / "question.wav"
    voice = Pyttsx3Synthesizer()
    write_wav(question, voice.speak("Das Paket kam beschädigt an", "de"), voice.rate_hz)
    command = [sys.executable, "-m", "assistant", "ask", "--audio", str(question), "--language", "de"]
    result = subprocess.run(
        [*command, "--json", "--knowledge", str(heard_by_whisper)],
        capture_output=True, text=True, encoding="utf-8", cwd=KNOWLEDGE.parent,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["entry"] == "damaged-parcel"
    assert words_of(told["heard"]["text"]) == words_of("Das Paket kam beschädigt an")


def test_the_doctor_names_the_model_for_each_language_that_it_hears(
    whisper_base: Path, model: Path, cache: Path, tmp_path: Path
) -> None:
    german, korean = hearing_findings(Languages(("de", "ko")), [tmp_path], cache, whisper_base)
    assert german == Finding("hearing", "ok", f"German: {whisper_base} (Whisper)")
    assert korean.fact.startswith("Korean") and "Whisper" in korean.fact
    english, *_ = hearing_findings(Languages(("en", "de")), [tmp_path], cache, model)
    assert english.fact == f"English: {model} (Whisper)"  # the tiny one hears nothing else


def test_the_doctor_tells_of_a_damaged_model(tmp_path: Path, cache: Path) -> None:
    (finding, _) = hearing_findings(Languages(("de",)), [], cache, tmp_path)
    assert finding.state == "problem" and "model.bin is missing" in finding.fact


def test_the_doctor_is_told_where_the_model_is(heard_by_whisper: Path, whisper_base: Path) -> None:
    settings = load_settings(heard_by_whisper)
    assert wiring.whisper_model(settings) == whisper_base
    assert wiring.whisper_model(replace(settings, listening=ListeningSettings())) is None


# --- what is understood so far --------------------------------------------------------------------


@dataclass
class Unhurried(SpokenOnly):
    """A microphone that waits until all has been read that was begun."""

    model: Any = None

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            yield block
            while self.model.model.num_active_batches:
                time.sleep(0.01)


@WITH_ESPEAK
def test_what_is_understood_so_far_is_told_while_somebody_speaks(
    english: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whisper_recognizer, "_SECONDS_BETWEEN_GLANCES", 0.0)
    monkeypatch.setattr(whisper_recognizer, "_TIMES_ITS_COST", 0)
    microphone = Unhurried(spoken(SAID["en"][0], "en", size=8000).blocks, model=english._reader._model)
    *partial, heard = english.recognize(microphone)
    assert heard.final and not any(one.final or one.also_heard for one in partial)
    lengths = [len(one.text) for one in partial]
    assert len(partial) > 2 and lengths[0] < lengths[-1] and all(lengths)
    assert words_of(partial[-1].text) == words_of(heard.text)


@WITH_ESPEAK
def test_sound_that_comes_at_once_is_read_once(english: WhisperRecognizer) -> None:
    (heard,) = english.recognize(spoken(SAID["en"][0], "en"))
    assert heard.final


def test_who_has_finished_is_not_kept_waiting_by_looks_at_what_others_say(english: WhisperRecognizer) -> None:
    reader = english._reader
    features = reader._features(noise(20, 3000), 30)
    whole = reader._begin(features, reader._prompt, 640_000, beam_size=5)
    assert reader.glance(noise(1, 3000)) is None
    whole.result()
    while reader._model.model.num_active_batches:  # a moment longer
        time.sleep(0.01)
    looked = reader.glance(noise(1, 3000))
    assert looked is not None and looked.stretch().readings == []


def test_where_looking_takes_long_it_is_looked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now, begun = 0.0, []

    class Slow:
        """A reader that needs a second for a glance."""

        def glance(self, sound: bytes) -> Any:
            begun.append(now)
            done = now + 1.0

            class Begun:
                is_done = property(lambda _: now >= done)

                def stretch(self) -> Stretch:
                    return Stretch([Reading(str(len(sound)))])

            return Begun()

    monkeypatch.setattr(whisper_recognizer, "time", SimpleNamespace(monotonic=lambda: now))
    glances = whisper_recognizer._Glances(Slow())  # type: ignore[arg-type]
    for tenth in range(101):
        now = tenth / 10
        glances.follow(bytearray(tenth))
    assert begun == [1.0, 4.0, 7.0, 10.0]


# --- folders that cannot be used -----------------------------------------------------------------


def copy(model: Path, folder: Path) -> Path:
    folder.mkdir()
    for path in model.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    "name, content, fact",
    [
        *((name, None, f"{name} is missing") for name in (*whisper_models.NEEDED, "vocabulary.json")),
        *((name, b"", f"{name} is empty") for name in (*whisper_models.NEEDED, "vocabulary.json")),
        ("config.json", b"{", "config.json is not JSON"),
        ("tokenizer.json", b"\xff", "tokenizer.json is not JSON"),
        ("tokenizer.json", b"{}", "cannot be used"),
        ("vocabulary.json", b'["when"]', "cannot be used"),
        ("model.bin", b"rubbish" * 100, "cannot be used"),
        ("model.bin", 1000, "cannot be used"),
        ("model.bin", -1, "cannot be used"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_damaged_folder_is_refused_and_this_process_lives_on(
    model: Path, tmp_path: Path, name: str, content: bytes | int | None, fact: str
) -> None:
    folder = copy(model, tmp_path / "model")
    if content is None:
        (folder / name).unlink()
    else:
        cut = (folder / name).read_bytes()[:content] if isinstance(content, int) else content
        (folder / name).write_bytes(cut)
    with pytest.raises(ModelError, match=fact):
        validate_whisper_model(folder, tmp_path / "cache")


@pytest.mark.parametrize("name", ["missing", "tiny", "base.en", "file"])
def test_a_name_is_never_looked_for_anywhere_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ModelError, match="there is no folder"):
        validate_whisper_model(tmp_path / name)


def test_a_model_that_takes_too_long_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="longer than 0 seconds"):
        validate_whisper_model(model, tmp_path, seconds=0.01)


def test_nothing_is_asked_of_a_network(model: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    ear = WhisperRecognizer(model, "en", cache)
    assert hear(WavMicrophone(QUESTION), ear).final and os.environ["HF_HUB_OFFLINE"] == "1"


def test_without_the_library_the_way_to_it_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModelError, match="not installed") as told:
        validate_whisper_model(model)
    assert "[whisper]" in told.value.hint
