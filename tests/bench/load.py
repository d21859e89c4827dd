"""Many customers at once, typing and speaking: python -m tests.bench.load FOLDER [--beside COMMAND]

Starts the real server. Fifty clients type for some seconds: questions a second and how long the slowest
waited. Then customers speak, each in a conversation of their own: a question in real time, the answer
heard, the next question; so many that the text still comes in time. With `--beside` the same sound is
sent to vosk-server's own server, which only recognizes: COMMAND starts it on port 2700 with the same
model, such as "python asr_server.py MODEL". It makes a recognizer when a customer comes, ours has some
ready; so what counts is how late the texts come after the first question. FOLDER holds the clips.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websockets
from rich.table import Table

from tests.bench.options import options
from tests.bench.sets import NoSets
from tests.bench.showing import show
from tests.bench.speech import recorded

_KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
_RATE_HZ = 16_000
_BLOCK_SECONDS = 0.2  # as vosk-server's own client sends it
_BLOCK_BYTES = int(_BLOCK_SECONDS * _RATE_HZ) * 2
_ANSWER_SECONDS = 3.0  # so long a customer listens before asking again
_QUESTIONS = 4  # of one spoken conversation
# A text that comes later than this after the end of what was said no longer feels like a conversation.
_IN_TIME_SECONDS = 1.0
_VOSK_ADDRESS = "ws://127.0.0.1:2700"


# --- the servers -----------------------------------------------------------------------------


@contextlib.contextmanager
def our_server(most_speaking: int = 100) -> Iterator[tuple[str, int]]:
    """Address and process number of the server with the sample base; one address may ask without end."""
    with tempfile.TemporaryDirectory() as folder:
        knowledge = Path(folder) / "knowledge"
        shutil.copytree(_KNOWLEDGE, knowledge)
        with (knowledge / "settings.toml").open("a", encoding="utf-8") as settings:
            settings.write(f"\n[web]\nquestions_a_minute = 100000\nmost_speaking = {most_speaking}\n")
        command = [sys.executable, "-m", "assistant", "serve", "--port", "0", "--knowledge", str(knowledge)]
        with ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as server:
            assert server.stdout
            found = re.search(r"http://[\d.]+:\d+", server.stdout.readline())
            if not found:
                raise SystemExit("the server did not start")
            wait_until_idle(server.pid)
            yield found[0], server.pid


def wait_until_idle(pid: int) -> None:
    """A server that has just started makes itself ready for those who speak."""
    before = -1.0
    while (now := _cpu_seconds(pid)) - before > 0.05:
        before = now
        time.sleep(1)


@contextlib.contextmanager
def ended(server: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    try:
        yield server
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


# --- typing ----------------------------------------------------------------------------------


class TypingClient:
    """One connection that asks again and again, with as little work of its own as can be."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._conversation = ""

    async def __aenter__(self) -> TypingClient:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, text: str) -> dict[str, Any]:
        known = {"conversation": self._conversation} if self._conversation else {}
        told = await self._request("POST", "/api/ask", json.dumps({"text": text, **known}))
        self._conversation = told["conversation"]
        return told

    async def transcript(self) -> dict[str, Any]:
        return await self._request("GET", f"/api/conversations/{self._conversation}")

    async def _request(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        said = body.encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(said)}\r\n\r\n"
        )
        self._writer.write(head.encode() + said)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = re.search(r"(?i)content-length: (\d+)", answered)
        told: dict[str, Any] = json.loads(await self._reader.readexactly(int(length[1]) if length else 0))
        if " 200 " not in answered.partition("\r\n")[0]:
            raise SystemExit(f"the server answered {answered.partition(chr(13))[0]}: {told}")
        return told


async def type_for(address: str, clients: int, seconds: float) -> list[float]:
    """How long each answer took, in milliseconds."""
    told = questions_of_base()
    until, took = time.perf_counter() + seconds, []

    async def one(number: int) -> None:
        chosen = random.Random(number)
        async with TypingClient(address) as client:
            while time.perf_counter() < until:
                started = time.perf_counter()
                await client.ask(chosen.choice(told))
                took.append((time.perf_counter() - started) * 1000)

    await asyncio.gather(*(one(number) for number in range(clients)))
    return took


@cache
def questions_of_base() -> tuple[str, ...]:
    """All questions of the sample base, as they stand on its pages."""
    pages = [page.read_text(encoding="utf-8") for page in sorted(_KNOWLEDGE.glob("*/*.md"))]
    parts = [part for page in pages for part in re.findall(r"### Questions\n((?:- .+\n)+)", page)]
    return tuple(line[2:] for part in parts for line in part.splitlines())


# --- speaking --------------------------------------------------------------------------------


@dataclass(slots=True)
class Spoken:
    """What became of one conversation: how long after each end of speech its text was there."""

    seconds: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


Conversation = Callable[[Sequence[bytes]], Awaitable[Spoken]]


async def in_real_time(sound: bytes, send: Callable[[bytes], Awaitable[None]]) -> float:
    """Send it as a microphone would; when its last word was over, whether or not it was sent by then."""
    started = time.perf_counter()
    for number, at in enumerate(range(0, len(sound), _BLOCK_BYTES), 1):
        await asyncio.sleep(max(0.0, started + number * _BLOCK_SECONDS - time.perf_counter()))
        await send(sound[at : at + _BLOCK_BYTES])
    return started + -(-len(sound) // _BLOCK_BYTES) * _BLOCK_SECONDS


async def with_vosk_server(clips: Sequence[bytes]) -> Spoken:
    """Recognition alone, one stream a conversation: how far it is behind the last block of a question.

    Nothing is sent while the customer would listen to an answer, and only the last text is a final one:
    all in its favour.
    """
    spoken = Spoken()
    async with websockets.connect(_VOSK_ADDRESS) as socket:
        await socket.send(json.dumps({"config": {"sample_rate": _RATE_HZ}}))

        async def send(block: bytes) -> None:
            await socket.send(block)
            behind.append(json.loads(await socket.recv()))

        for number, clip in enumerate(clips, 1):
            behind: list[dict[str, str]] = []
            ended_at = await in_real_time(clip, send)
            if number == len(clips):
                await socket.send('{"eof" : 1}')
                behind.append(json.loads(await socket.recv()))
            spoken.seconds.append(time.perf_counter() - ended_at)
            spoken.texts.append(" ".join(told.get("text") or told.get("partial", "") for told in behind[-2:]))
            await asyncio.sleep(_ANSWER_SECONDS)
    return spoken


def with_ours(address: str) -> Conversation:
    """The whole conversation: heard, answered, and the answer's sound received."""

    async def talk(clips: Sequence[bytes]) -> Spoken:
        spoken = Spoken()
        async with websockets.connect(f"ws{address[4:]}/api/speech", max_size=2**22) as socket:
            await socket.send(json.dumps({"type": "hello", "language": "ko"}))
            await until_told(socket, "ready")
            for clip in clips:
                await socket.send(json.dumps({"type": "listen", "languages": ["ko"], "push": True}))
                ended_at = await in_real_time(clip, socket.send)
                await socket.send(json.dumps({"type": "finish"}))
                heard = await until_told(socket, "ear", ("heard", "nothing", "failed"))
                spoken.seconds.append(time.perf_counter() - ended_at)
                spoken.texts.append(str(heard.get("text", "")))
                await _answered(address, socket, spoken.texts[-1])
            await socket.send(json.dumps({"type": "bye"}))
        return spoken

    return talk


async def _answered(address: str, socket: websockets.ClientConnection, text: str) -> None:
    async with TypingClient(address) as asking:  # the server keeps no idle connection for long
        reply = await asking.ask(text or "?")
    await socket.send(
        json.dumps({"type": "say", "text": str(reply["spoken"])[:500], "language": reply["language"]})
    )
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(until_told(socket, "mouth", ("ended", "failed")), _ANSWER_SECONDS)
        return
    await socket.send(json.dumps({"type": "stop"}))
    await until_told(socket, "mouth", ("ended", "failed"))


async def until_told(
    socket: websockets.ClientConnection, kind: str, events: Sequence[str] = ()
) -> dict[str, Any]:
    async for message in socket:
        if isinstance(message, str):
            told = json.loads(message)
            if told["type"] == kind and (not events or told.get("event") in events):
                return dict(told)
            if told["type"] in ("busy", "error"):
                raise SystemExit(f"the server says: {told}")
    raise SystemExit("the server closed the connection")


async def speak_at_once(talk: Conversation, clips: Sequence[bytes], customers: int) -> list[Spoken]:
    async def one(number: int) -> Spoken:
        await asyncio.sleep(number * 0.37)  # people do not begin at the same moment
        mine = [clips[(number + turn) % len(clips)] for turn in range(_QUESTIONS)]
        return await talk(mine)

    return await asyncio.gather(*(one(number) for number in range(customers)))


def late(spoken: Sequence[Spoken], questions: slice) -> float:
    """The 95th percentile of the waits for the text of some questions of each conversation, in seconds."""
    return statistics.quantiles([wait for one in spoken for wait in one.seconds[questions]], n=20)[-1]


# --- the table -------------------------------------------------------------------------------


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--beside", default="")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument(
        "--customers", default="8,16,20,24,28,32", help="how many speak at once, one after another"
    )
    given = parser.parse_args()
    table = Table("who", "what", "at once", "95 of 100 within", "and", title="Many customers at once")
    show(table, _rows(given))


def _rows(given: argparse.Namespace) -> Iterator[Sequence[str]]:
    with our_server() as (address, pid):
        took = asyncio.run(type_for(address, given.clients, given.seconds))
        slow = statistics.quantiles(took, n=20)[-1]
        yield (
            "ours",
            "typed",
            str(given.clients),
            f"{slow:.0f} ms",
            f"{len(took) / given.seconds:.0f} a second",
        )
        clips = [clip.sound for clip in recorded(given.folder, "ko")]
        if not clips:
            raise NoSets("no Korean clips: give the folder that holds audio.jsonl")
        asyncio.run(speak_at_once(with_ours(address), clips, 1))  # the model is loaded
        yield from _speaking("ours, answering aloud", with_ours(address), clips, given, pid)
    if given.beside:
        with ended(subprocess.Popen(shlex.split(given.beside), text=True)) as server:
            _wait_for_vosk(server)
            yield from _speaking("vosk-server, text only", with_vosk_server, clips, given, server.pid)


def _speaking(
    who: str, talk: Conversation, clips: Sequence[bytes], given: argparse.Namespace, pid: int
) -> Iterator[Sequence[str]]:
    """More and more customers, until their texts come too late."""
    for customers in (int(one) for one in given.customers.split(",")):
        before = _cpu_seconds(pid), time.perf_counter()
        spoken = asyncio.run(speak_at_once(talk, clips, customers))
        cores = (_cpu_seconds(pid) - before[0]) / (time.perf_counter() - before[1])
        wait, first = late(spoken, slice(1, None)), late(spoken, slice(1))
        texts = [text for one in spoken for text in one.texts]
        understood = sum(map(bool, texts)) / len(texts)
        yield (
            who,
            "spoken",
            str(customers),
            f"{wait:.2f} s (first question {first:.2f} s)",
            f"{cores:.2f} cores, {understood:.0%} with a text",
        )
        if wait > _IN_TIME_SECONDS:
            return


def _cpu_seconds(pid: int) -> float:
    """Of a process and of those that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / 100


def _wait_for_vosk(server: subprocess.Popen[str]) -> None:
    async def answers() -> bool:
        with contextlib.suppress(OSError):
            async with websockets.connect(_VOSK_ADDRESS):
                return True
        return False

    for _ in range(120):
        if server.poll() is not None:
            raise SystemExit("the command of --beside ended at once")
        if asyncio.run(answers()):
            return
        time.sleep(0.5)
    raise SystemExit("the command of --beside does not answer on port 2700")


if __name__ == "__main__":
    main()
