"""The processes that decode English: at work beside each other, and gone when they should be."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant.errors import DeviceError, ModelError
from assistant.speech.hearing import pocketsphinx_processes
from assistant.speech.hearing.pocketsphinx_processes import PocketSphinxProcesses
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.lasting_child import Frame, LastingChild
from assistant.speech.sound.wav_audio import WavMicrophone
from assistant.values import Heard
from tests.bench.children import family_of

BLOCKS = list(WavMicrophone(Path(__file__).parent / "question.wav"))
SAID = "how do i get off your mailing list"
PHRASES = (SAID, "When are you open?", "Do you have a car park?")
LONG = 60.0  # seconds in which anything ends, however busy the machine
WITH_SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="stops processes by a signal")
HOLDER = """
import sys
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
ear = PocketSphinxRecognizer(["When are you open?"])
print(*[child.pid for child in ear._processes.children], flush=True)
sys.stdin.read()
"""


class Sound:
    """A microphone that gives the question, and does something after each block."""

    rate_hz = 16_000
    is_speech_only = True

    def __init__(self, after_block: Callable[[int], None] = lambda _: None) -> None:
        self._after_block = after_block

    def __iter__(self) -> Iterator[bytes]:
        for number, block in enumerate(BLOCKS):
            yield block
            self._after_block(number)

    def close(self) -> None: ...


@pytest.fixture
def ear() -> Iterator[PocketSphinxRecognizer]:
    ear = PocketSphinxRecognizer(PHRASES)
    yield ear
    ear.close()


def pids(ear: PocketSphinxRecognizer) -> list[int]:
    return [child.pid for child in ear._processes.children]


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").is_file() and " Z " in Path(f"/proc/{pid}/stat").read_text("ascii")


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stop(ear: PocketSphinxRecognizer) -> None:
    for pid in pids(ear):
        os.kill(pid, signal.SIGSTOP)


# --- at work ------------------------------------------------------------------------------------


def test_the_screen_has_the_interpreter_for_itself_while_a_question_is_decoded(
    ear: PocketSphinxRecognizer,
) -> None:
    family, began = family_of(ear), time.thread_time()
    assert hear(Sound(), ear) == Heard(SAID, "en")
    assert time.thread_time() - began < sum(family.worked()) / 2


def test_readings_grow_while_somebody_speaks(ear: PocketSphinxRecognizer) -> None:
    family = family_of(ear)
    *partials, last = ear.recognize(Sound(lambda _: family.keep_pace()))
    assert partials and not any(partial.final for partial in partials)
    assert all(partial.text.startswith("how") for partial in partials)
    assert last == Heard(SAID, "en")


@WITH_SIGNALS
def test_a_recognizer_hears_while_another_is_still_decoding(ear: PocketSphinxRecognizer) -> None:
    other, heard = PocketSphinxRecognizer(PHRASES), []
    stop(ear)
    slow = threading.Thread(target=lambda: heard.append(hear(Sound(), ear)))
    slow.start()
    assert hear(Sound(), other).text == SAID
    assert slow.is_alive()
    for pid in pids(ear):
        os.kill(pid, signal.SIGCONT)
    slow.join(LONG)
    assert heard == [Heard(SAID, "en")]
    other.close()


def test_what_was_heard_before_changes_nothing(ear: PocketSphinxRecognizer) -> None:
    first = hear(Sound(), ear)
    loud = [bytes(2 * index % 256 for index in range(len(block))) for block in BLOCKS]
    hear(_Blocks(loud), ear)
    assert hear(Sound(), ear) == first


class _Blocks(Sound):
    def __init__(self, blocks: list[bytes]) -> None:
        super().__init__()
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._blocks)


# --- when something breaks ------------------------------------------------------------------------


@WITH_SIGNALS
@pytest.mark.parametrize("which", [0, 1], ids=["for the phrases", "for any English"])
@pytest.mark.parametrize("when", [0, len(BLOCKS) // 2, len(BLOCKS) - 1])
def test_a_process_that_is_killed_in_the_middle_is_told_and_replaced(
    ear: PocketSphinxRecognizer, which: int, when: int
) -> None:
    killed = pids(ear)

    def kill(number: int) -> None:
        if number == when:
            os.kill(killed[which], signal.SIGKILL)

    with pytest.raises(DeviceError, match="ended unexpectedly") as caught:
        hear(Sound(kill), ear)
    assert "assistant doctor" in caught.value.hint
    assert all(map(is_gone, killed))
    assert hear(Sound(), ear).text == SAID
    assert not {*killed} & {*pids(ear)}


@WITH_SIGNALS
@pytest.mark.parametrize("which", [0, 1], ids=["for the phrases", "for any English"])
def test_a_process_that_hangs_is_told_and_replaced(
    ear: PocketSphinxRecognizer, which: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = pids(ear)
    # Nothing in it clearly is a phrase: both are waited for.
    monkeypatch.setattr(pocketsphinx_processes, "_CLEARLY_A_PHRASE", 100.0)
    monkeypatch.setattr(pocketsphinx_processes, "_SILENT_SECONDS", 1.0)
    os.kill(hanging[which], signal.SIGSTOP)
    with pytest.raises(DeviceError, match="not answered for 1 seconds"):
        hear(Sound(), ear)
    monkeypatch.undo()
    assert all(map(is_gone, hanging))
    assert hear(Sound(), ear).text == SAID


@WITH_SIGNALS
def test_closing_while_it_decodes_ends_it_without_a_final_reading(ear: PocketSphinxRecognizer) -> None:
    all_is_given, heard = threading.Event(), []
    stop(ear)  # for ever at work
    last = len(BLOCKS) - 1
    sound = Sound(lambda number: all_is_given.set() if number == last else None)
    decoding = threading.Thread(target=lambda: heard.extend(ear.recognize(sound)))
    decoding.start()
    assert all_is_given.wait(LONG)
    running = pids(ear)
    ear.close()
    decoding.join(LONG)
    assert not decoding.is_alive() and heard == []
    assert all(map(is_gone, running))


def test_what_the_library_says_of_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="PocketSphinx cannot be used") as caught:
        PocketSphinxProcesses(["hello"], tmp_path)
    assert "reinstall" in caught.value.hint


# --- nothing is left behind -----------------------------------------------------------------------


def threads_of_children() -> int:
    return sum(thread.name in ("_send", "_receive") for thread in threading.enumerate())


def test_closed_it_leaves_no_process_and_no_thread(ear: PocketSphinxRecognizer) -> None:
    gc.collect()
    before, running = threads_of_children(), pids(ear)
    assert not any(map(is_gone, running))
    ear.close()
    assert all(map(is_gone, running))
    wait_until(lambda: threads_of_children() <= before - 4)


def test_one_that_nobody_holds_any_more_ends_its_processes() -> None:
    ear = PocketSphinxRecognizer(PHRASES)
    running = pids(ear)
    hear(Sound(), ear)
    del ear
    gc.collect()
    assert all(map(is_gone, running))


@WITH_SIGNALS
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGKILL], ids=["asked to end", "killed"])
def test_its_processes_end_with_ours_however_that_ends(sign: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        running = [int(pid) for pid in holder.stdout.readline().split()]
        assert len(running) == 2 and not any(map(is_gone, running))
        holder.send_signal(sign)
    wait_until(lambda: all(map(is_gone, running)))


def test_a_child_that_is_asked_after_its_end_says_so_and_no_more() -> None:
    child = LastingChild("assistant.speech.hearing.pocketsphinx_child", "the helper")
    child.end()
    child.end()
    child.ask(Frame(b"e", 1, bytes(10**6)))
    for _ in range(2):
        with pytest.raises(DeviceError, match="the helper has ended unexpectedly"):
            child.wait(LONG)
