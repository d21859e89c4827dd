"""A file of questions, one a line, read so that one bad line costs only itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_LONGEST_LINE = 100_000  # bytes; a file without line ends must not fill the memory
_BOM = b"\xef\xbb\xbf"
_WIDE_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Question:
    """A line to be asked."""

    line: int  # counted from 1
    text: str


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be read, and why."""

    line: int
    fact: str


def read_questions(file: BinaryIO) -> Iterator[Question | BadLine]:
    """The lines that hold something, as they come in; UTF-8 with or without a BOM."""
    number = 0
    while raw := file.readline(_LONGEST_LINE):
        number += 1
        if number == 1 and raw.startswith(_WIDE_BOMS):
            yield BadLine(1, "this is UTF-16, not UTF-8: save the file as UTF-8")
            return
        if len(raw) == _LONGEST_LINE and not raw.endswith(b"\n"):
            _skip_line(file)
        question = _read(number, raw.removeprefix(_BOM) if number == 1 else raw)
        if not isinstance(question, Question) or question.text:
            yield question


def count_questions(file: BinaryIO) -> int | None:
    """How many lines hold something, None where only reading tells; the file is then at its beginning."""
    if not file.seekable():
        return None
    count = sum(1 for _ in read_questions(file))
    file.seek(0)
    return count


def _read(number: int, raw: bytes) -> Question | BadLine:
    try:
        return Question(number, raw.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        shown = raw.decode("utf-8", "replace").strip()[:60]
        return BadLine(number, f"not UTF-8 at byte {error.start + 1}: {shown}")


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
