"""One way to compare text in every language: `fold` what was written, then look at words or letters."""

from __future__ import annotations

import re
import unicodedata

LONGEST_QUESTION = 1_000  # characters; the sentence encoder needs 5 s for 100,000

# Germans write ä as ae where a keyboard lacks it; after NFKD and casefold only these need a table.
_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "œ": "oe", "ø": "oe", "å": "aa", "ı": "i", "ł": "l"}
)
_APOSTROPHES = re.compile(r"(?<=\w)['’ʼ`´](?=\w)")
_ASCII_GAPS = re.compile(r"[^a-z0-9]+")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")


def fold(text: str) -> str:
    """The text as it is compared: letters, marks and digits only, one case, one space between words.

    "Straße" and "STRASSE", "Öffnung" and "Oeffnung", "what's" and "whats" fold to the same; marks
    of scripts that need them (Hindi vowels) are kept. Folding twice changes nothing.
    """
    if text.isascii():
        if text.isalnum():  # a word, as most texts are: no need to look for anything else
            return text.lower()
        return " ".join(_ASCII_GAPS.sub(" ", _APOSTROPHES.sub("", text.lower())).split())
    composed = unicodedata.normalize("NFKC", text).casefold()
    joined = _APOSTROPHES.sub("", unicodedata.normalize("NFC", composed)).translate(_UMLAUTS)
    return " ".join("".join(map(_kept, _without_accents(joined))).split())


def _kept(char: str) -> str:
    category = unicodedata.category(char)
    if category[0] in "LMN":
        return char
    return "" if category == "Cf" else " "  # a zero-width joiner parts no word


def _without_accents(text: str) -> str:
    """Latin letters lose their accents; in other scripts a mark makes another letter."""
    if text.isascii():
        return text
    kept: list[str] = []
    for char in unicodedata.normalize("NFD", text):
        is_accent = unicodedata.category(char) == "Mn"
        if not (is_accent and kept and kept[-1].isascii() and kept[-1].isalnum()):
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def words(folded: str) -> list[str]:
    """The words of a folded text."""
    return folded.split()


def letters(folded: str) -> str:
    """The folded text for comparing letter by letter: Korean syllables are taken apart into jamo."""
    return unicodedata.normalize("NFD", folded) if _HANGUL.search(folded) else folded


def as_heard(text: str) -> str:
    """The text as a recognizer would write it: small letters, no punctuation."""
    return " ".join("".join(c if c.isalnum() or c in "'’-" else _kept(c) for c in text.lower()).split())


def cut(text: str) -> tuple[str, bool]:
    """A text no longer than the matcher reads, without lone surrogates, and whether it was cut."""
    safe = text[:LONGEST_QUESTION].encode("utf-8", "replace").decode("utf-8")
    return safe, len(text) > LONGEST_QUESTION
