"""What the words deny, no likeness may answer: entries that say the opposite of a question step back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assistant.matching import lexical
from assistant.matching.base import Base, Wording
from assistant.matching.opposites import Opposition, Said, agrees, may_oppose, opposition, said
from assistant.matching.ranking import Ranked
from assistant.matching.text import fold

Floats = npt.NDArray[np.float32]

MOST = 0.5  # probability of a contradicted entry: offered at most, never answered
_LOOKED_AT = 5  # entries, best first; a later one is not answered anyway
_WORTH_A_LOOK = 0.1  # a probability; the others matter to no decision
_PHRASES_LOOKED_AT = 50  # of an entry, the likest; one of hundreds says whatever can be said of its matter
_OPPOSED_AMONG = 20  # of those, the likest: where one is looked for that says the opposite
_TWIN_AMONG = 8  # entries: where the right twin is looked for
_TWIN_FROM = 0.05  # a probability: what is less likely is another matter with the same "not" in it
_LEFT = 0.2  # of a contradicted entry's probability where its twin says what was asked
# Differences of cosines between two phrases of one entry or of two twins.
_NEAR = 0.15  # a phrase so much less like the question than the likest still counts
_SAME_MATTER = 0.3  # so does one with the opposite word: vectors may not see that it is about the same
_AS_NEAR = 0.02  # a phrase that says neither the one nor the other speaks for its entry only so near


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked, as it was typed and as it was read: a slip mended may have mended an opposite away."""

    typed: str
    read: str
    language: str | None
    vector: Floats | None  # of what was read


@dataclass(frozen=True, slots=True)
class _Phrase:
    likeness: float
    wording: Wording

    @property
    def said(self) -> Said:
        return _said(self.wording)


def without_contradictions(
    base: Base, question: Question, ranked: Ranked
) -> tuple[Ranked, Mapping[str, str]]:
    """The ranking with entries that say the opposite held back, and why each of these was.

    An entry is contradicted where one of its nearest phrases is and none of its others says what was
    asked, as in an entry about turning it up and down. Its probability goes to a twin that says what
    was asked, if there is one, and is never over MOST. A question of the base is never contradicted.
    """
    if question.language is None or fold(question.typed) in base.exact:
        return ranked, {}
    for text in dict.fromkeys((question.typed, question.read)):
        compared = _Compared(base, replace(question, typed=text), ranked)
        held_back = compared.contradictions()
        if held_back:
            why = {
                base.names[int(ranked.entries[place])]: opposed.told() for place, opposed in held_back.items()
            }
            return _in_order(ranked, _shifted(compared, held_back)), why
    return ranked, {}


class _Compared:
    """A question beside the phrases of the entries it may mean; entries are named by their place."""

    def __init__(self, base: Base, question: Question, ranked: Ranked) -> None:
        self._base, self._question, self.ranked = base, question, ranked
        self._text = said(question.typed, question.language or "")

    def contradictions(self) -> dict[int, Opposition]:
        places = np.flatnonzero(self.ranked.probabilities[:_LOOKED_AT] >= _WORTH_A_LOOK).tolist()
        return {place: opposed for place in places if (opposed := self._contradiction(place))}

    def _contradiction(self, place: int) -> Opposition | None:
        numbers = self._numbers(place)
        is_small = len(numbers) <= _OPPOSED_AMONG
        if is_small and not any(self._opposition(self._base.wordings[number]) for number in numbers):
            return None  # as nearly always: nothing had to be measured for it
        phrases = self.phrases(place)
        opposed = ((phrase, self._opposition(phrase.wording)) for phrase in phrases[:_OPPOSED_AMONG])
        nearest, found = next(((phrase, found) for phrase, found in opposed if found), (None, None))
        if nearest is None or found is None:
            return None
        near = phrases[0].likeness - (_NEAR if found.kind == "negation" else _SAME_MATTER)
        if nearest.likeness < near or any(self._speaks_for(each, found, nearest) for each in phrases):
            return None
        return found

    def _opposition(self, wording: Wording) -> Opposition | None:
        if not may_oppose(self._text, wording.folded, wording.language):
            return None  # most need not be taken apart
        return opposition(self._text, _said(wording))

    def _speaks_for(self, phrase: _Phrase, found: Opposition, opposed: _Phrase) -> bool:
        """Does this phrase of the same entry say what was asked, though another says the opposite?"""
        if found.kind != "negation":  # an entry about both sides, "turn the volume up or down"
            return agrees(self._text, phrase.said, found)
        if self._opposition(phrase.wording):
            return False
        if found.in_phrase:  # one with a "not" among others without: "I no longer want to sync"
            plain = not phrase.said.negated and not phrase.said.denials - self._text.stems
            return plain and phrase.likeness >= opposed.likeness - _SAME_MATTER
        # Who does not want to return a thing is not served by "I want to return it", in any language.
        alike = phrase.said.negated or bool(phrase.said.denials and not self._text.denials)
        return phrase.likeness >= opposed.likeness - (_NEAR if alike else _AS_NEAR)

    def twin(self, place: int, found: Opposition, others: Iterable[int]) -> int | None:
        """The place of the nearest entry that says what was asked, where one is near."""
        nearest = self.phrases(place)[0].likeness
        near = {
            other: phrase.likeness
            for other in others
            for phrase in self.phrases(other)
            if phrase.likeness >= nearest - _NEAR and agrees(self._text, phrase.said, found)
        }
        return max(near, key=lambda other: near[other]) if near else None

    def phrases(self, place: int) -> list[_Phrase]:
        """The phrases of an entry, of very many the likest, the likest first."""
        numbers = self._numbers(place)
        likeness = self._likeness(numbers)
        nearest = np.argsort(-likeness, kind="stable")[:_PHRASES_LOOKED_AT].tolist()
        return [_Phrase(float(likeness[nth]), self._base.wordings[numbers[nth]]) for nth in nearest]

    def _numbers(self, place: int) -> range:
        number, phrases = self.ranked.entries[place], self._base.phrases
        return range(int(phrases.starts[number]), int(phrases.ends[number]))

    def _likeness(self, numbers: range) -> Floats:
        span = slice(numbers.start, numbers.stop)
        if self._question.vector is not None:
            return self._base.phrases.plain_meaning(self._question.vector, span)
        folded = [wording.folded for wording in self._base.wordings[span]]
        return np.asarray(lexical.word_likeness(fold(self._question.typed), folded)[1], np.float32)


def _said(wording: Wording) -> Said:
    return said(wording.text, wording.language)


def _shifted(compared: _Compared, held_back: Mapping[int, Opposition]) -> Floats:
    """What the evidence gave to a contradicted entry belongs to its twin; without one it is capped."""
    probabilities = compared.ranked.probabilities.copy()
    likely = np.flatnonzero(probabilities[:_TWIN_AMONG] >= _TWIN_FROM).tolist()
    others = [place for place in likely if place not in held_back]
    for place, opposed in held_back.items():
        twin = compared.twin(place, opposed, others)
        if twin is not None:
            freed = probabilities[place] * (1 - _LEFT)
            probabilities[twin] += freed
            probabilities[place] -= freed
        probabilities[place] = min(probabilities[place], MOST)
    return probabilities


def _in_order(ranked: Ranked, probabilities: Floats) -> Ranked:
    order = np.argsort(-probabilities, kind="stable")
    lost = float(ranked.probabilities.sum() - probabilities.sum())
    return Ranked(
        entries=ranked.entries[order],
        probabilities=probabilities[order],
        phrases=ranked.phrases[order],
        values=ranked.values[order],
        parts=ranked.parts[order],
        answerable=max(0.0, ranked.answerable - lost),
    )
