"""English without a download, through PocketSphinx: it listens for the questions that it was given."""

from __future__ import annotations

import math
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assistant.errors import DeviceError, ModelError
from assistant.ports import Microphone
from assistant.speech.hearing.language_model import arpa
from assistant.speech.hearing.pronunciation import pronounce, read_dictionary, words_of
from assistant.speech.hearing.readings import Reading, final, join
from assistant.speech.models.pocketsphinx_model import packaged_model, validate_pocketsphinx_model
from assistant.speech.sound.noise_floor import with_noise_floor
from assistant.speech.sound.resampling import at_rate, check_rate, even
from assistant.speech.sound.speech_gate import gated
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard

_RATE_HZ = 16_000  # of the model that comes with the library
_ACOUSTIC = "en-us"
_DICTIONARY = "cmudict-en-us.dict"
# What is said is taken for one of the phrases when they explain the sound this much better than
# English at large does (difference of the natural logarithms of both path scores, a second).
# With 640 phrases, of 100 questions spoken by eSpeak the right entry came first for 98, of 111 other
# clips 11 were taken for a phrase and none was answered. At 0.04: 94, 4 and none; at 0: 99, 29 and none.
_BETTER_A_SECOND = 0.02
# The lattice of one utterance grows with its length.
_SECONDS_A_STRETCH = 30
_SECONDS_BETWEEN_LOOKS = 0.4  # a look at what was heard so far costs as much as a block
_MOST_PHRASES = 5_000
# How much worse than any row of phones a stop word may explain a stretch of sound (difference of the
# natural logarithms of both path scores). 48 spoken stop words came to -0.04 and more, what is left
# of the assistant's own voice to -0.07 and less.
_WORSE_THAN_PHONES = -0.05
# Stop words count so many times as much as all others together: who says "stop" must be obeyed.
_LIKELIER = 5
# The same a second, for a phrase: above it the decoder for any English, which costs six times as much,
# need not be asked. Three of four spoken questions are above it, and at most 4 of 88 other utterances.
_CLEARLY_A_PHRASE = -0.1
_REINSTALL = "reinstall it with: pip install --force-reinstall pocketsphinx"


class PocketSphinxRecognizer:
    """Hears English. What is said is decoded as one of the phrases, and as a mere row of phones.

    Where the phrases explain the sound about as well as phones do, they are the reading. Else it is
    decoded as any English too: where the phrases explain it clearly better than that, they are the
    reading and the free one stands in `also_heard`. Otherwise only the free one is given: the
    nearest question to something that was no question would be a witness for a wrong answer.
    Without phrases every reading is free. `left_out` names words of the phrases that it cannot listen for.
    The model is tried out first (see `validate_pocketsphinx_model`).

    Raises ModelError where the library or its model is damaged or another language is asked for, AudioError
    for a rate that speech cannot have, DeviceError where it is asked to listen twice at once or
    after `close()`.
    """

    def __init__(
        self, phrases: Sequence[str], language: str = "en", cache_folder: Path | None = None
    ) -> None:
        if language.lower().partition("-")[0] != "en":
            raise ModelError(f"PocketSphinx hears English, not `{language}`", "install a model for Vosk")
        self._language = language
        self._listening = threading.Lock()
        self._closed = False
        self._activity = VoiceActivity(_RATE_HZ)
        model = packaged_model()
        validate_pocketsphinx_model(model, cache_folder)
        self._free, self._narrow, self.left_out = _decoders(phrases, _english_decoder, model)
        self._phones = _phones_decoder(model)

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
        spoken = with_noise_floor(gated(heard, microphone, _RATE_HZ, self._activity))
        follower = _Follower(self._narrow or self._free)
        stretches: list[list[Reading]] = []
        sound = bytearray()
        try:
            for block in spoken:
                if self._closed:
                    return
                sound += block
                if text := follower.hear(block):
                    yield replace(final(join([*stretches, [Reading(text)]]), self._language), final=False)
                if len(sound) >= _SECONDS_A_STRETCH * _RATE_HZ * 2:
                    follower.end()
                    stretches.append(self._read(sound))
                    sound.clear()
        finally:
            follower.end()
        if not self._closed:
            stretches.append(self._read(sound))
            yield final(join(stretches), self._language)

    def _read(self, sound: bytearray) -> list[Reading]:
        """The readings worth passing on, best first."""
        seconds = len(sound) / 2 / _RATE_HZ
        question, its_score = _decode(self._narrow, bytes(sound)) if self._narrow else ("", 0.0)
        if question and its_score - _decode(self._phones, bytes(sound))[1] >= _CLEARLY_A_PHRASE * seconds:
            return [Reading(question)]
        text, score = _decode(self._free, bytes(sound))
        if question and its_score - score >= _BETTER_A_SECOND * seconds:
            return [Reading(question), Reading(text, 1.0)]
        return [Reading(text)]


class StopWordReader:
    """Tells a stretch of sound that is one of a few English words from all others.

    It is read as these words and as any row of phones; where the words explain it hardly worse, they
    were said, unless one of the `others` explains it better still: alone, "shop" is "shut up".
    Raises ModelError where none of the words can be listened for, or the model is damaged.
    """

    def __init__(
        self, words: Sequence[str], others: Sequence[str] = (), cache_folder: Path | None = None
    ) -> None:
        model = packaged_model()
        validate_pocketsphinx_model(model, cache_folder)
        self._words = {" ".join(words_of(word)): word for word in words}
        self._free, self._narrow, self.left_out = _decoders(words, _phones_decoder, model)
        if self._narrow is None:
            raise ModelError("none of the stop words can be listened for", "name English words")
        single = sorted({word for phrase in others for word in words_of(phrase)} - {*self._words})
        likely = [*words] * (_LIKELIER * (1 + len(single) // len(words)))
        self._wide = _decoders([*likely, *single], _phones_decoder, model)[1] if single else None

    def __call__(self, sound: bytes) -> str:
        """16-bit mono PCM at 16,000 Hz, a second or so -> the stop words that it is, or nothing."""
        floored = b"".join(with_noise_floor([sound]))
        text, score = _decode(self._narrow, floored)
        if text not in self._words:
            return ""
        if score - _decode(self._free, floored)[1] < _WORSE_THAN_PHONES:
            return ""
        is_other = self._wide is not None and _decode(self._wide, floored)[0] not in self._words
        return "" if is_other else self._words[text]


class _Follower:
    """Follows an utterance while it lasts, for the partial readings."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._is_open = False
        self._unseen_seconds = 0.0
        self._shown = ""

    def hear(self, block: bytes) -> str:
        """What has been heard so far, where that has changed; else nothing."""
        if not self._is_open:
            self._decoder.start_utt()
            self._is_open = True
        self._decoder.process_raw(block, False, False)
        self._unseen_seconds += len(block) / 2 / _RATE_HZ
        if self._unseen_seconds < _SECONDS_BETWEEN_LOOKS:
            return ""
        self._unseen_seconds = 0.0
        before, self._shown = self._shown, _hypothesis(self._decoder)[0]
        return self._shown if self._shown != before else ""

    def end(self) -> None:
        """An utterance left open would spoil the next one."""
        if self._is_open:
            self._is_open = False
            self._decoder.end_utt()


def _decode(decoder: Any, sound: bytes) -> tuple[str, float]:
    """What the decoder makes of a whole stretch, and the natural logarithm of its score.

    All at once: only the whole tells how loud and how coloured the voice is, and so nothing
    depends on what was heard before. Read as it came in, the first question after a start had
    half of its words wrong.
    """
    if not sound:  # the library raises on it
        return "", 0.0
    decoder.start_utt()
    try:
        decoder.process_raw(sound, False, True)
    finally:
        decoder.end_utt()
    return _hypothesis(decoder)


def _hypothesis(decoder: Any) -> tuple[str, float]:
    guess = decoder.hyp()
    if guess is None:
        return "", 0.0
    return str(guess.hypstr or ""), math.log(max(guess.score, 1e-300))


def _decoders(
    phrases: Sequence[str], open_free: Callable[[Path], Any], model: Path
) -> tuple[Any, Any | None, tuple[str, ...]]:
    """The decoder for anything, the one for the phrases (None without any), and the words left out."""
    try:
        free = open_free(model)
        dictionary = read_dictionary(model / _DICTIONARY)
        sentences = [words for phrase in phrases[:_MOST_PHRASES] if (words := words_of(phrase))]
        spoken = pronounce({word for words in sentences for word in words}, dictionary)
        left_out = tuple(dict.fromkeys(word for words in sentences for word in words if word not in spoken))
        known = [[word for word in words if word in spoken] for words in sentences]
        narrow = _narrow_decoder(model, known, spoken) if any(known) else None
    except ImportError:
        raise ModelError("PocketSphinx is not installed", "pip install pocketsphinx") from None
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"PocketSphinx cannot be used: {error}", _REINSTALL) from None
    return free, narrow, left_out


def _english_decoder(model: Path) -> Any:
    import pocketsphinx

    return pocketsphinx.Decoder(
        samprate=_RATE_HZ,
        hmm=str(model / _ACOUSTIC),
        dict=str(model / _DICTIONARY),
        lm=str(model / "en-us.lm.bin"),
        cmn="batch",
        loglevel="FATAL",  # without a word on the screen; a failure comes as an exception all the same
    )


def _phones_decoder(model: Path) -> Any:
    """Hears phones and no words: it costs a quarter of the decoder for any English."""
    import pocketsphinx

    return pocketsphinx.Decoder(
        samprate=_RATE_HZ,
        hmm=str(model / _ACOUSTIC),
        lm=None,
        dict=None,
        allphone=str(model / "en-us-phone.lm.bin"),
        beam=1e-20,
        pbeam=1e-20,
        lw=2.0,  # as the library's own examples have it
        cmn="batch",
        loglevel="FATAL",
    )


def _narrow_decoder(
    model: Path, sentences: Sequence[Sequence[str]], spoken: Mapping[str, Sequence[str]]
) -> Any:
    """A decoder that knows the words of the sentences and nothing else: it loads in 20 ms."""
    import pocketsphinx

    with tempfile.TemporaryDirectory(prefix="assistant-hearing-", ignore_cleanup_errors=True) as folder:
        words, likely = Path(folder, "words.dict"), Path(folder, "phrases.lm")
        words.write_text("".join(_dictionary_lines(spoken)), encoding="utf-8")
        likely.write_text(arpa(sentences), encoding="utf-8")
        return pocketsphinx.Decoder(
            samprate=_RATE_HZ,
            hmm=str(model / _ACOUSTIC),
            dict=str(words),
            lm=str(likely),
            cmn="batch",
            loglevel="FATAL",
        )


def _dictionary_lines(spoken: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for word, ways in sorted(spoken.items()):
        for number, phones in enumerate(ways, 1):
            yield f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n"


def try_out(model: str) -> None:
    """Load what the recognizer loads and hear a second of silence; run in a process of its own."""
    for open_one in (_english_decoder, _phones_decoder):
        _decode(open_one(Path(model)), bytes(2 * _RATE_HZ))


if __name__ == "__main__":
    try_out(sys.argv[1])
