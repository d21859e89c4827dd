"""A few voices that speak for many mouths, and remember the sentences that they have made."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from assistant.errors import DeviceError
from assistant.ports import Synthesizer
from assistant.speech.sound.resampling import at_rate, in_pieces
from assistant.speech.speaking.sayable import USUAL_WORDS_A_MINUTE, check_speed
from assistant.speech.speaking.voices import Openers

# Each keeps a core busy while it makes a sentence, and a better one takes 100 MB or more a language:
# the next sentence of one customer is made while another one's is, and no more of them at once.
_AT_ONCE = 2
# 24 minutes of speech at 22,050 Hz: the answers of a base of some 200 entries.
_MOST_BYTES = 64_000_000
_BLOCKS_A_SECOND = 8  # whoever stops waits for a block at most
# A sentence takes a tenth of a second, of a better voice half a second: who waits this long waits for voices
# that hang.
_WAIT_SECONDS = 20.0
_WARM_UP = "1"  # every voice of every language can say it


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a voice was asked to say, and how."""

    voice: str
    text: str
    language: str
    words_a_minute: int


class SentenceMemory:
    """The sound of the sentences that were asked for last, as mono 16-bit PCM; for any number of threads."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Sentence, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes_kept(self) -> int:
        return self._bytes

    def get(self, sentence: Sentence) -> bytes | None:
        with self._lock:
            if sentence not in self._kept:
                return None
            self._kept.move_to_end(sentence)
            return self._kept[sentence]

    def put(self, sentence: Sentence, pcm: bytes) -> None:
        """What was asked for longest ago makes room; what would fill it alone is not kept."""
        with self._lock:
            self._bytes -= len(self._kept.pop(sentence, b""))
            if len(pcm) > self._most_bytes:
                return
            self._kept[sentence] = pcm
            self._bytes += len(pcm)
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])


class SharedVoices:
    """Opens voices once for all mouths; `openers` stands for those that it was made with.

    A voice is opened when a mouth first needs it, and a second time where two need it at once. Who
    falls silent first is served first.
    """

    def __init__(self, openers: Openers, at_once: int = _AT_ONCE, most_bytes: int = _MOST_BYTES) -> None:
        self.memory = SentenceMemory(most_bytes)
        self._voices = {name: _Voice(open_one, at_once) for name, open_one in openers}

    @property
    def waiting(self) -> int:
        """So many sentences wait for a voice."""
        return sum(voice.waiting for voice in self._voices.values())

    def openers(self) -> Openers:
        """For one mouth, best first; to close what they open leaves the voices to the others."""
        return [(name, partial(self._facade, name)) for name in self._voices]

    def speaks(self, language: str) -> bool:
        """Whether one of them has a voice for the language; those that stand by are the quickest to ask."""
        return any(voice.speaks(language) for voice in reversed(self._voices.values()))

    def warm(
        self, text: str, language: str, rate_hz: int, words_a_minute: int = USUAL_WORDS_A_MINUTE
    ) -> bytes:
        """A text as the best voice of its language says it: nobody waits for that voice to load any more.

        Mono 16-bit PCM at that rate; nothing where none can speak it, which is told when it is needed.
        """
        for _, open_one in self.openers():
            with suppress(DeviceError):
                voice = open_one()
                voice.words_a_minute = words_a_minute
                if pcm := b"".join(at_rate(voice.speak(text, language), voice.rate_hz, rate_hz)):
                    return pcm
        return b""

    def close(self) -> None:
        for voice in self._voices.values():
            voice.close()

    def _facade(self, name: str) -> SharedVoice:
        return SharedVoice(name, self._voices[name], self.memory)


class SharedVoice:
    """A Synthesizer (see ports) for one mouth, behind which others use the same voice.

    Its speed is its own, `stop` ends what was asked for through it and nothing else, and `close`
    closes it alone. A sentence is made to its end before its first block comes, so that nobody
    holds a voice who plays slowly; one that was made before comes at once.
    """

    def __init__(self, name: str, voice: _Voice, memory: SentenceMemory) -> None:
        self.words_a_minute = USUAL_WORDS_A_MINUTE
        self._name, self._voice, self._memory = name, voice, memory
        self._rate_hz = voice.rate_hz()
        self._lasts_until = 0.0  # all that was given so far, if it is played at once
        self._stops = 0  # how often it was stopped: what began before the last time is given up
        self._closed = False

    @property
    def rate_hz(self) -> int:
        return self._rate_hz

    @property
    def words_a_minute(self) -> int:
        return self._words_a_minute

    @words_a_minute.setter
    def words_a_minute(self, wanted: int) -> None:
        self._words_a_minute = check_speed(wanted)

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        """The sound of the text; it is made when its first block is asked for."""
        if self._closed:
            raise DeviceError("the voice was closed", "open a new one")
        return self._speak(Sentence(self._name, text, language, self._words_a_minute), self._stops)

    def stop(self) -> None:
        self._stops += 1
        self._lasts_until = 0.0
        self._voice.stop_for(self)

    def close(self) -> None:
        self._closed = True
        self.stop()

    def _speak(self, sentence: Sentence, stops: int) -> Iterator[bytes]:
        pcm = self._memory.get(sentence)
        if pcm is None:
            asked = _Asked(self, self._lasts_until, lambda: self._stops != stops)
            pcm = self._voice.make(sentence, asked)
            if self._stops == stops:  # else it broke off
                self._memory.put(sentence, pcm)
        self._lasts_until = max(self._lasts_until, time.monotonic()) + len(pcm) / 2 / self._rate_hz
        for block in in_pieces([pcm], 2 * (self._rate_hz // _BLOCKS_A_SECOND)):
            if self._stops != stops:
                return
            yield block


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """Somebody who wants to use a voice."""

    who: object
    silent_from: float = 0.0  # a moment of the clock: who falls silent first comes first
    is_stopped: Callable[[], bool] = lambda: False


class _Voice:
    """One voice, opened at most so many times; each is used for one sentence of one mouth at a time."""

    def __init__(self, open_one: Callable[[], Synthesizer], at_once: int) -> None:
        self._open_one = open_one
        self._at_once = at_once
        self._changed = threading.Condition()
        self._idle: list[Synthesizer] = []
        self._count = 0  # those idle, in use and being opened
        self._rate_hz = 0  # 0: not opened yet
        self._in_use: dict[Synthesizer, object] = {}  # by whom
        self._waiting: list[_Asked] = []
        self._closed = False

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def rate_hz(self) -> int:
        """Opens it if need be; raises what that raises."""
        if not self._rate_hz:
            with self._borrow(_Asked(self)):
                pass
        return self._rate_hz

    def speaks(self, language: str) -> bool:
        with suppress(DeviceError), self._borrow(_Asked(self)) as synthesizer:
            if synthesizer is not None:
                synthesizer.speak(_WARM_UP, language)  # looks for the voice, and makes no sound yet
                return True
        return False

    def make(self, sentence: Sentence, asked: _Asked) -> bytes:
        """The whole sentence; a part of it, or nothing, where it was stopped."""
        with self._borrow(asked) as synthesizer:
            if synthesizer is None:
                return b""
            synthesizer.words_a_minute = sentence.words_a_minute
            blocks = synthesizer.speak(sentence.text, sentence.language)
            return b"" if asked.is_stopped() else b"".join(blocks)

    def stop_for(self, who: object) -> None:
        """Give up what is being made for one of them, and let it not wait any longer."""
        with self._changed:
            for synthesizer, user in self._in_use.items():
                if user is who:
                    synthesizer.stop()
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            left = (*self._idle, *self._in_use)
            self._idle.clear()
            self._changed.notify_all()
        for synthesizer in left:
            synthesizer.close()

    @contextmanager
    def _borrow(self, asked: _Asked) -> Iterator[Synthesizer | None]:
        """None where it was stopped before one was free."""
        synthesizer = self._take(asked)
        try:
            yield synthesizer
        finally:
            if synthesizer is not None:
                self._give_back(synthesizer)

    def _take(self, asked: _Asked) -> Synthesizer | None:
        with self._changed:
            self._wait_for_turn(asked)
            if self._closed:
                raise DeviceError("the voice was closed", "open a new one")
            if asked.is_stopped():
                return None
            if self._idle:
                synthesizer = self._idle.pop()
                self._in_use[synthesizer] = asked.who
                return synthesizer
            self._count += 1
        return self._open(asked.who)

    def _wait_for_turn(self, asked: _Asked) -> None:
        self._waiting.append(asked)
        try:
            if not self._changed.wait_for(lambda: self._need_not_wait(asked), _WAIT_SECONDS):
                raise DeviceError("the voice does not answer", "restart the program")
        finally:
            self._waiting.remove(asked)
            self._changed.notify_all()  # it may be the turn of the next

    def _need_not_wait(self, asked: _Asked) -> bool:
        if self._closed or asked.is_stopped():
            return True
        is_free = bool(self._idle) or self._count < self._at_once
        return is_free and asked is min(self._waiting, key=lambda one: one.silent_from)

    def _open(self, who: object) -> Synthesizer:
        """A new one, in use already; its place was counted before."""
        try:
            synthesizer = self._open_one()
        except BaseException:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()
            raise
        with self._changed:
            self._rate_hz = synthesizer.rate_hz
            self._in_use[synthesizer] = who
            is_closed = self._closed
        if is_closed:
            synthesizer.close()
        return synthesizer

    def _give_back(self, synthesizer: Synthesizer) -> None:
        with self._changed:
            del self._in_use[synthesizer]
            if not self._closed:
                self._idle.append(synthesizer)
            self._changed.notify_all()
