"""One kiosk in a browser: its loop in a thread of its own, its screen, and the seat of its ear and mouth."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assistant.channels.kiosk.loop import Loop, Parts, kiosk_rules
from assistant.channels.kiosk.states import new_kiosk
from assistant.channels.kiosk.values import (
    EarTold,
    Equipped,
    Happening,
    Kiosk,
    MouthTold,
    Note,
    Quit,
    Rules,
)
from assistant.channels.web.asking.rendering import to_html
from assistant.channels.web.asking.replies import outcome_of
from assistant.channels.web.shared import Shared
from assistant.channels.web.sockets.kiosk_view import View, Viewer, changes
from assistant.channels.web.sockets.socket_line import Line
from assistant.channels.web.sockets.socket_sound import SocketLoudspeaker, SocketMicrophone
from assistant.channels.web.values import Seat
from assistant.errors import AssistantError, BusyError
from assistant.events import SentenceBegan
from assistant.ports import Ear, Mouth
from assistant.values import Conversation, Turn

_VIEW_SECONDS = 0.05  # between two views: nobody reads words that come faster
_CLOSE_SECONDS = 2.0  # for the loop to take up that it is to end; all that it does is short

# Why there is no microphone, as the page tells it.
MICROPHONE_NOTES: Mapping[str, Note] = {
    "refused": Note(
        "the browser does not let this page use the microphone", "allow it in the browser's settings"
    ),
    "missing": Note("the browser finds no microphone", "plug one in"),
    "insecure": Note(
        "browsers give a microphone only to pages of their own machine, and to others over HTTPS",
        "see --tls-cert of assistant serve",
    ),
}
_NO_MODEL = Note("nothing here hears the languages of this kiosk", "assistant models list")


@dataclass(frozen=True, slots=True)
class PageSound:
    """What the page has opened: `microphone` is "open", or why it is not."""

    microphone: str = ""
    loudspeaker: bool = False
    echo: bool = False  # the microphone hears what the loudspeaker plays


class BrowserFront:
    """A page as the screen of a kiosk (Front, see kiosk/loop.py): only the newest view waits to be told."""

    def __init__(self, viewer: Viewer, line: Line) -> None:
        self._viewer, self._line = viewer, line
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._view: View = {}
        self._said_in = ""

    def happened(self, happening: Happening) -> None:
        """A caption for each sentence; of all else is shown what has become of it."""
        if isinstance(happening, MouthTold) and isinstance(happening.event, SentenceBegan):
            text = happening.event.text
            self._line.tell_later({"type": "caption", "text": text, "language": self._said_in})

    def says(self, _text: str, language: str) -> None:
        self._said_in = language

    def show(self, kiosk: Kiosk) -> None:
        view = self._viewer.view(kiosk, time.monotonic())
        if view != self._view:
            self._view = view
            with contextlib.suppress(RuntimeError):  # the server has ended
                self._loop.call_soon_threadsafe(self._news.set)

    def close(self) -> None:
        """The last view has been shown."""

    async def tell_views(self) -> None:
        """On the event loop, until it is cancelled: of each view what the one before it has not shown."""
        told: View = {}
        while True:
            await self._news.wait()
            self._news.clear()
            view = self._view
            self._line.tell({"type": "view", **changes(told, view)})
            told = view
            await asyncio.sleep(_VIEW_SECONDS)


class KioskSession:
    """Runs from `start` to `close`; the other methods may be called in between, one after the other."""

    def __init__(self, house: Shared, languages: tuple[str, ...], line: Line) -> None:
        backstage = house.backstage
        self._backstage, self._metrics, self.languages = backstage, house.metrics, languages
        self._heard = tuple(tag for tag in languages if tag in backstage.heard)
        self._happenings: queue.SimpleQueue[Happening] = queue.SimpleQueue()
        self.front = BrowserFront(Viewer(lambda: backstage.assistant.knowledge, to_html), line)
        # The server itself looks for changed pages.
        parts = Parts(backstage.assistant, self.front, looks_for_pages=False, count=self._count)
        self._loop = Loop(parts, new_kiosk(self._rules()), self._happenings)
        self._thread = threading.Thread(target=self._loop.run, name="kiosk", daemon=True)
        self._microphone, self._loudspeaker = SocketMicrophone(), SocketLoudspeaker(line)
        self._line = line
        self._sound = PageSound()
        self._seat: Seat | None = None
        self._ear: Ear | None = None
        self._mouth: Mouth | None = None

    def _rules(self) -> Rules:
        rules = kiosk_rules(self._backstage.settings, self.languages)
        return replace(rules, heard=self._heard, can_hear=False, can_speak=False)

    def _count(self, after: Conversation, turn: Turn) -> None:
        became = outcome_of(after, turn.reply, turn.match)
        self._metrics.answered(turn, became, turn.utterance.is_heard)

    @property
    def rate_hz(self) -> int:
        """Of the sound that the page gets."""
        return self._loudspeaker.rate_hz

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def put(self, happening: Happening) -> None:
        self._happenings.put(happening)

    def hear(self, pcm: bytes) -> None:
        """What the page's microphone gives; nothing is kept where no ear listens."""
        if self._ear:
            self._microphone.put(pcm)

    def open_sound(self, sound: PageSound) -> None:
        """An ear and a mouth for what the page has opened; raises BusyError where all seats are taken."""
        self._sound = sound
        self.take_seat()

    def take_seat(self) -> None:
        """Open what the page has opened and is not open here; raises BusyError where all seats are taken."""
        try:
            self._open_senses()
        except AssistantError as error:
            note = Note(error.fact, error.hint, is_passing=isinstance(error, BusyError))
            self.put(Equipped(ear_note=note, mouth_note=note))
            if isinstance(error, BusyError):
                raise
        else:
            # An ear that hears the assistant itself would take it for a customer; a touch stops it.
            by_voice = self._backstage.settings.kiosk.stop_by_voice and not self._sound.echo
            self.put(Equipped(self._ear, self._mouth, self._why_deaf(), stop_by_voice=by_voice))

    def ask_for_a_moment(self) -> None:
        """Aloud, where the page has a loudspeaker and there is a voice; on the event loop."""
        sound = self._backstage.moment_please(self.languages[0])
        if sound and self._sound.loudspeaker:
            self._line.play(sound)

    def _open_senses(self) -> None:
        wants_ear = self._sound.microphone == "open" and bool(self._heard) and not self._ear
        wants_mouth = self._sound.loudspeaker and not self._mouth
        if not wants_ear and not wants_mouth:
            return
        self._seat = self._seat or self._backstage.take_seat()
        if wants_ear:
            self._ear = self._seat.open_ear(self._microphone, lambda n, event: self.put(EarTold(n, event)))
        if wants_mouth:
            self._mouth = self._seat.open_mouth(
                self._loudspeaker, lambda n, event: self.put(MouthTold(n, event))
            )

    def _why_deaf(self) -> Note | None:
        return MICROPHONE_NOTES.get(self._sound.microphone) if self._heard else _NO_MODEL

    def close(self) -> None:
        """Forget the customer and give everything back; returns when the loop has ended."""
        self.put(Quit())
        self._thread.join(_CLOSE_SECONDS)
        if self._seat:
            self._seat.close()
        self._microphone.close()
        self._loop.close()
