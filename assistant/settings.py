"""Settings: `settings.toml` of the knowledge folder, the environment and the command line.

The command line wins over the environment, the environment over the file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import KnowledgeError, SettingsError

FILE_NAME = "settings.toml"
_KEYS = ("default_language", "encoder", "answer_above", "offer_above", "margin")
ENCODERS = ("fast", "accurate")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, in one value."""

    knowledge_folder: Path
    model_folders: tuple[Path, ...] = ()  # searched in this order
    cache_folder: Path | None = None  # None: the user's cache folder
    default_language: str = "en"
    encoder: str = "fast"  # one of ENCODERS
    answer_above: float = 0.72  # a probability: answer at once from here on
    offer_above: float = 0.25  # a probability: below, the honest answer is "I don't know"
    margin: float = 0.15  # a difference of probabilities: a nearer runner-up is asked about


def find_knowledge(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The knowledge folder: as given, else `ASSISTANT_KNOWLEDGE`, else `./knowledge`.

    Raises KnowledgeError with the way out when there is none.
    """
    named = given or (
        Path(environment["ASSISTANT_KNOWLEDGE"]) if environment.get("ASSISTANT_KNOWLEDGE") else None
    )
    folder = named or Path("knowledge")
    if folder.is_dir():
        return folder
    if named is None:
        raise KnowledgeError(
            "there is no knowledge base here",
            "start one with `assistant init knowledge`, or name yours with --knowledge FOLDER",
        )
    what = "is a file, not a folder" if folder.exists() else "does not exist"
    raise KnowledgeError(
        f"the knowledge folder {folder} {what}", f"start a new base with `assistant init {folder}`"
    )


def load_settings(
    knowledge_folder: Path,
    models: Path | None = None,
    encoder: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings of a knowledge base; raises SettingsError naming file and key."""
    stored = _read_file(knowledge_folder / FILE_NAME)
    if named := encoder or environment.get("ASSISTANT_ENCODER"):
        stored["encoder"] = _encoder("--encoder" if encoder else "ASSISTANT_ENCODER", named)
    return Settings(
        knowledge_folder=knowledge_folder,
        model_folders=_model_folders(models, environment),
        cache_folder=Path(environment["ASSISTANT_CACHE"]) if environment.get("ASSISTANT_CACHE") else None,
        **stored,
    )


def _model_folders(given: Path | None, environment: Mapping[str, str]) -> tuple[Path, ...]:
    named = [given] if given else []
    if environment.get("ASSISTANT_MODELS"):
        named.append(Path(environment["ASSISTANT_MODELS"]))
    return (*named, Path("models"))


def _read_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}", "write it as `name = value`, one a line, in UTF-8"
        ) from None
    for key, value in values.items():
        _check(path, key, value)
    return {key: float(value) if isinstance(value, int) else value for key, value in values.items()}


def _check(path: Path, key: str, value: object) -> None:
    if key not in _KEYS:
        near = difflib.get_close_matches(key, _KEYS, 1)
        raise SettingsError(
            f"{path}: unknown setting `{key}`",
            f"did you mean `{near[0]}`?" if near else f"known settings: {', '.join(_KEYS)}",
        )
    if key == "default_language":
        if not (isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", value)):
            raise SettingsError(f'{path}: `default_language` must be a language such as "de", not {value!r}')
    elif key == "encoder":
        _encoder(f"{path}: `encoder`", value)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SettingsError(f"{path}: `{key}` must be a number from 0 to 1, not {value!r}")


def _encoder(named_by: str, value: object) -> str:
    if value in ENCODERS:
        return str(value)
    raise SettingsError(
        f"{named_by} must be one of {', '.join(ENCODERS)}, not {value!r}",
        "`fast` needs some milliseconds a question, `accurate` some 25 and pip install "
        "'offline-assistant[accurate]'",
    )
