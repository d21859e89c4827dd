"""The ear: what it tells, in which order, and that it lives on whatever happens."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import DeviceError, ModelError
from assistant.events import (
    EarEvent,
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    NothingSaid,
    SpeechBegan,
    StopSaid,
)
from assistant.ports import Ear, Microphone, Recognizer, SpeechOnly
from assistant.settings import ListeningSettings
from assistant.speech.hearing.ear_tasks import EarParts
from assistant.speech.hearing.listening import Listening
from assistant.speech.hearing.spoken_turn import Reading, SpokenTurn
from assistant.speech.hearing.turn_taking import TurnTaking
from assistant.speech.sound.voice_activity import VoiceActivity, speech_spans
from assistant.speech.sound.wav_audio import WavMicrophone
from assistant.values import Heard

RATE_HZ = 16_000
BLOCK_BYTES = 800 * 2  # 0.05 s, as the live microphone gives
PATIENCE_SECONDS = 20.0
SETTINGS = ListeningSettings(pause_seconds=0.7, wait_seconds=4.0)


def cut(pcm: bytes) -> tuple[bytes, ...]:
    """In blocks as a live microphone gives them."""
    return tuple(pcm[start : start + BLOCK_BYTES] for start in range(0, len(pcm), BLOCK_BYTES))


def only_words(blocks: Iterable[bytes]) -> tuple[bytes, ...]:
    """Without the silence around them, which would lengthen every pause."""
    pcm = b"".join(blocks)
    spans = speech_spans(pcm, RATE_HZ)
    first, last = int(spans[0].start_seconds * RATE_HZ), int(spans[-1].end_seconds * RATE_HZ)
    return cut(pcm[first * 2 : last * 2])


QUESTION = only_words(WavMicrophone(Path(__file__).with_name("question.wav"), RATE_HZ))
QUESTION_SECONDS = sum(map(len, QUESTION)) / 2 / RATE_HZ


def room(seconds: float) -> tuple[bytes, ...]:
    """The sound of a quiet room, never the same twice."""
    noise = np.random.default_rng(int(seconds * 1000)).normal(0, 8, int(seconds * RATE_HZ))
    return cut(noise.astype("<i2").tobytes())


# --- stand-ins ------------------------------------------------------------------------------


class LiveMicrophone:
    """Gives what is put into it; an exception in between is raised."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self.blocks: queue.Queue[bytes | Exception | None] = queue.Queue()

    def __iter__(self) -> Iterator[bytes]:
        while (block := self.blocks.get(timeout=PATIENCE_SECONDS)) is not None:
            if isinstance(block, Exception):
                raise block
            yield block

    def close(self) -> None:
        self.blocks.put(None)

    def give(self, *parts: Sequence[bytes]) -> None:
        for part in parts:
            for block in part:
                self.blocks.put(block)


@dataclass
class WrittenRecognizer:
    """Writes down how much it was given, and says what it was told to say, utterance by utterance."""

    texts: Sequence[str | Exception]
    language: str = "en"
    seconds: list[float] = field(default_factory=list)
    was_speech_only: bool = False
    hold: threading.Event | None = None

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        self.was_speech_only = isinstance(microphone, SpeechOnly) and microphone.is_speech_only
        self.seconds.append(0.0)
        text = self.texts[min(len(self.seconds), len(self.texts)) - 1]
        for block in microphone:
            self.seconds[-1] += len(block) / 2 / RATE_HZ
            if isinstance(text, Exception):
                raise text
            if text:
                yield Heard(text.split()[0], self.language, final=False)
        if self.hold is not None:
            assert self.hold.wait(PATIENCE_SECONDS)
        assert isinstance(text, str)
        yield Heard(text, self.language)

    def close(self) -> None: ...


@dataclass
class Echo:
    is_playing: bool = False
    is_settled: bool = True

    def clean(self, block: bytes) -> bytes:
        return bytes(len(block))


class OwnVoice(Echo):
    """Taken out before the sound comes here."""

    def clean(self, block: bytes) -> bytes:
        return block


@dataclass
class Spotter:
    """Hears a stop word in every block that is not silent."""

    words: str = "stop"
    deaf_for: int = 0  # blocks
    heard: int = 0
    closed: bool = False

    def hear(self, block: bytes) -> str:
        self.heard += 1
        return self.words if max(block) and self.heard > self.deaf_for else ""

    def close(self) -> None:
        self.closed = True


@dataclass
class Kiosk:
    """An ear in a test, with all that it tells."""

    recognizers: dict[str, Recognizer]
    settings: ListeningSettings = SETTINGS
    known: Callable[[str, str], bool] = lambda *_: False
    judge: Callable[[Heard], float] = lambda heard: len(heard.text)
    echo: Echo = field(default_factory=Echo)
    spotter: Spotter = field(default_factory=Spotter)
    kept: list[bytes] = field(default_factory=list)
    seconds_before_interruption: float = 0.0
    microphone: LiveMicrophone = field(default_factory=LiveMicrophone)
    opened: int = 0
    told: queue.Queue[tuple[int, EarEvent]] = field(default_factory=queue.Queue)

    def open_microphone(self) -> Microphone:
        self.opened += 1
        return self.microphone

    @contextmanager
    def borrow(self, language: str) -> Iterator[Recognizer]:
        if language not in self.recognizers:
            raise ModelError(f"nothing here hears `{language}`", "assistant models install")
        yield self.recognizers[language]

    def wait_until_all_is_heard(self) -> None:
        while not self.microphone.blocks.empty():
            threading.Event().wait(0.01)

    def next(self) -> tuple[int, EarEvent]:
        return self.told.get(timeout=PATIENCE_SECONDS)

    def end_of(self, number: int) -> tuple[EarEvent, list[EarEvent]]:
        """What ends a listen, and what was told before."""
        before: list[EarEvent] = []
        while True:
            told, event = self.next()
            if told == number and ends(event):
                return event, before
            before.append(event)


def ends(event: EarEvent) -> bool:
    return isinstance(event, NothingSaid | HearingFailed) or (isinstance(event, Heard) and event.final)


@contextmanager
def listening(kiosk: Kiosk) -> Iterator[Ear]:
    before = set(threading.enumerate())
    ear = Listening(
        EarParts(
            open_microphone=kiosk.open_microphone,
            borrow=kiosk.borrow,
            tell=lambda number, event: kiosk.told.put((number, event)),
            echo=kiosk.echo,
            stop_words=lambda _: kiosk.spotter,
            is_known_question=kiosk.known,
            judge=kiosk.judge,
            settings=kiosk.settings,
            keep=kiosk.kept.append,
            seconds_before_interruption=kiosk.seconds_before_interruption,
        )
    )
    try:
        yield ear
    finally:
        ear.close()
    assert set(threading.enumerate()) <= before, "an ear that is closed leaves nothing running"


# --- one utterance --------------------------------------------------------------------------


def test_a_question_is_told_as_it_comes_and_then_once_as_a_whole() -> None:
    recognizer = WrittenRecognizer(["when are you open"])
    kiosk = Kiosk({"en": recognizer})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(1), QUESTION)
        assert kiosk.next() == (number, SpeechBegan())
        assert kiosk.next() == (number, Heard("when", "en", final=False))
        kiosk.microphone.give(room(2))
        end, before = kiosk.end_of(number)
    assert end == Heard("when are you open", "en")
    assert SpeechBegan() not in before
    assert recognizer.was_speech_only
    assert QUESTION_SECONDS - 0.2 < recognizer.seconds[-1] < QUESTION_SECONDS + 0.9, (
        "the silence is not given"
    )
    assert [len(sound) / 2 / RATE_HZ for sound in kiosk.kept] == [pytest.approx(recognizer.seconds[-1])]


def test_who_speaks_on_after_a_pause_is_heard_as_one() -> None:
    recognizer = WrittenRecognizer(["I would like to"])
    kiosk = Kiosk({"en": recognizer})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(0.5), QUESTION, room(0.5), QUESTION, room(3))
        end, _ = kiosk.end_of(number)
    assert end == Heard("I would like to", "en")
    assert recognizer.seconds[-1] > 2 * QUESTION_SECONDS - 0.4


def test_where_nobody_speaks_that_is_told_once() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["ghost"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(6))
        assert kiosk.next() == (number, NothingSaid())
        again = ear.listen(["en"])
        kiosk.microphone.give(room(6))
        assert kiosk.next() == (again, NothingSaid())
    assert kiosk.told.empty()
    assert kiosk.kept == []


def test_what_no_recognizer_hears_a_word_in_was_a_cough_and_is_not_told() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["", "", "when are you open"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(0.3), QUESTION[:4], room(5))
        assert kiosk.end_of(number)[0] == NothingSaid()


def test_the_word_after_a_cough_is_heard() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["", "when are you open"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(0.3), QUESTION[:4], room(1.5), QUESTION, room(2))
        assert kiosk.end_of(number)[0] == Heard("when are you open", "en")


def test_while_a_key_is_held_only_letting_it_go_ends_the_utterance() -> None:
    recognizer = WrittenRecognizer(["open on saturday"])
    kiosk = Kiosk({"en": recognizer})
    with listening(kiosk) as ear:
        number = ear.listen(["en"], push=True)
        kiosk.microphone.give(QUESTION, room(3), QUESTION)
        while len(recognizer.seconds) < 1 or recognizer.seconds[0] < 2 * QUESTION_SECONDS - 0.4:
            kiosk.next()
        ear.finish()
        kiosk.microphone.give(room(0.1))
        end, before = kiosk.end_of(number)
    assert end == Heard("open on saturday", "en")
    assert not any(ends(event) for event in before)
    assert len(recognizer.seconds) == 1, "nothing is read twice where the end is told"


def test_a_key_held_without_a_word_is_nothing_said() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["ghost"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"], push=True)
        kiosk.microphone.give(room(0.5))
        ear.finish()
        assert kiosk.next() == (number, NothingSaid())


def test_of_two_languages_the_one_that_makes_more_sense_is_told() -> None:
    def judge(heard: Heard) -> float:
        return 0.9 if "geöffnet" in heard.text else 0.2

    english, german = WrittenRecognizer(["van harbin see"]), WrittenRecognizer(["wann geöffnet"], "de")
    kiosk = Kiosk({"en": english, "de": german}, judge=judge)
    with listening(kiosk) as ear:
        number = ear.listen(["en", "de"])
        kiosk.microphone.give(QUESTION, room(2))
        assert kiosk.end_of(number)[0] == Heard("wann geöffnet", "de")
    assert english.seconds[-1] == german.seconds[-1]


# --- what comes in between ------------------------------------------------------------------


def test_what_was_said_just_before_the_ear_is_asked_is_not_lost() -> None:
    recognizer = WrittenRecognizer(["open"])
    kiosk = Kiosk({"en": recognizer})
    with listening(kiosk) as ear:
        kiosk.microphone.give(room(2), QUESTION[:4])
        kiosk.wait_until_all_is_heard()
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION[4:], room(2))
        kiosk.end_of(number)
    assert recognizer.seconds[-1] > QUESTION_SECONDS - 0.2


def test_a_new_call_makes_the_one_before_old_news() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["when are you open"])})
    with listening(kiosk) as ear:
        numbers = [ear.listen(["en"]) for _ in range(5)]
        kiosk.microphone.give(QUESTION, room(2))
        end, before = kiosk.end_of(numbers[-1])
    assert end == Heard("when are you open", "en")
    assert not any(ends(event) for event in before)
    assert all(earlier < later for earlier, later in pairwise(numbers))


def test_at_rest_nothing_is_told() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["when are you open"])})
    with listening(kiosk) as ear:
        ear.listen(["en"])
        ear.rest()
        kiosk.microphone.give(QUESTION, room(6))
        kiosk.wait_until_all_is_heard()
        number = ear.listen(["en"])
        kiosk.microphone.give(room(6))
        assert kiosk.end_of(number) == (NothingSaid(), [])


def test_the_assistants_own_voice_is_not_heard_as_a_customer() -> None:
    echo = Echo(is_playing=True)
    kiosk = Kiosk({"en": WrittenRecognizer(["my own answer"])}, echo=echo)
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(0.5), QUESTION, QUESTION)
        kiosk.wait_until_all_is_heard()
        echo.is_playing = False
        kiosk.microphone.give(room(6))
        assert kiosk.next() == (number, NothingSaid())


# --- a word that stops ----------------------------------------------------------------------


@pytest.mark.parametrize("saying", ["We are open from nine to five.", "It cannot be stopped."])
def test_a_stop_word_is_told_once_while_the_assistant_speaks(saying: str) -> None:
    kiosk = Kiosk({})
    with listening(kiosk) as ear:
        number = ear.attend_stop("en", saying)
        kiosk.microphone.give(room(1))
        assert kiosk.next() == (number, StopSaid("stop"))
        ear.rest()
    assert kiosk.told.empty()
    assert kiosk.spotter.closed


@pytest.mark.parametrize(
    ("words", "seconds", "hears"),
    [("…", 2.0, True), ("stop", 2.0, False), ("…", 0.0, False)],
    ids=["who speaks on", "a stop word", "a kiosk with the own voice in its microphone"],
)
def test_who_speaks_on_is_heard_from_the_beginning(words: str, seconds: float, hears: bool) -> None:
    recognizer = WrittenRecognizer(["when are you open"])
    echo = Echo()
    spotter = Spotter(words, deaf_for=len(QUESTION) - 1)
    kiosk = Kiosk({"en": recognizer}, echo=echo, spotter=spotter, seconds_before_interruption=seconds)
    with listening(kiosk) as ear:
        number = ear.attend_stop("en", "")
        kiosk.microphone.give(QUESTION)
        assert kiosk.next() == (number, StopSaid(words))
        kiosk.wait_until_all_is_heard()
        number = ear.listen(["en"])
        kiosk.microphone.give(room(6))
        end, _ = kiosk.end_of(number)
    assert end == (Heard("when are you open", "en") if hears else NothingSaid())
    if hears:
        assert recognizer.seconds[-1] > min(seconds, QUESTION_SECONDS) - 0.3, "its beginning was lost"


def test_the_end_of_the_own_voice_cuts_nothing_out_of_what_stopped_it() -> None:
    recognizer = WrittenRecognizer(["when are you open"])
    echo = OwnVoice(is_playing=True)
    kiosk = Kiosk(
        {"en": recognizer}, echo=echo, spotter=Spotter("…", deaf_for=10), seconds_before_interruption=2.0
    )
    with listening(kiosk) as ear:
        ear.attend_stop("en", "We are open from nine to five.")
        kiosk.microphone.give(QUESTION[:15])
        kiosk.next()
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION[15:])
        kiosk.wait_until_all_is_heard()
        echo.is_playing = False
        kiosk.microphone.give(room(3))
        end, _ = kiosk.end_of(number)
    assert isinstance(end, Heard)
    assert recognizer.seconds[-1] > QUESTION_SECONDS - 0.3


def test_what_is_left_of_the_assistants_voice_stops_nothing() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer([""])}, echo=Echo(is_playing=True))
    with listening(kiosk) as ear:
        ear.attend_stop("en", "We are open from nine to five.")
        kiosk.microphone.give(QUESTION[:10])
        while kiosk.spotter.heard < 10:
            threading.Event().wait(0.01)
    assert kiosk.told.empty()


@pytest.mark.parametrize(
    ("saying", "is_settled"), [("The tram stop is at the corner. Stop!", True), ("They have to stay.", False)]
)
def test_a_stop_word_that_the_assistant_may_have_said_itself_is_not_believed(
    saying: str, is_settled: bool
) -> None:
    kiosk = Kiosk({}, echo=Echo(is_settled=is_settled))
    with listening(kiosk) as ear:
        ear.attend_stop("en", saying)
        kiosk.microphone.give(room(1))
        while kiosk.spotter.heard < 10:
            threading.Event().wait(0.01)
    assert kiosk.told.empty()


# --- what breaks ----------------------------------------------------------------------------


def test_a_recognizer_that_breaks_is_told_and_the_next_utterance_is_heard() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer([RuntimeError("the model went away"), "when are you open"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION)
        end, _ = kiosk.end_of(number)
        assert isinstance(end, HearingFailed)
        assert "the model went away" in end.fact
        assert end.hint
        number = ear.listen(["en"])
        kiosk.microphone.give(room(1), QUESTION, room(2))
        assert kiosk.end_of(number)[0] == Heard("when are you open", "en")


def test_a_language_that_cannot_be_heard_leaves_the_others() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["when are you open"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en", "de"])
        kiosk.microphone.give(QUESTION, room(2))
        assert kiosk.end_of(number)[0] == Heard("when are you open", "en")
        number = ear.listen(["de"])
        assert kiosk.end_of(number)[0] == HearingFailed("nothing here hears `de`", "assistant models install")


def test_a_recognizer_that_comes_to_no_end_is_given_up() -> None:
    recognizer = WrittenRecognizer(["when are you open"], hold=threading.Event())
    kiosk = Kiosk({"en": recognizer})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION, *[room(5)] * 6)
        end, _ = kiosk.end_of(number)
        assert recognizer.hold is not None
        recognizer.hold.set()
    assert isinstance(end, HearingFailed)


def test_a_microphone_that_breaks_in_an_unknown_way_is_told_as_lost_and_opened_again() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["when are you open"])})
    with listening(kiosk):
        kiosk.microphone.blocks.put(ValueError("odd"))
        number, event = kiosk.next()
        assert event == MicrophoneLost("the microphone failed: odd")
        kiosk.microphone.blocks.queue.clear()  # what closing the lost one left
        kiosk.microphone.give(room(0.2))
        assert kiosk.next() == (number, MicrophoneBack())


def test_a_lost_microphone_is_told_and_what_was_said_until_then_is_heard() -> None:
    kiosk = Kiosk({"en": WrittenRecognizer(["when are you"])})
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION[:10])
        kiosk.microphone.blocks.put(DeviceError("the microphone is gone", "plug it in"))
        end, before = kiosk.end_of(number)
        assert end == Heard("when are you", "en")
        assert MicrophoneLost("the microphone is gone", "plug it in") in before
        kiosk.microphone.blocks.queue.clear()  # what closing the lost one left
        kiosk.microphone.give(room(0.2))
        assert kiosk.next() == (number, MicrophoneBack())
        number = ear.listen(["en"])
        kiosk.microphone.give(QUESTION, room(2))
        assert kiosk.end_of(number)[0] == Heard("when are you", "en")
    assert kiosk.opened == 2


# --- one turn, step by step -----------------------------------------------------------------


@dataclass
class Steps:
    """Recognizers that write down what they were asked."""

    asked: list[str] = field(default_factory=list)

    def begin(self, attempt: int, sound: Iterable[bytes]) -> None:
        self.asked.append(f"begin {attempt}")
        assert any(sound)

    def give(self, block: bytes) -> None: ...

    def end(self) -> None:
        self.asked.append("end")


def spoken_turn(steps: Steps) -> SpokenTurn:
    taking = TurnTaking(SETTINGS, lambda text, _: text == "when are you open")
    return SpokenTurn(taking, VoiceActivity(RATE_HZ), steps, ["en"], lambda _: 0.0)


def hear(turn: SpokenTurn, *parts: Sequence[bytes]) -> tuple[list[EarEvent], float]:
    """What is told, and how much was heard until the first end."""
    told: list[EarEvent] = []
    seconds = 0.0
    for part in parts:
        for block in part:
            if turn.is_reading or turn.is_over:
                return told, seconds
            told += turn.hear(block)
            seconds += len(block) / 2 / RATE_HZ
    return told, seconds


def test_the_last_reading_is_made_while_the_pause_lasts() -> None:
    steps = Steps()
    turn = spoken_turn(steps)
    hear(turn, QUESTION, room(0.5))
    assert (steps.asked, turn.is_reading) == (["begin 1", "end"], False)
    assert turn.read(Reading(1, Heard("when are you open", "en", ("van are you",)))) == (
        Heard("when are you open", "en", final=False),
    )
    told, _ = hear(turn, room(0.3))
    assert told == [Heard("when are you open", "en", ("van are you",))]


def test_a_known_question_ends_a_turn_when_its_last_reading_is_there() -> None:
    turn = spoken_turn(Steps())
    hear(turn, QUESTION)
    turn.read(Reading(1, Heard("when are you open", "en", final=False)))
    assert hear(turn, room(0.55))[0] == []
    assert turn.read(Reading(1, Heard("when are you open", "en"))) == ()
    assert hear(turn, room(0.1))[0] == [Heard("when are you open", "en")]


def test_what_seems_to_be_all_is_told_before_the_pause_is_over_and_once() -> None:
    turn = spoken_turn(Steps())
    said = Heard("do you sell bicycles", "en", ("do you sell icicles",))
    hear(turn, QUESTION, room(0.4))
    assert turn.read(Reading(1, said)) == (Heard(said.text, "en", final=False),)
    assert hear(turn, room(0.3))[0] == [HeardOut(said)]
    assert hear(turn, room(0.5))[0] == [said]


def test_who_goes_on_is_heard_on_and_seems_to_have_finished_again() -> None:
    turn = spoken_turn(Steps())
    hear(turn, QUESTION, room(0.4))
    turn.read(Reading(1, Heard("do you sell", "en")))
    told, _ = hear(turn, room(0.2), QUESTION)
    assert told == [HeardOut(Heard("do you sell", "en")), Heard("do you sell", "en", final=False)]
    hear(turn, room(0.4))
    turn.read(Reading(2, Heard("do you sell bicycles", "en")))
    assert hear(turn, room(0.3))[0] == [HeardOut(Heard("do you sell bicycles", "en"))]


def test_what_is_read_so_far_in_a_language_that_is_hardly_spoken_is_not_shown() -> None:
    taking = TurnTaking(SETTINGS, lambda *_: False)
    turn = SpokenTurn(taking, VoiceActivity(RATE_HZ), Steps(), ["en", "de"], lambda heard: len(heard.text))
    hear(turn, QUESTION)
    translated = Heard("wann sind sie geöffnet", "de", final=False, language_probability=0.01)
    assert turn.read(Reading(1, translated)) == ()
    said = Heard("when are you open on saturday", "en", final=False, language_probability=0.9)
    assert turn.read(Reading(1, said)) == (said,)


def test_a_reading_of_what_has_gone_on_since_is_old_news() -> None:
    steps = Steps()
    turn = spoken_turn(steps)
    hear(turn, QUESTION, room(0.6), QUESTION)
    assert steps.asked == ["begin 1", "end", "begin 2"]
    assert turn.read(Reading(1, Heard("when are you open", "en"))) == ()
    hear(turn, room(2))
    assert turn.read(Reading(2, Heard("when are you open when are you open", "en"))) == (
        Heard("when are you open when are you open", "en"),
    )


def test_what_is_read_again_from_its_beginning_is_not_shown_again() -> None:
    turn = spoken_turn(Steps())
    hear(turn, QUESTION)
    turn.read(Reading(1, Heard("open on saturday", "en", final=False)))
    hear(turn, room(0.6), QUESTION)
    assert turn.read(Reading(2, Heard("open", "en", final=False))) == ()
    assert len(turn.read(Reading(2, Heard("open on saturday or", "en", final=False)))) == 1


# --- the real thing -------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="speaks through eSpeak NG")
def test_a_spoken_question_with_pauses_is_understood() -> None:
    from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
    from assistant.speech.sound.resampling import at_rate
    from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer

    synthesizer = Pyttsx3Synthesizer()

    def say(text: str) -> tuple[bytes, ...]:
        return only_words(at_rate(synthesizer.speak(text, "en"), synthesizer.rate_hz, RATE_HZ))

    questions = ["when are you open", "where can i park my car", "do you have gift cards"]
    kiosk = Kiosk({"en": PocketSphinxRecognizer(questions)}, known=lambda text, _: text in questions)
    with listening(kiosk) as ear:
        number = ear.listen(["en"])
        kiosk.microphone.give(room(0.7), say("where can I"), room(0.4), say("park my car"), room(3))
        end, before = kiosk.end_of(number)
    assert isinstance(end, Heard)
    assert end.text == "where can i park my car"
    assert before[0] == SpeechBegan()
