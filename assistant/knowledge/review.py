"""Knowledge -> problems that no single page shows: does every question lead to its own entry?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from assistant.knowledge.folders import shown
from assistant.knowledge.names import nearest, quoted
from assistant.knowledge.questioning import Matcher, review_questions
from assistant.matching.text import fold
from assistant.values import Arrow, Entry, Knowledge, Place, Problem

# Said by the assistant of its own accord, so every language needs them.
OWN_SENTENCES = ("not-understood", "did-you-mean", "choose-one", "outdated", "nothing-to-repeat")
OWN_PAGE = "_assistant.md"


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What a review measures by."""

    margin: float  # a difference of probabilities: a nearer runner-up is told
    today: date
    on_progress: Callable[[int, int], None] | None = None  # phrases asked, phrases in all


def review(knowledge: Knowledge, match_many: Matcher, options: ReviewOptions) -> tuple[Problem, ...]:
    """Every problem of the knowledge as a whole, in the order of its places.

    Each question and each check is asked, many at a time, in the language of its entry. Places
    begin with the folder of the knowledge, as it was given.
    """
    problems = [
        *_shared_questions(knowledge),
        *review_questions(knowledge, match_many, options.margin, options.on_progress),
        *_arrows(knowledge),
        *_unreachable(knowledge),
        *_media(knowledge),
        *_translations(knowledge),
        *_own_voice(knowledge),
        *_expired(knowledge, options.today),
    ]
    return tuple(sorted((_shown(knowledge, problem) for problem in problems), key=_by_place))


def _by_place(problem: Problem) -> tuple[str, int, str]:
    return problem.place.path, problem.place.line, problem.kind


def _shown(knowledge: Knowledge, problem: Problem) -> Problem:
    return replace(problem, place=Place(shown(knowledge.folder, problem.place.path), problem.place.line))


def _shared_questions(knowledge: Knowledge) -> Iterator[Problem]:
    """A wording that stands in two entries of a language: nobody can tell which is meant."""
    first: dict[tuple[str, str], tuple[Entry, Place]] = {}
    for entry in knowledge.entries:
        for question in entry.questions:
            key = (entry.language, fold(question.text))
            owner, place = first.setdefault(key, (entry, question.place))
            if owner.name != entry.name:
                fact = f"this question of entry `{entry.name}` stands in entry `{owner.name}` too ({place})"
                hint = "keep it in one of the two; if both are meant, ask back with `### Ask`"
                yield Problem("shared-question", question.place, fact, hint, f"- {question.text}")


def _arrows(knowledge: Knowledge) -> Iterator[Problem]:
    """Arrows that lead nowhere, and words that choose two things at once."""
    names = knowledge.names
    for entry in knowledge.entries:
        for arrow in entry.arrows:
            if not knowledge.translations(arrow.target):
                near = nearest(arrow.target, names)
                fact = f"an arrow of entry `{entry.name}` leads to `{arrow.target}`, which does not exist"
                hint = (
                    f"did you mean `-> {near}`?"
                    if near
                    else f"write an entry `## {arrow.target}`, or delete the line"
                )
                yield Problem("dead-arrow", arrow.place, fact, hint, _written(arrow))
        if entry.ask:
            yield from _repeated_words(entry, entry.ask.arrows)


def _repeated_words(entry: Entry, arrows: Sequence[Arrow]) -> Iterator[Problem]:
    first: dict[str, Arrow] = {}
    for arrow in arrows:
        for word in dict.fromkeys(map(fold, arrow.words)):
            earlier = first.setdefault(word, arrow)
            if earlier is not arrow:
                fact = f"in `Ask` of entry `{entry.name}`, `{word}` chooses the line {earlier.place.line} too"
                hint = "each choice needs words of its own"
                yield Problem("duplicate-choice", arrow.place, fact, hint, _written(arrow))


def _written(arrow: Arrow) -> str:
    return f"- {', '.join(arrow.words)} -> {arrow.target}"


def _unreachable(knowledge: Knowledge) -> Iterator[Problem]:
    """Steps that no way leads to from anything a customer can ask."""
    own = {entry.name for page in knowledge.pages if page.is_own_voice for entry in page.entries}
    ways: Mapping[str, set[str]] = defaultdict(set)
    for entry in knowledge.entries:
        ways[entry.name].update(arrow.target for arrow in entry.arrows)
    reached = {entry.name for entry in knowledge.entries if entry.questions} | own
    waiting = list(reached)
    while waiting:
        new = ways[waiting.pop()] - reached
        reached |= new
        waiting.extend(new)
    for entry in knowledge.entries:
        if entry.name not in reached:
            fact = f"nothing leads to entry `{entry.name}`: it has no questions, and no arrow reaches it"
            hint = "write `### Questions` below it, or an arrow `-> " + entry.name + "` in another entry"
            yield Problem("unreachable-step", entry.place, fact, hint, f"## {entry.name}")


def _media(knowledge: Knowledge) -> Iterator[Problem]:
    folder = Path(knowledge.folder)
    for entry in knowledge.entries:
        for media in entry.media:
            path = folder / media.path
            if path.is_file():
                continue
            near = nearest(path.name, _names_in(path.parent))
            fact = f"entry `{entry.name}` shows `{media.path}`, which does not exist"
            hint = (
                f"did you mean `{near}`?"
                if near
                else f"put the file into {path.parent.as_posix()}, or correct its name"
            )
            yield Problem(
                "missing-media", media.place, fact, hint, f"![{media.description}](../{media.path})"
            )


def _names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _translations(knowledge: Knowledge) -> Iterator[Problem]:
    """Entries that some language lacks, told once an entry; own sentences have a check of their own."""
    own_pages = {page.language for page in knowledge.pages if page.is_own_voice}
    own = {entry.name for page in knowledge.pages if page.is_own_voice for entry in page.entries}
    for name in knowledge.names:
        translations = knowledge.translations(name)
        missing = [
            tag
            for tag in knowledge.languages
            if tag not in translations
            and (name not in own or (tag in own_pages and name not in OWN_SENTENCES))
        ]
        entry = knowledge.entry(name, None)
        if entry and missing:
            fact = f"entry `{name}` is not translated into {quoted(missing)}"
            hint = f"until then it is answered in `{entry.language}`"
            yield Problem("missing-translation", entry.place, fact, hint, f"## {name}", "warning")
        yield from _without_questions(translations)


def _without_questions(translations: Mapping[str, Entry]) -> Iterator[Problem]:
    asked = [tag for tag, entry in translations.items() if entry.questions]
    for entry in translations.values():
        if asked and not entry.questions:
            fact = f"entry `{entry.name}` has questions in {quoted(asked)}, but none in `{entry.language}`"
            hint = "translate its questions too, so that customers find it in this language"
            yield Problem("missing-translation", entry.place, fact, hint, f"## {entry.name}", "warning")


def _own_voice(knowledge: Knowledge) -> Iterator[Problem]:
    own_pages = {page.language: page for page in knowledge.pages if page.is_own_voice}
    for tag in knowledge.languages:
        path = f"{tag}/{OWN_PAGE}"
        lacking = [name for name in OWN_SENTENCES if tag not in knowledge.translations(name)]
        if tag not in own_pages:
            fact = f"there is no page {OWN_PAGE} with the assistant's own sentences in `{tag}`"
            hint = f"write one with the entries {quoted(OWN_SENTENCES)}"
            yield Problem("no-own-voice", Place(path), fact, hint, severity="warning")
        elif lacking:
            fact = f"the assistant's own sentences {quoted(lacking)} are missing in `{tag}`"
            hint = f"write an entry for each, such as `## {lacking[0]}` with its `### Answer`"
            yield Problem("missing-own-sentence", Place(path), fact, hint, severity="warning")


def _expired(knowledge: Knowledge, today: date) -> Iterator[Problem]:
    for entry in knowledge.entries:
        if entry.valid_until and entry.valid_until < today:
            fact = f"entry `{entry.name}` was valid until {entry.valid_until.isoformat()}, which is past"
            hint = "bring the answer and the date up to date; until then customers are told it may be wrong"
            yield Problem("expired", entry.place, fact, hint, f"## {entry.name}", "warning")
