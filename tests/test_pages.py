"""Pages are read strictly: every slip is reported once, with its line; what is right stays right."""

from __future__ import annotations

import codecs
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import KnowledgeError
from assistant.knowledge.pages import decode_page, read_page, without_places, write_page
from assistant.matching.text import fold
from assistant.values import Arrow, Ask, Check, Entry, Media, Page, Phrase, Place

PAGES = Path(__file__).parent / "pages"
BROKEN = sorted((PAGES / "broken").glob("*.md"))
GOOD = sorted((PAGES / "good").glob("*.md"))
# The last lines of a broken page state what it must produce:
# `<!-- expect 28 unknown-part: words of the hint -->`
EXPECTED = re.compile(r"<!-- expect (\d+) ([a-z-]+): (.+) -->\n")
NOWHERE = Place("")
ENTRY = "# Visiting\n\n## hours\n\n### Questions\n- When are you open?\n\n### Answer\nFrom ten to six.\n"


def text_and_expectations(path: Path) -> tuple[str, list[tuple[int, str, str]]]:
    """A broken page without the lines that state its problems, and these problems."""
    whole = path.read_text(encoding="utf-8")
    start = whole.index("<!-- expect ")
    stated = EXPECTED.findall(whole[start:])
    assert "".join(f"<!-- expect {line} {kind}: {hint} -->\n" for line, kind, hint in stated) == whole[start:]
    return whole[:start], sorted((int(line), kind, hint) for line, kind, hint in stated)


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_page_produces_the_problems_it_states_and_no_others(path: Path) -> None:
    text, expected = text_and_expectations(path)
    _, problems = read_page("en/page.md", text)
    found = sorted(problems, key=lambda problem: (problem.place.line, problem.kind))
    assert [(p.place.line, p.kind) for p in found] == [(line, kind) for line, kind, _ in expected]
    for problem, (_, _, hint) in zip(found, expected, strict=True):
        assert hint in problem.hint
        assert problem.fact
        assert problem.place.path == "en/page.md"
        assert problem.excerpt in (
            text.splitlines()[problem.place.line - 1].strip(),
            problem.excerpt[:99] + "…",
        )


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_page_has_no_problems_and_reads_back_from_its_own_writing(path: Path) -> None:
    page, problems = read_page(f"en/{path.name}", path.read_text(encoding="utf-8"))
    assert problems == ()
    again, problems = read_page(page.path, write_page(page))
    assert problems == ()
    assert without_places(again) == without_places(page)


def test_a_page_is_read_with_everything_it_says_and_where() -> None:
    page, _ = read_page("en/visiting.md", (PAGES / "good" / "visiting.md").read_text(encoding="utf-8"))

    def at(line: int) -> Place:
        return Place("en/visiting.md", line)

    opening_hours = Entry(
        name="opening-hours",
        language="en",
        place=at(3),
        questions=(Phrase("When are you open?", at(8)), Phrase("What are your opening hours?", at(9))),
        answer="We are open **Tuesday to Sunday, 10:00 to 18:00**. Last entry is at 17:15.\n\n"
        "![The main entrance on Rose Street](../media/entrance.jpg)",
        spoken_answer="We are open Tuesday to Sunday, from ten in the morning until six in the evening.",
        next=(Arrow(("How much is a ticket?",), "ticket-prices", at(20)),),
        checks=(
            Check("yes", "when do you shut on sundays", at(23)),
            Check("no", "where is the opening ceremony", at(24)),
        ),
        tags=("hours", "visit"),
        valid_until=date(2027, 12, 31),
        media=(Media("media/entrance.jpg", "The main entrance on Rose Street", at(14)),),
    )
    refund = Entry(
        name="refund",
        language="en",
        place=at(26),
        questions=(Phrase("I want a refund", at(29)),),
        ask=Ask(
            "Did you buy your ticket online or at the desk?",
            (
                Arrow(("online", "on the website"), "refund-online", at(34)),
                Arrow(("at the desk", "at the counter"), "refund-desk", at(35)),
            ),
        ),
    )
    assert page == Page("en/visiting.md", "en", "Visiting the museum", (opening_hours, refund))


def test_odd_but_harmless_writing_means_what_it_looks_like() -> None:
    page, _ = read_page("en/harmless.md", (PAGES / "good" / "harmless.md").read_text(encoding="utf-8"))
    (entry,) = page.entries
    assert page.title == "A page with odd but harmless writing"
    assert entry.tags == ("a", "b c")
    assert entry.valid_until == date(2028, 2, 29)
    assert entry.next[0].words == ("price", "costs 2,50 €", "1,000 ₩", "Preis")
    assert [(check.kind, check.text) for check in entry.checks] == [
        ("yes", "12:30 on monday"),
        ("no", "yes: or no"),
    ]
    assert [media.path for media in entry.media] == [
        "media/floor plan.pdf",
        "media/tour.mp4",
        "media/map 1.png",
    ]
    assert entry.answer.startswith("    An indented line stays as it is.\n\nTwo spaces end this line,  \nand")
    assert "### Answer\n## not-an-entry\n- yes: not a check" in entry.answer
    assert [question.text for question in entry.questions][:4] == [
        "When: at 12:30?",
        "no",
        "“Smart quotes”, 'quotes' and \"quotes\"",
        "an indented one -> without a name behind it, really",
    ]
    assert len(entry.questions) == 11


def test_code_in_an_answer_is_neither_part_nor_choice() -> None:
    page, _ = read_page("en/guided.md", (PAGES / "good" / "guided.md").read_text(encoding="utf-8"))
    ask = page.entries[0].ask
    assert ask is not None
    assert "- this is not -> a-choice" in ask.text
    assert [arrow.target for arrow in ask.arrows] == ["return-online", "return-here"]


@pytest.mark.parametrize(
    "text",
    [
        ENTRY.replace("\n", "\r\n"),
        ENTRY.replace("\n", "\r"),
        ENTRY.replace("\n", "\r\n", 4),
        ENTRY.replace("\n", "   \t \n"),
        ENTRY.replace(" ", "\u00a0"),
        ENTRY.replace("## hours", "## ho\u200burs\u200d").replace("### Ans", "###\u2003\u2060Ans"),
        ENTRY.replace("- When", "\u200e-\u00a0\u202aWhen"),
        ENTRY.replace("\n- ", "\n\t- "),
        ENTRY.replace("When are", "When\u2028are\x0c\x85"),
        ENTRY.rstrip("\n"),
        "\ufeff" + ENTRY,
        "\n\f\n" + ENTRY + "\n\u200b\n\u3000\n",
    ],
    ids=[
        "CR LF",
        "lone CR",
        "mixed line endings",
        "spaces at the end",
        "no-break spaces",
        "zero-width in headings",
        "direction marks",
        "a tab before a bullet",
        "other kinds of space",
        "no end of line",
        "a byte order mark",
        "blank lines",
    ],
)
def test_what_nobody_can_see_does_not_count(text: str) -> None:
    page, problems = read_page("en/visiting.md", text)
    assert problems == ()
    (entry,) = page.entries
    assert (page.title, entry.name) == ("Visiting", "hours")
    assert entry.questions[0].text == "When are you open?"
    assert entry.answer.replace("\u00a0", " ") == "From ten to six."


def test_lines_are_counted_as_editors_count_them() -> None:
    text = "# Visiting\r\n\r\u2028\x0c\n## Hours\n\n### Answer\nYes.\n"
    (problem,) = read_page("en/visiting.md", text)[1]
    assert problem.place == Place("en/visiting.md", 4)


@pytest.mark.parametrize(
    ("text", "kind", "line"),
    [
        ("", "empty-page", 0),
        (" \n\t\n\u200b\r\n", "empty-page", 0),
        (ENTRY.replace("ten", "t\x07en"), "control-character", 9),
        (ENTRY.replace("ten", "t\ud800en"), "control-character", 9),
        (ENTRY.replace("ten", "t\0en"), "control-character", 9),
    ],
    ids=["empty", "blank", "bell", "half a letter", "NUL"],
)
def test_a_page_that_no_file_can_show_is_reported_too(text: str, kind: str, line: int) -> None:
    (problem,) = read_page("en/visiting.md", text)[1]
    assert (problem.kind, problem.place.line) == (kind, line)
    assert problem.excerpt.isprintable()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("visiting.md", "`en`"),
        ("English/visiting.md", "`en`"),
        ("de_AT/visiting.md", "`de-at`"),
        ("a/b/c.md", "`en`"),
    ],
)
def test_a_page_outside_a_language_folder_is_reported(path: str, hint: str) -> None:
    (problem,) = read_page(path, ENTRY)[1]
    assert problem.kind == "bad-folder"
    assert hint in problem.hint


GERMAN = "# Besuch\n\n## zeiten\n\n### Answer\nTäglich geöffnet – auch für Gäste.\n"


@pytest.mark.parametrize(
    "data",
    [
        GERMAN.encode(),
        codecs.BOM_UTF8 + GERMAN.encode(),
        GERMAN.encode("utf-16"),
        codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"),
        GERMAN.encode("utf-32"),
    ],
    ids=["UTF-8", "UTF-8 with a mark", "UTF-16", "UTF-16 BE", "UTF-32"],
)
def test_every_unicode_encoding_with_a_mark_is_read(data: bytes) -> None:
    assert decode_page("de/besuch.md", data) == (GERMAN, ())


@pytest.mark.parametrize(
    ("data", "kind", "line", "words"),
    [
        (GERMAN.encode("cp1252"), "bad-encoding", 6, "`ä`"),
        (GERMAN.replace("\n", "\r\n").encode("cp1252"), "bad-encoding", 6, "`ä`"),
        (GERMAN.replace("\n", "\r").encode("cp1252"), "bad-encoding", 6, "`ä`"),
        (b"# \x81\n", "bad-encoding", 1, "0x81"),
        ("# 방문\n".encode("cp949"), "bad-encoding", 1, "UTF-8"),
        (GERMAN.encode()[:-11], "bad-encoding", 6, "UTF-8"),
        (codecs.BOM_UTF8 + GERMAN.encode("cp1252"), "bad-encoding", 6, "`ä`"),
        (GERMAN.encode("utf-16")[:-1], "bad-encoding", 6, "UTF-16"),
        (GERMAN.encode("utf-16-le"), "nul-byte", 1, "UTF-16"),
        (GERMAN.encode("utf-16-be"), "nul-byte", 1, "UTF-16"),
        (b"# Visiting\n\n\x00\n", "nul-byte", 3, "NUL"),
        (b"PK\x03\x04rest", "not-text", 0, "Word"),
        (b"{\\rtf1 rest", "not-text", 0, "RTF"),
    ],
)
def test_bytes_that_are_no_unicode_text_are_reported_with_their_line(
    data: bytes, kind: str, line: int, words: str
) -> None:
    text, (problem,) = decode_page("de/besuch.md", data)
    assert text is None
    assert (problem.kind, problem.place) == (kind, Place("de/besuch.md", line))
    assert words in problem.fact
    assert "UTF-8" in problem.hint


# --- properties -----------------------------------------------------------------------------

# Other programs may keep the machine busy: no example is too slow.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAGMENTS = (
    *(
        "# Visiting",
        "## opening-hours",
        "##opening-hours",
        "## Opening Hours",
        "## ",
        "##",
        "# ",
        "#",
        "### ",
    ),
    *(
        "### Questions",
        "### Answer",
        "### Spoken answer",
        "### Ask",
        "### Next",
        "### Checks",
        "### Anwser",
        "#### Ask",
    ),
    *(
        "- When are you open?",
        "-When",
        "* When",
        "- ",
        "-",
        "1. When",
        "- yes: when",
        "- no: when",
        "- yes:",
        "ja: so",
    ),
    *(
        "- a, b -> opening-hours",
        "- a =>",
        "-> b",
        "- -> b",
        "a -> b -> c",
        "- a → B",
        "Tags: a, b",
        "Tag: a",
        "Tags：",
    ),
    *(
        "Valid until: 2027-12-31",
        "Valid until: 2027-02-30",
        "Valid until:",
        "```",
        "~~~",
        "````",
        "===",
        "---",
        "----",
    ),
    *(
        "![a](../media/a.png)",
        "![a](",
        "[b](javascript:c)",
        "[![a](b)](c)",
        "<script>",
        "<!--",
        "-->",
        "<b",
        "`",
        "``",
    ),
    *(
        "<<<<<<< a",
        "=======",
        ">>>>>>> b",
        "|||||||",
        "\ufeff",
        "\u200b",
        "\0",
        "\u2028",
        "\x0c",
        "\x85",
        "\ud800",
        "ﬁ",
    ),
    *(
        "",
        " ",
        "\t",
        "    ",
        "Answer",
        "**Answer**",
        "We are open.",
        "title: a",
        "ß",
        "İ",
        "½",
        "ç: ",
        "Ã¼",
        "\ufffd",
    ),
)
ENDS = ("\n", "\n", "\n", "\r\n", "\r", "\n\n", "")
page_like = st.lists(st.tuples(st.sampled_from(FRAGMENTS) | st.text(max_size=8), st.sampled_from(ENDS))).map(
    lambda pieces: "".join(piece + end for piece, end in pieces)
)
text_like = page_like | st.text()
paths = st.sampled_from(["en/visiting.md", "de/_assistant.md", "visiting.md", "a/b/c.md", ""]) | st.text(
    max_size=9
)


@given(paths, text_like)
@settings(steady, max_examples=400)
def test_no_text_whatever_makes_the_reader_raise(path: str, text: str) -> None:
    page, problems = read_page(path, text)
    lines = len(re.split(r"\r\n|\r|\n", text))
    assert all(0 <= problem.place.line <= lines and problem.fact and problem.hint for problem in problems)
    assert list(problems) == sorted(problems, key=lambda problem: problem.place.line)
    assert all(entry.name for entry in page.entries)


@given(text_like)
@settings(steady, max_examples=400)
def test_a_page_without_errors_reads_back_from_its_own_writing(text: str) -> None:
    page, problems = read_page("en/visiting.md", "# Visiting\n\n## opening-hours\n\n### Answer\n" + text)
    if any(problem.severity == "error" for problem in problems):
        return
    again, later = read_page(page.path, write_page(page))
    assert without_places(again) == without_places(page)
    assert not [problem for problem in later if problem.severity == "error"]


@steady
@given(st.binary() | text_like.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_bytes_whatever_make_the_decoder_raise(data: bytes) -> None:
    text, problems = decode_page("en/visiting.md", data)
    assert (text is None) == bool(problems)
    assert all("UTF-8" in problem.hint for problem in problems)


@steady
@given(
    text_like.filter(lambda text: "\0" not in text and "\ud800" not in text),
    st.sampled_from(["utf-8-sig", "utf-16"]),
)
def test_decoding_gives_back_what_an_editor_saved(text: str, encoding: str) -> None:
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:  # half a letter cannot be saved
        return
    assert decode_page("en/visiting.md", data) == (text, ())


PART_WORDS = {"questions", "answer", "ask", "next", "checks"}
names = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,3}", fullmatch=True).filter(
    lambda n: n not in PART_WORDS
)
wordings = st.from_regex(r"[A-Za-zäßé가-힣0-9]{1,9}( [a-zäöü0-9:.]{1,9}){0,5}[?!]?", fullmatch=True).filter(
    lambda text: text.casefold() not in PART_WORDS
)
arrows = st.builds(Arrow, st.lists(wordings, min_size=1, max_size=3).map(tuple), names, st.just(NOWHERE))
markdown = st.lists(wordings, min_size=1, max_size=4).map("  \n\n".join)
entries = st.builds(
    lambda wordings, **rest: Entry(
        questions=tuple(Phrase(text, NOWHERE) for text in wordings[::2]),
        checks=tuple(Check("no", text, NOWHERE) for text in wordings[1::2]),
        **rest,
    ),
    st.lists(wordings, max_size=6, unique_by=fold),
    name=names,
    language=st.just("de"),
    place=st.just(NOWHERE),
    answer=markdown,
    spoken_answer=markdown | st.just(""),
    next=st.lists(arrows, max_size=2).map(tuple),
    tags=st.lists(names, max_size=3, unique=True).map(tuple),
    valid_until=st.none() | st.dates(),
)
guided = st.builds(
    lambda entry, text, ways: Entry(entry.name, "de", NOWHERE, entry.questions, ask=Ask(text, tuple(ways))),
    entries,
    markdown,
    st.lists(arrows, min_size=1, max_size=3),
)
pages = st.builds(
    Page,
    st.just("de/seite.md"),
    st.just("de"),
    wordings,
    st.lists(entries | guided, min_size=1, max_size=4, unique_by=lambda entry: entry.name).map(tuple),
)


@given(pages)
@steady
def test_a_page_made_by_a_program_is_written_so_that_it_reads_back(page: Page) -> None:
    assert without_places(read_page("de/seite.md", write_page(page))[0]) == page


@pytest.mark.parametrize(
    "entry",
    [
        Entry("hours", "en", NOWHERE, answer="From ten.\n\n## six\n"),
        Entry("Hours", "en", NOWHERE, answer="From ten."),
        Entry("hours", "en", NOWHERE, (Phrase("two\nlines", NOWHERE),), answer="From ten."),
        Entry("hours", "en", NOWHERE, answer="```\nno end"),
        Entry("hours", "en", NOWHERE, answer="Yes.", next=(Arrow(("a, b",), "x", NOWHERE),)),
    ],
    ids=[
        "a heading in the answer",
        "a name with a capital",
        "two lines",
        "an open fence",
        "a comma in words",
    ],
)
def test_what_would_read_back_differently_is_not_written(entry: Entry) -> None:
    fine = Entry("fine", "en", NOWHERE, answer="Yes.")
    with pytest.raises(KnowledgeError, match=r"en/a\.md"):
        write_page(Page("en/a.md", "en", "A", (fine, entry)))
