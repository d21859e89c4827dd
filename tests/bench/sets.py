"""The public sets, as bases to load and questions to ask them."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

SOURCES = """The public sets are not part of this project. Give the folder that holds them as JSON lines:
  banking77, clinc150      github.com/PolyAI-LDN/task-specific-datasets, github.com/clinc/oos-eval
  roboai-{de,en}           the FAQ set of ROBO.AI on GitHub
  covid-{de,en}            github.com/deepset-ai/COVID-QA
  xsid-{de,en}             bitbucket.org/robvanderg/xsid
  heard-{atis,trec6}       github.com/Observeai-Research/Phoneme-BERT"""


_FEWEST = 30  # strangers among the questions of a small set


class NoSets(Exception):
    """The folder holds none of the sets, or not this one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the entries that answer it; none where nobody should answer."""

    text: str
    entries: frozenset[int]
    family: str = ""  # of the set it was taken from, where that is another one


@dataclass(frozen=True, slots=True)
class BenchSet:
    """A base (phrases with the number of their entry, sorted by it) and the questions to ask it."""

    name: str
    family: str  # sets of one family never learn for each other
    phrases: tuple[str, ...]
    entries: tuple[int, ...]
    questions: tuple[Question, ...]
    answers: tuple[str, ...] = ()  # of each entry, where the set has them
    is_heard: bool = False  # the questions are what a recognizer wrote

    @property
    def size(self) -> int:
        """How many entries."""
        return self.entries[-1] + 1

    @property
    def language(self) -> str:
        """Of the base."""
        return "de" if self.name.partition(" ")[0].endswith("-de") else "en"

    def without_entries(self, share: float, seed: int) -> BenchSet:
        """The base with a share of its entries taken out: their questions should not be answered."""
        kept = sorted(random.Random(seed).sample(range(self.size), max(5, round(self.size * (1 - share)))))
        new = {old: number for number, old in enumerate(kept)}
        pairs = [
            (text, new[entry]) for text, entry in zip(self.phrases, self.entries, strict=True) if entry in new
        ]
        asked = [Question(q.text, frozenset(new[e] for e in q.entries if e in new)) for q in self.questions]
        return replace(
            self,
            name=f"{self.name} less {share:.0%}",
            phrases=tuple(text for text, _ in pairs),
            entries=tuple(entry for _, entry in pairs),
            questions=tuple(asked),
            answers=tuple(answer for old, answer in enumerate(self.answers) if old in new),
        )

    def with_few_entries(self, count: int, seed: int) -> BenchSet:
        """A base of so many of the entries, asked all their questions and, of the others', half as many."""
        small = self.without_entries(1 - count / self.size, seed)
        own = [question for question in small.questions if question.entries]
        others = [question for question in small.questions if not question.entries]
        drawn = random.Random(seed).sample(others, min(len(others), len(own) // 2))
        return replace(small, name=f"{self.name}, {count} entries", questions=(*own, *drawn))

    def strangers(self, asked: Sequence[Question], seed: int) -> list[Question]:
        """A fifth as many questions as it has, drawn at random from those of other families: nobody
        should answer them here."""
        others = [
            replace(question, entries=frozenset()) for question in asked if question.family != self.family
        ]
        count = min(len(others), max(_FEWEST, len(self.questions) // 5))
        return random.Random(seed).sample(others, count)

    def some_questions(self, count: int, seed: int = 0) -> BenchSet:
        """At most so many of the questions, drawn at random."""
        if len(self.questions) <= count:
            return self
        return replace(self, questions=tuple(random.Random(seed).sample(self.questions, count)))


Rows = list[dict[str, object]]


def read_rows(folder: Path, name: str) -> Rows:
    """The rows of a JSON-lines file; raises NoSets where there is none."""
    path = folder / f"{name}.jsonl"
    if not path.exists():
        raise NoSets(f"{path} is missing.\n{SOURCES}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def faq_set(folder: Path, name: str, asked: str = "") -> BenchSet:
    """A company's FAQ with paraphrases of its questions and small talk; or `asked` in another language
    what its translation is asked."""
    faq = read_rows(folder, f"{name}.faq")
    number = {row["id"]: place for place, row in enumerate(faq)}
    pairs = [(str(text), place) for place, row in enumerate(faq) for text in _list(row["questions"])]
    questions = [
        Question(str(row["text"]), frozenset(number[i] for i in _list(row["ids"]) if i in number))
        for row in read_rows(folder, f"{asked or name}.queries")
    ]
    family = name.partition("-")[0]
    name = f"{name} asked as {asked[-2:]}" if asked else name
    answers = tuple(str(row["answer"]) for row in faq)
    phrases, entries = tuple(t for t, _ in pairs), tuple(e for _, e in pairs)
    return BenchSet(name, family, phrases, entries, tuple(questions), answers)


@dataclass(frozen=True, slots=True)
class Draw:
    """How a base is drawn from a labelled set."""

    name: str
    shots: int  # phrases an entry; 0: all there are
    asked: str = "test"  # "test": the test questions; "train": training rows not in the base
    seed: int = 0
    said: bool = False  # the base is what was said, the questions what was recognised


def labelled_set(folder: Path, draw: Draw) -> BenchSet:
    """`shots` training phrases for each label make the base."""
    rows = read_rows(folder, draw.name)
    training, testing = _split(rows, draw)
    by_label: dict[str, list[int]] = {}
    for place, row in enumerate(training):
        if row["label"] is not None:
            by_label.setdefault(str(row["label"]), []).append(place)
    labels = sorted(by_label)
    shuffle = random.Random(draw.seed)
    drawn = {
        label: shuffle.sample(by_label[label], min(draw.shots or len(by_label[label]), len(by_label[label])))
        for label in labels
    }
    key = "said" if draw.said else "text"
    pairs = [(str(training[place][key]), n) for n, label in enumerate(labels) for place in drawn[label]]
    used = {place for places in drawn.values() for place in places}
    asked = (
        testing if draw.asked == "test" else [row for place, row in enumerate(training) if place not in used]
    )
    number = {label: n for n, label in enumerate(labels)}
    questions = [
        Question(str(row["text"]), frozenset({number[str(row["label"])]} if row["label"] is not None else ()))
        for row in asked
        if row["label"] is None or str(row["label"]) in number
    ]
    name = f"{draw.name} {draw.shots}-shot" if draw.shots else draw.name
    family = draw.name.partition("-")[0]
    phrases, entries = tuple(t for t, _ in pairs), tuple(e for _, e in pairs)
    return BenchSet(name, family, phrases, entries, tuple(questions), is_heard=draw.said)


def _split(rows: Rows, draw: Draw) -> tuple[Rows, Rows]:
    """Training and test rows; a set without a training part (xSID) is halved at random."""
    training = [row for row in rows if row["split"] == "train"]
    if training:
        return training, [row for row in rows if row["split"] == "test"]
    shuffled = random.Random(draw.seed).sample(rows, len(rows))
    return shuffled[: len(rows) // 2], shuffled[len(rows) // 2 :]


def _list(value: object) -> Sequence[str]:
    return value if isinstance(value, list) else []


def reported_sets(folder: Path) -> Iterator[BenchSet]:
    """The sets of the table, asked with their test questions."""
    for name in ("roboai-de", "roboai-en", "covid-de", "covid-en"):
        yield faq_set(folder, name)
    yield faq_set(folder, "roboai-de", asked="roboai-en")
    for name, shots in (("banking77", 5), ("banking77", 10), ("clinc150", 5), ("clinc150", 10)):
        yield labelled_set(folder, Draw(name, shots))
    for name in ("xsid-de", "xsid-en"):
        yield labelled_set(folder, Draw(name, 5))
    for name in ("heard-atis", "heard-trec6"):
        yield labelled_set(folder, Draw(name, 0, said=True))


def learning_sets(folder: Path) -> Iterator[BenchSet]:
    """The sets to learn from: bases of many sizes, some with entries missing, each also asked what only
    other bases answer and what nobody answers. No test row of a labelled set is among them."""
    drawn = list(_bases_to_learn_from(folder))
    small_talk = [Question(text, frozenset(), "small talk") for text in _small_talk()]
    answered = [replace(q, family=bench.family) for bench in drawn for q in bench.questions if q.entries]
    for seed, bench in enumerate((*drawn, *_small_bases_to_learn_from(folder))):
        strangers = [*bench.strangers(small_talk, seed), *bench.strangers(answered, seed)]
        yield replace(bench, questions=(*bench.questions, *strangers))


def _small_bases_to_learn_from(folder: Path) -> Iterator[BenchSet]:
    """As small as a base is that somebody has just begun."""
    for seed, name in enumerate(("roboai-de", "roboai-en")):
        yield from (faq_set(folder, name).with_few_entries(count, seed) for count in (5, 10))
    for name in ("banking77", "clinc150"):
        drawn = labelled_set(folder, Draw(name, 3, "train", seed=3))
        yield from (drawn.with_few_entries(count, count).some_questions(300) for count in (5, 10))


def _small_talk() -> list[str]:
    stored = tomllib.loads(Path(__file__).with_name("small_talk.toml").read_text(encoding="utf-8"))
    return [text for texts in stored.values() for text in texts]


def _bases_to_learn_from(folder: Path) -> Iterator[BenchSet]:
    for name in ("roboai-de", "roboai-en", "covid-de", "covid-en"):
        whole = faq_set(folder, name)
        yield whole
        yield from (
            whole.without_entries(share, seed).some_questions(1500) for seed, share in ((1, 0.4), (2, 0.8))
        )
    for name in ("banking77", "clinc150"):
        for shots in (1, 3, 5, 10):
            drawn = labelled_set(folder, Draw(name, shots, "train", seed=shots)).some_questions(1500)
            yield drawn
            yield drawn.without_entries(0.6, seed=shots)
    both = [labelled_set(folder, Draw(name, 5)) for name in ("xsid-de", "xsid-en")]  # translations
    for drawn, translated in (both, both[::-1]):
        yield drawn
        yield drawn.without_entries(0.4, seed=1)
        yield replace(
            drawn, name=f"{drawn.name} asked as {translated.name[5:7]}", questions=translated.questions
        )
    for name, asked in (("roboai-de", "roboai-en"), ("roboai-en", "roboai-de")):
        yield faq_set(folder, name, asked).some_questions(1500)
    drawn = labelled_set(folder, Draw("heard-atis", 10, "train", said=True))
    yield drawn.some_questions(1500)
