"""What customers say to the kiosk itself, and what only sounds like it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.commands import Command, spoken_command, stop_words
from assistant.dialogue.short_answers import number_said, says_no, says_yes
from assistant.knowledge.library import read_folder

TABLE = tomllib.loads((Path(__file__).parent / "spoken" / "commands.toml").read_text(encoding="utf-8"))
CASES = [
    pytest.param(None if name == "none" else Command[name], said, id=f"{name}: {said}")
    for name, all_said in TABLE.items()
    for said in all_said
]


@pytest.mark.parametrize(("command", "said"), CASES)
def test_a_command_is_the_whole_of_what_is_said(command: Command | None, said: str) -> None:
    assert spoken_command(said) is command


def test_every_command_has_cases_and_enough_that_are_none() -> None:
    assert set(TABLE) == {command.name for command in Command} | {"none"}
    assert len(TABLE["none"]) >= 40


@pytest.mark.parametrize(
    "case", ["LOUDER PLEASE", "louder, please!", "  louder   please ", "Louder... please?"]
)
def test_case_and_marks_do_not_matter(case: str) -> None:
    assert spoken_command(case) is Command.LOUDER


def test_another_reading_of_the_same_sound_may_be_the_command() -> None:
    assert spoken_command("shop", ("stop", "louder")) is Command.STOP
    assert spoken_command("shop", ("shock",)) is None


def test_no_question_of_the_sample_base_is_a_command() -> None:
    knowledge, _ = read_folder(Path(__file__).parents[1] / "knowledge", "de")
    asked = [
        phrase.text
        for entry in knowledge.entries
        if entry.name not in knowledge.own_names and entry.name != "person-please"
        for phrase in (*entry.questions, *(check for check in entry.checks if check.kind == "yes"))
    ]
    assert len(asked) > 1_000
    assert [text for text in asked if spoken_command(text)] == []


@pytest.mark.parametrize("said", ["ja klar", "Jo.", "jep", "Passt!", "ja, gern", "yes please", "네"])
def test_yes_is_said_in_many_ways(said: str) -> None:
    assert says_yes(said)
    assert not says_no(said)


@pytest.mark.parametrize("said", ["nö, danke", "Nee danke!", "ne", "lieber nicht", "no thanks", "아니요"])
def test_so_is_no(said: str) -> None:
    assert says_no(said)
    assert not says_yes(said)


def test_what_takes_a_choice_is_no_command() -> None:
    said = [said for name, all_said in TABLE.items() if name != "none" for said in all_said]
    assert [text for text in said if says_yes(text) or number_said(text)] == []


@pytest.mark.parametrize(
    ("language", "word"), [("en", "stop"), ("de", "stopp"), ("ko", "그만"), ("de-AT", "halt"), ("FR", "stop")]
)
def test_a_stop_spotter_is_given_words_that_stop(language: str, word: str) -> None:
    assert word in stop_words(language)
    assert {spoken_command(way) for way in stop_words(language)} == {Command.STOP}


def test_a_language_without_a_table_has_no_stop_words() -> None:
    assert stop_words("xx") == ()


@given(st.text(max_size=300))
def test_any_text_whatever_is_a_command_or_none(text: str) -> None:
    assert spoken_command(text, (text[::-1],)) in {*Command, None}


@pytest.mark.parametrize("text", ["please " * 5_000, "bitte " * 13 + "lauter", "a" * 100_000])
def test_a_long_text_is_no_command(text: str) -> None:
    assert spoken_command(text) is None
