"""A folder of pages becomes knowledge; a broken page never takes away a good answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assistant.errors import KnowledgeError
from assistant.knowledge.library import Library, read_folder
from assistant.knowledge.starter_base import write_starter
from assistant.values import Problem

HOURS = "# Visiting\n\n## hours\n\n### Questions\n- When are you open?\n\n### Answer\nFrom ten to six.\n"
ZEITEN = "# Besuch\n\n## hours\n\n### Questions\n- Wann ist offen?\n\n### Answer\nVon zehn bis sechs.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small base, given as people give it: relative to where they are."""
    monkeypatch.chdir(tmp_path)
    base = Path("knowledge")
    write(base / "en" / "visiting.md", HOURS)
    write(base / "de" / "besuch.md", ZEITEN)
    write(base / "README.md", "No page.")
    write(base / "settings.toml", 'default_language = "en"\n')
    write(base / "media" / "map.md", "No page either.")
    return base


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def told(problems: tuple[Problem, ...]) -> list[tuple[str, str, str]]:
    return [(str(problem.place), problem.kind, problem.severity) for problem in problems]


def test_every_page_of_every_language_is_read_and_the_rest_left_alone(folder: Path) -> None:
    write(folder / ".git" / "x.md", "hidden")
    write(folder / "en" / ".visiting.md.swp", "hidden")
    write(folder / "en" / "visiting.md~", "left behind by an editor")
    write(folder / "en" / "README.md", "notes for translators")
    write(folder / "en" / "PRICES.MD", HOURS.replace("## hours", "## prices").replace("When", "How"))
    knowledge, problems = read_folder(folder, "en")
    assert problems == ()
    assert knowledge.languages == ("en", "de")
    assert knowledge.folder == "knowledge"
    assert [page.path for page in knowledge.pages] == ["de/besuch.md", "en/PRICES.MD", "en/visiting.md"]
    entry = knowledge.entry("hours", "de")
    assert entry is not None
    assert (entry.answer, str(entry.place)) == ("Von zehn bis sechs.", "de/besuch.md:3")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        (
            "en/visiting.md",
            HOURS.replace("Answer", "Anwser"),
            ("knowledge/en/visiting.md:8", "unknown-part", "error"),
        ),
        ("en/more.md", HOURS, ("knowledge/en/visiting.md:3", "duplicate-entry", "error")),
        ("more.md", HOURS, ("knowledge/more.md", "bad-folder", "error")),
        ("English/more.md", HOURS, ("knowledge/English", "bad-folder", "error")),
        ("en/tickets/more.md", HOURS, ("knowledge/en/tickets", "deep-folder", "error")),
        ("en/tickets/more.txt", HOURS, ("knowledge/en/tickets", "deep-folder", "warning")),
        ("en/more.md.txt", HOURS, ("knowledge/en/more.md.txt", "not-a-page", "warning")),
        ("en/map.png", "", ("knowledge/en/map.png", "not-a-page", "warning")),
        ("en/more.md", "", ("knowledge/en/more.md", "empty-page", "error")),
        ("en/more.md", "#" * 5_000_000, ("knowledge/en/more.md", "too-large", "error")),
    ],
    ids=lambda value: value if isinstance(value, str) and "/" in value else "",
)
def test_what_would_not_be_read_is_reported_where_the_editor_finds_it(
    folder: Path, path: str, text: str, expected: tuple[str, str, str]
) -> None:
    write(folder / path, text)
    _, problems = read_folder(folder, "en")
    assert told(problems) == [expected]
    assert all(problem.hint for problem in problems)


def test_a_page_in_windows_encoding_is_reported_with_its_line(folder: Path) -> None:
    (folder / "de" / "besuch.md").write_bytes(ZEITEN.replace("sechs", "fünf").encode("cp1252"))
    knowledge, problems = read_folder(folder, "en")
    assert told(problems) == [("knowledge/de/besuch.md:9", "bad-encoding", "error")]
    assert knowledge.languages == ("en",)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_that_leave_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "secret.md", HOURS.replace("hours", "secret"))
    (folder / "en" / "secret.md").symlink_to(tmp_path / "elsewhere" / "secret.md")
    (folder / "fr").symlink_to(tmp_path / "elsewhere")
    (folder / "en" / "gone.md").symlink_to("nowhere.md")
    (folder / "en" / "circle.md").symlink_to("circle.md")
    (folder / "at").symlink_to("de")
    knowledge, problems = read_folder(folder, "en")
    assert told(problems) == [
        ("knowledge/en/circle.md", "unreadable", "error"),
        ("knowledge/en/gone.md", "unreadable", "error"),
        ("knowledge/en/secret.md", "outside-link", "error"),
        ("knowledge/fr", "outside-link", "error"),
    ]
    assert knowledge.translations("secret") == {}


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes in folders there")
def test_something_named_like_a_page_that_is_no_file_does_not_block(folder: Path) -> None:
    os.mkfifo(folder / "en" / "pipe.md")
    (folder / "en" / "folder.md").mkdir()
    _, problems = read_folder(folder, "en")
    assert [(problem.place.path, problem.kind) for problem in problems] == [
        ("knowledge/en/folder.md", "deep-folder"),
        ("knowledge/en/pipe.md", "unreadable"),
    ]


def test_a_default_language_without_pages_is_reported(folder: Path) -> None:
    _, problems = read_folder(folder, "fr")
    assert told(problems) == [("knowledge", "no-default-language", "warning")]
    assert 'default_language = "de"' in problems[0].hint


@pytest.mark.parametrize("name", ["missing", "file", "empty", "unrelated", "other"])
def test_a_folder_without_pages_is_an_error_with_a_way_out(tmp_path: Path, name: str) -> None:
    write(tmp_path / "file", "")
    write(tmp_path / "other" / "en" / "visiting.txt", HOURS)
    write(tmp_path / "unrelated" / "python" / "main.py", "")
    (tmp_path / "empty").mkdir()
    with pytest.raises(KnowledgeError) as caught:
        read_folder(tmp_path / name, "en")
    assert name in caught.value.fact
    assert "assistant init" in caught.value.hint


# --- keeping up to date -------------------------------------------------------------------------


def test_a_first_reading_with_errors_raises_with_all_of_them(folder: Path) -> None:
    write(folder / "en" / "visiting.md", HOURS.replace("Answer", "Anwser"))
    write(folder / "de" / "besuch.md", ZEITEN.replace("- Wann", "-Wann"))
    library = Library(folder, "en")
    with pytest.raises(KnowledgeError, match="2 problems") as caught:
        library.load()
    assert [problem.kind for problem in caught.value.problems] == ["missing-space", "unknown-part"]
    with pytest.raises(KnowledgeError):
        _ = library.knowledge


def test_warnings_do_not_keep_the_pages_from_being_used(folder: Path) -> None:
    write(folder / "en" / "soon.md", "# Coming soon\n")
    library = Library(folder, "en")
    assert library.load().names == ("hours",)
    assert [problem.kind for problem in library.problems] == ["no-entries"]


def test_a_changed_page_is_taken_up_once(folder: Path) -> None:
    library = Library(folder, "en")
    first = library.load()
    assert library.refresh() is False
    assert library.knowledge is first
    write(folder / "en" / "visiting.md", HOURS.replace("six", "seven"))
    assert library.refresh() is True
    assert library.knowledge.translations("hours")["en"].answer == "From ten to seven."
    assert library.refresh() is False


@pytest.mark.parametrize("change", ["a new page", "a page gone", "a page renamed", "a new language"])
def test_pages_that_come_and_go_are_noticed(folder: Path, change: str) -> None:
    library = Library(folder, "en")
    library.load()
    page = folder / "de" / "besuch.md"
    if change == "a new page":
        write(folder / "en" / "more.md", HOURS.replace("hours", "more"))
    elif change == "a page gone":
        page.unlink()
    elif change == "a page renamed":
        page.rename(page.with_name("zeiten.md"))
    else:
        write(folder / "fr" / "visite.md", HOURS)
    assert library.refresh() is True


def test_a_page_that_was_only_touched_changes_nothing(folder: Path) -> None:
    library = Library(folder, "en")
    before = library.load()
    os.utime(folder / "en" / "visiting.md", ns=(1, 1))
    assert library.refresh() is False
    assert library.knowledge == before


def test_a_broken_page_keeps_the_last_good_knowledge_and_says_why(folder: Path) -> None:
    library = Library(folder, "en")
    good = library.load()
    write(folder / "en" / "visiting.md", HOURS.replace("Answer", "Anwser").replace("six", "seven"))
    assert library.refresh() is True
    assert library.knowledge is good
    assert [problem.kind for problem in library.problems] == ["unknown-part"]
    assert library.refresh() is False
    assert [problem.kind for problem in library.problems] == ["unknown-part"]
    write(folder / "en" / "visiting.md", HOURS.replace("six", "seven"))
    assert library.refresh() is True
    assert library.problems == ()
    assert library.knowledge.translations("hours")["en"].answer == "From ten to seven."


def test_a_folder_that_goes_away_keeps_the_last_good_knowledge(folder: Path) -> None:
    library = Library(folder, "en")
    good = library.load()
    folder.rename(folder.with_name("moved"))
    assert library.refresh() is True
    assert library.knowledge is good
    assert [problem.fact for problem in library.problems] == ["the knowledge folder knowledge does not exist"]
    assert library.refresh() is False
    folder.with_name("moved").rename(folder)
    assert library.refresh() is True
    assert library.problems == ()


# --- a new base ---------------------------------------------------------------------------------


def test_a_new_base_is_in_order_in_both_languages(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "shop" / "knowledge")
    assert all(path.is_file() for path in written)
    knowledge, problems = read_folder(tmp_path / "shop" / "knowledge", "en")
    assert problems == ()
    assert set(knowledge.languages) == {"en", "de"}
    assert {name for name in knowledge.names if len(knowledge.translations(name)) != 2} == set()
    assert (tmp_path / "shop" / "knowledge" / "media").is_dir()
    assert (tmp_path / "shop" / "knowledge" / "settings.toml").is_file()


def test_a_new_base_never_overwrites_anything(tmp_path: Path) -> None:
    page = write(tmp_path / "knowledge" / "en" / "mine.md", HOURS)
    with pytest.raises(KnowledgeError, match="not empty") as caught:
        write_starter(tmp_path / "knowledge")
    assert "another" in caught.value.hint
    assert page.read_text(encoding="utf-8") == HOURS
    assert sorted(tmp_path.rglob("*.md")) == [page]
    with pytest.raises(KnowledgeError, match="file"):
        write_starter(page)


def test_a_new_base_may_stand_in_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert write_starter(tmp_path)
    assert read_folder(tmp_path, "de")[1] == ()
