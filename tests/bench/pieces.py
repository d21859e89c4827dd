"""Learn in which directions the pieces of questions differ: python -m tests.bench.pieces

Writes assistant/matching/piece_directions.json from the questions of assistant/matching/elsewhere.toml.
"""

from __future__ import annotations

from pathlib import Path

from assistant.matching import semantic_pieces
from assistant.matching.elsewhere import asked_elsewhere
from assistant.matching.semantic import UniversalEncoder
from assistant.matching.semantic_pieces import DIRECTIONS_FILE, written_directions
from tests.bench.options import options

SHIPPED = Path(semantic_pieces.__file__).with_name(DIRECTIONS_FILE)


def main() -> None:
    options(__doc__, needs_folder=False).parse_args()
    encoder = UniversalEncoder()
    read = encoder.read_at_pieces(asked_elsewhere(()))
    SHIPPED.write_text(written_directions(read, encoder.name, "python -m tests.bench.pieces"), "utf-8")
    print(f"wrote {SHIPPED}, from {len(read)} pieces")


if __name__ == "__main__":
    main()
