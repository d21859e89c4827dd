"""Does a text say anything at all? Words without content, and scripts that the base does not know."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

from assistant.matching.text import fold, words

_COMMON_SHARE = 1 / 3  # a word in so many of the entries tells none of them from the others
_COMMON_FROM = 15  # entries; in a smaller base every word may be common


@cache
def function_words() -> frozenset[str]:
    """The listed words of every language, folded."""
    listed = tomllib.loads(
        resources.files("assistant.matching").joinpath("function_words.toml").read_text("utf-8")
    )
    return frozenset(word for text in listed.values() for word in words(fold(text)))


def common_words(entries: Iterable[Sequence[str]]) -> frozenset[str]:
    """The words that stand in a third of the entries, given each entry's folded phrases."""
    counts: Counter[str] = Counter()
    total = 0
    for phrases in entries:
        total += 1
        counts.update({word for phrase in phrases for word in words(phrase)})
    if total < _COMMON_FROM:
        return frozenset()
    return frozenset(word for word, count in counts.items() if count >= total * _COMMON_SHARE)


def scripts(text: str) -> frozenset[str]:
    """The scripts of a text's letters, as Unicode names them: LATIN, HANGUL, CYRILLIC."""
    return frozenset(_script(char) for char in set(text) if char.isalpha())


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "UNKNOWN").partition(" ")[0]
