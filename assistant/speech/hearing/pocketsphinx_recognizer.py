"""English without a download, through PocketSphinx: it listens for the questions that it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from assistant.errors import DeviceError, ModelError
from assistant.ports import Microphone
from assistant.speech.hearing.pocketsphinx_decoders import (
    RATE_HZ,
    decode,
    listed,
    phones_decoder,
    phrases_decoder,
)
from assistant.speech.hearing.pocketsphinx_processes import REINSTALL, PocketSphinxProcesses
from assistant.speech.hearing.pronunciation import words_of
from assistant.speech.hearing.readings import Reading, final, join
from assistant.speech.models.pocketsphinx_model import packaged_model, validate_pocketsphinx_model
from assistant.speech.sound.noise_floor import with_noise_floor
from assistant.speech.sound.resampling import at_rate, check_rate, even
from assistant.speech.sound.speech_gate import gated
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard, primary_language

# The lattice of one utterance grows with its length.
_SECONDS_A_STRETCH = 30
# How much worse than any row of phones a stop word may explain a stretch of sound (difference of the
# natural logarithms of both path scores). 48 spoken stop words came to -0.04 and more, what is left
# of the assistant's own voice to -0.07 and less.
_WORSE_THAN_PHONES = -0.05
# Stop words count so many times as much as all others together: who says "stop" must be obeyed.
_LIKELIER = 5


class PocketSphinxRecognizer:
    """Hears English. What is said is decoded as one of the phrases, and as a mere row of phones.

    Where the phrases explain the sound about as well as phones do, they are the reading. Else it is
    decoded as any English too: where the phrases explain it clearly better than that, they are the
    reading and the free one stands in `also_heard`. Otherwise only the free one is given: the
    nearest question to something that was no question would be a witness for a wrong answer.
    Without phrases every reading is free. `left_out` names words of the phrases that it cannot listen for.

    It decodes in processes of its own, which end with it; where one has died, the next `recognize` begins
    with new ones. The model is tried out first (see `validate_pocketsphinx_model`).

    Raises ModelError where the library or its model is damaged or another language is asked for, AudioError
    for a rate that speech cannot have, DeviceError where it is asked to listen twice at once or
    after `close()`, and where its processes cannot be started, die or hang.
    """

    def __init__(
        self, phrases: Sequence[str], language: str = "en", cache_folder: Path | None = None
    ) -> None:
        if primary_language(language) != "en":
            raise ModelError(f"PocketSphinx hears English, not `{language}`", "install a model for Vosk")
        self._language = language
        self._phrases = tuple(phrases)
        self._listening = threading.Lock()
        self._closed = False
        self._activity = VoiceActivity(RATE_HZ)
        self._model = packaged_model()
        validate_pocketsphinx_model(self._model, cache_folder)
        self._processes = PocketSphinxProcesses(self._phrases, self._model)
        self.left_out = self._processes.left_out

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
        self._processes.end()

    def _listen(self, microphone: Microphone) -> Iterator[Heard]:
        heard = at_rate(even(microphone), check_rate(microphone.rate_hz), RATE_HZ)
        spoken = with_noise_floor(gated(heard, microphone, RATE_HZ, self._activity))
        processes = self._living_processes()
        stretches: list[list[Reading]] = []
        sound = bytearray()
        try:
            for block in spoken:
                if self._closed:
                    return
                sound += block
                if text := processes.follow(block):
                    yield replace(final(join([*stretches, [Reading(text)]]), self._language), final=False)
                if len(sound) >= _SECONDS_A_STRETCH * RATE_HZ * 2:
                    stretches.append(processes.read(bytes(sound)))
                    sound.clear()
            stretches.append(processes.read(bytes(sound)))
            yield final(join(stretches), self._language)
        except DeviceError:
            if not self._closed:
                raise
        finally:
            processes.forget()

    def _living_processes(self) -> PocketSphinxProcesses:
        if not self._processes.are_alive:
            self._processes.end()
            self._processes = PocketSphinxProcesses(self._phrases, self._model)
            if self._closed:  # in the meantime
                self._processes.end()
        return self._processes


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
        single = sorted({word for phrase in others for word in words_of(phrase)} - {*self._words})
        likely = [*words] * (_LIKELIER * (1 + len(single) // max(1, len(words))))
        try:
            known = listed(words, model)
            if not known:
                raise ModelError("none of the stop words can be listened for", "name English words")
            self.left_out = known.left_out
            self._phones = phones_decoder(model)
            self._narrow = phrases_decoder(model, known)
            self._wide = phrases_decoder(model, listed([*likely, *single], model)) if single else None
        except (ImportError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"PocketSphinx cannot be used: {error}", REINSTALL) from None

    def __call__(self, sound: bytes) -> str:
        """16-bit mono PCM at 16,000 Hz, a second or so -> the stop words that it is, or nothing."""
        floored = b"".join(with_noise_floor([sound]))
        text, score = decode(self._narrow, floored)
        if text not in self._words:
            return ""
        if score - decode(self._phones, floored)[1] < _WORSE_THAN_PHONES:
            return ""
        is_other = self._wide is not None and decode(self._wide, floored)[0] not in self._words
        return "" if is_other else self._words[text]
