"""The small models trained on the base when it is loaded: which entry do these features belong to?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.matching.metric import Spread, Stretch, shrunk

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SHRINKAGE_ELSEWHERE = 0.9  # of that of what is asked elsewhere; 0.8 and 0.95 do as well
_OF_THE_BIAS = 0.05  # of the slope of the bias: it has no penalty, and few rounds are made
# A cosine: of 6,400 pieces 2,700 are left, and how many words of a question are asked elsewhere correlates
# by .99 with what all of them tell.
_MUCH_ALIKE = 0.85
_MEANS_AT_ONCE = 1024  # keeps the scores of 100,000 entries for them within 400 MB


@dataclass(frozen=True, slots=True)
class Head:
    """A linear model: features -> a score for each entry."""

    weights: Floats  # shape (features, entries)
    bias: Floats  # shape (entries,)
    dense: int | None = None  # after so many features most are zero; None: nowhere

    def scores(self, features: Floats) -> Floats:
        """Shape (texts, entries)."""
        if self.dense is None or len(features) > 1:
            return np.asarray(features @ self.weights + self.bias, np.float32)
        # Of one text: what is zero need not be fetched from memory, which takes longer than to reckon.
        there = self.dense + np.flatnonzero(features[0, self.dense :])
        dense = features[:, : self.dense] @ self.weights[: self.dense]
        return np.asarray(dense + features[:, there] @ self.weights[there] + self.bias, np.float32)


def log_softmax(scores: Floats) -> Floats:
    """Row by row, in natural logarithms."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def discriminant_head(spread: Spread) -> Head:
    """Linear discriminant analysis with the within-entry covariance shrunk towards a sphere.

    Closed form, so it serves bases of any size. Where entries have a single phrase it takes hardly more than
    the nearest mean.
    """
    weights = np.linalg.solve(spread.within, spread.means.T).astype(np.float32)
    return Head(weights, (-0.5 * np.einsum("ij,ji->i", spread.means, weights)).astype(np.float32))


def distances_apart(head: Head, means: Floats) -> Floats:
    """How far each entry lies from the nearest other one, 1 in the middle of all; shape (entries,).

    Half the squared Mahalanobis distance between their means, told by the discriminant head trained on them.
    """
    if len(means) < 2:
        return np.ones(len(means), np.float32)
    nearest = np.empty(len(means), np.float32)
    for start in range(0, len(means), _MEANS_AT_ONCE):
        scores = head.scores(means[start : start + _MEANS_AT_ONCE])
        rows = np.arange(len(scores))
        scores[rows, start + rows] = -np.inf
        nearest[start + rows] = -head.bias[start + rows] - scores.max(axis=1)
    return np.asarray(nearest / max(float(np.median(nearest)), 1e-6), np.float32)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a text lies: among the entries, or among what is asked elsewhere; and its word pieces.

    Both are taken as clouds (normal distributions), the entries with one covariance; the squared Mahalanobis
    distances from them are compared (after Ren et al. 2021, "relative Mahalanobis distance").
    """

    curvature: Floats  # shape (features, features)
    slope: Floats  # shape (features,)
    level: float
    scale: float  # of the discriminant head's scores
    pieces: Floats  # shape (piece dimensions, pieces): of what is asked elsewhere, columns of length 127

    def nearer(self, features: Floats, scores: Floats) -> Floats:
        """How far texts have come from what is asked elsewhere, at 0, to where they lie as near to an entry,
        at 1, or farther; `scores` are those of the discriminant head that was trained on the same entries.
        Shape (texts,)."""
        bent = np.einsum("ij,ij->i", features @ self.curvature, features)
        nearest = self.scale * scores.max(axis=1)
        return np.asarray(bent + features @ self.slope + self.level + nearest, np.float32)


def surroundings(spread: Spread, head: Head, elsewhere: Floats, pieces: Floats) -> Surroundings:
    """Of how the entries' phrases spread, the discriminant head trained on that, and what is asked elsewhere:
    a row of features each, at least one, and its pieces, of which one stands for all that are much alike."""
    middle = elsewhere.mean(axis=0)
    around = elsewhere - middle
    covariance = np.asarray(around.T @ around / len(around), np.float32)
    inverse = _inverse(shrunk(covariance, _SHRINKAGE_ELSEWHERE))
    raw = Surroundings(
        np.asarray(inverse - _inverse(spread.within), np.float32),
        np.asarray(-2 * inverse @ middle, np.float32),
        float(middle @ inverse @ middle),
        2.0,
        np.ascontiguousarray(_apart(pieces).T),
    )
    return _on_the_way(raw, raw.nearer(elsewhere, head.scores(elsewhere)))


def _on_the_way(raw: Surroundings, elsewhere: Floats) -> Surroundings:
    """So that what is asked elsewhere lies at 0 on average, and what lies as near to an entry at 1: bases
    differ in how far apart their phrases lie, and in how well a few phrases tell it."""
    way = max(-float(elsewhere.mean()), 1e-6)
    return Surroundings(
        np.asarray(raw.curvature / way, np.float32),
        np.asarray(raw.slope / way, np.float32),
        raw.level / way + 1,
        raw.scale / way,
        raw.pieces,
    )


def _apart(rows: Floats) -> Floats:
    """The rows, in order, that are not much like one before."""
    kept = np.empty_like(rows)
    count = 0
    for row in rows:
        if not count or float((kept[:count] @ row).max()) < _MUCH_ALIKE * float(row @ row):
            kept[count] = row
            count += 1
    return kept[:count].copy()


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrix), np.float32)


@dataclass(frozen=True, slots=True)
class Examples:
    """What a logistic head is trained on, a row of features each."""

    features: Floats
    entries: Ints  # of each example
    importance: Floats  # how much each counts


@dataclass(frozen=True, slots=True)
class LogisticOptions:
    """How hard a logistic head is trained."""

    strength: float = 30.0  # inverse of the L2 penalty
    iterations: int = 100
    # How many times longer than what can never be too long the steps are tried: among many entries a score
    # bends far less than it might.
    stride: float = 1.0
    stretch: Stretch | None = None  # of the first features, without which the last entry is learned


def logistic_head(given: Examples, count: int, options: LogisticOptions) -> Head:
    """Multinomial logistic regression by accelerated gradient descent (Nesterov 1983), begun anew wherever it
    got worse (after O'Donoghue and Candès 2015); where plain descent made it worse, the step is taken back
    and halved.

    The longest step is set by the largest curvature there can be, so nothing has to be tuned to a base.
    """
    curvature = _largest_singular_value(given.features, given.importance[:, None]) ** 2 / 2
    step, loss_before = options.stride / (curvature + options.stride / options.strength), np.inf
    nothing = np.zeros((given.features.shape[1] + 1, count), np.float32)  # the last row is the bias
    ahead, before, came_from, momentum, leap = nothing, nothing, nothing, 1.0, 0.0
    for _ in range(options.iterations):
        loss, slope = _slope(given, ahead, options)
        if loss > loss_before:
            momentum = 1.0
            if not leap:
                step, loss_before = step / 2, np.inf
                ahead = before = came_from
                continue
        learned = np.asarray(ahead - np.float32(step) * slope, np.float32)
        following = (1 + (1 + 4 * momentum * momentum) ** 0.5) / 2
        leap = (momentum - 1) / following
        came_from, ahead = ahead, learned + np.float32(leap) * (learned - before)
        before, loss_before, momentum = learned, loss, following
    return Head(before[:-1], before[-1])


def _slope(given: Examples, learned: Floats, options: LogisticOptions) -> tuple[float, Floats]:
    """How much a head is wrong, and where that grows; `learned` are its weights, and below them its bias."""
    rows, weights = np.arange(len(given.entries)), learned[:-1]
    logs = log_softmax(np.asarray(given.features @ weights + learned[-1], np.float32))
    loss = -float(given.importance @ logs[rows, given.entries])
    error = np.exp(logs, out=logs)
    error[rows, given.entries] -= 1
    error *= given.importance[:, None]
    slope = np.empty_like(learned)
    np.matmul(given.features.T, error, out=slope[:-1])
    slope[-1] = _OF_THE_BIAS * error.sum(axis=0)
    penalty = float(np.einsum("ij,ij->", weights, weights))
    if options.stretch:
        first = slice(0, len(options.stretch.matrix))
        last = weights[first, -1]
        penalty += float(np.sum((options.stretch.matrix @ last) ** 2) - last @ last)
        slope[first, -1] = options.stretch.inverse_square @ slope[first, -1]
    slope[:-1] += weights / np.float32(options.strength)
    return loss + penalty / (2 * options.strength), slope


def _largest_singular_value(features: Floats, counts: Floats) -> float:
    """Of features whose squares count by `counts`, by power iteration; 20 rounds are within a percent
    for text features."""
    vector = np.ones((features.shape[1], 1), np.float32)
    length = 1.0
    for _ in range(20):
        vector = features.T @ (counts * (features @ vector))
        length = float(np.linalg.norm(vector)) or 1.0
        vector = vector / np.float32(length)
    return float(length**0.5)
