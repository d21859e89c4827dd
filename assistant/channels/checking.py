"""The whole base looked through: its pages, then every question tried against all the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from assistant.channels.lines import has_errors
from assistant.channels.progress import bar
from assistant.knowledge.library import read_folder
from assistant.knowledge.review import ReviewOptions, review
from assistant.values import Knowledge, Match, Problem, Utterance

if TYPE_CHECKING:
    from assistant.answering import Matching
    from assistant.channels.screen import Screen
    from assistant.settings import Settings

_AT_ONCE = 64  # questions between two moves of the bar


def check_base(
    settings: Settings, make_matcher: Callable[[Knowledge], Matching], *screens: Screen
) -> tuple[Knowledge, tuple[Problem, ...]]:
    """The knowledge and every problem of it.

    Questions are tried only where the pages are without errors: a lost heading would make a
    hundred other questions look stolen.
    """
    knowledge, problems = read_folder(settings.knowledge_folder, settings.default_language)
    if has_errors(problems):
        return knowledge, problems
    matcher, options = make_matcher(knowledge), ReviewOptions(settings.margin, date.today())
    asked = sum(len(entry.questions) + len(entry.checks) for entry in knowledge.entries)
    with bar("trying every question", asked, *screens) as advance:

        def match_many(utterances: Sequence[Utterance]) -> list[Match]:
            matches: list[Match] = []
            for start in range(0, len(utterances), _AT_ONCE):
                matches += matcher.match_many(utterances[start : start + _AT_ONCE])
                advance(_AT_ONCE)
            return matches

        return knowledge, (*problems, *review(knowledge, match_many, options))
