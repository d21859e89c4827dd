"""A public set loaded as the matcher loads a base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from assistant.matching.arithmetic import one_thread
from assistant.matching.by_sound import BySound, Spoken
from assistant.matching.by_words import ByWords
from assistant.matching.elsewhere import asked_elsewhere
from assistant.matching.evidence import Floats, Phrases, Texts, gather
from assistant.matching.focus import FocusedEncoder, focused
from assistant.matching.hearing import Hearing
from assistant.matching.ranking import Ranked, Weights, rank, voted
from assistant.matching.rehearing import Rehearing
from assistant.matching.text import cut, fold
from assistant.matching.told import told
from assistant.matching.training import Kind, Lesson, train
from assistant.ports import Encoder, Lexicon, Seen
from tests.bench.sets import BenchSet, Question

_CHUNK = 64


class Loaded:
    """The phrases of a set, what was trained on them, and how to ask them."""

    def __init__(self, bench: BenchSet, encoder: Encoder | None, reads_answers: bool = True) -> None:
        one_thread()
        self._bench = bench
        entries = np.array(bench.entries)
        texts = [cut(text)[0] for text in bench.phrases]
        self._encoder = focused(encoder, texts, entries, None) if encoder else None
        lexicon = encoder if isinstance(encoder, Lexicon) else None
        self.phrases = Phrases(_prepared(texts, self._encoder), entries)
        answers = bench.answers if reads_answers else ()
        tells = [(entry, sentence) for entry, text in enumerate(answers) for sentence in told(text)]
        others = asked_elsewhere([bench.language])
        lesson = Lesson(self.phrases, texts, self._vectors, self._see, tells, others)
        self.heads = train(lesson, None, "")
        self._hearing: Hearing | None = None
        if bench.is_heard:
            by_words = ByWords.trained(lesson, len(texts) / bench.size, None) if encoder else None
            spoken = Spoken(texts, entries, bench.size, bench.size, bench.language)
            rehearing = Rehearing(texts, lexicon, bench.language)
            self._hearing = Hearing(rehearing, by_words, BySound.trained(spoken, None, ""))

    def _vectors(self, texts: Sequence[str], _: Kind) -> Floats | None:
        return self._encoder.encode(texts) if self._encoder else None

    def _see(self, texts: Sequence[str], _: Kind) -> Seen | None:
        return self._encoder.see(texts) if self._encoder else None

    def ranked(self, weights: Weights) -> Iterator[Ranked]:
        """The entries for each question; what was heard is read as what may have been said, too, and
        speaks for the entries that it sounds like."""
        for start in range(0, len(self._bench.questions), _CHUNK):
            asked = self._bench.questions[start : start + _CHUNK]
            groups = [self._readings(cut(question.text)[0]) for question in asked]
            texts = _prepared([text for group in groups for text in group], self._encoder)
            own = iter(rank(evidence, weights) for evidence in gather(self.phrases, self.heads, texts))
            yield from (self._voted([next(own) for _ in group], group, weights) for group in groups)

    def _readings(self, text: str) -> dict[str, float]:
        """How much each is trusted; what was heard is the last one."""
        if self._hearing is None:
            return {text: 1.0}
        rehearing = self._hearing.rehearing
        text = rehearing.in_figures(text)
        return {
            **{guess.text: guess.share for guess in rehearing.guesses(text) if guess.text != text},
            text: 1.0,
        }

    def _voted(self, ranked: Sequence[Ranked], readings: Mapping[str, float], weights: Weights) -> Ranked:
        texts, trust = list(readings), list(readings.values())
        votes = voted(ranked, trust, guesses=len(texts) - 1)
        return self._hearing.told(votes, texts, trust, weights) if self._hearing else votes

    def asked_in_chunks(self) -> Iterator[tuple[Texts, Sequence[Question]]]:
        questions = self._bench.questions
        for start in range(0, len(questions), _CHUNK):
            chunk = questions[start : start + _CHUNK]
            yield _prepared([cut(question.text)[0] for question in chunk], self._encoder), chunk


def _prepared(texts: Sequence[str], encoder: FocusedEncoder | None) -> Texts:
    return Texts.of([fold(text) for text in texts], encoder.see(texts) if encoder else None)
