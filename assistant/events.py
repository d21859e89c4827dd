"""What an ear and a mouth tell while they work: frozen values, told in the order in which they happen."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.values import Heard

# --- what an ear tells --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """Somebody has begun to speak."""


@dataclass(frozen=True, slots=True)
class HeardOut:
    """Whoever speaks seems to have finished: unless they go on, just this will be heard.

    The answer may be made ready, but not given. Who goes on is told as a partial `Heard`.
    """

    heard: Heard


@dataclass(frozen=True, slots=True)
class NothingSaid:
    """It was waited for as long as a customer may think, and nobody spoke."""


@dataclass(frozen=True, slots=True)
class StopSaid:
    """While the assistant spoke, somebody said a word that stops it."""

    words: str  # "…" for somebody who just speaks on: the next `listen` hears that from its beginning


@dataclass(frozen=True, slots=True)
class MicrophoneLost:
    """The microphone is gone or gives nothing; it is looked for until it is back."""

    fact: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class MicrophoneBack:
    """The microphone gives sound again."""


@dataclass(frozen=True, slots=True)
class HearingFailed:
    """What was said could not be recognized: the recognizer broke."""

    fact: str
    hint: str = ""


# `Heard` comes partial (`final=False`) any number of times, then once with `final=True`.
EarEvent = (
    SpeechBegan | Heard | HeardOut | NothingSaid | StopSaid | MicrophoneLost | MicrophoneBack | HearingFailed
)


# --- what a mouth tells -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VoiceStarted:
    """The first sound of what is to be said goes to the loudspeaker now."""


@dataclass(frozen=True, slots=True)
class SentenceBegan:
    """The first sound of this sentence goes to the loudspeaker now: a caption may show it."""

    text: str


@dataclass(frozen=True, slots=True)
class VoiceEnded:
    """The last sound has been played, or it was told to stop."""

    stopped: bool = False


@dataclass(frozen=True, slots=True)
class VoiceReplaced:
    """A voice failed and the next one speaks on, from the sentence that failed."""

    failed: str  # the name of the voice that failed
    by: str
    fact: str


@dataclass(frozen=True, slots=True)
class VoiceFailed:
    """Nothing here can say it: the text on the screen must do."""

    fact: str
    hint: str = ""


MouthEvent = VoiceStarted | SentenceBegan | VoiceEnded | VoiceReplaced | VoiceFailed
