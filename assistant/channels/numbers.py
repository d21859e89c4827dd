"""The numbers behind an explanation, for those who test and tune."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.matching.deciding import answerable
from assistant.values import Candidate, Ranking, Witness

if TYPE_CHECKING:
    from rich.table import Table

    from assistant.channels.screen import Screen
    from assistant.matching.reasons import Explanation

_BEST = 3


def show_numbers(screen: Screen, told: Explanation) -> None:
    """What every witness measured and added, and what the probability of the first entry is made of."""
    if told.parts:
        for part in told.parts:
            show_numbers(screen, part)
        return
    ranking = told.match.ranking
    screen.line()
    screen.line(f"compared  {ranking.compared or '(nothing to compare)'}")
    screen.line(f"language  {ranking.language or 'nothing tells'}")
    screen.line(f"known     {answerable(ranking):.1%} likely that a page answers it")
    screen.line(f"decided   {told.match.reason}")
    if ranking.candidates:
        screen.line()
        screen.show(_witnesses(ranking))
    if told.signs.first:
        screen.line()
        screen.show(_signs(told))


def _witnesses(ranking: Ranking) -> Table:
    """A column for each of the best entries, a row for each witness: as measured, and what it added."""
    best = ranking.candidates[:_BEST]
    table = _table("which entry", *(candidate.entry for candidate in best))
    table.add_row("probability", *(f"{candidate.probability:.1%}" for candidate in best), style="bold")
    table.add_row("wording", *(candidate.phrase for candidate in best), end_section=True)
    for name in dict.fromkeys(witness.name for candidate in best for witness in candidate.witnesses):
        table.add_row(name, *(_cell(candidate, name) for candidate in best))
    return table


def _signs(told: Explanation) -> Table:
    """A row for each sign: as measured, and what it added to the log-odds that a page answers, and that it is
    the first entry, if one does; the product of both is the probability of the first."""
    known, first = told.signs.answerable, told.signs.first
    table = _table("how sure", "a page answers", f"then `{told.match.ranking.candidates[0].entry}`")
    for one, other in zip(known, first, strict=True):
        table.add_row(one.name, _measured(one), f"{other.part:+6.2f}")
    table.add_section()
    sums = [sum(sign.part for sign in each) for each in (known, first)]
    table.add_row("log-odds", *(f"{each:+6.2f}" for each in sums), style="bold")
    return table


def _table(title: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(title)
    for name in columns:
        table.add_column(name, justify="right", overflow="fold")
    return table


def _cell(candidate: Candidate, name: str) -> str:
    witness = next((witness for witness in candidate.witnesses if witness.name == name), None)
    return _measured(witness) if witness else ""


def _measured(witness: Witness) -> str:
    return f"{witness.value:.2f}  {witness.part:+6.2f}"
