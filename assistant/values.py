"""The values that travel through the house: frozen, plain, and free of any library.

Data flows one way: sound -> Heard -> Utterance -> Match -> Reply -> screen and voice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Literal

# --- languages ----------------------------------------------------------------------------


def primary_language(tag: str) -> str:
    """`de` of `de-AT` and `DE_at`, the first subtag of BCP 47: who speaks the one understands the other."""
    return tag.lower().replace("_", "-").partition("-")[0]


# --- what editors write -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: a file and a line counted from 1 (0: the file as a whole)."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Problem:
    """Something an editor should mend: place, fact, hint."""

    kind: str  # a stable word for machines: "unknown-part", "stolen-question"
    place: Place
    fact: str
    hint: str = ""
    excerpt: str = ""  # the line as it was written
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One wording of a question, as an editor wrote it."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Arrow:
    """`words, other words -> entry`: a way from one entry to another."""

    words: tuple[str, ...]  # the first one is the label
    target: str
    place: Place


@dataclass(frozen=True, slots=True)
class Ask:
    """A question put back to the customer, with the arrows that answer it."""

    text: str  # Markdown
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A phrase not listed under Questions that must (`yes`) or must not (`no`) lead here."""

    kind: Literal["yes", "no"]
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or film that belongs to an answer."""

    path: str  # relative to the knowledge folder, with forward slashes
    description: str
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer in one language; the same name in two languages is the same entry."""

    name: str
    language: str
    place: Place
    questions: tuple[Phrase, ...] = ()
    answer: str = ""  # Markdown
    spoken_answer: str = ""  # plain words; empty: derived from the answer
    ask: Ask | None = None
    next: tuple[Arrow, ...] = ()
    checks: tuple[Check, ...] = ()
    tags: tuple[str, ...] = ()
    valid_until: date | None = None  # the last day on which the answer holds
    media: tuple[Media, ...] = ()

    @property
    def arrows(self) -> tuple[Arrow, ...]:
        return (self.ask.arrows if self.ask else ()) + self.next


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file: a title and its entries, in the order they were written."""

    path: str  # relative to the knowledge folder, with forward slashes: "en/visiting.md"
    language: str
    title: str
    entries: tuple[Entry, ...] = ()

    @property
    def is_own_voice(self) -> bool:
        """True for `_assistant.md`, the page of the assistant's own sentences."""
        return self.path.rpartition("/")[2] == "_assistant.md"


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything the assistant may say, in every language, looked up by entry name."""

    folder: str
    default_language: str
    pages: tuple[Page, ...]
    _by_name: Mapping[str, Mapping[str, Entry]] = field(
        default_factory=lambda: MappingProxyType({}), repr=False, compare=False
    )

    @classmethod
    def of(cls, folder: str, default_language: str, pages: tuple[Page, ...]) -> Knowledge:
        """Index the pages. Where a name is written twice in a language, the first one counts."""
        by_name: dict[str, dict[str, Entry]] = {}
        for page in pages:
            for entry in page.entries:
                by_name.setdefault(entry.name, {}).setdefault(entry.language, entry)
        return cls(folder, default_language, pages, MappingProxyType(by_name))

    @property
    def entries(self) -> Iterator[Entry]:
        """Every entry in every language, in reading order."""
        return (entry for page in self.pages for entry in page.entries)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the pages, the default language first."""
        found = {page.language for page in self.pages}
        return tuple(sorted(found, key=lambda tag: (tag != self.default_language, tag)))

    @property
    def own_names(self) -> frozenset[str]:
        """The entries that are the assistant's own sentences."""
        return frozenset(entry.name for page in self.pages if page.is_own_voice for entry in page.entries)

    def translations(self, name: str) -> Mapping[str, Entry]:
        """Language -> entry; empty for an unknown name."""
        return self._by_name.get(name, {})

    def entry(self, name: str, language: str | None) -> Entry | None:
        """The entry in that language, else in the default language, else in any; None if unknown."""
        translations = self._by_name.get(name, {})
        for tag in (language, self.default_language):
            if tag is not None and tag in translations:
                return translations[tag]
        return next(iter(translations.values()), None)


# --- what customers say ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recognizer made of a sound; partial until `final`."""

    text: str
    language: str
    also_heard: tuple[str, ...] = ()  # other readings of the same sound, best first
    final: bool = True
    language_probability: float = 1.0  # that this language was spoken, where the recognizer can tell


@dataclass(frozen=True, slots=True)
class Utterance:
    """What a person said or typed, already text."""

    text: str
    language: str | None = None  # None: not known yet, the matcher decides
    also_heard: tuple[str, ...] = ()  # other readings of the same sound, best first
    is_heard: bool = False  # by a recognizer: what was said may only sound like it


# --- what was meant -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Witness:
    """One piece of evidence for an entry, and what it added to the entry's log-odds."""

    name: str
    value: float  # as measured
    part: float  # natural-log odds; the parts and the bias sum to the logit


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that may be meant, with the wording that spoke most for it."""

    entry: str
    probability: float  # calibrated: 0.8 is right about 8 times in 10
    language: str  # of the wording below
    phrase: str
    witnesses: tuple[Witness, ...] = ()


@dataclass(frozen=True, slots=True)
class Signs:
    """What the first entry's probability is made of: two probabilities whose product it is, each with the
    signs that add to its log-odds."""

    answerable: tuple[Witness, ...] = ()  # that any page answers the text
    first: tuple[Witness, ...] = ()  # that it is the first entry, if any does


@dataclass(frozen=True, slots=True)
class Ranking:
    """All that the matcher saw: the text as compared, its language, the candidates best first."""

    compared: str
    language: str | None  # of the question, None where nothing tells
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()  # what was left out or stood in: "no encoder", "too long: cut"
    answerable: float = 0.0  # how likely it is that any page answers it, where that is more than the first is


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From when on to answer and to offer, the same for every base but a small one: the probabilities are
    calibrated."""

    answer_above: float = 0.6  # that any page answers it: from here on it may be answered at once
    first_above: float = 0.8  # that it is the first page, if any
    offer_above: float = 0.35  # that any page answers it: below, it is "I don't know"
    margin: float = 0.15  # a difference of probabilities: a nearer runner-up is asked about


@dataclass(frozen=True, slots=True)
class Found:
    """One entry is meant."""

    ranking: Ranking
    reason: str

    @property
    def best(self) -> Candidate:
        return self.ranking.candidates[0]


@dataclass(frozen=True, slots=True)
class Unsure:
    """One of a few entries may be meant: offer them (one to three, best first)."""

    ranking: Ranking
    reason: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing in the knowledge answers this."""

    ranking: Ranking
    reason: str


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions in one text: the customer's words, and what they mean."""

    text: str
    match: Found | Unsure | Unknown


@dataclass(frozen=True, slots=True)
class Several:
    """More than one thing was asked (two or three, in the order asked); at least one is found."""

    ranking: Ranking  # of the whole text; its candidates are those of all the parts
    reason: str
    parts: tuple[Part, ...]

    @property
    def found(self) -> tuple[Found, ...]:
        return tuple(part.match for part in self.parts if isinstance(part.match, Found))

    @property
    def best(self) -> Candidate:
        """Of the first question that is answered."""
        return self.found[0].best


Match = Found | Unsure | Unknown | Several
Outcome = Literal["found", "unsure", "unknown"]


def outcome(match: Match) -> Outcome:
    """The word for a match that machines read; of several questions, one that is not sure counts."""
    if isinstance(match, Several):
        return "found" if len(match.found) == len(match.parts) else "unsure"
    if isinstance(match, Found):
        return "found"
    return "unsure" if isinstance(match, Unsure) else "unknown"


# --- what is answered -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """One way on that a customer can take by number, by its label or by other words."""

    label: str
    entry: str
    words: tuple[str, ...] = ()  # further words that mean the same


@dataclass(frozen=True, slots=True)
class Reply:
    """What to show and what to say. The channel decides which of the two."""

    text: str  # Markdown
    spoken: str  # plain words for a voice
    language: str
    entry: str | None = None
    choices: tuple[Choice, ...] = ()
    media: tuple[Media, ...] = ()
    also: tuple[str, ...] = ()  # further entries that the text answers from, where several were asked


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: what was said, what was meant, what was answered."""

    utterance: Utterance
    match: Match
    reply: Reply
    milliseconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Conversation:
    """What must be remembered between two turns; it goes into one pure function and comes out."""

    language: str | None = None  # of the last reply
    chosen_language: str | None = None  # asked for by the customer; wins over everything
    choices: tuple[Choice, ...] = ()  # on offer now
    waiting: bool = False  # an `Ask` waits for one of the choices
    last_reply: Reply | None = None

    def with_language(self, language: str) -> Conversation:
        """The same conversation, from now on in a language the customer asked for."""
        return replace(self, chosen_language=language, language=language)


# --- what is found out about this machine ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    name: str  # "microphone"
    state: Literal["ok", "note", "problem"]  # note: it works, with something to know
    fact: str
    hint: str = ""
