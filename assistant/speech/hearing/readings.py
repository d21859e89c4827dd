"""What recognizers write down, made into readings: ghosts dropped, stretches joined, best first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.values import Heard, primary_language

# Words that models write for breath and noise: "[4]", "<unk>", "[laughter]".
_GHOST = re.compile(r"\[[^\]\s]*\]|<[^>\s]*>")
# Alone, these are what a model makes of a knock or a breath. Nobody asks anything with them.
_LONE_GHOSTS = {
    "en": frozenset({"the", "a", "uh", "huh", "hm", "hmm", "ah", "oh", "and"}),
    "de": frozenset({"einen", "nun", "äh", "ähm", "hm", "und", "die", "der"}),
}
MOST_READINGS = 5  # further ones differ in words that do not matter


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a stretch of sound; `loss` says how much worse than the best."""

    text: str
    loss: float = 0.0  # in the recognizer's own unit


def clean(text: str, language: str) -> str:
    """The text without ghost words; empty if nothing else is in it."""
    words = _GHOST.sub(" ", text).split()
    if len(words) == 1 and words[0].casefold() in _LONE_GHOSTS.get(primary_language(language), ()):
        return ""
    return " ".join(words)


def join(stretches: Sequence[Sequence[Reading]]) -> tuple[str, ...]:
    """Readings of the whole from the readings of its stretches, best first, each one once.

    Only one stretch at a time is read otherwise: all combinations would be many and mean little.
    """
    known = [stretch for stretch in stretches if stretch]
    best = [stretch[0].text for stretch in known]
    others = sorted(
        (reading.loss, number, reading.text)
        for number, stretch in enumerate(known)
        for reading in stretch[1:]
    )
    whole = [_sentence(best)]
    whole += [_sentence([*best[:number], text, *best[number + 1 :]]) for _, number, text in others]
    return tuple(dict.fromkeys(text for text in whole if text))[:MOST_READINGS]


def final(readings: Iterable[str], language: str) -> Heard:
    """The last word on an utterance; readings that come to nothing are left out."""
    kept = tuple(dict.fromkeys(filter(None, (clean(text, language) for text in readings))))
    return Heard(kept[0], language, kept[1:]) if kept else Heard("", language)


def _sentence(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)
