"""A text of several sentences: which of them is the question, and are there two of them?

Its clauses are matched beside the whole. A question answers for itself; one that leans on what was
said before ("Where can I ask for it?") is read together with that; where no question is plain, all
that was read votes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.matching.deciding import answerable, decide, is_offered
from assistant.matching.sentences import Clause, clauses_of, leans, says_nothing, wishes
from assistant.matching.text import cut, fold
from assistant.values import Candidate, Found, Match, Part, Several, Thresholds, Unknown, Unsure, Utterance

MOST_QUESTIONS = 3
# A sentence that is no question counts as one only where it is nearly what an editor wrote:
# "I forgot my password." A story has many sentences that are a little like something.
_PLAIN_STATEMENT = 0.94
_PLAIN_WISH = 0.8  # "I want to cancel my order."
# Of its probability, for a sentence torn from its story: what it is about may have been said before.
_TRUST = 0.85
_SHOWN = 5  # candidates

One = Found | Unsure | Unknown


@dataclass(frozen=True, slots=True)
class Known:
    """What a base knows by heart."""

    exact: Collection[str] = ()  # its phrases, folded
    empty_words: Collection[str] = ()
    small_talk: Collection[str] = ()  # entries that are the assistant's own sentences
    languages: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Manifold:
    """An utterance and its clauses; no clauses for an ordinary question."""

    utterance: Utterance
    clauses: tuple[Clause, ...]
    leaning: tuple[bool, ...]  # for each clause: read it with the one before it

    @classmethod
    def of(cls, utterance: Utterance, known: Known) -> Manifold:
        text = cut(utterance.text)[0]
        clauses = () if fold(text) in known.exact else clauses_of(text)
        leaning = tuple(_is_leaning(clause, known) for clause in clauses)
        return cls(utterance, clauses, leaning)

    @property
    def readings(self) -> tuple[Utterance, ...]:
        """What must be matched: the whole, each clause, each leaning question with the clause before it."""
        texts = [clause.text for clause in self.clauses] + [text for _, text in self._in_context()]
        language, is_heard = self.utterance.language, self.utterance.is_heard
        return (self.utterance, *(Utterance(text, language, is_heard=is_heard) for text in texts))

    def _in_context(self) -> Iterator[tuple[int, str]]:
        for place in range(1, len(self.clauses)):
            if self.leaning[place] and self.clauses[place].asks:
                yield place, f"{self.clauses[place - 1].text} {self.clauses[place].text}"

    def settled(self, matches: Sequence[One], known: Known, thresholds: Thresholds) -> Match:
        """What is meant, given the match of each reading."""
        if not self.clauses:
            return matches[0]
        whole, clauses = matches[0], matches[1 : len(self.clauses) + 1]
        places = [place for place, _ in self._in_context()]
        context = dict(zip(places, matches[len(self.clauses) + 1 :], strict=True))
        read = (self._read(place, match, context.get(place)) for place, match in enumerate(clauses))
        asked = _distinct([part for part in read if part and not _is_small_talk(part.match, known)])
        found = [part for part in asked if isinstance(part.match, Found)]
        if not found:
            return _voted([whole, *clauses, *context.values()], known, thresholds, self._doubt())
        if len(asked) > 1:
            return _several(asked, whole)
        # "I am at university. Do I pay less?": where all of it is found, it tells more than its question.
        tells_more = isinstance(whole, Found) and not _is_small_talk(whole, known)
        return whole if tells_more else _alone(found[0], whole)

    def _doubt(self) -> str:
        """Why what the story around it is like does not answer a question."""
        plain = (c.text for c, leans in zip(self.clauses, self.leaning, strict=True) if c.asks and not leans)
        question = next(plain, "")
        return f"its question itself, `{question}`, leads nowhere" if question else ""

    def _read(self, place: int, match: One, in_context: One | None) -> Part | None:
        """A clause and its match where it may be a question of its own, else None."""
        clause = self.clauses[place]
        if self.leaning[place]:
            return Part(clause.text, in_context) if isinstance(in_context, Found) else None
        if not clause.asks:
            enough = _PLAIN_WISH if wishes(clause.text) else _PLAIN_STATEMENT
            is_plain = isinstance(match, Found) and match.best.probability >= enough
            return Part(clause.text, match) if is_plain else None
        # In a story a question may be no question: "Isn't that nice?"
        is_asked = not isinstance(match, Unknown) or all(other.asks for other in self.clauses)
        return Part(clause.text, match) if is_asked else None


def _is_leaning(clause: Clause, known: Known) -> bool:
    is_known = fold(clause.text) in known.exact
    return not is_known and (leans(clause.text) or says_nothing(clause.text, known.empty_words))


def _is_small_talk(match: One, known: Known) -> bool:
    return bool(match.ranking.candidates) and match.ranking.candidates[0].entry in known.small_talk


def _distinct(parts: Sequence[Part]) -> list[Part]:
    """Each found entry once, nothing offered that is answered already; of too many the found ones first."""
    answered = {part.match.best.entry for part in parts if isinstance(part.match, Found)}
    kept: dict[str, Part] = {}
    for part in parts:
        if isinstance(part.match, Found):
            kept.setdefault(part.match.best.entry, part)
        elif isinstance(part.match, Unknown) or answered.isdisjoint(part.match.entries):
            kept[part.text] = part
    surest = sorted(kept.values(), key=lambda part: not isinstance(part.match, Found))[:MOST_QUESTIONS]
    return [part for part in kept.values() if part in surest]


def _alone(part: Part, whole: One) -> Match:
    """The one question of the text, told in the ranking as what was read."""
    told = replace(
        part.match.ranking,
        language=whole.ranking.language or part.match.ranking.language,
        notes=(*whole.ranking.notes, f"of several sentences the question is `{part.text}`"),
    )
    return replace(part.match, ranking=told)


def _several(parts: Sequence[Part], whole: One) -> Several:
    ranking = replace(whole.ranking, candidates=_mixed([part.match for part in parts]))
    told = " and ".join(f"`{part.text}`" for part in parts)
    return Several(ranking, f"{len(parts)} questions in one: {told}", tuple(parts))


def _mixed(matches: Sequence[One]) -> tuple[Candidate, ...]:
    """The candidates of all, each with its share in the mixture: together they are at most 1."""
    best: dict[str, Candidate] = {}
    shares: dict[str, float] = {}
    for match in matches:
        for candidate in match.ranking.candidates:
            shares[candidate.entry] = shares.get(candidate.entry, 0.0) + candidate.probability / len(matches)
            known = best.get(candidate.entry)
            if known is None or candidate.probability > known.probability:
                best[candidate.entry] = candidate
    order = sorted(shares, key=lambda entry: -shares[entry])[:_SHOWN]
    return tuple(replace(best[entry], probability=shares[entry]) for entry in order)


def _share(match: One, entry: str) -> float:
    candidates = match.ranking.candidates
    return next((candidate.probability for candidate in candidates if candidate.entry == entry), 0.0)


def _voted(matches: Sequence[One], known: Known, thresholds: Thresholds, doubt: str) -> Match:
    """Where no question is plain: the entry that the most readings agree on, nearly as sure as the best."""
    whole, *parts = matches
    likely = [
        match for match in parts if not _is_small_talk(match, known) and is_offered(match.ranking, thresholds)
    ]
    if isinstance(whole, Found) or not likely:
        return whole
    mixed = _mixed([whole, *likely])
    first = mixed[0].entry
    sure = max(_share(whole, first), _TRUST * max(_share(match, first) for match in likely))
    scale = (1 - sure) / max(1 - mixed[0].probability, 1e-9)
    candidates = (
        replace(mixed[0], probability=sure),
        *(replace(other, probability=min(scale, 1.0) * other.probability) for other in mixed[1:]),
    )
    note = f"{len(likely)} of its sentences were read with it"
    ranking = replace(
        whole.ranking,
        candidates=candidates,
        notes=(*whole.ranking.notes, note),
        answerable=max(answerable(match.ranking) for match in (whole, *likely)),
    )
    return decide(ranking, thresholds, doubt)
