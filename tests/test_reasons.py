"""Why was it decided so? What an explanation says must be so, and what it advises must work."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answering import Assistant
from assistant.channels.explaining import explain
from assistant.channels.explaining_json import explanation_json
from assistant.channels.screen import Screen
from assistant.knowledge.library import read_folder
from assistant.matching import telling
from assistant.matching.deciding import answerable, decide
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.reasons import Explanation, explained
from assistant.matching.trials import answered_from, spoken_words, with_word, without
from assistant.ports import Encoder
from assistant.values import (
    Candidate,
    Conversation,
    Found,
    Knowledge,
    Match,
    Page,
    Part,
    Phrase,
    Place,
    Ranking,
    Several,
    Signs,
    Thresholds,
    Unsure,
    Utterance,
    outcome,
)
from tests.fakes import SHOP, FakePages, WordMatcher

REPOSITORY = Path(__file__).parents[1]
OPTIONS = MatcherOptions(Thresholds(answer_above=0.55, offer_above=0.3, margin=0.15))

# Asked of the sample base: what the explanation must say.
QUESTIONS = {
    "can I bring my dog": (
        "Answered, because `dogs` has this very question",
        "“Can I bring my dog?” (word for word)",
        "`dogs`, 9",
        "English, knowledge/en/visit.md:",
        "- Without “dog”: ",
        "Wrong answer? Move the question at knowledge/en/visit.md:",
    ),
    "Wo kann ich mein Auto abstellen?": (
        " that it is `parking`; I answer from 57% and 81% on.",
        "(by its words)",
        "`parking`, ",
        "German, knowledge/de/visit.md:",
        "In no question of the pages: “abstellen”",
        "- Without “Auto”: ",
        "Nothing else comes near: the next, ",
        "    - Wo kann ich mein Auto abstellen?",
    ),
    "Wann haben Sie geöfnet?": ("`opening-hours`", "read as “geöfnet” as “geöffnet”"),
    "do you ship to Austria": ("`delivery-abroad`", "How likely delivery-abroad is without each word (now "),
    "Ist der Laden am Feiertag zu?": ("`holiday-hours`", "by its meaning, hardly a word is the same"),
    "Ich brauche einen Beleg für die Steuer": ("`invoice-copy`", "In no question of the pages: "),
    "주차장이 있나요?": (
        " that it is `parking`; I answer from 57% and 81% on.",
        "Korean, knowledge/ko/visit.md:",
        "In no question of the pages: “주차장이”",
    ),
    "may I pay later in instalments": (" that it is `installments`; I answer from 57% and 81% on.",),
    "refund": (" that it is `refund-duration`; I answer from 57% and 81% on.", "    - refund"),
    "darf ich fotografieren": (
        "Not answered, because it is only ",
        " likely that a page answers it; I offer a choice from 30% on, and answer from 57% on. The nearest, ",
        "Should it be answered? Then write this under Questions of its entry",
    ),
    "was ist das": (
        "it holds only words that many questions share",
        "One word that names the matter is needed",
    ),
    "can I not bring my dog": (
        "Asked back, because `dogs` is only ",
        "the question says `not`, the phrase does not.",
        "What says the opposite of a phrase is offered at most, never answered.",
        "offered `dogs`",
        "- Without “not”: answered from `dogs`",
    ),
    "Où puis-je garer ma voiture ?": (
        " that it is `parking`; I answer from 57% and 81% on.",
        "asked in French",
        "In no question of the pages: any word of it",
    ),
    "I was so happy when we sang on the beach last summer. Where can I leave the car? My sister paints.": (
        "of several sentences the question is `Where can I leave the car?`",
        "    - Where can I leave the car?",
    ),
    "flurbelzork": (
        "Not answered: it is a single word that no question holds, and it is only ",
        " likely that a page answers it. The nearest, `",
        "A single new word may mean anything.",
    ),
    "სად არის მაღაზია": ("(Georgian) that no question uses", "Pages in that language would help."),
    "": ("(no words)", "Not answered: there is no word in it."),
    "?! 🙂": ("Not answered: there is no word in it.",),
    "Wann habt ihr offen? Und wo kann ich parken?": (
        "Answered: there are 2 questions in it, and each has its answer.",
        "1. “Wann habt ihr offen?”\nAnswered, because it is ",
        "2. “wo kann ich parken?”\nAnswered, because `parking` has this very question",
    ),
}  # fmt: skip
OFFERED = ("my parcel vanished", "Wo kann ich mein Auto abstellen?", "may I pay later in instalments")


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return read_folder(REPOSITORY / "knowledge", "en")[0]


@pytest.fixture(scope="module")
def matcher(knowledge: Knowledge, encoder: Encoder, cache: Path) -> Matcher:
    return Matcher(knowledge, encoder, replace(OPTIONS, cache_folder=cache))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def why(knowledge: Knowledge, matcher: Matcher) -> Callable[[str], Explanation]:
    known: dict[str, Explanation] = {}

    def ask(text: str) -> Explanation:
        if text not in known:
            asked = Utterance(text)
            known[text] = explained(knowledge, matcher, asked, matcher.match(asked))
        return known[text]

    return ask


def shown(told: Explanation, decided: str = "") -> str:
    stream = io.StringIO()
    explain(Screen(stream, is_terminal=False), told, "knowledge", decided)
    return stream.getvalue()


def each(told: Explanation) -> tuple[Explanation, ...]:
    """The explanation of a question, or of every one of several."""
    return told.parts or (told,)


# --- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda text: text[:20] or "empty")
def test_an_explanation_says(why: Callable[[str], Explanation], question: str) -> None:
    told = " ".join(shown(why(question)).split())
    for expected in QUESTIONS[question]:
        assert " ".join(expected.split()) in told


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda text: text[:20] or "empty")
def test_an_explanation_fits_on_a_terminal_and_speaks_as_editors_do(
    why: Callable[[str], Explanation], question: str
) -> None:
    told = shown(why(question))
    assert all(len(line) <= 80 for line in told.splitlines() if not line.startswith("    - "))
    assert "\x1b" not in told
    for jargon in ("logit", "log-odds", "cosine", "TF-IDF", "softmax", "witness", "vector"):
        assert jargon not in told


def test_on_a_terminal_a_name_keeps_its_colour_where_it_goes_on_in_the_next_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    stream, doubt = io.StringIO(), "it is like `" + "long words " * 10 + "` beside `other`"
    matcher, asked = SetMatcher(("parking", 0.8), doubt=doubt), Utterance("well")
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    explain(Screen(stream, is_terminal=True), told, "knowledge")
    lines = [line for line in stream.getvalue().splitlines() if "words" in line]
    assert len(lines) > 1
    assert all(re.match(r"\x1b\[[0-9;]*36m", line) for line in lines[1:])
    assert re.search(r"\x1b\[[0-9;]*36mother", stream.getvalue())
    assert not re.search(r"36m *beside", stream.getvalue())


def test_the_phrase_stands_where_it_is_said_to_stand(why: Callable[[str], Explanation]) -> None:
    for question in QUESTIONS:
        for told in each(why(question)):
            for standing in told.standings[:2]:
                assert standing.place
                lines = (REPOSITORY / "knowledge" / standing.place.path).read_text("utf-8").splitlines()
                assert standing.phrase in lines[standing.place.line - 1]
                assert standing.last_question
                page = REPOSITORY / "knowledge" / standing.last_question.path
                assert page.read_text("utf-8").splitlines()[standing.last_question.line - 1].startswith("- ")


def test_the_word_with_the_longest_bar_is_the_one_that_names_the_matter(
    why: Callable[[str], Explanation],
) -> None:
    for question, word in {
        "Wo kann ich mein Auto abstellen?": "Auto",
        "do you ship to Austria": "Austria",
        "can I bring my dog": "dog",
        "주차장이 있나요?": "주차장이",
    }.items():
        told = why(question)
        assert told.words[0].written == word
        assert [abs(word.part) for word in told.words] == sorted(
            (abs(word.part) for word in told.words), reverse=True
        )


# --- what is said is so -------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda text: text[:20] or "empty")
def test_without_a_word_it_becomes_what_is_said_and_only_decisive_words_change_the_decision(
    why: Callable[[str], Explanation], matcher: Matcher, question: str
) -> None:
    for told in each(why(question)):
        for word in told.words:
            if word.without is None:
                continue
            again = matcher.match(without(told.utterance, word.written))
            assert answered_from(again) == word.without.answered
            assert outcome(again) == word.without.outcome
            before = (outcome(told.match), answered_from(told.match))
            assert ((outcome(again), answered_from(again)) != before) == (word in told.decisive)


@pytest.mark.parametrize("question", OFFERED)
def test_a_word_that_is_advised_makes_it_answered(
    why: Callable[[str], Explanation], knowledge: Knowledge, encoder: Encoder, cache: Path, question: str
) -> None:
    first, asked = why(question).first, Utterance(question)
    assert first
    likely = answerable(why(question).match.ranking)
    just_missed = MatcherOptions(replace(OPTIONS.thresholds, answer_above=likely + 0.02), cache)
    careful = Matcher(knowledge, encoder, just_missed)
    told = explained(knowledge, careful, asked, careful.match(asked))
    assert isinstance(told.match, Unsure)
    assert "Asked back, because" in shown(told)
    assert "To have it answered, write this under Questions of the entry" in shown(told)
    for trial in told.added:
        again = careful.match(with_word(asked, trial.word))
        assert isinstance(again, Found)
        assert again.best.entry == first.entry
    assert told.added
    assert f"With “{told.added[0].word}”" in shown(told)


def test_written_down_where_it_is_advised_a_question_is_answered(
    why: Callable[[str], Explanation], knowledge: Knowledge, encoder: Encoder, cache: Path
) -> None:
    questions = (
        "darf ich fotografieren",
        "flurbelzork",
        "was ist das",
        "სად არის მაღაზია",
        "my card was eaten",
    )
    longer = knowledge
    for question in questions:
        told = why(question)
        assert not isinstance(told.match, Found)
        line = telling.worth_writing(told)
        assert f"    - {line}\n" in shown(told)
        assert told.first
        longer = with_question(longer, told.first.entry, told.match.ranking.language or "en", line)
    matcher = Matcher(longer, encoder, replace(OPTIONS, cache_folder=cache))
    for question in questions:
        match, first = matcher.match(Utterance(question)), why(question).first
        assert isinstance(match, Found)
        assert first
        assert match.best.entry == first.entry


def with_question(knowledge: Knowledge, name: str, language: str, text: str) -> Knowledge:
    """The same pages with one more question of an entry."""
    target = knowledge.entry(name, language)
    pages = tuple(
        replace(
            page,
            entries=tuple(
                replace(entry, questions=(*entry.questions, Phrase(text, Place(page.path, 1))))
                if entry is target
                else entry
                for entry in page.entries
            ),
        )
        for page in knowledge.pages
    )
    return Knowledge.of(knowledge.folder, knowledge.default_language, pages)


def test_the_signs_sum_to_the_two_probabilities_whose_product_is_that_of_the_first_entry(
    why: Callable[[str], Explanation],
) -> None:
    for question in ("Wo kann ich mein Auto abstellen?", "do you ship to Austria", "refund"):
        told = why(question)
        answerable, first = (
            1 / (1 + math.exp(-sum(sign.part for sign in signs)))
            for signs in (told.signs.answerable, told.signs.first)
        )
        assert told.first
        assert answerable == pytest.approx(told.match.ranking.answerable, abs=0.01)
        assert answerable * first == pytest.approx(told.first.probability, abs=0.01)


# --- decisions made by hand -----------------------------------------------------------------------


OPPOSITE = "the question says `not`, the phrase does not"


class SetMatcher:
    """Decides by a table of probabilities: whole texts, then words that a text holds."""

    thresholds = Thresholds(answer_above=0.55, offer_above=0.3, margin=0.15)

    def __init__(self, *ranked: tuple[str, float], doubt: str = "", answerable: float = 0.0) -> None:
        self._ranked, self._doubt, self._answerable = ranked, doubt, answerable

    def match(self, utterance: Utterance) -> Match:
        candidates = tuple(Candidate(name, share, "en", name) for name, share in self._ranked)
        ranking = Ranking(utterance.text, "en", candidates, answerable=self._answerable)
        return decide(ranking, self.thresholds, self._doubt)

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]:
        return [self.match(utterance) for utterance in utterances]

    def signs(self, _utterance: Utterance) -> Signs:
        return Signs()


@pytest.mark.parametrize(
    ("matcher", "decision"),
    [
        (
            SetMatcher(("opening-hours", 0.914), ("parking", 0.05)),
            "Answered, because it is 91% likely that a page answers it and, if so, 100% that it is "
            "`opening-hours`; I answer from 55% and 80% on.",
        ),
        (
            SetMatcher(("opening-hours", 0.74), ("parking", 0.05), answerable=0.8),
            "Answered, because it is 80% likely that a page answers it and, if so, 92% that it is "
            "`opening-hours`; I answer from 55% and 80% on.",
        ),
        (
            SetMatcher(("opening-hours", 0.6), ("parking", 0.2), answerable=0.9),
            "Asked back, because it is 90% likely that a page answers it, but, if so, only 67% that it is "
            "`opening-hours` (22% that it is `parking`); I answer from 80% on.",
        ),
        (
            SetMatcher(("opening-hours", 0.6), answerable=0.9),
            "Asked back, because it is 90% likely that a page answers it, but, if so, only 67% that it is "
            "`opening-hours`; I answer from 80% on.",
        ),
        (
            SetMatcher(("opening-hours", 0.48), ("parking", 0.2)),
            "Asked back, because it is only 48% likely that a page answers it; I answer from 55% on, "
            "7 points more.",
        ),
        (
            SetMatcher(("opening-hours", 0.5499), ("parking", 0.2)),
            "Asked back, because it is only 54.9% likely that a page answers it; I answer from 55% on, "
            "less than a point more.",
        ),
        (
            SetMatcher(("opening-hours", 0.61), ("parking", 0.52)),
            "Asked back, because `opening-hours` (61%) and `parking` (52%) are only 9 points apart; "
            "I answer from 15 points on.",
        ),
        (
            SetMatcher(("parking", 0.12)),
            "Not answered, because it is only 12% likely that a page answers it; "
            "I offer a choice from 30% on, and answer from 55% on. "
            "The nearest, `parking`, is 12% likely.",
        ),
        (
            SetMatcher(("parking", 0.8), doubt="it is a single word that no question holds"),
            "Asked back, although `parking` is 80% likely: it is a single word that no question holds.",
        ),
        (
            SetMatcher(("parking", 0.4), doubt="it is a single word that no question holds"),
            "Asked back, because `parking` is only 40% likely, and it is a single word "
            "that no question holds.",
        ),
        (
            SetMatcher(("parking", 0.5), doubt=OPPOSITE),
            "Asked back, because `parking` is only 50% likely, and the question says `not`, "
            "the phrase does not.",
        ),
        (SetMatcher(), "Not answered: there is nothing to compare with."),
    ],
)
def test_the_decision_is_told_with_the_threshold_it_passed_or_missed(
    matcher: SetMatcher, decision: str
) -> None:
    asked = Utterance("xyzzy foo")
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    assert telling.decision(told) == decision


def test_of_several_questions_it_says_how_many_have_an_answer() -> None:
    matcher = WordMatcher(SHOP)
    known, strange = Utterance("when are you open"), Utterance("what is life")
    parts = tuple(Part(each.text, matcher.match(each)) for each in (known, strange))  # type: ignore[arg-type]
    asked = Utterance("when are you open? and what is life?")
    told = explained(SHOP, matcher, asked, Several(parts[0].match.ranking, "two in one", parts))
    assert telling.decision(told) == "Answered in part: of the 2 questions in it, 1 can be answered."
    assert [telling.decision(part).partition(":")[0].partition(",")[0] for part in told.parts] == [
        "Answered",
        "Not answered",
    ]
    assert "\n1. “when are you open" in shown(told)
    assert "\n2. “what is life" in shown(told)


def test_small_talk_is_never_said_to_be_offered() -> None:
    page = Page("en/_assistant.md", "en", "Itself", tuple(SHOP.translations("repeat").values()))
    knowledge = Knowledge.of("", "en", (*SHOP.pages, page))
    matcher, asked = SetMatcher(("repeat", 0.4)), Utterance("hm hm")
    told = explained(knowledge, matcher, asked, matcher.match(asked))
    assert telling.offered(told) == ()
    assert "offered     nothing: small talk is never offered as a choice" in shown(told)


def test_where_no_word_decides_it_says_so() -> None:
    matcher, asked = SetMatcher(("parking", 0.9), ("opening-hours", 0.1)), Utterance("where to park")
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    assert telling.changes(told) == (
        "No single word decides: without any one of them it would still be answered.",
        "The next is `opening-hours` with 11%; above 20% I would ask back.",
    )


def test_words_are_known_small_or_new_to_the_base() -> None:
    matcher, asked = WordMatcher(SHOP), Utterance("when are you open for a zebra refund")
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    kinds = {word.written: word.kind for word in told.words}
    small = dict.fromkeys(("when", "are", "you", "for", "a"), "small")
    assert kinds == {**small, "open": "known", "refund": "known", "zebra": "unknown"}
    assert "In no question of the pages: “zebra”" in shown(told)


def test_a_word_in_the_way_of_an_answer_is_named() -> None:
    matcher, asked = WordMatcher(SHOP), Utterance("opening hours zebra giraffe")
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    assert isinstance(told.match, Unsure)
    assert telling.changes(told)[:2] == (
        "Without “zebra”: answered from `opening-hours`, 67% likely.",
        "Without “giraffe”: answered from `opening-hours`, 67% likely.",
    )


def test_a_heard_question_is_explained_with_all_its_readings() -> None:
    matcher, asked = WordMatcher(SHOP), Utterance("when are you hoping", "en", ("when are you open",))
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    assert "  also heard  “when are you open”" in shown(told)


def test_the_door_of_the_assistant_explains_what_it_would_answer() -> None:
    assistant = Assistant(FakePages(SHOP), WordMatcher)
    told = assistant.explain(Conversation(), Utterance("When are you open?"))
    assert telling.decision(told) == "Answered, because `opening-hours` has this very question (100% likely)."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("?! 🙂 -", ()),
        ("When are you open?", ("When", "are", "you", "open")),
        ("„Hallo“, (e-mail) don't  stop!", ("Hallo", "e-mail", "don't", "stop")),
        ("the The THE cat", ("the", "cat")),
        ("हिन्दी में?", ("हिन्दी", "में")),
    ],
)
def test_the_words_of_a_text_are_those_that_were_written(text: str, found: tuple[str, ...]) -> None:
    assert spoken_words(text) == found


def test_a_word_is_left_out_wherever_it_stands_and_in_every_reading() -> None:
    asked = Utterance("The cat, and THE dog", "en", ("the cat", "a dog"))
    assert without(asked, "the") == Utterance("cat, and dog", "en", ("cat", "a dog"))


@pytest.mark.parametrize(
    ("text", "longer"),
    [("when?", "when today?"), ("when", "when today"), ("", " today"), ("so ...", "so today...")],
)
def test_a_word_is_added_before_the_question_mark(text: str, longer: str) -> None:
    assert with_word(Utterance(text), "today").text == longer


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=80))
def test_no_text_makes_explaining_raise(text: str) -> None:
    matcher, asked = WordMatcher(SHOP), Utterance(text)
    told = explained(SHOP, matcher, asked, matcher.match(asked))
    assert telling.decision(told) in " ".join(shown(told).split())
    assert explanation_json(told, "knowledge").startswith("{")
