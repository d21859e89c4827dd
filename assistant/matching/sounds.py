"""How far apart two words sound: the words of a base that a recognizer may have taken for another one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.matching import lexical
from assistant.matching.content import scripts
from assistant.matching.text import letters

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_ANY_OTHER, _MISSING = 1.0, 0.8  # of two sounds, of a sound more or less, where the table says nothing
_JAMO = (0x1100, 0x1161, 0x11A8)  # where leads, vowels and tails begin
_FURTHEST = 2.0  # of long words; short ones must be nearer, see `_furthest`
_MOST = 20  # words for one that was heard
_REMEMBERED = 4096  # words that were heard: customers say the same ones over and over


def sounds_of(folded: str) -> str:
    """A folded word as a row of sounds; those of "fair" and "pair" differ in one."""
    table = _table()
    row = "".join(table.jamo.get(char, char) for char in letters(folded) if char.isalnum())
    for run, sound in table.spelled:
        row = row.replace(run, sound)
    if len(row) > 2:
        row = row.removesuffix(table.silent_end)
    return re.sub(r"(.)\1+", r"\1", row)


class SoundsAlike:
    """The words of a base by their sound."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """`vocabulary` holds folded words, each once."""
        self._rows = [sounds_of(word) for word in vocabulary]
        self._scripts = [scripts(word) for word in vocabulary]
        self._numbers = {sound: n for n, sound in enumerate(sorted(set("".join(self._rows))), 1)}
        self._lengths = np.array([len(row) for row in self._rows], np.int64)
        self._sounds = np.zeros((len(vocabulary), int(self._lengths.max(initial=0))), np.int64)
        for place, row in enumerate(self._rows):
            self._sounds[place, : len(row)] = [self._numbers[sound] for sound in row]
        known = ["", *self._numbers]
        self._missing = np.array([_missing(sound) for sound in known], np.float32)
        self._near_word = lru_cache(_REMEMBERED)(self._measured)

    def near(self, folded: str) -> tuple[Ints, Floats]:
        """The numbers of the words of its script that sound most like this one, nearest first, and how far
        apart they are: 0 for the same sounds, 1 for one sound that is quite another."""
        return self._near_word(folded)

    def _measured(self, folded: str) -> tuple[Ints, Floats]:
        heard = sounds_of(folded)
        # Cheap and never far off: no two words with so many other sounds are near.
        alike = np.flatnonzero(lexical.changes(heard, self._rows) <= max(2, (len(heard) + 3) // 2))
        own = scripts(folded)
        alike = alike[[self._scripts[number] == own for number in alike.tolist()]]
        apart = self._apart(heard, alike)
        longer = np.maximum(self._lengths[alike], max(len(heard), 1))
        near = np.flatnonzero(apart <= _furthest(longer))
        nearest = near[np.argsort(apart[near], kind="stable")][:_MOST]
        return alike[nearest], apart[nearest]

    def _apart(self, heard: str, numbers: Ints) -> Floats:
        """Weighted edit distances of a row of sounds from those of some words."""
        sounds = self._sounds[numbers]
        missing = self._missing[sounds]
        steps = np.hstack([np.zeros((len(numbers), 1), np.float32), np.cumsum(missing, axis=1)])
        for sound in heard:
            before, own = steps, np.float32(_missing(sound))
            other = np.array([_between(sound, known) for known in ("", *self._numbers)], np.float32)
            steps = np.empty_like(before)
            steps[:, 0] = before[:, 0] + own
            best = np.minimum(before[:, :-1] + other[sounds], before[:, 1:] + own)
            for place in range(sounds.shape[1]):
                steps[:, place + 1] = np.minimum(best[:, place], steps[:, place] + missing[:, place])
        return np.asarray(steps[np.arange(len(numbers)), self._lengths[numbers]], np.float32)


def _furthest(lengths: Ints) -> Floats:
    """How far apart words of so many sounds may be: "to" may not be "we", "arrival" may be "rifle"."""
    return np.asarray(_FURTHEST * lengths / (lengths + 1), np.float32)


@dataclass(frozen=True, slots=True)
class _Table:
    """What sounds.toml says."""

    spelled: tuple[tuple[str, str], ...]
    silent_end: str
    jamo: Mapping[str, str]
    alike: Mapping[frozenset[str], float]
    missing: Mapping[str, float]


@cache
def _table() -> _Table:
    stored = tomllib.loads(resources.files("assistant.matching").joinpath("sounds.toml").read_text("utf-8"))
    alike: dict[frozenset[str], float] = {}
    for row in reversed(stored["alike"]):  # of several the nearest holds
        alike |= {frozenset((one, other)): row["apart"] for g in row["groups"] for one in g for other in g}
    missing = {sound: row["apart"] for row in stored["missing"] for sound in row["sounds"]}
    spelled = tuple((run, sound) for run, sound in stored["spelled"])
    return _Table(spelled, stored["silent_end"], _spoken_jamo(stored), alike, missing)


def _spoken_jamo(stored: Mapping[str, Any]) -> dict[str, str]:
    named = zip(_JAMO, (stored["leads"], stored["vowels"], stored["tails"]), strict=True)
    spoken = {chr(first + n): sound for first, row in named for n, sound in enumerate(row.split())}
    return {jamo: sound.replace("-", "") for jamo, sound in spoken.items()}


@cache
def _between(one: str, other: str) -> float:
    return 0.0 if one == other else _table().alike.get(frozenset((one, other)), _ANY_OTHER)


@cache
def _missing(sound: str) -> float:
    return _table().missing.get(sound, _MISSING) if sound else 0.0
