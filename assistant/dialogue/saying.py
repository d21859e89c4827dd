"""Plain words as a person says them: what is written short is said in full, in the way of each language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from assistant.dialogue import spoken_english, spoken_german, spoken_korean
from assistant.dialogue.spoken_amounts import amount_rules
from assistant.dialogue.spoken_contacts import contact_rules
from assistant.dialogue.spoken_shorthand import phrase_rules, shorthand_rules
from assistant.dialogue.spoken_table import Rule, Tongue, tongue

_GRAMMARS: dict[str, ModuleType] = {"de": spoken_german, "en": spoken_english, "ko": spoken_korean}
_SPACED_THOUSANDS = re.compile(r"(?<=\d)(?:[\u00a0\u202f\u2009](?=\d{3}(?!\d))| (?=000(?!\d)))")
_SPACES = re.compile(r"\s+")
_SPACE_BEFORE_MARK = re.compile(r" +(?=[.,;:!?](?:\s|$))")


def as_said(text: str, language: str) -> str:
    """The text as a person says it; unchanged in a language without a table."""
    found = tongue(language)
    if found is None:
        return text
    text = _SPACES.sub(" ", _SPACED_THOUSANDS.sub("", text))
    for pattern, said in _rules(found.language):
        text = pattern.sub(said, text)
    return _SPACE_BEFORE_MARK.sub("", _SPACES.sub(" ", text)).strip()


@cache
def _rules(language: str) -> tuple[Rule, ...]:
    found = tongue(language)
    return tuple(_in_order(found, _GRAMMARS[language])) if found else ()


def _in_order(found: Tongue, grammar: ModuleType) -> Iterator[Rule]:
    """What looks at more of the text comes first: a date is no range, a time no telephone number."""
    yield from phrase_rules(found)
    yield from grammar.date_rules(found)
    yield from grammar.clock_rules(found)
    yield from contact_rules(found)
    yield from amount_rules(found)
    yield from grammar.last_rules(found)
    yield from shorthand_rules(found)
