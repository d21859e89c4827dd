"""Which of a base's own languages a text is in: its letters tell, its small words, and its script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.matching.content import function_words, scripts
from assistant.matching.evidence import Floats, Texts, unit
from assistant.matching.heads import Examples, Head, LogisticOptions, log_softmax, logistic_head
from assistant.matching.terms import Bags, hashed_features, letter_bags
from assistant.matching.text import words

_FEATURES = 1024
_TRAINING = LogisticOptions(strength=10.0, iterations=50)
# In natural-log odds. Who has spoken German goes on in German: twenty to one. But each small word that only
# English has speaks for English: of questions unlike the base's (roboai, xSID), asked in the middle of a
# conversation in the other language, 75 to 85 instead of 32 to 54 of 100 are known by them; with 3.0 a word
# German with English names in it suffers.
_STAYS = 3.0
_SIGN = 2.0
_MOST_SIGNS = 3
_SIGNS_OF_SCRIPT = 4  # "AS 접수" is Korean, though "as" is English too
_SURE = 0.8  # a probability; below, the conversation's language is the better guess


@dataclass(frozen=True, slots=True)
class _Signs:
    """What one language has and the base's others do not."""

    words: frozenset[str]
    scripts: frozenset[str]

    def count(self, folded: str) -> int:
        if not self.scripts.isdisjoint(scripts(folded)):
            return _SIGNS_OF_SCRIPT
        return min(_MOST_SIGNS, sum(word in self.words for word in words(folded)))


class OwnLanguages:
    """The languages of a base, known apart in what customers write."""

    def __init__(self, folded: Sequence[str], languages: Sequence[str]) -> None:
        """The base's phrases, and the language of each; at least one."""
        self._languages = tuple(dict.fromkeys(languages))
        small = _own_alone([function_words(language) for language in self._languages])
        written = [_script_of(folded, languages, language) for language in self._languages]
        self._signs = tuple(map(_Signs, small, _own_alone(written)))
        self._head = self._trained(folded, languages) if len(self._languages) > 1 else None

    def _trained(self, folded: Sequence[str], languages: Sequence[str]) -> Head:
        # Small words tell a language best, and a small base has too few of them: a list helps. In a
        # test on 1,150 questions a base of 20 phrases told 92 instead of 68 of 100 right with it.
        texts = list(zip(folded, languages, strict=True))
        for language in self._languages:
            texts += [(word, language) for word in sorted(function_words(language))]
        labels = np.array([self._languages.index(language) for _, language in texts])
        letters = _letters(letter_bags([text for text, _ in texts]))
        # The discriminant head is right as often but claims to be sure where this one doubts.
        given = Examples(letters, labels, np.ones(len(labels), np.float32))
        return logistic_head(given, len(self._languages), _TRAINING)

    def of(self, texts: Texts, spoken: str | None = None) -> list[str | None]:
        """For each text the language that it is in; None where that is not plain.

        `spoken` is the language of the conversation so far, which few people leave.
        """
        if self._head is None:
            return [self._languages[0]] * len(texts.folded)
        signs = [[_SIGN * own.count(folded) for own in self._signs] for folded in texts.folded]
        before = [_STAYS if language == spoken else 0.0 for language in self._languages]
        added = np.array(signs, np.float32).reshape(-1, len(before)) + np.array(before, np.float32)
        probabilities = np.exp(log_softmax(self._head.scores(_letters(texts.letters)) + added))
        return [
            self._languages[first] if row[first] >= _SURE else None
            for row, first in zip(probabilities, probabilities.argmax(axis=1), strict=True)
        ]


def _letters(bags: Bags) -> Floats:
    return unit(hashed_features(bags, bags.counts, _FEATURES))


def _script_of(folded: Sequence[str], languages: Sequence[str], wanted: str) -> frozenset[str]:
    own = (text for text, language in zip(folded, languages, strict=True) if language == wanted)
    return scripts("".join(sorted(set("".join(own)))))


def _own_alone(sets: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Of each set what is in none of the others."""
    return [
        one.difference(*(other for place, other in enumerate(sets) if place != number))
        for number, one in enumerate(sets)
    ]
