"""A benchmark's table on the screen, or where to get the sets that it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from tests.bench.sets import NoSets


def show(table: Table, rows: Iterable[Sequence[str]]) -> None:
    """Fill the table and print it; ends with 1 where a set is missing."""
    console = Console(width=120)
    try:
        for row in rows:
            table.add_row(*row)
    except NoSets as missing:
        console.print(str(missing), style="yellow", markup=False)
        raise SystemExit(1) from None
    console.print(table)
