"""Dates, times and counted things in Korean, where the voice would take the wrong one of its two rows of numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_table import Rule, Tongue

_NATIVE = "영 한 두 세 네 다섯 여섯 일곱 여덟 아홉 열 열한 열두".split()
_ISO_DATE = re.compile(
    r"(?<![\d.-])((?:19|20)\d\d)[-.] ?(0?[1-9]|1[0-2])[-.] ?(0?[1-9]|[12]\d|3[01])\.?(?![\d-])"
)
_CLOCK = r"(?:(?P<half{n}>오전|오후|저녁|아침|새벽|밤|낮) ?)?(?P<hour{n}>[01]?\d|2[0-4])(?::(?P<minute{n}>[0-5]\d)(?!\d)|시(?!간)(?: ?(?P<minutes{n}>[0-5]?\d)분)?)"
# Counted with the native numbers up to twelve; 분 and 번 mean other things with the other ones.
_COUNTERS = "시간|개(?!월)|명|살|마리|장|대|권|병|잔|가지|달|벌|켤레|송이|사람"


def date_rules(tongue: Tongue) -> Iterator[Rule]:
    """Dates in numbers, with their counters."""
    yield _ISO_DATE, lambda found: f"{found[1]}년 {int(found[2])}월 {int(found[3])}일"


def clock_rules(tongue: Tongue) -> Iterator[Rule]:
    """Hours in native numbers, halves of the day by name."""
    first, second = _CLOCK.replace("{n}", "1"), _CLOCK.replace("{n}", "2")
    yield (
        re.compile(rf"(?<![\d.,:/-]){first} ?[~∼～〜–-] ?{second}(?:까지|에(?![가-힣]))?"),
        lambda found: f"{_time(found, '1')}부터 {_time(found, '2')}까지",
    )
    yield re.compile(rf"(?<![\d.,:/-]){first}"), lambda found: _time(found, "1")


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
