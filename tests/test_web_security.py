"""Everything that keeps the server safe is attacked here, the server layer with a real server."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import anyio
import anyio.from_thread
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.sync.client import connect

from assistant.channels.web import certificates
from assistant.channels.web.asking.media import find_media, media_route
from assistant.channels.web.guarding import limits, rates
from assistant.channels.web.guarding.rates import Overload
from assistant.channels.web.guarding.security import protected, safe_headers
from assistant.channels.web.server import serving
from assistant.channels.web.values import Access
from assistant.errors import BusyError, SettingsError
from assistant.settings import WebSettings

Result = TypeVar("Result")
SHOP = "https://shop.example"


async def _ask(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body())})


async def _page(_: Request) -> Response:
    return PlainTextResponse("a page")


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                break
            await websocket.send_json({"bytes": len(message.get("bytes") or message.get("text") or "")})
        await websocket.send_json({"to": "nobody"})  # a careless app: the other end is gone
    except WebSocketDisconnect:
        pass


@pytest.fixture
def knowledge(tmp_path: Path) -> Path:
    return furnished(tmp_path)


def furnished(tmp_path: Path) -> Path:
    """A folder of pages whose media folder holds what attackers are after, in and around it."""
    media = tmp_path / "knowledge" / "media"
    (media / "maps").mkdir(parents=True)
    (tmp_path / "secret.svg").write_text("secret")
    (tmp_path / "knowledge" / "settings.toml").write_text("secret")
    (tmp_path / "knowledge" / "page.svg").write_text("secret")
    (tmp_path / "knowledge" / "media-private").mkdir()
    (tmp_path / "knowledge" / "media-private" / "x.svg").write_text("secret")
    (media / "map.svg").write_text("<svg/>")
    (media / "maps" / "two words.png").write_bytes(b"png")
    (media / "강아지.jpg").write_bytes(b"jpg")
    (media / "film.mp4").write_bytes(bytes(range(256)))
    (media / "notes.txt").write_text("secret")
    (media / "page.html").write_text("secret")
    (media / ".hidden.svg").write_text("secret")
    (media / "folder.svg").mkdir()
    return tmp_path / "knowledge"


def inner_app(knowledge: Path | None = None) -> Starlette:
    app = Starlette(
        routes=[
            Route("/api/ask", _ask, methods=["POST", "DELETE"]),
            Route("/", _page),
            Route("/widget", _page),
            Route("/widget.js", _page),
            WebSocketRoute("/api/speech", _echo),
            media_route,
        ]
    )
    app.router.redirect_slashes = False
    app.state.backstage = SimpleNamespace(settings=SimpleNamespace(knowledge_folder=knowledge))
    return app


def guarded(web: WebSettings | None = None, access: Access | None = None) -> ASGIApp:
    return protected(inner_app(), access or Access(), web or WebSettings(origins=(SHOP,)))


def client(app: ASGIApp | None = None, at: str = "http://localhost") -> TestClient:
    return TestClient(app or guarded(), base_url=at, raise_server_exceptions=False)


# --- which host -----------------------------------------------------------------------------

KIOSK = Access("0.0.0.0", 8000, ("kiosk.shop.example", "10.0.0.7"))


@pytest.mark.parametrize(
    ("access", "host", "arrived_at", "status"),
    [
        (Access(), "localhost", "127.0.0.1", 200),
        (Access(), "LOCALHOST:8000", "127.0.0.1", 200),
        (Access(), "localhost.:8000", "127.0.0.1", 200),
        (Access(), "127.0.0.1:8000", "127.0.0.1", 200),
        (Access(), "[::1]:8000", "::1", 200),
        (Access("kiosk.local"), "kiosk.local:8000", "10.0.0.7", 200),
        (Access("192.168.1.5"), "192.168.1.5:8000", "192.168.1.5", 200),
        (KIOSK, "kiosk.shop.example", "10.0.0.9", 200),
        (KIOSK, "10.0.0.7", "172.17.0.2", 200),
        (KIOSK, "10.0.0.9:8000", "10.0.0.9", 200),
        (KIOSK, "10.0.0.9:8000", "::ffff:10.0.0.9", 200),
        (KIOSK, "[fe80::1]:8000", "fe80::1%eth0", 200),
        (Access(), "rebound.attacker.example", "127.0.0.1", 421),
        (Access(), "rebound.attacker.example:8000", "127.0.0.1", 421),
        (Access(), "localhost.attacker.example", "127.0.0.1", 421),
        (Access(), "attackerlocalhost", "127.0.0.1", 421),
        (Access(), "127.0.0.1.attacker.example", "127.0.0.1", 421),
        (KIOSK, "0.0.0.0:8000", "10.0.0.9", 421),
        (KIOSK, "[::]:8000", "10.0.0.9", 421),
        (KIOSK, "10.0.0.8", "10.0.0.9", 421),
        (KIOSK, "shop.example", "10.0.0.9", 421),
        (Access(), "", "127.0.0.1", 400),
        (Access(), "localhost@attacker.example", "127.0.0.1", 400),
        (Access(), "attacker.example/localhost", "127.0.0.1", 400),
        (Access(), "localhost:8000:80", "127.0.0.1", 400),
        (Access(), "localhost attacker.example", "127.0.0.1", 400),
        (Access(), "[::1", "127.0.0.1", 400),
    ],
)
def test_only_the_names_it_was_given_lead_to_the_server(
    access: Access, host: str, arrived_at: str, status: int
) -> None:
    answered = run(partial(sent, guarded(access=access), host=host, server=(arrived_at, 8000)))
    assert answered["status"] == status


def run(work: Callable[[], Awaitable[Result]]) -> Result:
    """In a thread of its own: where pages were tested before, this one has an event loop that runs."""
    with anyio.from_thread.start_blocking_portal() as portal:
        return portal.call(work)


async def sent(app: ASGIApp, host: str = "localhost", **changes: Any) -> dict[str, Any]:
    """What an app answers to one hand-made request: status and headers, and what was called."""
    scope: Scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("10.1.2.3", 5000),
        "headers": [(b"host", host.encode())],
        **changes,
    }
    answered: dict[str, Any] = {}

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered.update(status=message["status"], headers=dict(message["headers"]))

    await app(scope, receive, send)
    return answered


def test_two_hosts_in_one_request_are_none() -> None:
    headers = [(b"host", b"localhost"), (b"host", b"attacker.example")]
    assert run(partial(sent, guarded(), headers=headers))["status"] == 400


# --- which origin ---------------------------------------------------------------------------

ORIGINS = [
    ({}, True),  # a program that is no browser
    ({"origin": "http://localhost"}, True),
    ({"origin": "https://localhost"}, True),  # behind a proxy that speaks TLS
    ({"origin": SHOP}, True),
    ({"origin": "HTTPS://SHOP.EXAMPLE"}, True),
    ({"origin": "https://attacker.example"}, False),
    ({"origin": "null"}, False),  # a sandboxed frame, a file
    ({"origin": ""}, False),
    ({"origin": "http://localhost:9000"}, False),
    ({"origin": "http://localhost.attacker.example"}, False),
    ({"origin": "https://shop.example.attacker.example"}, False),
    ({"origin": "https://attacker.example#https://shop.example"}, False),
    ({"origin": "http://shop.example"}, False),
    ({"origin": "https://shop.example:8443"}, False),
    ({"origin": "https://sub.shop.example"}, False),
    ({"origin": "file://localhost"}, False),
    ({"origin": f"{SHOP}, https://attacker.example"}, False),
    ({"sec-fetch-site": "cross-site"}, False),
    ({"sec-fetch-site": "same-site"}, False),
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "none"}, True),
]


@pytest.mark.parametrize(("headers", "is_allowed"), ORIGINS)
@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
def test_pages_of_strangers_change_nothing(method: str, headers: dict[str, str], is_allowed: bool) -> None:
    response = client().request(method, "/api/ask", headers=headers, json={})
    assert (response.status_code != 403) is is_allowed
    if not is_allowed:
        assert set(response.json()["error"]) == {"fact", "hint"}


@pytest.mark.parametrize(("headers", "is_allowed"), ORIGINS)
def test_pages_of_strangers_open_no_websocket(headers: dict[str, str], is_allowed: bool) -> None:
    if is_allowed:
        with client().websocket_connect("ws://localhost/api/speech", headers=headers) as socket_:
            socket_.send_text("four")
            assert socket_.receive_json() == {"bytes": 4}
        return
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client().websocket_connect("ws://localhost/api/speech", headers=headers),
    ):
        pass
    assert refused.value.status_code == 403
    assert refused.value.headers["x-content-type-options"] == "nosniff"


def test_two_origins_in_one_request_are_a_stranger() -> None:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"origin", SHOP.encode())]
    assert run(partial(sent, guarded(), method="POST", headers=headers))["status"] == 403


def test_a_page_without_tls_is_a_stranger_to_a_server_with_it() -> None:
    response = client(at="https://localhost").post("/api/ask", headers={"origin": "http://localhost"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    ("origin", "status"), [(SHOP, 204), ("https://attacker.example", 403), ("null", 403)]
)
def test_only_allowed_sites_are_told_that_they_may_ask(origin: str, status: int) -> None:
    asked = {"origin": origin, "access-control-request-method": "POST"}
    response = client().options("/api/ask", headers=asked)
    assert response.status_code == status
    assert response.headers.get("access-control-allow-origin") == (origin if status == 204 else None)
    assert ("access-control-allow-methods" in response.headers) is (status == 204)


@pytest.mark.parametrize("origin", [SHOP, "https://attacker.example", "null", "*"])
def test_only_allowed_sites_may_read_an_answer(origin: str) -> None:
    response = client().get("/", headers={"origin": origin})
    assert response.headers.get("access-control-allow-origin") == (SHOP if origin == SHOP else None)
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["vary"] == "Origin"


# --- safe headers ---------------------------------------------------------------------------

ANSWERS: dict[str, Callable[[TestClient], Any]] = {
    "a page": lambda browser: browser.get("/"),
    "not found": lambda browser: browser.get("/nothing"),
    "not allowed": lambda browser: browser.put("/api/ask"),
    "another host": lambda browser: browser.get("/", headers={"host": "attacker.example"}),
    "another origin": lambda browser: browser.post("/api/ask", headers={"origin": "https://a.example"}),
    "too large": lambda browser: browser.post("/api/ask", content=bytes(limits.BODY_BYTES + 1)),
    "too long": lambda browser: browser.get("/?" + "x" * limits.URL_BYTES),
    "too many headers": lambda browser: browser.get("/", headers={f"x-{n}": "" for n in range(101)}),
}


@pytest.mark.parametrize("asked", ANSWERS.values(), ids=ANSWERS)
def test_every_answer_has_safe_headers(asked: Callable[[TestClient], Any]) -> None:
    headers = asked(client()).headers
    directives = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == directives["img-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert "microphone=(self)" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]


def test_only_the_widget_may_be_framed_and_only_by_allowed_sites() -> None:
    widget = client().get("/widget").headers
    assert widget["content-security-policy"].endswith(f"frame-ancestors 'self' {SHOP}")
    assert "x-frame-options" not in widget
    alone = client(guarded(WebSettings())).get("/widget").headers
    assert alone["content-security-policy"].endswith("frame-ancestors 'self'")
    for path in ("/widget/", "/widgets", "/", "/kiosk", "/widget;x"):
        assert client().get(path).headers["content-security-policy"].endswith("frame-ancestors 'none'"), path


def test_the_script_of_the_widget_may_be_loaded_by_any_page() -> None:
    assert client().get("/widget.js").headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("scheme", "host", "connect"),
    [
        ("http", "localhost:8000", "'self' ws://localhost:8000"),
        ("https", "kiosk.example", "'self' wss://kiosk.example"),
        ("http", "[::1]:80", "'self' ws://[::1]:80"),
        ("http", "x;script-src *", "'self'"),
        ("http", "x script-src", "'self'"),
        ("http", "*", "'self'"),
    ],
)
def test_a_page_may_speak_with_its_own_server_alone(scheme: str, host: str, connect: str) -> None:
    scope = {"path": "/", "scheme": scheme, "headers": [(b"host", host.encode())]}
    policy = safe_headers(scope, ())["content-security-policy"]
    assert f"; connect-src {connect};" in policy
    assert policy.count("script-src") == 1


def test_what_an_answer_says_of_itself_is_kept() -> None:
    async def own(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x", headers={"Cache-Control": "no-cache"})(scope, receive, send)

    response = client(protected(own, Access(), WebSettings())).get("/")
    assert response.headers.get_list("cache-control") == ["no-cache"]


# --- sizes ----------------------------------------------------------------------------------


def body(count: int) -> Iterator[bytes]:
    """Sent in pieces, without saying beforehand how much there is."""
    yield from (b"x" * 1000 for _ in range(count // 1000))
    yield b"x" * (count % 1000)


@pytest.mark.parametrize("count", [0, 1, 999, limits.BODY_BYTES])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["declared", "streamed"])
def test_a_body_that_is_small_enough_arrives_whole(count: int, is_streamed: bool) -> None:
    response = client().post("/api/ask", content=body(count) if is_streamed else b"x" * count)
    assert response.json() == {"bytes": count}


@pytest.mark.parametrize("count", [limits.BODY_BYTES + 1, 10 * limits.BODY_BYTES])
@pytest.mark.parametrize("is_streamed", [False, True], ids=["declared", "streamed"])
def test_a_body_that_is_too_large_is_refused(count: int, is_streamed: bool) -> None:
    response = client().post("/api/ask", content=body(count) if is_streamed else b"x" * count)
    assert response.status_code == 413
    assert response.json()["error"]["hint"] == "send at most 64 kB"


@pytest.mark.parametrize("declared", ["-1", "1e3", "9" * 5000, "٣", "0x10", "", " "])
def test_a_length_that_is_no_number_is_refused(declared: str) -> None:
    headers = [(b"host", b"localhost"), (b"content-length", declared.encode())]
    assert run(partial(sent, guarded(), method="POST", path="/api/ask", headers=headers))["status"] == 413


def test_a_body_that_never_ends_is_given_up_and_the_app_never_called() -> None:
    called = []

    async def app(*asked: object) -> None:
        called.append(asked)

    async def work() -> list[Message]:
        told: list[Message] = []

        async def send(message: Message) -> None:
            told.append(message)

        async def receive() -> Message:
            await anyio.sleep_forever()
            raise AssertionError

        scope = {"type": "http", "headers": [(b"content-length", b"10")]}
        await limits.BoundedBodies(app, seconds=0.01)(scope, receive, send)
        return told

    told = run(work)
    assert told[0]["status"] == 408
    assert not called


@pytest.mark.parametrize(
    ("text", "sound"),
    [("x" * (limits.TEXT_BYTES + 1), None), ("한" * 30_000, None), (None, bytes(limits.MESSAGE_BYTES + 1))],
    ids=["letters", "Korean letters", "sound"],
)
def test_a_message_that_is_too_large_ends_its_websocket(text: str | None, sound: bytes | None) -> None:
    with client().websocket_connect("ws://localhost/api/speech") as socket_:
        if sound:
            socket_.send_bytes(sound)
        else:
            socket_.send_text(text or "")
        with pytest.raises(WebSocketDisconnect) as ended:
            socket_.receive_text()
        assert ended.value.code == 1009


def test_a_message_of_the_largest_size_arrives() -> None:
    with client().websocket_connect("ws://localhost/api/speech") as socket_:
        socket_.send_text("한" * 20_000)  # 60,000 bytes
        assert socket_.receive_json() == {"bytes": 20_000}
        socket_.send_bytes(bytes(limits.MESSAGE_BYTES))
        assert socket_.receive_json() == {"bytes": limits.MESSAGE_BYTES}


# --- rates and places -----------------------------------------------------------------------


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def asked_by(address: str, method: str = "POST", kind: str = "http") -> Scope:
    return {"type": kind, "method": method, "client": (address, 1)}


def test_an_address_that_asks_too_often_is_told_when_to_come_back() -> None:
    clock = Clock()
    limit = rates.Rates(30, clock)
    assert [limit(asked_by("10.0.0.1")) for _ in range(30)] == [None] * 30
    refused = limit(asked_by("10.0.0.1"))
    assert refused is not None
    assert (refused.status, refused.headers) == (429, (("retry-after", "2"),))
    assert limit(asked_by("10.0.0.2")) is None, "another address is another customer"
    assert limit(asked_by("10.0.0.1", "GET")) is None, "the page still loads"
    assert limit(asked_by("10.0.0.1", kind="websocket")) is not None
    clock.seconds += 2
    assert limit(asked_by("10.0.0.1")) is None
    assert limit(asked_by("10.0.0.1")) is not None
    clock.seconds += 3600
    assert [limit(asked_by("10.0.0.1")) for _ in range(31)][-1] is not None, "an hour saves up no more"


def test_pages_are_bounded_as_well() -> None:
    limit = rates.Rates(1, Clock())
    answers = [limit(asked_by("10.0.0.1", "GET")) for _ in range(rates.LEAST_REQUESTS_A_MINUTE + 1)]
    assert [answer is None for answer in answers] == [True] * rates.LEAST_REQUESTS_A_MINUTE + [False]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_a_customer_is_one_address_or_one_ipv6_network(one: str, other: str, is_same: bool) -> None:
    assert (rates.address_of(asked_by(one)) == rates.address_of(asked_by(other))) is is_same


def test_addresses_by_the_million_take_no_memory() -> None:
    bucket = rates.Bucket(1, Clock(), most_keys=100)
    for number in range(5000):
        assert bucket.take(str(number)) == 0
    assert len(bucket) == 100
    assert bucket.take("4999") > 0, "whoever asked last is still known"


def test_a_refused_request_costs_the_address_nothing_more() -> None:
    clock = Clock()
    bucket = rates.Bucket(60, clock)
    waits = [bucket.take("x") for _ in range(500)]
    assert waits[:60] == [0.0] * 60
    assert waits[60:] == pytest.approx([1.0] * 440)


def test_too_often_is_answered_429_with_a_time() -> None:
    browser = client(guarded(WebSettings(questions_a_minute=2)))
    answers = [browser.post("/api/ask", json={}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert "too often" in answers[2].json()["error"]["fact"]


def test_a_stranger_page_cannot_use_up_what_a_customer_may_ask() -> None:
    browser = client(guarded(WebSettings(questions_a_minute=1)))
    for _ in range(5):
        assert browser.post("/api/ask", headers={"origin": "https://a.example"}).status_code == 403
    assert browser.post("/api/ask", json={}).status_code == 200


def test_one_address_holds_a_bounded_number_of_requests_open() -> None:
    async def work() -> None:
        release = anyio.Event()

        async def slow(scope: Scope, receive: Receive, send: Send) -> None:
            await release.wait()
            await PlainTextResponse("done")(scope, receive, send)

        app = rates.AtOnce(slow, most=2)
        answers: list[int] = []

        async def one(address: str) -> None:
            answers.append((await sent(app, client=(address, 1)))["status"])

        async with anyio.create_task_group() as tasks:
            for address in ("10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2"):
                tasks.start_soon(one, address)
            await anyio.wait_all_tasks_blocked()
            assert answers == [429]
            release.set()
        assert answers == [429, 200, 200, 200]
        assert (await sent(app, client=("10.0.0.1", 1)))["status"] == 200

    run(work)


def test_so_many_run_so_many_wait_and_more_are_turned_away_at_once() -> None:
    async def work() -> None:
        places, release, served, busy = Overload(2, 3), anyio.Event(), [], []

        async def one(number: int) -> None:
            try:
                async with places.place():
                    await release.wait()
                    served.append(number)
            except BusyError as error:
                assert error.fact and error.hint
                busy.append(number)

        async with anyio.create_task_group() as tasks:
            for number in range(7):
                tasks.start_soon(one, number)
            await anyio.wait_all_tasks_blocked()
            assert (busy, places.waiting) == ([5, 6], 3)
            release.set()
        assert sorted(served) == [0, 1, 2, 3, 4]
        assert places.waiting == 0

    run(work)


def test_nobody_waits_for_ever_and_whoever_leaves_frees_a_place() -> None:
    async def work() -> None:
        places = Overload(1, 5, longest_wait_seconds=0.01)
        with pytest.raises(ValueError, match="broken"):
            async with places.place():
                with pytest.raises(BusyError):
                    async with places.place():
                        pass
                with anyio.move_on_after(0):  # a client that vanished while it waited
                    async with places.place():
                        pass
                raise ValueError("broken")
        assert places.waiting == 0
        async with places.place():
            pass

    run(work)


# --- media ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("map.svg", "image/svg+xml"),
        ("maps/two%20words.png", "image/png"),
        ("%EA%B0%95%EC%95%84%EC%A7%80.jpg", "image/jpeg"),
        ("film.mp4", "video/mp4"),
    ],
)
def test_media_are_served_as_what_they_are(knowledge: Path, path: str, content_type: str) -> None:
    response = client(inner_app(knowledge)).get(f"/media/{path}")
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert "sandbox" in response.headers["content-security-policy"]
    assert "script" not in response.headers["content-security-policy"]


PATHS_OUT = [
    "",
    ".",
    "..",
    "../secret.svg",
    "../page.svg",
    "../settings.toml",
    "../media-private/x.svg",
    "../../secret.svg",
    "maps/../../page.svg",
    "maps/../map.svg",
    "./map.svg",
    "/map.svg",
    "//map.svg",
    "maps//two words.png",
    "map.svg/",
    "maps",
    "maps/",
    "folder.svg",
    "missing.svg",
    "notes.txt",
    "page.html",
    ".hidden.svg",
    "%2e%2e/page.svg",
    "..%2fpage.svg",
    "%252e%252e%252fpage.svg",
    "..\\page.svg",
    "maps\\..\\..\\page.svg",
    "..%5cpage.svg",
    "C:\\secret.svg",
    "C:/secret.svg",
    "c:secret.svg",
    "\\\\host\\share\\x.svg",
    "map.svg\0.png",
    "map.svg%00.png",
    "../page.svg\0",
    "map.svg::$DATA",
    "map.svg:stream.svg",
    "map.svg.",
    "map.svg ",
    "NUL.svg",
    "aux.svg",
    "com1.svg",
    "con.tar.svg",
    "～/x.svg",
    "．．/page.svg",
    "․․/page.svg",
    "\u202emap.svg",
    "x" * 300 + ".svg",
    "x/" * 600 + "x.svg",
    "*.svg",
    "map?.svg",
]


@pytest.mark.parametrize("path", PATHS_OUT, ids=lambda path: repr(path)[:30])
def test_no_path_leaves_the_media_folder(knowledge: Path, path: str) -> None:
    assert find_media(knowledge / "media", path) is None
    response = client(inner_app(knowledge)).get(f"/media/{path}".replace("\0", "%00"))
    # A client tidies `./` and `..` away before it asks; what was asked then may be anything but a secret.
    assert "secret" not in response.text


def test_an_absolute_path_is_below_the_folder_or_nowhere(knowledge: Path) -> None:
    secret = knowledge.parent / "secret.svg"
    assert secret.is_file()
    assert find_media(knowledge / "media", str(secret)) is None
    assert find_media(knowledge / "media", str(secret).lstrip("/")) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="links and pipes of Unix")
def test_links_and_pipes_lead_nowhere(knowledge: Path) -> None:
    media = knowledge / "media"
    (media / "out.svg").symlink_to(knowledge.parent / "secret.svg")
    (media / "outside").symlink_to(knowledge.parent)
    (media / "up").symlink_to("..")
    (media / "ring.svg").symlink_to("ring.svg")
    (media / "zero.svg").symlink_to("/dev/zero")
    os.mkfifo(media / "pipe.svg")
    (media / "inside.svg").symlink_to("map.svg")
    for path in ("out.svg", "outside/secret.svg", "up/page.svg", "ring.svg", "zero.svg", "pipe.svg"):
        assert find_media(media, path) is None, path
    assert find_media(media, "inside.svg") == ((media / "map.svg").resolve(), "image/svg+xml")


def test_a_base_without_media_has_none(tmp_path: Path) -> None:
    assert client(inner_app(tmp_path)).get("/media/map.svg").status_code == 404


def test_folders_are_not_listed_and_nothing_is_written(knowledge: Path) -> None:
    browser = client(inner_app(knowledge))
    assert {browser.get(path).status_code for path in ("/media/", "/media", "/media/maps/")} == {404}
    for method in ("PUT", "POST", "DELETE"):
        assert browser.request(method, "/media/map.svg", content=b"x").status_code == 405
    assert (knowledge / "media" / "map.svg").read_text() == "<svg/>"


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-3", 206, bytes(range(4))),
        ("bytes=250-", 206, bytes(range(250, 256))),
        ("bytes=-2", 206, bytes((254, 255))),
        ("bytes=300-", 416, b""),
        ("bytes=3-1", 400, None),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(200)), 200, bytes(range(256))),
    ],
)
def test_films_are_sent_in_the_parts_that_are_asked_for(
    knowledge: Path, asked: str, status: int, content: bytes | None
) -> None:
    response = client(inner_app(knowledge)).get("/media/film.mp4", headers={"range": asked})
    assert response.status_code == status
    if content is not None:
        assert response.content == content


def test_a_picture_is_sent_again_only_when_it_has_changed(knowledge: Path) -> None:
    browser = client(inner_app(knowledge))
    first = browser.get("/media/map.svg")
    known = {"if-none-match": first.headers["etag"]}
    assert browser.get("/media/map.svg", headers=known).status_code == 304
    (knowledge / "media" / "map.svg").write_text("<svg>new</svg>")
    assert browser.get("/media/map.svg", headers=known).text == "<svg>new</svg>"


# --- a real server --------------------------------------------------------------------------


@contextlib.contextmanager
def served(knowledge: Path, *around: Middleware) -> Iterator[int]:
    """The port of the real server, which has nothing around the app but what is given."""
    app = inner_app(knowledge)
    app.user_middleware = list(around)
    with serving(app, Access(port=0)) as address:
        yield urlsplit(address).port or 0


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    web = WebSettings(origins=(SHOP,), questions_a_minute=1000)
    knowledge = furnished(tmp_path_factory.mktemp("served"))
    with served(knowledge, Middleware(protected, Access(), web)) as port:
        yield port


def raw(port: int, request: bytes) -> bytes:
    """What comes back for the very bytes of a request, until the server has nothing more to say."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def request_bytes(target: str, host: str = "localhost", headers: str = "", method: str = "GET") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n".encode()


@pytest.mark.parametrize(
    "target",
    [
        "/media/../settings.toml",
        "/media/../../secret.svg",
        "/media/..%2f..%2fsecret.svg",
        "/media/%2e%2e/%2e%2e/secret.svg",
        "/media/maps/../../page.svg",
        "/media/..%5c..%5csecret.svg",
        "/media/..\\page.svg",
        "/media//etc/passwd",
        "/media/%2fetc%2fpasswd",
        "/media/%00",
        "/media/map.svg%00",
        "/media/%ff%fe.svg",
        "/media/%c0%ae%c0%ae/page.svg",
        "/media/%",
        "/../knowledge/settings.toml",
        "http://localhost/media/../settings.toml",
        "/media/.hidden.svg",
    ],
)
def test_raw_paths_lead_nowhere(port: int, target: str) -> None:
    answer = raw(port, request_bytes(target))
    assert answer.split()[1] in (b"404", b"400")
    assert b"secret" not in answer and b"root:" not in answer


def test_raw_requests_see_the_real_picture(port: int) -> None:
    """So that the ones above are refused for their paths, not for a mistake of this test."""
    assert raw(port, request_bytes("/media/map.svg")).endswith(b"<svg/>")


RAW = {
    "another host": (request_bytes("/", "attacker.example"), b"421"),
    "an absolute address of another host": (
        request_bytes("http://attacker.example/", "attacker.example"),
        b"421",
    ),
    "no host": (b"GET / HTTP/1.0\r\n\r\n", b"400"),
    "two hosts": (request_bytes("/", headers="Host: attacker.example\r\n"), b"400"),
    "a long header": (request_bytes("/", headers="X: " + "x" * 16_400 + "\r\n"), b"431"),
    "many headers": (request_bytes("/", headers="X: 1\r\n" * 1000), b"431"),
    "a long address": (request_bytes("/?" + "x" * 9_000), b"414"),
    "two lengths": (
        request_bytes("/api/ask", headers="Content-Length: 1\r\nContent-Length: 2\r\n", method="POST"),
        b"400",
    ),
    "length and pieces": (
        request_bytes(
            "/api/ask", headers="Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", method="POST"
        )
        + b"0\r\n\r\n",
        b"200",  # h11 takes the pieces, as the standard says; nothing is left over for a second request
    ),
    "a line break in a header": (request_bytes("/", headers="X: a\r\n b\rc\r\n"), b"400"),
    "a body larger than said": (
        request_bytes("/api/ask", headers="Content-Length: 99999999\r\n", method="POST"),
        b"413",
    ),
    "a body in endless pieces": (
        request_bytes("/api/ask", headers="Transfer-Encoding: chunked\r\n", method="POST")
        + b"2000\r\n"
        + b"x" * 0x2000
        + b"\r\n"
        + (b"2000\r\n" + b"x" * 0x2000 + b"\r\n") * 8,
        b"413",
    ),
    "not HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00" + bytes(200), b"400"),
}


@pytest.mark.parametrize(("request_", "status"), RAW.values(), ids=RAW)
def test_requests_that_no_browser_sends_are_refused(port: int, request_: bytes, status: bytes) -> None:
    assert raw(port, request_).split()[1] == status


def test_headers_that_never_end_are_cut_off(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        with pytest.raises(ConnectionError):  # long before a gigabyte
            for _ in range(10_000):
                connection.sendall(b"x" * 100_000)
    assert raw(port, request_bytes("/")).split()[1] == b"200"


def test_headers_that_come_a_letter_at_a_time_are_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.channels.web.server._HEADER_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        with contextlib.suppress(ConnectionError):
            for letter in request_bytes("/", headers="X: " + "x" * 2000):
                slow.sendall(bytes((letter,)))
                time.sleep(0.002)
        with contextlib.suppress(ConnectionError):
            assert slow.recv(65536) == b"", "it was answered"
    assert raw(port, request_bytes("/")).split()[1] == b"200"


def test_a_body_that_stops_half_way_holds_nobody_up(knowledge: Path) -> None:
    with (
        served(knowledge, Middleware(limits.BoundedBodies, seconds=0.2)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as slow,
    ):
        slow.sendall(request_bytes("/api/ask", headers="Content-Length: 100\r\n", method="POST") + b"{")
        assert raw(port, request_bytes("/")).split()[1] == b"200"
        assert slow.recv(65536).split()[1] == b"408"
        assert slow.recv(65536) == b"" or slow.recv(65536) == b"", "the connection is closed"


def test_a_websocket_of_a_real_server_ends_at_a_huge_message(port: int) -> None:
    for message in (bytes(300_000), "x" * 300_000, "x" * 70_000):
        with connect(f"ws://127.0.0.1:{port}/api/speech") as socket_:
            socket_.send("four")
            assert socket_.recv(timeout=20) == '{"bytes":4}'
            socket_.send(message)
            with pytest.raises(Exception, match="1009"):
                socket_.recv(timeout=20)


def test_a_websocket_of_a_stranger_gets_no_handshake_and_no_line_of_the_log(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    handshake = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {}\r\n"
    )
    request = "GET /api/speech HTTP/1.1\r\nHost: {}\r\n" + handshake + "\r\n"
    for host, origin, status in (
        ("localhost", "https://attacker.example", b"403"),
        ("attacker.example", "http://attacker.example", b"421"),
        ("localhost", "null", b"403"),
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(request.format(host, origin).encode())
            assert connection.recv(65536).split()[1] == status
            while connection.recv(65536):  # to the end of what the server does about it
                pass
    assert caplog.text == ""


def test_a_client_that_never_reads_costs_no_other_anything(knowledge: Path) -> None:
    (knowledge / "media" / "long.mp4").write_bytes(bytes(5_000_000))
    with served(knowledge, Middleware(protected, Access(), WebSettings())) as port:
        deaf = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(rates.AT_ONCE + 5)]
        for connection in deaf:
            connection.sendall(b"GET /media/long.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        begin = time.monotonic()
        while b" 429 " not in raw(port, request_bytes("/")):  # that address has all that it may have
            assert time.monotonic() - begin < 20
        for connection in deaf:
            connection.close()
        while b" 200 " not in raw(port, request_bytes("/")):  # and has it back as soon as it has gone
            assert time.monotonic() - begin < 40


# --- certificates ---------------------------------------------------------------------------


def names_in(path: Path) -> set[str]:
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {str(name.value) for name in held}


def test_a_certificate_holds_for_this_machine_and_the_names_given(tmp_path: Path) -> None:
    given = ["0.0.0.0", "Kiosk.Shop.Example.", "192.168.1.5", "[fe80::5]", "käse.example", ""]
    certificate, key = certificates.self_signed(tmp_path / "new", given)
    assert {"localhost", "127.0.0.1", "::1", "kiosk.shop.example", "192.168.1.5", "fe80::5"} <= names_in(
        certificate
    )
    assert "xn--kse-qla.example" in names_in(certificate)
    assert not {"0.0.0.0", "::", ""} & names_in(certificate)
    parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
    assert parsed.not_valid_after_utc - parsed.not_valid_before_utc == timedelta(days=397)
    private = load_pem_private_key(key.read_bytes(), None)
    assert private.public_key() == parsed.public_key()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps rights otherwise")
def test_nobody_else_may_read_the_key_even_where_files_are_shared(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _, key = certificates.self_signed(tmp_path, [])
    finally:
        os.umask(before)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        certificates.CERTIFICATE_NAME,
        certificates.KEY_NAME,
    ]


def test_a_certificate_is_kept_until_a_name_is_new_or_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = certificates.self_signed(tmp_path, ["one.example", "two.example"])
    kept = [certificate.read_bytes()]
    certificates.self_signed(tmp_path, ["one.example"])
    assert certificate.read_bytes() == kept[0]
    for spoil in (
        lambda: certificates.self_signed(tmp_path, ["three.example"]),
        lambda: key.write_text("rubbish"),
        lambda: certificate.write_bytes(b""),
        lambda: key.unlink(),
        lambda: monkeypatch.setattr(certificates, "datetime", next_year()),
    ):
        spoil()
        certificates.self_signed(tmp_path, ["one.example"])
        kept.append(certificate.read_bytes())
    assert all(one != other for one, other in pairwise(kept))


def next_year() -> type[datetime]:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) + timedelta(days=397 - certificates._RENEW_DAYS)

    return Later


def test_a_folder_or_name_that_will_not_do_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be saved") as refused:
        certificates.self_signed(tmp_path / "file", [])
    assert "--tls-cert" in refused.value.hint
    with pytest.raises(SettingsError, match="not a name"):
        certificates.self_signed(tmp_path, ["x" * 70 + ".example"])
