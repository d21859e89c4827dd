"""A German dialect read as standard German, word by word."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

from assistant.matching.content import function_words
from assistant.matching.text import fold, words

_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 2  # plain dialect words; one alone may be a name or a word of another language ("hob")


def in_standard_german(text: str) -> str | None:
    """The text in standard German; None where it is in no dialect that is listed."""
    plain, beside = _listed()
    said = set(words(fold(text)))
    signs = said & plain.keys()
    if not signs or (len(signs | (said & _beside_alone())) < _ENOUGH and _german_words().isdisjoint(said)):
        return None
    standard = _WORD.sub(lambda found: _standard(found[0], plain, beside), text)
    return standard.replace("ihr ihr", "ihr")  # "hobts ihr"


def _standard(word: str, plain: Mapping[str, str], beside: Mapping[str, str]) -> str:
    folded = fold(word)
    return plain.get(folded) or beside.get(folded) or word


@cache
def _german_words() -> frozenset[str]:
    """Small words of German that are none of English."""
    return function_words("de") - function_words("en")


@cache
def _beside_alone() -> frozenset[str]:
    return frozenset(_listed()[1]) - function_words("en")


@cache
def _listed() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Dialect word, folded -> standard German: those that are plain, those that are so beside them."""
    stored = tomllib.loads(
        resources.files("assistant.matching").joinpath("dialects.toml").read_text(encoding="utf-8")
    )
    plain, beside = (
        {fold(word): standard for word, standard in stored[name].items()} for name in ("plain", "beside")
    )
    return plain, beside
