"""Probabilities become one of three outcomes: Found, Unsure or Unknown."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.values import Candidate, Found, Ranking, Unknown, Unsure

MOST_CHOICES = 3
_LEAST_OFFERED = 0.08  # a probability: what is less likely is not worth a customer's glance


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The same for every base, because the probabilities are calibrated."""

    answer_above: float  # that the first entry is right
    offer_above: float  # that any entry is
    margin: float


def decide(ranking: Ranking, thresholds: Thresholds, doubt: str = "") -> Found | Unsure | Unknown:
    """The outcome for a ranking; a `doubt` says why it must not be answered at once."""
    if not ranking.candidates:
        return Unknown(ranking, doubt or "there is nothing to compare with")
    first, runner_up = ranking.candidates[0], _second(ranking)
    if not is_offered(ranking, thresholds):
        likely = f"{answerable(ranking):.0%} likely that a page answers it"
        return Unknown(ranking, doubt or f"{likely}: a choice only from {thresholds.offer_above:.0%} on")
    if doubt:
        return Unsure(ranking, doubt, _offered(ranking))
    if first.probability < thresholds.answer_above:
        lowest = f"answered at once only from {thresholds.answer_above:.0%} on"
        return Unsure(ranking, f"{_likely(first)}: {lowest}", _offered(ranking))
    if runner_up and first.probability - runner_up.probability < thresholds.margin:
        close = f"less than {100 * thresholds.margin:.0f} points apart"
        return Unsure(ranking, f"{_likely(first)}, but {_likely(runner_up)}: {close}", _offered(ranking))
    beside = f", the next, {_likely(runner_up)}" if runner_up else " and stands alone"
    return Found(ranking, _likely(first) + beside)


def answerable(ranking: Ranking) -> float:
    """How likely it is that any page answers the text."""
    return max(ranking.answerable, *(candidate.probability for candidate in ranking.candidates[:1]), 0.0)


def is_offered(ranking: Ranking, thresholds: Thresholds) -> bool:
    """Whether a page is likely enough to answer the text for something to be offered at least."""
    return bool(ranking.candidates) and answerable(ranking) >= thresholds.offer_above


def _second(ranking: Ranking) -> Candidate | None:
    return ranking.candidates[1] if len(ranking.candidates) > 1 else None


def _likely(candidate: Candidate) -> str:
    return f"`{candidate.entry}` is {candidate.probability:.0%} likely"


def _offered(ranking: Ranking) -> tuple[str, ...]:
    """The first, and those of the next two that are worth a customer's glance."""
    lowest = min(_LEAST_OFFERED, ranking.candidates[0].probability / 3)
    return tuple(c.entry for c in ranking.candidates[:MOST_CHOICES] if c.probability >= lowest)
