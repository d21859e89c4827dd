"""Probabilities become one of three outcomes: Found, Unsure or Unknown."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.values import Candidate, Found, Ranking, Unknown, Unsure

MOST_CHOICES = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The same for every base, because the probabilities are calibrated."""

    answer_above: float
    offer_above: float
    margin: float


def decide(ranking: Ranking, thresholds: Thresholds, doubt: str = "") -> Found | Unsure | Unknown:
    """The outcome for a ranking; a `doubt` says why it must not be answered at once."""
    if not ranking.candidates:
        return Unknown(ranking, doubt or "there is nothing to compare with")
    first, runner_up = ranking.candidates[0], _second(ranking)
    if first.probability < thresholds.offer_above:
        lowest = f"offered only from {thresholds.offer_above:.0%} on"
        return Unknown(ranking, doubt or f"even the best, {_likely(first)}: {lowest}")
    if doubt:
        return Unsure(ranking, doubt, _offered(ranking, thresholds))
    if first.probability < thresholds.answer_above:
        lowest = f"answered at once only from {thresholds.answer_above:.0%} on"
        return Unsure(ranking, f"{_likely(first)}: {lowest}", _offered(ranking, thresholds))
    if runner_up and first.probability - runner_up.probability < thresholds.margin:
        close = f"less than {100 * thresholds.margin:.0f} points apart"
        return Unsure(
            ranking, f"{_likely(first)}, but {_likely(runner_up)}: {close}", _offered(ranking, thresholds)
        )
    beside = f", the next, {_likely(runner_up)}" if runner_up else " and stands alone"
    return Found(ranking, _likely(first) + beside)


def _second(ranking: Ranking) -> Candidate | None:
    return ranking.candidates[1] if len(ranking.candidates) > 1 else None


def _likely(candidate: Candidate) -> str:
    return f"`{candidate.entry}` is {candidate.probability:.0%} likely"


def _offered(ranking: Ranking, thresholds: Thresholds) -> tuple[str, ...]:
    """The first, and those of the next two that are worth a customer's glance."""
    lowest = min(thresholds.offer_above, ranking.candidates[0].probability) / 3
    return tuple(c.entry for c in ranking.candidates[:MOST_CHOICES] if c.probability >= lowest)
