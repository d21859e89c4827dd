"""What a kiosk is at a moment, what may happen to it, and what it then does: frozen values, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from assistant.events import EarEvent, MouthEvent
from assistant.ports import Chime, Ear, Mouth
from assistant.settings import Mode
from assistant.values import Conversation, Reply, Utterance


class State(StrEnum):
    """What the kiosk is about."""

    IDLE = "idle"  # nobody is here: it invites, and listens where it may
    READY = "ready"  # the customer's turn, by key: the ear is closed
    LISTENING = "listening"  # the customer's turn: the ear is open
    THINKING = "thinking"  # an answer is under way
    SPEAKING = "speaking"
    ENDED = "ended"


class EarIs(StrEnum):
    """What the ear was told to do last and has not come to the end of."""

    CLOSED = "closed"
    LISTENING = "listening"
    ATTENDING = "attending"  # to words that stop the voice


# --- what it says ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """Words of an answer."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Own:
    """A sentence of the assistant's own, by the name of its entry."""

    name: str
    language: str


Saying = Words | Own


# --- what it is -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rules:
    """What does not change while the kiosk runs."""

    languages: tuple[str, ...]  # at least one; the first is spoken to whoever comes
    heard: tuple[str, ...] = ()  # those of them that can be heard; none named: all
    mode: Mode = "open"
    idle_seconds: float = 60.0
    listen_seconds: float = 28.0  # no listening takes longer: the wait for a word and the longest utterance
    stop_by_voice: bool = True
    volume: float = 1.0
    words_a_minute: int = 165
    can_hear: bool = True
    can_speak: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """What a part of the kiosk must do without: fact, hint."""

    fact: str
    hint: str = ""
    is_passing: bool = False  # others have it just now: it is asked for again


@dataclass(frozen=True, slots=True)
class Kiosk:
    """All that a kiosk remembers between two happenings; times are seconds of one clock."""

    rules: Rules
    state: State = State.IDLE
    since_seconds: float = 0.0  # when the state began
    active_seconds: float = 0.0  # when there last was a sign of a customer
    conversation: Conversation = field(default_factory=Conversation)
    turn: int = 0  # the number of the last question; answers to earlier ones are old news
    ear: EarIs = EarIs.CLOSED
    ear_number: int | None = None  # None: not told yet
    ear_since_seconds: float = 0.0
    is_push: bool = False  # the ear listens until it is told to finish
    is_spoken_to: bool = False  # somebody has begun to speak, and has not been heard out
    failures: int = 0  # of the recognizer, one after another
    saying: Saying | None = None
    mouth_number: int | None = None
    volume: float = 1.0
    words_a_minute: int = 165
    heard: str = ""  # the customer's words on the screen
    is_heard_out: bool = False  # the customer has finished saying them
    reply: Reply | None = None  # on the screen
    portions: tuple[str, ...] = ()  # of the answer, still to be said
    notice: str = ""  # the name of an own sentence on the screen
    expects: bool = False  # the customer was asked for words, or asked to be heard
    scroll: int = 0  # lines of the screen above its upper edge
    typed: str | None = None  # what stands in the input line; None: there is none
    ear_note: Note | None = None
    mouth_note: Note | None = None
    refreshed_seconds: float = 0.0  # when changed pages were last looked for

    @property
    def language(self) -> str:
        """In which the kiosk speaks to the customer now."""
        talk = self.conversation
        return talk.chosen_language or talk.language or self.rules.languages[0]

    @property
    def can_hear(self) -> bool:
        """There is an ear, and it knows the language that is spoken to the customer now."""
        heard = self.rules.heard
        return self.rules.can_hear and (not heard or self.language in heard)

    @property
    def is_deaf(self) -> bool:
        """Nothing can be heard: customers type."""
        return not self.can_hear or self.ear_note is not None

    @property
    def forgets_at_seconds(self) -> float | None:
        """When whoever is silent counts as gone; None while somebody is heard, answered or awaited."""
        is_turn = self.state in (State.READY, State.LISTENING)
        if not is_turn or self.is_spoken_to:
            return None
        return self.active_seconds + self.rules.idle_seconds

    @property
    def asks_to_go_on(self) -> bool:
        """The customer's turn is to say whether the rest of the answer is wanted."""
        return bool(self.portions) and self.state in (State.READY, State.LISTENING)


# --- what happens ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Started:
    """The kiosk has been switched on."""


@dataclass(frozen=True, slots=True)
class EarTold:
    """Something an ear tells, of the listening with that number."""

    number: int
    event: EarEvent


@dataclass(frozen=True, slots=True)
class MouthTold:
    """Something a mouth tells, of the saying with that number."""

    number: int
    event: MouthEvent


@dataclass(frozen=True, slots=True)
class EarNumbered:
    """The number of the listening that was just begun."""

    number: int


@dataclass(frozen=True, slots=True)
class MouthNumbered:
    """The number of the saying that was just begun."""

    number: int


@dataclass(frozen=True, slots=True)
class Key:
    """A key: a letter, or `space enter escape backspace touch f1 ... f12`."""

    name: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button with the name of a key: it is never meant for the input line."""

    name: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A whole line that was typed elsewhere than at the keys."""

    text: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to the question of that number."""

    turn: int
    conversation: Conversation
    reply: Reply
    portions: tuple[str, ...]  # of what a voice says
    is_understood: bool = True


@dataclass(frozen=True, slots=True)
class AnswerFailed:
    """There will be no answer to the question of that number."""

    turn: int
    fact: str


@dataclass(frozen=True, slots=True)
class PagesReloaded:
    """Pages have changed on disk."""

    is_taken_up: bool = True  # False: they have errors, and the last good ones stay


@dataclass(frozen=True, slots=True)
class Equipped:
    """An ear or a mouth has come, or it is known why not; what is None here is as it was before."""

    ear: Ear | None = None
    mouth: Mouth | None = None
    ear_note: Note | None = None
    mouth_note: Note | None = None
    stop_by_voice: bool | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Quit:
    """The kiosk is to be switched off."""


Happening = (
    Started
    | EarTold
    | MouthTold
    | EarNumbered
    | MouthNumbered
    | Key
    | Pressed
    | Typed
    | Answered
    | AnswerFailed
    | PagesReloaded
    | Equipped
    | Tick
    | Quit
)


# --- what it does ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Listen:
    """Hear the next utterance; its number comes back as `EarNumbered`."""

    languages: tuple[str, ...]
    push: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """What was said so far is all."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Close the ear."""


@dataclass(frozen=True, slots=True)
class AttendStop:
    """Listen for nothing but a word that stops these words; the number comes back as `EarNumbered`."""

    saying: Saying


@dataclass(frozen=True, slots=True)
class Answer:
    """Find the answer to an utterance."""

    turn: int
    conversation: Conversation
    utterance: Utterance


@dataclass(frozen=True, slots=True)
class MakeReady:
    """Find the answer to what may be asked in a moment, and have its first words made; say nothing yet."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class OpenEntry:
    """Answer from the entry with that name."""

    turn: int
    conversation: Conversation
    name: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """Answer what was answered last."""

    turn: int
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Say:
    """Say it aloud; the number comes back as `MouthNumbered`."""

    saying: Saying


@dataclass(frozen=True, slots=True)
class Play:
    """A short sound."""

    chime: Chime


@dataclass(frozen=True, slots=True)
class StopVoice:
    """Silence."""


@dataclass(frozen=True, slots=True)
class Adjust:
    """How loud and how fast, from the next sentence on."""

    volume: float
    words_a_minute: int


@dataclass(frozen=True, slots=True)
class Forget:
    """Whoever was here is gone: keep nothing of what was said."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Look for changed pages; `PagesReloaded` comes back where there are any."""


@dataclass(frozen=True, slots=True)
class End:
    """Close everything."""


Act = (
    Listen
    | Finish
    | Rest
    | AttendStop
    | Answer
    | MakeReady
    | OpenEntry
    | Repeat
    | Say
    | Play
    | StopVoice
    | Adjust
    | Forget
    | Refresh
    | End
)
