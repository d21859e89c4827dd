"""Prices, measures and ranges, as a person says them; plain whole numbers stay digits for the voice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from assistant.dialogue.spoken_table import DASH, WORD_END, Currency, Rule, Tongue, either

_BEFORE = r"(?<![\w.,:+-])(?<!\d/)"
_LARGEST_OF_RANGE = 6  # digits; longer ones are codes


def amount_rules(tongue: Tongue) -> Iterator[Rule]:
    """In this order: what is below nought, prices, sizes, measures, ranges, what is left of thousands."""
    yield re.compile(r"(?:^|(?<=[\s(]))[-−–](?=[$€£]?\d)"), f"{tongue.words['minus']} "
    yield from _prices(tongue)
    yield from _measures(tongue)
    yield from _ranges(tongue)
    yield re.compile(rf"{_BEFORE}{tongue.number}(?![.,:]\d){WORD_END}"), lambda found: tongue.plain(found[0])


# --- prices ----------------------------------------------------------------------------------


def _prices(tongue: Tongue) -> Iterator[Rule]:
    names, number = f"(?:{either(tongue.currencies)})", tongue.number
    yield (
        re.compile(rf"((?<=[\d\W]){names}|{names} ?{number}) ?/ ?(?=[^\W\d])"),
        rf"\1 {tongue.words['per']} ",
    )
    scale = rf"(?: ?(?P<scale>{either(tongue.scales)})\b\.?)?"
    first, last = rf"(?P<first>{number})(?:[.,]{DASH}+)?", rf"(?P<last>{number})(?:[.,]{DASH}+)?"
    said = partial(_price, tongue)
    yield (
        re.compile(rf"(?<![\w.,])(?P<name>{names}) ?{first}(?: ?{DASH} ?{names}? ?{last})?{scale}{WORD_END}"),
        said,
    )
    yield _scaled_numbers(tongue)
    to_last = rf"(?: ?{names})?(?: ?{DASH} ?{last})?"
    yield re.compile(rf"{_BEFORE}{first}{to_last}{scale} ?(?P<name>{names})(?![^\W\d_가-힣])"), said


def _scaled_numbers(tongue: Tongue) -> Rule:
    """ "5 Mio. Kunden" without a currency."""
    scales = either(tongue.listed("lone_scales"))
    pattern = rf"{_BEFORE}({tongue.number}) ?({scales})\b\.?+(?! ?(?:{either(tongue.currencies)}))"
    return re.compile(pattern), lambda found: tongue.count(found[1], tongue.scales[found[2]])


def _price(tongue: Tongue, found: re.Match[str]) -> str:
    currency, first, last = tongue.currencies[found["name"]], found["first"], found["last"]
    if found["scale"]:
        amount = tongue.count(tongue.plain(last or first), tongue.scales[found["scale"]])
        told = f"{amount} {currency.whole.many}"
        return tongue.from_to(tongue.plain(first), told) if last else told
    is_attribute = _is_attribute(tongue, found)
    told = _money(tongue, last or first, currency, is_attribute)
    if not last:
        return told
    has_parts = tongue.words["decimal"] in first
    return tongue.from_to(
        _money(tongue, first, currency, is_attribute) if has_parts else tongue.plain(first), told
    )


def _money(tongue: Tongue, number: str, currency: Currency, is_attribute: bool) -> str:
    whole, _, parts = tongue.plain(number).partition(tongue.words["decimal"])
    if len(parts) not in (0, 2) or not currency.part.one:
        return tongue.count(tongue.plain(number), currency.whole, is_attribute)
    if not parts.strip("0"):
        return tongue.count(whole, currency.whole, is_attribute)
    part = tongue.count(str(int(parts)), currency.part)
    if not whole.strip("0"):
        return part
    template = tongue.words["money" if int(parts) > 9 else "money_and_few_cents"]
    name = currency.whole.one if is_attribute or whole == "1" else currency.whole.many
    return template.format(whole=whole, name=name, count=int(parts), part=part)


def _is_attribute(tongue: Tongue, found: re.Match[str]) -> bool:
    """ "A €10 voucher": the thing is told after the amount, which then stands for one."""
    before = found.string[max(0, found.start() - 10) : found.start()].split()
    is_followed = re.match(r" [a-z]", found.string[found.end() : found.end() + 2])
    return bool(before and before[-1].lower() in tongue.listed("articles") and is_followed)


# --- measures --------------------------------------------------------------------------------


def _measures(tongue: Tongue) -> Iterator[Rule]:
    units, number = f"(?:{either(tongue.units)})", tongue.number
    yield re.compile(rf"(?<=\d)( ?{units})? ?[x×] ?(?=\d)"), rf"\1 {tongue.words['by']} "
    yield re.compile(r"(?<=\d) ?[x×](?!\w)"), f" {tongue.words['times']}"
    first = rf"(?:(?P<first>{number})(?: ?{units})? ?{DASH} ?)?"
    measure = rf"(?P<number>{number})(?P<gap>[ -]?)(?P<unit>{units})(?![²³]|/[A-Za-z]){WORD_END}(?:\.(?!\d))?"
    yield re.compile(rf"{_BEFORE}{first}{measure}"), partial(_measured, tongue)
    per = rf"(?:\b(?:{either(tongue.listed('per_words'))}) |(?<=[a-zäöüß]) ?/ ?)(?P<unit>{units})(?![\w/])"
    yield re.compile(per), lambda found: _per(tongue, found)


def _measured(tongue: Tongue, found: re.Match[str]) -> str:
    unit, number = tongue.units[found["unit"]], tongue.plain(found["number"])
    told = tongue.count(number, unit, _is_attribute(tongue, found))
    if found["gap"] == "-":
        told = f"{number}-{unit.one}"
    if found["first"]:
        told = tongue.from_to(tongue.plain(found["first"]), told)
    return told + tongue.full_stop(found)


def _per(tongue: Tongue, found: re.Match[str]) -> str:
    written = found[0].removesuffix(found["unit"])
    before = f" {tongue.words['per']} " if "/" in written else written
    return before + tongue.units[found["unit"]].one


# --- ranges ----------------------------------------------------------------------------------


def _ranges(tongue: Tongue) -> Iterator[Rule]:
    number, counter = tongue.number, f"({either(tongue.listed('counters'))})?"
    between = r"(?: ?[~∼〜～] ?|[-–—−]| [-–—] )"
    ends = r"(?![a-zA-Z]|[-–/:.,]\d)"
    pattern = rf"{_BEFORE}({number}){counter}{between}({number}){counter}{ends}"
    yield re.compile(pattern), partial(_range, tongue)
    rated = rf"(?<=\d)/(?=\d{{1,3}} (?:{either(tongue.listed('rated'))})\b)"
    yield re.compile(rated), f" {tongue.words['of']} "
    yield re.compile(r"(?<!\w)[~∼〜～≈] ?(?=\d)"), f"{tongue.words['about']} "


def _range(tongue: Tongue, found: re.Match[str]) -> str:
    first, last = tongue.plain(found[1]), tongue.plain(found[3])
    if not _rises(first.replace(",", "."), last.replace(",", ".")):
        return found[0]
    counter = found[4] or ""
    return tongue.from_to(first + (found[2] or counter), last + counter)


def _rises(first: str, last: str) -> bool:
    """Whether two numbers are the ends of a range, and not a score or a code."""
    is_code = max(len(first), len(last)) > _LARGEST_OF_RANGE or re.match(r"0\d", first)
    return not is_code and float(first) < float(last)
