"""Sound on its way out: a loudspeaker that is opened when needed, kept awake for a while, and let go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from assistant.errors import DeviceError
from assistant.ports import Chime, Loudspeaker
from assistant.speech.sound.chimes import chime, near_silence
from assistant.speech.sound.resampling import Resampler, in_pieces, to_pcm, to_samples
from assistant.speech.speaking.making import Sound

# After the last sound the loudspeaker is kept awake for so long: the next one comes without a
# lead-in. Then it is let go, because a list of devices can be made anew only while none is open.
_AWAKE_SECONDS = 5.0
# Sound and silence are handed on, and told to whoever takes them out of what is heard, in such steps.
_STEP_SECONDS = 0.02
_FAR_STEP_SECONDS = 0.25  # each costs a message: what was made goes as it is, mostly an eighth of a second
_WAIT_SECONDS = 0.01  # less than the loudspeaker holds, so that it never runs dry


class Playing:
    """Plays sentences and chimes in the one thread that uses it; raises DeviceError without a loudspeaker.

    Whatever is stopped or fails lets the loudspeaker go: then it is silent at once.
    """

    def __init__(
        self,
        open_loudspeaker: Callable[[], Loudspeaker],
        lead_in_seconds: float,
        played: Callable[[bytes, int], None] | None = None,
        is_far: bool = False,
    ) -> None:
        self.volume = 1.0  # from the next sentence on
        self._is_far = is_far
        self._step_seconds = _FAR_STEP_SECONDS if is_far else _STEP_SECONDS
        self._open = open_loudspeaker
        self._lead_in_seconds = lead_in_seconds
        self._played = played
        self._loudspeaker: Loudspeaker | None = None
        self._line: _Line | None = None

    def open(self, stopped: threading.Event) -> Loudspeaker:
        if self._loudspeaker is None:
            self._loudspeaker = self._open()
            self._write(near_silence(self._loudspeaker.rate_hz, self._lead_in_seconds), stopped)
        return self._loudspeaker

    def sound(self, sound: Sound, stopped: threading.Event) -> None:
        """The next piece of a sentence."""
        rate_hz = self.open(stopped).rate_hz
        if self._line is None or not self._line.goes_on_with(sound):
            self._end_line(stopped)
            self._line = _Line(sound, rate_hz, self.volume)
        self._write(self._line.push(sound.pcm), stopped)

    def ring(self, name: Chime, stopped: threading.Event) -> None:
        """A chime is nobody's voice, and nobody need be deaf to those who speak after it, or into it."""
        rate_hz = self.open(stopped).rate_hz
        self._write(to_pcm(to_samples(chime(name, rate_hz)) * self.volume), stopped, is_voice=False)

    def wait(self, stopped: threading.Event) -> None:
        """Nothing is ready: the loudspeaker gets what nobody hears."""
        self._write(near_silence(self.open(stopped).rate_hz, _WAIT_SECONDS), stopped)

    def end(self, stopped: threading.Event) -> None:
        """Come back when the last sound of what was said is in the air."""
        self._end_line(stopped)
        loudspeaker = self.open(stopped)
        self._write(near_silence(loudspeaker.rate_hz, loudspeaker.latency_seconds), stopped)

    def rest(self, news: threading.Event) -> None:
        """Nothing to play: stay awake for a while, until there is news. What is far keeps itself awake."""
        if self._is_far:
            return
        until = time.monotonic() + _AWAKE_SECONDS
        with suppress(DeviceError):  # lost while nobody spoke: looked for when somebody does
            while self._loudspeaker is not None and time.monotonic() < until:
                self.wait(news)
                if news.is_set():
                    return
        self.let_go()

    def let_go(self) -> None:
        loudspeaker, self._loudspeaker, self._line = self._loudspeaker, None, None
        if loudspeaker is not None:
            loudspeaker.close()

    def _end_line(self, stopped: threading.Event) -> None:
        line, self._line = self._line, None
        if line is not None:
            self._write(line.flush(), stopped)

    def _write(self, pcm: bytes, stopped: threading.Event, is_voice: bool = True) -> None:
        loudspeaker = self.open(stopped)
        for piece in in_pieces([pcm], 2 * int(self._step_seconds * loudspeaker.rate_hz)):
            if stopped.is_set():
                return
            if self._played and is_voice:
                self._played(piece, loudspeaker.rate_hz)
            loudspeaker.write(piece, stopped)


class _Line:
    """One sentence on its way: to the rate of the loudspeaker, at the volume of its beginning."""

    def __init__(self, sound: Sound, rate_hz: int, volume: float) -> None:
        self._is_of = sound.sentence, sound.rate_hz
        self._resampler = Resampler(sound.rate_hz, rate_hz)
        self._volume = volume

    def goes_on_with(self, sound: Sound) -> bool:
        return self._is_of == (sound.sentence, sound.rate_hz)

    def push(self, pcm: bytes) -> bytes:
        return to_pcm(self._resampler.push(to_samples(pcm)) * self._volume)

    def flush(self) -> bytes:
        return to_pcm(self._resampler.flush() * self._volume)
