"""WAV files as microphone and as speaker."""

from __future__ import annotations

import secrets
import wave
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from assistant.errors import AudioError

if TYPE_CHECKING:
    from assistant.speech.sound.wav_format import WavFormat

LONGEST_SECONDS = 600  # a question is not longer, and ten minutes are what a recognizer bears
SHORTEST_SECONDS = 0.02  # less is not even a sound of speech


class WavMicrophone:
    """Plays a WAV file as if it were spoken: mono 16-bit blocks at `rate_hz`, as fast as they are taken.

    Reads PCM of 8 to 32 bits, floating point, A-law and mu-law, any number of channels and any
    sane rate. Raises AudioError for whatever else it is given; `notes` says what was odd in a
    file that could be read all the same. May be gone through more than once.
    """

    def __init__(self, path: Path, rate_hz: int = 16_000, block_seconds: float = 0.125) -> None:
        from assistant.speech.sound.resampling import check_rate

        self._path = path
        self._rate_hz = check_rate(rate_hz)
        self._block_bytes = max(2, int(rate_hz * block_seconds) * 2)
        self._closed = False
        self._form = _read_form(path)

    @property
    def rate_hz(self) -> int:
        return self._rate_hz

    @property
    def seconds(self) -> float:
        return self._form.seconds

    @property
    def notes(self) -> tuple[str, ...]:
        """What was odd about the file, in words for its owner; usually empty."""
        return self._form.notes

    def __iter__(self) -> Iterator[bytes]:
        from assistant.speech.sound.resampling import at_rate, in_pieces, to_pcm
        from assistant.speech.sound.wav_format import read_samples

        try:
            with self._path.open("rb") as file:
                whole = (to_pcm(samples) for samples in read_samples(file, self._form))
                for block in in_pieces(at_rate(whole, self._form.rate_hz, self._rate_hz), self._block_bytes):
                    if self._closed:
                        return
                    yield block
        except OSError as error:
            raise _cannot_read(self._path, error) from None

    def close(self) -> None:
        self._closed = True


def write_wav(path: Path, blocks: Iterable[bytes], rate_hz: int) -> float:
    """Write mono 16-bit PCM to a WAV file and return its length in seconds.

    The file appears whole or not at all: whatever stops the writing leaves what was there
    before. Raises AudioError where nothing can be written.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            raise AudioError(f"{path} is not a file that can be written", "name a file such as answer.wav")
        return _write_beside(target, blocks, rate_hz) / rate_hz
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        fact = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        hint = "name a file in a folder that exists, where you may write"
        raise AudioError(f"{path} cannot be written: {fact}", hint) from None


def _write_beside(target: Path, blocks: Iterable[bytes], rate_hz: int) -> int:
    """Write under another name first and take that away whatever happens."""
    unfinished = target.with_name(f".unfinished-{secrets.token_hex(4)}.wav")
    try:
        with unfinished.open("xb") as file:
            frames = _write(file, blocks, rate_hz)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return frames


def _write(file: BinaryIO, blocks: Iterable[bytes], rate_hz: int) -> int:
    frames, odd = 0, b""
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        for block in blocks:
            whole = odd + block
            odd = whole[len(whole) & ~1 :]
            sound.writeframes(whole[: len(whole) & ~1])
            frames += len(whole) // 2
    return frames


def _read_form(path: Path) -> WavFormat:
    from assistant.speech.sound.wav_format import how_to_convert, read_format

    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "not an ordinary file"
            raise AudioError(f"{path} is {what}, not a WAV file", "name one WAV file")
        with path.open("rb") as file:
            form = read_format(file, path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _cannot_read(path, error) from None
    if form.seconds > LONGEST_SECONDS:
        raise AudioError(
            f"{path} is {form.seconds / 60:.0f} minutes long; {LONGEST_SECONDS // 60} minutes are the most",
            f'cut the question out of it, for example with: ffmpeg -i "{path}" -t 60 question.wav',
        )
    if form.seconds < SHORTEST_SECONDS:
        raise AudioError(f"{path} holds less than a syllable of sound", how_to_convert(path))
    return form


def _cannot_read(path: Path, error: Exception) -> AudioError:
    if isinstance(error, FileNotFoundError):
        return AudioError(f"there is no file {path}", "check the name, and the folder that you are in")
    fact = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return AudioError(
        f"{path} cannot be read: {fact}", "check that the file may be read, or copy it elsewhere"
    )
