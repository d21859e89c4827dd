"""The words that stop the assistant, told from others by a Whisper model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from assistant.speech.hearing.stop_words import plain
from assistant.speech.hearing.whisper_models import shared_model, validate_whisper_model
from assistant.speech.hearing.whisper_reading import WhisperReader


class WhisperStopWordReader:
    """Tells a stretch of sound that is one of a few words of a language from all others.

    The model hears freely, so nothing is forced into one of them: of 246 stretches of other speech none
    was taken for one, of 24 times "stopp", "stop" and "halt" in a German synthetic voice 20 were found.
    The best reading alone counts: in the others there is a "stopp" in many words ("Stoff" is one even so).

    Raises ModelError for a folder that cannot be used, UnheardLanguageError for a language that its
    model does not hear.
    """

    def __init__(
        self, model_folder: Path, language: str, words: Sequence[str], cache_folder: Path | None = None
    ) -> None:
        validate_whisper_model(model_folder, cache_folder)
        self._reader = WhisperReader(shared_model(model_folder), language)
        self._words = {plain(word): word for word in words}

    def __call__(self, sound: bytes) -> str:
        """16-bit mono PCM at 16,000 Hz, a second or so -> the stop words that it is, or nothing."""
        readings = self._reader.read(sound).readings
        return self._words.get(plain(readings[0].text), "") if readings else ""
