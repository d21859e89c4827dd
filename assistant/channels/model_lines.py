"""Speech models as a table, as lines and as JSON, and the progress of one that is being installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.channels.screen import Screen

Step = Callable[[str, int, int | None], None]  # what is being done, bytes so far, bytes in all


@dataclass(frozen=True, slots=True)
class ModelLine:
    """A model that can be installed, or is."""

    name: str
    language: str  # "de", "en-us"
    language_name: str  # "German"
    kind: str  # "small", "large"; empty: not known
    megabytes: int  # to fetch; of an installed model that nobody offers, on the disk
    licence: str  # empty: the maker's page tells
    installed_in: str  # the folder; empty: it is not


def show_models(out: Screen, models: Sequence[ModelLine]) -> None:
    """A table on a terminal, a line each elsewhere: tab-separated, the same columns without a heading."""
    if not out.is_terminal:
        return out.lines("\t".join(_cells(model)) for model in models)
    from rich.table import Table

    table = Table("language", "model", "size", "licence", "installed", box=None, pad_edge=False)
    table.columns[1].no_wrap = True
    table.columns[2].justify = "right"
    for model in models:
        table.add_row(*_cells(model), style="green" if model.installed_in else "")
    return out.show(table)


def models_json(models: Sequence[ModelLine]) -> str:
    return json.dumps([asdict(model) for model in models], ensure_ascii=False, indent=2)


def _cells(model: ModelLine) -> tuple[str, ...]:
    return (
        model.language_name,
        model.name,
        size(model.megabytes),
        model.licence or "see the maker's page",
        model.installed_in or "no",
    )


def size(megabytes: int) -> str:
    """ "46 MB", "1.9 GB"."""
    return f"{megabytes} MB" if megabytes < 1000 else f"{megabytes / 1000:.1f} GB"


@contextmanager
def install_progress(err: Screen) -> Iterator[Step]:
    """Gives a function to tell how far an install is: a bar on a terminal, a line for each step elsewhere."""
    if not err.is_terminal:
        yield _line_a_step(err)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err.console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, total: progress.update(task, description=what, completed=done, total=total)


def _line_a_step(err: Screen) -> Step:
    told: set[str] = set()

    def tell(what: str, _done: int, total: int | None) -> None:
        if what not in told:
            told.add(what)
            err.line(f"{what} ({size(round(total / 1e6))})" if total else what, "dim")

    return tell
