"""Turns, problems and failures as lines of text: plain ones for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from assistant.channels.plain_text import plain_text
from assistant.values import Found, Heard, Knowledge, Part, Problem, Reply, Several, Turn, outcome

_EXIT_CODES = {"found": 0, "unsure": 2, "unknown": 3}
_CANDIDATES = 5


def exit_code(turn: Turn) -> int:
    """0 answered, 2 unsure, 3 unknown."""
    return _EXIT_CODES[outcome(turn.match)]


def json_line(turn: Turn, knowledge: Knowledge, heard: Heard | None = None) -> str:
    """One turn as one JSON object on one line, for machines; its fields never change their meaning."""
    match = turn.match
    ranked = [(candidate.entry, round(candidate.probability, 4)) for candidate in match.ranking.candidates]
    # Only where there are several: an ordinary turn keeps to the fields it has always had.
    parts = [_part_as_json(part) for part in match.parts] if isinstance(match, Several) else []
    shown = list(_filled_up(ranked[:_CANDIDATES], knowledge))
    return _json(
        {
            "question": turn.utterance.text,
            "outcome": outcome(match),
            "entry": match.best.entry if isinstance(match, Found | Several) else None,
            "probability": ranked[0][1] if ranked else 0.0,
            "candidates": [{"entry": entry, "probability": probability} for entry, probability in shown],
            "language": turn.reply.language,
            "answer": turn.reply.text,
            "spoken": turn.reply.spoken,
            "heard": {"text": heard.text, "also_heard": list(heard.also_heard)} if heard else None,
            "ms": round(turn.milliseconds, 1),
            **({"parts": parts} if parts else {}),
        }
    )


def _part_as_json(part: Part) -> dict[str, object]:
    """One of several questions in a text."""
    best = next(iter(part.match.ranking.candidates), None)
    return {
        "question": part.text,
        "outcome": outcome(part.match),
        "entry": part.match.best.entry if isinstance(part.match, Found) else None,
        "probability": round(best.probability, 4) if best else 0.0,
    }


def _filled_up(ranked: list[tuple[str, float]], knowledge: Knowledge) -> Iterator[tuple[str, float]]:
    """At least three: whoever reads this by machine need not count."""
    yield from ranked
    named = {entry for entry, _ in ranked}
    asked = dict.fromkeys(entry.name for entry in knowledge.entries if entry.questions)
    others = (name for name in asked if name not in named)
    yield from ((name, 0.0) for name, _ in zip(others, range(3 - len(ranked)), strict=False))


def reply_lines(reply: Reply) -> Iterator[str]:
    """The answer as plain text, then the choices, numbered."""
    yield plain_text(reply.text)
    yield from (f"  {number}. {choice.label}" for number, choice in enumerate(reply.choices, 1))


def problem_lines(problem: Problem) -> Iterator[str]:
    """Place and fact, the line as it was written, the way out."""
    yield f"{problem.place}: {problem.fact}"
    if problem.excerpt:
        yield f"    {problem.place.line} | {problem.excerpt}"
    if problem.hint:
        yield f"    hint: {problem.hint}"


def check_json(knowledge: Knowledge, problems: Sequence[Problem]) -> str:
    """What `check` found, as one JSON document."""
    listed = [_as_json(problem) for problem in problems]
    return _json({"ok": not has_errors(problems), **counts(knowledge), "problems": listed}, 2)


def summary(knowledge: Knowledge, problems: Sequence[Problem]) -> str:
    """Numbers and a verdict: "52 entries, 3 languages, 610 questions, 150 checks: all good"."""
    errors = sum(problem.severity == "error" for problem in problems)
    verdicts = (_counted(errors, "error"), _counted(len(problems) - errors, "warning"))
    verdict = ", ".join(text for text in verdicts if not text.startswith("0 ")) or "all good"
    words = (("entries", "entry"), ("languages", "language"), ("questions", "question"), ("checks", "check"))
    told = ", ".join(_counted(counts(knowledge)[many], one, many) for many, one in words)
    return f"{told}: {verdict}"


def counts(knowledge: Knowledge) -> dict[str, int]:
    entries = tuple(knowledge.entries)
    return {
        "entries": len(knowledge.names),
        "languages": len(knowledge.languages),
        "questions": sum(len(entry.questions) for entry in entries),
        "checks": sum(len(entry.checks) for entry in entries),
    }


def has_errors(problems: Sequence[Problem]) -> bool:
    return any(problem.severity == "error" for problem in problems)


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _as_json(problem: Problem) -> dict[str, object]:
    return {
        "kind": problem.kind,
        "severity": problem.severity,
        "path": problem.place.path,
        "line": problem.place.line,
        "fact": problem.fact,
        "hint": problem.hint,
    }


def _json(value: Any, indent: int | None = None) -> str:
    # A lone surrogate is valid in a Python text and in no encoding: it becomes "?".
    return json.dumps(value, ensure_ascii=False, indent=indent).encode("utf-8", "replace").decode("utf-8")
