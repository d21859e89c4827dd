"""Hear one whole utterance."""

from __future__ import annotations

from assistant.ports import Microphone, Recognizer
from assistant.values import Heard, Utterance


def hear(microphone: Microphone, recognizer: Recognizer) -> Heard:
    """The final reading of all that the microphone gives; its text is empty where nobody spoke."""
    last = Heard("", recognizer.language)
    for heard in recognizer.recognize(microphone):
        if heard.final:
            last = heard
    return last


def as_utterance(heard: Heard) -> Utterance:
    """What was heard, as if it had been typed: from here on nobody can tell the two apart."""
    return Utterance(heard.text, heard.language, heard.also_heard)
