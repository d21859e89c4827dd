"""Finds the headings of a page: its title, where entries start, where their parts start.

A heading with a slip is reported once, with the whole heading as it should be, and is then read
as what it was meant to be, so that one slip makes one problem.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from assistant.knowledge.lines import Findings, Line, bare, shortened
from assistant.knowledge.names import (
    HEADERS,
    LONGEST_NAME,
    PARTS,
    is_name,
    meant_part,
    part_word,
    quoted,
    suggested_name,
)

TEXT_PARTS = ("Answer", "Spoken answer", "Ask")
Rank = Literal["title", "entry", "part", "text"]

_MARKS: dict[Rank, str] = {"title": "#", "entry": "##", "part": "###", "text": "####"}
_HASHES = re.compile(r"([ \t\u00a0]*)([#＃]{1,6})(?![#＃])(\s*)(.*)", re.DOTALL)
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{3,})\s*$")
_HEADER = re.compile(rf"\s*(?:{'|'.join(HEADERS)})\s*[:：]", re.IGNORECASE)
_KNOWN_PARTS = f"the parts of an entry are {quoted(PARTS)}"


class Slip(NamedTuple):
    """What is wrong with a heading."""

    kind: str
    fact: str
    hint: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A title (`#`), the start of an entry (`##`) or of a part (`###`); `text` is none of them."""

    rank: Rank
    name: str  # empty: nobody can tell which
    number: int = 0  # its line, counted from 1
    slip: Slip | None = None

    @property
    def written(self) -> str:
        """The heading as it should stand on the page."""
        return f"{_MARKS[self.rank]} {self.name}".strip()


@dataclass(slots=True)
class _Walk:
    """Where on the page we are, and what comes next there."""

    lines: Sequence[Line]
    index: int = 0
    has_title: bool = False
    has_text: bool = False
    entry: str | None = None
    part: str = ""
    parts: set[str] = field(default_factory=set)

    def step(self, heading: Heading) -> None:
        if heading.rank == "title":
            self.has_title, self.part = True, ""
        elif heading.rank == "entry":
            self.entry, self.part, self.parts = heading.name, "", set()
        elif heading.rank == "part":
            self.part = heading.name
            self.parts.add(heading.name)

    def starts_entry(self, below: int = 1) -> bool:
        """True when only an entry can start here: next comes a header, or a part that the entry above has."""
        following = self.following(below)
        return following == "header" or (bool(following) and (self.entry is None or following in self.parts))

    def following(self, below: int = 1) -> str:
        """What the next line with anything on it is: a known part, a `header`, or nothing of that."""
        for index in range(self.index + below, len(self.lines)):
            line = self.lines[index]
            if line.is_blank:
                continue
            found = _HASHES.fullmatch(line.text) if line.is_open else None
            if found:
                return part_word(bare(found[4]))
            if line.is_open and _HEADER.match(line.text):
                return "header"
            return _part_alone(line.plain) if line.is_open else ""
        return ""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (None above the first one) and the lines below it, up to the next heading."""

    heading: Heading | None
    lines: tuple[Line, ...]


def find_blocks(lines: Sequence[Line], findings: Findings) -> tuple[Block, ...]:
    """The page cut at its headings."""
    walk = _Walk(lines)
    heading: Heading | None = None
    below: list[Line] = []
    blocks: list[Block] = []
    after = 0  # index of the first line that no heading has used up
    for index, line in enumerate(lines):
        if index < after:
            continue
        walk.index = index
        found, used = _heading_here(line, walk) if line.is_open and not line.is_blank else (None, 0)
        if found is None:
            below.append(line)
            walk.has_text = walk.has_text or not line.is_empty
            continue
        after = index + used
        if found.slip:
            findings.add(found.slip.kind, line.number, found.slip.fact, found.slip.hint)
        if found.rank == "text":
            below.append(replace(line, hidden=True))
            continue
        walk.step(found)
        blocks.append(Block(heading, tuple(below)))
        heading, below = replace(found, number=line.number), []
    return (*blocks, Block(heading, tuple(below)))


def _heading_here(line: Line, walk: _Walk) -> tuple[Heading | None, int]:
    """The heading on a line, and how many lines it takes."""
    text = line.plain
    found = _HASHES.fullmatch(text)
    if found:
        return _with_hashes(found, walk), 1
    if walk.index + 1 < len(walk.lines):
        under = _UNDERLINE.match(walk.lines[walk.index + 1].text)
        if under and walk.lines[walk.index + 1].is_open:
            return _underlined(bare(text), under[1][0], walk), 2
    return _unmarked(text, walk), 1


def _with_hashes(found: re.Match[str], walk: _Walk) -> Heading | None:
    indent, hashes, space, rest = found.groups()
    title = _without_closing_hashes(bare(rest))
    heading = _judged(len(hashes), title, walk)
    if heading is None or (heading.slip is None and _is_plain(indent, hashes, space or not title)):
        return heading
    if "\t" in indent or len(indent) > 3:
        return _indented(heading, walk)
    if heading.slip:
        return None if walk.has_title and _is_word(hashes, space, title, walk) else heading
    if "＃" in hashes:
        fact = f"`{hashes}` is not `{'#' * len(hashes)}`, though it looks alike"
        return _slipped(heading, "odd-character", fact)
    return _slipped(heading, "missing-space", f"there is no space behind `{hashes}`")


def _is_word(hashes: str, space: str, title: str, walk: _Walk) -> bool:
    """True for "#offer", which people write for its own sake."""
    return not space and len(hashes) == 1 and not part_word(title) and not walk.starts_entry()


def _is_plain(indent: str, hashes: str, space: str | bool) -> bool:
    return bool(space) and "＃" not in hashes and "\t" not in indent and len(indent) <= 3


def _indented(heading: Heading, walk: _Walk) -> Heading | None:
    """Four spaces or a tab make a code block of a line, unless it can only be a heading of ours."""
    if heading.slip or not (heading.rank == "part" or walk.starts_entry()):
        return None
    return _slipped(heading, "indented-heading", "this heading does not begin at the edge")


def _slipped(heading: Heading, kind: str, fact: str) -> Heading:
    return Heading(heading.rank, heading.name, slip=Slip(kind, fact, f"write `{heading.written}`"))


def _judged(level: int, title: str, walk: _Walk) -> Heading | None:
    judges = {1: _first_level, 2: _second_level, 3: _third_level}
    return judges.get(level, _deep_level)(title, walk)


def _first_level(title: str, walk: _Walk) -> Heading | None:
    if not walk.has_title and walk.entry is None:
        hint = "write `# ` and what the page is about"
        slip = None if title else Slip("no-title", "the title of this page is empty", hint)
        return Heading("title", title, slip=slip)
    part = part_word(title) or (meant_part(title) if walk.part else "")
    if part:
        return _wrong_level(Heading("part", part), title)
    if walk.following():
        return _wrong_level(Heading("entry", suggested_name(title)), title)
    fact = f"a page has one title, and `# {shortened(title)}` is a second one"
    hint = _hint_in_text(title, walk, "put its entries on a page of their own")
    return Heading("title", title, slip=Slip("second-title", fact, hint))


def _second_level(title: str, walk: _Walk) -> Heading | None:
    part = part_word(title) or ("" if is_name(title) else meant_part(title))
    if part:
        return _wrong_level(Heading("part", part), title)
    if is_name(title):
        return Heading("entry", title)
    if walk.part in TEXT_PARTS and not walk.following():
        fact = f"`## {shortened(title)}` stands inside a text, but `##` starts an entry"
        hint = _hint_in_text(title, walk, f"for a new entry: {_name_hint(title)}")
        return Heading("text", title, slip=Slip("heading-in-text", fact, hint))
    fact = f"`{shortened(title)}` cannot be the name of an entry" if title else "this entry has no name"
    return Heading("entry", suggested_name(title), slip=Slip("bad-name", fact, _name_hint(title)))


def _third_level(title: str, walk: _Walk) -> Heading | None:
    if title in PARTS:
        return Heading("part", title)
    lead, _, rest = title.partition(":")
    if lead in PARTS and rest:
        hint = f"write `### {lead}` alone, and the text on the next line"
        return Heading("part", lead, slip=Slip("text-behind-part", f"text stands behind `### {lead}`", hint))
    part = meant_part(title)
    if not part and walk.starts_entry():
        return _wrong_level(Heading("entry", suggested_name(title)), title)
    whose = f"entry `{walk.entry}` has" if walk.entry else "here is"
    hint = f"did you mean `{part}`?" if part else _hint_in_text(title, walk, _KNOWN_PARTS)
    slip = Slip("unknown-part", f"{whose} an unknown part `{shortened(title)}`", hint)
    return Heading("part", part, slip=slip)


def _deep_level(title: str, walk: _Walk) -> Heading | None:
    """Small headings may stand in an answer, unless they are parts or entries gone too deep."""
    part = meant_part(title, cutoff=0.8)
    if part:
        return _wrong_level(Heading("part", part), title)
    if is_name(title) and walk.starts_entry():
        return _wrong_level(Heading("entry", title), title)
    return None


def _wrong_level(heading: Heading, title: str) -> Heading:
    mark = "`##` starts an entry" if heading.rank == "entry" else "`###` starts a part of an entry"
    fact = f"`{shortened(title)}` stands behind the wrong number of `#`: {mark}"
    hint = f"did you mean `{heading.written}`?" if heading.name else _name_hint(title)
    return Heading(heading.rank, heading.name, slip=Slip("wrong-level", fact, hint))


def _underlined(title: str, mark: str, walk: _Walk) -> Heading | None:
    """A heading made by underlining, where it can only be one; any other line above `---` is text."""
    heading: Heading | None = None
    if not (walk.has_title or walk.has_text or walk.entry):
        heading = Heading("title", title)
    elif part_word(title):
        heading = Heading("part", part_word(title))
    elif is_name(title) and walk.starts_entry(2):
        heading = Heading("entry", title)
    elif mark == "=":
        heading = Heading("text", title)
    fact = "headings are written with `#`, not underlined"
    return heading and _slipped(heading, "underlined-heading", fact)


def _unmarked(text: str, walk: _Walk) -> Heading | None:
    """The name of a part alone on a line, bold or bare, is a heading whose hashes were forgotten."""
    part = _part_alone(text) if walk.entry is not None else ""
    if not part:
        return None
    return _slipped(Heading("part", part), "missing-hashes", f"`{part}` alone on a line is no heading")


def _part_alone(text: str) -> str:
    plain = text.strip().strip("*_").rstrip(":").strip("*_")
    return plain if plain in PARTS else ""


def _without_closing_hashes(title: str) -> str:
    words = title.split()
    while words and not words[-1].strip("#"):
        words.pop()
    return " ".join(words)


def _name_hint(title: str) -> str:
    name = suggested_name(title)
    if name:
        return f"names are lowercase words, digits and hyphens: write `## {name}`"
    return f"names are a-z, digits and hyphens (up to {LONGEST_NAME} characters): `## opening-hours`"


def _hint_in_text(title: str, walk: _Walk, hint: str) -> str:
    """Inside a text a heading of the text itself may be meant."""
    in_text = walk.part in TEXT_PARTS and title
    return f"for a heading inside the text write `**{shortened(title)}**`; {hint}" if in_text else hint
