"""What a WAV file says about itself: its chunks read with suspicion, its samples turned into numbers."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from assistant.errors import AudioError
from assistant.speech.sound.resampling import Samples, to_samples

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_OTHER_CODINGS = {
    2: "Microsoft ADPCM",
    0x11: "IMA ADPCM",
    0x31: "GSM",
    0x50: "MPEG",
    0x55: "MP3",
    0xFF: "AAC",
}
_EXTENSIBLE_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_UNKNOWN_SIZES = (0xFFFFFFFF, 0x7FFFFFFF)  # written by programs that cannot go back to fill it in
_BEGINNINGS = (
    (b"ID3", 0, "an MP3 file"),
    (b"\xff\xfb", 0, "an MP3 file"),
    (b"\xff\xf3", 0, "an MP3 file"),
    (b"fLaC", 0, "a FLAC file"),
    (b"OggS", 0, "an Ogg file"),
    (b"ftyp", 4, "an MP4 or M4A file"),
    (b"\x1aE\xdf\xa3", 0, "a WebM or Matroska file"),
    (b"FORM", 0, "an AIFF file"),
    (b"RIFX", 0, "a big-endian WAV file"),
    (b".snd", 0, "an AU file"),
    (b"#!AMR", 0, "an AMR file"),
    (b"PK\x03\x04", 0, "a ZIP file"),
    (b"%PDF", 0, "a PDF file"),
)
RATES_HZ = range(4_000, 384_001)
_CHANNELS = range(1, 65)
_CHUNKS = 1000  # no honest file has more before its sound
_SECONDS_A_CHUNK = 1  # so much is in memory as floating point at a time


@dataclass(frozen=True, slots=True)
class WavFormat:
    """How the samples of a WAV file are written, and where they stand in it."""

    coding: int  # PCM, FLOAT, A_LAW or MU_LAW
    channels: int
    rate_hz: int
    bytes_a_sample: int
    start: int = 0  # where the first sample stands, in bytes from the beginning of the file
    frames: int = 0  # one sample of each channel is a frame
    notes: tuple[str, ...] = ()

    @property
    def bytes_a_frame(self) -> int:
        return self.channels * self.bytes_a_sample

    @property
    def seconds(self) -> float:
        return self.frames / self.rate_hz


def how_to_convert(path: object) -> str:
    """The hint that goes with every file that is sound, but not as we can read it."""
    return f'convert it, for example with: ffmpeg -i "{path}" -ac 1 -ar 16000 question.wav'


def read_format(file: BinaryIO, path: object) -> WavFormat:
    """Read the chunks up to the samples; raises AudioError with the file's name and a way out."""
    size = file.seek(0, 2)
    file.seek(0)
    _check_beginning(file.read(12), size, path)
    description = b""
    for name, start, promised in _chunks(file, size):
        file.seek(start)
        if name == b"fmt ":
            description = file.read(min(promised, 64))
        elif name == b"data":
            form = _describe(description, path)
            length, notes = _length(promised, size - start, file.read(4))
            form = replace(form, start=start, frames=length // form.bytes_a_frame, notes=notes)
            return _with_sound(form, path)
    _describe(description, path)
    raise AudioError(f"{path} is a WAV file without sound in it", "record or export it again")


def read_samples(file: BinaryIO, form: WavFormat) -> Iterator[Samples]:
    """The sound as one channel of numbers from -1 to 1, a second at a time."""
    if form.channels == 1 and form.coding != FLOAT:
        yield from (frames[:, 0] for frames in _read_frames(file, form))
        return
    shares = _shares(file, form)
    yield from (frames @ shares for frames in _read_frames(file, form))


def _read_frames(file: BinaryIO, form: WavFormat) -> Iterator[Samples]:
    """Shape (frames, channels)."""
    file.seek(form.start)
    left = form.frames
    while left > 0:
        raw = file.read(min(left, form.rate_hz * _SECONDS_A_CHUNK) * form.bytes_a_frame)
        whole = len(raw) // form.bytes_a_frame
        if not whole:
            return
        yield _decode(raw[: whole * form.bytes_a_frame], form).reshape(whole, form.channels)
        left -= whole


def _shares(file: BinaryIO, form: WavFormat) -> Samples:
    """How much of each channel goes into the one: the mean of those that carry sound.

    A silent channel would only make the others quieter, and two channels of opposite sign would
    leave nothing: then the loudest one stands for all. Floating point may go beyond 1, in some
    programs to 32,768: it is brought back by its peak.
    """
    power, peak, mixed_power = np.zeros(form.channels), 1.0, 0.0
    for frames in _read_frames(file, form):
        power += np.square(frames, dtype=np.float64).sum(axis=0)
        peak = max(peak, float(np.abs(frames).max()))
        mixed_power += float(np.square(frames.mean(axis=1, dtype=np.float64)).sum())
    loudest = int(np.argmax(power))
    chosen = power >= 0.01 * power[loudest]
    if mixed_power * form.channels**2 < 0.01 * power[loudest]:
        chosen = np.arange(form.channels) == loudest
    shares: Samples = (chosen / chosen.sum() / peak).astype(np.float32)
    return shares


def _check_beginning(head: bytes, size: int, path: object) -> None:
    if size == 0:
        raise AudioError(f"{path} is empty", "record it again, or name another file")
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return
    for mark, at, kind in _BEGINNINGS:
        if head[at : at + len(mark)] == mark:
            raise AudioError(f"{path} is {kind}, not a WAV file", how_to_convert(path))
    raise AudioError(f"{path} is not a WAV file", f"if it is sound, {how_to_convert(path)}")


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and promised size of each chunk; each step goes forward, so it ends."""
    place = 12
    for _ in range(_CHUNKS):
        if place + 8 > size:
            return
        file.seek(place)
        name, promised = struct.unpack("<4sI", file.read(8))
        yield name, place + 8, promised
        place += 8 + promised + (promised & 1)


def _describe(description: bytes, path: object) -> WavFormat:
    if len(description) < 16:
        raise AudioError(f"{path} does not say how its sound is written", "record or export it again")
    coding, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", description[:16])
    # Only with the well-known tail do the two bytes before it mean a coding.
    if coding == EXTENSIBLE and description[26:40] == _EXTENSIBLE_TAIL:
        coding = int.from_bytes(description[24:26], "little")
    _check_shape(path, channels, rate_hz)
    # 20 bits may stand in 4 bytes: the size of a frame tells, unless it is nonsense.
    fits = frame_bytes > 0 and frame_bytes % channels == 0
    sample_bytes = frame_bytes // channels if fits else (bits + 7) // 8
    _check_coding(path, coding, sample_bytes, bits)
    return WavFormat(coding, channels, rate_hz, sample_bytes)


def _check_shape(path: object, channels: int, rate_hz: int) -> None:
    if channels not in _CHANNELS:
        raise AudioError(f"{path} says that it has {channels} channels", how_to_convert(path))
    if rate_hz not in RATES_HZ:
        raise AudioError(
            f"{path} says that it has {rate_hz:,} samples a second; speech needs 4,000 to 384,000",
            "record it again at 16,000 samples a second",
        )


def _check_coding(path: object, coding: int, sample_bytes: int, bits: int) -> None:
    known = {PCM: (1, 2, 3, 4), FLOAT: (4, 8), A_LAW: (1,), MU_LAW: (1,)}
    if coding not in known:
        name = _OTHER_CODINGS.get(coding, f"coding {coding:#06x}")
        raise AudioError(f"{path} is a WAV file, but its sound is packed as {name}", how_to_convert(path))
    if sample_bytes not in known[coding] or not 1 <= bits <= sample_bytes * 8:
        raise AudioError(f"{path} has samples of {bits} bits in {sample_bytes} bytes", how_to_convert(path))


def _length(promised: int, present: int, first: bytes) -> tuple[int, tuple[str, ...]]:
    """Bytes of sound to read, and what was odd about them; `first` are the first bytes after the header."""
    if promised in _UNKNOWN_SIZES:
        return present, ()
    if promised > present:
        return present, (f"cut off: {present:,} of {promised:,} bytes of sound are there",)
    # Four letters would be the name of the next chunk: then there truly is no sound.
    if promised == 0 and present > 0 and not (first.isascii() and first.decode().isprintable()):
        return present, ("never finished: its header says that it holds no sound, but some follows",)
    return promised, ()


def _with_sound(form: WavFormat, path: object) -> WavFormat:
    if form.frames == 0:
        raise AudioError(f"{path} has no sound in it", "record it again, or name another file")
    return form


def _decode(raw: bytes, form: WavFormat) -> Samples:
    if form.coding == FLOAT:
        values = np.frombuffer(raw, "<f4" if form.bytes_a_sample == 4 else "<f8")
        # One bad number must not spread through the filters after it.
        return np.where(np.abs(values) <= 2**31, values, 0).astype(np.float32)
    if form.coding in (A_LAW, MU_LAW):
        expand = _a_law if form.coding == A_LAW else _mu_law
        return expand(np.frombuffer(raw, np.uint8).astype(np.int32))
    if form.bytes_a_sample == 1:
        return (np.frombuffer(raw, np.uint8).astype(np.float32) - np.float32(128)) / np.float32(128)
    if form.bytes_a_sample == 2:
        return to_samples(raw)
    return _wide_integers(raw, form.bytes_a_sample)


def _wide_integers(raw: bytes, width: int) -> Samples:
    """24 or 32 bits: numpy has no 24-bit number, so both are laid out as 32 bits."""
    wide = np.zeros((len(raw) // width, 4), np.uint8)
    wide[:, 4 - width :] = np.frombuffer(raw, np.uint8).reshape(-1, width)
    return (wide.reshape(-1).view("<i4").astype(np.float64) / 2**31).astype(np.float32)


def _a_law(codes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Samples:
    """ITU-T G.711: sign, three bits of exponent, four of mantissa, every second bit inverted."""
    flipped = codes ^ 0x55
    exponent, mantissa = (flipped >> 4) & 7, flipped & 15
    size = np.where(exponent == 0, 2 * mantissa + 1, (2 * mantissa + 33) << np.maximum(exponent - 1, 0))
    return (np.where(flipped & 0x80, size, -size) / 4096).astype(np.float32)


def _mu_law(codes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> Samples:
    """ITU-T G.711: as A-law, but all bits inverted and 33 added before the logarithm."""
    flipped = codes ^ 0xFF
    exponent, mantissa = (flipped >> 4) & 7, flipped & 15
    size = ((2 * mantissa + 33) << exponent) - 33
    return (np.where(flipped & 0x80, -size, size) / 8192).astype(np.float32)
