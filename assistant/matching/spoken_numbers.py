"""Numbers as a person says them: pages write "30 days", recognizers "thirty days"."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from assistant.matching.text import fold
from assistant.values import primary_language

if TYPE_CHECKING:
    from unicode_rbnf import RbnfEngine

_NUMBER = re.compile(r"\d+")
_MOST_DIGITS = 6  # longer ones are codes: nobody says them as one number
_YEARS = range(1100, 2100)
_NAMES = {"nb": "no"}  # of the languages that CLDR names in another way
_SHORTER = {"de": re.compile("^ein(?=hundert|tausend)")}  # Germans say "hundertzwanzig"
_BUILT_OF = (*range(20), *range(20, 100, 10), 100, 1_000)
_MOST_KEPT = 1_000


def as_said(text: str, language: str | None) -> str:
    """The text with each whole number in words; unchanged in a language whose numbers nobody has written down
    (some 80 are), or in none."""
    if language is None or text.isalpha() or not _NUMBER.search(text):
        return text
    tongue = primary_language(language)
    return _NUMBER.sub(lambda found: f" {_said(found[0], tongue)} ", text)


@lru_cache(_MOST_KEPT)
def number_words(language: str | None) -> frozenset[str]:
    """The words that numbers are said with, folded."""
    return frozenset(fold(" ".join(as_said(str(number), language) for number in _BUILT_OF)).split())


@lru_cache(_MOST_KEPT)
def _said(digits: str, tongue: str) -> str:
    """A number in words; what begins with a nought or is very long, digit by digit."""
    if len(digits) > _MOST_DIGITS or (len(digits) > 1 and int(digits[0]) == 0):
        return " ".join(_said(digit, tongue) for digit in digits)
    from unicode_rbnf import FormatPurpose

    engine, number = _engine(tongue), int(digits)
    if engine is None:
        return digits
    purpose = FormatPurpose.YEAR if number in _YEARS else FormatPurpose.CARDINAL
    try:
        said = engine.format_number(number, purpose).text
    except ValueError:  # a number of which this language has no word
        return digits
    return _SHORTER[tongue].sub("", said) if tongue in _SHORTER else said


@lru_cache(_MOST_KEPT)
def _engine(tongue: str) -> RbnfEngine | None:
    from unicode_rbnf import RbnfEngine  # 0.06 s, for those who speak

    name = _NAMES.get(tongue, tongue)
    return RbnfEngine.for_language(name) if name in RbnfEngine.get_supported_languages() else None
