"""What a customer wants of a kiosk, said, typed or by key."""

from __future__ import annotations

from collections.abc import Mapping

from assistant.channels.kiosk.moves import Move, input_line
from assistant.channels.kiosk.values import Adjust, Finish, Play, State, Words
from assistant.dialogue.commands import Command, spoken_command
from assistant.dialogue.replying import PERSON, START_OVER
from assistant.dialogue.short_answers import says_no, says_yes
from assistant.values import Utterance

HELP = "help"
KEYS: Mapping[str, Command] = {
    "escape": Command.STOP,
    "r": Command.REPEAT,
    "h": Command.HELP,
    "?": Command.HELP,
    "n": Command.START_OVER,
    "p": Command.PERSON,
    "+": Command.LOUDER,
    "-": Command.QUIETER,
    "s": Command.SLOWER,
    "f": Command.FASTER,
}
_ENTRIES: Mapping[Command, str] = {
    Command.HELP: HELP,
    Command.START_OVER: START_OVER,
    Command.PERSON: PERSON,
}
_VOLUMES = (0.2, 1.0)  # softer than the first nobody hears it in a shop
_VOLUME_STEP = 0.2
_RATES = (100, 260)  # words a minute; slower falls apart, faster nobody follows
_RATE_STEP = 25  # about a seventh of a usual voice: a difference that is heard
_SCROLL: Mapping[str, int] = {"up": -3, "down": 3, "page-up": -10, "page-down": 10}  # lines
_LONGEST_ANSWER = 100  # lines; who scrolls beyond it must scroll back as far
_LONGEST_LINE = 300  # letters; a question is shorter


# --- words ----------------------------------------------------------------------------------


def understand(move: Move, utterance: Utterance) -> None:
    """What was said or typed: whether to go on, a command, or a question."""
    command = spoken_command(utterance.text, utterance.also_heard)
    if move.kiosk.asks_to_go_on and (command is Command.GO_ON or says_yes(utterance.text)):
        go_on(move)
    elif move.kiosk.asks_to_go_on and (command is Command.NO_MORE or says_no(utterance.text)):
        move.set(portions=(), expects=False, notice="")
        move.customers_turn()
    elif command is Command.STOP and not _is_busy(move):
        _stop_nothing(move)
    elif command in (None, Command.GO_ON, Command.NO_MORE):
        move.answer(utterance)
    else:
        obey(move, command)


def _is_busy(move: Move) -> bool:
    return move.kiosk.state in (State.SPEAKING, State.THINKING)


def understand_typed(move: Move, text: str) -> None:
    if line := text.strip()[:_LONGEST_LINE]:
        move.see_customer()
        move.set(heard=line, is_heard_out=True)
        understand(move, Utterance(line))


def _stop_nothing(move: Move) -> None:
    """The word "stop" where nothing is being said."""
    if move.kiosk.conversation.last_reply is None:
        move.idle()
    else:
        move.set(portions=(), expects=False)
        move.tell("stopped")


def go_on(move: Move) -> None:
    """Say the next portion of the answer."""
    reply, portions = move.kiosk.reply, move.kiosk.portions
    if reply and portions:
        move.set(portions=portions[1:], notice="")
        move.speak(Words(portions[0], reply.language))


# --- commands -------------------------------------------------------------------------------


def obey(move: Move, command: Command) -> None:
    if command is Command.STOP:
        _stop(move)
    elif command is Command.REPEAT:
        move.repeat()
    elif command in _ENTRIES:
        move.open_entry(_ENTRIES[command])
    else:
        _adjust(move, command)


def _stop(move: Move) -> None:
    """Whatever it is doing; an answer under way is not wanted any more."""
    kiosk = move.kiosk
    if kiosk.state is State.IDLE:
        return
    move.forget_words()
    move.set(turn=kiosk.turn + 1, portions=(), notice="", expects=False)
    move.customers_turn()


def _adjust(move: Move, command: Command) -> None:
    """Louder, quieter, slower, faster: heard by saying the last answer again."""
    kiosk = move.kiosk
    volume, rate = kiosk.volume, kiosk.words_a_minute
    if command in (Command.LOUDER, Command.QUIETER):
        volume = _stepped(volume, _VOLUME_STEP if command is Command.LOUDER else -_VOLUME_STEP, _VOLUMES)
    else:
        rate = round(_stepped(rate, _RATE_STEP if command is Command.FASTER else -_RATE_STEP, _RATES))
    if (volume, rate) == (kiosk.volume, kiosk.words_a_minute):
        _tell_softly(move, "no-further")
        return
    move.set(volume=volume, words_a_minute=rate)
    move.do(Adjust(volume, rate))
    if _is_busy(move) or kiosk.conversation.last_reply is None:
        _tell_softly(move, command.value)
    else:
        move.repeat()


def _tell_softly(move: Move, name: str) -> None:
    """Said only where it disturbs nothing that is being said or thought about."""
    if _is_busy(move):
        move.set(notice=name)
    else:
        move.tell(name)


def _stepped(value: float, step: float, bounds: tuple[float, float]) -> float:
    """One step on, within bounds; a value set beyond a bound stays where it is."""
    least, most = min(bounds[0], value), max(bounds[1], value)
    return round(min(max(value + step, least), most), 2)


# --- keys -----------------------------------------------------------------------------------


def on_key(move: Move, name: str) -> None:
    """One key: of the input line where it is open, else of the kiosk."""
    move.see_customer()
    if name.isdecimal() and not move.kiosk.typed and _choose(move, int(name)):
        return
    if move.kiosk.typed is None or not _type(move, name):
        _press(move, name)


def on_button(move: Move, name: str) -> None:
    """A button with the name of a key, whatever stands in an input line."""
    move.see_customer()
    if not (name.isdecimal() and _choose(move, int(name))):
        _press(move, name)


def _press(move: Move, name: str) -> None:
    if language := _language_of(move, name):
        _speak_from_now_on(move, language)
    elif command := KEYS.get(name):
        if command in _ENTRIES:
            move.forget_words()  # the answer is to a key
        obey(move, command)
    elif name == "enter" and move.kiosk.asks_to_go_on:
        go_on(move)
    elif name in ("enter", "tab"):
        _interrupt(move)
        move.set(typed="")
    elif name in ("space", "touch"):
        _talk(move)
    elif name in _SCROLL:
        move.set(scroll=min(max(move.kiosk.scroll + _SCROLL[name], 0), _LONGEST_ANSWER))
    else:
        _interrupt(move)


def _choose(move: Move, number: int) -> bool:
    choices = move.kiosk.conversation.choices
    if not 1 <= number <= len(choices):
        return False
    move.answer(Utterance(str(number)), choices[number - 1].label)
    return True


def _type(move: Move, name: str) -> bool:
    """A key for the input line; False where the line has no use for it."""
    typed = move.kiosk.typed or ""
    if name == "enter" and typed.strip():
        move.set(typed=input_line(move.kiosk))
        understand_typed(move, typed)
    elif name == "escape" and (typed or not move.kiosk.is_deaf):
        move.set(typed=input_line(move.kiosk))
    elif name == "backspace":
        move.set(typed=typed[:-1])
    elif (len(name) == 1 or name == "space") and (typed or name != "space"):
        _interrupt(move)
        letter = " " if name == "space" else name
        move.set(typed=(typed + letter)[:_LONGEST_LINE])
    else:
        return False
    return True


def _interrupt(move: Move) -> None:
    """Any key silences the voice."""
    if move.kiosk.state is State.SPEAKING:
        typed = move.kiosk.typed
        move.set(portions=(), notice="", expects=False)
        move.customers_turn()
        move.set(typed=typed)


def _talk(move: Move) -> None:
    """The key to speak: it begins and ends what is said, and silences the voice."""
    kiosk = move.kiosk
    if kiosk.state is State.THINKING:
        return
    if not kiosk.can_hear:
        _interrupt(move)
        move.set(typed=kiosk.typed or "")
        return
    if kiosk.state is State.LISTENING and (kiosk.is_push or kiosk.heard):
        move.do(Finish())
        return
    if kiosk.state is State.SPEAKING and isinstance(kiosk.saying, Words):
        move.set(portions=())  # nobody has been asked whether to go on
    move.hush()
    move.do(Play("listening"))
    move.open_ear(push=kiosk.rules.mode == "push")
    move.forget_words()
    move.set(state=State.LISTENING, since_seconds=move.now, expects=True, notice="")


# --- languages ------------------------------------------------------------------------------


def _language_of(move: Move, name: str) -> str | None:
    """The language that a key chooses: `l` the next one, F1 the first, F2 the second."""
    languages = move.kiosk.rules.languages
    if len(languages) < 2:
        return None
    if name == "l":
        shown = move.kiosk.language
        place = languages.index(shown) + 1 if shown in languages else 0
        return languages[place % len(languages)]
    number = int(name[1:]) if name[:1] == "f" and name[1:].isdecimal() else 0
    return languages[number - 1] if 1 <= number <= len(languages) else None


def _speak_from_now_on(move: Move, language: str) -> None:
    """What stands on the screen is said again in that language."""
    kiosk = move.kiosk
    move.set(conversation=kiosk.conversation.with_language(language), notice="")
    if kiosk.conversation.last_reply:
        move.repeat()
    elif kiosk.state is State.IDLE:
        move.wait_for_anybody()
    else:
        move.set(turn=kiosk.turn + 1)
        move.customers_turn()
