"""The assistant's own sentences: from the pages, else built in (`own_sentences.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from assistant.dialogue.saying import as_said
from assistant.dialogue.spoken_form import spoken_form
from assistant.values import Choice, Entry, Knowledge

_LISTED = re.compile(r"^[-*]\s+([a-z-]+)\s*:\s*(.*\S)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something the assistant says of its own accord, for the screen and for the voice."""

    text: str
    spoken: str
    language: str
    choices: tuple[Choice, ...] = ()  # the ways on that its editor wrote


def own_sentence(knowledge: Knowledge, name: str, language: str) -> Sentence:
    """The sentence in that language, from the page before the table; else in the base's, else in English."""
    pages, table = knowledge.translations(name), _built_in().get(name, {})
    for tag in (language, knowledge.default_language):
        if tag in pages and pages[tag].answer:
            return _of_entry(pages[tag])
        if tag in table:
            return Sentence(table[tag], table[tag], tag)
    return Sentence(table["en"], table["en"], "en") if table else Sentence("", "", language)


def own_words(knowledge: Knowledge, name: str, language: str) -> Mapping[str, str]:
    """An own sentence that is a list of `- word: what customers read`, by word.

    What a page leaves out is built in; a language that nobody has translated yet reads English.
    """
    table, page = _built_in().get(name, {}), knowledge.translations(name).get(language)
    written = (table.get("en", ""), table.get(language, ""), page.answer if page else "")
    return {word: told for text in written for word, told in _LISTED.findall(text)}


def said(entry: Entry) -> str:
    """What a voice says for the entry's answer."""
    return as_said(" ".join(entry.spoken_answer.split()), entry.language) or spoken_form(
        entry.answer, entry.language
    )


def choices_of(entry: Entry) -> tuple[Choice, ...]:
    """The entry's arrows as choices, those of its question first."""
    return tuple(Choice(arrow.words[0], arrow.target, arrow.words[1:]) for arrow in entry.arrows)


def _of_entry(entry: Entry) -> Sentence:
    return Sentence(entry.answer, said(entry), entry.language, choices_of(entry))


@cache
def _built_in() -> Mapping[str, Mapping[str, str]]:
    """Name -> language -> sentence, said only where a base has no such entry on its `_assistant.md` page."""
    text = resources.files("assistant.dialogue").joinpath("own_sentences.toml").read_text("utf-8")
    return tomllib.loads(text)
