"""Products as numpy works them out for a question."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.matching.arithmetic import times


@pytest.mark.parametrize("rows", [0, 1, 2, 10, 24, 25])
@pytest.mark.parametrize("shape", [(1280, 512), (128, 2700), (1, 1), (3, 100_000)], ids=str)
def test_a_product_in_parts_is_the_product(rows: int, shape: tuple[int, int]) -> None:
    draw = np.random.default_rng(0)
    few = draw.normal(size=(rows, shape[0])).astype(np.float32)
    matrix = draw.normal(size=shape).astype(np.float32)
    product = times(few, matrix)
    assert product.dtype == np.float32
    assert product == pytest.approx(few @ matrix, abs=1e-3)
