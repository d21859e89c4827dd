"""The spoken form: what a voice says for a text written for the screen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.spoken_form import spoken_form

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
