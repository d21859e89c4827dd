"""What is said over `/api/speech` beside sound: JSON texts <-> frozen values. See docs/speech-protocol.md."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any

from assistant.channels.web.asking.reading import language, switch, text, texts
from assistant.channels.web.guarding.failures import Refused
from assistant.events import (
    EarEvent,
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    MouthEvent,
    NothingSaid,
    SentenceBegan,
    SpeechBegan,
    StopSaid,
    VoiceEnded,
    VoiceFailed,
    VoiceReplaced,
    VoiceStarted,
)
from assistant.values import Heard

LONGEST_SAID = 4000  # characters; four minutes, and nobody listens for longer
_MOST_LANGUAGES = 8  # to be heard at once; each takes a recognizer
_LONGEST_TAG = 35  # of RFC 5646
_LONGEST_SHOWN = 30  # of what a client wrote, in an error
_SPEEDS = (80, 450)  # words a minute that voices have

Told = dict[str, object]


class NotUnderstood(Exception):
    """A message that means nothing here; nothing else of the connection is lost."""

    def __init__(self, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.hint = hint


class NoMessage(NotUnderstood):
    """Not even a JSON object: whoever sends it speaks another protocol."""


# --- what a client says -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hello:
    """The first message: who is there."""

    language: str = ""  # of the customer; empty: the server's first
    volume: float | None = None  # from 0 to 1; None: as the server is set


@dataclass(frozen=True, slots=True)
class Listen:
    """Hear the next utterance."""

    languages: tuple[str, ...] = ()  # none: the customer's
    push: bool = False  # until `Finish`, however long the pauses


@dataclass(frozen=True, slots=True)
class Finish:
    """What was said so far is all."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Hear nothing until the next message."""


@dataclass(frozen=True, slots=True)
class Say:
    """Say plain words; what was being said is stopped."""

    text: str
    language: str = ""  # empty: the customer's


@dataclass(frozen=True, slots=True)
class Stop:
    """Silence."""


@dataclass(frozen=True, slots=True)
class AttendStop:
    """Listen for nothing but a word that stops what is being said."""

    language: str
    saying: str


@dataclass(frozen=True, slots=True)
class Adjust:
    """How the voice sounds from the next sentence on; None: as it is."""

    volume: float | None = None
    words_a_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Bye:
    """The client leaves."""


Message = Hello | Listen | Finish | Rest | Say | Stop | AttendStop | Adjust | Bye

_KINDS: Mapping[str, type[Message]] = {
    "hello": Hello,
    "listen": Listen,
    "finish": Finish,
    "rest": Rest,
    "say": Say,
    "stop": Stop,
    "attend-stop": AttendStop,
    "adjust": Adjust,
    "bye": Bye,
}


def _number(least: float, most: float) -> Callable[[str, object], float]:
    def read(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise Refused(400, f"`{name}` must be a number from {least:g} to {most:g}")
        return value

    return read


def _languages(name: str, value: object) -> tuple[str, ...]:
    return tuple(language(name, tag) for tag in texts(_MOST_LANGUAGES, _LONGEST_TAG)(name, value))


# A field of one name means the same in every message.
_READERS: Mapping[str, Callable[[str, object], Any]] = {
    "language": language,
    "languages": _languages,
    "push": switch,
    "text": text(1, LONGEST_SAID),
    "saying": text(0, LONGEST_SAID),
    "volume": _number(0, 1),
    "words_a_minute": lambda name, value: round(_number(*_SPEEDS)(name, value)),
}


def decode(message: str) -> Message:
    """The value that a text stands for; raises NotUnderstood, or NoMessage for what is no JSON object."""
    written = _object(message)
    kind = written.pop("type", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise NotUnderstood("the message has no type that is known here", _nearest(kind, _KINDS))
    wanted = {field.name: field.default is MISSING for field in fields(_KINDS[kind])}
    if strange := next((name for name in written if name not in wanted), None):
        raise NotUnderstood(f"`{kind}` has a field that it does not know", _nearest(strange, wanted))
    if lacking := next((name for name, needed in wanted.items() if needed and name not in written), None):
        raise NotUnderstood(f"`{kind}` lacks `{lacking}`")
    try:
        return _KINDS[kind](**{name: _READERS[name](name, value) for name, value in written.items()})
    except Refused as error:
        raise NotUnderstood(f"{kind}: {error.fact}", error.hint) from None


def _object(message: str) -> dict[str, object]:
    try:
        written = json.loads(message, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NoMessage("the message is not JSON", 'write it like {"type": "stop"}') from None
    if not isinstance(written, dict):
        raise NoMessage("the message is not a JSON object", 'write it like {"type": "stop"}')
    return written


def _no_constant(_: str) -> object:
    raise ValueError  # NaN and Infinity are no JSON


def _nearest(written: object, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(written[:_LONGEST_SHOWN], known, 1) if isinstance(written, str) else []
    if near:
        return f"did you mean `{near[0]}`?"
    return f"known: {', '.join(known)}" if known else "it has none"


# --- what the server tells --------------------------------------------------------------------


def ear_message(number: int, event: EarEvent) -> Told:
    """What an ear told, for the client."""
    return {"type": "ear", "number": number, **_of_ear(event)}


def _of_ear(event: EarEvent) -> Told:
    match event:
        case SpeechBegan():
            return {"event": "speech-began"}
        case Heard(heard, tag, also_heard, True):
            return {"event": "heard", "text": heard, "language": tag, "also_heard": list(also_heard)}
        case Heard(heard, tag):
            return {"event": "hearing", "text": heard, "language": tag}
        case HeardOut(Heard(heard, tag)):
            return {"event": "heard-out", "text": heard, "language": tag}
        case NothingSaid():
            return {"event": "nothing"}
        case StopSaid(words):
            return {"event": "stop", "text": words}
        case HearingFailed(fact, hint):
            return {"event": "failed", "fact": fact, "hint": hint}
        case MicrophoneLost(fact, hint):
            return {"event": "lost", "fact": fact, "hint": hint}
        case MicrophoneBack():
            return {"event": "back"}


def mouth_message(number: int, event: MouthEvent) -> Told:
    """What a mouth told, for the client."""
    match event:
        case SentenceBegan(sentence):
            return {"type": "sentence", "number": number, "text": sentence}
        case VoiceStarted():
            what: Told = {"event": "started"}
        case VoiceEnded(stopped):
            what = {"event": "ended", "stopped": stopped}
        case VoiceReplaced(failed, by, fact):
            what = {"event": "replaced", "failed": failed, "by": by, "fact": fact}
        case VoiceFailed(fact, hint):
            what = {"event": "failed", "fact": fact, "hint": hint}
    return {"type": "mouth", "number": number, **what}
