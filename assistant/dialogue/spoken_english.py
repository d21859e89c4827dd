"""Dates and times in English, where the voice would say them wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_shorthand import weekday_rules
from assistant.dialogue.spoken_table import DASH, Rule, Tongue, either

_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?", r"(?:19|20)\d\d"
_ISO_DATE = re.compile(r"(?<![\d.-])((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\d-])")
_MONTH_OF_YEAR = re.compile(r"(?<![\d./-])(0?[1-9]|1[0-2])/((?:19|20)\d\d)(?![\d/-])")
_NUMBERS = re.compile(r"(?<![\d./:-])(\d{1,2})([/.])(\d{1,2})\2((?:19|20)\d\d)(?![\d/-])")
_HALF_DAY = re.compile(r"(?<![\d.,:])(\d{1,2}(?:[:.][0-5]\d)?) ?([AaPp])(?:\.? ?[Mm]\.|[Mm]\b)(?!\w)")
_TO_CLOCK = r"\d{1,2}(?::[0-5]\d)?(?: [ap]m\b| o'clock)|\d{1,2}:[0-5]\d"
_STREET_NUMBER = re.compile(r"\d\w? (?:\w+ ){1,3}$")


def date_rules(tongue: Tongue) -> Iterator[Rule]:
    """Days become ordinals: "31 December 2028" is "the 31st of December 2028"."""
    # Opening hours without am and pm: "Mon-Wed 10-6".
    day = either((*tongue.days, *tongue.days.values()))
    yield re.compile(rf"\b((?:{day})[:,]? \d{{1,2}}) ?{DASH} ?(?=\d{{1,2}}\b(?!:| ?[ap]\.?m))"), r"\1 to "
    yield from weekday_rules(tongue)
    months = tongue.listed("months")
    month = rf"(?P<month>{either(months + tongue.listed('months_short'))})"
    yield _ISO_DATE, lambda found: f"{months[int(found[2]) - 1]} {_ordinal(found[3])}, {found[1]}"
    yield _MONTH_OF_YEAR, lambda found: f"{months[int(found[1]) - 1]} {found[2]}"
    yield _NUMBERS, partial(_numbers, tongue)
    join = rf"(?P<join> ?{DASH} ?| (?:to|and) )"
    days = rf"(?P<the>\b[Tt]he )?(?<![\d.,:/-])(?:(?P<first>{_DAY}){join})?(?P<last>{_DAY})"
    yield re.compile(rf"{days}(?: of)? {month}\b\.?(?:,? (?P<year>{_YEAR})\b)?"), partial(_day_month, tongue)
    days = rf"(?P<first>{_DAY})(?:{join}(?P<last>{_DAY}))?(?![\w:%]|[.,]\d|[/–-]\d| (?:[ap]m|percent)\b)"
    yield re.compile(rf"\b{month}\.? {days}(?:,? (?P<year>{_YEAR})\b)?"), partial(_month_day, tongue)
    to_month = rf"\b{month}\.? ?{DASH} ?{month.replace('<month>', '<end>')}\b\.?"
    yield (
        re.compile(to_month),
        lambda found: f"{_month(tongue, found['month'])} to {_month(tongue, found['end'])}",
    )


def _numbers(tongue: Tongue, found: re.Match[str]) -> str:
    """A date in numbers, where it is clear which of them is the month."""
    first, second = int(found[1]), int(found[3])
    is_day_first = found[2] == "." or first > 12
    day, month = (first, second) if is_day_first else (second, first)
    is_clear = found[2] == "." or first > 12 or second > 12 or first == second
    if not (is_clear and 1 <= month <= 12 and 1 <= day <= 31):
        return f"{first} {second} {found[4]}"
    return f"{tongue.listed('months')[month - 1]} {_ordinal(str(day))}, {found[4]}"


def _day_month(tongue: Tongue, found: re.Match[str]) -> str:
    first = f"{_ordinal(found['first'])}{_to(found)}" if found["first"] else ""
    year = f" {_year(found['year'])}" if found["year"] else ""
    days = f"{found['the'] or 'the '}{first}{_ordinal(found['last'])}"
    return f"{days} of {_month(tongue, found['month'])}{year}{tongue.full_stop(found)}"


def _month_day(tongue: Tongue, found: re.Match[str]) -> str:
    last = f"{_to(found)}{_ordinal(found['last'])}" if found["last"] else ""
    year = f", {_year(found['year'])}" if found["year"] else ""
    return f"{_month(tongue, found['month'])} {_ordinal(found['first'])}{last}{year}"


def _to(found: re.Match[str]) -> str:
    """What joins two days: the word that is written, or one for a dash."""
    return str(found["join"]) if found["join"].strip().isalpha() else " to "


def _month(tongue: Tongue, name: str) -> str:
    months = tongue.listed("months")
    return next(month for month in months if month.startswith(name[:3]))


def _ordinal(day: str) -> str:
    number = int(day.rstrip("stndrh"))
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def clock_rules(tongue: Tongue) -> Iterator[Rule]:
    """Times of day: "5:00 p.m." is "5 pm", "17:15" is "5:15 pm", "10:00" is "10 o'clock"."""
    yield _HALF_DAY, partial(_half_day, tongue)
    start = r"(?<![\d.,:])(\d{1,2}(?::[0-5]\d)?(?: [ap]m)?)"
    yield re.compile(rf"{start} ?{DASH} ?(?={_TO_CLOCK})"), r"\1 to "
    clock = r"(?<![\d.,:/])([01]?\d|2[0-4]):([0-5]\d)(?::00)?(?! [ap]m|\d|:\d|[.,]\d)"
    of_clock = r"(?: ?(?:o'clock|h\b|hrs\b))?"
    end = r"(?P<hour>\d{1,2})(?::\d\d|(?P<half> [ap]m))"
    goes_on = rf"(?P<goes_on>(?= (?:to|until|till|and|or) {end}))?"
    yield re.compile(clock + of_clock + goes_on), partial(_clock, tongue)
    yield re.compile(r"(?<![\d.,:])(\d{1,2}):0([1-9])(?= [ap]m)"), r"\1 oh \2"


def _half_day(tongue: Tongue, found: re.Match[str]) -> str:
    time = found[1].replace(".", ":").removesuffix(":00")
    rest = found.string[found.end() :]
    has_dot = found[0].endswith(".")
    is_stop = has_dot and (not rest.strip("\"'”’) ") or tongue.stop.match(rest))
    return f"{time} {found[2].lower()}m" + ("." if is_stop else "")


def _clock(tongue: Tongue, found: re.Match[str]) -> str:
    before = found.string[: found.start()].split()
    if before and before[-1] in tongue.listed("not_a_time_after"):
        return f"{int(found[1])} to {int(found[2])}"
    hour, minute = int(found[1]), int(found[2])
    goes_on = found["goes_on"] is not None
    is_whole_day = hour > 12 or hour == 0 or (goes_on and not found["half"] and int(found["hour"]) > 12)
    told = _minutes(hour % 12 or 12 if is_whole_day else hour, minute)
    if is_whole_day:
        return f"{told} {'pm' if 12 <= hour < 24 else 'am'}"
    return told if minute or goes_on else f"{told} o'clock"


def _minutes(hour: int, minute: int) -> str:
    if not minute:
        return str(hour)
    return f"{hour}:{minute}" if minute > 9 else f"{hour} oh {minute}"


def last_rules(tongue: Tongue) -> Iterator[Rule]:
    """Streets and saints, years of the last centuries."""
    street = r"(?P<name>[A-Z][\w'-]* )\bSt(?:\.|(?=[,.;]|$))"
    yield re.compile(rf"(?P<before>[\w'-]+ )?\bSt\.? (?=[A-Z])|{street}"), partial(_saint, tongue)
    yield re.compile(r"(?P<name>\b[A-Z][\w'-]* )Dr\.(?=[,;]| [a-z]|$)"), r"\g<name>Drive"
    since = r"(?:[Ss]ince|[Ii]n|[Ff]rom|[Yy]ear|[Uu]ntil|[Bb]y|[Oo]f) "
    years = rf"\b({since})(1[89]\d\d)\b(?! [a-z]+s\b)"
    yield re.compile(years), lambda found: found[1] + _year(found[2])
    yield re.compile(r"(?<![\d:])(\d{1,3}):(\d)(?![\d:])"), r"\1 to \2"


def _saint(tongue: Tongue, found: re.Match[str]) -> str:
    """ "St." before a name is a saint, after one a street."""
    if found["name"]:
        return f"{found['name']}Street" + tongue.full_stop(found)
    before = found["before"] or ""
    head = found.string[: found.start()]
    is_name = before[:1].isupper() and head.strip() and not head.rstrip().endswith((".", "!", "?", ":"))
    is_street = bool(_STREET_NUMBER.search(head + before)) or is_name
    return f"{before}Street. " if is_street else f"{before}Saint "


def _year(year: str) -> str:
    """Years before 2000 in two halves, as people say them."""
    century, rest = year[:2], int(year[2:])
    if int(century) >= 20:
        return year
    if not rest:
        return f"{century} hundred"
    return f"{century} {rest}" if rest > 9 else f"{century} oh {rest}"
