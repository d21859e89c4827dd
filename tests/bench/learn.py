"""Learn the matcher's weights from public sets: python -m tests.bench.learn FOLDER

Writes assistant/matching/weights.json (learned on every set) and tests/bench/held_out.json (for each
family of sets, weights learned on all the others: the ones its numbers are reported with).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from assistant.matching.evidence import WITNESSES, Evidence, gather
from assistant.matching.ranking import SIGNS, Weights, signs
from assistant.matching.semantic import open_encoder
from assistant.matching.training import train
from assistant.ports import Encoder
from tests.bench.loading import asked_in_chunks, load
from tests.bench.sets import BenchSet, learning_sets

Array = npt.NDArray[np.float64]

SHIPPED = Path(__file__).parents[2] / "assistant" / "matching" / "weights.json"
HELD_OUT = Path(__file__).with_name("held_out.json")
_RANKING_PENALTY, _CONFIDENCE_PENALTY = 0.002, 0.001  # L2, on standardised evidence


@dataclass(frozen=True, slots=True)
class Example:
    """The evidence for one question, and which of the shortlisted entries answer it."""

    evidence: Evidence
    right: npt.NDArray[np.bool_]
    importance: float  # a set of n questions weighs as sqrt(n)


@dataclass(frozen=True, slots=True)
class Measured:
    """The examples of one set."""

    name: str
    family: str
    examples: list[Example]


def measure(bench: BenchSet, encoder: Encoder | None) -> Measured:
    phrases = load(bench, encoder)
    heads = train(phrases, None, "")
    examples = []
    for texts, questions in asked_in_chunks(bench, encoder):
        for evidence, question in zip(gather(phrases, heads, texts), questions, strict=True):
            right = np.isin(evidence.entries, list(question.entries))
            examples.append(Example(evidence, right, len(bench.questions) ** -0.5))
    print(f"  {bench.name}: {bench.size} entries, {len(examples)} questions", flush=True)
    return Measured(bench.name, bench.family, examples)


def learn(sets: Sequence[Measured]) -> Weights:
    examples = [example for measured in sets for example in measured.examples]
    ranking = learn_ranking([example for example in examples if example.right.any()])
    confidence, bias = learn_confidence(examples, Weights(ranking, np.zeros(len(SIGNS), np.float32), 0.0))
    return Weights(ranking, confidence, bias)


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

    return np.asarray(_minimise(loss, len(WITNESSES), [(0, None)] * len(WITNESSES)) / scale, np.float32)


def learn_confidence(examples: Sequence[Example], weights: Weights) -> tuple[npt.NDArray[np.float32], float]:
    """Logistic regression: is the first entry right?"""
    values = np.array([signs(example.evidence, weights) for example in examples], np.float64)
    first_right = np.array(
        [example.right[(example.evidence.values @ weights.ranking).argmax()] for example in examples],
        np.float64,
    )
    importance = np.array([example.importance for example in examples])
    importance /= importance.sum()
    centre, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    columns = np.column_stack([(values - centre) / scale, np.ones(len(values))])

    def loss(weights: Array) -> tuple[float, Array]:
        logits = columns @ weights
        penalty = _CONFIDENCE_PENALTY * np.r_[weights[:-1], 0]
        total = (importance * (np.logaddexp(0, logits) - first_right * logits)).sum() + penalty @ weights / 2
        return float(total), columns.T @ (importance * (1 / (1 + np.exp(-logits)) - first_right)) + penalty

    found = _minimise(loss, columns.shape[1], None)
    slopes = np.where(values.std(axis=0) > 1e-6, found[:-1] / scale, 0)  # what never varies tells nothing
    return np.asarray(slopes, np.float32), float(found[-1] - slopes @ centre)


def _minimise(
    loss: Callable[[Array], tuple[float, Array]], size: int, bounds: list[tuple[float, None]] | None
) -> Array:
    result = minimize(loss, np.full(size, 0.1), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(result.x)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/bench")
    real = open_encoder()
    shipped: dict[str, object] = {"made by": "python -m tests.bench.learn FOLDER", "encoder": real.name}
    held_out: dict[str, dict[str, object]] = {}
    for kind, encoder in (("with encoder", real), ("without encoder", None)):
        print(f"Measuring {kind}:")
        sets = [measure(bench, encoder) for bench in learning_sets(folder)]
        shipped |= {"sets": sorted({measured.name for measured in sets}), kind: learn(sets).written()}
        for family in sorted({measured.family for measured in sets}):
            others = learn([measured for measured in sets if measured.family != family])
            held_out.setdefault(family, {})[kind] = others.written()
    for path, values in ((SHIPPED, shipped), (HELD_OUT, held_out)):
        path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
