"""Asks every question and every check of the knowledge, and tells which end up elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.knowledge.names import quoted
from assistant.matching.text import fold
from assistant.values import (
    Candidate,
    Entry,
    Found,
    Knowledge,
    Match,
    Place,
    Problem,
    Several,
    Unknown,
    Unsure,
    Utterance,
)

Matcher = Callable[[Sequence[Utterance]], Sequence[Match]]

BATCH = 500  # phrases asked at once: enough to be quick, few enough to show progress


@dataclass(frozen=True, slots=True)
class Asked:
    """One phrase of an entry and what is expected of it."""

    entry: Entry
    kind: Literal["question", "yes", "no"]
    text: str
    place: Place

    @property
    def written(self) -> str:
        """The line as it stands on the page."""
        return f"- {self.text}" if self.kind == "question" else f"- {self.kind}: {self.text}"


def review_questions(
    knowledge: Knowledge,
    match_many: Matcher,
    margin: float,
    on_progress: Callable[[int, int], None] | None = None,
) -> Iterator[Problem]:
    """Ask everything, `BATCH` phrases at a time, and report what goes astray."""
    asked = list(_phrases(knowledge))
    for start in range(0, len(asked), BATCH):
        batch = asked[start : start + BATCH]
        matches = match_many([Utterance(each.text, each.entry.language) for each in batch])
        for each, match in zip(batch, matches, strict=True):
            problem = _judged(each, match, margin)
            if problem:
                yield problem
        if on_progress:
            on_progress(start + len(batch), len(asked))


def _phrases(knowledge: Knowledge) -> Iterator[Asked]:
    """Every phrase; a question that stands in two entries is left out, for that is told already."""
    owners = defaultdict(set)
    for entry in knowledge.entries:
        for question in entry.questions:
            owners[entry.language, fold(question.text)].add(entry.name)
    for entry in knowledge.entries:
        for question in entry.questions:
            if len(owners[entry.language, fold(question.text)]) == 1:
                yield Asked(entry, "question", question.text, question.place)
        for check in entry.checks:
            yield Asked(entry, check.kind, check.text, check.place)


def _judged(asked: Asked, match: Match, margin: float) -> Problem | None:
    if asked.kind == "question":
        return _judged_question(asked, match, margin)
    here = next((best for best in _answers(match) if best.entry == asked.entry.name), None)
    if asked.kind == "no":
        return _answered_wrongly(asked, here) if here else None
    if here and isinstance(match, Found):
        return None
    hint = "add a question with the words that matter here"
    if here:
        fact = f"this leads to entry `{asked.entry.name}` and to more: {_outcome(match)}"
        return _problem("hesitant-check", asked, fact, hint, "warning")
    if isinstance(match, Unsure) and match.entries[0] == asked.entry.name:
        # One press of a button leads here: not what was asked for, but no wrong answer either.
        fact = f"this leads to entry `{asked.entry.name}` only after asking back: {_outcome(match)}"
        return _problem("hesitant-check", asked, fact, hint, "warning")
    return _problem(
        "failing-check", asked, f"this must lead to entry `{asked.entry.name}`, but {_outcome(match)}", hint
    )


def _answers(match: Match) -> tuple[Candidate, ...]:
    """Whatever is answered at once: of several questions in one text, each that is found."""
    if isinstance(match, Several):
        return tuple(found.best for found in match.found)
    return (match.best,) if isinstance(match, Found) else ()


def _answered_wrongly(asked: Asked, here: Candidate) -> Problem:
    fact = f"this must not be answered from entry `{asked.entry.name}`, but it is"
    hint = f"the nearest wording there is `{here.phrase}`: make the two differ"
    return _problem("failing-check", asked, fact, hint)


def _judged_question(asked: Asked, match: Match, margin: float) -> Problem | None:
    """A question must win for its own entry, clearly."""
    name, candidates = asked.entry.name, match.ranking.candidates
    fact = f"this question of entry `{name}`"
    if isinstance(match, Unknown) or not candidates:
        hint = "it has too few words of its own: write it as a customer would say it"
        return _problem("unanswered-question", asked, f"{fact} is not answered at all", hint)
    best = candidates[0]
    if best.entry != name:
        hint = f"the nearest wording there is `{best.phrase}`: keep one of the two, or make them differ"
        return _problem("stolen-question", asked, f"{fact} leads to entry `{best.entry}`", hint)
    runner_up = next((other for other in candidates[1:] if other.entry != name), None)
    if runner_up and best.probability - runner_up.probability < margin:
        return _close(asked, best, runner_up)
    if isinstance(match, Unsure):
        hint = "write it with more words of its own"
        return _problem("unsure-question", asked, f"{fact} is not answered at once", hint, "warning")
    return None


def _close(asked: Asked, best: Candidate, runner_up: Candidate) -> Problem:
    fact = (
        f"this question of entry `{asked.entry.name}` ({best.probability:.0%}) is close to "
        f"entry `{runner_up.entry}` ({runner_up.probability:.0%})"
    )
    hint = f"the nearest wording there is `{runner_up.phrase}`: make the two differ"
    return _problem("close-runner-up", asked, fact, hint, "warning")


def _outcome(match: Match) -> str:
    if answers := _answers(match):
        return f"it leads to {quoted([best.entry for best in answers])}"
    if isinstance(match, Unsure):
        return f"the assistant is unsure and offers {quoted(match.entries)}"
    return "nothing is found"


def _problem(
    kind: str, asked: Asked, fact: str, hint: str, severity: Literal["error", "warning"] = "error"
) -> Problem:
    return Problem(kind, asked.place, fact, hint, asked.written, severity)
