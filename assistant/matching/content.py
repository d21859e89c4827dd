"""Does a text say anything at all? Words without content, and scripts that the base does not know."""

from __future__ import annotations

import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources

from assistant.matching.text import fold, words
from assistant.values import primary_language

_COMMON_SHARE = 1 / 3  # a word in so many of the entries tells none of them from the others
_COMMON_FROM = 15  # entries; in a smaller base every word may be common


def function_words(language: str | None = None) -> frozenset[str]:
    """The listed words, folded; of all languages, or of one ("de-AT" is "de"), none where none are listed."""
    listed = _listed_words()
    if language is None:
        return frozenset().union(*listed.values())
    return listed.get(primary_language(language), frozenset())


@cache
def _listed_words() -> Mapping[str, frozenset[str]]:
    listed = tomllib.loads(
        resources.files("assistant.matching").joinpath("function_words.toml").read_text("utf-8")
    )
    return {language: frozenset(words(fold(text))) for language, text in listed.items()}


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
