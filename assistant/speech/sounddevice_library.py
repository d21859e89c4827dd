"""PortAudio as sounddevice brings it: loaded when first needed, its list of devices made anew."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

from assistant.errors import DeviceError


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone or a loudspeaker as the machine lists it."""

    number: int
    name: str
    channels: int
    rate_hz: int
    is_standard: bool


def portaudio() -> Any:
    """The module sounddevice; raises DeviceError with the way out where it or its library is missing."""
    try:
        import sounddevice
    except ImportError:
        raise DeviceError(
            "there is no sound: sounddevice is not installed", "pip install sounddevice"
        ) from None
    except OSError:
        hint = (
            "sudo apt install libportaudio2"
            if sys.platform == "linux"
            else "pip install --force-reinstall sounddevice"
        )
        raise DeviceError("there is no sound: the library PortAudio is missing", hint) from None
    return sounddevice


def look_again(library: Any) -> None:
    """Make the list of devices anew: it is frozen at import, and what was plugged in since is not in it.

    Never while a stream is open: it would be taken away. Raises the library's PortAudioError.
    """
    library._terminate()
    library._initialize()
