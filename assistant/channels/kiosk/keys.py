"""Keys and touches of a terminal, one by one and unseen; the terminal is put back whatever happens."""

from __future__ import annotations

import atexit
import codecs
import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping

_LOOK_SECONDS = 0.1  # so soon the thread notices that it is to end
_TOUCH_ON, _TOUCH_OFF = "\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l"
_NAMED: Mapping[str, str] = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\x1b": "escape",
    " ": "space",
    "A": "up",
    "B": "down",
    "5~": "page-up",
    "6~": "page-down",
    **{letter: f"f{number}" for number, letter in enumerate("PQRS", 1)},
    **{f"{code}~": f"f{number}" for number, code in enumerate((11, 12, 13, 14, 15, 17, 18, 19, 20), 1)},
    **{f"[{letter}": f"f{number}" for number, letter in enumerate("ABCDE", 1)},
}
# A touch, another sequence of a terminal, an escape alone, or a letter.
_PIECE = re.compile(
    r"\x1b\[<(?P<button>\d+);\d+;\d+(?P<edge>[Mm])|\x1b(?:\[|O)(?P<sequence>\[?[0-9;]*[A-Za-z~])|(?P<letter>.)",
    re.DOTALL,
)

Tell = Callable[[str], None]  # the name of a key


def key_names(typed: str) -> Iterator[str]:
    """The keys that a terminal tells in these letters; what is no key of the kiosk is left out."""
    for piece in _PIECE.finditer(typed):
        if piece["edge"]:
            if piece["edge"] == "M" and piece["button"] == "0":
                yield "touch"
        elif piece["sequence"]:
            if name := _NAMED.get(piece["sequence"]):
                yield name
        elif name := _NAMED.get(piece["letter"], piece["letter"] if piece["letter"].isprintable() else ""):
            yield name


class Keys:
    """Tells every key from a thread of its own, until it is closed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._closing = threading.Event()
        self._restore = _take_terminal(sys.stdin.fileno(), sys.stdout)
        atexit.register(self._restore)
        self._thread = threading.Thread(target=self._read, name="kiosk keys", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for typed in _typed(sys.stdin.fileno(), self._closing):
            for name in key_names(typed):
                self._tell(name)

    def close(self) -> None:
        """Put the terminal back; may be called twice."""
        self._closing.set()
        self._thread.join(10 * _LOOK_SECONDS)
        self._restore()
        atexit.unregister(self._restore)


class TypedLines:
    """Tells every line of an input that is no terminal, from a thread of its own, until it is closed."""

    def __init__(self, tell: Tell, descriptor: int) -> None:
        self._tell = tell
        self._descriptor = descriptor
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._read, name="kiosk lines", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        begun = ""
        for typed in _piped(self._descriptor, self._closing):
            *lines, begun = (begun + typed).split("\n")
            for line in lines:
                self._tell(line)
        if begun:
            self._tell(begun)

    def close(self) -> None:
        self._closing.set()
        self._thread.join(10 * _LOOK_SECONDS)


if sys.platform == "win32":
    import msvcrt

    _WINDOWS: Mapping[str, str] = {"H": "\x1b[A", "P": "\x1b[B", "I": "\x1b[5~", "Q": "\x1b[6~"} | {
        chr(59 + number): f"\x1bO{letter}" for number, letter in enumerate("PQRS")
    }

    def _take_terminal(_descriptor: int, _stream: object) -> Callable[[], None]:
        return lambda: None  # msvcrt shows nothing of what it reads

    def _typed(_descriptor: int, closing: threading.Event) -> Iterator[str]:
        while not closing.is_set():
            if not msvcrt.kbhit():
                closing.wait(_LOOK_SECONDS)
                continue
            letter = msvcrt.getwch()
            yield _WINDOWS.get(msvcrt.getwch(), "") if letter in "\x00\xe0" else letter

    def _piped(descriptor: int, closing: threading.Event) -> Iterator[str]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while not closing.is_set() and (read := os.read(descriptor, 1024)):
            yield decoder.decode(read)

else:
    import select
    import termios
    from typing import TextIO

    def _take_terminal(descriptor: int, stream: TextIO) -> Callable[[], None]:
        """Letters at once and unseen, touches told; Ctrl-C still ends the program, nothing else halts it."""
        before = termios.tcgetattr(descriptor)
        wanted = termios.tcgetattr(descriptor)
        wanted[3] &= ~(termios.ICANON | termios.ECHO)
        for sign in (termios.VSUSP, termios.VQUIT):  # a customer must not be able to halt a kiosk
            wanted[6][sign] = b"\x00"
        termios.tcsetattr(descriptor, termios.TCSADRAIN, wanted)
        _write(stream, _TOUCH_ON)

        def restore() -> None:
            _write(stream, _TOUCH_OFF)
            with contextlib.suppress(termios.error):  # the terminal may be gone
                termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)

        return restore

    def _write(stream: TextIO, codes: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            if stream.isatty():
                stream.write(codes)
                stream.flush()

    def _typed(descriptor: int, closing: threading.Event) -> Iterator[str]:
        """What was typed, in pieces; a key that is told as several letters comes in one piece."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while not closing.is_set():
            ready, _, _ = select.select([descriptor], [], [], _LOOK_SECONDS)
            if not ready:
                continue
            try:
                read = os.read(descriptor, 1024)
            except OSError:
                return  # the terminal is gone
            if not read:
                return
            yield decoder.decode(read)

    _piped = _typed
