"""A ZIP over HTTP: broken off, it goes on where it stopped.

Nothing but `assistant models install` comes here: whoever answers customers never goes to a network.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.parse import SplitResult, urlsplit

from assistant import __version__
from assistant.errors import ModelError
from assistant.speech.models.unpacking import BadArchive

Progress = Callable[[int, int | None], None]  # bytes so far, bytes in all where they are known

SILENT_SECONDS = 30.0  # a server that sends nothing for so long has gone away
_PIECE_BYTES = 1 << 16
# The maker's largest model is 4.4 GB; what has no end must not fill the disk.
_MOST_BYTES = 8 * 10**9
_AGAIN = "ask again: what has arrived is kept, and it goes on from there"
_TO_CARRY = "or fetch it elsewhere, carry it here and: assistant models install --from FILE.zip"


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a part is a part of; kept beside it."""

    address: str = ""
    version: str = ""  # ETag or Last-Modified: changes when the file does
    total: int | None = None


class _Broken(Exception):
    """The connection ended early."""


def fetch(address: str, part: Path, progress: Progress, silent_seconds: float = SILENT_SECONDS) -> None:
    """Bring a ZIP to `part`, or the rest of it where a part of the same ZIP is there.

    A connection that breaks is made again as long as something arrives. Whatever else interrupts
    it leaves the part to go on from. Raises BadArchive for what is no ZIP, else ModelError with the way out.
    """
    while not is_whole(address, part):
        before = size(part)
        try:
            _fetch_rest(address, part, progress, silent_seconds)
        except urllib.error.HTTPError as error:
            error.close()
            raise _refused(address, error.code) from None
        except (_Broken, OSError, http.client.HTTPException) as error:
            if size(part) <= before:
                raise _unreachable(address, error) from None


def forget(part: Path) -> None:
    """Take away a part and what is known of it."""
    for path in (part, _note(part)):
        path.unlink(missing_ok=True)


def is_whole(address: str, part: Path) -> bool:
    """True where nothing is left to fetch."""
    seen = _seen(part)
    return seen.address == address and seen.total is not None and size(part) == seen.total


def size(part: Path) -> int:
    with suppress(OSError):
        return part.stat().st_size
    return 0


def _fetch_rest(address: str, part: Path, progress: Progress, silent_seconds: float) -> None:
    opener = _opener(urlsplit(address))
    request, start = _request(address, part)
    try:
        response = opener.open(request, timeout=silent_seconds)
    except urllib.error.HTTPError as error:
        if not (start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise
        error.close()
        forget(part)  # longer than the file: of another file
        return _fetch_rest(address, part, progress, silent_seconds)
    with response:
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            start = 0  # the server does not do parts, or the file has changed
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            forget(part)
            raise _Broken("the server sent another part than asked for")
        _receive(response, _Seen(address, _version(response)), part, _Counted(start, progress))
    return None


def _request(address: str, part: Path) -> tuple[urllib.request.Request, int]:
    """A request for what is missing, and how much is there already."""
    headers = {"User-Agent": f"offline-assistant/{__version__}", "Accept-Encoding": "identity"}
    seen, start = _seen(part), size(part)
    if not (start and seen.version and seen.address == address):
        return urllib.request.Request(address, headers=headers), 0
    headers |= {"Range": f"bytes={start}-", "If-Range": seen.version}
    return urllib.request.Request(address, headers=headers), start


@dataclass(slots=True)
class _Counted:
    """How much has arrived, told as it grows."""

    size: int
    progress: Progress
    total: int | None = None

    def add(self, piece: bytes) -> None:
        self.size += len(piece)
        self.progress(self.size, self.total)


def _receive(response: Any, seen: _Seen, part: Path, counted: _Counted) -> None:
    length = response.headers.get("Content-Length", "")
    counted.total = counted.size + int(length) if length.isdigit() else None
    if (counted.total or 0) > _MOST_BYTES:
        raise _endless(seen.address)
    try:
        file = part.open("ab" if counted.size else "wb")
        _write_note(part, _Seen(seen.address, seen.version, counted.total))
    except OSError as error:
        raise _unwritable(part, error) from None
    with file:
        _copy(response, file, seen.address, counted)
    if counted.total is None:  # the end of the stream was the end of the file
        _write_note(part, _Seen(seen.address, seen.version, counted.size))
    elif counted.size < counted.total:
        raise _Broken(f"it broke off after {counted.size} of {counted.total} bytes")


def _copy(response: Any, file: IO[bytes], address: str, counted: _Counted) -> None:
    while piece := response.read1(_PIECE_BYTES):
        if not counted.size and not piece.startswith(b"PK"[: len(piece)]):
            raise _no_zip(address)
        try:
            file.write(piece)
            file.flush()
        except OSError as error:
            raise _unwritable(Path(file.name), error) from None
        counted.add(piece)
        if counted.size > _MOST_BYTES:
            raise _endless(address)


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows to encrypted addresses, and within the host that was asked; never back to plain HTTP."""

    def __init__(self, asked: SplitResult) -> None:
        self._asked = asked

    def redirect_request(self, req: urllib.request.Request, *rest: Any) -> urllib.request.Request | None:
        """Given the answer's body, code, message and headers, and the address that it sends on to."""
        target = urlsplit(rest[-1])
        same_host = (target.scheme, target.netloc) == (self._asked.scheme, self._asked.netloc)
        if target.scheme != "https" and not same_host:
            raise ModelError(
                f"{req.full_url} sends on to {rest[-1]}, which is not encrypted: not followed",
                f"log in to the network if it asks you to, {_TO_CARRY}",
            )
        return super().redirect_request(req, *rest)  # Range and If-Range go with it


def _opener(address: SplitResult) -> urllib.request.OpenerDirector:
    """Certificates are checked; the system's proxy is used."""
    if address.scheme not in ("http", "https") or not address.netloc:
        raise ModelError(
            f"{address.geturl()} is no address to fetch a model from",
            "ASSISTANT_MODELS_SITE is an address such as https://models.example.com/vosk",
        )
    return urllib.request.build_opener(_SafeRedirects(address))


def _version(response: Any) -> str:
    """What to tell a changed file by; a weak ETag ("W/...") may stand for other bytes."""
    tag: str = response.headers.get("ETag", "")
    return tag if re.fullmatch(r'"[^"]*"', tag) else response.headers.get("Last-Modified", "")


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _seen(part: Path) -> _Seen:
    with suppress(OSError, ValueError, TypeError):
        return _Seen(**json.loads(_note(part).read_text(encoding="utf-8")))
    return _Seen()


def _write_note(part: Path, seen: _Seen) -> None:
    _note(part).write_text(json.dumps(asdict(seen)), encoding="utf-8")


def _refused(address: str, code: int) -> ModelError:
    known: dict[int, str] = {
        HTTPStatus.NOT_FOUND: "there is no such file any more: look for a newer one on the maker's page, "
        f"https://alphacephei.com/vosk/models, {_TO_CARRY}",
        HTTPStatus.FORBIDDEN: f"the site lets nobody in from here: ask your network's keeper, {_TO_CARRY}",
        HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: "name the proxy with its password in HTTPS_PROXY",
    }
    return ModelError(
        f"{address} answers {code} ({http.client.responses.get(code, 'unknown')})",
        known.get(code, f"try later, {_TO_CARRY}"),
    )


def _unreachable(address: str, error: Exception) -> ModelError:
    reason = getattr(error, "reason", None) or error
    if isinstance(reason, TimeoutError):
        reason = "nothing came any more"
    return ModelError(
        f"{address} cannot be fetched: {reason or type(error).__name__}", f"{_AGAIN}, {_TO_CARRY}"
    )


def _unwritable(part: Path, error: OSError) -> ModelError:
    return ModelError(f"{part} cannot be written: {error.strerror or error}", f"make room, then {_AGAIN}")


def _no_zip(address: str) -> BadArchive:
    return BadArchive(
        f"what came from {address} is no ZIP file but something else, such as the log-in page of a network",
        f"open the address in a browser and log in, {_TO_CARRY}",
    )


def _endless(address: str) -> BadArchive:
    return BadArchive(f"{address} is larger than any speech model", "look at the address, and ask its keeper")
