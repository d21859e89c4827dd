"""What a kiosk looks like on a terminal: one picture of the moment, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.align import Align
from rich.box import ROUNDED
from rich.console import Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.rule import Rule
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from assistant.channels.kiosk.footer import footer
from assistant.channels.kiosk.values import Kiosk, State
from assistant.channels.kiosk.words import SAMPLES, kiosk_words, own_name, sample_questions
from assistant.channels.screen import for_terminal, safe
from assistant.dialogue.own_voice import own_sentence
from assistant.values import Choice, Knowledge

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult


_WIDEST = 92  # columns; longer lines are hard to read
_SMALL = 28  # lines; up to here there is no room for air
_ACCENT = "bold cyan"
_KEY = "bold black on cyan"
_LIGHTS: Mapping[str, str] = {
    "listening": "black on green",
    "hearing": "bold black on bright_green",
    "thinking": "black on yellow",
    "speaking": "white on blue",
    "press-and-speak": "black on cyan",
    "typing": "black on magenta",
}

Lines = list[list[Segment]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of a kiosk; equal pictures look the same."""

    kiosk: Kiosk
    knowledge: Knowledge

    @classmethod
    def of(cls, kiosk: Kiosk, knowledge: Knowledge) -> Picture:
        """Of all that can be seen: what passes unseen is left out, so that nothing is drawn twice."""
        unseen = replace(kiosk, since_seconds=0.0, active_seconds=0.0, ear_since_seconds=0.0, turn=0)
        return cls(replace(unseen, refreshed_seconds=0.0, ear_number=None, mouth_number=None), knowledge)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        inner = min(width - 4, _WIDEST)
        top = console.render_lines(self._head(), options.update(height=None))
        body = console.render_lines(
            Group(*self._body(is_large=height > _SMALL)), options.update(width=inner, height=None)
        )

        def foot(is_cut: bool) -> Lines:
            return console.render_lines(self._foot(width, is_cut), options.update(height=None))

        bottom = foot(is_cut=False)
        if len(top) + len(body) + len(bottom) > height:
            bottom = foot(is_cut=True)
        room = max(height - len(top) - len(bottom), 1)
        left = [Segment(" " * ((width - inner) // 2))]
        middle = [left + line for line in self._fitted(body, room)]
        for line in [*top, *middle, *bottom][:height]:
            yield from line
            yield Segment.line()

    def _fitted(self, body: Lines, room: int) -> Lines:
        """As many lines as there is room for; an invitation stands in the middle."""
        if len(body) > room:
            start = min(self.kiosk.scroll, len(body) - room)
            return body[start : start + room]
        above = (room - len(body)) // 2 if self.kiosk.state is State.IDLE else min(1, room - len(body))
        return [[Segment("")]] * above + body + [[Segment("")]] * (room - len(body) - above)

    # --- top and bottom -----------------------------------------------------------------------

    def _head(self) -> RenderableType:
        """What the kiosk is doing, and the languages it speaks."""
        light = _light(self.kiosk)
        bar = Table.grid(expand=True, padding=(0, 1))
        bar.add_column(no_wrap=True)
        bar.add_column(justify="right", no_wrap=True, ratio=1)
        bar.add_row(Text(f"  {self._word(light)}  ", _LIGHTS[light]), self._languages())
        return Group(bar, _rule())

    def _languages(self) -> Text:
        shown, languages = Text(), self.kiosk.rules.languages
        if len(languages) < 2:
            return shown
        for number, tag in enumerate(languages, 1):
            shown.append(f" F{number} ", "dim")
            shown.append(own_name(tag), _ACCENT if tag == self.kiosk.language else "")
        return shown

    def _foot(self, width: int, is_cut: bool) -> RenderableType:
        """What the customer is asked below an answer, what must be done without, the input line, the keys."""
        keys = footer(self.kiosk, self._words, width, is_cut)
        return Group(*self._question(), *self._notes(width), *self._input(), _rule(), *keys)

    def _question(self) -> Iterator[RenderableType]:
        """Where no length of an answer can push it off the screen."""
        if self.kiosk.reply and self.kiosk.notice and not self._is_noted:
            yield Text(f" {self._own(self.kiosk.notice)}", "italic cyan")

    @property
    def _is_noted(self) -> bool:
        """The notice stands among what must be done without."""
        return self.kiosk.notice == "microphone-lost" and self.kiosk.ear_note is not None

    def _notes(self, width: int) -> Iterator[RenderableType]:
        kiosk = self.kiosk
        for name, note in (("microphone-lost", kiosk.ear_note), ("voice-lost", kiosk.mouth_note)):
            if note:
                for_customers = Text(f" {self._own(name)} ", "bold yellow")
                told = " – ".join(filter(None, (note.fact, note.hint)))
                for_staff = Text(f" {' '.join(safe(told).split())}", "dim", no_wrap=True, overflow="ellipsis")
                if for_customers.cell_len + for_staff.cell_len <= width:
                    yield for_customers + for_staff
                else:
                    yield from (for_customers, for_staff)

    def _input(self) -> Iterator[RenderableType]:
        if self.kiosk.typed is not None:
            line = Text(overflow="fold")
            line.append(" › ", _ACCENT)
            line.append(safe(self.kiosk.typed), "bold")
            line.append("▏", "cyan")
            if not self.kiosk.typed:
                line.append(self._word("typing"), "dim italic")
            yield line

    # --- the middle ---------------------------------------------------------------------------

    def _body(self, is_large: bool) -> Iterator[RenderableType]:
        kiosk = self.kiosk
        if kiosk.state is State.IDLE:
            yield from self._invitation(is_large)
            return
        if kiosk.heard:
            yield Text(self._word("you-said"), "dim")
            yield _heard(kiosk)
            yield Text()
        if kiosk.reply:
            is_new = kiosk.state is not State.THINKING
            yield Markdown(for_terminal(kiosk.reply.text), hyperlinks=False, style="" if is_new else "dim")
            yield from _choices(kiosk.conversation.choices)
        elif kiosk.notice and not self._is_noted:
            yield Text(self._own(kiosk.notice), "italic cyan")
        elif not kiosk.heard:
            yield Text(self._own("greeting"), _ACCENT)

    def _invitation(self, is_large: bool) -> Iterator[RenderableType]:
        greeting = Align.center(Text(self._own("greeting"), _ACCENT, justify="center"))
        invitation = Align.center(Text(self._own("invitation"), justify="center"))
        padding = (2, 4) if is_large else (0, 2)
        yield Panel(Group(greeting, Text(), invitation), box=ROUNDED, border_style="cyan", padding=padding)
        samples = sample_questions(self.knowledge, self.kiosk.language, SAMPLES)
        if samples:
            yield Text()
            yield Text(self._word("examples"), "dim", justify="center")
            yield Text()
            yield Align.center(_numbered(samples, is_airy=is_large))

    @property
    def _words(self) -> Mapping[str, str]:
        return kiosk_words(self.knowledge, self.kiosk.language)

    def _word(self, name: str) -> str:
        return safe(self._words.get(name, ""))

    def _own(self, name: str) -> str:
        return safe(" ".join(own_sentence(self.knowledge, name, self.kiosk.language).text.split()))


def _rule() -> RenderableType:
    return Rule(style="dim cyan")


def _light(kiosk: Kiosk) -> str:
    """The word for what the kiosk is doing."""
    if kiosk.state in (State.THINKING, State.SPEAKING):
        return str(kiosk.state)
    if kiosk.is_deaf:
        return "typing"
    if kiosk.state is State.LISTENING and kiosk.heard and not kiosk.is_heard_out:
        return "hearing"
    if kiosk.state is State.LISTENING or kiosk.rules.mode == "open":
        return "listening"
    return "press-and-speak"


def _heard(kiosk: Kiosk) -> Text:
    """What the recognizer thinks so far is dim, what the customer has said is bold."""
    if kiosk.is_heard_out:
        return Text(safe(kiosk.heard), "bold")
    return Text(f"{safe(kiosk.heard)} …", "dim italic")


def _choices(choices: Sequence[Choice]) -> Iterator[RenderableType]:
    if choices:
        yield Text()
        yield _numbered([choice.label for choice in choices])


def _numbered(lines: Sequence[str], is_airy: bool = False) -> Table:
    table = Table.grid(padding=(0, 1))
    for number, line in enumerate(lines, 1):
        if is_airy and number > 1:
            table.add_row()
        table.add_row(Text(f" {number} ", _KEY), Text(safe(line)))
    return table
