"""Abbreviations, signs and names of days that are written short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_table import DASH, Rule, Tongue, either

_FRACTIONS = {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓", "2/3": "⅔"}


def phrase_rules(tongue: Tongue) -> Iterator[Rule]:
    """What is said in one piece, before anything looks at its parts."""
    yield re.compile(r"(?<![\w#])# ?(?=\d)"), f"{tongue.words['number']} "
    fraction = rf"(?<![\d/.,-])(?:{either(_FRACTIONS)})(?= [^\W\d])"
    yield re.compile(fraction), lambda found: _FRACTIONS[found[0]]
    yield re.compile(r"(?<=\d) ½"), "½"
    phrase = rf"(?<![\w/])({either(tongue.phrases)})(?![\w/])"
    yield re.compile(phrase), lambda found: tongue.phrases[found[0]]
    if half := tongue.words["half"]:
        yield re.compile(r"(?<=\d)½"), f" {half}"


def shorthand_rules(tongue: Tongue) -> Iterator[Rule]:
    """Abbreviations, words to be spelled, and signs."""
    numbered = either(tongue.before_numbers)
    yield (
        re.compile(rf"(?<![\w.])({numbered}) ?(?=\d)"),
        lambda found: f"{tongue.before_numbers[found[1]]} ",
    )
    yield _abbreviations(tongue)
    if letters := tongue.listed("letters"):
        yield re.compile(rf"\b({either(letters)})(?:-(?=[A-ZÄÖÜ])|\b)"), _letter_by_letter
    yield from _signs(tongue)


def _abbreviations(tongue: Tongue) -> Rule:
    shorts = {"".join(short.split()): said for short, said in tongue.abbreviations.items()}
    shorts = {_capitalized(short): _capitalized(said) for short, said in shorts.items()} | shorts
    # "z. B." may be written with a space in it or without.
    spaced = "|".join(
        re.escape(short).replace(r"\.", r"\. ?").removesuffix(" ?")
        for short in sorted(shorts, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w.@])(?:{spaced})(?![\w@])"), partial(_written_out, tongue, shorts)


def _written_out(tongue: Tongue, shorts: dict[str, str], found: re.Match[str]) -> str:
    return shorts["".join(found[0].split())] + tongue.full_stop(found)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def _letter_by_letter(found: re.Match[str]) -> str:
    return " ".join(found[1]) + (" " if found[0].endswith("-") else "")


def _signs(tongue: Tongue) -> Iterator[Rule]:
    yield (
        re.compile(rf" ?({either(tongue.symbols)}) ?"),
        lambda found: f" {said} " if (said := tongue.symbols[found[1]]) else " ",
    )
    yield re.compile(r"(?<=[^\W\d_]) ?/ ?(?=[^\W\d_])"), f" {tongue.words['or']} "


def weekday_rules(tongue: Tongue) -> Iterator[Rule]:
    """Days that are written short: "Mo-Fr", "Sa & So", "Mi: geschlossen"; "so" alone is a word."""
    day = rf"(?:{either((*tongue.days, *tongue.days.values()))})"
    join = rf"(?: ?(?:{DASH}|,|&|\+|/) ?| (?:und|u\.|and|bis|to) )"
    chain = rf"(?<![\w-]){day}\.?(?:{join}{day}\b\.?)+(?![\w-])"
    yield re.compile(chain), partial(_days_in_a_row, tongue)
    has_hours = rf"(?=:? (?:\d{{1,2}}(?:[:. ]|{DASH})|{either(tongue.listed('closed'))})|, \d{{1,2}}\.)"
    yield (
        re.compile(rf"(?<![\w-])({either(tongue.days)})(?:\.|(?=[:,])|(?= \d)){has_hours}"),
        lambda found: tongue.days[found[1]],
    )


def _days_in_a_row(tongue: Tongue, found: re.Match[str]) -> str:
    in_full = re.sub(r"\b([^\W\d_]+)\b\.?", lambda word: tongue.days.get(word[1], word[0]), found[0])
    ranged = re.sub(rf" ?{DASH} ?", f" {tongue.words['range']} ", in_full)
    joined = re.sub(r" ?(?:[&+/]|u\.) ?", f" {tongue.words['and']} ", ranged)
    return joined + tongue.full_stop(found)
