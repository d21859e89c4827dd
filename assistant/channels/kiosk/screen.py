"""A kiosk on a terminal: full-screen, drawn anew only when something has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.live import Live

from assistant.channels.kiosk.view import Picture
from assistant.values import Knowledge

if TYPE_CHECKING:
    from rich.console import Console

    from assistant.channels.kiosk.values import Happening, Kiosk


class OnScreen:
    """Takes over the terminal until it is closed."""

    def __init__(self, console: Console, knowledge: Callable[[], Knowledge]) -> None:
        self._console = console
        self._knowledge = knowledge
        self._shown: object = None
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._live.start()

    def happened(self, _happening: Happening) -> None:
        """What has become of it is shown instead."""

    def says(self, _text: str, _language: str) -> None:
        """It stands on the screen."""

    def show(self, kiosk: Kiosk) -> None:
        picture = Picture.of(kiosk, self._knowledge())
        if (shown := (picture, self._console.size)) != self._shown:
            self._shown = shown
            self._live.update(picture, refresh=True)

    def close(self) -> None:
        """Give the terminal back as it was."""
        self._live.stop()
