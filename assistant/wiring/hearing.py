"""What every ear needs of the pages: recognizers that know their questions, and what makes sense of words."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import wiring
from assistant.errors import ModelError
from assistant.settings import Settings
from assistant.values import Found, Heard, Utterance

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.ports import Recognizer
    from assistant.speech.hearing.recognizer_pool import RecognizerPool
    from assistant.speech.hearing.stop_words import ReadStretch, StopSpotters


# Whisper may be sure of a third language, in a robot's voice or a dialect: then the answers decide. For 127
# of 134 spoken sentences the right one of two languages was found (with .1 for 126; by the answers alone
# for 97).
_DOUBT = 0.02


class UpToDate:
    """Lends recognizers that listen for the questions of the pages as they are now; to any thread.

    What spots the words that stop the assistant takes up changed pages with them.
    """

    def __init__(self, pool: RecognizerPool, spotters: StopSpotters, assistant: Assistant) -> None:
        self._pool, self._spotters, self._assistant = pool, spotters, assistant
        self._known = assistant.knowledge
        self._looking = threading.Lock()

    def borrow(self, language: str) -> contextlib.AbstractContextManager[Recognizer]:
        with self._looking:
            is_changed = self._assistant.knowledge is not self._known
            self._known = self._assistant.knowledge
        if is_changed:
            self._pool.renew()
            self._spotters.forget()
        return self._pool.borrow(language)


@dataclass(frozen=True, slots=True)
class Sense:
    """What the pages make of words that are being heard."""

    assistant: Assistant

    def is_known_question(self, text: str, language: str) -> bool:
        """Whether a question of the pages has been said, and said to its end."""
        from assistant.speech.hearing.turn_taking import is_beginning, is_whole

        match = self.assistant.matcher.match(Utterance(text, language), language)
        if not isinstance(match, Found) or not is_whole(text, match.best.phrase):
            return False
        return not is_beginning(text, wiring.questions(self.assistant.knowledge, language))

    def judge(self, heard: Heard) -> float:
        """How probable its best answer is: what was said in another language comes to nothing in this one.

        A recognizer that translates what it hears makes sense of it all the same, but it knows.
        """
        # Taken at its word: what is heard in the wrong language sounds like something in it, too.
        utterance = Utterance(heard.text, heard.language, heard.also_heard)
        candidates = self.assistant.matcher.match(utterance, heard.language).ranking.candidates
        known = candidates[0].probability if candidates else 0.0
        return known * (heard.language_probability + _DOUBT)


def stop_word_reader(settings: Settings, assistant: Assistant, language: str) -> ReadStretch | None:
    """None where nobody wants to stop it by voice, or nothing here can hear that."""
    from assistant.dialogue.commands import stop_words

    words = stop_words(language)
    if not settings.kiosk.stop_by_voice or not words:
        return None
    # What the assistant says itself is what it hears most while it speaks: "stay" must not be "stop".
    others = [*wiring.questions(assistant.knowledge, language), *wiring.spoken(assistant.knowledge, language)]
    with contextlib.suppress(ModelError):
        return wiring.open_stop_words(settings, language, words, others)
    return None
