"""The matcher: an utterance goes in, Found, Unsure or Unknown comes out, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.matching.base import Base, wordings_of
from assistant.matching.cache import Cache, fingerprint
from assistant.matching.content import scripts
from assistant.matching.deciding import Thresholds, decide
from assistant.matching.evidence import WITNESSES, Texts, gather
from assistant.matching.ranking import Ranked, load_weights, merged, rank
from assistant.matching.text import LONGEST_QUESTION, cut, fold, words
from assistant.ports import Encoder
from assistant.values import Candidate, Knowledge, Match, Ranking, Unknown, Utterance, Witness

SHOWN = 5  # candidates
_READINGS = 5  # of one sound; further ones add noise
_CHUNK = 64  # texts at once: keeps 100,000 phrases within 100 MB


@dataclass(frozen=True, slots=True)
class MatcherOptions:
    """When to answer, when to offer, and where to keep what took long to make."""

    answer_above: float
    offer_above: float
    margin: float
    cache_folder: Path | None = None


class Matcher:
    """Finds the entry that is meant in one state of the knowledge."""

    def __init__(self, knowledge: Knowledge, encoder: Encoder | None, options: MatcherOptions) -> None:
        self.notes = (
            ()
            if encoder
            else ("the sentence encoder is missing: questions are compared by their words alone",)
        )
        self._weights = load_weights(with_encoder=encoder is not None)
        self._thresholds = Thresholds(options.answer_above, options.offer_above, options.margin)
        wordings = wordings_of(knowledge)
        self._base = Base(wordings, encoder, _cache(knowledge, options)) if wordings else None

    def match(self, utterance: Utterance, language: str | None = None) -> Match:
        """The entry that is meant; `language` is the conversation's."""
        return self._match(utterance, language, self._texts([utterance]))

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]:
        """The same for many, faster than one by one."""
        matches: list[Match] = []
        for start in range(0, len(utterances), _CHUNK):
            matches += self._match_chunk(utterances[start : start + _CHUNK])
        return matches

    def _match_chunk(self, utterances: Sequence[Utterance]) -> list[Match]:
        texts = self._texts(utterances)
        ranked = self._rank(texts)
        matches: list[Match] = []
        place = 0
        for utterance in utterances:
            count = len(_readings(utterance))
            own = texts.part(place, place + count)
            matches.append(self._judge(utterance, None, own, ranked[place : place + count]))
            place += count
        return matches

    def _match(self, utterance: Utterance, language: str | None, texts: Texts) -> Match:
        return self._judge(utterance, language, texts, self._rank(texts))

    def _texts(self, utterances: Sequence[Utterance]) -> Texts:
        readings = [text for utterance in utterances for text in _readings(utterance)]
        encoder = self._base.encoder if self._base else None
        return Texts.of([fold(text) for text in readings], encoder.encode(readings) if encoder else None)

    def _rank(self, texts: Texts) -> list[Ranked]:
        if self._base is None:
            return []
        return [
            rank(evidence, self._weights) for evidence in gather(self._base.phrases, self._base.heads, texts)
        ]

    def _judge(
        self, utterance: Utterance, language: str | None, texts: Texts, ranked: Sequence[Ranked]
    ) -> Match:
        compared = texts.folded[0]
        spoken_of = utterance.language or language
        notes = (f"longer than {LONGEST_QUESTION} characters: cut",) if cut(utterance.text)[1] else ()
        if self._base is None or not compared:
            why = "there is no word in it" if self._base else "the knowledge holds no question"
            return Unknown(Ranking(compared, spoken_of, (), notes), why)
        own_language = utterance.language or self._base.language_of(texts) or language
        candidates = _candidates(self._base, merged(ranked))
        ranking = Ranking(compared, own_language, candidates, notes)
        return decide(ranking, self._thresholds, self._doubt(compared))

    def _doubt(self, compared: str) -> str:
        """Why this must not be answered at once, whatever it looks like; empty: no reason."""
        if self._base is None or compared in self._base.exact:
            return ""
        if all(word in self._base.empty_words for word in words(compared)):
            return "it holds only words that many questions share"
        foreign = scripts(compared) - self._base.scripts
        if foreign and not scripts(compared) & self._base.scripts:
            return f"it is written in a script ({', '.join(sorted(foreign)).title()}) that no question uses"
        return ""


def _readings(utterance: Utterance) -> list[str]:
    """The text and the other readings of the same sound that differ from it, best first."""
    texts = [cut(text)[0] for text in (utterance.text, *utterance.also_heard)]
    first, *others = texts
    seen = {fold(first)}
    readings = [first]
    for text in others:
        if (folded := fold(text)) and folded not in seen:
            seen.add(folded)
            readings.append(text)
    return readings[:_READINGS]


def _candidates(base: Base, ranked: Ranked) -> tuple[Candidate, ...]:
    found = []
    for place in range(min(SHOWN, len(ranked.entries))):
        wording = base.wordings[int(ranked.phrases[place])]
        witnesses = tuple(
            Witness(name, float(value), float(part))
            for name, value, part in zip(WITNESSES, ranked.values[place], ranked.parts[place], strict=True)
        )
        probability = float(ranked.probabilities[place])
        found.append(Candidate(wording.entry, probability, wording.language, wording.text, witnesses))
    return tuple(found)


def _cache(knowledge: Knowledge, options: MatcherOptions) -> Cache | None:
    """One folder for each base, so that two bases on one machine do not push each other out."""
    if options.cache_folder is None:
        return None
    return Cache(options.cache_folder / fingerprint(str(Path(knowledge.folder).absolute())))
