"""What is suggested while a customer types."""

from __future__ import annotations

import pytest
from fakes import SHOP, base, entry

from assistant.matching.suggesting import Suggesting
from assistant.values import Knowledge, Page

PAGES = base(
    entry("hours", "en", "When are you open?", "opening hours", "Are you open on Sundays?"),
    entry("parking", "en", "Where can I park?", "parking nearby"),
    entry("voucher", "en", "Where can I buy a gift voucher?"),
    entry("hours", "de", "Wann habt ihr geöffnet?", "Öffnungszeiten"),
    entry("delivery", "ko", "배송비가 얼마예요?", "배송 조회"),
)


@pytest.mark.parametrize(
    ("typed", "language", "expected"),
    [
        ("whe", "en", ["Where can I park?", "When are you open?", "Where can I buy a gift voucher?"]),
        ("WHEN are", "en", ["When are you open?"]),
        ("whenare", "en", ["When are you open?"]),
        ("open sun", "en", ["Are you open on Sundays?"]),
        ("gift vou", "en", ["Where can I buy a gift voucher?"]),
        ("parkng", "en", ["parking nearby"]),
        ("gitf voucehr", "en", ["Where can I buy a gift voucher?"]),
        ("öff", "de", ["Öffnungszeiten"]),
        ("oeffnung", "de", ["Öffnungszeiten"]),
        ("wann hapt", "de", ["Wann habt ihr geöffnet?"]),
        ("배소", "ko", ["배송 조회"]),  # on the way to 배송
        ("배송비", "ko", ["배송비가 얼마예요?"]),
        ("zebra", "en", []),
        ("", "en", []),
        ("?!", "en", []),
        ("when", "fr", []),
        ("when are you open " * 10, "en", []),
    ],
)
def test_what_is_typed_leads_to_questions_of_the_pages(
    typed: str, language: str, expected: list[str]
) -> None:
    assert list(Suggesting(PAGES).suggest(typed, language, 5)) == expected


def test_no_more_are_suggested_than_wanted() -> None:
    assert len(Suggesting(PAGES).suggest("w", "en", 2)) == 2


def test_what_is_said_to_the_assistant_itself_is_not_suggested() -> None:
    own = Page("en/_assistant.md", "en", "Own", (entry("goodbye", "en", "When I leave: goodbye"),))
    both = Knowledge.of("", "en", (*SHOP.pages, own))
    assert Suggesting(both).suggest("when", "en", 5) == ("When are you open?",)
