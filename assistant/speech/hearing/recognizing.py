"""Recognizers at work beside each other: a thread for each language, all given the same sound."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager

from assistant.errors import AssistantError
from assistant.ports import Recognizer
from assistant.speech.hearing.spoken_turn import RATE_HZ, Failure, Reading
from assistant.values import Heard

Borrow = Callable[[str], AbstractContextManager[Recognizer]]
Deliver = Callable[[Reading | Failure], None]

# Nobody speaks for so long, whatever the settings allow: a stream that nobody gives to has been forgotten.
_LONGEST_WAIT_SECONDS = 600.0


class ReaderThreads:
    """Borrows a recognizer of each language and has it read one attempt after another.

    Each is used by its own thread alone and given back after `close`, when it has come to the end
    of what it was working on. `deliver` is called by these threads.
    """

    def __init__(self, languages: Sequence[str], borrow: Borrow, deliver: Deliver) -> None:
        self._readers = [_Reader(language, borrow, deliver) for language in languages]
        self._streams: list[_SpeechStream] = []

    def begin(self, attempt: int, sound: Iterable[bytes]) -> None:
        self._abandon()
        self._streams = [reader.begin(attempt) for reader in self._readers]
        for block in sound:
            self.give(block)

    def give(self, block: bytes) -> None:
        for stream in self._streams:
            stream.give(block)

    def end(self) -> None:
        for stream in self._streams:
            stream.end()

    def close(self) -> None:
        self._abandon()
        for reader in self._readers:
            reader.close()

    @property
    def is_alive(self) -> bool:
        return any(reader.thread.is_alive() for reader in self._readers)

    def join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for reader in self._readers:
            reader.thread.join(max(0.0, deadline - time.monotonic()))

    def _abandon(self) -> None:
        for stream in self._streams:
            stream.close()
        self._streams = []


class _Abandoned(Exception):
    """What is being read is not wanted any more; raised where a recognizer waits for sound."""


class _SpeechStream:
    """A microphone that gives the speech of one attempt. A turn has a longest length, and so has this."""

    rate_hz = RATE_HZ
    is_speech_only = True

    def __init__(self, attempt: int) -> None:
        self.attempt = attempt
        self._blocks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._abandoned = False

    def give(self, block: bytes) -> None:
        self._blocks.put(block)

    def end(self) -> None:
        self._blocks.put(None)

    def close(self) -> None:
        self._abandoned = True
        self._blocks.put(None)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            try:
                block = self._blocks.get(timeout=_LONGEST_WAIT_SECONDS)
            except queue.Empty:
                raise _Abandoned from None
            if self._abandoned:
                raise _Abandoned
            if block is None:
                return
            yield block


class _Reader:
    def __init__(self, language: str, borrow: Borrow, deliver: Deliver) -> None:
        self._language = language
        self._borrow = borrow
        self._deliver = deliver
        self._streams: queue.SimpleQueue[_SpeechStream | None] = queue.SimpleQueue()
        self._closed = False
        self.thread = threading.Thread(target=self._work, name=f"recognizer-{language}", daemon=True)
        self.thread.start()

    def begin(self, attempt: int) -> _SpeechStream:
        stream = _SpeechStream(attempt)
        self._streams.put(stream)
        return stream

    def close(self) -> None:
        self._closed = True
        self._streams.put(None)

    def _work(self) -> None:
        try:
            with self._borrow(self._language) as recognizer:
                for stream in self._wanted():
                    self._read(recognizer, stream)
        except AssistantError as error:
            self._deliver(Failure(self._language, error.fact, error.hint))
        except Exception as error:  # whatever a recognizer raises, the ear lives on
            fact = f"the speech recognition failed: {error or type(error).__name__}"
            self._deliver(Failure(self._language, fact, "try again; if it stays so: assistant doctor"))

    def _wanted(self) -> Iterator[_SpeechStream]:
        while not self._closed:
            try:
                stream = self._streams.get(timeout=_LONGEST_WAIT_SECONDS)
            except queue.Empty:
                continue
            if stream is not None:
                yield stream

    def _read(self, recognizer: Recognizer, stream: _SpeechStream) -> None:
        last = Heard("", self._language, final=False)
        try:
            for last in recognizer.recognize(stream):
                self._deliver(Reading(stream.attempt, last))
            if not last.final:
                self._deliver(Reading(stream.attempt, Heard("", self._language)))
        except _Abandoned:
            pass
