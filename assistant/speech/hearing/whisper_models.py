"""Whisper models in folders that their owners give: tried first, loaded once, and nothing ever fetched."""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from assistant.errors import ModelError, UnheardLanguageError
from assistant.speech.child_program import finish, start_child
from assistant.speech.models.trials import try_once
from assistant.values import primary_language

_TRIAL = "assistant.speech.hearing.whisper_models"
# A large model (3 GB) loads in half a minute from a slow disk.
TRIAL_SECONDS = 180
# Without one of these the library looks for them on the internet, or has no model.
NEEDED = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_WORDS_OF_MANY_LANGUAGES = 51_865  # of those that hear English alone one less
# At the same time in one process, each on a core of its own: on two cores two readings then take as long as
# one, 0.25 s, and one after the other 0.46 s. Two threads for one reading made it slower (0.34 s).
_FEWEST_READINGS, _MOST_READINGS = 2, 8
_HINT = "name the folder of a Whisper model converted for CTranslate2"

_models: WeakValueDictionary[str, Any] = WeakValueDictionary()
_models_lock = threading.Lock()


def validate_whisper_model(
    folder: Path, cache_folder: Path | None = None, seconds: float = TRIAL_SECONDS
) -> None:
    """Raise ModelError unless the folder holds all that is needed, loads, and reads a second of silence.

    Tried in a process of its own, which a damaged model may end; once: what passed is remembered in
    the cache folder until a file of the model changes.
    """
    import importlib.util

    if importlib.util.find_spec("faster_whisper") is None:
        raise ModelError("faster-whisper is not installed", "pip install 'offline-assistant[whisper]'")
    _check_files(folder)
    try_once("faster-whisper", folder, cache_folder, lambda: _try(folder, seconds))


def shared_model(folder: Path) -> Any:
    """The library's model, one for the whole process; any number of threads may read with it.

    Raises ModelError where it cannot be loaded.
    """
    path = str(folder.resolve())
    with _models_lock:
        model = _models.get(path)
        if model is None:
            model = _models[path] = _load(folder)
    return model


def tokenizer(model: Any, language: str) -> Any:
    """Between words of a language and the model's numbers for them; raises UnheardLanguageError."""
    from faster_whisper.tokenizer import Tokenizer

    base = primary_language(language)
    if base not in model.supported_languages:
        raise UnheardLanguageError(
            f"this Whisper model does not hear `{base}`", "give the folder of a multilingual model"
        )
    return Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", base)


def may_hear(folder: Path, language: str) -> bool:
    """Whether a model hears more than English, where that is asked for; told without loading it.

    Of a folder that holds no model nothing is known: why not is told when it is opened.
    """
    if primary_language(language) == "en":
        return True
    path = next((folder / name for name in _VOCABULARIES if (folder / name).is_file()), None)
    if path is None:
        return True
    written = path.read_bytes()
    words = len(written.splitlines()) if path.suffix == ".txt" else _count(written)
    return not words or words >= _WORDS_OF_MANY_LANGUAGES


def _count(written: bytes) -> int:
    """The words of a vocabulary in JSON; 0 where it is damaged."""
    try:
        return len(json.loads(written))
    except ValueError:
        return 0


def check_language(folder: Path, language: str, cache_folder: Path | None = None) -> None:
    """Raise ModelError for a folder that cannot be used, UnheardLanguageError where it does not hear that."""
    validate_whisper_model(folder, cache_folder)
    tokenizer(shared_model(folder), language)


def _try(folder: Path, seconds: float) -> None:
    try:
        ending = finish(start_child(_TRIAL, str(folder.resolve())), b"", seconds)
    except (OSError, ValueError) as error:
        raise ModelError(f"the speech model {folder} cannot be tried out: {error}", _HINT) from None
    if ending.exit_code != 0:
        how = "it crashes when it is loaded" if (ending.exit_code or 0) < 0 else ending.complaint
        raise ModelError(f"the speech model {folder} cannot be used: {how}", f"fetch it again, or {_HINT}")


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"there is no folder {folder}", _HINT)
    names = [*NEEDED, next((name for name in _VOCABULARIES if (folder / name).exists()), _VOCABULARIES[0])]
    for name in names:
        path = folder / name
        if not path.is_file():
            raise ModelError(f"{folder} is no speech model for Whisper: {name} is missing", _HINT)
        if not path.stat().st_size:
            raise ModelError(f"the speech model {folder} is damaged: {name} is empty", "fetch it again")
    for path in (folder / name for name in names if name.endswith(".json")):
        try:
            json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ModelError(
                f"the speech model {folder} is damaged: {path.name} is not JSON", "fetch it again"
            ) from None


def _load(folder: Path) -> Any:
    """The model; from a path, which the library never takes for a name to look for online."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # whatever it lacks, it must not ask for
    try:
        import faster_whisper

        return faster_whisper.WhisperModel(
            str(folder.resolve()),
            device="cpu",
            compute_type="int8",
            cpu_threads=1,
            num_workers=min(max(_FEWEST_READINGS, os.cpu_count() or 1), _MOST_READINGS),
            local_files_only=True,
        )
    except Exception as error:  # the library has no failures of its own
        raise ModelError(f"the speech model {folder} cannot be loaded: {error}", "fetch it again") from None


def try_out(folder: str) -> None:
    """Load a model and read a second of silence; run in a process of its own, which may die of it."""
    from assistant.speech.hearing.whisper_reading import RATE_HZ, WhisperReader

    model = _load(Path(folder))
    WhisperReader(model, model.supported_languages[0]).read(bytes(2 * RATE_HZ))


if __name__ == "__main__":
    try_out(sys.argv[1])
