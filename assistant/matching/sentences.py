"""The sentences and clauses of a text, and which of them ask something."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from assistant.matching.content import function_words
from assistant.matching.text import fold, words

MOST_CLAUSES = 8  # whoever writes more tells a story; its end, where the question mostly stands, is read
_LONG = 12  # words; a shorter sentence without a comma or an "and" is one question
_KEYWORDS = 6  # words; "opening hours and parking" are two questions without a verb
_LONGEST_NOTE = 3  # words; a sentence so short is a keyword: "Opening hours."
_SHORTEST = 2  # words on either side of a cut that no full stop makes
_LONGEST_FAREWELL = 7  # words: "Thank you so much! Anna and Tom"

_STOPS = re.compile(r"(?<=[.!?;:…])[\"'”“)]*\s+|(?<=[。？！])\s*|\s*\n\s*")
# After these a full stop ends no sentence: "Nr. 5", "z. B.", "am 5. Mai".
_ABBREVIATION = re.compile(
    r"(?:^|[\s.(])(?:\d{1,2}|\w|nr|ca|bzw|dr|hr|fr|st|str|tel|mr|mrs|ms|inkl|evtl|ggf|mind|no)\.$", re.I
)
_ARTICLES = ("der", "die", "das", "den", "dem")
_EXISTS = ("gibt", "gibts")  # "gibt es" names nothing
_CLOSING = "\"'”“) "
_QUESTION_MARKS = ("?", "？")


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence, or a part of one that asks something by itself, in the customer's words."""

    text: str
    asks: bool  # whether it is put as a question


@dataclass(frozen=True, slots=True)
class _Words:
    """How languages ask and what they say around a question; folded."""

    asks: frozenset[str]
    verbs: frozenset[str]
    subjects: frozenset[str]
    leans: frozenset[str]
    idle: frozenset[str]
    joins: frozenset[str]
    polite: frozenset[str]
    closes: frozenset[str]


def clauses_of(text: str) -> tuple[Clause, ...]:
    """The sentences and clauses without greetings and thanks; the last `MOST_CLAUSES` of many.

    Empty where the text is one sentence with one thing in it, as nearly every question is.
    """
    clauses = [clause for sentence in sentences(text) for clause in _clauses(sentence)]
    told = [_bare(clause) for clause in clauses if not _is_polite(clause)]
    if len(clauses) < 2 or not told:
        return ()
    keywords = _is_pair(text.split())
    return tuple(Clause(clause, keywords or _asks(clause)) for clause in told[-MOST_CLAUSES:])


def _bare(clause: str) -> str:
    """Without the "Hello," or "and" that it begins with and the comma that it ends with."""
    greeting, comma, rest = clause.partition(",")
    if comma and rest.strip() and _is_polite(greeting):
        clause = rest.strip()
    tokens = clause.rstrip(", ").split()
    opening = next((n for n, token in enumerate(tokens) if fold(token) not in _listed().joins), 0)
    return " ".join(tokens[opening:])


def says_nothing(clause: str, empty_words: Collection[str]) -> bool:
    """Whether a clause holds no word that tells what it is about: "Can you help me?"."""
    idle = _listed().idle | _listed().joins | _listed().leans
    return all(word in empty_words or word in idle for word in words(fold(clause)))


def wishes(clause: str) -> bool:
    """Whether a clause asks without being a question: "I want to cancel my order.", "Opening hours."."""
    folded = fold(clause)
    return len(words(folded)) <= _LONGEST_NOTE or folded.startswith(_wishes())


@cache
def _wishes() -> tuple[str, ...]:
    return tuple(f"{fold(wish)} " for table in _stored().values() for wish in table["wishes"].split(", "))


def leans(clause: str) -> bool:
    """Whether a clause speaks of something named before: "How long is it valid?"."""
    tokens = [token.strip(",.;:!?") for token in clause.split()]
    # In German a small "sie" is "it" or "them" and a great "Sie" is "you".
    if "sie" in tokens[1:] or any(map(_stands_alone, tokens, tokens[1:])):
        return True
    folded = words(fold(clause))
    before = zip(["", *folded], folded, strict=False)
    return any(word in _listed().leans and last not in _EXISTS for last, word in before)


def _stands_alone(article: str, following: str) -> bool:
    """Whether a German article stands for a thing: "Ist die noch da?"."""
    return article in _ARTICLES and (following in function_words("de") or following in _listed().joins)


def sentences(text: str) -> Iterator[str]:
    """The text parted at its full stops and line breaks, each with the mark that ends it."""
    start = 0
    for stop in _STOPS.finditer(text):
        if not _ABBREVIATION.search(text[start : stop.start()]):
            yield from filter(fold, [text[start : stop.start()].strip()])
            start = stop.end()
    yield from filter(fold, [text[start:].strip()])


def _clauses(sentence: str) -> Iterator[str]:
    """The sentence parted before every question in it that follows something else."""
    tokens = sentence.split()
    if len(tokens) < 2 * _SHORTEST and not _is_pair(tokens):
        yield sentence
        return
    folded = [fold(token) for token in tokens]
    start = 0
    for place in range(1, len(tokens) - 1):
        if _begins_anew(tokens, folded, start, place):
            yield " ".join(tokens[start:place])
            start = place
    yield " ".join(tokens[start:])


def _is_pair(tokens: list[str]) -> bool:
    """Keywords with an "and" between: "parking and toilets"."""
    folded = [fold(token) for token in tokens]
    joins, said = _listed().joins, function_words()
    return (
        2 < len(tokens) <= _KEYWORDS
        and not joins.isdisjoint(folded[1:-1])
        and all(word in joins or word not in said for word in folded)
    )


def _begins_anew(tokens: list[str], folded: list[str], start: int, place: int) -> bool:
    """Whether another question begins at this word, the one before having begun at `start`."""
    joins = _listed().joins
    if folded[place - 1] in joins:
        return False  # parted before the "and", where at all
    if folded[place] in joins:
        opening = next((n for n in range(place, len(folded)) if folded[n] not in joins), len(folded))
        return (_is_pair(tokens) and not _is_opener(folded, start)) or (
            place > start and _opens(folded, start, opening)
        )
    if place - start < _SHORTEST:
        return False
    is_asked = _is_opener(folded, start)
    if tokens[place - 1].endswith(",") and is_asked:
        return _inverts(folded, place) or _opens_by_verb(folded, place)
    return len(tokens) > _LONG and (_inverts(folded, place) if not is_asked else _asks_by_word(folded, place))


def _opens(folded: list[str], start: int, place: int) -> bool:
    """Whether a question may begin here, after an "and": "how long is", "can I", "are dogs allowed"."""
    if len(folded) - place <= _SHORTEST:
        return False  # "which street, and what number"
    by_word = folded[place] in _listed().asks or _verb_first(folded, place)
    is_wish = " ".join(folded[place:]).startswith(_wishes())
    return by_word or is_wish or (_is_opener(folded, start) and _opens_by_verb(folded, place))


def _opens_by_verb(folded: list[str], place: int) -> bool:
    return folded[place] in _listed().verbs and len(folded) - place > _SHORTEST


def _inverts(folded: list[str], place: int) -> bool:
    """Whether a question surely begins here, by its order of words: "where can", "can I"."""
    return _asks_by_word(folded, place) or _verb_first(folded, place)


def _asks_by_word(folded: list[str], place: int) -> bool:
    return folded[place] in _listed().asks and _next(folded, place) in _listed().verbs


def _verb_first(folded: list[str], place: int) -> bool:
    return folded[place] in _listed().verbs and _next(folded, place) in _listed().subjects


def _next(folded: list[str], place: int) -> str:
    return folded[place + 1] if place + 1 < len(folded) else ""


def _is_opener(folded: list[str], start: int) -> bool:
    """Whether what begins here is put as a question: "where can I", not "where I was"."""
    listed = _listed()
    place = next((n for n in range(start, len(folded)) if folded[n] not in listed.joins), start)
    by_word = folded[place] in listed.asks and _next(folded, place) not in listed.subjects
    return by_word or folded[place] in listed.verbs


def _asks(clause: str) -> bool:
    if clause.rstrip(_CLOSING).endswith(_QUESTION_MARKS):
        return True
    folded = words(fold(clause))
    return _is_opener(folded, 0)


def _is_polite(clause: str) -> bool:
    """A greeting, thanks or a farewell, with the names of those who send it."""
    listed, folded = _listed(), words(fold(clause))
    if all(word in listed.polite or word in listed.joins for word in folded):
        return True
    is_short = len(folded) <= _LONGEST_FAREWELL and not clause.endswith(_QUESTION_MARKS)
    return is_short and folded[0] in listed.closes


@cache
def _listed() -> _Words:
    """The words of all languages together: hardly one of them means something else in another."""
    return _Words(
        *(
            frozenset(fold(word) for table in _stored().values() for word in table[name].split())
            for name in _Words.__slots__
        )
    )


@cache
def _stored() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("assistant.matching").joinpath("sentences.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
