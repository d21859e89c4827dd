"""What stands in the parts of an entry: questions, arrows, checks and texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from assistant.knowledge.arrows import ends_in_arrow, has_arrow, read_arrow
from assistant.knowledge.lines import Findings, Line, shortened, spaced
from assistant.knowledge.lists import Item, Part, bullet_in, can_be_asked, is_bullet, items, says_something
from assistant.matching.text import fold
from assistant.values import Arrow, Ask, Check, Phrase, Place

_CHECK = re.compile(r"(yes|no):(.*)", re.DOTALL)
_MARKUP = re.compile(r"\*\*|\]\(|`|https?://")
_KIND_WORDS: dict[str, Literal["yes", "no"]] = {
    **dict.fromkeys(("yes", "y", "ja", "j", "oui", "sí", "si", "예", "네"), "yes"),
    **dict.fromkeys(("no", "n", "nein", "non", "아니요", "아니오"), "no"),
}
_KIND = re.compile(
    rf"((?:{'|'.join(_KIND_WORDS)})(?=\s*[:：])|(?:yes|no)(?=\s|$))\s*[:：]?(.*)", re.DOTALL | re.IGNORECASE
)


def read_questions(part: Part, findings: Findings) -> tuple[Phrase, ...]:
    """The questions of an entry, without those that cannot be asked."""
    questions = []
    for item in items(part, findings):
        number = item.line.number
        if ends_in_arrow(item.text):
            hint = "put it under `### Next`, or under `### Ask`"
            findings.add("arrow-in-questions", number, f"in {part.whose} stands an arrow", hint)
        elif _CHECK.match(item.text):
            findings.add(
                "check-in-questions", number, f"in {part.whose} stands a check", "put it under `### Checks`"
            )
        elif can_be_asked(item, part, findings):
            questions.append(Phrase(item.text, Place(findings.path, number)))
    return tuple(questions)


def read_arrows(part: Part, findings: Findings) -> tuple[Arrow, ...]:
    """The arrows of a part, or of what is left of it below its text."""
    arrows = [read_arrow(item, part, findings) for item in items(part, findings)]
    return tuple(arrow for arrow in arrows if arrow)


def read_ask(part: Part, findings: Findings) -> Ask | None:
    """The question put to the customer and its choices; None where neither can be read."""
    first = next((index for index, line in enumerate(part.lines) if _is_choice(line)), len(part.lines))
    text = text_of(part.lines[:first])
    arrows = read_arrows(part._replace(lines=part.lines[first:]), findings)
    if not text:
        hint = "write above the choices what the customer is asked, such as `Did you buy it online?`"
        findings.add("ask-without-text", part.number, f"{part.whose} asks nothing", hint)
    if first == len(part.lines):
        hint = "add a line for each choice, such as `- online, on the website -> refund-online`"
        findings.add("ask-without-choices", part.number, f"{part.whose} offers no choices", hint)
    return Ask(text, arrows) if text or arrows else None


def read_checks(part: Part, findings: Findings) -> tuple[Check, ...]:
    """The checks of an entry."""
    checks = [_check(item, part, findings) for item in items(part, findings)]
    return tuple(check for check in checks if check)


def report_repeats(
    entry: str, questions: Sequence[Phrase], checks: Sequence[Check], findings: Findings
) -> None:
    """Report wordings that stand twice in an entry, and checks that check nothing new."""
    asked: dict[str, int] = {}
    for question in questions:
        first = asked.setdefault(fold(question.text), question.place.line)
        if first != question.place.line:
            fact = f"entry `{entry}` has this question twice: it stands on line {first} too"
            findings.add("duplicate-question", question.place.line, fact, "delete one of the two lines")
    checked: dict[str, int] = {}
    for check in checks:
        number, folded = check.place.line, fold(check.text)
        if folded in asked:
            fact = f"this check of entry `{entry}` is one of its questions, on line {asked[folded]}"
            hint = (
                "a check is a wording that is not listed under `### Questions`: delete one of the two lines"
            )
            findings.add("check-is-question", number, fact, hint)
        elif checked.setdefault(folded, number) != number:
            fact = f"entry `{entry}` has this check twice: it stands on line {checked[folded]} too"
            findings.add("duplicate-check", number, fact, "delete one of the two lines")


def report_markup(part: Part, findings: Findings) -> None:
    """Report what a voice cannot say: once a part, as it may stay."""
    for line in part.lines:
        found = _MARKUP.search(line.text)
        if found and not line.hidden:
            hint = "a voice reads plain words: leave out signs, links and pictures"
            findings.warn(
                "markup-in-spoken-answer", line.number, f"`{found[0]}` stands in {part.whose}", hint
            )
            return


def text_of(lines: Sequence[Line]) -> str:
    """The lines as Markdown, without blank lines above and below."""
    shown = [line for line in lines if not line.hidden]
    while shown and shown[-1].is_blank:
        shown.pop()
    start = next((index for index, line in enumerate(shown) if not line.is_blank), 0)
    return "\n".join(line.text for line in shown[start:]).rstrip()


def _is_choice(line: Line) -> bool:
    """True for a bullet; with another sign or a lost space only where an arrow follows."""
    text = bullet_in(line)
    if text is None:
        return line.is_open and line.plain.lstrip().startswith("->")
    return is_bullet(line) or has_arrow(text)


def _check(item: Item, part: Part, findings: Findings) -> Check | None:
    place = Place(findings.path, item.line.number)
    found = _CHECK.fullmatch(item.text)
    if found:
        text = spaced(found[2])
        kind: Literal["yes", "no"] = "yes" if found[1] == "yes" else "no"
        return Check(kind, text, place) if can_be_asked(item._replace(text=text), part, findings) else None
    near = _KIND.fullmatch(item.text)
    meant = _KIND_WORDS.get(near[1].casefold()) if near else None
    text = spaced(near[2]) if near and meant else item.text
    hint = f"write `- yes: {shortened(text)}` if it must lead here, `- no: ...` if it must not"
    if meant:
        hint = f"write `- {meant}: {shortened(text)}`"
    fact = f"in {part.whose}, a line begins with neither `yes:` nor `no:`"
    findings.add("bad-check", item.line.number, fact, hint)
    return Check(meant, text, place) if meant and says_something(text) else None
