"""An hour of customers in some minutes, the rude ones among them: python -m tests.bench.soak FOLDER [VISITS]

Starts the real server and lets customers come one after the other, a few at a time, as fast as it serves
them: who type and check that nothing of their conversation is lost, who speak, who vanish in the middle
of a sentence, who send rubbish, and who never read what they are sent. At the end nobody is left: memory,
threads and open files must be what they were when it was warm. A recognizer is warm when it has heard some
minutes: Vosk's fill a memory of what follows what (some 190 MB), and then keep it. FOLDER holds the clips.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import websockets
from rich.table import Table

from tests.bench.load import TypingClient, our_server, questions_of_base, until_told
from tests.bench.options import options
from tests.bench.sets import NoSets
from tests.bench.showing import show
from tests.bench.speech import recorded

_VISITS = 3600  # one a second is a busy hour
_AT_ONCE = 6
_SPOKEN_TO_WARM = 1600  # visits: of eight recognizers each has heard eight minutes then
_LOOKS = 30  # at memory, threads and files, over the whole time


@dataclass(slots=True)
class Hour:
    """What happened, and what the server took meanwhile."""

    visits: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    takes: list[tuple[float, int, int]] = field(default_factory=list)  # megabytes, threads, open files


Visit = Callable[[str, random.Random, Hour], Awaitable[None]]


async def types(address: str, chosen: random.Random, hour: Hour) -> None:
    """Asks three questions; the transcript must hold them all."""
    asked = chosen.sample(questions_of_base(), 3)
    async with TypingClient(address) as client:
        for text in asked:
            await client.ask(text)
        told = await client.transcript()
    if (kept := [turn["question"] for turn in told["turns"]]) != asked:
        hour.lost.append(f"asked {asked}, kept {kept}")


def speaks(clips: Sequence[bytes]) -> Visit:
    """Says something as fast as the line takes it, and waits for the text."""

    async def visit(address: str, chosen: random.Random, hour: Hour) -> None:
        async with websockets.connect(f"ws{address[4:]}/api/speech") as socket:
            if not await _seated(socket, hour):
                return
            await socket.send(json.dumps({"type": "listen", "languages": ["ko"], "push": True}))
            await socket.send(chosen.choice(clips)[:96_000])
            await socket.send(json.dumps({"type": "finish"}))
            told = await until_told(socket, "ear", ("heard", "nothing", "failed"))
            if told["event"] == "failed":
                hour.lost.append(str(told))

    return visit


def vanishes(clips: Sequence[bytes]) -> Visit:
    """Goes away in the middle of a sentence, without a word."""

    async def visit(address: str, chosen: random.Random, hour: Hour) -> None:
        socket = await websockets.connect(f"ws{address[4:]}/api/speech")
        if await _seated(socket, hour):
            await socket.send(json.dumps({"type": "listen", "languages": ["ko"]}))
            await socket.send(chosen.choice(clips)[: chosen.randrange(2000, 60_000, 2)])
        socket.transport.abort()

    return visit


async def sends_rubbish(address: str, chosen: random.Random, _hour: Hour) -> None:
    """Bytes that mean nothing, to both kinds of line."""
    host, port = address[7:].split(":")
    _reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(chosen.randbytes(2000) + b"\r\n\r\n")
    writer.close()
    async with websockets.connect(f"ws{address[4:]}/api/speech") as socket:
        for _ in range(5):
            await socket.send(chosen.choice((chosen.randbytes(501), '{"type": 7}', "[", '{"type":"say"}')))


async def never_reads(address: str, _chosen: random.Random, hour: Hour) -> None:
    """Has something long read aloud and takes nothing of it."""
    socket = await websockets.connect(f"ws{address[4:]}/api/speech", max_queue=1)
    if await _seated(socket, hour):
        await socket.send(json.dumps({"type": "say", "text": "We are open. " * 100, "language": "en"}))
        socket.transport.pause_reading()
        await asyncio.sleep(2)
    socket.transport.abort()


async def _seated(socket: websockets.ClientConnection, hour: Hour) -> bool:
    """Whether there was a place; being told that there is none is an answer, too."""
    await socket.send(json.dumps({"type": "hello", "language": "ko"}))
    told = json.loads(await socket.recv())
    hour.visits["told to wait"] += told["type"] == "busy"
    return bool(told["type"] == "ready")


async def pass_an_hour(address: str, pid: int, visits: int, kinds: Sequence[Visit]) -> Hour:
    hour, chosen = Hour(), random.Random(1)
    waiting = iter(range(visits))

    async def serve_some() -> None:
        for number in waiting:
            visit = kinds[number % len(kinds)]
            try:
                await asyncio.wait_for(visit(address, chosen, hour), 60)
            except (websockets.WebSocketException, OSError):
                hour.visits["turned away"] += 1
            except TimeoutError:
                hour.lost.append(f"{visit.__qualname__} was left waiting")
            hour.visits[visit.__qualname__.partition(".")[0].replace("_", " ")] += 1
            if number % max(1, visits // _LOOKS) == 0:
                hour.takes.append(taken(pid))

    await asyncio.gather(*(serve_some() for _ in range(_AT_ONCE)))
    return hour


def taken(pid: int) -> tuple[float, int, int]:
    """What a process takes: megabytes, threads, open files."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    values = dict(line.split(":", 1) for line in told.splitlines())
    return (
        int(values["VmRSS"].split()[0]) / 1024,
        int(values["Threads"]),
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
    )


def _rows(folder: Path, visits: int) -> Iterator[Sequence[str]]:
    clips = [clip.sound for clip in recorded(folder, "ko")]
    if not clips:
        raise NoSets("no Korean clips: give the folder that holds audio.jsonl")
    kinds = (types, types, speaks(clips), vanishes(clips), sends_rubbish, never_reads)
    with our_server(most_speaking=8) as (address, pid):
        asyncio.run(pass_an_hour(address, pid, visits // 10, kinds))
        asyncio.run(pass_an_hour(address, pid, _SPOKEN_TO_WARM, [speaks(clips)]))
        hour = asyncio.run(pass_an_hour(address, pid, visits, kinds))
        time.sleep(10)  # who vanished is noticed within seconds
        last = taken(pid)
        with urlopen(f"{address}/api/health") as answer:
            seats = json.load(answer)["seats"]
    for kind, count in hour.visits.items():
        yield "visits: " + kind, str(count), ""
    third = len(hour.takes) // 3
    for number, name in enumerate(("megabytes", "threads", "open files")):
        early, late = (
            statistics.median(take[number] for take in some)
            for some in (hour.takes[:third], hour.takes[-third:])
        )
        yield name, f"{early:.0f} early, {late:.0f} late", f"{last[number]:.0f} when all had gone"
    yield "seats taken in the end", str(seats["taken"]), ""
    yield "lost", str(len(hour.lost)), "; ".join(hour.lost[:3])


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("visits", nargs="?", type=int, default=_VISITS)
    given = parser.parse_args()
    table = Table("what", "how much", "and", title=f"An hour of customers: {given.visits} visits")
    show(table, _rows(given.folder, given.visits))


if __name__ == "__main__":
    main()
