"""What the tests of pages share: one server, and a browser for each file.

Not imported but named in `pytest_plugins`.
With `ASSISTANT_SCREENSHOTS=FOLDER` the pictures are kept there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.settings import load_settings
from tests.browser import REPOSITORY, House, as_heard_in_tests, launch, open_house, spoken_by

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one file of tests: while it runs, nothing else can run an event loop in this thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser with a microphone that hums."""
    opened = launch(playwright, *spoken_by(None))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The server with the sample knowledge."""
    with open_house(as_heard_in_tests(load_settings(REPOSITORY / "knowledge"))) as opened:
        yield opened


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    kept = os.environ.get("ASSISTANT_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
