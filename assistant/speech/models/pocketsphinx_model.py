"""The English model that comes with PocketSphinx: where it is, and whether it is sound.

Damaged, most of its files end the process that loads them, by `exit` or by a crash; some pass, and nothing
is understood any more.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
from contextlib import suppress
from pathlib import Path

from assistant.errors import ModelError
from assistant.speech.child_program import finish, start_child
from assistant.speech.models.trials import try_once

TRIAL_SECONDS = 60  # it takes two, of which the dictionary of any English is one
_TRIAL = "assistant.speech.hearing.pocketsphinx_decoders"
_MEND = "reinstall it with: pip install --force-reinstall pocketsphinx"


def packaged_model() -> Path:
    """The folder of the model; raises ModelError where the library is not installed."""
    spec = importlib.util.find_spec("pocketsphinx")
    for place in spec.submodule_search_locations or () if spec else ():
        if (folder := Path(place, "model", "en-us")).is_dir():
            return folder
    if spec is None:
        raise ModelError("PocketSphinx is not installed", "pip install pocketsphinx")
    raise ModelError("PocketSphinx has come without its English model", _MEND)


def validate_pocketsphinx_model(
    folder: Path, cache_folder: Path | None = None, seconds: float = TRIAL_SECONDS
) -> None:
    """Raise ModelError unless the files are those that were installed, load, and hear a second of silence.

    Tried in a process of its own, once: what passed is remembered in the cache folder until a
    file of the model or the version of the library changes.
    """
    try_once("pocketsphinx", folder, cache_folder, lambda: _try(folder, seconds))


def check_sums(folder: Path, installed: importlib.metadata.Distribution) -> None:
    """Raise ModelError for a file of the folder that is not what was installed; others are not looked at."""
    for path in installed.files or ():
        place = Path(str(path.locate()))
        if path.hash is None or not place.is_relative_to(folder):
            continue
        sound = base64.urlsafe_b64decode(f"{path.hash.value}===")
        with suppress(OSError), place.open("rb") as file:
            if hashlib.file_digest(file, path.hash.mode).digest() == sound:
                continue
        raise ModelError(f"the model of PocketSphinx is damaged: {place}", _MEND)


def _try(folder: Path, seconds: float) -> None:
    with suppress(importlib.metadata.PackageNotFoundError):
        check_sums(folder, importlib.metadata.distribution("pocketsphinx"))
    try:
        ending = finish(start_child(_TRIAL, str(folder)), b"", seconds)
    except (OSError, ValueError) as error:
        raise ModelError(f"PocketSphinx cannot be tried out: {error}", _MEND) from None
    if ending.exit_code != 0:
        how = "it crashes" if (ending.exit_code or 0) < 0 else ending.complaint
        raise ModelError(f"PocketSphinx cannot be used with its model {folder}: {how}", _MEND)
