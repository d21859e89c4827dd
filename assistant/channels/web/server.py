"""The only room that knows uvicorn: an app that listens, from the first request to an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from assistant.channels.web.guarding.limits import HEADER_BYTES, MESSAGE_BYTES, URL_BYTES
from assistant.channels.web.values import Access
from assistant.errors import SettingsError

# A process may have 1,024 files open on most systems; models, pages and voices need theirs.
_MOST_CONNECTIONS = 800
_KEEP_ALIVE_SECONDS = 15  # between two requests: while somebody types a question
_HEADER_SECONDS = 15.0  # from the first byte of a request to the end of its headers
_PING_SECONDS = 20.0  # so often a WebSocket is asked whether it is there, and so long it may take to say so
_UNREAD_SECONDS = 120  # who takes nothing of what is sent for so long is gone
_FAREWELL_SECONDS = 5  # for answers under way when the server is told to end
_START_SECONDS = 30.0


def serve(app: Starlette, access: Access, tell: Callable[[str], object] = lambda _: None) -> int:
    """Serve until Ctrl-C or SIGTERM, then end in order; the exit code.

    `tell` gets the address once it can be asked. Raises SettingsError where the address or the certificate
    cannot be used.
    """
    listener = _listener(access)
    with contextlib.closing(listener):
        server = _Server(_config(app, access), lambda: tell(_address(access, listener)))
        with _ended_by_signals(server):
            server.run(sockets=[listener])
    return 0


@contextlib.contextmanager
def serving(app: Starlette, access: Access) -> Iterator[str]:
    """Serve beside the program, in a thread; gives the address, and ends with the block."""
    listener, started = _listener(access), threading.Event()
    server = _Server(_config(app, access), started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server")
    thread.start()
    try:
        if not started.wait(_START_SECONDS):
            raise SettingsError("the server does not start")
        yield _address(access, listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


class _Server(uvicorn.Server):
    """A server that says when it can be asked."""

    def __init__(self, config: uvicorn.Config, when_started: Callable[[], object]) -> None:
        super().__init__(config)
        self._when_started = when_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._when_started()


class _ImpatientHttp(H11Protocol):
    """HTTP that waits for the rest of a request, but not for ever: a letter a minute holds no place."""

    _too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_headers()
        else:
            self._stop_expecting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_expecting()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._too_late is None:
            self._too_late = self.loop.call_later(_HEADER_SECONDS, self.transport.close)

    def _stop_expecting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None


def _is_news(record: logging.LogRecord) -> bool:
    """False for what uvicorn writes, as of an error, of each WebSocket that is refused with an answer."""
    # Any stranger's page could fill the log with it.
    return record.msg != "ASGI callable returned without completing handshake."


def _config(app: Starlette, access: Access) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").addFilter(_is_news)  # once, however often it is added
    config = uvicorn.Config(
        app,
        loop="asyncio",
        http=_ImpatientHttp,
        ws="websockets-sansio",  # it reads no further while a message waits: nobody fills the memory
        ws_max_size=MESSAGE_BYTES,
        ws_ping_interval=_PING_SECONDS,
        ws_ping_timeout=_PING_SECONDS,
        ws_per_message_deflate=False,  # sound does not shrink, and what is small cannot burst
        lifespan="on",
        log_config=None,
        log_level="error",  # of rubbish that is sent, nothing is written
        access_log=False,  # addresses of requests hold what customers type
        server_header=False,
        forwarded_allow_ips=["127.0.0.1", "::1"],  # a proxy for HTTPS on this machine is believed
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_FAREWELL_SECONDS,
        # Twice: so that what is too much is told as such.
        h11_max_incomplete_event_size=2 * (HEADER_BYTES + URL_BYTES),
        **_certificate(access),
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the certificate or its key cannot be used: {error}", "both are PEM files that belong together"
        ) from None
    return config


def _certificate(access: Access) -> dict[str, Any]:
    if access.certificate is None:
        return {}
    chain, key = access.certificate
    return {"ssl_certfile": chain, "ssl_keyfile": key}


def _listener(access: Access) -> socket.socket:
    """A socket that is bound: whoever asks first gets the port."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            access.host, access.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingsError(f"{access.host} is no address of this machine: {error.strerror}") from None
    try:
        # Where it frees a port that was just left; Windows gives away used ones.
        if hasattr(signal, "SIGHUP"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _drop_the_vanished(listener)
        listener.bind(place)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"{access.host} port {access.port} cannot be listened on: {error.strerror}",
            "choose another with --port; 0 takes any that is free",
        ) from None
    return listener


def _drop_the_vanished(listener: socket.socket) -> None:
    """Connections inherit this: who is gone without a word, or never reads, holds a place for minutes."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_SECONDS * 1000)


def _address(access: Access, listener: socket.socket) -> str:
    """What to type into a browser."""
    host = access.names[0] if access.names else access.host
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if address.is_unspecified:
            host = "localhost"
        elif address.version == 6:
            host = f"[{host}]"
    scheme = "https" if access.certificate else "http"
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


@contextlib.contextmanager
def _ended_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Signals end the server and nothing more; uvicorn sends itself those again that it got meanwhile."""

    def end(*_: object) -> None:
        server.should_exit = True

    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
