"""A voice through Piper: better to listen to than pyttsx3's, for those who install it.

Run as a program it tries one voice out: exit code 0 where it loads and says a word.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import DeviceError, NoVoiceError
from assistant.speech.sound.resampling import at_rate, in_pieces
from assistant.speech.speaking.piper_voices import find_piper_voices, validate_piper_voice, voices_for
from assistant.speech.speaking.sayable import USUAL_WORDS_A_MINUTE, check_speed, pieces

_RATE_HZ = 22_050  # of most voices; the others are brought to it
_BLOCK_BYTES = 2 * _RATE_HZ // 8  # stopping waits for a block
_INSTALL = "pip install 'offline-assistant[piper]'"


class PiperSynthesizer:
    """Speaks plain words as 16-bit mono blocks at 22,050 Hz, with the best voice of each language.

    A voice is tried out and loaded when its language is first spoken, which takes seconds. Raises
    NoVoiceError where Piper is not installed, and for a language without a voice; DeviceError for a
    voice that is damaged or fails.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        cache_folder: Path | None = None,
        words_a_minute: int = USUAL_WORDS_A_MINUTE,
    ) -> None:
        if importlib.util.find_spec("piper") is None:
            raise NoVoiceError("Piper is not installed", _INSTALL)
        self.words_a_minute = words_a_minute
        self._files = find_piper_voices(folders)
        self._cache_folder = cache_folder
        self._loaded: dict[Path, Any] = {}
        self._loading = threading.Lock()
        self._stops = 0  # how often it was stopped: what began before the last time is given up
        self._closed = False

    @property
    def rate_hz(self) -> int:
        return _RATE_HZ

    @property
    def words_a_minute(self) -> int:
        return self._words_a_minute

    @words_a_minute.setter
    def words_a_minute(self, wanted: int) -> None:
        self._words_a_minute = check_speed(wanted)

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        """The sound of the text, sentence by sentence; nothing for a text without words."""
        if self._closed:
            raise DeviceError("the voice was closed", "open a new one")
        stops, parts = self._stops, pieces(text)
        return self._speak_all(parts, self._voice(language), stops) if parts else iter(())

    def stop(self) -> None:
        """A sentence that is being made is made to its end, and then thrown away."""
        self._stops += 1

    def close(self) -> None:
        self._closed = True
        self.stop()
        self._loaded.clear()

    def _speak_all(self, parts: Sequence[str], voice: Any, stops: int) -> Iterator[bytes]:
        for part in parts:
            for block in in_pieces(_sentences(voice, part, self._words_a_minute), _BLOCK_BYTES):
                if self._stops != stops:
                    return
                yield block

    def _voice(self, language: str) -> Any:
        """The first voice of the language that is sound; a damaged one is passed over for another."""
        error: DeviceError = self._no_voice(language)
        for file in voices_for(language, self._files):
            try:
                return self._ready(file.path)
            except DeviceError as damaged:
                error = damaged
        raise error

    def _ready(self, path: Path) -> Any:
        with self._loading:
            if path not in self._loaded:
                validate_piper_voice(path, self._cache_folder)
                self._loaded[path] = _loaded(path)
            return self._loaded[path]

    def _no_voice(self, language: str) -> NoVoiceError:
        languages = ", ".join(sorted({file.language for file in self._files})) or "no language"
        return NoVoiceError(
            f"Piper has no voice for `{language}`, only for {languages}",
            "put NAME.onnx and NAME.onnx.json of a voice into the models folder",
        )


def _loaded(path: Path) -> Any:
    import piper

    try:
        return piper.PiperVoice.load(str(path))
    except Exception as error:  # it raises whatever its libraries raise
        raise DeviceError(f"the voice {path} cannot be loaded: {error}") from None


def _sentences(voice: Any, text: str, words_a_minute: int) -> Iterator[bytes]:
    """The sound of each sentence; `[[` would begin Piper's own alphabet of sounds."""
    import piper

    slowness = voice.config.length_scale * USUAL_WORDS_A_MINUTE / words_a_minute
    manner = piper.SynthesisConfig(length_scale=slowness)
    try:
        for sentence in voice.synthesize(text.replace("[[", " "), manner):
            yield from at_rate([sentence.audio_int16_bytes], sentence.sample_rate, _RATE_HZ)
    except Exception as error:  # it raises whatever its libraries raise
        raise DeviceError(f"the voice failed: {error}") from None


def _try_out(path: Path) -> None:
    sound = b"".join(_sentences(_loaded(path), "1", USUAL_WORDS_A_MINUTE))
    if not any(sound):
        raise DeviceError("it says nothing")


if __name__ == "__main__":
    _try_out(Path(sys.argv[1]))
