"""The ear: one utterance after another from a live microphone, told as it happens."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from assistant.errors import DeviceError
from assistant.events import MicrophoneBack, MicrophoneLost
from assistant.speech.hearing.ear_tasks import Attending, Detectors, EarParts, Hearing, Task, Wanted
from assistant.speech.hearing.spoken_turn import BYTES_A_SECOND
from assistant.speech.sound.lasting_microphone import LastingMicrophone

# People begin to speak when they are asked, not when the machine is ready.
_KEPT_SECONDS = 0.5
_CLOSING_SECONDS = 3.0
_SECONDS_AFTER_A_FAILURE = 1.0


class Listening:
    """Hears through the microphone from now until `close`; see `ports.Ear`.

    At rest it remembers half a second and nothing else. While the assistant's own voice sounds, and
    while only a stop word is attended, nothing is remembered; unless the ear's parts ask for it: then
    whoever stops the assistant by speaking on is heard from the beginning by the next `listen`.
    """

    def __init__(self, parts: EarParts) -> None:
        self._parts = parts
        self._changing = threading.Lock()
        self._number = 0
        self._task: Task | None = None
        self._tasks: list[Task] = []  # those whose threads may still be at work
        self._kept: deque[bytes] = deque()
        self._detectors = Detectors()
        self._closed = threading.Event()
        self._is_broken = False  # the microphone, in a way that it does not tell itself
        self._is_interrupted = False  # the assistant, by what is being heard
        self._microphone = LastingMicrophone(parts.open_microphone, self._lost, self._back)
        self._capturing = threading.Thread(target=self._capture, name="microphone", daemon=True)
        self._capturing.start()

    def listen(self, languages: Sequence[str], push: bool = False) -> int:
        wanted = Wanted(tuple(languages), push)
        return self._begin(lambda number: Hearing(number, self._parts, self._detectors, wanted))

    def finish(self) -> None:
        with self._changing:
            if self._task is not None:
                self._task.finish()

    def attend_stop(self, language: str, saying: str) -> int:
        return self._begin(lambda number: Attending(number, self._parts, language, saying))

    def rest(self) -> None:
        with self._changing:
            self._leave_task()

    def close(self) -> None:
        self._closed.set()
        self.rest()
        self._microphone.close()
        deadline = time.monotonic() + _CLOSING_SECONDS
        self._capturing.join(_CLOSING_SECONDS)
        for task in self._tasks:  # one may wait for a model that is being loaded
            task.join(max(0.0, deadline - time.monotonic()))

    def _begin(self, make: Callable[[int], Task]) -> int:
        with self._changing:
            self._leave_task()
            self._number += 1
            if self._closed.is_set():
                return self._number
            self._tasks = [task for task in self._tasks if task.is_alive]
            self._task = task = make(self._number)
            self._tasks.append(task)
            for block in self._kept:
                task.put(block)
            self._kept.clear()
            task.start()
            return self._number

    def _leave_task(self) -> None:
        task, self._task = self._task, None
        self._is_interrupted = isinstance(task, Attending) and task.was_interrupted
        if isinstance(task, Attending) and not task.was_interrupted:
            self._kept.clear()
        if task is not None:
            task.leave()

    def _capture(self) -> None:
        while not self._closed.is_set():
            try:
                for block in self._microphone:
                    self._take(block)
            except Exception as error:  # a microphone may break in ways that it does not know of
                self._is_broken = True
                self._lost(DeviceError(f"the microphone failed: {error or type(error).__name__}"))
                self._closed.wait(_SECONDS_AFTER_A_FAILURE)

    def _take(self, block: bytes) -> None:
        """Where a block goes: to who listens, to memory, or nowhere."""
        if self._is_broken:
            self._is_broken = False
            self._back()
        own_voice = self._parts.echo.is_playing
        sound = self._parts.echo.clean(block) if own_voice else block
        with self._changing:
            task = self._task
            attends_stop = isinstance(task, Attending)
            own_voice = own_voice and not self._is_interrupted
            if attends_stop:
                self._remember(sound, self._parts.seconds_before_interruption)
            elif own_voice:
                self._kept.clear()
            if task is not None and task.is_wanting and own_voice <= attends_stop:
                task.put(sound)
            elif not own_voice and not attends_stop:
                self._remember(sound, _KEPT_SECONDS)

    def _remember(self, block: bytes, seconds: float) -> None:
        """At least so much of the last sound, in whole blocks; of nothing, nothing."""
        self._kept.append(block)
        length = sum(map(len, self._kept))
        while self._kept and length - len(self._kept[0]) >= seconds * BYTES_A_SECOND:
            length -= len(self._kept.popleft())

    def _lost(self, error: DeviceError) -> None:
        with self._changing:
            number, task = self._number, self._task
            self._kept.clear()
        self._parts.tell(number, MicrophoneLost(error.fact, error.hint))
        if task is not None:
            task.lose_microphone()

    def _back(self) -> None:
        with self._changing:
            number = self._number
        self._parts.tell(number, MicrophoneBack())
