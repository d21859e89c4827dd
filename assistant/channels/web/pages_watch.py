"""Changed pages are taken up while customers are served."""

from __future__ import annotations

from collections.abc import Callable
from logging import getLogger
from typing import Literal

import anyio
import anyio.to_thread

from assistant.answering import Assistant

LOG = getLogger("assistant.web")
# An editor who saves and looks sees it; a look at a thousand pages takes some milliseconds.
_EVERY_SECONDS = 2.0

Reload = Literal["taken-up", "refused", "failed"]


class PagesWatch:
    """Looks for changed pages now and then, in a thread of its own; never ends by itself."""

    def __init__(
        self, assistant: Assistant, count: Callable[[Reload], None], every_seconds: float = _EVERY_SECONDS
    ) -> None:
        self._assistant = assistant
        self._count = count
        self._every_seconds = every_seconds
        self.notes: tuple[str, ...] = ()  # why the newest pages are not in use; empty where they are

    async def run(self) -> None:
        thread = anyio.CapacityLimiter(1)  # a rebuild takes seconds: it must not stand in a question's way
        while True:
            await anyio.sleep(self._every_seconds)
            # Left to itself at the end: a rebuild cannot be broken off, and nobody needs it any more.
            await anyio.to_thread.run_sync(self.look, limiter=thread, abandon_on_cancel=True)

    def look(self) -> None:
        """Take up what has changed; whatever goes wrong, the last good pages stay in use."""
        try:
            refreshed = self._assistant.refresh()
        except Exception as error:
            self.notes = (f"changed pages could not be taken up: {type(error).__name__}",)
            self._tell("failed")
            return
        if refreshed is None:
            return
        errors = [problem for problem in refreshed.problems if problem.severity == "error"]
        self.notes = tuple(f"{problem.place}: {problem.fact}" for problem in errors)
        if refreshed.taken_up or errors:  # neither: saved again as it was, or mended to what is in use
            self._tell("taken-up" if refreshed.taken_up else "refused")

    def _tell(self, reload: Reload) -> None:
        self._count(reload)
        for note in self.notes:
            LOG.warning("%s", note)
