"""Folding: what counts as the same text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.matching.text import LONGEST_QUESTION, cut, fold, letters

SAME = [
    ("HELLO!", "hello"),
    ("Straße", "STRASSE"),
    ("Öffnungszeiten", "oeffnungszeiten"),
    ("what's up", "Whats up"),
    ("what’s up", "what's up"),
    ("  two \t words\n", "two words"),
    ("café", "CAFE"),
    ("e-mail", "e mail"),
    ("10:30", "10 30"),
    ("ﬁnance", "finance"),
    ("Ａ１", "a1"),
    ("zero\u200bwidth", "zerowidth"),
    ("배송!", "배송"),
    ("a\u0308rger", "Ärger"),
]
DIFFERENT = [("की", "क"), ("й", "и"), ("배송", "배상"), ("가", "각")]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_write_the_same_fold_to_the_same(one: str, other: str) -> None:
    assert fold(one) == fold(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_marks_that_make_another_letter_are_kept(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@pytest.mark.parametrize("text", ["", "?!…", "🙂🙃", "\u200b", " \n\t"])
def test_what_holds_no_word_folds_to_nothing(text: str) -> None:
    assert fold(text) == ""


@given(st.text())
@example("0\x80\u07ae")  # a mark that follows no letter
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_korean_is_compared_by_jamo() -> None:
    assert len(letters("각")) == 3
    assert letters("abc") == "abc"


def test_a_text_too_long_is_cut_and_a_lone_surrogate_replaced() -> None:
    assert cut("a" * (LONGEST_QUESTION + 1)) == ("a" * LONGEST_QUESTION, True)
    assert cut("a\ud800b") == ("a?b", False)
