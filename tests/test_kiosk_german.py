"""The kiosk in German with nothing feigned: a real Whisper model, and a virtual sound card of its own."""

from __future__ import annotations

from pathlib import Path

from pulse import RATE_HZ, needs_pulse, pulse

from assistant.speech.sound.voice_activity import has_speech
from tests.test_kiosk_sound import kiosk, ready, spoken

pytestmark = needs_pulse

GERMAN_PAGE = f"""# Laden

## parken

### Questions
- Wo kann ich mein Auto parken?

### Answer
Sie können Ihr Auto hinter dem Laden parken.

## rechnungen

### Questions
- Wie lange muss ich Rechnungen aufheben?

### Answer
{" ".join(["Ihre Rechnungen müssen so lange bei uns bleiben, wie das Gesetz es verlangt."] * 3)}
"""


def test_german_is_heard_answered_and_stopped_with_whisper(tmp_path: Path, whisper_base: Path) -> None:
    model = f'[listening]\nwhisper_model = "{whisper_base}"\n'
    with pulse() as sound, kiosk(tmp_path, "de", GERMAN_PAGE, model) as german:
        mark = ready(german)
        with sound.recording() as recording:
            sound.speak_into_microphone(bytes(2 * RATE_HZ) + spoken("Wo kann ich mein Auto parken?", "de"))
            assert german.wait_for("answer", mark)["entry"] == "parken", german.since(mark, "heard")
            german.wait_for("voice", mark, lambda told: told["voice"] == "ended")
            assert has_speech(recording.until_silence(), RATE_HZ)
        mark = ready(german)
        german.type("wie lange muss ich Rechnungen aufheben")
        german.wait_for("voice", mark, lambda told: told["voice"] == "started")
        # As people do who are not heard at once: of this voice's "stopp"s one in six is not.
        sound.speak_into_microphone(bytes(2 * RATE_HZ) + 4 * spoken("stopp", "de"))
        assert "stop" in german.wait_for("stop", mark)["text"]
