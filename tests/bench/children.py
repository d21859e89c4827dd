"""What the processes of a recognizer work, for the benchmarks: their time is not in our own."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from assistant.ports import Recognizer
from assistant.speech.hearing.pocketsphinx_child import END, FOLLOW
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.lasting_child import Answer, Frame, LastingChild

_LOOK_SECONDS = 0.001


class Watched:
    """One process, whose answers tell how long the library has worked for them."""

    def __init__(self, child: LastingChild, only_reads: bool) -> None:
        self._child = child
        self._only_reads = only_reads
        self._known, self._ask = child._known, child.ask
        self._asked: Counter[bytes] = Counter()
        self._answered = 0
        self.worked_seconds = 0.0  # for all that was answered
        child._known = self._note  # type: ignore[method-assign]
        child.ask = self._count  # type: ignore[method-assign]

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def cpu_seconds(self) -> float:
        """All of its CPU time, by the clock that Linux keeps of each process."""
        return time.clock_gettime((~self._child.pid << 3) | 2)

    def keep_pace(self) -> None:
        """Wait until it has done all that it was asked, wanted or not."""
        answers_an_end = 2 if self._only_reads else 1
        expected = self._asked[FOLLOW] + self._asked[END] * answers_an_end
        while self._child.is_alive and self._answered + self._child._answers.qsize() < expected:
            time.sleep(_LOOK_SECONDS)
        if self._only_reads:
            list(self._child.answers_so_far())  # what came too late to be wanted was work as well

    def _note(self, answer: Answer | None) -> Answer:
        known = self._known(answer)
        self.worked_seconds = known["worked_seconds"]
        self._answered += 1
        return known

    def _count(self, frame: Frame) -> None:
        self._asked[frame.kind] += 1
        self._ask(frame)


class Family:
    """The processes of a recognizer; it has none where it works in ours."""

    def __init__(self, children: Sequence[Watched] = ()) -> None:
        self._children = children

    def worked(self) -> list[float]:
        """The seconds that the library has worked in each."""
        return [child.worked_seconds for child in self._children]

    def slowest_since(self, before: Sequence[float]) -> float:
        """How long they have worked for what was answered, each on a core of its own."""
        return max((now - then for now, then in zip(self.worked(), before, strict=True)), default=0.0)

    def cpu_seconds(self) -> float:
        return sum(child.cpu_seconds for child in self._children)

    def resident(self) -> float:
        """Megabytes that they take, those that they share counted for each."""
        return sum(resident(child.pid) for child in self._children)

    def keep_pace(self) -> None:
        for child in self._children:
            child.keep_pace()


def family_of(recognizer: Recognizer) -> Family:
    """From now on its processes are watched."""
    if not isinstance(recognizer, PocketSphinxRecognizer):
        return Family()
    children = enumerate(recognizer._processes.children)
    return Family([Watched(child, only_reads=number > 0) for number, child in children])


def resident(pid: int | None = None) -> float:
    """Megabytes that a process takes, or this one."""
    pages = int(Path("/proc", str(pid or os.getpid()), "statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20
