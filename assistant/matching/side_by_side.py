"""Two sentence encoders behind one plug: what one mistakes, the other often knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from assistant.matching.cache import Cache
from assistant.matching.semantic import open_encoder
from assistant.matching.semantic_e5 import open_e5
from assistant.ports import Encoder, Lexicon, Seen, SentenceEncoder

Floats = npt.NDArray[np.float32]

SHARE_OF_E5 = 0.6  # 0.5 and 0.7 differ by less than a point on BANKING77, CLINC150 and a FAQ in two languages


class SideBySide:
    """The vectors of two encoders in one row: its cosine is the weighted mean of both cosines."""

    def __init__(self, first: Encoder, second: SentenceEncoder, share_of_second: float) -> None:
        """`share_of_second` is a number from 0 to 1; the first has the rest."""
        self._first, self._second = first, second
        self._lengths = np.sqrt(np.array([1 - share_of_second, share_of_second], np.float32))
        self.dimensions = first.dimensions + second.dimensions
        self.piece_name, self.piece_dimensions = first.piece_name, first.piece_dimensions
        self.name = f"{first.name} + {second.name} x {share_of_second:g}"

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (len(texts), dimensions), rows of length one."""
        first, second = self._lengths
        return np.hstack([first * self._first.encode(texts), second * self._second.encode(texts)])

    def pieces(self, text: str) -> Sequence[int]:
        """The first encoder's: the second one's vectors have no focus."""
        return self._first.pieces(text)

    def expect(self, pieces: Sequence[int]) -> None:
        """The first encoder's, too."""
        self._first.expect(pieces)

    def encode_focused(self, texts: Sequence[str], weigh: Callable[[Sequence[int]], Floats]) -> Floats:
        """Shape (len(texts), 2 * dimensions): the first encoder's plain and focused vectors, each beside
        the second encoder's vector."""
        return self._beside(texts, self._first.encode_focused(texts, weigh))

    def see(self, texts: Sequence[str], weigh: Callable[[Sequence[int]], Floats]) -> Seen:
        """The same vectors, and the first encoder's pieces."""
        seen = self._first.see(texts, weigh)
        return replace(seen, vectors=self._beside(texts, seen.vectors))

    def _beside(self, texts: Sequence[str], first: Floats) -> Floats:
        plain, focused = np.split(self._lengths[0] * first, 2, axis=1)
        second = self._lengths[1] * self._second.encode(texts)
        return np.hstack([plain, second, focused, second])

    def frequency(self, word: str) -> float | None:
        """As the plug `Lexicon` asks: what the first encoder knows of a common word, if it can tell."""
        return self._first.frequency(word) if isinstance(self._first, Lexicon) else None


def open_accurate_encoder(cache: Cache | None = None) -> Encoder:
    """Both encoders side by side; raises ModelError where one is missing or damaged."""
    second = open_e5()  # first, for it may well be missing and is asked in no time
    return SideBySide(open_encoder(cache), second, SHARE_OF_E5)
