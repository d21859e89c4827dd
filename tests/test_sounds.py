"""Words that sound alike have the same code."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from assistant.matching.terms import TermIndex
from assistant.matching.text import fold
from tests.bench.sounds import sound_bags, sound_of, sound_of_text, sounds_of

with (Path(__file__).parent / "sounds.csv").open(encoding="utf-8", newline="") as file:
    KNOWN = [(row["language"], row["word"], row["codes"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("language", "word", "codes"), KNOWN)
def test_a_word_has_its_known_code(language: str, word: str, codes: str) -> None:
    assert "/".join(sounds_of(fold(word).replace(" ", ""), language)) == codes


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("de", "Meyer", "Maier"),
        ("de", "Philipp", "Filip"),
        ("de", "Fahrrad", "Vahrat"),
        ("en", "Catherine", "Kathryn"),
        ("en", "flight", "flite"),
        ("en", "fares", "fairs"),
        ("ko", "같이", "가치"),
        ("ko", "국물", "궁물"),
        ("ko", "신라", "실라"),
        ("ko", "좋다", "조타"),
        ("ko", "입학", "이팍"),
        ("ko", "값도", "갑또"),
        ("ko", "부엌에", "부어케"),
        ("ko", "닭", "닥"),
        ("ko", "깨끗이", "개끄시"),
        ("nl", "ticket", "tikket"),
        ("fr", "phare", "far"),
    ],
)
def test_words_spoken_alike_have_the_same_code(language: str, one: str, other: str) -> None:
    assert sound_of(fold(one), language) == sound_of(fold(other), language)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [("de", "Karte", "Garten"), ("en", "open", "close"), ("ko", "문", "물"), ("ru", "где", "когда")],
)
def test_words_spoken_otherwise_have_another_code(language: str, one: str, other: str) -> None:
    assert sound_of(fold(one), language) != sound_of(fold(other), language)


@pytest.mark.parametrize("word", ["42", "हिन्दी", "営業時間", "h", "ع", "é", "q1w2", "\u110b"])
@pytest.mark.parametrize("language", ["de", "en", "ko", "fr", "de-AT", ""])
def test_every_word_has_a_code(word: str, language: str) -> None:
    assert sound_of(fold(word), language)


@pytest.mark.parametrize(
    ("said", "heard", "language"),
    [
        ("how to recognize speech", "how to wreck a nice beach", "en"),
        ("show me round trip fares to boston", "show me round tripmasters two austin", "en"),
        ("Wo ist die Garderobe?", "wo ist tiger der robe", "de"),
        ("영업시간이 어떻게 되나요", "영 업씨 가니 어떠케 대나요", "ko"),
    ],
)
def test_what_was_said_sounds_nearest_to_what_was_heard(said: str, heard: str, language: str) -> None:
    others = [
        "how do i reach the beach",
        "show me ground transport in boston",
        "what does a nice ice cost",
        "Wo ist der Tiger?",
        "Wann ist die Robbe wach?",
        "화장실이 어디에 있나요",
        "시간이 얼마나 걸리나요",
    ]
    index = TermIndex(sound_bags([fold(text) for text in [said, *others]], [language]))
    assert index.ask(sound_bags([fold(heard)], [language])).argmax() == 0


def test_borders_of_words_are_not_heard() -> None:
    assert sound_of_text("ground trip", "en") == sound_of_text("groundtrip", "en")


def test_a_base_in_two_languages_hears_a_question_in_either() -> None:
    phrases = [
        fold(text) for text in ("Wo kann ich parken?", "Where can I park?", "Was kostet der Eintritt?")
    ]
    index = TermIndex(sound_bags(phrases, ["de", "en"]))
    asked = sound_bags(["wo kann ich barken", "wear can i bark", "vas kostet der eindrit"], ["en", "de"])
    assert index.ask(asked).argmax(axis=1).tolist() == [0, 1, 2]


def test_codes_of_two_languages_are_never_mixed() -> None:
    german, both = (sound_bags(["parken"], languages) for languages in (["de"], ["de", "en"]))
    assert len(both.terms) > len(german.terms)
    assert np.isin(german.terms, both.terms).all()
    assert len(sound_bags([], ["de"]).terms) == 0
    assert len(sound_bags([""], ["de"]).terms) == 0
