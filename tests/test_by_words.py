"""A spoken question speaks for the entries whose words it holds, whatever an encoder makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.matching import by_words
from assistant.matching.by_words import ByWords
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.ranking import load_weights
from assistant.ports import Encoder
from assistant.values import Utterance
from tests.fakes import base, entry

# fmt: off
TOWNS = (
    "Boston", "Denver", "Dallas", "Oakland", "Newark", "Memphis", "Phoenix", "Tampa", "Detroit", "Miami",
    "Chicago", "Atlanta", "Seattle", "Houston", "Orlando", "Toronto", "Austin", "Tucson", "Tulsa", "Reno",
)
# fmt: on
FARES = tuple(f"what is the cheapest fare to {town}" for town in TOWNS)
FLIGHTS = tuple(f"which flights leave for {town} on friday" for town in TOWNS)
MEALS = tuple(f"is there something to eat on the way to {town}" for town in TOWNS)
AIRPORT = base(entry("fares", "en", *FARES), entry("flights", "en", *FLIGHTS), entry("meals", "en", *MEALS))
WEIGHTS = load_weights("some encoder")
RANKING = WEIGHTS.words_alone


@pytest.fixture(scope="module")
def matcher(encoder: Encoder) -> Matcher:
    return Matcher(AIRPORT, encoder, MatcherOptions(hears=True))


@pytest.fixture(scope="module")
def words(matcher: Matcher) -> ByWords:
    return told_by(matcher)


def told_by(matcher: Matcher) -> ByWords:
    told = maybe_told_by(matcher)
    assert told
    return told


def maybe_told_by(matcher: Matcher) -> ByWords | None:
    return matcher._base.hearing("en").by_words


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("the cheapest fair to boston", "fares"),
        ("which lights leave on friday", "flights"),
        ("eat on", "meals"),
    ],
)
def test_it_speaks_most_for_the_entry_whose_words_were_heard(words: ByWords, heard: str, name: str) -> None:
    shares = np.exp(words.tells([heard], [1], RANKING))
    assert AIRPORT.names[shares.argmax()] == name
    assert shares.sum() == pytest.approx(1, abs=1e-3)


def test_several_readings_count_as_much_as_they_are_trusted(words: ByWords) -> None:
    fares, flights = "the cheapest fare", "flights on friday"
    one, other = (np.exp(words.tells([text], [1], RANKING)) for text in (fares, flights))
    both = np.exp(words.tells([fares, flights], [3, 1], RANKING))
    assert both == pytest.approx(0.75 * one + 0.25 * other, abs=1e-5)


@pytest.mark.parametrize(("phrases", "tells"), [(19, False), (20, True)])
def test_entries_of_few_phrases_are_not_told_by_words(encoder: Encoder, phrases: int, tells: bool) -> None:
    few = base(
        *(entry(each.name, "en", *(q.text for q in each.questions[:phrases])) for each in AIRPORT.entries)
    )
    assert (maybe_told_by(Matcher(few, encoder, MatcherOptions())) is not None) == tells


def test_phrases_in_several_languages_are_not_taken_for_many(encoder: Encoder) -> None:
    halves = [entry("fares", tag, *FARES[part]) for tag, part in (("en", slice(10)), ("de", slice(10, 20)))]
    assert maybe_told_by(Matcher(base(*halves), encoder, MatcherOptions())) is None


def test_without_an_encoder_nothing_is_said_twice() -> None:
    assert maybe_told_by(Matcher(AIRPORT, None, MatcherOptions())) is None
    assert load_weights(None).words_alone is None


def test_the_more_phrases_an_entry_has_the_more_it_is_trusted(
    words: ByWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 0 < words.trust < 0.1
    monkeypatch.setattr(by_words, "_ENOUGH_PHRASES", 20)
    lesson = Matcher(AIRPORT, None, MatcherOptions())._base._lesson
    trusted = ByWords.trained(lesson, 20, None)
    assert trusted and trusted.trust == pytest.approx(0.25)


def test_what_was_learned_is_kept(encoder: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = MatcherOptions(cache_folder=tmp_path, hears=True)
    before = told_by(Matcher(AIRPORT, encoder, options))
    monkeypatch.setattr("assistant.matching.training._train", None)  # nothing can be learned any more
    again = told_by(Matcher(AIRPORT, encoder, options))
    assert (again.heads.on_everything.weights == before.heads.on_everything.weights).all()


def test_only_what_was_heard_is_told_by_its_words(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def tells(_told: ByWords, readings: list[str], *_others: object) -> np.ndarray:
        asked.append(list(readings))
        return np.where(np.array(AIRPORT.names) == "meals", np.float32(0), np.float32(-999))

    monkeypatch.setattr(ByWords, "tells", tells)
    matcher.match(Utterance("the cheapest fair to boston", "en"))
    matcher.match(Utterance(FARES[0], "en", is_heard=True))
    assert not asked, "typed, or just as it stands on a page"
    heard = matcher.match(Utterance("the cheapest fair to boston", "en", is_heard=True))
    assert "the cheapest fair to boston" in asked[0]
    assert heard.ranking.candidates[0].entry == "meals"


def test_weights_that_were_learned_without_it_do_without_it(encoder: Encoder) -> None:
    heard = Utterance("the cheapest fair to boston", "en", is_heard=True)
    matcher = Matcher(AIRPORT, encoder, MatcherOptions(), replace(WEIGHTS, words_alone=None))
    assert matcher.match(heard).ranking.candidates[0].entry == "fares"
