"""What each language says for what is written short: the table of `spoken_words.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from assistant.values import primary_language

# A pattern, and what is said for what it finds.
Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

DASH = "[-–—−~∼〜～]"
# Korean endings are written onto a number, its unit or its currency.
WORD_END = r"(?![^\W가-힣])"


@dataclass(frozen=True, slots=True)
class Counted:
    """A thing that is counted, by its name for one and for many."""

    one: str
    many: str


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and its hundredth part, which may have no name."""

    whole: Counted
    part: Counted


@dataclass(frozen=True, slots=True)
class Tongue:
    """What a language says for what is written short."""

    language: str
    words: Mapping[str, str]
    days: Mapping[str, str]  # as written short -> in full
    phrases: Mapping[str, str]
    abbreviations: Mapping[str, str]
    before_numbers: Mapping[str, str]
    symbols: Mapping[str, str]
    units: Mapping[str, Counted]
    scales: Mapping[str, Counted]
    currencies: Mapping[str, Currency]
    genders: Mapping[str, str]  # noun -> "m", "f" or "n"
    stop: re.Pattern[str]  # what follows a dot that ends a sentence

    def listed(self, name: str) -> list[str]:
        return self.words[name].split()

    @property
    def number(self) -> str:
        """The pattern of an amount: thousands parted or not, with or without decimals."""
        thousands, decimal = (r"\.", ",") if self.words["decimal"] == "," else (",", r"\.")
        return rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d{{1,15}})(?:{decimal}\d{{1,9}})?"

    def plain(self, number: str) -> str:
        """An amount without the marks between its thousands."""
        return number.replace("." if self.words["decimal"] == "," else ",", "")

    def count(self, number: str, thing: Counted, is_attribute: bool = False) -> str:
        """ "1 kilogram", "5 kilograms", but "a 5 kilogram bag"."""
        name = thing.one if is_attribute or number == "1" else thing.many
        return f"{number}{self.words['gap']}{name}"

    def from_to(self, first: str, last: str) -> str:
        return f"{first}{self.words['gap']}{self.words['range']} {last}"

    def full_stop(self, match: re.Match[str]) -> str:
        """The full stop that the dot at the end of a match is as well, if it is."""
        written = match[0].rstrip()
        if not written.endswith("."):
            return ""
        rest = match.string[match.end() :]
        is_end = not rest.strip("\"'”’»“)] ")
        last = re.split(r"[^\w]", written.rstrip("."))[-1]
        may_end = last in self.days or last in self.listed("months_short")
        may_end = may_end or "".join(written.split()).endswith(tuple(self.listed("enders")))
        return "." if is_end or (may_end and self.stop.match(rest)) else ""


def either(words: Iterable[str]) -> str:
    """A pattern that finds any of the words, the longest first; nothing at all where there are none."""
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True))) or r"(?!)"


def tongue(language: str) -> Tongue | None:
    """The table of a language ("de-AT" has that of "de"); None where there is none."""
    return _tongues().get(primary_language(language))


@cache
def _tongues() -> Mapping[str, Tongue]:
    text = resources.files("assistant.dialogue").joinpath("spoken_words.toml").read_text(encoding="utf-8")
    return {language: _tongue(language, table) for language, table in tomllib.loads(text).items()}


def _tongue(language: str, table: Mapping[str, str | Mapping[str, str]]) -> Tongue:
    parts = {name: value for name, value in table.items() if not isinstance(value, str)}
    words = {name: value for name, value in table.items() if isinstance(value, str)}
    return Tongue(
        language,
        words,
        parts["days"],
        parts["phrases"],
        parts["abbreviations"],
        parts["before_numbers"],
        parts["symbols"],
        {written: _counted(said) for written, said in parts["units"].items()},
        {written: _counted(said) for written, said in parts["scales"].items()},
        {name: _currency(said) for written, said in parts["currencies"].items() for name in written.split()},
        {noun: gender for gender, nouns in parts.get("genders", {}).items() for noun in nouns.split()},
        _stop(words["starters"].split()),
    )


def _counted(said: str) -> Counted:
    one, _, many = said.partition("|")
    return Counted(one, many or one)


def _currency(said: str) -> Currency:
    one, many, part, parts = said.split("|")
    return Currency(Counted(one, many), Counted(part, parts))


def _stop(starters: list[str]) -> re.Pattern[str]:
    if starters == ["any"]:
        return re.compile(r"[\"'”’)]*\s+[A-Z]")
    return re.compile(rf"[\"'”“)]*\s+(?:{either(starters)})\b")
