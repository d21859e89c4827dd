"""Long answers in pieces: where a sentence ends, and how much is said at a stretch."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.own_voice import said
from assistant.dialogue.portions import portions, seconds_to_say, sentences
from assistant.knowledge.library import read_folder

SENTENCES = [
    ("en", "We are open. Come in!", ["We are open.", "Come in!"]),
    ("en", "Really? Yes.", ["Really?", "Yes."]),
    ("en", 'He said "come." Then he left.', ['He said "come."', "Then he left."]),
    ("en", "Wait ... and see.", ["Wait ...", "and see."]),
    ("en", "It costs 4.95 euros at 2.14.", ["It costs 4.95 euros at 2.14."]),
    ("en", "Ask Mr. Jones or Dr. Smith on St. John Street.", None),
    ("en", "J. R. Smith is here.", None),
    ("en", "Take bus number 5. It stops here.", ["Take bus number 5.", "It stops here."]),
    (
        "en",
        "The answer is no. Keep that in mind. Thanks.",
        ["The answer is no.", "Keep that in mind.", "Thanks."],
    ),
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


FIVE_SECONDS = "This sentence takes a voice about five seconds to say, not much less and no more."
KOREAN = "이 문장을 읽으려면 오 초쯤 걸린다고 보시면 거의 맞아요."
JAPANESE = "この文を声に出して読むと、だいたい五秒くらいかかります。"


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (4, [4]), (5, [5]), (6, [3, 3]), (8, [4, 4]), (9, [3, 3, 3]), (12, [4, 4, 4]), (20, [4] * 5)],
)
@pytest.mark.parametrize("sentence", [FIVE_SECONDS, KOREAN], ids=["en", "ko"])
def test_a_long_answer_is_told_in_even_portions_that_a_listener_bears(
    sentence: str, count: int, sizes: list[int]
) -> None:
    told = portions(" ".join([sentence] * count), "en")
    assert [portion.count(sentence) for portion in told] == sizes


def test_a_script_without_spaces_is_cut_at_its_own_marks() -> None:
    told = portions(JAPANESE * 8, "ja")
    assert [portion.count("。") for portion in told] == [4, 4]


def test_a_last_short_sentence_is_no_portion_of_its_own() -> None:
    told = portions(" ".join([FIVE_SECONDS] * 8 + ["Goodbye."]), "en")
    assert len(told) == 2
    assert told[-1].endswith("Goodbye.")


def test_a_sentence_too_long_to_listen_to_is_parted_at_its_commas() -> None:
    endless = ", ".join(["and so it goes on and on without an end for ever"] * 20) + "."
    told = portions(endless, "en")
    assert len(told) > 2
    assert all(seconds_to_say(portion) < 26 for portion in told)
    assert all(portion.endswith((",", ".")) for portion in told)


def test_telephone_numbers_and_dates_are_not_torn_apart() -> None:
    dates = "Wir haben vom 24. bis zum 26. Dezember zu, z. B. am 25. Dezember um 10 Uhr."
    assert all(portion.count("Dezember") % 2 == 0 for portion in portions(" ".join([dates] * 9), "de"))


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_nothing_to_say_has_no_portions(text: str) -> None:
    assert portions(text, "de") == ()


def test_only_the_longest_answers_of_the_sample_base_are_parted() -> None:
    knowledge, _ = read_folder(Path(__file__).parents[1] / "knowledge", "de")
    told = {entry: portions(said(entry), entry.language) for entry in knowledge.entries if said(entry)}
    assert len(told) > 150
    assert all(
        3 < seconds_to_say(portion) < 27 for parts in told.values() if len(parts) > 1 for portion in parts
    )
