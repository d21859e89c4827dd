"""The program that speaks one piece of text into a WAV file, or lists the voices, and ends.

It runs in a process of its own: the speech libraries under pyttsx3 may hang, crash or end the
process. The request is one JSON object on standard input: `folder` (where to write), `seconds`
(how long to live at most), and for speech `text`, `voice`, `rate`. The answer is a file in the
folder, put there whole as the last act: `speech.wav` or `voices.json`.
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
from typing import Any

# eSpeak NG copies the path of its data into 160 characters and cuts off what does not fit.
_LONGEST_DATA_PATH = 150


def main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    folder = Path(request["folder"])
    if hasattr(signal, "alarm"):  # should whoever started us be gone, nobody else would end us
        signal.alarm(int(request["seconds"]) + 1)
    engine = _engine(folder)
    if "text" in request:
        _speak(engine, request, folder)
    else:
        _list_voices(engine, folder)


def _engine(folder: Path) -> Any:
    if sys.platform not in ("darwin", "win32"):  # those bring voices of their own
        _prepare_espeak(folder)
    import pyttsx3

    return pyttsx3.init()


def _prepare_espeak(folder: Path) -> None:
    """Make the eSpeak NG that came with pip the one that pyttsx3 finds by name."""
    try:
        import espeakng_loader
    except ImportError:
        return  # the system may have one
    data = Path(espeakng_loader.get_data_path())
    if not (data / "phontab").is_file():  # the library would end the process with no word
        raise FileNotFoundError(data / "phontab")
    if len(os.fsencode(data)) > _LONGEST_DATA_PATH:
        (folder / "espeak").symlink_to(data)
        data = folder / "espeak"
    os.environ["ESPEAK_DATA_PATH"] = str(data)
    ctypes.CDLL(espeakng_loader.get_library_path(), mode=ctypes.RTLD_GLOBAL)


def _list_voices(engine: Any, folder: Path) -> None:
    voices = [
        {"id": str(voice.id), "languages": [_tag(language) for language in voice.languages or ()]}
        for voice in engine.getProperty("voices")
    ]
    unfinished = folder / "unfinished.json"
    unfinished.write_text(json.dumps(voices), encoding="utf-8")
    unfinished.replace(folder / "voices.json")


def _tag(language: object) -> str:
    """Some drivers give bytes, with a byte for the priority before them."""
    return (
        language.decode("utf-8", "ignore").strip("\x05\0") if isinstance(language, bytes) else str(language)
    )


def _speak(engine: Any, request: dict[str, Any], folder: Path) -> None:
    engine.setProperty("voice", request["voice"])
    engine.setProperty("rate", request["rate"])
    unfinished = folder / ("unfinished.aiff" if sys.platform == "darwin" else "unfinished.wav")
    engine.save_to_file(request["text"], str(unfinished))
    engine.runAndWait()
    if sys.platform == "darwin":
        unfinished = _aiff_to_wav(unfinished)
    while not _is_whole(unfinished):  # runAndWait may come back before the file is written
        time.sleep(0.005)
    unfinished.replace(folder / "speech.wav")


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
