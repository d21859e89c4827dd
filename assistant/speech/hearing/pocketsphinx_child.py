"""The program that decodes for a recognizer, beside the interpreter that asks it.

Its first frame says as JSON what to listen for: `phrases`, or null for any English, and the folder of the
`model`. "ready" is answered, or "failed". Every other frame belongs to a job, one stretch of sound:

- KEEP: more of its sound. FOLLOW: the same, and "so far" is answered, with what was heard up to now
  where that has changed.
- END: that was all. For phrases "words" is answered; for any English first how well a mere row of
  "phones" explains the sound, unless it was followed, and then "words".
- FORGET: nothing more of it is wanted.

Whatever comes while a child works on any English means that it need not go on. Answers carry the number
of their job and the seconds that the library has worked since the start.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.speech.hearing.pocketsphinx_decoders import (
    Follower,
    decode,
    decode_while,
    english_decoder,
    listed,
    phones_decoder,
    phrases_decoder,
)
from assistant.speech.lasting_child import Frame, Requests, answer

LISTEN_FOR, KEEP, FOLLOW, END, FORGET = b"l", b"k", b"f", b"e", b"x"


@dataclass(frozen=True, slots=True)
class Decoders:
    """What a child decodes with."""

    follower: Follower
    words: Any
    phones: Any | None = None


class Work:
    """Does one job after the other."""

    def __init__(self, requests: Requests, decoders: Decoders) -> None:
        self._requests = requests
        self._decoders = decoders
        self._worked_seconds = 0.0
        self._begin(0)

    def do(self, frame: Frame) -> None:
        if frame.job != self._job or frame.kind == FORGET:
            self._begin(frame.job)
        self._sound += frame.content
        if frame.kind == FOLLOW:
            self._follow(frame.content)
        elif frame.kind == END:
            self._read(bytes(self._sound))

    def _begin(self, job: int) -> None:
        self._decoders.follower.end()
        self._job, self._sound, self._is_followed = job, bytearray(), False

    def _follow(self, sound: bytes) -> None:
        began = time.thread_time()
        self._is_followed = True
        self._tell("so far", self._decoders.follower.hear(sound), 0.0, began)

    def _read(self, sound: bytes) -> None:
        began = time.thread_time()
        self._decoders.follower.end()
        if self._decoders.phones is None or self._is_followed:
            self._tell("words", *decode(self._decoders.words, sound), began)
            return
        self._tell("phones", *decode(self._decoders.phones, sound), began)
        began = time.thread_time()
        mean = self._decoders.phones.get_cmn(False)
        self._tell("words", *decode_while(self._decoders.words, sound, mean, self._is_wanted), began)

    def _is_wanted(self) -> bool:
        return not self._requests.is_more_wanted

    def _tell(self, what: str, text: str, score: float, began: float) -> None:
        self._worked_seconds += time.thread_time() - began
        worked = round(self._worked_seconds, 6)
        answer({"job": self._job, "what": what, "text": text, "score": score, "worked_seconds": worked})


def opened(phrases: Sequence[str] | None, model: str) -> tuple[Decoders | None, tuple[str, ...]]:
    """None where none of the phrases can be listened for; and the words that cannot be."""
    folder = Path(model)
    if phrases is None:
        english = english_decoder(folder)
        return Decoders(Follower(english), english, phones_decoder(folder)), ()
    known = listed(phrases, folder)
    if not known:
        return None, known.left_out
    follower = Follower(phrases_decoder(folder, known, final=False))
    return Decoders(follower, phrases_decoder(folder, known)), known.left_out


def main() -> None:
    requests = Requests(sys.stdin.buffer)
    frames = iter(requests)
    if (first := next(frames, None)) is None:  # whoever started us ended
        return
    work = None
    try:
        decoders, left_out = opened(**json.loads(first.content))
    except Exception as error:  # the library raises whatever it likes; who asked is told
        answer({"what": "failed", "text": str(error) or type(error).__name__})
    else:
        work = Work(requests, decoders) if decoders else None
        answer({"what": "ready", "listens": work is not None, "left_out": left_out})
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nobody reads it: full, it would stop us
    for frame in frames:
        if work is not None:
            work.do(frame)


if __name__ == "__main__":
    main()
