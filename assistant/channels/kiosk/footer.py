"""The keys of a kiosk, as far as they do something at the moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from rich.text import Text

from assistant.channels.kiosk.values import Kiosk, State
from assistant.channels.screen import safe


def footer(kiosk: Kiosk, words: Mapping[str, str], width: int, is_cut: bool) -> list[Text]:
    """Keys and what they do, in as many lines as it takes; a key is never parted from its word.

    `is_cut`: there is more to read than the screen holds.
    """
    lines = [Text()]
    for key, word in chain([("↑ ↓", "more")] if is_cut else [], _keys(kiosk)):
        one = Text(" ")
        one.append(f" {safe(words.get(key, key))} ", "bold black on cyan")
        one.append(f" {safe(words.get(word, word))} ")
        if lines[-1].cell_len + one.cell_len > width:
            lines.append(Text())
        lines[-1].append_text(one)
    return lines


def _keys(kiosk: Kiosk) -> Iterator[tuple[str, str]]:
    is_busy = kiosk.state in (State.SPEAKING, State.THINKING)
    if kiosk.typed is not None and (kiosk.typed or kiosk.is_deaf):  # letters are for the line
        yield "enter", "ask"
        yield "Esc", "stop"
        return
    if kiosk.asks_to_go_on:
        yield "enter", "go-on"
    if kiosk.can_hear and not is_busy:
        yield "space", "finish" if kiosk.is_push else "speak"
    if is_busy:
        yield "Esc", "stop"
    yield "h", "help"
    if kiosk.conversation.last_reply:
        yield "r", "again"
        yield "n", "start-over"
    yield "p", "person"
    if kiosk.rules.can_speak and kiosk.conversation.last_reply:
        yield "+ -", "volume"
        yield "s f", "pace"
    if not kiosk.asks_to_go_on:
        yield "enter", "type"
    if len(kiosk.rules.languages) > 1:
        yield "l", "language"
