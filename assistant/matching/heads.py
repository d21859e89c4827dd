"""The small models trained on the base when it is loaded: which entry do these features belong to?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


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


def discriminant_head(features: Floats, entries: Ints, count: int, shrinkage: float = 0.7) -> Head:
    """Linear discriminant analysis with the within-entry covariance shrunk towards a sphere.

    Closed form, so it serves bases of any size. Where entries have a single phrase nothing varies
    within them and the head falls back to the nearest mean.
    """
    means, covariance = _within(features, entries, count, shrinkage)
    weights = np.linalg.solve(covariance, means.T).astype(np.float32)
    return Head(weights, (-0.5 * np.einsum("ij,ji->i", means, weights)).astype(np.float32))


def evened(features: Floats, entries: Ints, count: int, shrinkage: float = 0.9) -> Floats:
    """A matrix that features are multiplied with, so that they vary more evenly within the entries: in
    what way one asks counts less, what is asked counts more; their mean square length stays."""
    _, covariance = _within(features, entries, count, shrinkage)
    root = np.linalg.inv(np.linalg.cholesky(covariance)).T.astype(np.float32)
    length = np.linalg.norm(features) / max(float(np.linalg.norm(features @ root)), 1e-9)
    return np.asarray(np.float32(length) * root, np.float32)


def _within(features: Floats, entries: Ints, count: int, shrinkage: float) -> tuple[Floats, Floats]:
    """The mean of each entry, and how features vary around it, shrunk towards a sphere."""
    sizes = np.bincount(entries, minlength=count).astype(np.float32)
    means = np.zeros((count, features.shape[1]), np.float32)
    np.add.at(means, entries, features)
    means /= np.maximum(sizes, 1)[:, None]
    spread = features - means[entries]
    within = spread.T @ spread / len(features)
    sphere = float(np.einsum("ij,ij->", features, features)) / features.size
    covariance = (1 - shrinkage) * within
    covariance[np.diag_indices_from(covariance)] += shrinkage * max(
        float(np.trace(within)) / len(within), 0.2 * sphere, 1e-6
    )
    return means, np.asarray(covariance, np.float32)


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
