"""The small models trained on the base when it is loaded: which entry do these features belong to?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SHRINKAGE = 0.9  # of the covariance within the entries
_SHRINKAGE_ELSEWHERE = 0.9  # of that of what is asked elsewhere; 0.8 and 0.95 do as well
_FEW_PHRASES = 1.5  # an entry: with fewer nothing is known of how they vary
# A cosine: of 6,400 pieces 2,700 are left, and how many words of a question are asked elsewhere correlates
# by .99 with what all of them tell.
_MUCH_ALIKE = 0.85


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


def discriminant_head(features: Floats, entries: Ints, count: int, shrinkage: float = _SHRINKAGE) -> Head:
    """Linear discriminant analysis with the within-entry covariance shrunk towards a sphere.

    Closed form, so it serves bases of any size. Where entries have a single phrase it takes hardly more than
    the nearest mean.
    """
    means, covariance = _within(features, entries, count, shrinkage)
    weights = np.linalg.solve(covariance, means.T).astype(np.float32)
    return Head(weights, (-0.5 * np.einsum("ij,ji->i", means, weights)).astype(np.float32))


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


def surroundings(
    features: Floats, entries: Ints, head: Head, elsewhere: Floats, pieces: Floats
) -> Surroundings:
    """Of the entries' phrases, the discriminant head trained on them, and what is asked elsewhere: a row of
    features each, at least one, and its pieces, of which one stands for all that are much alike."""
    _, within = _within(features, entries, len(head.bias), _SHRINKAGE)
    middle = elsewhere.mean(axis=0)
    spread = elsewhere - middle
    covariance = np.asarray(spread.T @ spread / len(spread), np.float32)
    inverse = _inverse(_shrunk(covariance, _SHRINKAGE_ELSEWHERE))
    raw = Surroundings(
        np.asarray(inverse - _inverse(within), np.float32),
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


def evened(features: Floats, entries: Ints, count: int, shrinkage: float = 0.9) -> Floats:
    """A matrix that features are multiplied with, so that they vary more evenly within the entries: in
    what way one asks counts less, what is asked counts more; their mean square length stays."""
    _, covariance = _within(features, entries, count, shrinkage)
    root = np.linalg.inv(np.linalg.cholesky(covariance)).T.astype(np.float32)
    length = np.linalg.norm(features) / max(float(np.linalg.norm(features @ root)), 1e-9)
    return np.asarray(np.float32(length) * root, np.float32)


def _within(features: Floats, entries: Ints, count: int, shrinkage: float) -> tuple[Floats, Floats]:
    """The mean of each entry, and how features vary around it, shrunk towards a sphere. Of single phrases
    nothing varies around the mean: there stands in how all of them vary."""
    sizes = np.bincount(entries, minlength=count).astype(np.float32)
    means = np.zeros((count, features.shape[1]), np.float32)
    np.add.at(means, entries, features)
    means /= np.maximum(sizes, 1)[:, None]
    is_single = len(features) < _FEW_PHRASES * count
    spread = features - (features.mean(axis=0) if is_single else means[entries])
    within = spread.T @ spread / len(features)
    sphere = float(np.einsum("ij,ij->", features, features)) / features.size
    return means, _shrunk(np.asarray(within, np.float32), shrinkage, 0.2 * sphere)


def _shrunk(covariance: Floats, shrinkage: float, least: float = 0.0) -> Floats:
    """The covariance mixed with a sphere of its own mean variance, or of the `least`."""
    mixed = np.asarray((1 - shrinkage) * covariance, np.float32)
    mean = float(np.trace(covariance)) / len(covariance)
    mixed[np.diag_indices_from(mixed)] += shrinkage * max(mean, least, 1e-6)
    return mixed


def logistic_head(
    features: Floats, entries: Ints, count: int, options: LogisticOptions, importance: Floats | None = None
) -> Head:
    """Multinomial logistic regression by accelerated gradient descent (Nesterov 1983).

    The step is the inverse of the largest curvature, so nothing has to be tuned to a base. Examples
    count by their `importance`; without one all count 1.
    """
    counts = np.ones((len(entries), 1), np.float32) if importance is None else importance[:, None]
    weights = np.zeros((features.shape[1], count), np.float32)
    bias = np.zeros(count, np.float32)
    step = np.float32(1 / (0.5 * _largest_singular_value(features, counts) ** 2 + 1 / options.strength))
    ahead, before, momentum = weights, weights, 1.0
    for _ in range(options.iterations):
        error = np.exp(log_softmax(np.asarray(features @ ahead + bias, np.float32)))
        error[np.arange(len(entries)), entries] -= 1
        error *= counts
        slope = features.T @ error + ahead / np.float32(options.strength)
        weights = np.asarray(ahead - step * slope, np.float32)
        bias -= np.float32(0.3) * step * error.sum(axis=0)
        following = (1 + (1 + 4 * momentum * momentum) ** 0.5) / 2
        ahead = weights + np.float32((momentum - 1) / following) * (weights - before)
        before, momentum = weights, following
    return Head(weights, bias)


@dataclass(frozen=True, slots=True)
class LogisticOptions:
    """How hard a logistic head is trained."""

    strength: float = 30.0  # inverse of the L2 penalty
    iterations: int = 100


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
