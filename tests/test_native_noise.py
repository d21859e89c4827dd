"""What libraries in C write past Python does not reach the screen; what Python writes does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import os, sys
from assistant.channels.native_noise import native_noise_dropped

with native_noise_dropped():
    os.write(2, b"underrun occurred\\n")
    print("a note", file=sys.stderr)
os.write(2, b"afterwards\\n")
print("the end", file=sys.stderr)
"""


def test_only_what_libraries_write_meanwhile_is_dropped() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "a note\nafterwards\nthe end\n"
