"""Programs of our own in a process of their own, so that a library may die without taking us along."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended."""

    exit_code: int | None  # negative: by a signal; None: we ended it, it took too long
    complaint: str  # the last line that it wrote to standard error
    answer: bytes = b""  # all that it wrote to standard output


def start_child(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start `python -m module` with pipes; nothing that it says reaches the user's screen.

    It does not hear Ctrl-C: whoever started it ends it. Raises OSError where no process can be
    started.
    """
    if not sys.executable:
        raise OSError("no Python to start it with")
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def finish(child: subprocess.Popen[bytes], said: bytes, seconds: float) -> Ending:
    """Hand the child its input and wait until it ends; what takes longer is ended.

    Whatever interrupts the waiting ends the child too.
    """
    with child:
        try:
            answer, complaint = child.communicate(said, timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            return Ending(None, f"it took longer than {seconds:.0f} seconds")
        except BaseException:
            child.kill()
            raise
    lines = complaint.decode("utf-8", "replace").split("\n")
    last = next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    return Ending(child.returncode, last, answer)


class SpareChild:
    """One child started ahead of need: it loads what it needs and then waits for its input.

    So nobody waits for an interpreter to start. Should we end without a word, it reads the end of
    its input and ends too.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._waiting: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def restock(self) -> None:
        """See to it that one is waiting; one that died is replaced. Raises OSError like `start_child`."""
        with self._lock:
            if not self._closed and (self._waiting is None or self._waiting.poll() is not None):
                _end(self._waiting)
                self._waiting = start_child(self._module)

    def take(self) -> subprocess.Popen[bytes]:
        """The waiting child, or a new one; from now on the caller's. Raises OSError like `start_child`."""
        with self._lock:
            child, self._waiting = self._waiting, None
        if child is not None and child.poll() is None:
            return child
        _end(child)
        return start_child(self._module)

    def close(self) -> None:
        """End the waiting child; no other will be started ahead."""
        with self._lock:
            child, self._waiting = self._waiting, None
            self._closed = True
        _end(child)


def _end(child: subprocess.Popen[bytes] | None) -> None:
    """End it and leave neither a zombie nor an open pipe behind."""
    if child is not None:
        child.kill()
        child.communicate()


def _environment() -> dict[str, str]:
    """Ours, and a way to this package even where it was started from a folder and not installed."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
