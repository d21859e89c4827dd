"""Words shortened for want of a keyboard ("r u open 2moro", "wg", "vllt") are read as what they stand for."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

from assistant.matching.content import function_words
from assistant.matching.text import fold

_TOKEN = re.compile(r"\S+")
_CORE = re.compile(r"\w(?:[\w'’.-]*\w)?(?:/o?(?!\w))?")  # "i-was", "z.b", "w/", "w/o", without marks around


def written_out(text: str, knows: Callable[[str], bool]) -> str:
    """The text with its shorthand written out; words that the base `knows` (folded) stay as they are."""
    forms = [word for found in _CORE.finditer(text) if (word := found[0].lower()) in _all_forms()]
    forms = [form for form in forms if not knows(fold(form))]
    if not forms:
        return text
    table = _table_for(text)
    meant = {form: table[form] for form in forms if form in table}
    return _replaced(text, meant) or text


def _replaced(text: str, meant: Mapping[str, str]) -> str:
    def token(found: re.Match[str]) -> str:
        out = _CORE.sub(lambda core: _in_its_case(core[0], meant), found[0])
        return out if fold(out) or not fold(found[0]) else ""

    return " ".join(_TOKEN.sub(token, text).split()).rstrip(",; ")


def _in_its_case(written: str, meant: Mapping[str, str]) -> str:
    out = meant.get(written.lower())
    if out is None:
        return written
    return out[:1].upper() + out[1:] if len(written) > 1 and written[0].isupper() else out


def _table_for(text: str) -> Mapping[str, str]:
    """The forms of the language that most words of the text belong to; where several have as many,
    those that they agree on or that one of them has alone."""
    tables, said = _tables(), Counter[str]()
    for word in _CORE.findall(text.lower()):
        folded = fold(word)
        owners = [tag for tag in tables if word in tables[tag] or folded in function_words(tag)]
        if len(owners) < len(tables):
            said.update(owners)
    most = max((said[tag] for tag in tables), default=0)
    return _shared_table(tuple(tag for tag in tables if said[tag] == most))


@cache
def _shared_table(languages: tuple[str, ...]) -> Mapping[str, str]:
    """The forms that mean one thing in all of these languages, or that one of them has and no other
    has as a word."""
    tables = [_tables()[language] for language in languages]
    small = frozenset().union(*(function_words(language) for language in languages))
    shared: dict[str, str] = {}
    for form in _all_forms():
        meanings = {table[form] for table in tables if form in table}
        if len(meanings) == 1 and (len(languages) == 1 or fold(form) not in small):
            shared[form] = meanings.pop()
    return shared


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("assistant.matching").joinpath("shorthand.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def _all_forms() -> frozenset[str]:
    return frozenset(form for table in _tables().values() for form in table)
