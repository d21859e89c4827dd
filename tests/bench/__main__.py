"""Accuracy beside the rivals, and how far the probabilities can be trusted: python -m tests.bench [FOLDER]
[--accurate]

Every set is answered with weights that were learned without any set of its family.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from assistant.matching.deciding import thresholds_for
from assistant.matching.ranking import Ranked, Weights
from assistant.matching.semantic import open_encoder
from assistant.matching.side_by_side import open_accurate_encoder
from assistant.ports import Encoder
from assistant.values import Thresholds
from tests.bench.learn import HELD_OUT, SHIPPED
from tests.bench.loading import Loaded
from tests.bench.options import options
from tests.bench.rivals import Scores, rivals
from tests.bench.sets import BenchSet, NoSets, reported_sets

DEFAULTS = Thresholds()


@dataclass(frozen=True, slots=True)
class Ours:
    """Our matcher with one of its encoders, and the name of the weights learned with that."""

    encoder: Encoder
    kind: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Our answers to one set."""

    bench: BenchSet
    ranked: list[Ranked]

    def place_of_right(self) -> npt.NDArray[np.int64]:
        """For each question that has an answer: the rank of its first right entry, from 0."""
        places = []
        for ranked, question in zip(self.ranked, self.bench.questions, strict=True):
            if question.entries:
                hits = np.flatnonzero(np.isin(ranked.entries, list(question.entries)))
                places.append(hits[0] if len(hits) else 999)
        return np.array(places)

    def first(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """For every question: the first probability, is it answered at once, is it right?"""
        probabilities = np.array([ranked.probabilities[0] for ranked in self.ranked], np.float64)
        seconds = np.array([ranked.probabilities[1] for ranked in self.ranked])
        known = np.maximum(self.answerable(), probabilities)
        limits = thresholds_for(DEFAULTS, self.bench.size)
        clear = (
            (known >= limits.answer_above)
            & (probabilities >= limits.first_above * known)
            & (probabilities - seconds >= limits.margin)
        )
        pairs = zip(self.ranked, self.bench.questions, strict=True)
        return probabilities, clear, np.array([int(r.entries[0]) in q.entries for r, q in pairs])

    def answerable(self) -> npt.NDArray[np.float64]:
        """For every question: how likely it is that any entry answers it."""
        return np.array([ranked.answerable for ranked in self.ranked], np.float64)


def answer(bench: BenchSet, encoder: Encoder | None, weights: Weights) -> Answered:
    return Answered(bench, list(Loaded(bench, encoder, weights.reads_answers).ranked(weights)))


def held_out_weights(family: str, kind: str) -> Weights:
    stored = json.loads(HELD_OUT.read_text(encoding="utf-8"))
    return Weights.read(stored[family][kind], stored[family]["without encoder"])


def rival_hits(bench: BenchSet, scores: Scores) -> float:
    """Right answer first; of equal scores the first entry counts."""
    firsts = scores.argmax(axis=1)
    hits = [int(first) in q.entries for first, q in zip(firsts, bench.questions, strict=True) if q.entries]
    return float(np.mean(hits))


def separation(probabilities: npt.NDArray[np.float64], answerable: npt.NDArray[np.bool_]) -> float:
    """AUROC: how often an answerable question gets a higher probability than one that is not."""
    order = np.argsort(probabilities, kind="stable")
    ranks = np.empty(len(order))
    ranks[order] = np.arange(1, len(order) + 1)
    for value in np.unique(probabilities):
        same = probabilities == value
        ranks[same] = ranks[same].mean()
    inside, outside = answerable.sum(), (~answerable).sum()
    return float((ranks[answerable].sum() - inside * (inside + 1) / 2) / (inside * outside))


def accuracy_table(sets: Sequence[BenchSet], ours: Ours) -> tuple[Table, list[Answered]]:
    others = rivals(open_encoder())
    table = Table(title="Right answer first (weights learned without the set's family)")
    table.add_column("set")
    for name in (*others, "ours, no encoder", "ours", "ours in first 3"):
        table.add_column(name, justify="right")
    answered = []
    for bench in sets:
        scores = [rival_hits(bench, score(bench)) for score in others.values()]
        plain = answer(bench, None, held_out_weights(bench.family, "without encoder")).place_of_right()
        full = answer(bench, ours.encoder, held_out_weights(bench.family, ours.kind))
        places = full.place_of_right()
        figures = [float((plain == 0).mean()), float((places == 0).mean()), float((places < 3).mean())]
        mark = "" if figures[1] > max(scores) else " (!)"
        known = (f"{figure:.3f}" for figure in (*scores, figures[0]))
        table.add_row(bench.name, *known, f"{figures[1]:.3f}{mark}", f"{figures[2]:.3f}")
        answered.append(full)
    return table, answered


def trust_table(answered: Sequence[Answered]) -> Table:
    table = Table(
        title="At the default thresholds: answered where any page is at least "
        f"{DEFAULTS.answer_above:.2f} likely and the first has {DEFAULTS.first_above:.2f} of that, nothing "
        f"offered where any is less than {DEFAULTS.offer_above:.2f} likely"
    )
    for name in (
        "set",
        "of 100 answers right",
        "in-scope answered of 100",
        "in-scope offered nothing",
        "strangers offered nothing",
        "AUROC by the first page",
        "AUROC by any page",
    ):
        table.add_column(name, justify="left" if name == "set" else "right")
    for one in answered:
        table.add_row(one.bench.name, *_trust(one))
    return table


def _trust(one: Answered) -> list[str]:
    """The figures of one set in the order of the columns; a dash where nothing is to be measured."""
    probabilities, clear, right = one.first()
    known = one.answerable()
    asked_here = np.array([bool(question.entries) for question in one.bench.questions])
    is_silent = known < DEFAULTS.offer_above
    apart = ["-", "-", "-"]
    if not asked_here.all():
        separations = [separation(each, asked_here) for each in (probabilities, known)]
        apart = [f"{100 * is_silent[~asked_here].mean():.1f}", *(f"{each:.3f}" for each in separations)]
    return [
        f"{100 * right[clear].mean():.1f}" if clear.any() else "-",
        f"{100 * clear[asked_here].mean():.1f}",
        f"{100 * is_silent[asked_here].mean():.1f}",
        *apart,
    ]


def reliability_table(answered: Sequence[Answered]) -> Table:
    """Every set weighs the same, so that the large ones do not speak for all."""
    table = Table(title="What a probability is worth: share right in each band, the mean over the sets")
    for name in ("probability", "mean", "right", "questions"):
        table.add_column(name, justify="right")
    firsts = [one.first() for one in answered]
    for low in np.arange(0, 1, 0.1):
        bands = [(p[(p >= low) & (p < low + 0.1)], r[(p >= low) & (p < low + 0.1)]) for p, _, r in firsts]
        bands = [(p, r) for p, r in bands if len(p) >= 10]
        if bands:
            mean, right = np.mean([p.mean() for p, _ in bands]), np.mean([r.mean() for _, r in bands])
            count = sum(len(p) for p, _ in bands)
            table.add_row(f"{low:.1f} to {low + 0.1:.1f}", f"{mean:.2f}", f"{right:.2f}", str(count))
    return table


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--accurate", action="store_true", help="with both encoders")
    given = parser.parse_args()
    kind = "accurate" if given.accurate else "with encoder"
    ours = Ours(open_accurate_encoder() if given.accurate else open_encoder(), kind)
    console = Console(width=150)
    try:
        table, answered = accuracy_table(list(reported_sets(given.folder)), ours)
    except NoSets as missing:
        console.print(str(missing), style="yellow", markup=False)
        raise SystemExit(1) from None
    for each in (table, trust_table(answered), reliability_table(answered)):
        console.print(each)
    learned_on = json.loads(SHIPPED.read_text(encoding="utf-8"))["sets"]
    console.print(f"Learned, without the family of the set asked, on: {', '.join(learned_on)}.")


if __name__ == "__main__":
    main()
