"""The line to one client, as far as a real server does not show it: what two things at once become."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import anyio

from assistant.channels.web.sockets.socket_line import Line


class StreamedWebSocket:
    """A client whose messages come over a stream of anyio, as from the test client of Starlette."""

    def __init__(self) -> None:
        self.send, self._stream = anyio.create_memory_object_stream[dict[str, Any]](9)

    async def receive(self) -> dict[str, Any]:
        return await self._stream.receive()


def test_a_message_that_comes_in_the_moment_in_which_the_wait_for_it_ends_is_not_lost() -> None:
    async def talk() -> list[str | bytes | None]:
        websocket, loop = StreamedWebSocket(), asyncio.get_running_loop()
        line = Line(websocket)  # type: ignore[arg-type]
        loop.call_later(0.01, websocket.send.send_nowait, {"type": "websocket.receive", "text": "hello"})
        loop.call_later(0.0, time.sleep, 0.05)  # a busy machine: both moments are over when it looks again
        heard = [await line.receive(0.02), await line.receive(0.5)]
        line.close()
        return heard

    assert "hello" in asyncio.run(talk())
