"""What many tests share: the real encoder, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return open_encoder()
