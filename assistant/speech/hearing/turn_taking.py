"""Has a customer begun, and have they finished? Counted in the seconds heard, without a clock."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from assistant.settings import ListeningSettings
from assistant.values import primary_language

Stage = Literal["waiting", "speaking", "finished", "nobody spoke", "too long"]
IsKnownQuestion = Callable[[str, str], bool]  # a text, its language -> the pages know it as a question

# A click is one frame of a detector (30 or 32 ms); the shortest word is longer than two.
_SHORTEST_SPEECH_SECONDS = 0.05
# Shorter pauses are within a sentence more often than behind it: whoever makes ready for an answer waits
# this long. It cuts nobody off.
_READY_SECONDS = 0.4
_WORD = re.compile(r"[\w']+")


class TurnTaking:
    """Follows one turn of a customer, frame by frame, and says how far it has come.

    How long a pause ends the turn depends on the words so far: shortest after a question that the
    pages know, longest after words that cannot be all. With `push` no pause ends it, but `finish`
    does. `is_known_question` is asked only in a pause that its answer may end, once for each text.
    """

    def __init__(
        self, settings: ListeningSettings, is_known_question: IsKnownQuestion, push: bool = False
    ) -> None:
        self._settings = settings
        self._is_known_question = is_known_question
        self.is_push = push
        self.stage: Stage = "waiting"
        self._elapsed = 0.0  # since the beginning, whatever was heard
        self._forget_speech()

    @property
    def quiet_seconds(self) -> float:
        """How long nobody has spoken; 0.0 while somebody does."""
        return self._quiet

    @property
    def seems_over(self) -> bool:
        """All that was said has been read, people may end with it, and nobody speaks just now."""
        text, language, is_all = self._text
        is_pause = self.stage == "speaking" and not self._run and self._quiet >= _READY_SECONDS
        return is_pause and not self.is_push and is_all and bool(text) and ending(text, language) != "never"

    def hear(self, speech: bool, seconds: float) -> Stage:
        """One more frame of sound of that length, with or without speech in it."""
        if self.stage not in ("waiting", "speaking"):
            return self.stage
        self._elapsed += seconds
        self._follow(speech, seconds)
        if self.stage == "waiting":
            self._wait()
        else:
            self._spoken += seconds
            self._continue()
        return self.stage

    def read(self, text: str, language: str, is_all: bool = True) -> None:
        """What was understood so far; it counts from the next frame on.

        What is not `is_all` may read otherwise in a moment: it is never taken for a known question.
        """
        self._text = (text, language, is_all)

    def finish(self) -> Stage:
        """What was said is all."""
        if self.stage in ("waiting", "speaking"):
            self.stage = "finished" if self.stage == "speaking" else "nobody spoke"
        return self.stage

    def wait_again(self) -> Stage:
        """It was no word, but a cough: what is left of the time to wait is waited for."""
        self._forget_speech()
        self.stage = "waiting"
        self._wait()
        return self.stage

    def _forget_speech(self) -> None:
        self._run = self._quiet = self._spoken = 0.0
        self._text = self._judged = ("", "", False)
        self._enough = self._settings.pause_seconds

    def _follow(self, speech: bool, seconds: float) -> None:
        """A click neither begins a turn nor ends a pause."""
        self._run = self._run + seconds if speech else 0.0
        if self._run >= _SHORTEST_SPEECH_SECONDS:
            self._quiet = 0.0
            if self.stage == "waiting":
                self.stage = "speaking"
                self._spoken = self._run - seconds
        else:
            self._quiet += seconds

    def _wait(self) -> None:
        patience = self._settings.longest_seconds if self.is_push else self._settings.wait_seconds
        if self._elapsed >= patience and not self._run:
            self.stage = "nobody spoke"

    def _continue(self) -> None:
        if not self.is_push and not self._run and self._quiet >= self._pause_that_ends():
            self.stage = "finished"
        elif self._spoken >= self._settings.longest_seconds:
            self.stage = "too long"

    def _pause_that_ends(self) -> float:
        """Nothing is looked up before the shortest pause is over: until then it decides nothing."""
        settings = self._settings
        shortest = min(settings.pause_seconds, settings.pause_after_question_seconds)
        if self._text != self._judged and self._quiet >= shortest:
            self._judged = self._text
            self._enough = self._pause_after(*self._text)
        return max(shortest, self._enough)

    def _pause_after(self, text: str, language: str, is_all: bool) -> float:
        how = ending(text, language)
        if how == "never":
            return self._settings.pause_unfinished_seconds
        if text and is_all and self._is_known_question(text, language):
            return self._settings.pause_after_question_seconds
        return self._settings.pause_unfinished_seconds if how == "seldom" else self._settings.pause_seconds


Ending = Literal["never", "seldom", "plain"]


# A recognizer that writes punctuation puts these where it hears that more is to come: of 64 human clips
# cut in two, after 8 of the beginnings and none of the ends. A question mark stood after 2 beginnings.
_MORE_TO_COME = ("...", "…", ",", "،", "、", "，")
_ASKED = ("?", "？", "؟")


def ending(text: str, language: str) -> Ending:
    """Whether people stop after such words never, seldom, or why not."""
    if text.rstrip().endswith(_MORE_TO_COME):
        return "never"
    table = _tables().get(primary_language(language))
    words = _words(text)
    if table is None or not words:
        return "plain"
    if _ends_with(words, table.never) or _reads_a_number(words, table.digits):
        return "never"
    if text.rstrip().endswith(_ASKED):
        return "plain"
    if _ends_with(words, table.seldom) or (table.suffixes and words[-1].endswith(table.suffixes)):
        return "seldom"
    return "plain"


@dataclass(frozen=True, slots=True)
class _Table:
    never: frozenset[str]
    seldom: frozenset[str]
    suffixes: tuple[str, ...]
    digits: frozenset[str]


def _ends_with(words: Sequence[str], phrases: frozenset[str]) -> bool:
    longest = max((phrase.count(" ") + 1 for phrase in phrases), default=0)
    return any(" ".join(words[-length:]) in phrases for length in range(1, min(longest, len(words)) + 1))


def _reads_a_number(words: Sequence[str], digits: frozenset[str]) -> bool:
    """One digit alone is an amount ("room five"); two are part of a number."""
    return len(words) > 1 and all(word in digits or word.isdecimal() for word in words[-2:])


@cache
def _tables() -> Mapping[str, _Table]:
    file = resources.files("assistant.speech.hearing").joinpath("unfinished.toml")
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    return {language: _table(lists) for language, lists in written.items()}


def _table(lists: Mapping[str, Sequence[str]]) -> _Table:
    return _Table(
        never=frozenset(lists.get("never", ())),
        seldom=frozenset(lists.get("seldom", ())),
        suffixes=tuple(lists.get("suffixes", ())),
        digits=frozenset(lists.get("digits", ())),
    )


# Of the letters of a phrase; other words for the same are seldom much shorter.
_WHOLE = 0.85


def is_whole(text: str, phrase: str) -> bool:
    """Whether a text that means the same as a phrase may be all: a much shorter one may be its beginning."""
    return _letters(text) >= _WHOLE * _letters(phrase)


def is_beginning(text: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases goes on after such words, and none is over with them.

    "Are you open between" may mean the same as "When are you open?", but somebody is about to say Christmas.
    """
    said = _words(text)
    # Taking a phrase apart costs three times as much as this look, and the customer waits meanwhile.
    likely = (phrase for phrase in map(str.casefold, phrases) if all(word in phrase for word in said))
    begun = [words for words in map(_words, likely) if words[: len(said)] == said]
    return bool(begun) and said not in begun


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _letters(text: str) -> int:
    return sum(map(len, _WORD.findall(text)))
