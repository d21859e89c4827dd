"""Programs of our own in a process of their own, so that a library may die without taking us along."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended."""

    exit_code: int | None  # negative: by a signal; None: we ended it, it took too long
    complaint: str  # the last line that it wrote to standard error


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
            _, complaint = child.communicate(said, timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            return Ending(None, f"it took longer than {seconds:.0f} seconds")
        except BaseException:
            child.kill()
            raise
    lines = complaint.decode("utf-8", "replace").split("\n")
    return Ending(
        child.returncode, next((line.strip()[:200] for line in reversed(lines) if line.strip()), "")
    )


def _environment() -> dict[str, str]:
    """Ours, and a way to this package even where it was started from a folder and not installed."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
