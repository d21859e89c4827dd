"""What lies in a knowledge folder: the pages to read, and the files an editor may think are read."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assistant.errors import KnowledgeError
from assistant.knowledge.names import is_language, suggested_language
from assistant.values import Place, Problem

LARGEST_PAGE_BYTES = 4_000_000  # about a thousand printed pages: more is a file that came here by mistake

_LEFT_ALONE = {"readme.md", "settings.toml", "media"}
_JUNK = {"thumbs.db", "desktop.ini"}
_LIKE_PAGES = (".md", ".markdown", ".mdown", ".txt", ".docx", ".doc", ".odt", ".rtf", ".html", ".pdf")

Snapshot = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The pages of a folder as paths relative to it, and what is wrong with the rest of it."""

    pages: tuple[str, ...]
    problems: tuple[Problem, ...]


def find_pages(folder: Path) -> Found:
    """Look through a knowledge folder; raises KnowledgeError where there is none to look through."""
    pages: list[str] = []
    problems: list[Problem] = []
    for path in _listed(folder):
        if path.name.casefold() in _LEFT_ALONE:
            continue
        if not path.is_dir():
            if path.suffix.casefold() == ".md":
                problems.append(_stray_page(folder, path))
        elif not is_language(path.name):
            problems.extend(_bad_folder(path))
        elif _leaves(folder, path):
            problems.append(_outside_link(path))
        else:
            try:
                _look_into(folder, path, pages, problems)
            except KnowledgeError as error:
                problems.append(_problem("unreadable", path, error.fact, error.hint))
    return Found(tuple(sorted(pages)), tuple(problems))


def snapshot(folder: Path) -> Snapshot:
    """Name, time and size of everything that is looked at: equal snapshots, equal pages."""
    seen = []
    for path in _listed(folder):
        inside = _listed(path) if path.is_dir() and path.name.casefold() not in _LEFT_ALONE else ()
        for found in (path, *inside):
            try:
                state = found.stat()
            except OSError:
                state = found.lstat()
            time_ns = 0 if stat.S_ISDIR(state.st_mode) else state.st_mtime_ns
            seen.append((found.relative_to(folder).as_posix(), time_ns, state.st_size))
    return tuple(seen)


def shown(folder: Path | str, path: str) -> str:
    """The path of a page as people are told it: from where they gave the folder."""
    return (Path(folder) / path).as_posix()


def _listed(folder: Path) -> list[Path]:
    """What a folder holds, in order, without hidden files and those that programs leave behind."""
    try:
        paths = sorted(folder.iterdir())
    except FileNotFoundError:
        raise KnowledgeError(f"the knowledge folder {folder} does not exist", _start(folder)) from None
    except NotADirectoryError:
        raise KnowledgeError(
            f"the knowledge folder {folder} is a file, not a folder", _start(folder)
        ) from None
    except OSError as error:
        fact = f"the folder {folder} cannot be opened: {error.strerror}"
        raise KnowledgeError(fact, "check who may read it") from None
    return [path for path in paths if not _is_left_behind(path.name)]


def _start(folder: Path) -> str:
    return f"start a new base with `assistant init {folder}`, or name yours with --knowledge FOLDER"


def _is_left_behind(name: str) -> bool:
    return name.startswith((".", "~", "#")) or name.endswith("~") or name.casefold() in _JUNK


def _look_into(folder: Path, language: Path, pages: list[str], problems: list[Problem]) -> None:
    for path in _listed(language):
        name = path.name.casefold()
        if name == "readme.md":
            continue
        if path.is_dir():
            problems.extend(_deep_folder(path))
        elif not name.endswith(".md"):
            problems.append(_not_a_page(path))
        elif _leaves(folder, path):
            problems.append(_outside_link(path))
        else:
            problem = _unreadable(path)
            problems.extend([problem] if problem else [])
            pages.extend([] if problem else [path.relative_to(folder).as_posix()])


def _leaves(folder: Path, path: Path) -> bool:
    """True for a link that leads out of the knowledge folder."""
    try:
        return not path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


def _unreadable(path: Path) -> Problem | None:
    try:
        state = path.stat()
    except (OSError, RuntimeError) as error:
        reason = "it is a link that leads nowhere" if path.is_symlink() else str(error)
        return _problem(
            "unreadable", path, f"this page cannot be read: {reason}", "delete it, or put the page there"
        )
    if not stat.S_ISREG(state.st_mode):
        return _problem("unreadable", path, "this is no file, though it is named like a page", "delete it")
    if state.st_size > LARGEST_PAGE_BYTES:
        fact = f"this page is larger than {LARGEST_PAGE_BYTES // 1_000_000} MB"
        return _problem("too-large", path, fact, "make several pages of it")
    return None


def _stray_page(folder: Path, path: Path) -> Problem:
    fact = "this page is in no language folder and is not read"
    hint = f"move it into a folder such as `{shown(folder, 'en')}`"
    return _problem("bad-folder", path, fact, hint)


def _bad_folder(path: Path) -> Iterator[Problem]:
    if any(child.suffix.casefold() == ".md" for child in _listed(path)):
        near = suggested_language(path.name)
        hint = f"name it `{near}`" if near else "name it `en`, `de`, `ko` or after another language"
        yield _problem(
            "bad-folder", path, "this folder is not named after a language; its pages are not read", hint
        )


def _deep_folder(path: Path) -> Iterator[Problem]:
    holds_pages = any(child.suffix.casefold() == ".md" for child in _listed(path))
    fact = "folders inside a language folder are not read"
    yield _problem(
        "deep-folder", path, fact, "move what it holds one folder up", "error" if holds_pages else "warning"
    )


def _not_a_page(path: Path) -> Problem:
    hint = "pictures and films belong into the folder `media`"
    if path.name.casefold().endswith(_LIKE_PAGES):
        hint = f"pages are plain text and end in `.md`: `{path.name.split('.')[0]}.md`"
    return _problem("not-a-page", path, "this file is not a page and is not read", hint, "warning")


def _outside_link(path: Path) -> Problem:
    fact = "this is a link to a place outside the knowledge folder and is not followed"
    return _problem("outside-link", path, fact, "copy what it leads to into the knowledge folder")


def _problem(
    kind: str, path: Path, fact: str, hint: str, severity: Literal["error", "warning"] = "error"
) -> Problem:
    return Problem(kind, Place(path.as_posix()), fact, hint, severity=severity)
