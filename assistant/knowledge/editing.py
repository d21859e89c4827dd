"""Changes that the program makes to a page: a check is added, every other byte stays as it was."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

from assistant.errors import KnowledgeError
from assistant.knowledge.encoding import LINE_END, decode_page, encoding_of
from assistant.knowledge.folders import shown
from assistant.knowledge.lines import spaced, visible
from assistant.knowledge.lists import LONGEST_PHRASE
from assistant.knowledge.pages import read_page, without_places
from assistant.knowledge.reading import Draft, outline
from assistant.matching.text import fold
from assistant.values import Check, Entry, Page, Place

Kind = Literal["yes", "no"]

_LINE = re.compile(rf"[^\r\n]*(?:{LINE_END.pattern}|$)")
_PAGE = "en/page.md"  # what a page is called makes no difference to its text


def save_check(folder: Path, entry: Entry, kind: Kind, phrase: str) -> Path:
    """Add a check to the page of an entry; gives the page, which is replaced as a whole or not at all.

    Encoding, byte order mark, line endings and permissions stay. Raises KnowledgeError, with the
    page untouched, for a phrase that could not be read back and for a page with errors.
    """
    path, place = folder / entry.place.path, shown(folder, entry.place.path)
    try:
        data = path.read_bytes()
        text, problems = decode_page(entry.place.path, data)
        if text is None:
            raise KnowledgeError(problems[0].fact, problems[0].hint, problems)
        bom, encoding = encoding_of(data)
        _replace(path, bom + with_check(text, entry.name, kind, phrase).encode(encoding))
    except KnowledgeError as error:
        raise KnowledgeError(f"{place}: {error.fact}", error.hint, error.problems) from None
    except OSError as error:
        hint = "is the page still there, and may you write to it?"
        raise KnowledgeError(f"{place} cannot be written: {error.strerror}", hint) from None
    return path


def with_check(text: str, entry_name: str, kind: Kind, phrase: str) -> str:
    """The text of a page with one more check of an entry, at the end of its checks.

    Everything else stays as it was. Raises KnowledgeError for a page with errors, and where the
    result would not read back as the same page with that check.
    """
    before = _in_order(text)
    draft = next((draft for draft in outline(_PAGE, text) if draft.name == entry_name), None)
    if draft is None:
        raise KnowledgeError(
            f"there is no entry `{entry_name}` on this page", "was it renamed? Look at the page"
        )
    said = _usable(phrase)
    _refuse_known(before, entry_name, said)
    after = _inserted(text, draft, f"- {kind}: {said}")
    again, problems = read_page(_PAGE, after)
    errors = [problem.fact for problem in problems if problem.severity == "error"]
    wanted = _with(before, entry_name, Check(kind, said, Place("")))
    if errors or without_places(again) != without_places(wanted):
        fact = errors[0] if errors else "it would read back differently"
        raise KnowledgeError(f"`{said}` cannot be saved as a check: {fact}", "save it in other words")
    return after


def _in_order(text: str) -> Page:
    page, problems = read_page(_PAGE, text)
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        fact = f"the page has an error on line {errors[0].place.line}: {errors[0].fact}"
        raise KnowledgeError(fact, "mend it first; `assistant check` lists all there is", errors)
    return page


def _usable(phrase: str) -> str:
    said = spaced(visible(phrase))
    if not fold(said):
        raise KnowledgeError(
            "there is nothing to check in this phrase", "it needs at least one letter or digit"
        )
    if LINE_END.search(phrase.strip()):
        raise KnowledgeError("a check stands on one line", "save it without the line break")
    if len(said) > LONGEST_PHRASE:
        fact = f"this phrase has {len(said)} characters, more than the {LONGEST_PHRASE} allowed"
        raise KnowledgeError(fact, "save a shorter one")
    return said


def _refuse_known(page: Page, entry_name: str, said: str) -> None:
    entry = next(entry for entry in page.entries if entry.name == entry_name)
    for known, part in ((entry.questions, "Questions"), (entry.checks, "Checks")):
        line = next((item.place.line for item in known if fold(item.text) == fold(said)), 0)
        if line:
            fact = f"entry `{entry_name}` has this phrase already, under {part} on line {line}"
            raise KnowledgeError(fact, "there is nothing to do")


def _with(page: Page, entry_name: str, check: Check) -> Page:
    return replace(
        page,
        entries=tuple(
            replace(entry, checks=(*entry.checks, check)) if entry.name == entry_name else entry
            for entry in page.entries
        ),
    )


def _inserted(text: str, draft: Draft, line: str) -> str:
    """The line below the last check, or below the whole entry with a heading of its own."""
    part = next(iter(draft.named("Checks")), None)
    blocks = [(part.number, part.lines)] if part else [(draft.number, draft.header)]
    if part is None:
        blocks += [(other.number, other.lines) for other in draft.parts]
    last = max(
        number
        for heading, lines in blocks
        for number in (heading, *(line.number for line in lines if not line.is_blank))
    )
    lines = [found[0] for found in _LINE.finditer(text)]
    end = next((found[0] for found in LINE_END.finditer(text)), "\n")
    added = [line] if part else ["", "### Checks", line]
    above = lines[last - 1]
    if LINE_END.search(above):
        return "".join([*lines[:last], *(new + end for new in added), *lines[last:]])
    return "".join([*lines[:last], *(end + new for new in added), *lines[last:]])


def _replace(path: Path, data: bytes) -> None:
    """Write a file as a whole: whoever reads it meanwhile finds the old or the new one."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
