"""Speech of many languages through Vosk, with every way shut in which it ends the process."""

from __future__ import annotations

import json
import sys
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from assistant.errors import DeviceError, ModelError
from assistant.ports import Microphone
from assistant.speech.hearing.readings import MOST_READINGS, Reading, clean, final, join
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.models.vosk_models import validate_vosk_model
from assistant.speech.sound.resampling import check_rate, even
from assistant.speech.sound.speech_gate import gated
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard

# Ten minutes in one recognizer add 220 MB.
_SECONDS_BEFORE_REBUILD = 480

_models: WeakValueDictionary[str, Any] = WeakValueDictionary()
_models_lock = threading.Lock()


class VoskRecognizer:
    """Hears one language with one model; a warm one, to be kept and used again and again.

    The model is tried out first (see `validate_vosk_model`) and shared by all recognizers of this
    process. With a grammar it hears these phrases and nothing else: whatever is said becomes one
    of them. `left_out` names the grammar's words that the model does not know.

    Raises ModelError for a model that cannot be used, AudioError for a rate that it cannot take,
    DeviceError where it is asked to listen twice at once or after `close()`.
    """

    def __init__(
        self,
        model_folder: Path,
        language: str,
        grammar: Sequence[str] | None = None,
        cache_folder: Path | None = None,
        rate_hz: int = 16_000,
    ) -> None:
        validate_vosk_model(model_folder, cache_folder)
        self._language = language
        self._model = _shared_model(model_folder)
        self._grammar, self.left_out = _known_phrases(self._model, grammar)
        self._listening = threading.Lock()
        self._closed = False
        self._start(rate_hz)

    @property
    def language(self) -> str:
        return self._language

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        """Partial readings as they grow, then the final one; empty text where nobody spoke."""
        if not self._listening.acquire(blocking=False):  # two threads in one end the process
            raise DeviceError(
                "this recognizer is listening already", "open one recognizer for each conversation"
            )
        try:
            yield from self._listen(microphone)
        finally:
            self._let_go()

    def close(self) -> None:
        """Hear nothing more and give the memory back; what is being heard ends without a final reading."""
        self._closed = True
        if self._listening.acquire(blocking=False):
            self._let_go()

    def _start(self, rate_hz: int) -> None:
        """A new recognizer, warmed up: the first second of sound costs as much as ten later ones."""
        import vosk

        check_rate(rate_hz)
        try:
            arguments = (self._model, rate_hz, *([self._grammar] if self._grammar else []))
            self._recognizer: Any = vosk.KaldiRecognizer(*arguments)
        except Exception as error:  # the library has no failures of its own
            raise ModelError(f"the speech model cannot be used: {error}", "fetch it again") from None
        self._recognizer.SetMaxAlternatives(MOST_READINGS)
        self._rate_hz = rate_hz
        self._activity = VoiceActivity(rate_hz)
        self._seconds_heard = 0.0
        self._recognizer.AcceptWaveform(bytes(rate_hz))
        self._recognizer.FinalResult()

    def _let_go(self) -> None:
        """Never while somebody listens: what the library is working on must not be taken from it."""
        if self._closed:
            self._recognizer = self._model = None
        self._listening.release()

    def _listen(self, microphone: Microphone) -> Iterator[Heard]:
        rate_hz = microphone.rate_hz
        if self._closed:
            raise DeviceError("this recognizer was closed", "open a new one")
        self._renew(rate_hz)
        self._recognizer.Reset()
        stretches: list[list[Reading]] = []
        shown = ""
        for block in gated(even(microphone), microphone, rate_hz, self._activity):
            if self._closed:
                return
            self._seconds_heard += len(block) / 2 / rate_hz
            if self._recognizer.AcceptWaveform(block):
                stretches.append(_readings(self._recognizer.Result()))
                self._renew(rate_hz)
                continue
            text = self._so_far(stretches)
            if text and text != shown:
                shown = text
                yield Heard(text, self._language, final=False)
        if not self._closed:
            stretches.append(_readings(self._recognizer.FinalResult()))
            yield final(join(stretches), self._language)

    def _renew(self, rate_hz: int) -> None:
        """Only between two stretches of speech: what was begun would be lost."""
        if rate_hz != self._rate_hz or self._seconds_heard > _SECONDS_BEFORE_REBUILD:
            self._start(rate_hz)

    def _so_far(self, stretches: Sequence[Sequence[Reading]]) -> str:
        partial = str(json.loads(self._recognizer.PartialResult()).get("partial", ""))
        whole = join([*stretches, [Reading(partial)]])
        return clean(whole[0], self._language) if whole else ""


class VoskStopWordReader:
    """Tells a stretch of sound that is one of a few words of a language from all others.

    A grammar takes everything for one of its words, so it is given `others` to take it for: the
    words of the base's questions do. Of the Korean stop words alone it made one of every noise.
    """

    def __init__(
        self,
        model_folder: Path,
        words: Sequence[str],
        others: Sequence[str] = (),
        cache_folder: Path | None = None,
    ) -> None:
        single = dict.fromkeys(word for phrase in others for word in _words(phrase))
        self._recognizer = VoskRecognizer(model_folder, "", [*words, *single], cache_folder)
        self._words = {" ".join(_words(word)): word for word in words}
        self.left_out = tuple(word for word in self._recognizer.left_out if word not in single)

    def __call__(self, sound: bytes) -> str:
        """16-bit mono PCM at 16,000 Hz, a second or so -> the stop words that it is, or nothing."""
        return self._words.get(hear(_Stretch(sound), self._recognizer).text, "")


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A microphone that gives one stretch of speech."""

    sound: bytes
    rate_hz: int = 16_000
    is_speech_only: bool = True

    def __iter__(self) -> Iterator[bytes]:
        return iter((self.sound,))

    def close(self) -> None:
        pass


def _shared_model(folder: Path) -> Any:
    import vosk

    vosk.SetLogLevel(-2)  # before loading: it writes hundreds of lines on the user's screen
    path = str(folder.resolve())
    with _models_lock:
        model = _models.get(path)
        if model is None:
            try:
                model = _models[path] = vosk.Model(path)  # by language or name it would go online
            except Exception as error:  # the library has no failures of its own
                raise ModelError(
                    f"the speech model {folder} cannot be loaded: {error}", "fetch it again"
                ) from None
    return model


def _known_phrases(model: Any, grammar: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """The grammar as the library wants it, and the words that are not in it because the model lacks them."""
    if grammar is None:
        return "", ()
    words = dict.fromkeys(word for phrase in grammar for word in _words(phrase))
    known = {word for word in words if model.vosk_model_find_word(word) >= 0}
    phrases = (" ".join(word for word in _words(phrase) if word in known) for phrase in grammar)
    kept = list(dict.fromkeys(filter(None, phrases)))
    if not kept:
        raise ModelError(
            "the speech model knows none of the words to listen for", "name words of its language"
        )
    # Escaped, every word beyond ASCII would be ignored without a word.
    return json.dumps(kept, ensure_ascii=False), tuple(word for word in words if word not in known)


def _words(phrase: str) -> list[str]:
    """Lowercase, as models write; what C strings and JSON could stumble over is no part of a word."""
    return "".join(
        c if c.isalnum() or c in "'-" or unicodedata.combining(c) else " " for c in phrase.lower()
    ).split()


def _readings(result: str) -> list[Reading]:
    """The alternatives of one stretch. Only differences of their confidences mean anything."""
    alternatives = json.loads(result).get("alternatives", ())
    best = max((float(one["confidence"]) for one in alternatives), default=0.0)
    found = (Reading(str(one["text"]), best - float(one["confidence"])) for one in alternatives)
    return sorted(found, key=lambda reading: reading.loss)


def try_out(folder: str) -> None:
    """Load a model and hear a second of silence; run in a process of its own, which may die of it."""
    model = _shared_model(Path(folder))
    import vosk

    recognizer = vosk.KaldiRecognizer(model, 16_000)
    recognizer.AcceptWaveform(bytes(32_000))
    json.loads(recognizer.FinalResult())


if __name__ == "__main__":
    try_out(sys.argv[1])
