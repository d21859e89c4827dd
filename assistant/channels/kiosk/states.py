"""The kiosk as a state machine: (kiosk, what happens, when) -> (kiosk, what it does). No clock, no I/O."""

from __future__ import annotations

from dataclasses import replace

from assistant.channels.kiosk.customer import on_button, on_key, understand, understand_typed
from assistant.channels.kiosk.moves import Move, input_line, is_fresh
from assistant.channels.kiosk.values import (
    Act,
    Adjust,
    Answer,
    Answered,
    AnswerFailed,
    EarIs,
    EarNumbered,
    EarTold,
    End,
    Equipped,
    Happening,
    Key,
    Kiosk,
    MakeReady,
    MouthNumbered,
    MouthTold,
    Note,
    Own,
    Play,
    Pressed,
    Quit,
    Refresh,
    Rules,
    Saying,
    Started,
    State,
    Tick,
    Typed,
    Words,
)
from assistant.events import (
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    NothingSaid,
    SpeechBegan,
    StopSaid,
    VoiceEnded,
    VoiceFailed,
    VoiceStarted,
)
from assistant.values import Heard, Utterance

_ONE_MOMENT_SECONDS = 3.0  # of silence make people ask whether they were heard
_THINK_SECONDS = 60.0  # an answer takes milliseconds; pages just changed may make it wait
_VOICE_SECONDS = 60.0  # a voice may take to begin, and to say a sentence of the assistant's own
_SLOWEST_LETTERS_A_SECOND = 4  # of a voice at 80 words a minute, the slowest that can be set
_EAR_SECONDS = 15.0  # beyond its own limits; an ear silent for longer is asked again
_RETRY_SECONDS = 10.0  # between two tries with a recognizer that failed
_REFRESH_SECONDS = 10.0  # between two looks for changed pages while nobody is here


def new_kiosk(rules: Rules) -> Kiosk:
    """A kiosk that has not been switched on yet."""
    kiosk = Kiosk(rules, volume=rules.volume, words_a_minute=rules.words_a_minute)
    return replace(kiosk, typed=input_line(kiosk))


def step(kiosk: Kiosk, happening: Happening, now_seconds: float) -> tuple[Kiosk, tuple[Act, ...]]:
    """What becomes of the kiosk, and what it does, in this order; after its end nothing does anything."""
    move = Move(kiosk, now_seconds)
    if kiosk.state is not State.ENDED:
        _happen(move, happening)
    return move.kiosk, tuple(move.acts)


def _happen(move: Move, happening: Happening) -> None:
    match happening:
        case Started():
            move.do(Adjust(move.kiosk.volume, move.kiosk.words_a_minute))
            move.idle()
        case EarNumbered(number):
            move.set(ear_number=number if move.kiosk.ear is not EarIs.CLOSED else None)
        case MouthNumbered(number):
            move.set(mouth_number=number if move.kiosk.saying else None)
        case EarTold():
            _on_ear(move, happening)
        case MouthTold(number) if number == move.kiosk.mouth_number:
            _on_mouth(move, happening)
        case Key(name):
            on_key(move, name)
        case Pressed(name):
            on_button(move, name)
        case Typed(text):
            understand_typed(move, text)
        case Answered() | AnswerFailed():
            if happening.turn == move.kiosk.turn and move.kiosk.state is State.THINKING:
                _on_answer(move, happening)
        case Equipped():
            _equip(move, happening)
        case Tick():
            _on_tick(move)
        case Quit():
            _quit(move)


def _quit(move: Move) -> None:
    move.hush()
    move.close_ear()
    move.set(state=State.ENDED)
    move.do(End())


def _equip(move: Move, equipped: Equipped) -> None:
    """What has come is used from the next turn on, or at once where the customer's turn it is."""
    rules = move.kiosk.rules
    can_hear = rules.can_hear or equipped.ear is not None
    can_speak = rules.can_speak or equipped.mouth is not None
    by_voice = rules.stop_by_voice if equipped.stop_by_voice is None else equipped.stop_by_voice
    move.set(
        rules=replace(rules, can_hear=can_hear, can_speak=can_speak, stop_by_voice=by_voice),
        ear_note=equipped.ear_note,
        mouth_note=equipped.mouth_note,
    )
    if equipped.mouth is not None:
        move.do(Adjust(move.kiosk.volume, move.kiosk.words_a_minute))
    if equipped.ear is None:
        return
    move.set(typed=move.kiosk.typed or input_line(move.kiosk))
    if move.kiosk.state is State.IDLE:
        move.wait_for_anybody()
    elif move.kiosk.state is State.READY:
        move.customers_turn()


# --- the ear --------------------------------------------------------------------------------


def _on_ear(move: Move, told: EarTold) -> None:
    event = told.event
    if isinstance(event, MicrophoneLost):  # true whatever the ear is doing
        _lose_microphone(move, Note(event.fact, event.hint))
    elif isinstance(event, MicrophoneBack):
        _find_microphone(move)
    elif told.number == move.kiosk.ear_number:
        if move.kiosk.ear is EarIs.ATTENDING:
            _on_attending(move, told)
        else:
            _on_listening(move, told)


def _on_attending(move: Move, told: EarTold) -> None:
    if isinstance(told.event, StopSaid):
        move.see_customer()
        move.set(turn=move.kiosk.turn + 1, portions=(), expects=True)
        move.customers_turn()


def _on_listening(move: Move, told: EarTold) -> None:
    match told.event:
        case SpeechBegan():
            _hear(move, "")
        case Heard(text=text, final=False):
            _hear(move, text)
        case HeardOut(heard):
            _hear_out(move, heard)
        case Heard() as heard:
            move.ear_closed()
            move.set(failures=0, ear_note=None)
            if heard.text.strip():
                move.see_customer()
                move.set(heard=heard.text, is_heard_out=True)
                move.do(Play("heard"))
                understand(move, _utterance(heard))
            else:
                _nothing_said(move)
        case NothingSaid():
            move.ear_closed()
            _nothing_said(move)
        case HearingFailed(fact, hint):
            move.ear_closed()
            _fail_to_hear(move, Note(fact, hint))


def _hear(move: Move, text: str) -> None:
    move.see_customer()
    notice = move.kiosk.notice if move.kiosk.asks_to_go_on else ""
    move.set(heard=text, is_heard_out=False, is_spoken_to=True, notice=notice, ear_note=None)
    if move.kiosk.state is State.IDLE:
        move.set(state=State.LISTENING)


def _hear_out(move: Move, heard: Heard) -> None:
    """What would be answered if this were all is made ready: they may still go on."""
    _hear(move, heard.text)
    foreseen = Move(move.kiosk, move.now)
    understand(foreseen, _utterance(heard))
    move.set(is_heard_out=True)
    move.do(*(MakeReady(act) for act in foreseen.acts if isinstance(act, Answer)))


def _utterance(heard: Heard) -> Utterance:
    return Utterance(heard.text, heard.language or None, heard.also_heard, is_heard=True)


def _nothing_said(move: Move) -> None:
    """A kind sentence for whoever was expected to speak; none for an empty room."""
    kiosk = move.kiosk
    if kiosk.state is State.IDLE:
        move.wait_for_anybody()
        return
    move.forget_words()
    if kiosk.asks_to_go_on:
        move.set(portions=(), expects=False, notice="")
        move.customers_turn()
    elif kiosk.expects:
        move.set(expects=False)
        move.tell("nobody-spoke")
    elif kiosk.conversation.last_reply is None:
        move.idle()
    else:
        move.customers_turn()


def _fail_to_hear(move: Move, note: Note) -> None:
    """Once it may be chance; then the screen says so, and the recognizer is tried again later."""
    move.set(failures=move.kiosk.failures + 1)
    move.forget_words()
    if move.kiosk.failures == 1 and move.kiosk.state is not State.IDLE:
        move.do(Play("not-understood"))
        move.tell("say-again")
        return
    move.set(ear_note=note, typed=move.kiosk.typed or "", ear_since_seconds=move.now)
    if move.kiosk.state is not State.IDLE:
        move.set(state=State.READY)


def _lose_microphone(move: Move, note: Note) -> None:
    is_news = move.kiosk.ear_note is None
    move.set(ear_note=note, typed=move.kiosk.typed or "")
    if is_news and move.kiosk.state in (State.LISTENING, State.READY):
        move.forget_words()
        move.tell("microphone-lost")


def _find_microphone(move: Move) -> None:
    if move.kiosk.ear_note:
        notice = "" if move.kiosk.notice == "microphone-lost" else move.kiosk.notice
        move.set(ear_note=None, typed=move.kiosk.typed or None, notice=notice)


# --- the mouth and the answer -----------------------------------------------------------------


def _on_mouth(move: Move, told: MouthTold) -> None:
    match told.event:
        case VoiceStarted():
            move.set(mouth_note=None)
        case VoiceEnded():
            _said(move)
        case VoiceFailed(fact, hint):
            move.set(mouth_note=Note(fact, hint), portions=())  # all of it is on the screen
            _said(move)


def _said(move: Move) -> None:
    """What was being said is over: what comes next?"""
    said = move.kiosk.saying
    move.set(saying=None, mouth_number=None)
    if move.kiosk.state is State.THINKING:  # it was "one moment"
        move.close_ear()
        return
    if isinstance(said, Words):
        move.see_customer()  # nobody may be taken for gone while being answered
        move.set(expects=move.kiosk.conversation.waiting)
    if isinstance(said, Words) and move.kiosk.portions:
        move.tell("shall-i-go-on")
    else:
        move.customers_turn()


def _on_answer(move: Move, answered: Answered | AnswerFailed) -> None:
    move.hush()
    move.see_customer()
    if isinstance(answered, AnswerFailed):
        move.do(Play("not-understood"))
        move.tell("something-wrong")
        return
    after, chosen = answered.conversation, move.kiosk.conversation.chosen_language
    if chosen and not after.chosen_language:  # starting over is no reason to change the language
        after = replace(after, chosen_language=chosen)
    if not answered.is_understood:
        move.do(Play("not-understood"))
    first, rest = answered.portions[:1], answered.portions[1:]
    move.set(conversation=after, reply=answered.reply, portions=rest, notice="")
    if first:
        move.speak(Words(first[0], answered.reply.language))
    else:
        move.customers_turn()


# --- time -----------------------------------------------------------------------------------


def _on_tick(move: Move) -> None:
    kiosk = move.kiosk
    match kiosk.state:
        case State.THINKING:
            _think_on(move)
        case State.SPEAKING:
            if move.now - kiosk.since_seconds >= _longest(kiosk.saying):
                _give_up_voice(move)
        case State.READY | State.LISTENING if _is_left(move):
            move.idle()
        case State.IDLE:
            _wait_on(move)
        case _:
            _listen_on(move)


def _is_left(move: Move) -> bool:
    forgets_at = move.kiosk.forgets_at_seconds
    return forgets_at is not None and move.now >= forgets_at


def _think_on(move: Move) -> None:
    kiosk, waited = move.kiosk, move.now - move.kiosk.since_seconds
    if waited >= _THINK_SECONDS:
        fact = f"there was no answer within {_THINK_SECONDS:.0f} seconds"
        _on_answer(move, AnswerFailed(kiosk.turn, fact))
        move.set(turn=kiosk.turn + 1)
    elif waited >= _ONE_MOMENT_SECONDS and not kiosk.notice:
        move.set(notice="one-moment")
        move.say(Own("one-moment", kiosk.language))


def _wait_on(move: Move) -> None:
    """Nobody is here, as far as the kiosk knows."""
    kiosk = move.kiosk
    if not is_fresh(kiosk) and move.now - kiosk.active_seconds >= kiosk.rules.idle_seconds:
        move.idle()
        return
    if move.now - kiosk.refreshed_seconds >= _REFRESH_SECONDS:
        move.set(refreshed_seconds=move.now)
        move.do(Refresh())
    _listen_on(move)


def _listen_on(move: Move) -> None:
    """Listen anew where the ear told no end, or is to be tried again."""
    kiosk = move.kiosk
    waited = move.now - kiosk.ear_since_seconds
    if kiosk.ear is EarIs.LISTENING and waited >= kiosk.rules.listen_seconds + _EAR_SECONDS:
        move.close_ear()
        _nothing_said(move)
    elif kiosk.ear is EarIs.CLOSED and kiosk.failures and waited >= _RETRY_SECONDS:
        move.wait_for_anybody()
        if move.kiosk.ear is EarIs.LISTENING and kiosk.state is State.READY:
            move.set(state=State.LISTENING)


def _longest(saying: Saying | None) -> float:
    """Seconds that no voice needs for it."""
    letters = len(saying.text) if isinstance(saying, Words) else 0
    return _VOICE_SECONDS + letters / _SLOWEST_LETTERS_A_SECOND


def _give_up_voice(move: Move) -> None:
    """A mouth that tells no end is silenced, and the kiosk goes on without it."""
    move.hush()
    move.set(mouth_note=Note("the voice does not come to an end"), portions=())
    _said(move)
