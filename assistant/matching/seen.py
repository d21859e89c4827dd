"""What an encoder has seen in some texts, taken apart by text and put together again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from assistant.ports import Seen


def wholes(vectors: npt.NDArray[np.float32]) -> Seen:
    """Of texts of which nothing but the vectors is known."""
    nothing, lengths = np.zeros((0, 0), np.int8), np.zeros(len(vectors), np.int64)
    return Seen(vectors, nothing, np.zeros(0, np.float32), lengths)


def by_text(seen: Seen) -> list[Seen]:
    """Each text by itself."""
    ends = np.cumsum(seen.lengths)
    return [one_text(seen, number, ends) for number in range(len(seen.lengths))]


def one_text(seen: Seen, number: int, ends: npt.NDArray[np.int64]) -> Seen:
    """The text of that number; `ends` are the sums of the lengths so far."""
    own = slice(int(ends[number] - seen.lengths[number]), int(ends[number]))
    this = slice(number, number + 1)
    return Seen(seen.vectors[this], seen.pieces[own], seen.weights[own], seen.lengths[this])


def together(rows: Sequence[Seen]) -> Seen:
    """Several in one, in that order; at least one."""
    if len(rows) == 1:
        return rows[0]
    parts = zip(*((row.vectors, row.pieces, row.weights, row.lengths) for row in rows), strict=True)
    return Seen(*(np.concatenate(part) for part in parts))
