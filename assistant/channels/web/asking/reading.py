"""Requests -> values: what programs send, checked against what `/api/openapi.json` promises."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from assistant.channels.web.guarding.failures import Refused

LONGEST_TEXT = 2000  # characters of a question; the matcher reads the first thousand
LONGEST_TYPED = 500  # characters that suggestions are wanted for; percent-encoded they fit an address
LONGEST_HEARD = 1000  # of one reading of a sound; nobody is listened to for longer than half of it takes
LONGEST_NAME = 200  # of an entry
LONGEST_ID = 64  # of a conversation; ours have 32
MOST_ALSO_HEARD = 5  # readings of one sound; recognizers give no more
MOST_SUGGESTED = 20
LARGEST_TURN = 2**31 - 1
LANGUAGE = r"([a-zA-Z]{2,3}([-_][a-zA-Z0-9]{1,8}){0,3})?"  # empty: not known

_Reader = Callable[[str, object], Any]


async def read_body(
    request: Request, fields: Mapping[str, _Reader], needed: tuple[str, ...]
) -> dict[str, Any]:
    """The fields of a JSON object, None where one was left out; raises Refused for anything else."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(415, "the body must be JSON", "send it with Content-Type: application/json")
    written = _object(await request.body())
    for name in written:
        if name not in fields:
            near = difflib.get_close_matches(name, fields, 1)
            hint = f"did you mean `{near[0]}`?" if near else f"known fields: {', '.join(fields)}"
            raise Refused(400, "the body has a field that is not known", hint)
    if missing := [name for name in needed if name not in written]:
        raise Refused(400, f"the body lacks `{missing[0]}`", f"needed: {', '.join(needed)}")
    return {name: read(name, written[name]) if name in written else None for name, read in fields.items()}


def read_query(request: Request, fields: Mapping[str, Callable[[str, str], Any]]) -> dict[str, Any]:
    """The parameters of an address, None where one was left out; raises Refused where one cannot be read.

    Others are passed over: links come with marks of whoever sent them.
    """
    given = request.query_params
    repeated = [name for name in fields if len(given.getlist(name)) > 1]
    if repeated:
        raise Refused(400, f"`{repeated[0]}` is given more than once")
    return {name: read(name, given[name]) if name in given else None for name, read in fields.items()}


def _object(body: bytes) -> dict[str, object]:
    try:
        # A name written twice would leave open which one counts.
        written = json.loads(body.decode("utf-8"), object_pairs_hook=_pairs, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON that can be read", 'write it like {"text": "..."}') from None
    if not isinstance(written, dict):
        raise Refused(400, "the body must be a JSON object", 'write it like {"text": "..."}')
    return written


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _no_constant(_: str) -> object:
    raise ValueError  # NaN and Infinity are no JSON


def text(least: int, most: int) -> _Reader:
    def read(name: str, value: object) -> str:
        if not isinstance(value, str) or not least <= len(value) <= most or not _is_unicode(value):
            raise Refused(400, f"`{name}` must be a text of {least} to {most} characters")
        return value

    return read


def language(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(LANGUAGE, value):
        raise Refused(400, f'`{name}` must be a language such as "de"')
    return value


def switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused(400, f"`{name}` must be true or false")
    return value


def whole_number(least: int, most: int) -> _Reader:
    """Of a body: 3.0 is a whole number in JSON, "3" and true are none."""

    def read(name: str, value: object) -> int:
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if not is_whole or not least <= value <= most:  # type: ignore[operator]
            raise Refused(400, f"`{name}` must be a whole number from {least} to {most}")
        return int(value)  # type: ignore[call-overload, no-any-return]

    return read


def written_number(least: int, most: int) -> Callable[[str, str], int]:
    """Of an address."""

    def read(name: str, value: str) -> int:
        is_number = re.fullmatch(r"-?[0-9]{1,9}", value)
        if not is_number or not least <= int(value) <= most:
            raise Refused(400, f"`{name}` must be a whole number from {least} to {most}")
        return int(value)

    return read


def texts(most: int, longest: int) -> _Reader:
    one = text(0, longest)

    def read(name: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > most:
            raise Refused(400, f"`{name}` must be a list of at most {most} texts")
        return tuple(one(name, item) for item in value)

    return read


def _is_unicode(value: str) -> bool:
    """Half of a surrogate pair is no character: nothing could be answered with it."""
    return not any("\ud800" <= character <= "\udfff" for character in value)
