"""What can be asked, and how a page greets: made from the knowledge as it stands. Pure."""

from __future__ import annotations

from typing import Any

from assistant.channels.kiosk.words import kiosk_words, own_name, sample_questions
from assistant.channels.web.asking import rendering
from assistant.channels.web.values import Backstage
from assistant.dialogue.own_voice import own_sentence, own_words
from assistant.dialogue.tongue import known_language
from assistant.values import Entry, Knowledge

_SAMPLES = 5  # questions; more are not read before asking


def welcome_fields(backstage: Backstage, language: str | None) -> dict[str, Any]:
    """All that a page needs before the first question, in the customer's language or the nearest."""
    knowledge = backstage.assistant.knowledge
    tag = offered_language(backstage, language)
    greeting = own_sentence(knowledge, "greeting", tag)
    return {
        "language": tag,
        "languages": [_language_fields(backstage, offered) for offered in backstage.languages],
        "greeting": {"html": rendering.to_html(greeting.text, greeting.language), "spoken": greeting.spoken},
        "samples": list(sample_questions(knowledge, tag, _SAMPLES)),
        "words": dict(own_words(knowledge, "chat-words", tag)),
        "kiosk_words": dict(kiosk_words(knowledge, tag)),
        "settings": {
            "idle_seconds": backstage.settings.kiosk.idle_seconds,
            "volume": backstage.settings.speaking.volume,
        },
    }


def offered_language(backstage: Backstage, language: str | None) -> str:
    """The language that is offered and nearest to a wanted one, else the one for whoever comes first."""
    known = known_language(backstage.assistant.knowledge, language)
    return known if known in backstage.languages else backstage.languages[0]


def entry_list(knowledge: Knowledge, language: str | None) -> dict[str, Any]:
    """The entries of a language, or of all; without the assistant's own sentences."""
    known = known_language(knowledge, language)
    return {
        "entries": [
            _entry_fields(entry, page.path)
            for page in knowledge.pages
            if not page.is_own_voice and (language is None or page.language == known)
            for entry in page.entries
        ]
    }


def _language_fields(backstage: Backstage, tag: str) -> dict[str, Any]:
    return {
        "tag": tag,
        "name": own_name(tag),
        "heard": tag in backstage.heard,
        "spoken": tag in backstage.spoken,
    }


def _entry_fields(entry: Entry, page: str) -> dict[str, Any]:
    questions = [asked.text for asked in entry.questions]
    return {
        "name": entry.name,
        "language": entry.language,
        "title": questions[0] if questions else entry.name.replace("-", " "),
        "questions": questions,
        "tags": list(entry.tags),
        "page": page,
    }
