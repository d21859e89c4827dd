"""The kiosk: an ear, a mouth, keys and the assistant around one state machine, in one thread that owns it."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from assistant.answering import Assistant
from assistant.channels.kiosk.states import new_kiosk, step
from assistant.channels.kiosk.values import (
    Act,
    Adjust,
    Answer,
    Answered,
    AnswerFailed,
    AttendStop,
    EarNumbered,
    EarTold,
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
    PagesReloaded,
    Play,
    Pressed,
    Quit,
    Refresh,
    Repeat,
    Rest,
    Rules,
    Say,
    Saying,
    Started,
    State,
    StopVoice,
    Tick,
    Typed,
    Words,
)
from assistant.dialogue.portions import portions
from assistant.errors import AssistantError
from assistant.events import MicrophoneBack, MicrophoneLost
from assistant.ports import Ear, Mouth, TellEar, TellMouth
from assistant.settings import Settings
from assistant.values import Conversation, Turn, Unknown

_TICK_SECONDS = 0.5  # fine enough for time-outs of seconds
_CLOSE_SECONDS = 2.0  # for a worker to end what it is doing; an answer takes milliseconds
_ENDED, _INTERRUPTED = 0, 130  # exit codes; 130 is what a shell makes of Ctrl-C

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the third: a terminal closes; the last: Windows

Plug = TypeVar("Plug", Ear, Mouth)
Job = Callable[[], Happening | None]


@dataclass(frozen=True, slots=True)
class Senses:
    """How to get an ear and a mouth; either raises AssistantError with the way out where there is none."""

    open_ear: Callable[[TellEar], Ear]
    open_mouth: Callable[[TellMouth], Mouth]


@dataclass(frozen=True, slots=True)
class KioskOptions:
    """How this kiosk is run."""

    languages: tuple[str, ...]  # heard and offered, at least one; whoever comes is invited in the first
    as_json: bool = False  # where there is no screen


class Front(Protocol):
    """Where it can be seen what the kiosk does."""

    def happened(self, happening: Happening) -> None: ...

    def says(self, text: str, language: str) -> None: ...

    def show(self, kiosk: Kiosk) -> None: ...

    def close(self) -> None: ...


class Input(Protocol):
    """Where keys or lines come from, until it is closed."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running kiosk is made of."""

    assistant: Assistant
    front: Front
    ear: Ear | None = None
    mouth: Mouth | None = None
    looks_for_pages: bool = True  # False: somebody else takes up pages that have changed
    # Whoever counts what is asked; called in the thread that answers, with the conversation afterwards.
    count: Callable[[Conversation, Turn], None] = lambda _after, _turn: None


def run_kiosk(assistant: Assistant, senses: Senses, settings: Settings, options: KioskOptions) -> int:
    """Serve customers until it is told to end; returns the exit code: 0, or 130 after Ctrl-C.

    A full-screen view on a terminal, lines elsewhere. Without an ear customers type, without a
    mouth they read; the screen says so.
    """
    happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
    with ExitStack() as stack:
        ear, ear_note = _opened(
            stack, lambda: senses.open_ear(lambda number, event: happenings.put(EarTold(number, event)))
        )
        mouth, mouth_note = _opened(
            stack, lambda: senses.open_mouth(lambda number, event: happenings.put(MouthTold(number, event)))
        )
        rules = kiosk_rules(settings, options.languages)
        rules = replace(rules, can_hear=ear is not None, can_speak=mouth is not None)
        kiosk = replace(new_kiosk(rules), ear_note=ear_note, mouth_note=mouth_note)
        front = _front(assistant, options)
        loop = stack.enter_context(closing(Loop(Parts(assistant, front, ear, mouth), kiosk, happenings)))
        # The terminal is given back first: the rest may have to wait for a model that is being loaded.
        stack.enter_context(closing(front))
        stack.enter_context(closing(_input(happenings)))
        with _ended_by_signals(happenings) as codes:
            loop.run()
        return codes[-1]


def _opened(stack: ExitStack, open_one: Callable[[], Plug]) -> tuple[Plug | None, Note | None]:
    """The ear or mouth, closed in the end; None and why where it cannot be opened."""
    try:
        return stack.enter_context(closing(open_one())), None
    except AssistantError as error:
        return None, Note(error.fact, error.hint)


def kiosk_rules(settings: Settings, languages: tuple[str, ...]) -> Rules:
    """As it is set, for a kiosk with an ear and a mouth."""
    listening, speaking, kiosk = settings.listening, settings.speaking, settings.kiosk
    return Rules(
        languages=languages,
        mode=listening.mode,
        idle_seconds=kiosk.idle_seconds,
        listen_seconds=listening.wait_seconds + listening.longest_seconds,
        stop_by_voice=kiosk.stop_by_voice,
        volume=speaking.volume,
        words_a_minute=speaking.words_a_minute,
    )


def _front(assistant: Assistant, options: KioskOptions) -> Front:
    is_screen = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    if is_screen and not options.as_json:
        from rich.console import Console

        from assistant.channels.kiosk.screen import OnScreen

        return OnScreen(Console(highlight=False), lambda: assistant.knowledge)
    from assistant.channels.kiosk.lines import OnLines

    return OnLines(sys.stdout, options.as_json, time.monotonic)


def _input(happenings: queue.SimpleQueue[Happening]) -> Input:
    """Keys of a terminal, whole lines of anything else."""
    from assistant.channels.kiosk.keys import Keys, TypedLines

    if sys.stdin is None:  # a service may have no input at all
        return ExitStack()
    if sys.stdin.isatty():
        return Keys(lambda name: happenings.put(Key(name)))
    return TypedLines(lambda line: happenings.put(Typed(line)), sys.stdin.fileno())


@contextmanager
def _ended_by_signals(happenings: queue.SimpleQueue[Happening]) -> Iterator[list[int]]:
    """The last of the codes that are given is the one to end with."""
    codes = [_ENDED]

    def end(number: int, _frame: object) -> None:
        codes.append(_INTERRUPTED if number == signal.SIGINT else _ENDED)
        happenings.put(Quit())

    if threading.current_thread() is not threading.main_thread():
        yield codes  # signals reach the main thread alone
        return
    wanted = [number for name in _SIGNALS if (number := getattr(signal, name, None))]
    before = [(number, signal.signal(number, end)) for number in wanted]
    try:
        yield codes
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class Loop:
    """Takes up what happens, one after the other, and does what the state machine says."""

    def __init__(self, parts: Parts, kiosk: Kiosk, happenings: queue.SimpleQueue[Happening]) -> None:
        self.kiosk = kiosk
        self._assistant, self._front = parts.assistant, parts.front
        self._ear, self._mouth, self._count = parts.ear, parts.mouth, parts.count
        self._happenings = happenings
        self._answers = Worker("kiosk answers", happenings.put)
        self._ready: tuple[Answer, Conversation, Turn] | None = None  # of the answers' thread alone
        # Of its own: a large base takes a minute.
        self._refreshes = Worker("kiosk pages", happenings.put) if parts.looks_for_pages else None

    def run(self) -> None:
        self.take(Started())
        while self.kiosk.state is not State.ENDED:
            try:
                self.take(self._happenings.get(timeout=_TICK_SECONDS))
            except queue.Empty:
                self.take(Tick())

    def take(self, happening: Happening) -> None:
        now = time.monotonic()
        if self._is_news(happening):
            self._front.happened(happening)
        if isinstance(happening, Equipped):
            self._ear, self._mouth = happening.ear or self._ear, happening.mouth or self._mouth
        happening = self._sample_chosen(happening)
        self.kiosk, acts = step(self.kiosk, happening, now)
        for act in acts:
            if told := self._do(act):
                self.kiosk, _ = step(self.kiosk, told, now)
        self._front.show(self.kiosk)

    def close(self) -> None:
        self._answers.close()
        if self._refreshes:
            self._refreshes.close()

    def _is_news(self, happening: Happening) -> bool:
        """Whether it is worth telling: not of a listening or a question that is over."""
        if isinstance(happening, EarTold) and not isinstance(
            happening.event, MicrophoneLost | MicrophoneBack
        ):
            return happening.number == self.kiosk.ear_number
        return not isinstance(happening, Answered | AnswerFailed) or happening.turn == self.kiosk.turn

    def _sample_chosen(self, happening: Happening) -> Happening:
        """A number on the invitation asks the question beside it."""
        if self.kiosk.state is not State.IDLE or self.kiosk.typed or not isinstance(happening, Key | Pressed):
            return happening
        from assistant.channels.kiosk.words import SAMPLES, sample_questions

        number = int(happening.name) if happening.name.isdecimal() else 0
        samples = sample_questions(self._assistant.knowledge, self.kiosk.language, SAMPLES)
        return Typed(samples[number - 1]) if 1 <= number <= len(samples) else happening

    # --- what the state machine wants done -----------------------------------------------------

    def _do(self, act: Act) -> Happening | None:
        match act:
            case Answer() | OpenEntry() | Repeat():
                self._answers.do(lambda: self._answered(act))
            case MakeReady(answer):
                self._answers.do(lambda: self._make_ready(answer))
            case Forget():
                self._answers.do(self._forget)
            case Refresh() if self._refreshes:
                self._refreshes.do(self._refreshed)
            case Listen() | AttendStop() | Finish() | Rest():
                return self._tell_ear(act)
            case Say() | Play() | StopVoice() | Adjust():
                return self._tell_mouth(act)
        return None

    def _tell_ear(self, act: Act) -> EarNumbered | None:
        if self._ear is None:
            return None
        match act:
            case Listen(languages, push):
                return EarNumbered(self._ear.listen(languages, push))
            case AttendStop(saying):
                text, language = self._spoken(saying)
                return EarNumbered(self._ear.attend_stop(language, text))
            case Finish():
                self._ear.finish()
            case Rest():
                self._ear.rest()
        return None

    def _tell_mouth(self, act: Act) -> MouthNumbered | None:
        if self._mouth is None:
            return None
        match act:
            case Say(saying):
                text, language = self._spoken(saying)
                self._front.says(text, language)
                return MouthNumbered(self._mouth.say(text, language))
            case Play(chime):
                self._mouth.play(chime)
            case StopVoice():
                self._mouth.stop()
            case Adjust(volume, words_a_minute):
                self._mouth.adjust(volume, words_a_minute)
        return None

    def _spoken(self, saying: Saying) -> tuple[str, str]:
        if isinstance(saying, Words):
            return saying.text, saying.language
        sentence = self._assistant.own_sentence(saying.name, saying.language)
        return sentence.spoken, sentence.language

    # --- in the workers' threads ---------------------------------------------------------------

    def _answered(self, act: Answer | OpenEntry | Repeat) -> Happening | None:
        if act.turn != self.kiosk.turn:
            return None  # something else has been asked since: whoever asks fast must not wait for all of it
        try:
            return self._answer(act)
        except Exception as error:  # whatever broke: the kiosk must not
            return AnswerFailed(act.turn, str(error) or type(error).__name__)

    def _make_ready(self, act: Answer) -> None:
        """What breaks here breaks again when it is asked, and is told then."""
        if act.turn != self.kiosk.turn + 1:
            return  # something else has been asked since
        with suppress(Exception):
            after, turn = self._assistant.answer(act.conversation, act.utterance)
            self._ready = act, after, turn
            first = portions(turn.reply.spoken, turn.reply.language)[:1]
            if self._mouth and first:
                self._mouth.make_ready(first[0], turn.reply.language)

    def _forget(self) -> None:
        self._ready = None

    def _answer(self, act: Answer | OpenEntry | Repeat) -> Answered:
        is_understood = True
        if isinstance(act, Answer):
            after, turn = self._found(act)
            self._count(after, turn)
            reply = turn.reply
            is_understood = reply.entry is not None or not isinstance(turn.match, Unknown)
        elif isinstance(act, OpenEntry):
            after, reply = self._assistant.open_entry(act.conversation, act.name)
        else:
            after, reply = self._assistant.repeat(act.conversation)
        return Answered(act.turn, after, reply, portions(reply.spoken, reply.language), is_understood)

    def _found(self, act: Answer) -> tuple[Conversation, Turn]:
        """Made ready where just this was foreseen."""
        ready, self._ready = self._ready, None
        if ready and ready[0] == act:
            return ready[1:]
        return self._assistant.answer(act.conversation, act.utterance)

    def _refreshed(self) -> Happening | None:
        try:
            refreshed = self._assistant.refresh()
        except AssistantError:
            return PagesReloaded(is_taken_up=False)
        return PagesReloaded(refreshed.taken_up) if refreshed else None


class Worker:
    """Does one job after another in a thread of its own and tells what came of each."""

    def __init__(self, name: str, tell: Callable[[Happening], None]) -> None:
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._tell = tell
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def do(self, job: Job) -> None:
        self._jobs.put(job)

    def _work(self) -> None:
        while job := self._jobs.get():
            if happening := job():
                self._tell(happening)

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join(_CLOSE_SECONDS)
