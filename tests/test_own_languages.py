"""Which of the base's languages somebody writes in, whatever was spoken before."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.knowledge.library import read_folder
from assistant.matching.base import wordings_of
from assistant.matching.evidence import Texts
from assistant.matching.own_languages import OwnLanguages
from assistant.matching.text import fold
from assistant.values import primary_language

REPOSITORY = Path(__file__).parents[1]

CASES = [  # spoken so far, what is asked then, the language that is; None: not plain
    (None, "When are you open?", "en"),
    (None, "Wann haben Sie geöffnet?", "de"),
    (None, "언제 열어요?", "ko"),
    ("en", "Wann habt ihr geöffnet?", "de"),
    ("en", "ist das parken kostenlos", "de"),
    ("en", "wo finde ich die umkleiden", "de"),
    ("en", "AS 접수", "ko"),
    ("en", "배송 status", "ko"),
    ("en", "what does 접수 mean", "en"),
    ("de", "how much is delivery", "en"),
    ("de", "what does a voucher cost", "en"),
    ("de", "AS 접수", "ko"),
    ("ko", "where is my parcel", "en"),
    ("ko", "kann ich mit karte zahlen", "de"),
    ("de", "Newsletter", "de"),
    ("en", "Newsletter", "en"),
    ("de", "Haben Sie Gift Cards?", "de"),
    ("en", "is the Parkhaus Rathaus open", "en"),
]


@pytest.fixture(scope="module")
def languages() -> OwnLanguages:
    """Those of the sample base."""
    wordings = wordings_of(read_folder(REPOSITORY / "knowledge", "de")[0])
    return OwnLanguages([one.folded for one in wordings], [one.language for one in wordings])


@pytest.mark.parametrize(("spoken", "asked", "told"), CASES)
def test_a_language_is_known_in_the_middle_of_a_conversation_in_another_one(
    languages: OwnLanguages, spoken: str | None, asked: str, told: str | None
) -> None:
    assert languages.of(Texts.of([fold(asked)], None), spoken) == [told]


def test_a_base_in_one_language_is_asked_in_it() -> None:
    languages = OwnLanguages(["wann habt ihr auf"], ["de"])
    assert languages.of(Texts.of(["when are you open", ""], None)) == ["de", "de"]


def test_nothing_that_was_asked_is_in_no_language() -> None:
    languages = OwnLanguages(["wann habt ihr auf", "when are you open"], ["de", "en"])
    assert languages.of(Texts.of([], None)) == []
    assert languages.of(Texts.of([""], None)) == [None]


def test_two_kinds_of_one_language_are_told_apart_by_their_words_alone() -> None:
    languages = OwnLanguages(["wo ist die kasse", "wo ist die kassa"] * 5, ["de", "de-AT"] * 5)
    assert languages.of(Texts.of(["wo ist die kassa"], None), "de-AT") == ["de-AT"]


@pytest.mark.parametrize("tag", ["de", "de-AT", "DE_at", "de-Latn-DE-1996"])
def test_whoever_speaks_a_language_speaks_it_in_every_country(tag: str) -> None:
    assert primary_language(tag) == "de"
