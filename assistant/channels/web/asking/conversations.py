"""Conversations that are under way: bounded in number, length and age, in memory only."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import anyio

from assistant.errors import BusyError
from assistant.values import Conversation, Outcome, Reply

MOST_TURNS = 50  # that a page shows again after a reload
# Of questions and answers together: 2,000 conversations, each full to the brim, take some 130 MB.
MOST_CHARACTERS = 40_000
_ID_BYTES = 24  # 192 bits: nobody guesses somebody else's conversation
# Requests that wait for one before them in the same conversation; nobody types faster.
_MOST_WAITING = 8


@dataclass(frozen=True, slots=True)
class KeptTurn:
    """One exchange as it is shown again."""

    number: int  # counted from 1
    question: str | None  # None: opened by a key or a link, not asked
    at: datetime
    reply: Reply
    outcome: Outcome
    milliseconds: float

    @property
    def characters(self) -> int:
        return len(self.question or "") + len(self.reply.text) + len(self.reply.spoken)


@dataclass(slots=True)
class Kept:
    """A conversation with its turns; used on the event loop, by whoever holds `alone()`."""

    id: str
    conversation: Conversation = field(default_factory=Conversation)
    turns: deque[KeptTurn] = field(default_factory=lambda: deque(maxlen=MOST_TURNS))
    votes: dict[int, bool] = field(default_factory=dict)  # of the turns that are kept
    used_seconds: float = 0.0  # by the clock of the store
    waiting: int = 0  # requests that it is busy with
    _said: int = 0
    _lock: anyio.Lock = field(default_factory=anyio.Lock)

    @property
    def next_number(self) -> int:
        return self._said + 1

    def turn(self, number: int) -> KeptTurn | None:
        return next((turn for turn in self.turns if turn.number == number), None)

    def add(self, after: Conversation, turn: KeptTurn) -> None:
        """The newest turn always stays; the oldest go where there is no room."""
        self.conversation = after
        self._said = turn.number
        self.turns.append(turn)
        while len(self.turns) > 1 and sum(kept.characters for kept in self.turns) > MOST_CHARACTERS:
            self.turns.popleft()
        oldest = self.turns[0].number
        self.votes = {number: vote for number, vote in self.votes.items() if number >= oldest}

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """One request after the other; raises BusyError where too many wait already."""
        if self.waiting >= _MOST_WAITING:
            raise BusyError("this conversation has too many questions under way", "wait for their answers")
        self.waiting += 1
        try:
            async with self._lock:
                yield
        finally:
            self.waiting -= 1


class Conversations:
    """Those that are remembered, the one idle for longest first. For one event loop, not for threads."""

    def __init__(self, most: int, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._by_id: OrderedDict[str, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, id: str) -> Kept | None:
        """The conversation of that id, no longer idle; None where it is forgotten or never was."""
        self.forget_idle()
        kept = self._by_id.get(id)
        if kept:
            self._use(kept)
        return kept

    def keep(self, kept: Kept) -> None:
        """From now on; where there are too many, the one idle for longest goes."""
        self._by_id[kept.id] = kept
        self._use(kept)
        if len(self._by_id) > self._most:
            self._by_id.popitem(last=False)

    def forget(self, id: str) -> None:
        self._by_id.pop(id, None)

    def forget_idle(self) -> None:
        """Those that nobody has used for too long."""
        oldest_allowed = self._clock() - self._idle_seconds
        while self._by_id and next(iter(self._by_id.values())).used_seconds < oldest_allowed:
            self._by_id.popitem(last=False)

    def _use(self, kept: Kept) -> None:
        kept.used_seconds = self._clock()
        self._by_id.move_to_end(kept.id)


def new_id() -> str:
    return secrets.token_urlsafe(_ID_BYTES)
