"""A voice through pyttsx3: eSpeak NG on Linux, the system's own voices on macOS and Windows."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import textwrap
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import AudioError, DeviceError
from assistant.speech.child_program import Ending, finish, start_child
from assistant.speech.wav_audio import WavMicrophone

_CHILD = "assistant.speech.pyttsx3_child"
_RATE_HZ = 22_050
# The library under pyttsx3 crashed on 15,000 characters; at 500 it never did.
_LONGEST_PIECE = 500
# A piece takes a tenth of a second; what takes this long hangs.
_SECONDS_A_PIECE = 20
_WORDS_A_MINUTE = range(80, 451)
_REINSTALL = "if it stays so: pip install --force-reinstall pyttsx3 espeakng-loader"
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")
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
    libraries do, this one lives on. `voices` names a voice for a language where the usual one is
    not wanted. Raises DeviceError for a language without a voice and for a voice that fails.
    """

    def __init__(self, words_a_minute: int = 165, voices: Mapping[str, str] | None = None) -> None:
        if words_a_minute not in _WORDS_A_MINUTE:
            raise DeviceError(
                f"a voice cannot speak {words_a_minute} words a minute", "80 to 450 can be said"
            )
        self._words_a_minute = words_a_minute
        self._chosen = dict(voices or {})
        self._voices: tuple[Voice, ...] = ()
        self._children: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def rate_hz(self) -> int:
        return _RATE_HZ

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        """The sound of the text, piece by piece; nothing for a text without words.

        The voice is looked for at once, before the first block is asked for.
        """
        if self._closed:
            raise DeviceError("the voice was closed", "open a new one")
        parts = pieces(text)
        return self._speak_all(parts, self._voice(language)) if parts else iter(())

    def close(self) -> None:
        """Stop speaking, at once and from any thread; nothing is left behind."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()

    def _speak_all(self, parts: Sequence[str], voice: str) -> Iterator[bytes]:
        for part in parts:
            try:
                blocks = self._speak_one(part, voice)
            except DeviceError:
                if self._closed:  # close() ended the child: that is no failure
                    return
                raise
            for block in blocks:
                if self._closed:
                    return
                yield block

    def _speak_one(self, part: str, voice: str) -> list[bytes]:
        """All of it at once: no process and no file waits for a listener."""
        request = {"text": part, "voice": voice, "rate": self._words_a_minute}
        with self._answer(request, "speech.wav") as path:
            try:
                return list(WavMicrophone(path, _RATE_HZ))
            except AudioError:  # there was nothing to say in it
                return []

    def _voice(self, language: str) -> str:
        if not self._voices:
            with self._answer({}, "voices.json") as path:
                self._voices = _read_voices(path)
        wanted = self._chosen.get(language) or voice_for(language, self._voices)
        if wanted is None:
            raise DeviceError(
                f"no voice here speaks `{language}`", f"there are voices for: {_known(self._voices)}"
            )
        if all(wanted != voice.id for voice in self._voices):
            ids = ", ".join(voice.id for voice in self._voices)
            raise DeviceError(f"there is no voice `{wanted}` here", f"there are: {ids}")
        return wanted

    @contextmanager
    def _answer(self, request: Mapping[str, object], name: str) -> Iterator[Path]:
        """Let a child write the file of that name; it is gone again after the block."""
        with tempfile.TemporaryDirectory(prefix="assistant-voice-", ignore_cleanup_errors=True) as folder:
            whole = {**request, "folder": folder, "seconds": _SECONDS_A_PIECE}
            ending = self._run(json.dumps(whole).encode())
            path = Path(folder, name)
            if not path.exists():
                fact = ending.complaint or "its program ended without a word"
                raise DeviceError(f"the voice failed: {fact}", _REINSTALL)
            yield path

    def _run(self, said: bytes) -> Ending:
        try:
            with self._lock:
                if self._closed:
                    raise DeviceError("the voice was closed", "open a new one")
                child = start_child(_CHILD)
                self._children.add(child)
        except OSError as error:
            raise DeviceError(
                f"the voice cannot be started: {error}", "close other programs and try again"
            ) from None
        try:
            return finish(child, said, _SECONDS_A_PIECE)
        finally:
            with self._lock:
                self._children.discard(child)


def pieces(text: str) -> tuple[str, ...]:
    """The text in stretches of at most 500 characters, cut where a speaker would breathe.

    What no voice can say (control characters, halves of surrogate pairs) is left out.
    """
    sayable = "".join(c if c.isprintable() or c.isspace() else " " for c in text)
    found: list[str] = []
    for sentence in _SENTENCE_END.split(sayable):
        for part in textwrap.wrap(sentence, _LONGEST_PIECE):
            if found and len(found[-1]) + 1 + len(part) <= _LONGEST_PIECE:
                found[-1] += " " + part
            else:
                found.append(part)
    return tuple(part for part in found if any(c.isalnum() or not c.isascii() for c in part))


def voice_for(language: str, voices: Sequence[Voice]) -> str | None:
    """The id of the voice that speaks the language: the same tag first, then another region of it."""
    tag = language.lower().replace("_", "-")
    base = tag.partition("-")[0]
    for wanted in (_USUAL.get(tag, tag), tag, _USUAL.get(base, base), base):
        for voice in voices:
            if wanted in voice.languages:
                return voice.id
    starts = (voice.id for voice in voices if any(t.startswith(f"{base}-") for t in voice.languages))
    return next(starts, None)


def _read_voices(path: Path) -> tuple[Voice, ...]:
    listed = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Voice(voice["id"], tuple(_tags(voice["languages"]))) for voice in listed)


def _tags(languages: Sequence[str]) -> Iterator[str]:
    return (language.lower().replace("_", "-") for language in languages)


def _known(voices: Sequence[Voice]) -> str:
    return ", ".join(sorted({tag.partition("-")[0] for voice in voices for tag in voice.languages}))
