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
    """What was heard, for the same matcher as what is typed."""
    return Utterance(heard.text, heard.language, heard.also_heard, is_heard=True)
