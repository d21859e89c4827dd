"""The HTTP interface as programs and pages meet it, held to its own description."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from fakes import SHOP, TODAY, FakePages, WordMatcher, base, entry
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from starlette.applications import Starlette
from starlette.testclient import TestClient

from assistant.answering import Assistant
from assistant.channels.web import app as app_module
from assistant.channels.web.app import create_app
from assistant.channels.web.asking import conversations as conversations_module
from assistant.channels.web.asking.conversations import Conversations, Kept, KeptTurn, new_id
from assistant.channels.web.asking.openapi import description
from assistant.channels.web.pages_watch import PagesWatch
from assistant.channels.web.seats import CountedSeats
from assistant.channels.web.server import serving
from assistant.channels.web.values import Access, Backstage, Seat
from assistant.errors import BusyError, KnowledgeError
from assistant.knowledge.library import Library
from assistant.settings import Settings, WebSettings
from assistant.values import Conversation, Knowledge, Match, Place, Problem, Reply, Utterance

ACCESS = Access(port=0)
SECONDS = 20.0  # no test waits for longer
EVERYTHING = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
schema = schemathesis.openapi.from_dict(description())


def no_seat() -> Seat:
    raise BusyError("nobody can speak here")


def shop(pages: FakePages | None = None, matcher: Callable[[Knowledge], Any] = WordMatcher) -> Assistant:
    return Assistant(pages or FakePages(), matcher, lambda: TODAY)


def backstage(assistant: Assistant | None = None, web: WebSettings | None = None) -> Backstage:
    web = replace(web or WebSettings(), questions_a_minute=100_000)
    languages = ("en", "de")
    return Backstage(
        assistant or shop(),
        Settings(Path("knowledge"), web=web),
        languages,
        ("en",),
        languages,
        no_seat,
        lambda _: b"",
    )


def client_of(app: Starlette) -> TestClient:
    return TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with client_of(create_app(backstage(), ACCESS)) as client:
        yield client


def ask(client: TestClient | requests.Session, text: str, at: str = "", **more: object) -> dict[str, Any]:
    answer = client.post(f"{at}/api/ask", json={"text": text, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wait_until(is_true: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.01)


# --- true to its description ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(create_app(backstage(), ACCESS), ACCESS) as address:
        yield address


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@schema.parametrize()
@EVERYTHING
def test_the_server_does_what_its_description_says(
    case: schemathesis.Case, address: str, session: requests.Session
) -> None:
    case.call_and_validate(base_url=address, session=session)


def test_it_does_so_too_in_the_course_of_a_conversation(address: str, session: requests.Session) -> None:
    class Course(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, _case: schemathesis.Case) -> dict[str, Any]:
            return {"base_url": address, "session": session}

        def after_call(self, response: Any, case: schemathesis.Case) -> None:
            seen.add((case.operation.label, response.status_code))

    seen: set[tuple[str, int]] = set()
    run_state_machine_as_test(Course, settings=settings(EVERYTHING, max_examples=15, stateful_step_count=5))
    assert ("GET /api/conversations/{id}", 200) in seen


def test_every_route_of_the_interface_is_described(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert described == description()
    routes = {
        (route.path, method.lower())
        for route in client.app.routes  # type: ignore[attr-defined]
        for method in getattr(route, "methods", None) or ()
        if route.path.startswith(("/api/", "/metrics")) and method != "HEAD"
    }
    assert routes == {
        (path, method)
        for path, operations in described["paths"].items()
        for method in operations
        if method != "parameters"
    }


# --- questions and answers ------------------------------------------------------------------------


def test_a_question_is_answered_for_the_eye_the_ear_and_a_program(client: TestClient) -> None:
    told = ask(client, "where can i park")
    assert (told["outcome"], told["entry"], told["language"], told["turn"]) == ("found", "parking", "en", 1)
    assert told["answer"] == "Behind the shop."
    assert "<p>Behind the shop.</p>" in told["html"]
    assert told["spoken"] == "Behind the shop, on the left."
    assert told["portions"] == ["Behind the shop, on the left."]
    assert told["ms"] > 0


@pytest.mark.parametrize("taken", ["at the desk", "2"])
def test_a_choice_is_taken_by_its_label_or_its_number(client: TestClient, taken: str) -> None:
    asked = ask(client, "I want a refund")
    assert asked["choices"] == [{"number": 1, "label": "online"}, {"number": 2, "label": "at the desk"}]
    told = ask(client, taken, conversation=asked["conversation"])
    assert (told["entry"], told["turn"], told["outcome"]) == ("refund-desk", 2, "found")


def test_who_does_not_choose_is_asked_again_and_that_is_no_answer(client: TestClient) -> None:
    asked = ask(client, "I want a refund")
    told = ask(client, "xyzzy", conversation=asked["conversation"])
    assert (told["entry"], told["outcome"], told["choices"]) == (None, "unsure", asked["choices"])


def test_without_its_conversation_a_choice_means_nothing(client: TestClient) -> None:
    ask(client, "I want a refund")
    assert ask(client, "2")["outcome"] == "unknown"


@pytest.mark.parametrize("known", [None, "", "made-up", "x" * 64])
def test_an_id_that_is_not_known_begins_a_conversation_of_another_id(
    client: TestClient, known: str | None
) -> None:
    more = {} if known is None else {"conversation": known}
    ids = {ask(client, "where can i park", **more)["conversation"] for _ in range(3)}
    assert len(ids) == 3
    assert known not in ids
    assert all(len(id) * 6 >= 128 for id in ids)  # bits of its letters


def test_the_language_switch_holds_until_another(client: TestClient) -> None:
    german = ask(client, "when are you open", language="de-AT")
    assert (german["language"], german["chosen_language"]) == ("de", "de")
    again = ask(client, "when are you open", conversation=german["conversation"])
    assert again["language"] == "de"
    english = client.post("/api/repeat", json={"conversation": german["conversation"], "language": "en"})
    assert english.json()["answer"] == "We are open **9 to 5**."


@pytest.mark.parametrize("language", ["fr", ""])
def test_a_language_without_pages_is_passed_over(client: TestClient, language: str) -> None:
    assert ask(client, "when are you open", language=language)["chosen_language"] is None


def test_speaking_a_language_chooses_none_but_takes_the_place_of_one(client: TestClient) -> None:
    heard = {"spoken": True, "language": "de", "also_heard": ["wann haben sie offen"]}
    spoken = ask(client, "wann haben sie geöffnet", **heard)
    assert (spoken["language"], spoken["chosen_language"]) == ("de", None)
    switched = ask(client, "when are you open", conversation=spoken["conversation"], language="en")
    assert switched["language"] == "en"
    back = ask(client, "wann haben sie geöffnet", conversation=spoken["conversation"], **heard)
    assert (back["language"], back["chosen_language"]) == ("de", "de")


@pytest.mark.parametrize("language", ["en", "de"])
def test_whoever_is_not_understood_at_first_is_told_so_in_the_language_of_the_page(
    client: TestClient, language: str
) -> None:
    told = ask(client, "blubb", page_language=language)
    assert (told["outcome"], told["language"], told["chosen_language"]) == ("unknown", language, None)


def test_an_entry_is_opened_by_name(client: TestClient) -> None:
    told = client.post("/api/open", json={"entry": "help"}).json()
    assert (told["outcome"], told["entry"]) == ("found", "help")
    assert client.post("/api/open", json={"entry": "nonsense"}).status_code == 404
    over = client.post("/api/open", json={"entry": "start-over", "conversation": told["conversation"]}).json()
    assert (over["entry"], over["turn"]) == ("start-over", 2)


def test_there_is_nothing_to_repeat_at_first(client: TestClient) -> None:
    told = client.post("/api/repeat", json={"conversation": ""}).json()
    assert (told["outcome"], told["turn"]) == ("unknown", 1)


def test_a_page_that_was_reloaded_shows_the_conversation_again(client: TestClient) -> None:
    first = ask(client, "where can i park")
    id = first["conversation"]
    client.post("/api/open", json={"entry": "help", "conversation": id})
    client.post("/api/feedback", json={"conversation": id, "turn": 1, "helpful": True})
    kept = client.get(f"/api/conversations/{id}").json()
    assert [turn["question"] for turn in kept["turns"]] == ["where can i park", None]
    assert [turn["helpful"] for turn in kept["turns"]] == [True, None]
    shown = kept["turns"][0]
    assert {name: shown[name] for name in first.keys() & shown.keys()} == {
        name: first[name] for name in first.keys() - {"conversation", "chosen_language"}
    }


def test_a_forgotten_conversation_is_gone(client: TestClient) -> None:
    id = ask(client, "where can i park")["conversation"]
    assert client.delete(f"/api/conversations/{id}").status_code == 204
    assert client.get(f"/api/conversations/{id}").status_code == 404
    vote = {"conversation": id, "turn": 1, "helpful": True}
    assert client.post("/api/feedback", json=vote).status_code == 404
    assert client.delete(f"/api/conversations/{id}").status_code == 204


@pytest.mark.parametrize("turn", [2, 999])
def test_only_a_turn_that_was_is_judged(client: TestClient, turn: int) -> None:
    id = ask(client, "where can i park")["conversation"]
    vote = {"conversation": id, "turn": turn, "helpful": False}
    assert client.post("/api/feedback", json=vote).status_code == 404


BROKEN_BODIES = {
    "nothing": b"",
    "no JSON": b"text=hello",
    "half of it": b'{"text": "hel',
    "a list": b'["hello"]',
    "not UTF-8": b'{"text": "\xff"}',
    "half a character": rb'{"text": "\ud83d"}',
    "no number": b'{"text": NaN}',
    "a name twice": b'{"text": "one", "text": "two"}',
    "deeper than anybody looks": b'{"text":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "a number beyond counting": b'{"text":' + b"9" * 6_000 + b"}",
    "an unknown field": b'{"text": "hello", "texts": "hello"}',
    "an empty text": b'{"text": ""}',
    "too long a text": b'{"text": "' + b"a" * 2001 + b'"}',
    "a text that is a number": b'{"text": 7}',
}


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_body_that_cannot_be_read_is_refused_in_words(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/ask", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["fact"]


def test_the_body_must_say_that_it_is_json(client: TestClient) -> None:
    answer = client.post("/api/ask", content=b'{"text": "hello"}', headers={"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/api/ask", 405), ("POST", "/", 405), ("GET", "/api/ask/", 404)],
)
def test_a_wrong_address_is_told_as_json(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["hint"]
    assert ("allow" in answer.headers) == (status == 405)


def test_no_answer_sets_a_cookie(client: TestClient) -> None:
    answers = [client.get("/"), client.get("/api/welcome"), client.post("/api/ask", json={"text": "hello"})]
    assert not any("set-cookie" in answer.headers for answer in answers)


# --- what a page needs ----------------------------------------------------------------------------


def test_a_page_is_greeted_in_the_nearest_language(client: TestClient) -> None:
    told = client.get("/api/welcome", params={"language": "de-CH"}).json()
    assert told["language"] == "de"
    assert told["languages"] == [
        {"tag": "en", "name": "English", "heard": True, "spoken": True},
        {"tag": "de", "name": "Deutsch", "heard": False, "spoken": True},
    ]
    assert "Guten Tag" in told["greeting"]["html"]
    assert told["samples"][0] == "Wann haben Sie geöffnet?"
    assert told["kiosk_words"]["speak"] == "sprechen"
    assert told["settings"] == {"idle_seconds": 60, "volume": 0.6}
    assert client.get("/api/welcome", params={"language": "fr"}).json()["language"] == "en"


def test_suggestions_come_while_typing(client: TestClient) -> None:
    found = client.get("/api/suggestions", params={"text": "where can", "language": "en"}).json()
    assert found == {"suggestions": ["Where can I park?"]}
    few = client.get("/api/suggestions", params={"text": "w", "language": "en", "count": 1}).json()
    assert len(few["suggestions"]) == 1


def test_entries_are_listed_by_language(client: TestClient) -> None:
    everything = client.get("/api/entries").json()["entries"]
    german = client.get("/api/entries", params={"language": "de"}).json()["entries"]
    assert len(everything) == len(list(SHOP.entries))
    assert german[0] == {
        "name": "opening-hours",
        "language": "de",
        "title": "Wann haben Sie geöffnet?",
        "questions": ["Wann haben Sie geöffnet?"],
        "tags": [],
        "page": "de/test.md",
    }
    assert {one["language"] for one in german} == {"de"}
    assert client.get("/api/entries", params={"language": "fr"}).json() == {"entries": []}


def test_health_says_what_there_is(client: TestClient) -> None:
    ask(client, "where can i park")
    assert client.get("/api/health").json() == {
        "status": "ok",
        "languages": ["en", "de"],
        "entries": len(SHOP.names),
        "conversations": 1,
        "seats": {"taken": 0, "all": 8},
        "notes": [],
    }


def test_what_was_done_is_counted_without_a_word_of_it(client: TestClient) -> None:
    told = ask(client, "where can i park")
    ask(client, "xyzzy", spoken=True, language="en")
    vote = {"conversation": told["conversation"], "turn": 1, "helpful": True}
    for helpful in (True, True, False):
        client.post("/api/feedback", json=vote | {"helpful": helpful})
    client.post("/api/ask", json={})
    client.get("/", headers={"host": "evil.example"})
    figures = client.get("/metrics").text.splitlines()
    for line in (
        'assistant_questions_total{language="en",outcome="found",way="typed"} 1.0',
        'assistant_questions_total{language="en",outcome="unknown",way="spoken"} 1.0',
        "assistant_answer_seconds_count 2.0",
        'assistant_feedback_total{helpful="yes"} 1.0',
        'assistant_feedback_total{helpful="no"} 1.0',
        'assistant_refused_total{reason="bad-request"} 1.0',
        'assistant_refused_total{reason="bad-host"} 1.0',
        "assistant_conversations 2.0",
        "assistant_seats 8.0",
        "assistant_seats_taken 0.0",
    ):
        assert line in figures
    assert not any("park" in line or "xyzzy" in line for line in figures)


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/kiosk", "text/html"),
        ("/widget", "text/html"),
        ("/widget.js", "text/javascript"),
        ("/static/style.css", "text/css"),
    ],
)
def test_a_page_is_sent_once_and_again_where_it_changed(client: TestClient, path: str, kind: str) -> None:
    first = client.get(path)
    assert first.status_code == 200
    assert first.headers["content-type"].startswith(kind)
    again = client.get(path, headers={"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200


def test_the_chat_knows_that_it_stands_in_a_frame(client: TestClient) -> None:
    assert "<body data-frame" in client.get("/widget").text
    assert "data-frame" not in client.get("/").text


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "chat.html", "values.py", "../values.py", "%2e%2e%2fvalues.py", "..%5cvalues.py", "%00"],
)
def test_nothing_else_is_sent(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/{name}")
    assert answer.status_code == 404 or answer.url.path == "/"


# --- many at once ---------------------------------------------------------------------------------


class Gate:
    """Makes the matcher wait where a text says "slow"."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.waiting = 0

    def matcher(self, knowledge: Knowledge) -> WordMatcher:
        gate = self

        class Gated(WordMatcher):
            def match(self, utterance: Utterance, language: str | None = None) -> Match:
                if "slow" in utterance.text:
                    gate.waiting += 1
                    assert gate.opened.wait(SECONDS)
                return super().match(Utterance(utterance.text.replace("slow", "")), language)

        return Gated(knowledge)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gate, Starlette, str]]:
    """A server with two worker threads and room for two more who wait."""
    monkeypatch.setattr(app_module, "_RUNNING", 2)
    monkeypatch.setattr(app_module, "_WAITING", 2)
    gate = Gate()
    app = create_app(backstage(shop(matcher=gate.matcher)), ACCESS)
    with serving(app, ACCESS) as address:
        try:
            yield gate, app, address
        finally:
            gate.opened.set()


@pytest.fixture
def people() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as people:
        yield people


def post(address: str, path: str, **body: object) -> requests.Response:
    return requests.post(f"{address}{path}", json=body, timeout=SECONDS)


def test_questions_of_one_conversation_are_answered_one_after_the_other(
    slow: tuple[Gate, Starlette, str], people: ThreadPoolExecutor
) -> None:
    gate, app, address = slow
    id = post(address, "/api/ask", text="where can i park").json()["conversation"]
    first = people.submit(post, address, "/api/ask", text="slow I want a refund", conversation=id)
    wait_until(lambda: gate.waiting == 1)
    second = people.submit(post, address, "/api/ask", text="the second one", conversation=id)
    wait_until(lambda: app.state.shared.conversations.find(id).waiting == 2)
    # Meanwhile nothing stands still.
    assert post(address, "/api/ask", text="when are you open").json()["entry"] == "opening-hours"
    assert not second.done()
    gate.opened.set()
    assert (first.result().json()["turn"], second.result().json()["turn"]) == (2, 3)
    assert second.result().json()["entry"] == "refund-desk"


def test_who_comes_when_all_places_are_taken_is_told_so_at_once(
    slow: tuple[Gate, Starlette, str], people: ThreadPoolExecutor
) -> None:
    gate, app, address = slow
    early = [people.submit(post, address, "/api/ask", text="slow where can i park") for _ in range(4)]
    wait_until(lambda: gate.waiting == 2 and app.state.shared.places.waiting == 2)
    late = post(address, "/api/ask", text="where can i park")
    assert late.status_code == 503
    assert int(late.headers["retry-after"]) >= 1
    assert requests.get(f"{address}/api/health", timeout=SECONDS).json()["conversations"] == 0
    gate.opened.set()
    assert {answer.result().status_code for answer in early} == {200}
    assert post(address, "/api/ask", text="where can i park").status_code == 200


def test_nobody_fills_all_places_from_one_conversation(
    slow: tuple[Gate, Starlette, str], people: ThreadPoolExecutor
) -> None:
    gate, app, address = slow
    id = post(address, "/api/ask", text="where can i park").json()["conversation"]
    most = conversations_module._MOST_WAITING
    asked: list[Future[requests.Response]] = [
        people.submit(post, address, "/api/ask", text="slow parking", conversation=id) for _ in range(most)
    ]
    wait_until(lambda: app.state.shared.conversations.find(id).waiting == most)
    assert post(address, "/api/ask", text="where can i park", conversation=id).status_code == 503
    assert post(address, "/api/ask", text="where can i park").status_code == 200
    gate.opened.set()
    assert [answer.result().status_code for answer in asked] == [200] * most


def test_two_servers_in_one_process_share_nothing() -> None:
    one, other = (create_app(backstage(), ACCESS) for _ in range(2))
    with client_of(one) as first, client_of(other) as second:
        id = ask(first, "where can i park")["conversation"]
        assert second.get(f"/api/conversations/{id}").status_code == 404
        assert "assistant_answer_seconds_count 0.0" in second.get("/metrics").text


def test_what_breaks_is_told_in_general_words_and_logged_without_a_customers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Breaking(WordMatcher):
        def match(self, utterance: Utterance, language: str | None = None) -> Match:
            raise RuntimeError(f"cannot match {utterance.text!r} in {language}")

    with client_of(create_app(backstage(shop(matcher=Breaking)), ACCESS)) as client:
        with caplog.at_level(logging.DEBUG):
            answer = client.post("/api/ask", json={"text": "my secret"})
        assert answer.status_code == 500
        assert answer.json()["error"]["fact"] == "something went wrong here"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert client.get("/api/health").json()["conversations"] == 0
    logged = [record for record in caplog.records if record.name == "assistant.web"]
    assert "RuntimeError" in logged[0].getMessage()
    assert not any("secret" in record.getMessage() for record in caplog.records)


# --- what is remembered ---------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def kept_turn(number: int, question: str = "?", answer: str = "!") -> KeptTurn:
    reply = Reply(answer, answer, "en")
    return KeptTurn(number, question, datetime.now(UTC), reply, "found", 1.0)


def test_of_too_many_conversations_the_one_idle_for_longest_is_forgotten() -> None:
    store = Conversations(most=2, idle_seconds=60, clock=Clock())
    first, second, third = (Kept(new_id()) for _ in range(3))
    store.keep(first)
    store.keep(second)
    assert store.find(first.id) is first
    store.keep(third)
    assert [store.find(kept.id) for kept in (first, second, third)] == [first, None, third]


def test_a_conversation_is_forgotten_when_nobody_has_spoken_for_long() -> None:
    clock = Clock()
    store = Conversations(most=9, idle_seconds=60, clock=clock)
    early, late = Kept(new_id()), Kept(new_id())
    store.keep(early)
    clock.seconds = 30
    store.keep(late)
    clock.seconds = 61
    store.forget_idle()
    assert len(store) == 1
    assert store.find(late.id) is late
    clock.seconds = 120
    assert store.find(late.id) is late  # looking is using
    clock.seconds = 181
    assert store.find(late.id) is None


def test_a_conversation_keeps_its_newest_turns_and_no_more() -> None:
    kept = Kept(new_id())
    for number in range(1, 71):
        kept.add(Conversation(), kept_turn(number))
        kept.votes[number] = True
    assert [turn.number for turn in kept.turns] == list(range(21, 71))
    assert min(kept.votes) >= 21
    assert kept.next_number == 71


def test_long_questions_push_out_old_ones_sooner() -> None:
    kept, most = Kept(new_id()), conversations_module.MOST_CHARACTERS
    for number in range(1, 40):
        kept.add(Conversation(), kept_turn(number, "q" * (most // 10)))
    assert 8 <= len(kept.turns) <= 10
    kept.add(Conversation(), kept_turn(40, answer="a" * 2 * most))
    assert [turn.number for turn in kept.turns] == [40]


# --- seats ----------------------------------------------------------------------------------------


def test_seats_are_counted_until_they_are_given_back() -> None:
    class Plain:
        def close(self) -> None:
            pass

    seats = CountedSeats(Plain)  # type: ignore[arg-type]
    one, other = seats.take(), seats.take()
    assert seats.taken == 2
    one.close()
    one.close()
    assert seats.taken == 1
    other.close()
    assert seats.taken == 0


# --- pages that change ----------------------------------------------------------------------------

PAGE = "# Shop\n\n## parking\n\n### Questions\n- Where can I park?\n\n### Answer\n{}\n"


def test_changed_pages_are_taken_up_while_customers_are_served(tmp_path: Path) -> None:
    page = tmp_path / "en" / "shop.md"
    page.parent.mkdir()
    page.write_text(PAGE.format("Behind the shop."), "utf-8")
    library = Library(tmp_path, "en")
    library.load()
    app = create_app(backstage(Assistant(library, WordMatcher)), ACCESS)
    with client_of(app) as client:
        id = ask(client, "where can i park")["conversation"]
        page.write_text(PAGE.format("On the roof, at last."), "utf-8")
        again = {"conversation": id}
        wait_until(lambda: ask(client, "where can i park", **again)["answer"] == "On the roof, at last.")
        page.write_text(PAGE.format("In front.").replace("### Answer", "### Anwser"), "utf-8")
        wait_until(lambda: bool(client.get("/api/health").json()["notes"]))
        assert "Anwser" in client.get("/api/health").json()["notes"][0]
        assert ask(client, "where can i park")["answer"] == "On the roof, at last."
        assert client.get("/api/suggestions", params={"text": "wh"}).json()["suggestions"]
        figures = client.get("/metrics").text
    assert 'assistant_reloads_total{result="taken-up"} 1.0' in figures
    assert 'assistant_reloads_total{result="refused"} 1.0' in figures


def test_whatever_goes_wrong_with_new_pages_the_watch_goes_on() -> None:
    class Worse(FakePages):
        def refresh(self) -> bool:
            if not self.changes:
                raise KnowledgeError("the folder is gone")
            return super().refresh()

    counted: list[str] = []
    warned = Problem("expired", Place("en/shop.md", 3), "an old entry", severity="warning")
    broken = Problem("unknown-part", Place("en/shop.md", 3), "an unknown part")
    newer = base(entry("parking", "en", "Where can I park?", answer="On the roof."))
    changes = [(SHOP, (broken,)), (SHOP, ()), (newer, (warned,))]
    watch = PagesWatch(shop(Worse(changes=changes)), counted.append)
    notes = []
    for _ in range(4):
        watch.look()
        notes.append(watch.notes)
    assert counted == ["refused", "taken-up", "failed"]  # mended to what is in use: nothing to count
    assert notes[:3] == [("en/shop.md:3: an unknown part",), (), ()]
    assert notes[3]
