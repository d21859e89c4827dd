"""The only room that knows rapidfuzz: how alike two wordings are, whatever they mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, Levenshtein

Floats = npt.NDArray[np.float32]


def word_likeness(folded: str, phrases: Sequence[str]) -> Floats:
    """Shape (2, phrases), 0 to 1: the words in common as a set, and all words sorted.

    The set forgives what is said besides ("er hello when do you open please"), the sorted words
    forgive the order but not the rest; both forgive typos.
    """
    likeness = [
        process.cdist([folded], phrases, scorer=scorer, dtype=np.float32)[0]
        for scorer in (fuzz.token_set_ratio, fuzz.token_sort_ratio)
    ]
    return np.asarray(likeness, np.float32) / np.float32(100)


def nearest_word(word: str, vocabulary: Sequence[str], slips: int) -> str | None:
    """The word that so many slips of the fingers (a letter more, less, another, two swapped) make of it."""
    found = process.extractOne(word, vocabulary, scorer=OSA.distance, score_cutoff=slips)
    return found[0] if found else None


def changes(row: str, others: Sequence[str]) -> npt.NDArray[np.int64]:
    """How many letters must be added, left out or replaced to make each of the others of it."""
    return np.asarray(process.cdist([row], others, scorer=Levenshtein.distance, dtype=np.int64)[0])
