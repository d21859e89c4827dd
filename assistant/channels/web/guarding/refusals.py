"""A request turned away before the app sees it: the same shape of answer wherever that happens."""

from __future__ import annotations

import json
from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

# "Policy violation" of RFC 6455, for servers that cannot answer a handshake with a status.
_POLICY_VIOLATION = 1008


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered in place of the app; without a fact it has no body."""

    status: int
    fact: str = ""
    hint: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._answer("http.response", send)
            return
        await receive()  # websocket.connect: nothing may be sent before it
        if "websocket.http.response" in scope.get("extensions", {}):
            await self._answer("websocket.http.response", send)
        else:
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": self.fact})

    async def _answer(self, kind: str, send: Send) -> None:
        error = {"fact": self.fact, "hint": self.hint}
        body = json.dumps({"error": error}).encode() if self.fact else b""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in self.headers]
        if body:
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": f"{kind}.start", "status": self.status, "headers": headers})
        await send({"type": f"{kind}.body", "body": body})
