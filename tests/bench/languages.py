"""Learn what the vectors of a language have in common: python -m tests.bench.languages

Writes assistant/matching/e5_languages.json from the sentences of tests/bench/languages.toml.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np

from assistant.matching import semantic_e5
from assistant.matching.semantic_e5 import LANGUAGES_FILE, E5Encoder, Floats, written_means
from tests.bench.options import options

SENTENCES = Path(__file__).with_name("languages.toml")
SHIPPED = Path(semantic_e5.__file__).with_name(LANGUAGES_FILE)


def language_means(encoder: E5Encoder) -> dict[str, Floats]:
    """The mean vector of the same sentences in each language."""
    sentences = tomllib.loads(SENTENCES.read_text(encoding="utf-8"))
    return {
        tag: np.asarray(encoder.encode_with_language(texts).mean(axis=0), np.float32)
        for tag, texts in sentences.items()
    }


def main() -> None:
    options(__doc__, needs_folder=False).parse_args()
    encoder = E5Encoder()
    SHIPPED.write_text(written_means(language_means(encoder), encoder.library), encoding="utf-8")
    print(f"wrote {SHIPPED}")


if __name__ == "__main__":
    main()
