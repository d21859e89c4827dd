"""Which language is the customer answered in?"""

from __future__ import annotations

from assistant.matching.content import scripts
from assistant.matching.telltale import language_of_script
from assistant.matching.text import cut, fold, words
from assistant.values import Conversation, Knowledge, Match, Unknown, Utterance, primary_language

# What messages call a language; a tag that is missing here is shown as it is.
_NAMES = {
    "ar": "Arabic",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def language_name(tag: str) -> str:
    """The English name of a language: "German" for "de", "German (de-AT)" for "de-AT"."""
    name = _NAMES.get(primary_language(tag), "")
    return tag if not name else name if tag.lower() in _NAMES else f"{name} ({tag})"


def language_of_reply(
    knowledge: Knowledge,
    conversation: Conversation,
    utterance: Utterance,
    match: Match | None,
    took_choice: bool,
) -> str:
    """The language chosen by the customer, else of the question, else of the conversation, else the default.

    A choice and a single Latin word tell nothing while a conversation is under way: "online" is
    said in every language. Other scripts tell at once.
    """
    asked, nearest = (None, None) if took_choice or match is None else _languages_of(match)
    said = fold(cut(utterance.text)[0])
    told = [asked, conversation.language, nearest]
    if asked and not known_language(knowledge, asked):
        told = [conversation.language]  # the nearest wording tells nothing of a language without pages
    elif not _is_latin(said):
        told = [asked, language_of_script(scripts(said)), nearest, conversation.language]
    elif conversation.language and len(words(said)) < 2:
        told = [conversation.language]
    for tag in (conversation.chosen_language, *told):
        if known := known_language(knowledge, tag):
            return known
    return knowledge.default_language


def _languages_of(match: Match) -> tuple[str | None, str | None]:
    """Of the question as the matcher saw it, and of the wording that it is most like."""
    nearest = None if isinstance(match, Unknown) else match.ranking.candidates[0].language
    return match.ranking.language, nearest


def known_language(knowledge: Knowledge, tag: str | None) -> str | None:
    """The base's name for a language: "en" for "en-GB" without British pages; None where it has none."""
    lowered = {language.lower(): language for language in knowledge.languages}
    wanted = (tag or "").lower().replace("_", "-")
    return lowered.get(wanted) or lowered.get(primary_language(wanted))


def _is_latin(folded: str) -> bool:
    return scripts(folded) <= {"LATIN"}
