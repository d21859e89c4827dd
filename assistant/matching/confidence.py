"""What the probability of the first entry is made of, for those who tune the matcher."""

from __future__ import annotations

from assistant.matching.base import Base
from assistant.matching.evidence import gather
from assistant.matching.ranking import SIGNS, Weights, signs
from assistant.values import Witness

BIAS = "bias"  # what is added whatever the question


def confidence_signs(base: Base, weights: Weights, reading: str) -> tuple[Witness, ...]:
    """The signs of one reading, each with what it added to the log-odds of the first entry, and the bias.

    The parts sum to the log-odds, except for a verbatim question, and where several readings voted.
    """
    evidence = gather(base.phrases, base.heads, base.prepared([reading]))[0]
    measured = signs(evidence, weights.ranking)
    rows = zip(SIGNS, measured.tolist(), weights.confidence.added(measured), strict=True)
    return (*(Witness(*row) for row in rows), Witness(BIAS, 1.0, weights.confidence.bias))
