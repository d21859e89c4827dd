"""The words that turn a question round, as `opposites.toml` lists them, found in a row of words."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple

from assistant.matching.text import fold
from assistant.values import primary_language

_NEAR = 2  # words between the two of `turn_off`: "turn the heating off"
_SHORTEST_INFLECTED = 3  # letters: "to" has no endings
_SHORTEST_UNDONE = 5  # letters: "until" undoes nothing
_REMEMBERED = 50_000  # words that were looked up; most come again
_PAIRS = ("pairs", "undone", "bound")
NEGATIONS = "negations"
_SETTINGS = (
    "endings",
    "prefixes",
    "no_opposites",
    "after_particles",
)  # lists of something else than words to find


@dataclass(frozen=True, slots=True)
class Mark:
    """What a word stands for: a list of the language by its name, or one side of a pair."""

    kind: str  # "negations", "wishes" ... or "pairs", "undone", "bound"
    pair: str = ""
    side: int = 0


class Hit(NamedTuple):  # made by the dozen for each text: a dataclass takes four times as long
    """A mark and the places of the words that bear it."""

    mark: Mark
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    mark: Mark
    parts: int
    gap: int  # words between two parts at most; -1: the last part ends a clause, as German particles do


class OpposedWords:
    """The lists of one language, ready to be looked up."""

    def __init__(self, listed: Mapping[str, object]) -> None:
        self._patterns: list[_Pattern] = []
        self._whole: dict[str, list[tuple[int, int]]] = {}  # word -> pattern, which part of it
        self._begun: dict[str, list[tuple[int, int]]] = {}
        self._within: list[tuple[str, int, int]] = []
        self._seen: dict[str, Sequence[tuple[int, int]]] = {}
        self._turns: dict[str, frozenset[str]] = {}
        self.excuses: dict[str, frozenset[str]] = {}
        self._endings = str(listed["endings"]).split()
        self.prefixes = tuple(str(listed["prefixes"]).split())
        self.no_opposites = frozenset(fold(word) for word in str(listed["no_opposites"]).split())
        self._after_particles = frozenset(fold(word) for word in str(listed["after_particles"]).split())
        for kind, value in listed.items():
            if isinstance(value, dict):
                self._read_pairs(kind, value)
            elif kind not in _SETTINGS:
                self._read(str(value), Mark(kind))

    def _read_pairs(self, kind: str, pairs: Mapping[str, Sequence[str]]) -> None:
        for name, (one, other, *excuses) in pairs.items():
            self._read(one, Mark(kind, name, 0))
            self._read(other, Mark(kind, name, 1))
            if excuses:
                self.excuses[name] = frozenset(fold(word) for word in excuses[0].split())

    def _read(self, listed: str, mark: Mark) -> None:
        for written in listed.split():
            particle, apart, stem = written.partition("|")
            if apart:
                for infix in ("", "zu", "ge"):
                    self._add([f"{particle}{infix}{stem}"], mark, 0)
                self._add([stem, f"={particle}"], mark, -1)
            else:
                self._add(written.split("_"), mark, 0 if mark.kind in ("harmless", "helpless") else _NEAR)

    def _add(self, parts: Sequence[str], mark: Mark, gap: int) -> None:
        number = len(self._patterns)
        self._patterns.append(_Pattern(mark, len(parts), gap))
        for place, part in enumerate(parts):
            word = fold(part)
            if part.startswith("*"):
                self._within.append((word, number, place))
            elif part.endswith("*"):
                self._begun.setdefault(word, []).append((number, place))
            else:
                inflects = not part.startswith("=") and (mark.kind in _PAIRS and place == 0)
                for form in self._forms(word) if inflects else {word}:
                    self._whole.setdefault(form, []).append((number, place))

    def _forms(self, word: str) -> set[str]:
        """With every ending, also where the last letter is doubled, dropped (e) or changed (y)."""
        forms = {word}
        if len(word) < _SHORTEST_INFLECTED:
            return forms
        for ending in self._endings:
            forms |= {word + ending, word + word[-1] + ending}
            if word[-1] in "ey":
                forms.add(word[:-1] + ("i" if word[-1] == "y" else "") + ending)
        return forms

    def hits(self, words: Sequence[str]) -> Iterator[Hit]:
        """All that is listed among folded words, in their order."""
        found = [self._parts_of(word) for word in words]
        for place, parts in enumerate(found):
            for number, part in parts:
                pattern = self._patterns[number]
                if part == 0 and pattern.parts == 1:
                    yield Hit(pattern.mark, (place,))
                elif part == 0:
                    places = self._rest(words, found, number, place)
                    if len(places) == pattern.parts:
                        yield Hit(pattern.mark, places)

    def turns(self, word: str) -> frozenset[str]:
        """What a folded word may have a hand in: pairs, `NEGATIONS`, and what is left of it without "un"."""
        known = self._turns.get(word)
        if known is None:
            if len(self._turns) >= _REMEMBERED:
                self._turns.clear()
            marks = [self._patterns[number].mark for number, _ in self._parts_of(word)]
            pairs = {mark.pair for mark in marks if mark.kind in _PAIRS}
            negations = {NEGATIONS for mark in marks if mark.kind == NEGATIONS}
            known = self._turns[word] = frozenset(pairs | negations | {*self.undone(word)})
        return known

    def undone(self, word: str) -> Iterator[str]:
        """What is left of a folded word without the "un" that it begins with: "sichtbar" of "unsichtbar"."""
        if word.startswith(self.prefixes) and word not in self.no_opposites:
            rests = (word.removeprefix(prefix) for prefix in self.prefixes if word.startswith(prefix))
            yield from (rest for rest in rests if len(rest) >= _SHORTEST_UNDONE)

    def _parts_of(self, word: str) -> Sequence[tuple[int, int]]:
        known = self._seen.get(word)
        if known is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            known = self._seen[word] = self._look_up(word)
        return known

    def _look_up(self, word: str) -> Sequence[tuple[int, int]]:
        parts = list(self._whole.get(word, ()))
        for end in range(1, len(word) + 1):
            parts += self._begun.get(word[:end], ())
        parts += [(number, part) for piece, number, part in self._within if piece in word]
        return parts

    def _rest(
        self, words: Sequence[str], found: Sequence[Sequence[tuple[int, int]]], number: int, start: int
    ) -> tuple[int, ...]:
        """The places of a pattern's words from its first one on; fewer where one is missing."""
        pattern, places = self._patterns[number], [start]
        for part in range(1, pattern.parts):
            last = len(found) if pattern.gap < 0 else min(len(found), places[-1] + pattern.gap + 2)
            for place in range(places[-1] + 1, last):
                if (number, part) in found[place] and (pattern.gap >= 0 or self._closes(words, place)):
                    places.append(place)
                    break
            else:
                break
        return tuple(places)

    def _closes(self, words: Sequence[str], place: int) -> bool:
        """Is a particle here the end of its verb? "Wo steige ich ein", not "Wo steige ich in ein Taxi"."""
        return place + 1 == len(words) or words[place + 1] in self._after_particles


@cache
def opposed_words(language: str) -> OpposedWords | None:
    """The lists of a language ("de-AT" is "de"); None where there are none."""
    listed = _listed().get(primary_language(language))
    return OpposedWords(listed) if listed else None


@cache
def _listed() -> Mapping[str, Mapping[str, object]]:
    return tomllib.loads(resources.files("assistant.matching").joinpath("opposites.toml").read_text("utf-8"))
