"""Probabilities become one of three outcomes: Found, Unsure or Unknown."""

from __future__ import annotations

from dataclasses import replace

from assistant.values import Candidate, Found, Ranking, Thresholds, Unknown, Unsure

MOST_CHOICES = 3
# A base of fewer entries is asked more that no page answers. Where that is half of what is asked of bases
# of 5 to 60 entries, 80 instead of 75 of 100 answers are right so (learning sets).
_MANY_ENTRIES, _POWER = 80, 0.5
_SURELY_ANY, _SURELY_FIRST = 0.75, 0.9  # as sure as the fewest entries must be
_LEAST_OFFERED = 0.08  # a probability: what is less likely is not worth a customer's glance


def thresholds_for(given: Thresholds, entries: int) -> Thresholds:
    """Those of a base of so many entries: the fewer, the surer it must be that one answers, and which."""
    factor = max(1.0, (_MANY_ENTRIES / max(entries, 1)) ** _POWER)
    return replace(
        given,
        answer_above=_raised(given.answer_above, factor, _SURELY_ANY),
        first_above=_raised(given.first_above, factor, _SURELY_FIRST),
    )


def _raised(probability: float, factor: float, most: float) -> float:
    """The probability whose odds are `factor` times as high; at most that one, and never less than it was."""
    odds = factor * probability / max(1 - probability, 1e-9)
    return max(probability, min(odds / (1 + odds), most))


def decide(ranking: Ranking, thresholds: Thresholds, doubt: str = "") -> Found | Unsure | Unknown:
    """The outcome for a ranking; a `doubt` says why it must not be answered at once."""
    if not ranking.candidates:
        return Unknown(ranking, doubt or "there is nothing to compare with")
    first, runner_up = ranking.candidates[0], _second(ranking)
    likely = f"{answerable(ranking):.0%} likely that a page answers it"
    if not is_offered(ranking, thresholds):
        return Unknown(ranking, doubt or f"{likely}: a choice only from {thresholds.offer_above:.0%} on")
    if doubt:
        return Unsure(ranking, doubt, _offered(ranking))
    if answerable(ranking) < thresholds.answer_above:
        lowest = f"answered at once only from {thresholds.answer_above:.0%} on"
        return Unsure(ranking, f"{likely}: {lowest}", _offered(ranking))
    if first_share(ranking) < thresholds.first_above:
        which = f"{first_share(ranking):.0%} of that for `{first.entry}`"
        lowest = f"answered at once only from {thresholds.first_above:.0%} on"
        return Unsure(ranking, f"{likely}, {which}: {lowest}", _offered(ranking))
    if runner_up and first.probability - runner_up.probability < thresholds.margin:
        close = f"less than {100 * thresholds.margin:.0f} points apart"
        return Unsure(ranking, f"{_likely(first)}, but {_likely(runner_up)}: {close}", _offered(ranking))
    beside = f", the next, {_likely(runner_up)}" if runner_up else " and stands alone"
    return Found(ranking, _likely(first) + beside)


def answerable(ranking: Ranking) -> float:
    """How likely it is that any page answers the text."""
    return max(ranking.answerable, *(candidate.probability for candidate in ranking.candidates[:1]), 0.0)


def first_share(ranking: Ranking) -> float:
    """How likely it is that the first page answers the text, if any does."""
    likely = answerable(ranking)
    return ranking.candidates[0].probability / likely if likely else 0.0


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
