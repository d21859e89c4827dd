"""A mouth: one thread makes the sound of an answer sentence by sentence, another one plays it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from assistant.errors import DeviceError, NoVoiceError
from assistant.events import SentenceBegan, VoiceEnded, VoiceFailed, VoiceReplaced, VoiceStarted
from assistant.ports import Chime, Loudspeaker, TellMouth
from assistant.settings import SpeakingSettings
from assistant.speech.speaking.making import Broken, Finished, Making, Sound
from assistant.speech.speaking.playing import Playing
from assistant.speech.speaking.sayable import SPEEDS
from assistant.speech.speaking.voices import Openers, Voices

# The slowest voice measured needs a second for a sentence on a busy machine.
_PATIENCE_SECONDS = 8.0
# Before that it may have to try a model out and to load it: 15 seconds on a busy machine.
_PATIENCE_AT_FIRST_SECONDS = 60.0
_CLOSING_SECONDS = 3.0  # a thread that loads a voice cannot be hurried, and Ctrl-C is not to wait for it
_IDLE_SECONDS = 60.0  # no wait is without an end


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a mouth speaks with."""

    voices: Openers  # best first
    open_loudspeaker: Callable[[], Loudspeaker]  # raises DeviceError where there is none
    tell: TellMouth
    cut: Callable[[str, str], Sequence[str]]  # a text and its language -> sentences
    settings: SpeakingSettings = field(default_factory=SpeakingSettings)
    played: Callable[[bytes, int], None] | None = None  # told of all that is said, as PCM, and of its rate
    languages: Sequence[str] = ()  # soon to be spoken: their voices are made ready at once
    patience_seconds: float = _PATIENCE_SECONDS  # a voice that keeps a listener waiting longer hangs
    is_far: bool = False  # the loudspeaker is that of another machine


@dataclass(slots=True, eq=False)
class _Saying:
    number: int
    language: str
    sentences: Sequence[str]
    voice: str = ""
    making: Making | None = None
    sentence: int | None = None  # that is being played; None: not started yet
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True, eq=False)
class _Ringing:
    chime: Chime
    stopped: threading.Event = field(default_factory=threading.Event)


class Talking:
    """A Mouth (see ports) that speaks with the first voice that can, and with the next when it fails."""

    def __init__(self, equipment: Equipment) -> None:
        settings = equipment.settings
        self._with = equipment
        self._voices = Voices(equipment.voices, settings.words_a_minute)
        self._playing = Playing(
            equipment.open_loudspeaker, settings.lead_in_seconds, equipment.played, equipment.is_far
        )
        self._playing.volume = settings.volume
        self._number = 0
        self._waiting: deque[_Saying | _Ringing] = deque()
        self._now: _Saying | _Ringing | None = None
        self._making: Making | None = None  # the last one
        self._ready: _Saying | None = None  # made before it is to be said
        self._closed = False
        self._lock = threading.Lock()  # of all above that changes
        self._news = threading.Event()
        self._threads = (
            threading.Thread(target=self._play_all, name="mouth", daemon=True),
            threading.Thread(
                target=self._voices.warm_up, args=[equipment.languages], name="warming up", daemon=True
            ),
        )
        for thread in self._threads:
            thread.start()

    def say(self, text: str, language: str) -> int:
        """Say plain words; what was being said is stopped."""
        sentences = tuple(self._with.cut(text, language))
        with self._lock:
            self._stop(_Saying)
            saying = self._made_ready(sentences, language)
            self._number += 1
            saying.number = self._number
            if is_closed := self._closed:
                saying.stopped.set()
            else:
                if saying.making is None:
                    with suppress(DeviceError):  # it is tried again, and then told, in its turn
                        self._make(saying)
                self._waiting.append(saying)
        self._news.set()
        if is_closed:
            self._with.tell(saying.number, VoiceEnded(stopped=True))
        return saying.number

    def make_ready(self, text: str, language: str) -> None:
        """These words may be said next: have them made, and say nothing."""
        ready = _Saying(0, language, tuple(self._with.cut(text, language)))
        with self._lock:
            self._drop_ready()
            if self._closed or self._now or self._waiting:
                return
            with suppress(DeviceError):  # told when it is said
                self._make(ready)
                self._ready = ready

    def play(self, chime: Chime) -> None:
        """A short sound, before whatever is said next."""
        with self._lock:
            self._waiting.append(_Ringing(chime))
        self._news.set()

    def stop(self) -> None:
        """Silence within some milliseconds; what was made ready is not wanted any more."""
        with self._lock:
            self._drop_ready()
            self._stop(_Saying, _Ringing)

    def adjust(self, volume: float, words_a_minute: int) -> None:
        """From the next sentence on; volume from 0 to 1."""
        with self._lock:
            self._drop_ready()  # it was made at another speed
        self._playing.volume = min(max(volume, 0.0), 1.0)
        self._voices.words_a_minute = min(max(words_a_minute, SPEEDS[0]), SPEEDS[-1])

    def close(self) -> None:
        """Silence; returns when all threads and voices have ended."""
        with self._lock:
            self._closed = True
            self._drop_ready()
            self._stop(_Saying, _Ringing)
        self._news.set()
        self._voices.close()
        for thread in self._threads:
            thread.join(_CLOSING_SECONDS)
        if self._making:
            self._making.wait(_CLOSING_SECONDS)

    def _stop(self, *kinds: type[_Saying] | type[_Ringing]) -> None:
        for task in filter(None, (self._now, *self._waiting)):
            if isinstance(task, kinds) and not task.stopped.is_set():
                task.stopped.set()
                if isinstance(task, _Saying) and task.making:
                    task.making.give_up()
                    self._voices.stop()

    def _made_ready(self, sentences: Sequence[str], language: str) -> _Saying:
        """With its sound under way where just this was made ready; what else was ready is dropped."""
        if (ready := self._ready) and (ready.sentences, ready.language) == (sentences, language):
            self._ready = None
            return ready
        self._drop_ready()
        return _Saying(0, language, sentences)

    def _drop_ready(self) -> None:
        ready, self._ready = self._ready, None
        if ready and ready.making:
            ready.making.give_up()
            self._voices.stop()

    def _make(self, saying: _Saying, first: int = 0) -> None:
        """Have the sentences made by the best voice that is left; raises DeviceError where none is."""
        saying.voice = self._voices.best(saying.language)
        speak = partial(self._voices.speak, saying.voice, saying.language)
        saying.making = self._making = Making(speak, saying.sentences, first)

    # --- in the playing thread ---------------------------------------------------------------

    def _play_all(self) -> None:
        while task := self._next():
            if isinstance(task, _Ringing):
                self._ring(task)
            else:
                self._with.tell(task.number, self._say(task))
        self._playing.let_go()

    def _next(self) -> _Saying | _Ringing | None:
        """The next thing to play, waited for; None once it is closed and everything was told its end."""
        while True:
            with self._lock:
                self._now = self._waiting.popleft() if self._waiting else None
                if self._now or self._closed:
                    return self._now
                self._news.clear()
            self._playing.rest(self._news)
            self._news.wait(_IDLE_SECONDS)

    def _ring(self, ringing: _Ringing) -> None:
        with suppress(Exception):  # a chime is not worth a word
            self._playing.ring(ringing.chime, ringing.stopped)
            if not ringing.stopped.is_set():
                return
        self._playing.let_go()

    def _say(self, saying: _Saying) -> VoiceEnded | VoiceFailed:
        try:
            if saying.sentences:
                self._say_all(saying)
        except Exception as error:  # whatever it is, others wait for the end and want to speak after it
            self._playing.let_go()
            if not saying.stopped.is_set():
                return _failure(error)
        finally:
            if saying.making:
                saying.making.give_up()
        if saying.sentence is not None and saying.stopped.is_set():
            self._playing.let_go()
        return VoiceEnded(saying.stopped.is_set())

    def _say_all(self, saying: _Saying) -> None:
        """Play what is made as it comes, until its end or until it is stopped."""
        while not saying.stopped.is_set():
            if saying.making is None:
                self._make(saying)
                continue
            made = saying.making.take(self._patience_seconds(saying))
            if isinstance(made, Sound):
                self._sound(saying, made)
            elif isinstance(made, Broken):
                self._take_over(saying, saying.making, made)
            elif isinstance(made, Finished):
                self._playing.end(saying.stopped)
                return
            else:
                self._playing.wait(saying.stopped)

    def _patience_seconds(self, saying: _Saying) -> float:
        if self._voices.has_spoken(saying.voice, saying.language):
            return self._with.patience_seconds
        return _PATIENCE_AT_FIRST_SECONDS

    def _sound(self, saying: _Saying, sound: Sound) -> None:
        self._playing.open(saying.stopped)
        self._voices.praise(saying.voice, saying.language)
        if saying.sentence is None:
            self._with.tell(saying.number, VoiceStarted())
        if saying.sentence != sound.sentence:
            saying.sentence = sound.sentence
            self._with.tell(saying.number, SentenceBegan(saying.sentences[sound.sentence]))
        self._playing.sound(sound, saying.stopped)

    def _take_over(self, saying: _Saying, making: Making, broken: Broken) -> None:
        """Let the next voice speak on; raises DeviceError where there is none."""
        making.give_up()
        self._voices.stop()
        failed = saying.voice
        self._voices.blame(failed, saying.language, broken.why)
        self._make(saying, broken.sentence)
        if not isinstance(broken.why, NoVoiceError):  # that one could not be expected to speak
            self._with.tell(saying.number, VoiceReplaced(failed, saying.voice, broken.why.fact))


def _failure(error: Exception) -> VoiceFailed:
    if isinstance(error, DeviceError):
        return VoiceFailed(error.fact, error.hint)
    return VoiceFailed(f"speaking failed: {error!r}", "restart the program")
