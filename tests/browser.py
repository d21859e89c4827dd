"""A real browser before the real server, and what must be true of every page.

    pytest_plugins = ("tests.browser_fixtures",)     # house, playwright, browser, screenshots

    context = browser.new_context(locale="en-GB")
    visited = visit(context, house.url)
    visited.open("/").get_by_role("textbox").fill("When are you open?")
    ...
    visited.check()

`check` looks back: no request left this machine, nothing was complained about on the
console, no rule of the Content-Security-Policy was broken."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from assistant import wiring
from assistant.channels.web.app import create_app
from assistant.channels.web.server import serving
from assistant.channels.web.values import Access, Backstage
from assistant.settings import Settings
from assistant.wiring.web import open_backstage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

REPOSITORY = Path(__file__).parents[1]
_NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((path for name in _NAMES if (path := shutil.which(name))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason=f"no browser is installed: {', '.join(_NAMES)}")

ALWAYS = (
    "--no-sandbox",  # the tests of a container run as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SOUND = (
    "--use-fake-ui-for-media-stream",  # whoever asks for the microphone gets it
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
PATIENCE_MS = 20_000  # the machine may have much else to do
DESKTOP = (1280, 860)
PHONE = (390, 844)


@dataclass(frozen=True, slots=True)
class House:
    """The server as a browser meets it."""

    url: str  # without a slash at the end
    backstage: Backstage


@contextmanager
def open_house(settings: Settings, site: str | None = None) -> Iterator[House]:
    """The real server with the real assistant, on a port of its own; `site` may show it in a frame."""
    if site:
        settings = replace(settings, web=replace(settings.web, origins=(site,)))
    assistant = wiring.build_assistant(settings)
    with (
        open_backstage(settings, assistant) as backstage,
        serving(create_app(backstage, Access(port=0)), Access(port=0)) as address,
    ):
        yield House(address.rstrip("/"), backstage)


def as_heard_in_tests(settings: Settings) -> Settings:
    """The recognizers hear nothing but what the pages know, so that a voice that none of them was made for is
    heard for certain, and the voice says a thing the same way each time."""
    listening = replace(settings.listening, only_questions=True)
    return replace(settings, listening=listening, speaking=replace(settings.speaking, voices=("pyttsx3",)))


@dataclass(slots=True)
class Visit:
    """A page under the eyes of a test, and what went wrong on it."""

    page: Page
    home: str
    allowed: tuple[str, ...]  # origins; whatever else is asked for is refused, and counts as a fault
    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def open(self, path: str = "/") -> Page:
        self.page.goto(self.home + path)
        return self.page

    def excuse(self, *words: str) -> None:
        """These faults were the purpose of the test."""
        self.faults = [fault for fault in self.faults if not any(word in fault for word in words)]

    def check(self) -> None:
        assert not self.foreign, f"asked for from elsewhere: {self.foreign}"
        assert not self.faults, "\n".join(self.faults)


def visit(context: BrowserContext, home: str, others: Sequence[str] = ()) -> Visit:
    """A new page that reaches its own server and nothing else."""
    from playwright.sync_api import Route

    context.set_default_timeout(PATIENCE_MS)
    visited = Visit(context.new_page(), home, (home, *others))

    def guard(route: Route) -> None:
        if _origin(route.request.url) in visited.allowed:
            return route.fallback()
        visited.foreign.append(route.request.url)
        return route.abort()

    context.route("**/*", guard)
    page = visited.page
    page.on("websocket", lambda socket: _note_foreign(visited, socket.url))
    page.on("pageerror", lambda error: visited.faults.append(f"error: {error}"))
    page.on("console", lambda message: _note(visited, message))
    context.add_init_script(
        "addEventListener('securitypolicyviolation', (event) =>"
        " console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`))"
    )
    return visited


def _note(visited: Visit, message: Any) -> None:
    if message.type in ("error", "warning"):
        visited.faults.append(f"console {message.type}: {message.text}")


def _note_foreign(visited: Visit, url: str) -> None:
    if _origin(url.replace("ws", "http", 1)) not in visited.allowed:
        visited.foreign.append(url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def spoken_by(sound: Path | None) -> tuple[str, ...]:
    """Arguments for a browser whose microphone plays the file once; None: the microphone hums."""
    return (*_SOUND, *([f"--use-file-for-fake-audio-capture={sound}%noloop"] if sound else []))


def launch(playwright: Playwright, *arguments: str) -> Browser:
    return playwright.chromium.launch(executable_path=BROWSER, args=[*ALWAYS, *arguments])


def accessibility_faults(page: Page) -> list[str]:
    """What axe-core finds on the page and in its frames: a line each."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    axe = Axe()
    found = [one for frame in page.frames for one in axe.run(frame).response["violations"]]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['target'] for node in one['nodes']]}"
        for one in found
    ]
