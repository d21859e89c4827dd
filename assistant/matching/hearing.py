"""How what was heard is understood: read as what was probably said, told by its words and by its sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.matching.by_sound import BySound
from assistant.matching.by_words import ByWords
from assistant.matching.ranking import Ranked, Weights, pooled
from assistant.matching.rehearing import Rehearing


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a base makes of what was heard in one language."""

    rehearing: Rehearing
    by_words: ByWords | None = None  # None: the base has too few phrases, or no encoder
    by_sound: BySound | None = None  # None: the base has too few phrases in that language

    def told(self, ranked: Ranked, texts: Sequence[str], trust: Sequence[float], weights: Weights) -> Ranked:
        """The entries of what was heard, `ranked` by its readings, with what the words and the sounds of
        these `texts` tell, each of which has its `trust`."""
        if self.by_words and weights.words_alone is not None:
            words = self.by_words.tells(texts, trust, weights.words_alone)
            ranked = pooled(ranked, words, self.by_words.trust)
        if self.by_sound:
            ranked = pooled(ranked, self.by_sound.tells(texts, trust), self.by_sound.trust)
        return ranked
