"""How loud it is right now, as a bar that moves with the sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.channels.screen import Screen

_FROM_DB = -60.0  # a quiet room; below, the bar is empty


@contextmanager
def level_meter(err: Screen, invitation: str) -> Iterator[Callable[[float], None]]:
    """Gives a function to tell the level in decibels (0: the loudest there is); shown on a terminal only."""
    if not err.is_terminal:
        yield _shown_nowhere
        return
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, console=err.console, transient=True) as progress:
        task = progress.add_task(invitation, total=-_FROM_DB, told="")

        def show(level_db: float) -> None:
            told = "too loud" if level_db > -3 else f"{level_db:.0f} dB"
            progress.update(task, completed=max(0.0, level_db - _FROM_DB), told=told)

        yield show


def _shown_nowhere(_level_db: float) -> None:
    """For a stream that is no terminal."""
