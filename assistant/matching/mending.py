"""Words with a slip are read as the word of the base that they were meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.matching import lexical
from assistant.matching.content import function_words
from assistant.matching.text import as_heard, fold, words

_WORD = re.compile(r"[\w'’-]+")
_SHORTEST = 5  # letters; in shorter words a slip makes another word ("wife", "wifi")
_TWO_SLIPS_FROM = 10  # letters


class Vocabulary:
    """The words of a base, each as its editors spell it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._spelled: dict[str, str] = {}
        for text in texts:
            for word in as_heard(text).split():
                if folded := fold(word):
                    self._spelled.setdefault(folded, word)
        self._known = self._spelled.keys() | function_words()
        # By their first letter: fingers seldom miss that one, and "karte" is no slip for "warte".
        self._long: dict[str, list[str]] = {}
        for word in self._spelled:
            if len(word) >= _SHORTEST and " " not in word:
                self._long.setdefault(word[0], []).append(word)

    def mended(self, text: str) -> str | None:
        """The text with slips mended and umlauts as the base spells them; None where nothing changes."""
        mended = _WORD.sub(lambda found: self._in_its_case(found[0]), text)
        return mended if mended != text else None

    def _in_its_case(self, written: str) -> str:
        mended = self._mended_word(written.lower())
        if mended == written.lower():
            return written
        return mended[:1].upper() + mended[1:] if written[:1].isupper() else mended

    def _mended_word(self, word: str) -> str:
        folded = fold(word)
        if folded in self._spelled:
            return self._spelled[folded]
        if len(folded) < _SHORTEST or folded in self._known or len(words(folded)) > 1 or folded.isdigit():
            return word
        slips = 2 if len(folded) >= _TWO_SLIPS_FROM else 1
        near = lexical.nearest_word(folded, self._long.get(folded[0], ()), slips)
        return self._spelled[near] if near else word
