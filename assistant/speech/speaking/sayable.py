"""What a voice can be given to say: stretches of text that it survives, at a speed that it has."""

from __future__ import annotations

import re
import textwrap

from assistant.errors import DeviceError

SPEEDS = range(80, 451)  # words a minute
USUAL_WORDS_A_MINUTE = 165
# The library under pyttsx3, which Piper carries too, crashed on 15,000 characters; at 500 it never did.
_LONGEST_PIECE = 500
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")


def check_speed(words_a_minute: int) -> int:
    """The speed itself; raises DeviceError for one that no voice has."""
    if words_a_minute not in SPEEDS:
        raise DeviceError(f"a voice cannot speak {words_a_minute} words a minute", "80 to 450 can be said")
    return words_a_minute


def pieces(text: str) -> tuple[str, ...]:
    """The text in stretches of at most 500 characters, cut where a speaker would breathe.

    What no voice can say (control characters, halves of surrogate pairs) is left out.
    """
    sayable = "".join(c if c.isprintable() or c.isspace() else " " for c in text)
    found: list[str] = []
    for sentence in _SENTENCE_END.split(sayable):
        for part in textwrap.wrap(sentence, _LONGEST_PIECE):
            if found and len(found[-1]) + 1 + len(part) <= _LONGEST_PIECE:
                found[-1] += " " + part
            else:
                found.append(part)
    return tuple(part for part in found if any(c.isalnum() or not c.isascii() for c in part))
