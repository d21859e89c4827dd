"""Dates, times and counted things in Korean, where a voice takes the wrong one of its two rows of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_table import DASH, Rule, Tongue, either

# The native numbers up to twelve, for hours and for what is counted one by one.
_NATIVE = ("영", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열", "열한", "열두")
# Not 분 and 번: both mean something else with the other numbers.
_COUNTERS = "시간|개(?!월)|명|살|마리|장|대|권|병|잔|가지|달|벌|켤레|송이|사람"
_ISO_DATE = re.compile(
    r"(?<![\d.-])((?:19|20)\d\d)[-.] ?(0?[1-9]|1[0-2])[-.] ?(0?[1-9]|[12]\d|3[01])\.?(?![\d-])"
)
_HALF = r"(?:(?P<half{n}>오전|오후|저녁|아침|새벽|밤|낮) ?)?"
_MINUTES = r"(?::(?P<minute{n}>[0-5]\d)(?!\d)|시(?!간)(?: ?(?P<minutes{n}>[0-5]?\d)분)?)"
_CLOCK = rf"{_HALF}(?P<hour{{n}}>[01]?\d|2[0-4]){_MINUTES}"


def date_rules(tongue: Tongue) -> Iterator[Rule]:
    """Days and dates in full."""
    short, day = "".join(tongue.days), f"(?:{either((*tongue.days.values(), *tongue.days))})"
    yield re.compile(rf"(?<!\w)({day}) ?{DASH} ?({day})(?:까지)?"), partial(_days, tongue)
    row = rf"(?<!\w)[{short}](?:[·/,] ?[{short}])+(?!\w)"
    yield re.compile(row), lambda found: ", ".join(filter(None, map(tongue.days.get, found[0])))
    yield _ISO_DATE, lambda found: f"{found[1]}년 {int(found[2])}월 {int(found[3])}일"


def _days(tongue: Tongue, found: re.Match[str]) -> str:
    first, last = (tongue.days.get(day, day) for day in found.groups())
    return f"{first}부터 {last}까지"


def clock_rules(tongue: Tongue) -> Iterator[Rule]:  # noqa: ARG001
    """Hours in native numbers, halves of the day by name."""
    first, second = _CLOCK.replace("{n}", "1"), _CLOCK.replace("{n}", "2")
    start = r"(?<![\d.,:/-])"
    yield (
        re.compile(rf"{start}{first} ?{DASH} ?{second}(?:까지|에(?![가-힣]))?"),
        lambda found: f"{_time(found, '1')}부터 {_time(found, '2')}까지",
    )
    yield re.compile(start + first), lambda found: _time(found, "1")


def _time(found: re.Match[str], which: str) -> str:
    hour = int(found[f"hour{which}"])
    minute = int(found[f"minute{which}"] or found[f"minutes{which}"] or 0)
    half = found[f"half{which}"] or ""
    if not half and (found[f"minute{which}"] is not None or hour > 12):
        half = "오후" if 12 <= hour < 24 else "오전"
    native = _NATIVE[hour % 12 or 12] if hour else _NATIVE[12]
    past = {0: "", 30: " 반"}.get(minute, f" {minute}분")
    return f"{half} {native} 시{past}".strip()


def last_rules(tongue: Tongue) -> Iterator[Rule]:
    """Counted things, months with a name of their own, decimals."""
    yield (
        re.compile(rf"(?<![\d.,])(1[0-2]|[1-9]) ?({_COUNTERS})"),
        lambda found: f"{_NATIVE[int(found[1])]} {found[2]}",
    )
    yield re.compile(r"(?<![\d.,])6월"), "유월"
    yield re.compile(r"(?<![\d.,])10월"), "시월"
    yield re.compile(r"(?<![\d.])(\d{1,9})\.(\d{1,6})(?![\d.])"), partial(_decimal, tongue)


def _decimal(tongue: Tongue, found: re.Match[str]) -> str:
    digits = "".join(tongue.listed("digits")[int(digit)] for digit in found[2])
    whole = tongue.listed("digits")[int(found[1])].replace("공", "영") if len(found[1]) == 1 else found[1]
    return f"{whole} 점 {digits}"
