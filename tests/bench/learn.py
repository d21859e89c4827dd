"""Learn the matcher's weights from public sets: python -m tests.bench.learn FOLDER [KIND ...]

Writes assistant/matching/weights.json (learned on every set) and tests/bench/held_out.json (for each
family of sets, weights learned on all the others: the ones its numbers are reported with). The kinds
are "with encoder", "without encoder" and "accurate"; where some are named, the others stay as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from assistant.matching.evidence import WITNESSES, Evidence, gather
from assistant.matching.ranking import Belief, Curve, Weights, signs
from assistant.matching.semantic import open_encoder
from assistant.matching.side_by_side import open_accurate_encoder
from assistant.ports import Encoder
from tests.bench.loading import Loaded
from tests.bench.options import options
from tests.bench.sets import BenchSet, learning_sets

Array = npt.NDArray[np.float64]
Bounds = list[tuple[float | None, float | None]]

SHIPPED = Path(__file__).parents[2] / "assistant" / "matching" / "weights.json"
HELD_OUT = Path(__file__).with_name("held_out.json")
KINDS = ("with encoder", "without encoder", "accurate")
_RANKING_PENALTY, _CONFIDENCE_PENALTY = 0.002, 0.003  # L2
_POINTS = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)  # shares of the examples: where a curve may bend
# The others order entries in some families and disorder them in others: with all of them 85.2 instead of
# 84.8 of 100 were right on CLINC150 and 87.0 instead of 86.7 on a German FAQ. They count for the confidence.
_RANKED_BY = ("letters", "words in common", "trained on everything", "word by word")


@dataclass(frozen=True, slots=True)
class Example:
    """The evidence for one question, and which of the shortlisted entries answer it."""

    evidence: Evidence
    right: npt.NDArray[np.bool_]
    importance: float  # a set of n questions weighs as sqrt(n)
    families: frozenset[str]  # of the base and of the question


@dataclass(frozen=True, slots=True)
class Measured:
    """The examples of one set."""

    name: str
    family: str
    examples: list[Example]


def measure(bench: BenchSet, encoder: Encoder | None) -> Measured:
    loaded = Loaded(bench, encoder)
    examples = []
    for texts, questions in loaded.asked_in_chunks():
        for evidence, question in zip(gather(loaded.phrases, loaded.heads, texts), questions, strict=True):
            right = np.isin(evidence.entries, list(question.entries))
            families = frozenset((bench.family, question.family))
            examples.append(Example(evidence, right, len(bench.questions) ** -0.5, families))
    print(f"  {bench.name}: {bench.size} entries, {len(examples)} questions", flush=True)
    return Measured(bench.name, bench.family, examples)


def learn(examples: Sequence[Example]) -> Weights:
    ranking = learn_ranking([example for example in examples if example.right.any()])
    measured = np.array([signs(example.evidence, ranking) for example in examples], np.float64)
    importance = np.array([example.importance for example in examples])
    is_any = np.array([example.right.any() for example in examples])
    is_first = np.array([e.right[(e.evidence.values @ ranking).argmax()] for e in examples])
    return Weights(
        ranking,
        answerable=learn_belief(measured, is_any, importance),
        confidence=learn_belief(measured[is_any], is_first[is_any], importance[is_any]),
    )


def learn_ranking(examples: Sequence[Example]) -> npt.NDArray[np.float32]:
    """Weights, none below zero, that give the right entries the largest share (softmax) of a question."""
    rows = max(len(example.right) for example in examples)
    values = np.zeros((len(examples), rows, len(WITNESSES)))
    there = np.zeros((len(examples), rows), bool)
    right = np.zeros((len(examples), rows), bool)
    for number, example in enumerate(examples):
        count = len(example.right)
        values[number, :count], there[number, :count], right[number, :count] = (
            example.evidence.values,
            True,
            example.right,
        )
    importance = np.array([example.importance for example in examples])
    importance /= importance.sum()
    scale = np.maximum(values[there].std(axis=0), 1e-6)
    values /= scale

    def loss(weights: Array) -> tuple[float, Array]:
        scores = np.where(there, values @ weights, -np.inf)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        hits = np.where(right, shares, 0)
        found = np.maximum(hits.sum(axis=1, keepdims=True), 1e-12)
        slope = np.einsum("q,qe,qew->w", importance, shares - hits / found, values, optimize=True)
        penalty = _RANKING_PENALTY * weights
        return float(-(importance * np.log(found[:, 0])).sum() + penalty @ weights / 2), slope + penalty

    bounds: Bounds = [(0, None if name in _RANKED_BY else 0) for name in WITNESSES]
    return np.asarray(_minimise(loss, len(WITNESSES), bounds) / scale, np.float32)


def learn_belief(values: Array, is_so: npt.NDArray[np.bool_], importance: Array) -> Belief:
    """How likely is it so? Logistic regression in which each sign adds a rising curve: a sum of ramps,
    none below zero, between points that parts of the examples lie below."""
    importance = importance / importance.sum()
    points = [np.unique(np.quantile(own, _POINTS)) for own in values.T]
    ramps = [_ramps(own, at) for own, at in zip(values.T, points, strict=True)]
    columns = np.column_stack([*ramps, np.ones(len(values))])

    def loss(weights: Array) -> tuple[float, Array]:
        logits = columns @ weights
        penalty = _CONFIDENCE_PENALTY * np.r_[weights[:-1], 0]
        total = (importance * (np.logaddexp(0, logits) - is_so * logits)).sum() + penalty @ weights / 2
        return float(total), columns.T @ (importance * (1 / (1 + np.exp(-logits)) - is_so)) + penalty

    found = _minimise(loss, columns.shape[1], [(0, None)] * (columns.shape[1] - 1) + [(None, None)])
    heights = np.split(found[:-1], np.cumsum([ramp.shape[1] for ramp in ramps])[:-1])
    curves = (
        Curve(tuple(at.tolist()), (0.0, *np.cumsum(height).tolist()))
        for at, height in zip(points, heights, strict=True)
    )
    return Belief(tuple(curves), float(found[-1]))


def _ramps(values: Array, points: Array) -> Array:
    """For each stretch between two points how far the values are through it, from 0 to 1."""
    return np.clip((values[:, None] - points[:-1]) / np.maximum(np.diff(points), 1e-9), 0, 1)


def _minimise(loss: Callable[[Array], tuple[float, Array]], size: int, bounds: Bounds) -> Array:
    result = minimize(loss, np.full(size, 0.1), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(result.x)


def _stored(path: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return stored


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of weights: {', '.join(KINDS)}")
    given = parser.parse_args()
    kinds = given.kinds or KINDS
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        parser.error(f"there is no kind of weights {unknown[0]!r}; there are: {', '.join(KINDS)}")
    fast, accurate = open_encoder(), open_accurate_encoder()
    encoders: dict[str, Encoder | None] = dict(zip(KINDS, (fast, None, accurate), strict=True))
    shipped, held_out = _stored(SHIPPED), _stored(HELD_OUT)
    shipped |= {
        "made by": "python -m tests.bench.learn FOLDER",
        "encoder": fast.name,
        "accurate encoder": accurate.name,
    }
    for kind in kinds:
        print(f"Measuring {kind}:")
        sets = [measure(bench, encoders[kind]) for bench in learning_sets(given.folder)]
        examples = [example for measured in sets for example in measured.examples]
        names = sorted({measured.name for measured in sets})
        shipped |= {"sets": [*names, "small talk"], kind: learn(examples).written()}
        for family in sorted({measured.family for measured in sets}):
            others = learn([example for example in examples if family not in example.families])
            held_out.setdefault(family, {})[kind] = others.written()
    for path, values in ((SHIPPED, shipped), (HELD_OUT, held_out)):
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
