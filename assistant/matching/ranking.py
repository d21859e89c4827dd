"""Evidence becomes a calibrated probability for each entry, by weights learned on public sets."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from math import exp
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelError
from assistant.matching.evidence import WITNESSES, Evidence
from assistant.matching.heads import log_softmax

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

# What tells whether the first entry is right, and whether any is, measured on the first entry alone.
SIGNS = (
    *(name for name in WITNESSES if name != "trained on meaning"),  # which is 0 for the first one, mostly
    "standing out",  # of the discriminant head, in deviations
    "ahead of the others",  # log of its share among the entries
    "ahead of the second",  # log of how many times its share is that of the next entry
    "trained score",  # of the logistic head, before it is shared out among the entries
    "ahead of elsewhere",  # of the logistic head: log-odds against what is asked elsewhere
    "word by word ahead",  # of all that is asked elsewhere
    "nearer than elsewhere",  # 0 amid what is asked there, 1 as near to an entry
    "apart from the nearest",  # how far the entry lies from the next one of the base: near twins are mixed up
    "known words",  # of the text, weighed by rarity
    "few entries",  # minus the log of how many the base has: among few, none can stand out far
)

_WORD_BY_WORD = WITNESSES.index("word by word")

# Asked word for word as an editor wrote it: certain, but for what two entries may share.
_VERBATIM = 0.97
_FAR_AHEAD = 12.0  # of a second entry that there is none of, or as good as none; a natural logarithm
_HARDLY = 1e-4  # likely: the least that an entry is taken for before one more witness speaks
_ALONE = 0.7  # share of the entries: from here on no other entry comes near


Stored = Mapping[str, Any]  # as JSON holds it


@dataclass(frozen=True, slots=True)
class Curve:
    """What a sign adds to the log-odds: a line through some points, level beyond the first and the last."""

    at: tuple[float, ...]  # values of the sign, rising
    adds: tuple[float, ...]  # natural-log odds, never falling

    def __call__(self, value: float) -> float:
        place = bisect_right(self.at, value)
        if place in (0, len(self.at)):
            return self.adds[max(place - 1, 0)]
        through = (value - self.at[place - 1]) / (self.at[place] - self.at[place - 1])
        return self.adds[place - 1] + through * (self.adds[place] - self.adds[place - 1])


@dataclass(frozen=True, slots=True)
class Belief:
    """How likely something is, told by the signs: each adds to its log-odds."""

    curves: tuple[Curve, ...]  # one for each of SIGNS
    bias: float

    @classmethod
    def read(cls, stored: Stored) -> Belief:
        """Raises KeyError, TypeError or ValueError where a sign is missing or its curve is none."""
        points = [np.array(stored[name], float).reshape(-1, 2).T.tolist() for name in SIGNS]
        return cls(tuple(Curve(tuple(at), tuple(adds)) for at, adds in points), float(stored["bias"]))

    def written(self) -> dict[str, Any]:
        """For each sign the points of its curve."""
        curves = {
            name: [[_short(at), _short(adds)] for at, adds in zip(curve.at, curve.adds, strict=True)]
            for name, curve in zip(SIGNS, self.curves, strict=True)
        }
        return {**curves, "bias": _short(self.bias)}

    def added(self, measured: Floats) -> list[float]:
        """What each of the signs adds."""
        return [curve(value) for curve, value in zip(self.curves, measured.tolist(), strict=True)]

    def probability(self, measured: Floats) -> float:
        return 1 / (1 + exp(-sum(self.added(measured)) - self.bias))


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: how much each witness counts, and when to believe the entries it brings."""

    ranking: Floats  # one for each of WITNESSES
    answerable: Belief  # that any entry is right
    confidence: Belief  # that the first is, if any is
    reads_answers: bool = True  # whether they were learned on bases that learned from their answers, too
    words_alone: Floats | None = None  # the ranking without an encoder, where one takes part in the other

    @classmethod
    def read(cls, stored: Stored, words_alone: Stored | None = None) -> Weights:
        """From the form of weights.json, with those that were learned without an encoder beside them; raises
        ModelError where they do not name all the evidence."""
        try:
            ranking = _read_ranking(stored)
            alone = None if words_alone is None else _read_ranking(words_alone)
            answerable, confidence = Belief.read(stored["answerable"]), Belief.read(stored["confidence"])
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"the learned weights do not fit this version: {error}", "learn them again"
            ) from None
        reads_answers = stored.get("reads answers") is True
        return cls(ranking, answerable, confidence, reads_answers, alone)

    def written(self) -> dict[str, Any]:
        """The form of weights.json."""
        return {
            "reads answers": self.reads_answers,
            "ranking": {name: _short(weight) for name, weight in zip(WITNESSES, self.ranking, strict=True)},
            "answerable": self.answerable.written(),
            "confidence": self.confidence.written(),
        }


def _read_ranking(stored: Stored) -> Floats:
    return np.array([float(stored["ranking"][name]) for name in WITNESSES], np.float32)


def _short(number: float) -> float:
    return round(float(number), 4)


def load_weights(encoder: str | None) -> Weights:
    """The weights that come with the package for the encoder of that name; None: without one."""
    stored = json.loads(
        resources.files("assistant.matching").joinpath("weights.json").read_text(encoding="utf-8")
    )
    words_alone = stored["without encoder"]
    if encoder is None:
        return Weights.read(words_alone)
    kind = "accurate" if encoder == stored["accurate encoder"] else "with encoder"
    return Weights.read(stored[kind], words_alone)


@dataclass(frozen=True, slots=True)
class Ranked:
    """The entries of one text, best first, with what spoke for each."""

    entries: Ints
    probabilities: Floats
    phrases: Ints  # the best phrase of each entry
    values: Floats  # shape (entries, witnesses)
    parts: Floats  # shape (entries, witnesses): weight times value
    answerable: float = 0.0  # how likely it is that any entry answers the text


def rank(evidence: Evidence, weights: Weights) -> Ranked:
    """The first entry and all together have calibrated probabilities; the others share what is left."""
    parts = evidence.values * weights.ranking
    shares = np.exp(log_softmax(parts.sum(axis=1)))
    # Whoever wrote the question word for word comes first; two who did are alike.
    shares = np.where(evidence.verbatim, shares.max(), shares)
    order = np.lexsort((-shares, ~evidence.verbatim))
    measured = signs(evidence, weights.ranking)
    answerable = weights.answerable.probability(measured)
    first = answerable * weights.confidence.probability(measured)
    own = shares[order[0]]
    is_verbatim = bool(evidence.verbatim[order[0]])
    if is_verbatim:
        first = max(first, _VERBATIM)
        answerable = max(answerable, first)
    scale = min(first / own, (answerable - first) / max(1 - own, 1e-9))  # none is likelier than the first
    if is_verbatim and own < _ALONE:
        scale = first / own  # a near twin in another entry stays near, so that a check can tell
    probabilities = np.r_[first, scale * shares[order[1:]]]
    return Ranked(
        entries=evidence.entries[order],
        probabilities=np.asarray(probabilities, np.float32),
        phrases=evidence.phrases[order],
        values=evidence.values[order],
        parts=parts[order],
        answerable=answerable,
    )


def signs(evidence: Evidence, ranking: Floats) -> Floats:
    """What tells whether the first entry is right, and whether any is, in the order of SIGNS."""
    log_shares = log_softmax(evidence.values @ ranking)
    first = int(log_shares.argmax())
    own = [value for name, value in zip(WITNESSES, evidence.values[first], strict=True) if name in SIGNS]
    word_by_word, elsewhere = evidence.values[first, _WORD_BY_WORD], evidence.word_by_word_elsewhere
    others = np.where(np.arange(len(log_shares)) == first, -np.inf, log_shares)
    shares = (log_shares[first], min(log_shares[first] - others.max(), _FAR_AHEAD))
    apart = (
        evidence.trained_scores[first],
        evidence.ahead_of_elsewhere[first],
        0.0 if elsewhere is None else word_by_word - elsewhere,
        evidence.nearer_than_elsewhere,
        evidence.apart[first],
    )
    of_the_base = (evidence.known_words, -np.log(evidence.size))
    return np.array([*own, evidence.standing_out[first], *shares, *apart, *of_the_base], np.float32)


def voted(readings: Sequence[Ranked], trust: Sequence[float], guesses: int = 0) -> Ranked:
    """The readings merged, each weighing as much as it is trusted.

    The first `guesses` of them sound like the next one, which was heard. They tell which entry is meant, but
    not that any is: else small talk is heard into a question (of what nobody asks a bank 90 instead of 99 of
    100 were offered nothing).
    """
    votes = merged(readings, np.array(trust, np.float64))
    if not guesses:
        return votes
    answerable = min(votes.answerable, readings[guesses].answerable)
    less = np.float32(answerable / votes.answerable)
    return replace(votes, probabilities=votes.probabilities * less, answerable=answerable)


def pooled(ranked: Ranked, witness: Floats, trust: float) -> Ranked:
    """The same entries where one more witness, trusted so much beside all others, tells how likely each one
    is; all together are as likely as before. `witness` has a natural logarithm for every entry of the base.

    A logarithmic opinion pool (Genest and Zidek 1986). Its weights add up to 1: all that is told of one sound
    errs together, and to add it up would make too sure.
    """
    before = ranked.probabilities
    own = np.log(np.maximum(before, _HARDLY))
    logs = (own + np.float32(trust) * witness[ranked.entries]) / np.float32(1 + trust)
    now = np.exp(log_softmax(logs)) * before.sum()
    order = np.argsort(-now, kind="stable")
    return replace(
        ranked,
        entries=ranked.entries[order],
        probabilities=np.asarray(now[order], np.float32),
        phrases=ranked.phrases[order],
        values=ranked.values[order],
        parts=ranked.parts[order],
    )


def merged(readings: Sequence[Ranked], trust: npt.NDArray[np.float64]) -> Ranked:
    """Several readings of the same sound vote: a mixture in which each weighs as much as it is trusted.

    An entry that several readings agree on overtakes one that only the first reading names.
    """
    if len(readings) == 1:
        return readings[0]
    votes: dict[int, float] = {}
    best: dict[int, tuple[float, Ranked, int]] = {}
    for number, reading in enumerate(readings):
        for place, entry in enumerate(reading.entries.tolist()):
            vote = float(trust[number] / trust.sum() * reading.probabilities[place])
            votes[entry] = votes.get(entry, 0.0) + vote
            best[entry] = max(
                best.get(entry, (-1.0, reading, place)), (vote, reading, place), key=lambda row: row[0]
            )
    entries = sorted(votes, key=lambda entry: -votes[entry])
    rows = [best[entry][1:] for entry in entries]
    return Ranked(
        entries=np.array(entries, np.int64),
        probabilities=np.array([votes[entry] for entry in entries], np.float32),
        phrases=np.array([reading.phrases[place] for reading, place in rows]),
        values=np.stack([reading.values[place] for reading, place in rows]),
        parts=np.stack([reading.parts[place] for reading, place in rows]),
        answerable=float(trust @ [reading.answerable for reading in readings] / trust.sum()),
    )
