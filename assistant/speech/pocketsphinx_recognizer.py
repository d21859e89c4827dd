"""English without a download, through PocketSphinx: it listens for the questions that it was given."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.errors import DeviceError, ModelError
from assistant.ports import Microphone
from assistant.speech.language_model import arpa
from assistant.speech.noise_floor import with_noise_floor
from assistant.speech.pronunciation import pronounce, read_dictionary, words_of
from assistant.speech.readings import final
from assistant.speech.resampling import at_rate, check_rate, even
from assistant.speech.voice_activity import VoiceActivity, only_speech
from assistant.values import Heard

_RATE_HZ = 16_000  # of the model that comes with the library
# What is said is taken for one of the questions when they explain the sound this much better than
# English at large does (difference of the natural logarithms of both path scores, a second). On
# 90 questions and 85 other utterances this kept 94 % of the questions and 6 % of the others; how
# alike the two texts are kept 78 % and 36 %.
_BETTER_A_SECOND = 0.055
# The lattice of one utterance grows with its length.
_SECONDS_A_STRETCH = 30
_SECONDS_BETWEEN_LOOKS = 0.4  # a look at what was heard so far costs as much as a block
_MOST_PHRASES = 5_000
_REINSTALL = "reinstall it with: pip install --force-reinstall pocketsphinx"


class PocketSphinxRecognizer:
    """Hears English. Everything is decoded twice: as one of the phrases, and as any English.

    Where the phrases explain the sound clearly better, they are the reading and the free one
    stands in `also_heard`. Otherwise only the free one is given: the nearest question to
    something that was no question would be a witness for a wrong answer. Without phrases every
    reading is free. `left_out` names words of the phrases that it cannot listen for.

    Raises ModelError where the library is damaged or another language is asked for, AudioError
    for a rate that speech cannot have, DeviceError where it is asked to listen twice at once or
    after `close()`.
    """

    def __init__(self, phrases: Sequence[str], language: str = "en") -> None:
        if language.lower().partition("-")[0] != "en":
            raise ModelError(f"PocketSphinx hears English, not `{language}`", "install a model for Vosk")
        self._language = language
        self._listening = threading.Lock()
        self._closed = False
        self._activity = VoiceActivity(_RATE_HZ)
        self._free, self._narrow, self.left_out = _decoders(phrases)

    @property
    def language(self) -> str:
        return self._language

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        """Partial readings as they grow, then the final one; empty text where nobody spoke."""
        if not self._listening.acquire(blocking=False):
            raise DeviceError(
                "this recognizer is listening already", "open one recognizer for each conversation"
            )
        try:
            if self._closed:
                raise DeviceError("this recognizer was closed", "open a new one")
            yield from self._listen(microphone)
        finally:
            self._listening.release()

    def close(self) -> None:
        """Hear nothing more; what is being heard ends without a final reading."""
        self._closed = True

    def _listen(self, microphone: Microphone) -> Iterator[Heard]:
        heard = at_rate(even(microphone), check_rate(microphone.rate_hz), _RATE_HZ)
        sound = only_speech(heard, _RATE_HZ, self._activity)
        free, narrow = _Ear(self._free), _Ear(self._narrow) if self._narrow else None
        shown, looked_seconds = "", 0.0
        try:
            for block in with_noise_floor(sound):
                if self._closed:
                    return
                for ear in filter(None, (free, narrow)):
                    ear.hear(block)
                if free.seconds - looked_seconds < _SECONDS_BETWEEN_LOOKS:
                    continue
                looked_seconds = free.seconds
                partial = final(_choose(free, narrow), self._language)
                if partial.text not in ("", shown):
                    shown = partial.text
                    yield replace(partial, also_heard=(), final=False)
        finally:
            for ear in filter(None, (free, narrow)):
                ear.end()
        yield final(_choose(free, narrow), self._language)


class _Ear:
    """One decoder following one utterance, in stretches that it can bear."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._begun_seconds: float | None = None  # None: no utterance is open
        self._sound = bytearray()  # of the open utterance
        self._texts: list[str] = []
        self._score = 0.0
        self.seconds = 0.0

    def hear(self, block: bytes) -> None:
        if not block:  # the library raises on it, and the utterance would stay open
            return
        if self._begun_seconds is None:
            self._decoder.start_utt()
            self._begun_seconds = self.seconds
            self._sound.clear()
        self._decoder.process_raw(block, False, False)
        self._sound += block
        self.seconds += len(block) / 2 / _RATE_HZ
        if self.seconds - self._begun_seconds > _SECONDS_A_STRETCH:
            self.end()

    def end(self) -> None:
        """Close what is open; an utterance left open would spoil the next one.

        The whole is decoded once more: only then is it known how loud and how coloured it is. Of 40
        spoken questions the first reading led to the right entry for 34, the second for 39.
        """
        if self._begun_seconds is None:
            return
        self._begun_seconds = None
        self._decoder.end_utt()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(bytes(self._sound), False, True)
        finally:
            self._decoder.end_utt()
        text, score = self._now()
        self._texts.append(text)
        self._score += score

    def reading(self) -> tuple[str, float]:
        """The text so far, and the natural logarithm of its score: higher explains the sound better."""
        text, score = self._now() if self._begun_seconds is not None else ("", 0.0)
        return " ".join(filter(None, (*self._texts, text))), self._score + score

    def _now(self) -> tuple[str, float]:
        guess = self._decoder.hyp()
        if guess is None or not guess.hypstr:
            return "", 0.0
        return str(guess.hypstr), math.log(max(guess.score, 1e-300))


def _choose(free: _Ear, narrow: _Ear | None) -> tuple[str, ...]:
    """The readings worth passing on, best first."""
    text, score = free.reading()
    if narrow is None:
        return (text,)
    question, its_score = narrow.reading()
    better = question and its_score - score >= _BETTER_A_SECOND * narrow.seconds
    return (question, text) if better else (text,)


def _decoders(phrases: Sequence[str]) -> tuple[Any, Any | None, tuple[str, ...]]:
    """The decoder for any English, the one for the phrases (None without any), and the words left out."""
    try:
        import pocketsphinx

        # Without a word on the screen; a failure comes as an exception all the same.
        free = pocketsphinx.Decoder(samprate=_RATE_HZ, cmn="batch", loglevel="FATAL")
        dictionary = read_dictionary(Path(free.config["dict"]))
        sentences = [words for phrase in phrases[:_MOST_PHRASES] if (words := words_of(phrase))]
        spoken = pronounce({word for words in sentences for word in words}, dictionary)
        left_out = tuple(dict.fromkeys(word for words in sentences for word in words if word not in spoken))
        known = [[word for word in words if word in spoken] for words in sentences]
        narrow = _narrow_decoder(free.config["hmm"], known, spoken) if any(known) else None
    except ImportError:
        raise ModelError("PocketSphinx is not installed", "pip install pocketsphinx") from None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"PocketSphinx cannot be used: {error}", _REINSTALL) from None
    return free, narrow, left_out


def _narrow_decoder(
    acoustic: str, sentences: Sequence[Sequence[str]], spoken: Mapping[str, Sequence[str]]
) -> Any:
    """A decoder that knows the words of the sentences and nothing else: it loads in 20 ms."""
    import pocketsphinx

    with tempfile.TemporaryDirectory(prefix="assistant-hearing-", ignore_cleanup_errors=True) as folder:
        words, model = Path(folder, "words.dict"), Path(folder, "phrases.lm")
        words.write_text("".join(_dictionary_lines(spoken)), encoding="utf-8")
        model.write_text(arpa(sentences), encoding="utf-8")
        return pocketsphinx.Decoder(
            samprate=_RATE_HZ,
            hmm=acoustic,
            dict=str(words),
            lm=str(model),
            cmn="batch",
            loglevel="FATAL",
        )


def _dictionary_lines(spoken: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for word, ways in sorted(spoken.items()):
        for number, phones in enumerate(ways, 1):
            yield f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n"
