"""WAV files as microphone and as speaker: every honest file is heard, every other one is explained."""

from __future__ import annotations

import os
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant.errors import AudioError
from assistant.speech.sound.resampling import Resampler, at_rate
from assistant.speech.sound.wav_audio import WavMicrophone, write_wav

GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")


def tone(rate_hz: int, seconds: float = 0.5, hz: float = 440.0, loudness: float = 0.5) -> np.ndarray:
    return loudness * np.sin(2 * np.pi * hz * np.arange(int(rate_hz * seconds)) / rate_hz)


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def description(coding: int = 1, channels: int = 1, rate_hz: int = 16_000, bits: int = 16) -> bytes:
    frame = channels * (bits // 8)
    return struct.pack("<HHIIHH", coding, channels, rate_hz, rate_hz * frame, frame, bits)


def extensible(coding: int, channels: int, rate_hz: int, bits: int) -> bytes:
    tail = struct.pack("<HHIH", 22, bits, 0, coding) + GUID_TAIL
    return description(0xFFFE, channels, rate_hz, bits) + tail


def wav(*chunks: bytes) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def simple(samples: bytes, **form: int) -> bytes:
    return wav(chunk(b"fmt ", description(**form)), chunk(b"data", samples))


def encoded(sound: np.ndarray, coding: int, bits: int) -> bytes:
    if coding == 3:
        return sound.astype(f"<f{bits // 8}").tobytes()
    if bits == 8:
        return (sound * 127 + 128).astype(np.uint8).tobytes()
    whole = np.rint(sound * (2 ** (bits - 1) - 1)).astype("<i4")
    return whole.view(np.uint8).reshape(-1, 4)[:, : bits // 8].tobytes()


def saved(folder: Path, content: bytes, name: str = "clip.wav") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def heard(path: Path, rate_hz: int = 16_000) -> np.ndarray:
    blocks = list(WavMicrophone(path, rate_hz))
    assert all(len(block) % 2 == 0 for block in blocks)
    return np.frombuffer(b"".join(blocks), "<i2") / 32768


def loudness(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound[len(sound) // 4 : -len(sound) // 4] ** 2)))


def pitch(sound: np.ndarray, rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * rate_hz / len(sound))


@pytest.mark.parametrize("coding, bits", [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("form", [description, extensible])
def test_every_common_way_of_writing_samples_is_heard_as_the_same_sound(
    tmp_path: Path, coding: int, bits: int, channels: int, form: object
) -> None:
    sound = tone(16_000)
    frames = np.repeat(sound[:, None], channels, axis=1).reshape(-1)
    fmt = form(coding, channels, 16_000, bits)  # type: ignore[operator]
    path = saved(tmp_path, wav(chunk(b"fmt ", fmt), chunk(b"data", encoded(frames, coding, bits))))
    assert np.abs(heard(path) - sound).max() < 0.02


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 12_345])
def test_every_sane_rate_keeps_length_pitch_and_loudness(tmp_path: Path, rate_hz: int) -> None:
    path = saved(tmp_path, simple(encoded(tone(rate_hz, 1.0), 1, 16), rate_hz=rate_hz))
    sound = heard(path)
    assert len(sound) == pytest.approx(16_000, abs=2)
    assert pitch(sound, 16_000) == pytest.approx(440, abs=1)
    assert loudness(sound) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_a_16_bit_file_at_the_wanted_rate_arrives_bit_by_bit(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-32768, 32768, 5000).astype("<i2").tobytes()
    path = saved(tmp_path, simple(samples))
    assert b"".join(WavMicrophone(path)) == samples


def test_what_lies_above_the_new_band_does_not_fold_back_into_it(tmp_path: Path) -> None:
    path = saved(tmp_path, simple(encoded(tone(48_000, 1.0, 12_000), 1, 16), rate_hz=48_000))
    assert loudness(heard(path)) < 0.5 / 1000


def test_resampling_leaves_no_seam_between_blocks() -> None:
    sound = tone(44_100, 1.0).astype(np.float32)
    whole, parts = Resampler(44_100, 16_000), Resampler(44_100, 16_000)
    once = np.concatenate([whole.push(sound), whole.flush()])
    pieces = [parts.push(sound[start : start + 997]) for start in range(0, len(sound), 997)]
    assert np.allclose(once, np.concatenate([*pieces, parts.flush()]), atol=1e-6)


def test_blocks_with_an_odd_byte_or_nothing_in_them_are_resampled_too() -> None:
    assert list(at_rate([b"", b"\0"], 8_000, 16_000)) == []


@pytest.mark.parametrize("coding, silence", [(6, 0xD5), (7, 0xFF)], ids=["A-law", "mu-law"])
def test_telephone_codings_are_decoded(tmp_path: Path, coding: int, silence: int) -> None:
    # A full-scale square wave in the words of G.711: the codes for the loudest positive and negative.
    loud = {6: (0xAA, 0x2A), 7: (0x80, 0x00)}[coding]
    codes = bytes([silence] * 400 + [loud[0]] * 400 + [loud[1]] * 400)
    path = saved(tmp_path, simple(codes, coding=coding, bits=8, rate_hz=8_000))
    sound = heard(path, 8_000)
    assert np.abs(sound[:400]).max() < 0.001
    assert sound[400:800].min() > 0.95 and sound[800:].max() < -0.95


@pytest.mark.parametrize(
    "left, right",
    [(1.0, 0.0), (0.0, 1.0), (1.0, -1.0), (1.0, 1.0)],
    ids=["left only", "right only", "opposite", "both"],
)
def test_two_channels_become_one_without_losing_the_voice(tmp_path: Path, left: float, right: float) -> None:
    frames = (tone(16_000)[:, None] * [left, right]).reshape(-1)
    path = saved(tmp_path, simple(encoded(frames, 1, 16), channels=2))
    assert loudness(heard(path)) == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_floating_point_beyond_one_and_broken_numbers_do_not_spoil_the_sound(tmp_path: Path) -> None:
    sound = tone(16_000) * 32768
    sound[100:103] = [np.nan, np.inf, -np.inf]
    path = saved(tmp_path, simple(encoded(sound, 3, 32), coding=3, bits=32))
    assert loudness(heard(path)) == pytest.approx(1 / np.sqrt(2), rel=0.05)


def test_other_chunks_before_and_after_the_sound_are_not_heard(tmp_path: Path) -> None:
    samples = encoded(tone(16_000), 1, 16)
    parts = (
        chunk(b"JUNK", b"x" * 33),
        chunk(b"fmt ", description()),
        chunk(b"data", samples),
        chunk(b"LIST", b"y" * 99),
    )
    assert b"".join(WavMicrophone(saved(tmp_path, wav(*parts)))) == samples


@pytest.mark.parametrize(
    "promised, note",
    [(999_999, "cut off"), (0, "never finished"), (0xFFFFFFFF, None)],
    ids=["too much", "nothing", "not known"],
)
def test_a_header_that_does_not_fit_the_sound_is_read_as_far_as_there_is_any(
    tmp_path: Path, promised: int, note: str | None
) -> None:
    samples = encoded(tone(16_000), 1, 16)
    content = (
        wav(chunk(b"fmt ", description())) + b"data" + struct.pack("<I", promised) + b"\1" + samples[1:-1]
    )
    microphone = WavMicrophone(saved(tmp_path, content))
    assert len(b"".join(microphone)) == len(samples) - 2
    assert [note] == [n.partition(":")[0] for n in microphone.notes] if note else microphone.notes == ()


BROKEN = {
    "an empty file": (b"", "is empty"),
    "text": (b"When are you open?\n" * 20, "is not a WAV file"),
    "an MP3": (b"ID3\x04" + b"\0" * 2000, "MP3"),
    "a FLAC": (b"fLaC" + b"\0" * 2000, "FLAC"),
    "an Ogg": (b"OggS" + b"\0" * 2000, "Ogg"),
    "an MP4": (b"\0\0\0\x20ftypM4A " + b"\0" * 200, "MP4"),
    "a WebM": (b"\x1aE\xdf\xa3" + b"\0" * 200, "WebM"),
    "RIFF, but a film": (b"RIFF\x10\0\0\0AVI " + b"\0" * 200, "not a WAV"),
    "only the beginning of a header": (b"RIFF\0", "not a WAV"),
    "no description": (wav(chunk(b"data", bytes(3200))), "does not say"),
    "half a description": (wav(chunk(b"fmt ", description()[:9]), chunk(b"data", bytes(99))), "does not say"),
    "no sound chunk": (wav(chunk(b"fmt ", description())), "without sound"),
    "no samples": (simple(b""), "no sound"),
    "no samples, but a chunk after": (
        wav(chunk(b"fmt ", description()), chunk(b"data", b""), chunk(b"LIST", bytes(9000))),
        "no sound",
    ),
    "less than a sample": (simple(b"\0"), "no sound"),
    "a click": (simple(bytes(40)), "less than a syllable"),
    "no channels": (simple(bytes(3200), channels=0), "0 channels"),
    "a thousand channels": (simple(bytes(32000), channels=1000), "1000 channels"),
    "no rate": (simple(bytes(3200), rate_hz=0), "0 samples a second"),
    "an absurd rate": (simple(bytes(3200), rate_hz=2_000_000_000), "samples a second"),
    "1 sample a second": (simple(bytes(3200), rate_hz=1), "samples a second"),
    "samples of no bits": (simple(bytes(3200), bits=0), "0 bits"),
    "samples of 16 bits in floating point": (simple(bytes(3200), coding=3), "16 bits"),
    "ADPCM": (simple(bytes(3200), coding=2), "ADPCM"),
    "MP3 inside a WAV": (simple(bytes(3200), coding=0x55), "MP3"),
    "an unknown coding": (simple(bytes(3200), coding=0x1234), "0x1234"),
    "another kind of extension": (
        wav(
            chunk(b"fmt ", extensible(1, 1, 16_000, 16)[:26] + bytes(14)),
            chunk(b"data", bytes(3200)),
        ),
        "0xfffe",
    ),
    "eleven minutes": (simple(bytes(2 * 8000 * 660), rate_hz=8_000), "11 minutes"),
    "chunks without end": (b"RIFF\0\0\0\0WAVE" + b"abcd\0\0\0\0" * 3000, "does not say"),
}


@pytest.mark.parametrize("content, fact", BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_heard_is_explained_with_its_name_and_a_way_out(
    tmp_path: Path, content: bytes, fact: str
) -> None:
    path = saved(tmp_path, content)
    with pytest.raises(AudioError) as caught:
        WavMicrophone(path)
    assert fact in caught.value.fact
    assert str(path) in caught.value.fact
    assert caught.value.hint


@pytest.mark.parametrize("name, fact", [("", "a folder"), ("missing.wav", "no file"), ("a\0b.wav", "cannot")])
def test_a_name_that_leads_to_no_file_is_explained(tmp_path: Path, name: str, fact: str) -> None:
    with pytest.raises(AudioError, match=fact) as caught:
        WavMicrophone(tmp_path / name)
    assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="not an ordinary file"):
        WavMicrophone(tmp_path / "pipe.wav")


def test_a_file_that_vanishes_after_it_was_opened_is_explained(tmp_path: Path) -> None:
    path = saved(tmp_path, simple(bytes(3200)))
    microphone = WavMicrophone(path)
    path.unlink()
    with pytest.raises(AudioError, match="no file"):
        list(microphone)


@pytest.mark.parametrize("cut_at", [1, 11, 12, 20, 36, 43, 44, 45, 100, 1001])
def test_a_file_cut_off_anywhere_is_read_or_explained(tmp_path: Path, cut_at: int) -> None:
    path = saved(tmp_path, simple(encoded(tone(16_000), 1, 16))[:cut_at])
    try:
        microphone = WavMicrophone(path)
    except AudioError as error:
        assert str(path) in error.fact
    else:
        assert len(b"".join(microphone)) == (cut_at - 44) // 2 * 2
        assert "cut off" in microphone.notes[0]


def test_random_bytes_in_a_header_never_do_worse_than_an_explanation(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    whole = bytearray(simple(encoded(tone(16_000, 0.1), 1, 16)))
    for _ in range(300):
        broken = whole.copy()
        for place in random.integers(0, 44, 3):
            broken[place] = random.integers(0, 256)
        path = saved(tmp_path, bytes(broken))
        try:
            assert all(len(block) % 2 == 0 for block in WavMicrophone(path))
        except AudioError as error:
            assert str(path) in error.fact


def test_a_closed_microphone_says_no_more(tmp_path: Path) -> None:
    microphone = WavMicrophone(saved(tmp_path, simple(bytes(32_000))))
    blocks = iter(microphone)
    next(blocks)
    microphone.close()
    assert list(blocks) == []


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 96_001])
def test_a_rate_that_no_recognizer_takes_is_refused(tmp_path: Path, rate_hz: int) -> None:
    with pytest.raises(AudioError, match="samples a second"):
        WavMicrophone(saved(tmp_path, simple(bytes(3200))), rate_hz)


def test_what_is_written_is_what_is_read_and_its_length_is_told(tmp_path: Path) -> None:
    samples = encoded(tone(22_050), 1, 16)
    path = tmp_path / "answer.wav"
    blocks = [samples[:101], b"", samples[101:5000], samples[5000:]]  # the first one ends in half a sample
    assert write_wav(path, blocks, 22_050) == pytest.approx(0.5)
    with wave.open(str(path), "rb") as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (22_050, 1, 2)
        assert sound.readframes(99_999) == samples


@pytest.mark.parametrize(
    "broken_by", [KeyboardInterrupt(), AudioError("the voice failed"), RuntimeError()], ids=repr
)
def test_an_interrupted_writing_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, broken_by: BaseException
) -> None:
    def interrupted() -> Iterator[bytes]:
        yield bytes(1000)
        raise broken_by

    path = saved(tmp_path, b"what was there", "answer.wav")
    with pytest.raises(type(broken_by)):
        write_wav(path, interrupted(), 16_000)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("answer.wav", b"what was there")
    ]


@pytest.mark.parametrize("name", [".", "no/such/folder/answer.wav", "a\0b.wav", "x" * 300 + ".wav"])
def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path, name: str) -> None:
    with pytest.raises(AudioError) as caught:
        write_wav(tmp_path / name, [bytes(1000)], 16_000)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="this system has no such device")
def test_a_device_is_never_replaced_by_a_file() -> None:
    with pytest.raises(AudioError, match="not a file"):
        write_wav(Path("/dev/null"), [bytes(1000)], 16_000)
    assert not Path("/dev/null").is_file()
