"""What all tests of pages share: one server, one browser. Not imported but named in `pytest_plugins`.

With `ASSISTANT_SCREENSHOTS=FOLDER` the pictures are kept there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.settings import load_settings
from tests.browser import REPOSITORY, House, launch, open_house, spoken_by

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser with a microphone that hums."""
    opened = launch(playwright, *spoken_by(None))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The server with the sample knowledge. It hears nothing but what the pages know, so that a voice that no
    recognizer was made for is heard for certain, and speaks with the voice that says a thing the same way
    each time."""
    settings = load_settings(REPOSITORY / "knowledge")
    listening = replace(settings.listening, only_questions=True)
    speaking = replace(settings.speaking, voices=("pyttsx3",))
    with open_house(replace(settings, listening=listening, speaking=speaking)) as opened:
        yield opened


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    kept = os.environ.get("ASSISTANT_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
