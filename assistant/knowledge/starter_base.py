"""A small base to begin with, written into a new folder."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from assistant.errors import KnowledgeError
from assistant.knowledge.media import FOLDER


def write_starter(folder: Path) -> tuple[Path, ...]:
    """Write the small base into a new or empty folder; gives the files written.

    Hidden files such as `.git` may be there. Raises KnowledgeError rather than touch anything else.
    """
    try:
        _refuse_what_is_there(folder)
        written = tuple(_copied(name, source, folder) for name, source in _sources())
        (folder / FOLDER).mkdir()
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        fact = f"the new base cannot be written to {folder} ({what})"
        raise KnowledgeError(fact, "choose a folder that you may write to") from None
    return written


def _refuse_what_is_there(folder: Path) -> None:
    hint = "choose another folder; `assistant init` never writes over anything"
    if folder.exists() and not folder.is_dir():
        raise KnowledgeError(f"{folder} is a file, not a folder", hint)
    if folder.is_dir() and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise KnowledgeError(f"the folder {folder} is not empty", hint)


def _sources() -> Iterator[tuple[PurePosixPath, Traversable]]:
    """The files of the small base, with their paths in the folder."""
    waiting = [(PurePosixPath(), files("assistant.knowledge") / "starter")]
    while waiting:
        path, source = waiting.pop(0)
        if source.is_dir():
            waiting.extend(
                (path / child.name, child) for child in sorted(source.iterdir(), key=lambda c: c.name)
            )
        elif path.suffix in (".md", ".toml"):
            yield path, source


def _copied(name: PurePosixPath, source: Traversable, folder: Path) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:  # x: fails rather than write over a file that came meanwhile
        file.write(source.read_bytes())
    return path
