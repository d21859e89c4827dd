"""A public set loaded as the matcher loads a base."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from assistant.matching.evidence import Phrases, Texts
from assistant.matching.text import as_heard, cut, fold
from assistant.ports import Encoder
from tests.bench.sets import BenchSet, Question

_CHUNK = 64


def prepared(texts: Sequence[str], encoder: Encoder | None) -> Texts:
    cuts = [cut(text)[0] for text in texts]
    return Texts.of([fold(text) for text in cuts], encoder.encode(cuts) if encoder else None)


def load(bench: BenchSet, encoder: Encoder | None) -> Phrases:
    heard = encoder.encode([as_heard(cut(text)[0]) for text in bench.phrases]) if encoder else None
    return Phrases(prepared(bench.phrases, encoder), np.array(bench.entries), heard)


def asked_in_chunks(bench: BenchSet, encoder: Encoder | None) -> Iterator[tuple[Texts, Sequence[Question]]]:
    for start in range(0, len(bench.questions), _CHUNK):
        questions = bench.questions[start : start + _CHUNK]
        yield prepared([question.text for question in questions], encoder), questions
