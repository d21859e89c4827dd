"""A server that sends a ZIP in every mood that servers have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server sends and how; `asked` are the Range headers of the requests that came."""

    address: str = ""
    content: bytes = b""
    etag: str = '"one"'
    modified: str = ""
    status: int = 200
    does_ranges: bool = True
    tells_length: bool = True
    cut_after: list[int] = field(default_factory=list)  # of each connection, in turn
    drips: bool = False  # in small pieces, with a pause before each
    stalls: bool = False  # where it would cut, it says nothing any more instead
    sends_to: str = ""
    wrong_range: bool = False
    asked: list[str | None] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        site, wanted = self.site, self.headers.get("Range")
        site.asked.append(wanted)
        self.close_connection = True
        if site.sends_to:
            return self._head(302, [("Location", site.sends_to), ("Content-Length", "0")])
        if site.status != 200:
            return self._head(site.status, [("Content-Length", "0")])
        start, total = self._start(), len(site.content)
        if start > total:
            return self._head(416, [("Content-Range", f"bytes */{total}"), ("Content-Length", "0")])
        headers = [("ETag", site.etag)] if site.etag else [("Last-Modified", site.modified)]
        if site.tells_length:
            headers.append(("Content-Length", str(total - start)))
        if start:
            begin = start + 1 if site.wrong_range else start
            headers.append(("Content-Range", f"bytes {begin}-{total - 1}/{total}"))
        self._head(206 if start else 200, headers)
        with suppress(OSError):  # whoever asked has hung up
            self._send(site.content[start:])
        return None

    def _start(self) -> int:
        site = self.site
        same = self.headers.get("If-Range") == (site.etag or site.modified)
        wanted = self.headers.get("Range")
        return int(wanted[6:].rstrip("-")) if wanted and same and site.does_ranges else 0

    def _head(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def _send(self, content: bytes) -> None:
        if self.site.drips:
            return self._drip(content)
        cut = self.site.cut_after.pop(0) if self.site.cut_after else None
        self.wfile.write(content[:cut])
        self.wfile.flush()
        if cut is not None and self.site.stalls:
            self.site.enough.wait(10)
        return None

    def _drip(self, content: bytes) -> None:
        for start in range(0, len(content), 30_000):
            time.sleep(0.03)
            self.wfile.write(content[start : start + 30_000])
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests are quiet."""


@contextmanager
def model_site(content: bytes) -> Iterator[Site]:
    """The server, until the end of the block."""
    moods = Site(content=content)
    handler = type("MoodyHandler", (Handler,), {"site": moods})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    moods.address = f"http://127.0.0.1:{server.server_port}/vosk/models"
    thread = threading.Thread(target=server.serve_forever, args=[0.01], name="site", daemon=True)
    thread.start()
    try:
        yield moods
    finally:
        moods.enough.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
