"""Words with a slip are read as the word of the base that they were meant to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

from assistant.matching import lexical
from assistant.matching.content import function_words
from assistant.matching.text import as_heard, fold, letters
from assistant.ports import Lexicon

WORD = re.compile(r"[\w'’-]+")
_DOUBLED = re.compile(r"(.)\1+")
# Letters; a slip makes another word of a shorter one ("wife", "wifi"), so that one is read as a word of the
# base only where a lexicon tells that it is none itself, and where fingers slip so. With that 86 instead of
# 83 of 100 questions with a slip came first on CLINC150, 82 instead of 81 on BANKING77 (training rows).
_SHORTEST = 5
_SHORTEST_SLIP = 3
_SHORTEST_SWAPPED = 4  # of any word; two swapped letters seldom make another one ("hudn")
# Letters; in shorter words a wrong letter is a slip only where its key lies beside the right one, and the
# first letter is right: "heben" is no slip of "haben", nor "warte" of "karte".
_SHORTEST_ANY_KEY = 7
_TWO_SLIPS_FROM = 10  # letters
_LONGEST = 40  # letters; a longer row is no word, and has too many that it might be a slip of
# As a natural logarithm: of words that the base lacks, only those that are as common are read into a slip.
_COMMON = -13.0
# A real word is a slip only of one that is twenty times as common: "strat" of "start", but not "from"
# of "form". In natural logarithms.
_FAR_MORE_COMMON = 3.0
_DOTS_LOST = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "s"})
# On a German and on an English keyboard; a slip on the first letter is looked for among these alone.
_KEYS = ("qwertzuiop", "qwertyuiop", "asdfghjkl", "yxcvbnm", "zxcvbnm")
# What tells a form of a word from a slip: both are real words, and correct ones are left alone.
_ENDINGS = frozenset((
    "e", "en", "er", "es", "em", "n", "s", "t", "et", "st", "te", "ten", "r", "m", "d", "ed", "ing",
    "al", "ly",
))  # fmt: skip
_ENDING_LENGTHS = (1, 2, 3)
_SHORTEST_STEM = 3  # letters
# "absprechen" is no slip of "abbrechen", nor "unlock" of "unblock".
_BEGINNINGS = (
    *("ab", "an", "auf", "aus", "be", "ein", "ent", "er", "ge", "mit", "nach", "ueber", "über", "um", "un"),
    *("unter", "ver", "vor", "weg", "zu", "zurueck", "zurück", "dis", "out", "over", "re"),
)
_SHORTEST_REST = 4  # letters


class Vocabulary:
    """The words of a base, each as its editors spell it."""

    def __init__(self, texts: Iterable[str], lexicon: Lexicon | None = None) -> None:
        """The `lexicon` tells real words that the base lacks from slips of words that it has."""
        self._lexicon = lexicon
        self._spelled: dict[str, str] = {}
        self.neighbours: set[tuple[str, str]] = set()  # folded words that stand side by side
        self._times: Counter[str] = Counter()  # that each word is written
        for text in texts:
            listed = [(folded, word) for word in as_heard(text).split() if (folded := fold(word))]
            for folded, word in listed:
                self._spelled.setdefault(folded, word)
                self._times[folded] += 1
            folded_words = [folded for folded, _ in listed]
            self.neighbours.update(pairwise(folded_words))
        self._known = self._spelled.keys() | function_words()
        # "offnung" for "öffnung": a keyboard without dots
        self._without_dots = {
            plain: word
            for folded, word in self._spelled.items()
            if (plain := fold(word.translate(_DOTS_LOST))) != folded
            and plain not in self._known
            and self._is_likelier(folded, self.frequency(plain))
        }
        spellings = (*self._spelled.values(), *self._known, *self._without_dots)
        self._written = frozenset(word for word in spellings if word.isalnum())
        # By their first letter: fingers seldom miss that one.
        self._long: dict[str, list[str]] = {}
        self._short: dict[str, list[str]] = {}  # the commonest first
        for word in sorted(self._spelled, key=lambda word: -self._times[word]):
            if len(word) >= _SHORTEST and " " not in word:
                self._long.setdefault(word[0], []).append(word)
            if _SHORTEST_SLIP <= len(word) <= _SHORTEST and word.isalpha():
                self._short.setdefault(word[0], []).append(word)
        self._latin = sorted({char for word in self._spelled.values() for char in word if _is_latin(char)})

    def knows(self, folded: str) -> bool:
        """Is it a word of the base's questions?"""
        return folded in self._spelled

    def is_written(self, word: str) -> bool:
        """Like `spelled`, much faster, for words of letters alone."""
        return word in self._written

    def spelled(self, word: str) -> str | None:
        """A small-letter word of the base or of the function words as it is spelled; None for any other."""
        folded = fold(word)
        if folded in self._known:
            known = self._spelled.get(folded, word)
            return known if word.isascii() and not known.isascii() else word
        return self._without_dots.get(folded)

    def frequency(self, word: str) -> float | None:
        """Of a small-letter word in ordinary text, as a natural logarithm; None: not listed."""
        return self._lexicon.frequency(word) if self._lexicon else None

    def respelled(self, text: str) -> str:
        """The text with umlauts as the base spells them."""
        return WORD.sub(lambda found: _in_its_case(found[0], self.spelled(found[0].lower())), text)

    def mended(self, text: str) -> str:
        """The text with slips mended, which is a guess."""
        return WORD.sub(lambda found: _in_its_case(found[0], self._mended_word(found[0].lower())), text)

    def _mended_word(self, word: str) -> str:
        folded = fold(word)
        if folded in self._known:
            return word
        if not _SHORTEST_SLIP <= len(folded) <= _LONGEST or not folded.isalpha() or letters(folded) != folded:
            return word  # a syllable of Korean is several letters
        is_strange = not self.is_real(word)
        may_be_swapped = len(folded) >= _SHORTEST_SWAPPED or bool(self._lexicon and is_strange)
        meant = self._swapped(word) if may_be_swapped else None
        if meant is None and is_strange:
            meant = self._near(word)
            if meant is None:
                return self._listed_near(word) or word
        if meant is None or _is_another_form(folded, meant):
            return word
        return self._spelled.get(meant, meant)

    def is_real(self, word: str) -> bool:
        """Is it a common word, a regular form of one, or one with a syllable before it?"""
        if self.is_common(word):
            return True
        if not word.startswith(_BEGINNINGS):
            return False
        rests = (word.removeprefix(first) for first in _BEGINNINGS if word.startswith(first))
        return any(len(rest) >= _SHORTEST_REST and self.is_common(rest) for rest in rests)

    def is_common(self, word: str) -> bool:
        """Is it a word of the base, a common word, or a regular form of one?"""
        if word in self._written or self.frequency(word) is not None:
            return True
        stems = [word[:-length] for length in _ENDING_LENGTHS if word[-length:] in _ENDINGS]
        return any(
            len(stem) >= _SHORTEST_STEM
            and (self.frequency(stem) is not None or self.frequency(f"{stem}e") is not None)
            for stem in stems
        )

    def _swapped(self, word: str) -> str | None:
        """The known word that this one is but for two neighbouring letters; of several the commonest."""
        own, folded = self.frequency(word), fold(word)
        swapped = (
            fold(typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :])
            for typed in dict.fromkeys((folded, word))  # "ömchte" is "oemchte" when it is folded
            for at in range(len(typed) - 1)
        )
        found = [other for other in swapped if other in self._known and other != folded]
        likely = (other for other in found if self._is_likelier(other, own))
        return max(likely, key=lambda other: self._times[other], default=None)

    def _is_likelier(self, other: str, own: float | None) -> bool:
        if own is None:
            return True
        frequency = self.frequency(self._spelled.get(other, other))
        return frequency is not None and frequency - own >= _FAR_MORE_COMMON

    def _near(self, word: str) -> str | None:
        """The word of the base that this strange one is a slip of."""
        folded = fold(word)
        if self._lexicon and len(folded) <= _SHORTEST and word.isalpha():
            short = (other for other in self._short.get(folded[0], ()) if _is_slip(folded, other))
            if (near := next(short, None)) is not None:
                return near
        if len(folded) < _SHORTEST:
            return None
        slips = 2 if len(folded) >= _TWO_SLIPS_FROM else 1
        near = lexical.nearest_word(folded, self._long.get(folded[0], ()), slips)
        if near is None and len(folded) >= _SHORTEST_ANY_KEY:
            near = next((other for other in _other_beginnings(folded) if other in self._spelled), None)
        return near if near and (len(folded) >= _SHORTEST_ANY_KEY or _is_near_key(folded, near)) else None

    def _listed_near(self, word: str) -> str | None:
        """The commonest word of the lexicon that this one is a slip of."""
        if self._lexicon is None or len(word) < _SHORTEST or not all(map(_is_latin, word)):
            return None
        listed = {other: self.frequency(other) for other in _one_slip_off(word, self._latin)}
        common = {other: often for other, often in listed.items() if often is not None and often > _COMMON}
        return max(sorted(common), key=lambda other: common[other], default=None)


def _in_its_case(written: str, meant: str | None) -> str:
    if meant is None or meant == written.lower():
        return written
    return meant[:1].upper() + meant[1:] if written[:1].isupper() else meant


def _other_beginnings(folded: str) -> Iterator[str]:
    """The word with its first letter hit twice, or the key beside it hit instead."""
    if folded[0] == folded[1]:
        yield folded[1:]
    yield from (letter + folded[1:] for letter in _beside(folded[0]))


def _is_near_key(folded: str, other: str) -> bool:
    """False where they differ in one letter whose keys lie apart."""
    if len(folded) != len(other):
        return True
    wrong = [pair for pair in zip(folded, other, strict=True) if pair[0] != pair[1]]
    return len(wrong) > 1 or any(_are_beside(*pair) for pair in wrong)


def _is_slip(typed: str, meant: str) -> bool:
    """Is it a letter left out, hit twice or together with the key beside it, or that key instead of it? The
    first letter is right."""
    if len(typed) == len(meant):
        wrong = [pair for pair in zip(typed, meant, strict=True) if pair[0] != pair[1]]
        return len(wrong) == 1 and _are_beside(*wrong[0])
    if len(typed) < len(meant):
        return typed in _one_left_out(meant)
    return any(
        shorter == meant and any(_are_beside(typed[at], near) for near in typed[at - 1 : at + 2 : 2])
        for at, shorter in enumerate(_one_left_out(typed), 1)
    )


def _one_left_out(word: str) -> list[str]:
    """The word without its second letter, its third and so on."""
    return [word[:at] + word[at + 1 :] for at in range(1, len(word))]


def _one_slip_off(word: str, alphabet: Iterable[str]) -> Iterator[str]:
    """Words that fingers may have meant."""
    yield from (other for other in _one_left_out(word) if _is_slip(word, other))
    for at in range(1, len(word)):
        yield word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]
        yield from (word[:at] + letter + word[at + 1 :] for letter in _beside(word[at]))
    for at in range(1, len(word) + 1):
        yield from (word[:at] + letter + word[at:] for letter in alphabet)


def _are_beside(key: str, other: str) -> bool:
    """Are these two keys one, or do they lie side by side?"""
    return key == other or other in _beside(key)


@cache
def _beside(key: str) -> str:
    """The keys left and right of it, on a German and on an English keyboard."""
    rows = ((row, row.find(key)) for row in _KEYS)
    return "".join(row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row, at in rows if at >= 0)


@cache
def _is_latin(char: str) -> bool:
    return char.isalpha() and all("a" <= letter <= "z" for letter in fold(char))


def _is_another_form(folded: str, other: str) -> bool:
    """Do they differ in their ending alone? Then a customer wrote another form of the editors' word. Who hits
    a letter twice, or once instead of twice, did not mean another form."""
    if _DOUBLED.sub(r"\1", folded) == _DOUBLED.sub(r"\1", other):
        return False
    same = 0
    while same < min(len(folded), len(other)) and folded[same] == other[same]:
        same += 1
    rests = {folded[same:], other[same:]} - {""}
    return same >= _SHORTEST - 1 and rests <= _ENDINGS
