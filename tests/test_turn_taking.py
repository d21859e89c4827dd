"""Has a customer begun, and have they finished? Cases of what is heard, second by second."""

from __future__ import annotations

import re

import pytest

from assistant.settings import ListeningSettings
from assistant.speech.hearing.turn_taking import TurnTaking, ending, is_beginning, is_whole

FRAME_SECONDS = 0.032
SETTINGS = ListeningSettings(
    pause_seconds=0.7,
    pause_after_question_seconds=0.4,
    pause_unfinished_seconds=1.6,
    longest_seconds=6.0,
    wait_seconds=4.0,
)
KNOWN = "when are you open"


def is_known(text: str, _language: str) -> bool:
    return text == KNOWN


def follow(turn: TurnTaking, story: str) -> tuple[str, float]:
    """Tell the turn a story, "quiet 1, speech 0.5, 'words', quiet 2": its stage, and when it came to that."""
    now = ended = 0.0
    stage = turn.stage
    for words, what, seconds in re.findall(r"'([^']*)'|(\w+) ([\d.]+)", story):
        if not what:
            turn.read(words, "en")
            continue
        for _ in range(round(float(seconds) / FRAME_SECONDS)):
            now += FRAME_SECONDS
            if turn.hear(what == "speech", FRAME_SECONDS) != stage:
                stage, ended = turn.stage, now
    return stage, ended


CASES = {
    "a pause of the ordinary length ends what was said": ("speech 1, quiet 3", "finished", 1.7),
    "a shorter pause does not": ("speech 1, quiet 0.6, speech 1, quiet 0.6", "speaking", 0.1),
    "the pause is counted from the last word": ("speech 1, quiet 0.6, speech 1, quiet 3", "finished", 3.3),
    "a question that the pages know ends sooner": (f"speech 1, '{KNOWN}', quiet 3", "finished", 1.4),
    "words understood late count as well": (f"speech 1, quiet 0.5, '{KNOWN}', quiet 1", "finished", 1.55),
    "words that cannot be all end later": ("speech 1, 'I would like to', quiet 3", "finished", 2.6),
    "a known question that goes on is no known question any more": (
        f"speech 1, '{KNOWN}', quiet 0.3, speech 0.5, '{KNOWN} on', quiet 3",
        "finished",
        3.4,
    ),
    "nobody speaks": ("quiet 5", "nobody spoke", 4.0),
    "clicks are no speech": ("quiet 1, speech 0.03, quiet 1, speech 0.03, quiet 4", "nobody spoke", 4.0),
    "a click does not lengthen a pause": ("speech 1, quiet 0.4, speech 0.03, quiet 2", "finished", 1.7),
    "a short word is a word": ("quiet 1, speech 0.1, quiet 2", "finished", 1.8),
    "who begins at the last moment is heard": ("quiet 3.95, speech 1, quiet 0.5", "speaking", 4.0),
    "who speaks for ever is interrupted": ("quiet 1, speech 9", "too long", 7.0),
    "pauses count to the longest time": (
        "speech 1, quiet 0.6, speech 2, quiet 0.6, speech 3",
        "too long",
        6.0,
    ),
}


@pytest.mark.parametrize(("story", "stage", "seconds"), CASES.values(), ids=CASES.keys())
def test_a_turn_ends_as_people_expect(story: str, stage: str, seconds: float) -> None:
    assert follow(TurnTaking(SETTINGS, is_known), story) == (stage, pytest.approx(seconds, abs=0.1))


SEEMS_OVER = {
    "a sentence and a pause": ("speech 1, 'do you sell bicycles', quiet 0.5", True),
    "people seldom end so, but they may": ("speech 1, 'what are you looking for', quiet 0.5", True),
    "nobody ends so": ("speech 1, 'I would like to', quiet 0.5", False),
    "the pause is too short to tell": ("speech 1, 'do you sell bicycles', quiet 0.3", False),
    "nothing has been read yet": ("speech 1, quiet 0.5", False),
    "they go on": ("speech 1, 'do you sell bicycles', quiet 0.5, speech 0.1", False),
    "nobody has spoken": ("quiet 1", False),
}


@pytest.mark.parametrize(("story", "seems_over"), SEEMS_OVER.values(), ids=SEEMS_OVER.keys())
def test_a_turn_seems_over_before_it_is(story: str, seems_over: bool) -> None:
    turn = TurnTaking(SETTINGS, is_known)
    follow(turn, story)
    assert turn.seems_over == seems_over
    assert turn.stage in ("speaking", "waiting")


def test_what_may_still_read_otherwise_never_seems_over() -> None:
    turn = TurnTaking(SETTINGS, is_known)
    follow(turn, "speech 1")
    turn.read("do you sell bicycles", "en", is_all=False)
    follow(turn, "quiet 0.5")
    assert not turn.seems_over


def test_while_a_key_is_held_nothing_seems_over() -> None:
    pushed = TurnTaking(SETTINGS, is_known, push=True)
    follow(pushed, "speech 1, 'do you sell bicycles', quiet 2")
    assert not pushed.seems_over


PUSHED = {
    "no pause ends it": ("speech 1, quiet 3", "speaking", 0.1),
    "not even after a known question": (f"speech 1, '{KNOWN}', quiet 3", "speaking", 0.1),
    "there is a longest time": ("speech 1, quiet 3, speech 4", "too long", 6.0),
    "thinking may last as long": ("quiet 5.5, speech 1", "speaking", 5.6),
    "and no longer": ("quiet 7", "nobody spoke", 6.0),
}


@pytest.mark.parametrize(("story", "stage", "seconds"), PUSHED.values(), ids=PUSHED.keys())
def test_while_a_key_is_held(story: str, stage: str, seconds: float) -> None:
    pushed = TurnTaking(SETTINGS, is_known, push=True)
    assert follow(pushed, story) == (stage, pytest.approx(seconds, abs=0.1))


@pytest.mark.parametrize(("story", "stage"), [("speech 1", "finished"), ("quiet 1", "nobody spoke")])
def test_letting_the_key_go_ends_it_at_once(story: str, stage: str) -> None:
    turn = TurnTaking(SETTINGS, is_known, push=True)
    follow(turn, story)
    assert turn.finish() == stage
    assert turn.hear(True, FRAME_SECONDS) == stage


def test_after_a_cough_the_rest_of_the_time_is_waited_for() -> None:
    turn = TurnTaking(SETTINGS, is_known)
    assert follow(turn, "quiet 1, speech 0.2, quiet 1")[0] == "finished"
    assert turn.wait_again() == "waiting"
    # 1.9 of 4 seconds had gone when the pause after the cough ended it.
    assert follow(turn, "quiet 3") == ("nobody spoke", pytest.approx(2.1, abs=0.1))


def test_coughs_without_end_do_not_hold_it_for_ever() -> None:
    turn = TurnTaking(SETTINGS, is_known)
    for _ in range(10):
        follow(turn, "speech 0.3, quiet 0.8")
        if turn.stage == "finished":
            turn.wait_again()
    assert turn.stage == "nobody spoke"


def test_the_pages_are_asked_once_a_text_and_only_in_a_pause() -> None:
    asked: list[str] = []

    def remember(text: str, _language: str) -> bool:
        asked.append(text)
        return False

    turn = TurnTaking(SETTINGS, remember)
    follow(turn, "speech 1, 'is', speech 1, 'is it open', quiet 0.3")
    assert asked == []
    follow(turn, "speech 0.5, 'is it open today', quiet 0.6")
    assert asked == ["is it open today"]


ENDINGS = {
    "en": {
        "never": (
            "I would like to",
            "do you have a",
            "the red one and",
            "my number is four seven",
            "Can I",
            "it is 4 7",
            "how do I",
            "I'd like",
        ),
        "seldom": ("what can I pay with", "where is it that I do this", "where do I go to"),
        "plain": ("when are you open", "where is room five", "I lost my receipt", "hello", "", "why not now"),
    },
    "de": {
        "never": (
            "ich möchte",
            "haben Sie einen",
            "Nummer vier sieben",
            "ich hätte gern",
            "kann ich mit der",
            "Brot und",
        ),
        "seldom": (
            "wann machen Sie auf",
            "was kostet das",
            "Was kostet das.",
            "welche Farben gibt es",
            "womit fängt man an",
        ),
        "plain": ("Wann haben Sie geöffnet", "wo ist die Toilette", "danke", "Danke. ", "Was kostet das?"),
    },
    "ko": {
        "never": ("저는", "그리고"),
        "seldom": ("영수증 을", "배송을", "환불하려고"),
        "plain": ("영업시간이 어떻게 되나요", "배송"),
    },
    "en-GB": {"never": ("I would like to",)},
    "fr": {"plain": ("je voudrais", "Où sont les toilettes ?"), "never": ("Je voudrais...", "Bonjour,")},
    "ja": {"never": ("すみません、",)},
}
SPOKEN_ENDINGS = [
    (language, text, kind)
    for language, kinds in ENDINGS.items()
    for kind, texts in kinds.items()
    for text in texts
]


@pytest.mark.parametrize(("language", "text", "kind"), SPOKEN_ENDINGS)
def test_how_unfinished_sentences_end(language: str, text: str, kind: str) -> None:
    assert ending(text, language) == kind


def test_a_known_question_may_end_in_a_word_that_others_go_on_after() -> None:
    story = "speech 1, 'what can I pay with', quiet 2"
    turn = TurnTaking(SETTINGS, lambda *_: True)
    assert follow(turn, story) == ("finished", pytest.approx(1.4, abs=0.1))
    turn = TurnTaking(SETTINGS, lambda *_: False)
    assert follow(turn, story) == ("finished", pytest.approx(2.6, abs=0.1))


@pytest.mark.parametrize(
    ("text", "phrase", "whole"),
    [
        ("when are you open", "When are you open?", True),
        ("do you have gift", "Do you have gift cards?", False),
        ("can i bring my dog along", "Are dogs allowed?", True),
        ("opening hours", "opening hours", True),
        ("선물", "선물 포장 되나요?", False),
        ("", "When are you open?", False),
    ],
)
def test_the_beginning_of_a_question_is_not_taken_for_the_whole(text: str, phrase: str, whole: bool) -> None:
    assert is_whole(text, phrase) is whole


@pytest.mark.parametrize(
    "text, begun",
    [
        ("are you open between", True),
        ("Are you open", False),  # a question of its own
        ("open between", False),
        ("are you open betw", False),
        ("are you open between christmas and new year", False),
        ("when do you shut", False),
        ("wann machen", True),
    ],
)
def test_who_says_the_first_words_of_a_longer_question_has_not_finished(text: str, begun: bool) -> None:
    phrases = ["Are you open?", "Are you open between Christmas and New Year?", "Wann machen Sie auf?"]
    assert is_beginning(text, phrases) is begun
