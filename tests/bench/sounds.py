"""How words sound: codes that are the same for words a recognizer takes for each other.

German: Kölner Phonetik (Postel 1969). English: Double Metaphone (Philips 2000), here without its cut
after four codes. Korean: jamo as they are spoken. Elsewhere: the consonants.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from assistant.matching.terms import Bags, _codes, _count, _grams
from assistant.matching.text import letters, words
from tests.bench.double_metaphone import double_metaphone


@lru_cache(maxsize=50_000)
def sounds_of(word: str, language: str) -> tuple[str, ...]:
    """The codes of a folded word, the likeliest first; the second where it may be spoken otherwise."""
    spoken = _LANGUAGES.get(coder_name(language), _consonants)(word)
    return tuple(dict.fromkeys(code for code in spoken if code)) or (word,)


def sound_of(word: str, language: str) -> str:
    """The likeliest code of a folded word; a word without any sound is its own code."""
    return sounds_of(word, language)[0]


def coder_name(language: str) -> str:
    """The language whose codes are used: `de` for `de-AT`; empty where there is no special code."""
    tag = language.partition("-")[0]
    return tag if tag in _LANGUAGES else ""


def sound_of_text(folded: str, language: str) -> str:
    """The codes of all words in one row: recognizers move the borders between words."""
    return _without_doubles("".join(sound_of(word, language) for word in words(folded)))


def _without_doubles(row: str) -> str:
    return re.sub(r"(.)\1+", r"\1", row)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a run of letters becomes, in the neighbourhood that the pattern asks for."""

    pattern: re.Pattern[str]
    code: str


def _rules(table: str) -> tuple[_Rule, ...]:
    """A line is a pattern and a code; a pattern without a code is silent."""
    rows = [line.split() for line in table.strip().splitlines()]
    return tuple(_Rule(re.compile(row[0]), row[1] if len(row) > 1 else "") for row in rows)


# The first rule that fits speaks. Umlauts are folded already.
_GERMAN = _rules(
    """
    [aeijouy]                0
    h
    ph                       3
    [bp]                     1
    [dt](?=[csz])            8
    [dt]                     2
    [fvw]                    3
    [gkq]                    4
    ^c(?=[ahkloqrux])        4
    ^c                       8
    (?<=[sz])c               8
    c(?=[ahkoqux])           4
    c                        8
    (?<=[ckq])x              8
    x                        48
    l                        5
    [mn]                     6
    r                        7
    [sz]                     8
    .
    """
)


def _german(word: str) -> tuple[str, ...]:
    code = ""
    place = 0
    while place < len(word):
        rule, end = next((rule, hit.end()) for rule in _GERMAN if (hit := rule.pattern.match(word, place)))
        code += rule.code
        place = end
    once = _without_doubles(code)
    return (once[:1] + once[1:].replace("0", ""),)


def _english(word: str) -> tuple[str, ...]:
    return double_metaphone(word) if word.isascii() else _consonants(word)


def _jamo(first: int, spoken: str) -> dict[str, str]:
    """Sounds for the jamo from a code point on, in the order of Unicode."""
    return {chr(first + place): sound for place, sound in enumerate(re.split(" ", spoken))}


# Lax, tense and aspirated consonants count as one, and so do vowels that have fallen together.
_KOREAN_LEADS = _jamo(0x1100, "k k n t t r m p p s s - c c c k t p h")
_KOREAN_VOWELS = _jamo(0x1161, "a e ya ye eo e yeo ye o wa we we yo u wo we wi yu eu eui i")
_KOREAN_TAILS = _jamo(0x11A8, "k k ks n nc nh t r rk rm rp rs rt rp rh m p ps s s N c c k t p h")
# A silent leading consonant is left out, so that the one before it moves over by itself.
_KOREAN = {**_KOREAN_LEADS, **_KOREAN_VOWELS, **_KOREAN_TAILS, "\u110b": ""}
_PALATAL = re.compile("[\u11ae\u11c0](?=\u110b\u1175)")  # 같이 is spoken gachi
_KOREAN_CHANGES = [
    (re.compile(pattern), by)
    for pattern, by in (
        (r"h(?=[ktpc])|(?<=[nraeiouw])h(?=[aeiouwy])|(?<=[ktpc])h", ""),  # aspirates its neighbour or fades
        (r"r(?=[km](?![aeiouwy]))", ""),
        (r"(?<=[^aeiouwy])[ksctp](?![aeiouwy])(?<=[kpnr].)", ""),  # of two at the end the first is spoken
        (r"[sch](?![aeiouwyh])", "t"),  # at the end of a syllable all hisses are a stop
        (r"k(?=[nm])", "N"),
        (r"t(?=[nm])", "n"),
        (r"p(?=[nm])", "m"),
        (r"nr|rn", "rr"),
        (r"(?<=[mN])r", "n"),
    )
]


def _korean(word: str) -> tuple[str, ...]:
    spoken = "".join(_KOREAN.get(jamo, jamo) for jamo in _PALATAL.sub("\u11bd", letters(word)))
    for pattern, by in _KOREAN_CHANGES:
        spoken = pattern.sub(by, spoken)
    return (spoken,)


_ALIKE = str.maketrans("cqzdgbvw", "kkstkpff")


def _consonants(word: str) -> tuple[str, ...]:
    """Latin consonants with the voiced beside the voiceless; in other scripts the letters. No doubles."""
    row = letters(word)
    if row.isascii():
        row = row.replace("ph", "f")
        row = (row[:1] + re.sub("[aeiouyh]", "", row[1:])).translate(_ALIKE)
    elif unicodedata.name(row[0], "").startswith("HANGUL"):
        return _korean(word)
    return (_without_doubles(row),)


_LANGUAGES: dict[str, Callable[[str], Sequence[str]]] = {"de": _german, "en": _english, "ko": _korean}


def sound_bags(folded: Sequence[str], languages: Sequence[str]) -> Bags:
    """Runs of 2 to 5 codes of each text as it sounds in each of the languages of a base.

    Runs go across the borders of words, which recognizers move. Nobody has to know the language of
    a question: a German phrase and a German question sound alike to English ears, too.
    """
    owners, terms = [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
    for number, coder in enumerate(sorted({coder_name(language) for language in languages})):
        codes, owner = _codes([sound_of_text(text, coder) for text in folded], as_letters=False)
        for owned, grams in _grams(codes, owner):
            owners.append(owned)
            terms.append(grams + np.uint64(number))  # the same code means another sound elsewhere
    return _count(np.concatenate(owners), np.concatenate(terms), len(folded))
