"""The kiosk's WebSocket: what a page is told and may say, seats that are taken, pages that vanish."""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from fakes import SHOP, TODAY, FakePages, WordMatcher
from kiosk_fakes import SECONDS, FakeEar, FakeMouth
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from assistant.answering import Assistant
from assistant.channels.kiosk.states import new_kiosk
from assistant.channels.kiosk.values import Kiosk, Note, Rules, State
from assistant.channels.web import app
from assistant.channels.web.app import create_app
from assistant.channels.web.asking.rendering import to_html
from assistant.channels.web.sockets import kiosk_socket
from assistant.channels.web.sockets.kiosk_view import Viewer, changes, leaves_in
from assistant.channels.web.values import Access, Backstage
from assistant.errors import BusyError
from assistant.events import SentenceBegan, StopSaid
from assistant.ports import Ear, Loudspeaker, Microphone, Mouth, TellEar, TellMouth
from assistant.settings import KioskSettings, Settings
from assistant.values import Conversation, Heard, Reply

REPOSITORY = Path(__file__).parents[1]
OPEN = {"type": "sound", "microphone": "open", "loudspeaker": True}


class FakeSeat:
    """An ear and a mouth without sound, kept for the test."""

    def __init__(self) -> None:
        self.microphone: Microphone | None = None
        self.loudspeaker: Loudspeaker | None = None
        self.ear: FakeEar | None = None
        self.mouth: FakeMouth | None = None
        self.is_free = threading.Event()

    def open_ear(self, microphone: Microphone, tell: TellEar) -> Ear:
        self.microphone, self.ear = microphone, FakeEar(tell)
        return self.ear

    def open_mouth(self, loudspeaker: Loudspeaker, tell: TellMouth) -> Mouth:
        self.loudspeaker, self.mouth = loudspeaker, _CaptionedMouth(tell)
        return self.mouth

    def close(self) -> None:
        self.is_free.set()


class _CaptionedMouth(FakeMouth):
    def say(self, text: str, language: str) -> int:
        self.tell(self.number + 1, SentenceBegan(text))
        return super().say(text, language)


MOMENTS = {"en": b"One moment, please.", "de": b"Einen Moment bitte."}


@dataclass
class Seats:
    """Seats of a test; as many as are free."""

    free: int = 1
    taken: list[FakeSeat] = field(default_factory=list)
    asked: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def take(self) -> FakeSeat:
        self.asked.release()
        if not self.free:
            raise BusyError("all seats are taken", "try again")
        self.free -= 1
        self.taken.append(FakeSeat())
        return self.taken[-1]


class PageAtSocket:
    """A page that keeps what it is told."""

    def __init__(self, session: WebSocketTestSession) -> None:
        self.session = session
        self.view: dict[str, Any] = {}
        self.told: list[dict[str, Any]] = []
        self.close_code: int | None = None
        self._arriving: queue.Queue[dict[str, Any] | int] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                message = self.session.receive()
                self.session._raise_on_close(message)
                if sound := message.get("bytes"):
                    self._arriving.put({"type": "sound", "pcm": sound})
                else:
                    self._arriving.put(json.loads(message["text"]))
        except WebSocketDisconnect as end:
            self._arriving.put(end.code)
        except Exception:  # the test has ended
            self._arriving.put(0)

    def say(self, **message: object) -> None:
        self.session.send_text(json.dumps(message))

    def take(self) -> dict[str, Any] | None:
        """The next message; None at the end."""
        told = self._arriving.get(timeout=SECONDS)
        if isinstance(told, int):
            self.close_code = told
            return None
        self.told.append(told)
        if told["type"] == "view":
            self.view |= told
        return told

    def until(self, is_there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The message that the view, or the message itself, is like that after."""
        while not is_there(self.view):
            assert self.take() is not None, (self.close_code, self.view)
        return self.view

    def until_told(self, kind: str) -> dict[str, Any]:
        while (told := self.take()) is not None:
            if told["type"] == kind:
                return told
        raise AssertionError(f"never told: {kind}")

    def until_closed(self) -> int:
        while self.take() is not None:
            pass
        assert self.close_code is not None
        return self.close_code


def client(seats: Seats, heard: tuple[str, ...] = ("en",), **kiosk: object) -> TestClient:
    settings = Settings(Path(), kiosk=KioskSettings(**kiosk))  # type: ignore[arg-type]
    assistant = Assistant(FakePages(SHOP), WordMatcher, lambda: TODAY)
    both = ("en", "de")
    backstage = Backstage(assistant, settings, both, heard, both, seats.take, MOMENTS.__getitem__)
    return TestClient(create_app(backstage, Access()), "http://localhost")


@contextmanager
def page(web: TestClient, **hello: object) -> Iterator[PageAtSocket]:
    with web.websocket_connect("/api/kiosk") as session:
        at = PageAtSocket(session)
        at.say(type="hello", **hello)
        yield at


@pytest.fixture
def seats() -> Seats:
    return Seats()


def is_state(*states: str) -> Callable[[dict[str, Any]], bool]:
    return lambda view: view.get("state") in states


# --- what a page shows --------------------------------------------------------------------------


def test_whoever_comes_is_invited_in_the_first_language_with_questions(seats: Seats) -> None:
    with page(client(seats)) as at:
        assert at.take() == {"type": "ready", "rate_hz": 22_050}
        view = at.until(is_state("idle"))
    assert view["greeting"] == "Hello, how can I help you?"
    assert view["languages"] == [{"tag": "en", "name": "English"}, {"tag": "de", "name": "Deutsch"}]
    assert view["samples"][:2] == ["When are you open?", "I want a refund"]
    assert view["words"]["help"] == "help"
    assert not view["can_hear"] and not seats.taken, "nobody needs a seat before the first touch"


def test_a_page_is_opened_in_a_language_of_its_own(seats: Seats) -> None:
    with page(client(seats), language="de") as at:
        view = at.until(is_state("idle"))
    assert (view["language"], view["greeting"]) == ("de", "Guten Tag, wie kann ich helfen?")


def test_a_question_that_is_typed_is_answered_and_only_what_changed_is_told(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.until(is_state("idle"))
        at.say(type="typed", text="when are you open")
        view = at.until(is_state("ready"))
        assert view["heard"] == "when are you open" and view["is_heard_out"]
        assert "<strong>9 to 5</strong>" in view["html"]
        later = [told for told in at.told if told["type"] == "view"][1:]
        assert later and all("words" not in told and "samples" not in told for told in later)


def test_a_sample_is_touched_a_choice_taken_and_everything_begun_anew(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.until(is_state("idle"))
        at.say(type="choose", number=2)
        assert at.until(lambda view: bool(view["choices"]))["choices"] == ["online", "at the desk"]
        at.say(type="choose", number=2)
        assert (
            "Bring it back" in at.until(lambda view: view["heard"] == "at the desk" and view["html"])["html"]
        )
        at.say(type="key", name="n")
        assert at.until(lambda view: bool(view["is_inviting"]))["choices"] == []


def test_what_is_asked_is_counted_typed_or_spoken(seats: Seats) -> None:
    web = client(seats)
    with page(web) as at:
        at.say(type="typed", text="when are you open")
        at.until(is_state("ready"))
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        ear = seats.taken[0].ear
        assert ear
        ear.hear("where can I park", when="listen")
        at.until(lambda view: "Behind the shop" in view["html"])
    counted = web.get("/metrics").text
    for way in ("typed", "spoken"):
        assert f'assistant_questions_total{{language="en",outcome="found",way="{way}"}} 1.0' in counted


def test_a_language_is_chosen_by_touch(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(type="typed", text="when are you open")
        at.until(is_state("ready"))
        at.say(type="language", tag="de")
        view = at.until(lambda view: "17 Uhr" in view["html"])
        assert (view["language"], view["words"]["help"]) == ("de", "Hilfe")


def test_whoever_leaves_is_counted_down_and_forgotten(seats: Seats) -> None:
    with page(client(seats, idle_seconds=1.0)) as at:
        at.say(type="typed", text="when are you open")
        at.until(lambda view: view.get("leaves_in") is not None)
        view = at.until(is_state("idle"))
        assert (view["html"], view["heard"], view["leaves_in"]) == ("", "", None)


RULES = Rules(("en", "de"), idle_seconds=60.0)


@pytest.mark.parametrize(
    ("state", "seconds", "left"),
    [
        (State.READY, 47.9, None),
        (State.READY, 48.0, 12),
        (State.LISTENING, 59.5, 1),
        (State.READY, 61.0, 0),
        (State.SPEAKING, 59.0, None),
        (State.IDLE, 59.0, None),
    ],
)
def test_the_last_seconds_of_a_customer_who_is_silent_are_counted(
    state: State, seconds: float, left: int | None
) -> None:
    kiosk = replace(new_kiosk(RULES), state=state, active_seconds=100.0)
    assert leaves_in(kiosk, 100.0 + seconds) == left
    assert leaves_in(replace(kiosk, is_spoken_to=True), 100.0 + seconds) is None, "nobody is silent"


def answered(text: str) -> Kiosk:
    reply = Reply(text, "", "en", "a")
    conversation = Conversation("en", last_reply=reply)
    return replace(new_kiosk(RULES), state=State.READY, reply=reply, conversation=conversation)


def test_what_pages_say_is_harmless_html_and_what_is_lost_is_told_twice() -> None:
    viewer = Viewer(lambda: SHOP, to_html)
    kiosk = replace(
        answered("Hi <script>alert(1)</script> **there**"), ear_note=Note("unplugged", "plug it in")
    )
    view = viewer.view(kiosk, 0.0)
    assert "<script" not in view["html"] and "<strong>there</strong>" in view["html"]
    assert view["notes"] == [
        {
            "about": "microphone-lost",
            "text": "I cannot hear you at the moment. Please type your question.",
            "fact": "unplugged",
            "hint": "plug it in",
        }
    ]
    assert changes(view, viewer.view(replace(kiosk, since_seconds=5.0, turn=4), 1.0)) == {}


# --- ear and mouth ------------------------------------------------------------------------------


def test_a_page_that_opens_its_sound_is_heard_and_spoken_to(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        ear, mouth = seats.taken[0].ear, seats.taken[0].mouth
        assert ear and mouth
        ear.hear(Heard("where can", "en", final=False))
        view = at.until(lambda view: view["heard"] == "where can")
        assert not view["is_heard_out"]
        ear.hear("where can I park", when="heard")
        caption = at.until_told("caption")
        assert caption == {"type": "caption", "text": "Behind the shop, on the left.", "language": "en"}
        ear.hear(StopSaid("stop"), when="listen")
    assert mouth.said == [("Behind the shop, on the left.", "en")]
    assert seats.taken[0].is_free.wait(SECONDS)


def test_an_ear_that_hears_the_voice_attends_to_no_word_that_stops_it(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(**OPEN, echo=True)
        at.until(lambda view: view.get("can_hear") is True)
        at.say(type="typed", text="where can I park")
        at.until_told("caption")
        ear = seats.taken[0].ear
        assert ear and not ear.saying
        at.say(**OPEN)
        at.say(type="typed", text="when are you open")
        at.until_told("caption")
        assert ear.saying


def test_sound_of_the_page_reaches_the_ear(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.session.send_bytes(b"\x01\x00" * 1600)  # before anybody listens: dropped
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        microphone = seats.taken[0].microphone
        assert microphone and microphone.rate_hz == 16_000
        at.session.send_bytes(b"\x02\x00" * 1600)
        assert next(iter(microphone)) == b"\x02\x00" * 1600


def test_a_language_that_cannot_be_heard_is_typed(seats: Seats) -> None:
    with page(client(seats, heard=("de",))) as at:
        at.say(**OPEN)
        at.say(type="language", tag="de")
        at.until(lambda view: view.get("can_hear") is True)
        at.say(type="language", tag="en")
        at.until(lambda view: view["can_hear"] is False and view["language"] == "en")


@pytest.mark.parametrize("microphone", ["refused", "missing", "insecure"])
def test_without_a_microphone_it_speaks_and_says_what_is_missing(seats: Seats, microphone: str) -> None:
    with page(client(seats)) as at:
        at.say(type="sound", microphone=microphone, loudspeaker=True)
        view = at.until(lambda view: bool(view.get("notes")))
        assert view["notes"][0]["text"] == "I cannot hear you at the moment. Please type your question."
        assert view["notes"][0]["fact"] and view["notes"][0]["hint"]
        at.say(type="typed", text="where can I park")
        assert at.until_told("caption")["text"] == "Behind the shop, on the left."
        assert seats.taken[0].ear is None


def test_a_microphone_may_come_later_go_and_come_back(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(type="sound", loudspeaker=True)
        at.until(lambda view: view.get("can_speak") is True)
        at.say(**OPEN)
        at.until(lambda view: view["can_hear"] is True)
        at.say(type="sound", microphone="missing", loudspeaker=True)
        at.until(lambda view: view["can_hear"] is False)
        at.say(**OPEN)
        at.until(lambda view: view["can_hear"] is True)
    assert len(seats.taken) == 1


def test_while_all_seats_are_taken_it_is_typed_and_a_seat_is_taken_later(
    seats: Seats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kiosk_socket, "_SEAT_SECONDS", 0.05)
    seats.free = 0
    with page(client(seats)) as at:
        at.say(**OPEN)
        assert at.until_told("busy") == {"type": "busy", "fact": "all seats are taken", "hint": "try again"}
        assert at.until_told("sound")["pcm"] == MOMENTS["en"]
        notes = at.until(lambda view: bool(view.get("notes")))["notes"]
        assert [note["text"] for note in notes] == ["One moment, please."]
        at.say(type="typed", text="where can I park")
        assert "Behind the shop" in at.until(is_state("ready"))["html"]
        for _ in range(3):  # asks again
            assert seats.asked.acquire(timeout=SECONDS)
        seats.free = 1
        view = at.until(lambda view: view["can_hear"] is True and view["can_speak"] is True)
        assert view["notes"] == []
    assert [told["type"] for told in at.told].count("busy") == 1
    assert [told["type"] for told in at.told].count("sound") == 1


def test_two_kiosks_know_nothing_of_each_other(seats: Seats) -> None:
    seats.free = 2
    web = client(seats)
    with page(web) as one, page(web) as other:
        one.say(type="typed", text="when are you open")
        one.until(is_state("ready"))
        other.say(type="typed", text="where can I park")
        view = other.until(is_state("ready"))
        assert "Behind the shop" in view["html"] and "9 to 5" in one.view["html"]


# --- the end ------------------------------------------------------------------------------------


def kiosk_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("kiosk")]


def test_a_page_that_vanishes_frees_everything_at_once(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        threads = kiosk_threads()
        assert len(threads) == 2  # the loop and its answers
        at.session.close(1006)
        assert seats.taken[0].is_free.wait(SECONDS)
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_page_may_say_goodbye(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        at.say(type="bye")
        assert seats.taken[0].is_free.wait(SECONDS)


@pytest.mark.parametrize("first", ["", "{}", "[", '{"type": "touch"}', '{"type": "hello", "language": 5}'])
def test_who_does_not_say_hello_is_told_so_and_hung_up_on(seats: Seats, first: str) -> None:
    with client(seats).websocket_connect("/api/kiosk") as session:
        at = PageAtSocket(session)
        session.send_text(first)
        assert at.until_told("error")["hint"] == 'begin with {"type": "hello"}'
        assert at.until_closed() == 1008


@pytest.mark.parametrize(
    "rubbish",
    [
        "", "null", "[]", "5", "{", "[" * 50_000, '"touch"', "{}", '{"type": 5}', '{"type": "dance"}',
        '{"type": ["touch"]}', '{"type": "key"}', '{"type": "key", "name": ""}', '{"type": "key", "name": 1}',
        '{"type": "key", "name": "' + "x" * 17 + '"}', '{"type": "typed"}', '{"type": "typed", "text": ""}',
        '{"type": "typed", "text": "\\ud800"}', '{"type": "typed", "text": "' + "x" * 2001 + '"}',
        '{"type": "choose", "number": 0}', '{"type": "choose", "number": true}',
        '{"type": "choose", "number": 1e999}', '{"type": "choose", "number": NaN}',
        '{"type": "choose", "number": "1"}', '{"type": "language", "tag": "fr"}',
        '{"type": "language", "tag": 1}', '{"type": "sound", "microphone": "loud"}',
        '{"type": "sound", "loudspeaker": "yes"}', '{"type": "hello"}',
    ],
)  # fmt: skip
def test_rubbish_is_told_and_harms_nothing(seats: Seats, rubbish: str) -> None:
    with page(client(seats)) as at:
        at.session.send_text(rubbish)
        assert at.until_told("error")["fact"]
        at.say(type="typed", text="where can I park")
        assert "Behind the shop" in at.until(is_state("ready"))["html"]


@pytest.mark.parametrize("name", ["f99", "²", "9" * 16, "٣", "tab", "backspace", "\x00", "f", "é한"])
def test_strange_keys_do_nothing_worse_than_to_show_that_somebody_is_there(seats: Seats, name: str) -> None:
    with page(client(seats)) as at:
        at.say(type="key", name=name)
        at.say(type="typed", text="where can I park")
        assert "Behind the shop" in at.until(is_state("ready"))["html"]


def test_a_flood_is_hung_up_on_and_frees_everything(seats: Seats) -> None:
    with page(client(seats)) as at:
        at.say(**OPEN)
        at.until(lambda view: view.get("can_hear") is True)
        for _ in range(5000):
            at.say(type="typed", text="where can I park")
        assert at.until_closed() == 1008
        assert seats.taken[0].is_free.wait(SECONDS)


def test_no_more_kiosks_are_served_than_there_may_be(seats: Seats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_MOST_KIOSKS", 1)
    web = client(seats)
    with page(web) as one:
        one.until(is_state("idle"))
        with page(web) as other:
            assert other.until_told("busy")["hint"]
            assert other.until_closed() == 1013
    with page(web) as next_one:
        next_one.until(is_state("idle"))


# --- the description ----------------------------------------------------------------------------


def test_the_protocol_is_described_as_it_is(seats: Seats) -> None:
    described = (REPOSITORY / "docs" / "kiosk-protocol.md").read_text(encoding="utf-8")
    tables = [set(re.findall(r"^\| (`.+?) \|", part, re.MULTILINE)) for part in described.split("\n## ")]
    fields_start = described.index("A view has these fields")
    told = {*kiosk_socket._MESSAGES, *kiosk_socket._HELLO}
    assert {row.strip("`") for row in tables[1]} == told
    with page(client(seats)) as at:
        view = at.until(is_state("idle"))
    rows = re.findall(r"^\| (`.+?) \|", described[fields_start:], re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {*view} - {"type"}
