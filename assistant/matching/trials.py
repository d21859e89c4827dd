"""What would become of a question in slightly other words: each one is really tried."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.matching.text import cut, fold, words
from assistant.values import Found, Match, Outcome, Several, Utterance, outcome

MatchMany = Callable[[Sequence[Utterance]], list[Match]]


@dataclass(frozen=True, slots=True)
class Trial:
    """A question tried in place of the one that was asked, and what became of it."""

    word: str  # that was left out or added, as it was written
    question: str  # as tried
    outcome: Outcome
    answered: tuple[str, ...]  # the entries it was answered from; two questions in one have two
    first: str  # the entry that came first, empty where none did
    first_probability: float
    probability: float  # of the entry that is explained; at most, where it came behind the fifth


def spoken_words(text: str) -> tuple[str, ...]:
    """The words of a text as they were written, without punctuation around them, each one once."""
    found: dict[str, str] = {}
    for written in cut(text)[0].split():
        if folded := fold(written):
            found.setdefault(folded, _without_edges(written))
    return tuple(found.values())


def without(utterance: Utterance, word: str) -> Utterance:
    """The utterance with a word left out, wherever it stands and in every reading of the sound."""
    folded = fold(word)
    text, *others = (
        " ".join(written for written in cut(reading)[0].split() if fold(written) != folded)
        for reading in (utterance.text, *utterance.also_heard)
    )
    return replace(utterance, text=text, also_heard=tuple(others))


def with_word(utterance: Utterance, word: str) -> Utterance:
    """The utterance with one more word at its end, before the question mark if there is one."""
    text, *others = (_appended(reading, word) for reading in (utterance.text, *utterance.also_heard))
    return replace(utterance, text=text, also_heard=tuple(others))


def tried(match_many: MatchMany, asked: Iterable[tuple[str, Utterance]], entry: str) -> tuple[Trial, ...]:
    """A trial for each word and the utterance that it made, in one go; `entry` is the one to explain.

    An utterance in which no word is left is not tried.
    """
    pairs = [(word, utterance) for word, utterance in asked if words(fold(utterance.text))]
    matches = match_many([utterance for _, utterance in pairs])
    return tuple(
        _trial(word, utterance, match, entry) for (word, utterance), match in zip(pairs, matches, strict=True)
    )


def answered_from(match: Match) -> tuple[str, ...]:
    """The entries that a match is answered from."""
    if isinstance(match, Several):
        return tuple(found.best.entry for found in match.found)
    return (match.best.entry,) if isinstance(match, Found) else ()


def _trial(word: str, utterance: Utterance, match: Match, entry: str) -> Trial:
    candidates = match.ranking.candidates
    first = match.best if isinstance(match, Several) else next(iter(candidates), None)
    return Trial(
        word=word,
        question=utterance.text,
        outcome=outcome(match),
        answered=answered_from(match),
        first=first.entry if first else "",
        first_probability=first.probability if first else 0.0,
        probability=_probability(match, entry),
    )


def _probability(match: Match, entry: str) -> float:
    """How likely the entry is: of several questions, for the one that asks most surely for it."""
    if isinstance(match, Several):
        return max(_probability(part.match, entry) for part in match.parts)
    candidates = match.ranking.candidates
    own = [candidate.probability for candidate in candidates if candidate.entry == entry]
    return next(iter(own or [candidate.probability for candidate in candidates[-1:]]), 0.0)


def _appended(text: str, word: str) -> str:
    said = cut(text)[0].rstrip()
    end = len(said.rstrip("?!. "))
    return f"{said[:end]} {word}{said[end:].lstrip()}"


def _without_edges(written: str) -> str:
    """`"Hello,` is the word Hello; what is no letter inside a word stays."""
    kept = [place for place, char in enumerate(written) if unicodedata.category(char)[0] in "LMN"]
    return written[kept[0] : kept[-1] + 1] if kept else written
