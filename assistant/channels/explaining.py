"""Why was this answered? An explanation drawn for an editor: a sentence, the phrases, a bar a word."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.dialogue.tongue import language_name
from assistant.knowledge.folders import shown
from assistant.knowledge.lists import LONGEST_PHRASE
from assistant.matching import telling
from assistant.values import Found, Place, Unsure, outcome

if TYPE_CHECKING:
    from rich.text import Text

    from assistant.channels.screen import Screen
    from assistant.matching.reasons import Explanation, Standing, Word

_WIDTH = 80  # columns
_LABEL = 12  # columns before the phrases
_BAR = 24  # columns for the word that counted most
_EIGHTHS = " ▏▎▍▌▋▊▉"
_COUNTS = 0.02  # of probability; a word that changes less than two points hardly counts
_LEAST_SCALE = 0.1  # where all change little, no bar shall look like much
_WORDS_SHOWN = 8
_COLOURS = {"found": "bold green", "unsure": "bold yellow", "unknown": "bold red"}


def explain(screen: Screen, told: Explanation, folder: str, decided: str = "") -> None:
    """Show an explanation; `folder` is where the pages lie, `decided` says what else decided the turn."""
    sheet = _Sheet(screen, folder)
    sheet.text(f"“{_short(told.utterance.text)}”" if told.utterance.text.strip() else "(no words)", "dim")
    sheet.gap()
    if decided:
        sheet.text(f"The conversation decided: {decided}.", "bold")
        return sheet.text(f"By its words alone: {telling.decision(told)}")
    return _show_decision(sheet, told)


def _show_decision(sheet: _Sheet, told: Explanation) -> None:
    sheet.text(telling.decision(told), _COLOURS[outcome(told.match)])
    for number, part in enumerate(told.parts, 1):
        sheet.heading(f"{number}. “{_short(part.utterance.text)}”")
        _show_decision(sheet, part)
    if told.parts:
        return
    if meaning := telling.meaning_of_doubt(told):
        sheet.text(meaning)
    _show_phrases(sheet, told)
    _show_words(sheet, told)
    _show_changes(sheet, told)
    _show_line_to_write(sheet, told)


class _Sheet:
    """Lines of at most 80 columns, in colours where the screen has any."""

    def __init__(self, screen: Screen, folder: str) -> None:
        self._screen = screen
        self._folder = folder

    def gap(self) -> None:
        self._screen.line()

    def heading(self, text: str) -> None:
        self.gap()
        self._screen.line(text, "bold")

    def text(self, text: str, style: str = "", first: str = "", hang: str | None = None) -> None:
        """A text wrapped below its first line; what stands between backticks is an entry."""
        is_entry = False  # a name between backticks may go on in the next line
        for line in textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=" " * len(first) if hang is None else hang,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            self.row([(line, style)], is_entry)
            is_entry ^= line.count("`") % 2 == 1

    def fact(self, label: str, text: str) -> None:
        self.text(text, first=f"  {label:<{_LABEL}}", hang=" " * (_LABEL + 2))

    def row(self, spans: list[tuple[str, str]], is_entry: bool = False) -> None:
        """One line of texts and their styles; `is_entry`: it begins within backticks."""
        if not self._screen.is_terminal:
            return self._screen.lines(["".join(text for text, _ in spans).rstrip()])
        return self._screen.show(_styled(spans, is_entry))

    def verbatim(self, text: str) -> None:
        """A line to be copied, in one piece however long it is."""
        self._screen.line(text, "cyan")

    def where(self, place: Place) -> str:
        return str(Place(shown(self._folder, place.path), place.line))


def _styled(spans: list[tuple[str, str]], is_entry: bool) -> Text:
    from rich.text import Text

    from assistant.channels.screen import safe

    styled = Text()
    for text, style in spans:
        for number, piece in enumerate(safe(text).split("`")):
            styled.append(piece, f"{style} cyan" if number % 2 != is_entry else style)
    return styled


# --- the phrases ------------------------------------------------------------------------------


def _show_phrases(sheet: _Sheet, told: Explanation) -> None:
    if told.first is None:
        return
    sheet.gap()
    label = "won" if isinstance(told.match, Found) else "nearest"
    alike = "" if told.is_far else f" ({telling.likeness(told)})"
    _show_standing(sheet, label, told.first, alike)
    if told.runner_up:
        _show_standing(sheet, "next", told.runner_up)
    if isinstance(told.match, Unsure):
        names = ", ".join(f"`{name}`" for name in telling.offered(told))
        sheet.fact("offered", names or "nothing: small talk is never offered as a choice")
    asked_in = told.match.ranking.language
    if asked_in and asked_in != told.first.language:
        sheet.fact("asked in", language_name(asked_in))
    for typed, read in told.read_as:
        sheet.fact("read as", f"“{typed}” as “{read}”")
    for heard in told.utterance.also_heard:
        sheet.fact("also heard", f"“{heard}”")
    for note in told.match.ranking.notes:
        is_told = (told.read_as and note.startswith("read as")) or (told.doubt and note.endswith(told.doubt))
        if not is_told:
            sheet.fact("note", _short(note))


def _show_standing(sheet: _Sheet, label: str, standing: Standing, more: str = "") -> None:
    sheet.fact(label, f"“{standing.phrase}”{more}")
    facts = [f"`{standing.entry}`", telling.percent(standing.probability), language_name(standing.language)]
    if standing.place:
        facts.append(sheet.where(standing.place))
    sheet.fact("", ", ".join(facts))


# --- the words --------------------------------------------------------------------------------


def _show_words(sheet: _Sheet, told: Explanation) -> None:
    tried = [word for word in told.words if word.without]
    if tried and told.first:
        now = telling.percent(told.first.probability)
        sheet.heading(f"How likely {told.first.entry} is without each word (now {now})")
        counted = [word for word in tried if abs(word.part) >= _COUNTS][:_WORDS_SHOWN]
        _show_bars(sheet, counted)
        hardly = [word.written for word in tried if word not in counted]
        if hardly:
            label = "Hardly:" if counted else "None by itself:"
            sheet.text(f"{label} {', '.join(hardly)}", "dim", first="  ", hang="    ")
    unknown = [f"“{word.written}”" for word in told.words if word.kind == "unknown"]
    if unknown and told.first:
        is_all = len(unknown) == len(told.words) > 1
        named = "any word of it" if is_all else ", ".join(unknown)
        sheet.text(f"In no question of the pages: {named}", first="  ", hang="    ")


def _show_bars(sheet: _Sheet, counted: list[Word]) -> None:
    scale = max([_LEAST_SCALE, *(abs(word.part) for word in counted)])
    width = max([0, *(_columns(word.written) for word in counted)])
    for word in counted:
        if word.without:
            bar = _bar(abs(word.part) / scale)
            against = word.part < 0
            sheet.row(
                [
                    (f"  {_padded(word.written, min(width, 24))}  ", ""),
                    (_padded(bar.replace("█", "░") if against else bar, _BAR), "red" if against else "green"),
                    (f"  {telling.percent(word.without.probability):>8}", ""),
                    ("  speaks against it" if against else "", "dim"),
                ]
            )


def _bar(share: float) -> str:
    eighths = max(1, round(share * _BAR * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _padded(text: str, width: int) -> str:
    return text + " " * max(0, width - _columns(text))


def _columns(text: str) -> int:
    """How wide a terminal draws a text: Korean and Chinese letters take two columns."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


# --- what would change it -----------------------------------------------------------------------


def _show_changes(sheet: _Sheet, told: Explanation) -> None:
    changes = telling.changes(told)
    if not changes:
        return
    sheet.heading("What would change it")
    for change in changes:
        sheet.text(change, first="  - ")


def _show_line_to_write(sheet: _Sheet, told: Explanation) -> None:
    """The question as a line to be pasted where it belongs."""
    if told.first is None:
        return
    line = telling.worth_writing(told)
    if told.likeness == "word for word" and told.first.place:
        sheet.gap()
        sheet.text(f"Wrong answer? Move the question at {sheet.where(told.first.place)} to the right entry.")
    elif len(line) > LONGEST_PHRASE:
        sheet.gap()
        sheet.text("This is too long for a line of a page: write down the question that is in it.")
    else:
        sheet.gap()
        sheet.text(_why_write(told), "bold")
        sheet.verbatim(f"    - {line}")
        for place in _where_to_write(sheet, told):
            sheet.text(place, first="  ", hang="    ")


def _why_write(told: Explanation) -> str:
    if isinstance(told.match, Found):
        return "Wrong answer? Then write this under Questions of the right entry:"
    if isinstance(told.match, Unsure):
        return "To have it answered, write this under Questions of the entry that is meant:"
    return "Should it be answered? Then write this under Questions of its entry, or of a new one:"


def _where_to_write(sheet: _Sheet, told: Explanation) -> Iterator[str]:
    """The nearest entries; whoever has found a wrong answer knows a better place."""
    if isinstance(told.match, Found) or told.is_far:
        return
    likely = told.match.entries if isinstance(told.match, Unsure) else (told.standings[0].entry,)
    for standing in told.standings:
        if standing.entry in likely and standing.last_question and standing.entry not in told.small_talk:
            yield f"`{standing.entry}`: below {sheet.where(standing.last_question)}"


def _short(text: str) -> str:
    """A paragraph is not said again in full."""
    return textwrap.shorten(text, 200, placeholder=" …")
