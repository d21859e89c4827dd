"""The assistant's own voice, kept away from what it hears."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from assistant.speech.sound.echo_filter import STEP, EchoFilter, find_delay
from assistant.speech.sound.resampling import Resampler, Samples, to_pcm, to_samples

_RATE_HZ = 16_000
# A room rings on: after answers of 15 kinds in rooms that do for 0.06 to 1 s no speech was found in what
# came 0.1 s after the last echo. Twice that, as delays wander.
_RINGING_SECONDS = 0.2
# Where the delay is a guess, the last blocks may still be on their way through the sound system as well.
_AFTER_SECONDS = 0.4
# Until it is measured, and where it cannot be: what is usual between handing sound on and hearing it.
_USUAL_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 0.7  # Bluetooth; sound systems of machines take 0.02 to 0.3
_EARLIEST_SECONDS = 0.2  # by which the two threads may tell of their sounds in the wrong order
_NEARLY_SILENT = 3 / 32768  # loudspeakers are kept awake with a step up and down that nobody hears
# Sound is handed on in the rhythm of the device, give or take; what comes later than this was waited for.
_GAP_SECONDS = 0.15
_LOOK_BACK_SECONDS = 0.5  # of speech: enough to find the delay in
_FOUND = 2.0  # see find_delay
_BEFORE = 64  # samples that the filter reaches back before the first sound of the echo
_CLOSE = 32  # samples that the filter follows by itself while it plays: two clocks never run alike
# After the delay was found elsewhere. In 16 answers whose delay jumped every second or so, PocketSphinx
# took what was left for a stop word three times, each time before this was over.
_SETTLING_SECONDS = 1.4
_FRESH = 100  # blocks, of some 0.02 s: nobody may be listening
# To tell an echo from a word that resembles it: of the loud stretches of the last second, those
# that are 20 dB quieter than the echo mostly is were heard without one.
_PAST_SECONDS = 1.2
_FRAME = 320
_LOUD_SHARE = 0.2
_USUALLY = 0.9
_MISSING_SHARE = 0.1
_MOST_MISSING = 0.4
_SILENT_ROOM = 1.5  # seconds of playing without an echo: then there is none to take out


class Echo:
    """Takes what the loudspeaker plays out of what the microphone hears.

    `played` is told by the thread that plays, `clean` is asked by the thread that listens. The
    delay between the two is found anew whenever a silence went before, and checked while it
    plays; until it is found (half a second) nothing is heard at all.

    Measured in simulated rooms (they ring on for 0.06 to 0.3 s, delays of 0.02 to 0.4 s): the first
    answer ever is 9 to 25 dB quieter in its first second and a half, 20 to 35 dB from the fourth
    second on. A "stop" as loud as the answer stays as loud as it was, 14 to 23 dB above all that is not
    it; in the second answer PocketSphinx understood 36 of 36, from half as loud to twice, without
    this none. Where the clocks of microphone and loudspeaker part by 20 millionths it does as well, by
    100 it leaves 10 to 15 dB more. Through a virtual cable of PulseAudio, whose delay wanders and
    jumps: mostly 15 to 35 dB, less for a second after a jump. Takes 2.5 % of a core while it plays.
    What it cannot do: with a microphone that is overdriven or carried about, or a loudspeaker that
    rattles, a voice remains that can be understood.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._lock = threading.Lock()  # for all that `played` changes
        self._line = _Line()
        self._resampler: tuple[int, Resampler] | None = None
        self._sounds_until = 0  # where the last sound (not silence) ends
        self._hearing = _Hearing()

    @property
    def is_playing(self) -> bool:
        """True from the first sample handed on until its last echo, and the ringing of the room, are over.

        Whoever answers at once must not be cut off: 0.2 s after the last echo where it was found, and
        after the last sample where none came back; 0.4 s after what is to be expected before that is known.
        """
        with self._lock:
            until, tail = self._sounds_until, self._hearing.tail
        return until > 0 and self._now() < until + tail

    @property
    def is_settled(self) -> bool:
        """False while the own voice may be understood in what is left: its echo comes by a new way."""
        with self._lock:
            return self._now() >= self._hearing.settled_at

    def played(self, block: bytes, rate_hz: int) -> None:
        """A block of mono 16-bit PCM goes to the device now; silence may be told as well."""
        samples = to_samples(block)
        if not len(samples):
            return
        with self._lock:
            if self._line.end + _samples(_GAP_SECONDS) < self._now():
                self._line.skip_to(self._now())
                self._resampler = None
            if self._resampler is None or self._resampler[0] != rate_hz:
                self._resampler = rate_hz, Resampler(rate_hz, _RATE_HZ)
            self._line.add(self._resampler[1].push(samples))
            if np.abs(samples).max() > _NEARLY_SILENT:
                self._sounds_until = self._line.end

    def clean(self, block: bytes) -> bytes:
        """The same mono 16-bit PCM at 16,000 Hz without what was played; up to 64 ms come with the next."""
        samples = to_samples(block)
        with self._lock:
            self._hearing.take(samples, self._now(), self._line)
            return to_pcm(self._hearing.cleaned(self._line))

    def _now(self) -> int:
        """The moment in samples since the beginning."""
        return int((self._clock() - self._begun) * _RATE_HZ)


class _Line:
    """The last seconds of a sound, by the number of its samples."""

    def __init__(self) -> None:
        self.end = 0
        self._kept: Samples = np.zeros(0, np.float32)
        self._fresh: list[Samples] = []  # not joined one by one: whoever plays has no time for that

    def add(self, samples: Samples) -> None:
        self._fresh.append(samples)
        self.end += len(samples)
        if len(self._fresh) >= _FRESH:
            self._join()

    def skip_to(self, number: int) -> None:
        """Silence until there."""
        self.add(np.zeros(min(number - self.end, _samples(5)), np.float32))
        self.end = number

    def between(self, start: int, end: int) -> Samples:
        """Silence where nothing is known."""
        self._join()
        first = self.end - len(self._kept)
        inside = self._kept[max(0, start - first) : max(0, end - first)]
        before = np.zeros(min(max(0, first - start), end - start), np.float32)
        after = np.zeros(end - start - len(before) - len(inside), np.float32)
        return np.concatenate((before, inside, after))

    def _join(self) -> None:
        # Five seconds: the longest delay, and what may be handed on ahead of time, many times over.
        self._kept = np.concatenate((self._kept, *self._fresh))[-_samples(5) :]
        self._fresh = []


class _Hearing:
    """The listening side: what was heard, how late, and what is left of it."""

    def __init__(self) -> None:
        self.delay: int | None = None  # in samples, from being told of a sound to hearing it
        self._heard = _Line()
        self._done = 0  # heard samples before this one are cleaned
        self._filter = EchoFilter()
        self._is_sure = False  # of the delay, since the last silence
        self._look_at = 0  # when to look for the delay again
        self.settled_at = 0  # until then the filter learns another way through the sound system
        self._unsure_samples = 0  # heard while something was played and no echo of it was found

    @property
    def tail(self) -> int:
        """In samples, how long after the last sound was handed on it may still be heard."""
        if self._is_sure and self.delay is not None:
            return self.delay + _samples(_RINGING_SECONDS)
        if self._is_silent_room:
            return _samples(_RINGING_SECONDS)
        expected = _samples(_USUAL_DELAY_SECONDS) if self.delay is None else self.delay
        return expected + _samples(_AFTER_SECONDS)

    @property
    def _is_silent_room(self) -> bool:
        return self._unsure_samples > _samples(_SILENT_ROOM)

    def take(self, samples: Samples, now: int, line: _Line) -> None:
        start = now - len(samples)
        if start > self._heard.end + _samples(_GAP_SECONDS):
            self._heard.skip_to(start)
            self._begin(start)
        self._heard.add(samples)
        if self._heard.end >= self._look_at:
            self._look_for_delay(line)

    def cleaned(self, line: _Line) -> Samples:
        made = [np.zeros(0, np.float32)]
        while self._done + STEP <= self._heard.end:
            made.append(self._clean_step(line))
            self._done += STEP
        return np.concatenate(made)

    def _begin(self, start: int) -> None:
        self._done, self._look_at = start, start + _samples(_LOOK_BACK_SECONDS)
        self._is_sure, self._unsure_samples = False, 0

    def _clean_step(self, line: _Line) -> Samples:
        heard = self._heard.between(self._done, self._done + STEP)
        if self._is_sure and self.delay is not None:
            start = self._done - self.delay + _BEFORE
            return self._filter.push(line.between(start, start + STEP), heard)
        self._unsure_samples += STEP
        return heard if self._is_silent_room else np.zeros(STEP, np.float32)

    def _look_for_delay(self, line: _Line) -> None:
        end = self._heard.end
        self._look_at = end + _samples(_LOOK_BACK_SECONDS / 2)
        start, early = end - _samples(_LOOK_BACK_SECONDS), _samples(_EARLIEST_SECONDS)
        played = line.between(start - _samples(_LONGEST_DELAY_SECONDS), end + early)
        if np.abs(played).max() <= _NEARLY_SILENT:
            return
        expected = None if self.delay is None else self.delay + early
        found, clearness = find_delay(played, self._heard.between(start, end), expected)
        if clearness < _FOUND or not self._was_there(line, found - early):
            return
        is_moved = self.delay is None or abs(found - early - self.delay) > _CLOSE
        if is_moved:
            self.settled_at = end + _samples(_SETTLING_SECONDS)
        if is_moved or not self._is_sure:
            self.delay = found - early
            self._filter.begin()
        self._is_sure = True

    def _was_there(self, line: _Line, delay: int) -> bool:
        """Whether the echo of that delay has been heard all the while, and not just now.

        A word that a person says resembles something that is being played often enough. But an echo
        does not wait for it: where it was quiet although that sound was played, there is none.
        """
        end, past = self._heard.end, _samples(_PAST_SECONDS)
        played = _levels(line.between(end - past - delay, end - delay))
        heard = _levels(self._heard.between(end - past, end))
        loud = played > _LOUD_SHARE * played.max()
        usual = np.quantile(heard[loud] / played[loud], _USUALLY)
        missing = heard[loud] < _MISSING_SHARE * usual * played[loud]
        return bool(missing.mean() < _MOST_MISSING)


def _levels(samples: Samples) -> Samples:
    """How loud each stretch of 20 ms is."""
    levels = np.sqrt(np.mean(np.square(samples.reshape(-1, _FRAME)), axis=1))
    return np.asarray(levels + 1e-7, np.float32)


def _samples(seconds: float) -> int:
    return int(seconds * _RATE_HZ)
