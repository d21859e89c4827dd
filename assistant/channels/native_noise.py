"""What libraries in C write past Python, kept off the screen."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import UnsupportedOperation


@contextmanager
def native_noise_dropped() -> Iterator[None]:
    """Drop what goes to the error stream behind Python's back; `sys.stderr` stays what it is.

    ALSA tells of every late block there, which would tear a full-screen view.
    """
    python_errors = sys.stderr
    try:
        known = os.dup(python_errors.fileno())
    except (AttributeError, OSError, UnsupportedOperation):  # no stream, or none of the system's
        yield
        return
    number = python_errors.fileno()
    python_errors.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with os.fdopen(known, "w", encoding="utf-8", errors="replace", buffering=1) as kept:
        os.dup2(nowhere, number)
        os.close(nowhere)
        sys.stderr = kept
        try:
            yield
        finally:
            sys.stderr = python_errors
            os.dup2(kept.fileno(), number)
