"""The kiosk as a page: a WebSocket `/api/kiosk` between the loop of a kiosk and a browser's screen.

The page says `hello` first, then what the customer does: `key`, `typed`, `choose`, `touch`, `language`; and
with `sound` what it has opened. It is told `ready`, then each `view` with what has changed on the screen, a
`caption` of each sentence that is said, and `silence`. Sound goes both ways as 16-bit PCM.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from assistant.channels.kiosk.values import Happening, Pressed, Typed
from assistant.channels.web.asking import reading
from assistant.channels.web.guarding.failures import Refused
from assistant.channels.web.guarding.rates import Bucket
from assistant.channels.web.shared import Shared, shared
from assistant.channels.web.sockets.kiosk_session import MICROPHONE_NOTES, KioskSession, PageSound
from assistant.channels.web.sockets.socket_line import (
    BROKEN,
    NOT_ALLOWED,
    TRY_LATER,
    Gone,
    HungUp,
    Line,
    converse,
)
from assistant.channels.web.values import Backstage
from assistant.errors import BusyError

_HELLO_SECONDS = 10.0  # a page says it at once
_SEAT_SECONDS = 5.0  # between two tries for a seat
_TOUCHES_A_MINUTE = 600  # ten a second: nobody has that many fingers
_MICROPHONES = ("", "open", *MICROPHONE_NOTES)

Fields = Mapping[str, Callable[[str, object], Any]]


def _microphone(name: str, value: object) -> str:
    if value not in _MICROPHONES:
        raise Refused(400, f"`{name}` must be one of {', '.join(filter(None, _MICROPHONES))}")
    return str(value)


_MESSAGES: Mapping[str, Fields] = {
    "key": {"name": reading.text(1, 16)},
    "typed": {"text": reading.text(1, reading.LONGEST_TEXT)},
    "choose": {"number": reading.whole_number(1, 99)},
    "touch": {},
    "language": {"tag": reading.language},
    "sound": {"microphone": _microphone, "loudspeaker": reading.switch, "echo": reading.switch},
    "bye": {},
}
_HELLO: Mapping[str, Fields] = {"hello": {"language": reading.language}}


async def kiosk(websocket: WebSocket) -> None:
    """Serve one page until it leaves."""
    await converse(websocket, partial(_serve, shared(websocket)))


routes = [WebSocketRoute("/api/kiosk", kiosk)]


async def _serve(house: Shared, line: Line) -> None:
    try:
        async with house.kiosks.place():
            await _serve_one(house, line)
    except BusyError:
        full = "this server has as many kiosks as it can serve"
        raise HungUp(TRY_LATER, full, "try again in a minute") from None


async def _serve_one(house: Shared, line: Line) -> None:
    session = KioskSession(house, await _languages(house.backstage, line), line)
    session.start()
    showing = asyncio.create_task(session.front.tell_views())
    try:
        line.tell({"type": "ready", "rate_hz": session.rate_hz})
        await _take_messages(session, line)
    finally:
        showing.cancel()
        # Not waited for: whoever is cancelled, as at the end of the server, may be so twice.
        threading.Thread(target=session.close, name="kiosk leaving", daemon=True).start()


async def _languages(backstage: Backstage, line: Line) -> tuple[str, ...]:
    """Those of the kiosk, the one that the page was opened in first."""
    message = await line.receive(_HELLO_SECONDS)
    try:
        _, said = _read(message if isinstance(message, str) else "", _HELLO)
    except Refused as error:
        raise HungUp(NOT_ALLOWED, error.fact, 'begin with {"type": "hello"}') from None
    offered = backstage.settings.kiosk.languages or backstage.languages
    first = said.get("language")
    return tuple(sorted(offered, key=lambda tag: tag != first))


async def _take_messages(session: KioskSession, line: Line) -> None:
    """Everything that the page says, in order; raises Gone when it leaves."""
    seats, touches = _SeatSeeker(session, line), Bucket(_TOUCHES_A_MINUTE, time.monotonic)
    while True:
        message = await line.receive(_SEAT_SECONDS)
        if not session.is_running:
            raise HungUp(BROKEN, "this kiosk broke down", "load the page again")
        if isinstance(message, bytes):
            session.hear(message)
        elif message is not None:
            if touches.take(""):
                raise HungUp(NOT_ALLOWED, "too many messages", f"at most {_TOUCHES_A_MINUTE} a minute")
            await _take(message, session, seats)
        await seats.try_again()


class _SeatSeeker:
    """Asks for a seat again and again while all are taken."""

    def __init__(self, session: KioskSession, line: Line) -> None:
        self._session, self.line = session, line
        self._clock = asyncio.get_running_loop().time
        self._next_at: float | None = None  # None: nothing is wanted

    async def seek(self, take: Callable[[], None]) -> None:
        """In a thread of its own: opening an ear may wait for a lock or two."""
        was_waiting = self._next_at is not None
        self._next_at = None
        try:
            await anyio.to_thread.run_sync(take)
        except BusyError as error:
            self._next_at = self._clock() + _SEAT_SECONDS
            if not was_waiting:
                self.line.tell({"type": "busy", "fact": error.fact, "hint": error.hint})
                self._session.ask_for_a_moment()

    async def try_again(self) -> None:
        if self._next_at is not None and self._clock() >= self._next_at:
            await self.seek(self._session.take_seat)


async def _take(message: str, session: KioskSession, seats: _SeatSeeker) -> None:
    try:
        kind, said = _read(message, _MESSAGES)
        if kind == "bye":
            raise Gone
        if kind == "sound":
            await seats.seek(partial(session.open_sound, PageSound(**said)))
        else:
            session.put(_happening(kind, said, session.languages))
    except Refused as error:
        seats.line.tell({"type": "error", "fact": error.fact, "hint": error.hint})


def _happening(kind: str, said: Mapping[str, Any], languages: tuple[str, ...]) -> Happening:
    """What the customer did, as keys of the kiosk; raises Refused for what cannot be done here."""
    match kind:
        case "typed":
            return Typed(said["text"])
        case "choose":
            return Pressed(str(said["number"]))
        case "touch":
            return Pressed("touch")
        case "language":
            if said["tag"] not in languages:
                raise Refused(400, "the kiosk does not offer this language", ", ".join(languages))
            return Pressed(f"f{languages.index(said['tag']) + 1}")
    return Pressed(said["name"])


def _read(message: str, kinds: Mapping[str, Fields]) -> tuple[str, dict[str, Any]]:
    """Its type and its fields; raises Refused for anything else than a message of one of the kinds."""
    try:
        written = json.loads(message)
    except (ValueError, RecursionError):
        raise Refused(
            400, "the message is not JSON that can be read", 'write it like {"type": "touch"}'
        ) from None
    kind = written.get("type") if isinstance(written, dict) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise Refused(400, "the message has no type that is known", f"known: {', '.join(kinds)}")
    fields = kinds[kind]
    optional = kind in ("hello", "sound")
    if missing := [name for name in fields if name not in written and not optional]:
        raise Refused(400, f"the message lacks `{missing[0]}`")
    return kind, {name: read(name, written[name]) for name, read in fields.items() if name in written}
