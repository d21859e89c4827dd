"""What people ask elsewhere, and what a base learns from it."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from assistant.matching.base import Base, Wording
from assistant.matching.elsewhere import asked_elsewhere
from assistant.matching.evidence import WITNESSES, gather
from assistant.matching.text import fold
from assistant.ports import Encoder

LISTED = tomllib.loads(resources.files("assistant.matching").joinpath("elsewhere.toml").read_text("utf-8"))
SMALL_TALK = tomllib.loads(Path(__file__).with_name("bench").joinpath("small_talk.toml").read_text("utf-8"))
WEATHER = "will it rain in bremen tomorrow"


def _base(encoder: Encoder | None, *asked: str, language: str = "en") -> Base:
    """Every two questions are an entry."""
    wordings = [Wording(f"e{n // 2}", language, text, fold(text)) for n, text in enumerate(asked)]
    return Base(wordings, encoder, None)


def _ahead(base: Base, text: str) -> float:
    """Log-odds of the best entry against what is asked elsewhere."""
    evidence = gather(base.phrases, base.heads, base.prepared([text]))[0]
    return float(evidence.ahead_of_elsewhere.max())


SHOP = ("When are you open?", "What are your hours?", "Can I pay by card?", "Do you take cash?")


@pytest.mark.parametrize("language", ["de", "en"])
def test_every_topic_has_questions_of_its_own_in_both_languages(language: str) -> None:
    texts = [text for topic in LISTED.values() for text in topic[language]]
    assert all(len(topic[language]) >= 10 for topic in LISTED.values())
    assert len({fold(text) for text in texts}) == len(texts)
    assert asked_elsewhere([language]) == tuple(texts)


@pytest.mark.parametrize("language", ["de", "en"])
def test_none_of_them_is_a_stranger_of_the_sets_that_the_weights_are_learned_on(language: str) -> None:
    strangers = {fold(text) for text in SMALL_TALK[language]}
    assert strangers.isdisjoint(map(fold, asked_elsewhere([language])))


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (["de"], ["de"]),
        (["de-AT", "ko"], ["de"]),
        (["ko"], ["de", "en"]),
        (["en", "de"], ["de", "en"]),
        ([], ["de", "en"]),
    ],
)
def test_a_base_learns_from_its_own_languages_and_from_all_where_none_is_listed(
    languages: list[str], expected: list[str]
) -> None:
    assert asked_elsewhere(languages) == tuple(
        text for language in expected for topic in LISTED.values() for text in topic[language]
    )


@pytest.mark.parametrize("with_encoder", [True, False])
def test_what_nobody_asks_here_is_nearer_to_elsewhere_than_a_question_of_the_base(
    encoder: Encoder, with_encoder: bool
) -> None:
    base = _base(encoder if with_encoder else None, *SHOP)
    assert _ahead(base, "when do you open") > _ahead(base, WEATHER) + 0.3


def test_what_is_asked_here_is_not_learned_as_asked_elsewhere(encoder: Encoder) -> None:
    topic = LISTED["weather"]["en"]
    of_the_weather = _base(encoder, *topic)
    assert all(_ahead(of_the_weather, text) > 0 for text in topic)
    assert _ahead(of_the_weather, WEATHER) > _ahead(_base(encoder, *SHOP), WEATHER)


def test_entries_are_ranked_among_themselves_whatever_is_asked_elsewhere(encoder: Encoder) -> None:
    base = _base(encoder, *SHOP)
    values = gather(base.phrases, base.heads, base.prepared([WEATHER]))[0].values
    assert np.exp(values[:, WITNESSES.index("trained on everything")]).sum() == pytest.approx(1, abs=1e-4)


def test_a_base_in_a_language_without_a_list_learns_from_it_all_the_same(encoder: Encoder) -> None:
    asked = ("¿Cuándo abren?", "¿Qué horario tienen?", "¿Puedo pagar con tarjeta?", "¿Aceptan efectivo?")
    base = _base(encoder, *asked, language="es")
    assert _ahead(base, "a qué hora abren") > _ahead(base, "va a llover mañana en Bremen") + 0.5
