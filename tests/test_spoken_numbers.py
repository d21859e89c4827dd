"""Numbers are said as a person says them."""

from __future__ import annotations

import pytest

from assistant.matching.spoken_numbers import as_said


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("30 Tage", "de", "dreißig Tage"),
        ("in 24 hours", "en", "in twenty-four hours"),
        ("bus 145", "en", "bus one hundred forty-five"),
        ("the A380", "en-GB", "the A three hundred eighty"),
        ("Bus 145", "de", "Bus hundertfünfundvierzig"),
        ("1000 €", "de", "tausend €"),
        ("seit 1989", "de", "seit neunzehnhundertneunundachtzig"),
        ("since 1989", "en", "since nineteen eighty-nine"),
        ("2500 €", "de", "zweitausendfünfhundert €"),
        ("0800 5", "en", "zero eight zero zero five"),
        ("order 1234567", "en", "order one two three four five six seven"),
        ("24시간", "ko", "이십사 시간"),
        ("٣ days", "en", "three days"),
        ("5", "nb", "fem"),
        pytest.param("not one", "en", "not one", id="no number"),
        pytest.param("x²", "en", "x²", id="not a number that is said"),
        pytest.param("", "en", "", id="nothing"),
        pytest.param("30 Täg", "gsw", "30 Täg", id="a language whose numbers nobody has written down"),
        pytest.param("1989", "zu", "1989", id="a number without a word"),
        pytest.param("30", "x-1", "30", id="no language"),
        pytest.param("30", None, "30", id="an unknown language"),
    ],
)
def test_each_number_is_said_in_words(text: str, language: str | None, said: str) -> None:
    assert " ".join(as_said(text, language).split()) == said
