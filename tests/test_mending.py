"""Slips of the fingers: what is read as the base's word, and what is left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.mending import Vocabulary
from assistant.ports import Encoder
from assistant.values import Found, Utterance
from tests.fakes import base, entry

QUESTIONS = (
    "Wie sind Ihre Öffnungszeiten?", "Wo kann ich parken?", "Kann ich einen Gutschein kaufen?",
    "Gibt es WLAN?", "What is the warranty on a kettle?", "I want to return something",
    "Kundenkarte verloren", "배송 조회",
)  # fmt: skip
VOCABULARY = Vocabulary(QUESTIONS)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("wie sind die öfnungszeiten", "wie sind die öffnungszeiten"),
        ("Offnungszeiten", "Öffnungszeiten"),
        ("oeffnungszeiten", "öffnungszeiten"),
        ("öffnungszeietn!", "öffnungszeiten!"),
        ("Gutshcein kaufen", "Gutschein kaufen"),
        ("whats the waranty", "whats the warranty"),
        ("I want to retrun this", "I want to return this"),
        ("kundnekarte", "kundenkarte"),
        ("wlna", "wlan"),
        ("erturn", "return"),
        ("wsrranty", "warranty"),
    ],
)
def test_a_slip_is_read_as_the_word_of_the_base(typed: str, read: str) -> None:
    assert VOCABULARY.mended(VOCABULARY.respelled(typed)) == read


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "Wie sind Ihre Öffnungszeiten?",
        "WLAN",
        "warten",
        "barken",
        "12345",
        "배송",
        "🙂",
        "the of and",
        "x y z",
    ],
)
def test_known_short_and_far_words_are_left_alone(typed: str) -> None:
    assert VOCABULARY.mended(VOCABULARY.respelled(typed)) == typed


@given(st.text(max_size=60))
def test_no_text_makes_mending_raise_and_mending_twice_changes_nothing(text: str) -> None:
    mended = VOCABULARY.mended(text)
    assert VOCABULARY.mended(mended) == mended


def test_the_matcher_reads_a_slip_and_says_so(encoder: Encoder) -> None:
    knowledge = base(*(entry(f"entry-{number}", "de", text) for number, text in enumerate(QUESTIONS)))
    match = Matcher(knowledge, encoder, MatcherOptions()).match(Utterance("Wie sind Ihre öfnungszeietn?"))
    assert isinstance(match, Found)
    assert match.best.entry == "entry-0"
    assert match.ranking.notes == ("read as `Wie sind Ihre öffnungszeiten?`",)
