"""What others do: each rival scores every entry of a base for every question."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz, process, utils
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from assistant.ports import Encoder
from tests.bench.sets import BenchSet

Scores = npt.NDArray[np.float64]  # shape (questions, entries)
_BM25_K1, _BM25_B = 1.5, 0.75  # the usual ones (Robertson and Zaragoza 2009)
_WORD = r"(?u)\b\w+\b"


def rivals(encoder: Encoder) -> dict[str, Callable[[BenchSet], Scores]]:
    return {
        "WRatio": lambda bench: _rapidfuzz(bench, fuzz.WRatio),
        "token_set_ratio": lambda bench: _rapidfuzz(bench, fuzz.token_set_ratio),
        "BM25": _bm25,
        "TF-IDF words": lambda bench: _tfidf(bench, TfidfVectorizer(token_pattern=_WORD)),
        "TF-IDF letters": lambda bench: _tfidf(
            bench, TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
        ),
        "encoder alone": lambda bench: _nearest(bench, encoder),
    }


def _best_phrase(bench: BenchSet, likeness: Scores) -> Scores:
    starts = np.searchsorted(bench.entries, np.arange(bench.size))
    return np.maximum.reduceat(np.asarray(likeness, np.float64), starts, axis=1)


def _texts(bench: BenchSet) -> list[str]:
    return [question.text for question in bench.questions]


def _rapidfuzz(bench: BenchSet, scorer: Callable[..., float]) -> Scores:
    likeness = process.cdist(
        _texts(bench),
        bench.phrases,
        scorer=scorer,
        processor=utils.default_process,
        dtype=np.float32,
        workers=-1,
    )
    return _best_phrase(bench, likeness)


def _tfidf(bench: BenchSet, vectorizer: TfidfVectorizer) -> Scores:
    phrases = vectorizer.fit_transform(bench.phrases)
    return _best_phrase(bench, (vectorizer.transform(_texts(bench)) @ phrases.T).toarray())


def _bm25(bench: BenchSet) -> Scores:
    """Each phrase is a document."""
    vectorizer = CountVectorizer(token_pattern=_WORD)
    counts = vectorizer.fit_transform(bench.phrases).astype(np.float64)
    documents = np.diff(counts.tocsc().indptr)
    rarity = np.log(1 + (counts.shape[0] - documents + 0.5) / (documents + 0.5))
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    damping = _BM25_K1 * (1 - _BM25_B + _BM25_B * lengths / lengths.mean())
    counts.data = rarity[counts.indices] * counts.data * (_BM25_K1 + 1) / (counts.data + damping[rows])
    return _best_phrase(bench, (vectorizer.transform(_texts(bench)) @ counts.T).toarray())


def _nearest(bench: BenchSet, encoder: Encoder) -> Scores:
    return _best_phrase(bench, encoder.encode(_texts(bench)) @ encoder.encode(bench.phrases).T)
