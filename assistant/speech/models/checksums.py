"""What was installed, by its SHA-256: `checksums.toml` beside the models."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.errors import ModelError

FILE_NAME = "checksums.toml"
_HEAD = """\
# Written by `assistant models`: the SHA-256 of each ZIP as it first came, and of the files in it.
# A later ZIP of the same name that differs is refused; `assistant models verify` compares the files.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """The sums of one model."""

    archive: str = ""  # of the ZIP; empty: it was copied from a folder
    files: Mapping[str, str] = field(default_factory=dict)  # path in the model -> sum; empty: removed again


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sums_of(folder: Path) -> dict[str, str]:
    """The sum of every file of a model, by its path with forward slashes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in files}


def read_records(models_folder: Path) -> dict[str, Record]:
    """Model name -> its sums; raises ModelError where the file cannot be read: it must not be ignored."""
    path = models_folder / FILE_NAME
    if not path.exists():
        return {}
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return {
            name: Record(str(one.get("archive", "")), dict(one.get("files", {})))
            for name, one in stored.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise ModelError(
            f"{path} cannot be read: {error}", "mend it, or delete it: sums are then recorded anew"
        ) from None


def write_record(models_folder: Path, name: str, record: Record) -> None:
    """Store the sums of one model beside those of the others, all or nothing; raises OSError."""
    records = {**read_records(models_folder), name: record}
    path = models_folder / FILE_NAME
    new = path.with_name(f".{FILE_NAME}.new")
    new.write_text(_HEAD + "".join(_as_toml(*one) for one in sorted(records.items())), encoding="utf-8")
    new.replace(path)


def _as_toml(name: str, record: Record) -> str:
    lines = ["", f"[{_quoted(name)}]", f"archive = {_quoted(record.archive)}"]
    if record.files:
        lines.append(f"[{_quoted(name)}.files]")
        lines += [f"{_quoted(path)} = {_quoted(value)}" for path, value in record.files.items()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON text is a TOML text as well
