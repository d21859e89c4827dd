"""What an encoder should look at in a base: the word pieces that tell its entries apart.

In "How do I block my card?" a bank's base learns nothing from "my" and "card". A vector in which rare
pieces weigh more is a second view of a text: nearest phrase .84 instead of .75 on a German set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.matching.cache import Arrays, Cache, fingerprint
from assistant.ports import Encoder, Seen

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_POWER = 0.7  # of the rarity; 0.5 to 1 differ by less than half a point
_STEPS_A_DOUBLING = 8  # weights are rounded, so that one more entry leaves most vectors as they are


@dataclass(frozen=True, slots=True)
class Focus:
    """How much each word piece counts in a base."""

    weights: Mapping[int, float]
    unknown: float  # the weight of a piece that the base lacks

    @classmethod
    def of(cls, pieces: Iterable[Sequence[int]], entries: Ints) -> Focus:
        """From the pieces of each phrase and the number of its entry: the fewer entries hold a piece,
        the more it counts."""
        holders: dict[int, set[int]] = {}
        for row, entry in zip(pieces, entries.tolist(), strict=True):
            for piece in row:
                holders.setdefault(piece, set()).add(entry)
        count = len(np.unique(entries))
        return cls({piece: _weight(count, len(own)) for piece, own in holders.items()}, _weight(count, 0))

    @property
    def commonest_first(self) -> Sequence[int]:
        """The pieces of the base; those that most entries hold come first."""
        return sorted(self.weights, key=lambda piece: self.weights[piece])

    def weigh(self, pieces: Sequence[int]) -> Floats:
        """A weight for each piece of a text, 1 on average."""
        weights = np.array([self.weights.get(piece, self.unknown) for piece in pieces], np.float32)
        return np.asarray(weights / weights.mean(), np.float32)


def _weight(entries: int, holding: int) -> float:
    rarity = float((np.log((1 + entries) / (1 + holding)) + 1) ** _POWER)
    return float(2 ** (round(_STEPS_A_DOUBLING * np.log2(rarity)) / _STEPS_A_DOUBLING))


class FocusedEncoder:
    """An encoder that looks at what is rare in a base: two vectors of a text side by side."""

    def __init__(self, encoder: Encoder, focus: Focus, base: str = "") -> None:
        """`base` names the phrases that the focus was learned from."""
        self._encoder, self._focus, self.base = encoder, focus, base
        self.name, self.dimensions = encoder.name, 2 * encoder.dimensions
        self.piece_name, self.piece_dimensions = encoder.piece_name, encoder.piece_dimensions

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (len(texts), dimensions); each half of a row has length one."""
        return self._encoder.encode_focused(texts, self._focus.weigh)

    def see(self, texts: Sequence[str]) -> Seen:
        """The same, and the pieces of the texts."""
        return self._encoder.see(texts, self._focus.weigh)

    def mark(self, text: str) -> str:
        """All that the vectors of a text depend on."""
        return f"{text} {self._focus.weigh(self._encoder.pieces(text)).tolist()}"


def focused(encoder: Encoder, texts: Sequence[str], entries: Ints, cache: Cache | None) -> FocusedEncoder:
    """The encoder for a base of these phrases, each with the number of its entry."""

    def learn() -> Arrays:
        focus = Focus.of(map(encoder.pieces, texts), entries)
        pieces = np.array([*focus.weights], np.float32)  # exact: below 2**24
        return {"pieces": pieces, "weights": np.array([*focus.weights.values(), focus.unknown], np.float32)}

    key = fingerprint(encoder.name, ",".join(map(str, entries.tolist())), *texts)
    stored = cache.arrays(f"focus-{fingerprint(encoder.name)}", key, learn) if cache else learn()
    pieces, weights = stored["pieces"].astype(int).tolist(), stored["weights"].tolist()
    focus = Focus(dict(zip(pieces, weights, strict=False)), weights[-1])
    encoder.expect(focus.commonest_first)
    return FocusedEncoder(encoder, focus, key)
