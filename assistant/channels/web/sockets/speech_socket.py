"""`/api/speech`: an ear and a mouth for one client, over a WebSocket. See docs/speech-protocol.md."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from assistant.channels.web.shared import Shared, shared
from assistant.channels.web.sockets.socket_line import (
    NORMAL,
    NOT_ALLOWED,
    NOT_UNDERSTOOD,
    TRY_LATER,
    HungUp,
    Line,
    converse,
)
from assistant.channels.web.sockets.socket_sound import (
    END_OF_SOUND,
    SocketLoudspeaker,
    SocketMicrophone,
    drained,
)
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
    ear_message,
    mouth_message,
)
from assistant.channels.web.values import VOICE_RATE_HZ, Backstage, Seat
from assistant.errors import BusyError
from assistant.events import EarEvent, MouthEvent, VoiceEnded, VoiceFailed
from assistant.ports import Ear, Mouth

# A page says hello as soon as the line is open.
_HELLO_SECONDS = 10.0
# Nothing asked, nothing heard, nothing said for so long: others may want the place.
_IDLE_SECONDS = 60.0
_LOOK_SECONDS = 5.0  # so often it is looked whether somebody is still there
_MOST_MISTAKES = 20  # a program under development makes some; more is an attack
_HOW_TO_BEGIN = 'begin with {"type": "hello", "language": "en"}'
_TOO_FAST = {
    "type": "error",
    "fact": "sound comes faster than it can be heard: the oldest was dropped",
    "hint": "send it as a microphone gives it",
}


async def _speech(websocket: WebSocket) -> None:
    house = shared(websocket)
    await converse(websocket, lambda line: _serve(house, line))


routes: list[BaseRoute] = [WebSocketRoute("/api/speech", _speech, name="speech")]


async def _serve(house: Shared, line: Line) -> None:
    listener = _Listener(line)
    hello = await listener.hello(house.backstage.languages)
    with taken_seat(lambda: _take_seat(house, line, hello)) as seat:
        talk = _Talk(house.backstage, line, hello)
        await talk.begin(seat)
        while not isinstance(message := await listener.next(talk), Bye):
            try:
                await talk.take(message)
            except NotUnderstood as error:
                listener.complain(error)


def _take_seat(house: Shared, line: Line, hello: Hello) -> Seat:
    """Raises BusyError where there is none; the client has been asked for a moment then."""
    try:
        return house.seats.take()
    except BusyError:
        language = hello.language or house.backstage.languages[0]
        if sound := house.backstage.moment_please(language):
            line.tell({"type": "one-moment", "rate_hz": VOICE_RATE_HZ})
            line.play(sound)
        raise


@contextmanager
def taken_seat(take: Callable[[], Seat]) -> Iterator[Seat]:
    """A seat that is given back whatever happens; who finds none is told when to come again."""
    try:
        seat = take()
    except BusyError as error:
        raise HungUp(TRY_LATER, error.fact, error.hint) from None
    try:
        yield seat
    finally:
        seat.close()


class _Listener:
    """Reads what a client says; bears mistakes, but not without end."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._mistakes = 0

    async def hello(self, languages: Sequence[str]) -> Hello:
        """Sound and other messages are told that they come too early."""
        try:
            async with asyncio.timeout(_HELLO_SECONDS):
                while True:
                    message = await self._message()
                    if not isinstance(message, Hello):
                        if message is not None:
                            self.complain(NotUnderstood("nothing is possible before `hello`", _HOW_TO_BEGIN))
                    elif message.language and message.language not in languages:
                        self.complain(_not_served(languages))
                    else:
                        return message
        except TimeoutError:
            raise HungUp(NOT_ALLOWED, "nobody said hello", _HOW_TO_BEGIN) from None

    async def next(self, talk: _Talk) -> Message | bytes:
        while True:
            message = await self._message()
            if message is not None and not isinstance(message, bytes):
                return message
            # A microphone that is left open is no customer.
            if talk.is_idle:
                raise HungUp(NORMAL, "nothing was asked for a minute", "connect again to go on")
            if message is not None:
                return message

    def complain(self, error: NotUnderstood) -> None:
        self._mistakes += 1
        if self._mistakes > _MOST_MISTAKES:
            raise HungUp(NOT_ALLOWED, "too many messages could not be understood", error.fact)
        self._line.tell({"type": "error", "fact": error.fact, "hint": error.hint})

    async def _message(self) -> Message | bytes | None:
        """None where none came for a while, or none that can be understood."""
        received = await self._line.receive(_LOOK_SECONDS)
        if not isinstance(received, str):
            return received
        try:
            return decode(received)
        except NoMessage as error:
            raise HungUp(NOT_UNDERSTOOD, error.fact, error.hint) from None
        except NotUnderstood as error:
            self.complain(error)
            return None


class _Talk:
    """What one client makes of an ear and a mouth."""

    _ear: Ear
    _mouth: Mouth

    def __init__(self, backstage: Backstage, line: Line, hello: Hello) -> None:
        self._backstage, self._line = backstage, line
        self._language = hello.language or backstage.languages[0]
        speaking = backstage.settings.speaking
        self._volume = speaking.volume if hello.volume is None else hello.volume
        self._words_a_minute = speaking.words_a_minute
        self._microphone = SocketMicrophone()
        self._is_behind = False  # the ear takes sound more slowly than it comes
        self._said = self._ended = 0  # numbers of the mouth
        self._active_at = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Nothing was asked, heard or said for a while."""
        return self._said <= self._ended and time.monotonic() - self._active_at > _IDLE_SECONDS

    async def begin(self, seat: Seat) -> None:
        """In a thread: the first ear and mouth of a server load much that they are made of."""
        await asyncio.to_thread(self._open, seat)
        heard, spoken = list(self._backstage.heard), list(self._backstage.spoken)
        self._line.tell({"type": "ready", "rate_hz": VOICE_RATE_HZ, "heard": heard, "spoken": spoken})

    def _open(self, seat: Seat) -> None:
        self._ear = seat.open_ear(self._microphone, self._tell_ear)
        self._mouth = seat.open_mouth(SocketLoudspeaker(self._line), self._tell_mouth)
        self._mouth.adjust(self._volume, self._words_a_minute)

    async def take(self, message: Message | bytes) -> None:
        """Raises NotUnderstood for what is not possible here."""
        if isinstance(message, bytes):
            self._hear(message)
            return
        self._active_at = time.monotonic()
        if isinstance(message, Finish):
            await self._finish()
        else:
            self._do(message)

    def _do(self, message: Message) -> None:
        match message:
            case Listen(languages, push):
                wanted = languages or (self._language,)
                number = self._ear.listen([_known(tag, self._backstage.heard) for tag in wanted], push)
                self._line.tell({"type": "listening", "number": number})
            case Rest():
                self._ear.rest()
            case AttendStop(language, saying):
                self._ear.attend_stop(self._offered(language), saying)
            case Say(text, language):
                self._said = self._mouth.say(text, self._offered(language or self._language))
                self._line.tell({"type": "saying", "number": self._said})
            case Stop():
                self._mouth.stop()
            case Adjust(volume, words_a_minute):
                self._adjust(volume, words_a_minute)
            case _:
                raise NotUnderstood("`hello` has been said")

    def _offered(self, language: str) -> str:
        """One of the pages; whether a voice has it, the mouth knows."""
        return _known(language, self._backstage.languages)

    def _adjust(self, volume: float | None, words_a_minute: int | None) -> None:
        self._volume = self._volume if volume is None else volume
        self._words_a_minute = words_a_minute or self._words_a_minute
        self._mouth.adjust(self._volume, self._words_a_minute)

    def _hear(self, sound: bytes) -> None:
        is_behind = not self._microphone.put(sound)
        if is_behind and not self._is_behind:
            self._line.tell(_TOO_FAST)
        self._is_behind = is_behind

    async def _finish(self) -> None:
        await drained(self._microphone)
        self._ear.finish()
        self._microphone.put(END_OF_SOUND)

    # --- in the threads of the ear and of the mouth -----------------------------------------------

    def _tell_ear(self, number: int, event: EarEvent) -> None:
        self._active_at = time.monotonic()
        self._line.tell_later(ear_message(number, event))

    def _tell_mouth(self, number: int, event: MouthEvent) -> None:
        self._active_at = time.monotonic()
        if isinstance(event, VoiceEnded | VoiceFailed):
            self._ended = max(self._ended, number)
        self._line.tell_later(mouth_message(number, event))


def _known(language: str, languages: Sequence[str]) -> str:
    if language not in languages:
        raise _not_served(languages)
    return language


def _not_served(languages: Sequence[str]) -> NotUnderstood:
    served = ", ".join(languages) or "none"
    return NotUnderstood("that language is not served here", f"for this there are: {served}")
