"""The kiosk's page in a real browser: by touch, by keys, by voice, and how it looks in every state."""

from __future__ import annotations

import json
import re
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assistant.channels.kiosk.states import new_kiosk
from assistant.channels.kiosk.values import Kiosk, Note, Rules, State, Words
from assistant.channels.kiosk.words import kiosk_words
from assistant.channels.web.asking.rendering import to_html
from assistant.channels.web.sockets.kiosk_view import Viewer
from assistant.dialogue.own_voice import choices_of
from assistant.settings import load_settings
from assistant.values import Conversation, Knowledge, Reply
from tests.browser import (
    ALWAYS,
    BROWSER,
    REPOSITORY,
    House,
    Visit,
    accessibility_faults,
    launch,
    needs_browser,
    open_house,
    spoken_by,
    visit,
)
from tests.test_chat_page import question_file

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright, WebSocketRoute

pytestmark = needs_browser
pytest_plugins = ("tests.browser_fixtures",)

Visiting = Callable[..., AbstractContextManager[Visit]]
PORTRAIT, LANDSCAPE, SMALL = (1080, 1920), (1920, 1080), (1024, 768)
ZOOMED = (512, 384)  # the small screen at 200 %
ANSWER = "#answer:not([hidden])"
STATIC = REPOSITORY / "assistant" / "channels" / "web" / "static"


@pytest.fixture(scope="module")
def quiet_browser(playwright: Playwright) -> Iterator[Browser]:
    """A browser without a microphone, which sounds after the first touch only."""
    opened = launch(playwright, "--deny-permission-prompts")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def hasty_house() -> Iterator[House]:
    """A server that forgets customers soon."""
    settings = load_settings(REPOSITORY / "knowledge")
    kiosk = replace(settings.kiosk, idle_seconds=5.0)
    with open_house(
        replace(settings, kiosk=kiosk, speaking=replace(settings.speaking, voices=("pyttsx3",)))
    ) as opened:
        yield opened


@pytest.fixture
def visiting(quiet_browser: Browser, house: House) -> Visiting:
    """Opens the kiosk in a context of its own, and looks back at its end."""

    @contextmanager
    def opened(language: str = "en", home: str = house.url, **options: Any) -> Iterator[Visit]:
        with _visit(quiet_browser, home, language, **options) as visited:
            yield visited

    return opened


@contextmanager
def _visit(browser: Browser, home: str, language: str = "en", **options: Any) -> Iterator[Visit]:
    width, height = options.pop("size", SMALL)
    context = browser.new_context(viewport={"width": width, "height": height}, has_touch=True, **options)
    try:
        visited = visit(context, home)
        visited.open(f"/kiosk?language={language}")
        visited.page.locator("#cards button").first.wait_for()
        yield visited
        visited.check()
    finally:
        context.close()


def wait_for_answer(page: Page, text: str) -> None:
    page.locator(ANSWER).filter(has_text=text).wait_for()


# --- by touch -----------------------------------------------------------------------------------


def test_a_sample_is_touched_the_answer_seen_and_heard_and_one_goes_back(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(
            "document.addEventListener('assistant:sound', () => { document.body.dataset.sounded = ''; })"
        )
        sample = page.locator("#cards button").first
        question = sample.locator("span").last.inner_text()
        sample.tap()
        wait_for_answer(page, "ramp")
        assert page.locator("#headline").inner_text() == question
        assert page.locator(f"{ANSWER} img").is_visible()
        page.locator("#caption", has_text="ramp to the right").wait_for()
        page.locator("body[data-sounded]").wait_for()
        page.get_by_role("button", name="stop").tap()
        page.locator("#caption").wait_for(state="hidden")
        page.get_by_role("button", name="Where can I park?").tap()
        wait_for_answer(page, "car park")
        page.get_by_role("button", name="start over").tap()
        page.locator("#cards button").first.wait_for()


def test_a_touch_beside_all_buttons_silences_the_voice(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.locator("#cards button").first.tap()
        page.locator("#caption", has_text="ramp").wait_for()
        page.locator(f"{ANSWER} p").first.tap()
        page.locator("#caption").wait_for(state="hidden")
        assert page.locator(ANSWER).is_visible()


def test_the_language_is_touched_and_what_stands_there_is_told_in_it(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.get_by_role("button", name="How can I pay?").tap()
        page.locator(ANSWER).wait_for()
        page.get_by_role("button", name="한국어").tap()
        wait_for_answer(page, "결제")
        assert page.locator("html").get_attribute("lang") == "ko"
        assert page.get_by_role("button", name="처음부터").is_visible()
        assert page.locator("#question").get_attribute("placeholder") == "질문을 입력하세요"


def test_a_link_of_an_answer_leads_nowhere(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "How do I unsubscribe from the newsletter?")
        wait_for_answer(page, "haus-am-markt.example")
        assert page.locator(f"{ANSWER} a").count() == 0


@pytest.mark.parametrize("size", [PORTRAIT, LANDSCAPE, SMALL, ZOOMED])
def test_everything_to_touch_is_large_and_nothing_hangs_out_of_the_screen(
    visiting: Visiting, size: tuple[int, int]
) -> None:
    with visiting(size=size) as visited:
        page = visited.page
        ask(page, "I want to return something")
        page.locator("#choices button").first.wait_for()
        for button in page.locator("button:visible, #question").all():
            box = button.bounding_box()
            assert box and box["height"] >= 64 and box["width"] >= 64, button.inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def ask(page: Page, question: str) -> None:
    page.fill("#question", question)
    page.press("#question", "Enter")


# --- by keys ------------------------------------------------------------------------------------


def test_everything_can_be_done_by_keys_alone(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        press = page.keyboard.press
        press("1")
        wait_for_answer(page, "ramp")
        press("2")
        wait_for_answer(page, "car park")
        press("Escape")
        page.locator("body[data-light=typing]").wait_for()
        press("r")
        page.locator("body[data-state=speaking]").wait_for()
        press("F2")
        page.locator("html[lang=de]").wait_for()
        press("l")
        page.locator("html[lang=ko]").wait_for()
        press("F1")
        page.locator("html[lang=en]").wait_for()
        press("Enter")
        assert page.evaluate("document.activeElement.id") == "question"
        page.keyboard.type("when are you open?")
        press("Enter")
        wait_for_answer(page, "9:30")
        press("Escape")
        for key, text in (("h", "I'm the assistant"), ("p", "service desk"), ("n", "start afresh")):
            press(key)
            wait_for_answer(page, text)
        page.locator("#cards button").first.wait_for()


def test_the_tabulator_reaches_every_button_and_shows_where_it_is(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "I want to return something")
        page.locator("#choices button").first.wait_for()
        page.locator("#question").blur()
        reached = []
        for _ in range(24):
            page.keyboard.press("Tab")
            now = page.evaluate(
                "() => { const at = document.activeElement; if (at === document.body) return null;"
                " const drawn = [at, at.parentElement];"
                " return [at.innerText || at.id,"
                " drawn.some((one) => getComputedStyle(one).outlineStyle !== 'none')]; }"
            )
            if now:
                reached.append(now)
        names = " ".join(name for name, _ in reached)
        for wanted in ("Deutsch", "with the receipt", "question", "Start over", "Faster"):
            assert wanted.lower() in names.lower(), names
        assert all(is_seen for _, is_seen in reached), reached


def test_a_space_on_a_button_presses_it_and_does_nothing_else(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.locator("#cards button").nth(3).focus()
        page.keyboard.press("Space")
        page.locator(ANSWER).wait_for()
        assert page.locator("#headline").inner_text() == "How can I pay?"


# --- by voice -----------------------------------------------------------------------------------


def test_a_question_that_is_spoken_is_answered_in_full_view_and_aloud(
    playwright: Playwright, house: House, tmp_path: Path
) -> None:
    sound = delayed(question_file(tmp_path / "question.wav", "I want to return something", "en"))
    with closing(launch(playwright, *spoken_by(sound))) as browser, _visit(browser, house.url) as visited:
        page = visited.page
        page.keyboard.press("F1")  # of all languages this one is heard alone
        page.locator("body[data-light=listening]").wait_for()
        headline, answer = page.locator("#headline"), page.locator(ANSWER)
        page.locator("#headline.is-live, #headline.is-words").wait_for()  # live words
        answer.wait_for()
        assert "Do you still have the receipt" in answer.inner_text(), headline.inner_text()
        page.locator("#caption", has_text="Do you still have the receipt").wait_for()
        page.keyboard.press("Space")
        page.locator("body[data-light=listening]").wait_for()


def delayed(sound: Path) -> Path:
    """Said two seconds later: first the page is told the language."""
    with wave.open(str(sound), "rb") as read:
        layout, pcm = read.getparams(), read.readframes(read.getnframes())
    with wave.open(str(sound), "wb") as written:
        written.setparams(layout)
        written.writeframes(bytes(2 * 2 * layout.framerate) + pcm)
    return sound


def test_without_a_microphone_it_is_touched_and_typed_and_says_so(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        assert page.locator("#light").inner_text() == "Touch the screen to begin"
        page.locator("#talk").tap()
        page.locator(".note", has_text="I cannot hear you at the moment").wait_for()
        assert page.locator("#talk").is_hidden()
        ask(page, "when are you open?")
        wait_for_answer(page, "9:30")


def test_it_fills_the_screen_in_the_kiosk_mode_of_the_browser_and_answers_aloud(
    playwright: Playwright, house: House, tmp_path: Path
) -> None:
    arguments = [*ALWAYS, "--kiosk", "--autoplay-policy=no-user-gesture-required"]
    with closing(
        playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=BROWSER, args=arguments, no_viewport=True
        )
    ) as context:
        visited = visit(context, house.url)
        page = visited.open("/kiosk?language=en")
        page.locator("#cards button").first.click()
        wait_for_answer(page, "ramp")
        page.locator("#caption", has_text="ramp").wait_for()
        assert page.evaluate("matchMedia('(display-mode: fullscreen)').matches")
        assert page.evaluate("[innerWidth, innerHeight]") == page.evaluate("[screen.width, screen.height]")
        assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        visited.check()


# --- customers come and go ------------------------------------------------------------------------


def test_whoever_leaves_is_asked_gently_and_then_forgotten(visiting: Visiting, hasty_house: House) -> None:
    with visiting("de", home=hasty_house.url) as visited:
        page = visited.page
        ask(page, "Wie kann ich bezahlen?")
        page.locator(ANSWER).wait_for()
        page.keyboard.press("Escape")
        page.locator("#leaving", has_text="Sind Sie noch da?").wait_for()
        page.get_by_role("button", name="Ja, ich bin da").tap()
        page.locator("#leaving").wait_for(state="hidden")
        assert page.locator(ANSWER).is_visible()
        page.locator("#leaving").wait_for()
        page.locator("body[data-state=idle]").wait_for()
        page.locator("#cards button").first.wait_for()
        assert "bezahlen" not in page.locator("#headline, #answer").all_inner_texts()
        assert page.locator("#answer").inner_html() == ""


def test_what_is_half_typed_is_forgotten_too(visiting: Visiting, hasty_house: House) -> None:
    with visiting(home=hasty_house.url) as visited:
        page = visited.page
        page.locator("#question").press_sequentially("my secret")
        page.locator("#question:placeholder-shown").wait_for()


def test_a_second_kiosk_knows_nothing_of_the_first(visiting: Visiting) -> None:
    with visiting() as one, visiting("de") as other:
        ask(one.page, "when are you open?")
        ask(other.page, "Wie kann ich bezahlen?")
        wait_for_answer(one.page, "9:30")
        other.page.locator(ANSWER).wait_for()
        assert "9:30" not in other.page.locator(ANSWER).inner_text()


# --- every state ----------------------------------------------------------------------------------


class Stage:
    """Stands in for the server: it shows the page what a test wants to see."""

    def __init__(self, page: Page, knowledge: Knowledge) -> None:
        self._viewer = Viewer(lambda: knowledge, to_html)
        self.said: list[Mapping[str, Any]] = []
        self._route: WebSocketRoute | None = None
        page.route_web_socket("**/api/kiosk", self._opened)

    def _opened(self, route: WebSocketRoute) -> None:
        self._route = route
        route.on_message(self._take)
        self.tell({"type": "ready", "rate_hz": 22_050})

    def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):  # else it is sound
            self.said.append(json.loads(message))

    def tell(self, message: Mapping[str, Any]) -> None:
        assert self._route
        self._route.send(json.dumps(message))

    def show(self, kiosk: Kiosk, **more: Any) -> None:
        self.tell({"type": "view", **self._viewer.view(kiosk, 0.0), **more})

    def until_said(self, page: Page, **wanted: object) -> Mapping[str, Any]:
        """The first message that says so."""
        for _ in range(400):
            for message in self.said:
                if wanted.items() <= message.items():
                    return message
            page.wait_for_timeout(50)
        raise AssertionError(self.said)

    def break_off(self) -> None:
        assert self._route
        self._route.close()


RULES = Rules(("en", "de", "ko"))
IDLE = new_kiosk(RULES)


def answered(knowledge: Knowledge, name: str, language: str, **changes: Any) -> Kiosk:
    one = knowledge.entry(name, language)
    assert one
    reply = Reply(one.answer or (one.ask.text if one.ask else ""), "", language, name, choices_of(one))
    conversation = Conversation(language, language, reply.choices, bool(one.ask), reply)
    asked = one.questions[0].text
    kiosk = replace(
        IDLE, state=State.READY, reply=reply, conversation=conversation, heard=asked, is_heard_out=True
    )
    return replace(kiosk, **changes)


def states(knowledge: Knowledge, language: str) -> dict[str, tuple[Kiosk, dict[str, Any]]]:
    """The kiosk in each of its states, and what else the view tells."""
    talk = Conversation().with_language(language)

    def after(name: str, **changes: Any) -> Kiosk:
        return answered(knowledge, name, language, **changes)

    def fresh(**changes: Any) -> Kiosk:
        return replace(IDLE, conversation=talk, **changes)

    lost = Note("the browser finds no microphone", "plug one in")
    return {
        "invitation": (fresh(), {}),
        "hearing": (fresh(state=State.LISTENING, heard="Where can I"), {}),
        "thinking": (fresh(state=State.THINKING, heard="Where can I park?", is_heard_out=True), {}),
        "speaking": (after("wheelchair-access", state=State.SPEAKING, saying=Words("a", language)), {}),
        "choices": (after("return-item", state=State.LISTENING), {}),
        "going-on": (after("opening-hours", portions=("more",), notice="shall-i-go-on"), {}),
        "lost": (after("opening-hours", ear_note=lost, mouth_note=Note("no voice", "install one")), {}),
        "leaving": (after("opening-hours"), {"leaves_in": 7}),
    }


@pytest.fixture
def staged(quiet_browser: Browser, house: House) -> Iterator[Callable[..., tuple[Visit, Stage]]]:
    contexts = []

    def opened(size: tuple[int, int] = SMALL, **options: Any) -> tuple[Visit, Stage]:
        context = quiet_browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        visited = visit(context, house.url)
        stage = Stage(visited.page, house.backstage.assistant.knowledge)
        visited.open("/kiosk")
        stage.show(IDLE)
        visited.page.locator("#cards button").first.wait_for()
        visited.page.locator("#light").click()  # the first touch
        return visited, stage

    yield opened
    for context in contexts:
        context.close()


SOME = ("invitation", "speaking", "choices", "lost")  # every colour is in one of these
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "contrast": {"contrast": "more"},
    "forced": {"forced_colors": "active"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_state_shuts_anybody_out(
    staged: Callable[..., tuple[Visit, Stage]], house: House, screenshots: Path, look: str
) -> None:
    knowledge = house.backstage.assistant.knowledge
    visited, stage = staged(**LOOKS[look])
    for name, (kiosk, more) in states(knowledge, "en").items():
        if look != "light" and name not in SOME:
            continue
        stage.show(kiosk, **more)
        if kiosk.state is State.SPEAKING:
            stage.tell({"type": "caption", "text": "This is being said just now.", "language": "en"})
        visited.page.locator(f"body[data-state={kiosk.state}]").wait_for()
        settle(visited.page)
        assert not accessibility_faults(visited.page), name
        visited.page.screenshot(path=screenshots / f"kiosk-{look}-{name}.png")
    visited.check()


@pytest.mark.parametrize(
    ("size", "language"), [(PORTRAIT, "de"), (LANDSCAPE, "ko"), (SMALL, "de"), (ZOOMED, "en")]
)
def test_every_size_and_language_is_looked_at(
    staged: Callable[..., tuple[Visit, Stage]],
    house: House,
    screenshots: Path,
    size: tuple[int, int],
    language: str,
) -> None:
    visited, stage = staged(size)
    for name, (kiosk, more) in states(house.backstage.assistant.knowledge, language).items():
        if name not in (*SOME, "leaving"):
            continue
        stage.show(kiosk, **more)
        visited.page.locator(f"html[lang={language}] body[data-state={kiosk.state}]").wait_for()
        settle(visited.page)
        assert visited.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        visited.page.screenshot(path=screenshots / f"kiosk-{size[0]}x{size[1]}-{language}-{name}.png")
    visited.check()


def settle(page: Page) -> None:
    """Let everything that moves to its end arrive; a lamp breathes for ever."""
    page.evaluate(
        "Promise.allSettled(document.getAnimations()"
        ".filter((one) => one.effect.getTiming().iterations === 1).map((one) => one.finished))"
    )


def test_nothing_moves_for_whoever_likes_it_still(
    staged: Callable[..., tuple[Visit, Stage]], house: House
) -> None:
    visited, stage = staged(reduced_motion="reduce")
    for kiosk, more in states(house.backstage.assistant.knowledge, "en").values():
        stage.show(kiosk, **more)
        visited.page.locator(f"body[data-state={kiosk.state}]").wait_for()
        assert visited.page.evaluate("document.getAnimations().length") == 0
    visited.check()


def test_a_rest_of_an_answer_is_asked_for_by_touch_and_by_key(
    staged: Callable[..., tuple[Visit, Stage]], house: House
) -> None:
    visited, stage = staged()
    kiosk, _ = states(house.backstage.assistant.knowledge, "en")["going-on"]
    stage.show(kiosk)
    visited.page.get_by_role("button", name="go on").click()
    visited.page.locator("#stage").focus()
    visited.page.keyboard.press("Enter")
    assert stage.said.count({"type": "key", "name": "enter"}) == 2


@pytest.mark.parametrize("cancels_echo", [True, False])
def test_the_server_is_told_whether_the_microphone_hears_the_voice(
    browser: Browser, house: House, cancels_echo: bool
) -> None:
    settings = json.dumps({"echoCancellation": cancels_echo})
    with closing(browser.new_context()) as context:
        page = visit(context, house.url).page
        page.add_init_script(f"MediaStreamTrack.prototype.getSettings = () => ({settings})")
        stage = Stage(page, house.backstage.assistant.knowledge)
        page.goto(f"{house.url}/kiosk")
        page.locator("#light").click()
        assert stage.until_said(page, microphone="open")["echo"] is not cancels_echo


def test_a_server_with_too_many_kiosks_is_asked_less_and_less_often_and_asks_for_a_moment(
    browser: Browser, house: House
) -> None:
    with closing(browser.new_context()) as context:
        page = visit(context, house.url).page
        page.add_init_script(
            "const later = setTimeout; window.setTimeout = (what, ms) => {"
            " if (ms === 2000) document.documentElement.dataset.isPatient = ''; return later(what, ms); }"
        )
        page.route_web_socket(
            "**/api/kiosk", lambda route: route.on_message(lambda _: route.close(code=1013, reason="busy"))
        )
        page.goto(f"{house.url}/kiosk")
        page.locator("html[data-is-patient]").wait_for()
        assert page.locator("#light").inner_text() == "One moment, please."


def test_a_line_that_breaks_is_mended_and_says_so(staged: Callable[..., tuple[Visit, Stage]]) -> None:
    visited, stage = staged()
    stage.break_off()
    visited.page.locator("#light", has_text="I will be right back").wait_for()
    visited.page.locator("body:not([data-light=connecting])").wait_for()
    hellos = [message for message in stage.said if message["type"] == "hello"]
    assert len(hellos) == 2


@pytest.mark.parametrize("language", ["de", "en", "ko"])
def test_every_word_of_the_page_is_there_in_every_language(house: House, language: str) -> None:
    page = (STATIC / "kiosk.html").read_text("utf-8")
    screen = (STATIC / "kiosk-screen.js").read_text("utf-8")
    named = {*re.findall(r'data-(?:word|label|placeholder)="([a-z-]+)"', page)}
    named |= {*re.findall(r'word\("([a-z-]+)"\)', screen)}
    named |= {
        "listening",
        "hearing",
        "thinking",
        "speaking",
        "typing",
        "touch-to-start",
        "touch-and-speak",
        "speak-now",
    }
    assert named <= set(kiosk_words(house.backstage.assistant.knowledge, language))
