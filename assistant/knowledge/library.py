"""A folder of pages -> the knowledge, kept up to date; a broken page never takes away a good answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.errors import KnowledgeError
from assistant.knowledge.folders import Snapshot, find_pages, shown, snapshot
from assistant.knowledge.pages import decode_page, read_page
from assistant.values import Entry, Knowledge, Page, Place, Problem


def read_folder(folder: Path, default_language: str) -> tuple[Knowledge, tuple[Problem, ...]]:
    """Every page of a knowledge folder, and every problem of them all.

    The places of problems begin with the folder as it was given, those of entries are relative
    to it. Raises KnowledgeError where there is no folder, or nothing like a page in it.
    """
    found = find_pages(folder)
    pages: list[Page] = []
    problems = list(found.problems)
    for path in found.pages:
        page, on_page = _read(folder, path)
        pages.extend([page] if page else [])
        problems.extend(_placed(folder, problem) for problem in on_page)
    if not found.pages and not any(problem.severity == "error" for problem in problems):
        example = shown(folder, f"{default_language}/visiting.md")
        hint = f"write one, such as {example}, or start with `assistant init FOLDER`"
        raise KnowledgeError(f"there are no pages in {folder}", hint, problems)
    knowledge = Knowledge.of(folder.as_posix(), default_language, tuple(pages))
    problems.extend(_placed(folder, problem) for problem in _repeated_names(pages))
    problems.extend(_missing_default(folder, knowledge))
    return knowledge, tuple(sorted(problems, key=lambda problem: (problem.place.path, problem.place.line)))


class Library:
    """Keeps the knowledge of a folder: the last one that was read without errors."""

    def __init__(self, folder: Path, default_language: str) -> None:
        self.folder = folder
        self.default_language = default_language
        self.problems: tuple[Problem, ...] = ()
        self._knowledge: Knowledge | None = None
        self._seen: Snapshot | None = None

    @property
    def knowledge(self) -> Knowledge:
        """The last good knowledge; read now if nothing was read yet."""
        return self._knowledge or self.load()

    def load(self) -> Knowledge:
        """Read the folder; raises KnowledgeError with the problems when one of them is an error."""
        self._seen = snapshot(self.folder)  # before reading: what changes meanwhile is read next time
        knowledge, self.problems = read_folder(self.folder, self.default_language)
        errors = [problem for problem in self.problems if problem.severity == "error"]
        if errors:
            count = "one problem" if len(errors) == 1 else f"{len(errors)} problems"
            hint = f"mend what is listed; `assistant check --knowledge {self.folder}` looks again"
            raise KnowledgeError(f"the pages in {self.folder} have {count}", hint, self.problems)
        self._knowledge = knowledge
        return knowledge

    def refresh(self) -> bool:
        """Read what has changed; True if anything did, for better or worse.

        Looks only at names, times and sizes unless one of them changed. A change with errors is
        not taken up: the last good knowledge stays, and `problems` says why.
        """
        if self._knowledge is None:
            self.load()
            return True
        before = (self._knowledge, self.problems)
        try:
            if self._seen == snapshot(self.folder):
                return False
            self.load()
        except KnowledgeError as error:
            self._seen = self._seen if error.problems else None
            folder = Place(self.folder.as_posix())
            self.problems = error.problems or (Problem("unreadable", folder, error.fact, error.hint),)
        return (self._knowledge, self.problems) != before


def _read(folder: Path, path: str) -> tuple[Page | None, tuple[Problem, ...]]:
    try:
        data = (folder / path).read_bytes()
    except OSError as error:
        fact = f"this page cannot be read: {error.strerror}"
        return None, (Problem("unreadable", Place(path), fact, "check who may read it"),)
    text, problems = decode_page(path, data)
    return read_page(path, text) if text is not None else (None, problems)


def _placed(folder: Path, problem: Problem) -> Problem:
    return replace(problem, place=Place(shown(folder, problem.place.path), problem.place.line))


def _repeated_names(pages: Sequence[Page]) -> Iterable[Problem]:
    """An entry may stand once in a language; on one page the reader of the page has seen to it."""
    first: dict[tuple[str, str], Entry] = {}
    for page in pages:
        for entry in page.entries:
            earlier = first.setdefault((entry.language, entry.name), entry)
            if earlier is not entry:
                fact = f"entry `{entry.name}` stands in {earlier.place} too"
                hint = "delete one of the two, or give it another name"
                yield Problem("duplicate-entry", entry.place, fact, hint, f"## {entry.name}")


def _missing_default(folder: Path, knowledge: Knowledge) -> Iterable[Problem]:
    tag = knowledge.default_language
    if knowledge.languages and tag not in knowledge.languages:
        fact = f"there are no pages in the default language `{tag}`"
        file = shown(folder, "settings.toml")
        hint = f'write some, or set `default_language = "{knowledge.languages[0]}"` in {file}'
        yield Problem("no-default-language", Place(folder.as_posix()), fact, hint, severity="warning")
