"""Settings -> what the server for browsers is made of: places for customers who speak with it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from assistant import wiring
from assistant.channels.web.values import VOICE_RATE_HZ, Backstage, Seat
from assistant.dialogue.own_voice import Sentence, own_sentence
from assistant.errors import BusyError
from assistant.settings import Settings, SpeakingSettings
from assistant.wiring.hearing import Sense, UpToDate, stop_word_reader

if TYPE_CHECKING:
    from assistant.answering import Assistant
    from assistant.ports import Ear, Loudspeaker, Microphone, Mouth, Recognizer, TellEar, TellMouth
    from assistant.speech.hearing.recognizing import Borrow
    from assistant.speech.hearing.stop_words import StopSpotter, StopSpotters
    from assistant.speech.speaking.shared_voices import SharedVoices

Plug = TypeVar("Plug", bound="Ear | Mouth")

# So many customers may begin to speak at once, and none waits for a recognizer to open (one to two seconds).
# Each takes some 25 MB in a language of Vosk's, later up to 200 MB, and 145 MB in English with PocketSphinx.
_READY_AHEAD = 4
# The threads of a seat end within some milliseconds, unless a model is being loaded.
_CLOSING_SECONDS = 5.0
# That somebody goes on speaking is noticed after half a second, at worst a second; then the browser is told
# and asks to listen.
_BEFORE_INTERRUPTION_SECONDS = 2.0


@contextlib.contextmanager
def open_backstage(settings: Settings, assistant: Assistant) -> Iterator[Backstage]:
    """All that the server needs; whatever speaks or listens is closed at the end of the block.

    It waits for no model: recognizers and voices are tried out and warmed in the background.
    Raises SettingsError for a voice that is not known.
    """
    from assistant.speech.hearing.recognizer_pool import RecognizerPool
    from assistant.speech.hearing.stop_words import StopSpotters
    from assistant.speech.speaking.shared_voices import SharedVoices

    languages = settings.web.languages or assistant.knowledge.languages
    seats = settings.web.most_speaking
    voices = SharedVoices(wiring.voice_openers(settings))
    heard = tuple(tag for tag in languages if seats and wiring.can_hear(settings, tag))
    spoken = tuple(tag for tag in languages if seats and voices.speaks(tag))

    def open_one(language: str) -> Recognizer:
        return wiring.open_recognizer(settings, language, assistant.knowledge)

    with (
        contextlib.closing(voices),
        contextlib.closing(RecognizerPool(open_one, max(1, seats), ahead=min(seats, _READY_AHEAD))) as pool,
    ):
        spotters = StopSpotters(partial(stop_word_reader, settings, assistant))
        speech = _Speech(settings, assistant, UpToDate(pool, spotters, assistant).borrow, spotters, voices)
        pool.warm(heard)
        spotters.warm(heard)
        moments = _Moments(assistant, voices, settings.speaking)
        threading.Thread(target=moments.make, args=[spoken], name="warm-voices", daemon=True).start()
        with contextlib.closing(_Seats(speech, seats)) as taken:
            yield Backstage(assistant, settings, languages, heard, spoken, taken.take, moments.said)


class _Moments:
    """The sentence that asks for a moment, aloud: made while nobody waits, for when all are busy."""

    def __init__(self, assistant: Assistant, voices: SharedVoices, speaking: SpeakingSettings) -> None:
        self._assistant, self._voices, self._speaking = assistant, voices, speaking
        self._made: dict[str, bytes] = {}

    def make(self, languages: Sequence[str]) -> None:
        for language in languages:
            self._made[language] = self._make(own_sentence(self._assistant.knowledge, "one-moment", language))

    def _make(self, sentence: Sentence) -> bytes:
        """At the speed and the volume of all that is said."""
        from assistant.speech.sound.resampling import to_pcm, to_samples

        speed = self._speaking.words_a_minute
        pcm = self._voices.warm(sentence.spoken, sentence.language, VOICE_RATE_HZ, speed)
        return to_pcm(to_samples(pcm) * self._speaking.volume)

    def said(self, language: str) -> bytes:
        return self._made.get(language, b"")


@dataclass(frozen=True, slots=True)
class _Speech:
    """What all seats share."""

    settings: Settings
    assistant: Assistant
    borrow: Borrow
    stop_spotters: StopSpotters
    voices: SharedVoices

    def stop_words(self, language: str) -> StopSpotter:
        """With a word of the language, or by speaking on; by neither where nobody is to stop it by voice."""
        from assistant.speech.hearing.interruption import InterruptionSpotter

        spotter = self.stop_spotters(language)
        return InterruptionSpotter(spotter) if self.settings.kiosk.stop_by_voice else spotter


class _Seats:
    """So many customers may speak at a time, and no more."""

    def __init__(self, speech: _Speech, most: int) -> None:
        self._speech, self._most = speech, most
        self._changed = threading.Condition()
        self._taken: set[SpeakingSeat] = set()
        self._closed = False

    def take(self) -> Seat:
        with self._changed:
            if self._closed or len(self._taken) >= self._most:
                raise BusyError(
                    "all who can listen and speak are with other customers just now",
                    "type your question, or try again in a moment",
                )
            seat = SpeakingSeat(self._speech, self._left)
            self._taken.add(seat)
            return seat

    def close(self) -> None:
        """All leave; returns when they have left."""
        with self._changed:
            self._closed = True
            for seat in self._taken:
                seat.close()
            self._changed.wait_for(lambda: not self._taken, _CLOSING_SECONDS)

    def _left(self, seat: SpeakingSeat) -> None:
        with self._changed:
            self._taken.discard(seat)
            self._changed.notify_all()


class SpeakingSeat:
    """A Seat (see channels/web/values.py): its place is free again when all its threads have ended."""

    def __init__(self, speech: _Speech, left: Callable[[SpeakingSeat], None]) -> None:
        from assistant.speech.sound.far_voice import FarVoice

        self._speech, self._left = speech, left
        self._voice = FarVoice()
        self._changing = threading.Lock()
        self._opened: list[Ear | Mouth] = []
        self._closed = False

    def open_ear(self, microphone: Microphone, tell: TellEar) -> Ear:
        from assistant.speech.hearing.ear_tasks import EarParts
        from assistant.speech.hearing.listening import Listening
        from assistant.speech.hearing.spoken_turn import RATE_HZ
        from assistant.speech.sound.resampled_microphone import ResampledMicrophone

        sense = Sense(self._speech.assistant)
        parts = EarParts(
            open_microphone=lambda: ResampledMicrophone(microphone, RATE_HZ),
            borrow=self._speech.borrow,
            tell=tell,
            echo=self._voice,
            stop_words=self._speech.stop_words,
            is_known_question=sense.is_known_question,
            judge=sense.judge,
            settings=self._speech.settings.listening,
            seconds_before_interruption=_BEFORE_INTERRUPTION_SECONDS,
        )
        return self._keep(Listening(parts))

    def open_mouth(self, loudspeaker: Loudspeaker, tell: TellMouth) -> Mouth:
        from assistant.dialogue.portions import sentences
        from assistant.speech.speaking.talking import Equipment, Talking

        followed = self._voice.through(loudspeaker)
        equipment = Equipment(
            voices=self._speech.voices.openers(),
            open_loudspeaker=lambda: followed,
            tell=tell,
            cut=sentences,
            played=self._voice.played,
            # A browser has woken its loudspeaker before.
            settings=replace(self._speech.settings.speaking, lead_in_seconds=0.0),
            is_far=True,
        )
        return self._keep(Talking(equipment))

    def close(self) -> None:
        with self._changing:
            if self._closed:
                return
            self._closed = True
        threading.Thread(target=self._leave, name="leaving", daemon=True).start()

    def _keep(self, opened: Plug) -> Plug:
        with self._changing:
            if not self._closed:
                self._opened.append(opened)
                return opened
        opened.close()
        return opened

    def _leave(self) -> None:
        try:
            for one in reversed(self._opened):
                one.close()
        finally:
            self._left(self)
