"""A bar that shows how far a long job has come, where there is a terminal to show it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from assistant.channels.screen import Screen

_WORTH_A_BAR = 20  # steps; fewer are done before anyone looks


@contextmanager
def bar(title: str, total: int | None, *screens: Screen) -> Iterator[Callable[[int], None]]:
    """Gives a function to tell how many steps are done; the first screen on a terminal shows the bar."""
    screen = next((screen for screen in screens if screen.is_terminal), None)
    if screen is None or (total is not None and total < _WORTH_A_BAR):
        yield _shown_nowhere
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen.console, transient=True) as progress:
        task = progress.add_task(title, total=total)
        yield lambda done: progress.update(task, completed=done)


def _shown_nowhere(_done: int) -> None:
    """For a job that nobody watches."""
