"""What the server is made of: frozen values, no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.answering import Assistant
from assistant.ports import Ear, Loudspeaker, Microphone, Mouth, TellEar, TellMouth
from assistant.settings import Settings

VOICE_RATE_HZ = 22_050  # of pyttsx3 and of most Piper voices: nothing needs to be resampled


class Seat(Protocol):
    """The place of one customer who speaks with the server: an ear and a mouth may be opened in it.

    Whoever has taken it closes it, and with it what was opened in it. All methods may be called from
    any thread, and wait for nothing: a model that is still loading only delays what is heard first.
    """

    def open_ear(self, microphone: Microphone, tell: TellEar) -> Ear:
        """An ear at a microphone of any rate from 8,000 to 96,000 Hz; 16,000 costs least."""
        ...

    def open_mouth(self, loudspeaker: Loudspeaker, tell: TellMouth) -> Mouth:
        """A mouth at a loudspeaker; `loudspeaker` may be closed and written to again any number of times."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Backstage:
    """All that the server needs of the rest of the house."""

    assistant: Assistant
    settings: Settings
    languages: tuple[str, ...]  # of the pages that are offered, the one for whoever comes first
    heard: tuple[str, ...]  # those of them that can be heard here
    spoken: tuple[str, ...]  # those of them that a voice here can speak
    take_seat: Callable[[], Seat]  # raises BusyError where all are taken
    # The sound that asks whoever finds no seat for a moment, in a language: mono 16-bit PCM at VOICE_RATE_HZ.
    # It is made ahead; nothing before that, and where there is no voice.
    moment_please: Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Access:
    """Where the server is reached."""

    host: str = "127.0.0.1"  # the address it listens on
    port: int = 8000  # 0: any that is free
    names: tuple[str, ...] = ()  # what browsers call it, beside the address and localhost
    certificate: tuple[Path, Path] | None = None  # chain and key, as PEM; None: HTTP without TLS
