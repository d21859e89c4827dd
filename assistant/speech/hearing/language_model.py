"""A bigram language model of a few dozen questions, in the ARPA format that decoders read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

_START, _END = "<s>", "</s>"
# Taken from each pair of words that was seen, for the pairs that were not: people change a
# question's words, but mostly keep to its turns.
_DISCOUNT = 0.3
_NEVER = -99.0  # the format's word for a probability of zero


def arpa(sentences: Iterable[Sequence[str]]) -> str:
    """The text of a back-off bigram model of these sentences (absolute discounting); log base 10."""
    framed = [(_START, *sentence, _END) for sentence in sentences if sentence]
    words = Counter(word for sentence in framed for word in sentence[1:])
    pairs = Counter(pair for sentence in framed for pair in pairwise(sentence))
    followed = Counter(first for first, _ in pairs.elements())
    total = sum(words.values())
    alone = {word: count / total for word, count in words.items()}
    after = {pair: (count - _DISCOUNT) / followed[pair[0]] for pair, count in pairs.items()}
    weights = _back_off_weights(alone, after)
    return _write(alone, after, weights)


def _back_off_weights(alone: Mapping[str, float], after: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """For each word: what is left for pairs not seen, shared out among the words not seen after it."""
    seen: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    for (first, second), probability in after.items():
        seen[first] += probability  # type: ignore[assignment]
        covered[first] += alone[second]  # type: ignore[assignment]
    return {first: (1 - seen[first]) / max(1 - covered[first], 1e-9) for first in seen}


def _write(
    alone: Mapping[str, float], after: Mapping[tuple[str, str], float], weights: Mapping[str, float]
) -> str:
    ones = [f"{_NEVER:.4f} {_START} {_log(weights.get(_START, 1)):.4f}"]
    ones += [f"{_log(p):.4f} {word} {_log(weights.get(word, 1)):.4f}" for word, p in sorted(alone.items())]
    twos = [f"{_log(p):.4f} {first} {second}" for (first, second), p in sorted(after.items())]
    head = ["\\data\\", f"ngram 1={len(ones)}", f"ngram 2={len(twos)}", ""]
    return "\n".join([*head, "\\1-grams:", *ones, "", "\\2-grams:", *twos, "", "\\end\\", ""])


def _log(probability: float) -> float:
    return math.log10(probability) if probability > 0 else _NEVER
