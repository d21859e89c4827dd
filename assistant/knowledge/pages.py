"""One Markdown page: bytes -> text -> entries and problems, and entries -> text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assistant.errors import KnowledgeError
from assistant.knowledge.encoding import decode_page
from assistant.knowledge.reading import read_page
from assistant.values import Arrow, Ask, Entry, Page, Place

__all__ = ["decode_page", "read_page", "without_places", "write_page"]

_NOWHERE = Place("")


def write_page(page: Page) -> str:
    """The page as text, which reads back as an equal page apart from the places.

    Raises KnowledgeError for a page that has no such text, or none without errors, such as one
    with an answer in which a line begins with `## `.
    """
    blocks = [f"# {page.title}\n", *(_written_entry(entry) for entry in page.entries)]
    text = "\n".join(blocks)
    again, problems = read_page(page.path, text)
    errors = [problem for problem in problems if problem.severity == "error"]
    fact = errors[0].fact if errors else _first_difference(again, page)
    if fact:
        hint = "lines of an answer must not begin with `#`, and questions and names stand on one line"
        raise KnowledgeError(
            f"{page.path} cannot be written as a page: {fact}", errors[0].hint if errors else hint, errors
        )
    return text


def without_places(page: Page) -> Page:
    """The page as it says, not where it says it."""
    return replace(page, entries=tuple(map(_entry_without_places, page.entries)))


def _entry_without_places(entry: Entry) -> Entry:
    return replace(
        entry,
        place=_NOWHERE,
        questions=tuple(replace(question, place=_NOWHERE) for question in entry.questions),
        ask=Ask(entry.ask.text, _arrows_without_places(entry.ask.arrows)) if entry.ask else None,
        next=_arrows_without_places(entry.next),
        checks=tuple(replace(check, place=_NOWHERE) for check in entry.checks),
        media=tuple(replace(media, place=_NOWHERE) for media in entry.media),
    )


def _arrows_without_places(arrows: tuple[Arrow, ...]) -> tuple[Arrow, ...]:
    return tuple(replace(arrow, place=_NOWHERE) for arrow in arrows)


def _first_difference(again: Page, page: Page) -> str:
    """What would read back differently; empty where nothing would."""
    got, wanted = without_places(again), without_places(page)
    if got == wanted:
        return ""
    pairs = zip(got.entries, wanted.entries, strict=False)
    changed = next((f"entry `{entry.name}`" for other, entry in pairs if other != entry), "the page")
    return f"{changed} would read back differently"


def _written_entry(entry: Entry) -> str:
    header = [f"## {entry.name}"]
    if entry.tags:
        header.append(f"Tags: {', '.join(entry.tags)}")
    if entry.valid_until:
        header.append(f"Valid until: {entry.valid_until.isoformat()}")
    parts = [f"### {name}\n{body}\n" for name, body in _parts(entry) if body]
    return "\n".join(["\n".join(header) + "\n", *parts])


def _parts(entry: Entry) -> Iterator[tuple[str, str]]:
    yield "Questions", "\n".join(f"- {question.text}" for question in entry.questions)
    yield "Answer", entry.answer
    yield "Spoken answer", entry.spoken_answer
    if entry.ask:
        yield "Ask", "\n\n".join(part for part in (entry.ask.text, _written_arrows(entry.ask.arrows)) if part)
    yield "Next", _written_arrows(entry.next)
    yield "Checks", "\n".join(f"- {check.kind}: {check.text}" for check in entry.checks)


def _written_arrows(arrows: tuple[Arrow, ...]) -> str:
    return "\n".join(f"- {', '.join(arrow.words)} -> {arrow.target}" for arrow in arrows)
