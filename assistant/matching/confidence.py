"""What the probability of the first entry is made of, for those who tune the matcher."""

from __future__ import annotations

from assistant.matching.base import Base
from assistant.matching.evidence import Floats, gather
from assistant.matching.ranking import SIGNS, Belief, Weights, signs
from assistant.values import Signs, Witness

BIAS = "bias"  # what is added whatever the question


def confidence_signs(base: Base, weights: Weights, reading: str) -> Signs:
    """The signs of one reading, each with what it added, and the bias.

    The parts sum to log-odds, except for a verbatim question, and where several readings voted.
    """
    evidence = gather(base.phrases, base.heads, base.prepared([reading]))[0]
    measured = signs(evidence, weights.ranking)
    return Signs(_added(weights.answerable, measured), _added(weights.confidence, measured))


def _added(belief: Belief, measured: Floats) -> tuple[Witness, ...]:
    rows = zip(SIGNS, measured.tolist(), belief.added(measured), strict=True)
    return (*(Witness(*row) for row in rows), Witness(BIAS, 1.0, belief.bias))
