"""The chat: its commands, its prompt on a real terminal, and the same in a pipe."""

from __future__ import annotations

import io
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from fakes import SHOP, TODAY, FakePages, WordMatcher, base, entry

from assistant import wiring
from assistant.answering import Assistant
from assistant.channels.plain_text import plain_text
from assistant.channels.screen import Screen
from assistant.channels.terminal import take
from assistant.channels.terminal_commands import COMMANDS, arguments_of, farewell
from assistant.channels.terminal_prompt import KnownWords, fitting_questions
from assistant.channels.terminal_session import Session, Speak
from assistant.errors import DeviceError
from assistant.settings import Settings
from assistant.values import Conversation, Place, Problem

PAGE = """# Shop

## opening-hours

### Questions
- When are you open?
- What are your opening hours?

### Answer
We are open **9 to 5**.

### Next
- Where can I park? -> parking

## parking

### Questions
- Where can I park my car?
- Is there a car park?

### Answer
Behind the shop.
"""


@dataclass
class Voice:
    """Remembers what it was told to say; fails on demand."""

    said: list[tuple[str, str]] = field(default_factory=list)
    is_broken: bool = False

    def open(self) -> Speak:
        return self.say

    def say(self, text: str, language: str) -> None:
        if self.is_broken:
            raise DeviceError("the loudspeaker is gone", "plug it in again")
        self.said.append((text, language))


@dataclass
class Chat:
    """A session on a stream that can be read back."""

    session: Session
    stream: io.StringIO
    voice: Voice

    def __call__(self, *lines: str) -> str:
        """What is shown after these lines."""
        self.stream.seek(0)
        self.stream.truncate()
        for line in lines:
            take(self.session, line)
        return self.stream.getvalue()


def chat(pages: FakePages | None = None, is_terminal: bool = False) -> Chat:
    stream, voice = io.StringIO(), Voice()
    assistant = Assistant(pages or FakePages(), WordMatcher, lambda: TODAY)
    return Chat(Session(assistant, Screen(stream, is_terminal), voice.open), stream, voice)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    (folder / "en").mkdir(parents=True)
    (folder / "en" / "shop.md").write_text(PAGE, encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path: Path, cache_with_encoder: Path) -> dict[str, str]:
    home = {"XDG_STATE_HOME": str(tmp_path / "state"), "ASSISTANT_CACHE": str(cache_with_encoder)}
    return {**os.environ, **home, "TERM": "xterm", "COLUMNS": "100"}


# --- answers and choices ------------------------------------------------------------------------


def test_an_answer_in_a_pipe_is_plain_text_with_numbered_choices() -> None:
    talk = chat()
    assert talk("when are you open") == "We are open 9 to 5.\n"
    assert talk("I want a refund") == (
        "No problem.\n\nDid you buy it online or at the desk?\n  1. online\n  2. at the desk\n"
    )
    assert talk("the second one") == "Bring it back.\n  1. When are you open?\n"


def test_an_answer_on_a_terminal_is_rendered_and_judged() -> None:
    shown = chat(is_terminal=True)("when are you open")
    assert "We are open 9 to 5." in re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert re.search(r"opening-hours 100%, \d+ ms", shown)


def test_control_characters_never_reach_the_terminal() -> None:
    knowledge = base(entry("a", "en", "ring the bell", answer="\x1b[2Jcleared\x07 \x9b31m"))
    for is_terminal in (False, True):
        shown = chat(FakePages(knowledge), is_terminal)("ring the bell")
        assert "[2Jcleared" in shown
        assert "\x1b[2J" not in shown and "\x07" not in shown and "\x9b" not in shown


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("We are **open**,\n_daily_.", "We are open,\ndaily."),
        ("- one\n- two\n  1. a\n  2. b", "- one\n- two\n  1. a\n  2. b"),
        ("3. three\n4. four", "3. three\n4. four"),
        ("[map](https://x.example)", "map (https://x.example)"),
        ("<https://x.example> <a@x.example>", "https://x.example a@x.example"),
        ("![The door](door.jpg)", "[The door]"),
        ("| a | b |\n|---|---|\n| long | c |", "a     b\nlong  c"),
        ("# Title\n\n> said\n\n```\ncode\n```", "Title\n\nsaid\n\ncode"),
        ("a &amp; b <b>c</b><!-- d -->", "a & b c"),
        ("", ""),
    ],
)
def test_an_answer_in_plain_text_loses_its_marks_and_nothing_else(markdown: str, shown: str) -> None:
    assert plain_text(markdown) == shown


# --- commands -----------------------------------------------------------------------------------


def test_why_explains_the_last_answer_and_shows_the_numbers_where_asked() -> None:
    talk = chat()
    talk("When are you OPEN?")
    shown = talk("/why")
    assert "“When are you OPEN?”" in shown
    assert "Answered, because `opening-hours` has this very question" in shown
    assert "“When are you open?” (word for word)" in shown
    assert "probability" not in shown
    numbers = talk("/why numbers")
    assert numbers.startswith(shown)
    assert "compared  when are you open" in numbers
    assert re.search(r"probability +100\.0%", numbers)


def test_why_after_a_choice_tells_that_the_conversation_decided() -> None:
    talk = chat()
    talk("I want a refund", "2")
    shown = talk("/why")
    assert "The conversation decided: choice “at the desk” -> refund-desk." in shown
    assert "By its words alone: Not answered" in shown
    talk("I want a refund", "hm")
    assert "The conversation decided: the question before waits for one of its choices." in talk("/why")


def test_the_language_can_be_chosen_and_left_to_the_question_again() -> None:
    talk = chat()
    assert "I answer in German." in talk("/lang de")
    assert talk("when are you open") == "Wir haben von 9 bis 17 Uhr geöffnet.\n"
    assert "language of the question" in talk("/lang auto")
    assert talk.session.conversation.chosen_language is None
    assert "The pages have no French." in talk("/lang fr")
    assert "en (English), de (German), or auto" in talk("/lang")


def test_repeat_says_the_last_answer_again_in_the_language_chosen_since() -> None:
    talk = chat()
    first = talk("when are you open")
    assert talk("/repeat") == first
    assert talk("/lang de", "/repeat").endswith("Wir haben von 9 bis 17 Uhr geöffnet.\n")


def test_speak_says_the_answers_aloud_until_it_is_off() -> None:
    talk = chat()
    talk("/speak on", "when are you open", "/speak off", "where can I park")
    assert talk.voice.said == [("We are open 9 to 5.", "en")]


def test_a_voice_that_fails_is_told_and_switched_off() -> None:
    talk = chat()
    talk("/speak on")
    talk.voice.is_broken = True
    shown = talk("when are you open")
    assert shown.startswith("We are open 9 to 5.\nerror: the loudspeaker is gone\nhint: plug it in again\n")
    assert talk.session.speak is None


def test_a_machine_without_a_loudspeaker_says_so_and_the_chat_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    talk = chat()
    talk.session.open_voice = partial(wiring.open_voice, Settings(Path()))
    assert talk("/speak on") == (
        "error: there is no sound: sounddevice is not installed\nhint: pip install sounddevice\n"
    )
    assert talk("when are you open") == "We are open 9 to 5.\n"


def test_what_is_played_is_cut_into_whole_samples_and_nothing_is_lost() -> None:
    from assistant.speech.sound.resampling import in_pieces

    blocks = [bytes([1]) * 3, bytes([2]) * 5001, b"", bytes([3]) * 4]
    pieces = list(in_pieces(blocks, 3200))
    assert b"".join(pieces) == b"".join(blocks)
    assert all(len(piece) % 2 == 0 for piece in pieces)


def test_new_forgets_the_conversation() -> None:
    talk = chat()
    talk("/lang de", "I want a refund", "/new")
    assert talk.session.conversation == Conversation()
    assert "Nothing has been asked yet." in talk("/why")


def test_marks_are_counted_and_what_was_bad_is_listed_at_the_end() -> None:
    talk = chat()
    talk("when are you open", "/good", "what about the car", "/bad", "/bad")
    farewell(talk.session)
    assert talk.stream.getvalue().endswith(
        "1 good, 1 bad and not saved.\n  bad: what about the car\n"
        "Write these under Questions of the entry they belong to, then run: assistant check\n"
    )


def test_help_names_every_command() -> None:
    shown = chat()("/help")
    assert all(name in shown for name in COMMANDS)


def test_a_command_may_be_cut_short_where_no_other_begins_so() -> None:
    talk = chat()
    assert "There is no /s." in talk("/s")
    assert "/save" in talk("/he")
    talk("/Q")
    assert not talk.session.is_open


@pytest.mark.parametrize(("typed", "told"), [("/sve", "Did you mean /save?"), ("/xyzzy", "See /help.")])
def test_an_unknown_command_is_answered_with_the_nearest(typed: str, told: str) -> None:
    assert told in chat()(typed)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_no_command_fails_before_anything_was_asked(command: str) -> None:
    talk = chat()
    assert "error" not in talk(command)
    assert talk.session.is_open == (command != "/quit")


# --- saving -------------------------------------------------------------------------------------


def saved(folder: Path) -> str:
    return (folder / "en" / "shop.md").read_text(encoding="utf-8")


@pytest.fixture
def talk(pages: Path) -> Iterator[Chat]:
    from assistant.knowledge.library import Library

    library = Library(pages, "en")
    library.load()
    yield chat(library)


def test_save_writes_the_question_under_the_checks_of_the_entry_that_answered(
    talk: Chat, pages: Path
) -> None:
    shown = talk("when are you open today", "/save")
    assert "Saved to en/shop.md, under Checks of opening-hours: - yes: when are you open today" in shown
    assert "- yes: when are you open today" in saved(pages)


def test_save_writes_under_the_entry_that_is_named(talk: Chat, pages: Path) -> None:
    talk("when are you open for cars", "/bad", "/save parking")
    assert saved(pages).endswith("- yes: when are you open for cars\n")
    assert talk.session.bad == []


def test_save_asks_which_entry_after_a_bad_answer(talk: Chat, pages: Path) -> None:
    assert "Which entry is the right one?" in talk("when are you open for cars", "/bad", "/save")
    assert "Checks of parking" in talk("2")
    assert talk("/bad", "/save", "parking") != ""
    assert saved(pages).count("- yes: when are you open for cars") == 1


def test_a_line_that_picks_nothing_after_save_is_a_question(talk: Chat) -> None:
    assert talk("when are you open for cars", "/bad", "/save", "Is there a car park?").endswith(
        "Behind the shop.\n"
    )


def test_save_after_did_you_mean_keeps_the_question_and_not_the_number(talk: Chat, pages: Path) -> None:
    talk("park my car", "1", "/save")
    assert "- yes: park my car" in saved(pages)


def test_save_of_a_mere_choice_or_an_unknown_entry_changes_nothing(talk: Chat, pages: Path) -> None:
    assert "There is no question to save" in talk("when are you open", "1", "/save")
    assert "Did you mean parking?" in talk("when are you open", "/save parkin")
    assert saved(pages) == PAGE


# --- pages that change --------------------------------------------------------------------------


def test_changed_pages_are_taken_up_between_two_turns_and_told() -> None:
    later = base(entry("opening-hours", "en", "When are you open?", answer="Never."))
    broken = (Problem("unknown-part", Place("en/shop.md", 3), "an unknown part", "did you mean `Answer`?"),)
    talk = chat(FakePages(changes=[(SHOP, broken), (SHOP, ()), (later, ())]))
    assert talk("when are you open") == (
        "en/shop.md:3: an unknown part\n    hint: did you mean `Answer`?\n"
        "The changed pages cannot be used yet; I answer from the last good ones.\nWe are open 9 to 5.\n"
    )
    assert talk("when are you open").startswith("The pages are in order again.\n")
    assert talk("when are you open") == "The pages have changed; I answer from the new ones.\nNever.\n"
    assert talk("when are you open") == "Never.\n"


# --- completion ---------------------------------------------------------------------------------

QUESTIONS = [(" when are you open", "When are you open?"), (" are you there", "Are you there?")]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("are y", ["Are you there?", "When are you open?"]),
        ("op wh", ["When are you open?"]),
        ("pen", []),
        ("", []),
        ("?!", []),
    ],
)
def test_questions_are_offered_when_every_typed_word_begins_one_of_theirs(
    typed: str, offered: list[str]
) -> None:
    assert fitting_questions(typed, QUESTIONS) == offered


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("/sa", ["/save"]),
        ("/lang ", ["en", "de", "auto"]),
        ("/save park", ["parking"]),
        ("w", []),
        ("/new ", []),
    ],
)
def test_commands_and_what_may_follow_them_are_completed(typed: str, offered: list[str]) -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    completions = KnownWords(lambda: SHOP).get_completions(Document(typed), CompleteEvent())
    assert [completion.text for completion in completions] == offered
    assert arguments_of("/speak", SHOP) == ("on", "off")


# --- for real -----------------------------------------------------------------------------------


def run_chat(pages: Path, environment: dict[str, str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "assistant", "chat", "--knowledge", str(pages)]
    return subprocess.run(command, input=given, capture_output=True, env=environment, timeout=60, check=False)


def test_a_chat_in_a_pipe_answers_and_shows_no_prompt(pages: Path, environment: dict[str, str]) -> None:
    result = run_chat(pages, environment, b"when are you open\n\n/lang\ncaf\xe9\n1\n")
    shown = result.stdout.decode()
    assert shown.startswith("We are open 9 to 5.\n  1. Where can I park?\n")
    assert shown.endswith("Behind the shop.\n")
    assert "\x1b" not in shown and ">" not in shown
    assert (result.returncode, result.stderr.decode()) == (0, "line 4: not UTF-8 at byte 4: caf�\n")


def test_a_chat_on_a_terminal_has_a_prompt_completion_history_and_leaves_by_ctrl_d(
    pages: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    pexpect = pytest.importorskip("pexpect")
    command = [sys.executable, "-m", "assistant", "chat", "--knowledge", str(pages)]
    child = pexpect.spawn(
        command[0], command[1:], env=environment, encoding="utf-8", dimensions=(40, 100), timeout=30
    )
    child.expect("2 entries in English")
    child.expect("ask something")
    child.send("half a line\x03")  # Ctrl-C clears it
    child.expect("ask something")
    child.send("when are you open\r")
    child.expect("9 to 5")
    child.expect("ask something")
    child.send("/wh")
    child.expect("words that counted")  # the menu
    child.send("\t")
    child.send("\r")
    child.expect("Answered, because")
    child.expect("ask something")
    child.send("\x04")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    (history,) = (tmp_path / "state").rglob("chat-history")
    assert "+when are you open" in history.read_text(encoding="utf-8")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_a_page_changed_during_a_chat_is_taken_up(pages: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "assistant", "chat", "--knowledge", str(pages)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as child:
        assert child.stdin and child.stdout

        def say(line: str) -> str:
            child.stdin.write(line + "\n")
            child.stdin.flush()
            return child.stdout.readline()

        assert say("when are you open") == "We are open 9 to 5.\n"
        child.stdout.readline()
        page = pages / "en" / "shop.md"
        page.write_text(PAGE.replace("9 to 5", "10 to 6"), encoding="utf-8")
        assert say("when are you open") == "The pages have changed; I answer from the new ones.\n"
        assert child.stdout.readline() == "We are open 10 to 6.\n"
        child.stdout.readline()
        page.write_text(PAGE.replace("### Answer", "### Anwser", 1), encoding="utf-8")
        assert "Anwser" in say("when are you open")
