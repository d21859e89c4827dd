"""Which entry a spoken question belongs to, told by how it sounds: "fair" and "fare" are one, and where a
word ends does not matter.

Kernel ridge regression (Saunders, Gammerman and Vovk 1998) on the cosines of runs of sounds. The numbers were
chosen on questions of ATIS and TREC as they were heard (those for development, not those that are reported),
asked of bases of 10 to 700 phrases an entry, on 516 of BANKING77, spoken by Piper and heard by PocketSphinx,
and on questions that were heard without an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.matching.cache import Arrays, Cache, fingerprint
from assistant.matching.heads import log_softmax
from assistant.matching.sounds import sounds_of
from assistant.matching.spoken_numbers import as_said
from assistant.matching.terms import TermIndex, letter_bags
from assistant.matching.text import fold, words

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_VERSION = "3"  # of the learning
_RIDGE = 0.3  # beside cosines of 1; 1 finds a little less
_SHARPNESS = 12.0  # of the scores, most of them between 0 and 1; 10 to 14 do as well
_ENOUGH_PHRASES = 40  # an entry in one language: with so many it counts half as much as all else together
_FEWEST_PHRASES = 20  # an entry: at 10, what it is worth in the bases above is as good as nothing
_MOST_PHRASES = 4_000  # learned from: their cosines fill 64 MB
_NOTHING = np.float32(1e-12)  # left to learn
_ROUNDS = 60  # of the learning; after 50 the scores are within 0.002 of what they come to


@dataclass(frozen=True, slots=True)
class Spoken:
    """The phrases of a base in one language or in all, at least one."""

    texts: Sequence[str]
    entries: Ints  # the number of the entry of each, never falling
    count: int  # of the entries of the base in all languages
    written: int  # entries, each counted once for every language it has phrases in
    language: str | None = None  # in which numbers are said; None: they are only written


@dataclass(frozen=True, slots=True)
class BySound:
    """Tells the entries of a base by their sound."""

    index: TermIndex  # runs of 2 to 5 sounds of the phrases it has learned
    weights: Floats  # shape (phrases, entries): how much each speaks for which
    trust: float  # 0 to 1: what it says beside all other witnesses
    language: str | None  # in which numbers are said

    @classmethod
    def trained(cls, phrases: Spoken, cache: Cache | None, kind: str) -> BySound | None:
        """None where the entries have too few phrases. From the cache where the same phrases were learned
        before; one of a `kind` is kept there."""
        learned = _first_of_each(phrases.entries, _MOST_PHRASES)
        entries = phrases.entries[learned]
        phrases_an_entry = len(entries) / phrases.written
        if phrases_an_entry < _FEWEST_PHRASES:
            return None
        rows = [_sounds(phrases.texts[place], phrases.language) for place in learned.tolist()]
        bags = letter_bags(rows)
        index = TermIndex(bags)

        def learn() -> Arrays:
            return {"weights": _solved(index.ask(bags), _marks(entries, phrases.count))}

        key = fingerprint(_VERSION, str(phrases.count), ",".join(map(str, entries.tolist())), *rows)
        weights = (cache.arrays(kind, key, learn) if cache else learn())["weights"]
        trust = phrases_an_entry / (phrases_an_entry + _ENOUGH_PHRASES)
        return cls(index, weights, trust, phrases.language)

    def tells(self, readings: Sequence[str], trust: Sequence[float]) -> Floats:
        """How likely each entry is by the sound of some readings and the trust in each; shape (entries,),
        natural logarithms."""
        alike = self.index.ask(letter_bags([_sounds(text, self.language) for text in readings]))
        shares = np.exp(log_softmax(np.float32(_SHARPNESS) * (alike @ self.weights)))
        return np.asarray(np.log(np.average(shares, axis=0, weights=trust)), np.float32)


def _first_of_each(entries: Ints, most: int) -> Ints:
    """The places of so many phrases: the first of each entry, then the second of each, and so on."""
    _, starts, sizes = np.unique(entries, return_index=True, return_counts=True)
    turn = np.arange(len(entries)) - np.repeat(starts, sizes)
    return np.sort(np.argsort(turn, kind="stable")[:most])


def _marks(entries: Ints, count: int) -> Floats:
    """For each phrase 1 for its entry, 0 for the others, less how many phrases each has: the other witnesses
    know that."""
    marks = np.zeros((len(entries), count), np.float32)
    marks[np.arange(len(entries)), entries] = 1
    return np.asarray(marks - marks.mean(axis=0), np.float32)


def _solved(alike: Floats, marks: Floats) -> Floats:
    """How much each phrase speaks for which entry, from the cosines of the phrases with each other.

    By conjugate gradients (Hestenes and Stiefel 1952) for all entries at once: to solve it at one go takes
    copies of the cosines, four times as large as they are.
    """
    alike[np.diag_indices_from(alike)] += np.float32(_RIDGE)
    found, left = np.zeros_like(marks), marks.copy()
    way, length = left.copy(), _squares(left)
    for _ in range(_ROUNDS):
        seen = alike @ way
        stride = length / np.maximum(np.einsum("ij,ij->j", way, seen), _NOTHING)
        found += stride * way
        left -= stride * seen
        before, length = length, _squares(left)
        way = np.asarray(left + length / np.maximum(before, _NOTHING) * way, np.float32)
    return found


def _squares(columns: Floats) -> Floats:
    return np.asarray(np.einsum("ij,ij->j", columns, columns), np.float32)


def _sounds(text: str, language: str | None) -> str:
    """All in one row: recognizers move the borders between words."""
    return "".join(map(sounds_of, words(fold(as_said(text, language)))))
