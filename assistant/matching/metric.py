"""What in the features of texts tells the entries of a base apart, and what varies whatever is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_SHRINKAGE = 0.9  # of the covariance within the entries
_POWER = 0.25  # 0.35 and 0.5 do as well on average
# An entry, half as written and half as heard: where there are more, they tell by themselves what tells the
# entries apart, so that the power falls.
ENOUGH_PHRASES = 50
_FEW_PHRASES = 1.5  # an entry: with fewer nothing is known of how they vary


@dataclass(frozen=True, slots=True)
class Stretch:
    """What features are multiplied with, so that they vary more where the entries lie apart."""

    matrix: Floats  # shape (features, features), symmetric
    inverse_square: Floats  # of the matrix


@dataclass(frozen=True, slots=True)
class Metric:
    """What features are multiplied with before a head is trained on them."""

    matrix: Floats  # shape (features, features)
    stretch: Stretch | None  # the part of it that only tells the entries apart


@dataclass(frozen=True, slots=True)
class Spread:
    """How the features of the phrases vary."""

    means: Floats  # shape (entries, features): of each entry
    within: Floats  # shape (features, features): the covariance within the entries, shrunk
    moment: Floats  # shape (features, features): the sum of all products

    @classmethod
    def of(cls, features: Floats, entries: Ints, count: int, shrinkage: float = _SHRINKAGE) -> Spread:
        means, within = _within(features, entries, count, shrinkage)
        return cls(means, within, np.asarray(features.T @ features, np.float32))

    def through(self, matrix: Floats) -> Spread:
        """Of the features multiplied with a matrix."""
        within, moment = (matrix.T @ each @ matrix for each in (self.within, self.moment))
        return Spread(self.means @ matrix, np.asarray(within, np.float32), np.asarray(moment, np.float32))

    def keeping_length(self, matrix: Floats) -> Floats:
        """The matrix times a number, so that the features keep their mean square length."""
        before, after = np.trace(self.moment), np.einsum("ij,ij->", self.moment @ matrix, matrix)
        return np.asarray(matrix * np.float32((before / max(float(after), 1e-12)) ** 0.5), np.float32)


def metric_of(features: Floats, entries: Ints, count: int) -> Metric:
    """Features count more the more they tell the entries apart; what is asked elsewhere lies in other
    directions, so for that they only vary evenly within the entries."""
    spread = Spread.of(features, entries, count)
    even = evened(spread)
    if is_single(len(features), count):
        return Metric(even, None)
    power = _POWER * min(1.0, ENOUGH_PHRASES * count / len(features))
    stretch = stretched(spread.through(even), power)
    return Metric(even @ stretch.matrix, stretch)


def evened(spread: Spread) -> Floats:
    """A matrix that features are multiplied with, so that they vary more evenly within the entries: in
    what way one asks counts less, what is asked counts more; their mean square length stays."""
    root = np.linalg.inv(np.linalg.cholesky(spread.within)).T
    return spread.keeping_length(np.asarray(root, np.float32))


def stretched(spread: Spread, power: float = _POWER) -> Stretch:
    """The mean square length of the features stays.

    The directions are those of the covariance between the entries; each is stretched by a power of one more
    than its variance, which is 1 on average. Of BANKING77 and CLINC150 with two to ten phrases an entry the
    fourth root brought one point more right, with fifty half a point less (training rows): many phrases
    tell by themselves what tells the entries apart."""
    apart = spread.means - spread.means.mean(axis=0)
    variances, directions = np.linalg.eigh(apart.T @ apart)
    own = np.maximum(variances, 0)
    roots = (1 + own / max(float(own.mean()), 1e-9)) ** power
    matrix = np.asarray((directions * roots) @ directions.T, np.float32)
    kept = spread.keeping_length(matrix)
    scale = float(np.trace(matrix) / np.trace(kept))
    inverse_square = (directions * (scale / roots) ** 2) @ directions.T
    return Stretch(kept, np.asarray(inverse_square, np.float32))


def _within(features: Floats, entries: Ints, count: int, shrinkage: float) -> tuple[Floats, Floats]:
    """The mean of each entry, and how features vary around it, shrunk towards a sphere. Of single phrases
    nothing varies around the mean: there stands in how all of them vary."""
    means = _means(features, entries, count)
    spread = features - (features.mean(axis=0) if is_single(len(features), count) else means[entries])
    within = spread.T @ spread / len(features)
    sphere = float(np.einsum("ij,ij->", features, features)) / features.size
    return means, shrunk(np.asarray(within, np.float32), shrinkage, 0.2 * sphere)


def is_single(phrases: int, entries: int) -> bool:
    """Whether so many entries with so many phrases have a single one, mostly."""
    return phrases < _FEW_PHRASES * entries


def _means(features: Floats, entries: Ints, count: int) -> Floats:
    """Of each entry."""
    sizes = np.bincount(entries, minlength=count).astype(np.float32)
    means = np.zeros((count, features.shape[1]), np.float32)
    np.add.at(means, entries, features)
    return np.asarray(means / np.maximum(sizes, 1)[:, None], np.float32)


def shrunk(covariance: Floats, shrinkage: float, least: float = 0.0) -> Floats:
    """The covariance mixed with a sphere of its own mean variance, or of the `least`."""
    mixed = np.asarray((1 - shrinkage) * covariance, np.float32)
    mean = float(np.trace(covariance)) / len(covariance)
    mixed[np.diag_indices_from(mixed)] += shrinkage * max(mean, least, 1e-6)
    return mixed
