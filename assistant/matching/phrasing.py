"""How the words of a base follow each other: what an editor would be likely to write next.

Runs of three words, smoothed by absolute discounting (Ney, Essen and Kneser 1994) with those of two, of one
and with ordinary language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_DISCOUNT = 0.75  # of each count, as is usual
_MOST_RARE = 0.5  # of all words
BEGINNING, END = 0, 1  # numbers of what stands before and behind a phrase; words follow


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often each of some numbers was met, sorted."""

    numbers: Ints
    counts: Ints

    @classmethod
    def of(cls, numbers: Ints, counts: Ints | None = None) -> _Counts:
        """`counts` are added up; 1 for each number where there are none."""
        different, places = np.unique(numbers, return_inverse=True)
        return cls(different, np.bincount(places, counts, len(different)).astype(np.int64))

    def __call__(self, numbers: Ints) -> Ints:
        """0 for a number that was never met."""
        if not len(self.numbers):
            return np.zeros_like(numbers)
        places = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1)
        return np.where(self.numbers[places] == numbers, self.counts[places], 0)


class _Runs:
    """Runs of words of one length, and what they begin with."""

    def __init__(self, runs: Ints, size: int) -> None:
        self._met = _Counts.of(runs)
        before = self._met.numbers // size
        self._followed = _Counts.of(before, self._met.counts)  # how often
        self._ways = _Counts.of(before)  # by how many different words
        self._size = size

    def smoothed(self, before: Ints, words: Ints, shorter: Floats) -> Floats:
        """The probability of each word behind the run `before` it; `shorter` is that behind a shorter one.
        A number below 0 is a run or a word that was never met."""
        runs = np.where(words >= 0, before * self._size + words, -1)
        followed = self._followed(before)
        own = np.maximum(self._met(runs) - _DISCOUNT, 0) + _DISCOUNT * self._ways(before) * shorter
        return np.where(followed > 0, own / np.maximum(followed, 1), shorter)


class Phrasing:
    """How likely a word is after two others, in the phrases of a base."""

    def __init__(self, phrases: Sequence[Sequence[int]], size: int) -> None:
        """`phrases` are rows of numbers of words from 2 on, below `size`."""
        rows = [word for phrase in phrases for word in (BEGINNING, BEGINNING, *phrase, END)]
        run = np.array(rows, np.int64)
        last = run[2:] != BEGINNING
        self._size = size
        self._counts = np.bincount(run[2:][last], minlength=size)
        self._twos = _Runs((run[1:-1] * size + run[2:])[last], size)
        self._threes = _Runs(((run[:-2] * size + run[1:-1]) * size + run[2:])[last], size)
        self.share_of_rare = _share_of_rare(phrases, size)

    def __call__(self, before: tuple[Ints, Ints], words: Ints, ordinary: Floats) -> Floats:
        """Natural logarithms of how likely each word is behind the two `before` it; `ordinary` is how likely
        it is in ordinary language. A number of `size` or more is a word that the base has not."""
        first, second, words = (np.where(each < self._size, each, -1) for each in (*before, words))
        counts = np.where(words >= 0, self._counts[words], 0)
        different = int((self._counts > 0).sum())
        alone = (np.maximum(counts - _DISCOUNT, 0) + _DISCOUNT * different * ordinary) / self._counts.sum()
        behind_one = self._twos.smoothed(second, words, alone)
        both = np.where((first >= 0) & (second >= 0), first * self._size + second, -1)
        behind_two = self._threes.smoothed(both, words, behind_one)
        share = self.share_of_rare
        return np.asarray(np.log((1 - share) * behind_two + share * ordinary), np.float64)


def _share_of_rare(phrases: Sequence[Sequence[int]], size: int) -> float:
    """Of all words, how many stand in one phrase alone: as many of a customer's are in none. At most half,
    for in a base of a few phrases all do."""
    own = [sorted(set(phrase)) for phrase in phrases]
    in_phrases = np.bincount([word for words in own for word in words], minlength=size)
    written = np.array([word for phrase in phrases for word in phrase], np.int64)
    return min(float((in_phrases[written] == 1).mean()), _MOST_RARE) if len(written) else _MOST_RARE
