"""What was typed, read as what was meant: capitals, shorthand, spaces, slips of the fingers."""

from __future__ import annotations

import re

from assistant.matching.mending import Vocabulary
from assistant.matching.shorthand import written_out
from assistant.matching.spacing import Spacing
from assistant.matching.text import fold

_STRETCHED = re.compile(r"\b\w*([^\W\d_])\1{2,}\w*")  # "biiitte"
_ROW = re.compile(r"([^\W\d_])\1{2,}")
_MARKS = re.compile(r"[!?]{2,}")
_SHORTEST_SHOUT = 5  # letters; shorter words are often written so: WLAN, IBAN, PDF
_SHOUTED = re.compile(rf"\b[^\W\d_]{{{_SHORTEST_SHOUT},}}\b")


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
        is_shouted = text.isupper() and sum(map(str.isalpha, text)) >= _SHORTEST_SHOUT
        calm = text.lower() if is_shouted else _SHOUTED.sub(self._lowered, text)
        calm = _MARKS.sub(lambda found: "?" if "?" in found[0] else "!", calm)
        return _STRETCHED.sub(self._shrunk, calm)

    def _lowered(self, found: re.Match[str]) -> str:
        word = found[0]
        return word.lower() if word.isupper() and self._vocabulary.knows(fold(word)) else word

    def _shrunk(self, found: re.Match[str]) -> str:
        word = found[0]
        single, double = (_ROW.sub(letters, word) for letters in (r"\1", r"\1\1"))
        return double if self._vocabulary.spelled(double.lower()) is not None else single
