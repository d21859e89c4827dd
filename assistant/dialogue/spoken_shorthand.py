"""Abbreviations, signs and names of days that are written short."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_table import DASH, Rule, Tongue, either

_SPACED_ABBREVIATION = re.compile(r"(?<=\.) (?=\w)")


def phrase_rules(tongue: Tongue) -> Iterator[Rule]:
    """What is said in one piece, before anything looks at its parts."""
    yield re.compile(r"(?<![\w#])# ?(?=\d)"), f"{tongue.words['number']} "
    yield re.compile(r"(?<![\d/.,-])([13])/([234])(?= [^\W\d])"), _fraction
    yield (
        re.compile(rf"(?<![\w/])(\d+ ?)?({either(tongue.phrases)})(?![\w/])"),
        lambda found: _phrase(tongue, found),
    )


def _fraction(found: re.Match[str]) -> str:
    return {"1/2": "½", "1/4": "¼", "3/4": "¾", "1/3": "⅓"}.get(found[0], found[0])


def _phrase(tongue: Tongue, found: re.Match[str]) -> str:
    if not found[1]:
        return tongue.phrases[found[2]]
    whole = tongue.phrases.get(found[1].strip() + found[2])
    if whole:
        return whole
    halves = {"de": f"{found[1].strip()} einhalb", "en": f"{found[1].strip()} and a half"}
    return halves.get(tongue.language, found[0]) if found[2] == "½" else found[0]


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
    shorts |= {
        _capitalized(short): _capitalized(said) for short, said in shorts.items() if short not in ("u.",)
    }
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
    if tongue.language == "de":  # "Kund:innen", "Mitarbeiter/-innen": a breath and no more
        yield re.compile(r"(?<=[a-zäöüß])(?::|\*|_|/-?)(?=in(?:nen)?\b)"), " "
    yield re.compile(r"(?<=[^\W\d_]) ?/ ?(?=[^\W\d_])"), f" {tongue.words['or']} "


def weekday_rules(tongue: Tongue) -> Iterator[Rule]:
    """Days that are written short: "Mo-Fr", "Sa & So", "Mi: geschlossen"; "so" alone is a word."""
    days = tongue.listed("weekdays")
    shorts = dict(zip(tongue.listed("weekdays_short"), days, strict=False))
    if tongue.language == "en":
        shorts |= {"Tues": "Tuesday", "Weds": "Wednesday", "Thur": "Thursday", "Thurs": "Thursday"}
    day = rf"(?:{either((*shorts, *days))})"
    if tongue.language == "ko":
        yield re.compile(rf"(?<!\w)({day}) ?[~∼～〜–-] ?({day})(?:까지)?"), _korean_days(shorts)
        row = rf"(?<!\w)[{''.join(shorts)}](?:[·/,] ?[{''.join(shorts)}])+(?!\w)"
        yield re.compile(row), lambda found: ", ".join(shorts[day] for day in found[0] if day in shorts)
        return
    join = rf"(?: ?(?:{DASH}|,|&|\+|/) ?| (?:und|u\.|and|bis|to) )"
    chain = rf"(?<![\w-]){day}\.?(?:{join}{day}\b\.?)+(?![\w-])"
    yield re.compile(chain), lambda found: _days_in_a_row(tongue, shorts, found[0]) + tongue.full_stop(found)
    alone = rf"(?<![\w-])({either(shorts)})(?:\.?:|\.|,(?= \d)|(?=,? \d{{1,2}}(?:[:. ]|{DASH})))(?= (?:\d|{either(tongue.listed('closed'))}))"
    yield re.compile(alone), lambda found: shorts[found[1]] + found[0][len(found[1]) :].replace(".", "")


def _days_in_a_row(tongue: Tongue, shorts: dict[str, str], written: str) -> str:
    named = re.sub(rf"\b({either(shorts)})\b\.?", lambda found: shorts[found[1]], written)
    ranged = re.sub(rf"(?<=\w) ?{DASH} ?(?=\w)", f" {tongue.words['range']} ", named)
    return re.sub(r"(?<=\w) ?[&+/] ?(?=\w)", f" {tongue.words['and']} ", ranged).replace(" u. ", " und ")


def _korean_days(shorts: dict[str, str]):  # type: ignore[no-untyped-def]
    return lambda found: f"{shorts.get(found[1], found[1])}부터 {shorts.get(found[2], found[2])}까지"
