"""What was heard is read as what was probably said, in the words of the base."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from assistant.matching.base import Base, wordings_of
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
TICKETS = (
    *("How much is a 24 hour pass?", "How much is a 7 day pass?", "How much is a 30 day pass?"),
    *("Where does bus 21 stop?", "When does bus 145 leave?", "Is one ticket enough for two?"),
)
KARTEN = ("Was kostet die Karte für 24 Stunden?", "Was kostet die Karte für 7 Tage?", "Wo hält der Bus 145?")
BASES = {"cards": (CARDS, "en"), "trains": (TRAINS, "en"), "tickets": (TICKETS, "en")}
SPELLED = ("How much is a 30 day pass?", "How much is the pass for thirty days?")
BASES |= {
    "spelled": (SPELLED, "en"),
    "karten": (KARTEN, "de"),
    "numbers": (("Which gate is flight twenty six at?", "Is there a fifty day pass?"), "en"),
    "zahlen": (("Was kostet die Karte für vierzehn Tage?",), "de"),
    "billets": (("Où est le bus 21 ?", "Combien coûte un billet ?"), "fr"),
}
with Path(__file__).with_name("misheard.csv").open(encoding="utf-8", newline="") as file:
    CASES = [(row["base"], row["heard"], row["said"]) for row in csv.DictReader(file)]


@cache
def rehearing(base: str) -> Rehearing:
    own = [wording.text for wording in wordings_of(sample().knowledge)]
    phrases, language = BASES.get(base, (own, None))
    return Rehearing(phrases, open_encoder(), language)


def said(heard: str, by: Rehearing) -> str:
    """The likeliest reading."""
    heard = by.in_figures(heard)
    return next((guess.text for guess in by.guesses(heard)), heard)


@cache
def sample():
    return build_assistant(load_settings(SAMPLE))


@pytest.mark.parametrize(("base", "heard", "was_said"), CASES)
def test_what_sounds_alike_is_read_as_an_editor_would_have_written_it(
    base: str, heard: str, was_said: str
) -> None:
    assert said(heard, rehearing(base)) == was_said


@pytest.mark.parametrize("text", ["", "???", "한", "हिन्दी", "営業時間", "q", "0", "42 " * 200, "\ud7ff", "ع"])
def test_any_text_can_be_heard(text: str) -> None:
    assert said(text, rehearing("cards")) == text


def test_a_base_of_one_phrase_reads_too() -> None:
    assert said("how do i block my core", Rehearing(["How do I block my card?"])) == "how do i block my card"


def test_a_speech_is_left_as_it_was_heard() -> None:
    speech = "my core was declined " * 20
    assert said(speech, rehearing("cards")) == speech


def test_a_base_without_a_word_changes_nothing() -> None:
    assert said("my core was declined", Rehearing(["???"])) == "my core was declined"


def test_without_a_lexicon_it_reads_too() -> None:
    assert said("my core was declined", Rehearing(CARDS)) == "my card was declined"


def test_without_a_language_figures_are_not_said() -> None:
    assert "21" not in said("where does bus twenty one stop", Rehearing(TICKETS))


def test_what_a_page_asks_in_figures_is_asked_word_for_word(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    page = "# Buses\n\n## bus-145\n\n### Questions\n- When does bus 145 leave?\n\n### Answer\nAt nine.\n"
    (tmp_path / "en" / "buses.md").write_text(page, encoding="utf-8")
    heard = Utterance("when does bus one hundred forty five leave", "en", is_heard=True)
    found = build_assistant(load_settings(tmp_path)).matcher.match(heard)
    assert isinstance(found, Found)
    assert found.ranking.notes == ("read as `when does bus 145 leave`",)


def match(text: str, *, is_heard: bool):
    return sample().matcher.match(Utterance(text, is_heard=is_heard))


def test_a_misheard_question_finds_its_entry_and_a_typed_one_is_taken_at_its_word() -> None:
    heard, typed = (match("where can i bark", is_heard=each).ranking for each in (True, False))
    assert heard.candidates[0].entry == "parking"
    assert heard.candidates[0].probability > typed.candidates[0].probability
    assert heard.notes == ("read as `where can i park`",)
    assert typed.notes == ()


@pytest.mark.parametrize(
    ("heard", "was_said", "entry"),
    [
        ("where can i prak", "where can i park", "parking"),
        ("where are the toilts", "where are the toilets", "toilets"),
        ("can i pay by crad", "can i pay by card", "payment-methods"),
    ],
)
def test_where_a_slip_is_mended_to_the_likeliest_guess_no_other_guess_outvotes_it(
    heard: str, was_said: str, entry: str
) -> None:
    ranking = match(heard, is_heard=True).ranking
    assert ranking == match(heard, is_heard=False).ranking
    assert ranking.notes == (f"read as `{was_said}`",)
    assert ranking.candidates[0].entry == entry


@pytest.mark.parametrize(
    ("language", "notes"),
    [
        pytest.param("en", ("read as `where can i park`",), id="its own"),
        pytest.param("en-GB", ("read as `where can i park`",), id="as it is spoken somewhere"),
        pytest.param("de", ("read as `wo kann ich parken`",), id="another of the base"),
        pytest.param("fr", (), id="one that no page is in"),
    ],
)
def test_what_was_heard_is_read_in_the_words_of_the_language_it_was_heard_in(
    language: str, notes: tuple[str, ...]
) -> None:
    heard = Utterance("where can i bark", language, is_heard=True)
    assert sample().matcher.match(heard).ranking.notes == notes


def test_languages_that_no_page_is_in_are_not_remembered() -> None:
    ready = Base(wordings_of(sample().knowledge), None, None)
    for language in ("fr", "x-1", "x-2", "tlh"):
        assert not ready.hearing(language).rehearing.guesses("where can i bark")
    assert not ready._hearings


def test_words_of_another_language_that_sound_alike_are_not_read() -> None:
    heard = Utterance("how much is the shipping to swiss land", "en", is_heard=True)
    assert "lange" not in " ".join(sample().matcher.match(heard).ranking.notes)


def test_who_expects_speech_waits_for_nothing_at_the_first_spoken_question(monkeypatch) -> None:
    ready = build_assistant(load_settings(SAMPLE), hears=True)
    monkeypatch.setattr("assistant.matching.base.Hearing", None)  # none can be made any more
    heard = Utterance("where can i bark", "en", is_heard=True)
    assert ready.matcher.match(heard).ranking.notes == ("read as `where can i park`",)


def test_what_was_heard_votes_beside_what_was_probably_said() -> None:
    surely, heard = (match(f"where can i {word}", is_heard=True).ranking for word in ("park", "bark"))
    assert heard.candidates[0].probability < surely.candidates[0].probability


@pytest.mark.parametrize("text", ["what will the weather be like", "wie wird das wetter morgen"])
def test_what_no_page_is_about_is_not_heard_into_one(text: str) -> None:
    assert not isinstance(match(text, is_heard=True), Found)
