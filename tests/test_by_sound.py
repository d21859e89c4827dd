"""A spoken question speaks for the entries that it sounds like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assistant.matching import by_sound
from assistant.matching.by_sound import BySound, Spoken
from assistant.matching.cache import Cache
from assistant.settings import load_settings
from assistant.values import Utterance
from assistant.wiring import build_assistant

SAMPLE = Path(__file__).parents[1] / "knowledge"
FARES, FLIGHTS, KOREAN = 0, 1, 2
PHRASES = (
    *((text, FARES) for text in ("what is the fare to Boston", "the cheapest fare", "list all fares")),
    *((text, FLIGHTS) for text in ("which flights go to Boston", "show me a flight", "list the flights")),
    *((text, KOREAN) for text in ("배송은 얼마나 걸리나요", "언제 도착하나요")),
)


@pytest.fixture(autouse=True)
def small_bases_tell_by_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_sound, "_FEWEST_PHRASES", 1)


def trained(phrases=PHRASES, count: int = 3, cache: Cache | None = None) -> BySound:
    told = maybe_trained(phrases, count, cache)
    assert told
    return told


def maybe_trained(phrases, count: int, cache: Cache | None = None) -> BySound | None:
    texts, entries = zip(*phrases, strict=True)
    return BySound.trained(Spoken(texts, np.array(entries), count, len(set(entries))), cache, "sound")


@pytest.mark.parametrize(
    ("heard", "entry"),
    [
        pytest.param("the cheapest fair", FARES, id="a word that sounds the same"),
        pytest.param("list all phares", FARES, id="no word at all"),
        pytest.param("the cheap est fare", FARES, id="a border between words elsewhere"),
        pytest.param("showme of light", FLIGHTS, id="two such borders"),
        pytest.param("배송은 얼마나 걸리나여", KOREAN, id="another script"),
    ],
)
def test_it_speaks_most_for_the_entry_whose_phrases_sound_like_what_was_heard(heard: str, entry: int) -> None:
    assert trained().tells([heard], [1]).argmax() == entry


@pytest.mark.parametrize("heard", ["", "???", "ع", "हिन्दी"])
def test_what_sounds_like_nothing_speaks_for_all_alike(heard: str) -> None:
    assert np.ptp(trained().tells([heard], [1])) < 1e-6


@pytest.mark.parametrize(
    ("page", "heard"),
    [
        pytest.param("a pass for 30 days", "for thirty days", id="figures on the page"),
        pytest.param("a pass for thirty days", "for 30 days", id="figures from the recognizer"),
    ],
)
def test_numbers_sound_as_they_are_said(page: str, heard: str) -> None:
    texts = (page, "a pass for 7 days", "a pass for seven days")
    told = BySound.trained(Spoken(texts, np.array([0, 1, 1]), 2, 2, "en"), None, "sound")
    assert told and told.tells([heard], [1]).argmax() == 0


def test_several_readings_of_a_sound_count_as_much_as_they_are_trusted() -> None:
    fares, flights, both = (
        np.exp(trained().tells(readings, trust))
        for readings, trust in ((["fares"], [1]), (["flights"], [1]), (["fares", "flights"], [3, 1]))
    )
    assert both == pytest.approx(0.75 * fares + 0.25 * flights)


def test_the_more_phrases_an_entry_has_the_more_it_is_trusted() -> None:
    few, many = (trained([(f"{name} {n}", e) for e, name in enumerate("ab") for n in range(times)], 2)
                 for times in (1, 40))  # fmt: skip
    assert few.trust < 0.03
    assert many.trust == pytest.approx(0.5)


def test_how_many_phrases_an_entry_has_speaks_for_none() -> None:
    more = [*PHRASES, *((f"and flight number {number}", FLIGHTS) for number in range(30))]
    assert np.ptp(trained(more).tells([""], [1])) < 1e-6
    assert trained(more).tells(["all the fares"], [1]).argmax() == FARES


def test_an_entry_without_a_phrase_in_the_language_is_neither_spoken_for_nor_left_out() -> None:
    told = trained(PHRASES[:6], count=4).tells(["the cheapest fare"], [1])
    assert told.shape == (4,)
    assert told.argmax() == FARES
    assert told[2] == told[3]


def test_of_too_many_phrases_the_first_of_each_entry_are_taken() -> None:
    entries = np.array([0, 0, 0, 1, 2, 2, 2])
    assert by_sound._first_of_each(entries, 4).tolist() == [0, 1, 3, 4]
    assert by_sound._first_of_each(entries, 9).tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_base_of_too_many_phrases_is_told_by_the_first_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_sound, "_MOST_PHRASES", 4)
    few = trained()
    assert few.weights.shape == (4, 3)
    assert few.tells(["what is the fare to boston"], [1]).argmax() == FARES


def test_it_learns_what_the_formula_says() -> None:
    rng = np.random.default_rng(0)
    rows, marks = rng.random((30, 12), np.float32), rng.random((30, 4), np.float32)
    rows, marks[:, 3] = rows / np.linalg.norm(rows, axis=1, keepdims=True), 0
    alike = rows @ rows.T
    exact = np.linalg.solve(alike + by_sound._RIDGE * np.eye(30), marks)
    assert by_sound._solved(alike, marks) == pytest.approx(exact, abs=1e-3)


def test_phrases_that_sound_alike_are_no_hindrance() -> None:
    same = [("the fair", FARES), ("the fare", FARES), ("a flight", FLIGHTS), ("a flite", FLIGHTS)]
    assert trained(same, 2).tells(["the fare"], [1]).argmax() == FARES


@pytest.mark.parametrize(("phrases", "tells"), [(19, False), (20, True)])
def test_entries_of_few_phrases_are_not_told_by_sound(
    monkeypatch: pytest.MonkeyPatch, phrases: int, tells: bool
) -> None:
    monkeypatch.undo()
    named = [
        (f"{name} number {number}", entry) for entry, name in enumerate("ab") for number in range(phrases)
    ]
    assert (maybe_trained(named, 2) is not None) == tells


def test_phrases_in_several_languages_are_not_taken_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    base = build_assistant(load_settings(SAMPLE)).matcher._base
    assert {base.hearing(language).by_sound for language in ("de", "en", "ko", None)} == {None}


def test_what_was_learned_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = trained(cache=Cache(tmp_path))
    monkeypatch.setattr(by_sound, "_solved", None)  # nothing can be learned any more
    assert (trained(cache=Cache(tmp_path)).weights == before.weights).all()
    with pytest.raises(TypeError):
        trained(PHRASES[1:], cache=Cache(tmp_path))


def test_only_what_was_heard_speaks_by_its_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = build_assistant(load_settings(SAMPLE)).matcher
    second = matcher.match(Utterance("where can i bark", "en", is_heard=True)).ranking.candidates[1].entry
    asked: list[list[str]] = []

    def tells(_: BySound, readings: list[str], _trust: list[float]) -> np.ndarray:
        asked.append(list(readings))
        return np.where(np.array(matcher._base.names) == second, np.float32(9), np.float32(0))

    monkeypatch.setattr(BySound, "tells", tells)
    matcher.match(Utterance("where can i bark", "en"))
    matcher.match(Utterance("where can I park?", "en", is_heard=True))
    assert not asked, "typed, or just as it stands on a page"
    heard = matcher.match(Utterance("where can i bark", "en", is_heard=True))
    assert f"it sounds more like `{second}`, though `parking` is nearer in meaning" in heard.ranking.notes
    assert [readings[0] for readings in asked] == ["where can i park"]
    assert heard.ranking.candidates[0].entry == second
