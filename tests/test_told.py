"""What an answer tells a base beside its questions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant.matching.heads import Examples, LogisticOptions, logistic_head
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.ranking import Weights, load_weights
from assistant.matching.told import told
from assistant.ports import Encoder
from assistant.values import Knowledge, Thresholds, Utterance
from tests.fakes import base, entry

OPTIONS = MatcherOptions(Thresholds(answer_above=0.74, offer_above=0.3, margin=0.15))


@pytest.mark.parametrize(
    ("answer", "sentences"),
    [
        ("We open at nine. On Sundays we rest.", ("We open at nine.", "On Sundays we rest.")),
        ("Yes. You may bring your dog.", ("You may bring your dog.",)),
        ("The **lift** is [by the door](https://a.example/b).", ("The lift is by the door.",)),
        ("![A map of the yard](map.svg)\nPark in the yard.", ("Park in the yard.",)),
        ("- take the receipt\n- come to us", ("take the receipt", "come to us")),
        ("1. Press start\n2. Wait a while", ("Press start", "Wait a while")),
        ("## How to pay\n> By card only", ("How to pay", "By card only")),
        ("Das kostet ca. 5 Euro. Kommen Sie!", ("Das kostet ca. 5 Euro.", "Kommen Sie!")),
        ("One of us. Two of us. Three of us. Four of us.", ("One of us.", "Two of us.", "Three of us.")),
        ("", ()),
        ("![](only-a-picture.png)", ()),
    ],
)
def test_an_answer_tells_its_first_sentences_as_plain_text(answer: str, sentences: tuple[str, ...]) -> None:
    assert told(answer) == sentences


def test_a_very_long_sentence_is_cut() -> None:
    (only,) = told("word " * 1000)
    assert len(only) == 300


def _shop(answer: str) -> Knowledge:
    return base(
        entry("opening-hours", "en", "When are you open?", "What are your opening hours?"),
        entry("disposal", "en", "What happens to my old things?", "Do you take things?", answer=answer),
        entry("delivery", "en", "How long does delivery take?", "When will my parcel arrive?"),
        entry("payment", "en", "How can I pay?", "Do you take credit cards?"),
    )


@pytest.mark.parametrize("has_encoder", [True, False], ids=["with encoder", "without encoder"])
def test_a_question_in_words_of_the_answer_alone_is_likelier_at_its_entry(
    encoder: Encoder, has_encoder: bool
) -> None:
    asked = Utterance("a mattress to the recycling yard")
    before, after = (
        Matcher(_shop(answer), encoder if has_encoder else None, OPTIONS).match(asked).ranking.candidates
        for answer in ("We do.", "We bring your mattress and your sofa to the recycling yard.")
    )
    assert after[0].entry == "disposal"
    shares = [{each.entry: each.probability for each in found}["disposal"] for found in (before, after)]
    assert shares[1] > shares[0]


@pytest.mark.parametrize("has_encoder", [True, False], ids=["with encoder", "without encoder"])
def test_a_sentence_about_the_matter_of_other_entries_teaches_nothing(
    encoder: Encoder, has_encoder: bool
) -> None:
    asked = Utterance("credit cards and parcel")
    before, after = (
        Matcher(_shop(answer), encoder if has_encoder else None, OPTIONS).match(asked).ranking.candidates
        for answer in ("", "When your parcel will arrive, pay the delivery by credit cards.")
    )
    shares = [{each.entry: each.probability for each in found} for found in (before, after)]
    assert shares[0] == pytest.approx(shares[1])


def test_weights_that_were_learned_without_answers_are_used_without_them(encoder: Encoder) -> None:
    asked = Utterance("a mattress to the recycling yard")
    weights = replace(load_weights(encoder.name), reads_answers=False)
    matchers = [
        Matcher(_shop(answer), encoder, OPTIONS, weights)
        for answer in ("We do.", "We bring your mattress and your sofa to the recycling yard.")
    ]
    before, after = (matcher.match(asked).ranking.candidates for matcher in matchers)
    assert before == after


def test_weights_tell_whether_they_were_learned_with_answers(encoder: Encoder) -> None:
    weights = load_weights(encoder.name)
    assert weights.reads_answers
    assert Weights.read(weights.written()).reads_answers
    assert not Weights.read(replace(weights, reads_answers=False).written()).reads_answers
    before_answers = {name: value for name, value in weights.written().items() if name != "reads answers"}
    assert not Weights.read(before_answers).reads_answers


def test_an_example_of_importance_two_counts_like_two_examples() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(30, 8)).astype(np.float32)
    entries = np.arange(30) % 3
    counts = np.where(np.arange(30) < 10, 2, 1).astype(np.float32)
    twice = np.r_[np.arange(30), np.arange(10)]
    once = np.ones(len(twice), np.float32)
    weighed = logistic_head(Examples(features, entries, counts), 3, LogisticOptions())
    repeated = logistic_head(Examples(features[twice], entries[twice], once), 3, LogisticOptions())
    assert weighed.weights == pytest.approx(repeated.weights, abs=1e-3)
    assert weighed.bias == pytest.approx(repeated.bias, abs=1e-3)
