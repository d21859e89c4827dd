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
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Arrays = dict[str, Floats]
Stored = dict[str, npt.NDArray[np.generic]]

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

    def encode(self, texts: Sequence[str]) -> Floats: ...

    def mark(self, text: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The vectors of these texts, under that name."""

    encoder: Marking
    texts: tuple[str, ...]
    whole: str


class Cache:
    """The cached vectors and trained heads of one base."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def vectors(self, encoder: Marking, texts: Sequence[str], kind: str) -> Floats:
        """Like `encoder.encode`, asking the encoder only for the texts of that kind that are not on disk."""
        # Another version may have kept vectors of another length under the same encoder's name.
        path = self._folder / f"{kind}-{fingerprint(encoder.name, str(encoder.dimensions))}.npz"
        shape = (len(texts), encoder.dimensions)
        whole = fingerprint(encoder.base, *texts)
        stored = self._read(path) or {}
        vectors = stored.get("vectors")
        if str(stored.get("whole", "")) == whole and _fit(path, vectors, shape):
            return np.asarray(vectors, np.float32)
        return self._filled_up(path, stored, _Wanted(encoder, tuple(texts), whole))

    def _filled_up(self, path: Path, stored: Stored, wanted: _Wanted) -> Floats:
        encoder, texts = wanted.encoder, wanted.texts
        known = _by_key(path, stored, encoder.dimensions)
        marks = [encoder.mark(text) for text in texts]
        keys = [hashlib.sha256(mark.encode("utf-8", "replace")).digest()[:_KEY_BYTES] for mark in marks]
        missing = [number for number, key in enumerate(keys) if key not in known]
        new = encoder.encode([texts[number] for number in missing])
        known |= {keys[number]: vector for number, vector in zip(missing, new, strict=True)}
        vectors = np.array([known[key] for key in keys], np.float32).reshape(len(texts), encoder.dimensions)
        table = np.frombuffer(b"".join(keys), np.uint8).reshape(len(keys), _KEY_BYTES)
        self._write(path, {"whole": np.array(wanted.whole), "keys": table, "vectors": vectors})
        return vectors

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
                _log.warning("the cache %s cannot be written: %s", folder, error)
        finally:
            if part is not None:
                shutil.rmtree(part, ignore_errors=True)

    def _read(self, path: Path) -> Stored | None:
        try:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except FileNotFoundError:
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
            _log.warning("the cache %s cannot be written: %s", path, error)
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


def _by_key(path: Path, stored: Stored, dimensions: int) -> dict[bytes, Floats]:
    keys, vectors = stored.get("keys"), stored.get("vectors")
    if keys is None or vectors is None or not _fit(path, vectors, (len(keys), dimensions)):
        return {}
    if keys.shape != (len(vectors), _KEY_BYTES):
        return {}
    rows = np.asarray(vectors, np.float32)
    return {key.tobytes(): vector for key, vector in zip(keys, rows, strict=True)}


def _fit(path: Path, vectors: npt.NDArray[np.generic] | None, shape: tuple[int, int]) -> bool:
    right_form = vectors is not None and vectors.shape == shape and vectors.dtype == np.float32
    if right_form and np.isfinite(np.asarray(vectors, np.float32)).all():
        return True
    _log.warning("the cache %s does not hold what it should and is made anew", path)
    return False
