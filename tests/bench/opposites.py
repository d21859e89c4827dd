"""Who is taken in by a question that says the opposite: python -m tests.bench.opposites

Over the pairs of tests/opposites, which need no public set. With both sides in the base: how often the wrong
one comes first. With one side alone: how often a question that means the other is answered all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from rich.table import Table

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from assistant.values import Found, Utterance
from tests.bench.options import options
from tests.bench.rivals import Scores, rivals
from tests.bench.sets import BenchSet, Question
from tests.bench.showing import show
from tests.bench.slips import knowledge_of
from tests.test_opposites import Pair, pairs

_RIVALS = ("token_set_ratio", "TF-IDF letters", "encoder alone")
_FILES = ("pairs", "held_out")


def bench_set(listed: tuple[Pair, ...], both_sides: bool) -> BenchSet:
    """Entry 2n says it, entry 2n + 1 the opposite; without the opposites entry n says it."""
    sides = [
        side for pair in listed for side in ((pair.phrases, pair.opposite) if both_sides else (pair.phrases,))
    ]
    phrases = tuple(text for side in sides for text in side)
    entries = tuple(number for number, side in enumerate(sides) for _ in side)
    right = [frozenset({2 * n + 1}) if both_sides else frozenset[int]() for n in range(len(listed))]
    questions = tuple(Question(pair.twin, entry) for pair, entry in zip(listed, right, strict=True))
    return BenchSet("opposites", "opposites", phrases, entries, questions)


def taken_in(scores: Scores, bench: BenchSet) -> int:
    """How often an entry comes first that is not the right one."""
    firsts = np.asarray(scores.argmax(axis=1)).tolist()
    return sum(first not in question.entries for first, question in zip(firsts, bench.questions, strict=True))


def our_matcher(bench: BenchSet, language: str, encoder: Encoder) -> Matcher:
    options = MatcherOptions()
    return Matcher(knowledge_of(bench, language), encoder, options)


def rows(encoder: Encoder) -> Iterator[list[str]]:
    for file in _FILES:
        for language in ("de", "en"):
            listed = pairs(language, file)
            both, alone = bench_set(listed, True), bench_set(listed, False)
            others = [taken_in(rivals(encoder)[name](both), both) for name in _RIVALS]
            asked = [Utterance(pair.twin) for pair in listed]
            matches = our_matcher(both, language, encoder).match_many(asked)
            wrong = sum(
                int(match.ranking.candidates[0].entry) not in question.entries
                for match, question in zip(matches, both.questions, strict=True)
            )
            lonely = our_matcher(alone, language, encoder).match_many(asked)
            given = sum(isinstance(match, Found) for match in lonely)
            yield [f"{file} {language}", *map(str, (len(listed), *others, wrong, given))]


def main() -> None:
    options(__doc__, needs_folder=False).parse_args()
    table = Table(title="Taken in by the opposite")
    for name in ("pairs", "questions", *(f"{rival}, wrong first" for rival in _RIVALS)):
        table.add_column(name, justify="left" if name == "pairs" else "right")
    table.add_column("ours, wrong first", justify="right")
    table.add_column("ours, answered without a right entry", justify="right")
    show(table, rows(open_encoder()))


if __name__ == "__main__":
    main()
