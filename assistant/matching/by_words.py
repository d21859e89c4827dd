"""Which entry a spoken question belongs to, told by its words and letters alone.

An encoder makes something of every misheard word. Where entries have hundreds of phrases, words tell as
much as it does, and err elsewhere. The numbers were chosen on the questions that `by_sound.py` names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assistant.matching.cache import Cache
from assistant.matching.evidence import Heads, Phrases, Texts, gather
from assistant.matching.heads import log_softmax
from assistant.matching.text import fold
from assistant.matching.training import Lesson, train

Floats = npt.NDArray[np.float32]

_FEWEST_PHRASES = 20  # an entry: with fewer, the encoder alone finds as much
_ENOUGH_PHRASES = 200  # an entry: half of the most trust; 100 and 300 do as well
_MOST_TRUST = 0.5  # beside the same witnesses with the encoder; .75 does as well
_HARDLY = np.float32(1e-6)  # likely: an entry that no word speaks for


@dataclass(frozen=True, slots=True)
class ByWords:
    """Tells the entries of a base by their words and letters."""

    phrases: Phrases  # as if there were no encoder
    heads: Heads
    trust: float  # 0 to 1: what it says beside what the encoder takes part in

    @classmethod
    def trained(cls, lesson: Lesson, phrases_an_entry: float, cache: Cache | None) -> ByWords | None:
        """Of what the base learns with its encoder; None where its entries have too few phrases."""
        if phrases_an_entry < _FEWEST_PHRASES:
            return None
        phrases = Phrases(replace(lesson.phrases.texts, seen=None), lesson.phrases.entries)
        alone = replace(lesson, phrases=phrases, vectors=_nothing, see=_nothing)
        trust = _MOST_TRUST * phrases_an_entry / (phrases_an_entry + _ENOUGH_PHRASES)
        return cls(phrases, train(alone, cache, ""), trust)

    def tells(self, readings: Sequence[str], trust: Sequence[float], ranking: Floats) -> Floats:
        """How likely each entry is by the words of some readings and the trust in each, where the witnesses
        count as in `ranking`; shape (entries,), natural logarithms."""
        texts = Texts.of([fold(text) for text in readings], None)
        shares = np.zeros((len(readings), self.phrases.count), np.float32)
        for own, evidence in zip(shares, gather(self.phrases, self.heads, texts), strict=True):
            own[evidence.entries] = np.exp(log_softmax(evidence.values @ ranking))
        likely = np.average(shares, axis=0, weights=trust)
        return np.asarray(np.log(np.maximum(likely, _HARDLY)), np.float32)


def _nothing(*_: object) -> None:
    """What an encoder tells where there is none."""
