"""Options that several commands share, handed to each as one value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assistant.settings import ENCODERS

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.values import Knowledge

Command = Callable[..., int]


@dataclass(frozen=True, slots=True)
class BaseOptions:
    """Which base, and what it is understood and heard with."""

    knowledge: Path | None
    models: Path | None
    encoder: str | None

    def settings(self) -> Settings:
        from assistant.settings import find_knowledge, load_settings

        return load_settings(find_knowledge(self.knowledge), self.models, self.encoder)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, typed or in a WAV file, and the form of the answer."""

    words: tuple[str, ...] = ()
    audio: Path | None = None
    language: str | None = None
    as_json: bool = False


def together(name: str, kind: type, *options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options that belong together reach a command as one value of `kind`, under that name."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def call(**given: Any) -> int:
            own = {field.name: given.pop(field.name) for field in fields(kind)}
            return command(**{name: kind(**own)}, **given)

        optioned: Command = call
        for option in reversed(options):
            optioned = option(optioned)
        return optioned

    return decorated


PATH = click.Path(path_type=Path)
base_options = together(
    "base",
    BaseOptions,
    click.option("--knowledge", type=PATH, metavar="FOLDER", help="The pages.  [default: ./knowledge]"),
    click.option("--models", type=PATH, metavar="FOLDER", help="Look for speech models here first."),
    click.option(
        "--encoder",
        type=click.Choice(ENCODERS),
        help="How meanings are compared: accurate takes 25 ms more a question.  [default: fast]",
    ),
)
question_options = together(
    "asked",
    Asked,
    click.argument("words", metavar="[QUESTION]...", nargs=-1),
    click.option("--audio", type=PATH, metavar="WAV", help="Hear the question in a WAV file."),
    click.option("--language", metavar="LANGUAGE", help="Hear and answer in this language, such as de."),
    click.option("--json", "as_json", is_flag=True, help="One JSON object a question, for machines."),
)


def language_of_pages(knowledge: Knowledge, wanted: str) -> str:
    """The pages' own name for a language: "en" for "EN"; raises SettingsError where they have none of it."""
    from assistant.dialogue.tongue import known_language, language_name
    from assistant.errors import SettingsError

    if known := known_language(knowledge, wanted):
        return known
    raise SettingsError(
        f"the pages have no {language_name(wanted)}",
        f"they have {', '.join(f'{tag} ({language_name(tag)})' for tag in knowledge.languages)}",
    )
