"""Typing as people type: slips, umlauts, spaces, capitals, shorthand and single words, as tables of cases."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.knowledge.library import read_folder
from assistant.matching.base import wordings_of
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.mending import Vocabulary
from assistant.matching.reading import Reader
from assistant.matching.shorthand import written_out
from assistant.matching.text import fold, words
from assistant.ports import Encoder, Lexicon
from assistant.values import Found, Knowledge, Match, Unsure, Utterance

TABLES = Path(__file__).parent / "typing"
SAMPLE = Path(__file__).parents[1] / "knowledge"
ENTRY_MARK = "?"
RARELY = 0.02  # of correct sentences may be taken for mistyped ones


def table(name: str) -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = tomllib.loads((TABLES / f"{name}.toml").read_text("utf-8"))
    return loaded


def cases() -> Iterator[object]:
    for language in ("de", "en"):
        for kind, rows in table(language).items():
            marks = [pytest.mark.xfail(reason="not yet")] if kind == "not-yet" else []
            for typed, expected in rows.items():
                yield pytest.param(typed, expected, id=f"{kind}-{typed}", marks=marks)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return read_folder(SAMPLE, "en")[0]


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge, encoder: Encoder) -> Matcher:
    return Matcher(knowledge, encoder, MatcherOptions())


@pytest.fixture(scope="module")
def reader(knowledge: Knowledge, encoder: Encoder) -> Reader:
    assert isinstance(encoder, Lexicon)
    return Reader(Vocabulary((wording.text for wording in wordings_of(knowledge)), encoder))


@pytest.mark.parametrize(("typed", "expected"), list(cases()))
def test_what_people_type_finds_its_entry(matcher: Matcher, typed: str, expected: str) -> None:
    match = matcher.match(Utterance(typed))
    if not expected:
        assert not isinstance(match, Found)
    elif expected.endswith(ENTRY_MARK):
        assert expected.removesuffix(ENTRY_MARK) in entries(match)
    else:
        assert isinstance(match, Found)
        assert match.best.entry == expected


def entries(match: Match) -> tuple[str, ...]:
    """What is answered, or offered."""
    if isinstance(match, Found):
        return (match.best.entry,)
    return match.entries if isinstance(match, Unsure) else ()


def test_the_encoder_knows_common_words_by_how_common_they_are(encoder: Encoder) -> None:
    assert isinstance(encoder, Lexicon)
    common, rare = encoder.frequency("start"), encoder.frequency("strat")
    assert common is not None
    assert rare is not None
    assert rare < common < 0
    assert encoder.frequency("hund") is not None
    assert encoder.frequency("gutshcein") is None


def test_slips_are_mended_without_a_list_of_common_words() -> None:
    bare = Reader(Vocabulary(["Wann haben Sie geöffnet?", "Gutschein einlösen"]))
    assert bare.readings("gutshcein einlosen") == ["gutschein einlösen", "gutshcein einlösen"]
    assert bare.readings("wannhabensiegeöffnet") == ["wann haben sie geöffnet"]


@pytest.mark.parametrize(("typed", "read"), list(table("readings")["read-as"].items()))
def test_what_people_type_is_read_as_the_words_they_meant(reader: Reader, typed: str, read: str) -> None:
    assert reader.readings(typed)[0] == read


@pytest.mark.parametrize("typed", table("readings")["as-it-is"])
def test_what_is_no_mistake_is_read_as_it_is(reader: Reader, typed: str) -> None:
    assert reader.readings(typed) == [typed]


def test_correct_questions_cost_no_second_reading(reader: Reader, knowledge: Knowledge) -> None:
    questions = [question.text for entry in knowledge.entries for question in entry.questions]
    assert [text for text in questions if len(reader.readings(text)) > 1] == []


def test_correct_sentences_with_words_that_no_question_holds_are_seldom_mended(
    reader: Reader, knowledge: Knowledge
) -> None:
    sentences = [
        sentence
        for entry in knowledge.entries
        for sentence in re.split(r"(?<=[.!?:])\s+", entry.spoken_answer or entry.answer)
        if words(fold(sentence))
    ]
    changed = [sentence for sentence in sentences if fold(reader.readings(sentence)[0]) != fold(sentence)]
    assert len(changed) <= RARELY * len(sentences), changed


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("is wifi free", "is wifi free"),  # "is" is German shorthand and an English word
        ("wo is das klo", "wo ist das klo"),
        ("help plz", "help plz"),  # please, or a postcode?
        ("help me plz", "help me please"),
        ("wie ist die plz", "wie ist die postleitzahl"),
        ("Z.B. tel. oder i-was", "Zum beispiel. telefon. oder irgendwas"),
        ("w/o u", "without you"),
        ("where r my tix", "where are my tix"),  # the editors of this base write "tix" themselves
        ("lg", "lg"),
    ],
)
def test_shorthand_is_written_out_in_the_language_of_the_question(typed: str, read: str) -> None:
    assert written_out(typed, lambda folded: folded == "tix") == read


@settings(deadline=None)
@given(typed=st.text(max_size=80))
def test_no_text_makes_reading_raise_or_leaves_nothing_of_it(reader: Reader, typed: str) -> None:
    readings = reader.readings(typed)
    assert 1 <= len(readings) <= 2
    assert bool(fold(typed)) == all(fold(reading) for reading in readings)
