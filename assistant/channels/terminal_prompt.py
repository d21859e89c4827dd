"""The line that people type on: editing, history, completion."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import HTML
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from assistant.channels.terminal_commands import COMMANDS, arguments_of
from assistant.matching.text import fold
from assistant.values import Knowledge

_HISTORY_FILE = "chat-history"
_MOST_OFFERED = 8
_SHORTEST = 2  # letters; one letter fits every question


def line_reader(knowledge: Callable[[], Knowledge], state_folder: Path) -> Callable[[], str]:
    """A function that asks for the next line; it raises KeyboardInterrupt and EOFError as usual."""
    session: PromptSession[str] = PromptSession(
        HTML("<ansicyan><b>&gt; </b></ansicyan>"),
        history=_history(state_folder),
        auto_suggest=AutoSuggestFromHistory(),
        completer=KnownWords(knowledge),
        complete_in_thread=True,
        placeholder=HTML("<ansibrightblack>ask something, or /help</ansibrightblack>"),
        reserve_space_for_menu=_MOST_OFFERED,
    )
    return session.prompt


class KnownWords(Completer):
    """Offers commands, what may follow them, and the questions that the pages know."""

    def __init__(self, knowledge: Callable[[], Knowledge]) -> None:
        self._knowledge = knowledge
        self._folded: tuple[Knowledge, list[tuple[str, str]]] | None = None

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        typed = document.text_before_cursor.lstrip()
        if typed.startswith("/"):
            yield from self._commands(typed)
        elif len(typed) >= _SHORTEST:
            yield from (Completion(text, -len(typed)) for text in fitting_questions(typed, self._questions()))

    def _commands(self, typed: str) -> Iterator[Completion]:
        name, space, argument = typed.partition(" ")
        if not space:
            names = (known for known in COMMANDS if known.startswith(name))
            yield from (
                Completion(known, -len(name), display_meta=COMMANDS[known].purpose) for known in names
            )
            return
        known = arguments_of(name, self._knowledge())
        yield from (Completion(word, -len(argument)) for word in known if argument.lower() in word)

    def _questions(self) -> list[tuple[str, str]]:
        """Every question, folded and as written; made once for each state of the knowledge."""
        knowledge = self._knowledge()
        if self._folded is None or self._folded[0] is not knowledge:
            written = dict.fromkeys(phrase.text for entry in knowledge.entries for phrase in entry.questions)
            self._folded = knowledge, [(f" {fold(text)}", text) for text in written]
        return self._folded[1]


def fitting_questions(typed: str, questions: list[tuple[str, str]]) -> list[str]:
    """Known questions in which every typed word begins a word, those that begin alike first."""
    begun = f" {fold(typed)}"
    wanted = [f" {word}" for word in begun.split()]
    fitting = [
        (not folded.startswith(begun), len(text), text)
        for folded, text in questions
        if wanted and all(word in folded for word in wanted)
    ]
    return [text for *_, text in sorted(fitting)[:_MOST_OFFERED]]


def _history(folder: Path) -> History:
    """What was typed before, in a file for nobody else: it may hold customers' words."""
    file = folder / _HISTORY_FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
        file.chmod(0o600)
    except OSError:  # a read-only home: then only this chat is remembered
        return InMemoryHistory()
    return FileHistory(file)
