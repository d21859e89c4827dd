"""English phrases as the words of a pronouncing dictionary, and a guess for words that it lacks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

Dictionary = Mapping[str, tuple[str, ...]]  # a word and the ways to say it: "R IH F AH N D"

_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+")
_ONES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen"]
_TEENS += ["sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_S_AFTER_HISS = (" S", " Z", "SH", "CH", "JH", "ZH")
_S_VOICELESS = (" P", " T", " K", " F", "TH")
_LONGEST_ACRONYM = 5


def read_dictionary(path: Path) -> Dictionary:
    """Read a dictionary in the format of CMU: `word phones` and `word(2) other phones`, one a line."""
    found: dict[str, tuple[str, ...]] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, _, phones = line.partition(" ")
        name = word.partition("(")[0]
        found[name] = (*found.get(name, ()), phones.strip())
    return found


def words_of(phrase: str) -> list[str]:
    """Lowercase words as they are spoken: no punctuation, numbers spelled out, accents dropped."""
    plain = unicodedata.normalize("NFKD", phrase.casefold().replace("’", "'"))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    found: list[str] = []
    for word in _WORD.findall(letters):
        found += number_words(word) if word.isdigit() else [word]
    return found


def number_words(digits: str) -> list[str]:
    """`19` -> nineteen, `250` -> two hundred fifty; digit by digit where it is no everyday number."""
    if len(digits) > 4 or not digits.isascii() or (len(digits) > 1 and digits[0] == "0"):
        return [_ONES[unicodedata.digit(digit)] for digit in digits]
    return _count(int(digits))


def _count(number: int) -> list[str]:
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = _count(number % size) if number % size else []
            return [*_count(number // size), name, *rest]
    if number < 20:
        return [(_ONES + _TEENS)[number]]
    return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]


def pronounce(words: Iterable[str], dictionary: Dictionary) -> dict[str, tuple[str, ...]]:
    """The words that can be said, with the ways to say them; the others are left out."""
    guessed = {word: dictionary.get(word) or _guess(word, dictionary) for word in words}
    return {word: phones for word, phones in guessed.items() if phones}


def _guess(word: str, dictionary: Dictionary) -> tuple[str, ...]:
    """The plural or possessive of a known word, two known words in one, or letters one by one."""
    stem = word.removesuffix("'s") if word.endswith("'s") else word.removesuffix("s")
    if stem != word and stem in dictionary:
        return tuple(phones + _plural(phones) for phones in dictionary[stem])
    parts = word.split("-") if "-" in word else _two_words(word, dictionary)
    if parts and all(part in dictionary for part in parts):
        return (" ".join(dictionary[part][0] for part in parts),)
    if 0 < len(word) <= _LONGEST_ACRONYM and not set(word) & set("aeiouy'-"):
        return (" ".join(dictionary[letter][0] for letter in word if letter in dictionary),)
    return ()


def _two_words(word: str, dictionary: Dictionary) -> list[str]:
    """The split whose shorter part is longest: "giftbox" is gift and box."""
    places = sorted(range(3, len(word) - 2), key=lambda place: -min(place, len(word) - place))
    return next(
        ([word[:at], word[at:]] for at in places if word[:at] in dictionary and word[at:] in dictionary), []
    )


def _plural(phones: str) -> str:
    if f" {phones}".endswith(_S_AFTER_HISS):
        return " IH Z"
    return " S" if f" {phones}".endswith(_S_VOICELESS) else " Z"
