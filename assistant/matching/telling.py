"""An explanation in the words of an editor: what was decided, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assistant.matching.deciding import answerable, first_share
from assistant.matching.reasons import Explanation, Standing, Word
from assistant.matching.text import fold
from assistant.matching.trials import Trial, spoken_words
from assistant.values import Found, Several, Unsure

_NAMED = 3  # words; more of them in one sentence are not read
_FAR = 0.05  # a probability; a runner-up below is no rival

_OPPOSITE = (
    "What says the opposite of a phrase is offered at most, never answered. If the entry does answer "
    "it, write the question there."
)
# What a doubt means and what an editor can do about it, by what its sentence holds.
_DOUBTS = {
    "only words that many questions share": (
        "Such words stand in questions about anything: they cannot tell which answer is meant. "
        "One word that names the matter is needed."
    ),
    "single word that no question holds": (
        "A single new word may mean anything. Where customers really say it, write it as a question "
        "of the entry they mean."
    ),
    "phrase does not": _OPPOSITE,
    "the phrase `": _OPPOSITE,
    "the phrase says": _OPPOSITE,
    "in a script": (
        "Letters that no page is written in cannot be compared word by word. Pages in that language "
        "would help."
    ),
}


def decision(told: Explanation) -> str:
    """What was decided and by how much, in one sentence. Entries stand between backticks."""
    if isinstance(told.match, Several):
        return _several(told.match)
    if told.first is None:
        return f"Not answered: {told.match.reason}."
    if isinstance(told.match, Found):
        return _answered(told, told.first)
    if isinstance(told.match, Unsure):
        return _asked_back(told, told.first)
    return _not_answered(told, told.first)


def meaning_of_doubt(told: Explanation) -> str:
    """What the doubt that decided means for an editor; empty where none did."""
    return next((meaning for part, meaning in _DOUBTS.items() if part in told.doubt), "")


def likeness(told: Explanation) -> str:
    """What the question has in common with the phrase that won."""
    return {
        "word for word": "word for word",
        "words": "by its words",
        "letters": "by words that look alike",
        "meaning": "by its meaning, hardly a word is the same",
    }[told.likeness]


def _several(match: Several) -> str:
    asked, found = len(match.parts), len(match.found)
    if asked == found:
        return f"Answered: there are {asked} questions in it, and each has its answer."
    return f"Answered in part: of the {asked} questions in it, {found} can be answered."


def _answered(told: Explanation, first: Standing) -> str:
    likely, which, limits = _any_page(told), _first_page(told), told.thresholds
    if told.likeness == "word for word":
        very = percent(first.probability)
        return f"Answered, because `{first.entry}` has this very question ({very} likely)."
    return (
        f"Answered, because it is {likely} likely that a page answers it and, if so, {which} that it is "
        f"`{first.entry}`; I answer from {limits.answer_above:.0%} and {limits.first_above:.0%} on."
    )


def _asked_back(told: Explanation, first: Standing) -> str:
    limits, ranking = told.thresholds, told.match.ranking
    if told.doubt:
        likely = percent(first.probability)
        if answerable(ranking) >= limits.answer_above and first_share(ranking) >= limits.first_above:
            return f"Asked back, although `{first.entry}` is {likely} likely: {told.doubt}."
        return f"Asked back, because `{first.entry}` is only {likely} likely, and {told.doubt}."
    if answerable(ranking) < limits.answer_above:
        return (
            f"Asked back, because it is only {_any_page(told)} likely that a page answers it; I answer from "
            f"{limits.answer_above:.0%} on, {_points(limits.answer_above - answerable(ranking))} more."
        )
    if first_share(ranking) < limits.first_above:
        return (
            f"Asked back, because it is {_any_page(told)} likely that a page answers it, but, if so, only "
            f"{_first_page(told)} that it is `{first.entry}`{_beside(told)}; "
            f"I answer from {limits.first_above:.0%} on."
        )
    second = ranking.candidates[1]
    apart = _points(first.probability - second.probability)
    return (
        f"Asked back, because `{first.entry}` ({percent(first.probability)}) and `{second.entry}` "
        f"({percent(second.probability)}) are only {apart} apart; "
        f"I answer from {_points(limits.margin)} on."
    )


def _any_page(told: Explanation) -> str:
    """How likely it is that any page answers the question."""
    likely, limits = answerable(told.match.ranking), told.thresholds
    nearest = min(limits.answer_above, limits.offer_above, key=lambda limit: abs(likely - limit))
    return percent(likely, nearest)


def _first_page(told: Explanation) -> str:
    """How likely it is that the first page does, if any."""
    return percent(first_share(told.match.ranking), told.thresholds.first_above)


def _beside(told: Explanation) -> str:
    if not told.runner_up:
        return ""
    share = told.runner_up.probability / answerable(told.match.ranking)
    return f" ({percent(share)} that it is `{told.runner_up.entry}`)"


def _not_answered(told: Explanation, first: Standing) -> str:
    likely = f"it is only {_any_page(told)} likely that a page answers it"
    nearest = f"The nearest, `{first.entry}`, is {percent(first.probability)} likely"
    if told.doubt:
        return f"Not answered: {told.doubt}, and {likely}. {nearest}."
    limits = told.thresholds
    return (
        f"Not answered, because {likely}; I offer a choice from {limits.offer_above:.0%} on, and answer from "
        f"{limits.answer_above:.0%} on. {nearest}."
    )


def changes(told: Explanation) -> tuple[str, ...]:
    """What was tried and would have changed the decision, a sentence each, the most telling first."""
    return tuple(_would_unseat(told) if isinstance(told.match, Found) else _would_answer(told))


def _would_unseat(told: Explanation) -> Iterator[str]:
    decisive = told.decisive[:_NAMED]
    for word in decisive:
        if word.without:
            yield f"Without “{word.written}”: {became(word.without)}."
    if not decisive and any(word.without for word in told.words):
        yield "No single word decides: without any one of them it would still be answered."
    if told.first and told.runner_up and told.likeness != "word for word":
        yield _distance(told, told.runner_up)


def _distance(told: Explanation, runner_up: Standing) -> str:
    """How near the next entry is."""
    if runner_up.probability < _FAR:
        likely = percent(runner_up.probability)
        return f"Nothing else comes near: the next, `{runner_up.entry}`, is {likely} likely."
    share = runner_up.probability / answerable(told.match.ranking)
    asked_back_from = f"{1 - told.thresholds.first_above:.0%}"
    return f"The next is `{runner_up.entry}` with {percent(share)}; above {asked_back_from} I would ask back."


def _would_answer(told: Explanation) -> Iterator[str]:
    for word in _answered_without(told)[:_NAMED]:
        if word.without:
            yield f"Without “{word.written}”: {became(word.without)}."
    if told.added and told.first:
        named = either([f"“{trial.word}”" for trial in told.added[:_NAMED]])
        yield f"With {named} added: answered from `{told.first.entry}`."
    if isinstance(told.match, Unsure) and told.runner_up:
        for word in _turning_to(told, told.runner_up.entry)[:1]:
            yield f"Without “{word.written}”, `{told.runner_up.entry}` would come first."


def _answered_without(told: Explanation) -> Sequence[Word]:
    """The words that stand in the way of an answer."""
    stand_in_the_way = [word for word in told.words if word.without and word.without.answered]
    return sorted(stand_in_the_way, key=lambda word: -word.without.first_probability if word.without else 0)


def _turning_to(told: Explanation, entry: str) -> Sequence[Word]:
    """The words without which another entry would come first, though not be answered."""
    return [
        word
        for word in told.words
        if word.without and word.without.first == entry and word.without.outcome == "unsure"
    ]


def became(trial: Trial) -> str:
    """What became of a question that was tried."""
    likely = f"`{trial.first}`, {percent(trial.first_probability)} likely"
    named = " and ".join(f"`{name}`" for name in trial.answered)
    if named and trial.outcome == "unsure":
        return f"read as several questions, answered only in part, from {named}"
    if len(trial.answered) > 1:
        return f"read as several questions, answered from {named}"
    if trial.outcome == "found":
        return f"answered from {likely}"
    if not trial.first:
        return "not answered, nothing is near"
    return f"asked back, nearest {likely}" if trial.outcome == "unsure" else f"not answered, nearest {likely}"


def offered(told: Explanation) -> tuple[str, ...]:
    """The entries that the customer can choose from; small talk is never offered."""
    if not isinstance(told.match, Unsure):
        return ()
    return tuple(name for name in told.match.entries if name not in told.small_talk)


def percent(probability: float, threshold: float | None = None) -> str:
    """A probability for people; with a decimal where it would else look the same as the threshold."""
    rounded = f"{probability:.0%}"
    if threshold is not None and probability < threshold and rounded == f"{threshold:.0%}":
        return f"{int(probability * 1000) / 10:.1f}%"
    return "under 1%" if 0 < probability < 0.005 else rounded


def _points(difference: float) -> str:
    points = 100 * difference
    if points < 0.95:
        return "less than a point"
    return f"{points:.0f} {'point' if round(points) == 1 else 'points'}"


def either(named: Sequence[str]) -> str:
    """One of several: "a, b or c"."""
    *others, last = named
    return f"{', '.join(others)} or {last}" if others else last


def worth_writing(told: Explanation) -> str:
    """The question as an editor would write it on a page: on one line, slips of the fingers mended."""
    # Words that were parted or joined are guesses that an editor can make better.
    read = {fold(typed): other for typed, other in told.read_as if " " not in typed + other}
    return " ".join(_mended(written, read) for written in told.read.split())


def _mended(written: str, read: Mapping[str, str]) -> str:
    word = next(iter(spoken_words(written)), "")
    if (other := read.get(fold(word))) is None:
        return written
    return written.replace(word, other.capitalize() if word[:1].isupper() else other)
