"""Long answers in pieces: where a sentence ends, and how much is said at a stretch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.portions import portions, sentences

SENTENCES = [
    ("en", "We are open. Come in!", ["We are open.", "Come in!"]),
    ("en", "Really? Yes.", ["Really?", "Yes."]),
    ("en", 'He said "come." Then he left.', ['He said "come."', "Then he left."]),
    ("en", "Wait ... and see.", ["Wait ...", "and see."]),
    ("en", "It costs 4.95 euros at 2.14.", ["It costs 4.95 euros at 2.14."]),
    ("en", "Ask Mr. Jones or Dr. Smith on St. John Street.", None),
    ("en", "J. R. Smith is here.", None),
    ("en", "Take bus number 5. It stops here.", ["Take bus number 5.", "It stops here."]),
    ("en", "no full stop", ["no full stop"]),
    (
        "de",
        "Wir haben am 24. Dezember geschlossen. Danke.",
        ["Wir haben am 24. Dezember geschlossen.", "Danke."],
    ),
    ("de", "Obst, z. B. Äpfel, bzw. Birnen ca. 3 Kilo.", None),
    ("de", "Er kam 2026. Dann ging er.", ["Er kam 2026.", "Dann ging er."]),
    ("de", "Wir wohnen im 3. Stock.", None),
    ("ko", "안녕하세요. 무엇을 도와드릴까요?", ["안녕하세요.", "무엇을 도와드릴까요?"]),
    ("ja", "こんにちは。お元気ですか？はい。", ["こんにちは。", "お元気ですか？", "はい。"]),
    ("zh", "你好！请进。", ["你好！", "请进。"]),
    ("en", "", []),
    ("en", "  ", []),
]


@pytest.mark.parametrize(("language", "text", "parted"), SENTENCES)
def test_sentences_end_where_a_reader_would_pause(language: str, text: str, parted: list[str] | None) -> None:
    assert list(sentences(text, language)) == ([text] if parted is None else parted)


@given(st.text(alphabet='ab1. !?。,:\n\t "가', max_size=200), st.sampled_from(["de", "en", "ko", ""]))
def test_no_word_is_lost_in_sentences_or_portions(text: str, language: str) -> None:
    letters = "".join(text.split())
    assert "".join("".join(sentences(text, language)).split()) == letters
    assert "".join("".join(portions(text, language)).split()) == letters
