"""Accuracy over slips of the fingers and other ways of typing: python -m tests.bench.slips [FOLDER]

The whole matcher, with weights learned without the set's family, beside the rivals on the same questions.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.table import Table

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from assistant.values import Entry, Knowledge, Page, Phrase, Place, Utterance
from tests.bench.__main__ import held_out_weights, rival_hits
from tests.bench.options import options
from tests.bench.rivals import Scores, rivals
from tests.bench.sets import BenchSet, Draw, Question, faq_set, labelled_set
from tests.bench.showing import show
from tests.bench.ways_of_typing import ways

_QUESTIONS = 500
_RIVALS = ("token_set_ratio", "BM25", "TF-IDF letters", "encoder alone")


def knowledge_of(bench: BenchSet, language: str) -> Knowledge:
    """The set as pages: the entries are named by their numbers."""
    nowhere = Place("bench")
    pairs = zip(bench.entries, bench.phrases, strict=True)
    answers = dict(enumerate(bench.answers))
    entries = tuple(
        Entry(
            str(number),
            language,
            nowhere,
            tuple(Phrase(text, nowhere) for _, text in group),
            answers.get(number, ""),
        )
        for number, group in groupby(pairs, key=lambda pair: pair[0])
    )
    return Knowledge.of("", language, (Page(f"{language}/bench.md", language, "Bench", entries),))


def sets(folder: Path) -> Iterator[tuple[BenchSet, str]]:
    yield faq_set(folder, "roboai-de"), "de"
    yield faq_set(folder, "roboai-en"), "en"
    yield labelled_set(folder, Draw("banking77", 10)), "en"
    yield labelled_set(folder, Draw("clinc150", 5)), "en"


def our_hits(matcher: Matcher, bench: BenchSet) -> float:
    matches = matcher.match_many([Utterance(q.text, is_heard=bench.is_heard) for q in bench.questions])
    firsts = [match.ranking.candidates[0].entry if match.ranking.candidates else "-1" for match in matches]
    return float(np.mean([int(first) in q.entries for first, q in zip(firsts, bench.questions, strict=True)]))


def rows(bench: BenchSet, language: str, encoder: Encoder) -> Iterator[list[str]]:
    answerable = tuple(question for question in bench.questions if question.entries)
    bench = replace(bench, questions=answerable).some_questions(_QUESTIONS)
    options = MatcherOptions()
    matcher = Matcher(
        knowledge_of(bench, language), encoder, options, held_out_weights(bench.family, "with encoder")
    )
    others: dict[str, Callable[[BenchSet], Scores]] = {name: rivals(encoder)[name] for name in _RIVALS}
    for name, way in ways(language).items():
        shuffle = random.Random(name)
        asked = tuple(Question(way(q.text, shuffle), q.entries) for q in bench.questions)
        typed = replace(bench, questions=asked)
        hits = [rival_hits(typed, score(typed)) for score in others.values()]
        yield [bench.name, name, *(f"{hit:.3f}" for hit in (*hits, our_hits(matcher, typed)))]


def main() -> None:
    folder = options(__doc__).parse_args().folder
    encoder = open_encoder()
    table = Table(title="Right answer first, as people type")
    for name in ("set", "typed", *_RIVALS, "ours"):
        table.add_column(name, justify="left" if name in ("set", "typed") else "right")
    show(table, (row for bench, tag in sets(folder) for row in rows(bench, tag, encoder)))


if __name__ == "__main__":
    main()
