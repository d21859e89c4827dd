"""The assistant's own sentences: from the pages, else from the small table here."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.dialogue.spoken_form import spoken_form
from assistant.values import Choice, Entry, Knowledge

# Said only where a base has no such entry on its `_assistant.md` page.
_BUILT_IN = {
    "greeting": {
        "en": "Hello, how can I help you?",
        "de": "Guten Tag, wie kann ich helfen?",
    },
    "not-understood": {
        "en": "I am sorry, I do not know the answer to that. Please ask it in other words.",
        "de": "Das weiß ich leider nicht. Bitte fragen Sie es mit anderen Worten.",
    },
    "did-you-mean": {
        "en": "I am not sure what you mean. Is it one of these?",
        "de": "Ich bin nicht sicher, was Sie meinen. Ist es eines davon?",
    },
    "choose-one": {
        "en": "Please choose one of these, or ask me something else.",
        "de": "Bitte wählen Sie eines davon, oder fragen Sie etwas anderes.",
    },
    "outdated": {
        "en": "What I know about this is out of date. Please ask our staff.",
        "de": "Was ich darüber weiß, gilt nicht mehr. Bitte fragen Sie unser Personal.",
    },
    "nothing-to-repeat": {
        "en": "I have not said anything yet.",
        "de": "Ich habe noch nichts gesagt.",
    },
    "start-over": {
        "en": "Let us start over. How can I help you?",
        "de": "Fangen wir von vorne an. Wie kann ich helfen?",
    },
    "fallback-language": {
        "en": "I can tell you this only in another language:",
        "de": "Das kann ich nur in einer anderen Sprache sagen:",
    },
    # Said in the language of the answer, where the customer's has no pages.
    "only-language": {
        "en": "I can answer this in English only:",
        "de": "Das kann ich nur auf Deutsch beantworten:",
        "es": "Solo puedo responder en español:",
        "fr": "Je ne peux répondre qu'en français :",
        "it": "Posso rispondere solo in italiano:",
        "ko": "한국어로만 답해 드릴 수 있어요.",
        "nl": "Ik kan alleen in het Nederlands antwoorden:",
        "pl": "Mogę odpowiedzieć tylko po polsku:",
        "pt": "Só posso responder em português:",
        "tr": "Yalnızca Türkçe yanıt verebilirim:",
    },
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something the assistant says of its own accord, for the screen and for the voice."""

    text: str
    spoken: str
    language: str
    choices: tuple[Choice, ...] = ()  # the ways on that its editor wrote


def own_sentence(knowledge: Knowledge, name: str, language: str) -> Sentence:
    """The sentence in that language, from the page before the table; else in the base's, else in English."""
    pages, table = knowledge.translations(name), _BUILT_IN.get(name, {})
    for tag in (language, knowledge.default_language):
        if tag in pages and pages[tag].answer:
            return _of_entry(pages[tag])
        if tag in table:
            return Sentence(table[tag], table[tag], tag)
    return Sentence(table["en"], table["en"], "en") if table else Sentence("", "", language)


def said(entry: Entry) -> str:
    """What a voice says for the entry's answer."""
    return " ".join(entry.spoken_answer.split()) or spoken_form(entry.answer)


def choices_of(entry: Entry) -> tuple[Choice, ...]:
    """The entry's arrows as choices, those of its question first."""
    return tuple(Choice(arrow.words[0], arrow.target, arrow.words[1:]) for arrow in entry.arrows)


def _of_entry(entry: Entry) -> Sentence:
    return Sentence(entry.answer, said(entry), entry.language, choices_of(entry))
