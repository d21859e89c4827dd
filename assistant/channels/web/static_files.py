"""The pages and what they are made of: every file of `static/`, read once, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
}
_PAGES = {"/": "chat.html", "/kiosk": "kiosk.html"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent."""

    content: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> StaticFile:
        return cls(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@cache
def static_files() -> Mapping[str, StaticFile]:
    """By name. Read once, and so the only names there are: no path can lead out of them."""
    folder = resources.files("assistant.channels.web").joinpath("static")
    return {
        file.name: StaticFile.of(file.read_bytes(), _TYPES[ending])
        for file in folder.iterdir()
        if (ending := file.name.rpartition(".")[2]) in _TYPES
    }


@cache
def _framed_chat() -> StaticFile:
    """The chat as it stands in a frame of a company's own page."""
    chat = _file("chat.html")
    return StaticFile.of(chat.content.replace(b"<body", b"<body data-frame", 1), chat.media_type)


def _file(name: str) -> StaticFile:
    if name not in static_files():
        raise HTTPException(404)
    return static_files()[name]


async def _page(request: Request) -> Response:
    return _sent(request, _file(_PAGES[request.url.path]))


async def _widget(request: Request) -> Response:
    return _sent(request, _framed_chat())


async def _widget_script(request: Request) -> Response:
    return _sent(request, _file("widget.js"))


async def _named(request: Request) -> Response:
    name = request.path_params["name"]
    if name.endswith(".html"):
        raise HTTPException(404)  # pages have addresses of their own
    return _sent(request, _file(name))


def _sent(request: Request, file: StaticFile) -> Response:
    """Asked for again each time, and sent only where it has changed: no page runs with yesterday's script."""
    headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.etag in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)


routes = [
    *(Route(path, _page) for path in _PAGES),
    Route("/widget", _widget),
    Route("/widget.js", _widget_script),
    Route("/static/{name}", _named),
]
