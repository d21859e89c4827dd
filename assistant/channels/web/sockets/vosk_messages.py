"""The JSON of vosk-server: what its clients send, and what they expect to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.values import Heard

USUAL_RATE_HZ = 8000  # of vosk-server, for clients that do not say theirs
_RATES_HZ = range(8_000, 96_001)  # at others speech cannot be recognized
_MOST_ALTERNATIVES = 10

Told = dict[str, object]


class NoConfig(Exception):
    """A text that no client of vosk-server sends, or a setting that nothing can be heard with."""


@dataclass(frozen=True, slots=True)
class Config:
    """How a client wants to be heard; phrases and models are chosen here, by the pages."""

    rate_hz: int = USUAL_RATE_HZ
    has_words: bool = True
    most_alternatives: int = 0  # 0: the text alone


@dataclass(frozen=True, slots=True)
class Eof:
    """The sound is over."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where in the sound something was said, in seconds since its beginning, about."""

    start: float
    end: float


def decode(message: str, before: Config) -> Config | Eof:
    """Raises NoConfig. What a configuration does not name stays; what is not known is passed over."""
    try:
        written = json.loads(message)
    except (ValueError, RecursionError):
        raise NoConfig('the message is neither sound nor {"config": ...} nor {"eof": 1}') from None
    if isinstance(written, dict) and written.get("eof"):
        return Eof()
    if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
        raise NoConfig('the message is neither sound nor {"config": ...} nor {"eof": 1}')
    return _configured(written["config"], before)


def _configured(written: Mapping[str, object], before: Config) -> Config:
    """Numbers come as numbers or as texts, switches as either or as 0 and 1."""
    config = before
    if "sample_rate" in written:
        config = replace(config, rate_hz=_whole(written["sample_rate"], "sample_rate"))
    if "words" in written:
        config = replace(config, has_words=bool(written["words"]))
    if "max_alternatives" in written:
        wanted = _whole(written["max_alternatives"], "max_alternatives")
        config = replace(config, most_alternatives=min(max(wanted, 0), _MOST_ALTERNATIVES))
    if config.rate_hz not in _RATES_HZ:
        raise NoConfig(f"speech at {config.rate_hz} samples a second cannot be recognized: 8000 to 96000")
    return config


def _whole(value: object, name: str) -> int:
    try:
        return int(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise NoConfig(f"`{name}` must be a number") from None


def partial(text: str) -> Told:
    return {"partial": text}


def final(heard: Sequence[tuple[Heard, Stretch]], config: Config) -> Told:
    """What was heard since the last final text: mostly one utterance, at the end it may be more, or none."""
    text = " ".join(one.text for one, _ in heard)
    if config.most_alternatives:
        return {"alternatives": _alternatives(text, heard, config)}
    words = [word for one, stretch in heard for word in _words(one.text, stretch)]
    return {"result": words, "text": text} if config.has_words and words else {"text": text}


def _alternatives(text: str, heard: Sequence[tuple[Heard, Stretch]], config: Config) -> list[Told]:
    others = heard[0][0].also_heard if len(heard) == 1 else ()
    readings = (text, *others)[: config.most_alternatives]
    # Nobody measured how sure they are; the order is all there is to tell.
    return [{"confidence": 1.0 / number, "text": one} for number, one in enumerate(readings, 1)]


def _words(text: str, stretch: Stretch) -> list[Told]:
    """Each word with about the time it takes: nothing tells where words begin, so their lengths must do."""
    words, letters = text.split(), max(1, len(text.replace(" ", "")))
    a_letter, at, told = (stretch.end - stretch.start) / letters, stretch.start, list[Told]()
    for word in words:
        end = at + a_letter * len(word)
        told.append({"conf": 1.0, "end": round(end, 2), "start": round(at, 2), "word": word})
        at = end
    return told
