"""What is told in place of an answer: `{"error": {"fact", "hint"}}`, never a stack trace."""

from __future__ import annotations

import contextlib
import traceback
from http import HTTPStatus
from logging import getLogger

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.errors import AssistantError, BusyError

LOG = getLogger("assistant.web")
# A turn takes some milliseconds: whoever asks again after a second finds the crowd gone.
RETRY_AFTER_SECONDS = 1


class Refused(Exception):
    """A request that cannot be served as it is; `status` says in which way."""

    def __init__(self, status: int, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.status = status
        self.fact = fact
        self.hint = hint


def error_response(
    status: int, fact: str, hint: str = "", headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": {"fact": fact, "hint": hint}}, status, headers)


async def on_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return error_response(error.status, error.fact, error.hint)


async def on_assistant_error(_: Request, error: Exception) -> Response:
    """What broke in the house; busy is no breakage, and says when to come again."""
    assert isinstance(error, AssistantError)
    if isinstance(error, BusyError):
        return error_response(503, error.fact, error.hint, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    return error_response(500, error.fact, error.hint)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """No such address, no such method, a body too large: the framework's own refusals, in words."""
    assert isinstance(error, HTTPException)
    facts = {
        404: f"there is nothing at {request.url.path}",
        405: f"{request.method} is not possible at {request.url.path}",
    }
    fact = facts.get(error.status_code, HTTPStatus(error.status_code).phrase.lower())
    hint = "see /api/openapi.json" if error.status_code in facts else ""
    return error_response(error.status_code, fact, hint, dict(error.headers or {}))


class Mended:
    """The innermost ASGI middleware: whatever breaks is told in general words, and logged without a
    customer's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            _log(scope, error)
            if scope["type"] == "websocket":
                with contextlib.suppress(Exception):  # it may be closed already
                    await send({"type": "websocket.close", "code": 1011})
            elif not begun:
                response = error_response(500, "something went wrong here", "ask again; the log says more")
                await response(scope, receive, send)
            else:  # half an answer is out: the connection must end
                raise RuntimeError("an answer broke off") from None


def _log(scope: Scope, error: Exception) -> None:
    """Where it broke; not the error's text, which may quote a customer."""
    where = "".join(traceback.format_tb(error.__traceback__))
    LOG.error("%s at %s\n%s", type(error).__name__, scope["path"], where)
