"""How much a request may be: its address, headers and body, and one message of a WebSocket."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.channels.web.guarding.refusals import Refusal

BODY_BYTES = 65_536  # a question of 2,000 characters with its other readings fits many times over
BODY_SECONDS = 20.0  # for all of a body: 64 kB at 3 kB a second, a very slow telephone
HEADER_BYTES = 16_384  # of one request in all; browsers send 1 to 2 kB and the cookies of neighbours
HEADERS = 100
URL_BYTES = 8_192  # 900 Korean characters, percent-encoded, as what is being typed
MESSAGE_BYTES = 262_144  # of a WebSocket; sound of eight seconds, where a browser sends a tenth of one
TEXT_BYTES = BODY_BYTES  # of a WebSocket message that is JSON

_MESSAGE_TOO_BIG = 1009  # of RFC 6455
_TOO_LARGE = Refusal(
    413,
    "the request is too large",
    f"send at most {BODY_BYTES // 1024} kB",
    (("connection", "close"),),  # what else was sent is not read
)
_TOO_SLOW = Refusal(
    408,
    "the request did not arrive to its end",
    f"send it within {BODY_SECONDS:g} seconds",
    (("connection", "close"),),
)


def oversized(scope: Scope) -> Refusal | None:
    """Too long an address, or too many or too long headers."""
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > URL_BYTES:
        return Refusal(414, "the address is too long", f"it may have {URL_BYTES} bytes")
    headers = scope["headers"]
    if len(headers) > HEADERS or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
        return Refusal(431, "the headers are too large", f"they may have {HEADER_BYTES // 1024} kB")
    return None


class BoundedBodies:
    """Reads a body to its end before the app is called: neither its size nor its speed costs the app."""

    def __init__(self, app: ASGIApp, seconds: float = BODY_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        if _declared_bytes(scope) > BODY_BYTES:
            await _TOO_LARGE(scope, receive, send)
            return
        try:
            with anyio.fail_after(self._seconds):
                body = await _read(receive)
        except TimeoutError:
            await _TOO_SLOW(scope, receive, send)
            return
        if body is None:
            return  # the client is gone
        if len(body) > BODY_BYTES:
            await _TOO_LARGE(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _declared_bytes(scope: Scope) -> int:
    declared = [value for name, value in scope["headers"] if name == b"content-length"]
    if not declared:
        return 0
    # Digits alone, and no more of them than a number needs: `int` of a very long one takes its time.
    return int(declared[0]) if declared[0].isdigit() and len(declared[0]) < 20 else BODY_BYTES + 1


async def _read(receive: Receive) -> bytes | None:
    """The body, or its beginning where it is too large; None: the client left before its end."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > BODY_BYTES or not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


class BoundedMessages:
    """Closes a WebSocket that sends one message of too many bytes; the app is told that it is gone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        is_closed = False

        async def bounded_receive() -> Message:
            nonlocal is_closed
            message = await receive()
            if is_closed or message["type"] != "websocket.receive" or not _is_too_big(message):
                return message
            is_closed = True
            await send({"type": "websocket.close", "code": _MESSAGE_TOO_BIG})
            return {"type": "websocket.disconnect", "code": _MESSAGE_TOO_BIG, "reason": ""}

        async def open_send(message: Message) -> None:
            if not is_closed:
                await send(message)

        await self._app(scope, bounded_receive, open_send)


def _is_too_big(message: Message) -> bool:
    text, sound = message.get("text") or "", message.get("bytes") or b""
    if len(sound) > MESSAGE_BYTES or len(text) > TEXT_BYTES:
        return True
    return len(text) * 4 > TEXT_BYTES and len(text.encode()) > TEXT_BYTES  # at most four bytes a character
