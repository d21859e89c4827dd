"""Arrows: `words, other words -> entry`."""

from __future__ import annotations

import re

from assistant.knowledge.lines import Findings, bare, shortened, spaced
from assistant.knowledge.lists import Item, Part, report_long, says_something
from assistant.knowledge.names import is_name, suggested_name
from assistant.values import Arrow, Place

_ARROW = re.compile(r"(?<![-=<–—])->")
# What people type, and what text programs make of it.
_OTHER_ARROW = re.compile(r"[-=]?&gt;|[-–—=~]{1,3}\s?>|[→⇒➔➜➡]\ufe0f?|>")
_COMMA = re.compile(r"(?<![0-9]),|,(?![0-9])|[，、]")  # not the comma of "2,50 €"


def has_arrow(text: str) -> bool:
    """True for a text with an arrow, or something that looks like one."""
    return bool(_ARROW.search(text) or _OTHER_ARROW.search(text))


def ends_in_arrow(text: str) -> bool:
    """True for a text that ends in an exact arrow to an entry name."""
    before, _, after = text.rpartition("->")
    return says_something(before) and is_name(after.strip())


def read_arrow(item: Item, part: Part, findings: Findings) -> Arrow | None:
    """The arrow of a line, or None; slips are reported with the line as it should be."""
    exact = list(_ARROW.finditer(item.text))
    signs = exact or list(_OTHER_ARROW.finditer(item.text))
    number = item.line.number
    if not signs:
        hint = f"name the entry it leads to: `- {shortened(item.text)} -> name-of-entry`"
        findings.add("no-arrow", number, f"in {part.whose}, a line has no arrow `->`", hint)
        return None
    found = signs[-1]
    before, target = item.text[: found.start()], bare(item.text[found.end() :])
    words = tuple(word for word in map(spaced, _COMMA.split(before)) if says_something(word))
    slip = _slip(words, target, found[0], len(exact))
    if slip:
        kind, fact, hint = slip
        findings.add(kind, number, f"in {part.whose}, {fact}", hint)
    report_long(item, part, findings)
    return Arrow(words, target, Place(findings.path, number)) if words and is_name(target) else None


def _slip(words: tuple[str, ...], target: str, sign: str, exact: int) -> tuple[str, str, str] | None:
    """Kind, fact and hint of what is wrong with an arrow; None where nothing is."""
    if exact > 1:
        return "two-arrows", "a line has more than one arrow", "write one line for each arrow"
    if not words:
        hint = f"write what the customer would say: `- words -> {shortened(target)}`"
        return "arrow-without-words", "an arrow has no words before it", hint
    if not target:
        hint = "write the name of an entry behind it, such as `-> opening-hours`"
        return "arrow-without-target", "an arrow leads nowhere", hint
    first = target.split()[0]
    name = first if is_name(first) else suggested_name(target)
    if sign != "->":
        right = f"- {', '.join(words)} -> {name}".rstrip()
        return "wrong-arrow", f"`{sign}` is not the arrow `->`", f"write `{shortened(right)}`"
    if target != name:
        hint = f"did you mean `-> {name}`?" if name else "names are lowercase words a-z, digits and hyphens"
        return "bad-target", f"`{shortened(target)}` behind an arrow is not the name of an entry", hint
    return None
