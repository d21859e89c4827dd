"""A child that stays: asked again and again, it answers in lines of JSON.

What it works on runs beside our own interpreter, on a core of its own. It is asked in frames: a
letter that says what for, the number of the job, and bytes.
"""

from __future__ import annotations

import json
import queue
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

from assistant.errors import DeviceError
from assistant.speech.child_program import start_child

_HEAD = struct.Struct("<cII")  # what for, the number of the job, the length of the bytes
_ENDING_SECONDS = 5.0  # of a process that was killed

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """Something to do, as a child is asked for it."""

    kind: bytes  # one letter
    job: int
    content: bytes = b""

    def encode(self) -> bytes:
        return _HEAD.pack(self.kind, self.job, len(self.content)) + self.content


class LastingChild:
    """A running `python -m module`; it ends with us, or when nobody holds this object any more.

    `name` is what it is called in messages. One thread at a time asks and waits; `end` may be called by any.
    Raises OSError where no process can be started.
    """

    def __init__(self, module: str, name: str) -> None:
        self.name = name
        self._process = start_child(module)
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answer | None] = queue.SimpleQueue()
        # A pipe holds two seconds of sound: whoever asks must not wait for what is still worked on.
        _in_background(_send, self._process.stdin, self._requests)
        _in_background(_receive, self._process.stdout, self._answers)
        self._finalizer = weakref.finalize(self, _end, self._process, self._requests)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, frame: Frame) -> None:
        """Never waits, and never fails: whether it still lives is seen by who waits for an answer."""
        self._requests.put(frame.encode())

    def answers_so_far(self) -> Iterator[Answer]:
        """What it has answered by now; raises DeviceError where it has ended."""
        with suppress(queue.Empty):
            while True:
                yield self._known(self._answers.get_nowait())

    def wait(self, seconds: float) -> Answer:
        """Its next answer; raises DeviceError where it has ended, or does not answer in time and is ended."""
        try:
            return self._known(self._answers.get(timeout=seconds))
        except queue.Empty:
            self.end()
            raise DeviceError(
                f"{self.name} has not answered for {seconds:.0f} seconds",
                "close other programs; then try again",
            ) from None

    def end(self) -> None:
        """End it and leave nothing of it behind; it is in order to end it again."""
        self._finalizer()

    def _known(self, answer: Answer | None) -> Answer:
        if answer is None:
            self._answers.put(None)  # for whoever waits next
            raise DeviceError(
                f"{self.name} has ended unexpectedly", "try again; if it stays so: assistant doctor"
            )
        return answer


def _in_background(work: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True).start()


def _send(child: IO[bytes], requests: queue.SimpleQueue[bytes | None]) -> None:
    with suppress(OSError), child:  # a child that has ended reads nothing
        while (request := requests.get()) is not None:
            child.write(request)
            child.flush()


def _receive(child: IO[bytes], answers: queue.SimpleQueue[Answer | None]) -> None:
    with suppress(OSError, ValueError), child:  # cut off in the middle of a line, it is no JSON
        for line in child:
            answers.put(json.loads(line))
    answers.put(None)


def _end(process: subprocess.Popen[bytes], requests: queue.SimpleQueue[bytes | None]) -> None:
    process.kill()
    requests.put(None)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING_SECONDS)
    if process.stderr is not None:
        process.stderr.close()


# --- the other side -----------------------------------------------------------------------------


class Requests:
    """What the child is asked, read by a thread so that it knows of the next while it works on one."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._frames: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()
        self._stream = stream
        _in_background(self._read)

    def __iter__(self) -> Iterator[Frame]:
        """Until the other side has closed the pipe, or is no more."""
        while (frame := self._frames.get()) is not None:
            yield frame

    @property
    def is_more_wanted(self) -> bool:
        """Something else was asked for already, or nobody is there any more."""
        return not self._frames.empty()

    def _read(self) -> None:
        while len(head := self._stream.read(_HEAD.size)) == _HEAD.size:
            kind, job, length = _HEAD.unpack(head)
            self._frames.put(Frame(kind, job, self._stream.read(length)))
        self._frames.put(None)


def answer(words: Answer) -> None:
    """One line of the child; ASCII, whatever its machine writes in."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()
