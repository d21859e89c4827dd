"""The decoders of PocketSphinx, each for another purpose; the one place that knows the library.

Run as a program it tries the English model out, which damaged ends whoever loads it.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.speech.hearing.language_model import arpa
from assistant.speech.hearing.pronunciation import pronounce, read_dictionary, words_of

RATE_HZ = 16_000  # of the model that comes with the library
_ACOUSTIC = "en-us"
_DICTIONARY = "cmudict-en-us.dict"
_MOST_PHRASES = 5_000
# At most so many states of words, and words that end, are followed at a time by the decoder for any English,
# and it goes over the sound but once: so people cost it 0.13 s a second instead of 0.35. Of their words
# 65 in 100 are wrong instead of 59; which of them were no question is told as well.
_MOST_STATES, _MOST_WORDS = 2_000, 20
_PIECE_BYTES = RATE_HZ // 4 * 2  # some 50 ms of work
_SECONDS_BETWEEN_LOOKS = 0.4  # a look at what was heard so far costs as much as a block


@dataclass(frozen=True, slots=True)
class Listed:
    """What can be listened for of some phrases."""

    sentences: tuple[tuple[str, ...], ...]  # the words of each phrase that can be
    ways: Mapping[str, Sequence[str]]  # each of their words, and how it is said
    left_out: tuple[str, ...]  # words that nobody knows how to say

    def __bool__(self) -> bool:
        return any(self.sentences)


def listed(phrases: Sequence[str], model: Path) -> Listed:
    """Raises OSError or ValueError where the dictionary of the model cannot be read."""
    dictionary = read_dictionary(model / _DICTIONARY)
    sentences = [words for phrase in phrases[:_MOST_PHRASES] if (words := words_of(phrase))]
    ways = pronounce({word for words in sentences for word in words}, dictionary)
    known = tuple(tuple(word for word in words if word in ways) for words in sentences)
    unknown = dict.fromkeys(word for words in sentences for word in words if word not in ways)
    return Listed(known, ways, tuple(unknown))


def phrases_decoder(model: Path, listed: Listed, final: bool = True) -> Any:
    """Knows the words of the phrases and nothing else: it loads in 20 ms.

    One that is not `final` goes over what it heard only once, in half the time.
    """
    with tempfile.TemporaryDirectory(prefix="assistant-hearing-", ignore_cleanup_errors=True) as folder:
        words, likely = Path(folder, "words.dict"), Path(folder, "phrases.lm")
        words.write_text("".join(_dictionary_lines(listed.ways)), encoding="utf-8")
        likely.write_text(arpa(listed.sentences), encoding="utf-8")
        return _open(model, dict=str(words), lm=str(likely), fwdflat=final, bestpath=final)


def english_decoder(model: Path) -> Any:
    return _open(
        model,
        dict=str(model / _DICTIONARY),
        lm=str(model / "en-us.lm.bin"),
        fwdflat=False,
        maxhmmpf=_MOST_STATES,
        maxwpf=_MOST_WORDS,
    )


def phones_decoder(model: Path) -> Any:
    """Hears phones and no words: it costs a quarter of the decoder for any English."""
    return _open(
        model,
        lm=None,
        dict=None,
        allphone=str(model / "en-us-phone.lm.bin"),
        beam=1e-20,
        pbeam=1e-20,
        lw=2.0,  # as the library's own examples have it
    )


def _open(model: Path, **options: Any) -> Any:
    import pocketsphinx

    return pocketsphinx.Decoder(
        samprate=RATE_HZ,
        hmm=str(model / _ACOUSTIC),
        cmn="batch",
        loglevel="FATAL",  # without a word on the screen; a failure comes as an exception all the same
        **options,
    )


def _dictionary_lines(ways: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for word, said in sorted(ways.items()):
        for number, phones in enumerate(said, 1):
            yield f"{word} {phones}\n" if number == 1 else f"{word}({number}) {phones}\n"


def decode(decoder: Any, sound: bytes) -> tuple[str, float]:
    """What the decoder makes of a whole stretch, and the natural logarithm of its score.

    All at once: only the whole tells how loud and how coloured the voice is, and so nothing
    depends on what was heard before. Read as it came in, the first question after a start had
    half of its words wrong.
    """
    if not sound:  # the library raises on it
        return "", 0.0
    decoder.reinit_feat()  # one that has followed anything would go by the voices before
    decoder.start_utt()
    try:
        decoder.process_raw(sound, False, True)
    finally:
        decoder.end_utt()
    return hypothesis(decoder)


def hypothesis(decoder: Any) -> tuple[str, float]:
    guess = decoder.hyp()
    if guess is None:
        return "", 0.0
    return str(guess.hypstr or ""), math.log(max(guess.score, 1e-300))


def decode_while(decoder: Any, sound: bytes, mean: str, is_wanted: Callable[[], bool]) -> tuple[str, float]:
    """The same piece by piece, as long as it is wanted; then the words so far.

    The mean of the whole is what tells how loud and how coloured the voice is, as another decoder's
    `get_cmn` has it that has decoded the same sound.
    """
    decoder.reinit_feat()
    decoder.set_cmn(mean)
    decoder.start_utt()
    try:
        for start in range(0, len(sound), _PIECE_BYTES):
            if not is_wanted():
                break
            decoder.process_raw(sound[start : start + _PIECE_BYTES], False, False)
    finally:
        decoder.end_utt()
    return hypothesis(decoder)


class Follower:
    """Follows an utterance while it lasts, for the partial readings."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._is_open = False
        self._unseen_seconds = 0.0
        self._shown = ""

    def hear(self, block: bytes) -> str:
        """What has been heard so far, where that has changed; else nothing."""
        if not self._is_open:
            self._decoder.start_utt()
            self._is_open = True
            self._unseen_seconds, self._shown = 0.0, ""
        self._decoder.process_raw(block, False, False)
        self._unseen_seconds += len(block) / 2 / RATE_HZ
        if self._unseen_seconds < _SECONDS_BETWEEN_LOOKS:
            return ""
        self._unseen_seconds = 0.0
        before, self._shown = self._shown, hypothesis(self._decoder)[0]
        return self._shown if self._shown != before else ""

    def end(self) -> None:
        """An utterance left open would spoil the next one."""
        if self._is_open:
            self._is_open = False
            self._decoder.end_utt()


def try_out(model: str) -> None:
    """Load what the recognizer loads and hear a second of silence; run in a process of its own."""
    for open_one in (english_decoder, phones_decoder):
        decode(open_one(Path(model)), bytes(2 * RATE_HZ))


if __name__ == "__main__":
    try_out(sys.argv[1])
