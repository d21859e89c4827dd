"""A conversation at the terminal: what was said last, what can be done about it, who is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assistant.dialogue.replying import choice_taken
from assistant.errors import AssistantError
from assistant.values import Choice, Conversation, Found, Reply, Turn, Unsure, Utterance, outcome

if TYPE_CHECKING:
    from assistant.answering import Assistant, Refreshed
    from assistant.channels.screen import Screen

Speak = Callable[[str, str], None]  # plain words and their language; returns when they were said


@dataclass(slots=True)
class Session:
    """All that a chat remembers between two lines."""

    assistant: Assistant
    screen: Screen
    open_voice: Callable[[], Speak]
    conversation: Conversation = field(default_factory=Conversation)
    turn: Turn | None = None
    before: Conversation = field(default_factory=Conversation)  # as it was when the last turn began
    decided: str = ""  # what decided the last turn, where it was not the matcher
    question: str = ""  # what /save would write down; empty where there is nothing to learn from
    entry: str | None = None  # that is the right one for the question, as far as is known
    offered: tuple[str, ...] = ()  # entries of which /save asked one to be picked
    good: int = 0
    bad: list[str] = field(default_factory=list)  # questions with a wrong answer, until saved
    speak: Speak | None = None
    is_open: bool = True

    def ask(self, text: str) -> None:
        """One turn: asked, shown, and said aloud where that is switched on."""
        self.before = before = self.conversation
        utterance = Utterance(text)
        self.conversation, turn = self.assistant.answer(before, utterance)
        choice = choice_taken(before, utterance, turn.match)
        self.decided = _decided(before, choice, turn)
        self._learn_from(turn, choice)
        self.turn = turn
        self.screen.reply(turn.reply)
        if self.screen.is_terminal:
            self.tell(f"  {self._judged(turn)}")
        self._say(turn.reply)

    def _judged(self, turn: Turn) -> str:
        """For whoever tests the pages: what was decided, how surely, how fast."""
        time = f"{turn.milliseconds:.0f} ms"
        if self.decided:
            return f"{self.decided}, {time}"
        best = next(iter(turn.match.ranking.candidates), None)
        likely = f"{best.entry} {best.probability:.0%}" if best else "nothing"
        judged = outcome(turn.match)
        return f"{likely}, {time}" if judged == "found" else f"{judged}, at best {likely}, {time}"

    def _learn_from(self, turn: Turn, choice: Choice | None) -> None:
        """Which question could /save write down, under which entry?"""
        if choice is None:
            self.question = turn.utterance.text
            self.entry = turn.match.best.entry if isinstance(turn.match, Found) else None
        elif self.turn and isinstance(self.turn.match, Unsure):
            self.entry = choice.entry  # "did you mean": the pick tells where the question belongs
        else:
            self.question, self.entry = "", None

    def show(self, reply: Reply) -> None:
        self.screen.reply(reply)
        self._say(reply)

    def _say(self, reply: Reply) -> None:
        if self.speak:
            try:
                self.speak(reply.spoken, reply.language)
            except AssistantError as error:
                self.speak = None
                self.screen.error(error)
                self.tell("The voice is off now.")

    def take_up_changes(self) -> None:
        """Read pages that have changed since the last turn and tell what became of them."""
        if refreshed := self.assistant.refresh():
            self._tell_refreshed(refreshed)

    def _tell_refreshed(self, refreshed: Refreshed) -> None:
        errors = [problem for problem in refreshed.problems if problem.severity == "error"]
        for problem in errors:
            self.screen.problem(problem)
        if errors:
            self.tell("The changed pages cannot be used yet; I answer from the last good ones.")
        elif refreshed.taken_up:
            self.tell("The pages have changed; I answer from the new ones.")
        else:
            self.tell("The pages are in order again.")

    def tell(self, text: str) -> None:
        """Something about the chat itself, apart from the answers."""
        self.screen.line(text, "dim")


def _decided(before: Conversation, choice: Choice | None, turn: Turn) -> str:
    """What decided the turn, if it was the conversation and not the matcher."""
    if choice:
        return f"choice “{choice.label}” -> {choice.entry}"
    if before.waiting and turn.reply.choices == before.choices:
        return "the question before waits for one of its choices"
    return ""
