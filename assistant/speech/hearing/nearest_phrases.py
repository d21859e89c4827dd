"""Which of many phrases look most like what may have been said, by the letters that they share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

_WORD = re.compile(r"\w+")
_LETTERS = 3


class NearestPhrases:
    """An index of phrases by every three letters in a row; it looks through 100,000 in some milliseconds."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = list(dict.fromkeys(phrases))
        taken_apart = [_pieces(phrase) for phrase in self._phrases]
        places: dict[str, list[int]] = defaultdict(list)
        for number, pieces in enumerate(taken_apart):
            for piece in pieces:
                places[piece].append(number)
        self._places = {piece: np.array(numbers, np.int32) for piece, numbers in places.items()}
        self._sizes = np.array([len(pieces) for pieces in taken_apart], np.float32)

    def nearest(self, readings: Sequence[str], most: int) -> list[str]:
        """At most so many, those that share most with any of the readings first (by Dice's coefficient)."""
        likeness = np.zeros(len(self._phrases), np.float32)
        for pieces in map(_pieces, readings):
            found = [self._places[piece] for piece in pieces if piece in self._places]
            if found:
                shared = np.bincount(np.concatenate(found), minlength=len(self._phrases))
                likeness = np.maximum(likeness, 2 * shared / (len(pieces) + self._sizes))
        order = np.argsort(-likeness, kind="stable")[:most]
        return [self._phrases[number] for number in order if likeness[number]]


@lru_cache(maxsize=8)  # recognizers of the same pages share one
def nearest_phrases(phrases: tuple[str, ...]) -> NearestPhrases:
    return NearestPhrases(phrases)


def likeness(one: str, other: str) -> float:
    """How much of two texts is the same, from 0 to 1 (Dice's coefficient of every three letters in a row)."""
    pieces, others = _pieces(one), _pieces(other)
    return 2 * len(pieces & others) / max(1, len(pieces) + len(others))


def _pieces(text: str) -> set[str]:
    words = f" {' '.join(_WORD.findall(text.casefold()))} "
    return {words[at : at + _LETTERS] for at in range(len(words) - _LETTERS + 1)}
