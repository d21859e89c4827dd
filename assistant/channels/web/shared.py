"""What all requests to one server share; it hangs on `app.state.shared`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
from starlette.requests import HTTPConnection

from assistant.channels.web.asking.conversations import Conversations
from assistant.channels.web.guarding.rates import Overload
from assistant.channels.web.metrics import Metrics
from assistant.channels.web.pages_watch import PagesWatch
from assistant.channels.web.seats import CountedSeats
from assistant.channels.web.values import Backstage
from assistant.matching.suggesting import Suggesting

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shared:
    """Made once for each app; what changes in it is used on the event loop alone."""

    backstage: Backstage
    conversations: Conversations
    metrics: Metrics
    seats: CountedSeats
    watch: PagesWatch
    places: Overload
    threads: anyio.CapacityLimiter
    kiosks: Overload
    # Replaced as a whole when the pages have changed; two threads that both do so lose nothing.
    _newest: deque[Suggesting] = field(default_factory=lambda: deque(maxlen=1))

    def suggest(self, typed: str, language: str, count: int) -> tuple[str, ...]:
        """Questions of the newest pages that fit what is typed; takes some milliseconds."""
        knowledge = self.backstage.assistant.knowledge
        newest = self._newest[-1] if self._newest else None
        if newest is None or newest.knowledge is not knowledge:
            self._newest.append(newest := Suggesting(knowledge))
        return newest.suggest(typed, language, count)

    async def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a worker thread, when it is its turn; raises BusyError where too many wait for one."""
        async with self.places.place():
            return await anyio.to_thread.run_sync(partial(function, *args, **kwargs), limiter=self.threads)


def shared(connection: HTTPConnection) -> Shared:
    found: Shared = connection.app.state.shared
    return found
