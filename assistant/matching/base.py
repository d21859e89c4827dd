"""A base made ready: its phrases in order, who they belong to, and what was trained on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal

import numpy as np
import numpy.typing as npt

from assistant.matching.by_sound import BySound, Spoken
from assistant.matching.by_words import ByWords
from assistant.matching.cache import Cache, fingerprint
from assistant.matching.content import common_words, function_words, scripts
from assistant.matching.elsewhere import asked_elsewhere
from assistant.matching.evidence import Heads, Phrases, Texts
from assistant.matching.focus import focused
from assistant.matching.hearing import Hearing
from assistant.matching.mending import Vocabulary
from assistant.matching.own_languages import OwnLanguages
from assistant.matching.reading import Reader
from assistant.matching.rehearing import Rehearing
from assistant.matching.seen import by_text, together
from assistant.matching.text import cut, fold
from assistant.matching.told import told
from assistant.matching.training import Kind, Lesson, train
from assistant.ports import Encoder, Lexicon, Seen
from assistant.values import Knowledge, primary_language

Floats = npt.NDArray[np.float32]


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
        written = Texts.of([wording.folded for wording in wordings], self._seen(texts, "written", cache))
        self.phrases = Phrases(written, entries)
        tells = [(number[name], sentence) for name, sentence in answers if name in number]
        self._lesson = Lesson(
            self.phrases,
            texts,
            lambda more, kind: self._vectors(more, kind, cache),
            lambda more, kind: self._seen(more, kind, cache),
            tells,
            asked_elsewhere({wording.language for wording in wordings}),
        )
        seen_by = f"{encoder.name} {encoder.piece_name}" if encoder else ""
        self.heads: Heads = train(self._lesson, cache, seen_by)
        self._own = {wording.text: place for place, wording in enumerate(wordings)}
        self._lexicon = encoder if isinstance(encoder, Lexicon) else None
        self._cache = cache
        self._hearings: dict[str | None, Hearing] = {}  # by language; None: of all
        self.reader = Reader(Vocabulary(texts, self._lexicon))
        self.exact = frozenset(wording.folded for wording in wordings)
        by_entry = groupby(wordings, key=lambda wording: (wording.entry, wording.language))
        self.empty_words = function_words() | common_words([w.folded for w in group] for _, group in by_entry)
        self.scripts = scripts("".join(sorted(set("".join(self.exact)))))
        self.languages = OwnLanguages(written.folded, [wording.language for wording in wordings])

    def hearing(self, language: str | None) -> Hearing:
        """How what was heard in a language is understood by its phrases; None: by all phrases; of a language
        without any it changes nothing. Made when it is first asked for: who types needs none."""
        spoken = primary_language(language) if language else None
        if spoken in self._hearings:
            return self._hearings[spoken]
        tongues = [primary_language(wording.language) for wording in self.wordings]
        own = [place for place, tongue in enumerate(tongues) if spoken in (None, tongue)]
        if not own:  # customers may name any language: none of those is kept
            return Hearing(Rehearing(()))
        texts = [self.wordings[place].text for place in own]
        tongue = tongues[own[0]] if len({tongues[place] for place in own}) == 1 else None
        written = {(self.wordings[place].entry, tongues[place]) for place in own}
        phrases = Spoken(texts, self.phrases.entries[own], self.phrases.count, len(written), tongue)
        kind = f"by-sound-{fingerprint(spoken or '')}"
        by_sound = BySound.trained(phrases, self._cache, kind)
        self._hearings[spoken] = Hearing(Rehearing(texts, self._lexicon, tongue), self._by_words, by_sound)
        return self._hearings[spoken]

    @cached_property
    def _by_words(self) -> ByWords | None:
        if self.encoder is None:  # nothing else is told
            return None
        written = {(wording.entry, primary_language(wording.language)) for wording in self.wordings}
        return ByWords.trained(self._lesson, len(self.wordings) / len(written), self._cache)

    def expect_speech(self) -> None:
        """Make now what the first spoken question would wait for: 7 s for 100,000 phrases."""
        for language in dict.fromkeys(wording.language for wording in self.wordings):
            self.hearing(language)

    def _vectors(self, texts: Sequence[str], kind: Kind, cache: Cache | None) -> Floats | None:
        if self.encoder is None:
            return None
        return cache.vectors(self.encoder, texts, kind) if cache else self.encoder.encode(texts)

    def _seen(
        self, texts: Sequence[str], kind: Kind | Literal["written"], cache: Cache | None
    ) -> Seen | None:
        if self.encoder is None:
            return None
        return cache.seen(self.encoder, texts, kind) if cache else self.encoder.see(texts)

    def prepared(self, texts: Sequence[str]) -> Texts:
        """Texts ready to be asked; the base's own phrases are not encoded again."""
        folded = [fold(text) for text in texts]
        if self.encoder is None or not texts:
            return Texts.of(folded, None)
        new = [text for text in texts if text not in self._own]
        encoded = iter(by_text(self.encoder.see(new)))
        known = (self.phrases.seen_of(self._own[text]) if text in self._own else None for text in texts)
        return Texts.of(folded, together([own or next(encoded) for own in known]))


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
