"""What many tests share: the real encoder, loaded once, and a real Whisper model."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.matching.cache import Cache
from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from tests.whisper_base import MISSING, put_together

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def kept_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which the encoder is kept unpacked: 80 MB that not every test should write."""
    folder = tmp_path_factory.mktemp("kept")
    open_encoder(Cache(folder))
    return folder


@pytest.fixture(scope="session")
def encoder(kept_encoder: Path) -> Encoder:
    return open_encoder(Cache(kept_encoder))


@pytest.fixture
def cache_with_encoder(kept_encoder: Path, tmp_path: Path) -> Path:
    """A cache folder of this test's own that holds nothing else."""
    folder = tmp_path / "cache-with-encoder"
    folder.mkdir()
    for kept in kept_encoder.iterdir():
        (folder / kept.name).symlink_to(kept, target_is_directory=True)
    return folder


@pytest.fixture(scope="session")
def whisper_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real Whisper model; without its packages the tests that want it are skipped."""
    folder = tmp_path_factory.mktemp("whisper-base")
    if not put_together(folder):
        pytest.skip(MISSING)
    return folder
