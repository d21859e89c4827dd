"""Speed and memory beside rapidfuzz and the bare encoder: python -m tests.bench.speed [--small]

Each base is asked in several processes, one after the other: a machine that others share is at times half
as fast as a minute before. The median of all, and in brackets that of the fastest and the slowest process.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.options import options

REPOSITORY = Path(__file__).parents[2]
ASKED = 100
OURS = "ours"
_PROCESSES = 5
_SMALL, _CROWDED, _LARGE = (1_000, 5), (20, 250), (20_000, 5)  # entries, phrases an entry


def words_of_the_sample_base() -> list[str]:
    texts = [path.read_text(encoding="utf-8") for path in (REPOSITORY / "knowledge" / "en").glob("*.md")]
    return sorted({word for text in texts for word in text.split() if word.isalpha() and len(word) > 1})


def write_base(folder: Path, entries: int, phrases: int) -> list[str]:
    """A base of made-up questions with the words of the sample base; returns questions to ask it, and as
    many more to warm up with."""
    shuffle, words = random.Random(0), words_of_the_sample_base()
    (folder / "en").mkdir(parents=True)
    asked = []
    for page in range(0, entries, 100):
        lines = [f"# Page {page}"]
        for number in range(page, min(page + 100, entries)):
            topic = shuffle.sample(words, 4)
            questions = {
                " ".join(shuffle.sample(topic + shuffle.sample(words, 4), 6)) for _ in range(phrases)
            }
            lines += [
                "",
                f"## entry-{number}",
                "",
                "### Questions",
                *(f"- {text}" for text in sorted(questions)),
            ]
            lines += ["", "### Answer", f"Answer {number}."]
            asked += [
                " ".join(shuffle.sample(topic, 3) + shuffle.sample(words, 3))
                for _ in range(max(1, 2 * ASKED // entries))
            ]
        (folder / "en" / f"page-{page}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return shuffle.sample(asked, 2 * ASKED)


# Runs in a process of its own, on one core, so that memory is this base's alone.
_MEASURE = """
import json, resource, sys, time
from pathlib import Path
from assistant.settings import load_settings
from assistant.values import Conversation, Utterance
from assistant.wiring import build_assistant

def milliseconds(do, texts):
    rows = []
    for text in texts:
        start = time.perf_counter()
        do(text)
        rows.append((time.perf_counter() - start) * 1000)
    return rows

def memory_mb(kind):
    rows = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return int(rows[kind].split()[0]) / 1024

given = json.load(sys.stdin)
questions, before = given[::2], given[1::2]
start = time.perf_counter()
assistant = build_assistant(load_settings(Path(sys.argv[1])))
loading = time.perf_counter() - start
answer = lambda text: assistant.answer(Conversation(), Utterance(text))
milliseconds(answer, before)
ours = milliseconds(answer, questions)
memory = memory_mb("VmRSS"), memory_mb("VmHWM")
heard = lambda text: assistant.answer(Conversation(), Utterance(text, "en", is_heard=True))
milliseconds(heard, before)
asked = {"ours": ours, "ours, heard": milliseconds(heard, questions)}
from rapidfuzz import fuzz, process, utils
from assistant.matching.semantic import open_encoder
encoder = open_encoder()
phrases = [q.text for entry in assistant.knowledge.entries for q in entry.questions]
options = {"scorer": fuzz.WRatio, "processor": utils.default_process}
extract = lambda text: process.extractOne(text, phrases, **options)
asked["rapidfuzz (WRatio)"] = milliseconds(extract, questions)
asked["bare encoder"] = milliseconds(lambda text: encoder.encode([text]), questions)
json.dump({"asked": asked, "loading": loading, "memory": memory}, sys.stdout)
"""


def measure(folder: Path, questions: Sequence[str], cache: Path) -> dict[str, Any]:
    one_core = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "ASSISTANT_CACHE": str(cache)}
    result = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder)],
        input=json.dumps(list(questions)), capture_output=True, text=True, check=True,
        cwd=REPOSITORY, env={**os.environ, **one_core},
    )  # fmt: skip
    return dict(json.loads(result.stdout))


def seconds_of(command: Sequence[str], cache: Path, times: int = 5) -> float:
    """Median wall-clock seconds of a whole process."""
    environment = {**os.environ, "ASSISTANT_CACHE": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # who installs it has it compiled

    def once() -> float:
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, cwd=REPOSITORY, env=environment)
        return time.perf_counter() - start

    once()
    return median(once() for _ in range(times))


def add_base(table: Table, size: tuple[int, int], scratch: Path, goal: str) -> Path:
    entries, phrases = size
    folder, cache = scratch / f"base-{entries}", scratch / "cache"
    questions = write_base(folder, entries, phrases)
    measure(folder, questions[:2], cache)  # fills the cache
    processes = [measure(folder, questions, cache) for _ in range(_PROCESSES)]
    what = f"{entries:,} entries, {entries * phrases:,} phrases"
    for name in processes[0]["asked"]:
        times = [process["asked"][name] for process in processes]
        table.add_row(f"{what}: {name}", _range("ms", times), goal if name == OURS else "")
    now, most = (max(process["memory"][place] for process in processes) for place in (0, 1))
    table.add_row(
        f"{what}: memory, at most while loading",
        f"{now:.0f} MB, {most:.0f} MB",
        "300 MB" if entries < 5000 else "",
    )
    loading = [[process["loading"]] for process in processes]
    table.add_row(f"{what}: loading with a warm cache", _range("s", loading), "")
    return folder


def _range(unit: str, rows: Sequence[Sequence[float]]) -> str:
    """The median of all, and that of the lowest and of the highest row."""
    each = [median(row) for row in rows]
    return f"{median(time for row in rows for time in row):.1f} ({min(each):.1f} to {max(each):.1f}) {unit}"


def main() -> None:
    parser = options(__doc__, needs_folder=False)
    parser.add_argument("--small", action="store_true", help="without the base of 20,000 entries")
    given = parser.parse_args()
    table = Table(
        title="One question on one core, after a hundred others (the fastest to the slowest process), memory,"
        " and starting"
    )
    for name in ("what", "measured", "at most"):
        table.add_column(name, justify="left" if name == "what" else "right")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        folder = add_base(table, _SMALL, scratch, "5 ms")
        add_base(table, _CROWDED, scratch, "5 ms")
        if not given.small:
            add_base(table, _LARGE, scratch, "40 ms")
        assistant = [sys.executable, "-m", "assistant"]
        commands: list[tuple[str, list[str], str]] = [
            ("assistant --help", [*assistant, "--help"], "0.25 s"),
            (
                "assistant ask, cold, 5,000 phrases",
                [*assistant, "ask", "is it open", "--knowledge", str(folder)],
                "1.5 s",
            ),
            ("assistant ask, cold, sample base", [*assistant, "ask", "When are you open?"], ""),
            ("assistant check, 1,000 entries", [*assistant, "check", "--knowledge", str(folder)], "10 s"),
        ]
        for what, command, goal in commands:
            table.add_row(what, f"{seconds_of(command, scratch / 'cache'):.2f} s", goal)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
