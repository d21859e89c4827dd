"""One turn of a customer: sound and readings in, what is to be told out. Without threads, without a clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from assistant.events import EarEvent, HeardOut, HearingFailed, NothingSaid, SpeechBegan
from assistant.speech.hearing.turn_taking import TurnTaking
from assistant.speech.sound.voice_activity import LEAD_SECONDS, VoiceActivity
from assistant.values import Heard

RATE_HZ = 16_000  # of detectors and recognizers; microphones are opened at it
BYTES_A_SECOND = RATE_HZ * 2
# After so much of a pause the recognizers are told that this was all, though the turn may go on:
# their last look at the whole costs up to half a second, which is over when the pause is. Who
# speaks on is heard again from the beginning. The quiet ends of words are within it.
_ASIDE_SECONDS = 0.2
# Recognizers that do not come to an end in so much of further sound are broken.
LONGEST_READING_SECONDS = 15.0

_LEAST_LANGUAGE_PROBABILITY = 0.1  # people's own language is nearly certain, any other next to nothing

Judge = Callable[[Heard], float]  # how much sense a reading makes; more is better
Events = Sequence[EarEvent]


class Readers(Protocol):
    """Recognizers, one a language, that all read the same sound.

    What they make of it comes back through `SpokenTurn.read` and `SpokenTurn.fail`.
    """

    def begin(self, attempt: int, sound: Iterable[bytes]) -> None:
        """Read a turn from its beginning; of the attempt before nothing more is wanted."""
        ...

    def give(self, block: bytes) -> None: ...

    def end(self) -> None:
        """That was all of this attempt: the final readings are wanted."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a recognizer made of an attempt."""

    attempt: int
    heard: Heard


@dataclass(frozen=True, slots=True)
class Failure:
    """A recognizer broke and reads nothing more."""

    language: str
    fact: str
    hint: str = ""


class SpokenTurn:
    """Hears one customer out, in the one of some languages that makes most sense.

    Every method returns what is to be told, in order; after `is_over` nothing comes. Sound in which
    no recognizer hears a word was a cough: it is not told, and the next word is waited for.
    """

    _recent: deque[bytes]  # not given to the recognizers
    _sound: list[bytes]  # given to them
    _later: list[bytes]  # heard after the customer had finished
    _is_open: bool  # more sound belongs to the attempt
    _shown: str  # the last that was told
    _heard_out: Heard | None  # it was told to be all, as far as can be seen
    _least_letters: int  # what is read again from its beginning is not shown again

    def __init__(
        self,
        turn: TurnTaking,
        activity: VoiceActivity,
        readers: Readers,
        languages: Sequence[str],
        judge: Judge,
    ) -> None:
        activity.reset()
        self._turn = turn
        self._activity = activity
        self._readers = readers
        self._readings = _Readings(languages, judge)
        self.is_over = False
        self._has_told_begin = self._is_asked_to_finish = False
        self._attempt = 0
        self._forget_sound()

    @property
    def is_reading(self) -> bool:
        """The customer has finished, the recognizers have not."""
        return not self.is_over and self._turn.stage in ("finished", "too long")

    @property
    def has_begun(self) -> bool:
        return self._turn.stage != "waiting"

    @property
    def sound(self) -> bytes:
        """What was said: 16-bit mono PCM at RATE_HZ, without long pauses."""
        return b"".join(self._sound)

    def hear(self, block: bytes) -> Events:
        """The next sound of the microphone."""
        if self.is_over:
            return ()
        if self.is_reading:
            return self._put_off(block)
        for speech in self._activity.push(block):
            self._turn.hear(speech, self._activity.frame_seconds)
        self._recent.append(block)
        return self._go_on()

    def read(self, reading: Reading) -> Events:
        """A recognizer's reading, as far as it is; one of an earlier attempt is old news."""
        if self.is_over or reading.attempt != self._attempt:
            return ()
        best = self._readings.add(reading.heard)
        if self.is_reading:
            return self._conclude()
        if best is None or len(best.text) < self._least_letters or self._readings.may_be_translated(best):
            return ()
        # Its text would have to be waited for anyway: until it is there, nobody is cut off by what it is not.
        self._turn.read(best.text, best.language, self._readings.are_final)
        if best.text == self._shown:
            return ()
        self._shown = best.text
        return (_partial(best),)

    def fail(self, failure: Failure) -> Events:
        """The other languages are heard on; without any it is over."""
        if self.is_over:
            return ()
        if not self._readings.give_up(failure.language):
            return self._over(HearingFailed(failure.fact, failure.hint))
        return self._conclude() if self.is_reading else ()

    def finish(self) -> Events:
        """What was said is all."""
        if self.is_over or self.is_reading:
            return ()
        self._is_asked_to_finish = True
        self._turn.finish()
        return self._go_on()

    def break_off(self) -> Events:
        """The recognizers were waited for long enough."""
        if self.is_over:
            return ()
        return self._over(
            HearingFailed(
                "the speech recognition does not keep pace with what is said",
                "close other programs, or use a smaller speech model",
            )
        )

    def _go_on(self) -> Events:
        stage = self._turn.stage
        if stage == "nobody spoke":
            return self._over(NothingSaid())
        if stage == "waiting":
            self._trim()
            return ()
        heard_out = self._heard_out
        self._pass_on()
        begun = () if self._has_told_begin else (SpeechBegan(),)
        self._has_told_begin = True
        if self.is_reading:
            return (*begun, *self._conclude())
        if heard_out and self._is_open:  # they go on
            return (_partial(heard_out),)
        return (*begun, *self._seem_over())

    def _seem_over(self) -> Events:
        """Told once for each attempt."""
        best = self._readings.best
        if self._heard_out or best is None or not self._turn.seems_over:
            return ()
        self._heard_out = best
        return (HeardOut(best),)

    def _pass_on(self) -> None:
        """Sound goes to the recognizers, but not that of a pause."""
        if self._turn.quiet_seconds < _ASIDE_SECONDS:
            self._give()
        elif not self._turn.is_push:
            self._end()
        if self.is_reading:
            self._end()
        self._trim()

    def _give(self) -> None:
        self._sound += self._recent
        if self._is_open:
            for block in self._recent:
                self._readers.give(block)
        else:
            self._is_open = True
            self._attempt += 1
            self._least_letters = len(self._shown)
            self._heard_out = None
            self._readings.forget()
            self._readers.begin(self._attempt, tuple(self._sound))
        self._recent.clear()

    def _end(self) -> None:
        if self._is_open:
            self._is_open = False
            self._readers.end()

    def _trim(self) -> None:
        """Of what nobody is listening to only the last moment is kept: the next word begins in it."""
        length = sum(map(len, self._recent))
        while self._recent and length - len(self._recent[0]) >= LEAD_SECONDS * BYTES_A_SECOND:
            length -= len(self._recent.popleft())

    def _put_off(self, block: bytes) -> Events:
        """While the last words are read, the customer may go on: if those come to nothing, it counts."""
        self._later.append(block)
        if sum(map(len, self._later)) > LONGEST_READING_SECONDS * BYTES_A_SECOND:
            return self.break_off()
        return ()

    def _conclude(self) -> Events:
        if not self._readings.are_final:
            return ()
        best = self._readings.best
        if best is not None and best.text:
            return self._over(best)
        if self._is_asked_to_finish:
            return self._over(NothingSaid())
        later = tuple(self._later)
        self._forget_sound()
        if self._turn.wait_again() == "nobody spoke":
            return self._over(NothingSaid())
        return tuple(event for block in later for event in self.hear(block))

    def _over(self, event: EarEvent) -> Events:
        self.is_over = True
        return (event,)

    def _forget_sound(self) -> None:
        self._recent = deque()
        self._sound, self._later = [], []
        self._is_open = False
        self._shown, self._least_letters = "", 0
        self._heard_out = None
        self._readings.forget()


def _partial(heard: Heard) -> Heard:
    return replace(heard, also_heard=(), final=False)


class _Readings:
    """The latest reading of each language, and which of them makes most sense."""

    def __init__(self, languages: Sequence[str], judge: Judge) -> None:
        self._awaited = set(languages)
        self._judge = judge
        self.forget()

    def forget(self) -> None:
        self._latest: dict[str, tuple[float, Heard]] = {}

    @property
    def best(self) -> Heard | None:
        if not self._latest:
            return None
        return max(self._latest.values(), key=lambda judged: judged[0])[1]

    @property
    def are_final(self) -> bool:
        return all(language in self._latest and self._latest[language][1].final for language in self._awaited)

    def may_be_translated(self, best: Heard) -> bool:
        """What is read so far is not shown in a language that hardly is the one that is spoken."""
        is_one_of_some = len(self._awaited) > 1 and not self.are_final
        return is_one_of_some and best.language_probability < _LEAST_LANGUAGE_PROBABILITY

    def add(self, heard: Heard) -> Heard | None:
        self._latest[heard.language] = (self._sense(heard), heard)
        return self.best

    def give_up(self, language: str) -> bool:
        """Whether anybody else is listening."""
        self._awaited.discard(language)
        self._latest.pop(language, None)
        return bool(self._awaited)

    def _sense(self, heard: Heard) -> float:
        """Judging takes some milliseconds: one language alone needs none."""
        if not heard.text:
            return float("-inf")
        return self._judge(heard) if len(self._awaited) > 1 else 0.0
