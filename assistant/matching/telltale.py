"""Texts in languages that a base has no page for: which one it is, told only where it is plain."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

from assistant.matching.content import function_words, scripts
from assistant.matching.text import fold, words
from assistant.values import primary_language

# A script that mostly one language is written in; Japanese is written in Chinese characters too.
OF_SCRIPT = {
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "THAI": "th",
    "GREEK": "el",
    "HEBREW": "he",
}
# Scripts of many languages: told only to a base that is not written in them.
_LIKELY = {"CYRILLIC": "ru", "ARABIC": "ar"}
# What the sentence encoder was trained on: what it finds for these holds, whatever the base is written in.
READ_BY_ENCODER = frozenset(("LATIN", "HANGUL", "CJK", "HIRAGANA", "KATAKANA", "CYRILLIC", "ARABIC", "THAI"))
_SPACELESS = frozenset(("CJK", "HIRAGANA", "KATAKANA", "THAI"))
_SHORTEST_SENTENCE = 4  # letters, where there are no spaces
_LETTERS = {
    "fr": "àèùœê",
    "es": "ñ¿¡",
    "it": "ìò",
    "pl": "ąęłżźćńś",
    "pt": "ãõ",
    "tr": "ğşıİ",
}
_FEWEST_WORDS = 3  # in the text; fewer are a name, or said in every language
_FEWEST_SIGNS = 2
_AHEAD = 1.5  # times as many signs as the next language has


def foreign_language(text: str, languages: Collection[str], own_scripts: Collection[str]) -> str | None:
    """The language of a text that is plainly in none of the base's, which are written in its own scripts."""
    written = scripts(fold(text))
    if "LATIN" in written:
        told = _of_words(text)
    else:
        told = None if written & set(own_scripts) else _of_scripts(written)
    return told if told and told not in set(map(primary_language, languages)) else None


def language_of_script(written: Collection[str]) -> str | None:
    """The language of which these scripts are, where one alone is."""
    known = {OF_SCRIPT[script] for script in written if script in OF_SCRIPT}
    if "ja" in known:
        return "ja"
    return known.pop() if len(known) == 1 else None


def is_single_word(folded: str) -> bool:
    """Whether it is one word; a language without spaces says a whole sentence in what looks like one."""
    is_sentence = len(folded) >= _SHORTEST_SENTENCE and not scripts(folded).isdisjoint(_SPACELESS)
    return len(words(folded)) == 1 and not is_sentence


def _of_scripts(written: Collection[str]) -> str | None:
    return language_of_script(written) or next((_LIKELY[s] for s in written if s in _LIKELY), None)


def _of_words(text: str) -> str | None:
    folded = words(fold(text))
    if len(folded) < _FEWEST_WORDS:
        return None
    said, letters = set(folded), set(text.lower())
    signs = {
        language: len(said & listed) + len(letters & set(_LETTERS.get(language, "")))
        for language, listed in _listed().items()
    }
    first, second = sorted(signs, key=lambda language: -signs[language])[:2]
    if signs[first] < _FEWEST_SIGNS or signs[first] < _AHEAD * signs[second]:
        return None
    return first


@cache
def _listed() -> Mapping[str, frozenset[str]]:
    stored = tomllib.loads(
        resources.files("assistant.matching").joinpath("telltale_words.toml").read_text(encoding="utf-8")
    )
    return {
        language: frozenset(fold(word) for word in listed.split()) | function_words(language)
        for language, listed in stored.items()
    }
