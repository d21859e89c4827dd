"""What a recognizer listens to: only where somebody speaks, looked for once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assistant.ports import Microphone, SpeechOnly
from assistant.speech.sound.voice_activity import VoiceActivity, only_speech


def gated(
    blocks: Iterable[bytes], microphone: Microphone, rate_hz: int, activity: VoiceActivity
) -> Iterator[bytes]:
    """The microphone's blocks (at `rate_hz` by now) in which somebody speaks.

    One that gives nothing but speech is believed: looking again costs, and would cut at other places.
    """
    if isinstance(microphone, SpeechOnly) and microphone.is_speech_only:
        return iter(blocks)
    return only_speech(blocks, rate_hz, activity)
