"""The spoken form: what a voice says for a text written for the screen."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.own_voice import said
from assistant.dialogue.spoken_form import spoken_form
from assistant.knowledge.library import read_folder
from assistant.values import Entry, Place

CASES = [
    # marks
    ("We are **open** _every_ day.", "We are open every day."),
    ("# Opening hours\n\nEvery day", "Opening hours. Every day."),
    ("Type `PIN` and ***wait***", "Type PIN and wait."),
    ("```\nfirst\nsecond\n```", "first. second."),
    ("a *lone star and snake_case", "a lone star and snake case."),
    ("> quoted", "quoted."),
    ("above\n\n---\n\nbelow", "above. below."),
    (r"5\* hotel", "5 hotel."),
    ("C# stays, #1 stays", "C# stays, #1 stays."),
    # links
    ("See [our site](https://shop.example/a_b?c=d).", "See our site."),
    ("See <https://www.shop.example/deep/path>.", "See shop.example."),
    ("See https://www.shop.example/deep?q=1. Then call.", "See shop.example. Then call."),
    ("Write to <service@shop.example>", "Write to service@shop.example."),
    # pictures
    ("Come in.\n\n![The entrance](../media/door.jpg)", "Come in."),
    ("Press ![the gear](gear.png) twice", "Press the gear twice."),
    ("[![map](map.png)](https://x.example)\n\nHere.", "Here."),
    ("![The way to the shop](map.png)", "The way to the shop."),
    # lists and tables
    ("Bring:\n\n- the receipt\n- your **card**\n  - or a copy", "Bring: the receipt. your card. or a copy."),
    ("1. Open it.\n2. Look!", "Open it. Look!"),
    ("- [ ] not done\n- [x] done", "not done. done."),
    (
        "| Day | Hours |\n|---|---|\n| Monday | 9 to 5 |\n| Sunday | closed |",
        "Monday: 9 to 5. Sunday: closed.",
    ),
    (
        "| | small | large |\n|---|---|---|\n| Tea | 2 € | 3 € |\n| Water | | 1 € |",
        "Tea: small 2 €, large 3 €. Water: large 1 €.",
    ),
    # breaks
    ("Rose Street 1\\\nBerlin  \nGermany", "Rose Street 1, Berlin, Germany."),
    ("one\ntwo", "one two."),
    ("one<br>two", "one, two."),
    # HTML and entities
    ("Fish &amp; chips", "Fish & chips."),
    ("<b>bold</b> and <!-- hidden --> plain", "bold and plain."),
    ("<div>block <br> two</div>", "block, two."),
    ("fewer than 3 < 5", "fewer than 3 < 5."),
    # signs
    ("Hello 👋🏽! 🇩🇪", "Hello!"),
    ("1️⃣ first", "1 first."),
    ("Settings → Account -> Save", "Settings, Account, Save."),
    ("20 °C, © us", "20 °C, © us."),
    ("Now ~~20 €~~ 15 €", "Now 15 €."),
    # ends of sentences
    ("Really?", "Really?"),
    ('She said "yes."', 'She said "yes."'),
    ("배송은 **3일** 걸립니다.", "배송은 3일 걸립니다."),
    # nothing to say
    ("", ""),
    ("🙂", ""),
    ("---", ""),
    ("<!-- only a note -->", ""),
]

TABLES = Path(__file__).parent / "spoken"
LANGUAGES = ("de", "en", "ko")
AS_SAID = [
    pytest.param(language, written, spoken, id=f"{language}: {written}")
    for language in LANGUAGES
    for group in tomllib.loads((TABLES / f"{language}.toml").read_text(encoding="utf-8")).values()
    for written, spoken in group.items()
]
# A voice reads these letter by letter, or stumbles.
UNSPEAKABLE = re.compile(
    r"[*_`|~@&§€$£%°#<>=+\\]|https?:|\d[:/]\d\d\b(?! [ap]m)|\b0\d|[A-Za-z]\.[A-Za-z]|null null null"
)


@pytest.mark.parametrize(("written", "spoken"), CASES)
def test_a_text_for_the_screen_becomes_plain_words(written: str, spoken: str) -> None:
    assert spoken_form(written, "") == spoken


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200))
def test_any_text_whatever_has_a_spoken_form_on_one_line_without_marks(text: str) -> None:
    spoken = spoken_form(text, "")
    assert not re.search(r"[*`|~\n]|https?://\w", spoken)


@given(st.text(alphabet="-*_`#>|[]()!<>&; \n\tab1.", max_size=120))
def test_marks_in_any_order_are_never_spoken(text: str) -> None:
    assert not re.search(r"[*_`|~\n]", spoken_form(text, ""))


@given(
    st.text(alphabet="-+=.,:;!?()/'\"#%@ aÄ1ㄱ한\u200b\u00a0", max_size=40), st.sampled_from(["", "de", "en"])
)
def test_a_plain_line_is_said_like_one_that_is_read_as_markdown(line: str, language: str) -> None:
    written = f"A{line}"
    assert spoken_form(written, language) == spoken_form(f"{written}\n", language)


@pytest.mark.parametrize(("language", "written", "spoken"), AS_SAID)
def test_what_is_written_short_is_said_as_a_person_says_it(language: str, written: str, spoken: str) -> None:
    assert spoken_form(written, language) == spoken


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("24. Dezember: geschlossen", "vierundzwanzigster Dezember: geschlossen."),
        (
            "24. Dezember: zu\n25. Dezember: auf",
            "vierundzwanzigster Dezember: zu. fünfundzwanzigster Dezember: auf.",
        ),
        ("1. Kommen.\n2. Gehen.", "Kommen. Gehen."),
        ("| Tag | Zeit |\n|---|---|\n| Mo-Fr | 9:30-17 Uhr |", "Montag bis Freitag: 9 Uhr 30 bis 17 Uhr."),
        ("**4,95&nbsp;€** pro [Paket](https://x.example)", "4 Euro 95 pro Paket."),
        ("Mehr: https://www.laden.example/a?b=1.", "Mehr: laden Punkt example."),
    ],
)
def test_marks_are_removed_before_it_is_said(written: str, spoken: str) -> None:
    assert spoken_form(written, "de") == spoken


@pytest.mark.parametrize("language", ["fr", "", "xx"])
def test_a_language_without_a_table_is_left_as_it_is_written(language: str) -> None:
    assert spoken_form("De **9:00** à 17:00, 4,95 € & co.", language) == "De 9:00 à 17:00, 4,95 € & co."


@pytest.mark.parametrize("language", ["de-AT", "DE"])
def test_a_country_speaks_its_language(language: str) -> None:
    assert spoken_form("10:00 Uhr", language) == "10 Uhr."


def test_an_editors_own_spoken_answer_is_said_in_full_as_well() -> None:
    entry = Entry("hours", "de", Place("de/a.md"), answer="10:00 Uhr", spoken_answer="Ab 10:00 Uhr,\nMo-Fr.")
    assert said(entry) == "Ab 10 Uhr, Montag bis Freitag."


def test_nothing_unspeakable_is_left_in_an_answer_of_the_sample_base() -> None:
    knowledge, _ = read_folder(Path(__file__).parents[1] / "knowledge", "de")
    told = [
        form
        for entry in knowledge.entries
        for form in (said(entry), spoken_form(entry.answer, entry.language))
    ]
    assert len(told) > 300
    assert [form for form in told if UNSPEAKABLE.search(form)] == []


_PIECES = """
    0 1 9 12 24 030 5550 10:00 9.30 24.12. 31.12.2027 1/2 4,95 4.95 1.234 - – . , : / ( ) + x ~ # &
    § % € $ EUR Uhr am pm kg m² °C Mo Fr So Mon St. Dr. z. B. Nr. Mio. Dez. Dezember May @ a.de ½
    시 월 원 Stock der
"""
_TOKENS = st.sampled_from(_PIECES.split())


@given(st.lists(st.tuples(_TOKENS, st.sampled_from(["", " "])), max_size=25), st.sampled_from(LANGUAGES))
def test_numbers_and_signs_in_any_order_are_said_somehow(parts: list[tuple[str, str]], language: str) -> None:
    spoken = spoken_form("x " + "".join(token + gap for token, gap in parts), language)
    assert spoken.startswith("x")
    assert not re.search(r"[*`|~\n]|  ", spoken)


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=200), st.sampled_from(LANGUAGES))
def test_any_text_whatever_can_be_said_in_every_language(text: str, language: str) -> None:
    assert isinstance(spoken_form(text, language), str)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "0 ",
        "1-",
        "1.",
        "0.",
        "1:",
        "a.",
        "A-1",
        "+1 ",
        "Mo-",
        "1. ",
        "(0)",
        "x1",
        "St. A",
        "½",
        "@a.",
        "DE12 ",
    ],
)
def test_a_long_text_of_nothing_but_numbers_can_be_said(piece: str) -> None:
    # A pattern that tries every way to part the digits would not come back from this.
    assert all(spoken_form("x" + piece * 3_000, language) for language in LANGUAGES)
