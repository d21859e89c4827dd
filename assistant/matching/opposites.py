"""Do a question and a phrase say the opposite of each other? By their words alone, which no vector sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from assistant.matching.content import function_words
from assistant.matching.opposed_words import NEGATIONS, Hit, opposed_words
from assistant.matching.text import fold

_WORD = re.compile(r"[\w'’ʼ`´]+|[.,;:!?…()\n]")
_STEM = 5  # letters; "zurückgeben" and "zurückschicken" are one matter, "bring" and "bringing" too
_BESIDE = 2  # words between a negation and the wish it denies: "do not really want"
_TO_ITS_OBJECT = 3  # words from "with" to the thing that comes with it: "with a large breakfast"
_STORIES = 6  # clauses of both; long ones hold words of either side by accident
_OPENINGS = frozenset(
    ["auxiliaries", "permissions", "asking", "wishes", "subjects", "determiners", "conditions", "reasons"]
)
_NOTHING: frozenset[str] = frozenset()
_REMEMBERED = 50_000  # texts taken apart; the phrases of a base come again with every question


@dataclass(frozen=True, slots=True)
class Opposition:
    """What the one says and the other denies; each is a word as it was written, or empty."""

    kind: str  # "negation", or the pair: "open close"
    in_text: str
    in_phrase: str

    def told(self) -> str:
        """In words for an editor."""
        if self.in_text and self.in_phrase:
            return f"the question says `{self.in_text}`, the phrase `{self.in_phrase}`"
        if self.in_text:
            return f"the question says `{self.in_text}`, the phrase does not"
        return f"the phrase says `{self.in_phrase}`, the question does not"


@dataclass(frozen=True, slots=True)
class Negation:
    """A negation and what it does to its clause."""

    word: str  # as written
    denies: bool  # a wish, a leave, an order; otherwise it states a trouble
    unable: bool
    stems: frozenset[str]  # of the words that bear meaning in its clause
    denied: str  # stem of the word it stands with


@dataclass(frozen=True, slots=True)
class Said:
    """A text taken apart into what may stand against another."""

    stems: frozenset[str]
    words: frozenset[str]  # folded
    clauses: int
    negated: bool  # in whatever way, harmless ones too
    denies: bool  # in earnest, and more than being able
    negation: Negation | None
    sides: Mapping[str, tuple[str, str]]  # pair -> the word on either side; empty: none
    bound: Mapping[tuple[str, str], tuple[str, str]]  # pair and the thing it stands with -> the same
    denials: frozenset[str]  # stems
    asks: bool
    states: bool  # begins with a subject and wishes nothing
    undoing: tuple[tuple[str, str], ...]  # words with "un" before them, and what is left without
    excuses: Mapping[str, frozenset[str]]
    turned_by: frozenset[str]  # what words must have a hand in to say the opposite, see `OpposedWords.turns`


def opposes(text: str, phrase: str, language: str, phrase_language: str | None = None) -> Opposition | None:
    """Where the two say the opposite of each other: by what words; None where they do not.

    A language without lists in `opposites.toml` opposes nothing.
    """
    return opposition(said(text, language), said(phrase, phrase_language or language))


def opposition(text: Said, phrase: Said) -> Opposition | None:
    """The same for texts that are taken apart already."""
    # "Not open" is closed: an opposite denied says the same.
    if text.denies == phrase.denies and text.clauses + phrase.clauses < _STORIES:
        found = _by_pair(text, phrase) or _by_prefix(text, phrase)
        if found:
            return found
    return _by_negation(text, phrase)


def may_oppose(text: Said, folded: str, language: str) -> bool:
    """Whether a phrase, folded, must be taken apart: False where no word of it turns the text round."""
    if text.negation:
        return True
    words, listed = folded.split(), opposed_words(language)
    if any(plain in words for _, plain in text.undoing):
        return True
    return listed is not None and any(not text.turned_by.isdisjoint(listed.turns(word)) for word in words)


def agrees(text: Said, phrase: Said, found: Opposition) -> bool:
    """Is the phrase on the text's side of an opposition that was found elsewhere?"""
    if opposition(text, phrase) is not None:
        return False
    if found.kind == "negation":
        return text.negated == phrase.negated
    ours, theirs = text.sides.get(found.kind), phrase.sides.get(found.kind)
    if ours and theirs:
        return bool(ours[0]) == bool(theirs[0])
    return bool(text.bound.keys() & phrase.bound.keys()) or found.in_text in phrase.words


# --- comparing ------------------------------------------------------------------------------


def _by_pair(text: Said, phrase: Said) -> Opposition | None:
    for pair in text.sides.keys() & phrase.sides.keys():
        ours, theirs = text.sides[pair], phrase.sides[pair]
        if _stand_apart(ours, theirs) and not _excused(pair, text, phrase):
            return Opposition(pair, ours[0] or ours[1], theirs[0] or theirs[1])
    for key in text.bound.keys() & phrase.bound.keys():
        ours, theirs = text.bound[key], phrase.bound[key]
        if _stand_apart(ours, theirs) and not _excused(key[0], text, phrase):
            return Opposition(key[0], ours[0] or ours[1], theirs[0] or theirs[1])
    return None


def _excused(pair: str, text: Said, phrase: Said) -> bool:
    """ "When do you close" asks the same as "when are you open"."""
    excuses = text.excuses.get(pair, frozenset()) | phrase.excuses.get(pair, frozenset())
    return bool(excuses & (text.words | phrase.words))


def _stand_apart(ours: tuple[str, str], theirs: tuple[str, str]) -> bool:
    """Each holds one side alone, and not the same."""
    return all(ours) is all(theirs) is False and bool(ours[0]) != bool(theirs[0])


def _by_prefix(text: Said, phrase: Said) -> Opposition | None:
    """ "unsichtbar" and "sichtbar", whatever the lists hold."""
    if text.negated or phrase.negated:
        return None
    for word, plain in text.undoing:
        if plain in phrase.words and plain not in text.words:
            return Opposition("prefix", word, plain)
    for word, plain in phrase.undoing:
        if plain in text.words and plain not in phrase.words:
            return Opposition("prefix", plain, word)
    return None


def _by_negation(text: Said, phrase: Said) -> Opposition | None:
    if text.negation and not phrase.negated and _denies(text.negation, text, phrase):
        return Opposition("negation", text.negation.word, "")
    if phrase.negation and not text.negated and _denies(phrase.negation, phrase, text):
        return Opposition("negation", "", phrase.negation.word)
    return None


def _denies(negation: Negation, one: Said, other: Said) -> bool:
    """Does the negation in `one` deny what `other` says without any?"""
    if other.denials - one.stems:  # "I don't want it any more" and "cancel it" say the same
        return False
    if negation.denies:
        elsewhere = one.stems - negation.stems  # a clause that denies nothing may be the question
        return one.clauses == 1 or len(negation.stems & other.stems) > len(elsewhere & other.stems)
    states = other.states and not one.asks and one.clauses == other.clauses == 1
    return states and not negation.unable and negation.denied in other.stems


# --- taking apart ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text with what each stands for."""

    written: tuple[str, ...]
    folded: tuple[str, ...]
    kinds: tuple[frozenset[str], ...]
    hits: tuple[Hit, ...]
    starts: tuple[int, ...]  # where the clauses begin
    small: frozenset[str]  # words without meaning of their own

    def stem(self, place: int) -> str:
        """Of a word that means something; empty otherwise."""
        word = self.folded[place]
        return "" if word in self.small or len(word) < 3 else word[:_STEM]

    def stems(self, start: int, end: int) -> frozenset[str]:
        return frozenset(stem for place in range(start, end) if (stem := self.stem(place)))

    def has(self, kind: str, start: int, end: int) -> bool:
        return any(kind in kinds for kinds in self.kinds[max(0, start) : max(0, end)])


@lru_cache(maxsize=_REMEMBERED)
def said(text: str, language: str) -> Said:
    """A text taken apart by the lists of its language."""
    listed = opposed_words(language)
    words = _words(text, language)
    if listed is None or not words.folded:
        return Said(
            stems=_NOTHING, words=_NOTHING, clauses=1, negated=False, denies=False, negation=None, sides={},
            bound={}, denials=_NOTHING, asks=False, states=False, undoing=(), excuses={},
            turned_by=frozenset((NEGATIONS,)),
        )  # fmt: skip
    end = len(words.folded)
    kinds, sides, bound = frozenset().union(*words.kinds), _sides(words), _bound(words)
    return Said(
        stems=words.stems(0, end),
        words=frozenset(words.folded),
        clauses=len(words.starts),
        negated=NEGATIONS in kinds,
        denies=any(NEGATIONS in own and not own & {"harmless", "unable"} for own in words.kinds),
        negation=_negation(words) if NEGATIONS in kinds else None,
        sides=sides,
        bound=bound,
        denials=frozenset(words.folded[p][:_STEM] for p in range(end) if "denials" in words.kinds[p]),
        asks=bool(words.kinds[0] & {"asking", "auxiliaries", "reasons"}),
        states=bool(words.kinds[0] & {"subjects", "determiners"}) and not kinds & {"wishes", "permissions"},
        undoing=tuple((word, plain) for word in words.folded for plain in listed.undone(word)),
        excuses=listed.excuses,
        turned_by=frozenset((*sides, *(pair for pair, _ in bound), *words.folded, NEGATIONS)),
    )


_folded = lru_cache(maxsize=_REMEMBERED)(fold)


def _words(text: str, language: str) -> _Words:
    written, starts = _in_clauses(text)
    folded_words = tuple(_folded(word) for word in written)
    listed = opposed_words(language)
    hits = tuple(listed.hits(folded_words)) if listed else ()
    kinds: list[set[str]] = [set() for _ in written]
    for hit in hits:
        for place in hit.places:
            kinds[place].add(hit.mark.kind)
    breaks = {place for place, marks in enumerate(kinds) if "breaks" in marks}
    return _Words(
        written=tuple(written),
        folded=folded_words,
        kinds=tuple(map(frozenset, kinds)),
        hits=hits,
        starts=tuple(sorted(breaks.union(starts))),
        small=function_words(language),
    )


def _in_clauses(text: str) -> tuple[list[str], list[int]]:
    """The words as they are written, and the places where a clause begins."""
    written: list[str] = []
    starts: list[int] = []
    after_mark = True
    for found in _WORD.finditer(text):
        folded = _folded(found[0])
        if folded and after_mark:
            starts.append(len(written))
        if folded:
            written += [found[0]] if " " not in folded else folded.split()
        after_mark = not folded
    return written, starts


def _sides(words: _Words) -> dict[str, tuple[str, str]]:
    """For each pair the word on its first and its second side; what undoes drowns what it undoes."""
    sides: dict[str, tuple[str, str]] = {}
    for hit in words.hits:
        if hit.mark.kind in ("pairs", "undone"):
            told = " ".join(words.written[place] for place in hit.places)
            one, other = sides.get(hit.mark.pair, ("", ""))
            one, other = (one, told) if hit.mark.side else (told, other)
            sides[hit.mark.pair] = ("", other) if hit.mark.kind == "undone" and other else (one, other)
    return sides


def _bound(words: _Words) -> dict[tuple[str, str], tuple[str, str]]:
    bound: dict[tuple[str, str], tuple[str, str]] = {}
    for hit in words.hits:
        if hit.mark.kind != "bound":
            continue
        after = hit.places[-1] + 1
        clause_end = next((start for start in words.starts if start >= after), len(words.folded))
        things = range(after, min(after + _TO_ITS_OBJECT, clause_end))
        thing = next((stem for place in things if (stem := words.stem(place))), "")
        if thing:
            told = " ".join(words.written[place] for place in hit.places)
            one, other = bound.get((hit.mark.pair, thing), ("", ""))
            bound[hit.mark.pair, thing] = (one, told) if hit.mark.side else (told, other)
    return bound


def _negation(words: _Words) -> Negation | None:
    """The negation that counts: one that denies before one that states; two in a clause deny nothing."""
    found = [negation for span in _clauses(words) if (negation := _clause_negation(words, *span))]
    return next((each for each in found if each.denies), found[0] if found else None)


def _clauses(words: _Words) -> Iterator[tuple[int, int]]:
    yield from zip(words.starts, (*words.starts[1:], len(words.folded)), strict=True)


def _clause_negation(words: _Words, start: int, end: int) -> Negation | None:
    places = [
        place
        for place in range(start, end)
        if NEGATIONS in words.kinds[place] and "harmless" not in words.kinds[place]
    ]
    if len(places) != 1 or _is_polite(words, places[0], start, end):
        return None
    place = places[0]
    unable = words.has("unable", place, place + 1) or words.has("permissions", start, end)
    return Negation(
        word=words.written[place],
        denies=_denies_something(words, place, start, end),
        unable=unable,
        stems=words.stems(start, end),
        denied=_denied(words, place, start, end),
    )


def _denied(words: _Words, place: int, start: int, end: int) -> str:
    """The word that the negation stands with: the next that means something, or the one before."""
    nearby = (*range(place + 1, end), *range(place - 1, start - 1, -1))
    return next((stem for other in nearby if (stem := words.stem(other))), "")


def _is_polite(words: _Words, place: int, start: int, end: int) -> bool:
    """ "Can't I pay by card?", "Do you not deliver?": asks the same as without the negation."""
    opening = _opening(words, start, end)
    if not opening & {"auxiliaries", "permissions"} or opening & {"wishes", "asking"}:
        return False
    if _is_an_order(words, place, start, end):
        return False
    if "permissions" not in opening or place == start:
        return True
    return words.has("polite", start, end) or words.has("addressed", start, place)


def _opening(words: _Words, start: int, end: int) -> frozenset[str]:
    """What a clause begins with; a first "and" or "hello" does not count."""
    first, *second = words.kinds[start : min(start + 2, end)]
    return first if first & _OPENINGS or not second else second[0]


def _denies_something(words: _Words, place: int, start: int, end: int) -> bool:
    """A wish, a leave or an order denied; otherwise the negation tells of a trouble."""
    if words.has("helpless", start, end) or words.has("reasons", start, place):
        return False
    if any("conditions" in words.kinds[p] for p in range(start, place) if not _asks_at(words, p, start)):
        return False
    opening = _opening(words, start, end)
    if "asking" in opening:
        return not _follows_its_subject(words, place)
    if _denies_a_wish(words, place, start, end):
        return True
    if "permissions" in opening:
        return "unable" not in words.kinds[place] or place == start
    return _is_an_order(words, place, start, end)


def _asks_at(words: _Words, place: int, start: int) -> bool:
    return place == start and "asking" in words.kinds[place]


def _follows_its_subject(words: _Words, place: int) -> bool:
    """ "where is it, i haven't ..." states; "what can't i ..." and "what can i not ..." ask."""
    if "grown_together" in words.kinds[place]:
        return words.has("subjects", place - 1, place)
    return words.has("auxiliaries", place - 1, place) and words.has("subjects", place - 2, place - 1)


def _denies_a_wish(words: _Words, place: int, start: int, end: int) -> bool:
    """ "don't want", "want no"; German puts the wish anywhere before: "will das Paket nicht"."""
    after = words.has("wishes", place + 1, min(end, place + 2 + _BESIDE))
    return after or ("grown_together" not in words.kinds[place] and words.has("wishes", start, place))


def _is_an_order(words: _Words, place: int, start: int, end: int) -> bool:
    """ "Don't cancel it", "bitte nicht stornieren"."""
    orders = "orders" in words.kinds[place]
    first = place - 1 if words.has("orders", max(start, place - 1), place) else place
    if orders and first == start:
        return True
    speakers = [
        kinds for kinds in words.kinds[start:place] if "subjects" in kinds and "addressed" not in kinds
    ]
    if speakers or not words.has("begging", start, end):
        return False
    states = any(words.has(kind, start, end) for kind in ("permissions", "auxiliaries"))
    return orders or (place + 1 < end and not states)
