"""A kiosk without a screen: one line for each thing that happens, for people or as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from assistant.channels.kiosk.values import (
    Answered,
    AnswerFailed,
    EarTold,
    Happening,
    Kiosk,
    MouthTold,
    PagesReloaded,
)
from assistant.channels.plain_text import plain_text
from assistant.channels.screen import safe
from assistant.events import (
    HeardOut,
    HearingFailed,
    MicrophoneBack,
    MicrophoneLost,
    NothingSaid,
    SpeechBegan,
    StopSaid,
    VoiceEnded,
    VoiceFailed,
    VoiceReplaced,
    VoiceStarted,
)
from assistant.values import Heard

Told = dict[str, Any]  # `event` is the word for what happened


def what_happened(happening: Happening) -> Iterator[Told]:
    """What a happening tells; nothing for what only a machine would want to know."""
    match happening:
        case EarTold(event=event) | MouthTold(event=event):
            if told := _told(event):
                yield told
        case Answered():
            yield _answer(happening)
        case AnswerFailed(fact=fact):
            yield {"event": "note", "text": fact, "hint": ""}
        case PagesReloaded(is_taken_up):
            fact = "the pages have changed" if is_taken_up else "the changed pages cannot be used yet"
            yield {"event": "note", "text": fact, "hint": "" if is_taken_up else "assistant check"}


def state_of(kiosk: Kiosk) -> str:
    """The word for what the kiosk is about."""
    return "asking-to-go-on" if kiosk.asks_to_go_on else str(kiosk.state)


class OnLines:
    """Tells all of it on a stream, each line at once."""

    def __init__(self, stream: TextIO, is_json: bool, clock: Callable[[], float]) -> None:
        self._stream = stream
        self._is_json = is_json
        self._clock = clock
        self._started = clock()
        self._state = ""

    def happened(self, happening: Happening) -> None:
        for told in what_happened(happening):
            self._write(told)

    def says(self, text: str, language: str) -> None:
        self._write({"event": "saying", "text": text, "language": language})

    def show(self, kiosk: Kiosk) -> None:
        """Tell what it is about now, where that has changed."""
        if (state := state_of(kiosk)) != self._state:
            self._state = state
            self._write({"event": "state", "state": state})

    def _write(self, told: Told) -> None:
        line = as_json(told, self._clock() - self._started) if self._is_json else as_line(told)
        self._stream.write(safe(line) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to be told."""


def as_line(told: Told) -> str:
    """For people: `heard: where can I park`."""
    told = dict(told)
    event = told.pop("event")
    choices = "".join(f" [{number}] {label}" for number, label in enumerate(told.get("choices", ()), 1))
    first = str(next(iter(told.values()), ""))
    if event == "answer":
        first = plain_text(first)
    hint = f" ({told['hint']})" if told.get("hint") else ""
    return f"{event}: {' '.join(first.split())}{choices}{hint}"


def as_json(told: Told, seconds: float) -> str:
    """For machines; `seconds` since the kiosk was switched on."""
    return json.dumps({"seconds": round(seconds, 3), **told}, ensure_ascii=False)


def _answer(answered: Answered) -> Told:
    reply = answered.reply
    return {
        "event": "answer",
        "text": reply.text,
        "entry": reply.entry,
        "understood": answered.is_understood,
        "language": reply.language,
        "spoken": reply.spoken,
        "choices": [choice.label for choice in reply.choices],
    }


def _told(event: object) -> Told | None:
    match event:
        case Heard():
            word = "heard" if event.final else "hearing"
            also = {"also_heard": list(event.also_heard)} if event.final else {}
            return {"event": word, "text": event.text, "language": event.language, **also}
        case HeardOut(heard):
            return {"event": "heard-out", "text": heard.text, "language": heard.language}
        case StopSaid(words):
            return {"event": "stop", "text": words}
        case MicrophoneLost(fact, hint) | HearingFailed(fact, hint) | VoiceFailed(fact, hint):
            return {"event": "note", "text": fact, "hint": hint}
        case VoiceReplaced(failed, by, fact):
            return {"event": "note", "text": f"{fact}: {by} speaks instead of {failed}", "hint": ""}
        case VoiceEnded(stopped):
            return {"event": "voice", "voice": "stopped" if stopped else "ended"}
        case SpeechBegan() | NothingSaid() | MicrophoneBack() | VoiceStarted():
            kind, word = _SIMPLE[type(event)]
            return {"event": kind, kind if kind != "note" else "text": word}
    return None


_SIMPLE: dict[type, tuple[str, str]] = {
    SpeechBegan: ("ear", "speech"),
    NothingSaid: ("ear", "nothing"),
    MicrophoneBack: ("note", "the microphone is back"),
    VoiceStarted: ("voice", "started"),
}
