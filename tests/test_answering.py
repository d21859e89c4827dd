"""The assistant as a whole: one door, and knowledge that changes under it."""

from __future__ import annotations

from threading import Thread

import pytest
from fakes import SHOP, TODAY, FakePages, WordMatcher, base, entry

from assistant.answering import Assistant, Refreshed
from assistant.values import Conversation, Found, Place, Problem, Utterance

BROKEN = Problem("unknown-part", Place("en/shop.md", 3), "an unknown part")
LATER = base(entry("opening-hours", "en", "When are you open?", answer="Never."))


def assistant(pages: FakePages | None = None) -> Assistant:
    return Assistant(pages or FakePages(), WordMatcher, lambda: TODAY)


def test_a_question_gets_a_turn_with_its_match_its_reply_and_its_time() -> None:
    conversation, turn = assistant().answer(Conversation(), Utterance("when are you open"))
    assert isinstance(turn.match, Found)
    assert turn.reply.text == "We are open **9 to 5**."
    assert turn.milliseconds > 0
    assert conversation.last_reply == turn.reply


def test_a_guided_dialogue_goes_through_the_one_door() -> None:
    door = assistant()
    conversation, _ = door.answer(Conversation(), Utterance("I want a refund"))
    conversation, turn = door.answer(conversation, Utterance("the second one"))
    assert turn.reply.entry == "refund-desk"
    assert door.repeat(conversation)[1] == turn.reply


@pytest.mark.parametrize("also_heard", [(), ("when are you opening", "went are you open")])
def test_typed_and_heard_are_the_same_thing(also_heard: tuple[str, ...]) -> None:
    typed = assistant().answer(Conversation(), Utterance("when are you open"))
    heard = assistant().answer(Conversation(), Utterance("when are you open", also_heard=also_heard))
    assert heard[1].reply == typed[1].reply
    assert heard[0] == typed[0]


def test_changed_pages_are_taken_up_between_turns() -> None:
    door = assistant(FakePages(changes=[(LATER, ())]))
    assert door.refresh() == Refreshed(True)
    assert door.answer(Conversation(), Utterance("when are you open"))[1].reply.text == "Never."
    assert door.refresh() is None


def test_broken_pages_are_told_once_and_the_last_good_knowledge_stays() -> None:
    door = assistant(FakePages(changes=[(SHOP, (BROKEN,))]))
    matcher = door.matcher
    assert door.refresh() == Refreshed(False, (BROKEN,))
    assert door.refresh() is None
    assert door.matcher is matcher
    assert (
        door.answer(Conversation(), Utterance("when are you open"))[1].reply.text == "We are open **9 to 5**."
    )


def test_a_refresh_while_others_ask_mixes_no_two_states_of_the_knowledge() -> None:
    pages = FakePages(changes=[(LATER, ()), (SHOP, ())] * 50)
    door, answers = assistant(pages), set[str]()

    def ask() -> None:
        answers.update(
            door.answer(Conversation(), Utterance("when are you open"))[1].reply.text for _ in range(300)
        )

    threads = [Thread(target=ask), Thread(target=lambda: [door.refresh() for _ in range(100)])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers <= {"Never.", "We are open **9 to 5**."}


def test_the_assistant_has_sentences_of_its_own() -> None:
    assert assistant().own_sentence("greeting").text == "Hello, how can I help you?"
    assert assistant().own_sentence("not-understood").text == "I do not know that."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("person-please", "Somebody is coming."),
        ("start-over", "From the beginning."),
        ("help", "Ask me in your own words."),  # built in: the base has no such entry
        ("nothing-of-that-name", "I do not know that."),
    ],
)
def test_an_entry_is_opened_without_a_question(name: str, answer: str) -> None:
    after, reply = assistant().open_entry(Conversation(), name)
    assert reply.text.startswith(answer) and reply.spoken
    assert after.last_reply == reply


def test_an_entry_is_opened_in_the_language_of_the_conversation() -> None:
    german = Conversation().with_language("de")
    assert assistant().open_entry(german, "person-please")[1].text == "Es kommt jemand."
