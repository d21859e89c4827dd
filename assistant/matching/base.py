"""A base made ready: its phrases in order, who they belong to, and what was trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from assistant.matching.cache import Cache
from assistant.matching.content import common_words, function_words, scripts
from assistant.matching.evidence import Heads, Phrases, Texts, unit
from assistant.matching.focus import focused
from assistant.matching.heads import Head, LogisticOptions, log_softmax, logistic_head
from assistant.matching.mending import Vocabulary
from assistant.matching.reading import Reader
from assistant.matching.terms import Bags, hashed_features, letter_bags
from assistant.matching.text import cut, fold
from assistant.matching.told import told
from assistant.matching.training import Kind, Lesson, train
from assistant.ports import Encoder, Lexicon
from assistant.values import Knowledge

_LANGUAGE_FEATURES = 1024
_STAYS = 3.0  # natural-log odds, twenty to one: who has spoken German goes on in German
_LANGUAGE_TRAINING = LogisticOptions(strength=10.0, iterations=50)
_SURE_OF_LANGUAGE = 0.8  # a probability; below, the conversation's language is the better guess


@dataclass(frozen=True, slots=True)
class Wording:
    """One phrase of the base and where it comes from."""

    entry: str
    language: str
    text: str  # as the editor wrote it
    folded: str


class Base:
    """Everything a matcher asks of one state of the knowledge."""

    def __init__(
        self,
        wordings: Sequence[Wording],
        encoder: Encoder | None,
        cache: Cache | None,
        answers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`wordings` are sorted by entry, at least one; raises ValueError for none. `answers` are
        names of entries, each with a sentence that its answer tells."""
        if not wordings:
            raise ValueError("a base without a single question cannot be asked")
        self.wordings = tuple(wordings)
        self.names = tuple(name for name, _ in groupby(wording.entry for wording in wordings))
        number = {name: place for place, name in enumerate(self.names)}
        entries = np.array([number[wording.entry] for wording in wordings])
        texts = [wording.text for wording in wordings]
        self.encoder = focused(encoder, texts, entries, cache) if encoder else None
        written = Texts.of([wording.folded for wording in wordings], self._vectors(texts, "written", cache))
        self.phrases = Phrases(written, entries)
        tells = [(number[name], sentence) for name, sentence in answers if name in number]
        lesson = Lesson(self.phrases, texts, lambda more, kind: self._vectors(more, kind, cache), tells)
        self.heads: Heads = train(lesson, cache, encoder.name if encoder else "")
        self._own = {wording.text: place for place, wording in enumerate(wordings)}
        self.reader = Reader(Vocabulary(texts, encoder if isinstance(encoder, Lexicon) else None))
        self.exact = frozenset(wording.folded for wording in wordings)
        by_entry = groupby(wordings, key=lambda wording: (wording.entry, wording.language))
        self.empty_words = function_words() | common_words([w.folded for w in group] for _, group in by_entry)
        self.scripts = scripts("".join(sorted(set("".join(self.exact)))))
        self._languages = tuple(dict.fromkeys(wording.language for wording in wordings))
        self._language_head = self._train_languages()

    def _vectors(
        self, texts: Sequence[str], kind: Kind, cache: Cache | None
    ) -> npt.NDArray[np.float32] | None:
        if self.encoder is None:
            return None
        return cache.vectors(self.encoder, texts, kind) if cache else self.encoder.encode(texts)

    def _train_languages(self) -> Head | None:
        if len(self._languages) < 2:
            return None
        # Small words tell a language best, and a small base has too few of them: a list helps. In a
        # test on 1,150 questions a base of 20 phrases told 92 instead of 68 of 100 right with it.
        texts = [(wording.folded, wording.language) for wording in self.wordings]
        for language in self._languages:
            small = sorted(function_words(language))
            texts += [(word, language) for word in small]
        labels = np.array([self._languages.index(language) for _, language in texts])
        letters = self._letters(letter_bags([text for text, _ in texts]))
        # The discriminant head is right as often but claims to be sure where this one doubts.
        return logistic_head(letters, labels, len(self._languages), _LANGUAGE_TRAINING)

    def _letters(self, bags: Bags) -> npt.NDArray[np.float32]:
        return unit(hashed_features(bags, bags.counts, _LANGUAGE_FEATURES))

    def prepared(self, texts: Sequence[str]) -> Texts:
        """Texts ready to be asked; the base's own phrases are not encoded again."""
        if self.encoder is None or self.phrases.texts.vectors is None:
            return Texts.of([fold(text) for text in texts], None)
        vectors = np.empty((len(texts), self.encoder.dimensions), np.float32)
        new = [place for place, text in enumerate(texts) if text not in self._own]
        if new:
            vectors[new] = self.encoder.encode([texts[place] for place in new])
        for place in set(range(len(texts))).difference(new):
            vectors[place] = self.phrases.texts.vectors[self._own[texts[place]]]
        return Texts.of([fold(text) for text in texts], vectors)

    def languages_of(self, texts: Texts, spoken: str | None = None) -> list[str | None]:
        """For each text the language of the base that its letters tell; None where they don't.

        `spoken` is the language of the conversation so far, which few people leave.
        """
        if self._language_head is None:
            return [self._languages[0]] * len(texts.folded)
        before = [_STAYS if language == spoken else 0.0 for language in self._languages]
        scores = self._language_head.scores(self._letters(texts.letters)) + np.array(before, np.float32)
        probabilities = np.exp(log_softmax(scores))
        return [
            self._languages[first] if row[first] >= _SURE_OF_LANGUAGE else None
            for row, first in zip(probabilities, probabilities.argmax(axis=1), strict=True)
        ]


def wordings_of(knowledge: Knowledge) -> list[Wording]:
    """The questions of all entries in all languages, sorted by entry; the same one twice counts once."""
    found: dict[tuple[str, str, str], Wording] = {}
    for name in knowledge.names:
        for language, entry in knowledge.translations(name).items():
            for question in entry.questions:
                text = cut(question.text)[0]
                folded = fold(text)
                if folded:
                    found.setdefault((name, language, folded), Wording(name, language, text, folded))
    return list(found.values())


def answers_of(knowledge: Knowledge) -> list[tuple[str, str]]:
    """What the answers of all entries tell in all languages, by the name of the entry. The assistant's
    own sentences tell nothing of what is asked."""
    return [
        (name, sentence)
        for name in knowledge.names
        if name not in knowledge.own_names
        for entry in knowledge.translations(name).values()
        for sentence in told(entry.answer)
    ]
