"""What was probably said, where a recognizer wrote words that sound like it: "my core was declined" in a base
about cards.

A noisy channel (Shannon 1948; Kernighan, Church and Gale 1990): of all rows of words that sound like what was
heard, the one is taken that the editors of the base would most likely have written. The numbers were chosen
on questions of ATIS and TREC as they were heard (those for development, not those that are reported) and on
500 of BANKING77, spoken by Piper and heard by PocketSphinx; all hold for neighbouring values, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import exp, log

import numpy as np

from assistant.matching.phrasing import BEGINNING, END, Phrasing
from assistant.matching.sounds import SoundsAlike
from assistant.matching.spoken_numbers import as_said, number_words
from assistant.matching.text import as_heard, fold
from assistant.ports import Lexicon

_HEARD_RIGHT = log(0.9)  # a word
_HEARD_WRONG = log(1 - 0.9)
_RUN_TOGETHER = log(0.05)  # two words that were one
_A_SOUND = 3.0  # off the odds for a sound that is quite another
_PHRASING = 0.7  # how much the editors' wordings count beside the sound
_SURE = 1.0  # odds, as a natural logarithm, from which on what sounds alike is read
_GUESSES = 3  # of the likeliest; 5 found no more
_MOST_PATHS = 30  # that are followed at once
_LONGEST = 60  # words; more are a speech, and would take half a second in a base of 10,000 words
_UNLISTED = log(1e-8)  # in ordinary language; the rarest listed word has 1e-7
_FIRST_WORD = 2  # below it are the numbers of beginning and end


@dataclass(frozen=True, slots=True)
class _Option:
    """A way to read the next words that were heard."""

    word: int
    written: str
    ordinary: float  # how likely the word is in ordinary language
    cost: float  # natural logarithm: how likely it is that this was heard for it
    words_heard: int  # one or two


@dataclass(frozen=True, slots=True)
class _Path:
    """A way to have read a text up to some place."""

    odds: float  # natural logarithm
    last_two: tuple[int, int]
    read: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """What may have been said."""

    text: str
    share: float  # of all guesses at the same sound: how likely this one is


_START = _Path(0.0, (BEGINNING, BEGINNING), ())
_THE_END = _Option(END, "", 0.0, 0.0, 0)


class Rehearing:
    """Reads what was heard in the words of one base."""

    def __init__(
        self, texts: Sequence[str], lexicon: Lexicon | None = None, language: str | None = None
    ) -> None:
        """`texts` are the phrases of the base; the `lexicon` tells how common a word is elsewhere; in the
        `language` numbers are said, in None they are only written."""
        self._lexicon = lexicon
        phrases = [_words(text) for text in texts]
        self._spelled = {folded: written for phrase in reversed(phrases) for folded, written in phrase}
        self._vocabulary = tuple(self._spelled)
        self._numbers = {folded: n for n, folded in enumerate(self._vocabulary, _FIRST_WORD)}
        rows = [[self._numbers[folded] for folded, _ in phrase] for phrase in phrases]
        self._phrasing = Phrasing(rows, len(self._vocabulary) + _FIRST_WORD)
        figures = filter(str.isdigit, self._vocabulary) if language else ()
        said = {folded: fold(as_said(folded, language)).split() for folded in figures}
        self._figures = {"".join(words): folded for folded, words in said.items()}
        spoken = number_words(language) if language else frozenset()
        self._number_words = spoken.union(*said.values())
        self._sounds = SoundsAlike(self._vocabulary)

    def in_figures(self, text: str) -> str:
        """The text with each number in figures that the base writes in figures alone; where there is none, as
        it is."""
        read: list[str] = []
        for is_number, run in groupby(_words(text), lambda word: word[0] in self._number_words):
            heard = list(run)
            in_words = all(folded in self._numbers for folded, _ in heard)
            figures = self._figures.get("".join(folded for folded, _ in heard))
            if is_number and figures and not in_words:
                read.append(figures)
            else:
                read += [written for _, written in heard]
        said = " ".join(read)
        return text if fold(said) == fold(text) else said

    def guesses(self, text: str) -> tuple[Guess, ...]:
        """What was probably said, the likeliest first; none where nothing is plainly likelier than what was
        heard."""
        heard = _words(text)
        if not heard or not self._vocabulary or len(heard) > _LONGEST:
            return ()
        kept = [self._kept(*word) for word in heard]
        reached: list[list[_Path]] = [[_START], *([] for _ in heard)]
        for place in range(len(heard)):
            paths = _best(reached[place])
            for path, taken in self._onwards(paths, self._options(heard[place : place + 2], kept[place])):
                reached[place + taken].append(path)
        ended = sorted(self._ended(_best(reached[-1])), key=lambda path: -path.odds)
        return _shared(ended[:_GUESSES]) if ended[0].odds - self._odds_of(kept) > _SURE else ()

    def _kept(self, folded: str, written: str) -> _Option:
        """A word read as it was heard; those that the base has not are numbered behind its own."""
        unknown = len(self._vocabulary) + _FIRST_WORD
        return _Option(self._numbers.get(folded, unknown), written, self._ordinary(folded), _HEARD_RIGHT, 1)

    def _options(self, heard: Sequence[tuple[str, str]], kept: _Option) -> list[_Option]:
        """Ways to read the first word, or the first two together."""
        options = [kept]
        for count, likely in ((1, _HEARD_WRONG), (2, _HEARD_WRONG + _RUN_TOGETHER)):
            sound = "".join(folded for folded, _ in heard[:count])
            if count > len(heard) or any(map(str.isdigit, sound)):  # no number is another one
                break
            is_number = any(folded in self._number_words for folded, _ in heard[:count])
            for place, apart in zip(*(each.tolist() for each in self._sounds.near(sound)), strict=True):
                folded = self._vocabulary[place]
                is_another_number = is_number and folded in self._number_words
                if (folded != sound or count > 1) and not is_another_number:
                    cost = likely - _A_SOUND * apart
                    number, written = place + _FIRST_WORD, self._spelled[folded]
                    options.append(_Option(number, written, self._ordinary(folded), cost, count))
        return options

    def _onwards(self, paths: Sequence[_Path], options: Sequence[_Option]) -> Iterator[tuple[_Path, int]]:
        """The paths that lead on from some, the likeliest of them, with how many words each step takes."""
        count = len(options)
        first, second = np.repeat([path.last_two for path in paths], count, axis=0).T
        words = np.tile([option.word for option in options], len(paths))
        ordinary = np.tile([option.ordinary for option in options], len(paths))
        odds = np.repeat([path.odds for path in paths], count)
        odds += np.tile([option.cost for option in options], len(paths))
        odds += _PHRASING * self._phrasing((first, second), words, ordinary)
        for place in np.argsort(-odds, kind="stable")[: 2 * _MOST_PATHS].tolist():
            path, option = paths[place // count], options[place % count]
            last_two = (path.last_two[1], option.word)
            yield _Path(float(odds[place]), last_two, (*path.read, option.written)), option.words_heard

    def _ended(self, paths: Sequence[_Path]) -> Iterator[_Path]:
        for path, _ in self._onwards(paths, [_THE_END]):
            yield path

    def _odds_of(self, kept: Sequence[_Option]) -> float:
        """Of a text read as it was heard."""
        words = np.array([BEGINNING, BEGINNING, *(option.word for option in kept), END])
        ordinary = np.array([*(option.ordinary for option in kept), 0.0])
        behind = self._phrasing((words[:-2], words[1:-1]), words[2:], ordinary)
        return float(_PHRASING * behind.sum() + sum(option.cost for option in kept))

    def _ordinary(self, folded: str) -> float:
        frequency = self._lexicon.frequency(folded) if self._lexicon else None
        return exp(_UNLISTED if frequency is None else max(frequency, _UNLISTED))


def _shared(paths: Sequence[_Path]) -> tuple[Guess, ...]:
    odds = [exp(path.odds - paths[0].odds) for path in paths]
    return tuple(
        Guess(" ".join(path.read).strip(), own / sum(odds)) for path, own in zip(paths, odds, strict=True)
    )


def _best(paths: Sequence[_Path]) -> list[_Path]:
    """Of those that end alike the likeliest, and not too many."""
    different: dict[tuple[int, int], _Path] = {}
    for path in sorted(paths, key=lambda path: -path.odds):
        different.setdefault(path.last_two, path)
    return list(different.values())[:_MOST_PATHS]


def _words(text: str) -> list[tuple[str, str]]:
    """The words of a text, folded and as a recognizer writes them."""
    written = as_heard(text).replace("-", " ").split()
    return [(folded, word) for word in written if (folded := fold(word).replace(" ", ""))]
