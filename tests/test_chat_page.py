"""The chat page in a real browser before the real server: typed, spoken, by keyboard, in every language."""

from __future__ import annotations

import base64
import json
import re
import wave
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from assistant.channels.web.values import Backstage
from assistant.dialogue.own_voice import own_words, said
from assistant.dialogue.portions import sentences
from assistant.errors import BusyError
from assistant.settings import load_settings
from assistant.speech.speaking.pyttsx3_synthesizer import Pyttsx3Synthesizer
from tests.browser import (
    DESKTOP,
    PHONE,
    REPOSITORY,
    House,
    Visit,
    accessibility_faults,
    as_heard_in_tests,
    launch,
    needs_browser,
    open_house,
    spoken_by,
    visit,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Playwright, WebSocketRoute

pytestmark = needs_browser
pytest_plugins = ("tests.browser_fixtures",)

Visiting = Callable[..., AbstractContextManager[Visit]]
Samples = npt.NDArray[np.float64]
BOX = "#question"
ANSWER = ".answer"
OPTION = "#suggestions [role=option]"
SILENCE_SECONDS = 1.5  # before and after the words: a microphone is open before somebody speaks


@pytest.fixture
def visiting(browser: Browser, house: House) -> Visiting:
    """Opens the chat in a context of its own, and looks back at its end."""
    return partial(_visit, browser, house.url)


@contextmanager
def _visit(browser: Browser, home: str, language: str = "en-GB", **options: Any) -> Iterator[Visit]:
    size = options.pop("size", DESKTOP)
    context = browser.new_context(locale=language, viewport={"width": size[0], "height": size[1]}, **options)
    try:
        visited = visit(context, home)
        visited.open()
        visited.page.locator(".samples button").first.wait_for()
        yield visited
        visited.check()
    finally:
        context.close()


def ask(page: Page, question: str) -> Locator:
    """Types a question, and gives the answer once it is there."""
    count = page.locator(ANSWER).count()
    page.fill(BOX, question)
    page.press(BOX, "Enter")
    answer = page.locator(ANSWER).nth(count)
    answer.locator(".prose").wait_for()
    return answer


def texts(found: Locator) -> list[str]:
    return [text.strip() for text in found.all_inner_texts()]


# --- typing --------------------------------------------------------------------------------------


def test_a_typed_question_is_answered_with_text_and_picture(visiting: Visiting) -> None:
    with visiting() as visited:
        answer = ask(visited.page, "When are you open?")
        assert "9:30 am to 7:00 pm" in answer.inner_text()
        picture = answer.get_by_role("img")
        picture.scroll_into_view_if_needed()
        assert "Opening hours board" in (picture.get_attribute("alt") or "")
        picture.evaluate("async (image) => { await image.decode(); }")
        assert picture.evaluate("(image) => image.naturalWidth") > 0
        assert visited.page.input_value(BOX) == ""


def test_shift_and_enter_begin_a_new_line_and_enter_sends(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.focus(BOX)
        page.keyboard.type("Where can I park?")
        page.keyboard.press("Shift+Enter")
        page.keyboard.type("I come by car.")
        assert page.input_value(BOX) == "Where can I park?\nI come by car."
        page.keyboard.press("Enter")
        page.locator(ANSWER).wait_for()
        assert texts(page.locator(".mine .words")) == ["Where can I park?\nI come by car."]


def test_a_letter_that_is_still_being_put_together_sends_nothing(visiting: Visiting) -> None:
    with visiting("ko-KR") as visited:
        page = visited.page
        page.fill(BOX, "배송")
        page.dispatch_event(BOX, "keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
        assert page.input_value(BOX) == "배송"
        assert page.locator(".mine").count() == 0


def test_markup_that_a_customer_types_stays_text(visiting: Visiting) -> None:
    with visiting() as visited:
        ask(visited.page, "<img src=x onerror=alert(1)><b>hi</b>")
        words = visited.page.locator(".mine .words")
        assert words.inner_text() == "<img src=x onerror=alert(1)><b>hi</b>"
        assert words.locator("img, b").count() == 0


def test_a_choice_is_taken_by_a_click_and_can_be_taken_once(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        choices = ask(page, "I want to return something").locator(".choices button")
        assert texts(choices) == ["with the receipt", "without a receipt", "ordered online"]
        choices.nth(2).click()
        page.locator(ANSWER).nth(1).wait_for()
        assert texts(page.locator(".mine .words")) == ["I want to return something", "ordered online"]
        assert [button.get_attribute("aria-disabled") for button in choices.all()] == ["true"] * 3
        choices.nth(0).click(force=True)
        ask(page, "wifi")
        assert page.locator(".mine").count() == 3


def test_a_sample_question_is_asked_by_a_click(visiting: Visiting) -> None:
    with visiting() as visited:
        sample = visited.page.locator(".samples button").first
        sample.click()
        visited.page.locator(ANSWER).wait_for()
        assert texts(visited.page.locator(".mine .words")) == [sample.inner_text()]


def test_the_conversation_is_the_same_after_a_reload(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "When are you open?")
        ask(page, "I want to return something").get_by_label("This helped me", exact=True).click()
        page.locator(".thanks", has_text="Thank you").wait_for()
        before = texts(page.locator(".words, .prose"))
        page.reload()
        page.locator(ANSWER).nth(1).wait_for()
        assert texts(page.locator(".words, .prose")) == before
        pressed = page.locator(ANSWER).nth(1).get_by_label("This helped me", exact=True)
        pressed.and_(page.locator("[aria-pressed=true]")).wait_for()
        page.locator(ANSWER).nth(1).get_by_role("button", name="without a receipt").click()
        assert "bring the card you paid with" in page.locator(ANSWER).nth(2).inner_text().lower()


def test_start_over_forgets_the_conversation_here_and_on_the_server(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "When are you open?")
        with page.expect_response(lambda sent: sent.request.method == "DELETE") as forgotten:
            page.get_by_role("button", name="Start over").click()
        assert forgotten.value.status == 204
        assert page.locator(ANSWER).count() == 0
        page.reload()
        page.locator(".samples button").first.wait_for()
        assert page.locator(ANSWER).count() == 0


def test_a_person_is_a_button_away(visiting: Visiting) -> None:
    with visiting("de-DE") as visited:
        visited.page.get_by_role("button", name="Mensch, bitte").click()
        answer = visited.page.locator(ANSWER)
        answer.wait_for()
        assert answer.get_attribute("lang") == "de"


def test_feedback_reaches_the_server_and_is_thanked_for(visiting: Visiting) -> None:
    with visiting() as visited:
        answer = ask(visited.page, "When are you open?")
        with visited.page.expect_response("**/api/feedback") as sent:
            answer.get_by_label("This did not help me").click()
        assert sent.value.status == 204
        assert (sent.value.request.post_data_json or {})["helpful"] is False
        answer.get_by_role("status").filter(has_text="Thank you").wait_for()


# --- languages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("browser_language", "placeholder"),
    [("de-AT", "Stellen Sie eine Frage"), ("en-US", "Ask a question"), ("ko", "질문을 입력하세요")],
)
def test_the_page_speaks_the_language_of_the_browser(
    visiting: Visiting, browser_language: str, placeholder: str
) -> None:
    with visiting(browser_language) as visited:
        assert visited.page.locator(BOX).get_attribute("placeholder") == placeholder
        assert visited.page.locator("html").get_attribute("lang") == browser_language[:2]


def test_who_reads_french_and_english_is_greeted_in_english(visiting: Visiting) -> None:
    with visiting("fr-FR") as visited:
        page = visited.page
        assert page.locator("html").get_attribute("lang") == "de"  # the language of the pages
        page.add_init_script("Object.defineProperty(navigator, 'languages', { value: ['fr-FR', 'en-GB'] })")
        page.reload()
        page.locator(f"{BOX}[placeholder='Ask a question']").wait_for()


def test_switching_the_language_says_the_last_answer_again_and_lasts(
    visiting: Visiting,
) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "When are you open?")
        page.get_by_label("Language").select_option("ko")
        again = page.locator(ANSWER).nth(1)
        again.wait_for()
        assert "월요일" in again.inner_text()
        assert page.get_by_role("button", name="처음부터").is_visible()
        page.reload()
        page.locator(ANSWER).nth(1).wait_for()
        assert ask(page, "blubb").get_attribute("lang") == "ko"


@pytest.mark.parametrize("language", ["de", "en", "ko"])
def test_every_word_of_the_page_is_there_in_every_language(house: House, language: str) -> None:
    static = REPOSITORY / "assistant/channels/web/static"
    page, scripts = (
        (static / "chat.html").read_text("utf-8"),
        [script for script in static.glob("*.js") if not script.name.startswith(("kiosk", "widget"))],
    )
    named = set(re.findall(r'data-(?:word|label|placeholder)="([a-z-]+)"', page))
    for script in scripts:
        told = script.read_text("utf-8")
        named |= set(re.findall(r'\b(?:word|sorry|Refusal|heading)\("([a-z-]+)"\)', told))
    words = own_words(house.backstage.assistant.knowledge, "chat-words", language)
    assert named
    assert named <= set(words)


# --- by keyboard --------------------------------------------------------------------------------------


def test_a_suggestion_is_found_and_taken_by_keyboard(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.focus(BOX)
        page.keyboard.type("open on sat")
        options = page.locator(OPTION)
        options.first.wait_for()
        assert page.locator("#status").inner_text() == f"Suggestions: {options.count()}"
        page.keyboard.press("ArrowDown")
        taken = page.locator(f"{OPTION}[aria-selected=true]")
        assert page.locator(BOX).get_attribute("aria-activedescendant") == taken.get_attribute("id")
        text = taken.inner_text()
        page.keyboard.press("Enter")
        page.locator(ANSWER).wait_for()
        assert texts(page.locator(".mine .words")) == [text]
        assert not page.locator("#suggestions").is_visible()


def test_escape_closes_the_suggestions_and_keeps_what_was_typed(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.focus(BOX)
        page.keyboard.type("parking")
        page.locator(OPTION).first.wait_for()
        page.keyboard.press("Escape")
        assert not page.locator("#suggestions").is_visible()
        assert page.input_value(BOX) == "parking"


def test_everything_can_be_reached_with_the_tabulator_and_shows_that_it_is(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        ask(page, "I want to return something")
        page.focus(".skip")
        reached = []
        for _ in range(40):
            page.keyboard.press("Tab")
            now = page.evaluate(
                "() => { const at = document.activeElement; if (at === document.body) return null;"
                " const drawn = [at, at.parentElement, at.closest('form')].filter(Boolean);"
                " return [at.id || at.getAttribute('aria-label') || at.textContent,"
                " drawn.some((one) => getComputedStyle(one).outlineStyle !== 'none')]; }"
            )
            if now is None:
                break
            reached.append(now)
        names = [name for name, _ in reached]
        for wanted in ("language", "read-aloud", "person", "start-over", "question", "microphone", "send"):
            assert wanted in names
        assert {"with the receipt", "This helped me", "Read aloud"} <= set(names)
        assert all(is_seen for _, is_seen in reached), reached


# --- when something goes wrong ----------------------------------------------------------------------------


def test_a_question_asked_offline_is_answered_when_the_line_is_back(
    visiting: Visiting,
) -> None:
    with visiting() as visited:
        page = visited.page
        page.context.set_offline(True)
        page.fill(BOX, "When are you open?")
        page.press(BOX, "Enter")
        page.locator(".trouble").filter(has_text="You are offline").wait_for()
        page.context.set_offline(False)
        page.locator(ANSWER).wait_for()
        assert "9:30" in page.locator(ANSWER).inner_text()
        assert page.locator(".mine").count() == 1
        visited.excuse("ERR_INTERNET_DISCONNECTED")


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(visiting: Visiting, status: int) -> None:
    with visiting() as visited:
        page, refusals = visited.page, iter(range(1))

        def refuse_once(route: Any) -> None:
            if next(refusals, None) is None:
                route.fallback()
            else:
                busy = {"error": {"fact": "busy", "hint": ""}}
                route.fulfill(status=status, headers={"Retry-After": "1"}, json=busy)

        page.route("**/api/ask", refuse_once)
        page.fill(BOX, "When are you open?")
        page.press(BOX, "Enter")
        page.locator(".thinking").filter(has_text="Many people are asking").wait_for()
        page.locator(ANSWER).wait_for()
        assert page.locator(".thinking").count() == 0
        visited.excuse(str(status))


def test_a_broken_answer_can_be_asked_for_again(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.route("**/api/ask", lambda route: route.fulfill(status=500, body="{}"))
        page.fill(BOX, "When are you open?")
        page.press(BOX, "Enter")
        page.locator(".trouble").wait_for()
        page.unroute("**/api/ask")
        page.get_by_role("button", name="Try again").click()
        page.locator(ANSWER).wait_for()
        assert page.locator(".trouble").count() == 0
        visited.excuse("500")


def test_a_conversation_that_the_server_has_forgotten_begins_anew(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate("localStorage.setItem('assistant.conversation', '\"long-forgotten\"')")
        page.reload()
        assert "9:30" in ask(page, "When are you open?").inner_text()
        assert page.evaluate("localStorage.getItem('assistant.conversation')") != '"long-forgotten"'
        visited.excuse("404")


# --- speaking ------------------------------------------------------------------------------------

ENOUGH_SECONDS = 2.5
# Keeps what is played, and says so in the page once it is enough to be known again.
LISTEN_IN = """(enough) => {
  window.played = [];
  window.seenLive = [""];
  const live = document.getElementById("so-far");
  new MutationObserver(() => {
    if (!live.classList.contains("is-empty")) window.seenLive.push(live.textContent);
  }).observe(live, { childList: true });
  let seconds = 0;
  document.addEventListener("assistant:sound", ({ detail: { samples, rateHz } }) => {
    window.played.push(...samples);
    seconds += samples.length / rateHz;
    document.body.toggleAttribute("data-played-enough", seconds > enough);
  });
}"""
AS_PCM = """() => {
  const bytes = new Uint8Array(Int16Array.from(window.played, (one) => one * 0x7fff).buffer);
  return btoa(Array.from(bytes, (one) => String.fromCharCode(one)).join(""));
}"""


# The microphone hums twice a second, which a look twice a second could miss.
WATCH_THE_LEVEL = """() => {
  const composer = document.getElementById("composer");
  new MutationObserver(() => {
    const level = Number(composer.style.getPropertyValue("--level"));
    if (level > 0.3 && level <= 1) composer.setAttribute("data-hummed", "");
  }).observe(composer, { attributeFilter: ["style"] });
}"""


def voice_saying(text: str, language: str, words_a_minute: int = 130) -> tuple[bytes, int]:
    """PCM16 and its rate."""
    with closing(Pyttsx3Synthesizer(words_a_minute)) as voice:
        return b"".join(voice.speak(text, language)), voice.rate_hz


def question_file(path: Path, text: str, language: str) -> Path:
    """Somebody says it, after a silence and before one."""
    pcm, rate_hz = voice_saying(text, language)
    silence = bytes(2 * int(SILENCE_SECONDS * rate_hz))
    with wave.open(str(path), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate_hz)
        written.writeframes(silence + pcm + silence)
    return path


def as_samples(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, np.int16).astype(float)


def beginning(text: str, language: str, house: House) -> Samples:
    """What the voice of the house makes of the first words: a second and a half, soon after its start."""
    first = sentences(text, language)[0]
    pcm, rate_hz = voice_saying(first, language, house.backstage.settings.speaking.words_a_minute)
    return as_samples(pcm)[int(0.3 * rate_hz) : int(1.8 * rate_hz)]


def likeness(part: Samples, whole: Samples) -> float:
    """How much the nearest stretch of a sound is like another one: 1 is the same but for its loudness."""
    size = 1 << (len(whole) + len(part)).bit_length()
    products = np.fft.irfft(np.fft.rfft(whole, size) * np.conj(np.fft.rfft(part, size)), size)[: len(whole)]
    energy = np.convolve(whole**2, np.ones(len(part)), "full")[len(part) - 1 :]
    return float(np.max(products / np.sqrt(np.maximum(energy, 1.0) * np.sum(part**2))))


@contextmanager
def _spoken_visit(playwright: Playwright, house: House, sound: Path, language: str) -> Iterator[Visit]:
    """The chat in a browser of its own, in front of which somebody says something, once."""
    with (
        closing(launch(playwright, *spoken_by(sound))) as browser,
        _visit(browser, house.url, language) as visited,
    ):
        visited.page.evaluate(LISTEN_IN, ENOUGH_SECONDS)
        yield visited


def check_that_it_is_answered_aloud(visited: Visit, house: House, language: str, entry: str) -> None:
    """Presses the microphone, reads the answer, listens to it, stops it."""
    page, knowledge = visited.page, house.backstage.assistant.knowledge
    words, told = own_words(knowledge, "chat-words", language), knowledge.translations(entry)[language]
    with page.expect_response("**/api/ask") as answered:
        page.get_by_role("button", name=words["speak"], exact=True).click()
    assert answered.value.json()["entry"] == entry
    assert told.answer.split("**")[1] in page.locator(ANSWER).inner_text()
    heard = (answered.value.request.post_data_json or {})["text"]
    assert texts(page.locator(".mine .words")) == [heard]
    assert set(page.evaluate("window.seenLive").pop().split()) & set(heard.split())  # as it was spoken
    page.locator("body[data-played-enough]").wait_for()
    page.locator("#stop").click()
    page.locator("#speaking").wait_for(state="hidden")
    played = as_samples(base64.b64decode(page.evaluate(AS_PCM)))
    assert likeness(beginning(said(told), language, house), played) > 0.8
    assert likeness(beginning(words["promise"], language, house), played) < 0.5


# Few words, which the recognizers hear from this voice for certain.
SPOKEN_PAGES = {
    "en": """# Shop

## opening-hours

### Questions
- What are your opening hours?
- opening hours

### Answer
We are open **Monday to Friday**, from nine in the morning until seven in the evening.

## returns

### Questions
- How do I return something?

### Answer
Bring it back to the desk.
""",
    "ko": """# 매장

## password

### Questions
- 비밀번호

### Answer
로그인 화면에서 **비밀번호 찾기**를 누르시면 새로 정하는 방법을 이메일로 보내 드려요.

## receipt

### Questions
- 영수증

### Answer
영수증은 계산대에서 드려요.
""",
}


@pytest.fixture(scope="module")
def small_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("spoken")
    for language, page in SPOKEN_PAGES.items():
        (folder / language).mkdir()
        (folder / language / "shop.md").write_text(page, "utf-8")
    with open_house(as_heard_in_tests(load_settings(folder))) as opened:
        yield opened


@pytest.mark.parametrize(
    ("language", "question", "entry"),
    [
        ("en", "What are your opening hours?", "opening-hours"),  # heard by PocketSphinx
        ("ko", "비밀번호", "password"),  # heard by Vosk
    ],
)
def test_what_is_spoken_is_answered_on_the_screen_and_aloud(
    playwright: Playwright, small_house: House, tmp_path: Path, language: str, question: str, entry: str
) -> None:
    sound = question_file(tmp_path / "question.wav", question, language)
    with _spoken_visit(playwright, small_house, sound, language) as visited:
        check_that_it_is_answered_aloud(visited, small_house, language, entry)


def test_typing_silences_the_voice_and_so_does_escape(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        answer = ask(page, "When are you open?")
        for key in ("Escape", "a"):
            answer.get_by_role("button", name="Read aloud", exact=True).click()
            page.locator("#speaking").wait_for()
            page.focus(BOX)
            page.keyboard.press(key)
            page.locator("#speaking").wait_for(state="hidden")


def test_answers_are_read_aloud_where_the_switch_says_so(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(LISTEN_IN, ENOUGH_SECONDS)
        switch = page.get_by_role("button", name="Read answers aloud")
        switch.click()
        assert switch.get_attribute("aria-pressed") == "true"
        ask(page, "When are you open?")
        page.locator("body[data-played-enough]").wait_for()
        switch.click()
        page.locator("#speaking").wait_for(state="hidden")


def test_the_microphone_shows_a_level_and_can_be_cancelled(visiting: Visiting, screenshots: Path) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(WATCH_THE_LEVEL)
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator("#composer[data-listening][data-hummed]").wait_for()
        page.screenshot(path=screenshots / "chat-listening.png")
        page.get_by_role("button", name="Cancel").click()
        page.locator(BOX).wait_for()
        assert page.evaluate("document.activeElement.id") == "microphone"
        assert page.locator(".mine").count() == 0


def test_a_microphone_that_is_refused_is_explained_and_typing_works_on(
    playwright: Playwright, house: House
) -> None:
    with (
        closing(
            launch(playwright, "--use-fake-device-for-media-stream", "--deny-permission-prompts")
        ) as browser,
        _visit(browser, house.url) as visited,
    ):
        page = visited.page
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator("#notice").filter(has_text="may not use the microphone").wait_for()
        assert "9:30" in ask(page, "When are you open?").inner_text()


# As Firefox is on a machine without a loudspeaker.
SOUND_NEVER_RUNS = """() => {
  AudioContext.prototype.resume = () => new Promise(() => {});
  Object.defineProperty(BaseAudioContext.prototype, "state", { get: () => "suspended" });
}"""


def test_where_sound_never_runs_it_is_told_and_typing_works_on(visiting: Visiting) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(SOUND_NEVER_RUNS)
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator("#notice").filter(has_text="cannot find a microphone").wait_for()
        assert "9:30" in ask(page, "When are you open?").inner_text()


@contextmanager
def all_seats_taken(backstage: Backstage) -> Iterator[None]:
    with ExitStack() as taken:
        with suppress(BusyError):
            while True:  # visitors of other tests may still be leaving theirs
                taken.enter_context(closing(backstage.take_seat()))
        yield


def test_who_finds_no_seat_waits_a_moment_and_is_heard_when_one_is_free(
    visiting: Visiting, house: House
) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(LISTEN_IN, 0.3)
        with all_seats_taken(house.backstage):
            page.get_by_role("button", name="Speak", exact=True).click()
            page.locator("#status", has_text="One moment, please").wait_for(state="attached")
            assert page.locator("#so-far").inner_text() == "One moment, please …"
            page.locator("body[data-played-enough]").wait_for()
        page.locator("#composer[data-listening]").wait_for()
        played = as_samples(base64.b64decode(page.evaluate(AS_PCM)))
        assert likeness(beginning("One moment, please.", "en", house), played) > 0.8
        page.get_by_role("button", name="Cancel").click()


def test_an_answer_is_read_aloud_as_soon_as_there_is_a_seat(visiting: Visiting, house: House) -> None:
    with visiting() as visited:
        page = visited.page
        page.evaluate(LISTEN_IN, ENOUGH_SECONDS)
        answer = ask(page, "When are you open?")
        with all_seats_taken(house.backstage):
            answer.get_by_role("button", name="Read aloud", exact=True).click()
            page.locator("#notice", has_text="One moment, please").wait_for()
        page.locator("body[data-played-enough]").wait_for()
        assert not page.locator("#notice").is_visible()
        page.locator("#stop").click()


def told_by(page: Page, answers: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Stands in for the server of /api/speech; gives what the page says, as it comes."""
    said: list[dict[str, Any]] = []

    def opened(line: WebSocketRoute) -> None:
        def take(message: str | bytes) -> None:
            if isinstance(message, str):
                said.append(json.loads(message))
                for answer in answers.get(said[-1]["type"], []):
                    line.send(json.dumps(answer))

        line.on_message(take)

    page.route_web_socket("**/api/speech", opened)
    return said


READY = {"type": "ready", "rate_hz": 22_050, "heard": ["en"], "spoken": ["en"]}
ERROR = {"type": "error", "fact": "that language is not served here", "hint": ""}


@pytest.mark.parametrize("answers", [{"hello": [ERROR]}, {"hello": [READY], "listen": [ERROR]}])
def test_what_the_server_does_not_understand_is_not_waited_for(
    visiting: Visiting, answers: dict[str, list[dict[str, Any]]]
) -> None:
    with visiting() as visited:
        page = visited.page
        told_by(page, answers)
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator("#notice", has_text="Something went wrong").wait_for()
        assert page.locator(BOX).is_visible()


@pytest.mark.parametrize("cancels_echo", [True, False])
def test_only_a_microphone_that_does_not_hear_the_voice_attends_to_a_word_that_stops_it(
    visiting: Visiting, cancels_echo: bool
) -> None:
    settings = json.dumps({"echoCancellation": cancels_echo})
    heard = {"type": "ear", "number": 1, "event": "heard", "text": "When are you open?", "language": "en"}
    listening, saying = {"type": "listening", "number": 1}, {"type": "saying", "number": 1}
    ended = {"type": "mouth", "number": 1, "event": "ended", "stopped": False}
    with visiting() as visited:
        page = visited.page
        page.evaluate(f"MediaStreamTrack.prototype.getSettings = () => ({settings})")
        said = told_by(page, {"hello": [READY], "listen": [listening, heard], "say": [saying, ended]})
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator(f"{ANSWER} .prose").wait_for()
        page.locator("#speaking").wait_for(state="hidden")
        page.get_by_role("button", name="Speak", exact=True).wait_for()
        kinds = [message["type"] for message in said]
        assert "say" in kinds
        assert ("attend-stop" in kinds) == cancels_echo


def test_who_finds_no_seat_is_told_and_can_type_on(visiting: Visiting, house: House) -> None:
    with visiting() as visited, all_seats_taken(house.backstage):
        page = visited.page
        page.get_by_role("button", name="Speak", exact=True).click()
        page.locator("#notice").filter(has_text="Many people are speaking").wait_for()
        assert "9:30" in ask(page, "When are you open?").inner_text()


# --- for everybody, on every screen ----------------------------------------------------------------

LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {},
    "phone": {"size": PHONE, "device_scale_factor": 2, "has_touch": True},
    "dark": {"color_scheme": "dark"},
    "zoom": {"size": (DESKTOP[0] // 2, DESKTOP[1] // 2), "device_scale_factor": 2},  # what 200 % leaves
    "narrow": {"size": (320, 640), "device_scale_factor": 2},
    "contrast": {"contrast": "more"},
    "forced-colours": {"forced_colors": "active"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_screen_cuts_anything_off_or_shuts_anybody_out(
    visiting: Visiting, screenshots: Path, look: str
) -> None:
    with visiting("en-GB", reduced_motion="reduce", **LOOKS[look]) as visited:
        page = visited.page
        page.screenshot(path=screenshots / f"chat-{look}-welcome.png")
        assert accessibility_faults(page) == []
        ask(page, "I want to return something")
        page.locator(".tail button").first.wait_for()
        page.screenshot(path=screenshots / f"chat-{look}.png")
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["de", "en", "ko"])
def test_axe_finds_nothing_in_any_language_while_suggestions_are_open(
    visiting: Visiting, screenshots: Path, language: str
) -> None:
    question = {"de": "Wo kann ich par", "en": "open on sat", "ko": "배송"}[language]
    with visiting(language) as visited:
        page = visited.page
        ask(page, question)
        page.focus(BOX)
        page.keyboard.type(question)
        page.locator(OPTION).first.wait_for()
        page.keyboard.press("ArrowDown")
        page.screenshot(path=screenshots / f"chat-suggestions-{language}.png")
        assert accessibility_faults(page) == []


def test_a_whole_visit_asks_nobody_but_its_own_server(visiting: Visiting, house: House) -> None:
    with visiting() as visited:
        asked: list[str] = []
        visited.page.on("request", lambda request: asked.append(request.url))
        visited.page.reload()
        ask(visited.page, "Where are you?").get_by_role("img").scroll_into_view_if_needed()
        assert len(asked) > 5
        assert [url for url in asked if not url.startswith(house.url)] == []
        assert visited.page.context.cookies() == []


FOREIGN_PAGE = """<!doctype html><html lang="en"><head><title>A shop</title></head>
<body><main><h1>A shop</h1></main><script src="{home}/widget.js" data-language="en"></script></body></html>"""


@contextmanager
def foreign_site() -> Iterator[tuple[str, list[bytes]]]:
    """A site that is not the chat's: its address, and the one page that it has."""
    page: list[bytes] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page[0])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}", page
        server.shutdown()
        thread.join()


def test_the_widget_works_in_a_frame_of_a_page_of_another_site(browser: Browser, screenshots: Path) -> None:
    settings = load_settings(REPOSITORY / "knowledge")
    mute = replace(settings, web=replace(settings.web, most_speaking=0))
    with foreign_site() as (site, page_of_site), open_house(mute, site) as shop:
        page_of_site.append(FOREIGN_PAGE.format(home=shop.url).encode())
        context = browser.new_context(locale="en-GB", viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        with closing(context):
            visited = visit(context, site, (shop.url,))
            page = visited.open("/")
            page.get_by_role("button").click()
            frame = page.frame_locator("iframe")
            frame.locator(".samples button").first.wait_for()
            frame.locator(BOX).fill("When are you open?")
            frame.locator(BOX).press("Enter")
            frame.locator(".tail button").first.wait_for()
            assert "9:30" in frame.locator(ANSWER).inner_text()
            assert not frame.get_by_role("button", name="Speak", exact=True).is_visible()
            page.screenshot(path=screenshots / "chat-widget.png")
            assert accessibility_faults(page) == []
            page.keyboard.press("Escape")
            page.locator("iframe").wait_for(state="hidden")
            visited.check()
