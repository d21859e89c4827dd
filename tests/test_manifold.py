"""Long and manifold texts, dialects and languages without a page: tables of cases, a line each.

The real encoder over the sample pages. A table states how many of its cases must hold, because a
probability on the edge may fall either way when the weights are learned anew.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from fakes import SHOP, TODAY, base, entry, found, unknown, unsure
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.channels.lines import exit_code, json_line
from assistant.dialogue.replying import reply
from assistant.dialogue.wanted_language import language_wanted
from assistant.knowledge.library import read_folder
from assistant.knowledge.questioning import review_questions
from assistant.matching.dialects import in_standard_german
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.sentences import clauses_of
from assistant.matching.telltale import foreign_language
from assistant.ports import Encoder
from assistant.values import (
    Check,
    Conversation,
    Found,
    Knowledge,
    Match,
    Part,
    Place,
    Ranking,
    Reply,
    Several,
    Turn,
    Unsure,
    Utterance,
)

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
    options = MatcherOptions()
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
    ("table", "most_misses"), [("paragraphs", 6), ("two_questions", 3), ("looks_like_two", 3)]
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


def test_an_ordinary_question_is_not_parted() -> None:
    singles = (
        "When are you open?",
        "Kann ich mit Bus und Bahn kommen?",
        "parken",
        "",
        "주차는 어디에 하나요?",
    )
    assert [clauses_of(text) for text in singles] == [()] * len(singles)


# --- languages without a page --------------------------------------------------------------------


@pytest.mark.parametrize(("table", "most_misses"), [("foreign", 3)])
def test_a_question_in_another_language_finds_the_entry_of_the_german_pages(
    german: Matcher, table: str, most_misses: int
) -> None:
    missed = [
        f"{case.language} {case.text}: {match.ranking.candidates[:2]}"
        for case, match in matched(german, table)
        if not is_offered(match, case.entries[0])
    ]
    assert len(missed) <= most_misses, "\n".join(missed)


def test_a_question_in_a_dialect_finds_its_entry(matcher: Matcher) -> None:
    asked = matched(matcher, "dialects")
    missed = [case.text for case, match in asked if not is_offered(match, case.entries[0])]
    wrong = [
        f"{case.text}: {answered(match)}"
        for case, match in asked
        if answered(match) not in ((), case.entries)
    ]
    assert len(missed) <= 4, "\n".join(missed)
    assert len(wrong) <= 1, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("Wänn händ ihr offe?", "wann habt ihr offen?"),
        ("Wia lang hobts ihr heit offen?", "wie lang habt ihr heute offen?"),
        ("Wo ko i mei Auto histelln?", "Wo kann ich mein Auto hinstellen?"),
        ("Wann haben Sie offen?", None),
        ("My hob is broken, can I return it?", None),
        ("a b i s", None),
        ("", None),
    ],
)
def test_a_dialect_is_read_as_standard_german(text: str, standard: str | None) -> None:
    assert in_standard_german(text) == standard


def test_what_nothing_answers_is_not_answered_in_another_language_either(german: Matcher) -> None:
    foreign = [case for case in cases("unanswerable") if case.language]
    matches = german.match_many([Utterance(case.text) for case in foreign])
    wrong = [case.text for case, match in zip(foreign, matches, strict=True) if answered(match)]
    assert len(wrong) <= 1, "\n".join(wrong)


def test_another_language_is_told_where_it_is_plain_and_never_a_wrong_one() -> None:
    told = {case: foreign_language(case.text, ["de"], ["LATIN"]) for case in cases("foreign")}
    assert {case.text: tag for case, tag in told.items() if tag not in (case.language, None)} == {}
    assert sum(tag is not None for tag in told.values()) >= 0.9 * len(told)


def test_a_dialect_is_not_taken_for_another_language() -> None:
    told = {case.text: foreign_language(case.text, ["de"], ["LATIN"]) for case in cases("dialects")}
    assert {text: tag for text, tag in told.items() if tag} == {}


# --- two answers in one reply ----------------------------------------------------------------------


def several(*parts: Part) -> Several:
    candidates = tuple(candidate for one in parts for candidate in one.match.ranking.candidates)
    return Several(Ranking("both", "en", candidates), "two questions", parts)


def part(text: str, entry_name: str) -> Part:
    return Part(text, found(entry_name, 0.95))


def answers(match: Match, text: str = "both") -> tuple[Conversation, Reply]:
    return reply(SHOP, Conversation(), Utterance(text), match, TODAY)


def test_two_questions_get_both_answers_each_under_what_it_answers() -> None:
    _, given = answers(several(part("when open", "opening-hours"), part("a person?", "person-please")))
    first, second = SHOP.entry("opening-hours", "en"), SHOP.entry("person-please", "en")
    assert first and second
    assert (
        given.text.index(first.questions[0].text)
        < given.text.index(first.answer)
        < given.text.index(second.answer)
    )
    assert (given.entry, given.also) == ("opening-hours", ("person-please",))


def test_an_answer_that_asks_back_comes_last_and_waits() -> None:
    after, given = answers(several(part("a refund", "refund"), part("when open", "opening-hours")))
    refund = SHOP.entry("refund", "en")
    assert refund and refund.ask and after.waiting
    assert given.text.endswith(refund.ask.text)
    assert [choice.entry for choice in given.choices] == [arrow.target for arrow in refund.ask.arrows]


def test_a_question_that_is_not_sure_is_offered_after_the_answer_to_the_other() -> None:
    _, given = answers(
        several(Part("the money", unsure("refund", "person-please")), part("open?", "opening-hours"))
    )
    assert given.entry == "opening-hours"
    assert "**the money**" in given.text
    assert [choice.entry for choice in given.choices] == ["refund", "person-please"]


def test_a_question_that_nothing_answers_is_told_beside_the_answer_to_the_other() -> None:
    _, given = answers(several(part("open?", "opening-hours"), Part("any unicorns", unknown())))
    assert "**any unicorns**" in given.text
    assert given.entry == "opening-hours"


def test_two_answers_are_repeated_in_another_language_when_it_is_asked_for() -> None:
    after, _ = answers(several(part("when open", "opening-hours"), part("a person?", "person-please")))
    _, again = reply(SHOP, after, Utterance("say it in German please"), unknown(), TODAY)
    assert again.language == "de"
    assert (again.entry, again.also) == ("opening-hours", ("person-please",))


# --- the language of the reply ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("auf Deutsch bitte", "de"),
        ("say it in german", "de"),
        ("Können Sie das bitte noch mal auf Englisch sagen?", "en"),
        ("in english please", "en"),
        ("English", "en"),
        ("영어로 말해 주세요", "en"),
        ("en français s'il vous plaît", "fr"),
        ("Do you speak Korean?", "ko"),
        ("Do you have German beer?", None),
        ("I do not speak German", None),
        ("Is the manual in German or in English?", None),
        ("please", None),
        ("", None),
    ],
)
def test_a_language_is_wanted_where_the_text_asks_for_one_and_nothing_else(
    text: str, tag: str | None
) -> None:
    assert language_wanted(text) == tag


def test_a_reply_says_its_language_to_a_customer_whose_language_has_no_page() -> None:
    _, french = reply(SHOP, Conversation(), Utterance("où"), found("parking", language="fr"), TODAY)
    _, english = reply(SHOP, Conversation(), Utterance("where"), found("parking", language="en"), TODAY)
    assert english.text == "Behind the shop."
    assert french.text == "I can answer this in English only:\n\nBehind the shop."
    assert french.spoken.startswith("I can answer this in English only")


def test_a_language_without_pages_is_asked_for_in_vain_and_politely() -> None:
    after, _ = reply(SHOP, Conversation(), Utterance("where"), found("parking"), TODAY)
    _, again = reply(SHOP, after, Utterance("in French please"), unknown(), TODAY)
    assert again.text == "I can answer this in English only:\n\nBehind the shop."


def test_who_asks_for_a_language_before_anything_was_said_is_greeted_in_it() -> None:
    after, given = reply(SHOP, Conversation(), Utterance("auf Deutsch bitte"), unknown(), TODAY)
    assert (given.language, after.chosen_language) == ("de", "de")
    assert given.text


def test_an_own_sentence_in_another_language_than_the_answer_is_not_said() -> None:
    danish = base(
        entry("parking", "da", "Hvor kan jeg parkere?", answer="Bag butikken."), default_language="da"
    )
    _, given = reply(danish, Conversation(), Utterance("où"), found("parking", language="fr"), TODAY)
    assert given.text == "Bag butikken."


# --- checks that editors write ------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "problem"), [("yes", "hesitant-check"), ("no", "failing-check")])
def test_a_check_that_is_answered_from_two_entries_is_told(kind: Literal["yes", "no"], problem: str) -> None:
    here = Place("test.md", 7)
    checked = base(entry("parking", "en", checks=(Check(kind, "where to park and when", here),)))
    match = several(part("where to park", "parking"), part("when", "opening-hours"))
    problems = list(review_questions(checked, lambda asked: [match] * len(asked), margin=0.1))
    assert [each.kind for each in problems] == [problem]
    assert [each.place for each in problems] == [here]


def test_machines_read_each_of_several_questions() -> None:
    match = several(part("when", "opening-hours"), Part("any unicorns", unknown()))
    turn = Turn(Utterance("both"), match, answers(match)[1])
    told = json.loads(json_line(turn, SHOP))
    assert (told["outcome"], told["entry"]) == ("unsure", "opening-hours")
    assert [(each["question"], each["entry"]) for each in told["parts"]] == [
        ("when", "opening-hours"),
        ("any unicorns", None),
    ]
    assert exit_code(turn) == 2


def test_of_many_questions_the_first_three_that_are_found_are_answered(matcher: Matcher) -> None:
    text = (
        "Wer malte die Mona Lisa? Wer schrieb den Faust? Wie hoch ist der Brocken? Wo kann ich parken? "
        "Sind Hunde erlaubt? Gibt es WLAN? Wo sind die Toiletten?"
    )
    assert answered(matcher.match(Utterance(text))) == ("parking", "dogs", "wifi")


@given(
    st.lists(
        st.sampled_from(
            ["Wo kann ich parken?", "Hallo!", "und", "?", "...", "Hunde", "is it", "😀.", "danke,", "\n"]
        ),
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None)
def test_whatever_the_sentences_each_text_is_judged_and_its_probabilities_sum_to_one_at_most(
    matcher: Matcher, pieces: list[str]
) -> None:
    match = matcher.match(Utterance(" ".join(pieces)))
    likely = [candidate.probability for candidate in match.ranking.candidates]
    # What stands on a page word for word is certain, and its near twins stay as near as they are.
    is_certain = max(likely, default=0.0) >= 0.97
    assert all(one <= 1 for one in likely) if is_certain else sum(likely) <= 1.001
    if isinstance(match, Several):
        assert 2 <= len(match.parts) <= 3
        assert match.found
