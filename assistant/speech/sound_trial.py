"""Microphone and loudspeaker tried out: is there sound, is it too loud, does one hear the other?"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from math import log10, pi

import numpy as np

from assistant.errors import AssistantError
from assistant.ports import Microphone, Speaker
from assistant.speech.sound.resampling import Samples, to_pcm, to_samples
from assistant.values import Finding

OpenMicrophone = Callable[[], Microphone]
OpenSpeaker = Callable[[], Speaker]
ShowLevel = Callable[[float], None]  # decibels below the loudest there is, -90 to 0

QUIETEST_DB = -90.0  # one step of 16 bits
LISTENING_SECONDS = 3.0
RECORDING_SECONDS = 2.0
# Loud enough for a person at an arm's length gives -30 dB and more; a room without one some -60.
_TOO_QUIET_DB = -50.0
# A shout clips a few samples; from here on recognition suffers.
_CLIPPED_SHARE = 0.002
_CLIPPING_FROM = 32_600 / 32_768
_RATE_HZ = 16_000
TONE_HZ = 1_000
_TONE_SECONDS = 1.0
_TONE_LOUDNESS = 0.25  # of full scale: heard in a room, no fright
# Through a Bluetooth loudspeaker a tone comes half a second late, and the first block may take two.
_TONE_WAIT_SECONDS = 5.0
_TONE_ABOVE_ROOM = 10.0  # times the power that the room has at this pitch
_TONE_SHARE = 0.1  # of all that is heard: else it is noise that happens to hold this pitch
_TONE_BLOCKS = 3  # in a row, 0.1 s each: a clap of the hands holds every pitch, but not so long


def silent_meter(_level_db: float) -> None:
    """For a trial that nobody watches."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What a microphone gave."""

    pcm: bytes
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / self.rate_hz

    @property
    def clipped_share(self) -> float:
        samples = to_samples(self.pcm)
        return float(np.mean(np.abs(samples) >= _CLIPPING_FROM)) if len(samples) else 0.0

    @property
    def loudest_db(self) -> float:
        """Of its loudest tenth of a second."""
        samples, block = to_samples(self.pcm), self.rate_hz // 10
        blocks = (samples[start : start + block] for start in range(0, len(samples), block))
        return max(map(level_db, blocks), default=QUIETEST_DB)


def level_db(samples: Samples) -> float:
    """Loudness in decibels below full scale."""
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(QUIETEST_DB, 10 * log10(power)) if power else QUIETEST_DB


def listen(open_microphone: OpenMicrophone, seconds: float, show: ShowLevel = silent_meter) -> Sound:
    """What the microphone gives in so long; raises DeviceError where it gives nothing."""
    heard = bytearray()
    with closing(open_microphone()) as microphone:
        for block in microphone:
            heard += block
            show(level_db(to_samples(block)))
            if len(heard) >= 2 * seconds * microphone.rate_hz:
                break
        return Sound(bytes(heard), microphone.rate_hz)


def microphone_finding(sound: Sound, somebody_spoke: bool) -> Finding:
    """Is it fit to be recognized? Silence is no fault where nobody was asked to speak."""
    if not sound.pcm:
        return Finding("microphone", "problem", "it gives no sound at all", "unplug it and plug it in again")
    if not any(sound.pcm):
        return Finding(
            "microphone",
            "problem" if somebody_spoke else "note",
            f"it works, but {sound.seconds:.1f} s of it are nothing but silence",
            "is it muted, by a switch or in the sound settings? is another device the standard one?",
        )
    if sound.clipped_share > _CLIPPED_SHARE:
        return Finding(
            "microphone",
            "problem",
            f"it is too loud: {sound.clipped_share:.1%} of the sound is cut off",
            "turn its volume down in the sound settings, until the meter stays below the end",
        )
    told = f"it gives sound, the loudest at {sound.loudest_db:.0f} dB"
    if somebody_spoke and sound.loudest_db < _TOO_QUIET_DB:
        return Finding("microphone", "note", f"{told}: very quiet", "turn its volume up, or come nearer")
    return Finding("microphone", "ok", told)


def player_finding(open_speaker: OpenSpeaker) -> Finding:
    """Does the loudspeaker take sound? A moment of silence is played: nobody is startled."""
    with closing(open_speaker()) as speaker:
        speaker.play([bytes(2 * _RATE_HZ // 5)], _RATE_HZ)
    return Finding(
        "player", "ok", "the loudspeaker takes sound (silence was played; --self-test plays a tone)"
    )


def play_back(open_microphone: OpenMicrophone, open_speaker: OpenSpeaker, show: ShowLevel) -> Finding:
    """Record two seconds and play them; they are kept in memory only."""
    sound = listen(open_microphone, RECORDING_SECONDS, show)
    with closing(open_speaker()) as speaker:
        speaker.play([sound.pcm], sound.rate_hz)
    return Finding(
        "recording", "ok", f"{sound.seconds:.1f} s were recorded and played back: was it well understood?"
    )


def hear_tone(open_microphone: OpenMicrophone, open_speaker: OpenSpeaker) -> Finding:
    """Play a tone and listen for it at the same time."""
    failed: list[AssistantError] = []
    with closing(open_microphone()) as microphone, closing(open_speaker()) as speaker:
        blocks = _tenths(microphone)
        room = _tone_power(next(blocks, np.zeros(1, np.float32)), microphone.rate_hz)

        def play() -> None:
            try:
                speaker.play(_tone(), _RATE_HZ)
            except AssistantError as error:
                failed.append(error)

        playing = threading.Thread(target=play, name="tone", daemon=True)
        playing.start()
        late_blocks = _blocks_until_tone(blocks, microphone.rate_hz, room)
        playing.join(_TONE_WAIT_SECONDS)
    if failed:
        raise failed[0]
    if late_blocks is None:
        return Finding(
            "self-test",
            "problem",
            f"a tone of {TONE_HZ} Hz was played, and the microphone did not hear it",
            "did you hear it? yes: look after the microphone; no: turn the loudspeaker up",
        )
    return Finding("self-test", "ok", f"a tone was played and heard, {late_blocks / 10:.1f} s later")


def _blocks_until_tone(blocks: Iterator[Samples], rate_hz: int, room: float) -> int | None:
    """How many tenths of a second went by before it; None: it did not come."""
    in_a_row = 0
    for number, block in zip(range(int(10 * _TONE_WAIT_SECONDS)), blocks, strict=False):
        power, whole = _tone_power(block, rate_hz), float(np.mean(np.square(block)))
        is_tone = power > max(_TONE_ABOVE_ROOM * room, _TONE_SHARE * whole) and whole > 0
        in_a_row = in_a_row + 1 if is_tone else 0
        if in_a_row == _TONE_BLOCKS:
            return number + 1 - _TONE_BLOCKS
    return None


def _tone_power(block: Samples, rate_hz: int) -> float:
    """The power of the tone's pitch in a block; of the tone alone, all of its power."""
    turns = np.exp(-2j * pi * TONE_HZ / rate_hz * np.arange(len(block)))
    return 2 * float(abs(np.dot(block, turns)) / len(block)) ** 2


def _tone() -> Iterator[bytes]:
    time = np.arange(int(_RATE_HZ * _TONE_SECONDS)) / _RATE_HZ
    fade = np.minimum(1, 50 * np.minimum(time, _TONE_SECONDS - time))  # 20 ms: without it, it clicks
    sound = (_TONE_LOUDNESS * fade * np.sin(2 * pi * TONE_HZ * time)).astype(np.float32)
    yield to_pcm(sound)


def _tenths(microphone: Microphone) -> Iterator[Samples]:
    """The sound in blocks of a tenth of a second, whatever the size of its own."""
    size, waiting = 2 * (microphone.rate_hz // 10), b""
    for block in microphone:
        waiting += block
        while len(waiting) >= size:
            yield to_samples(waiting[:size])
            waiting = waiting[size:]
