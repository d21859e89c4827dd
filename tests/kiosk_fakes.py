"""An ear and a mouth without sound, and a kiosk of a small base around them; run as a program, it is one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fakes import SHOP, TODAY, FakePages, WordMatcher

from assistant.answering import Assistant
from assistant.channels.kiosk.loop import KioskOptions, Senses, run_kiosk
from assistant.errors import DeviceError
from assistant.events import EarEvent, MouthEvent, VoiceEnded, VoiceFailed, VoiceStarted
from assistant.ports import Chime, Ear, Mouth, TellEar, TellMouth
from assistant.settings import KioskSettings, ListeningSettings, Settings
from assistant.values import Heard

SECONDS = 20.0  # no test waits for longer


@dataclass
class FakeEar:
    """Hears what a test says, when it listens."""

    tell: TellEar
    number: int = 0
    does: str = "rest"
    languages: tuple[str, ...] = ()
    saying: str = ""
    is_closed: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def listen(self, languages: Sequence[str], push: bool = False) -> int:
        self.languages = tuple(languages)
        return self._do("push" if push else "listen")

    def finish(self) -> None:
        self._do("finish", 0)

    def attend_stop(self, language: str, saying: str) -> int:
        self.languages, self.saying = (language,), saying
        return self._do("attend")

    def rest(self) -> None:
        self._do("rest", 0)

    def close(self) -> None:
        self.is_closed = True

    def _do(self, what: str, more: int = 1) -> int:
        with self.changed:
            self.does = what
            self.number += more
            self.changed.notify_all()
            return self.number

    def hear(self, *events: EarEvent | str, when: str = "listen") -> None:
        """Tell it as soon as the ear does that; words are a final reading."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.does == when, SECONDS), self.does
            self.does = "heard"
            number = self.number
        for event in events:
            self.tell(number, Heard(event, "en") if isinstance(event, str) else event)


@dataclass
class FakeMouth:
    """Remembers what it says; ends at once, unless it is to wait for being stopped."""

    tell: TellMouth
    is_long: bool = False
    is_broken: bool = False
    number: int = 0
    said: list[tuple[str, str]] = field(default_factory=list)
    played: list[Chime] = field(default_factory=list)
    ready: list[tuple[str, str]] = field(default_factory=list)
    adjusted: tuple[float, int] = (0.0, 0)
    is_closed: bool = False

    def say(self, text: str, language: str) -> int:
        self.number += 1
        self.said.append((text, language))
        if self.is_broken:
            self._tell(VoiceFailed("there is no voice", "install one"))
            return self.number
        self._tell(VoiceStarted())
        if not self.is_long:
            self._tell(VoiceEnded())
        return self.number

    def make_ready(self, text: str, language: str) -> None:
        self.ready.append((text, language))

    def play(self, chime: Chime) -> None:
        self.played.append(chime)

    def stop(self) -> None:
        self._tell(VoiceEnded(stopped=True))

    def adjust(self, volume: float, words_a_minute: int) -> None:
        self.adjusted = (volume, words_a_minute)

    def close(self) -> None:
        self.is_closed = True

    def _tell(self, event: MouthEvent) -> None:
        self.tell(self.number, event)


@dataclass
class FakeSenses:
    """Opens one ear and one mouth, and keeps them for the test."""

    has_ear: bool = True
    ear: FakeEar | None = None
    mouth: FakeMouth | None = None
    is_long: bool = False

    def open_ear(self, tell: TellEar) -> Ear:
        if not self.has_ear:
            raise DeviceError("there is no microphone", "plug one in")
        self.ear = FakeEar(tell)
        return self.ear

    def open_mouth(self, tell: TellMouth) -> Mouth:
        self.mouth = FakeMouth(tell, is_long=self.is_long)
        return self.mouth


def kiosk_settings(**kiosk: object) -> Settings:
    return Settings(Path(), listening=ListeningSettings(), kiosk=KioskSettings(**kiosk))  # type: ignore[arg-type]


def main(*words: str) -> int:
    """`long`: the voice speaks until it is stopped; `deaf`: no microphone; `json`: JSON lines."""
    assistant = Assistant(FakePages(SHOP), WordMatcher, lambda: TODAY)
    fakes = FakeSenses(has_ear="deaf" not in words, is_long="long" in words)
    senses = Senses(fakes.open_ear, fakes.open_mouth)
    return run_kiosk(assistant, senses, kiosk_settings(), KioskOptions(("en", "de"), "json" in words))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
