"""What was heard is read as what was probably said, in the words of the base."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from assistant.matching.base import wordings_of
from assistant.matching.rehearing import Rehearing
from assistant.matching.semantic import open_encoder
from assistant.settings import load_settings
from assistant.values import Found, Utterance
from assistant.wiring import build_assistant

SAMPLE = Path(__file__).parents[1] / "knowledge"
CARDS = (
    *("My card was declined", "Why was my card declined?", "I lost my card", "How do I top up my card?"),
    *("Can I have a second card?", "Can I have more than one account?", "How do I top up my account?"),
)
TRAINS = (
    *("list fares from Denver to Boston", "show me the fares from Boston to Denver"),
    *("list trains from Denver", "show me the cheapest fares from Boston"),
    *("show me trains from Denver to Boston", "list fares from Boston"),
)
with Path(__file__).with_name("misheard.csv").open(encoding="utf-8", newline="") as file:
    CASES = [(row["base"], row["heard"], row["said"]) for row in csv.DictReader(file)]


@cache
def rehearing(base: str) -> Rehearing:
    phrases = {"cards": CARDS, "trains": TRAINS}.get(base) or [
        w.text for w in wordings_of(sample().knowledge)
    ]
    return Rehearing(phrases, open_encoder())


@cache
def sample():
    return build_assistant(load_settings(SAMPLE))


@pytest.mark.parametrize(("base", "heard", "said"), CASES)
def test_what_sounds_alike_is_read_as_an_editor_would_have_written_it(
    base: str, heard: str, said: str
) -> None:
    assert rehearing(base).said(heard) == said


@pytest.mark.parametrize("text", ["", "???", "한", "हिन्दी", "営業時間", "q", "0", "42 " * 200, "\ud7ff", "ع"])
def test_any_text_can_be_heard(text: str) -> None:
    assert rehearing("cards").said(text) == text


def test_a_base_of_one_phrase_reads_too() -> None:
    assert Rehearing(["How do I block my card?"]).said("how do i block my core") == "how do i block my card"


def test_a_speech_is_left_as_it_was_heard() -> None:
    speech = "my core was declined " * 20
    assert rehearing("cards").said(speech) == speech


def test_a_base_without_a_word_changes_nothing() -> None:
    assert Rehearing(["???"]).said("my core was declined") == "my core was declined"


def test_without_a_lexicon_it_reads_too() -> None:
    assert Rehearing(CARDS).said("my core was declined") == "my card was declined"


def match(text: str, *, is_heard: bool):
    return sample().matcher.match(Utterance(text, is_heard=is_heard))


def test_a_misheard_question_finds_its_entry_and_a_typed_one_is_taken_at_its_word() -> None:
    heard, typed = (match("where can i bark", is_heard=each).ranking for each in (True, False))
    assert heard.candidates[0].entry == "parking"
    assert heard.candidates[0].probability > typed.candidates[0].probability
    assert heard.notes == ("read as `where can i park`",)
    assert typed.notes == ()


def test_what_was_heard_votes_beside_what_was_probably_said() -> None:
    surely, heard = (match(f"where can i {word}", is_heard=True).ranking for word in ("park", "bark"))
    assert heard.candidates[0].probability < surely.candidates[0].probability


@pytest.mark.parametrize("text", ["what will the weather be like", "wie wird das wetter morgen"])
def test_what_no_page_is_about_is_not_heard_into_one(text: str) -> None:
    assert not isinstance(match(text, is_heard=True), Found)
