"""Where turns are shown: colours and rendered Markdown on a terminal, plain lines elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from assistant.channels.lines import problem_lines, reply_lines
from assistant.channels.plain_text import plain_text
from assistant.errors import AssistantError, KnowledgeError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from assistant.values import Problem, Reply

_WIDTH = 100  # columns; longer lines are hard to read
# A page or a customer must not be able to send commands to a terminal.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")


class Screen:
    """A stream to show things on; what is rich about it is loaded only for a terminal."""

    def __init__(self, stream: TextIO, is_terminal: bool | None = None) -> None:
        self._stream = stream
        self.is_terminal = stream.isatty() if is_terminal is None else is_terminal
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        if self._console is None:
            from rich.console import Console

            self._console = Console(file=self._stream, highlight=False, soft_wrap=False)
            self._console.width = min(self._console.width, _WIDTH) if self.is_terminal else _WIDTH
        return self._console

    def reply(self, reply: Reply) -> None:
        """The answer and its choices."""
        if not self.is_terminal:
            return self.lines(reply_lines(reply))
        self.markdown(reply.text)
        if reply.choices:
            self.line()
        for number, choice in enumerate(reply.choices, 1):
            self.line(f"  {number:>2}  {choice.label}", "cyan")
        return None

    def markdown(self, text: str) -> None:
        if not self.is_terminal:
            return self.lines([plain_text(text)])
        from rich.markdown import Markdown
        from rich.padding import Padding

        return self.show(Padding(Markdown(for_terminal(text), hyperlinks=False), (0, 2)))

    def problem(self, problem: Problem) -> None:
        """Place and fact, the line as written, the way out."""
        fact, *rest = problem_lines(problem)
        self.line(fact, "red" if problem.severity == "error" else "yellow")
        for line in rest:
            self.line(line, "dim")

    def error(self, error: AssistantError) -> None:
        """What broke and what to do about it, after all the problems it comes from."""
        for problem in error.problems if isinstance(error, KnowledgeError) else ():
            self.problem(problem)
        self.line(f"error: {error.fact}", "bold red")
        if error.hint:
            self.line(f"hint: {error.hint}")

    def notes(self, notes: Iterable[str]) -> None:
        """What had to be done without, or was odd."""
        for note in notes:
            self.line(f"note: {note}", "dim")

    def show(self, what: RenderableType) -> None:
        """A table or the like."""
        self.console.print(what)

    def line(self, text: str = "", style: str = "") -> None:
        """One line of text, in a style where the stream has any."""
        if not self.is_terminal:
            return self.lines([text])
        from rich.text import Text

        self.console.print(Text(safe(text), style))
        return None

    def data(self, text: str) -> None:
        """Text for a machine, exactly as it is."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._stream.write(safe(line) + "\n")
        self._stream.flush()


def safe(text: str) -> str:
    """The text without control characters, in letters that can be written."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def for_terminal(markdown: str) -> str:
    """The Markdown made safe, each picture as its description: a terminal has nothing else to show."""
    return _PICTURE.sub(r"*[\1]*", safe(markdown))
