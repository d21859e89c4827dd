"""What the encoder sees at one word piece, made short enough to be kept for every piece of a base.

The 768 numbers that tell of a piece among its neighbours are first read as the encoder reads their sum, as
512; of those, the directions in which the pieces of everyday questions differ most are kept, the widest of
them damped. That told the entries of BANKING77 and CLINC150 apart as well as twice as many directions did,
better than directions of what is seen itself, and better than what is known of the piece alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

DIRECTIONS_FILE = "piece_directions.json"
DIMENSIONS = 128  # 256 tell no more, 64 a little less
_ALONE = 512  # so many of the numbers at a piece come first, and tell of it without its neighbours
_DAMPING = 0.125  # power of a direction's variance that it is divided by
_LENGTH = 127  # of a row in 8 bits


@dataclass(frozen=True, slots=True)
class PieceSense:
    """From what is seen at a piece to a short row; cosines of rows say how alike two pieces are used."""

    name: str  # of the directions
    directions: Floats  # shape (768, dimensions)
    middle: Floats  # shape (dimensions,): where the mean of all pieces lies

    @property
    def dimensions(self) -> int:
        return int(self.directions.shape[1])

    def of(self, seen: Floats) -> npt.NDArray[np.int8]:
        """Shape (pieces, dimensions), rows of length 127; `seen` has shape (pieces, 1280)."""
        rows = seen[:, _ALONE:] @ self.directions - self.middle
        rows *= _LENGTH / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return np.asarray(np.rint(rows), np.int8)


def open_piece_sense(reading: Floats) -> PieceSense:
    """With the directions as shipped; `reading` is what the encoder reads the sum with, (1280, 512)."""
    file = resources.files("assistant.matching").joinpath(DIRECTIONS_FILE)
    text = file.read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    mean, directions = (_numbers(stored[name]) for name in ("mean", "directions"))
    short = directions.reshape(-1, DIMENSIONS)
    name = hashlib.sha256(text.encode()).hexdigest()
    return PieceSense(
        name, np.asarray(reading[_ALONE:] @ short, np.float32), np.asarray(mean @ short, np.float32)
    )


def read_among_neighbours(seen: Floats, reading: Floats) -> Floats:
    """What the encoder reads of some pieces beside what it knows of them alone, shape (pieces, 512)."""
    return np.asarray(seen[:, _ALONE:] @ reading[_ALONE:], np.float32)


def written_directions(read: Floats, encoder: str, made_by: str) -> str:
    """The text of the file that is shipped, from what the encoder of that name reads at many pieces, a row
    of 512 each: their principal components."""
    mean = read.mean(axis=0)
    variances, components = np.linalg.eigh(np.cov(read.T))
    widest = np.argsort(-variances)[:DIMENSIONS]
    directions = components[:, widest] / variances[widest] ** _DAMPING
    stored = {"made by": made_by, "encoder": encoder, "mean": _text(mean), "directions": _text(directions)}
    return json.dumps(stored, indent=2) + "\n"


def _numbers(text: str) -> Floats:
    return np.frombuffer(base64.b64decode(text), "<f2").astype(np.float32)


def _text(numbers: npt.NDArray[np.floating[Any]]) -> str:
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode()
