"""The failure family: what broke, a way out, and the exit code it ends a command with.

Not finding an answer is a value and a broken page is a list of problems; these are for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.values import Problem


class AssistantError(Exception):
    """Something broke; `fact` says what, `hint` what to do about it."""

    exit_code = 1

    def __init__(self, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.hint = hint


class KnowledgeError(AssistantError):
    """The knowledge cannot be used: no folder, no pages, or pages with problems."""

    def __init__(self, fact: str, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(fact, hint)
        self.problems = tuple(problems)


class SettingsError(AssistantError):
    """A setting is unknown or has a value that cannot be used."""


class ModelError(AssistantError):
    """A model is missing, damaged, or for another language."""


class UnheardLanguageError(ModelError):
    """A model of other languages: nothing is wrong with it, another model may hear this one."""


class AudioError(AssistantError):
    """A sound file or stream cannot be used as it is."""


class DeviceError(AssistantError):
    """A microphone, speaker or voice is missing or failed."""


class NoVoiceError(DeviceError):
    """A voice that does not speak the language, or is not installed: nothing failed, another may."""


class BusyError(AssistantError):
    """All that serve customers are taken: who waits a moment and asks again is served."""
