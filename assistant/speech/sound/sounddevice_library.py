"""PortAudio as sounddevice brings it: loaded when first needed, its list of devices made anew.

Run as a program it loads PortAudio once and ends: with damaged settings of ALSA it ends whoever loads it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal

from assistant.errors import DeviceError
from assistant.speech.child_program import finish, start_child

Kind = Literal["input", "output"]
_WORDS: dict[Kind, str] = {"input": "microphone", "output": "loudspeaker"}

_ON_LINUX = sys.platform == "linux"
_SECONDS_TO_LOAD = 20  # takes a quarter of one; a sound server that does not answer takes for ever

_trying = threading.Lock()
_is_tried = False
_remaking = threading.RLock()
_holders = 0  # threads that use the list of devices or a stream opened from it; guarded by the lock


@dataclass(frozen=True, slots=True)
class Device:
    """A microphone or a loudspeaker as the machine lists it."""

    number: int
    name: str
    channels: int
    rate_hz: int
    is_standard: bool


def portaudio() -> Any:
    """The module sounddevice; raises DeviceError with the way out where it or its library is missing.

    The first time it is loaded in a process of its own, which may die of it.
    """
    _try_once()
    try:
        import sounddevice
    except ImportError:
        raise DeviceError(
            "there is no sound: sounddevice is not installed", "pip install sounddevice"
        ) from None
    except OSError:
        hint = "sudo apt install libportaudio2" if _ON_LINUX else "pip install --force-reinstall sounddevice"
        raise DeviceError("there is no sound: the library PortAudio is missing", hint) from None
    return sounddevice


def _try_once() -> None:
    """Raise DeviceError where loading PortAudio ends a process or never comes to an end."""
    global _is_tried
    with _trying:
        if _is_tried:
            return
        with suppress(OSError):  # no process can be started: then nothing can be tried
            ending = finish(start_child(__spec__.name), b"", _SECONDS_TO_LOAD)
            if ending.exit_code is None or ending.exit_code < 0:
                how = "hangs" if ending.exit_code is None else "crashes"
                hint = "mend the settings of ALSA, or restart the sound server" if _ON_LINUX else "restart"
                raise DeviceError(f"there is no sound: the sound system {how} when it is asked", hint)
        _is_tried = True


@contextmanager
def devices_held() -> Iterator[None]:
    """While in here the list of devices stays as it is, and so do the streams opened from it.

    Open a stream in here and leave only after it is closed; look devices up in here as well.
    """
    global _holders
    with _remaking:
        _holders += 1
    try:
        yield
    finally:
        with _remaking:
            _holders -= 1


def look_again(library: Any) -> bool:
    """Make the list of devices anew: it is frozen at import, and what was plugged in since is not in it.

    That takes every open stream away, so while anybody holds the devices nothing is done and
    False is returned: try again later. Raises the library's PortAudioError.
    """
    with _remaking:
        if _holders:
            return False
        if library._initialized:  # not where the last try to make it anew failed
            library._terminate()
        library._initialize()
        return True


def portaudio_version() -> str:
    """What PortAudio calls itself; raises DeviceError where it is missing."""
    return str(portaudio().get_portaudio_version()[1])


def input_devices() -> tuple[Device, ...]:
    """The microphones as they were when the list was made last; raises DeviceError without PortAudio."""
    return _devices("input")


def output_devices() -> tuple[Device, ...]:
    """The loudspeakers as they were when the list was made last; raises DeviceError without PortAudio."""
    return _devices("output")


def find_device(kind: Kind, wanted: str | int | None = None) -> Device:
    """The standard device, or the one of a number or of (a part of) a name.

    Raises DeviceError with the names that there are.
    """
    devices = _devices(kind)
    if wanted is None:
        # Some systems name no standard device although there is one.
        found = [device for device in devices if device.is_standard] or list(devices)
    else:
        found = [device for device in devices if wanted in (device.number, str(device.number), device.name)]
        found = found or [device for device in devices if str(wanted).lower() in device.name.lower()]
    if found:
        return found[0]
    if not devices:
        raise DeviceError(f"there is no {_WORDS[kind]}", "plug one in, and make it the standard device")
    names = ", ".join(f"{device.number} {device.name}" for device in devices)
    raise DeviceError(f"there is no {_WORDS[kind]} `{wanted}`", f"there are: {names}")


def _devices(kind: Kind) -> tuple[Device, ...]:
    library = portaudio()
    with devices_held():
        try:
            listed = library.query_devices()
        except library.PortAudioError:
            return ()  # PortAudio found no sound system at all
        standard = _standard(library, kind)
        return tuple(
            Device(
                number,
                str(one["name"]),
                int(one[f"max_{kind}_channels"]),
                int(one["default_samplerate"]),
                number == standard,
            )
            for number, one in enumerate(listed)
            if one[f"max_{kind}_channels"] > 0
        )


def _standard(library: Any, kind: Kind) -> int:
    try:
        return int(library.query_devices(kind=kind)["index"])
    except library.PortAudioError:
        return -1  # none


if __name__ == "__main__":
    import sounddevice  # noqa: F401 loads PortAudio and lists the devices
