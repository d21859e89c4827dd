"""Negation and opposites: a question is never answered from the entry that says the opposite."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.opposites import may_oppose, opposes, opposition, said
from assistant.matching.text import fold
from assistant.ports import Encoder
from assistant.values import Found, Match, Thresholds, Unknown, Unsure, Utterance
from tests.fakes import base, entry

OPTIONS = MatcherOptions(Thresholds(answer_above=0.55, offer_above=0.3, margin=0.15))
MOST = 0.6  # probability that the wrong twin may get
FOUND_SHARE = 0.95  # of the questions in other words
HELD_OUT_SHARE = 0.8  # of the pairs that the word lists were not made for


@dataclass(frozen=True, slots=True)
class Pair:
    """An entry, the entry that says the opposite, a question for that one, and one for the first."""

    name: str
    phrases: list[str]
    opposite: list[str]
    twin: str
    same: str


@cache
def pairs(language: str, file: str = "pairs") -> tuple[Pair, ...]:
    listed = tomllib.loads((Path(__file__).parent / "opposites" / f"{file}.toml").read_text("utf-8"))
    return tuple(Pair(name, **written) for name, written in listed[language].items())


def named() -> list[tuple[str, str]]:
    return [(language, pair.name) for language in ("de", "en") for pair in pairs(language)]


def asked(
    encoder: Encoder, language: str, listed: tuple[Pair, ...], sides: str, part: str
) -> dict[str, Match]:
    """Every pair's question, asked to one base of all the pairs; `sides` is "one" or "both"."""
    entries = [entry(pair.name, language, *pair.phrases) for pair in listed]
    if sides == "both":
        entries += [entry(f"{pair.name}-opposite", language, *pair.opposite) for pair in listed]
    matcher = Matcher(base(*entries, default_language=language), encoder, OPTIONS)
    matches = matcher.match_many([Utterance(getattr(pair, part)) for pair in listed])
    return dict(zip((pair.name for pair in listed), matches, strict=True))


@pytest.fixture(scope="module")
def twins(encoder: Encoder) -> dict[tuple[str, str], dict[str, Match]]:
    return {
        (tag, sides): asked(encoder, tag, pairs(tag), sides, "twin")
        for tag in ("de", "en")
        for sides in ("one", "both")
    }


def probability(match: Match, name: str) -> float:
    return max((c.probability for c in match.ranking.candidates if c.entry == name), default=0.0)


def is_withheld(match: Match, name: str) -> bool:
    answered = isinstance(match, Found) and match.best.entry == name
    return probability(match, name) <= MOST and not answered


# --- through the whole matcher -----------------------------------------------------------------


def test_there_are_many_pairs_of_each_language() -> None:
    assert min(len(pairs("de")), len(pairs("en"))) >= 40


@pytest.mark.parametrize(("language", "name"), named())
def test_what_has_no_answer_is_not_answered_from_the_opposite(
    twins: dict[tuple[str, str], dict[str, Match]], language: str, name: str
) -> None:
    assert is_withheld(twins[language, "one"][name], name)


@pytest.mark.parametrize(("language", "name"), named())
def test_beside_its_opposite_the_right_entry_is_answered_or_offered(
    twins: dict[tuple[str, str], dict[str, Match]], language: str, name: str
) -> None:
    match = twins[language, "both"][name]
    assert probability(match, name) <= MOST
    if isinstance(match, Found):
        assert match.best.entry == f"{name}-opposite"


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("sides", ["one", "both"])
def test_the_same_in_other_words_is_still_found(encoder: Encoder, language: str, sides: str) -> None:
    matches = asked(encoder, language, pairs(language), sides, "same")
    found = [name for name, match in matches.items() if isinstance(match, Found) and match.best.entry == name]
    assert len(found) >= FOUND_SHARE * len(matches), sorted(set(matches) - set(found))


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_lists_carry_to_pairs_they_were_not_made_for(encoder: Encoder, language: str) -> None:
    matches = asked(encoder, language, pairs(language, "held_out"), "one", "twin")
    withheld = [name for name, match in matches.items() if is_withheld(match, name)]
    assert len(withheld) >= HELD_OUT_SHARE * len(matches), sorted(set(matches) - set(withheld))


RETURNS = base(
    entry("return-item", "de", "Ich möchte etwas zurückgeben", "Wie gebe ich einen Artikel zurück?"),
    entry("keep-item", "de", "Ich möchte nichts zurückgeben", "Ich will die Ware behalten"),
    entry("opening-hours", "de", "Wann haben Sie geöffnet?", "Wie sind Ihre Öffnungszeiten?"),
    entry("payment", "de", "Wie kann ich bezahlen?", "Kann ich mit Karte zahlen?"),
)


def test_a_note_says_in_words_why_an_entry_was_held_back(encoder: Encoder) -> None:
    without_twin = base(*(each for each in RETURNS.entries if each.name != "keep-item"))
    asked = Utterance("ich will etwas nicht zurückgeben")
    match = Matcher(without_twin, encoder, OPTIONS).match(asked)
    assert "`return-item` is held back: the question says `nicht`, the phrase does not" in match.ranking.notes
    assert Matcher(RETURNS, encoder, OPTIONS).match(asked).ranking.candidates[0].entry == "keep-item"


@pytest.mark.parametrize("with_encoder", [True, False])
def test_the_reason_says_it_where_nothing_else_is_near(encoder: Encoder, with_encoder: bool) -> None:
    matcher = Matcher(
        base(*(e for e in RETURNS.entries if e.name != "keep-item"), default_language="de"),
        encoder if with_encoder else None,
        OPTIONS,
    )
    match = matcher.match(Utterance("Ich möchte etwas nicht zurückgeben"))
    assert isinstance(match, Unsure)
    assert match.reason == "the question says `nicht`, the phrase does not"


def test_what_is_held_back_leaves_the_others_as_likely_to_be_answered(encoder: Encoder) -> None:
    without_twin = base(*(each for each in RETURNS.entries if each.name != "keep-item"))
    ranking = (
        Matcher(without_twin, encoder, OPTIONS).match(Utterance("ich will etwas nicht zurückgeben")).ranking
    )
    assert ranking.answerable == pytest.approx(sum(c.probability for c in ranking.candidates), abs=0.02)


def test_however_low_the_threshold_the_opposite_is_not_answered(encoder: Encoder) -> None:
    knowledge = base(
        entry("open-account", "en", "How do I open an account?"), entry("parking", "en", "parking")
    )
    matcher = Matcher(
        knowledge, encoder, MatcherOptions(Thresholds(answer_above=0.3, offer_above=0.2, margin=0.0))
    )
    assert not isinstance(matcher.match(Utterance("How do I close an account?")), Found)


def test_a_question_of_the_base_is_answered_whatever_its_entry_says_besides(encoder: Encoder) -> None:
    knowledge = base(
        entry("account", "en", "How do I open an account?", "How do I close an account?"),
        entry("parking", "en", "Where can I park?"),
    )
    matcher = Matcher(knowledge, encoder, OPTIONS)
    for text in ("how do i open an account", "how do i close an account", "closing my account please"):
        match = matcher.match(Utterance(text))
        assert not isinstance(match, Unknown)
        assert match.ranking.candidates[0].entry == "account"
        assert not match.ranking.notes


def test_a_slip_that_is_mended_does_not_mend_the_opposite_away(encoder: Encoder) -> None:
    knowledge = base(
        entry("register", "de", "Ich möchte mich anmelden", "anmelden"),
        entry("parking", "de", "Wo kann ich parken?", "Gibt es einen Parkplatz?"),
        default_language="de",
    )
    match = Matcher(knowledge, encoder, OPTIONS).match(Utterance("ich möchte mich abmelden"))
    assert is_withheld(match, "register")


@pytest.mark.parametrize("with_encoder", [True, False])
def test_the_opposite_is_held_back_among_a_hundred_phrases_too(encoder: Encoder, with_encoder: bool) -> None:
    kinds = ["savings", "current", "joint", "student", "business", "second", "first", "new", "small", "free"]
    ways = [
        "online",
        "today",
        "by post",
        "at the desk",
        "by phone",
        "abroad",
        "at home",
        "for my son",
        "soon",
        "",
    ]
    phrases = [f"How do I open a {kind} account {way}".strip() for kind in kinds for way in ways]
    phrases.append("my mother has died, may I close what she had with you")
    knowledge = base(entry("open-account", "en", *phrases), entry("parking", "en", "Where can I park?"))
    matcher = Matcher(knowledge, encoder if with_encoder else None, OPTIONS)
    assert is_withheld(matcher.match(Utterance("how do i close a student account by phone")), "open-account")
    assert isinstance(matcher.match(Utterance("how do i open an account for students")), Found)
    # One of a hundred that says the opposite, and is not much like the question, holds nothing back.
    assert isinstance(matcher.match(Utterance("can i open a first account at the desk")), Found)


# --- by the words alone ------------------------------------------------------------------------

OPPOSED = [
    ("en", "can I not bring my dog", "Can I bring my dog?", "not", ""),
    ("en", "what can't I bring", "What can I bring?", "can't", ""),
    ("en", "I dont want to return it", "I want to return something", "dont", ""),
    ("en", "my card is working", "My card is not working", "", "not"),
    ("en", "please don't cancel my order", "cancel my order", "don't", ""),
    ("en", "do not cancel my order", "cancel my order", "not", ""),
    ("en", "how do I cancel my booking", "How do I book a table?", "cancel", "book"),
    ("en", "turn the heating off", "How do I turn on the heating?", "turn off", "turn on"),
    ("en", "a bus from the airport", "Is there a bus to the airport?", "from", "to"),
    ("en", "is this undrinkable", "Is this drinkable?", "undrinkable", "drinkable"),
    ("de", "ich will das nicht zurückgeben", "Ich möchte etwas zurückgeben", "nicht", ""),
    ("de", "Ich brauche keine Versicherung", "Ich brauche eine Versicherung", "keine", ""),
    ("de", "Wo steige ich aus?", "Wo kann ich einsteigen?", "steige aus", "einsteigen"),
    ("de", "Wie melde ich mich ab bei euch", "Wie melde ich mich an?", "melde ab", "melde an"),
    ("de", "Zimmer ohne Frühstück", "Zimmer mit Frühstück", "ohne", "mit"),
    ("de", "die Schuhe sind zu klein", "Die Schuhe sind zu groß", "klein", "groß"),
    ("de", "bitte nicht stornieren danke", "Bestellung bitte stornieren", "nicht", ""),
    ("de", "Schicken Sie mir bitte keine SMS", "SMS schicken", "keine", ""),
    ("ko", "창문을 열고 싶어요", "창문을 닫고 싶어요", "열고", "닫고"),
    ("ko", "반품하고 싶지 않아요", "반품하고 싶어요", "않아요", ""),
]  # fmt: skip

NOT_OPPOSED = [
    ("en", "Can't I pay by card?", "Can I pay by card?"),
    ("en", "can i not simply pay by card", "Can I pay by card?"),
    ("en", "why can't I log in", "How do I log in?"),
    ("en", "I can't log in", "How do I log in?"),
    ("en", "my card isn't working", "card does not work"),
    ("en", "my card is not working", "What can I do with a broken card?"),
    ("en", "not only on Sundays", "only on Sundays"),
    ("en", "I don't want my subscription any more", "Cancel my subscription"),
    ("en", "I do not have much time. How do I return it?", "How do I return something?"),
    ("en", "is the shop not open", "Is the shop closed?"),
    ("en", "when do you close", "When are you open?"),
    ("en", "how do I cancel what I booked", "cancel a booking"),
    ("en", "that is not true", "that is untrue"),
    ("en", "I have not received my parcel", "When will my parcel arrive?"),
    ("de", "Kann ich nicht einfach mit Karte zahlen?", "Kann ich mit Karte zahlen?"),
    ("de", "Haben Sie keine Parkplätze?", "Haben Sie Parkplätze?"),
    ("de", "Warum funktioniert es nicht?", "Wie funktioniert es?"),
    ("de", "Mein Paket ist nicht angekommen", "Wann kommt mein Paket an?"),
    ("de", "Ich möchte das Abo nicht mehr", "Abo kündigen"),
    ("de", "nicht nur am Sonntag", "am Sonntag"),
    ("de", "Wann schließt ihr?", "Wann habt ihr geöffnet?"),
    ("de", "Wo steige ich in ein Taxi aus dem Ausland ein", "Wo kann ich einsteigen?"),
    ("de", "Bis wann ist es nicht geschlossen?", "Bis wann ist es offen?"),
    ("fr", "je ne veux pas rendre ça", "je veux rendre ça"),
    ("de", "", "Wie funktioniert es?"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "phrase", "in_text", "in_phrase"), OPPOSED)
def test_the_opposite_is_told_by_its_words(
    language: str, text: str, phrase: str, in_text: str, in_phrase: str
) -> None:
    found = opposes(text, phrase, language)
    assert found is not None
    assert (found.in_text, found.in_phrase) == (in_text, in_phrase)
    assert all(f"`{word}`" in found.told() for word in (in_text, in_phrase) if word)


@pytest.mark.parametrize(("language", "text", "phrase"), NOT_OPPOSED)
def test_what_asks_the_same_is_no_opposite(language: str, text: str, phrase: str) -> None:
    assert opposes(text, phrase, language) is None
    assert opposes(phrase, text, language) is None


def test_a_german_question_is_compared_with_an_english_phrase() -> None:
    found = opposes("Wie kündige ich das Abo?", "How do I subscribe?", "de", "en")
    assert found is not None
    assert found.told() == "the question says `kündige`, the phrase `subscribe`"


@pytest.mark.parametrize("language", ["de", "en"])
def test_whatever_says_the_opposite_is_found_worth_a_closer_look(language: str) -> None:
    """Four hundred texts, each beside every other: one pair in ten says the opposite."""
    listed = [*pairs(language), *pairs(language, "held_out")]
    texts = [text for pair in listed for text in (*pair.phrases, *pair.opposite, pair.twin, pair.same)]
    taken_apart = [said(text, language) for text in texts]
    compared = [
        (one, text, other) for one in taken_apart for text, other in zip(texts, taken_apart, strict=True)
    ]
    opposed = [(one, text) for one, text, other in compared if opposition(one, other)]
    assert len(opposed) > len(texts)
    assert all(may_oppose(one, fold(text), language) for one, text in opposed)
    worth = sum(may_oppose(one, fold(text), language) for one, text, _ in compared)
    assert worth < len(compared) / 2  # else nothing is saved
