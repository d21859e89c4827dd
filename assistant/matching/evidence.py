"""The witnesses: what speaks for each entry of a base, measured for a text.

A base is a row of phrases sorted by entry; a shortlist is made with the cheap witnesses and the
dear ones are asked about it alone, so that 100,000 phrases can be heard in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.matching import lexical
from assistant.matching.arithmetic import times
from assistant.matching.heads import Head, Surroundings, log_softmax
from assistant.matching.metric import is_single
from assistant.matching.seen import by_text, one_text
from assistant.matching.terms import Bags, TermIndex, hashed_features, letter_bags, word_bags
from assistant.ports import Seen

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What speaks for an entry; the learned weights name them.
WITNESSES = (
    "meaning",  # cosine of the sentence vectors of the text and the entry's best phrase
    "rare meaning",  # the same, of the vectors in which the words that are rare in the base count more
    "letters",  # the same of their runs of letters (TF-IDF): survives typos and mishearing
    "words",  # the same of their words and pairs of words (TF-IDF)
    "words in common",  # rapidfuzz token_set_ratio of the best phrase
    "words in order",  # rapidfuzz token_sort_ratio of the best phrase
    "trained on meaning",  # discriminant head: deviations behind the best entry, 0 for the best itself
    "trained on everything",  # logistic head: log-probability
    "word by word",  # each piece of the text where it stands: cosine with the most like one of the entry
)
_SHORTLIST = 10  # entries by each of four cheap witnesses
# Of a shortlisted entry, the likest by letters and words: the dear witnesses look at no others. With 5, 20,
# 40 and all of 20 to 2,700 as many development questions of BANKING77, CLINC150, ATIS and TREC found theirs;
# with 5, what was asked in another language than the base's was answered less surely.
_NEAREST_PHRASES = 10
_FEATURES_A_KIND = 512  # 2,048 were no better on BANKING77 and CLINC150
_LETTER_SHARE, _WORD_SHARE = 0.5, 0.35  # beside vectors of length one; 0.4 to 0.8 differ by less than a point
FEATURE_SHARE = np.float32(0.5**0.5)  # of each vector: two share the length of one
_PIECES_SHARE = np.float32(0.5)  # 0.4 and 0.7 do as well
_RARE_PIECES = 2  # power of the weights of the focus; 1 to 3 differ by a tenth of a point
_FULL_LIKENESS = 127.0**2  # of two rows of pieces
_AS_NEAR = 1.0  # to an entry as to what is asked elsewhere: said where that is not known
_LOWEST = -12.0  # log-probabilities below say the same: no


@dataclass(frozen=True, slots=True)
class Texts:
    """Some texts made ready to be asked: folded, encoded, taken apart."""

    folded: tuple[str, ...]
    seen: Seen | None  # by the encoder; None without one
    letters: Bags
    words: Bags

    @classmethod
    def of(cls, folded: Sequence[str], seen: Seen | None) -> Texts:
        return cls(tuple(folded), seen, letter_bags(folded), word_bags(folded))

    @property
    def vectors(self) -> Floats | None:
        """Shape (texts, 2 * dimensions): plain, focused; None without an encoder."""
        return None if self.seen is None else self.seen.vectors


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for one text: a row for each shortlisted entry, a column for each witness."""

    entries: Ints  # numbers of the shortlisted entries
    values: Floats  # shape (entries, witnesses)
    phrases: Ints  # the number of each entry's best phrase
    verbatim: Flags  # is the text one of the entry's phrases, word for word?
    standing_out: Floats  # score of the discriminant head for each entry, in deviations above the mean of all
    trained_scores: Floats  # of the logistic head for each entry: above all there is on average
    ahead_of_elsewhere: Floats  # log-odds of each entry against what is asked elsewhere
    word_by_word_elsewhere: float | None  # the witness, of all that is asked elsewhere; None: not known
    nearer_than_elsewhere: float  # 0 amid what is asked there, 1 as near to an entry
    apart: Floats  # how far each entry lies from the nearest other one of the base, 1 in the middle
    known_words: float  # share of the text's words, weighed by rarity, that the base holds
    size: int  # how many entries the base has


class Phrases:
    """The phrases of a base with everything that can be worked out before a question comes."""

    def __init__(self, texts: Texts, entries: Ints) -> None:
        """`entries` numbers the entry of each phrase and never falls from one phrase to the next."""
        self.texts = texts
        self.entries = entries
        self.count = int(entries[-1]) + 1
        self.starts = np.searchsorted(entries, np.arange(self.count))
        self.ends = np.r_[self.starts[1:], len(entries)]
        self._letters = TermIndex(texts.letters)
        self._words = TermIndex(texts.words)
        vectors = texts.vectors
        self._piece_ends = np.cumsum(texts.seen.lengths) if texts.seen else None
        self._centre = None if vectors is None else vectors.mean(axis=0)
        # Of single phrases they tell the nearest no better: a FAQ of 415 entries lost a point.
        seen = None if is_single(len(entries), self.count) else texts.seen
        self._centre_of_sums = _sums_of_pieces(seen).mean(axis=0) if seen else None

    def vector_features(self, texts: Texts) -> tuple[Floats, Floats] | None:
        """Plain and focused vectors after subtracting the base's mean, of length one."""
        if texts.vectors is None or self._centre is None:
            return None
        plain, focused = np.split(texts.vectors - self._centre, 2, axis=1)
        return unit(plain), unit(focused)

    @property
    def feature_count(self) -> int:
        """How many columns `all_features` has."""
        return self.vector_feature_count + 2 * _FEATURES_A_KIND

    @property
    def vector_feature_count(self) -> int:
        """How many of them are vectors and sums of pieces; they come first."""
        sums = 0 if self._centre_of_sums is None else len(self._centre_of_sums)
        return (self.compared.stop or 0) + sums

    @property
    def compared(self) -> slice:
        """Where texts are compared by their features: the vectors, or everything without an encoder."""
        return slice(0, None if self.texts.vectors is None else int(self.texts.vectors.shape[1]))

    def all_features(self, texts: Texts, vectors: tuple[Floats, Floats] | None) -> Floats:
        """Centred `vectors` (see `vector_features`), sums of pieces, hashed letters and hashed words side
        by side."""
        letters = hashed_features(texts.letters, self._letters.weigh(texts.letters), _FEATURES_A_KIND)
        word = hashed_features(texts.words, self._words.weigh(texts.words), _FEATURES_A_KIND)
        dense = [FEATURE_SHARE * each for each in vectors or ()]
        if texts.seen and self._centre_of_sums is not None:
            dense.append(_PIECES_SHARE * unit(_sums_of_pieces(texts.seen) - self._centre_of_sums))
        return np.hstack([*dense, np.float32(_LETTER_SHARE) * letters, np.float32(_WORD_SHARE) * word])

    def likeness(self, texts: Texts) -> Floats:
        """Cosines of letters and of words with every phrase; shape (2, texts, phrases)."""
        return np.stack([self._letters.ask(texts.letters), self._words.ask(texts.words)])

    def meaning(self, vector: Floats | None, numbers: Ints) -> Floats:
        """Cosines of a text's two vectors with those of some phrases, shape (2, phrases); 0 without them."""
        if vector is None or self.texts.vectors is None:
            return np.zeros((2, len(numbers)), np.float32)
        phrases, half = np.take(self.texts.vectors, numbers, axis=0), len(vector) // 2
        return np.stack([phrases[:, :half] @ vector[:half], phrases[:, half:] @ vector[half:]])

    def plain_meaning(self, vector: Floats, span: slice) -> Floats:
        """Cosines of a text's plain vector with those of phrases that follow each other."""
        if self.texts.vectors is None:
            return np.zeros(span.stop - span.start, np.float32)
        half = len(vector) // 2
        return np.asarray(self.texts.vectors[span, :half] @ vector[:half], np.float32)

    def word_by_word(self, seen: Seen | None, table: Ints) -> Floats:
        """For each piece of a text the cosine with the piece that is most like it among some phrases of an
        entry, the mean of all, in which rare pieces count more; shape (rows of the `table`,), 0 without an
        encoder."""
        own = self.texts.seen
        if seen is None or own is None or self._piece_ends is None or not len(seen.pieces):
            return np.zeros(len(table), np.float32)
        there = table >= 0
        phrases = table[there]
        lengths = own.lengths[phrases]
        ends = np.cumsum(lengths)
        numbers = np.repeat(self._piece_ends[phrases] - ends, lengths) + np.arange(ends[-1])
        alike = np.take(own.pieces, numbers, axis=0).astype(np.float32) @ seen.pieces.T.astype(np.float32)
        firsts = np.r_[0, np.cumsum(there.sum(axis=1))[:-1]]
        return _mean_likeness(np.maximum.reduceat(alike, (ends - lengths)[firsts], axis=0), seen)

    def seen_of(self, number: int) -> Seen | None:
        """What the encoder saw in one phrase."""
        own = self.texts.seen
        return one_text(own, number, self._piece_ends) if own and self._piece_ends is not None else None

    def known_words(self, texts: Texts) -> Floats:
        return self._words.known(texts.words)

    def best(self, values: Floats) -> Floats:
        """The highest value among each entry's phrases; shape (..., phrases) -> (..., entries)."""
        return np.maximum.reduceat(values, self.starts, axis=-1)


def _sums_of_pieces(seen: Seen) -> Floats:
    """Of each text, the rare ones counting more; shape (texts, piece dimensions)."""
    starts = np.cumsum(seen.lengths) - seen.lengths
    if not len(seen.pieces):
        return np.zeros((len(starts), seen.pieces.shape[1]), np.float32)
    return np.asarray(np.add.reduceat(seen.pieces * seen.weights[:, None], starts, axis=0), np.float32)


def _mean_likeness(alike: Floats, seen: Seen) -> Floats:
    """The mean over the pieces of a text, the rare ones counting more; `alike` has a column for each."""
    weights = seen.weights**_RARE_PIECES
    return np.asarray(alike @ (weights / weights.sum()) / _FULL_LIKENESS, np.float32)


def word_by_word_elsewhere(surroundings: Surroundings | None, seen: Seen | None) -> float | None:
    """The same of all that is asked elsewhere taken together; None where nothing is known of it."""
    if surroundings is None or seen is None or not surroundings.pieces.size or not len(seen.pieces):
        return None
    alike = times(seen.pieces.astype(np.float32), surroundings.pieces)
    return float(_mean_likeness(alike.max(axis=1)[None], seen)[0])


@dataclass(frozen=True, slots=True)
class Heads:
    """What was trained on the base; the first is missing without an encoder."""

    on_meaning: Head | None
    on_everything: Head  # its last column is what is asked elsewhere
    surroundings: Surroundings | None = None  # None: nothing is known of what is asked elsewhere
    apart: Floats | None = None  # of each entry from the nearest other one, 1 in the middle; None: not known


def gather(phrases: Phrases, heads: Heads, texts: Texts) -> list[Evidence]:
    """The evidence for each text."""
    likeness = phrases.likeness(texts)
    vectors = phrases.vector_features(texts)
    features = phrases.all_features(texts, vectors)
    scores = heads.on_everything.scores(features)
    own, elsewhere = scores[:, :-1], scores[:, -1:]
    everything = np.maximum(log_softmax(own), np.float32(_LOWEST))
    on_meaning = np.zeros((len(texts.folded), phrases.count), np.float32)
    nearer = np.full(len(texts.folded), _AS_NEAR, np.float32)
    if heads.on_meaning and vectors:
        on_meaning = heads.on_meaning.scores(vectors[0])
        if heads.surroundings:
            nearer = heads.surroundings.nearer(vectors[0], on_meaning)
    standing_out = _standing_out(on_meaning)
    apart = np.ones(phrases.count, np.float32) if heads.apart is None else heads.apart
    known = phrases.known_words(texts)
    seen = by_text(texts.seen) if texts.seen else [None] * len(texts.folded)
    rows = []
    for number, folded in enumerate(texts.folded):
        measured = Measured(
            folded,
            seen=seen[number],
            likeness=likeness[:, number],
            trained=np.stack([standing_out[number], everything[number]]),
            trained_scores=own[number],
            ahead_of_elsewhere=own[number] - elsewhere[number],
            word_by_word_elsewhere=word_by_word_elsewhere(heads.surroundings, seen[number]),
            nearer_than_elsewhere=float(nearer[number]),
            apart=apart,
            known_words=float(known[number]),
        )
        rows.append(_weigh(phrases, measured))
    return rows


@dataclass(frozen=True, slots=True)
class Measured:
    """The cheap witnesses for one text, of the whole base."""

    folded: str
    seen: Seen | None
    likeness: Floats  # shape (2, phrases): letters, words
    trained: Floats  # shape (2, entries): standing out, log-probability
    trained_scores: Floats  # shape (entries,)
    ahead_of_elsewhere: Floats  # shape (entries,)
    word_by_word_elsewhere: float | None
    nearer_than_elsewhere: float
    apart: Floats  # shape (entries,)
    known_words: float


def _standing_out(scores: Floats) -> Floats:
    """Of each row in deviations from its mean."""
    spread = np.maximum(scores.std(axis=1, keepdims=True), 1e-6)
    return np.asarray((scores - scores.mean(axis=1, keepdims=True)) / spread, np.float32)


def _weigh(phrases: Phrases, measured: Measured) -> Evidence:
    short = _shortlist(phrases, measured)
    table = _phrase_table(phrases, short, measured.likeness.sum(axis=0))
    there = table >= 0
    flat = table[there]  # entry after entry
    wordings = [phrases.texts.folded[number] for number in flat]
    meaning = phrases.meaning(measured.seen.vectors[0] if measured.seen else None, flat)
    likeness = lexical.word_likeness(measured.folded, wordings)
    cells = np.full((6, *table.shape), -1, np.float32)
    cells[:, there] = np.vstack([meaning, measured.likeness[:, flat], likeness])
    same = np.zeros(table.shape, bool)
    same[there] = [wording == measured.folded for wording in wordings]
    standing_out, trained = measured.trained[:, short]
    behind = standing_out - measured.trained[0].max()
    return Evidence(
        entries=short,
        values=np.column_stack(
            [*cells.max(axis=2), behind, trained, phrases.word_by_word(measured.seen, table)]
        ),
        phrases=table[np.arange(len(short)), cells[[0, 1, 2, 5]].sum(axis=0).argmax(axis=1)],
        verbatim=np.asarray(same.any(axis=1)),
        standing_out=standing_out,
        trained_scores=measured.trained_scores[short],
        ahead_of_elsewhere=measured.ahead_of_elsewhere[short],
        word_by_word_elsewhere=measured.word_by_word_elsewhere,
        nearer_than_elsewhere=measured.nearer_than_elsewhere,
        apart=measured.apart[short],
        known_words=measured.known_words,
        size=phrases.count,
    )


def _shortlist(phrases: Phrases, measured: Measured) -> Ints:
    """The entries that one of the cheap witnesses puts among its first, in rising order."""
    cheap = np.vstack([phrases.best(measured.likeness), measured.trained])
    keep = min(_SHORTLIST, phrases.count)
    return np.unique(np.argpartition(-cheap, keep - 1, axis=1)[:, :keep])


def _phrase_table(phrases: Phrases, entries: Ints, likeness: Floats) -> Ints:
    """The numbers of each entry's phrases, of many the likest, one entry a row, filled up with -1;
    `likeness` tells how like the text each phrase of the base is."""
    starts, ends = phrases.starts[entries], phrases.ends[entries]
    columns = np.arange(int((ends - starts).max()))
    table = starts[:, None] + columns
    table = np.where(table < ends[:, None], table, -1)
    if len(columns) <= _NEAREST_PHRASES:
        return table
    alike = np.where(table >= 0, likeness[table], -1)
    nearest = np.argpartition(-alike, _NEAREST_PHRASES - 1, axis=1)[:, :_NEAREST_PHRASES]
    return np.take_along_axis(table, nearest, axis=1)


def unit(vectors: Floats) -> Floats:
    """Each row made of length one; rows of nothing stay so."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)
