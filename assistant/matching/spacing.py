"""Words run together or torn apart are read as the words that were meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from assistant.matching.content import function_words
from assistant.matching.mending import WORD, Vocabulary
from assistant.matching.text import fold

_SHORTEST_RUN = 4  # letters; shorter words hold no two
_LONGEST_RUN = 200  # letters; the work grows with them
_LONGEST_WORD = 24  # letters
_SHORTEST_STRANGE = 3  # letters of a word that the base lacks
_STRANGE_SHORT, _SHORT_BELOW = 6.0, 5  # as much more for one with fewer letters: many are other languages'
_STRANGE_FROM = 12  # letters of the whole; in a shorter one two strange words are found too easily
# In natural logarithms, as a lexicon counts: a word costs what its rarity says, a word of the base no
# more than the first, a word that the base lacks the second on top, one of a letter or two the third.
_DEAREST_KNOWN = 11.0
_STRANGE = 3.0
_SHORT = 3.0
_MET = 4.0  # less for a word that stands so behind the other one in the base
_UNKNOWN = 12.0, 4.0  # for letters that are no known word: at once and for each
_ONE_LETTER = frozenset("ai")
_SURE_FROM = 4  # words; no single word looks like so many,
_AVERAGE_WORD = 3  # if they are no shorter than so many letters
_SURE_SHARE = 0.5  # and so many of them are small words or stand beside each other in the base
_SMALL, _LARGE = 3, 6  # letters of a function word and of a word beside it that the base never put there
# Function words that begin other words: "einkaufen" and "willkommen" are one word.
_BEGINNINGS = frozenset((
    "ab", "all", "als", "an", "any", "auf", "aus", "be", "bei", "da", "des", "dort", "durch", "ein",
    "for", "her", "hin", "ihn", "im", "in", "irgend", "mit", "nach", "not", "of", "on", "out", "so",
    "some", "the", "ueber", "um", "un", "under", "unter", "up", "von", "vor", "well", "weg", "wer", "wie",
    "will", "with", "wo", "zu", "zum", "zur",
))  # fmt: skip
_MOST_TORN = 3  # pieces of one word
_LONG_JOINED = 8  # letters; shorter ones are joined only where a piece is no word: "a round", "log in"


class Spacing:
    """Puts spaces where the words of a base tell that they belong."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def joined(self, text: str) -> str:
        """The text with words of the base put together that were typed in pieces."""
        tokens = text.split(" ")
        out: list[str] = []
        at = 0
        while at < len(tokens):
            size = next((n for n in range(_MOST_TORN, 1, -1) if self._are_one(tokens[at : at + n], n)), 1)
            out.append(tokens[at] + "".join(tokens[at + 1 : at + size]).lower())
            at += size
        return " ".join(out)

    def _are_one(self, tokens: Sequence[str], size: int) -> bool:
        if len(tokens) < size or not all(token.isalnum() for token in tokens[:-1]):
            return False
        whole = fold("".join(tokens))
        if not self._vocabulary.knows(whole):
            return False
        parts = [fold(token) for token in tokens]
        if not all(parts) or any(pair in self._vocabulary.neighbours for pair in pairwise(parts)):
            return False
        return len(whole) >= _LONG_JOINED or not all(self._is_word(token.lower()) for token in tokens)

    def parted(self, text: str) -> str:
        """The text with words parted that were typed as one."""
        return WORD.sub(lambda found: self._parted_run(found[0]), text)

    def _parted_run(self, written: str) -> str:
        run = written.lower()
        if not _SHORTEST_RUN <= len(run) <= _LONGEST_RUN or not run.isalnum():
            return written
        if not run[0].isalpha() or self._is_word(run):
            return written
        parts = self._neighbours(fold(run)) or self._best_parts(run)
        if not parts:
            return written
        spelled = " ".join(self._vocabulary.spelled(part) or part for part in parts)
        return spelled[:1].upper() + spelled[1:] if written[:1].isupper() else spelled

    def _neighbours(self, run: str) -> Sequence[str]:
        """Two words that stand side by side in the base and make up the run; empty where none do."""
        pairs = ((run[:at], run[at:]) for at in range(1, len(run)))
        return next((pair for pair in pairs if pair in self._vocabulary.neighbours), ())

    def _is_word(self, run: str) -> bool:
        return self._vocabulary.spelled(run) is not None or self._vocabulary.is_real(run)

    def _best_parts(self, run: str) -> Sequence[str]:
        """The cheapest words that make up the whole run; none where they make no sense together."""
        if not fold(run).isascii():
            return ()  # particles of one syllable fit everywhere in Korean
        ways: list[_Way | None] = [_Way(0.0, "", None), *[None] * len(run)]
        for start in range(len(run)):
            before = ways[start]
            if before is None:
                continue
            for end in range(start + 1, min(start + _LONGEST_WORD, len(run)) + 1):
                word, here = run[start:end], ways[end]
                price = self._price(word, len(run))
                if price is None:
                    continue
                price += before.price - _MET * ((before.word, word) in self._vocabulary.neighbours)
                if here is None or price < here.price:
                    ways[end] = _Way(price, word, before)
        parts = _parts(ways[-1])
        return parts if self._make_sense([fold(part) for part in parts]) else ()

    def _price(self, word: str, whole: int) -> float | None:
        """What it costs to read a part of a run as this word; None: it is no word."""
        if self._vocabulary.is_written(word):
            if len(word) == 1 and word not in _ONE_LETTER:
                return None
            frequency = self._vocabulary.frequency(word)
            price = _DEAREST_KNOWN if frequency is None else min(_DEAREST_KNOWN, -frequency)
            return price + _SHORT if len(word) < _SHORTEST_STRANGE else price
        if word.isdigit():
            return _DEAREST_KNOWN
        if whole < _STRANGE_FROM or len(word) < _SHORTEST_STRANGE:
            return None
        frequency = self._vocabulary.frequency(word)
        if frequency is None and len(word) >= _LARGE and self._vocabulary.is_common(word):
            return _STRANGE + _DEAREST_KNOWN
        if frequency is None:
            return _UNKNOWN[0] + _UNKNOWN[1] * len(word)
        return (_STRANGE if len(word) >= _SHORT_BELOW else _STRANGE_SHORT) - frequency

    def _make_sense(self, parts: Sequence[str]) -> bool:
        """Do these words stand side by side in a question, or are they found in another word by chance?"""
        if len(parts) < 2:
            return False
        met = sum(pair in self._vocabulary.neighbours for pair in pairwise(parts))
        if len(parts) == 2:
            return bool(met) or _is_small_beside_large(*parts)
        if 2 * met >= len(parts) - 1:
            return True
        told = met + sum(part in function_words() for part in parts)
        long = sum(map(len, parts)) >= _AVERAGE_WORD * len(parts)
        return len(parts) >= _SURE_FROM and long and told >= _SURE_SHARE * len(parts)


def _is_small_beside_large(first: str, second: str) -> bool:
    small = function_words()
    return (
        first in small
        and first not in _BEGINNINGS
        and second not in small
        and len(first) >= _SMALL
        and len(second) >= _LARGE
    )


@dataclass(frozen=True, slots=True)
class _Way:
    """The cheapest way to read the first letters of a run."""

    price: float
    word: str  # the last one
    before: _Way | None


def _parts(way: _Way | None) -> list[str]:
    parts: list[str] = []
    while way is not None and way.before is not None:
        parts.append(way.word)
        way = way.before
    return parts[::-1]
