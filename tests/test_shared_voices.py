"""A few voices for many mouths: nobody waits for another's loudspeaker, or is stopped with another."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from assistant.errors import DeviceError, NoVoiceError
from assistant.ports import Synthesizer
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.speech.speaking.shared_voices import Sentence, SentenceMemory, SharedVoices

PATIENCE_SECONDS = 20.0
WITH_ESPEAK = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="speaks with the system's voices"
)
RATE_HZ = 1000
SECOND = 2 * RATE_HZ  # bytes


@dataclass(eq=False)
class WrittenVoice:
    """Makes a second of sound for each word, and writes down what it was asked for."""

    words_a_minute: int = 165
    rate_hz: int = RATE_HZ
    said: list[tuple[str, str, int]] = field(default_factory=list)
    hold: threading.Event | None = None  # after the first block
    begun: threading.Event = field(default_factory=threading.Event)
    stopped: threading.Event = field(default_factory=threading.Event)
    closed: bool = False

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        if language == "xx":
            raise NoVoiceError("no voice here speaks `xx`")
        self.stopped.clear()
        return self._speak(text, language)

    def _speak(self, text: str, language: str) -> Iterator[bytes]:
        self.said.append((text, language, self.words_a_minute))
        for word in text.split():
            if word == "break":
                raise DeviceError("the voice broke")
            yield bytes([len(word), 0]) * RATE_HZ
            self.begun.set()
            if self.hold is not None:
                while not self.hold.wait(0.01):
                    if self.stopped.is_set():
                        return

    def stop(self) -> None:
        self.stopped.set()

    def close(self) -> None:
        self.closed = True
        self.stop()


@dataclass
class House:
    """Shared voices in a test, and all that were opened."""

    hold: threading.Event | None = None
    at_once: int = 2
    opened: list[WrittenVoice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.voices = SharedVoices([("written", self._open)], self.at_once)

    def _open(self) -> Synthesizer:
        self.opened.append(WrittenVoice(hold=self.hold))
        return self.opened[-1]

    def mouth(self) -> Synthesizer:
        return self.voices.openers()[0][1]()

    @property
    def said(self) -> list[tuple[str, str, int]]:
        return [one for voice in self.opened for one in voice.said]


def sound(voice: Synthesizer, text: str, language: str = "en") -> bytes:
    return b"".join(voice.speak(text, language))


def test_one_voice_is_opened_for_all_mouths() -> None:
    house = House()
    for _ in range(5):
        assert len(sound(house.mouth(), "we are open")) == 3 * SECOND
    assert len(house.opened) == 1


def test_a_voice_is_opened_again_for_those_who_speak_at_once_and_so_often_as_allowed() -> None:
    hold = threading.Event()
    house = House(hold)
    mouths = [house.mouth() for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        texts = [f"sentence {number}" for number in range(4)]
        spoken = [pool.submit(sound, mouth, text) for mouth, text in zip(mouths, texts, strict=True)]
        while len(house.said) < 2:
            threading.Event().wait(0.01)
        assert len(house.opened) == 2
        hold.set()
        assert [len(one.result(PATIENCE_SECONDS)) for one in spoken] == [2 * SECOND] * 4
    assert len(house.opened) == 2


def test_each_mouth_has_its_own_speed() -> None:
    house = House()
    slow, fast = house.mouth(), house.mouth()
    slow.words_a_minute, fast.words_a_minute = 100, 300
    sound(slow, "we are open")
    sound(fast, "we are open")
    sound(slow, "on Sunday")
    assert house.said == [("we are open", "en", 100), ("we are open", "en", 300), ("on Sunday", "en", 100)]
    with pytest.raises(DeviceError):
        slow.words_a_minute = 10_000


def test_a_mouth_that_is_stopped_or_closed_ends_only_what_it_asked_for() -> None:
    hold = threading.Event()
    house = House(hold)
    for end in ("stop", "close"):
        hold.clear()
        mine, other = house.mouth(), house.mouth()
        with ThreadPoolExecutor() as pool:
            spoken = (
                pool.submit(sound, mine, f"{end} one two"),
                pool.submit(sound, other, f"{end} three four"),
            )
            while len(house.opened) < 2 or not all(voice.begun.is_set() for voice in house.opened):
                threading.Event().wait(0.01)
            getattr(mine, end)()
            assert spoken[0].result(PATIENCE_SECONDS) == b""
            hold.set()
            assert len(spoken[1].result(PATIENCE_SECONDS)) == 3 * SECOND
    assert not any(voice.closed for voice in house.opened)
    assert len(sound(house.mouth(), "we are open")) == 3 * SECOND
    with pytest.raises(DeviceError):
        sound(mine, "we are open")


def test_who_is_stopped_while_all_voices_are_busy_waits_no_longer() -> None:
    hold = threading.Event()
    house = House(hold, at_once=1)
    busy, waiting = house.mouth(), house.mouth()
    with ThreadPoolExecutor() as pool:
        spoken = pool.submit(sound, busy, "one two")
        while not house.said:
            threading.Event().wait(0.01)
        other = pool.submit(sound, waiting, "three")
        while not other.running():
            threading.Event().wait(0.01)
        waiting.stop()
        # Should it have been stopped before it began to speak, it speaks: then it is stopped now.
        while not other.done():
            waiting.stop()
            threading.Event().wait(0.01)
        assert other.result() == b""
        hold.set()
        assert len(spoken.result(PATIENCE_SECONDS)) == 2 * SECOND
    assert [text for text, _, _ in house.said] == ["one two"]


def test_who_falls_silent_first_is_served_first() -> None:
    house = House(hold := threading.Event(), at_once=1)
    has_sound, has_none, busy = (house.mouth() for _ in range(3))
    hold.set()
    sound(has_sound, "for five seconds it has sound")
    hold.clear()
    with ThreadPoolExecutor() as pool:
        spoken = [pool.submit(sound, busy, "busy")]
        while len(house.said) < 2:
            threading.Event().wait(0.01)
        for mouth, text in ((has_sound, "later"), (has_none, "now")):
            spoken.append(pool.submit(sound, mouth, text))
            while house.voices.waiting < len(spoken) - 1:
                threading.Event().wait(0.01)
        hold.set()
        for one in spoken:
            assert one.result(PATIENCE_SECONDS)
    assert [text for text, _, _ in house.said[1:]] == ["busy", "now", "later"]


# --- sentences that were made before ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language", "words_a_minute", "made"),
    [
        ("we are open", "en", 165, 1),
        ("we are closed", "en", 165, 2),
        ("we are open", "de", 165, 2),
        ("we are open", "en", 200, 2),
    ],
    ids=["the same", "another sentence", "another language", "another speed"],
)
def test_a_sentence_is_made_once(text: str, language: str, words_a_minute: int, made: int) -> None:
    house = House()
    first = sound(house.mouth(), "we are open")
    mouth = house.mouth()
    mouth.words_a_minute = words_a_minute
    again = sound(mouth, text, language)
    assert len(house.said) == made
    assert text != "we are open" or again == first


def test_what_broke_off_is_made_anew() -> None:
    house = House(hold := threading.Event())
    mouth = house.mouth()
    with ThreadPoolExecutor() as pool:
        broken_off = pool.submit(sound, mouth, "we are open")
        while not house.said:
            threading.Event().wait(0.01)
        mouth.stop()
        assert broken_off.result(PATIENCE_SECONDS) == b""
    hold.set()
    assert len(sound(mouth, "we are open")) == 3 * SECOND


def test_a_stop_ends_a_remembered_sentence_as_well() -> None:
    house = House()
    mouth = house.mouth()
    whole = sound(mouth, "we are open")
    blocks = mouth.speak("we are open", "en")
    assert len(next(blocks)) < len(whole)
    mouth.stop()
    assert list(blocks) == []


def test_the_memory_keeps_what_was_asked_for_last_and_is_never_larger_than_allowed() -> None:
    memory = SentenceMemory(most_bytes=300)
    sentences = [Sentence("voice", str(number), "en", 165) for number in range(5)]
    for sentence in sentences[:3]:
        memory.put(sentence, bytes(100))
    assert memory.get(sentences[0]) == bytes(100)
    memory.put(sentences[3], bytes(100))
    memory.put(sentences[4], bytes(301))  # would fill it alone
    assert [memory.get(one) is not None for one in sentences] == [True, False, True, True, False]
    memory.put(sentences[0], bytes(50))
    assert memory.bytes_kept == 250


# --- what fails -----------------------------------------------------------------------------------


def test_a_voice_that_failed_in_a_sentence_speaks_the_next_one() -> None:
    house = House(at_once=1)
    mouth = house.mouth()
    with pytest.raises(DeviceError, match="broke"):
        sound(mouth, "break")
    assert len(sound(mouth, "we are open")) == 3 * SECOND


def test_a_voice_that_cannot_be_opened_says_why_to_each_and_is_tried_again() -> None:
    failures = [NoVoiceError("not installed"), NoVoiceError("not installed")]

    def open_one() -> Synthesizer:
        if failures:
            raise failures.pop()
        return WrittenVoice()

    voices = SharedVoices([("written", open_one)])
    open_mouth = voices.openers()[0][1]
    for _ in range(2):
        with pytest.raises(NoVoiceError, match="not installed"):
            open_mouth()
    assert len(sound(open_mouth(), "one")) == SECOND


def test_it_is_known_which_languages_are_spoken_though_one_voice_is_missing() -> None:
    def missing() -> Synthesizer:
        raise NoVoiceError("not installed")

    voices = SharedVoices([("missing", missing), ("written", WrittenVoice)])
    assert [voices.speaks(language) for language in ("en", "xx")] == [True, False]


def test_warming_lets_the_best_voice_that_can_speak_once() -> None:
    house = House()
    assert house.voices.warm("one", "xx", 1000) == b""
    assert len(house.voices.warm("one", "en", 1000)) == SECOND
    assert len(house.voices.warm("one", "en", 500)) == SECOND // 2
    assert [language for _, language, _ in house.said] == ["en"]
    house.voices.warm("two", "en", 1000, words_a_minute=120)
    assert house.said[-1] == ("two", "en", 120)


def test_closing_them_closes_every_voice_and_nobody_speaks_any_more() -> None:
    house = House()
    mouth = house.mouth()
    sound(mouth, "one")
    house.voices.close()
    assert all(voice.closed for voice in house.opened)
    with pytest.raises(DeviceError, match="closed"):
        sound(mouth, "two")


# --- a real voice -----------------------------------------------------------------------------------


@WITH_ESPEAK
def test_a_real_voice_speaks_for_several_mouths_at_once() -> None:
    voices = SharedVoices([("pyttsx3", Pyttsx3Synthesizer)])
    try:
        assert voices.speaks("ko")
        assert not voices.speaks("xx")
        mouths = [voices.openers()[0][1]() for _ in range(3)]
        for mouth, speed in zip(mouths, (120, 165, 300), strict=True):
            mouth.words_a_minute = speed
        lengths = _lengths(mouths, lambda mouth: sound(mouth, "We are open on Sunday."))
        assert lengths[0] > lengths[1] > lengths[2] > 0
        assert _lengths(mouths, lambda mouth: sound(mouth, "We are open on Sunday.")) == lengths
    finally:
        voices.close()


def _lengths(mouths: Sequence[Synthesizer], speak: Callable[[Synthesizer], bytes]) -> list[int]:
    with ThreadPoolExecutor() as pool:
        return [len(spoken) for spoken in pool.map(speak, mouths)]
