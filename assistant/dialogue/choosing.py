"""Which of the choices on offer did the customer take?"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from assistant.dialogue.short_answers import LAST, number_said, says_yes
from assistant.matching.content import function_words
from assistant.matching.text import fold, letters, words
from assistant.values import Choice

_CLOSE = 0.8  # of the letters; "onlien" is 0.83 like "online", "mine" is 0.67 like "nine"
_SHORTEST_TO_MISSPELL = 5  # letters; one slip turns a shorter word into another: "ein" and "nein"
_SPACELESS = re.compile(r"[\u0e00-\u0e7f\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u9fff\uac00-\ud7af]")

Taking = Callable[[Sequence[Choice], str], Choice | None]


@dataclass(frozen=True, slots=True)
class _Hit:
    """Where in the text a choice's words stand, and how like them it is there (0 to 1)."""

    choice: int
    start: int
    end: int
    likeness: float

    def beats(self, other: _Hit) -> bool:
        """Two hits on the same words: the one that is more alike holds, then the longer one."""
        overlap = self.start < other.end and other.start < self.end
        return overlap and (self.likeness, self.end - self.start) > (other.likeness, other.end - other.start)


def taken_surely(choices: Sequence[Choice], text: str) -> Choice | None:
    """The choice named by its number ("2", "die zweite"), or by exactly its words."""
    said = fold(text)
    for choice in choices:
        if said and said in map(fold, _wordings(choice)):
            return choice
    number = number_said(text)
    if number == LAST:
        return choices[-1] if choices else None
    return choices[number - 1] if number and number <= len(choices) else None


def taken_by_yes(choices: Sequence[Choice], text: str) -> Choice | None:
    """The only choice, where the text is a plain yes."""
    return choices[0] if len(choices) == 1 and says_yes(text) else None


def taken_loosely(choices: Sequence[Choice], text: str) -> Choice | None:
    """The one choice whose words stand somewhere in the text, perhaps misspelt; None for none or several."""
    hits = [hit for number, choice in enumerate(choices) for hit in _hits(number, choice, fold(text))]
    best = [hit for hit in hits if not any(other.beats(hit) for other in hits if other.choice != hit.choice)]
    hit_choices = {hit.choice for hit in best}
    return choices[hit_choices.pop()] if len(hit_choices) == 1 else None


def taken_by_part(choices: Sequence[Choice], text: str) -> Choice | None:
    """The one choice among whose words all the words of the text are: "kassenbon" for "mit Kassenbon"."""
    said = frozenset(words(fold(text)))
    if said <= function_words():
        return None
    return _only(choice for choice in choices if any(said <= known for known in _word_sets(choice)))


def taken_by_own_words(choices: Sequence[Choice], text: str) -> Choice | None:
    """The one choice that has words of the text which no other choice has, function words apart."""
    said = frozenset(words(fold(text))) - function_words()
    hits = [said & frozenset().union(*_word_sets(choice)) for choice in choices]
    own = [
        hit - frozenset().union(*(other for place, other in enumerate(hits) if place != number))
        for number, hit in enumerate(hits)
    ]
    return _only(choice for choice, words_of_its_own in zip(choices, own, strict=True) if words_of_its_own)


def _only(choices: Iterable[Choice]) -> Choice | None:
    found = list(choices)
    return found[0] if len(found) == 1 else None


def _word_sets(choice: Choice) -> list[frozenset[str]]:
    return [frozenset(words(fold(wording))) for wording in _wordings(choice)]


def names_no_choice(choices: Sequence[Choice], text: str) -> bool:
    """Whether the text is a number, but of none of these choices: "7" where there are three."""
    number = number_said(text)
    return bool(choices) and number is not None and number > len(choices)


def _hits(number: int, choice: Choice, said: str) -> Iterator[_Hit]:
    for wording in map(fold, _wordings(choice)):
        if wording:
            yield from _windows(number, wording, said)


def _windows(number: int, wording: str, said: str) -> Iterator[_Hit]:
    """The wording held against every stretch of the text that has as many words."""
    spoken, width = words(said), len(words(wording))
    for start in range(len(spoken) - width + 1):
        likeness = _likeness(wording, " ".join(spoken[start : start + width]))
        if likeness >= _CLOSE:
            yield _Hit(number, start, start + width, likeness)


def _likeness(wording: str, stretch: str) -> float:
    if wording == stretch or (_SPACELESS.search(wording) and wording in stretch):
        return 1.0  # "온라인으로" is "온라인" with its particle
    one, other = letters(wording), letters(stretch)
    if len(one) < _SHORTEST_TO_MISSPELL or 2 * min(len(one), len(other)) < _CLOSE * (len(one) + len(other)):
        return 0.0  # in the second case whatever the letters are
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _wordings(choice: Choice) -> tuple[str, ...]:
    return (choice.label, *choice.words)
