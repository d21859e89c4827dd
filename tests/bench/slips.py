"""Accuracy over the number of slips of the fingers in a question: python -m tests.bench.slips [FOLDER]

The whole matcher, with weights learned without the set's family, beside the rivals on the same questions.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from assistant.settings import Settings
from assistant.values import Entry, Knowledge, Page, Phrase, Place, Utterance
from tests.bench.__main__ import held_out_weights, rival_hits
from tests.bench.rivals import Scores, rivals
from tests.bench.sets import BenchSet, Draw, NoSets, Question, faq_set, labelled_set

MOST_SLIPS = 3
_QUESTIONS = 1000
_SHORTEST_WORD = 4  # letters; of a shorter word a slip leaves nothing to know it by
_RIVALS = ("token_set_ratio", "BM25", "TF-IDF letters", "encoder alone")


def with_slips(text: str, count: int, shuffle: random.Random) -> str:
    """Letters left out, swapped, doubled up with a neighbour or hit instead of another."""
    for _ in range(count):
        words = text.split()
        long = [place for place, word in enumerate(words) if len(word) >= _SHORTEST_WORD]
        if not long:
            return text
        place = shuffle.choice(long)
        words[place] = _slip(words[place], shuffle)
        text = " ".join(words)
    return text


def _slip(word: str, shuffle: random.Random) -> str:
    at, letter = shuffle.randrange(1, len(word) - 1), shuffle.choice("etaoinsr")
    return shuffle.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
        ]
    )


def knowledge_of(bench: BenchSet, language: str) -> Knowledge:
    """The set as pages: the entries are named by their numbers."""
    nowhere = Place("bench")
    pairs = zip(bench.entries, bench.phrases, strict=True)
    entries = tuple(
        Entry(str(number), language, nowhere, tuple(Phrase(text, nowhere) for _, text in group))
        for number, group in groupby(pairs, key=lambda pair: pair[0])
    )
    return Knowledge.of("", language, (Page(f"{language}/bench.md", language, "Bench", entries),))


def sets(folder: Path) -> Iterator[tuple[BenchSet, str]]:
    yield faq_set(folder, "roboai-de"), "de"
    yield faq_set(folder, "roboai-en"), "en"
    yield labelled_set(folder, Draw("banking77", 10)), "en"
    yield labelled_set(folder, Draw("clinc150", 5)), "en"


def our_hits(matcher: Matcher, bench: BenchSet) -> float:
    matches = matcher.match_many([Utterance(question.text) for question in bench.questions])
    firsts = [match.ranking.candidates[0].entry if match.ranking.candidates else "-1" for match in matches]
    return float(np.mean([int(first) in q.entries for first, q in zip(firsts, bench.questions, strict=True)]))


def rows(bench: BenchSet, language: str, encoder: Encoder) -> Iterator[list[str]]:
    answerable = tuple(question for question in bench.questions if question.entries)
    bench = replace(bench, questions=answerable).some_questions(_QUESTIONS)
    defaults = Settings(Path())
    options = MatcherOptions(defaults.answer_above, defaults.offer_above, defaults.margin)
    matcher = Matcher(
        knowledge_of(bench, language), encoder, options, held_out_weights(bench.family, "with encoder")
    )
    others: dict[str, Callable[[BenchSet], Scores]] = {name: rivals(encoder)[name] for name in _RIVALS}
    for count in range(MOST_SLIPS + 1):
        shuffle = random.Random(count)
        asked = tuple(Question(with_slips(q.text, count, shuffle), q.entries) for q in bench.questions)
        slipped = replace(bench, questions=asked)
        hits = [rival_hits(slipped, score(slipped)) for score in others.values()]
        yield [bench.name, str(count), *(f"{hit:.3f}" for hit in (*hits, our_hits(matcher, slipped)))]


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/bench")
    console, encoder = Console(width=120), open_encoder()
    table = Table(title="Right answer first, over the number of slips in each question")
    for name in ("set", "slips", *_RIVALS, "ours"):
        table.add_column(name, justify="left" if name == "set" else "right")
    try:
        for bench, language in sets(folder):
            for row in rows(bench, language, encoder):
                table.add_row(*row)
    except NoSets as missing:
        console.print(str(missing), style="yellow", markup=False)
        raise SystemExit(1) from None
    console.print(table)


if __name__ == "__main__":
    main()
