"""What stands around the app: who may ask, from where, how much and how often, and safe headers.

A guard looks at a request's first line and headers, and lets it pass (None) or says what is answered instead.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.channels.web.guarding.limits import BoundedBodies, BoundedMessages, oversized
from assistant.channels.web.guarding.rates import AtOnce, Rates
from assistant.channels.web.guarding.refusals import Refusal
from assistant.channels.web.values import Access
from assistant.settings import WebSettings

Guard = Callable[[Scope], Refusal | None]

WIDGET_PAGE = "/widget"
WIDGET_SCRIPT = "/widget.js"

_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@\s]+)(:\d{1,5})?")
_READING = ("GET", "HEAD", "OPTIONS")
_PREFLIGHT_SECONDS = "600"  # how long a browser may remember what it was allowed


def protected(app: ASGIApp, access: Access, web: WebSettings) -> ASGIApp:
    """The app behind all that is refused before it, with safe headers on all that it answers.

    A refusal is `{"error": {"fact", "hint"}}` with its status; a WebSocket is refused at its handshake.
    """
    inner: ASGIApp = BoundedMessages(BoundedBodies(app))
    guards = (oversized, Hosts(access), Origins(web.origins), Rates(web.questions_a_minute))
    return SafeHeaders(Guarded(AtOnce(inner), guards), web.origins)


class Guarded:
    """An app behind guards; the first that refuses is heard."""

    def __init__(self, app: ASGIApp, guards: Iterable[Guard]) -> None:
        self._app = app
        self._guards = tuple(guards)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            for guard in self._guards:
                if refusal := guard(scope):
                    await refusal(scope, receive, send)
                    return
        await self._app(scope, receive, send)


class Hosts:
    """Refuses a browser that was led here under a stranger's name (DNS rebinding).

    Its own page would then count as the stranger's, and the stranger's script could read all answers.
    """

    def __init__(self, access: Access) -> None:
        named = {_plain_host(name) for name in (access.host, *access.names)}
        self._names = {*_LOCAL_NAMES, *(name for name in named if not _is_any_address(name))}

    def __call__(self, scope: Scope) -> Refusal | None:
        written = _values(scope, b"host")
        parts = _HOST.fullmatch(written[0]) if len(written) == 1 else None
        if parts is None:
            return Refusal(400, "the request does not say which host it is for", "send one `Host` header")
        name = _plain_host(parts[1])
        # The address that the connection arrived at needs no name server: nobody can rebind it.
        if name in self._names or (scope.get("server") and name == _plain_host(scope["server"][0])):
            return None
        return Refusal(
            421,
            "this server is not known under that name",
            "who runs it can allow the name with `assistant serve --name NAME`",
        )


class Origins:
    """Refuses what a page of another site asks, but for the sites that were allowed.

    Without this any page that a customer visits could ask in their name, and through their address.
    Programs that are no browsers send neither header.
    """

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(allowed)

    def __call__(self, scope: Scope) -> Refusal | None:
        written = _values(scope, b"origin")
        is_reading = scope["type"] == "http" and scope["method"] in _READING
        if not written:
            # Browsers of the last years say this where they do not say the origin.
            is_strange = _values(scope, b"sec-fetch-site")[:1] in (["cross-site"], ["same-site"])
            return _STRANGE_SITE if is_strange and not is_reading else None
        origin = written[0].lower() if len(written) == 1 else "null"
        is_listed = origin in self._allowed
        if is_listed and _is_preflight(scope):
            return Refusal(204, headers=_PREFLIGHT)
        if is_listed or _is_own(origin, scope):
            return None
        return _STRANGE_SITE if _is_preflight(scope) or not is_reading else None


_STRANGE_SITE = Refusal(
    403,
    "a page of another site may not ask here",
    "who runs this server can allow the site with `assistant serve --origin https://shop.example`",
)
_PREFLIGHT = (
    ("access-control-allow-methods", "GET, POST, DELETE"),
    ("access-control-allow-headers", "content-type"),
    ("access-control-max-age", _PREFLIGHT_SECONDS),
)


def _is_preflight(scope: Scope) -> bool:
    is_options = scope["type"] == "http" and scope["method"] == "OPTIONS"
    return is_options and bool(_values(scope, b"access-control-request-method"))


def _is_own(origin: str, scope: Scope) -> bool:
    """Whether a page of this very server asks."""
    scheme, _, place = origin.partition("://")
    is_secure = scope.get("scheme") in ("https", "wss")
    # Without TLS here there may still be a proxy in front that has it.
    is_scheme_right = scheme == "https" or (scheme == "http" and not is_secure)
    return is_scheme_right and [place] == [host.lower() for host in _values(scope, b"host")]


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


@lru_cache(maxsize=1024)
def _plain_host(name: str) -> str:
    """One way to write a host: small letters, no brackets, no dot at the end, no network interface."""
    plain = name.lower().strip("[]").partition("%")[0].rstrip(".")
    try:
        address = ipaddress.ip_address(plain)
    except ValueError:
        return plain
    mapped = address.ipv4_mapped if address.version == 6 else None
    return str(mapped or address)


def _is_any_address(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_unspecified
    except ValueError:
        return not name


class SafeHeaders:
    """Adds what browsers need to be told so that nothing strange runs, is framed, or is guessed."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = tuple(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def safe_send(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                message = {**message, "headers": self._completed(message.get("headers", ()), scope)}
            await send(message)

        await self._app(scope, receive, safe_send)

    def _completed(self, headers: Iterable[tuple[bytes, bytes]], scope: Scope) -> list[tuple[bytes, bytes]]:
        given = [(bytes(name).lower(), bytes(value)) for name, value in headers]
        names = {name for name, _ in given}
        wanted = safe_headers(scope, self._origins)
        added = [(name.encode(), value.encode("latin-1")) for name, value in wanted.items()]
        return given + [(name, value) for name, value in added if name not in names]


def safe_headers(scope: Scope, origins: tuple[str, ...]) -> Mapping[str, str]:
    """The headers of every answer, by name; what the app has set itself is kept."""
    path = scope["path"]
    is_framed = path == WIDGET_PAGE
    is_shared = is_framed or path == WIDGET_SCRIPT or (bool(origins) and path.startswith("/media/"))
    headers = {
        "content-security-policy": content_policy(_own_socket(scope), origins if is_framed else None),
        "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "cross-origin" if is_shared else "same-origin",
        "x-dns-prefetch-control": "off",  # a link in an answer is no reason to leave this machine
        "cache-control": "no-store",
    }
    if not is_framed:
        headers["x-frame-options"] = "DENY"
    if origins:
        headers["vary"] = "Origin"
        asking = _values(scope, b"origin")
        if len(asking) == 1 and asking[0].lower() in origins:
            headers["access-control-allow-origin"] = asking[0]
            headers["access-control-expose-headers"] = "retry-after"
    return headers


def content_policy(own_socket: str, framed_by: tuple[str, ...] | None) -> str:
    """Nothing but this server's own files, and no script or style within a page."""
    ancestors = " ".join(("'self'", *framed_by)) if framed_by is not None else "'none'"
    # Some browsers do not take 'self' to mean the WebSockets of the same server.
    connect = f"'self' {own_socket}".strip()
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        f"font-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src {connect}; "
        f"base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )


def _own_socket(scope: Scope) -> str:
    """This server's WebSockets, under the name that the browser knows it by; empty for no sane name."""
    written = _values(scope, b"host")
    if len(written) != 1 or not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?", written[0]):
        return ""
    return f"{'wss' if scope.get('scheme') in ('https', 'wss') else 'ws'}://{written[0]}"
