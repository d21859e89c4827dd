"""Real servers for tests: uvicorn on a free port of this machine, in a thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from assistant.channels.web.limits import HEADER_BYTES, MESSAGE_BYTES


@contextmanager
def serving(app: ASGIApp) -> Iterator[int]:
    """The port at which an app is served, with the limits of the real server."""
    config = uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=HEADER_BYTES,
        ws_max_size=MESSAGE_BYTES,
        log_level="critical",
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive(), "the server does not end"
