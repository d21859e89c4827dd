"""The program that speaks one piece of text, or lists the voices, and ends.

It runs in a process of its own: the speech libraries under pyttsx3 may hang, crash or end the
process. It gets ready first and then waits for its request, one JSON object on standard input:
`seconds` (how long to live at most from then on), `folder` (for files that a system cannot do
without), and for speech `text`, `voice`, `rate`. The answer goes whole to standard output: a WAV
file, or the voices as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import wave
from pathlib import Path
from typing import Any, BinaryIO

# eSpeak NG copies the path of its data into 160 characters and cuts off what does not fit.
_LONGEST_DATA_PATH = 150
# A cold disk takes seconds to load the libraries; what takes longer hangs.
_SECONDS_TO_GET_READY = 30
_OPEN_FILES = Path("/proc/self/fd")


def main() -> None:
    answer = _answer()
    _live_at_most(_SECONDS_TO_GET_READY)
    engine = _engine()
    _live_at_most(0)
    said = sys.stdin.buffer.read()
    if not said:  # whoever started us ended
        return
    request = json.loads(said)
    _live_at_most(request["seconds"] + 1)
    spoken = _spoken(engine, request) if "text" in request else _voices(engine)
    if "rate" in request and abs(engine.getProperty("rate") - request["rate"]) >= 1:
        sys.exit("it lost a command")  # eSpeak NG does on a busy machine: the speed, or the text as well
    answer.write(spoken)
    answer.flush()
    os._exit(0)  # the libraries take their time to clean up, and somebody waits


def _answer() -> BinaryIO:
    """Standard output, for us alone: the libraries print to it."""
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return answer


def _live_at_most(seconds: int) -> None:
    """Should whoever started us be gone, nobody else would end us; 0: without an end."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


def _engine() -> Any:
    if sys.platform not in ("darwin", "win32"):  # those bring voices of their own
        _prepare_espeak()
    import pyttsx3

    return pyttsx3.init()


def _prepare_espeak() -> None:
    """Make the eSpeak NG that came with pip the one that pyttsx3 finds by name."""
    try:
        import espeakng_loader
    except ImportError:
        return  # the system may have one
    data = Path(espeakng_loader.get_data_path())
    if not (data / "phontab").is_file():  # the library would end the process with no word
        raise FileNotFoundError(data / "phontab")
    if len(os.fsencode(data)) > _LONGEST_DATA_PATH and _OPEN_FILES.is_dir():
        data = _OPEN_FILES / str(os.open(data, os.O_RDONLY))  # a short name for the same folder
    os.environ["ESPEAK_DATA_PATH"] = str(data)
    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)


def _voices(engine: Any) -> bytes:
    voices = [
        {"id": str(voice.id), "languages": [_tag(language) for language in voice.languages or ()]}
        for voice in engine.getProperty("voices")
    ]
    return json.dumps(voices).encode()


def _tag(language: object) -> str:
    """Some drivers give bytes, with a byte for the priority before them."""
    return (
        language.decode("utf-8", "ignore").strip("\x05\0") if isinstance(language, bytes) else str(language)
    )


def _spoken(engine: Any, request: dict[str, Any]) -> bytes:
    engine.setProperty("voice", request["voice"])
    engine.setProperty("rate", request["rate"])
    path = _file(Path(request["folder"]))
    engine.save_to_file(request["text"], str(path))
    engine.runAndWait()
    if sys.platform == "darwin":
        path = _aiff_to_wav(path)
    while not _is_whole(path):  # runAndWait may come back before the file is written
        time.sleep(0.005)
    return path.read_bytes()


def _file(folder: Path) -> Path:
    """Where to speak into: pyttsx3 wants a file; on Linux one that is in memory only."""
    if hasattr(os, "memfd_create") and _OPEN_FILES.is_dir():
        return _OPEN_FILES / str(os.memfd_create("speech"))
    return folder / ("speech.aiff" if sys.platform == "darwin" else "speech.wav")


def _aiff_to_wav(aiff: Path) -> Path:
    """macOS speaks into AIFF and brings a converter."""
    sound = aiff.with_suffix(".wav")
    command = ["afconvert", "-f", "WAVE", "-d", "LEI16@22050", "-c", "1", str(aiff), str(sound)]
    subprocess.run(command, check=True, capture_output=True)
    return sound


def _is_whole(path: Path) -> bool:
    try:
        with wave.open(str(path), "rb") as sound:
            promised = sound.getnframes() * sound.getnchannels() * sound.getsampwidth()
        return path.stat().st_size >= promised + 44
    except (OSError, EOFError, wave.Error):
        return False


if __name__ == "__main__":
    main()
