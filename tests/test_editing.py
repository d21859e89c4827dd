"""A check is added to a page, and every other byte of it stays as it was."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import KnowledgeError
from assistant.knowledge.editing import save_check, with_check
from assistant.knowledge.pages import read_page, without_places
from assistant.values import Entry, Place

PAGE = """# Visiting

## hours

### Questions
- When are you open?

### Checks
- yes: when do you shut

### Answer
From ten to six.


## prices

### Questions
- How much is it?

### Answer
Twelve euros.
```
## not-an-entry
```

## way

### Answer
Take the tram."""


def entry(name: str = "hours", path: str = "en/visiting.md") -> Entry:
    return Entry(name, "en", Place(path, 3))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("hours", "- yes: when do you shut\n", "- yes: when do you shut\n- no: who are you\n"),
        ("prices", "```\n\n## way", "```\n\n### Checks\n- no: who are you\n\n## way"),
        ("way", "Take the tram.", "Take the tram.\n\n### Checks\n- no: who are you"),
    ],
    ids=["below the last check", "in a new part", "at the end of a page without a last line end"],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CR LF", "CR"])
def test_a_check_comes_to_stand_where_an_editor_would_write_it(
    name: str, old: str, new: str, line_end: str
) -> None:
    after = with_check(PAGE.replace("\n", line_end), name, "no", "who  are\tyou ")
    assert after == PAGE.replace(old, new).replace("\n", line_end)
    page, problems = read_page("en/visiting.md", after)
    assert problems == ()
    saved = next(entry for entry in page.entries if entry.name == name).checks[-1]
    assert (saved.kind, saved.text) == ("no", "who are you")


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("two\nlines", "one line"),
        ("two\rlines", "one line"),
        ("", "nothing to check"),
        (" ?! ", "nothing to check"),
        ("x" * 301, "301 characters"),
        ("when are you OPEN", "under Questions on line 6"),
        ("When do you shut?", "under Checks on line 9"),
        ("what is <b>this</b>", "HTML"),
        ("a\x07b", "control character"),
        ("half \ud800", "control character"),
    ],
)
def test_a_phrase_that_is_no_new_check_is_refused(tmp_path: Path, phrase: str, words: str) -> None:
    path = tmp_path / "en" / "visiting.md"
    path.parent.mkdir()
    path.write_text(PAGE, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=words) as caught:
        save_check(tmp_path, entry(), "yes", phrase)
    assert caught.value.hint
    assert "en/visiting.md" in caught.value.fact
    assert path.read_text(encoding="utf-8") == PAGE
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (PAGE.replace("### Answer", "### Anwser", 1), "hours", "line 11"),
        (PAGE, "tickets", "no entry `tickets`"),
        ("", "hours", "empty"),
    ],
    ids=["a page with an error", "an entry that is gone", "an empty page"],
)
def test_a_page_that_is_not_in_order_is_left_alone(text: str, name: str, words: str) -> None:
    with pytest.raises(KnowledgeError, match=words):
        with_check(text, name, "yes", "open late")


phrases = st.text(min_size=1, max_size=40) | st.sampled_from(
    ["yes: no", "- a", "a -> b", "### Answer", "12:30"]
)


@settings(deadline=None)
@given(phrases, st.sampled_from(["hours", "prices", "way"]), st.sampled_from(["yes", "no"]))
def test_a_saved_check_is_read_back_and_nothing_else_changes(
    phrase: str, name: str, kind: Literal["yes", "no"]
) -> None:
    try:
        after = with_check(PAGE, name, kind, phrase)
    except KnowledgeError:
        return
    before, _ = read_page("en/visiting.md", PAGE)
    page, problems = read_page("en/visiting.md", after)
    assert problems == ()
    for was, now in zip(without_places(before).entries, without_places(page).entries, strict=True):
        added = now.checks[len(was.checks) :]
        assert [check.kind for check in added] == ([kind] if was.name == name else [])
        assert was == Entry(
            **{field: getattr(now, field) for field in now.__slots__} | {"checks": was.checks}
        )


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
    ids=["UTF-8", "UTF-8 with a mark", "UTF-16", "UTF-16 BE"],
)
def test_saving_keeps_encoding_mark_line_ends_and_rights(tmp_path: Path, bom: bytes, encoding: str) -> None:
    path = tmp_path / "en" / "visiting.md"
    path.parent.mkdir()
    text = PAGE.replace("\n", "\r\n").replace("ten", "zehn Ühr")
    path.write_bytes(bom + text.encode(encoding))
    path.chmod(0o640)
    assert save_check(tmp_path, entry(), "yes", "schließt ihr spät") == path
    added = text.replace("you shut\r\n", "you shut\r\n- yes: schließt ihr spät\r\n")
    assert path.read_bytes() == bom + added.encode(encoding)
    assert [*path.parent.iterdir()] == [path]
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_saving_twice_adds_two_checks(tmp_path: Path) -> None:
    path = tmp_path / "en" / "visiting.md"
    path.parent.mkdir()
    path.write_text(PAGE, encoding="utf-8")
    save_check(tmp_path, entry("way"), "yes", "how do I get there")
    save_check(tmp_path, entry("way"), "no", "no way")
    page, _ = read_page("en/visiting.md", path.read_text(encoding="utf-8"))
    assert [(check.kind, check.text) for check in page.entries[2].checks] == [
        ("yes", "how do I get there"),
        ("no", "no way"),
    ]


@pytest.mark.parametrize("data", [None, "ungültig".encode("cp1252")], ids=["gone", "in Windows encoding"])
def test_a_page_that_cannot_be_read_is_not_written(tmp_path: Path, data: bytes | None) -> None:
    path = tmp_path / "en" / "visiting.md"
    path.parent.mkdir()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(KnowledgeError, match=r"en/visiting\.md"):
        save_check(tmp_path, entry(), "yes", "open late")
    assert [*path.parent.iterdir()] == ([path] if data else [])
