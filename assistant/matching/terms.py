"""Word and letter statistics of a base: TF-IDF over inverted indexes, built and asked with numpy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from assistant.matching.text import letters, words

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]

GRAM_LENGTHS = range(2, 6)  # letters; shorter ones carry too little, longer ones survive no typo
_BASE = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads neighbouring letters
_COMMON_SHARE = 0.2  # of the phrases; terms of so many are faster kept for all (0.1, 0.3: a little slower)
_SPACE, _END = ord(" "), ord("\n")


@dataclass(frozen=True, slots=True)
class Bags:
    """The terms of some texts, in their order: `terms[i]` stands `counts[i]` times in text `texts[i]`."""

    texts: Ints
    terms: Hashes
    counts: Floats
    size: int  # how many texts


def letter_bags(folded: Sequence[str]) -> Bags:
    """Runs of 2 to 5 letters within each word, its edges marked by a space."""
    codes, owner = _codes(folded)
    owners, grams = zip(*_grams(codes, owner), strict=True)
    return _count(np.concatenate(owners), np.concatenate(grams), len(folded))


def word_bags(folded: Sequence[str]) -> Bags:
    """Words and pairs of neighbouring words."""
    known: dict[str, int] = {}
    owner: list[int] = []
    terms: list[int] = []
    for number, text in enumerate(folded):
        listed = words(text)
        pairs = [f"{one} {two}" for one, two in pairwise(listed)]
        owner += [number] * (len(listed) + len(pairs))
        terms += [known.setdefault(term, len(known)) for term in (*listed, *pairs)]
    hashes = _hash_strings(tuple(known))
    return _count(np.array(owner, np.int64), hashes[np.array(terms, np.int64)], len(folded))


def _hash_strings(strings: Sequence[str]) -> Hashes:
    codes, owner = _codes(strings, as_letters=False)
    first = np.searchsorted(owner, np.arange(len(strings)))
    place = (np.arange(len(codes)) - first[owner]).astype(np.uint64)
    powers = np.power(_BASE, place + np.uint64(1))
    sums = np.zeros(len(strings), np.uint64)
    np.add.at(sums, owner, (codes.astype(np.uint64) + np.uint64(1)) * powers)
    return _mix(sums)


def _codes(folded: Sequence[str], as_letters: bool = True) -> tuple[npt.NDArray[np.uint32], Ints]:
    """All texts as one row of code points, and the text each belongs to."""
    rows = [f" {letters(text) if as_letters else text} \n" for text in folded]
    codes = np.frombuffer("".join(rows).encode("utf-32-le", "surrogatepass"), np.uint32)
    return codes, np.repeat(np.arange(len(rows)), [len(row) for row in rows])


def _grams(codes: npt.NDArray[np.uint32], owner: Ints) -> Iterator[tuple[Ints, Hashes]]:
    """The runs of each length, shortest first: the text each belongs to, and its hash."""
    is_space, is_end = codes == _SPACE, codes == _END
    sums, valid = codes.astype(np.uint64), ~is_end  # of runs of one letter
    for length in GRAM_LENGTHS:
        count = max(0, len(codes) - length + 1)
        sums = sums[:count] * _BASE + codes[length - 1 :]
        valid = valid[:count] & ~is_end[length - 1 :]
        if length == GRAM_LENGTHS.start:  # a letter between two spaces is a word, two spaces are nothing
            valid &= ~(is_space[:count] & is_space[1:])
        else:
            valid &= ~is_space[length - 2 : length - 2 + count]
        yield owner[:count][valid], _mix(sums[valid] + _seed(length))


@cache
def _seed(length: int) -> np.uint64:
    """Sets runs of one length apart from those of another."""
    return np.uint64(length * int(_BASE) ** length % 2**64)


def _mix(hashes: Hashes) -> Hashes:
    mixed = (hashes ^ (hashes >> np.uint64(31))) * _BASE
    return mixed ^ (mixed >> np.uint64(29))


def _count(owner: Ints, terms: Hashes, size: int) -> Bags:
    order = np.lexsort((terms, owner))
    owner, terms = owner[order], terms[order]
    is_first = np.ones(len(owner), bool)
    is_first[1:] = (owner[1:] != owner[:-1]) | (terms[1:] != terms[:-1])
    starts = np.flatnonzero(is_first)
    counts = np.diff(starts, append=len(owner)).astype(np.float32)
    return Bags(owner[starts], terms[starts], counts, size)


class TermIndex:
    """TF-IDF of some phrases, asked for the cosine of a text with every one of them."""

    def __init__(self, bags: Bags) -> None:
        self._terms, place, documents = np.unique(bags.terms, return_inverse=True, return_counts=True)
        self._rarity = (np.log((1 + bags.size) / (1 + documents)) + 1).astype(np.float32)
        self._size = bags.size
        weights = _damped(bags.counts) * self._rarity[place]
        weights /= np.maximum(_lengths(bags.texts, weights, bags.size), 1e-9)[bags.texts]
        order = np.argsort(place, kind="stable")
        place, phrases, weights = place[order], bags.texts[order].astype(np.int32), weights[order]
        is_common = documents > _COMMON_SHARE * bags.size
        self._rows = np.where(is_common, np.cumsum(is_common) - 1, -1)  # of the common terms; -1: it is rare
        self._of_all = np.zeros((int(is_common.sum()), bags.size), np.float32)  # weights in every phrase
        common, rare = is_common[place], ~is_common[place]
        self._of_all[self._rows[place[common]], phrases[common]] = weights[common]
        # Of the rare ones: the phrases that hold each, and its weights there.
        self._phrases, self._weights = phrases[rare], weights[rare].astype(np.float32)
        self._starts = np.r_[0, np.cumsum(np.where(is_common, 0, documents))]

    def ask(self, bags: Bags) -> Floats:
        """Cosines, shape (texts asked, phrases). Terms the base lacks count as the rarest."""
        cosines = np.zeros((bags.size, self._size), np.float32)
        ends = np.searchsorted(bags.texts, np.arange(bags.size + 1)).tolist()
        for text, (start, end) in enumerate(pairwise(ends)):
            cosines[text] = self._ask_one(bags.terms[start:end], bags.counts[start:end])
        return cosines

    def known(self, bags: Bags) -> Floats:
        """For each text, the share of its terms, weighed by rarity, that the base holds."""
        weights = self._rarities(bags.terms, unknown=self._unknown_rarity)
        total = np.bincount(bags.texts, weights, bags.size)
        known = np.bincount(bags.texts, weights * self._find(bags.terms)[1], bags.size)
        return np.asarray(known / np.maximum(total, 1e-9), np.float32)

    def weigh(self, bags: Bags) -> Floats:
        """TF-IDF weights of unit length for each term of each text, in the order of `bags`."""
        weights = _damped(bags.counts) * self._rarities(bags.terms, unknown=0.0)
        return np.asarray(
            weights / np.maximum(_lengths(bags.texts, weights, bags.size), 1e-9)[bags.texts], np.float32
        )

    def _rarities(self, terms: Hashes, unknown: float) -> Floats:
        place, is_known = self._find(terms)
        if not len(self._terms):
            return np.full(len(terms), unknown, np.float32)
        return np.where(is_known, self._rarity[place], np.float32(unknown))

    @cached_property
    def _unknown_rarity(self) -> float:
        return float(np.log(1 + self._size) + 1)

    def _find(self, terms: Hashes) -> tuple[Ints, npt.NDArray[np.bool_]]:
        place = np.minimum(np.searchsorted(self._terms, terms), max(len(self._terms) - 1, 0))
        return place, (self._terms[place] == terms if len(self._terms) else np.zeros(len(terms), bool))

    def _ask_one(self, terms: Hashes, counts: Floats) -> Floats:
        place, is_known = self._find(terms)
        weights = _damped(counts) * np.where(
            is_known, self._rarity[place] if len(self._terms) else 0, self._unknown_rarity
        )
        length = float(np.sqrt(np.sum(weights * weights)))
        place, weights = place[is_known], (weights[is_known] / max(length, 1e-9)).astype(np.float32)
        rows = self._rows[place]
        is_common = rows >= 0
        cosines = weights[is_common] @ self._of_all[rows[is_common]]
        return np.asarray(cosines + self._of_rare(place[~is_common], weights[~is_common]), np.float32)

    def _of_rare(self, place: Ints, weights: Floats) -> Floats:
        """What the rare terms at these places add to the cosine with each phrase."""
        if not len(place):
            return np.zeros(self._size, np.float32)
        starts, ends = self._starts[place], self._starts[place + 1]
        holders = [slice(*both) for both in zip(starts.tolist(), ends.tolist(), strict=True)]
        phrases = np.concatenate([self._phrases[own] for own in holders])
        parts = np.concatenate([self._weights[own] for own in holders])
        parts *= np.repeat(weights, ends - starts)
        return np.bincount(phrases, parts, self._size).astype(np.float32)


def _damped(counts: Floats) -> Floats:
    """The tenth use of a word says less than the first."""
    return np.asarray(1 + np.log(counts), np.float32)


def _lengths(texts: Ints, weights: Floats, size: int) -> Floats:
    return np.sqrt(np.bincount(texts, weights * weights, size)).astype(np.float32)


def hashed_features(bags: Bags, weights: Floats, dimensions: int) -> Floats:
    """Terms dealt into a fixed number of columns by hash, half of them with a minus sign so that
    collisions cancel; shape (texts, dimensions). Weinberger et al. 2009, "Feature hashing"."""
    columns = (bags.terms % np.uint64(dimensions)).astype(np.int64)
    signs = 1.0 - 2.0 * ((bags.terms >> np.uint64(40)) & np.uint64(1)).astype(np.float32)
    cells = np.bincount(bags.texts * dimensions + columns, weights * signs, bags.size * dimensions)
    return cells.reshape(bags.size, dimensions).astype(np.float32)
