"""What tells the entries of a base apart counts more than what varies whatever is asked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from assistant.matching.evidence import Phrases, Texts
from assistant.matching.heads import Examples, LogisticOptions, log_softmax, logistic_head
from assistant.matching.metric import Spread, evened, metric_of, stretched
from assistant.matching.text import fold
from assistant.ports import Encoder

ENTRIES = np.repeat(np.arange(10), 20)


def _asked(seed: int = 0) -> npt.NDArray[np.float32]:
    """The first of six directions only tells in what way one asks, the second what is asked."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(10, 6)) * [0.1, 4, 1, 1, 1, 1]
    ways_of_asking = random.normal(size=(200, 6)) * [5, 1, 1, 1, 1, 0.2]
    return np.asarray(centres[ENTRIES] + ways_of_asking, np.float32)


def test_features_evened_vary_alike_within_entries_and_keep_their_length() -> None:
    features = _asked()
    even = features @ evened(Spread.of(features, ENTRIES, 10, shrinkage=0.1))

    def unevenness(rows: npt.NDArray[np.float32]) -> float:
        means = np.array([rows[entry == ENTRIES].mean(axis=0) for entry in range(10)])
        spread = np.linalg.svd(rows - means[ENTRIES], compute_uv=False)
        return float(spread[0] / spread[-1])

    assert unevenness(even) < unevenness(features) / 3
    assert np.linalg.norm(even) == pytest.approx(np.linalg.norm(features), rel=1e-4)


def test_features_stretched_vary_more_where_the_entries_lie_apart_and_keep_their_length() -> None:
    features = _asked()
    spread = Spread.of(features, ENTRIES, 10)
    stretch = stretched(spread)
    longer = np.linalg.norm(stretch.matrix, axis=1)
    assert longer.argmax() == 1
    assert longer[1] > 1.2 * longer[0]
    assert np.linalg.norm(features @ stretch.matrix) == pytest.approx(np.linalg.norm(features), rel=1e-4)
    assert stretch.matrix @ stretch.matrix @ stretch.inverse_square == pytest.approx(np.eye(6), abs=1e-4)


def test_of_single_phrases_nothing_tells_the_entries_apart() -> None:
    metric = metric_of(_asked(), np.arange(200), 200)
    assert metric.stretch is None
    assert metric.matrix == pytest.approx(evened(Spread.of(_asked(), np.arange(200), 200)))


def test_a_spread_seen_through_a_matrix_is_that_of_the_features_multiplied_with_it() -> None:
    features, matrix = _asked(), np.asarray(np.random.default_rng(1).normal(size=(6, 6)), np.float32)
    whole = Spread.of(features, ENTRIES, 10, shrinkage=0.0).through(matrix)
    again = Spread.of(features @ matrix, ENTRIES, 10, shrinkage=0.0)
    assert whole.means == pytest.approx(again.means, rel=1e-3, abs=1e-3)
    assert whole.moment == pytest.approx(again.moment, rel=1e-3, abs=1)


def _base() -> Examples:
    """As many entries with as many phrases as a small base has, in vectors of length one."""
    random = np.random.default_rng(0)
    entries = np.repeat(np.arange(40), 5)
    rows = random.normal(size=(40, 60))[entries] + 0.7 * random.normal(size=(200, 60))
    features = np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
    return Examples(features, entries, np.ones(200, np.float32))


def _loss(examples: Examples, iterations: int, stride: float) -> float:
    """Of a head trained so, with its penalty."""
    options = LogisticOptions(iterations=iterations, stride=stride)
    head = logistic_head(examples, 40, options)
    logs = log_softmax(head.scores(examples.features))[np.arange(200), examples.entries]
    return float(-logs.sum() + (head.weights**2).sum() / (2 * options.strength))


def test_longer_steps_learn_as_much_in_fewer_rounds() -> None:
    assert _loss(_base(), 20, 10.0) < _loss(_base(), 60, 1.0)


@pytest.mark.parametrize("stride", [100.0, 10_000.0])
def test_steps_that_are_far_too_long_are_taken_back(stride: float) -> None:
    assert _loss(_base(), 100, stride) < 1.01 * _loss(_base(), 500, 1.0)


@pytest.mark.parametrize("rounds", range(1, 12))
def test_who_stops_where_a_step_was_taken_back_keeps_what_was_learned_before(rounds: int) -> None:
    untrained = 200 * np.log(40)
    assert _loss(_base(), 2 * rounds, 1_000_000.0) <= untrained * 1.001


@pytest.mark.parametrize(("phrases", "more"), [(1, 0), (2, 128)])
def test_sums_of_pieces_are_learned_where_entries_have_several_phrases(
    encoder: Encoder, phrases: int, more: int
) -> None:
    asked = ["when are you open", "opening hours", "can I pay by card", "do you take cash"]
    seen = encoder.see(asked, lambda pieces: np.ones(len(pieces), np.float32))
    texts = Texts.of([fold(text) for text in asked], seen)
    base = Phrases(texts, np.arange(4) // phrases)
    assert base.vector_feature_count == 2 * encoder.dimensions + more
    assert base.all_features(texts, base.vector_features(texts)).shape == (4, base.feature_count)
