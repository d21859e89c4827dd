"""The words of the page format, and which of them an editor may have meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

PARTS = ("Questions", "Answer", "Spoken answer", "Ask", "Next", "Checks")
HEADERS = ("Tags", "Valid until")
LONGEST_NAME = 80  # characters: a name is typed again behind every arrow

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "æ": "ae", "œ": "oe", "ø": "oe", "å": "aa"})
_BY_FOLDED_NAME = {part.casefold(): part for part in PARTS}

# What editors call a part when they do not look it up.
_ALSO_CALLED = {
    "q": "Questions",
    "a": "Answer",
    "phrases": "Questions",
    "examples": "Questions",
    "frage": "Questions",
    "fragen": "Questions",
    "질문": "Questions",
    "reply": "Answer",
    "response": "Answer",
    "antwort": "Answer",
    "antworten": "Answer",
    "답변": "Answer",
    "spoken": "Spoken answer",
    "voice": "Spoken answer",
    "gesprochene antwort": "Spoken answer",
    "choices": "Ask",
    "options": "Ask",
    "rückfrage": "Ask",
    "nachfrage": "Ask",
    "see also": "Next",
    "related": "Next",
    "weiter": "Next",
    "als nächstes": "Next",
    "tests": "Checks",
    "prüfung": "Checks",
    "prüfungen": "Checks",
    "proben": "Checks",
}
_LANGUAGE_NAMES = {
    "english": "en",
    "englisch": "en",
    "german": "de",
    "deutsch": "de",
    "korean": "ko",
    "koreanisch": "ko",
    "한국어": "ko",
    "french": "fr",
    "français": "fr",
    "spanish": "es",
    "español": "es",
    "italian": "it",
    "italiano": "it",
}


def is_name(text: str) -> bool:
    """True for an entry name: lowercase words and digits, joined by single hyphens."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def suggested_name(text: str) -> str:
    """The entry name nearest to a text; empty where no letter a-z or digit is left."""
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_LETTERS)
    base = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", base).strip("-")[:LONGEST_NAME].strip("-")


def is_language(text: str) -> bool:
    """True for the name of a language folder, such as `de` or `pt-BR`."""
    return _LANGUAGE.fullmatch(text) is not None


def suggested_language(text: str) -> str:
    """The language folder nearest to a text; empty where nothing is near."""
    plain = text.strip().casefold()
    tag = _LANGUAGE_NAMES.get(plain) or re.sub(r"[ _]+", "-", plain)
    return tag if is_language(tag) else ""


def meant_part(title: str, cutoff: float = 0.7) -> str:
    """The part that a heading which is not exactly one may mean; empty where none is near."""
    plain = title.casefold().strip(" :.*_`-")
    known = _BY_FOLDED_NAME.get(plain) or _ALSO_CALLED.get(plain)
    if known:
        return known
    near = nearest(plain, _BY_FOLDED_NAME, cutoff)
    return _BY_FOLDED_NAME[near] if near else ""


def part_word(title: str) -> str:
    """The part whose name this is, in whatever case; empty where it is none."""
    return _BY_FOLDED_NAME.get(title.casefold(), "")


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word most like this one; empty where none is near."""
    near = difflib.get_close_matches(word[:LONGEST_NAME], list(known), 1, cutoff)
    return near[0] if near else ""


def quoted(words: Iterable[str]) -> str:
    """Words as a message lists them: `a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)
