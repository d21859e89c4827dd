"""The chat on a company's own page, in a real browser: one script tag, and neither page harms the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from assistant.channels.web.server import serving
from assistant.channels.web.values import Access
from assistant.settings import load_settings
from tests import browser as browsers
from tests.browser import DESKTOP, PATIENCE_MS, PHONE, REPOSITORY, House, Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Locator, Page

pytest_plugins = ("tests.browser_fixtures",)
pytestmark = browsers.needs_browser

# Of a site that thinks of nobody else's elements, and of one that knows those of the widget.
RUDE_CSS = """
html { font-size: 40px; --assistant-button: red; }
* { color: red !important; letter-spacing: 9px !important; }
div, button, iframe, svg, span { opacity: 0.1 !important; position: static !important;
  transform: rotate(20deg) !important; width: 3px !important; }
[data-assistant-widget] { display: none !important; font-size: 99px !important; }
"""
TAG = '<script src="{home}/widget.js" data-language="{language}" {attributes} async></script>'
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title>
{head}</head><body><main><h1>A shop of the company</h1><p>What we sell.</p>
<button id="own">Buy</button></main></body></html>"""
HEADS = {
    "/": TAG.format(home="{home}", language="en", attributes='data-title="Ask us"'),
    "/none": "",
    "/twice": 2 * TAG.format(home="{home}", language="en", attributes=""),
    "/left": TAG.format(home="{home}", language="ko", attributes='data-position="left" data-color="#5b2a86"'),
    "/rude": '<link rel="stylesheet" href="/rude.css">'
    + TAG.format(home="{home}", language="en", attributes='data-title="Ask us"'),
    "/evil": TAG.format(
        home="{home}",
        language="&quot;&gt;&lt;img src=x&gt;&amp;x=",
        attributes='data-title="<img src=x onerror=alert(1)>" data-color="red;background:url(//evil)"',
    ),
}


async def _page(request: Request) -> Response:
    """Under a strict policy that allows the two things that the widget asks for."""
    home = request.app.state.home
    policy = f"default-src 'none'; style-src 'self'; script-src {home}; frame-src {home}"
    head = HEADS[request.url.path].format(home=home)
    return HTMLResponse(PAGE.format(head=head), headers={"Content-Security-Policy": policy})


async def _rude_css(_: Request) -> Response:
    return Response(RUDE_CSS, media_type="text/css")


def site() -> Starlette:
    return Starlette(routes=[*(Route(path, _page) for path in HEADS), Route("/rude.css", _rude_css)])


@pytest.fixture(scope="module")
def shop() -> Iterator[tuple[str, House]]:
    """A company's own site, and the assistant that it may show."""
    app = site()
    with serving(app, Access(port=0)) as address:
        shop_url = address.rstrip("/")
        with browsers.open_house(load_settings(REPOSITORY / "knowledge"), shop_url) as house:
            app.state.home = house.url
            yield shop_url, house


@pytest.fixture
def visitor(shop: tuple[str, House], browser: Browser) -> Iterator[Visit]:
    url, house = shop
    context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]}, locale="en-GB")
    visited = browsers.visit(context, url, [house.url])
    yield visited
    context.close()
    visited.check()


def opener(page: Page) -> Locator:
    return page.locator("[data-assistant-widget] .opener")


def panel(page: Page) -> Locator:
    return page.get_by_role("dialog")


def chat(page: Page) -> FrameLocator:
    return page.frame_locator("[data-assistant-widget] iframe")


def is_in_chat(page: Page) -> bool:
    script = "document.activeElement.shadowRoot?.activeElement?.tagName === 'IFRAME'"
    return bool(page.evaluate(script))


def test_a_question_is_answered_on_the_company_s_own_page(visitor: Visit, screenshots: Path) -> None:
    page = visitor.open()
    page.get_by_role("button", name="Ask us").click()
    chat(page).get_by_text("welcome").first.wait_for()
    chat(page).locator("#question").fill("When are you open?")
    page.keyboard.press("Enter")
    chat(page).get_by_text("9:30").first.wait_for()
    shown = chat(page).locator('img[src="/media/opening-hours.svg"]')
    shown.scroll_into_view_if_needed()
    assert shown.evaluate("async (picture) => (await picture.decode(), picture.naturalWidth)") > 0
    page.screenshot(path=screenshots / "widget.png")


def test_nothing_is_loaded_before_somebody_opens_it(visitor: Visit) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    page = visitor.open()
    opener(page).wait_for()
    assert [url.rpartition("/")[2] for url in asked if "favicon" not in url] == ["", "widget.js"]
    assert page.locator("iframe").count() == 0


def test_it_can_be_opened_and_closed_by_keyboard_alone(visitor: Visit) -> None:
    page = visitor.open()
    opener(page).wait_for()
    page.locator("#own").focus()
    page.keyboard.press("Tab")
    assert opener(page).get_attribute("aria-expanded") == "false"
    page.keyboard.press("Enter")
    assert opener(page).get_attribute("aria-expanded") == "true"
    panel(page).wait_for()
    assert is_in_chat(page)
    chat(page).get_by_text("welcome").first.wait_for()  # before, its scripts may not be there yet
    chat(page).locator("body").press("Escape")
    panel(page).wait_for(state="hidden")
    assert opener(page).get_attribute("aria-expanded") == "false"
    assert page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "opener"
    page.keyboard.press("Space")
    panel(page).wait_for()
    page.keyboard.press("Shift+Tab")  # from the chat back to the button that closes it
    page.get_by_role("button", name="Close the chat").focus()
    page.keyboard.press("Escape")
    panel(page).wait_for(state="hidden")


def test_a_conversation_goes_on_when_it_is_opened_again(visitor: Visit) -> None:
    page = visitor.open()
    opener(page).click()
    box = chat(page).locator("#question")
    box.fill("half a question")
    page.get_by_role("button", name="Close the chat").click()
    assert not panel(page).is_visible()
    opener(page).click()
    assert box.input_value() == "half a question"


def test_voice_and_microphone_rest_when_it_is_closed(visitor: Visit) -> None:
    """The chat page lets them rest at Escape; so it must hear of one."""
    page = visitor.open()
    opener(page).click()
    chat(page).get_by_text("welcome").first.wait_for()
    chat(page).locator("body").evaluate(
        "() => document.addEventListener('keydown', ({ key }) => (document.body.dataset.heard = key))"
    )
    page.get_by_role("button", name="Close the chat").click()
    chat(page).locator("body[data-heard=Escape]").wait_for(state="attached")
    assert not panel(page).is_visible()


LOOKS = """() => {
  const shadow = document.querySelector('[data-assistant-widget]').shadowRoot;
  return ['.place', '.opener', '.panel', '.bar', '.closer', 'iframe', 'svg'].map((name) => {
    const part = shadow.querySelector(name);
    const style = getComputedStyle(part), box = part.getBoundingClientRect();
    return [name, box.x, box.y, box.width, box.height, style.color, style.backgroundColor, style.opacity,
      style.letterSpacing, style.fontSize, style.transform];
  });
}"""


def test_the_css_of_the_page_does_not_reach_it(visitor: Visit) -> None:
    looks: list[Any] = []
    for path in ("/", "/rude"):
        page = visitor.open(path)
        page.emulate_media(reduced_motion="reduce")
        opener(page).click()
        looks.append(page.evaluate(LOOKS))
    assert looks[0] == looks[1]
    assert looks[0][1][3] == 60, "the button has 60 pixels"


OWN_LOOK = """() => ['html', 'body', 'main', 'h1', 'p', '#own'].map((name) => {
  const style = getComputedStyle(document.querySelector(name));
  return Array.from(style, (property) => `${property}: ${style.getPropertyValue(property)}`).join(';');
})"""


def test_it_leaves_the_page_as_it_was(visitor: Visit) -> None:
    def state(path: str) -> tuple[Any, ...]:
        page = visitor.open(path)
        if path != "/none":
            opener(page).click()
        names = page.evaluate("Object.getOwnPropertyNames(window).filter((name) => isNaN(name)).sort()")
        sheets = page.evaluate("[document.styleSheets.length, document.adoptedStyleSheets.length]")
        return page.evaluate(OWN_LOOK), names, sheets

    assert state("/") == state("/none")


def test_two_tags_make_one_button(visitor: Visit) -> None:
    page = visitor.open("/twice")
    opener(page).wait_for()
    page.wait_for_load_state("networkidle")
    assert page.locator("[data-assistant-widget]").count() == 1


def test_it_can_stand_on_the_left_and_speak_another_language(visitor: Visit) -> None:
    page = visitor.open("/left")
    button = page.get_by_role("button", name="채팅", exact=True)
    button.click()
    box = button.bounding_box()
    assert box is not None and box["x"] < 40
    assert page.get_by_role("button", name="채팅 닫기").is_visible()
    assert button.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(91, 42, 134)"
    chat(page).locator("html[lang=ko]").wait_for(state="attached")


def test_on_a_telephone_the_chat_fills_the_screen(visitor: Visit, screenshots: Path) -> None:
    visitor.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    page = visitor.open()
    page.emulate_media(reduced_motion="reduce")
    opener(page).click()
    assert panel(page).bounding_box() == {"x": 0, "y": 0, "width": PHONE[0], "height": PHONE[1]}
    chat(page).get_by_text("welcome").first.wait_for()
    page.screenshot(path=screenshots / "widget-phone.png")
    page.get_by_role("button", name="Close the chat").click()
    opener(page).wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_closed_and_open(visitor: Visit, scheme: Any) -> None:
    visitor.page.emulate_media(color_scheme=scheme, forced_colors="active", reduced_motion="reduce")
    page = visitor.open()
    opener(page).wait_for()
    assert browsers.accessibility_faults(page) == []
    opener(page).click()
    chat(page).get_by_text("welcome").first.wait_for()
    assert browsers.accessibility_faults(page) == []
    visitor.excuse("postMessage")  # of axe-core, which looks for itself in the frame


# --- attacks --------------------------------------------------------------------------------


def test_a_site_that_is_not_on_the_list_cannot_show_the_chat(visitor: Visit, shop: tuple[str, House]) -> None:
    app = site()
    app.state.home = shop[1].url
    with serving(app, Access(port=0)) as address:
        stranger = address.rstrip("/")
        visitor.allowed = (*visitor.allowed, stranger)
        page = visitor.page
        page.goto(stranger + "/")
        with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
            opener(page).click()
        assert chat(page).get_by_role("heading").count() == 0
        visitor.excuse("frame-ancestors")


def test_messages_of_anybody_else_do_not_close_it(visitor: Visit) -> None:
    page = visitor.open()
    opener(page).click()
    chat(page).get_by_role("heading", level=1).wait_for()
    page.evaluate(
        """() => new Promise((done) => {
          addEventListener('message', () => setTimeout(done), { once: true });
          postMessage({ type: 'assistant-close' }, '*');
        })"""
    )
    assert panel(page).is_visible()


def test_what_the_tag_says_is_text(visitor: Visit) -> None:
    page = visitor.open("/evil")
    button = page.get_by_role("button", name="<img src=x onerror=alert(1)>")
    button.click()
    assert page.locator("img").count() == 0
    assert button.evaluate("element => getComputedStyle(element).backgroundColor") == "rgb(28, 102, 82)"
    address = page.locator("iframe").get_attribute("src", timeout=PATIENCE_MS) or ""
    assert address.endswith("/widget")
