"""When is a customer taken to have finished? python -m tests.bench.turns FOLDER [--tune] [--english]

Clips of people and of a synthetic voice get a room around them and a pause within. Sound comes in blocks
of 0.05 s of its own time; what a recognizer works on each is measured (CPU time) and added to that time,
as if each of its processes worked on a core of its own. Rivals are given the same last words, when their
pause is over. "Text": until the words that are answered stand there as heard out, and their answer is made
ready; "answer": until it may be given. "Last word": the seconds that the recognizer itself needs when the
sound has ended (median).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.table import Table

from assistant.events import EarEvent, HeardOut
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic import open_encoder
from assistant.ports import Microphone, Recognizer
from assistant.settings import ListeningSettings, load_settings
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.spoken_turn import RATE_HZ, Reading, SpokenTurn
from assistant.speech.hearing.turn_taking import IsKnownQuestion, TurnTaking, is_beginning, is_whole
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whisper_recognizer import WhisperRecognizer
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.resampling import at_rate
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Entry, Found, Heard, Knowledge, Page, Phrase, Place, Utterance
from assistant.wiring import open_library, questions
from tests.bench.children import family_of
from tests.bench.options import options
from tests.bench.sets import read_rows
from tests.bench.showing import show
from tests.whisper_base import for_a_while

REPOSITORY = Path(__file__).parents[2]
PAUSES_SECONDS = (0.0, 0.3, 0.5, 0.8)  # within a clip; 0: as it was spoken
_LEAD_SECONDS, _TAIL_SECONDS = 0.8, 4.0
_ROOM_DB = -35.0  # the room below the speech
_AROUND_SECONDS = 0.6  # what recognizers are given before and after a stretch of speech
_BLOCK = RATE_HZ // 20  # samples in which the live microphone gives sound
_LONGEST_CLIP_SECONDS = 6.0
_MOST_CLIPS = 20  # of a kind: all together take some minutes
# Where speech is in a clip: 25 dB below its loud parts, and clearly above its own room.
_BELOW_LOUD_DB, _ABOVE_ROOM_DB = 25.0, 14.0
_CLEAN_DB = 20.0  # between the loud parts and the room; below, nobody can say from the energy where it ends
_SHORTEST_SOUND = 8  # steps of 10 ms; shorter ones are clicks
_LONGEST_GAP = 30  # steps: a clip with pauses of its own would blur the ones that are made

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Case:
    """A sound to hear, and when speech truly ends in it."""

    sound: bytes
    end_seconds: float

    @property
    def blocks(self) -> Iterator[tuple[float, bytes]]:
        """When each block is there, and the block."""
        for start in range(0, len(self.sound), _BLOCK * 2):
            yield (start // 2 + _BLOCK) / RATE_HZ, self.sound[start : start + _BLOCK * 2]


@dataclass(frozen=True, slots=True)
class Clip:
    """Speech without silence around it, in two parts that a pause can stand between."""

    text: str
    parts: tuple[Samples, Samples]

    def with_pause(self, seconds: float, seed: int) -> Case:
        first, second = self.parts
        speech = np.concatenate((first, np.zeros(round(seconds * RATE_HZ), np.float32), second))
        lead, tail = (np.zeros(round(s * RATE_HZ), np.float32) for s in (_LEAD_SECONDS, _TAIL_SECONDS))
        whole = np.concatenate((lead, speech, tail))
        loudness = float(np.sqrt(np.mean(np.square(np.concatenate(self.parts)))))
        room = np.random.default_rng(seed).standard_normal(len(whole) + 15, dtype=np.float32)
        room = np.convolve(room, 0.85 ** np.arange(16), "valid")  # darker than white, as rooms are
        whole += room / np.std(room) * loudness * 10 ** (_ROOM_DB / 20)
        pcm = (np.clip(whole, -1, 1) * 32767).astype("<i2").tobytes()
        return Case(pcm, _LEAD_SECONDS + len(speech) / RATE_HZ)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Clips of one kind, who recognizes them, and which texts are known questions."""

    name: str
    language: str
    clips: Sequence[Clip]
    recognizer: Measured
    is_known: IsKnownQuestion

    def half(self, second: bool) -> Corpus:
        return replace(self, clips=self.clips[second::2])


@dataclass(frozen=True, slots=True)
class Ended:
    """In seconds of the sound."""

    decided: float  # the turn to be over
    told: float  # its text, to be answered
    heard_out: float  # the same text, as heard out: made ready for, not answered yet


# --- hearing, in the time of the sound --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Work:
    """What a recognizer did with one block: how long it worked, and what it wrote then."""

    seconds: float
    readings: tuple[Heard, ...]


@dataclass
class SpokenSound:
    """A microphone that gives these blocks."""

    blocks: Sequence[bytes]
    keep_pace: Callable[[], None]  # a live microphone would not be ahead either
    taken: int = 0
    rate_hz: int = RATE_HZ
    is_speech_only: bool = True

    def __iter__(self) -> Iterator[bytes]:
        for block in self.blocks:
            self.taken += 1
            yield block
            self.keep_pace()
        self.taken += 1

    def close(self) -> None: ...


class Measured:
    """A recognizer whose work on a sound is measured once: other pauses to wait for need no other reading."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._family = family_of(recognizer)
        self._known: dict[bytes, list[Work]] = {}

    @property
    def last_word_seconds(self) -> float:
        """What it needs when the sound has ended (median)."""
        return float(np.median([works[-1].seconds for works in self._known.values()]))

    def prompt(self, clip: Clip) -> None:
        if isinstance(self._recognizer, Prompter):
            self._recognizer.clip = clip

    def works(self, blocks: Sequence[bytes]) -> list[Work]:
        """One for each block, and one for what comes after the last."""
        sound = b"".join(blocks)
        if sound not in self._known:
            self._known[sound] = self._measure(blocks)
        return self._known[sound]

    def _measure(self, blocks: Sequence[bytes]) -> list[Work]:
        works = [Work(0.0, ()) for _ in range(len(blocks) + 1)]
        self._family.keep_pace()
        sound = SpokenSound(blocks, self._family.keep_pace)
        # All threads: Whisper reads in one of its own.
        begun, worked = time.process_time(), self._family.worked()
        for heard in self._recognizer.recognize(sound):
            place, now = max(0, sound.taken - 1), time.process_time()
            seconds = works[place].seconds + now - begun + self._family.slowest_since(worked)
            works[place] = Work(seconds, (*works[place].readings, heard))
            begun, worked = now, self._family.worked()
        return works


@dataclass
class TimedReaders:
    """A recognizer on a core of its own: its readings come when it would have had them."""

    recognizer: Measured
    now: float = 0.0
    free_at: float = 0.0
    readings: list[tuple[float, Reading]] = field(default_factory=list)

    def begin(self, attempt: int, sound: Iterable[bytes]) -> None:
        self._attempt = attempt
        self._blocks = [(self.now, block) for block in sound]

    def give(self, block: bytes) -> None:
        self._blocks.append((self.now, block))

    def end(self) -> None:
        self.readings.clear()
        arrivals = [arrives for arrives, _ in self._blocks] + [self.now]
        works = self.recognizer.works([block for _, block in self._blocks])
        for arrives, work in zip(arrivals, works, strict=True):
            self.free_at = max(self.free_at, arrives) + work.seconds
            self.readings += [(max(self.free_at, self.now), Reading(self._attempt, h)) for h in work.readings]

    def come(self, until: float) -> Iterator[tuple[float, Reading]]:
        while self.readings and self.readings[0][0] <= until:
            yield self.readings.pop(0)


def hear_out(case: Case, corpus: Corpus, settings: ListeningSettings) -> Ended | None:
    """As the kiosk hears it; None where no text came of it."""
    readers = TimedReaders(corpus.recognizer)
    taking = TurnTaking(settings, corpus.is_known)
    turn = SpokenTurn(taking, activity(), readers, [corpus.language], lambda _: 0.0)
    told: list[tuple[float, EarEvent]] = []
    decided: float | None = None
    for arrives, block in case.blocks:
        for when, reading in readers.come(arrives):
            told += [(when, event) for event in turn.read(reading)]
        readers.now = arrives
        told += [(arrives, event) for event in turn.hear(block)]
        if not turn.is_reading and not turn.is_over:
            decided = None
        elif decided is None:
            decided = arrives
        if turn.is_over:
            return _ended(told, decided)
    return None


def _ended(told: Sequence[tuple[float, EarEvent]], decided: float | None) -> Ended | None:
    """None where nothing was heard."""
    when, last = told[-1]
    if not isinstance(last, Heard):
        return None
    out = [at for at, event in told if isinstance(event, HeardOut) and event.heard.text == last.text]
    return Ended(when if decided is None else min(decided, when), when, out[-1] if out else when)


def fixed_silence(pause_seconds: float) -> Callable[[Case, Corpus, ListeningSettings], Ended | None]:
    """End-pointing as it is usually done: so much silence ends it, then the last word is asked for."""

    def hear(case: Case, corpus: Corpus, _: ListeningSettings) -> Ended | None:
        detector = activity()
        detector.reset()
        quiet, begun = 0.0, False
        for arrives, block in case.blocks:
            for speech in detector.push(block):
                begun = begun or speech
                quiet = 0.0 if speech else quiet + detector.frame_seconds
            if begun and quiet >= pause_seconds:
                told = arrives + corpus.recognizer.last_word_seconds
                return Ended(arrives, told, told)
        return None

    return hear


def vosk_endpointer(case: Case, corpus: Corpus, _: ListeningSettings) -> Ended | None:
    """Vosk's own, with the rules of the model's configuration."""
    decoder = vosk_decoder(corpus.language)
    decoder.Reset()
    now = 0.0
    for arrives, block in case.blocks:
        begun = time.thread_time()
        ended = decoder.AcceptWaveform(block)
        if ended and '"text" : ""' not in decoder.Result():
            told = max(now, arrives) + time.thread_time() - begun
            return Ended(arrives, told, told)
        now = max(now, arrives) + time.thread_time() - begun
    return None


@cache
def vosk_decoder(language: str) -> object:
    import vosk

    vosk.SetLogLevel(-2)
    return vosk.KaldiRecognizer(vosk.Model(str(find_vosk_model(language, []))), RATE_HZ)


@cache
def activity() -> VoiceActivity:
    return VoiceActivity(RATE_HZ)


# --- what is heard ----------------------------------------------------------------------------


def speech_of(sound: Samples) -> Samples | None:
    """The speech of a clean clip, by its energy; None where that does not tell where it ends."""
    steps = len(sound) // 160
    power = np.convolve(np.square(sound[: steps * 160]).reshape(steps, 160).mean(1), np.ones(5) / 5, "same")
    level = 10 * np.log10(power + 1e-10)
    room, loud = np.percentile(level, 5), np.percentile(level, 95)
    above = np.concatenate(([0], level > max(room + _ABOVE_ROOM_DB, loud - _BELOW_LOUD_DB), [0]))
    edges = np.flatnonzero(np.diff(above)).reshape(-1, 2)
    sounds = edges[edges[:, 1] - edges[:, 0] >= _SHORTEST_SOUND]
    if (
        loud - room < _CLEAN_DB
        or not len(sounds)
        or max(sounds[1:, 0] - sounds[:-1, 1], default=0) > _LONGEST_GAP
    ):
        return None
    return sound[sounds[0, 0] * 160 : sounds[-1, 1] * 160]


def in_two(speech: Samples) -> tuple[Samples, Samples]:
    """Parted at the quietest place of its middle."""
    steps = len(speech) // 160
    power = np.convolve(np.square(speech[: steps * 160]).reshape(steps, 160).mean(1), np.ones(5), "same")
    first, last = round(steps * 0.35), round(steps * 0.75)
    place = (first + int(np.argmin(power[first:last]))) * 160
    return speech[:place], speech[place:]


def human_clips(folder: Path, language: str) -> Iterator[Clip]:
    import soundfile

    for row in read_rows(folder, "audio"):
        if row["kind"] != "human" or row["lang"] != language or row["seconds"] > _LONGEST_CLIP_SECONDS:
            continue
        sound, rate_hz = soundfile.read(folder / row["path"], dtype="float32", always_2d=True)
        speech = speech_of(sound[:, 0]) if rate_hz == RATE_HZ else None
        if speech is not None:
            yield Clip((row["text"] or "").lower(), in_two(speech))


def spoken_clips(questions: Sequence[str], language: str) -> Iterator[Clip]:
    """Questions as eSpeak says them, each half for itself."""
    synthesizer = Pyttsx3Synthesizer()

    def say(words: Sequence[str]) -> Samples:
        pcm = b"".join(at_rate(synthesizer.speak(" ".join(words), language), synthesizer.rate_hz, RATE_HZ))
        sound = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
        loud = np.flatnonzero(np.abs(sound) > 0.01 * np.max(np.abs(sound)))
        return sound[loud[0] : loud[-1] + 1]

    for question in questions:
        words = question.split()
        yield Clip(question, (say(words[: len(words) // 2]), say(words[len(words) // 2 :])))


def known_to(knowledge: Knowledge | None) -> IsKnownQuestion:
    """What the pages know; no pages know nothing."""
    if knowledge is None:
        return lambda _text, _language: False
    matcher = Matcher(knowledge, open_encoder(), MatcherOptions())

    @cache
    def is_known(text: str, language: str) -> bool:
        match = matcher.match(Utterance(text, language))
        known = isinstance(match, Found) and is_whole(text, match.best.phrase)
        return known and not is_beginning(text, questions(knowledge, language))

    return is_known


class Prompter:
    """Stands where no model of a language is: it knows the text and hears as much of it as there is sound."""

    language = "de"

    def __init__(self) -> None:
        self.clip: Clip | None = None

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        seconds = sum(map(len, microphone)) / 2 / RATE_HZ - _AROUND_SECONDS
        if self.clip is None:
            return
        words = self.clip.text.split()
        share = seconds * RATE_HZ / sum(map(len, self.clip.parts))
        yield Heard(" ".join(words[: max(1, round(share * len(words)))]), self.language)

    def close(self) -> None: ...


def base_of(texts: Sequence[str], language: str) -> Knowledge:
    here = Place("clips.md")
    entries = (
        Entry(f"clip-{number}", language, here, (Phrase(text, here),), answer="-")
        for number, text in enumerate(texts)
    )
    return Knowledge.of("", language, (Page("clips.md", language, "Clips", tuple(entries)),))


def corpora(folder: Path, only_english: bool) -> Iterator[Corpus]:
    if not only_english:
        with for_a_while() as whisper:
            yield from german(folder, whisper)
        yield from korean(folder)
    yield from english(folder)


def german(folder: Path, whisper: Path | None) -> Iterator[Corpus]:
    people = list(human_clips(folder, "de"))
    known = known_to(base_of(list(dict.fromkeys(clip.text for clip in people)), "de"))
    hears = Measured(WhisperRecognizer(whisper, "de") if whisper else Prompter())
    how = "Whisper base" if whisper else "words prompted"
    yield Corpus(f"German, people, {how}, known to the pages", "de", people, hears, known)
    yield Corpus(f"German, people, {how}, unknown to the pages", "de", people, hears, known_to(None))


def korean(folder: Path) -> Iterator[Corpus]:
    if model := find_vosk_model("ko", []):
        vosk = Measured(VoskRecognizer(model, "ko"))
        people = list(human_clips(folder, "ko"))
        yield Corpus("Korean, people, unknown (Vosk)", "ko", people, vosk, known_to(None))


def english(folder: Path) -> Iterator[Corpus]:
    people = list(human_clips(folder, "en"))[:_MOST_CLIPS]
    texts = [clip.text for clip in people]
    hears, known = Measured(PocketSphinxRecognizer(texts)), known_to(base_of(texts, "en"))
    yield Corpus("English, people, as if the pages asked it", "en", people, hears, known)
    yield Corpus("English, people, unknown to the pages", "en", people, hears, known_to(None))
    base = base_knowledge()
    phrases = [phrase.text for entry in base.entries if entry.language == "en" for phrase in entry.questions]
    asked = [text for text in phrases if len(text.split()) > 3]
    clips = list(spoken_clips(asked[:: len(asked) // _MOST_CLIPS][:_MOST_CLIPS], "en"))
    hears, known = Measured(PocketSphinxRecognizer(phrases)), known_to(base)
    yield Corpus("English, eSpeak, questions of the sample base", "en", clips, hears, known)
    yield Corpus("English, people, unlike the questions of the sample base", "en", people, hears, known)


def base_knowledge() -> Knowledge:
    library = open_library(load_settings(REPOSITORY / "knowledge"))
    library.load()
    return library.knowledge


# --- the table --------------------------------------------------------------------------------

Hear = Callable[[Case, Corpus, ListeningSettings], Ended | None]
RIVALS: dict[str, Hear] = {
    "ours": hear_out,
    "silence of 0.5 s": fixed_silence(0.5),
    "silence of 0.8 s": fixed_silence(0.8),
    "Vosk's endpointer": vosk_endpointer,
}


def row(name: str, hear: Hear, corpus: Corpus, settings: ListeningSettings) -> Iterator[str]:
    """Seconds to the text and to its answer, shares cut off by pause, never ended."""
    late: list[tuple[float, float]] = []
    cut = dict.fromkeys(PAUSES_SECONDS, 0)
    never = 0
    for pause in PAUSES_SECONDS:
        for number, clip in enumerate(corpus.clips):
            case = clip.with_pause(pause, number)
            corpus.recognizer.prompt(clip)
            ended = hear(case, corpus, settings)
            if ended is None:
                never += 1
            elif ended.decided <= case.end_seconds:
                cut[pause] += 1
            else:
                late.append((ended.heard_out - case.end_seconds, ended.told - case.end_seconds))
    each = max(1, len(corpus.clips))
    yield f"{corpus.name} ({each})"
    yield name
    for seconds in zip(*late, strict=True) if late else ((), ()):
        yield " ".join(f"{np.percentile(seconds, share):.2f}" if seconds else "-" for share in (50, 95))
    yield f"{sum(cut.values()) / each / len(cut):.1%}"
    yield " ".join(f"{cut[pause] / each:.0%}" for pause in PAUSES_SECONDS[1:])
    yield f"{never / each / len(cut):.1%}"
    yield f"{corpus.recognizer.last_word_seconds:.2f}"


def rows(found: Iterable[Corpus], settings: Sequence[ListeningSettings], second: bool) -> Iterator[list[str]]:
    for corpus in found:
        half = corpus.half(second)
        for one in settings:
            name = (
                "ours"
                if len(settings) == 1
                else f"ours, {one.pause_seconds}/{one.pause_after_question_seconds}"
            )
            yield list(row(name, hear_out, half, one))
        for name, hear in RIVALS.items():
            if hear is not hear_out and second and (hear is not vosk_endpointer or corpus.language == "ko"):
                yield list(row(name, hear, half, settings[0]))


def main() -> None:
    parser = options(__doc__)
    parser.add_argument(
        "--tune", action="store_true", help="try other pauses, on the half of the clips kept for it"
    )
    parser.add_argument("--english", action="store_true", help="the English clips alone")
    given = parser.parse_args()
    settings = [ListeningSettings()]
    if given.tune:
        settings = [
            ListeningSettings(pause_seconds=pause, pause_after_question_seconds=known)
            for pause in (0.5, 0.7, 0.9, 1.0)
            for known in (0.35, 0.45)
        ]
    half = "the half that the pauses were tuned on" if given.tune else "the half that nothing was tuned on"
    table = Table(title=f"From the true end of speech to the text, in seconds ({half})")
    columns = (
        "clips",
        "who decides",
        "text: median 95 %",
        "answer",
        "cut off",
        "at 0.3 0.5 0.8 s",
        "never",
        "last word",
    )
    for name in columns:
        table.add_column(name, justify="left" if name in columns[:2] else "right")
    show(table, rows(corpora(given.folder, given.english), settings, not given.tune))


if __name__ == "__main__":
    main()
