"""The one door that every channel knocks on: an utterance goes in, a turn comes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from assistant.dialogue import replying
from assistant.dialogue.own_voice import Sentence, own_sentence
from assistant.dialogue.spoken_form import spoken_form
from assistant.matching.reasons import Explanation, explained
from assistant.values import (
    Conversation,
    Knowledge,
    Match,
    Problem,
    Reply,
    Signs,
    Thresholds,
    Turn,
    Utterance,
)


class Matching(Protocol):
    """Finds the entry that is meant; one is made for each state of the knowledge."""

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def thresholds(self) -> Thresholds: ...

    def match(self, utterance: Utterance, language: str | None = None) -> Match: ...

    def match_many(self, utterances: Sequence[Utterance]) -> list[Match]: ...

    def signs(self, utterance: Utterance) -> Signs: ...


class Pages(Protocol):
    """The knowledge as it stands on disk: the last good one, and what is wrong with the newest."""

    @property
    def knowledge(self) -> Knowledge: ...

    @property
    def problems(self) -> Sequence[Problem]: ...

    def refresh(self) -> bool:
        """Read what has changed; True if anything did, for better or worse."""
        ...


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What became of changed pages: taken up, or refused for these problems."""

    taken_up: bool
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ready:
    """Knowledge and the matcher made from it: they change together or not at all."""

    knowledge: Knowledge
    matcher: Matching


class Assistant:
    """Answers from the knowledge; may be used by several threads, each with its own conversation."""

    def __init__(
        self,
        pages: Pages,
        make_matcher: Callable[[Knowledge], Matching],
        today: Callable[[], date] = date.today,
    ) -> None:
        self._pages = pages
        self._make_matcher = make_matcher
        self._today = today
        self._one_refresh = threading.Lock()
        # Swapped as one reference: a turn under way ends with the knowledge it began with.
        self._ready = _Ready(pages.knowledge, make_matcher(pages.knowledge))
        for language in pages.knowledge.languages:
            spoken_form("-", language)  # loads its parser and tables now: the first customer must not wait

    @property
    def knowledge(self) -> Knowledge:
        return self._ready.knowledge

    @property
    def matcher(self) -> Matching:
        return self._ready.matcher

    def answer(self, conversation: Conversation, utterance: Utterance) -> tuple[Conversation, Turn]:
        """One turn, and the conversation to give with the next utterance."""
        started, ready = time.perf_counter(), self._ready
        language = conversation.chosen_language or conversation.language
        match = ready.matcher.match(utterance, language)
        after, reply = replying.reply(ready.knowledge, conversation, utterance, match, self._today())
        return after, Turn(utterance, match, reply, (time.perf_counter() - started) * 1000)

    def explain(self, conversation: Conversation, utterance: Utterance) -> Explanation:
        """Why the words of an utterance are understood as they are; what the conversation makes of
        them (a choice taken, a question that waits) is left out."""
        ready = self._ready
        match = ready.matcher.match(utterance, conversation.chosen_language or conversation.language)
        return explained(ready.knowledge, ready.matcher, utterance, match)

    def repeat(self, conversation: Conversation) -> tuple[Conversation, Reply]:
        """The last reply again, in the language chosen since."""
        return replying.repeat(self.knowledge, conversation, self._today())

    def open_entry(self, conversation: Conversation, name: str) -> tuple[Conversation, Reply]:
        """Straight to an entry, as by a key: `help`, `start-over`, `person-please`."""
        return replying.open_entry(self.knowledge, conversation, name, self._today())

    def own_sentence(self, name: str, language: str | None = None) -> Sentence:
        """Something the assistant says of its own accord: `greeting`, `goodbye`."""
        return own_sentence(self.knowledge, name, language or self.knowledge.default_language)

    def refresh(self) -> Refreshed | None:
        """Take up changed pages; None where nothing has changed since the last look.

        Pages with errors are refused as a whole and the last good knowledge stays.
        """
        with self._one_refresh:
            if not self._pages.refresh():
                return None
            knowledge, problems = self._pages.knowledge, tuple(self._pages.problems)
            if knowledge == self._ready.knowledge:
                return Refreshed(False, problems)
            self._ready = _Ready(knowledge, self._make_matcher(knowledge))
            return Refreshed(True, problems)
