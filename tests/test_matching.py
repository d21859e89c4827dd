"""The matcher: which entry is meant, how sure it is, and what it must never answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import ModelError
from assistant.matching import lexical, training
from assistant.matching.deciding import decide, thresholds_for
from assistant.matching.evidence import WITNESSES, Evidence
from assistant.matching.heads import (
    Examples,
    LogisticOptions,
    discriminant_head,
    distances_apart,
    log_softmax,
    logistic_head,
    surroundings,
)
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.metric import Spread
from assistant.matching.ranking import SIGNS, Curve, Ranked, Weights, load_weights, pooled, signs, voted
from assistant.matching.terms import TermIndex, letter_bags, word_bags
from assistant.ports import Encoder, Seen
from assistant.values import (
    Candidate,
    Found,
    Knowledge,
    Ranking,
    Thresholds,
    Unknown,
    Unsure,
    Utterance,
    outcome,
)
from tests.fakes import base, entry

OPTIONS = MatcherOptions(Thresholds(answer_above=0.55, offer_above=0.3, margin=0.15))

DESK = base(
    entry("opening-hours", "en", "When are you open?", "What are your opening hours?", "Open on Sunday?"),
    entry("opening-hours", "de", "Wann haben Sie geöffnet?", "Wie sind Ihre Öffnungszeiten?"),
    entry("return-item", "en", "I want to return something", "How do I send an item back?", "make a return"),
    entry("return-item", "de", "Ich möchte etwas zurückgeben", "Wie gebe ich einen Artikel zurück?"),
    entry("delivery-time", "en", "How long does delivery take?", "When will my parcel arrive?", "shipping"),
    entry("delivery-time", "de", "Wie lange dauert die Lieferung?", "Wann kommt mein Paket an?"),
    entry("payment", "en", "How can I pay?", "Do you take credit cards?", "payment methods"),
    entry("payment", "de", "Wie kann ich bezahlen?", "Nehmen Sie Kreditkarten?"),
    entry("parking", "en", "Where can I park?", "Is there a car park nearby?", answer="In the yard."),
    entry("step-only", "en", answer="Reached by an arrow."),
)  # fmt: skip


@pytest.fixture(scope="module")
def matcher(encoder: Encoder) -> Matcher:
    return Matcher(DESK, encoder, OPTIONS)


@pytest.fixture(scope="module")
def plain_matcher() -> Matcher:
    return Matcher(DESK, None, OPTIONS)


# --- what is found ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "language"),
    [
        ("When are you open?", "opening-hours", "en"),
        ("WHEN ARE YOU OPEN", "opening-hours", "en"),
        ("what are the opening hours please", "opening-hours", "en"),
        ("wie sind die öffnungszeiten", "opening-hours", "de"),
        ("Wie sind Ihre Oeffnungszeiten", "opening-hours", "de"),
        ("can i pay by credit card", "payment", "en"),
        ("how long does the delivery take", "delivery-time", "en"),
        ("wann kommt das paket", "delivery-time", "de"),
        ("where can I park my car", "parking", "en"),
        ("wie gebe ich das zurück", "return-item", "de"),
    ],
)
def test_a_question_in_other_words_comes_first_at_its_entry(
    matcher: Matcher, text: str, name: str, language: str
) -> None:
    match = matcher.match(Utterance(text))
    assert match.ranking.candidates[0].entry == name
    assert not isinstance(match, Unknown)
    assert match.ranking.language == language


@pytest.mark.parametrize("kind", ["matcher", "plain_matcher"])
def test_every_question_of_the_base_wins_for_its_own_entry(kind: str, request: pytest.FixtureRequest) -> None:
    asked = [(each.name, question.text) for each in DESK.entries for question in each.questions]
    matches = request.getfixturevalue(kind).match_many([Utterance(text) for _, text in asked])
    assert [m.ranking.candidates[0].entry for m in matches] == [name for name, _ in asked]
    assert all(isinstance(match, Found | Unsure) for match in matches)


@pytest.mark.parametrize("has_encoder", [True, False])
def test_an_entry_of_hundreds_of_phrases_is_found_by_any_of_them(encoder: Encoder, has_encoder: bool) -> None:
    places = ["yard", "street", "garden", "harbour", "market", "station", "museum", "bridge", "tower", "park"]
    phrases = [
        f"Is there room for my {car} at the {place}?" for car in ("car", "van", "bike") for place in places
    ]
    knowledge = base(
        entry("parking", "en", *phrases), *(each for each in DESK.entries if each.name != "parking")
    )
    crowded = Matcher(knowledge, encoder if has_encoder else None, OPTIONS)
    for text in (phrases[0], phrases[14], phrases[-1]):
        match = crowded.match(Utterance(f"{text} please"))
        assert isinstance(match, Found)
        assert (match.best.entry, match.best.phrase) == ("parking", text)
        assert crowded.match(Utterance(text)).ranking.candidates[0].probability > 0.95  # word for word


def test_a_conversation_stays_in_its_language_where_the_letters_tell_little(matcher: Matcher) -> None:
    assert matcher.match(Utterance("per Paket"), "de").ranking.language == "de"
    assert matcher.match(Utterance("per Paket"), "en").ranking.language == "en"
    assert matcher.match(Utterance("Where is my parcel now?"), "de").ranking.language == "en"


def test_a_question_in_a_language_without_pages_finds_its_entry_by_meaning(matcher: Matcher) -> None:
    match = matcher.match(Utterance("À quelle heure ouvrez-vous le magasin ?"))
    assert match.ranking.candidates[0].entry == "opening-hours"


def test_one_by_one_and_many_at_once_give_the_same(matcher: Matcher) -> None:
    asked = [
        Utterance("when do you open"),
        Utterance("🙂"),
        Utterance("parking", also_heard=("barking", "park")),
    ]
    together = matcher.match_many(asked)
    alone = [matcher.match(utterance) for utterance in asked]
    assert [outcome(match) for match in together] == [outcome(match) for match in alone]
    for one, other in zip(together, alone, strict=True):
        assert [c.entry for c in one.ranking.candidates[:1]] == [
            c.entry for c in other.ranking.candidates[:1]
        ]


def test_a_step_without_questions_is_never_found(matcher: Matcher) -> None:
    named = {c.entry for c in matcher.match(Utterance("reached by an arrow")).ranking.candidates}
    assert "step-only" not in named


def test_at_least_three_candidates_are_named_best_first(matcher: Matcher) -> None:
    candidates = matcher.match(Utterance("hello there my friend")).ranking.candidates
    assert len(candidates) >= 3
    assert [c.probability for c in candidates] == sorted((c.probability for c in candidates), reverse=True)


def test_the_parts_of_the_witnesses_are_told(matcher: Matcher) -> None:
    best = matcher.match(Utterance("when will the parcel arrive")).ranking.candidates[0]
    assert [witness.name for witness in best.witnesses] == list(WITNESSES)
    assert sum(witness.part for witness in best.witnesses) != 0
    assert best.phrase == "When will my parcel arrive?"


# --- what is not -----------------------------------------------------------------------------

NEVER_CONFIDENT = [
    "", " ", "?!…", "🙂", "🙂🙂🙂", "\x00", "\u200b", "the", "is", "when", "what is the", "you", "äh",
    "ähm also", "hm hm", "und", "wie ist das", "wann", "bitte", "please", "aber ja doch", "uh um", "그거",
    "営業",
    "доставка", "营业时间", "ساعات العمل", "1", "12345", "....", "a", "x", "ding", "xyzzy",
]  # fmt: skip


@pytest.mark.parametrize("kind", ["matcher", "plain_matcher"])
@pytest.mark.parametrize("text", NEVER_CONFIDENT)
def test_what_says_nothing_is_never_answered_confidently(
    kind: str, text: str, request: pytest.FixtureRequest
) -> None:
    assert not isinstance(request.getfixturevalue(kind).match(Utterance(text)), Found)


@pytest.mark.parametrize(
    "text",
    [
        "what is the capital of france",
        "wer hat die Bundesliga gewonnen",
        "tell me a joke",
        "how tall is mount everest",
    ],
)
def test_what_no_page_answers_is_unknown(matcher: Matcher, text: str) -> None:
    assert isinstance(matcher.match(Utterance(text)), Unknown)


def test_a_listed_question_of_common_words_alone_is_still_answered(encoder: Encoder) -> None:
    who = base(
        entry("about", "en", "Who are you?", "What are you?"),
        entry("parking", "en", "Where can I park?", "car park"),
    )
    assert isinstance(Matcher(who, encoder, OPTIONS).match(Utterance("who are you")), Found)


@pytest.mark.parametrize("kind", ["matcher", "plain_matcher"])
@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=80), also=st.lists(st.text(max_size=20), max_size=3))
def test_no_text_whatever_makes_the_matcher_raise(
    kind: str, text: str, also: list[str], request: pytest.FixtureRequest
) -> None:
    match = request.getfixturevalue(kind).match(Utterance(text, also_heard=tuple(also)))
    assert all(0 <= candidate.probability <= 1 for candidate in match.ranking.candidates)


def test_a_very_long_text_is_cut_and_said_so(matcher: Matcher) -> None:
    match = matcher.match(Utterance("when are you open " * 10_000))
    assert match.ranking.notes
    assert match.ranking.candidates[0].entry == "opening-hours"


@pytest.mark.parametrize(
    "knowledge", [base(), base(entry("step", "en", answer="x"))], ids=["empty", "no question"]
)
def test_a_base_without_questions_answers_nothing_and_says_why(
    encoder: Encoder, knowledge: Knowledge
) -> None:
    match = Matcher(knowledge, encoder, OPTIONS).match(Utterance("hello"))
    assert isinstance(match, Unknown)
    assert match.reason


def test_a_base_of_one_question_works(encoder: Encoder) -> None:
    one = Matcher(base(entry("parking", "en", "Where can I park?")), encoder, OPTIONS)
    assert one.match(Utterance("Where can I park?")).ranking.candidates[0].entry == "parking"


# --- readings of the same sound --------------------------------------------------------------


def test_readings_that_agree_overtake_a_lone_first_reading(matcher: Matcher) -> None:
    alone = matcher.match(Utterance("where can i bark"))
    helped = matcher.match(
        Utterance("how can i bay", also_heard=("how can i pay", "can i pay", "how to pay"))
    )
    assert helped.ranking.candidates[0].entry == "payment"
    assert alone.ranking.candidates[0].entry == "parking"
    lone = matcher.match(Utterance("how can i bay"))
    own = {c.entry: c.probability for c in lone.ranking.candidates}
    assert helped.ranking.candidates[0].probability > own.get("payment", 0)


def test_other_readings_are_no_reason_to_doubt_a_question_that_stands_on_a_page(matcher: Matcher) -> None:
    heard = Utterance("where can i park", also_heard=("where can i thought", "how can i pay"))
    assert matcher.match(heard).ranking == matcher.match(Utterance("where can i park")).ranking


def reading(*entries: tuple[int, float], answerable: float = 1.0) -> Ranked:
    numbers = np.array([number for number, _ in entries])
    rows = np.zeros((len(entries), len(WITNESSES)), np.float32)
    return Ranked(numbers, np.array([p for _, p in entries], np.float32), numbers, rows, rows, answerable)


def test_votes_are_weighed_by_the_trust_in_each_reading() -> None:
    votes = voted([reading((1, 0.6), (2, 0.3)), reading((2, 0.9)), reading((2, 0.9))], [1, 1 / 2, 1 / 3])
    assert votes.entries.tolist() == [2, 1]
    weights = np.array([1, 1 / 2, 1 / 3]) / (1 + 1 / 2 + 1 / 3)
    assert votes.probabilities == pytest.approx([weights @ [0.3, 0.9, 0.9], weights @ [0.6, 0, 0]])


def test_a_guess_at_what_was_said_weighs_as_much_as_what_was_heard() -> None:
    votes = voted([reading((1, 0.9)), reading((2, 0.6), (1, 0.2))], [1, 1], guesses=1)
    assert votes.entries.tolist() == [1, 2]
    assert votes.probabilities == pytest.approx([(0.9 + 0.2) / 2, 0.6 / 2])


def test_a_guess_makes_it_no_likelier_that_any_page_is_meant() -> None:
    votes = voted([reading((1, 0.9), answerable=0.96), reading((2, 0.2), answerable=0.24)], [1, 1], guesses=1)
    assert votes.entries.tolist() == [1, 2]
    assert votes.answerable == pytest.approx(0.24)
    assert votes.probabilities == pytest.approx([0.9 / 2 * 0.24 / 0.6, 0.2 / 2 * 0.24 / 0.6])


def test_one_more_witness_changes_the_order_but_not_how_likely_all_are_together() -> None:
    witness = np.log(np.array([0.01, 0.03, 0.06, 0.9], np.float32))
    ranked = pooled(reading((1, 0.5), (3, 0.3)), witness, trust=0.5)
    assert ranked.entries.tolist() == [3, 1]
    odds = (0.3 / 0.5 * (0.9 / 0.03) ** 0.5) ** (1 / 1.5)
    assert ranked.probabilities == pytest.approx([0.8 * odds / (1 + odds), 0.8 / (1 + odds)])


def test_a_witness_that_says_the_same_makes_no_surer() -> None:
    before = reading((1, 0.5), (3, 0.3))
    same = np.log(np.array([0.1, 0.5, 0.1, 0.3], np.float32))
    assert pooled(before, same, trust=1).probabilities == pytest.approx(before.probabilities)


def test_a_witness_that_nobody_trusts_changes_nothing() -> None:
    before = reading((1, 0.5), (3, 0.3))
    other = np.log(np.array([0.1, 0.1, 0.1, 0.7], np.float32))
    assert pooled(before, other, trust=0).probabilities == pytest.approx(before.probabilities)


# --- deciding --------------------------------------------------------------------------------

THRESHOLDS = Thresholds(answer_above=0.6, offer_above=0.3, margin=0.2)


@pytest.mark.parametrize(
    ("probabilities", "doubt", "expected"),
    [
        ((0.9, 0.05), "", "found"),
        ((0.6, 0.1), "", "found"),
        ((0.9,), "", "found"),
        ((0.7, 0.6), "", "unsure"),
        ((0.59, 0.1), "", "unsure"),
        ((0.9, 0.05), "a doubt", "unsure"),
        ((0.3, 0.3), "", "unsure"),
        ((0.29, 0.1), "", "unknown"),
        ((0.1, 0.1), "a doubt", "unknown"),
        ((), "", "unknown"),
    ],
)
def test_probabilities_decide_with_a_reason(
    probabilities: Sequence[float], doubt: str, expected: str
) -> None:
    candidates = tuple(Candidate(f"e{n}", p, "en", "phrase") for n, p in enumerate(probabilities))
    match = decide(Ranking("text", None, candidates), THRESHOLDS, doubt)
    assert outcome(match) == expected
    assert match.reason


@pytest.mark.parametrize(("answerable", "expected"), [(0.3, "unsure"), (0.29, "unknown"), (0.0, "unknown")])
def test_a_choice_is_offered_where_a_page_may_well_answer_though_none_stands_out(
    answerable: float, expected: str
) -> None:
    candidates = tuple(Candidate(f"e{n}", 0.1, "en", "phrase") for n in range(3))
    match = decide(Ranking("text", None, candidates, answerable=answerable), THRESHOLDS)
    assert outcome(match) == expected


@pytest.mark.parametrize(
    ("first", "second", "answerable", "expected"),
    [
        (0.56, 0.02, 0.7, "found"),
        (0.55, 0.02, 0.7, "unsure"),
        (0.55, 0.02, 0.6, "found"),
        (0.59, 0.0, 0.599, "unsure"),
        (0.97, 0.9, 0.97, "unsure"),
    ],
)
def test_it_is_answered_where_a_page_is_likely_to_and_it_is_clear_which(
    first: float, second: float, answerable: float, expected: str
) -> None:
    candidates = (Candidate("e0", first, "en", "phrase"), Candidate("e1", second, "en", "phrase"))
    match = decide(Ranking("text", None, candidates, answerable=answerable), THRESHOLDS)
    assert outcome(match) == expected


@pytest.mark.parametrize(
    ("entries", "any_page", "first"),
    [(150, 0.6, 0.8), (80, 0.6, 0.8), (45, 0.667, 0.842), (20, 0.75, 0.889), (5, 0.75, 0.9), (0, 0.75, 0.9)],
)
def test_the_fewer_entries_a_base_has_the_surer_it_must_be_that_one_answers_and_which(
    entries: int, any_page: float, first: float
) -> None:
    usual = Thresholds(answer_above=0.6, first_above=0.8)
    found = thresholds_for(usual, entries)
    assert (found.answer_above, found.first_above) == pytest.approx((any_page, first), abs=0.001)
    assert replace(found, answer_above=0.6, first_above=0.8) == usual


@pytest.mark.parametrize("above", [0.0, 0.95, 1.0])
def test_a_small_base_is_no_less_careful_than_its_settings(above: float) -> None:
    assert thresholds_for(Thresholds(answer_above=above), 5).answer_above == above


def test_entries_lie_as_far_apart_as_their_means_for_how_phrases_vary() -> None:
    # One feature that varies by 1 within each of four entries, with means at 0, 2, 6 and 12.
    features = np.array([[at + side, 0.0] for at in (0, 2, 6, 12) for side in (-1, 1)], np.float32)
    spread = Spread.of(features, np.repeat(np.arange(4), 2), 4)
    apart = distances_apart(discriminant_head(spread), spread.means)
    squares = np.array([2, 2, 4, 6]) ** 2
    assert apart == pytest.approx(squares / np.median(squares), rel=1e-3)
    alone = Spread.of(features[:2], np.zeros(2, np.int64), 1)
    assert distances_apart(discriminant_head(alone), alone.means).tolist() == [1.0]


def test_at_most_three_are_offered_and_no_far_fetched_ones() -> None:
    candidates = tuple(Candidate(f"e{n}", p, "en", "phrase") for n, p in enumerate((0.5, 0.45, 0.4, 0.4)))
    match = decide(Ranking("text", None, candidates), THRESHOLDS)
    assert isinstance(match, Unsure)
    assert match.entries == ("e0", "e1", "e2")
    lone = decide(
        Ranking("text", None, (candidates[0], replace(candidates[1], probability=0.02))), THRESHOLDS
    )
    assert isinstance(lone, Unsure)
    assert lone.entries == ("e0",)


# --- the cache -------------------------------------------------------------------------------


class CountingEncoder:
    """The real encoder, counting what it is asked."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dimensions, self.asked = encoder.name, encoder.dimensions, 0
        self.piece_name, self.piece_dimensions = encoder.piece_name, encoder.piece_dimensions

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        self.asked += len(texts)
        return self._encoder.encode(texts)

    def pieces(self, text: str) -> Sequence[int]:
        return self._encoder.pieces(text)

    def expect(self, pieces: Sequence[int]) -> None:
        self._encoder.expect(pieces)

    def encode_focused(
        self, texts: Sequence[str], weigh: Callable[[Sequence[int]], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float32]:
        self.asked += len(texts)
        return self._encoder.encode_focused(texts, weigh)

    def see(self, texts: Sequence[str], weigh: Callable[[Sequence[int]], npt.NDArray[np.float32]]) -> Seen:
        self.asked += len(texts)
        return self._encoder.see(texts, weigh)


def test_a_second_start_encodes_nothing_again(encoder: Encoder, tmp_path: Path) -> None:
    options = replace(OPTIONS, cache_folder=tmp_path)
    first, second = CountingEncoder(encoder), CountingEncoder(encoder)
    before = Matcher(DESK, first, options).match(Utterance("when do you open"))
    after = Matcher(DESK, second, options).match(Utterance("when do you open"))
    assert first.asked > 40  # each question as written and as heard
    assert second.asked == 1
    assert type(after) is type(before) is Found
    pairs = zip(before.ranking.candidates, after.ranking.candidates, strict=True)
    for one, other in pairs:
        assert (other.entry, other.phrase) == (one.entry, one.phrase)
        assert other.probability == pytest.approx(one.probability, abs=1e-5)


def test_a_changed_page_encodes_only_what_reads_otherwise_now(encoder: Encoder, tmp_path: Path) -> None:
    options = replace(OPTIONS, cache_folder=tmp_path)
    Matcher(DESK, encoder, options)
    changed = base(*DESK.entries, entry("parking", "de", "Tiefgarage"))
    counting = CountingEncoder(encoder)
    match = Matcher(changed, counting, options).match(Utterance("Tiefgarage"))
    assert match.ranking.candidates[0].entry == "parking"
    # As written and as heard, the new one and those that share a piece of it; the question is known then.
    assert 2 <= counting.asked < 10


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"", lambda _: b"rubbish", lambda data: data[: len(data) // 2],
        lambda data: data[:-2000] + bytes(2000), lambda _: b"PK\x03\x04" + bytes(100),
    ],
    ids=["empty", "rubbish", "cut", "zeroed end", "not a zip"],
)  # fmt: skip
def test_a_broken_cache_is_rebuilt(
    damage: object, encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options = replace(OPTIONS, cache_folder=tmp_path)
    before = Matcher(DESK, encoder, options).match(Utterance("when do you open"))
    files = list(tmp_path.rglob("*.npz"))
    assert {file.name.partition("-")[0] for file in files} == {
        "elsewhere",
        "focus",
        "heads",
        "heard",
        "told",
        "written",
    }
    for file in files:
        file.write_bytes(damage(file.read_bytes()))  # type: ignore[operator]
    with caplog.at_level(logging.WARNING):
        again = Matcher(DESK, encoder, options).match(Utterance("when do you open"))
    assert again.ranking.candidates[0].entry == before.ranking.candidates[0].entry
    assert "made anew" in caplog.text
    counting = CountingEncoder(encoder)
    Matcher(DESK, counting, options)
    assert counting.asked == 0


def test_a_cache_that_cannot_be_written_costs_time_only_and_is_told_once(
    encoder: Encoder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    options = replace(OPTIONS, cache_folder=tmp_path / "file")
    assert isinstance(Matcher(DESK, encoder, options).match(Utterance("When are you open?")), Found)
    assert caplog.text.count("cannot be written") == 1


def test_a_cache_of_another_encoder_is_not_mixed_in(encoder: Encoder, tmp_path: Path) -> None:
    options = replace(OPTIONS, cache_folder=tmp_path)
    Matcher(DESK, encoder, options)
    other = CountingEncoder(encoder)
    other.name = "another encoder 1.0"
    Matcher(DESK, other, options)
    assert other.asked > 20


def test_a_question_written_otherwise_is_learned_anew(encoder: Encoder, tmp_path: Path) -> None:
    options = replace(OPTIONS, cache_folder=tmp_path)
    for question in ("WHERE can I park", "where can I park?"):
        desk = base(*islice(DESK.entries, 4), entry("parking", "en", question))
        fresh, cached = (Matcher(desk, encoder, each) for each in (OPTIONS, options))
        likely = [
            [candidate.probability for candidate in matcher.match(Utterance("to park")).ranking.candidates]
            for matcher in (fresh, cached)
        ]
        assert likely[0] == pytest.approx(likely[1], abs=1e-5)


def test_nothing_half_written_is_left(encoder: Encoder, tmp_path: Path) -> None:
    Matcher(DESK, encoder, replace(OPTIONS, cache_folder=tmp_path))
    assert {file.suffix for file in tmp_path.rglob("*") if file.is_file()} == {".npz"}


# --- without the encoder ---------------------------------------------------------------------


def test_without_the_encoder_it_works_on_and_says_so_once(plain_matcher: Matcher, matcher: Matcher) -> None:
    assert isinstance(plain_matcher.match(Utterance("What are your opening hours?")), Found)
    assert (
        plain_matcher.match(Utterance("opening hours on sunday")).ranking.candidates[0].entry
        == "opening-hours"
    )
    assert len(plain_matcher.notes) == 1
    assert not matcher.notes


# --- the learned weights ---------------------------------------------------------------------


@pytest.mark.parametrize("encoder_name", ["some encoder", None])
def test_the_shipped_weights_fit_the_evidence(encoder_name: str | None) -> None:
    weights = load_weights(encoder_name)
    assert len(weights.ranking) == len(WITNESSES)
    assert (weights.ranking >= 0).all()
    for belief in (weights.confidence, weights.answerable):
        assert len(belief.curves) == len(SIGNS)
        for curve in belief.curves:
            assert (np.diff(curve.at) > 0).all()
            assert (np.diff(curve.adds) >= 0).all()
    assert Weights.read(weights.written()).written() == weights.written()


@pytest.mark.parametrize(
    ("value", "added"),
    [(-1, 0.0), (0, 0.0), (0.25, 0.5), (0.5, 1.0), (0.75, 2.0), (1, 3.0), (7, 3.0)],
)
def test_a_sign_adds_what_its_curve_says_and_no_more_beyond_it(value: float, added: float) -> None:
    assert Curve((0.0, 0.5, 1.0), (0.0, 1.0, 3.0))(value) == pytest.approx(added)


def test_the_weights_were_learned_with_the_encoder_that_is_installed(encoder: Encoder) -> None:
    stored = json.loads(Path(lexical.__file__).with_name("weights.json").read_text(encoding="utf-8"))
    assert stored["encoder"] == encoder.name, "learn them again: python -m tests.bench.learn FOLDER"
    assert stored["sets"]


@pytest.mark.parametrize(
    ("part", "name"),
    [("ranking", "letters"), ("confidence", "ahead of elsewhere"), ("answerable", "known words")],
)
def test_weights_that_do_not_name_all_evidence_are_refused(part: str, name: str) -> None:
    written = load_weights("some encoder").written()
    del written[part][name]
    with pytest.raises(ModelError, match=name):
        Weights.read(written)


# --- word and letter statistics --------------------------------------------------------------


def test_the_same_text_has_a_cosine_of_one_and_a_stranger_of_zero() -> None:
    texts = ["when are you open", "where is my parcel", "배송 조회"]
    for bags in (letter_bags, word_bags):
        cosines = TermIndex(bags(texts)).ask(bags([*texts, "xyz", ""]))
        assert cosines[:3].diagonal() == pytest.approx([1, 1, 1], abs=1e-5)
        assert cosines[3:].max() == pytest.approx(0, abs=1e-6)


def test_cosines_agree_with_counting_by_hand() -> None:
    index = TermIndex(word_bags(["red shoes", "red hat"]))
    rare, common = np.log(3 / 2) + 1, np.log(3 / 3) + 1
    red_shoes = np.array([common, rare, rare])  # red, shoes, "red shoes"
    expected = common * common / (common * np.linalg.norm(red_shoes))
    assert index.ask(word_bags(["red"]))[0] == pytest.approx([expected, expected], abs=1e-5)


def test_runs_of_letters_stay_within_words_and_texts() -> None:
    bags = letter_bags(["ab", "b a"])
    assert (bags.texts == 0).sum() == 6  # " a", "ab", "b ", " ab", "ab ", " ab "
    assert (bags.texts == 1).sum() == 6  # " b", "b ", " b ", " a", "a ", " a "


# --- the heads -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["discriminant", "logistic"])
def test_a_head_learns_to_tell_clouds_apart(kind: str) -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(5, 20))
    entries = np.repeat(np.arange(5), 8)
    features = (centres[entries] + 0.3 * random.normal(size=(40, 20))).astype(np.float32)
    asked = (centres + 0.3 * random.normal(size=(5, 20))).astype(np.float32)
    head = (
        discriminant_head(Spread.of(features, entries, 5))
        if kind == "discriminant"
        else logistic_head(Examples(features, entries, np.ones(40, np.float32)), 5, LogisticOptions())
    )
    assert head.scores(asked).argmax(axis=1).tolist() == [0, 1, 2, 3, 4]
    assert np.exp(log_softmax(head.scores(asked))).sum(axis=1) == pytest.approx(np.ones(5), abs=1e-4)


def test_a_head_of_single_phrases_takes_the_nearest() -> None:
    features = np.eye(4, dtype=np.float32)
    head = discriminant_head(Spread.of(features, np.arange(4), 4))
    assert head.scores(features).argmax(axis=1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("phrases", [1, 8])
def test_a_text_is_nearer_to_its_entries_or_to_what_is_asked_elsewhere(phrases: int) -> None:
    random = np.random.default_rng(0)
    centres, elsewhere = random.normal(size=(5, 20)), random.normal(size=(30, 20)) - 4
    entries = np.repeat(np.arange(5), phrases)
    features = (centres[entries] + 0.3 * random.normal(size=(len(entries), 20))).astype(np.float32)
    others, pieces = elsewhere.astype(np.float32), np.zeros((0, 4), np.float32)
    spread = Spread.of(features, entries, 5)
    head = discriminant_head(spread)
    asked = np.vstack([centres, elsewhere]).astype(np.float32)
    nearer = surroundings(spread, head, others, pieces).nearer(asked, head.scores(asked))
    assert nearer[:5].min() > 1 > nearer[5:].max()


def test_how_far_a_text_has_come_from_elsewhere_agrees_with_reckoning_the_distances() -> None:
    random = np.random.default_rng(1)
    features, others = (random.normal(size=(n, 6)).astype(np.float32) for n in (40, 50))
    others -= 3
    entries = np.repeat(np.arange(5), 8)
    head = discriminant_head(Spread.of(features, entries, 5))
    means = np.array([features[entries == entry].mean(axis=0) for entry in range(5)])
    spread = features - means[entries]
    within = 0.1 * spread.T @ spread / 40 + 0.9 * np.eye(6) * (spread**2).mean()
    around = others - others.mean(axis=0)
    outside = 0.1 * around.T @ around / 50 + 0.9 * np.eye(6) * (around**2).mean()

    def squared(matrix: npt.NDArray[np.float64], rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        return np.asarray(np.einsum("...i,ij,...j->...", rows, np.linalg.inv(matrix), rows))

    def nearer(texts: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        nearest = np.array([squared(within, text - means).min() for text in texts])
        return squared(outside, texts - others.mean(axis=0)) - nearest

    asked = random.normal(size=(3, 6)).astype(np.float32)
    found = surroundings(Spread.of(features, entries, 5), head, others, np.zeros((0, 4), np.float32))
    expected = 1 - nearer(asked) / nearer(others).mean()  # 0 elsewhere, 1 where both are as near
    assert found.nearer(asked, head.scores(asked)) == pytest.approx(expected, rel=1e-3)
    assert found.nearer(others, head.scores(others)).mean() == pytest.approx(0, abs=1e-4)


def test_of_pieces_that_are_much_alike_one_stands_for_all() -> None:
    random = np.random.default_rng(2)
    rows = random.normal(size=(4, 30))
    rows = (127 * rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    pieces = np.vstack([rows, rows + 1, rows[:2]])
    features = random.normal(size=(8, 6)).astype(np.float32)
    spread = Spread.of(features, np.arange(8) // 2, 4)
    found = surroundings(spread, discriminant_head(spread), features - 2, pieces)
    assert np.array_equal(found.pieces, rows.T)


@pytest.mark.parametrize("phrases", [1, 2])
def test_a_base_that_somebody_has_just_begun_answers_its_questions_in_other_words(
    encoder: Encoder, phrases: int
) -> None:
    asked = {
        "opening-hours": (["When are you open?", "What are your opening hours?"], "when do you open"),
        "parking": (["Where can I park my car?", "Is there a car park?"], "a place for my car park"),
        "voucher": (["Where can I buy a gift voucher?", "gift card"], "I want to buy a gift voucher"),
        "returns": (["Can I return an item?", "How do I send it back?"], "may I return an item I bought"),
    }
    few = base(*(entry(name, "en", *texts[:phrases]) for name, (texts, _) in asked.items()))
    matcher = Matcher(few, encoder, MatcherOptions())
    found = {name: matcher.match(Utterance(text)) for name, (_, text) in asked.items()}
    assert [name for name, match in found.items() if isinstance(match, Found)] == list(asked)
    strange = matcher.match(Utterance("will it rain in the mountains tomorrow"))
    assert isinstance(strange, Unknown)


@pytest.mark.parametrize(
    ("shares", "expected"), [([0.0], 12.0), ([0.0, -1.0, -3.0], 1.0), ([0.0, -50.0], 12.0)]
)
def test_how_far_the_first_entry_is_ahead_of_the_second(shares: list[float], expected: float) -> None:
    nothing = np.zeros(len(shares), np.float32)
    evidence = Evidence(
        entries=np.arange(len(shares)),
        values=np.outer(shares, np.eye(len(WITNESSES))[0]).astype(np.float32),
        phrases=np.arange(len(shares)),
        verbatim=nothing.astype(bool),
        standing_out=nothing,
        trained_scores=nothing,
        ahead_of_elsewhere=nothing,
        word_by_word_elsewhere=None,
        nearer_than_elsewhere=1.0,
        apart=nothing,
        known_words=1.0,
        size=len(shares),
    )
    measured = signs(evidence, np.eye(len(WITNESSES), dtype=np.float32)[0])
    assert measured[SIGNS.index("ahead of the second")] == pytest.approx(expected)


def test_a_base_of_very_many_entries_is_trained_without_the_logistic_head(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "_BUDGET_FLOPS", 1.0)
    for each in (encoder, None):
        match = Matcher(DESK, each, OPTIONS).match(Utterance("What are your opening hours?"))
        assert match.ranking.candidates[0].entry == "opening-hours"
