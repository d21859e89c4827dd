"""The text of a page -> its entries and problems.

Strict, so that nothing is silently wrong: every problem of a page is reported at once, each
slip once, with its line and the way to mend it. What nobody can see (spaces at the end of a
line, line endings, zero-width characters) does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.knowledge.fences import mark_fences
from assistant.knowledge.headers import Header, read_header, report_misplaced
from assistant.knowledge.headings import TEXT_PARTS, Block, Heading, find_blocks
from assistant.knowledge.lines import (
    Findings,
    Line,
    bare,
    hide_conflicts,
    hide_remarks,
    report_letters,
    report_tags,
    shortened,
    split_lines,
)
from assistant.knowledge.lists import Part
from assistant.knowledge.media import read_media
from assistant.knowledge.names import is_language, suggested_language
from assistant.knowledge.parts import (
    read_arrows,
    read_ask,
    read_checks,
    read_questions,
    report_markup,
    report_repeats,
    text_of,
)
from assistant.values import Ask, Entry, Page, Place, Problem


@dataclass(slots=True)
class Draft:
    """An entry while its parts are gathered, each with its lines as written."""

    name: str
    number: int = 0
    header: Sequence[Line] = ()
    parts: list[Part] = field(default_factory=list)
    is_sure: bool = True  # False: a part nobody can tell may be the one that seems to be missing

    @property
    def called(self) -> str:
        """Its name for messages."""
        return self.name or "?"

    def named(self, name: str) -> list[Part]:
        """The parts of that name; on a page in order there is one at most."""
        return [part for part in self.parts if part.name == name]


def read_page(path: str, text: str) -> tuple[Page, tuple[Problem, ...]]:
    """The page and every problem of it; `path` is relative to the knowledge folder: `en/visiting.md`.

    Any text whatever is accepted. With problems, the page holds what could be read.
    """
    lines = split_lines(text)
    findings = Findings(path, lines)
    language = _language(path, findings)
    title, drafts = _outlined(lines, findings)
    entries = tuple(_entry(draft, language, findings) for draft in drafts)
    return Page(path, language, title, _first_of_each(entries, findings)), findings.problems


def outline(path: str, text: str) -> list[Draft]:
    """Where the entries of a page and their parts stand, without what they say."""
    lines = split_lines(text)
    return _outlined(lines, Findings(path, lines))[1]


def _language(path: str, findings: Findings) -> str:
    folder, _, _ = path.rpartition("/")
    if is_language(folder):
        return folder
    near = suggested_language(folder) if folder else ""
    fact = f"the folder `{folder}` is not named after a language"
    if not folder:
        fact = "this page is in no language folder"
    hint = f"name it `{near}`" if near else "put pages into folders such as `en`, `de` or `ko`"
    findings.add("bad-folder", 0, fact, hint)
    return near or folder


def _outlined(lines: tuple[Line, ...], findings: Findings) -> tuple[str, list[Draft]]:
    """The title and the entries with their parts."""
    if all(line.is_blank for line in lines):
        hint = "begin it with `# ` and what it is about, or delete it"
        findings.add("empty-page", 0, "this page is empty", hint)
        return "", []
    lines = hide_conflicts(lines, findings)
    lines = mark_fences(lines, findings)
    lines = hide_remarks(lines, findings)
    report_letters(lines, findings)
    report_tags(lines, findings)
    blocks = find_blocks(lines, findings)
    title = _title(blocks, findings)
    drafts = _drafts(blocks, findings)
    if not drafts and not findings.problems:
        hint = "an entry begins with `## ` and its name, such as `## opening-hours`"
        findings.warn("no-entries", 1, "this page has a title and no entries", hint)
    return title, drafts


def _title(blocks: Sequence[Block], findings: Findings) -> str:
    first = next((line for line in blocks[0].lines if not line.is_blank and not line.hidden), None)
    title = next((block.heading for block in blocks if block.heading and block.heading.rank == "title"), None)
    if first and title:
        hint = f"let the page begin with `# {shortened(title.name)}`"
        findings.add("text-before-title", first.number, "text stands above the title of the page", hint)
    elif not title:
        numbers = [block.heading.number for block in blocks if block.heading]
        number, hint = (numbers or [1])[0], "write `# ` and what the page is about"
        if first:
            number, hint = first.number, f"write `# {shortened(bare(first.text).lstrip('# '))}`"
        findings.add("no-title", number, "this page does not begin with a title", hint)
    return title.name if title else ""


def _drafts(blocks: Sequence[Block], findings: Findings) -> list[Draft]:
    """The entries; parts above the first one are gathered too, so that their slips are found."""
    drafts = [Draft("")]
    for block in blocks[1:]:
        heading = block.heading
        if heading is None:
            continue
        if heading.rank == "title":
            _report_text_outside(block, findings)
        elif heading.rank == "entry":
            drafts.append(Draft(heading.name, heading.number, block.lines))
        else:
            _add_part(drafts[-1], heading, block.lines, findings)
    return drafts if drafts[0].parts else drafts[1:]


def _report_text_outside(block: Block, findings: Findings) -> None:
    first = next((line for line in block.lines if not line.is_blank and not line.hidden), None)
    if first and block.heading and not (block.heading.slip and block.heading.slip.kind == "second-title"):
        hint = "an entry begins with `## ` and its name; put the text under `### Answer` of an entry"
        findings.add("text-outside-entry", first.number, "text stands above the first entry", hint)


def _add_part(draft: Draft, heading: Heading, lines: Sequence[Line], findings: Findings) -> None:
    whose = f"entry `{draft.called}`"
    if not draft.number and not draft.parts and draft.is_sure:
        fact, hint = "a part stands above the first entry", "write `## ` and the name of its entry above it"
        findings.add("part-outside-entry", heading.number, fact, hint)
        draft.is_sure = False
    if not heading.name:
        draft.is_sure = False
        return
    earlier = draft.named(heading.name)
    if earlier and draft.number:
        fact = f"{whose} has `{heading.name}` twice: it begins on line {earlier[0].number} too"
        hint = "join the two, or give the second one an entry of its own"
        findings.add("duplicate-part", heading.number, fact, hint)
    says_on_heading = heading.slip is not None and heading.slip.kind == "text-behind-part"
    if all(line.is_blank for line in lines) and not says_on_heading:
        hint = "write something below it, or delete the line"
        findings.add("empty-part", heading.number, f"`{heading.name}` of {whose} is empty", hint)
    draft.parts.append(Part(draft.called if draft.number else "", heading.name, heading.number, lines))


def _entry(draft: Draft, language: str, findings: Findings) -> Entry:
    header = read_header(draft.called, draft.header, findings) if draft.number else Header()
    filled = [part for part in draft.parts if not all(line.is_blank for line in part.lines)]
    questions = [
        phrase for part in filled if part.name == "Questions" for phrase in read_questions(part, findings)
    ]
    checks = [check for part in filled if part.name == "Checks" for check in read_checks(part, findings)]
    report_repeats(draft.called, questions, checks, findings)
    draft.is_sure = draft.is_sure and not header.has_text
    _report_answers(draft, findings)
    texts = [part for part in filled if part.name in TEXT_PARTS]
    for part in texts:
        report_misplaced(draft.called, part.lines, findings)
    for part in draft.named("Spoken answer"):
        report_markup(part, findings)
    return Entry(
        name=draft.name,
        language=language,
        place=Place(findings.path, draft.number),
        questions=tuple(questions),
        answer=_text(filled, "Answer"),
        spoken_answer=_text(filled, "Spoken answer"),
        ask=_ask(filled, findings),
        next=tuple(arrow for part in filled if part.name == "Next" for arrow in read_arrows(part, findings)),
        checks=tuple(checks),
        tags=header.tags,
        valid_until=header.valid_until,
        media=read_media([line for part in texts for line in part.lines], findings.path, findings),
    )


def _text(parts: Sequence[Part], name: str) -> str:
    return next((text_of(part.lines) for part in parts if part.name == name), "")


def _ask(parts: Sequence[Part], findings: Findings) -> Ask | None:
    asks = [read_ask(part, findings) for part in parts if part.name == "Ask"]
    return next((ask for ask in asks if ask), None)


def _report_answers(draft: Draft, findings: Findings) -> None:
    """An entry either answers or asks back."""
    answers, asks = draft.named("Answer"), draft.named("Ask")
    if answers and asks:
        later = max(answers[0], asks[0], key=lambda part: part.number)
        fact = f"entry `{draft.called}` has both an `Answer` and an `Ask`"
        hint = "an entry either answers or asks back: put the answer into an entry that a choice leads to"
        findings.add("answer-and-ask", later.number, fact, hint)
    elif not (answers or asks) and draft.number and draft.is_sure:
        fact = f"entry `{draft.called}` has neither an `Answer` nor an `Ask`"
        findings.add("no-answer", draft.number, fact, "write `### Answer` and the answer below it")


def _first_of_each(entries: Sequence[Entry], findings: Findings) -> tuple[Entry, ...]:
    first: dict[str, Entry] = {}
    for entry in entries:
        if not entry.name:
            continue
        earlier = first.setdefault(entry.name, entry)
        if earlier is not entry:
            fact = f"entry `{entry.name}` stands on this page twice: on line {earlier.place.line} too"
            hint = "delete one of the two, or give it another name"
            findings.add("duplicate-entry", entry.place.line, fact, hint)
    return tuple(first.values())
