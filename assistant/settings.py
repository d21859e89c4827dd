"""Settings: `settings.toml` of the knowledge folder, the environment and the command line.

The command line wins over the environment, the environment over the file.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from assistant.errors import KnowledgeError, SettingsError
from assistant.values import Thresholds

FILE_NAME = "settings.toml"
ENCODERS = ("fast", "accurate")
Kind = Callable[[str, object], Any]  # the name of a setting and what was written -> what it means


Mode = Literal["push", "open"]
MODES: tuple[Mode, ...] = ("push", "open")


@dataclass(frozen=True, slots=True)
class ListeningSettings:
    """When a customer is taken to have finished."""

    mode: Mode = "open"  # push: while a key is held; open: whenever somebody speaks
    pause_seconds: float = 0.9  # so long a pause ends what is neither of the two below
    pause_after_question_seconds: float = 0.3  # what was said is a question that the pages know
    pause_unfinished_seconds: float = 1.6  # what was said cannot be all: "I would like to"
    longest_seconds: float = 20.0  # nobody is listened to for longer
    wait_seconds: float = 8.0  # for the first word
    # Hear nothing but these: whatever is said becomes one of them.
    only_questions: bool = False
    # Of a Whisper model, tried before all others; relative to the knowledge folder.
    whisper_model: Path | None = None


@dataclass(frozen=True, slots=True)
class SpeakingSettings:
    """How answers sound."""

    voices: tuple[str, ...] = ("piper", "pyttsx3")  # the first that can is taken, the others stand by
    volume: float = 0.6  # from 0 to 1, so that whoever asks for it can have it louder
    words_a_minute: int = 165
    # Near-silence before the first word where the loudspeaker was at rest: Bluetooth and HDMI swallow
    # the first 0.3 to 0.8 seconds, others hardly any.
    lead_in_seconds: float = 0.1


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """How a kiosk behaves."""

    languages: tuple[str, ...] = ()  # heard and offered; none named: those of the pages that can be heard
    idle_seconds: float = 60.0  # after so long without a customer everything is forgotten
    stop_by_voice: bool = True  # listen for "stop" while speaking


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the pages for browsers are served."""

    languages: tuple[str, ...] = ()  # offered; none named: those of the pages
    origins: tuple[str, ...] = ()  # sites that may show the chat: "https://shop.example"
    questions_a_minute: int = 120  # of one address; more are answered 429
    most_conversations: int = 2000  # remembered at a time; of more, those idle for longest are forgotten
    conversation_minutes: float = 720.0  # without a word, then it is forgotten
    most_speaking: int = 8  # customers who use microphone or voice at a time; of more, they are asked to wait


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, in one value."""

    knowledge_folder: Path
    model_folders: tuple[Path, ...] = ()  # searched in this order
    cache_folder: Path | None = None  # None: the user's cache folder
    default_language: str = "en"
    encoder: str = "fast"  # one of ENCODERS
    thresholds: Thresholds = field(default_factory=Thresholds)
    listening: ListeningSettings = field(default_factory=ListeningSettings)
    speaking: SpeakingSettings = field(default_factory=SpeakingSettings)
    kiosk: KioskSettings = field(default_factory=KioskSettings)
    web: WebSettings = field(default_factory=WebSettings)


def find_knowledge(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The knowledge folder: as given, else `ASSISTANT_KNOWLEDGE`, else `./knowledge`.

    Raises KnowledgeError with the way out when there is none.
    """
    named = given or (
        Path(environment["ASSISTANT_KNOWLEDGE"]) if environment.get("ASSISTANT_KNOWLEDGE") else None
    )
    folder = named or Path("knowledge")
    if folder.is_dir():
        return folder
    if named is None:
        raise KnowledgeError(
            "there is no knowledge base here",
            "start one with `assistant init knowledge`, or name yours with --knowledge FOLDER",
        )
    what = "is a file, not a folder" if folder.exists() else "does not exist"
    raise KnowledgeError(
        f"the knowledge folder {folder} {what}", f"start a new base with `assistant init {folder}`"
    )


def load_settings(
    knowledge_folder: Path,
    models: Path | None = None,
    encoder: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings of a knowledge base; raises SettingsError naming file and key."""
    stored = _read_file(knowledge_folder / FILE_NAME)
    if named := encoder or environment.get("ASSISTANT_ENCODER"):
        stored["encoder"] = _encoder("--encoder" if encoder else "ASSISTANT_ENCODER", named)
    return Settings(
        knowledge_folder=knowledge_folder,
        model_folders=model_folders(models, environment),
        cache_folder=Path(environment["ASSISTANT_CACHE"]) if environment.get("ASSISTANT_CACHE") else None,
        **stored,
    )


def model_folders(given: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Where speech models are looked for, in this order, before the user's own folder."""
    named = [given] if given else []
    if environment.get("ASSISTANT_MODELS"):
        named.append(Path(environment["ASSISTANT_MODELS"]))
    return (*named, Path("models"))


@dataclass(frozen=True, slots=True)
class _Section:
    """Where settings stand: a section of a file, or what is above the first one."""

    path: Path
    lines: Mapping[tuple[str, str], int]  # section and setting -> where in the file it is first written
    name: str = ""

    def place(self, key: str) -> str:
        """What a message about a setting begins with: "settings.toml:7: [kiosk] "."""
        line = self.lines.get((self.name, key))  # None: written in some way that is not looked for
        return f"{self.path}{f':{line}' if line else ''}: {f'[{self.name}] ' if self.name else ''}"


def _lines(text: str) -> dict[tuple[str, str], int]:
    """The number of the line on which each section and each setting of it begins."""
    found: dict[tuple[str, str], int] = {}
    section: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        heading, setting = _HEADING.match(line), _SETTING.match(line)
        if heading:
            section = written = _names(heading[1])
        elif setting:
            written = [*section, *_names(setting[1])]
        else:
            continue
        for place, name in enumerate(written):
            found.setdefault((".".join(written[:place]), name), number)
    return found


def _names(dotted: str) -> list[str]:
    return [name.strip(" \t\"'") for name in dotted.split(".")]


def _read_file(path: Path) -> dict[str, Any]:
    """The settings that the file names, by field of Settings; sections become values of their own."""
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        written = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}", "write it as `name = value`, one a line, in UTF-8"
        ) from None
    sections = {name: written.pop(name) for name in SECTIONS if isinstance(written.get(name), dict)}
    lines = _lines(text)
    stored = _checked(_Section(path, lines), _GENERAL, written)
    thresholds = {name: stored.pop(name) for name in _THRESHOLDS if name in stored}
    stored["thresholds"] = Thresholds(**thresholds)
    for name, values in sections.items():
        stored[name] = SECTIONS[name](**_checked(_Section(path, lines, name), _IN_SECTIONS[name], values))
    return stored


def _checked(section: _Section, kinds: Mapping[str, Kind], written: Mapping[str, object]) -> dict[str, Any]:
    for key in written:
        if key not in kinds:
            raise _unknown(section.place(key), key, kinds)
    return {key: kinds[key](f"{section.place(key)}`{key}`", value) for key, value in written.items()}


def _unknown(place: str, key: str, kinds: Mapping[str, Kind]) -> SettingsError:
    section = next((name for name, known in _IN_SECTIONS.items() if key in known and kinds is not known), "")
    near = difflib.get_close_matches(key, kinds, 1)
    if section:
        hint = f"write it below a line [{section}]"
    elif near:
        hint = f"did you mean `{near[0]}`?"
    else:
        sections = [f"[{name}]" for name in SECTIONS if kinds is _GENERAL]
        hint = f"known settings: {', '.join((*kinds, *sections))}"
    return SettingsError(f"{place}unknown setting `{key}`", hint)


_KEY = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_DOTTED = rf"({_KEY}(?:\s*\.\s*{_KEY})*)"
_HEADING, _SETTING = re.compile(rf"\s*\[\s*{_DOTTED}\s*\]"), re.compile(rf"\s*{_DOTTED}\s*=")
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?")

# --- kinds of settings: each turns what was written into what it means, or says why not ---------


def _number(least: float, most: float) -> Kind:
    def read(name: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise SettingsError(f"{name} must be a number from {least:g} to {most:g}, not {value!r}")
        return float(value)

    return read


def _whole_number(least: int, most: int) -> Kind:
    def read(name: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
        return value

    return read


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"{name} must be true or false, not {value!r}")
    return value


def _one_of(known: Sequence[str]) -> Kind:
    def read(name: str, value: object) -> str:
        if value not in known:
            raise SettingsError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        return str(value)

    return read


def _language(name: str, value: object) -> str:
    if not (isinstance(value, str) and re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", value)):
        raise SettingsError(f'{name} must be a language such as "de", not {value!r}')
    return value


def _folder(name: str, value: object) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise SettingsError(f'{name} must be a folder such as "../models/whisper-small", not {value!r}')
    return Path(value).expanduser()


def _languages(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError(f'{name} must be a list such as ["de", "en"], not {value!r}')
    return tuple(_language(name, one) for one in value)


def checked_origins(name: str, value: object) -> tuple[str, ...]:
    """Sites as they are written in a list, `name` being where it stands; raises SettingsError."""
    listed = [str(one) for one in value] if isinstance(value, list) else []
    if not isinstance(value, list) or not all(_ORIGIN.fullmatch(one) for one in listed):
        raise SettingsError(
            f'{name} must be a list of sites such as ["https://shop.example"], not {value!r}',
            "scheme and host, and a port where there is one; no path, no slash at the end",
        )
    return tuple(one.lower() for one in listed)


def _words(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
        raise SettingsError(f'{name} must be a list such as ["pyttsx3"], not {value!r}')
    return tuple(value)


def _encoder(name: str, value: object) -> str:
    if value in ENCODERS:
        return str(value)
    raise SettingsError(
        f"{name} must be one of {', '.join(ENCODERS)}, not {value!r}",
        "`fast` needs some milliseconds a question, `accurate` some 25 and pip install "
        "'offline-assistant[accurate]'",
    )


SECTIONS: Mapping[str, type] = {
    "listening": ListeningSettings,
    "speaking": SpeakingSettings,
    "kiosk": KioskSettings,
    "web": WebSettings,
}
_THRESHOLDS: Mapping[str, Kind] = {each.name: _number(0, 1) for each in fields(Thresholds)}
_GENERAL: Mapping[str, Kind] = {
    "default_language": _language,
    "encoder": _encoder,
    **_THRESHOLDS,
}
_IN_SECTIONS: Mapping[str, Mapping[str, Kind]] = {
    "listening": {
        "mode": _one_of(MODES),
        "pause_seconds": _number(0.1, 10),
        "pause_after_question_seconds": _number(0.1, 10),
        "pause_unfinished_seconds": _number(0.1, 10),
        "longest_seconds": _number(1, 300),
        "wait_seconds": _number(1, 300),
        "only_questions": _switch,
        "whisper_model": _folder,
    },
    "speaking": {
        "voices": _words,
        "volume": _number(0, 1),
        "words_a_minute": _whole_number(80, 450),
        "lead_in_seconds": _number(0, 2),
    },
    "kiosk": {
        "languages": _languages,
        "idle_seconds": _number(5, 3600),
        "stop_by_voice": _switch,
    },
    "web": {
        "languages": _languages,
        "origins": checked_origins,
        "questions_a_minute": _whole_number(1, 100_000),
        "most_conversations": _whole_number(1, 1_000_000),
        "conversation_minutes": _number(1, 43_200),
        "most_speaking": _whole_number(0, 1000),
    },
}
