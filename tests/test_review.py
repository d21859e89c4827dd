"""The knowledge as a whole: does every question lead to its own entry, every arrow somewhere?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest

from assistant.knowledge.library import read_folder
from assistant.knowledge.review import OWN_SENTENCES, ReviewOptions, review
from assistant.knowledge.starter_base import write_starter
from assistant.matching.text import fold
from assistant.values import Candidate, Found, Knowledge, Match, Problem, Ranking, Unknown, Unsure, Utterance

TODAY = date(2027, 6, 1)
OPTIONS = ReviewOptions(margin=0.15, today=TODAY)
OWN_VOICE = "# Itself\n" + "".join(f"\n## {name}\n\n### Answer\nWell.\n" for name in OWN_SENTENCES)
HOURS = """# Visiting

## hours

### Questions
- When are you open?
- opening hours

### Answer
From ten to six.

### Checks
- yes: when do you shut
- no: where is the opening

## prices

### Questions
- How much is it?

### Answer
Twelve euros.
"""


class Exact:
    """A matcher that knows the questions by heart, and the answers it is told besides."""

    def __init__(self, knowledge: Knowledge, told: Mapping[str, Match] | None = None) -> None:
        self.owners = {fold(phrase.text): entry for entry in knowledge.entries for phrase in entry.questions}
        self.told = told or {}
        self.asked: list[Utterance] = []
        self.batches = 0

    def __call__(self, utterances: Sequence[Utterance]) -> Sequence[Match]:
        self.batches += 1
        self.asked.extend(utterances)
        return [self._match(utterance.text) for utterance in utterances]

    def _match(self, text: str) -> Match:
        owner = self.owners.get(fold(text))
        by_heart = found((owner.name, 0.9)) if owner else Unknown(Ranking(text, None), "nobody knows it")
        return self.told.get(text, by_heart)


def ranking(*candidates: tuple[str, float]) -> Ranking:
    return Ranking(
        "", "en", tuple(Candidate(name, chance, "en", f"words of {name}") for name, chance in candidates)
    )


def found(*candidates: tuple[str, float]) -> Found:
    return Found(ranking(*candidates), "clear")


def unsure(*candidates: tuple[str, float]) -> Unsure:
    return Unsure(ranking(*candidates), "unclear", tuple(name for name, _ in candidates))


SHUT = found(("hours", 0.8))


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Knowledge]:
    """Makes knowledge of pages, given as path and text; `_assistant.md` is there unless given."""
    monkeypatch.chdir(tmp_path)

    def make(pages: Mapping[str, str]) -> Knowledge:
        languages = {path.partition("/")[0] for path in pages}
        for path, text in {**{f"{tag}/_assistant.md": OWN_VOICE for tag in languages}, **pages}.items():
            page = Path("knowledge") / path
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        knowledge, problems = read_folder(Path("knowledge"), "en")
        assert problems == ()
        return knowledge

    return make


def told(problems: Sequence[Problem]) -> list[tuple[str, str, str]]:
    return [(str(problem.place), problem.kind, problem.severity) for problem in problems]


def test_a_base_in_order_has_no_problems(base: Callable[..., Knowledge]) -> None:
    knowledge = base({"en/visiting.md": HOURS})
    matcher = Exact(knowledge, {"when do you shut": SHUT})
    assert review(knowledge, matcher, OPTIONS) == ()
    assert Utterance("When are you open?", "en") in matcher.asked
    assert Utterance("where is the opening", "en") in matcher.asked


@pytest.mark.parametrize(
    ("text", "match", "expected", "words"),
    [
        ("opening hours", found(("prices", 0.9)), ("7", "stolen-question", "error"), "`prices`"),
        (
            "opening hours",
            unsure(("prices", 0.4), ("hours", 0.3)),
            ("7", "stolen-question", "error"),
            "`prices`",
        ),
        (
            "opening hours",
            Unknown(ranking(("hours", 0.1)), ""),
            ("7", "unanswered-question", "error"),
            "`hours`",
        ),
        ("opening hours", Unknown(ranking(), ""), ("7", "unanswered-question", "error"), "`hours`"),
        (
            "opening hours",
            found(("hours", 0.6), ("prices", 0.5)),
            ("7", "close-runner-up", "warning"),
            "`prices` (50%)",
        ),
        (
            "opening hours",
            unsure(("hours", 0.4), ("prices", 0.3)),
            ("7", "close-runner-up", "warning"),
            "`prices`",
        ),
        (
            "opening hours",
            unsure(("hours", 0.4), ("prices", 0.1)),
            ("7", "unsure-question", "warning"),
            "`hours`",
        ),
        ("when do you shut", found(("prices", 0.9)), ("13", "failing-check", "error"), "leads to `prices`"),
        (
            "when do you shut",
            unsure(("hours", 0.4)),
            ("13", "hesitant-check", "warning"),
            "after asking back",
        ),
        (
            "when do you shut",
            unsure(("prices", 0.4), ("hours", 0.3)),
            ("13", "failing-check", "error"),
            "unsure and offers `prices`, `hours`",
        ),
        ("when do you shut", Unknown(ranking(), ""), ("13", "failing-check", "error"), "nothing is found"),
        ("where is the opening", found(("hours", 0.9)), ("14", "failing-check", "error"), "must not"),
    ],
)
def test_a_phrase_that_leads_elsewhere_is_told_with_where_it_leads(
    base: Callable[..., Knowledge], text: str, match: Match, expected: tuple[str, str, str], words: str
) -> None:
    knowledge = base({"en/visiting.md": HOURS})
    line, kind, severity = expected
    problems = review(knowledge, Exact(knowledge, {"when do you shut": SHUT, text: match}), OPTIONS)
    assert told(problems) == [(f"knowledge/en/visiting.md:{line}", kind, severity)]
    assert words in problems[0].fact
    assert problems[0].hint
    assert problems[0].excerpt.endswith(text)


@pytest.mark.parametrize(
    "match",
    [found(("prices", 0.9)), unsure(("hours", 0.4)), Unknown(ranking(("hours", 0.2)), "")],
    ids=["found elsewhere", "offered", "unknown"],
)
def test_a_no_check_may_lead_anywhere_else(base: Callable[..., Knowledge], match: Match) -> None:
    knowledge = base({"en/visiting.md": HOURS})
    assert not review(
        knowledge, Exact(knowledge, {"when do you shut": SHUT, "where is the opening": match}), OPTIONS
    )


def test_a_question_in_two_entries_is_told_once_and_not_as_stolen(base: Callable[..., Knowledge]) -> None:
    text = HOURS.replace("- How much is it?", "- How much is it?\n- WHEN are you open")
    knowledge = base({"en/visiting.md": text.replace("- yes: when do you shut\n", "")})
    problems = review(knowledge, Exact(knowledge), OPTIONS)
    assert told(problems) == [("knowledge/en/visiting.md:19", "shared-question", "error")]
    assert "en/visiting.md:6" in problems[0].fact


PLAIN = "\n### Answer\nYes.\n"


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        (
            f"## a\n### Questions\n- one\n{PLAIN}### Next\n- b -> hour\n",
            [("9", "dead-arrow", "error")],
            "`-> hours`",
        ),
        (
            f"## a\n### Questions\n- one\n{PLAIN}### Next\n- b -> zzz\n",
            [("9", "dead-arrow", "error")],
            "`## zzz`",
        ),
        (f"## a\n{PLAIN}", [("2", "unreachable-step", "error")], "### Questions"),
        (
            f"## a\n{PLAIN}### Next\n- b -> b\n## b\n{PLAIN}### Next\n- a -> a\n",
            [("2", "unreachable-step", "error"), ("8", "unreachable-step", "error")],
            "arrow",
        ),
        (f"## a\n### Questions\n- one\n{PLAIN}### Next\n- b -> b\n## b\n{PLAIN}", [], ""),
        (
            "## a\n### Questions\n- one\n### Ask\nWhich?\n- here, in -> hours\n- online, Here! -> hours\n",
            [("8", "duplicate-choice", "error")],
            "words of its own",
        ),
        (
            "## a\n### Questions\n- one\n### Answer\n![Map](../media/mapp.png)\n",
            [("6", "missing-media", "error")],
            "`map.png`",
        ),
        (
            "## a\n### Questions\n- one\n### Answer\n![Map](../media/plans/x.pdf)\n",
            [("6", "missing-media", "error")],
            "knowledge/media/plans",
        ),
        ("## a\n### Questions\n- one\n### Answer\n![Map](../media/map.png)\n", [], ""),
        (
            f"## a\nValid until: 2027-05-31\n### Questions\n- one\n{PLAIN}",
            [("2", "expired", "warning")],
            "up to date",
        ),
        (f"## a\nValid until: 2027-06-01\n### Questions\n- one\n{PLAIN}", [], ""),
    ],
    ids=[
        "a dead arrow with a near name",
        "a dead arrow",
        "a step that nothing leads to",
        "steps that lead only to each other",
        "a step behind an arrow",
        "words that choose two things",
        "a misspelt picture",
        "a picture in a folder that is not there",
        "a picture",
        "a past date",
        "the last day",
    ],
)
def test_what_leads_nowhere_is_told(
    base: Callable[..., Knowledge], text: str, expected: list[tuple[str, str, str]], words: str
) -> None:
    knowledge = base(
        {"en/a.md": f"# A\n{text}", "en/hours.md": f"# B\n## hours\n### Questions\n- two\n{PLAIN}"}
    )
    Path("knowledge/media").mkdir()
    Path("knowledge/media/map.png").write_bytes(b"")
    problems = review(knowledge, Exact(knowledge), OPTIONS)
    assert told(problems) == [
        (f"knowledge/en/a.md:{line}", kind, severity) for line, kind, severity in expected
    ]
    assert all(words in problem.hint for problem in problems)


def test_missing_translations_are_told_once_an_entry(base: Callable[..., Knowledge]) -> None:
    step = f"## step\n{PLAIN}"
    knowledge = base(
        {
            "en/a.md": f"# A\n## a\n### Questions\n- one\n{PLAIN}### Next\n- step -> step\n{step}",
            "de/a.md": f"# A\n## a\n### Questions\n- eins\n{PLAIN}",
            "ko/a.md": f"# A\n## a\n{PLAIN}## b\n### Questions\n- 둘\n{PLAIN}",
            "de/_assistant.md": OWN_VOICE + f"\n## greeting\n{PLAIN}",
        }
    )
    problems = review(knowledge, Exact(knowledge), OPTIONS)
    assert [(*entry, problem.fact) for entry, problem in zip(told(problems), problems, strict=True)] == [
        (
            f"knowledge/{place}",
            "missing-translation",
            "warning",
            fact,
        )
        for place, fact in (
            ("de/_assistant.md:28", "entry `greeting` is not translated into `en`, `ko`"),
            ("en/a.md:10", "entry `step` is not translated into `de`, `ko`"),
            ("ko/a.md:2", "entry `a` has questions in `de`, `en`, but none in `ko`"),
            ("ko/a.md:6", "entry `b` is not translated into `en`, `de`"),
        )
    ]


def test_a_language_without_its_own_sentences_is_told(base: Callable[..., Knowledge]) -> None:
    pages = {
        "en/a.md": HOURS,
        "de/a.md": HOURS,
        "de/_assistant.md": OWN_VOICE.replace("## outdated", "## greeting"),
    }
    knowledge = base(pages)
    Path("knowledge/en/_assistant.md").unlink()
    knowledge, _ = read_folder(Path("knowledge"), "en")
    problems = review(knowledge, Exact(knowledge, {"when do you shut": SHUT}), OPTIONS)
    assert told(problems) == [
        ("knowledge/de/_assistant.md", "missing-own-sentence", "warning"),
        ("knowledge/en/_assistant.md", "no-own-voice", "warning"),
    ]
    assert "`outdated`" in problems[0].fact


def test_the_same_wording_in_two_languages_of_an_entry_is_fine(base: Callable[..., Knowledge]) -> None:
    knowledge = base({"en/a.md": HOURS, "de/a.md": HOURS})
    assert review(knowledge, Exact(knowledge, {"when do you shut": SHUT}), OPTIONS) == ()


def test_a_new_base_leads_everywhere_it_should(tmp_path: Path) -> None:
    write_starter(tmp_path)
    knowledge, _ = read_folder(tmp_path, "en")
    checks = {
        check.text: found((entry.name, 0.9))
        for entry in knowledge.entries
        for check in entry.checks
        if check.kind == "yes"
    }
    assert review(knowledge, Exact(knowledge, checks), OPTIONS) == ()


def test_a_large_base_is_asked_in_few_batches_with_progress(base: Callable[..., Knowledge]) -> None:
    entries = [
        f"## entry-{n}\n### Questions\n" + "".join(f"- what is number {n} of {m}\n" for m in range(5)) + PLAIN
        for n in range(1000)
    ]
    knowledge = base({"en/large.md": "# Large\n" + "".join(entries)})
    matcher = Exact(knowledge)
    seen: list[tuple[int, int]] = []
    options = ReviewOptions(0.15, TODAY, on_progress=lambda done, total: seen.append((done, total)))
    assert review(knowledge, matcher, options) == ()
    assert len(matcher.asked) == 5000
    assert matcher.batches <= 20
    assert seen == sorted(seen)
    assert seen[-1] == (5000, 5000)
