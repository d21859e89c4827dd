"""What took long to make, kept on disk by content; the one place of this room that touches files.

A cache that is damaged, foreign or cannot be written costs time, never an answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from assistant.matching.seen import by_text, together, wholes
from assistant.ports import Seen

Floats = npt.NDArray[np.float32]
Arrays = dict[str, Floats]
Stored = dict[str, npt.NDArray[np.generic]]

_FIELDS = tuple(field.name for field in fields(Seen))
_KEY_BYTES = 16  # of a SHA-256: no two phrases of any base will share them
_log = logging.getLogger(__name__)


def fingerprint(*parts: str) -> str:
    """A short name for some texts; another text, order or split gives another name."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "replace")
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()[:24]


class Marking(Protocol):
    """An encoder that tells what the vectors of a text depend on."""

    @property
    def name(self) -> str: ...

    @property
    def base(self) -> str:
        """Equal where all texts have equal marks."""
        ...

    @property
    def dimensions(self) -> int: ...

    @property
    def piece_name(self) -> str: ...

    @property
    def piece_dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Floats: ...

    def see(self, texts: Sequence[str]) -> Seen: ...

    def mark(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is wanted of these texts, and who is asked for what is not on disk."""

    texts: Sequence[str]
    whole: str  # the name of all of them together
    mark: Callable[[str], str]
    make: Callable[[Sequence[str]], Seen]
    widths: tuple[int, int]  # of a vector and of a piece


class Cache:
    """The cached vectors and trained heads of one base."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._is_told = False  # that it cannot be written

    def vectors(self, encoder: Marking, texts: Sequence[str], kind: str) -> Floats:
        """Like `encoder.encode`, asking the encoder only for the texts of that kind that are not on disk."""
        wanted = _Wanted(
            texts,
            fingerprint(encoder.base, *texts),
            encoder.mark,
            lambda missing: wholes(encoder.encode(missing)),
            (encoder.dimensions, 0),
        )
        # Another version may have kept vectors of another length under the same encoder's name.
        return self._kept(f"{kind}-{fingerprint(encoder.name, str(encoder.dimensions))}", wanted).vectors

    def seen(self, encoder: Marking, texts: Sequence[str], kind: str) -> Seen:
        """The same of `encoder.see`."""
        wanted = _Wanted(
            texts,
            fingerprint(encoder.base, *texts),
            encoder.mark,
            encoder.see,
            (encoder.dimensions, encoder.piece_dimensions),
        )
        name = fingerprint(encoder.name, str(encoder.dimensions), encoder.piece_name)
        return self._kept(f"{kind}-{name}", wanted)

    def _kept(self, name: str, wanted: _Wanted) -> Seen:
        path = self._folder / f"{name}.npz"
        stored = self._read(path) or {}
        seen = _seen(path, stored, wanted.widths) if stored else None
        is_whole = str(stored.get("whole", "")) == wanted.whole
        if seen is not None and is_whole and len(seen.lengths) == len(wanted.texts):
            return seen
        return self._filled_up(path, _by_key(stored, seen), wanted)

    def _filled_up(self, path: Path, known: dict[bytes, Seen], wanted: _Wanted) -> Seen:
        marks = [wanted.mark(text) for text in wanted.texts]
        keys = [hashlib.sha256(mark.encode("utf-8", "replace")).digest()[:_KEY_BYTES] for mark in marks]
        missing = [number for number, key in enumerate(keys) if key not in known]
        new = by_text(wanted.make([wanted.texts[number] for number in missing]))
        known |= {keys[number]: row for number, row in zip(missing, new, strict=True)}
        seen = together([known[key] for key in keys])
        arrays = {
            "whole": np.array(wanted.whole),
            "keys": np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), _KEY_BYTES),
            **{name: getattr(seen, name) for name in _FIELDS},
        }
        self._write(path, arrays)
        return seen

    def arrays(self, kind: str, key: str, make: Callable[[], Arrays]) -> Arrays:
        """Some arrays by content: read where the key fits, else made and written. One of a kind is kept."""
        path = self._folder / f"{kind}.npz"
        stored = self._read(path)
        if stored is not None and str(stored.pop("key", "")) == key:
            return {name: np.asarray(array, np.float32) for name, array in stored.items()}
        made = make()
        self._write(path, {**made, "key": np.array(key)})
        return made

    def mapped(self, kind: str, key: str, make: Callable[[], Stored]) -> Stored | None:
        """Like `arrays`, of any number type, and read from disk only where they are looked at: for what is
        too large to be read at each start. None where they can be kept nowhere."""
        folder = self._folder / f"{kind}-{key}"
        stored = _mapped(folder)
        if stored is None:
            self.forget(kind)  # it is damaged, or another version
            self._keep(folder, make())
            stored = _mapped(folder)
        return stored

    def forget(self, kind: str) -> None:
        """Remove what `mapped` has kept of a kind."""
        for folder in self._folder.glob(f"{kind}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _keep(self, folder: Path, arrays: Stored) -> None:
        """All of them or none: the folder has its name when everything in it is on the disk."""
        part = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(dir=self._folder, suffix=".part"))
            for name, array in arrays.items():
                with (part / f"{name}.npy").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())
            part.replace(folder)
        except OSError as error:
            if not folder.is_dir():  # where it is one, another process was quicker
                self._tell_unwritable(error)
        finally:
            if part is not None:
                shutil.rmtree(part, ignore_errors=True)

    def _tell_unwritable(self, error: OSError) -> None:
        """Once, not for everything that would have been kept."""
        if not self._is_told:
            self._is_told = True
            _log.warning(
                "the cache %s cannot be written, so each start takes longer: %s",
                self._folder,
                error.strerror or error,
            )

    def _read(self, path: Path) -> Stored | None:
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, EOFError, KeyError, AttributeError, zipfile.BadZipFile) as error:
            _log.warning("the cache %s is damaged and is made anew: %s", path, error)
            return None

    def _write(self, path: Path, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        part = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False) as file:
                part = Path(file.name)
                np.savez(file, allow_pickle=False, **arrays)
            part.replace(path)
        except OSError as error:
            self._tell_unwritable(error)
        finally:
            if part is not None:
                with contextlib.suppress(OSError):
                    part.unlink(missing_ok=True)


def _mapped(folder: Path) -> Stored | None:
    try:
        files = sorted(folder.glob("*.npy"))
        arrays = {file.stem: np.asarray(np.load(file, "r", allow_pickle=False)) for file in files}
    except (OSError, ValueError, EOFError) as error:
        _log.warning("the cache %s is damaged and is made anew: %s", folder, error)
        return None
    return arrays or None


def _by_key(stored: Stored, seen: Seen | None) -> dict[bytes, Seen]:
    """What is known of each text; nothing where the keys do not fit."""
    keys = stored.get("keys")
    if seen is None or keys is None or keys.shape != (len(seen.vectors), _KEY_BYTES):
        return {}
    return {key.tobytes(): row for key, row in zip(keys, by_text(seen), strict=True)}


def _seen(path: Path, stored: Stored, widths: tuple[int, int]) -> Seen | None:
    """None where it is not what it should be, or was kept by a version that knew of no pieces."""
    if "vectors" in stored and stored.keys().isdisjoint(_FIELDS[1:]):
        return None
    arrays = [stored.get(name) for name in _FIELDS]
    if all(array is not None for array in arrays):
        seen = Seen(*arrays)  # type: ignore[arg-type]
        if _is_sound(seen, widths):
            return seen
    _log.warning("the cache %s does not hold what it should and is made anew", path)
    return None


def _is_sound(seen: Seen, widths: tuple[int, int]) -> bool:
    texts, pieces = len(seen.lengths), int(seen.lengths.sum()) if seen.lengths.dtype == np.int64 else -1
    shapes = ((texts, widths[0]), (pieces, widths[1]), (pieces,), (texts,))
    types = (np.float32, np.int8, np.float32, np.int64)
    arrays = [getattr(seen, name) for name in _FIELDS]
    return (
        all(array.shape == shape for array, shape in zip(arrays, shapes, strict=True))
        and all(array.dtype == own for array, own in zip(arrays, types, strict=True))
        and bool(np.isfinite(seen.vectors).all() and np.isfinite(seen.weights).all())
        and bool((seen.lengths >= 0).all())
    )
