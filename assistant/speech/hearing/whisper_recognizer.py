"""Speech through faster-whisper, with a model that its owner gives: nothing is ever fetched."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

from assistant.errors import DeviceError
from assistant.ports import Microphone
from assistant.speech.hearing.readings import Reading, final, join
from assistant.speech.hearing.whisper_models import shared_model, validate_whisper_model
from assistant.speech.hearing.whisper_reading import RATE_HZ, WINDOW_SECONDS, Glance, Stretch, WhisperReader
from assistant.speech.sound.resampling import at_rate, check_rate, even
from assistant.speech.sound.speech_gate import gated
from assistant.speech.sound.voice_activity import VoiceActivity
from assistant.values import Heard

_WINDOW_BYTES = WINDOW_SECONDS * RATE_HZ * 2
# From the beginning of one to that of the next. A glance costs a quarter of a second; on a machine on which
# it takes longer, it is looked more seldom.
_SECONDS_BETWEEN_GLANCES = 1.0
_TIMES_ITS_COST = 3


class WhisperRecognizer:
    """Hears one language with a multilingual or English Whisper model.

    The folder is tried in a process of its own first, and its model shared by all recognizers of
    this process. What is understood so far is looked at about once a second, where the sound comes
    no faster than it is spoken and nobody else is being read. Readings of the beam beside the best
    stand in `also_heard`.

    Raises ModelError for a folder that cannot be used, UnheardLanguageError for a language that its
    model does not hear, AudioError for a rate that speech cannot have, DeviceError where it is asked
    to listen twice at once or after `close()`.
    """

    def __init__(
        self,
        model_folder: Path,
        language: str,
        cache_folder: Path | None = None,
        phrases: Sequence[str] = (),
    ) -> None:
        validate_whisper_model(model_folder, cache_folder)
        self._language = language
        self._reader: Any = WhisperReader(shared_model(model_folder), language, phrases)
        self._activity = VoiceActivity(RATE_HZ)
        self._listening = threading.Lock()
        self._closed = False

    @property
    def language(self) -> str:
        return self._language

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        """Partial readings now and then, then the final one; empty text where nobody spoke."""
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
            if self._closed:
                self._reader = None

    def close(self) -> None:
        """Hear nothing more and give the memory back; what is being heard ends without a final reading."""
        self._closed = True
        if self._listening.acquire(blocking=False):
            self._reader = None
            self._listening.release()

    def _listen(self, microphone: Microphone) -> Iterator[Heard]:
        heard = at_rate(even(microphone), check_rate(microphone.rate_hz), RATE_HZ)
        stretches: list[Stretch] = []
        sound = bytearray()
        glances = _Glances(self._reader)
        for block in gated(heard, microphone, RATE_HZ, self._activity):
            if self._closed:
                return
            sound += block
            while len(sound) > _WINDOW_BYTES:
                stretches.append(self._reader.read(bytes(sound[:_WINDOW_BYTES])))
                del sound[:_WINDOW_BYTES]
                glances = _Glances(self._reader)
            if seen := glances.follow(sound):
                yield from self._so_far([*stretches, seen])
        if sound:
            stretches.append(self._reader.read(bytes(sound)))
        if not self._closed:
            yield self._heard(stretches)

    def _so_far(self, stretches: Sequence[Stretch]) -> Iterator[Heard]:
        heard = self._heard(stretches)
        if heard.text:
            yield replace(heard, also_heard=(), final=False)

    def _heard(self, stretches: Sequence[Stretch]) -> Heard:
        heard = final(join([stretch.readings for stretch in stretches]), self._language)
        said = [stretch.language_probability for stretch in stretches if stretch.readings]
        return replace(heard, language_probability=fmean(said)) if heard.text else heard


class _Glances:
    """Looks at what was said so far, again and again, while it is listened on."""

    def __init__(self, reader: WhisperReader) -> None:
        self._reader = reader
        self._glance: Glance | None = None
        self._began = time.monotonic()
        self._pause_seconds = _SECONDS_BETWEEN_GLANCES
        self._seen: Sequence[Reading] = ()

    def follow(self, sound: bytearray) -> Stretch | None:
        """The speech so far -> what is newly seen in it, if anything.

        Sound that comes at once, as from a file, is over before anything is looked at.
        """
        if self._glance is None:
            self._look(sound)
            return None
        if not self._glance.is_done:
            return None
        seen, self._glance = self._glance.stretch(), None
        self._pause_seconds = max(self._pause_seconds, _TIMES_ITS_COST * (time.monotonic() - self._began))
        if seen.readings == self._seen:
            return None
        self._seen = seen.readings
        return seen

    def _look(self, sound: bytearray) -> None:
        if time.monotonic() - self._began >= self._pause_seconds:
            self._glance = self._reader.glance(bytes(sound))
            self._began, self._pause_seconds = time.monotonic(), _SECONDS_BETWEEN_GLANCES
