"""What can be done in a chat besides asking: the commands that begin with a slash."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.channels.explaining import explain
from assistant.channels.numbers import show_numbers
from assistant.channels.terminal_session import Session
from assistant.dialogue.tongue import known_language, language_name
from assistant.values import Conversation, Knowledge


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what may follow its name, what it is for, and what it does."""

    argument: str
    purpose: str
    run: Callable[[Session, str], None]


def run_command(session: Session, line: str) -> None:
    """Do what a line like `/lang de` says; a name may be cut short, an unknown one gets the nearest."""
    name, _, argument = line.strip().partition(" ")
    begun = [known for known in COMMANDS if known.startswith(name.lower())]
    if len(begun) == 1:
        COMMANDS[begun[0]].run(session, argument.strip())
    else:
        session.tell(f"There is no {name}. {_nearest(name.lower(), tuple(COMMANDS), 'See /help.')}")


def pick_offered(session: Session, line: str) -> bool:
    """Take a line as the answer to "which entry?" of /save, if it is one."""
    offered, session.offered = session.offered, ()
    number = int(line) if line.isascii() and line.isdigit() else 0
    name = offered[number - 1] if 0 < number <= len(offered) else line
    if not offered or name not in session.assistant.knowledge.names:
        return False
    _save(session, name)
    return True


def _why(session: Session, more: str) -> None:
    if session.turn is None:
        return session.tell("Nothing has been asked yet.")
    told = session.assistant.explain(session.before, session.turn.utterance)
    explain(session.screen, told, session.assistant.knowledge.folder, session.decided)
    return show_numbers(session.screen, told) if more else None


def _lang(session: Session, tag: str) -> None:
    knowledge, conversation = session.assistant.knowledge, session.conversation
    if tag == "auto":
        session.conversation = replace(conversation, chosen_language=None)
        return session.tell("I answer in the language of the question.")
    if known := known_language(knowledge, tag):
        session.conversation = conversation.with_language(known)
        return session.tell(f"I answer in {language_name(known)}.")
    if tag:
        session.tell(f"The pages have no {language_name(tag)}.")
    tags = ", ".join(f"{language} ({language_name(language)})" for language in knowledge.languages)
    chosen = conversation.chosen_language
    now = f"in {language_name(chosen)}" if chosen else "in the language of the question"
    return session.tell(f"I answer {now}. Known: {tags}, or auto.")


def _repeat(session: Session, _: str) -> None:
    session.conversation, reply = session.assistant.repeat(session.conversation)
    session.show(reply)


def _good(session: Session, _: str) -> None:
    if session.turn is None:
        return session.tell("Nothing has been asked yet.")
    session.good += 1
    return session.tell("Good. /save keeps this question as a check, so that it stays good.")


def _bad(session: Session, _: str) -> None:
    if session.turn is None:
        return session.tell("Nothing has been asked yet.")
    if session.question and session.question not in session.bad:
        session.bad.append(session.question)
    session.entry = None
    return session.tell("Sorry. /save ENTRY writes the question down where it belongs, /save asks which.")


def _save(session: Session, name: str) -> None:
    knowledge = session.assistant.knowledge
    if not session.question:
        return session.tell(
            "There is no question to save: the last line only took a choice, or nothing was asked."
        )
    if name and name not in knowledge.names:
        return session.tell(
            f"There is no entry {name}. {_nearest(name, knowledge.names, 'Tab completes names.')}"
        )
    name = name or session.entry or ""
    if not name:
        return _ask_which(session)
    return _write_check(session, name)


def _ask_which(session: Session) -> None:
    """Offer the best entries that were not answered from."""
    ranked = session.turn.match.ranking.candidates if session.turn else ()
    session.offered = tuple(candidate.entry for candidate in ranked[:3])
    session.tell("Which entry is the right one? A number, or /save ENTRY:")
    for number, entry in enumerate(session.offered, 1):
        session.screen.line(f"  {number:>2}  {entry}", "cyan")


def _write_check(session: Session, name: str) -> None:
    from assistant.knowledge.editing import save_check

    knowledge, question = session.assistant.knowledge, session.question
    ranked = session.turn.match.ranking.language if session.turn else None
    entry = knowledge.entry(name, ranked or session.conversation.language)
    if entry is None:
        return session.tell(f"There is no entry {name}.")
    save_check(Path(knowledge.folder), entry, "yes", question)
    session.bad = [text for text in session.bad if text != question]
    session.entry = name
    return session.tell(f"Saved to {entry.place.path}, under Checks of {name}: - yes: {question}")


def _speak(session: Session, switch: str) -> None:
    if switch not in ("on", "off"):
        return session.tell(f"The voice is {'on' if session.speak else 'off'}. /speak on, or /speak off.")
    session.speak = session.open_voice() if switch == "on" else None
    return session.tell(f"The voice is {switch}.")


def _new(session: Session, _: str) -> None:
    session.conversation = Conversation()
    session.turn, session.decided, session.question, session.entry = None, "", "", None
    session.tell("A new conversation.")


def _help(session: Session, _: str) -> None:
    session.tell("Ask in your own words; take a choice by its number or its words.")
    for name, command in COMMANDS.items():
        session.screen.line(f"  {f'{name} {command.argument}':<16} {command.purpose}")
    session.tell("Ctrl-C clears the line, Ctrl-D leaves.")


def _quit(session: Session, _: str) -> None:
    session.is_open = False


def farewell(session: Session) -> None:
    """At the end: how it went, and what can be done about what went wrong."""
    if session.good or session.bad:
        session.tell(f"{session.good} good, {len(session.bad)} bad and not saved.")
    for question in session.bad:
        session.screen.line(f"  bad: {question}")
    if session.bad:
        session.tell("Write these under Questions of the entry they belong to, then run: assistant check")


def _nearest(name: str, known: tuple[str, ...], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"Did you mean {near[0]}?" if near else otherwise


COMMANDS = {
    "/why": Command("numbers", "why the last answer: the phrase and words that counted", _why),
    "/lang": Command("LANGUAGE", "answer in this language, such as de; auto: as asked", _lang),
    "/repeat": Command("", "the last answer again", _repeat),
    "/good": Command("", "the last answer was right", _good),
    "/bad": Command("", "the last answer was wrong", _bad),
    "/save": Command("ENTRY", "keep the last question as a check of the entry it belongs to", _save),
    "/speak": Command("on|off", "say the answers aloud", _speak),
    "/new": Command("", "forget everything and start a new conversation", _new),
    "/help": Command("", "this list", _help),
    "/quit": Command("", "leave", _quit),
}


def arguments_of(command: str, knowledge: Knowledge) -> tuple[str, ...]:
    """What may follow a command, for completion."""
    if command == "/lang":
        return (*knowledge.languages, "auto")
    if command == "/save":
        return knowledge.names
    if command == "/why":
        return ("numbers",)
    return ("on", "off") if command == "/speak" else ()
