"""Why was it decided so? The phrase that won, the words that counted, and what would change it.

Nothing here is guessed: for every word the question is matched once more without it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal, Protocol

from assistant.matching.content import common_words, function_words, scripts
from assistant.matching.deciding import decide
from assistant.matching.sentences import clauses_of
from assistant.matching.text import cut, fold, words
from assistant.matching.trials import Trial, answered_from, spoken_words, tried, with_word, without
from assistant.values import (
    Candidate,
    Entry,
    Found,
    Knowledge,
    Match,
    Place,
    Several,
    Signs,
    Thresholds,
    Utterance,
    outcome,
)

Kind = Literal["known", "small", "unknown"]
Run = tuple[str, ...]  # of words
Likeness = Literal["word for word", "words", "letters", "meaning"]

_MOST_WORDS = 60  # of a question that are tried, one by one; a paragraph has more
_MOST_ADDED = 16  # words of the phrases that are tried; the rarest ones
_FAR = 0.12  # a probability: below, even the first entry is hardly what was meant
_HALF = 0.5  # of the words that tell something
_ALIKE = 0.5  # of the letters, as the witness of that name measures them


class Explainable(Protocol):
    """A matcher that can be asked about its decisions."""

    @property
    def thresholds(self) -> Thresholds: ...

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]: ...

    def signs(self, utterance: Utterance) -> Signs: ...


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry as it stands for a question, and the phrase that speaks most for it."""

    entry: str
    probability: float
    language: str  # of the phrase
    phrase: str
    place: Place | None  # of the phrase; None where the pages have changed since
    last_question: Place | None  # of the entry in the language asked: a new one goes below


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question, and what became of the question without it."""

    written: str
    kind: Kind  # small: so common that it tells nothing; unknown: no question of the base has it
    without: Trial | None  # None: not tried, because nothing would be left, or too many words
    part: float  # what the word adds to the probability of the first entry; negative: it speaks against it


@dataclass(frozen=True, slots=True)
class Explanation:
    """All there is to say about one decision."""

    utterance: Utterance
    read: str  # the text that was matched, or of several sentences the one that decided
    match: Match
    thresholds: Thresholds
    doubt: str  # why it was not answered at once whatever the probability; empty: no reason
    likeness: Likeness  # what the question and the phrase that won have in common
    standings: tuple[Standing, ...]  # the first entry and those next to it, best first
    words: tuple[Word, ...]  # those that counted most first
    read_as: tuple[tuple[str, str], ...]  # words with a slip, and how they were read
    added: tuple[Trial, ...]  # single words that would make the first entry answered, the best first
    small_talk: frozenset[str]  # entries that are never offered as a choice
    signs: Signs  # what the first entry's probability is made of, for testers
    parts: tuple[Explanation, ...]  # where several things were asked: each of them

    @property
    def first(self) -> Standing | None:
        return self.standings[0] if self.standings else None

    @property
    def runner_up(self) -> Standing | None:
        return self.standings[1] if len(self.standings) > 1 else None

    @property
    def is_far(self) -> bool:
        """Whether even the first entry is so unlikely that it is hardly what was meant."""
        return self.first is None or _is_far(self.first.probability)

    @property
    def decisive(self) -> tuple[Word, ...]:
        """The words without any one of which the decision would be another."""
        return tuple(word for word in self.words if word.without and self.differs(word.without))

    def differs(self, trial: Trial) -> bool:
        """Whether a trial ended otherwise: another outcome, or other answers."""
        return (trial.outcome, trial.answered) != (outcome(self.match), answered_from(self.match))


@dataclass(frozen=True, slots=True)
class _Case:
    """What one explanation is made from."""

    knowledge: Knowledge
    matcher: Explainable
    utterance: Utterance
    match: Match

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.match.ranking.candidates


def explained(knowledge: Knowledge, matcher: Explainable, utterance: Utterance, match: Match) -> Explanation:
    """Explain what the matcher, made from this knowledge, decided, by trying the question in other words."""
    return _explained(_Case(knowledge, matcher, utterance, match), _Vocabulary(knowledge))


def _explained(case: _Case, vocabulary: _Vocabulary) -> Explanation:
    is_one, read = not isinstance(case.match, Several), _read(case)
    return Explanation(
        utterance=case.utterance,
        read=read.text,
        match=case.match,
        thresholds=case.matcher.thresholds,
        doubt=_doubt(case.match, case.matcher.thresholds),
        likeness=_likeness(case, vocabulary),
        standings=tuple(_standing(case, candidate) for candidate in case.candidates),
        words=_words(case, vocabulary) if is_one else (),
        read_as=_read_as(case, vocabulary) if is_one else (),
        added=_added(case, vocabulary) if is_one else (),
        small_talk=case.knowledge.own_names,
        signs=case.matcher.signs(read) if case.candidates and is_one else Signs(),
        parts=tuple(_explained(part, vocabulary) for part in _parts(case)),
    )


def _parts(case: _Case) -> Iterator[_Case]:
    """Each of several questions in one text as a case of its own."""
    for part in case.match.parts if isinstance(case.match, Several) else ():
        alone = Utterance(part.text, part.match.ranking.language, is_heard=case.utterance.is_heard)
        read = _read(replace(case, match=part.match))
        yield replace(case, utterance=read if read != case.utterance else alone, match=part.match)


def _read(case: _Case) -> Utterance:
    """What was matched: the text, or of several sentences the one that decided or it and the one before."""
    text = cut(case.utterance.text)[0]
    clauses = [clause.text for clause in clauses_of(text)]
    texts = [*clauses, *(f"{before} {clause}" for before, clause in pairwise(clauses))]
    found = next((each for each in texts if fold(each) == case.match.ranking.compared), None)
    if not found:
        return case.utterance
    return Utterance(found, case.match.ranking.language, is_heard=case.utterance.is_heard)


class _Vocabulary:
    """The words of the base's questions: which are there, and which tell something."""

    def __init__(self, knowledge: Knowledge) -> None:
        asked = [entry.questions for entry in knowledge.entries if entry.questions]
        by_entry = [[fold(phrase.text) for phrase in phrases] for phrases in asked]
        self.holders = Counter(
            word for phrases in by_entry for word in {word for phrase in phrases for word in words(phrase)}
        )
        self._texts = [phrase.text for phrases in asked for phrase in phrases]
        self._small = function_words() | common_words(by_entry)

    def kind(self, written: str) -> Kind:
        parts = words(fold(written))
        if all(part in self._small for part in parts):
            return "small"
        return "known" if any(part in self.holders for part in parts) else "unknown"

    def spelled(self, folded: str) -> str:
        """A folded word as the pages write it, in small letters."""
        found = (word.lower() for text in self._texts for word in spoken_words(text) if fold(word) == folded)
        return next(found, folded)

    def telling(self, texts: Iterable[str]) -> tuple[str, ...]:
        """The words of some texts that tell something, as written, the rarest first."""
        found = {fold(word): word for text in texts for word in spoken_words(text)}
        known = (word for word in found.values() if self.kind(word) == "known")
        return tuple(sorted(known, key=lambda word: self.holders[words(fold(word))[0]]))


def _is_far(probability: float) -> bool:
    return probability < _FAR


def _doubt(match: Match, thresholds: Thresholds) -> str:
    """The reason of a match that its probabilities alone do not give."""
    if isinstance(match, Found | Several) or not match.ranking.candidates:
        return ""
    return "" if decide(match.ranking, thresholds).reason == match.reason else match.reason


def _likeness(case: _Case, vocabulary: _Vocabulary) -> Likeness:
    if not case.candidates:
        return "meaning"
    phrases = _phrases(case.knowledge, case.candidates[0].entry)
    compared = case.match.ranking.compared
    if compared in map(fold, phrases):
        return "word for word"
    asked = [word for word in words(compared) if vocabulary.kind(word) != "small"] or words(compared)
    own = {word for phrase in phrases for word in words(fold(phrase))}
    if asked and sum(word in own for word in asked) >= _HALF * len(asked):
        return "words"
    measured = {witness.name: witness.value for witness in case.candidates[0].witnesses}
    return "letters" if measured.get("letters", 0.0) >= _ALIKE else "meaning"


def _phrases(knowledge: Knowledge, name: str) -> list[str]:
    """An entry's questions in all languages."""
    return [phrase.text for entry in knowledge.translations(name).values() for phrase in entry.questions]


def _standing(case: _Case, candidate: Candidate) -> Standing:
    asked = case.match.ranking.language or candidate.language
    written = case.knowledge.translations(candidate.entry).get(candidate.language)
    nearest = case.knowledge.entry(candidate.entry, asked)
    return Standing(
        entry=candidate.entry,
        probability=candidate.probability,
        language=candidate.language,
        phrase=candidate.phrase,
        place=_place(written, candidate.phrase),
        last_question=nearest.questions[-1].place if nearest and nearest.questions else None,
    )


def _place(entry: Entry | None, phrase: str) -> Place | None:
    questions = entry.questions if entry else ()
    return next((question.place for question in questions if cut(question.text)[0] == phrase), None)


def _words(case: _Case, vocabulary: _Vocabulary) -> tuple[Word, ...]:
    """Every word of the question, those first that change most when they are left out."""
    mended = {word for typed, _ in _read_as(case, vocabulary) for word in typed.split()}
    kinds: dict[str, Kind] = {
        word: "known" if word in mended else vocabulary.kind(word)
        for word in spoken_words(case.utterance.text)
    }
    trials = {trial.word: trial for trial in _left_out(case, kinds)}
    found = []
    for word, kind in kinds.items():
        trial = trials.get(word)
        part = case.candidates[0].probability - trial.probability if trial else 0.0
        found.append(Word(word, kind, trial, part))
    return tuple(sorted(found, key=lambda word: -abs(word.part)))


def _left_out(case: _Case, kinds: Mapping[str, Kind]) -> tuple[Trial, ...]:
    """The question without each of its words; small ones only where there is time for them."""
    if not case.candidates:
        return ()
    listed = sorted(kinds, key=lambda word: kinds[word] == "small")[:_MOST_WORDS]
    asked = [(word, without(case.utterance, word)) for word in listed]
    return tried(case.matcher.match_many, asked, case.candidates[0].entry)


def _read_as(case: _Case, vocabulary: _Vocabulary) -> tuple[tuple[str, str], ...]:
    """Words with a slip and what they were read as, as the pages spell it."""
    if _read(case) != case.utterance:
        return ()  # one sentence of several was compared
    typed = {fold(word): word for word in spoken_words(case.utterance.text)}
    folded, compared = words(fold(cut(case.utterance.text)[0])), words(case.match.ranking.compared)
    return tuple(
        (
            " ".join(typed.get(word, word) for word in one),
            " ".join(vocabulary.spelled(word) for word in other),
        )
        for one, other in dict.fromkeys(_replaced(folded, compared))
    )


def _replaced(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[Run, Run]]:
    """The words that others stand for, one for one where there are as many."""
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for kind, start, end, other_start, other_end in steps:
        one, other = tuple(before[start:end]), tuple(after[other_start:other_end])
        if kind == "replace" and len(one) == len(other):
            yield from (((word,), (read,)) for word, read in zip(one, other, strict=True))
        elif kind == "replace":
            yield one, other


def _added(case: _Case, vocabulary: _Vocabulary) -> tuple[Trial, ...]:
    """Words of the first entry's phrases with any one of which it would be answered."""
    if isinstance(case.match, Found) or not case.candidates:
        return ()
    first = case.candidates[0]
    if _is_far(first.probability):
        return ()  # with one word more it would be another question
    asked = {fold(word) for word in spoken_words(case.utterance.text)}
    written = case.knowledge.entry(first.entry, case.match.ranking.language or first.language)
    phrases = [phrase.text for phrase in written.questions] if written else []
    own = scripts(case.utterance.text)  # a Latin word would not help whoever writes Cyrillic
    telling = (word for word in vocabulary.telling(phrases) if scripts(word) <= own)
    listed = [word for word in telling if fold(word) not in asked][:_MOST_ADDED]
    trials = tried(
        case.matcher.match_many, [(word, with_word(case.utterance, word)) for word in listed], first.entry
    )
    helpful = (trial for trial in trials if trial.answered == (first.entry,))
    return tuple(sorted(helpful, key=lambda trial: -trial.probability))
