"""The kiosk as a state machine: what it does when, and that nobody ever finds it stuck."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kiosk_fakes import FakeEar, FakeMouth

from assistant.channels.kiosk.states import new_kiosk, step
from assistant.channels.kiosk.values import (
    Act,
    Adjust,
    Answer,
    Answered,
    AnswerFailed,
    AttendStop,
    EarIs,
    EarNumbered,
    EarTold,
    End,
    Equipped,
    Finish,
    Forget,
    Happening,
    Key,
    Kiosk,
    Listen,
    MakeReady,
    MouthNumbered,
    MouthTold,
    Note,
    OpenEntry,
    Own,
    Play,
    Pressed,
    Quit,
    Refresh,
    Repeat,
    Rest,
    Rules,
    Say,
    Started,
    State,
    StopVoice,
    Tick,
    Typed,
    Words,
)
from assistant.events import (
    EarEvent,
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    MouthEvent,
    NothingSaid,
    SpeechBegan,
    StopSaid,
    VoiceEnded,
    VoiceFailed,
    VoiceStarted,
)
from assistant.values import Choice, Conversation, Heard, Reply, Utterance

RULES = Rules(("en", "de"))
PUSH = replace(RULES, mode="push")
CHOICES = (Choice("online", "refund-online"), Choice("at the desk", "refund-desk"))
REPLY = Reply("We are **open**.", "We are open.", "en", "opening-hours")
ASKING = Reply("Where did you buy it?", "Where did you buy it?", "en", "refund", CHOICES)


@dataclass
class World:
    """A kiosk with an ear and a mouth that do as they are told, and are watched while they do."""

    kiosk: Kiosk
    now: float = 0.0
    ear: str = ""  # what it was told to do and has not come to the end of
    is_saying: bool = False
    number: int = 0
    done: list[Act] = field(default_factory=list)
    asked: list[Act] = field(default_factory=list)  # what an answer is awaited for

    @classmethod
    def started(cls, rules: Rules = RULES) -> World:
        world = cls(new_kiosk(rules))
        world.happen(Started())
        return world

    def happen(self, happening: Happening, seconds: float = 0.0) -> list[Act]:
        """What is done, in order."""
        self.now += seconds
        was_ended = self.kiosk.state is State.ENDED
        self.kiosk, acts = step(self.kiosk, happening, self.now)
        assert not (was_ended and acts)
        for act in acts:
            self._do(act)
        self._check()
        self.done = list(acts)
        return self.done

    def _do(self, act: Act) -> None:
        told: Happening | None = None
        self.number += 1
        match act:
            case Listen():
                assert not self.is_saying, "it would hear itself"
                self.ear, told = "listening", EarNumbered(self.number)
            case AttendStop():
                self.ear, told = "attending", EarNumbered(self.number)
            case Finish():
                assert self.ear == "listening"
            case Rest() | End():
                self.ear = ""
            case Say():
                assert self.ear != "listening", "it would hear itself"
                self.is_saying, told = True, MouthNumbered(self.number)
            case StopVoice():
                self.is_saying = False
            case Answer() | OpenEntry() | Repeat():
                self.asked.append(act)
            case _:
                pass
        if told:
            self.kiosk, more = step(self.kiosk, told, self.now)
            assert not more

    def _check(self) -> None:
        kiosk = self.kiosk
        assert self.ear == ("" if kiosk.ear is EarIs.CLOSED else str(kiosk.ear))
        assert self.is_saying == (kiosk.saying is not None)
        if kiosk.state is State.LISTENING:
            assert self.ear == "listening"
        if kiosk.state is State.SPEAKING:
            assert self.is_saying
        if kiosk.state is State.ENDED:
            assert not self.ear and not self.is_saying

    # --- what an ear, a mouth and an assistant do ----------------------------------------------

    def hear(self, event: EarEvent) -> list[Act]:
        is_end = isinstance(event, NothingSaid | HearingFailed) or (isinstance(event, Heard) and event.final)
        if is_end and self.ear == "listening":
            self.ear = ""
        return self.happen(EarTold(self.kiosk.ear_number or 0, event))

    def say(self, event: MouthEvent) -> list[Act]:
        if isinstance(event, VoiceEnded | VoiceFailed):
            self.is_saying = False
        return self.happen(MouthTold(self.kiosk.mouth_number or 0, event))

    def answer(self, reply: Reply = REPLY, *portions: str) -> list[Act]:
        conversation = Conversation("en", None, reply.choices, bool(reply.choices), reply)
        said = portions or (reply.spoken,)
        return self.happen(Answered(self.kiosk.turn, conversation, reply, said))

    def ask(self, text: str = "when are you open") -> list[Act]:
        return self.hear(Heard(text, "en"))

    def answered(self, reply: Reply = REPLY) -> World:
        """A customer has asked something and was told the answer."""
        self.ask()
        self.answer(reply)
        self.say(VoiceEnded())
        return self

    def wait(self, seconds: int) -> set[State]:
        """Nothing happens but time; the states that are passed through."""
        states = set()
        for _ in range(seconds):
            self.happen(Tick(), 1.0)
            states.add(self.kiosk.state)
        return states


def told(acts: list[Act]) -> list[str]:
    """The own sentences among the acts."""
    return [act.saying.name for act in acts if isinstance(act, Say) and isinstance(act.saying, Own)]


# --- a conversation -----------------------------------------------------------------------------


def test_it_listens_as_soon_as_it_is_switched_on() -> None:
    world = World.started()
    assert world.kiosk.state is State.IDLE
    assert Listen(("en", "de")) in world.done and Refresh() in world.done


def test_whoever_speaks_sees_the_words_and_is_answered_aloud() -> None:
    world = World.started()
    world.hear(SpeechBegan())
    world.hear(Heard("when are", "en", final=False))
    assert (world.kiosk.state, world.kiosk.heard, world.kiosk.is_heard_out) == (
        State.LISTENING,
        "when are",
        False,
    )
    acts = world.hear(Heard("when are you open", "en", ("when are you often",)))
    utterance = Utterance("when are you open", "en", ("when are you often",), is_heard=True)
    assert acts == [Play("heard"), Answer(world.kiosk.turn, Conversation("en"), utterance)]
    assert str(world.kiosk.state) == "thinking"
    words = Words("We are open.", "en")
    assert world.answer() == [AttendStop(words), Say(words)]
    assert world.kiosk.reply == REPLY
    world.say(VoiceStarted())
    assert world.say(VoiceEnded()) == [Listen(("en", "de"))]
    assert world.kiosk.state is State.LISTENING


def test_what_seems_to_be_all_is_made_ready_and_answered_when_it_is() -> None:
    world = World.started()
    heard = Heard("when are you open", "en", ("when are you often",))
    (ready,) = world.hear(HeardOut(heard))
    assert (world.kiosk.state, world.kiosk.is_heard_out) == (State.LISTENING, True)
    assert [MakeReady(act) for act in world.hear(heard) if isinstance(act, Answer)] == [ready]


def test_whoever_goes_on_is_listened_to() -> None:
    world = World.started()
    world.hear(HeardOut(Heard("when are you open", "en")))
    assert not world.hear(Heard("when are you open", "en", final=False))
    assert (world.kiosk.state, world.kiosk.is_heard_out) == (State.LISTENING, False)
    assert not world.asked


@pytest.mark.parametrize("text", ["stop", "louder", "say that again"])
def test_a_command_that_seems_to_be_all_is_not_obeyed_before_it_is(text: str) -> None:
    world = World.started().answered()
    before = world.kiosk
    assert not world.hear(HeardOut(Heard(text, "en")))
    assert (world.kiosk.volume, world.kiosk.conversation) == (before.volume, before.conversation)


def test_what_is_told_of_an_earlier_listening_or_saying_is_old_news() -> None:
    world = World.started()
    number = world.kiosk.ear_number or 0
    world.ask()
    before = world.kiosk
    assert not world.happen(EarTold(number, Heard("something else", "en")))
    assert not world.happen(MouthTold(number, VoiceEnded()))
    assert not world.happen(Answered(before.turn - 1, Conversation(), REPLY, ("late",)))
    assert world.kiosk == before
    world.answer()
    assert not world.happen(MouthTold(-1, VoiceEnded()))
    assert world.kiosk.state is State.SPEAKING


@pytest.mark.parametrize("key", ["1", "2"])
def test_a_choice_is_taken_by_its_number(key: str) -> None:
    world = World.started().answered(ASKING)
    world.happen(Key(key))
    assert world.asked[-1] == Answer(world.kiosk.turn, world.kiosk.conversation, Utterance(key))
    assert world.kiosk.heard == CHOICES[int(key) - 1].label


def test_a_number_that_is_no_choice_asks_nothing() -> None:
    world = World.started().answered(ASKING)
    asked = len(world.asked)
    world.happen(Key("7"))
    assert len(world.asked) == asked


def test_a_question_that_is_not_understood_is_told_by_a_sound_too() -> None:
    world = World.started()
    world.ask()
    acts = world.happen(Answered(world.kiosk.turn, Conversation(), REPLY, ("No.",), is_understood=False))
    assert acts[0] == Play("not-understood")


def test_an_answer_that_fails_is_said_kindly() -> None:
    world = World.started()
    world.ask()
    assert told(world.happen(AnswerFailed(world.kiosk.turn, "broken"))) == ["something-wrong"]


def test_a_long_answer_is_said_in_portions_with_a_question_between() -> None:
    world = World.started()
    world.ask()
    assert world.answer(REPLY, "First.", "Second.", "Third.")[-1] == Say(Words("First.", "en"))
    assert told(world.say(VoiceEnded())) == ["shall-i-go-on"]
    world.say(VoiceEnded())
    assert world.kiosk.asks_to_go_on
    assert world.hear(Heard("yes", "en"))[-1] == Say(Words("Second.", "en"))
    world.say(VoiceEnded())
    world.say(VoiceEnded())
    assert world.happen(Key("enter"))[-1] == Say(Words("Third.", "en"))
    world.say(VoiceEnded())
    assert (world.kiosk.state, world.kiosk.asks_to_go_on) == (State.LISTENING, False)


@pytest.mark.parametrize(
    "event", [NothingSaid(), Heard("no", "en"), Heard("nein danke", "de"), Heard("아니요", "ko")]
)
def test_the_rest_of_a_long_answer_is_left_out_where_nobody_wants_it(event: EarEvent) -> None:
    world = World.started()
    world.ask()
    world.answer(REPLY, "First.", "Second.")
    world.say(VoiceEnded())
    world.say(VoiceEnded())
    assert world.hear(event)[-1] == Listen(("en", "de"))
    assert not world.kiosk.portions


# --- interrupting -------------------------------------------------------------------------------


def speaking(rules: Rules = RULES) -> World:
    world = World.started(rules)
    if rules.mode == "push":
        world.happen(Key("space"))
    world.ask()
    world.answer(ASKING, "First.", "Second.")
    return world


@pytest.mark.parametrize("key", ["space", "escape", "touch", "x", "enter", "f9"])
def test_any_key_silences_the_voice_and_listens(key: str) -> None:
    world = speaking()
    acts = world.happen(Key(key))
    assert acts.index(StopVoice()) < acts.index(Listen(("en", "de")))
    assert world.kiosk.state is State.LISTENING and not world.kiosk.portions


def test_a_word_that_stops_silences_the_voice_and_listens() -> None:
    world = speaking()
    assert world.hear(StopSaid("stop")) == [StopVoice(), Listen(("en", "de"))]


def test_without_stop_words_the_ear_is_closed_while_it_speaks() -> None:
    world = speaking(replace(RULES, stop_by_voice=False))
    assert world.kiosk.ear is EarIs.CLOSED and world.kiosk.state is State.SPEAKING


@pytest.mark.parametrize(
    ("key", "act"),
    [
        ("r", Repeat),
        ("h", OpenEntry),
        ("n", OpenEntry),
        ("p", OpenEntry),
        ("1", Answer),
    ],
)
def test_a_key_that_wants_something_silences_the_voice_and_does_it(key: str, act: type[Act]) -> None:
    world = speaking()
    acts = world.happen(Key(key))
    assert acts[0] == StopVoice() and isinstance(acts[-1], act)


# --- what works everywhere ----------------------------------------------------------------------


def worlds() -> dict[str, World]:
    thinking, listening, hearing, asking = (World.started() for _ in range(4))
    thinking.ask()
    listening.answered()
    hearing.answered()
    hearing.hear(SpeechBegan())
    asking.ask()
    asking.answer(REPLY, "First.", "Second.")
    asking.say(VoiceEnded())
    asking.say(VoiceEnded())
    ready = World.started(PUSH)
    ready.happen(Key("space"))
    ready.answered()
    return {
        "idle": World.started(),
        "idle, push": World.started(PUSH),
        "thinking": thinking,
        "listening": listening,
        "hearing": hearing,
        "asking to go on": asking,
        "speaking": speaking(),
        "ready": ready,
    }


EVERYWHERE = ["help", "start over", "a person please", "again"]
ENTRIES = {"help": "help", "start over": "start-over", "a person please": "person-please"}


@pytest.mark.parametrize("words", EVERYWHERE)
@pytest.mark.parametrize("where", worlds())
def test_commands_work_in_every_state_by_voice_and_by_key(where: str, words: str) -> None:
    keys = {"help": "h", "start over": "n", "a person please": "p", "again": "r"}
    for happening in (Typed(words), Key(keys[words])):
        world = worlds()[where]
        act = world.happen(happening)[-1]
        talk = replace(world.kiosk.conversation, language="en")  # that of the screen
        if words == "again":
            assert act == Repeat(world.kiosk.turn, talk)
        else:
            assert act == OpenEntry(world.kiosk.turn, talk, ENTRIES[words])


@pytest.mark.parametrize("where", worlds())
def test_stop_works_in_every_state(where: str) -> None:
    for happening in (Typed("stop"), Key("escape")):
        world = worlds()[where]
        world.happen(happening)
        if isinstance(happening, Typed) and "speaking" not in where and "thinking" not in where:
            assert told(world.done) in (["stopped"], [])
            world.wait(1)
        if world.kiosk.state is State.SPEAKING:
            world.say(VoiceEnded())
        assert world.kiosk.state in (State.IDLE, State.LISTENING, State.READY)
        assert not world.kiosk.portions and not world.is_saying


def test_spoken_commands_are_commands() -> None:
    world = World.started().answered()
    assert world.hear(Heard("again", "en"))[-1] == Repeat(world.kiosk.turn, world.kiosk.conversation)


def test_slower_changes_the_rate_and_says_the_last_answer_again() -> None:
    world = World.started().answered()
    acts = world.hear(Heard("slower please", "en"))
    assert acts[1:] == [Adjust(1.0, 140), Repeat(world.kiosk.turn, world.kiosk.conversation)]


def test_louder_goes_only_as_far_as_it_goes_and_says_so() -> None:
    world = World.started(replace(RULES, volume=0.7))
    assert Adjust(0.9, 165) in world.happen(Key("+")) and told(world.done) == ["louder"]
    world.say(VoiceEnded())
    assert Adjust(1.0, 165) in world.happen(Key("+"))
    world.say(VoiceEnded())
    assert told(world.happen(Key("+"))) == ["no-further"]


def test_a_key_for_the_voice_does_not_interrupt_it() -> None:
    world = speaking()
    assert world.happen(Key("-")) == [Adjust(0.8, 165)]
    assert (world.kiosk.state, world.kiosk.notice) == (State.SPEAKING, "quieter")


# --- silence ------------------------------------------------------------------------------------


def test_an_empty_room_is_told_nothing() -> None:
    world = World.started()
    assert world.hear(NothingSaid()) == [Listen(("en", "de"))]
    world.hear(SpeechBegan())
    assert not told(world.hear(NothingSaid()))
    assert world.kiosk.state is State.IDLE


def test_whoever_asked_to_be_heard_and_says_nothing_is_told_once() -> None:
    world = World.started()
    world.happen(Key("space"))
    assert told(world.hear(NothingSaid())) == ["nobody-spoke"]
    world.say(VoiceEnded())
    assert Forget() in world.hear(NothingSaid())
    assert world.kiosk.state is State.IDLE


def test_after_an_answer_silence_is_allowed() -> None:
    world = World.started().answered()
    assert world.hear(NothingSaid()) == [Listen(("en", "de"))]


def test_a_question_that_waits_is_recalled_once() -> None:
    world = World.started().answered(ASKING)
    assert told(world.hear(NothingSaid())) == ["nobody-spoke"]
    world.say(VoiceEnded())
    assert not told(world.hear(NothingSaid()))


def test_after_a_while_without_a_customer_everything_is_forgotten() -> None:
    world = World.started().answered(ASKING)
    world.happen(Key("-"))
    world.answer()
    world.say(VoiceEnded())
    world.wait(59)
    assert world.kiosk.conversation.last_reply
    world.happen(Tick(), 1.0)
    assert Forget() in world.done and Adjust(1.0, 165) in world.done
    assert (world.kiosk.state, world.kiosk.conversation) == (State.IDLE, Conversation())
    assert (world.kiosk.heard, world.kiosk.reply, world.kiosk.volume) == ("", None, 1.0)


def test_an_answer_that_takes_long_is_announced_and_given_up_in_the_end() -> None:
    world = World.started()
    world.ask()
    world.wait(2)
    assert told(world.happen(Tick(), 1.0)) == ["one-moment"]
    world.say(VoiceEnded())
    assert world.kiosk.state is State.THINKING
    world.wait(60)
    assert world.kiosk.notice == "something-wrong"


# --- what breaks --------------------------------------------------------------------------------


def test_a_lost_microphone_leaves_keys_and_typing() -> None:
    world = World.started().answered()
    assert told(world.hear(MicrophoneLost("gone", "plug it in"))) == ["microphone-lost"]
    assert (world.kiosk.ear_note, world.kiosk.typed) == (Note("gone", "plug it in"), "")
    for key in ["w", "h", "y", "space", "n", "o", "backspace"]:
        world.happen(Key(key))
    assert world.kiosk.typed == "why n"
    world.happen(Key("enter"))
    assert world.asked[-1] == Answer(world.kiosk.turn, world.kiosk.conversation, Utterance("why n"))
    world.answer()
    world.hear(MicrophoneBack())
    assert world.kiosk.ear_note is None


def test_a_microphone_that_is_back_is_not_called_lost_any_longer() -> None:
    world = World.started().answered()
    world.hear(MicrophoneLost("gone"))
    world.say(VoiceEnded())
    world.hear(MicrophoneBack())
    assert (world.kiosk.notice, world.kiosk.typed, world.kiosk.ear) == ("", None, EarIs.LISTENING)


def test_an_empty_room_is_not_told_that_the_microphone_is_lost() -> None:
    world = World.started()
    assert not told(world.hear(MicrophoneLost("gone")))
    assert world.kiosk.state is State.IDLE and world.kiosk.is_deaf


def test_a_recognizer_that_breaks_again_and_again_is_left_alone_for_a_while() -> None:
    world = World.started().answered()
    assert told(world.hear(HearingFailed("broken"))) == ["say-again"]
    world.say(VoiceEnded())
    world.hear(HearingFailed("broken"))
    assert (world.kiosk.state, world.kiosk.ear) == (State.READY, EarIs.CLOSED)
    world.wait(10)
    assert world.kiosk.ear is EarIs.LISTENING
    world.hear(Heard("when", "en", final=False))
    assert world.kiosk.ear_note is None


def test_where_no_voice_can_speak_the_text_is_enough_and_the_screen_says_so() -> None:
    world = speaking()
    acts = world.say(VoiceFailed("no voice", "install one"))
    assert acts == [Listen(("en", "de"))]
    assert world.kiosk.mouth_note == Note("no voice", "install one")


def test_a_kiosk_without_ear_and_mouth_answers_what_is_typed() -> None:
    world = World.started(replace(RULES, can_hear=False, can_speak=False))
    for key in ["o", "k", "enter"]:
        world.happen(Key(key))
    world.answer()
    assert (world.kiosk.state, world.kiosk.reply) == (State.READY, REPLY)
    assert not [act for act in world.done if isinstance(act, Say | Listen | AttendStop)]


def test_a_mouth_that_never_ends_is_silenced() -> None:
    world = speaking()
    assert State.LISTENING in world.wait(62)
    assert world.kiosk.mouth_note


@pytest.mark.parametrize("rules", [RULES, PUSH], ids=["open", "push"])
def test_whoever_has_begun_to_speak_is_heard_out_however_slow_the_recognizer_is(rules: Rules) -> None:
    world = World.started(replace(rules, idle_seconds=5.0))
    world.happen(Key("space"))
    world.hear(SpeechBegan())
    assert world.wait(40) == {State.LISTENING}, "a busy machine reads long after it has listened"
    world.ask("when are you open")
    assert [act.utterance.text for act in world.asked if isinstance(act, Answer)] == ["when are you open"]


def test_an_ear_that_tells_no_end_of_what_somebody_says_keeps_nobody_here() -> None:
    world = World.started(replace(RULES, idle_seconds=5.0)).answered()
    world.hear(SpeechBegan())
    assert State.IDLE in world.wait(60)


# --- push to talk -------------------------------------------------------------------------------


def test_a_key_begins_to_listen_and_ends_it() -> None:
    world = World.started(PUSH)
    assert world.kiosk.ear is EarIs.CLOSED
    assert world.happen(Key("space")) == [Play("listening"), Listen(("en", "de"), push=True)]
    world.hear(SpeechBegan())
    assert world.happen(Key("space")) == [Finish()]
    world.ask()
    world.answer()
    world.say(VoiceEnded())
    assert (world.kiosk.state, world.kiosk.ear) == (State.READY, EarIs.CLOSED)


def test_a_customer_who_leaves_without_the_second_touch_is_not_listened_to_any_longer() -> None:
    world = World.started(replace(PUSH, idle_seconds=20.0))
    world.happen(Key("space"))
    world.wait(19)
    assert Rest() in world.happen(Tick(), 1.0)
    assert (world.kiosk.state, world.ear) == (State.IDLE, "")


def test_the_key_interrupts_and_listens_at_once() -> None:
    world = speaking(PUSH)
    assert world.happen(Key("space")) == [StopVoice(), Play("listening"), Listen(("en", "de"), push=True)]


# --- languages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["l", "f2"])
def test_a_language_is_chosen_by_key_and_then_heard_alone(key: str) -> None:
    world = World.started()
    assert world.happen(Key(key)) == [Listen(("de",))]
    assert (world.kiosk.state, world.kiosk.language) == (State.IDLE, "de")
    world.wait(60)
    assert world.kiosk.language == "en"


def test_the_answer_on_the_screen_is_said_again_in_the_language_chosen() -> None:
    world = World.started().answered()
    act = world.happen(Key("l"))[-1]
    assert isinstance(act, Repeat) and act.conversation.chosen_language == "de"


def test_starting_over_keeps_the_language_chosen() -> None:
    world = World.started()
    world.happen(Key("f2"))
    world.happen(Key("n"))
    world.answer()
    assert world.kiosk.conversation.chosen_language == "de"


def test_one_language_is_nothing_to_choose_from() -> None:
    world = World.started(Rules(("en",)))
    world.happen(Key("l"))
    assert world.kiosk.conversation.chosen_language is None


def test_a_language_that_cannot_be_heard_is_typed_and_one_that_can_is_heard_alone() -> None:
    world = World.started(replace(RULES, languages=("de", "en", "ko"), heard=("en", "ko")))
    assert world.kiosk.is_deaf and not world.ear
    world.happen(Key("f2"))
    assert world.done[-1] == Listen(("en",)) and not world.kiosk.is_deaf
    world.answered()
    world.happen(Key("f1"))
    world.answer(replace(REPLY, language="de"))
    world.say(VoiceEnded())
    assert world.kiosk.is_deaf and not world.ear and world.kiosk.state is State.READY


def test_before_a_language_is_chosen_all_that_can_be_heard_are() -> None:
    world = World.started(replace(RULES, languages=("en", "de", "ko"), heard=("en", "ko")))
    assert Listen(("en", "ko")) in world.done


# --- what comes later ---------------------------------------------------------------------------

EAR, MOUTH = FakeEar(lambda *_: None), FakeMouth(lambda *_: None)
DEAF_AND_DUMB = replace(RULES, can_hear=False, can_speak=False)


def test_an_ear_and_a_mouth_that_come_later_are_used_at_once() -> None:
    world = World.started(DEAF_AND_DUMB)
    assert world.happen(Equipped(EAR, MOUTH)) == [Adjust(1.0, 165), Listen(("en", "de"))]
    assert world.kiosk.state is State.IDLE and not world.kiosk.is_deaf
    world.ask()
    assert world.answer() == [AttendStop(Words("We are open.", "en")), Say(Words("We are open.", "en"))]


def test_whoever_reads_an_answer_is_listened_to_as_soon_as_an_ear_comes() -> None:
    world = World.started(DEAF_AND_DUMB)
    world.happen(Typed("when are you open"))
    world.answer()
    assert world.happen(Equipped(EAR)) == [Listen(("en", "de"))]
    assert world.kiosk.state is State.LISTENING and world.kiosk.reply == REPLY


def test_an_ear_that_comes_while_it_speaks_does_not_interrupt_it() -> None:
    world = World.started(replace(RULES, can_hear=False))
    world.happen(Typed("when are you open"))
    world.answer()
    assert not world.happen(Equipped(EAR)) and world.is_saying
    assert world.say(VoiceEnded()) == [Listen(("en", "de"))]


def test_why_no_ear_comes_is_told_on_the_screen() -> None:
    world = World.started(DEAF_AND_DUMB)
    assert not world.happen(Equipped(ear_note=Note("all seats are taken")))
    assert world.kiosk.ear_note == Note("all seats are taken") and world.kiosk.state is State.IDLE
    world.happen(Equipped(EAR, MOUTH))
    assert world.kiosk.ear_note is None


def test_a_button_is_not_meant_for_the_input_line() -> None:
    world = World.started(replace(RULES, can_hear=False))
    world.happen(Pressed("h"))
    assert isinstance(world.done[-1], OpenEntry) and world.kiosk.typed == ""
    world.answer(ASKING)
    world.say(VoiceEnded())
    world.happen(Pressed("2"))
    assert world.kiosk.heard == "at the desk"


# --- typing -------------------------------------------------------------------------------------


def test_a_line_is_typed_and_given_up() -> None:
    world = World.started()
    world.happen(Key("enter"))
    for key in ["r", "escape"]:
        world.happen(Key(key))
    assert world.kiosk.typed is None and not world.asked


def test_what_is_half_typed_survives_what_is_said_meanwhile() -> None:
    typing = World.started(PUSH)
    typing.happen(Key("enter"))
    typing.happen(Key("w"))
    typing.hear(MicrophoneLost("gone"))
    typing.happen(Typed("help"))
    typing.answer()
    typing.say(VoiceEnded())
    assert typing.kiosk.typed == "w"


def test_a_long_text_is_cut() -> None:
    world = World.started()
    world.happen(Typed("x" * 5000))
    act = world.asked[-1]
    assert isinstance(act, Answer) and len(act.utterance.text) == 300


# --- the end ------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", worlds())
def test_it_ends_in_every_state_and_does_nothing_after(where: str) -> None:
    world = worlds()[where]
    assert world.happen(Quit())[-1] == End()
    for happening in (Key("space"), Tick(), Typed("hello"), Started()):
        assert not world.happen(happening)


# --- at random ----------------------------------------------------------------------------------

HEARD = ["when are you open", "yes", "no", "stop", "again", "slower please", "louder", "", "start over", "1"]
ear_events = st.one_of(
    st.builds(Heard, st.sampled_from(HEARD), st.just("en"), final=st.booleans()),
    st.builds(HeardOut, st.builds(Heard, st.sampled_from(HEARD), st.just("en"))),
    st.sampled_from(
        [
            SpeechBegan(),
            NothingSaid(),
            StopSaid("stop"),
            MicrophoneLost("gone"),
            MicrophoneBack(),
            HearingFailed("broken"),
        ]
    ),
)
mouth_events = st.sampled_from([VoiceStarted(), VoiceEnded(), VoiceEnded(True), VoiceFailed("broken")])
keys = st.sampled_from([*"12rhnp+-sflxq?", "space", "enter", "escape", "backspace", "touch", "f2", "up"])
moments = st.one_of(
    st.tuples(st.just("ear"), ear_events),
    st.tuples(st.just("old ear"), ear_events),
    st.tuples(st.just("mouth"), mouth_events),
    st.tuples(st.just("old mouth"), mouth_events),
    st.tuples(st.just("key"), keys),
    st.tuples(st.just("button"), keys),
    st.tuples(st.just("typed"), st.sampled_from(HEARD)),
    st.tuples(st.just("equipped"), st.builds(Equipped, st.sampled_from([None, EAR]), st.just(MOUTH))),
    st.tuples(st.just("answer"), st.sampled_from([REPLY, ASKING])),
    st.tuples(st.just("long answer"), st.just(REPLY)),
    st.tuples(st.just("fail"), st.just("broken")),
    st.tuples(st.just("tick"), st.floats(0, 100)),
)
all_rules = st.builds(
    Rules,
    languages=st.sampled_from([("en",), ("en", "de", "ko")]),
    heard=st.sampled_from([(), ("en",), ("de", "ko")]),
    mode=st.sampled_from(["push", "open"]),
    idle_seconds=st.sampled_from([5.0, 60.0]),
    stop_by_voice=st.booleans(),
    can_hear=st.booleans(),
    can_speak=st.booleans(),
)


def walk(world: World, moment: tuple[str, object]) -> None:
    kind, what = moment
    match kind, what:
        case "ear", event if world.ear:
            world.hear(event)  # type: ignore[arg-type]
        case "old ear", event:
            world.happen(EarTold(-1, event))  # type: ignore[arg-type]
        case "mouth", event if world.is_saying:
            world.say(event)  # type: ignore[arg-type]
        case "old mouth", event:
            world.happen(MouthTold(-1, event))  # type: ignore[arg-type]
        case "key", str(name):
            world.happen(Key(name))
        case "button", str(name):
            world.happen(Pressed(name))
        case "equipped", Equipped() as equipped:
            world.happen(equipped)
        case "typed", str(text):
            world.happen(Typed(text))
        case "answer", Reply() as reply:
            world.answer(reply)
        case "long answer", Reply() as reply:
            world.answer(reply, "One.", "Two.", "Three.")
        case "fail", str(fact):
            world.happen(AnswerFailed(world.kiosk.turn, fact))
        case "tick", float(seconds):
            world.happen(Tick(), seconds)


def is_forgotten(world: World) -> bool:
    return world.kiosk.state is State.IDLE and world.kiosk.conversation == Conversation()


@settings(max_examples=150, deadline=None)
@given(all_rules, st.lists(moments, max_size=40), st.booleans())
def test_from_everywhere_it_finds_back_to_its_invitation(
    rules: Rules, path: list[tuple[str, object]], is_answering: bool
) -> None:
    """Every state is left in time, with an ear and a mouth that tell nothing and with ones that do."""
    world = World.started(rules)
    for moment in path:
        walk(world, moment)
    for _ in range(900):
        world.happen(Tick(), 1.0)
        if is_answering and world.is_saying:
            world.say(VoiceEnded())
        elif is_answering and world.ear == "listening" and world.now % 8 < 1:
            world.hear(NothingSaid())
        if is_forgotten(world):
            break
    assert is_forgotten(world)
    assert not world.kiosk.heard and world.kiosk.reply is None
    world.happen(Quit())
    for moment in path:
        walk(world, moment)  # after the end nothing is done: `happen` sees to it
