"""What has been tried and passed is remembered, until a file or the library changes."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_APPLICATION = "offline-assistant"


def try_once(library: str, folder: Path, cache_folder: Path | None, trial: Callable[[], None]) -> None:
    """Run the trial, unless exactly these files have passed with exactly this version of the library.

    What passed is remembered in the cache folder (None: the user's); what the trial raises comes through.
    """
    remembered = _memory(library, folder, cache_folder)
    if remembered.exists():
        return
    trial()
    with suppress(OSError):  # only a shortcut: without it the trial is run again next time
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(f"{folder}\n", encoding="utf-8")


def _memory(library: str, folder: Path, cache_folder: Path | None) -> Path:
    import platformdirs

    cache = cache_folder or platformdirs.user_cache_path(_APPLICATION)
    stamp = hashlib.sha256(_stamp(library, folder).encode()).hexdigest()[:32]
    return cache / "models" / f"{stamp}.passed"


def _stamp(library: str, folder: Path) -> str:
    version = "none"
    with suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version(library)
    return json.dumps([version, sys.platform, sys.version, str(folder.resolve()), list(_files(folder))])


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            yield path.relative_to(folder).as_posix(), status.st_size, status.st_mtime_ns
