"""Code fences: between two of them every line is shown as it stands, whatever it looks like."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from assistant.knowledge.lines import Findings, Line
from assistant.knowledge.names import PARTS, is_name

_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")


def mark_fences(lines: Sequence[Line], findings: Findings) -> tuple[Line, ...]:
    """Mark what stands inside code fences as literal, and report fences that never end."""
    marked = list(lines)
    ends = _Ends(lines)
    index = 0
    while index < len(lines):
        opening = None if lines[index].hidden else _FENCE.match(lines[index].text)
        if opening is None:
            index += 1
            continue
        end = ends.of(index, opening[1])
        if end is None or _swallows_an_entry(lines[index + 1 : end]):
            findings.add(
                "unclosed-fence",
                lines[index].number,
                "the code block that begins here does not end",
                f"put a line with the same signs below its last line: {opening[1]}",
            )
            end = _next_heading(lines, index + 1) - 1
        for inside in range(index, end + 1):
            marked[inside] = replace(lines[inside], literal=True)
        index = end + 1
    return tuple(marked)


class _Ends:
    """Finds the closing fence for one opening after the other, downwards."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._closers = deque(
            (index, line.text.strip())
            for index, line in enumerate(lines)
            if not line.hidden and _FENCE.match(line.text) and not line.text.strip().strip("`~")
        )
        self._without_end: set[str] = set()

    def of(self, start: int, mark: str) -> int | None:
        """The index of the line that closes a fence, None where there is none."""
        while self._closers and self._closers[0][0] <= start:
            self._closers.popleft()
        if mark in self._without_end:
            return None
        end = next((index for index, closer in self._closers if closer.startswith(mark)), None)
        if end is None:
            self._without_end.add(mark)
        return end


def _swallows_an_entry(inside: Sequence[Line]) -> bool:
    """True when a fence holds the beginning of an entry: then its end was forgotten."""
    names = [
        index for index, line in enumerate(inside) if _opens(line, "## ") and is_name(line.text[3:].strip())
    ]
    return bool(names) and any(_opens_part(line) for line in inside[names[0] :])


def _next_heading(lines: Sequence[Line], start: int) -> int:
    for index in range(start, len(lines)):
        line = lines[index]
        if _opens_part(line) or (_opens(line, "## ") and is_name(line.text[3:].strip())):
            return index
    return len(lines)


def _opens_part(line: Line) -> bool:
    return _opens(line, "### ") and line.text[4:].strip() in PARTS


def _opens(line: Line, mark: str) -> bool:
    return not line.hidden and line.text.startswith(mark)
