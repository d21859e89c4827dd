"""The whole base looked through: its pages, then every question tried against all the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

from assistant.channels.lines import has_errors
from assistant.channels.progress import bar
from assistant.knowledge.library import read_folder
from assistant.knowledge.review import ReviewOptions, review
from assistant.values import Knowledge, Problem

if TYPE_CHECKING:
    from assistant.answering import Matching
    from assistant.channels.screen import Screen
    from assistant.settings import Settings


def check_base(
    settings: Settings, make_matcher: Callable[[Knowledge], Matching], err: Screen
) -> tuple[Knowledge, tuple[Problem, ...]]:
    """The knowledge and every problem of it; what the matcher must do without is told on `err`.

    Questions are tried only where the pages are without errors: a lost heading would make a
    hundred other questions look stolen.
    """
    knowledge, problems = read_folder(settings.knowledge_folder, settings.default_language)
    if has_errors(problems):
        return knowledge, problems
    matcher = make_matcher(knowledge)
    err.notes(matcher.notes)
    asked = sum(len(entry.questions) + len(entry.checks) for entry in knowledge.entries)
    with bar("trying every question", asked, err) as show:
        options = ReviewOptions(settings.thresholds.margin, date.today(), lambda done, _: show(done))
        return knowledge, (*problems, *review(knowledge, matcher.match_many, options))
