"""The chat at a terminal, and the same without a prompt in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from assistant.answering import Assistant
from assistant.channels.question_file import BadLine, read_questions
from assistant.channels.screen import Screen
from assistant.channels.terminal_commands import farewell, pick_offered, run_command
from assistant.channels.terminal_session import Session, Speak
from assistant.dialogue.tongue import language_name
from assistant.errors import AssistantError
from assistant.values import Conversation, Knowledge


def chat(
    assistant: Assistant, conversation: Conversation, open_voice: Callable[[], Speak], state_folder: Path
) -> None:
    """Talk until the customer leaves or the input ends."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    session = Session(assistant, Screen(sys.stdout, is_terminal), open_voice, conversation)
    if is_terminal:
        _greet(session)
    lines = _typed_lines(session, state_folder) if is_terminal else _piped_lines()
    for line in lines:
        take(session, line)
        if not session.is_open:
            break
    farewell(session)


def take(session: Session, line: str) -> None:
    """One line: a command, a pick for /save, or something said to the assistant."""
    try:
        session.take_up_changes()
        if line.startswith("/"):
            run_command(session, line)
        elif line and not pick_offered(session, line):
            session.ask(line)
    except AssistantError as error:
        session.screen.error(error)
    except KeyboardInterrupt:  # stops the answer, above all a long one that is being said
        session.tell("Stopped.")


def _typed_lines(session: Session, state_folder: Path) -> Iterator[str]:
    from assistant.channels.terminal_prompt import line_reader

    read = line_reader(lambda: session.assistant.knowledge, state_folder)
    while True:
        session.screen.line()
        try:
            yield read().strip()
        except KeyboardInterrupt:
            session.tell("/quit or Ctrl-D leaves.")
        except EOFError:
            return


def _piped_lines() -> Iterator[str]:
    for question in read_questions(sys.stdin.buffer):
        if isinstance(question, BadLine):
            Screen(sys.stderr).line(f"line {question.line}: {question.fact}")
        else:
            yield question.text


def _greet(session: Session) -> None:
    knowledge = session.assistant.knowledge
    session.tell(
        f"{len(knowledge.names)} entries in {_listed(knowledge)}. /help shows what you can do, Ctrl-D leaves."
    )
    session.screen.line()
    session.screen.markdown(session.assistant.own_sentence("greeting", session.conversation.language).text)


def _listed(knowledge: Knowledge) -> str:
    *names, last = map(language_name, knowledge.languages)
    return f"{', '.join(names)} and {last}" if names else last
