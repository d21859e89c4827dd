"""The matcher: an utterance goes in, Found, Unsure or Unknown comes out, with the reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from assistant.matching.arithmetic import one_thread
from assistant.matching.base import Base, answers_of, wordings_of
from assistant.matching.cache import Cache, fingerprint
from assistant.matching.confidence import confidence_signs
from assistant.matching.content import scripts
from assistant.matching.contradicting import Question, without_contradictions
from assistant.matching.deciding import decide, thresholds_for
from assistant.matching.dialects import in_standard_german
from assistant.matching.evidence import WITNESSES, gather
from assistant.matching.hearing import Hearing
from assistant.matching.manifold import Known, Manifold, One
from assistant.matching.ranking import Ranked, Weights, load_weights, rank, voted
from assistant.matching.rehearing import Guess
from assistant.matching.telltale import READ_BY_ENCODER, foreign_language, is_single_word
from assistant.matching.text import LONGEST_QUESTION, cut, fold, words
from assistant.ports import Encoder
from assistant.values import (
    Candidate,
    Knowledge,
    Match,
    Ranking,
    Signs,
    Thresholds,
    Unknown,
    Utterance,
    Witness,
)

SHOWN = 5  # candidates
_READINGS = 5  # of one sound; further ones add noise
_LIKE_A_KNOWN_WORD = 0.3  # cosine of letters: "parkhaus" is so like "parken", "ding" like nothing
_CHUNK = 64  # texts at once: keeps 100,000 phrases within 100 MB


@dataclass(frozen=True, slots=True)
class MatcherOptions:
    """When to answer, when to offer, where to keep what took long to make, and what to be ready for."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    cache_folder: Path | None = None
    hears: bool = False  # questions will be spoken: be ready for the first


class Matcher:
    """Finds the entry that is meant in one state of the knowledge."""

    def __init__(
        self,
        knowledge: Knowledge,
        encoder: Encoder | None,
        options: MatcherOptions,
        weights: Weights | None = None,
    ) -> None:
        """Without `weights` those that come with the package are used."""
        self.notes = (
            ()
            if encoder
            else ("the sentence encoder is missing: questions are compared by their words alone",)
        )
        one_thread()
        self._weights = weights or load_weights(encoder.name if encoder else None)
        wordings = wordings_of(knowledge)
        cache = _cache(knowledge, options)
        answers = answers_of(knowledge) if self._weights.reads_answers else ()
        self._base = Base(wordings, encoder, cache, answers) if wordings else None
        self._known = _known(self._base, knowledge)
        entries = self._base.phrases.count if self._base else 0
        self.thresholds = thresholds_for(options.thresholds, entries)
        if self._base and options.hears:
            self._base.expect_speech()

    def match(self, utterance: Utterance, language: str | None = None) -> Match:
        """The entry that is meant; `language` is the conversation's."""
        return self._match_all([utterance], language)[0]

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]:
        """The same for many, faster than one by one."""
        return self._match_all(utterances, None)

    def signs(self, utterance: Utterance) -> Signs:
        """What the probability of the first entry is made of, in the reading that counts most."""
        base = self._base
        return confidence_signs(base, self._weights, _readings(utterance, base).judged) if base else Signs()

    def _match_all(self, utterances: Sequence[Utterance], language: str | None) -> list[Match]:
        """Each utterance as a whole and, where it has several sentences, each of them."""
        manifold = [Manifold.of(utterance, self._known) for utterance in utterances]
        readings = [reading for each in manifold for reading in each.readings]
        matched: list[One] = []
        for start in range(0, len(readings), _CHUNK):
            matched += self._match_chunk(readings[start : start + _CHUNK], language)
        own = iter(matched)
        return [
            each.settled([next(own) for _ in each.readings], self._known, self.thresholds)
            for each in manifold
        ]

    def _match_chunk(self, utterances: Sequence[Utterance], language: str | None) -> list[One]:
        base = self._base
        if base is None:
            return [_unanswerable(each, language, "the knowledge holds no question") for each in utterances]
        readings = [_readings(utterance, base) for utterance in utterances]
        texts = base.prepared([text for group in readings for text in group.texts])
        ranked = [rank(evidence, self._weights) for evidence in gather(base.phrases, base.heads, texts)]
        tongues = base.languages.of(texts, language)
        matches: list[One] = []
        start = 0
        for utterance, group in zip(utterances, readings, strict=True):
            foreign = foreign_language(utterance.text, self._known.languages, base.scripts)
            told = utterance.language or foreign or tongues[start] or language
            end = start + len(group.texts)
            as_read = group.voted(ranked[start:end])
            votes = group.told(as_read, self._weights)
            vector = None if texts.vectors is None else texts.vectors[start]
            said = Question(cut(utterance.text)[0], group.texts[0], told, vector)
            matches.append(self._judge(base, Asked(utterance, said, _overruled(base, as_read, votes)), votes))
            start = end
        return matches

    def _judge(self, base: Base, asked: Asked, ranked: Ranked) -> One:
        compared, language = fold(asked.said.read), asked.said.language
        if not compared:
            return _unanswerable(asked.utterance, language, "there is no word in it")
        ranked, held_back = without_contradictions(base, asked.said, ranked)
        notes = (*_notes(asked), *(f"`{entry}` is held back: {why}" for entry, why in held_back.items()))
        ranking = Ranking(compared, language, _candidates(base, ranked), notes, ranked.answerable)
        first = ranking.candidates[0]
        return decide(
            ranking, self.thresholds, _doubt(base, compared, first) or held_back.get(first.entry, "")
        )


def _known(base: Base | None, knowledge: Knowledge) -> Known:
    if base is None:
        return Known()
    return Known(base.exact, base.empty_words, knowledge.own_names, knowledge.languages)


@dataclass(frozen=True, slots=True)
class Asked:
    """An utterance, and what is made of it: the reading that counts most, and the language it is in."""

    utterance: Utterance
    said: Question
    overruled: str = ""  # the entry that came first as it was read, and by what; empty: it still does


def _overruled(base: Base, as_read: Ranked, votes: Ranked) -> str:
    """Which entry came first before the words and the sound of what was heard spoke for another one."""
    first, now = (base.names[int(ranked.entries[0])] for ranked in (as_read, votes))
    return f"it sounds more like `{now}`, though `{first}` is nearer in meaning" if now != first else ""


def _notes(asked: Asked) -> tuple[str, ...]:
    text, was_cut = cut(asked.utterance.text)
    too_long = f"longer than {LONGEST_QUESTION} characters: cut" if was_cut else ""
    read_as = f"read as `{asked.said.read}`" if asked.said.read != text else ""
    return tuple(note for note in (too_long, read_as, asked.overruled) if note)


def _unanswerable(utterance: Utterance, language: str | None, why: str) -> Unknown:
    return Unknown(Ranking(fold(cut(utterance.text)[0]), utterance.language or language), why)


def _doubt(base: Base, compared: str, first: Candidate) -> str:
    """Why this must not be answered at once, whatever it looks like; empty: no reason."""
    if compared in base.exact:
        return ""
    if all(word in base.empty_words for word in words(compared)):
        return "it holds only words that many questions share"
    own = scripts(compared)
    likeness = next(witness.value for witness in first.witnesses if witness.name == "letters")
    if is_single_word(compared) and likeness < _LIKE_A_KNOWN_WORD:
        return "it is a single word that no question holds"
    is_read = base.encoder is not None and own <= READ_BY_ENCODER
    if own and not own & base.scripts and not is_read:
        return f"it is written in a script ({', '.join(sorted(own)).title()}) that no question uses"
    return ""


@dataclass(frozen=True, slots=True)
class _Readings:
    """What an utterance may be, best first."""

    texts: Sequence[str]
    trust: Sequence[float]  # in each of them
    guesses: int = 0  # how many, the first ones, only sound like the next one, which was heard
    hearing: Hearing | None = None  # of what was heard and stands on no page

    @classmethod
    def of(
        cls, readings: Iterable[str], guesses: Sequence[Guess] = (), hearing: Hearing | None = None
    ) -> _Readings:
        """The n-th of the readings that differ is trusted 1/n, and all guesses together like the first; where
        the likeliest guess is that one, nothing is left to guess."""
        different: dict[str, str] = {}
        for reading in readings:
            different.setdefault(fold(reading), reading)
        heard = dict(islice(different.items(), _READINGS))
        first = next(iter(heard))
        guessed = {fold(guess.text): guess for guess in guesses}
        if next(iter(guessed), first) == first:
            guessed = {}
        guessed.pop(first, None)
        trust = {folded: guess.share for folded, guess in guessed.items()}
        for n, folded in enumerate(heard, 1):
            trust[folded] = trust.get(folded, 0.0) + 1 / n
        texts = {folded: guess.text for folded, guess in guessed.items()} | heard
        return cls(tuple(texts.values()), tuple(trust.values()), len(guessed), hearing)

    @property
    def judged(self) -> str:
        """The one that tells whether any entry is meant."""
        return self.texts[self.guesses]

    def voted(self, ranked: Sequence[Ranked]) -> Ranked:
        """What they say together."""
        return voted(ranked, self.trust, self.guesses)

    def told(self, votes: Ranked, weights: Weights) -> Ranked:
        """The same with what the words and the sound of what was heard tell."""
        return self.hearing.told(votes, self.texts, self.trust, weights) if self.hearing else votes


def _readings(utterance: Utterance, base: Base) -> _Readings:
    """The text, with slips of the fingers or of the ear mended where there are any, then as it was typed or
    heard, then the other readings of the same sound, best first; none of those beside a question as it stands
    on a page: "where can i thought" is no reason to doubt "where can i park"."""
    hearing = base.hearing(utterance.language) if utterance.is_heard else None
    text, *others = [cut(reading)[0] for reading in (utterance.text, *utterance.also_heard)]
    if hearing:
        text, *others = [hearing.rehearing.in_figures(reading) for reading in (text, *others)]
    if fold(text) in base.exact:
        return _Readings.of(base.reader.readings(text))
    standard = in_standard_german(text)
    readings = [base.reader.readings(standard)[0], text] if standard else base.reader.readings(text)
    heard = readings[0] if standard else text
    readings = [*readings, *(reading for reading in others if fold(reading))]
    if not hearing:
        return _Readings.of(readings)
    return _Readings.of(readings, hearing.rehearing.guesses(heard), hearing)


def _candidates(base: Base, ranked: Ranked) -> tuple[Candidate, ...]:
    found = []
    for place in range(min(SHOWN, len(ranked.entries))):
        wording = base.wordings[int(ranked.phrases[place])]
        witnesses = tuple(
            Witness(name, value, part)
            for name, value, part in zip(
                WITNESSES, ranked.values[place].tolist(), ranked.parts[place].tolist(), strict=True
            )
        )
        probability = float(ranked.probabilities[place])
        found.append(Candidate(wording.entry, probability, wording.language, wording.text, witnesses))
    return tuple(found)


def _cache(knowledge: Knowledge, options: MatcherOptions) -> Cache | None:
    """One folder for each base, so that two bases on one machine do not push each other out."""
    if options.cache_folder is None:
        return None
    return Cache(options.cache_folder / fingerprint(str(Path(knowledge.folder).absolute())))
