"""What customers say to the kiosk itself: stop, louder, again, a person please."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from importlib import resources

from assistant.matching.text import fold
from assistant.values import primary_language

_LONGEST = 80  # characters; whoever says more says more than a command


class Command(Enum):
    """Something that the kiosk itself does; nothing that its knowledge answers."""

    STOP = "stop"
    LOUDER = "louder"
    QUIETER = "quieter"
    SLOWER = "slower"
    FASTER = "faster"
    REPEAT = "repeat"
    HELP = "help"
    START_OVER = "start-over"
    PERSON = "person"
    GO_ON = "go-on"
    NO_MORE = "no-more"


def spoken_command(text: str, also: Sequence[str] = ()) -> Command | None:
    """The command that the whole of the text is, in any language; of several readings the first that is one.

    Only polite words may stand around it: "louder please" is a command, "louder music" is a question.
    """
    return next(filter(None, map(_command, (text, *also))), None)


def stop_words(language: str) -> tuple[str, ...]:
    """What a listener for "stop" listens for in a language, as written; empty for one that is not listed."""
    table = _stored().get(primary_language(language), {})
    return tuple(_split(table.get("stop_words", "")))


def _command(text: str) -> Command | None:
    said = fold(text[: 2 * _LONGEST])
    if not said or len(said) > _LONGEST:
        return None
    if said in _commands():
        return _commands()[said]
    words = said.split()
    without_fillers = [word for word in words if word not in _listed("fillers")]
    cores = (core for row in (words, without_fillers) for core in _cores(row))
    return next((_commands()[core] for core in cores if core in _commands()), None)


def _cores(words: list[str]) -> Iterator[str]:
    """The words without the polite ones before them, after them and on both sides, the longest first."""
    starts = [start for start in range(len(words)) if _are_polite(words[:start], "around_before")]
    ends = [end for end in range(len(words), 0, -1) if _are_polite(words[end:], "around_after")]
    cores = (" ".join(words[start:end]) for start in starts for end in ends if start < end)
    whole = " ".join(words)
    return (core for core in cores if core == whole or core not in _listed("alone"))


def _are_polite(words: list[str], name: str) -> bool:
    """Whether the words are one polite phrase after another."""
    polite = _listed(name)
    reached = {0}
    for end in range(1, len(words) + 1):
        if any(" ".join(words[start:end]) in polite for start in reached):
            reached.add(end)
    return len(words) in reached


@cache
def _commands() -> Mapping[str, Command]:
    """Every way to say a command, folded; where languages share one, the first of the table counts."""
    ways: dict[str, Command] = {}
    for table in _stored().values():
        for command in Command:
            for way in _split(table.get(command.name, "")):
                ways.setdefault(fold(way), command)
    return ways


@cache
def _listed(name: str) -> frozenset[str]:
    """The phrases of that name in all languages together, folded."""
    return frozenset(fold(phrase) for table in _stored().values() for phrase in _split(table.get(name, "")))


def _split(row: str) -> list[str]:
    return [phrase.strip() for phrase in row.split(",") if phrase.strip()]


@cache
def _stored() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("assistant.dialogue").joinpath("commands.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
