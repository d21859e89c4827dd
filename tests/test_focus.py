"""A second vector of a text, in which the words that are rare in a base count more."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from assistant.matching import semantic
from assistant.matching.focus import Focus, FocusedEncoder
from assistant.ports import Encoder

BANK = (
    "How do I block my card?",
    "Where is my card?",
    "My card is broken",
    "How do I order a new card?",
    "How high is the limit of my card?",
)
ENTRIES = np.arange(len(BANK))


@pytest.fixture(scope="module")
def focus(encoder: Encoder) -> Focus:
    return Focus.of(map(encoder.pieces, BANK), ENTRIES)


@pytest.mark.parametrize(
    "text", [*BANK, "", "😀", "\ud800", "Wo? " * 300, "카드를 잃어버렸어요"], ids=range(10)
)
def test_the_first_half_is_the_vector_of_the_library(encoder: Encoder, focus: Focus, text: str) -> None:
    plain, focused = np.split(encoder.encode_focused([text], focus.weigh)[0], 2)
    assert plain == pytest.approx(encoder.encode([text])[0], abs=1e-5)
    assert np.linalg.norm(focused) == pytest.approx(1, abs=1e-5)


def test_pieces_that_weigh_alike_give_the_same_vector_twice(encoder: Encoder) -> None:
    plain, focused = np.split(encoder.encode_focused(BANK, lambda pieces: np.ones(len(pieces))), 2, axis=1)
    assert focused == pytest.approx(plain, abs=1e-5)


def test_together_and_alone_a_text_has_the_same_vectors(encoder: Encoder, focus: Focus) -> None:
    together = encoder.encode_focused(BANK * 20, focus.weigh)
    alone = encoder.encode_focused(BANK[2:3], focus.weigh)
    assert together[2::5] == pytest.approx(np.repeat(alone, 20, axis=0), abs=1e-4)


@pytest.mark.parametrize(
    ("remembered", "expected"),
    [
        pytest.param(1, 0, id="none at all"),
        pytest.param(12, 0, id="few"),
        pytest.param(30, 28, id="the expected ones and hardly any other"),
        pytest.param(12, 100, id="fewer than are expected"),
        pytest.param(2_000, 1_500, id="all"),
    ],
)
def test_what_is_remembered_of_pieces_changes_no_vector(
    encoder: Encoder, focus: Focus, monkeypatch: pytest.MonkeyPatch, remembered: int, expected: int
) -> None:
    monkeypatch.setattr(semantic, "_PIECES_REMEMBERED", remembered)
    monkeypatch.setattr(semantic, "_PIECES_EXPECTED", expected)
    forgetful = semantic.UniversalEncoder()
    forgetful.expect(focus.commonest_first)
    texts = [*BANK, *reversed(BANK), " ".join(BANK), "카드를 잃어버렸어요"] * 5
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda text: forgetful.encode_focused([text], focus.weigh)[0], texts))
    expected = [encoder.encode_focused([text], focus.weigh)[0] for text in texts]
    assert np.array(found) == pytest.approx(np.array(expected), abs=1e-5)


def test_no_text_has_no_vectors(encoder: Encoder, focus: Focus) -> None:
    assert encoder.encode_focused([], focus.weigh).shape == (0, 2 * encoder.dimensions)


def test_what_tells_the_entries_apart_counts_more(encoder: Encoder, focus: Focus) -> None:
    asked, topic, shared = encoder.encode_focused(["block my card", "block", "my card"], focus.weigh)
    plain, focused = slice(0, encoder.dimensions), slice(encoder.dimensions, None)
    assert asked[focused] @ topic[focused] > asked[plain] @ topic[plain]
    assert asked[focused] @ shared[focused] < asked[plain] @ shared[plain]


def test_the_fewer_entries_hold_a_piece_the_more_it_counts() -> None:
    focus = Focus.of([[1, 2, 3], [1, 2], [1], [1]], np.array([0, 1, 2, 2]))
    assert focus.weights[1] == 1  # in all of them
    assert focus.weights[1] < focus.weights[2] < focus.weights[3] < focus.unknown


def test_the_weights_of_a_text_are_one_on_average(focus: Focus, encoder: Encoder) -> None:
    assert focus.weigh(encoder.pieces("block my card at once")).mean() == pytest.approx(1)


def test_one_more_entry_leaves_most_texts_as_they_are(encoder: Encoder) -> None:
    many = [f"{phrase} Case {number}" for number in range(40) for phrase in BANK]
    before, after = (
        FocusedEncoder(encoder, Focus.of(map(encoder.pieces, texts), np.arange(len(texts))))
        for texts in (many, [*many, "Do you lend bicycles?"])
    )
    same = [before.mark(text) == after.mark(text) for text in many]
    assert np.mean(same) > 0.5
