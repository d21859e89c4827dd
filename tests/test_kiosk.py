"""The kiosk around its state machine: ear, mouth, keys, answers, screen and lines, together."""

from __future__ import annotations

import io
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import SHOP, TODAY, FakePages, WordMatcher, base, entry
from kiosk_fakes import SECONDS, FakeEar, FakeMouth
from rich.console import Console

from assistant.answering import Assistant
from assistant.channels.kiosk.keys import key_names
from assistant.channels.kiosk.lines import OnLines
from assistant.channels.kiosk.loop import Loop, Parts, Worker
from assistant.channels.kiosk.states import new_kiosk
from assistant.channels.kiosk.values import (
    EarTold,
    Happening,
    Key,
    Kiosk,
    MouthTold,
    Note,
    Quit,
    Rules,
    State,
    Typed,
)
from assistant.channels.kiosk.view import Picture
from assistant.channels.kiosk.words import kiosk_words, sample_questions
from assistant.dialogue.own_voice import choices_of
from assistant.events import HeardOut, MicrophoneBack, MicrophoneLost, NothingSaid, StopSaid
from assistant.values import Conversation, Heard, Knowledge, Match, Reply, Turn, Utterance
from assistant.wiring.kiosk import SoundKeeper

REPOSITORY = Path(__file__).parents[1]


class Stream(io.StringIO):
    """Lines that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._written = threading.Condition()

    def flush(self) -> None:
        with self._written:
            self._written.notify_all()

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._written:
            is_there = self._written.wait_for(lambda: self.getvalue().count(text) >= times, SECONDS)
        assert is_there, f"{text!r} not in:\n{self.getvalue()}"


class Running:
    """A kiosk in a thread of its own, with what a test needs to be its customer."""

    def __init__(self, pages: FakePages, rules: Rules, is_json: bool = False) -> None:
        happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.put = happenings.put
        self.shown = Stream()
        self.ear = FakeEar(lambda number, event: happenings.put(EarTold(number, event)))
        self.mouth = FakeMouth(lambda number, event: happenings.put(MouthTold(number, event)))
        front = OnLines(self.shown, is_json, lambda: 0.0)
        self.assistant = Assistant(pages, WordMatcher, lambda: TODAY)
        self.counted: list[Turn] = []
        parts = Parts(
            self.assistant, front, self.ear, self.mouth, count=lambda _after, turn: self.counted.append(turn)
        )
        self.loop = Loop(parts, new_kiosk(rules), happenings)
        self._thread = threading.Thread(target=self.loop.run, daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.put(Quit())
        self._thread.join(SECONDS)
        self.loop.close()
        assert not self._thread.is_alive()


RULES = Rules(("en", "de"))


def running(rules: Rules = RULES, is_json: bool = False, knowledge: Knowledge = SHOP) -> Running:
    return Running(FakePages(knowledge), rules, is_json)


# --- the whole loop -----------------------------------------------------------------------------


def test_a_question_that_is_heard_is_answered_aloud() -> None:
    with running() as kiosk:
        kiosk.ear.hear(Heard("when", "en", final=False), "when are you open")
        kiosk.shown.wait_for("voice: ended")
        kiosk.shown.wait_for("state: listening", 2)
    assert kiosk.mouth.said == [("We are open 9 to 5.", "en")]
    assert kiosk.mouth.played == ["heard"]
    assert kiosk.shown.getvalue() == (
        "state: idle\nhearing: when\nstate: listening\nheard: when are you open\nstate: thinking\n"
        "answer: We are open 9 to 5.\nsaying: We are open 9 to 5.\nstate: speaking\n"
        "voice: started\nvoice: ended\nstate: listening\nstate: ended\n"
    )


def test_an_answer_is_made_ready_once_and_counted_when_it_is_given() -> None:
    kiosk = running()
    found: list[str] = []
    match = kiosk.assistant.matcher.match

    def watched(utterance: Utterance, language: str | None = None) -> Match:
        found.append(utterance.text)
        return match(utterance, language)

    kiosk.assistant.matcher.match = watched  # type: ignore[method-assign]
    with kiosk:
        kiosk.ear.hear(HeardOut(Heard("where can i", "en")))
        kiosk.put(EarTold(kiosk.ear.number, HeardOut(Heard("when are you open", "en"))))
        while not kiosk.mouth.ready or kiosk.mouth.ready[-1][0] != "We are open 9 to 5.":
            time.sleep(0.01)
        assert not kiosk.mouth.said and not kiosk.counted
        kiosk.put(EarTold(kiosk.ear.number, Heard("when are you open", "en")))
        kiosk.shown.wait_for("voice: ended")
    assert kiosk.mouth.said == [("We are open 9 to 5.", "en")]
    assert [turn.utterance.text for turn in kiosk.counted] == ["when are you open"]
    assert found == ["where can i", "when are you open"]


def test_what_was_made_ready_for_somebody_who_left_is_forgotten() -> None:
    with running() as kiosk:
        kiosk.ear.hear(HeardOut(Heard("when are you open", "en")))
        while not kiosk.mouth.ready:
            time.sleep(0.01)
        kiosk.put(EarTold(kiosk.ear.number, NothingSaid()))
        kiosk.shown.wait_for("state: idle", 2)
        while kiosk.loop._ready:
            time.sleep(0.01)
    assert not kiosk.mouth.said


def test_machines_are_told_more() -> None:
    with running(is_json=True) as kiosk:
        kiosk.ear.hear("I want a refund")
        kiosk.shown.wait_for('"ended"')
    told = [json.loads(line) for line in kiosk.shown.getvalue().splitlines()]
    answer = next(one for one in told if one["event"] == "answer")
    assert (answer["entry"], answer["choices"]) == ("refund", ["online", "at the desk"])
    assert [one["text"] for one in told if one["event"] == "heard"] == ["I want a refund"]
    assert all("seconds" in one for one in told)


def test_a_choice_is_taken_by_voice_and_by_key() -> None:
    with running() as kiosk:
        kiosk.ear.hear("I want a refund")
        kiosk.ear.hear("the second one")
        kiosk.shown.wait_for("answer: Bring it back. [1] When are you open?")
        kiosk.shown.wait_for("voice: ended", 2)
        kiosk.put(Key("1"))
        kiosk.shown.wait_for("answer: We are open 9 to 5.")


def test_a_word_stops_the_voice_and_the_next_question_is_heard() -> None:
    kiosk = running()
    kiosk.mouth.is_long = True
    with kiosk:
        kiosk.ear.hear("when are you open")
        kiosk.ear.hear(StopSaid("stop"), when="attend")
        kiosk.shown.wait_for("voice: stopped")
        kiosk.ear.hear("Where can I park?")
        kiosk.shown.wait_for("saying: Behind the shop, on the left.")
    assert kiosk.ear.saying == "Behind the shop, on the left."


def test_a_person_can_be_asked_for_by_key() -> None:
    with running() as kiosk:
        kiosk.put(Key("p"))
        kiosk.shown.wait_for("answer: Somebody is coming.")


def test_a_key_asks_the_sample_question_beside_it() -> None:
    with running() as kiosk:
        kiosk.put(Key("3"))
        kiosk.shown.wait_for("answer: Behind the shop.")


def test_the_next_customer_finds_nothing_of_the_last_one() -> None:
    with running(replace(RULES, idle_seconds=0.2)) as kiosk:
        kiosk.ear.hear("when are you open")
        kiosk.shown.wait_for("state: idle", 2)
        kiosk.ear.hear("say that again")
        kiosk.shown.wait_for("answer: I have not said anything yet.")


def test_pages_are_taken_up_between_customers() -> None:
    pages = FakePages(changes=[(base(entry("a", "en", "brand new question", answer="A new answer.")), ())])
    with Running(pages, RULES) as kiosk:
        kiosk.shown.wait_for("note: the pages have changed")
        kiosk.ear.hear("brand new question")
        kiosk.shown.wait_for("answer: A new answer.")


def test_whoever_asks_faster_than_it_answers_waits_for_the_last_answer_alone() -> None:
    kiosk = running()
    may_match, match, asked = threading.Event(), kiosk.assistant.matcher.match, []

    def slow_match(utterance: Utterance, language: str | None = None) -> Match:
        asked.append(utterance.text)
        assert may_match.wait(SECONDS)
        return match(utterance, language)

    kiosk.assistant.matcher.match = slow_match  # type: ignore[method-assign]
    with kiosk:
        kiosk.put(Typed("when are you open"))
        kiosk.shown.wait_for("state: thinking")
        for text in ("I want a refund", "help me", "Where can I park?"):
            kiosk.put(Typed(text))
        while kiosk.loop.kiosk.heard != "Where can I park?":
            time.sleep(0.01)
        may_match.set()
        kiosk.shown.wait_for("answer: Behind the shop.")
    assert asked in (["when are you open", "Where can I park?"], ["Where can I park?"])


def test_a_matcher_that_breaks_does_not_break_the_kiosk() -> None:
    kiosk = running()
    kiosk.assistant.matcher.match = None  # type: ignore[method-assign, assignment]
    with kiosk:
        kiosk.ear.hear("when are you open")
        kiosk.shown.wait_for("saying: Something went wrong. Please ask me again.")
        kiosk.ear.hear("help")
        kiosk.shown.wait_for("answer: Ask me in your own words.")


def test_a_microphone_comes_and_goes() -> None:
    with running() as kiosk:
        kiosk.ear.hear("when are you open")
        kiosk.ear.hear(MicrophoneLost("the microphone is gone", "plug it in"))
        kiosk.shown.wait_for("note: the microphone is gone (plug it in)")
        kiosk.shown.wait_for("saying: I cannot hear you at the moment.")
        kiosk.ear.hear(MicrophoneBack(), "Where can I park?")
        kiosk.shown.wait_for("answer: Behind the shop.")


def test_a_silent_room_is_listened_to_and_spoken_to_by_nobody() -> None:
    with running() as kiosk:
        for _ in range(5):
            kiosk.ear.hear(NothingSaid())
        kiosk.ear.hear("when are you open")
        kiosk.shown.wait_for("voice: ended")
    assert len(kiosk.mouth.said) == 1


def test_a_worker_ends_when_it_is_closed() -> None:
    before = threading.active_count()
    worker = Worker("test", lambda _: None)
    worker.close()
    assert threading.active_count() == before


# --- as a program -------------------------------------------------------------------------------


@pytest.fixture
def environment() -> dict[str, str]:
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}


def command(*words: str) -> list[str]:
    return [sys.executable, str(REPOSITORY / "tests" / "kiosk_fakes.py"), *words]


@pytest.fixture
def child(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A kiosk without a terminal."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command(), stdin=pipe, stdout=pipe, text=True, env=environment) as process:
        yield process
        process.kill()


def read_until(child: subprocess.Popen[str], wanted: str) -> None:
    assert child.stdout
    for line in child.stdout:
        if line.startswith(wanted):
            return
    raise AssertionError(f"{wanted!r} was never told")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 0), ("SIGINT", 130), ("SIGHUP", 0)])
def test_lines_are_answered_and_a_signal_ends_it_cleanly(
    child: subprocess.Popen[str], number: str, code: int
) -> None:
    assert child.stdin
    read_until(child, "state: idle")
    child.stdin.write("Where can I park?\n")
    child.stdin.flush()
    read_until(child, "answer: Behind the shop.")
    child.send_signal(getattr(signal, number))
    read_until(child, "state: ended")
    assert child.wait(SECONDS) == code


def test_the_end_of_its_input_is_not_the_end_of_a_kiosk(child: subprocess.Popen[str]) -> None:
    assert child.stdin
    read_until(child, "state: idle")
    child.stdin.write("Where can I park?")
    child.stdin.close()
    read_until(child, "answer: Behind the shop.")
    assert child.poll() is None


def on_a_terminal(mouth: str, environment: dict[str, str], size: tuple[int, int]) -> Any:
    """A kiosk on a terminal of so many rows and columns."""
    import pexpect

    program, *arguments = command(mouth)
    # Ctrl-C throws away what was not read yet, in the middle of a letter too.
    how = {"encoding": "utf-8", "codec_errors": "replace", "timeout": SECONDS}
    return pexpect.spawn(program, arguments, env=environment, dimensions=size, **how)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals there")
def test_on_a_terminal_it_fills_the_screen_and_puts_it_back(environment: dict[str, str]) -> None:
    pexpect = pytest.importorskip("pexpect")
    kiosk = on_a_terminal("long", environment, (30, 100))
    kiosk.expect_exact("\x1b[?1049h")  # another screen than the one that the shell is on
    kiosk.expect("For example")
    kiosk.expect("help")
    kiosk.send("3")
    kiosk.expect("Behind the shop")
    kiosk.expect("stop")
    kiosk.send("\x1a\x1b")  # Ctrl-Z halts nothing, Esc stops the voice
    kiosk.expect("I am listening")
    kiosk.send("\x1bOQ")
    kiosk.expect("Ich spreche")  # the answer again, in German
    kiosk.sendintr()
    kiosk.expect_exact("\x1b[?1049l")
    kiosk.expect(pexpect.EOF)
    kiosk.close()
    assert kiosk.exitstatus == 130


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals there")
def test_without_a_microphone_a_question_is_typed(environment: dict[str, str]) -> None:
    pexpect = pytest.importorskip("pexpect")
    kiosk = on_a_terminal("deaf", environment, (24, 80))
    kiosk.expect("I cannot hear you at the moment")
    kiosk.expect("Type your question")
    kiosk.send("where can i park\r")
    kiosk.expect("Behind the shop")
    kiosk.sendintr()
    kiosk.expect(pexpect.EOF)
    kiosk.close()
    assert kiosk.exitstatus == 130


# --- keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("a1?", ["a", "1", "?"]),
        ("é한", ["é", "한"]),
        (" \r\n\t", ["space", "enter", "enter", "tab"]),
        ("\x7f\x08", ["backspace", "backspace"]),
        ("\x1b", ["escape"]),
        ("\x1b[A\x1b[B\x1b[5~\x1b[6~", ["up", "down", "page-up", "page-down"]),
        ("\x1bOP\x1b[12~\x1b[[C", ["f1", "f2", "f3"]),
        ("\x1b[<0;10;20M\x1b[<0;10;20m\x1b[<64;1;1M", ["touch"]),
        ("\x1b[1;5C\x00\x01", []),
    ],
)
def test_keys_are_known_by_their_names(typed: str, names: list[str]) -> None:
    assert list(key_names(typed)) == names


# --- the screen ---------------------------------------------------------------------------------


def seen(kiosk: Kiosk, knowledge: Knowledge = SHOP, width: int = 100, height: int = 30) -> list[str]:
    """The lines of the screen, without colours."""
    console = Console(width=width, height=height, file=io.StringIO(), color_system=None)
    options = console.options.update_dimensions(width, height)
    lines = console.render_lines(Picture.of(kiosk, knowledge), options, pad=False)
    return ["".join(segment.text for segment in line).rstrip() for line in lines]


def after(entry_name: str, language: str = "en", **changes: object) -> Kiosk:
    """A kiosk that has answered from an entry."""
    one = SHOP.entry(entry_name, language)
    assert one
    reply = Reply(one.answer, one.answer, language, entry_name, choices_of(one))
    conversation = Conversation(language, None, reply.choices, bool(one.ask), reply)
    kiosk = replace(new_kiosk(RULES), state=State.LISTENING, reply=reply, conversation=conversation)
    return replace(kiosk, **changes)  # type: ignore[arg-type]


SIZES = [(60, 20), (80, 24), (120, 40), (250, 60), (20, 6)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("state", list(State))
def test_a_picture_fits_the_screen_whatever_its_size(state: State, width: int, height: int) -> None:
    kiosk = after("refund", state=state, heard="word " * 200, typed="word " * 50, ear_note=Note("lost " * 80))
    lines = seen(kiosk, SHOP, width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_an_invitation_shows_questions_and_keys_in_the_customers_language() -> None:
    kiosk = new_kiosk(RULES)
    english = "\n".join(seen(kiosk))
    for shown in ("Hello, how can I help you?", "When are you open?", "Space", "Deutsch", "I am listening"):
        assert shown in english
    german = "\n".join(seen(replace(kiosk, conversation=Conversation().with_language("de"))))
    for shown in ("Guten Tag", "Wann haben Sie geöffnet?", "Leertaste", "Zum Beispiel"):
        assert shown in german


def test_an_answer_shows_what_was_heard_and_its_choices() -> None:
    lines = "\n".join(seen(after("refund", heard="i want a refund", is_heard_out=True)))
    for shown in ("i want a refund", "No problem.", "1  online", "2  at the desk"):
        assert shown in lines


def test_what_is_still_being_said_is_shown_as_unfinished() -> None:
    assert any("where can …" in line for line in seen(after("parking", heard="where can")))


def test_control_characters_of_pages_customers_and_devices_are_not_shown() -> None:
    evil = "\x1b[2Jcleared\x07\x9b31m"
    knowledge = base(entry("a", "en", evil, answer=evil), entry("greeting", "en", answer=evil))
    reply = Reply(evil, "", "en", "a")
    for state in State:
        kiosk = after("parking", state=state, heard=evil, reply=reply, typed=evil, ear_note=Note(evil, evil))
        shown = "\n".join(seen(kiosk, knowledge))
        assert "cleared" in shown
        assert not set(shown) & {"\x1b", "\x07", "\x9b"}


def test_a_long_answer_can_be_scrolled() -> None:
    reply = Reply("\n\n".join(f"Paragraph {number}." for number in range(40)), "", "en", "a")
    kiosk = after("parking", reply=reply)
    assert any("Paragraph 0." in line for line in seen(kiosk))
    scrolled = seen(replace(kiosk, scroll=100))
    assert any("Paragraph 39." in line for line in scrolled)


def test_a_long_answer_pushes_no_question_and_no_key_off_the_screen() -> None:
    reply = Reply("\n\n".join(f"Paragraph {number}." for number in range(40)), "", "en", "a")
    asking = after("parking", reply=reply, portions=("more",), notice="shall-i-go-on")
    long, short = "\n".join(seen(asking)), "\n".join(seen(after("parking", notice="shall-i-go-on")))
    assert "Shall I go on?" in long and "Shall I go on?" in short
    assert "↑ ↓  read on" in long and "read on" not in short


@pytest.mark.parametrize("width", [40, 80, 250])
def test_what_is_lost_is_told_once_and_whole_to_customers_before_the_staff(width: int) -> None:
    kiosk = after("parking", ear_note=Note("unplugged", "plug it in"), notice="microphone-lost")
    shown = " ".join(" ".join(seen(kiosk, width=width)).split())
    assert shown.count("I cannot hear you at the moment. Please type your question.") == 1
    assert "unplugged – plug it in" in shown


def test_what_passes_unseen_is_not_drawn_anew() -> None:
    kiosk = after("parking")
    later = replace(kiosk, active_seconds=9.0, since_seconds=8.0, ear_number=7, turn=3)
    assert Picture.of(kiosk, SHOP) == Picture.of(later, SHOP)
    assert Picture.of(kiosk, SHOP) != Picture.of(replace(kiosk, heard="new"), SHOP)


def test_words_of_the_screen_come_from_the_page_before_the_built_in_ones() -> None:
    knowledge = base(entry("kiosk-words", "de", answer="- help: Rat\n- stop: Halt\n"))
    words = kiosk_words(knowledge, "de")
    assert (words["help"], words["stop"], words["again"]) == ("Rat", "Halt", "noch mal")
    assert kiosk_words(knowledge, "fr")["help"] == "help"


def test_sample_questions_are_of_the_language_and_none_are_invented() -> None:
    assert sample_questions(SHOP, "de", 2) == ("Wann haben Sie geöffnet?", "Ich möchte mein Geld zurück")
    assert sample_questions(SHOP, "fr", 5) == ()


def test_sound_that_cannot_be_kept_is_told_and_nobody_is_disturbed(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    keeper = SoundKeeper(folder)
    keeper(bytes(3200))
    assert len([*folder.glob("*.wav")]) == 1
    assert keeper.lost == ""
    shutil.rmtree(folder)
    keeper(bytes(3200))
    keeper(bytes(3200))
    assert re.fullmatch(
        r"2 utterances were not kept: .+kept.+ cannot be written: .+; name a file .+", keeper.lost
    )
