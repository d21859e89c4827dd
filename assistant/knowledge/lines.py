"""The lines of a page, and the problems found on them.

Stretches that would only make a cascade of problems (the other side of a merge conflict, a
remark that customers would see) are reported once and then hidden from the rest of the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.knowledge.encoding import LINE_END
from assistant.values import Place, Problem

LONGEST_EXCERPT = 100  # characters: a message stays on one or two rows of a screen

# Nobody sees these, so nobody can be asked to mend them: they do not count in headings and lists.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_JOINERS = re.compile("[\u200c\u200d]")  # these two shape letters in some scripts, never in our words
_CONFLICT = re.compile(r"(<{7}|\|{7}|={7}|>{7})(?:\s|$)")
_CODE_SPAN = re.compile(r"(`{1,3})[^`]+\1")
_TAG = re.compile(
    r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>|<(?:script|style|iframe|img|a|div|span|table|br|p)\b"
)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff]")  # the rest are kinds of space
# "Ã¼" for "ü": letters which UTF-8 writes in two or three bytes, read as Windows letters.
_GARBLED = re.compile(r"[ÂÃ][\u00a0-\u00bf]|Ã[„œŸ–‰€]|â€[™œžš“”¦¢]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page, counted from 1."""

    number: int
    text: str
    plain: str  # without what nobody sees
    is_empty: bool  # nothing to see at all
    literal: bool = False  # inside a code fence: neither heading nor bullet
    hidden: bool = False  # reported already and not read any further

    @property
    def is_blank(self) -> bool:
        """True where there is nothing to see, and never was."""
        return self.is_empty and not self.hidden

    @property
    def is_open(self) -> bool:
        """True where headings and bullets count."""
        return not (self.hidden or self.literal)


class Findings:
    """The problems of one page, gathered while it is read."""

    def __init__(self, path: str, lines: Sequence[Line]) -> None:
        self.path = path
        self._lines = lines
        self._problems: list[Problem] = []

    def add(self, kind: str, number: int, fact: str, hint: str = "") -> None:
        """Report an error on a line (0: the page as a whole)."""
        self._problems.append(self._problem(kind, number, fact, hint, "error"))

    def warn(self, kind: str, number: int, fact: str, hint: str = "") -> None:
        """Report something that may stay."""
        self._problems.append(self._problem(kind, number, fact, hint, "warning"))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order of the lines."""
        return tuple(sorted(self._problems, key=lambda problem: problem.place.line))

    def _problem(
        self, kind: str, number: int, fact: str, hint: str, severity: Literal["error", "warning"]
    ) -> Problem:
        excerpt = shortened(self._lines[number - 1].text.strip()) if number else ""
        return Problem(kind, Place(self.path, number), fact, hint, excerpt, severity)


def split_lines(text: str) -> tuple[Line, ...]:
    """Lines as editors count them: only CR LF, LF and CR end one."""
    lines = []
    for number, part in enumerate(LINE_END.split(text.removeprefix("\ufeff")), 1):
        plain = visible(part)
        lines.append(Line(number, part, plain, not plain or plain.isspace()))
    return tuple(lines)


def shortened(text: str) -> str:
    """A text cut to what a message can show, without characters that would meddle with the screen."""
    shown = text if len(text) <= LONGEST_EXCERPT else text[: LONGEST_EXCERPT - 1] + "…"
    return _CONTROL.sub("\ufffd", shown)


def visible(text: str) -> str:
    """The text without the characters that nobody sees, apart from joiners."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def spaced(text: str) -> str:
    """The words of a text with single plain spaces between them."""
    return " ".join(text.split())


def bare(text: str) -> str:
    """`spaced`, and without every character that nobody sees: for headings, names and headers."""
    return spaced(text if text.isascii() else _JOINERS.sub("", visible(text)))


def hide(lines: Sequence[Line], numbers: Iterable[int]) -> tuple[Line, ...]:
    """The lines with those of these numbers hidden."""
    gone = set(numbers)
    return (
        tuple(replace(line, hidden=True) if line.number in gone else line for line in lines)
        if gone
        else tuple(lines)
    )


def hide_conflicts(lines: Sequence[Line], findings: Findings) -> tuple[Line, ...]:
    """Report merge conflicts; of the two sides the first one is read."""
    gone, side = [], ""
    for line in lines:
        found = _CONFLICT.match(line.text)
        mark = found[1][0] if found else ""
        if mark == "<" or (mark == ">" and not side):
            findings.add(
                "merge-conflict",
                line.number,
                "two versions of this page were merged and both were kept here",
                "keep one version and delete the lines that begin with `<<<<<<<`, `=======` and `>>>>>>>`",
            )
        if mark in ("<", ">") or side == "theirs" or (mark and side):
            gone.append(line.number)
        side = {"<": "ours", ">": "", "=": side and "theirs", "|": side and "theirs", "": side}[mark]
    return hide(lines, gone)


def hide_remarks(lines: Sequence[Line], findings: Findings) -> tuple[Line, ...]:
    """Report `<!-- ... -->`: customers would see it, and it may hide whole entries."""
    gone: list[int] = []
    until = 0
    last_end = max((line.number for line in lines if "-->" in line.text), default=0)
    for index, line in enumerate(lines):
        if line.number <= until or not line.is_open or "<!--" not in _without_code(line.text):
            continue
        findings.add(
            "html-comment",
            line.number,
            "a page cannot hold hidden remarks (`<!-- ... -->`)",
            "delete the remark, or keep it in a file outside the knowledge folder",
        )
        until = _end_of_remark(lines, index) if line.number <= last_end else 0
        gone.extend(range(line.number, until + 1))
    return hide(lines, gone)


def _end_of_remark(lines: Sequence[Line], start: int) -> int:
    """The number of the last line of a remark that stands on lines of its own, else 0."""
    if not lines[start].text.lstrip().startswith("<!--"):
        return 0
    for line in lines[start:]:
        _, end, after = line.text.partition("-->")
        if end:
            return 0 if after.strip() else line.number
    return 0


def report_letters(lines: Sequence[Line], findings: Findings) -> None:
    """Report letters that show a page was damaged on its way, line by line."""
    for line in lines:
        if line.hidden or (line.text.isascii() and line.text.isprintable()):
            continue
        control = _CONTROL.search(line.text)
        if control:
            fact = f"this line holds an invisible control character (U+{ord(control[0]):04X})"
            findings.add("control-character", line.number, fact, "delete the line and type it again")
        elif "\ufffd" in line.text:
            fact = "a letter was lost here: `\ufffd` stands in its place"
            findings.add(
                "damaged-letter", line.number, fact, "type the word again and save the page as UTF-8"
            )
        elif _GARBLED.search(line.text):
            _report_garbled(line, findings)


def _report_garbled(line: Line, findings: Findings) -> None:
    try:
        meant = _GARBLED.sub(lambda found: found[0].encode("cp1252").decode("utf-8"), line.text)
    except UnicodeError:
        return
    fact = "letters of this line were garbled when the page was saved in another encoding"
    findings.add("damaged-letter", line.number, fact, f"is this meant? `{shortened(meant.strip())}`")


def report_tags(lines: Sequence[Line], findings: Findings) -> None:
    """Report HTML: a page is Markdown, and nothing in it may run on a customer's screen."""
    for line in lines:
        if not line.is_open or "<" not in line.text:
            continue
        found = _TAG.search(_without_code(line.text))
        if found:
            hint = (
                "leave it out, or write Markdown: `**bold**`, `[words](https://...)`, `![...](../media/...)`"
            )
            findings.add("html", line.number, f"`{shortened(found[0])}` is HTML, which is not shown", hint)


def _without_code(text: str) -> str:
    return _CODE_SPAN.sub("", text) if "`" in text else text
