"""The encoder's model, kept unpacked on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.matching.cache import Cache
from assistant.matching.semantic import UniversalEncoder
from assistant.ports import Encoder

TEXTS = [
    "Wann haben Sie geöffnet?",
    "주차장이 있나요?",
    "",
    "a\u0000b",
    "ＦＵＬＬ width",
    "x" * 900,
    "🙂 naïve ﬁnd",
]


def _ones(pieces):  # type: ignore[no-untyped-def]
    return np.ones(len(pieces), np.float32)


@pytest.fixture(scope="module")
def from_the_library() -> UniversalEncoder:
    return UniversalEncoder()


@pytest.fixture
def own_copy(kept_encoder: Path, tmp_path: Path) -> Iterator[Path]:
    yield Path(shutil.copytree(kept_encoder, tmp_path / "kept"))
    shutil.rmtree(tmp_path / "kept")  # 80 MB


def _is_like(encoder: Encoder, from_the_library: UniversalEncoder) -> bool:
    assert encoder.name == from_the_library.name
    assert [encoder.pieces(text) for text in TEXTS] == [from_the_library.pieces(text) for text in TEXTS]
    assert encoder.encode(TEXTS) == pytest.approx(from_the_library.encode(TEXTS), abs=1e-6)
    both = (each.encode_focused(TEXTS, _ones) for each in (encoder, from_the_library))
    return bool(np.allclose(*both, atol=1e-6))


def test_what_was_kept_gives_the_same_vectors(kept_encoder: Path, from_the_library: UniversalEncoder) -> None:
    kept = UniversalEncoder(Cache(kept_encoder))
    assert _is_like(kept, from_the_library)
    words = ("haus", "house", "qzxv")
    assert [kept.frequency(word) for word in words] == [from_the_library.frequency(word) for word in words]


@pytest.mark.parametrize(
    "text",
    [
        *(*TEXTS, " ", "  two  spaces ", "a\tb\nc", "\u200b", "\u200b x", "x \u0308y", "ͺ ¨ x", "\ud800"),
        *("﷽ x", "日本 語"),
    ],
    ids=ascii,
)
def test_word_by_word_a_text_has_the_pieces_that_the_library_finds(
    from_the_library: UniversalEncoder, text: str
) -> None:
    safe = text.encode("utf-8", "replace").decode("utf-8")
    assert from_the_library.pieces(text) == from_the_library._tokenizer.encode(safe, out_type=int)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1000])


def _zeroed(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:128] + bytes(file.stat().st_size - 128))


@pytest.mark.parametrize("damage", [_cut, _zeroed, Path.unlink, lambda file: file.write_bytes(b"")])
@pytest.mark.parametrize("name", ["table", "cnn_W", "places", "pieces", "numbers", "trie"])
def test_what_is_damaged_on_disk_is_made_anew_and_harms_nobody(
    own_copy: Path, name: str, damage: Callable[[Path], None], from_the_library: UniversalEncoder
) -> None:
    damage(next(own_copy.rglob(f"{name}.npy")))
    assert _is_like(UniversalEncoder(Cache(own_copy)), from_the_library)
    assert _is_like(UniversalEncoder(Cache(own_copy)), from_the_library)
    assert next(own_copy.rglob(f"{name}.npy")).stat().st_size > 128


def test_another_version_is_forgotten_and_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "encoder-of-last-year").mkdir()
    UniversalEncoder(Cache(tmp_path))
    assert [folder.name.partition("-")[0] for folder in tmp_path.iterdir()] == ["encoder"]
    assert not (tmp_path / "encoder-of-last-year").exists()


def test_where_nothing_can_be_kept_the_encoder_works_all_the_same(
    tmp_path: Path, from_the_library: UniversalEncoder
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert _is_like(UniversalEncoder(Cache(tmp_path / "file")), from_the_library)
