"""Several answers become one reply: each under what it answers, the one that asks back at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.dialogue.spoken_form import spoken_form
from assistant.values import Choice, Reply


@dataclass(frozen=True, slots=True)
class Piece:
    """The answer to one of several questions."""

    title: str  # what is answered, as a question; may be empty
    reply: Reply
    asks_back: bool  # an `Ask`, or "is it one of these?": the customer must choose
    waits: bool  # an `Ask`


def together(pieces: Sequence[Piece]) -> Reply:
    """One reply from at least one piece, in the order asked.

    Only one piece may ask back, and it comes last; the others that would are offered as choices.
    """
    asking = [piece for piece in pieces if piece.asks_back]
    last = next((piece for piece in asking if piece.waits), asking[0] if asking else None)
    told = [piece for piece in pieces if not piece.asks_back] + ([last] if last else [])
    postponed = [piece for piece in asking if piece is not last]
    entries = [piece.reply.entry for piece in told if piece.reply.entry]
    return Reply(
        text="\n\n".join(_titled(piece) for piece in told),
        spoken=" ".join(_said(piece) for piece in told),
        language=told[0].reply.language,
        entry=entries[0] if entries else None,
        choices=_choices(told, last, postponed),
        media=tuple(dict.fromkeys(media for piece in told for media in piece.reply.media)),
        also=tuple(entries[1:]),
    )


def _titled(piece: Piece) -> str:
    return f"**{piece.title}**\n\n{piece.reply.text}" if piece.title else piece.reply.text


def _said(piece: Piece) -> str:
    title = spoken_form(piece.title, piece.reply.language)
    stop = "." if title and title[-1].isalnum() else ""  # else a voice runs it into the answer
    return f"{title}{stop} {piece.reply.spoken}".strip()


def _choices(told: Sequence[Piece], last: Piece | None, postponed: Sequence[Piece]) -> tuple[Choice, ...]:
    """Those of the piece that asks back and a way to each postponed one; else what all of them suggest."""
    if last:
        return _once((*last.reply.choices, *(way for piece in postponed for way in _ways_to(piece))))
    told_entries = {piece.reply.entry for piece in told}
    suggested = [choice for piece in told for choice in piece.reply.choices]
    return _once(choice for choice in suggested if choice.entry not in told_entries)


def _ways_to(piece: Piece) -> tuple[Choice, ...]:
    return (Choice(piece.title, piece.reply.entry),) if piece.reply.entry else piece.reply.choices


def _once(choices: Iterable[Choice]) -> tuple[Choice, ...]:
    """The first choice for each entry: the same one twice is no choice."""
    return tuple({choice.entry: choice for choice in reversed(list(choices))}.values())[::-1]
