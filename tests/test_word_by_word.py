"""Word by word: what each piece of a question means where it stands, and whether an entry has its like."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from assistant.matching import semantic_pieces
from assistant.matching.cache import Cache
from assistant.matching.elsewhere import asked_elsewhere
from assistant.matching.evidence import Phrases, Texts, word_by_word_elsewhere
from assistant.matching.focus import FocusedEncoder, focused
from assistant.matching.heads import Surroundings
from assistant.matching.seen import by_text, together
from assistant.matching.semantic import UniversalEncoder
from assistant.matching.semantic_pieces import DIMENSIONS, DIRECTIONS_FILE, written_directions
from assistant.matching.text import fold
from assistant.matching.training import Lesson, train
from assistant.ports import Encoder

SHOP = {
    "card-block": ("How do I block my card?", "Please freeze my card"),
    "card-order": ("How do I order a new card?", "I need another card"),
    "parking": ("Where can I park my car?", "Gibt es Parkplätze?"),
    "opening": ("When are you open on Sunday?", "Are you open today?"),
}
NAMES = list(SHOP)
ENTRIES = np.repeat(np.arange(len(SHOP)), 2)
TEXTS = [text for texts in SHOP.values() for text in texts]


def ones(pieces: Sequence[int]) -> npt.NDArray[np.float32]:
    return np.ones(len(pieces), np.float32)


@pytest.fixture(scope="module")
def shop_encoder(encoder: Encoder) -> FocusedEncoder:
    return focused(encoder, TEXTS, ENTRIES, None)


@pytest.fixture(scope="module")
def shop(shop_encoder: FocusedEncoder) -> Phrases:
    written = Texts.of([fold(text) for text in TEXTS], shop_encoder.see(TEXTS))
    return Phrases(written, ENTRIES)


@pytest.fixture(scope="module")
def shop_surroundings(shop: Phrases, shop_encoder: FocusedEncoder) -> Surroundings | None:
    others = asked_elsewhere(["en"])
    encode, see = lambda texts, _: shop_encoder.encode(texts), lambda texts, _: shop_encoder.see(texts)
    lesson = Lesson(shop, TEXTS, encode, see, (), others)
    return train(lesson, None, "").surroundings


ALL = np.arange(len(TEXTS)).reshape(len(SHOP), -1)  # the phrases of every entry


def likeness(shop: Phrases, encoder: FocusedEncoder, text: str) -> list[float]:
    return shop.word_by_word(encoder.see([text]), ALL).tolist()


# --- what is seen ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [*TEXTS[:2], "", "😀", "\ud800", "a\0b", "Wo? " * 300, "카드를 잃어버렸어요"], ids=range(8)
)
def test_every_piece_of_a_text_is_seen(encoder: Encoder, text: str) -> None:
    seen = encoder.see([text], ones)
    assert seen.lengths.tolist() == [len(encoder.pieces(text))]
    assert seen.pieces.shape == (len(encoder.pieces(text)), encoder.piece_dimensions)
    assert np.linalg.norm(seen.pieces.astype(float), axis=1) == pytest.approx(127, abs=1.5)
    assert seen.vectors == pytest.approx(encoder.encode_focused([text], ones))


def test_a_text_is_seen_alike_alone_and_among_others(encoder: Encoder) -> None:
    many = TEXTS * 20  # more than the encoder reads at once
    for text, among in zip(many, by_text(encoder.see(many, ones)), strict=True):
        alone = encoder.see([text], ones)
        assert np.abs(alone.pieces.astype(int) - among.pieces).max() <= 1  # of 127: rounded otherwise
        assert alone.lengths.tolist() == among.lengths.tolist()


def test_a_word_is_seen_with_its_neighbours(encoder: Encoder) -> None:
    def block(text: str) -> npt.NDArray[np.float64]:
        return encoder.see([text], ones).pieces[-3].astype(float) / 127  # before "it" and the end

    plainly, again, denied = map(block, ("block it", "block it", "do not block it"))
    assert plainly @ again > 0.99
    assert 0.9 < plainly @ denied < 0.985


def test_no_text_has_no_pieces(encoder: Encoder) -> None:
    nothing = encoder.see([], ones)
    assert nothing.pieces.shape == (0, encoder.piece_dimensions)
    assert nothing.vectors.shape == (0, 2 * encoder.dimensions)
    assert by_text(nothing) == []


def test_what_was_taken_apart_is_put_together_again(encoder: Encoder) -> None:
    seen = encoder.see(TEXTS, ones)
    again = together(by_text(seen))
    for name in ("vectors", "pieces", "weights", "lengths"):
        assert np.array_equal(getattr(again, name), getattr(seen, name))


# --- the witness -----------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "text"), list(enumerate(TEXTS)), ids=TEXTS)
def test_every_word_of_a_phrase_stands_in_its_entry(
    shop: Phrases, shop_encoder: FocusedEncoder, number: int, text: str
) -> None:
    found = likeness(shop, shop_encoder, text)
    assert found[ENTRIES[number]] == pytest.approx(1, abs=0.02)
    assert np.argmax(found) == ENTRIES[number]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("I want to block it", "card-block"),
        ("can you freeze a card", "card-block"),
        ("order a new one", "card-order"),
        ("Wo kann ich mein Auto parken?", "parking"),
        ("Haben Sie am Sonntag auf?", "opening"),
        ("is it open on sundays", "opening"),
    ],
)
def test_the_entry_with_the_like_of_every_word_comes_first(
    shop: Phrases, shop_encoder: FocusedEncoder, text: str, name: str
) -> None:
    assert NAMES[int(np.argmax(likeness(shop, shop_encoder, text)))] == name


def test_only_the_phrases_that_are_asked_about_are_measured(
    shop: Phrases, shop_encoder: FocusedEncoder
) -> None:
    every = likeness(shop, shop_encoder, "new card please")
    seen = shop_encoder.see(["new card please"])
    assert shop.word_by_word(seen, ALL[[1, 3]]).tolist() == pytest.approx([every[1], every[3]])
    one, other = (shop.word_by_word(seen, ALL[:, [place]]) for place in (0, 1))
    assert (np.maximum(one, other) <= np.array(every) + 1e-6).all()
    uneven = np.array([[0, -1], [3, 2]])  # the first entry with its first phrase alone
    assert shop.word_by_word(seen, uneven).tolist() == pytest.approx([one[0], every[1]])


def ahead(shop: Phrases, shop_encoder: FocusedEncoder, around: Surroundings | None, text: str) -> float:
    elsewhere = word_by_word_elsewhere(around, shop_encoder.see([text]))
    assert elsewhere is not None
    return max(likeness(shop, shop_encoder, text)) - elsewhere


def test_what_is_asked_elsewhere_has_more_of_other_questions(
    shop: Phrases, shop_encoder: FocusedEncoder, shop_surroundings: Surroundings | None
) -> None:
    assert min(ahead(shop, shop_encoder, shop_surroundings, text) for text in TEXTS) > 0
    others = asked_elsewhere(["en"])[:20]
    assert max(ahead(shop, shop_encoder, shop_surroundings, text) for text in others) < 0


def test_without_an_encoder_there_is_nothing_to_measure() -> None:
    plain = Phrases(Texts.of(["red shoes", "blue hat"], None), np.array([0, 1]))
    assert plain.word_by_word(None, np.array([[0], [1]])).tolist() == [0, 0]
    assert word_by_word_elsewhere(None, None) is None
    assert plain.seen_of(0) is None


# --- kept on disk ----------------------------------------------------------------------------


def test_what_was_seen_is_kept_and_only_new_texts_are_asked(
    shop_encoder: FocusedEncoder, tmp_path: Path
) -> None:
    seen = Cache(tmp_path).seen(shop_encoder, TEXTS, "written")
    kept = Cache(tmp_path).seen(shop_encoder, TEXTS, "written")
    turned = Cache(tmp_path).seen(shop_encoder, [*TEXTS[::-1], "a new one"], "written")
    for row, again, other in zip(by_text(seen), by_text(kept), by_text(turned)[-2::-1], strict=True):
        for each in (again, other):
            assert np.array_equal(each.pieces, row.pieces)
            assert np.array_equal(each.vectors, row.vectors)
    assert turned.lengths[-1] == shop_encoder.see(["a new one"]).lengths[0]


DAMAGES: dict[str, Callable[[dict[str, npt.NDArray[np.generic]]], object]] = {
    "pieces missing": lambda kept: kept.pop("pieces"),
    "pieces cut": lambda kept: kept.update(pieces=kept["pieces"][:-1]),
    "pieces of another width": lambda kept: kept.update(pieces=kept["pieces"][:, :-1]),
    "pieces of another kind": lambda kept: kept.update(pieces=kept["pieces"].astype(np.float32)),
    "lengths that are no numbers": lambda kept: kept.update(lengths=kept["lengths"].astype("U8")),
    "a length below zero": lambda kept: kept.update(
        lengths=kept["lengths"] + np.r_[-100, 100, np.zeros(len(TEXTS) - 2, np.int64)]
    ),
    "a weight that is no number": lambda kept: kept.update(weights=kept["weights"] * np.float32(np.nan)),
    "vectors cut": lambda kept: kept.update(vectors=kept["vectors"][:-1]),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_is_kept_and_does_not_fit_is_made_anew(
    damage: Callable[[dict[str, npt.NDArray[np.generic]]], object],
    shop_encoder: FocusedEncoder,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Cache(tmp_path).seen(shop_encoder, TEXTS, "written")
    (file,) = tmp_path.glob("*.npz")
    with np.load(file) as stored:
        arrays = dict(stored)
    damage(arrays)
    np.savez(file, allow_pickle=False, **arrays)
    again = Cache(tmp_path).seen(shop_encoder, TEXTS, "written")
    assert np.array_equal(again.pieces, seen.pieces)
    assert "made anew" in caplog.text


def test_what_a_version_kept_that_knew_no_pieces_is_made_anew_without_a_word(
    shop_encoder: FocusedEncoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vectors = Cache(tmp_path).vectors(shop_encoder, TEXTS, "heard")
    (file,) = tmp_path.glob("*.npz")
    with np.load(file) as stored:
        np.savez(file, **{name: stored[name] for name in ("whole", "keys", "vectors")}, allow_pickle=False)
    assert np.array_equal(Cache(tmp_path).vectors(shop_encoder, TEXTS, "heard"), vectors)
    assert not caplog.text


# --- the directions that are shipped ---------------------------------------------------------


def stored_directions() -> dict[str, str]:
    file = Path(semantic_pieces.__file__).with_name(DIRECTIONS_FILE)
    stored: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return stored


def test_the_directions_were_learned_with_the_encoder_that_is_installed(encoder: Encoder) -> None:
    assert stored_directions()["encoder"] == encoder.name, "learn them again: python -m tests.bench.pieces"


def test_the_directions_are_those_in_which_the_pieces_differ_most() -> None:
    encoder = UniversalEncoder()
    read = encoder.read_at_pieces(asked_elsewhere(()))
    written = json.loads(written_directions(read, encoder.name, stored_directions()["made by"]))
    assert written.keys() == stored_directions().keys()
    shipped, learned = (
        np.frombuffer(base64.b64decode(each["directions"]), "<f2").astype(float).reshape(-1, DIMENSIONS)
        for each in (stored_directions(), written)
    )
    # A direction may point either way.
    lengths = np.linalg.norm(shipped, axis=0) * np.linalg.norm(learned, axis=0)
    alike = np.abs((shipped * learned).sum(axis=0)) / lengths
    assert alike[:32] == pytest.approx(1, abs=0.01)
