"""Stand-ins for tests: a small base, pages that change, a matcher that counts words, matches made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from assistant.matching.text import fold, words
from assistant.values import (
    Arrow,
    Ask,
    Candidate,
    Entry,
    Found,
    Knowledge,
    Match,
    Page,
    Phrase,
    Place,
    Problem,
    Ranking,
    Signs,
    Thresholds,
    Unknown,
    Unsure,
    Utterance,
)

TODAY = date(2026, 6, 1)
_HERE = Place("test.md", 1)


def entry(name: str, language: str = "en", *questions: str, **parts: object) -> Entry:
    phrases = tuple(Phrase(question, _HERE) for question in questions)
    return Entry(name, language, _HERE, phrases, **parts)  # type: ignore[arg-type]


def arrow(words_written: str, target: str) -> Arrow:
    return Arrow(tuple(word.strip() for word in words_written.split(",")), target, _HERE)


def base(*entries: Entry, default_language: str = "en") -> Knowledge:
    """The entries as pages; own sentences go on `_assistant.md`, like in a real base."""
    languages = dict.fromkeys(entry.language for entry in entries)
    pages = (
        Page(f"{language}/test.md", language, "Test", tuple(e for e in entries if e.language == language))
        for language in languages
    )
    return Knowledge.of("", default_language, tuple(pages))


SHOP = base(
    entry("opening-hours", "en", "When are you open?", "opening hours", answer="We are open **9 to 5**."),
    entry(
        "opening-hours", "de", "Wann haben Sie geöffnet?", answer="Wir haben von **9 bis 17 Uhr** geöffnet."
    ),
    entry(
        "refund",
        "en",
        "I want a refund",
        answer="No problem.",
        ask=Ask(
            "Did you buy it online or at the desk?",
            (
                arrow("online, on the website", "refund-online"),
                arrow("at the desk, at the counter", "refund-desk"),
            ),
        ),
    ),
    entry(
        "refund",
        "de",
        "Ich möchte mein Geld zurück",
        ask=Ask(
            "Haben Sie im Internet oder im Laden gekauft?",
            (arrow("im Internet, online", "refund-online"), arrow("im Laden", "refund-desk")),
        ),
    ),
    entry("refund-online", "en", answer="Send it back."),
    entry("refund-online", "de", answer="Schicken Sie es zurück."),
    entry("refund-desk", "en", answer="Bring it back.", next=(arrow("When are you open?", "opening-hours"),)),
    entry("refund-desk", "de", answer="Bringen Sie es zurück."),
    entry(
        "parking",
        "en",
        "Where can I park?",
        answer="Behind the shop.",
        spoken_answer="Behind the shop, on the left.",
    ),
    entry("sale", "en", "Is there a sale?", answer="Half price.", valid_until=date(2026, 5, 31)),
    entry("person-please", "en", "I want to talk to a person", answer="Somebody is coming."),
    entry("person-please", "de", "Ich möchte mit einem Menschen sprechen", answer="Es kommt jemand."),
    entry("repeat", "en", "say that again"),
    entry("start-over", "en", "start over", answer="From the beginning."),
    entry("not-understood", "en", answer="I do not know that."),
    entry("did-you-mean", "en", answer="Did you mean this?"),
    entry("choose-one", "en", answer="Please choose."),
    entry("choose-one", "de", answer="Bitte wählen Sie."),
    entry("outdated", "en", answer="That is over."),
)


def ranking(*candidates: tuple[str, float], language: str | None = None) -> Ranking:
    return Ranking("", language, tuple(Candidate(name, p, language or "en", name) for name, p in candidates))


def found(name: str, probability: float = 0.95, language: str | None = None) -> Found:
    return Found(ranking((name, probability), language=language), "clear")


def unsure(*names: str, language: str | None = None) -> Unsure:
    return Unsure(ranking(*((name, 0.4) for name in names), language=language), "close", names)


def unknown(language: str | None = None) -> Unknown:
    return Unknown(ranking(language=language), "nothing")


@dataclass
class FakePages:
    """Pages whose changes are written down beforehand."""

    knowledge: Knowledge = SHOP
    problems: tuple[Problem, ...] = ()
    changes: list[tuple[Knowledge, tuple[Problem, ...]]] = field(default_factory=list)

    def refresh(self) -> bool:
        if not self.changes:
            return False
        self.knowledge, self.problems = self.changes.pop(0)
        return True


class WordMatcher:
    """A matcher that counts shared words: enough for telling entries of a small base apart."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self.notes: tuple[str, ...] = ()
        self.thresholds = Thresholds(answer_above=0.6, offer_above=0.3, margin=0.0)

    def match(self, utterance: Utterance, language: str | None = None) -> Match:
        ranked = Ranking(
            fold(utterance.text), utterance.language or language, self._candidates(utterance.text)
        )
        best = ranked.candidates[0].probability if ranked.candidates else 0.0
        if best >= 0.6:
            return Found(ranked, "most of the words are the same")
        if best >= 0.3:
            return Unsure(
                ranked, "some of the words are the same", tuple(c.entry for c in ranked.candidates[:3])
            )
        return Unknown(ranked, "hardly a word is the same")

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]:
        return [self.match(utterance) for utterance in utterances]

    def signs(self, _utterance: Utterance) -> Signs:
        return Signs()

    def _candidates(self, text: str) -> tuple[Candidate, ...]:
        asked = set(words(fold(text)))
        best: dict[str, Candidate] = {}
        for one in self._knowledge.entries:
            for phrase in one.questions:
                known = set(words(fold(phrase.text)))
                shared = len(asked & known) / max(len(asked | known), 1)
                if one.name not in best or best[one.name].probability < shared:
                    best[one.name] = Candidate(one.name, shared, one.language, phrase.text)
        return tuple(sorted(best.values(), key=lambda candidate: -candidate.probability))
