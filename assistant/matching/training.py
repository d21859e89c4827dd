"""Training the small models of a base when it is loaded, within a fixed amount of arithmetic.

Each phrase is learned twice, as it was written and as a recognizer would write it: the vectors of
"Wie lange dauert das?" and "wie lange dauert das" lie apart. Asked in that second way, 85 instead of
81 of 100 questions of a German set came first; asked in the first way nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.matching.cache import Arrays, Cache, fingerprint
from assistant.matching.evidence import FEATURE_SHARE, Floats, Heads, Phrases
from assistant.matching.heads import Head, LogisticOptions, discriminant_head, evened, logistic_head

_VERSION = "5"  # of the training; a trained head of another version is not read from the cache
_ROUNDS = 60  # of the logistic head; 100 were no better on BANKING77 and CLINC150
_FEWEST_ROUNDS = 8
_BUDGET_FLOPS = 2.5e11  # some 4 s on one core: what a base of 1,000 entries may take at its first start


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a base is trained on."""

    phrases: Phrases
    heard: Callable[[], Floats | None]  # vectors of the phrases as a recognizer would write them
    written: Sequence[str] = ()  # the phrases as their editors wrote them


def train(lesson: Lesson, cache: Cache | None, encoder_name: str) -> Heads:
    """The heads of a base, from the cache where the same base, written alike, was trained before."""
    if cache is None:
        return _heads(_train(lesson))
    numbers = ",".join(map(str, lesson.phrases.entries.tolist()))
    key = fingerprint(_VERSION, encoder_name, numbers, *lesson.written)
    return _heads(cache.arrays(f"heads-{fingerprint(encoder_name)}", key, lambda: _train(lesson)))


def _train(lesson: Lesson) -> Arrays:
    phrases = lesson.phrases
    written = [phrases.texts]
    # Of entries with a single phrase the form of writing would be all that varies.
    heard = lesson.heard() if len(phrases.entries) >= 2 * phrases.count else None
    if heard is not None:
        written.append(replace(phrases.texts, vectors=heard))
    entries = np.tile(phrases.entries, len(written))
    arrays: Arrays = {}
    centred = [phrases.vector_features(texts) for texts in written]
    plain = [each[0] for each in centred if each is not None]
    if plain:
        head = discriminant_head(np.vstack(plain), entries, phrases.count)
        arrays |= {"meaning": head.weights, "meaning_bias": head.bias}
    flops_a_round = 4.0 * len(entries) * phrases.feature_count * phrases.count
    if flops_a_round > _BUDGET_FLOPS:
        return arrays | _stand_in(arrays, phrases)
    everything = np.vstack([phrases.all_features(*each) for each in zip(written, centred, strict=True)])
    vectors = slice(0, phrases.vector_feature_count)
    even = evened(everything[:, vectors], entries, phrases.count) if vectors.stop else None
    if even is not None:
        everything[:, vectors] = everything[:, vectors] @ even
    rounds = int(np.clip(_BUDGET_FLOPS / flops_a_round, _FEWEST_ROUNDS, _ROUNDS))
    logistic = logistic_head(everything, entries, phrases.count, LogisticOptions(iterations=rounds))
    if even is not None:  # so that questions need not be evened
        logistic.weights[vectors] = even @ logistic.weights[vectors]
    return arrays | {"everything": logistic.weights, "everything_bias": logistic.bias}


def _stand_in(arrays: Arrays, phrases: Phrases) -> Arrays:
    """What a base of very many entries has instead of a logistic head: training that would take
    hours and all memory. The discriminant head speaks twice; without vectors all entries are alike."""
    weights = np.zeros((phrases.feature_count, phrases.count), np.float32)
    bias = np.zeros(phrases.count, np.float32)
    if "meaning" in arrays:
        weights[: len(arrays["meaning"])] = arrays["meaning"] / FEATURE_SHARE
        bias = arrays["meaning_bias"]
    return {"everything": weights, "everything_bias": bias}


def _heads(arrays: Arrays) -> Heads:
    def head(name: str) -> Head:
        return Head(arrays[name], arrays[f"{name}_bias"])

    if "meaning" not in arrays:
        return Heads(None, head("everything"))
    return Heads(head("meaning"), head("everything"))
