"""Why was this answered? What was heard, how it was compared, and who spoke for which entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.values import Candidate, Found, Match, Ranking, Turn, Unsure, Witness

if TYPE_CHECKING:
    from rich.table import Table

    from assistant.channels.screen import Screen

_BEST = 3


def explain(screen: Screen, turn: Turn, decided: str = "") -> None:
    """Show the whole way from the words to the outcome; `decided` where no matcher decided."""
    ranking = turn.match.ranking
    heard = " | ".join((turn.utterance.text, *turn.utterance.also_heard))
    facts = [
        ("heard", heard),
        ("compared", ranking.compared or "(nothing to compare)"),
        ("language", ranking.language or "nothing tells"),
        ("decided", decided or verdict(turn.match)),
        *(("note", note) for note in ranking.notes),
        ("took", f"{turn.milliseconds:.1f} ms"),
    ]
    for name, told in facts:
        screen.line(f"{name:<10}{told}")
    if ranking.candidates:
        screen.line()
        screen.show(_table(ranking))


def verdict(match: Match) -> str:
    """The outcome and its reason in a line."""
    if isinstance(match, Found):
        return f"found: {match.reason}"
    if isinstance(match, Unsure):
        return f"unsure between {', '.join(match.entries)}: {match.reason}"
    return f"unknown: {match.reason}"


def _table(ranking: Ranking) -> Table:
    """A column for each of the best entries, a row for each witness: as measured, and what it added."""
    from rich import box
    from rich.table import Table

    best = ranking.candidates[:_BEST]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("")
    for candidate in best:
        table.add_column(candidate.entry, justify="right", overflow="fold")
    table.add_row("probability", *(f"{candidate.probability:.1%}" for candidate in best), style="bold")
    table.add_row("wording", *(candidate.phrase for candidate in best), end_section=True)
    for name in dict.fromkeys(witness.name for candidate in best for witness in candidate.witnesses):
        table.add_row(name, *(_cell(candidate, name) for candidate in best))
    return table


def _cell(candidate: Candidate, name: str) -> str:
    witness = next((witness for witness in candidate.witnesses if witness.name == name), None)
    return _measured(witness) if witness else ""


def _measured(witness: Witness) -> str:
    return f"{witness.value:.2f}  {witness.part:+6.2f}"
