"""Questions asked one by one from the command line, each in a conversation of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from assistant.channels.lines import exit_code, json_line
from assistant.channels.progress import bar
from assistant.channels.question_file import BadLine, count_questions, read_questions
from assistant.values import Conversation, Heard, Turn, Utterance

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.channels.screen import Screen
    from assistant.matching.reasons import Explanation

UNREADABLE = 1


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked, in which conversation, and where the answers go."""

    assistant: Assistant
    conversation: Conversation
    out: Screen
    err: Screen
    as_json: bool = False

    def explain(self, utterance: Utterance) -> Explanation:
        """Why it would be answered as it would be; nothing is shown."""
        return self.assistant.explain(self.conversation, utterance)

    def ask(self, utterance: Utterance, heard: Heard | None = None) -> Turn:
        """Ask and show the answer."""
        turn = self.assistant.answer(self.conversation, utterance)[1]
        if self.as_json:
            self.out.data(json_line(turn, self.assistant.knowledge, heard))
        else:
            self.out.reply(turn.reply)
        return turn

    def ask_all(self, file: BinaryIO) -> int:
        """Ask every line of a file, showing each answer as soon as it is there; the exit code for all."""
        codes = {0}
        with bar("asking", count_questions(file), self.out, self.err) as show:
            for done, question in enumerate(read_questions(file), 1):
                if isinstance(question, BadLine):
                    self.err.line(f"{getattr(file, 'name', 'input')}:{question.line}: {question.fact}")
                    codes.add(UNREADABLE)
                else:
                    codes.add(self._ask_line(question.text))
                show(done)
        return UNREADABLE if UNREADABLE in codes else max(codes)

    def _ask_line(self, text: str) -> int:
        if not self.as_json:
            self.out.line(f"> {text}", "bold")
        turn = self.ask(Utterance(text))
        if not self.as_json:
            self.out.line()
        return exit_code(turn)
