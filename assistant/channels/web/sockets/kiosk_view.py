"""What a kiosk in a browser shows, as JSON: one moment of the state machine, in the customer's language."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.channels.kiosk.values import Kiosk
from assistant.channels.kiosk.words import SAMPLES, kiosk_words, own_name, sample_questions
from assistant.dialogue.own_voice import own_sentence
from assistant.dialogue.replying import START_OVER
from assistant.values import Knowledge, Reply

View = Mapping[str, Any]
Render = Callable[[str, str], str]  # Markdown and its language -> HTML that is safe in a page

# The last seconds before everything is forgotten are counted down: long enough to read it and to
# touch the screen, and never most of the time there is.
_COUNTED_SECONDS = 12.0
_COUNTED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a reply looks like; made once for each."""

    reply: Reply
    html: str


class Viewer:
    """Makes one view after another; what has not changed since the last one is not made anew."""

    def __init__(self, knowledge: Callable[[], Knowledge], render: Render) -> None:
        self._knowledge = knowledge
        self._render = render
        self._texts: tuple[Knowledge, str, View] | None = None
        self._answer: _Answer | None = None

    def view(self, kiosk: Kiosk, now_seconds: float) -> View:
        """Everything that the screen shows."""
        return {
            **self._in_language(kiosk.language),
            **_what_it_does(kiosk),
            **_customer(kiosk),
            **self._answered(kiosk),
            "notice": self._own(kiosk.notice, kiosk.language) if kiosk.notice else "",
            "notes": list(self._notes(kiosk)),
            "leaves_in": leaves_in(kiosk, now_seconds),
        }

    def _in_language(self, language: str) -> View:
        """What stands on the screen in that language, whatever the kiosk does."""
        knowledge = self._knowledge()
        if self._texts is None or (self._texts[0] is not knowledge) or self._texts[1] != language:
            texts: View = {
                "language": language,
                "words": dict(kiosk_words(knowledge, language)),
                "greeting": self._own("greeting", language),
                "invitation": self._own("invitation", language),
                "samples": list(sample_questions(knowledge, language, SAMPLES)),
            }
            self._texts = (knowledge, language, texts)
        return self._texts[2]

    def _answered(self, kiosk: Kiosk) -> View:
        reply = kiosk.reply
        if reply is None:
            return {
                "html": "",
                "answer_language": "",
                "is_inviting": True,
                "choices": [],
            }
        if self._answer is None or self._answer.reply is not reply:
            self._answer = _Answer(reply, self._render(reply.text, reply.language))
        return {
            "html": self._answer.html,
            "answer_language": reply.language,
            "is_inviting": reply.entry == START_OVER,
            "choices": [choice.label for choice in kiosk.conversation.choices],
        }

    def _notes(self, kiosk: Kiosk) -> Iterator[Mapping[str, str]]:
        """What the kiosk must do without: for the customer, and for whoever keeps it running."""
        lacking = (("microphone-lost", kiosk.ear_note), ("voice-lost", kiosk.mouth_note))
        # Ear and mouth that others have come together: said once.
        told = {"one-moment" if note.is_passing else about: note for about, note in lacking if note}
        for about, note in told.items():
            text = self._own(about, kiosk.language)
            yield {"about": about, "text": text, "fact": note.fact, "hint": note.hint}

    def _own(self, name: str, language: str) -> str:
        return " ".join(own_sentence(self._knowledge(), name, language).text.split())


def leaves_in(kiosk: Kiosk, now_seconds: float) -> int | None:
    """Whole seconds until everything is forgotten, in the last of them; None before."""
    if kiosk.forgets_at_seconds is None:
        return None
    left = kiosk.forgets_at_seconds - now_seconds
    is_last = left <= min(_COUNTED_SECONDS, kiosk.rules.idle_seconds * _COUNTED_SHARE)
    return max(math.ceil(left), 0) if is_last else None


def changes(before: View, after: View) -> View:
    """What is different in the second one."""
    return {name: value for name, value in after.items() if name not in before or before[name] != value}


def _what_it_does(kiosk: Kiosk) -> View:
    rules = kiosk.rules
    return {
        "state": str(kiosk.state),
        "asks_to_go_on": kiosk.asks_to_go_on,
        "can_hear": kiosk.can_hear and kiosk.ear_note is None,
        "can_speak": rules.can_speak and kiosk.mouth_note is None,
        "is_push": rules.mode == "push",
        "languages": [{"tag": tag, "name": own_name(tag)} for tag in rules.languages],
        "volume": kiosk.volume,
        "words_a_minute": kiosk.words_a_minute,
        "idle_seconds": rules.idle_seconds,
    }


def _customer(kiosk: Kiosk) -> View:
    return {"heard": kiosk.heard, "is_heard_out": kiosk.is_heard_out}
