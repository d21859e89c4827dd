"""The lists of an entry: one `- ` a line, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from assistant.knowledge.lines import Findings, Line, shortened, spaced

LONGEST_PHRASE = 300  # characters: nobody asks more than that in one breath

_BULLET = re.compile(r"\s*-(?:\s+(.*))?", re.DOTALL)
_CLOSE_BULLET = re.compile(r"\s*-(?![->])(\S.*)", re.DOTALL)
_OTHER_BULLET = re.compile(r"\s*(?:[*+]\s+|[•·‣◦▪–—−]\s*|[0-9]{1,3}[.)]\s+|[a-z]\)\s+)(.*)", re.DOTALL)


class Part(NamedTuple):
    """A part of an entry as it was found: whose, which, where, and the lines below its heading."""

    entry: str
    name: str
    number: int
    lines: Sequence[Line]

    @property
    def whose(self) -> str:
        """How messages call it."""
        return f"`{self.name}` of entry `{self.entry}`" if self.entry else f"`{self.name}`"


class Item(NamedTuple):
    """One bullet of a list."""

    line: Line
    text: str


def items(part: Part, findings: Findings) -> Iterator[Item]:
    """The bullets of a list; everything else in it is reported, a run of lines once."""
    in_text = False
    for line in part.lines:
        if line.hidden or line.is_blank:
            in_text = False
            continue
        text = _bullet_text(line, part, findings) if line.is_open else None
        if text is None and not in_text:
            _report_text(line, part, findings)
        in_text = text is None
        if text == "":
            hint = "write something behind the `-`, or delete the line"
            findings.add("empty-bullet", line.number, f"in {part.whose}, nothing stands behind a `-`", hint)
        elif text:
            yield Item(line, text)


def bullet_in(line: Line) -> str | None:
    """What stands behind the bullet of a line, whatever the bullet looks like; None without one."""
    text = line.plain
    found = _BULLET.fullmatch(text) or _CLOSE_BULLET.fullmatch(text) or _OTHER_BULLET.fullmatch(text)
    return spaced(found[1] or "") if found and line.is_open else None


def is_bullet(line: Line) -> bool:
    """True for a line that begins with `- `."""
    return line.is_open and _BULLET.fullmatch(line.plain) is not None


def can_be_asked(item: Item, part: Part, findings: Findings) -> bool:
    """True for a phrase that a customer may say; otherwise it is reported."""
    if says_something(item.text):
        return not report_long(item, part, findings)
    fact = f"in {part.whose}, a line asks nothing: it has no letter and no digit"
    findings.add("empty-bullet", item.line.number, fact, "write the words of a customer, or delete the line")
    return False


def report_long(item: Item, part: Part, findings: Findings) -> bool:
    """True for a phrase that was reported because it is too long."""
    if len(item.text) <= LONGEST_PHRASE:
        return False
    fact = f"in {part.whose}, a line has {len(item.text)} characters, more than the {LONGEST_PHRASE} allowed"
    findings.add(
        "too-long", item.line.number, fact, "write what a customer says in one breath, or several such lines"
    )
    return True


def says_something(text: str) -> bool:
    """True where at least one letter or digit stands."""
    return any(char.isalnum() for char in text)


def _bullet_text(line: Line, part: Part, findings: Findings) -> str | None:
    """What stands behind the bullet; None where the line has none."""
    text = bullet_in(line)
    if text is None or is_bullet(line) or not line.plain.strip("*+-–—_ \t"):
        return text if is_bullet(line) else None
    kind = "missing-space" if _CLOSE_BULLET.fullmatch(line.plain) else "wrong-bullet"
    what = "there is no space behind the `-`" if kind == "missing-space" else "a line does not begin with `-`"
    findings.add(kind, line.number, f"in {part.whose}, {what}", f"write `- {shortened(text)}`")
    return text


def _report_text(line: Line, part: Part, findings: Findings) -> None:
    text = spaced(line.plain)
    if text.startswith("->"):
        hint = f"write the words of the customer before it: `- words {shortened(text)}`"
        findings.add(
            "arrow-without-words", line.number, f"in {part.whose}, an arrow has no words before it", hint
        )
    elif part.name == "Ask":
        fact = f"text stands below the choices of {part.whose}"
        findings.add("text-after-choices", line.number, fact, "put the text above the choices")
    else:
        hint = "join it to the line above" if line.text[:1] in " \t" else f"write `- {shortened(text)}`"
        fact = f"{part.whose} is a list, and this line does not begin with `- `"
        findings.add("not-a-bullet", line.number, fact, hint)
