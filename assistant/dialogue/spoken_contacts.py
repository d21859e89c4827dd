"""Addresses and numbers that are no amounts, as a person dictates them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.dialogue.spoken_table import WORD_END, Rule, Tongue, either

_MAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}", re.ASCII
)
# The last part is in small letters, so that a lost space after a full stop makes no address.
_WEB = re.compile(
    r"(?<![\w@.-])(?:www\.)?([A-Za-z][A-Za-z0-9-]{1,62}(?:\.[a-z0-9-]{2,62}){0,4}\.[a-z]{2,12}"
    r"(?:/[A-Za-z0-9_-]{1,40}){0,2})/?(?![A-Za-z0-9@/])"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z\d]{4}){2,7}(?: ?[A-Z\d]{1,3})?\b")
# AB-12345, HM-2024-001, 123-456-789, 12345678: no range and no amount.
_CODE = re.compile(
    r"(?<![\w.,:/+-])(?:[A-Z]{1,4}-?\d{4,}(?:-\d+)*|[A-Z]{1,4}(?:-\d{2,}){2,}|\d{2,}(?:-\d{2,}){2,}|\d{8,})"
    r"(?![%€]|[.,]\d)" + WORD_END
)
_BREAKS = r"(?: ?[/–-] ?|[ .])"
_GROUP = r"\(?\d{1,14}\)?(?!\d|:\d|[-–]\d{1,2} ?(?:Uhr|am|pm)| ?(?:Uhr|am\b|pm\b|bis|to\b|Cent|시))"
_PHONE = re.compile(
    rf"(?<![\w.,:/+-])(?:\(?\+\d{{1,3}}\)?|\(0\d{{1,5}}\)|0\d{{1,14}}|\(\d{{3}}\)(?= \d{{3}}-\d{{4}}))"
    rf"(?:{_BREAKS}?\(0\) ?\d{{1,14}})?(?:{_BREAKS}{_GROUP}){{0,7}}{WORD_END}(?!:\d)"
    rf"|(?<![\w.,:/+-])(?:1[ .-])?\d{{3}}([ .-])\d{{3}}\1\d{{4}}{WORD_END}(?!-)"
    rf"|(?<![\w.,:/+-])1[568]\d\d-\d{{4}}(?![\d-])|(?<=[Cc]all )\d{{3}}-\d{{4}}(?![\d-])"
)
_FEWEST, _MOST = 6, 15  # digits of a telephone number
_LEADING_ZERO = re.compile(r"(?<![\w.,:/-])0\d{1,8}(?![:/]\d|[.,-]\d)" + WORD_END)
_MANY = 5  # digits that a listener keeps in mind at once


def contact_rules(tongue: Tongue) -> Iterator[Rule]:
    """Mail and web addresses, telephone and order numbers."""
    yield _MAIL, lambda found: _spelled(tongue, found[0])
    yield _WEB, lambda found: _spelled(tongue, found[1])
    yield _IBAN, lambda found: _in_groups(tongue, re.sub(r"(\w{4})(?=\w)", r"\1 ", _joined(found[0])))
    yield from _telephones(tongue)
    yield _CODE, lambda found: _in_groups(tongue, found[0])
    reference = rf"(?:{either(tongue.listed('reference'))})(?: (?:ist|is|lautet))?:? ?"
    yield (
        re.compile(rf"({reference})(\d{{4,7}}(?:-\d+)*)(?![.,]\d){WORD_END}"),
        lambda found: found[1] + _in_groups(tongue, found[2]),
    )
    if postcode := tongue.words["postcode"]:
        yield re.compile(postcode), lambda found: _in_groups(tongue, found[0])
    yield _LEADING_ZERO, lambda found: _in_groups(tongue, found[0])


def _telephones(tongue: Tongue) -> Iterator[Rule]:
    further = either({"ext.", "Ext.", "ext", "DW", tongue.words["extension"]})
    said = tongue.words["extension"]
    extension = rf"(?<=\d)(?:,? ?(?:{further}):? ?-?|(?<=\d{{4}}) ?x ?)(\d{{1,5}})\b"
    yield re.compile(extension), lambda found: f", {said} {_in_groups(tongue, found[1])}"
    yield _PHONE, lambda found: _dictated(tongue, found[0])
    word = rf"\b((?:{either(tongue.listed('phone'))})\b[.:]?:? ?)"
    named = rf"{word}(\d[\d /-]{{1,20}}\d|-\d{{1,5}})(?![.,:]\d){WORD_END}"
    yield re.compile(named), lambda found: found[1] + _in_groups(tongue, found[2])


def _dictated(tongue: Tongue, number: str) -> str:
    """Digit by digit, with a pause between the groups; anything too short or too long stays."""
    kept = number.replace("(0)", " ") if "+" in number else number
    if not _FEWEST <= sum(char.isdigit() for char in kept) <= _MOST:
        return number
    plus = f"{tongue.words['plus']} " if "+" in kept else ""
    return plus + _in_groups(tongue, kept)


def _in_groups(tongue: Tongue, code: str) -> str:
    """The signs of a code one by one, with a pause between its groups."""
    groups = [
        group
        for run in re.findall(r"[A-Za-z]{1,2}\d{1,3}(?!\d)|\d+|[A-Za-z]+", code)
        for group in _bearable(run)
    ]
    separate = [tongue.words["gap"].join(_sign(tongue, sign) for sign in group) for group in groups]
    return ", ".join(separate)


def _bearable(run: str) -> list[str]:
    """A long run in threes, with four at the end where one would be left."""
    if len(run) <= _MANY:
        return [run]
    starts = list(range(0, len(run), 3))
    if len(run) % 3 == 1:
        starts.pop()
    return [run[start:end] for start, end in zip(starts, [*starts[1:], len(run)], strict=True)]


def _sign(tongue: Tongue, sign: str) -> str:
    return tongue.listed("digits")[int(sign)] if sign.isdecimal() else sign.upper()


def _joined(text: str) -> str:
    return "".join(text.split())


def _spelled(tongue: Tongue, address: str) -> str:
    """The words of an address, and the marks between them by their names."""
    names = {"@": "at", ".": "dot", "-": "hyphen", "_": "underscore", "+": "plus", "/": "slash"}
    return re.sub(r"[@._+/-]", lambda mark: f" {tongue.words[names[mark[0]]]} ", address)
