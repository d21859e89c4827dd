"""How numpy calculates here: with one thread, and without copies.

The products of a question are small. Two threads that wait for each other on a busy machine took six
times as long as one, and a kiosk's other core is busy hearing.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float32]

_FEW_ROWS = 24  # as a question has pieces
_SMALL_PRODUCT = 1_000_000  # multiplications: for larger ones OpenBLAS copies the matrix before it begins


@cache
def one_thread() -> None:
    """Keep numpy's linear algebra to one thread, for the whole process and for good."""
    threadpool_limits(limits=1, user_api="blas")


def times(rows: Floats, matrix: Floats) -> Floats:
    """The product; of few rows as a sum of small ones, for which the matrix is read once and not copied.

    Two rows times 1,280 x 512 numbers took half as long so, and ten rows three quarters of the time.
    """
    step = max(1, _SMALL_PRODUCT // max(len(rows) * matrix.shape[1], 1))
    if len(rows) > _FEW_ROWS or step >= len(matrix):
        return np.asarray(rows @ matrix, np.float32)
    product = rows[:, :step] @ matrix[:step]
    for start in range(step, len(matrix), step):
        product += rows[:, start : start + step] @ matrix[start : start + step]
    return np.asarray(product, np.float32)
