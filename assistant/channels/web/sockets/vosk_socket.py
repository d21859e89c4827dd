"""`/vosk` and `/`, for WebSockets: an ear for clients of vosk-server. See docs/speech-protocol.md."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from assistant.channels.web.shared import Shared, shared
from assistant.channels.web.sockets.socket_line import (
    BROKEN,
    NORMAL,
    NOT_ALLOWED,
    NOT_UNDERSTOOD,
    HungUp,
    Line,
    converse,
)
from assistant.channels.web.sockets.socket_sound import END_OF_SOUND, SocketMicrophone, drained
from assistant.channels.web.sockets.speech_socket import taken_seat
from assistant.channels.web.sockets.vosk_messages import (
    Config,
    Eof,
    NoConfig,
    Stretch,
    Told,
    decode,
    final,
    partial,
)
from assistant.events import EarEvent, HearingFailed, NothingSaid, SpeechBegan
from assistant.ports import Ear
from assistant.values import Heard

_IDLE_SECONDS = 60.0  # others may want the place
# Sound is given to the ear no faster than people speak, because what is said while the last words are
# being read is lost to it; a recording takes as long as it lasts, but for its first second.
_AHEAD_SECONDS = 1.0
_PIECE_SECONDS = 0.1
_LAST_WORDS_SECONDS = 20.0  # as long as the ear may take for them, and a little
_UNNOTICED_SECONDS = 0.2  # of speech, before the ear is sure that it is


async def _vosk(websocket: WebSocket) -> None:
    house, asked = shared(websocket), websocket.query_params.get("language")
    await converse(websocket, lambda line: _serve(house, line, asked), tells_why=False)


routes: list[BaseRoute] = [WebSocketRoute("/", _vosk, name="vosk"), WebSocketRoute("/vosk", _vosk)]


async def _serve(house: Shared, line: Line, asked: str | None) -> None:
    heard = house.backstage.heard
    if not heard or (asked is not None and asked not in heard):
        raise HungUp(NOT_ALLOWED, f"languages that can be heard here: {', '.join(heard) or 'none'}")
    config = Config()
    while not isinstance(message := await _message(line, config), bytes):
        if isinstance(message, Eof):
            line.tell(final((), config))
            return
        config = message
    with taken_seat(house.seats.take) as seat:
        await _Transcript(line, config, asked or heard[0]).write(seat.open_ear, message)


async def _message(line: Line, config: Config) -> bytes | Config | Eof:
    message = await line.receive(_IDLE_SECONDS)
    if message is None:
        raise HungUp(NORMAL, "nothing came for a minute")
    if isinstance(message, bytes):
        return message
    try:
        return decode(message, config)
    except NoConfig as error:
        raise HungUp(NOT_UNDERSTOOD, str(error)) from None


class _Transcript:
    """Writes down what one client says, utterance after utterance."""

    _ear: Ear

    def __init__(self, line: Line, config: Config, language: str) -> None:
        self._line, self._config, self._language = line, config, language
        self._loop = asyncio.get_running_loop()
        self._microphone = SocketMicrophone(config.rate_hz)
        self._given_seconds = 0.0  # sound
        self._due_at = 0.0  # when people would have come to speak what was given
        self._number = 0
        self._partial = ""
        self._stretch = Stretch(0.0, 0.0)  # of the utterance that is being heard
        self._finals: list[tuple[Heard, Stretch]] = []  # not told yet
        self._failed: HearingFailed | None = None
        self._is_over = False
        self._has_ended = asyncio.Event()  # the last utterance

    async def write(self, open_ear: Callable[..., Ear], sound: bytes) -> None:
        # In a thread: the first ear of a server loads much that it is made of.
        self._ear = await asyncio.to_thread(open_ear, self._microphone, self._tell)
        self._listen()
        message: bytes | Config | Eof = sound
        while not isinstance(message, Eof):
            if isinstance(message, bytes):
                await self._hear(message)
                self._line.tell(self._reply())
            else:
                self._config = message  # of a sound that has begun the rate stays, as with vosk-server
            message = await _message(self._line, self._config)
        await self._finish()
        self._line.tell(final(self._finals, self._config))

    def _listen(self) -> None:
        self._partial, self._stretch = "", Stretch(self._given_seconds, self._given_seconds)
        self._number = self._ear.listen((self._language,))

    async def _hear(self, sound: bytes) -> None:
        size = int(_PIECE_SECONDS * self._microphone.rate_hz) * 2
        for start in range(0, len(sound), size):
            piece = sound[start : start + size]
            seconds = len(piece) / 2 / self._microphone.rate_hz
            self._due_at = max(self._due_at, time.monotonic()) + seconds
            await asyncio.sleep(max(0.0, self._due_at - time.monotonic() - _AHEAD_SECONDS))
            self._microphone.put(piece)
            self._given_seconds += seconds
        self._check()

    def _reply(self) -> Told:
        """One for each message: the utterance that has come to its end, or the words so far."""
        if self._finals:
            return final((self._finals.pop(0),), self._config)
        return partial(self._partial)

    async def _finish(self) -> None:
        await drained(self._microphone)
        self._is_over = True
        self._ear.finish()
        self._microphone.put(END_OF_SOUND)
        try:
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._has_ended.wait()
        except TimeoutError:
            raise HungUp(BROKEN, "the speech recognition does not keep pace") from None
        self._check()

    def _check(self) -> None:
        if self._failed:
            raise HungUp(BROKEN, self._failed.fact)

    # --- what the ear tells ---------------------------------------------------------------------

    def _tell(self, number: int, event: EarEvent) -> None:
        """In a thread of the ear."""
        self._line.later(lambda: self._take(number, event))

    def _take(self, number: int, event: EarEvent) -> None:
        if number != self._number:
            return
        match event:
            case SpeechBegan():
                start = max(0.0, self._given_seconds - _UNNOTICED_SECONDS)
                self._stretch = Stretch(start, start)
            case Heard(text, final=False):
                self._partial = text
                self._stretch = Stretch(self._stretch.start, self._given_seconds)
            case Heard() | NothingSaid() | HearingFailed():
                self._end(event)

    def _end(self, event: Heard | NothingSaid | HearingFailed) -> None:
        if isinstance(event, Heard):
            is_told = self._stretch.end > self._stretch.start  # not all recognizers tell words in between
            end = self._stretch.end if is_told else self._given_seconds
            self._finals.append((event, Stretch(self._stretch.start, end)))
        elif isinstance(event, HearingFailed):
            self._failed = event
        if self._is_over:
            self._has_ended.set()
        elif self._failed is None:
            self._listen()
