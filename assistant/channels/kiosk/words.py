"""Short words for the screen of a kiosk, in the customer's language: from the pages, else built in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assistant.dialogue.own_voice import own_words
from assistant.values import Knowledge, primary_language

SAMPLES = 5  # questions; more are not read while walking by
# What speakers of a language call it; a tag that is missing here is shown as it is.
_NAMES = {
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "hu": "Magyar",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}


def own_name(language: str) -> str:
    """What its speakers call a language: "Deutsch" for "de-AT"."""
    return _NAMES.get(primary_language(language), language)


def kiosk_words(knowledge: Knowledge, language: str) -> Mapping[str, str]:
    """Word of the house -> word for the customer."""
    return own_words(knowledge, "kiosk-words", language)


def sample_questions(knowledge: Knowledge, language: str, count: int) -> tuple[str, ...]:
    """Questions that invite to ask: the first of each page, then the second of each page, and so on."""
    pages = [
        [entry.questions[0].text for entry in page.entries if entry.questions]
        for page in knowledge.pages
        if page.language == language and not page.is_own_voice
    ]
    return tuple(question for _, question in zip(range(count), _dealt(pages), strict=False))


def _dealt(pages: list[list[str]]) -> Iterator[str]:
    for place in range(max(map(len, pages), default=0)):
        yield from (questions[place] for questions in pages if place < len(questions))
