"""A voice through pyttsx3: eSpeak NG on Linux, the system's own voices on macOS and Windows."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from assistant.errors import AudioError, DeviceError, NoVoiceError
from assistant.speech.child_program import Ending, SpareChild, finish
from assistant.speech.sound.resampling import at_rate, in_pieces, to_pcm
from assistant.speech.sound.wav_format import read_format, read_samples
from assistant.speech.speaking.sayable import USUAL_WORDS_A_MINUTE, check_speed, pieces
from assistant.values import primary_language

_CHILD = "assistant.speech.speaking.pyttsx3_child"
_RATE_HZ = 22_050
_BLOCK_BYTES = 2 * _RATE_HZ // 8  # stopping waits for a block
# A piece takes a tenth of a second; what takes this long hangs.
_SECONDS_A_PIECE = 20
# On a busy machine one child in ten loses a command, at worst.
_TRIES = 4
_REINSTALL = "if it stays so: pip install --force-reinstall pyttsx3 espeakng-loader"
# Which voice a bare language means, where its own name is not the one expected.
_USUAL = {"en": "en-us", "zh": "cmn", "no": "nb", "pt": "pt", "fr": "fr-fr", "fa": "fa"}


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that this machine can speak with."""

    id: str
    languages: tuple[str, ...]  # lowercase tags: "de", "en-us"


class Pyttsx3Synthesizer:
    """Speaks plain words as 16-bit mono blocks at 22,050 Hz.

    Each piece of at most 500 characters is spoken by a process of its own, so that whatever the
    libraries do, this one lives on; one is always started ahead. `voices` names a voice for a
    language where the usual one is not wanted. Raises NoVoiceError for a language without a voice,
    DeviceError for a voice that fails.
    """

    def __init__(
        self, words_a_minute: int = USUAL_WORDS_A_MINUTE, voices: Mapping[str, str] | None = None
    ) -> None:
        self.words_a_minute = words_a_minute
        self._chosen = dict(voices or {})
        self._voices: tuple[Voice, ...] = ()
        self._speaking: set[subprocess.Popen[bytes]] = set()
        self._stops = 0  # how often it was stopped: what began before the last time is given up
        self._lock = threading.Lock()
        self._closed = False
        self._spare = SpareChild(_CHILD)
        weakref.finalize(self, self._spare.close)
        self._restock()

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
        """The sound of the text, piece by piece; nothing for a text without words.

        The voice is looked for at once, before the first block is asked for.
        """
        if self._closed:
            raise DeviceError("the voice was closed", "open a new one")
        parts = pieces(text)
        return self._speak_all(parts, self._voice(language), self._stops) if parts else iter(())

    def stop(self) -> None:
        with self._lock:
            self._stops += 1
            for child in self._speaking:
                child.kill()

    def close(self) -> None:
        """Stop speaking, at once and from any thread; nothing is left behind."""
        self._closed = True
        self.stop()
        self._spare.close()

    def _speak_all(self, parts: Sequence[str], voice: str, stops: int) -> Iterator[bytes]:
        for part in parts:
            request = {"text": part, "voice": voice, "rate": self._words_a_minute}
            try:
                spoken = self._answer(request, stops)
            except DeviceError:
                if self._stops != stops:  # its child was ended: that is no failure
                    return
                raise
            for block in _blocks(spoken):
                if self._stops != stops:
                    return
                yield block

    def _voice(self, language: str) -> str:
        if not self._voices:
            self._voices = _read_voices(self._answer({}, self._stops))
        wanted = self._chosen.get(language) or voice_for(language, self._voices)
        if wanted is None:
            raise NoVoiceError(
                f"no voice here speaks `{language}`", f"there are voices for: {_known(self._voices)}"
            )
        if all(wanted != voice.id for voice in self._voices):
            ids = ", ".join(voice.id for voice in self._voices)
            raise NoVoiceError(f"there is no voice `{wanted}` here", f"there are: {ids}")
        return wanted

    def _answer(self, request: Mapping[str, object], stops: int) -> bytes:
        """What a child answers; one that was damaged while it waited, or lost a command, gets a successor."""
        for _ in range(_TRIES):
            with tempfile.TemporaryDirectory(prefix="assistant-voice-", ignore_cleanup_errors=True) as folder:
                whole = {**request, "folder": folder, "seconds": _SECONDS_A_PIECE}
                ending = self._run(json.dumps(whole).encode(), stops)
            if ending.answer and ending.exit_code == 0:
                self._restock()
                return ending.answer
            if self._stops != stops or ending.exit_code is None:
                break
        fact = ending.complaint or "its program ended without a word"
        raise DeviceError(f"the voice failed: {fact}", _REINSTALL)

    def _run(self, said: bytes, stops: int) -> Ending:
        try:
            child = self._spare.take()
        except OSError as error:
            raise _cannot_start(error) from None
        with self._lock:
            self._speaking.add(child)
            if self._stops != stops:
                child.kill()
        try:
            return finish(child, said, _SECONDS_A_PIECE)
        finally:
            with self._lock:
                self._speaking.discard(child)

    def _restock(self) -> None:
        with suppress(OSError):  # whoever needs one hears why there is none
            self._spare.restock()


def _cannot_start(error: OSError) -> DeviceError:
    return DeviceError(f"the voice cannot be started: {error}", "close other programs and try again")


def voice_for(language: str, voices: Sequence[Voice]) -> str | None:
    """The id of the voice that speaks the language: the same tag first, then another region of it."""
    tag = language.lower().replace("_", "-")
    base = primary_language(tag)
    for wanted in (_USUAL.get(tag, tag), tag, _USUAL.get(base, base), base):
        for voice in voices:
            if wanted in voice.languages:
                return voice.id
    starts = (voice.id for voice in voices if any(t.startswith(f"{base}-") for t in voice.languages))
    return next(starts, None)


def _blocks(spoken: bytes) -> list[bytes]:
    """The sound of a WAV file, all of it at once: no process waits for a listener."""
    file = io.BytesIO(spoken)
    try:
        form = read_format(file, "what was spoken")
    except AudioError:  # there was nothing to say in it
        return []
    whole = (to_pcm(samples) for samples in read_samples(file, form))
    return list(in_pieces(at_rate(whole, form.rate_hz, _RATE_HZ), _BLOCK_BYTES))


def _read_voices(listed_as_json: bytes) -> tuple[Voice, ...]:
    listed = json.loads(listed_as_json)
    return tuple(Voice(voice["id"], tuple(_tags(voice["languages"]))) for voice in listed)


def _tags(languages: Sequence[str]) -> Iterator[str]:
    return (language.lower().replace("_", "-") for language in languages)


def _known(voices: Sequence[Voice]) -> str:
    return ", ".join(sorted({primary_language(tag) for voice in voices for tag in voice.languages}))
