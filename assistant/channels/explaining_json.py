"""An explanation as one JSON document; its fields never change their meaning."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from assistant.knowledge.folders import shown
from assistant.matching import telling
from assistant.matching.deciding import answerable
from assistant.values import Found, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from assistant.matching.reasons import Explanation, Standing, Word
    from assistant.matching.trials import Trial
    from assistant.values import Place, Witness


def explanation_json(told: Explanation, folder: str) -> str:
    """Everything that is known about the decision; `folder` is where the pages lie."""
    document = _document(told, folder)
    # A lone surrogate is valid in a Python text and in no encoding: it becomes "?".
    return json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace").decode("utf-8")


def _document(told: Explanation, folder: str) -> dict[str, Any]:
    return {
        **_decided(told),
        "standings": [_standing(standing, folder) for standing in told.standings],
        **_tried(told),
        **_measured(told),
        "parts": [_document(part, folder) for part in told.parts],
    }


def _decided(told: Explanation) -> dict[str, Any]:
    match = told.match
    return {
        "question": told.utterance.text,
        "also_heard": list(told.utterance.also_heard),
        "read": told.read,
        "compared": match.ranking.compared,
        "language": match.ranking.language,
        "outcome": outcome(match),
        "entry": match.best.entry if isinstance(match, Found) else None,
        "offered": list(telling.offered(told)),
        "decision": telling.decision(told),
        "doubt": told.doubt or None,
        "likeness": told.likeness if told.first else None,
        "answerable": _rounded(answerable(match.ranking)),
        "thresholds": asdict(told.thresholds),
        "notes": list(match.ranking.notes),
    }


def _tried(told: Explanation) -> dict[str, Any]:
    return {
        "words": [_word(word) for word in told.words],
        "read_as": [{"written": written, "read": read} for written, read in told.read_as],
        "answered_with": [_trial(trial) for trial in told.added],
        "changes": list(telling.changes(told)),
        "line_to_write": f"- {telling.worth_writing(told)}",
    }


def _measured(told: Explanation) -> dict[str, Any]:
    candidates = told.match.ranking.candidates
    return {
        "signs": {
            "answerable": _witnesses(told.signs.answerable),
            "first": _witnesses(told.signs.first),
        },
        "witnesses": {candidate.entry: _witnesses(candidate.witnesses) for candidate in candidates},
    }


def _standing(standing: Standing, folder: str) -> dict[str, Any]:
    return {
        "entry": standing.entry,
        "probability": _rounded(standing.probability),
        "phrase": standing.phrase,
        "language": standing.language,
        "place": _place(standing.place, folder),
        "write_below": _place(standing.last_question, folder),
    }


def _place(place: Place | None, folder: str) -> dict[str, Any] | None:
    return {"path": shown(folder, place.path), "line": place.line} if place else None


def _word(word: Word) -> dict[str, Any]:
    return {
        "word": word.written,
        "kind": word.kind,
        "part": _rounded(word.part),
        "without": _trial(word.without) if word.without else None,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "word": trial.word,
        "question": trial.question,
        "outcome": trial.outcome,
        "answered": list(trial.answered),
        "first": trial.first,
        "first_probability": _rounded(trial.first_probability),
        "probability": _rounded(trial.probability),
    }


def _witnesses(witnesses: Iterable[Witness]) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "value": _rounded(each.value), "part": _rounded(each.part)} for each in witnesses
    ]


def _rounded(number: float) -> float:
    return round(number, 4)
