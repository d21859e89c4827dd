"""What many tests share: the real encoder, loaded once, and a real Whisper model."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from tests.whisper_base import MISSING, put_together

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return open_encoder()


@pytest.fixture(scope="session")
def whisper_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real Whisper model; without its packages the tests that want it are skipped."""
    folder = tmp_path_factory.mktemp("whisper-base")
    if not put_together(folder):
        pytest.skip(MISSING)
    return folder
