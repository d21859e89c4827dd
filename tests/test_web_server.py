"""The server around the app: how it begins, whom it does not wait for, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from starlette.applications import Starlette
from test_web_api import ACCESS, SECONDS, backstage

from assistant.channels.web import server
from assistant.channels.web.app import create_app
from assistant.channels.web.server import serve, serving
from assistant.channels.web.values import Access
from assistant.errors import SettingsError

PROGRAM = """
from test_web_api import ACCESS, backstage
from assistant.channels.web.app import create_app
from assistant.channels.web.server import serve

code = serve(create_app(backstage(), ACCESS), ACCESS, lambda address: print(address, flush=True))
print("ended in order", flush=True)
raise SystemExit(code)
"""


def app() -> Starlette:
    return create_app(backstage(), ACCESS)


def connected(address: str) -> socket.socket:
    place = urlsplit(address)
    assert place.hostname and place.port
    return socket.create_connection((place.hostname, place.port), SECONDS)


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    here = Path(__file__).parent
    started = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=here.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (here.parent, here)))},
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signals to one process alone")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order_and_nothing_was_logged(
    program: subprocess.Popen[str], how: signal.Signals
) -> None:
    assert program.stdout
    address = program.stdout.readline().strip()
    with requests.Session() as session:  # a connection that stays open must not hold it
        secret = {"text": "where can my secret park"}
        assert session.post(f"{address}/api/ask", json=secret, timeout=SECONDS).ok
        assert session.get(f"{address}/api/suggestions?text=secret", timeout=SECONDS).ok
        assert session.get(f"{address}/secret", timeout=SECONDS).status_code == 404
        with connected(address) as rude:
            rude.sendall(b"my secret\r\n\r\n")
            assert rude.recv(65_536)
        program.send_signal(how)
        out, err = program.communicate(timeout=SECONDS)
    assert (program.returncode, out, err) == (0, "ended in order\n", "")


@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_a_server_that_is_told_to_end_while_its_models_load_ends_in_order(seconds: float) -> None:
    """Python ended around threads inside native libraries: a crash, exit code -6 or -11."""
    command = [sys.executable, "-m", "assistant", "serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
    ) as served:
        assert served.stdout and served.stdout.readline().startswith("chat: http://127.0.0.1:")
        time.sleep(seconds)
        served.send_signal(signal.SIGINT)
        _, errors = served.communicate(timeout=60)
    assert (served.returncode, errors) == (0, "")


def test_a_port_that_is_taken_is_told_in_words() -> None:
    with serving(app(), ACCESS) as address:
        taken = Access(port=int(address.rpartition(":")[2]))
        with pytest.raises(SettingsError, match=f"port {taken.port} cannot be listened on") as raised:
            serve(app(), taken)
    assert "--port" in raised.value.hint


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_told_in_words(host: str) -> None:
    with pytest.raises(SettingsError, match=host):
        serve(app(), Access(host=host, port=0))


def test_a_certificate_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    with pytest.raises(SettingsError, match="certificate"):
        serve(app(), Access(port=0, certificate=(rubbish, rubbish)))


@pytest.mark.parametrize(
    ("access", "expected"),
    [
        (Access(port=0), "http://127.0.0.1:"),
        (Access(host="0.0.0.0", port=0), "http://localhost:"),
        (Access(port=0, names=("kiosk.shop.example",)), "http://kiosk.shop.example:"),
    ],
)
def test_it_says_what_to_type_into_a_browser(access: Access, expected: str) -> None:
    with serving(app(), access) as address:
        assert address.startswith(expected)
        assert int(address.removeprefix(expected)) > 0


@pytest.mark.parametrize("sent", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "])
def test_who_never_ends_a_request_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(server, "_HEADER_SECONDS", 0.2)
    with serving(app(), ACCESS) as address, connected(address) as slow:
        slow.sendall(sent)
        assert slow.recv(1) == b""  # closed, long before the socket's own time-out
        assert requests.get(f"{address}/api/health", timeout=SECONDS).ok


def test_a_second_request_may_take_its_time_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_HEADER_SECONDS", 0.2)
    with serving(app(), ACCESS) as address:
        patient = HTTPConnection(urlsplit(address).netloc, timeout=SECONDS)
        with closing(patient):
            patient.request("GET", "/api/health")
            assert patient.getresponse().read()
            patient.sock.settimeout(0.5)
            with pytest.raises(TimeoutError):
                patient.sock.recv(1)  # still open
            patient.sock.settimeout(SECONDS)
            patient.request("GET", "/api/health")
            assert patient.getresponse().status == 200


def test_rubbish_is_refused_and_costs_nothing() -> None:
    with serving(app(), ACCESS) as address:
        with connected(address) as rude:
            rude.sendall(os.urandom(4096) + b"\r\n\r\n")
            answer = rude.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 400") or not answer
        assert requests.get(f"{address}/api/health", timeout=SECONDS).ok


def test_it_does_not_say_what_it_is_made_of() -> None:
    with serving(app(), ACCESS) as address:
        assert "server" not in requests.get(f"{address}/api/health", timeout=SECONDS).headers
