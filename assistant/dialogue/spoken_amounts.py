"""Prices, measures and ranges, as a person says them; plain whole numbers stay digits for the voice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from assistant.dialogue.spoken_table import DASH, WORD_END, Currency, Rule, Tongue, either

_BEFORE = r"(?<![\w.,:/+-])"
_LARGEST_OF_RANGE = 6  # digits; longer ones are codes
# "a €10 voucher": the thing is told after the amount, which then stands for one.
_ATTRIBUTE = re.compile(r"\b(?:a|an|another)\s$", re.IGNORECASE)


def amount_rules(tongue: Tongue) -> Iterator[Rule]:
    """In this order: prices, sizes, measures, ranges, what is left of thousands."""
    yield re.compile(r"(?:^|(?<=[\s(]))[-−–](?=[$€£]?\d)"), f"{tongue.words['minus']} "
    yield from _prices(tongue)
    yield from _measures(tongue)
    yield from _ranges(tongue)
    yield re.compile(rf"{_BEFORE}{tongue.number}(?![.,:]\d){WORD_END}"), lambda found: tongue.plain(found[0])


# --- prices ----------------------------------------------------------------------------------


def _prices(tongue: Tongue) -> Iterator[Rule]:
    names = either(tongue.currencies)
    number, per = tongue.number, tongue.words["per"]
    scale = rf"(?: ?(?P<scale>{either(tongue.scales)})\b\.?)?"
    dash = rf" ?{DASH} ?" if tongue.language != "ko" else r" ?[-–~] ?"
    yield re.compile(rf"(?<=[\d\W])({names}) ?/ ?(?=[^\W\d])"), rf"\1 {per} "
    yield re.compile(rf"((?:{names}) ?{number}) ?/ ?(?=[^\W\d])"), rf"\1 {per} "
    first = rf"(?P<first>{number})(?:[.,]{DASH}+)?"
    yield (
        re.compile(
            rf"(?<![\w.,])(?P<name>{names}) ?{first}(?:{dash}(?:{names})? ?(?P<last>{number}))?{scale}{WORD_END}"
        ),
        partial(_price, tongue),
    )
    if tongue.language == "de":
        yield (
            re.compile(rf"{_BEFORE}({number}) ?({either(tongue.scales)})\b\.?+(?! ?(?:{names}))"),
            partial(_many, tongue),
        )
    end = r"(?![A-Za-zÄÖÜäöüß])"
    yield (
        re.compile(
            rf"{_BEFORE}{first}(?: ?(?:{names}))?(?:{dash}(?P<last>{number})(?:[.,]{DASH}+)?)?{scale} ?(?P<name>{names}){end}"
        ),
        partial(_price, tongue),
    )


def _price(tongue: Tongue, found: re.Match[str]) -> str:
    currency = tongue.currencies[found["name"]]
    is_attribute = tongue.language == "en" and _is_attribute(found)
    if found["scale"]:
        return _scaled(tongue, found, currency)
    last = _money(tongue, found["last"] or found["first"], currency, is_attribute)
    if not found["last"]:
        return last
    first = found["first"]
    has_parts = tongue.words["decimal"] in first
    told = _money(tongue, first, currency, is_attribute) if has_parts else tongue.plain(first)
    return _from_to(tongue, told, last)


def _scaled(tongue: Tongue, found: re.Match[str], currency: Currency) -> str:
    scale = tongue.scales[found["scale"]]
    last = found["last"] or found["first"]
    name = scale.one if tongue.is_one(last) else scale.many
    first = f"{tongue.plain(found['first'])} {tongue.words['range']} " if found["last"] else ""
    gap = "" if tongue.language == "ko" else " "
    return f"{first}{tongue.plain(last)}{gap}{name} {currency.whole.many}"


def _money(tongue: Tongue, number: str, currency: Currency, is_attribute: bool) -> str:
    whole, _, parts = tongue.plain(number).partition(tongue.words["decimal"])
    name = currency.whole.one if is_attribute or tongue.is_one(whole) else currency.whole.many
    gap = "" if tongue.language == "ko" else " "
    if len(parts) not in (0, 2) or not currency.part.one:
        return f"{tongue.plain(number)}{gap}{name}"
    if not parts.strip("0"):
        return f"{whole}{gap}{name}"
    count = int(parts)
    part = f"{count}{gap}{currency.part.one if count == 1 else currency.part.many}"
    if not whole.strip("0"):
        return part
    if tongue.language == "ko":
        return f"{whole}{name} {part}"
    return f"{whole} {name} {count}" if count > 9 else f"{whole} {name} {tongue.words['and']} {part}"


def _is_attribute(found: re.Match[str]) -> bool:
    after = found.string[found.end() : found.end() + 2]
    return bool(_ATTRIBUTE.search(found.string[: found.start()][-9:])) and bool(re.match(r" [a-z]", after))


def _many(tongue: Tongue, found: re.Match[str]) -> str:
    scale = tongue.scales[found[2]]
    return f"{found[1]} {scale.one if tongue.is_one(found[1]) else scale.many}"


# --- measures --------------------------------------------------------------------------------


def _measures(tongue: Tongue) -> Iterator[Rule]:
    units = either(tongue.units)
    yield re.compile(rf"(?<=\d)( ?(?:{units}))? ?[x×] ?(?=\d)"), rf"\1 {tongue.words['by']} "
    yield re.compile(r"(?<=\d) ?[x×](?!\w)"), f" {tongue.words['times']}"
    yield re.compile(r"(?<=\d)%ig"), "prozentig"
    dash = rf" ?{DASH} ?" if tongue.language != "ko" else r" ?[-–~] ?"
    measure = (
        rf"(?P<number>{tongue.number})(?P<gap>[ -]?)(?P<unit>{units})(?![²³]|/\w){WORD_END}(?:\.(?!\d))?"
    )
    first = rf"(?:(?P<first>{tongue.number})(?: ?(?:{units}))?{dash})?"
    yield re.compile(rf"{_BEFORE}{first}{measure}"), partial(_measured, tongue)
    per = either({tongue.words["per"], "je", "a", "per"})
    yield (
        re.compile(rf"(\b(?:{per}) |(?<=[a-zäöüß]) ?/ ?)({units})(?![\w/])"),
        lambda found: (
            f" {tongue.words['per']} {tongue.units[found[2]].one}"
            if "/" in found[1]
            else found[1] + tongue.units[found[2]].one
        ),
    )


def _measured(tongue: Tongue, found: re.Match[str]) -> str:
    unit, number = tongue.units[found["unit"]], tongue.plain(found["number"])
    is_joined = found["gap"] == "-"
    is_single = is_joined or tongue.is_one(number) or (tongue.language == "en" and _is_attribute(found))
    gap = "" if tongue.language == "ko" else ("-" if is_joined else " ")
    told = f"{number}{gap}{unit.one if is_single else unit.many}"
    if found["first"]:
        told = _from_to(tongue, tongue.plain(found["first"]), told)
    return told + tongue.full_stop(found)


# --- ranges ----------------------------------------------------------------------------------


def _ranges(tongue: Tongue) -> Iterator[Rule]:
    plain, between = tongue.number, rf"(?:(?<=\d){DASH}(?=\d)| [–—] )"
    counter = r"(?:일|주|개월|시간|명|개|년|월|회|층|분|만|장|권|번|살|세|박|인)?"
    if tongue.language == "ko":
        yield (
            re.compile(rf"{_BEFORE}({plain})({counter}) ?[~∼〜～–-] ?({plain})({counter})(?![\d.,:-]\d)"),
            lambda found: _korean_range(tongue, found),
        )
        yield re.compile(r"[~∼〜～] ?(?=\d)"), f"{tongue.words['about']} "
        return
    yield (
        re.compile(rf"{_BEFORE}({plain}){between}({plain})(?![a-zA-Z]|[-–/:.,]\d)"),
        partial(_range, tongue),
    )
    yield re.compile(r"(?<!\w)[~≈] ?(?=\d)"), f"{tongue.words['about']} "


def _range(tongue: Tongue, found: re.Match[str]) -> str:
    first, last = tongue.plain(found[1]), tongue.plain(found[2])
    return f"{first} {tongue.words['range']} {last}" if _rises(tongue, first, last) else found[0]


def _rises(tongue: Tongue, first: str, last: str) -> bool:
    """Whether two numbers are the ends of a range, and not a score or a code."""
    if max(len(first), len(last)) > _LARGEST_OF_RANGE or re.match(r"0\d", first):
        return False
    value: Callable[[str], float] = lambda text: float(text.replace(tongue.words["decimal"], "."))  # noqa: E731
    return value(first) < value(last)


def _korean_range(tongue: Tongue, found: re.Match[str]) -> str:
    first, last = tongue.plain(found[1]), tongue.plain(found[3])
    if not _rises(tongue, first, last):
        return found[0]
    return _from_to(tongue, first + (found[2] or found[4]), last + found[4])


def _from_to(tongue: Tongue, first: str, last: str) -> str:
    gap = "" if tongue.language == "ko" else " "
    return f"{first}{gap}{tongue.words['range']} {last}"
