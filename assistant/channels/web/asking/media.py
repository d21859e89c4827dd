"""Pictures, films and sounds of the answers, from the media folder of the pages and from nowhere else."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path

import anyio.to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FOLDER = "media"
# What may be shown at all, and as what: nothing is guessed, and nothing of it can run in a page.
CONTENT_TYPES: Mapping[str, str] = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".ogv": "video/ogg",
    ".webm": "video/webm",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".pdf": "application/pdf",
}
# Opened by itself an SVG is a page: it gets no script, no other file and no origin. Drawing programs
# write styles into it, which can do no harm there.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
# Windows opens a device under these names, whatever stands behind the dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_PATH = 1_000  # characters


def find_media(folder: Path, path: str) -> tuple[Path, str] | None:
    """The file of a path below the media folder, and its content type; None for whatever is not one."""
    parts = path.split("/")
    content_type = CONTENT_TYPES.get(Path(parts[-1]).suffix.lower())
    if content_type is None or len(path) > _LONGEST_PATH or not all(map(_is_plain, parts)):
        return None
    try:
        home = folder.resolve(strict=True)
        found = home.joinpath(*parts).resolve(strict=True)
        is_inside = found.is_relative_to(home) and stat.S_ISREG(found.stat().st_mode)
    except (OSError, RuntimeError, ValueError):  # missing, unreadable, too long, a ring of links
        return None
    return (found, content_type) if is_inside else None


def _is_plain(part: str) -> bool:
    """A name that means the same file on every system: no way up, no drive, nothing hidden, no device."""
    return (
        part.isprintable()
        and not part.startswith(".")
        and not part.endswith((".", " "))
        and not any(mark in part for mark in '\\:*?"<>|')
        and part != ""
        and not _DEVICE.fullmatch(part)
    )


async def _serve(request: Request) -> Response:
    folder = Path(request.app.state.backstage.settings.knowledge_folder) / FOLDER
    found = await anyio.to_thread.run_sync(find_media, folder, request.path_params["path"])
    if found is None:
        raise HTTPException(404)
    path, content_type = found
    headers = {"cache-control": "no-cache", "content-security-policy": _POLICY}  # asked again, by its ETag
    response = FileResponse(path, headers=headers, media_type=content_type, stat_result=path.stat())
    if request.headers.get("if-none-match") == response.headers["etag"]:
        return Response(status_code=304, headers={**headers, "etag": response.headers["etag"]})
    return response


media_route = Route(f"/{FOLDER}/{{path:path}}", _serve, methods=["GET"])
