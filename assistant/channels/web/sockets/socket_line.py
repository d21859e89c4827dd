"""The line to one client over a WebSocket: what comes in is counted, what goes out is bounded."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

# Messages wait for a client that stalls; of events alone this is minutes of conversation.
_MOST_MESSAGES = 500
# Of sound not yet handed to the network: two seconds at 22,050 Hz, which a short stall of it takes up.
MOST_SOUND_BYTES = 88_200
_LARGEST_FRAME_BYTES = 16_384  # sound that waits goes out together, but not as one lump
# So long may one message take to go out: a client that reads nothing for longer is not there.
_SENDING_SECONDS = 20.0
# A page that sends each 128 samples of its microphone by themselves sends 125 a second. A recording may
# come as fast as the line takes it: ten seconds of it in the smallest pieces.
_SOUNDS_A_SECOND, _SOUNDS_AT_ONCE = 200.0, 1500.0
# A key or a touch makes three or four; each may set threads to work.
_TEXTS_A_SECOND, _TEXTS_AT_ONCE = 10.0, 40.0
_LONGEST_REASON_BYTES = 120  # of a close frame; RFC 6455 leaves 123

NORMAL, NOT_UNDERSTOOD, NOT_ALLOWED, BROKEN, TRY_LATER = 1000, 1003, 1008, 1011, 1013  # of RFC 6455


class HungUp(Exception):
    """The conversation is over: the client is told why, where there is a fact, and the line is closed."""

    def __init__(self, code: int, fact: str = "", hint: str = "") -> None:
        super().__init__(fact)
        self.code = code
        self.fact = fact
        self.hint = hint


class Gone(Exception):
    """The client has left."""


@dataclass(frozen=True, slots=True)
class _Goodbye:
    code: int
    reason: str


_Item = str | bytes | _Goodbye


class Line:
    """What comes from one client and what goes to it, in order.

    The methods whose names end in `later`, and the two properties, may be used from any thread, the others
    on the event loop.
    """

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Item] = deque()
        self._news = asyncio.Event()
        self._sounds = _Rate(_SOUNDS_A_SECOND, _SOUNDS_AT_ONCE, self._loop.time())
        self._texts = _Rate(_TEXTS_A_SECOND, _TEXTS_AT_ONCE, self._loop.time())
        self._counting = threading.Lock()
        self._sound_bytes = 0
        # Kept from one wait to the next: whoever gives up in the moment of its arrival loses a message.
        self._arriving: asyncio.Task[MutableMapping[str, Any]] | None = None
        self.is_gone = False

    # --- what goes out ------------------------------------------------------------------------

    def tell(self, message: Mapping[str, object]) -> None:
        self._put(json.dumps(message, ensure_ascii=False))

    def play(self, pcm: bytes) -> None:
        with self._counting:
            self._sound_bytes += len(pcm)
        self._put(pcm)

    def later(self, do: Callable[[], None]) -> None:
        """On the event loop, in the order of the calls."""
        with suppress(RuntimeError):  # the loop has ended: there is nobody to tell
            self._loop.call_soon_threadsafe(do)

    def tell_later(self, message: Mapping[str, object]) -> None:
        self.later(lambda: self.tell(message))

    def play_later(self, pcm: bytes) -> None:
        """Sound goes out after what was told before; see `sound_bytes` for how much waits."""
        with self._counting:
            self._sound_bytes += len(pcm)
        self.later(lambda: self._put(pcm))

    def silence_later(self) -> None:
        """Sound that has not gone out is dropped, and the client told to throw away what it has."""
        self.later(self._silence)

    @property
    def sound_bytes(self) -> int:
        """So much sound has not gone out."""
        return self._sound_bytes

    def hang_up(self, code: int, reason: str = "") -> None:
        """When all that waits has gone out."""
        self._put(_Goodbye(code, _cut(reason)))

    async def pour(self) -> None:
        """Send what waits until it was hung up, or until the client is gone or takes nothing."""
        try:
            while not self.is_gone:
                item = await self._next()
                async with asyncio.timeout(_SENDING_SECONDS):
                    await self._send(item)
                if isinstance(item, _Goodbye):
                    return
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            return  # the last where the server closed it in the meantime, for a ping that nobody answered
        finally:
            self.is_gone = True

    def _put(self, item: _Item) -> None:
        # Sound is bounded by whoever makes it; it is the events for nobody that are counted here.
        if len(self._waiting) >= _MOST_MESSAGES and not isinstance(item, bytes):
            self.is_gone = True
        if not self.is_gone:
            self._waiting.append(item)
        self._news.set()

    def _silence(self) -> None:
        kept = [item for item in self._waiting if not isinstance(item, bytes)]
        self._count_out(sum(len(item) for item in self._waiting if isinstance(item, bytes)))
        self._waiting = deque(kept)
        self.tell({"type": "silence"})

    async def _next(self) -> _Item:
        while not self._waiting:
            if self.is_gone:
                raise WebSocketDisconnect
            self._news.clear()
            await self._news.wait()
        item = self._waiting.popleft()
        if isinstance(item, bytes):
            return self._with_more_sound(item)
        return item

    def _with_more_sound(self, pcm: bytes) -> bytes:
        pieces, size = [pcm], len(pcm)
        while self._waiting and isinstance(self._waiting[0], bytes) and size < _LARGEST_FRAME_BYTES:
            more = self._waiting.popleft()
            assert isinstance(more, bytes)
            pieces.append(more)
            size += len(more)
        return b"".join(pieces)

    async def _send(self, item: _Item) -> None:
        if isinstance(item, bytes):
            try:
                await self._websocket.send_bytes(item)
            finally:
                self._count_out(len(item))
        elif isinstance(item, str):
            await self._websocket.send_text(item)
        else:
            await self._websocket.close(item.code, item.reason)

    def _count_out(self, sound_bytes: int) -> None:
        with self._counting:
            self._sound_bytes -= sound_bytes

    # --- what comes in ------------------------------------------------------------------------

    async def receive(self, seconds: float) -> str | bytes | None:
        """The next message, None where none came for so long.

        Raises Gone, or HungUp for a client that sends more messages than anybody needs to.
        """
        self._arriving = self._arriving or asyncio.create_task(self._websocket.receive())
        done, _ = await asyncio.wait((self._arriving,), timeout=seconds)
        if not done:
            return None
        message, self._arriving = self._arriving.result(), None
        if message["type"] == "websocket.disconnect":
            self.is_gone = True
            self._news.set()
            raise Gone
        sound: bytes | None = message.get("bytes")
        text: str | None = message.get("text")
        (self._texts if sound is None else self._sounds).count(self._loop.time())
        return text or "" if sound is None else sound

    def close(self) -> None:
        """Wait for no more messages."""
        self.is_gone = True
        if self._arriving:
            self._arriving.cancel()


async def converse(
    websocket: WebSocket, conversation: Callable[[Line], Awaitable[None]], tells_why: bool = True
) -> None:
    """Accept a client and hold a conversation until either side has had enough; nothing outlives it.

    The conversation is cancelled where the client is found to be gone, and may raise Gone and HungUp.
    Why it was hung up is told as a message of its own, and in the frame that closes the line.
    """
    await websocket.accept()
    line = Line(websocket)
    pouring = asyncio.create_task(line.pour())
    talking = asyncio.create_task(_until_the_end(line, conversation, tells_why))
    try:
        await asyncio.wait((pouring, talking), return_when=asyncio.FIRST_COMPLETED)
        if talking.done() and not talking.exception() and not line.is_gone:
            await asyncio.wait((pouring,), timeout=_SENDING_SECONDS)  # to the goodbye
    finally:
        line.close()
        for task in (talking, pouring):
            task.cancel()
        await asyncio.gather(pouring, talking, return_exceptions=True)
    if not talking.cancelled():
        talking.result()


async def _until_the_end(
    line: Line, conversation: Callable[[Line], Awaitable[None]], tells_why: bool
) -> None:
    with suppress(Gone):
        try:
            await conversation(line)
            line.hang_up(NORMAL)
        except HungUp as end:
            kind = "busy" if end.code == TRY_LATER else "error"
            if end.fact and tells_why:
                line.tell({"type": kind, "fact": end.fact, "hint": end.hint})
            line.hang_up(end.code, end.fact)


class _Rate:
    """How many messages a client may still send: a store that fills up again as time goes by."""

    def __init__(self, a_second: float, at_once: float, now: float) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._left, self._filled_at = at_once, now

    def count(self, now: float) -> None:
        """Raises HungUp for one too many."""
        more = (now - self._filled_at) * self._a_second
        self._left = min(self._at_once, self._left + more) - 1
        self._filled_at = now
        if self._left < 0:
            raise HungUp(NOT_ALLOWED, "too many messages", f"send at most {self._a_second:.0f} a second")


def _cut(reason: str) -> str:
    return reason.encode()[:_LONGEST_REASON_BYTES].decode(errors="ignore")
