"""What a benchmark is told on its command line; `--help` shows the text at the head of its file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

_FOLDER = Path("../shared/bench")


def options(about: str | None, needs_folder: bool = True) -> ArgumentParser:
    """A parser for one benchmark, with the folder of the public sets where it needs one."""
    spec = sys.modules["__main__"].__spec__
    name = spec.name.removesuffix(".__main__") if spec else "a benchmark"
    parser = ArgumentParser(
        f"python -m {name}", description=about, formatter_class=RawDescriptionHelpFormatter
    )
    if needs_folder:
        parser.add_argument(
            "folder", nargs="?", type=Path, default=_FOLDER, help=f"the public sets; without it: {_FOLDER}"
        )
    return parser
