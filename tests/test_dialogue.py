"""The dialogue: choices, guided steps, repeating, and the language of the reply."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import SHOP, TODAY, arrow, base, entry, found, unknown, unsure
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.choosing import (
    taken_by_own_words,
    taken_by_part,
    taken_by_yes,
    taken_loosely,
    taken_surely,
)
from assistant.dialogue.replying import repeat, reply
from assistant.dialogue.short_answers import LAST, number_said
from assistant.values import (
    Candidate,
    Choice,
    Conversation,
    Found,
    Knowledge,
    Match,
    Page,
    Ranking,
    Reply,
    Utterance,
)

NEW = Conversation()
DOORS = (
    Choice("online", "refund-online", ("on the website",)),
    Choice("at the desk", "refund-desk", ("at the counter",)),
    Choice("mit Beleg", "with-receipt", ("영수증",)),
)


def say(
    text: str, match: Match, conversation: Conversation = NEW, knowledge: Knowledge = SHOP
) -> tuple[Conversation, Reply]:
    return reply(knowledge, conversation, Utterance(text), match, TODAY)


def asked(language: str | None = None) -> Conversation:
    """A conversation in which the refund dialogue waits for a choice."""
    return say("refund please now", found("refund", language=language))[0]


# --- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        ("2.", 2),
        ("#2", 2),
        ("２", 2),
        ("②", 2),
        ("two", 2),
        ("Number two, please", 2),
        ("the second one", 2),
        ("I'll take the 2nd", 2),
        ("one", 1),
        ("the first one please", 1),
        ("the last one", LAST),
        ("zwei", 2),
        ("die zweite", 2),
        ("das Zweite bitte", 2),
        ("ich nehme Nummer fünf", 5),
        ("die 2te", 2),
        ("das letzte", LAST),
        ("두 번째", 2),
        ("두번째 걸로 할게요", 2),
        ("2번", 2),
        ("이 번", 2),
        ("12", 12),
        ("I want two tickets", None),
        ("second hand goods", None),
        ("2:30", None),
        ("1234", None),
        ("eine Frage", None),
        ("", None),
        ("ich ich ich ich ich ich ich ich " * 50, None),
    ],
)
def test_a_number_is_understood_when_nothing_else_is_said(text: str, number: int | None) -> None:
    assert number_said(text) == number


# --- taking a choice --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "entry_taken"),
    [
        ("2", "refund-desk"),
        ("die dritte", "with-receipt"),
        ("the last one", "with-receipt"),
        ("ONLINE!", "refund-online"),
        ("at the counter", "refund-desk"),
        ("MIT BELEG", "with-receipt"),
        ("4", None),
        ("0", None),
        ("I bought it online", None),
        ("", None),
        ("yes", None),
    ],
)
def test_a_choice_is_surely_taken_by_its_number_or_its_words(text: str, entry_taken: str | None) -> None:
    taken = taken_surely(DOORS, text)
    assert (taken.entry if taken else None) == entry_taken


@pytest.mark.parametrize(
    ("text", "entry_taken"),
    [
        ("I bought it online", "refund-online"),
        ("onlien", "refund-online"),
        ("it was at the counter, I think", "refund-desk"),
        ("at teh desk", "refund-desk"),
        ("영수증이 있어요", "with-receipt"),
        ("online and at the desk", None),
        ("somewhere else", None),
        ("", None),
    ],
)
def test_a_choice_is_loosely_taken_where_only_its_words_are_in_the_text(
    text: str, entry_taken: str | None
) -> None:
    taken = taken_loosely(DOORS, text)
    assert (taken.entry if taken else None) == entry_taken


def test_of_two_choices_on_the_same_words_the_one_more_alike_is_taken() -> None:
    choices = (
        Choice("with receipt", "with"),
        Choice("without receipt", "without"),
        Choice("receipt", "short"),
    )
    assert taken_loosely(choices, "it is without receipt") == choices[1]


RECEIPT = (
    Choice("mit dem Kassenbon", "with", ("ich habe den Bon noch",)),
    Choice("ohne Kassenbon", "without", ("Bon verloren",)),
    Choice("online bestellt", "online", ("im Internet gekauft",)),
)


@pytest.mark.parametrize(
    ("text", "entry_taken"),
    [
        ("online", "online"),
        ("bestellt", "online"),
        ("den Bon habe ich noch", "with"),
        ("Kassenbon", None),
        ("ohne", "without"),
        ("den", None),
        ("online verloren", None),
        ("", None),
    ],
)
def test_a_choice_is_taken_by_a_part_of_its_words_that_no_other_has(
    text: str, entry_taken: str | None
) -> None:
    taken = taken_by_part(RECEIPT, text)
    assert (taken.entry if taken else None) == entry_taken


@pytest.mark.parametrize(
    ("text", "entry_taken"),
    [
        ("das habe ich online gekauft", "online"),
        ("der Kassenbon ist leider verloren", "without"),
        ("ich habe einen Kassenbon", None),
        ("online und verloren", None),
        ("etwas ganz anderes", None),
    ],
)
def test_a_choice_is_taken_by_words_of_its_own_among_others(text: str, entry_taken: str | None) -> None:
    taken = taken_by_own_words(RECEIPT, text)
    assert (taken.entry if taken else None) == entry_taken


def test_short_words_are_not_taken_for_misspelt_ones() -> None:
    assert taken_loosely((Choice("nein", "no"),), "ein Brot") is None


@pytest.mark.parametrize("text", ["yes", "Ja, bitte!", "네"])
def test_a_yes_takes_the_only_choice(text: str) -> None:
    assert taken_by_yes(DOORS[:1], text) == DOORS[0]
    assert taken_by_yes(DOORS, text) is None
    assert taken_by_yes((), text) is None


@given(st.text(), st.lists(st.text(min_size=1), max_size=4))
def test_any_text_whatever_may_be_held_against_choices(text: str, labels: list[str]) -> None:
    choices = tuple(Choice(label, "x") for label in labels)
    for take in (taken_surely, taken_loosely, taken_by_part, taken_by_yes, taken_by_own_words):
        assert take(choices, text) in (None, *choices)


# --- answering --------------------------------------------------------------------------------


def test_a_found_entry_is_answered_for_screen_and_voice() -> None:
    conversation, given_reply = say("When are you open?", found("opening-hours"))
    assert (given_reply.text, given_reply.spoken) == ("We are open **9 to 5**.", "We are open 9 to 5.")
    assert (given_reply.entry, given_reply.language) == ("opening-hours", "en")
    assert conversation == Conversation("en", None, (), False, given_reply)


def test_a_spoken_answer_is_said_as_its_editor_wrote_it() -> None:
    assert say("Where can I park?", found("parking"))[1].spoken == "Behind the shop, on the left."


def test_what_is_typed_and_what_is_heard_get_the_same_reply() -> None:
    typed = Utterance("it was onlien")
    heard = Utterance("it was onlien", also_heard=("hit was on line",))
    assert reply(SHOP, asked(), typed, unknown(), TODAY) == reply(SHOP, asked(), heard, unknown(), TODAY)


def test_other_readings_of_the_same_sound_may_take_a_choice() -> None:
    heard = Utterance("at the dusk", also_heard=("at a disk", "at the desk"))
    assert reply(SHOP, asked(), heard, unknown(), TODAY)[1].entry == "refund-desk"


def test_unsure_offers_choices_by_their_first_question_and_tells_the_voice_too() -> None:
    conversation, given_reply = say("open park", unsure("opening-hours", "parking"))
    assert [choice.label for choice in given_reply.choices] == ["When are you open?", "Where can I park?"]
    assert given_reply.spoken == "Did you mean this? When are you open? Where can I park?"
    assert given_reply.entry is None and not conversation.waiting
    assert say("2", unknown(), conversation)[1].entry == "parking"


def test_an_offer_without_a_translation_is_labelled_in_the_default_language() -> None:
    given_reply = say("offen oder parken", unsure("opening-hours", "parking", language="de"))[1]
    assert [choice.label for choice in given_reply.choices] == [
        "Wann haben Sie geöffnet?",
        "Where can I park?",
    ]


def test_the_assistants_own_sentences_are_never_offered() -> None:
    own = Page("en/_assistant.md", "en", "Own", (entry("hello", "en", "hello there"),))
    shop = Knowledge.of("", "en", (*SHOP.pages, own))
    one = reply(shop, NEW, Utterance("yes"), unsure("hello", "parking"), TODAY)[1]
    assert [choice.entry for choice in one.choices] == ["parking"]
    none = reply(shop, NEW, Utterance("yes"), unsure("hello"), TODAY)[1]
    assert none.text == "I do not know that."


def test_unknown_is_said_honestly_and_offers_a_person() -> None:
    conversation, given_reply = say("what is the capital of France", unknown())
    assert (given_reply.text, given_reply.entry) == ("I do not know that.", None)
    assert given_reply.choices == (Choice("I want to talk to a person", "person-please"),)
    assert say("yes please", unknown(), conversation)[1].text == "Somebody is coming."


def test_the_ways_on_that_an_editor_wrote_come_before_the_person() -> None:
    lost = entry("not-understood", "en", answer="Hm.", next=(arrow("What can I ask?", "help"),))
    knowledge = base(lost, entry("person-please", "en", "A person"), entry("help", "en", answer="Anything."))
    assert say("x", unknown(), knowledge=knowledge)[1].choices == (Choice("What can I ask?", "help"),)


def test_an_okay_after_an_answer_takes_none_of_its_suggestions() -> None:
    conversation = say("2", unknown(), asked())[0]
    assert len(conversation.choices) == 1
    assert say("okay", unknown(), conversation)[1].entry is None


def test_unknown_offers_nobody_where_the_base_has_no_such_entry() -> None:
    knowledge = base(entry("a", "en", "A?", answer="A."))
    given_reply = say("x", unknown(), knowledge=knowledge)[1]
    assert given_reply.choices == ()
    assert given_reply.text.startswith("I am sorry")


def test_an_answer_past_its_date_is_not_given() -> None:
    given_reply = say("is there a sale", found("sale"))[1]
    assert given_reply.text == "That is over."
    assert given_reply.entry == "sale"
    last_day = reply(SHOP, NEW, Utterance("sale"), found("sale"), TODAY.replace(month=5, day=31))[1]
    assert last_day.text == "Half price."


def test_an_arrow_that_leads_nowhere_is_answered_honestly() -> None:
    conversation = Conversation("en", choices=(Choice("gone", "gone-entry"),))
    assert say("gone", unknown(), conversation)[1].text == "I do not know that."


# --- guided dialogue --------------------------------------------------------------------------


def test_a_guided_dialogue_shows_its_answer_and_waits_for_a_choice() -> None:
    conversation, given_reply = say("I want a refund", found("refund"))
    assert given_reply.text == "No problem.\n\nDid you buy it online or at the desk?"
    assert given_reply.spoken == "No problem. Did you buy it online or at the desk?"
    assert [choice.label for choice in given_reply.choices] == ["online", "at the desk"]
    assert conversation.waiting


@pytest.mark.parametrize(
    ("text", "match", "entry_answered"),
    [
        ("1", unknown(), "refund-online"),
        ("the second one", unknown(), "refund-desk"),
        ("on the website", found("parking", 0.99), "refund-online"),
        ("I bought it online", found("parking", 0.8), "refund-online"),
        ("can I park online", found("parking", 0.99), "parking"),
        ("where can I park", found("parking", 0.8), "parking"),
        ("start over", found("start-over", 0.6), "start-over"),
        ("through the internet", unsure("refund-online", "parking"), "refund-online"),
        ("your website", unknown(), "refund-online"),
        ("the desk", found("parking", 0.6), "refund-desk"),
        ("the website is broken", found("parking", 0.8), "parking"),
    ],
)
def test_a_waiting_dialogue_takes_a_choice_and_lets_people_leave(
    text: str, match: Match, entry_answered: str
) -> None:
    conversation, given_reply = say(text, match, asked())
    assert given_reply.entry == entry_answered
    assert not conversation.waiting


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("perhaps", unknown()),
        ("park", unsure("parking", "opening-hours")),
        ("park", found("parking", 0.6)),
        ("3", unknown()),
        ("", unknown()),
        ("online or at the desk", unknown()),
    ],
)
def test_a_waiting_dialogue_asks_again_when_it_cannot_place_the_words(text: str, match: Match) -> None:
    before = asked()
    conversation, given_reply = say(text, match, before)
    assert given_reply.text == "Please choose."
    assert given_reply.spoken == "Please choose. online. at the desk."
    assert (given_reply.choices, conversation.waiting) == (before.choices, True)


def test_next_only_suggests() -> None:
    conversation, given_reply = say("2", unknown(), asked())
    assert [choice.label for choice in given_reply.choices] == ["When are you open?"]
    assert not conversation.waiting
    assert say("where can I park", found("parking", 0.6), conversation)[1].entry == "parking"
    assert say("what is love", unknown(), conversation)[1].text == "I do not know that."
    assert say("1", unknown(), conversation)[1].entry == "opening-hours"


def test_a_number_beyond_the_choices_shows_them_again() -> None:
    conversation = say("open park", unsure("opening-hours", "parking"))[0]
    again, given_reply = say("3", unknown(), conversation)
    assert (given_reply.text, given_reply.choices) == ("Please choose.", conversation.choices)
    assert not again.waiting


# --- entries that behave ----------------------------------------------------------------------


def test_repeat_says_the_last_reply_again_and_keeps_the_choices() -> None:
    conversation, first = say("I want a refund", found("refund"))
    again, second = say("say that again", found("repeat"), conversation)
    assert second == first
    assert again == conversation
    assert repeat(SHOP, conversation, TODAY) == (conversation, first)


def test_repeat_after_a_change_of_language_answers_in_the_new_one() -> None:
    conversation = say("When are you open?", found("opening-hours"))[0].with_language("de")
    again, given_reply = repeat(SHOP, conversation, TODAY)
    assert given_reply.text == "Wir haben von **9 bis 17 Uhr** geöffnet."
    assert again.language == "de"


def test_repeat_with_nothing_said_yet_says_so() -> None:
    assert say("say that again", found("repeat"))[1].text == "I have not said anything yet."


def test_starting_over_forgets_the_choices_and_the_chosen_language() -> None:
    conversation = asked().with_language("de")
    fresh, given_reply = say("bitte ganz von vorne", found("start-over", language="de"), conversation)
    assert (fresh.choices, fresh.chosen_language, fresh.waiting) == ((), None, False)
    assert fresh.last_reply == given_reply
    assert given_reply.text == "Fangen wir von vorne an. Wie kann ich helfen?"


# --- language ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "question", "conversation", "language"),
    [
        ("Wann haben Sie offen?", "de", NEW, "de"),
        ("Wann haben Sie offen?", "de", Conversation("en"), "de"),
        ("Wann haben Sie offen?", "de", NEW.with_language("en"), "en"),
        ("Wann haben Sie offen?", "de-AT", NEW, "de"),
        ("Wann?", "de", Conversation("en"), "en"),
        ("Wann?", "de", NEW, "de"),
        ("Quand est-ce ouvert?", "fr", NEW, "en"),
        ("Quand est-ce ouvert?", "fr", Conversation("de"), "de"),
        ("the opening hours", None, Conversation("de"), "de"),
        ("the opening hours", None, NEW, "en"),
        ("parking", None, Conversation("de"), "de"),
        ("the opening hours", "en", NEW.with_language("xx"), "en"),
    ],
)
def test_the_language_of_the_reply(
    text: str, question: str | None, conversation: Conversation, language: str
) -> None:
    after, given_reply = say(text, found("opening-hours", language=question), conversation)
    assert (given_reply.language, after.language) == (language, language)


def test_one_word_in_another_script_is_enough_to_change_the_language() -> None:
    knowledge = base(entry("a", "en", "A?", answer="A."), entry("a", "ko", "가?", answer="가."))
    assert say("배송", found("a", language="ko"), Conversation("en"), knowledge)[1].language == "ko"
    assert say("배송", found("a"), Conversation("en"), knowledge)[1].language == "ko"
    assert say("배송", unknown(), NEW, knowledge)[0].language == "ko"


def test_where_the_question_tells_no_language_the_nearest_wording_does() -> None:
    knowledge = base(entry("a", "en", "A?", answer="A."), entry("a", "ko", "가?", answer="가."))
    nearest = Candidate("a", 0.9, "ko", "가?")
    match = Found(Ranking("", None, (nearest,)), "clear")
    assert say("parking", match, NEW, knowledge)[1].language == "ko"
    assert say("반품", match, Conversation("en"), knowledge)[1].language == "ko"
    assert say("wifi parking", match, Conversation("en"), knowledge)[1].language == "en"


@pytest.mark.parametrize("text", ["1", "die zweite", "online"])
def test_taking_a_choice_never_changes_the_language(text: str) -> None:
    after, given_reply = say(text, unknown("en"), asked("de"))
    assert (given_reply.language, after.language) == ("de", "de")


def test_an_entry_without_a_translation_is_answered_in_the_default_language_and_says_so() -> None:
    after, given_reply = say("Wo kann ich parken?", found("parking", language="de"))
    assert given_reply.text == "Das kann ich nur in einer anderen Sprache sagen:\n\nBehind the shop."
    assert (given_reply.spoken, given_reply.language) == ("Behind the shop, on the left.", "en")
    assert after.language == "de"


def test_own_sentences_come_from_the_page_of_the_language_before_the_built_in_ones() -> None:
    assert say("kein Wort davon", unknown("de"))[1].text.startswith("Das weiß ich leider nicht.")
    assert say("vielleicht doch nicht", unknown("de"), asked("de"))[1].text == "Bitte wählen Sie."


def test_replies_are_values_and_change_nothing() -> None:
    conversation = asked()
    before = replace(conversation)
    assert say("1", unknown(), conversation) == say("1", unknown(), conversation)
    assert conversation == before


@given(st.text(max_size=80), st.sampled_from([found("refund"), unsure("parking"), unknown("de")]))
def test_any_words_in_any_state_get_a_reply_that_can_be_shown_and_said(text: str, match: Match) -> None:
    for conversation in (NEW, asked(), say("a b", unsure("parking", "refund"))[0]):
        after, given_reply = say(text, match, conversation)
        assert given_reply.text and given_reply.spoken
        assert after.choices == given_reply.choices
