"""What was typed, read as what was meant: capitals, shorthand, spaces, slips of the fingers."""

from __future__ import annotations

import re

from assistant.matching.mending import Vocabulary
from assistant.matching.shorthand import written_out
from assistant.matching.spacing import Spacing
from assistant.matching.text import fold

_STRETCHED = re.compile(r"\b\w*([a-zäöü])\1{2}\w*", re.IGNORECASE)  # "biiitte"
_ROW = re.compile(r"([a-zäöü])\1{2,}", re.IGNORECASE)
_MARKS = re.compile(r"[!?]{2,}")
_CAPITALS = re.compile(r"\b[A-ZÄÖÜẞ]{2,}\b")
_SHORTEST_SHOUT = 5  # letters; shorter words are often written so: WLAN, IBAN, PDF


class Reader:
    """Reads what people type to one base."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._spacing = Spacing(vocabulary)

    def readings(self, text: str) -> list[str]:
        """What was meant, best first: one reading where nothing had to be guessed, else a second one
        in which nothing is guessed."""
        sure = written_out(self._calm(text), self._vocabulary.knows)
        sure = self._vocabulary.respelled(self._spacing.parted(self._spacing.joined(sure)))
        guessed = self._vocabulary.mended(sure)
        return [sure] if guessed == sure else [guessed, sure]

    def _calm(self, text: str) -> str:
        """Without shouting: capitals, marks in a row and stretched letters."""
        calm = _MARKS.sub(lambda found: "?" if "?" in found[0] else "!", self._in_small_letters(text))
        return _STRETCHED.sub(self._shrunk, calm)

    def _in_small_letters(self, text: str) -> str:
        shouted = [word for word in _CAPITALS.findall(text) if len(word) >= _SHORTEST_SHOUT]
        if text.isupper():
            return text.lower() if shouted or " " in text.strip() else text
        if not any(self._vocabulary.knows(fold(word)) for word in shouted):
            return text
        return _CAPITALS.sub(self._lowered, text)

    def _lowered(self, found: re.Match[str]) -> str:
        word = found[0]
        return word.lower() if self._vocabulary.spelled(word.lower()) is not None else word

    def _shrunk(self, found: re.Match[str]) -> str:
        word = found[0]
        single, double = (_ROW.sub(letters, word) for letters in (r"\1", r"\1\1"))
        for is_likely in (self._vocabulary.is_written, self._vocabulary.is_real):
            for shrunk in (double, single):
                if is_likely(shrunk.lower()):
                    return shrunk
        return word
