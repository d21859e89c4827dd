"""The mouth: what it says is heard in order, stopped at once, and told truly."""

from __future__ import annotations

import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest

from assistant.dialogue.portions import sentences
from assistant.errors import DeviceError, NoVoiceError
from assistant.events import MouthEvent, SentenceBegan, VoiceEnded, VoiceFailed, VoiceReplaced, VoiceStarted
from assistant.ports import Loudspeaker, Mouth, Synthesizer
from assistant.settings import SpeakingSettings
from assistant.speech.sound.chimes import chime, near_silence
from assistant.speech.sound.sounddevice_speaker import SounddeviceSpeaker, open_loudspeaker
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.speech.speaking.talking import Equipment, Talking
from assistant.speech.speaking.voices import Voices
from tests.pulse import needs_pulse, pulse

LONG = 20  # seconds: nothing here takes so long, and what does has failed
RATE_HZ = 8_000  # of the voices below
LEVELS = {"One.": 1000, "Two.": 2000, "Three.": 3000, "1": 9}
_BLOCK_SAMPLES = RATE_HZ // 10


class Voice:
    """Says each sentence as one tenth of a second at a level of its own; fails or hangs where told to."""

    rate_hz = RATE_HZ

    def __init__(self, blocks: int = 1, step: int = 0) -> None:
        self.words_a_minute = 165
        self.fails: Exception | None = None
        self.fails_at = ""
        self.hangs_at = ""
        self.asked: list[tuple[str, str, int]] = []
        self.is_closed = False
        self.released = threading.Event()  # what hangs goes on
        self._blocks, self._step = blocks, step

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        self.asked.append((text, language, self.words_a_minute))
        if self.fails and text == self.fails_at:
            raise self.fails
        if text == self.hangs_at:
            self.released.wait(LONG)
        block = np.full(_BLOCK_SAMPLES, LEVELS.get(text, 500) + self._step, "<i2").tobytes()
        return iter([block] * self._blocks)

    def stop(self) -> None:
        self.released.set()

    def close(self) -> None:
        self.is_closed = True
        self.released.set()


@dataclass
class Room:
    """Loudspeakers whose sound is kept, as fast as it comes; they break or stand still where told to."""

    rate_hz: int = RATE_HZ
    latency_seconds: float = 0.01
    heard: bytearray = field(default_factory=bytearray)
    opened: int = 0
    closed: int = 0
    is_gone: bool = False
    breaks_after: float = float("inf")  # bytes
    waits: bool = False  # takes sound, and plays it when it is stopped: never
    sounds: threading.Event = field(default_factory=threading.Event)

    def open(self) -> Loudspeaker:
        if self.is_gone:
            raise DeviceError("no loudspeaker", "plug one in")
        self.opened += 1
        return self

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        if stopped.is_set():
            return False
        if len(self.heard) > self.breaks_after:
            self.is_gone, self.breaks_after = True, float("inf")
            raise DeviceError("the loudspeaker is gone", "plug it in again")
        self.heard += pcm
        is_sound = np.abs(np.frombuffer(pcm, "<i2")).max(initial=0) > 1
        if is_sound:
            self.sounds.set()
        if self.waits and is_sound:
            return not stopped.wait(LONG)
        stopped.wait(0.001)  # a real one takes its time too
        return True

    def close(self) -> None:
        self.closed += 1

    @property
    def levels(self) -> list[int]:
        """The levels that were heard, near-silence and the slopes of resampling left out."""
        samples = np.frombuffer(bytes(self.heard), "<i2")
        found: list[int] = []
        for sample in samples[np.abs(samples) > 10].tolist():
            if not found or found[-1] != sample:
                found.append(sample)
        return found


class Told(queue.Queue[tuple[int, MouthEvent]]):
    """What a mouth tells; the captions apart."""

    def __init__(self) -> None:
        super().__init__()
        self.captions: list[tuple[int, str]] = []

    def __call__(self, number: int, event: MouthEvent) -> None:
        if isinstance(event, SentenceBegan):
            self.captions.append((number, event.text))
        else:
            self.put((number, event))

    def until_end(self) -> list[tuple[int, MouthEvent]]:
        found = [self.get(timeout=LONG)]
        while not isinstance(found[-1][1], VoiceEnded | VoiceFailed):
            found.append(self.get(timeout=LONG))
        return found


@contextmanager
def mouth(
    room: Room, told: Told, *voices: tuple[str, Callable[[], Synthesizer]], **more: object
) -> Iterator[Talking]:
    more.setdefault("settings", SpeakingSettings(volume=1.0))
    equipment = Equipment(voices, room.open, told, sentences, **more)  # type: ignore[arg-type]
    talking = Talking(equipment)
    try:
        yield talking
    finally:
        talking.close()
        assert told.empty(), told.get()
        assert room.opened == room.closed
        assert {"mouth", "warming up"}.isdisjoint(thread.name for thread in threading.enumerate())


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def told() -> Told:
    return Told()


def test_sentences_are_heard_in_order_and_both_ends_are_told(room: Room, told: Told) -> None:
    voice = Voice()
    with mouth(room, told, ("plain", lambda: voice)) as talking:
        plugged: Mouth = talking
        number = plugged.say("One. Two. Three.", "en")
        assert told.until_end() == [(number, VoiceStarted()), (number, VoiceEnded())]
        assert told.captions == [(number, "One."), (number, "Two."), (number, "Three.")]
    assert room.levels == [1000, 2000, 3000]
    assert [asked[:2] for asked in voice.asked] == [("One.", "en"), ("Two.", "en"), ("Three.", "en")]
    assert voice.is_closed


def test_what_was_made_ready_is_said_without_being_made_again(room: Room, told: Told) -> None:
    voice = Voice()
    with mouth(room, told, ("plain", lambda: voice)) as talking:
        talking.make_ready("One. Two.", "en")
        while len(voice.asked) < 2:
            time.sleep(0.01)
        assert not room.opened and told.empty()
        number = talking.say("One. Two.", "en")
        assert told.until_end() == [(number, VoiceStarted()), (number, VoiceEnded())]
        assert told.captions == [(number, "One."), (number, "Two.")]
    assert room.levels == [1000, 2000]
    assert len(voice.asked) == 2


@pytest.mark.parametrize(
    "instead",
    [
        lambda _: None,
        lambda talking: talking.make_ready("Three.", "en"),
        lambda talking: talking.adjust(1.0, 120),
        lambda talking: talking.stop(),
    ],
    ids=["other words", "something else made ready", "another speed", "stopped"],
)
def test_what_was_made_ready_in_vain_is_never_heard(
    instead: Callable[[Talking], None], room: Room, told: Told
) -> None:
    voice = Voice()
    with mouth(room, told, ("plain", lambda: voice)) as talking:
        talking.make_ready("One.", "en")
        instead(talking)
        number = talking.say("Two.", "en")
        assert told.until_end() == [(number, VoiceStarted()), (number, VoiceEnded())]
        assert told.captions == [(number, "Two.")]
    assert room.levels == [2000]


def test_what_cannot_be_made_ready_is_told_when_it_is_said(room: Room, told: Told) -> None:
    with mouth(room, told) as talking:
        talking.make_ready("One.", "en")
        talking.say("One.", "en")
        assert isinstance(told.until_end()[-1][1], VoiceFailed)


def test_near_silence_goes_before_the_first_sound_and_after_the_last(room: Room, told: Told) -> None:
    with mouth(
        room, told, ("plain", Voice), settings=SpeakingSettings(volume=1.0, lead_in_seconds=0.3)
    ) as talking:
        talking.say("One.", "en")
        told.until_end()
    sounding = np.flatnonzero(np.abs(np.frombuffer(bytes(room.heard), "<i2")) > 1)
    assert sounding[0] >= 0.3 * RATE_HZ
    assert len(room.heard) / 2 - sounding[-1] > 0.01 * RATE_HZ


def test_the_first_sentence_is_heard_while_the_second_is_being_made(room: Room, told: Told) -> None:
    voice = Voice()
    voice.hangs_at = "Two."
    with mouth(room, told, ("slow", lambda: voice)) as talking:
        talking.say("One. Two.", "en")
        assert told.get(timeout=LONG)[1] == VoiceStarted()
        assert room.sounds.wait(LONG)
        voice.released.set()
        assert told.until_end() == [(1, VoiceEnded())]
    assert room.levels == [1000, 2000]


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing_to_say_has_ended_at_once(text: str, room: Room, told: Told) -> None:
    with mouth(room, told, ("plain", Voice)) as talking:
        talking.say(text, "en")
        assert told.until_end() == [(1, VoiceEnded())]
    assert room.opened == 0


def test_stop_is_told_and_the_loudspeaker_is_let_go(room: Room, told: Told) -> None:
    room.waits = True
    with mouth(room, told, ("plain", lambda: Voice(blocks=3))) as talking:
        talking.say("One. Two.", "en")
        assert room.sounds.wait(LONG)
        talking.stop()
        assert told.until_end() == [(1, VoiceStarted()), (1, VoiceEnded(stopped=True))]
        talking.stop()  # nothing to stop: nothing happens
        room.waits = False
        talking.say("Three.", "en")
        assert told.until_end() == [(2, VoiceStarted()), (2, VoiceEnded())]
    assert room.opened == 2
    assert room.levels == [1000, 3000]


def test_a_voice_that_is_making_a_sentence_is_stopped_too(room: Room, told: Told) -> None:
    voice = Voice()
    voice.hangs_at = "One."
    with mouth(room, told, ("slow", lambda: voice)) as talking:
        talking.say("One.", "en")
        talking.stop()
        assert told.until_end()[-1] == (1, VoiceEnded(stopped=True))
        assert voice.released.wait(LONG)


def test_what_is_said_next_takes_the_place_of_what_is_being_said(room: Room, told: Told) -> None:
    room.waits = True
    with mouth(room, told, ("plain", lambda: Voice(blocks=3))) as talking:
        talking.say("One.", "en")
        assert room.sounds.wait(LONG)
        numbers = [talking.say(text, "en") for text in ("Two.", "", "Three.")]
        assert numbers == [2, 3, 4]
        assert told.until_end() == [(1, VoiceStarted()), (1, VoiceEnded(stopped=True))]
        assert told.until_end()[-1] == (2, VoiceEnded(stopped=True))
        [(number, end)] = told.until_end()  # it had ended or was stopped, as it came
        assert (number, type(end)) == (3, VoiceEnded)
        talking.close()
        assert told.until_end()[-1] == (4, VoiceEnded(stopped=True))
        talking.say("One.", "en")
        assert told.until_end() == [(5, VoiceEnded(stopped=True))]


@pytest.mark.parametrize(
    "error", [DeviceError("hoarse"), ValueError("hoarse"), OSError("hoarse")], ids=lambda e: type(e).__name__
)
def test_the_next_voice_takes_over_from_the_sentence_that_failed(
    error: Exception, room: Room, told: Told
) -> None:
    first, second = Voice(), Voice(step=5)
    first.fails, first.fails_at = error, "Two."
    with mouth(room, told, ("first", lambda: first), ("second", lambda: second)) as talking:
        talking.say("One. Two. Three.", "en")
        events = [event for _, event in told.until_end()]
        assert [type(event) for event in events] == [VoiceStarted, VoiceReplaced, VoiceEnded]
        assert isinstance(replaced := events[1], VoiceReplaced)
        assert (replaced.failed, replaced.by) == ("first", "second")
        assert "hoarse" in replaced.fact
        assert room.levels == [1000, 2005, 3005]
        assert [text for _, text in told.captions] == ["One.", "Two.", "Three."]
        talking.say("One.", "en")  # told once: it is left alone for a while
        assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]
        talking.say("One.", "de")  # in another language it may well speak
        told.until_end()
    assert room.levels == [1000, 2005, 3005, 1005, 1000]


def test_a_voice_that_does_not_speak_the_language_is_passed_over_without_a_word(
    room: Room, told: Told
) -> None:
    english, other = Voice(), Voice(step=5)
    english.fails, english.fails_at = NoVoiceError("no Korean here"), "One."
    with mouth(room, told, ("english", lambda: english), ("other", lambda: other)) as talking:
        talking.say("One.", "ko")
        assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]
    assert room.levels == [1005]


def test_a_voice_that_hangs_is_given_up(room: Room, told: Told) -> None:
    hanging = Voice()
    hanging.hangs_at = "Two."
    with mouth(
        room,
        told,
        ("hanging", lambda: hanging),
        ("second", lambda: Voice(step=5)),
        patience_seconds=0.2,
    ) as talking:
        talking.say("One. Two. Three.", "en")
        events = [event for _, event in told.until_end()]
    assert [type(event) for event in events] == [VoiceStarted, VoiceReplaced, VoiceEnded]
    assert room.levels == [1000, 2005, 3005]


def unopenable() -> Synthesizer:
    raise DeviceError("not installed", "pip install it")


@pytest.mark.parametrize(
    "voices", [(), (("missing", unopenable),), (("one", unopenable), ("two", unopenable))]
)
def test_without_a_voice_the_text_alone_must_do(
    voices: tuple[tuple[str, Callable[[], Synthesizer]], ...], room: Room, told: Told
) -> None:
    with mouth(room, told, *voices) as talking:
        for number in (1, 2):
            talking.say("One.", "en")
            end = told.until_end()[-1]
            assert end[0] == number
            assert isinstance(end[1], VoiceFailed)
            assert end[1].fact and end[1].hint


def test_a_loudspeaker_that_is_lost_is_told_and_found_again(room: Room, told: Told) -> None:
    room.breaks_after = 2000
    with mouth(room, told, ("plain", lambda: Voice(blocks=20))) as talking:
        talking.say("One.", "en")
        assert told.until_end() == [
            (1, VoiceStarted()),
            (1, VoiceFailed("the loudspeaker is gone", "plug it in again")),
        ]
        talking.play("heard")
        talking.say("One.", "en")
        assert told.until_end() == [(2, VoiceFailed("no loudspeaker", "plug one in"))]
        room.is_gone = False
        talking.say("One.", "en")
        assert told.until_end() == [(3, VoiceStarted()), (3, VoiceEnded())]


def test_volume_and_speed_hold_from_the_next_sentence_on(room: Room, told: Told) -> None:
    voice = Voice()
    settings = SpeakingSettings(volume=0.5, words_a_minute=120)
    with mouth(room, told, ("plain", lambda: voice), settings=settings) as talking:
        talking.say("One.", "en")
        told.until_end()
        talking.adjust(0.75, 1000)
        talking.say("Two.", "en")
        told.until_end()
    assert room.levels == [500, 1500]
    assert [asked[2] for asked in voice.asked] == [120, 450]


def test_a_chime_is_heard_before_what_is_said_next(room: Room, told: Told) -> None:
    with mouth(room, told, ("plain", Voice)) as talking:
        talking.play("heard")
        talking.say("One.", "en")
        told.until_end()
    heard = bytes(room.heard)
    assert chime("heard", RATE_HZ) in heard
    assert heard.index(chime("heard", RATE_HZ)) < heard.index(np.full(400, 1000, "<i2").tobytes())
    assert room.opened == 1


def test_all_that_is_said_is_told_as_it_is_played(room: Room, told: Told) -> None:
    played: list[tuple[bytes, int]] = []
    with mouth(room, told, ("plain", Voice), played=lambda *block: played.append(block)) as talking:
        talking.say("One.", "en")
        told.until_end()
    assert {rate_hz for _, rate_hz in played} == {RATE_HZ}
    assert all(len(pcm) <= 2 * RATE_HZ // 50 for pcm, _ in played)
    # What was told last may have met the end.
    assert b"".join(pcm for pcm, _ in played).startswith(bytes(room.heard))


def test_a_chime_is_not_told_as_the_own_voice(room: Room, told: Told) -> None:
    """Whoever spoke within the second after the chime that invites them was not heard."""
    played: list[bytes] = []
    with mouth(room, told, ("plain", Voice), played=lambda pcm, _: played.append(pcm)) as talking:
        talking.play("listening")
        talking.say("One.", "en")
        told.until_end()
    assert chime("listening", RATE_HZ) in bytes(room.heard)
    assert chime("listening", RATE_HZ) not in b"".join(played)
    assert np.full(400, 1000, "<i2").tobytes() in b"".join(played)


def test_whoever_fails_to_take_what_is_played_stops_no_other_answer(room: Room, told: Told) -> None:
    failures = [ZeroDivisionError("in another room")]

    def played(_pcm: bytes, _rate_hz: int) -> None:
        if failures:
            raise failures.pop()

    with mouth(room, told, ("plain", Voice), played=played) as talking:
        talking.say("One.", "en")
        [(_, failed)] = told.until_end()
        assert isinstance(failed, VoiceFailed) and "in another room" in failed.fact
        talking.say("One.", "en")
        assert told.until_end()[-1] == (2, VoiceEnded())


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_asked_for_each_answer_is_told_its_end_exactly_once(
    seed: int, room: Room, told: Told
) -> None:
    """Two threads ask at random; the end of each number comes once, and nothing after it."""
    talking = Talking(Equipment([("plain", lambda: Voice(blocks=2))], room.open, told, sentences))

    def ask(chance: random.Random) -> None:
        for _ in range(60):
            act: Callable[[], object] = chance.choice(
                [
                    lambda: talking.say("One. Two.", "en"),
                    lambda: talking.say("", "en"),
                    lambda: talking.play("heard"),
                    talking.stop,
                    lambda: talking.adjust(0.5, 200),
                    lambda: threading.Event().wait(0.01),
                ]
            )
            act()

    threads = [threading.Thread(target=ask, args=[random.Random(seed + n)]) for n in (0, 100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    said = talking.say("Three.", "en")
    talking.close()
    events: dict[int, list[MouthEvent]] = {}
    while not told.empty():
        number, event = told.get()
        events.setdefault(number, []).append(event)
    assert sorted(events) == list(range(1, said + 1))
    for one in events.values():
        assert isinstance(one[-1], VoiceEnded)
        assert one[:-1] in ([], [VoiceStarted()])
    assert room.opened == room.closed


def test_voices_of_the_languages_are_made_ready_ahead(room: Room, told: Told) -> None:
    english, all_of_them = Voice(), Voice()
    english.fails, english.fails_at = NoVoiceError("no German here"), "1"
    opened = threading.Event()

    def open_last() -> Synthesizer:
        opened.set()
        return all_of_them

    with mouth(room, told, ("english", lambda: english), ("all", open_last), languages=("de",)):
        assert opened.wait(LONG)
    assert english.asked == [("1", "de", 165)]
    assert room.opened == 0


def test_while_a_voice_gets_ready_another_one_speaks(room: Room, told: Told) -> None:
    large = Voice()
    large.hangs_at = "1"
    loading = threading.Event()

    def open_large() -> Synthesizer:
        loading.set()
        return large

    with mouth(
        room, told, ("large", open_large), ("small", lambda: Voice(step=5)), languages=("en",)
    ) as talking:
        assert loading.wait(LONG)
        talking.say("One.", "en")
        assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]
        assert room.levels == [1005]


def test_a_voice_in_disgrace_is_tried_again_after_a_while() -> None:
    now = [0.0]
    voices = Voices([("first", Voice), ("second", Voice)], 165, lambda: now[0])
    voices.blame("first", "en", DeviceError("hoarse"))
    voices.blame("first", "ko", NoVoiceError("no Korean"))
    assert [voices.best(language) for language in ("en", "de", "ko")] == ["second", "first", "second"]
    now[0] = 3600
    assert [voices.best(language) for language in ("en", "de", "ko")] == ["first", "first", "second"]
    voices.blame("second", "ko", DeviceError("hoarse"))
    with pytest.raises(DeviceError, match="hoarse"):
        voices.best("ko")


@pytest.mark.parametrize("name", ["listening", "heard", "not-understood"])
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_a_chime_is_short_and_soft_at_both_ends(name: str, rate_hz: int) -> None:
    samples = np.frombuffer(chime(name, rate_hz), "<i2").astype(int)  # type: ignore[arg-type]
    assert 0.1 * rate_hz <= len(samples) <= 0.25 * rate_hz
    assert 3000 < np.abs(samples).max() < 12_000
    assert max(abs(samples[0]), abs(samples[-1])) < 50
    middle = samples[len(samples) // 2 - 20 : len(samples) // 2 + 20]
    assert np.abs(np.diff(middle)).max() < 8000  # no click where the tones meet


def test_near_silence_is_no_zeros_and_nobody_hears_it() -> None:
    samples = np.frombuffer(near_silence(8_000, 0.1), "<i2")
    assert len(samples) == 800
    assert set(samples.tolist()) == {1, -1}


# --- the real thing -------------------------------------------------------------------------

WITH_ESPEAK = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="speaks with the system's voices"
)


@WITH_ESPEAK
def test_a_real_voice_speaks_is_stopped_and_speaks_again(told: Told) -> None:
    room = Room(rate_hz=48_000)
    with mouth(room, told, ("pyttsx3", Pyttsx3Synthesizer), languages=("en",)) as talking:
        talking.say("We are open. Until six.", "en")
        assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]
        assert 1 < len(room.heard) / 2 / 48_000 < 10
        talking.say("We are open. " * 300, "en")
        assert told.get(timeout=LONG) == (2, VoiceStarted())
        talking.stop()
        assert told.until_end() == [(2, VoiceEnded(stopped=True))]
        talking.say("Wir haben geöffnet.", "de")
        assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]


@WITH_ESPEAK
@needs_pulse
def test_a_real_loudspeaker_is_heard_silent_after_stop_lost_and_found_again(told: Told) -> None:
    with pulse() as sound:
        equipment = Equipment([("pyttsx3", Pyttsx3Synthesizer)], open_loudspeaker, told, sentences)
        talking = Talking(equipment)
        try:
            with sound.recording() as recording:
                talking.play("heard")
                talking.say("We are open.", "en")
                assert recording.wait_for_sound()
                assert [event for _, event in told.until_end()] == [VoiceStarted(), VoiceEnded()]
                talking.say("We are open. " * 100, "en")
                assert told.get(timeout=LONG)[1] == VoiceStarted()
                talking.stop()
                assert told.until_end() == [(2, VoiceEnded(stopped=True))]
                assert len(recording.until_silence()) / 2 / 16_000 < 30  # all of it would be a minute
            talking.say("We are open. " * 100, "en")
            assert told.get(timeout=LONG)[1] == VoiceStarted()
            sound.stop()
            assert isinstance(told.until_end()[-1][1], VoiceFailed)
            sound.start()
            talking.say("We are open.", "en")
            assert told.until_end()[-1] == (4, VoiceEnded())
            # Another caller's way of playing, beside it.
            SounddeviceSpeaker().play([near_silence(8_000, 0.1)], 8_000)
        finally:
            talking.close()
