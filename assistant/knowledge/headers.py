"""The lines between the name of an entry and its first part: tags, and how long it holds."""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from assistant.knowledge.lines import Findings, Line, bare, shortened, spaced
from assistant.knowledge.names import HEADERS, nearest, quoted

LONGEST_HEADER = 40  # characters: what stands before a colon further on is text
_COLON = re.compile("[:：]")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_OTHER_DATES = (
    (re.compile(r"([0-9]{4})[-./ ]*([0-9]{1,2})[-./ ]*([0-9]{1,2})\.?"), (1, 2, 3)),
    (re.compile(r"([0-9]{1,2})[-./ ]+([0-9]{1,2})[-./ ]+([0-9]{4})"), (3, 2, 1)),
    (re.compile(r"([0-9]{1,2})[-./ ]+([0-9]{1,2})[-./ ]+([0-9]{4})"), (3, 1, 2)),
)
_ALSO_CALLED = {"tag": "Tags", "keywords": "Tags", "schlagwörter": "Tags", "gültig bis": "Valid until"}
_ALSO_CALLED |= {"expires": "Valid until", "valid till": "Valid until", "valid": "Valid until"}
_MISPLACED = re.compile(r"Tags:\s|Valid until:\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$")


class Header(NamedTuple):
    """What stands above the parts of an entry."""

    tags: tuple[str, ...] = ()
    valid_until: date | None = None
    has_text: bool = False  # reported: most likely the answer without its heading


def read_header(entry: str, lines: Sequence[Line], findings: Findings) -> Header:
    """The header of an entry; a line that is no header is reported, a run of them once."""
    seen: set[str] = set()
    header = Header()
    has_text = in_text = False
    for line in lines:
        if line.hidden or line.is_blank:
            continue
        name, value = _name_and_value(line)
        if not name and not in_text:
            has_text = _report_text(entry, line, findings) or has_text
        in_text = not name
        if name in seen:
            fact = f"entry `{entry}` has `{name}:` twice"
            findings.add("duplicate-header", line.number, fact, "keep one of the two lines")
        elif name:
            seen.add(name)
            _report_spelling(entry, line, name, findings)
            header = _with(header, name, value, line, findings)
    return header._replace(has_text=has_text)


def report_misplaced(entry: str, lines: Sequence[Line], findings: Findings) -> None:
    """Report header lines that slipped into a text which customers read."""
    for line in lines:
        if line.is_open and _MISPLACED.match(line.text):
            name = line.text.partition(":")[0]
            fact = f"`{name}:` stands inside a text of entry `{entry}`, where customers would read it"
            findings.add("misplaced-header", line.number, fact, f"put it directly below `## {entry}`")


def _split(line: Line) -> tuple[str, str]:
    """What stands before the first colon and what behind it; nothing twice where there is none."""
    found = _COLON.search(line.plain) if line.is_open else None
    before = bare(line.plain[: found.start()]) if found else ""
    return (before, line.plain[found.end() :]) if found and len(before) <= LONGEST_HEADER else ("", "")


def _name_and_value(line: Line) -> tuple[str, str]:
    """The header a line means, and what stands behind its colon; an empty name: it is no header."""
    written, value = _split(line)
    plain = written.casefold().strip("*_- ")
    name = written if written in HEADERS else _ALSO_CALLED.get(plain, "")
    if plain and not name:
        near = nearest(plain, [known.casefold() for known in HEADERS], 0.7)
        name = next((known for known in HEADERS if known.casefold() == near), "")
    return name, value


def _report_spelling(entry: str, line: Line, name: str, findings: Findings) -> None:
    if bare(line.text).startswith(f"{name}:"):
        return
    written, _ = _split(line)
    fact = f"entry `{entry}` has an unknown header `{written}`"
    hint = f"did you mean `{name}:`?"
    if written == name:
        fact, hint = f"in entry `{entry}`, no plain colon follows `{name}`", f"write `{name}:`"
    findings.add("unknown-header", line.number, fact, hint)


def _report_text(entry: str, line: Line, findings: Findings) -> bool:
    """True for text; a line that looks like a header is another slip."""
    written, _ = _split(line)
    if len(written.split()) == 1:
        hint = f"an entry can have {quoted(f'{name}:' for name in HEADERS)}"
        findings.add(
            "unknown-header", line.number, f"entry `{entry}` has an unknown header `{written}`", hint
        )
        return False
    fact = f"text stands between the name of entry `{entry}` and its first part"
    findings.add("text-outside-part", line.number, fact, "is it the answer? Then write `### Answer` above it")
    return True


def _with(header: Header, name: str, value: str, line: Line, findings: Findings) -> Header:
    written = bare(value)
    if not written:
        findings.add(
            "empty-header", line.number, f"nothing stands behind `{name}:`", "fill it in, or delete the line"
        )
        return header
    if name == "Tags":
        tags = (spaced(tag) for tag in written.split(","))
        return header._replace(tags=tuple(dict.fromkeys(tag for tag in tags if tag)))
    found = _DATE.fullmatch(written)
    day = _day(*map(int, found.groups())) if found else None
    if day is None:
        fact = (
            f"`{shortened(written)}` is not a day of the calendar"
            if found
            else f"`{shortened(written)}` is not a date"
        )
        findings.add("bad-date", line.number, fact, _date_hint(written))
    return header._replace(valid_until=day)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _date_hint(written: str) -> str:
    text = unicodedata.normalize("NFKC", written)
    for pattern, order in _OTHER_DATES:
        found = pattern.fullmatch(text)
        if not found:
            continue
        year, month, day = (int(found[group]) for group in order)
        if order == (3, 2, 1) and "/" in text and max(day, month) <= 12 and day != month:
            break  # 3/4/2027 is March in one country and April in another
        if _day(year, month, 1) and 28 < day <= 31:
            day = min(day, calendar.monthrange(year, month)[1])
        if _day(year, month, day):
            return f"did you mean `{year:04}-{month:02}-{day:02}`?"
    return "write year, month and day like `2027-12-31`"
