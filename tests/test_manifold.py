"""Long and manifold texts, dialects and languages without a page: tables of cases, a line each.

The real encoder over the sample pages. A table states how many of its cases must hold, because a
probability on the edge may fall either way when the weights are learned anew.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.knowledge.library import read_folder
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.sentences import clauses_of
from assistant.ports import Encoder
from assistant.settings import Settings
from assistant.values import Found, Knowledge, Match, Several, Unknown, Unsure, Utterance

TABLES = Path(__file__).parent / "manifold"
SAMPLE = Path(__file__).parents[1] / "knowledge"


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked and the entries that answer it, in order."""

    text: str
    entries: tuple[str, ...]
    language: str | None = None


def cases(table: str) -> Iterator[Case]:
    stored = tomllib.loads((TABLES / f"{table}.toml").read_text(encoding="utf-8"))
    for text, expected in stored.items():
        if isinstance(expected, dict):
            yield from (Case(asked, _split(names), text) for asked, names in expected.items())
        else:
            yield Case(text, _split(expected))


def _split(names: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in names.split(","))


@pytest.fixture(scope="module")
def sample() -> Knowledge:
    return read_folder(SAMPLE, "de")[0]


def matcher_of(knowledge: Knowledge, encoder: Encoder) -> Matcher:
    defaults = Settings(Path())
    options = MatcherOptions(defaults.answer_above, defaults.offer_above, defaults.margin)
    return Matcher(knowledge, encoder, options)


@pytest.fixture(scope="module")
def matcher(sample: Knowledge, encoder: Encoder) -> Matcher:
    return matcher_of(sample, encoder)


@pytest.fixture(scope="module")
def german(sample: Knowledge, encoder: Encoder) -> Matcher:
    """Of the German pages alone."""
    pages = tuple(page for page in sample.pages if page.language == "de")
    return matcher_of(Knowledge.of(sample.folder, "de", pages), encoder)


def answered(match: Match) -> tuple[str, ...]:
    """The entries that are answered from."""
    if isinstance(match, Several):
        return tuple(found.best.entry for found in match.found)
    return (match.best.entry,) if isinstance(match, Found) else ()


def is_offered(match: Match, entry: str) -> bool:
    return answered(match) == (entry,) or (isinstance(match, Unsure) and entry in match.entries)


def misses(matcher: Matcher, table: str) -> list[str]:
    """The cases of a table that are not answered as they should be."""
    return [
        f"{case.text} -> {case.entries}, not {answered(match)}"
        for case, match in matched(matcher, table)
        if answered(match) != case.entries
    ]


def matched(matcher: Matcher, table: str) -> list[tuple[Case, Match]]:
    listed = list(cases(table))
    return list(zip(listed, matcher.match_many([Utterance(case.text) for case in listed]), strict=True))


# --- long and manifold -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "most_misses"), [("paragraphs", 4), ("two_questions", 3), ("looks_like_two", 3)]
)
def test_texts_of_a_table_are_answered_from_their_entries(
    matcher: Matcher, table: str, most_misses: int
) -> None:
    missed = misses(matcher, table)
    assert len(missed) <= most_misses, "\n".join(missed)


def test_a_story_that_nothing_answers_is_hardly_ever_answered(matcher: Matcher) -> None:
    wrong = [
        f"{case.text} -> {answered(match)}"
        for case, match in matched(matcher, "unanswerable")
        if answered(match)
    ]
    assert len(wrong) <= 3, "\n".join(wrong)


def test_an_ordinary_question_is_not_parted(matcher: Matcher) -> None:
    singles = (
        "When are you open?",
        "Kann ich mit Bus und Bahn kommen?",
        "parken",
        "",
        "주차는 어디에 하나요?",
    )
    assert [clauses_of(text) for text in singles] == [()] * len(singles)
