"""A question hidden in a paragraph, and two questions in one text: python -m tests.bench.paragraphs [FOLDER]

Sentences of small talk, written for this, stand around the questions of a public set; the weights were
learned without the set's family. "in a paragraph": the right answer first. "two in one": two questions with
different answers, one after the other; both answers must be the first two, whatever their order.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from rich.table import Table

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.ports import Encoder
from assistant.values import Found, Match, Several, Utterance
from tests.bench.__main__ import held_out_weights
from tests.bench.options import options
from tests.bench.rivals import Scores, rivals
from tests.bench.sets import BenchSet, Question, faq_set
from tests.bench.showing import show
from tests.bench.slips import knowledge_of

_QUESTIONS = 500
_RIVALS = ("TF-IDF letters", "encoder alone")

_BEFORE = {
    "de": (
        "Hallo zusammen, ich hoffe, es geht Ihnen gut.",
        "Guten Tag, mein Name ist Karin Vogt und ich wohne in Bremen.",
        "Gestern saß ich mit meiner Schwester beim Kaffee und wir kamen ins Reden.",
        "Ich bin noch ganz neu hier und muss mich erst zurechtfinden.",
        "Mein Nachbar hat mir neulich von Ihnen erzählt.",
        "Draußen regnet es schon den ganzen Tag und mir ist etwas langweilig.",
    ),
    "en": (
        "Hello there, I hope you are having a lovely day.",
        "Good morning, my name is Karen and I live near Leeds.",
        "Yesterday my sister and I had coffee and got talking.",
        "I am quite new here and still finding my way around.",
        "My neighbour told me about you the other day.",
        "It has been raining all day and I am a little bored.",
    ),
}
_AFTER = {
    "de": (
        "Vielen Dank im Voraus und einen schönen Abend!",
        "Ich freue mich auf Ihre Antwort.",
        "Liebe Grüße, Karin",
        "Das hat mich schon länger beschäftigt.",
    ),
    "en": (
        "Thank you very much and have a nice evening!",
        "I look forward to hearing from you.",
        "Best wishes, Karen",
        "That has been on my mind for a while.",
    ),
}
_AND = {"de": " und ", "en": " and "}


def ended(text: str) -> str:
    return text if text.rstrip().endswith((".", "?", "!")) else f"{text.rstrip()}?"


def in_a_paragraph(bench: BenchSet, language: str) -> BenchSet:
    shuffle = random.Random(0)
    told = tuple(
        Question(
            f"{shuffle.choice(_BEFORE[language])} {ended(q.text)} {shuffle.choice(_AFTER[language])}",
            q.entries,
        )
        for q in bench.questions
    )
    return replace(bench, questions=told)


def two_in_one(
    bench: BenchSet, language: str
) -> tuple[BenchSet, list[tuple[frozenset[int], frozenset[int]]]]:
    """Pairs of questions that share no answer: two sentences, or by turns one with an "and"."""
    shuffle = random.Random(1)
    asked: list[Question] = []
    wanted: list[tuple[frozenset[int], frozenset[int]]] = []
    while len(asked) < min(_QUESTIONS, len(bench.questions)):
        one, other = shuffle.sample(bench.questions, 2)
        if one.entries & other.entries:
            continue
        joint = _AND[language] if len(asked) % 2 else " "
        first = ended(one.text) if joint == " " else one.text.rstrip(" ?.!")
        asked.append(Question(f"{first}{joint}{ended(other.text)}", one.entries | other.entries))
        wanted.append((one.entries, other.entries))
    return replace(bench, questions=tuple(asked)), wanted


def first_entries(match: Match) -> list[int]:
    """The two entries that a customer meets first."""
    if isinstance(match, Several):
        return [int(part.match.ranking.candidates[0].entry) for part in match.parts][:2]
    return [int(candidate.entry) for candidate in match.ranking.candidates[:2]]


def are_both(firsts: Sequence[int], wanted: tuple[frozenset[int], frozenset[int]]) -> bool:
    one, other = wanted
    return len(firsts) == 2 and (
        (firsts[0] in one and firsts[1] in other) or (firsts[0] in other and firsts[1] in one)
    )


def rows(bench: BenchSet, language: str, encoder: Encoder) -> Iterator[list[str]]:
    answerable = tuple(question for question in bench.questions if question.entries)
    bench = replace(bench, questions=answerable).some_questions(_QUESTIONS)
    options = MatcherOptions()
    weights = held_out_weights(bench.family, "with encoder")
    matcher = Matcher(knowledge_of(bench, language), encoder, options, weights)
    for name, asked in (("alone", bench), ("in a paragraph", in_a_paragraph(bench, language))):
        wanted = [question.entries for question in asked.questions]
        others = [
            np.mean([int(row.argmax()) in right for row, right in zip(scores, wanted, strict=True)])
            for scores in _scored(asked, encoder)
        ]
        matches = matcher.match_many([Utterance(question.text) for question in asked.questions])
        firsts = [first_entries(match)[:1] for match in matches]
        hits = [bool(first) and first[0] in right for first, right in zip(firsts, wanted, strict=True)]
        given = [hit for hit, match in zip(hits, matches, strict=True) if isinstance(match, Found | Several)]
        yield _row(bench.name, name, others, hits, given)
    asked, pairs = two_in_one(bench, language)
    others = [
        np.mean(
            [are_both(np.argsort(-row)[:2].tolist(), pair) for row, pair in zip(scores, pairs, strict=True)]
        )
        for scores in _scored(asked, encoder)
    ]
    matches = matcher.match_many([Utterance(question.text) for question in asked.questions])
    hits = [are_both(first_entries(match), pair) for match, pair in zip(matches, pairs, strict=True)]
    given = [hit for hit, match in zip(hits, matches, strict=True) if isinstance(match, Several)]
    yield _row(bench.name, "two in one", others, hits, given)


def _scored(bench: BenchSet, encoder: Encoder) -> list[Scores]:
    return [rivals(encoder)[name](bench) for name in _RIVALS]


def _row(name: str, kind: str, others: list[np.floating], hits: list[bool], given: list[bool]) -> list[str]:
    measured = (*others, np.mean(hits), len(given) / len(hits), np.mean(given) if given else 0.0)
    return [name, kind, *(f"{value:.3f}" for value in measured)]


def main() -> None:
    folder = options(__doc__).parse_args().folder
    encoder = open_encoder()
    table = Table(title="Questions in paragraphs, and two in one")
    for name in ("set", "asked", *_RIVALS, "ours", "answered at once", "of these right"):
        table.add_column(name, justify="left" if name in ("set", "asked") else "right")
    sets = (("roboai-de", "de"), ("roboai-en", "en"), ("covid-de", "de"), ("covid-en", "en"))
    show(table, (row for name, tag in sets for row in rows(faq_set(folder, name), tag, encoder)))


if __name__ == "__main__":
    main()
