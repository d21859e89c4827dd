"""The plugs: what the core asks of recognizers, voices, sound and sentence encoders.

All are synchronous, iterator in and iterator out, so that stopping is `close()` and a WAV
file can stand for a microphone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from assistant.events import EarEvent, MouthEvent
from assistant.values import Heard

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Microphone(Protocol):
    """A source of mono 16-bit little-endian PCM blocks at `rate_hz`."""

    @property
    def rate_hz(self) -> int: ...

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@runtime_checkable
class SpeechOnly(Protocol):
    """A microphone that gives nothing but speech says so: nobody needs to look for it again."""

    @property
    def is_speech_only(self) -> bool: ...


class Speaker(Protocol):
    """A sink for mono 16-bit little-endian PCM blocks."""

    def play(self, blocks: Iterable[bytes], rate_hz: int) -> None: ...

    def close(self) -> None: ...


class Loudspeaker(Protocol):
    """An open loudspeaker: it plays what is written, in order, until it is closed."""

    rate_hz: int
    latency_seconds: float  # from `write` to the air

    def write(self, pcm: bytes, stopped: threading.Event) -> bool:
        """False where it was stopped before all was written; raises DeviceError where it is lost."""
        ...

    def close(self) -> None:
        """Silent at once."""
        ...


class Recognizer(Protocol):
    """Turns sound of one language into text."""

    @property
    def language(self) -> str: ...

    def recognize(self, microphone: Microphone) -> Iterator[Heard]:
        """Partial readings while the sound lasts, then one final reading with its alternatives."""
        ...

    def close(self) -> None: ...


class Synthesizer(Protocol):
    """Turns plain words into sound: mono 16-bit little-endian PCM blocks at `rate_hz`.

    `words_a_minute` may be set at any time, and is kept to from the next `speak` on.
    """

    words_a_minute: int

    @property
    def rate_hz(self) -> int: ...

    def speak(self, text: str, language: str) -> Iterator[bytes]:
        """Raises NoVoiceError for a language that it does not speak, DeviceError where it fails."""
        ...

    def stop(self) -> None:
        """Give up all that is being made, at once and from any thread: its blocks just end."""
        ...

    def close(self) -> None: ...


class Ear(Protocol):
    """Hears one utterance after another from a live microphone, in threads of its own.

    What happens is told to the function that it was made with, together with the number that
    `listen` or `attend_stop` returned: what is told of an earlier number is old news. Each
    `listen` is told the end of exactly once, by a final `Heard`, `NothingSaid` or `HearingFailed`,
    unless another call comes first. Whatever happens to the microphone in between is told
    (`MicrophoneLost`, `MicrophoneBack`) and survived. No method waits for anything.
    """

    def listen(self, languages: Sequence[str], push: bool = False) -> int:
        """Hear the next utterance, in the one of the languages that it makes most sense in.

        With `push` the customer holds a key: it goes on until `finish`, however long the pauses.
        """
        ...

    def finish(self) -> None:
        """What was said so far is all: tell the final reading now."""
        ...

    def attend_stop(self, language: str, saying: str) -> int:
        """Listen for nothing but a word that stops the assistant, which is saying these words."""
        ...

    def rest(self) -> None:
        """Hear nothing until the next call."""
        ...

    def close(self) -> None: ...


Chime = Literal["listening", "heard", "not-understood"]


class Mouth(Protocol):
    """Says one thing after another through the loudspeaker, in threads of its own.

    What happens is told to the function that it was made with, together with the number that
    `say` returned. Each `say` is told the end of exactly once, by `VoiceEnded` or `VoiceFailed`,
    also when it is stopped or another one takes its place. Only `close` waits for anything.
    """

    def say(self, text: str, language: str) -> int:
        """Say plain words; what was being said is stopped."""
        ...

    def make_ready(self, text: str, language: str) -> None:
        """These words may be said next: have them made, and say nothing."""
        ...

    def play(self, chime: Chime) -> None:
        """A short sound, before whatever is said next."""
        ...

    def stop(self) -> None:
        """Silence within 200 ms."""
        ...

    def adjust(self, volume: float, words_a_minute: int) -> None:
        """From the next sentence on; volume from 0 to 1."""
        ...

    def close(self) -> None: ...


TellEar = Callable[[int, EarEvent], None]
TellMouth = Callable[[int, MouthEvent], None]


class SentenceEncoder(Protocol):
    """Turns sentences of many languages into vectors of one space."""

    @property
    def name(self) -> str:
        """Library, model and version: vectors of two names must never be mixed."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape (len(texts), dimensions), rows of length one; any text whatever is accepted."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What an encoder sees in some texts: as wholes, and piece by piece, the pieces of a text in a row."""

    vectors: npt.NDArray[np.float32]  # shape (texts, 2 * dimensions), as `encode_focused` gives them
    pieces: npt.NDArray[np.int8]  # shape (pieces, piece_dimensions): each where it stands, length 127
    weights: npt.NDArray[np.float32]  # shape (pieces,), as `weigh` gave them
    lengths: npt.NDArray[np.int64]  # shape (texts,): how many pieces each text has


class Encoder(SentenceEncoder, Protocol):
    """One that can look at some words of a sentence more than at others, and at each by itself."""

    @property
    def piece_name(self) -> str:
        """What its pieces are seen with: pieces of two names must never be mixed."""
        ...

    @property
    def piece_dimensions(self) -> int: ...

    def pieces(self, text: str) -> Sequence[int]:
        """The numbers of the word pieces it reads a text as, at least one."""
        ...

    def expect(self, pieces: Sequence[int]) -> None:
        """Texts with these pieces are going to come, the commonest first: it may make ready for them."""
        ...

    def encode_focused(
        self, texts: Sequence[str], weigh: Callable[[Sequence[int]], npt.NDArray[np.float32]]
    ) -> npt.NDArray[np.float32]:
        """Two vectors of a text side by side, shape (len(texts), 2 * dimensions): that of `encode` and
        one in which each piece counts as much as `weigh` says, 1 on average."""
        ...

    def see(self, texts: Sequence[str], weigh: Callable[[Sequence[int]], npt.NDArray[np.float32]]) -> Seen:
        """The same vectors, and every piece with what its neighbours make of it."""
        ...


@runtime_checkable
class Lexicon(Protocol):
    """Knows the common words of the customers' languages; an encoder may be one as well."""

    def frequency(self, word: str) -> float | None:
        """Of a small-letter word among all words, as a natural logarithm; None: not listed."""
        ...
