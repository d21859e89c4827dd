"""The command that opens the microphone: `assistant kiosk`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.options import PATH, BaseOptions, base_options, language_of_pages, together
from assistant.errors import AudioError
from assistant.settings import MODES, Mode

if TYPE_CHECKING:
    from assistant.settings import Settings
    from assistant.values import Knowledge


@dataclass(frozen=True, slots=True)
class KioskChoice:
    """How the kiosk is wanted on the command line."""

    language: str | None
    mode: Mode | None
    keep_audio: Path | None
    as_json: bool


_kiosk_options = together(
    "choice",
    KioskChoice,
    click.option(
        "--language", metavar="LANGUAGE", help="Hear and speak this one.  [default: all that can be heard]"
    ),
    click.option(
        "--mode",
        type=click.Choice(MODES),
        help="open: whenever somebody speaks; push: between two touches of the space bar.  [default: open]",
    ),
    click.option(
        "--keep-audio",
        type=PATH,
        metavar="FOLDER",
        help="Keep what customers say as WAV files here. Without it no sound is ever stored.",
    ),
    click.option("--json", "as_json", is_flag=True, help="One JSON object for each thing that happens."),
)


@click.command()
@_kiosk_options
@base_options
def kiosk(choice: KioskChoice, base: BaseOptions) -> int:
    """Serve customers at a microphone: hear, answer aloud, be interrupted.

    Fills the terminal; elsewhere it tells in lines what happens. Keys and typed questions work
    too, and when microphone or voice are missing they do what can be done without. Whoever leaves
    is forgotten.

    \b
    Examples:
      assistant kiosk
      assistant kiosk --language de --mode push
      assistant kiosk --json < /dev/null      for a service; ends with SIGTERM
    """
    from assistant import wiring
    from assistant.channels.kiosk.loop import KioskOptions, Senses, run_kiosk
    from assistant.channels.native_noise import native_noise_dropped
    from assistant.channels.screen import Screen
    from assistant.wiring.kiosk import SoundKeeper, kiosk_languages, open_hardware

    settings = _as_chosen(base.settings(), choice)
    keeper = None
    if choice.keep_audio:
        _check_folder(choice.keep_audio)
        keeper = SoundKeeper(choice.keep_audio)
    if sys.stdout.isatty() and not choice.as_json:
        click.echo(_one_moment(settings, choice))
    assistant = wiring.build_assistant(settings, hears=True)
    wanted = language_of_pages(assistant.knowledge, choice.language) if choice.language else None
    languages = kiosk_languages(settings, assistant, wanted)
    notes = Screen(sys.stderr)
    notes.notes(assistant.matcher.notes)
    if not (wanted or settings.kiosk.languages):
        notes.notes(_unheard(assistant.knowledge, languages))
    with native_noise_dropped(), open_hardware(settings, assistant, languages, keeper) as hardware:
        senses = Senses(hardware.open_ear, hardware.open_mouth)
        code = run_kiosk(assistant, senses, settings, KioskOptions(languages, choice.as_json))
    if keeper and keeper.lost:
        notes.notes([keeper.lost])
    return code


def _as_chosen(settings: Settings, choice: KioskChoice) -> Settings:
    if choice.mode is None:
        return settings
    return replace(settings, listening=replace(settings.listening, mode=choice.mode))


def _one_moment(settings: Settings, choice: KioskChoice) -> str:
    """Something to read while encoder and pages load: for some seconds a terminal would be blank."""
    from assistant.dialogue.own_voice import own_sentence
    from assistant.values import Knowledge

    language = choice.language or next(iter(settings.kiosk.languages), settings.default_language)
    return own_sentence(Knowledge.of("", settings.default_language, ()), "one-moment", language).text


def _unheard(knowledge: Knowledge, languages: tuple[str, ...]) -> Iterator[str]:
    """Whoever set the kiosk up may miss them; that a customer does is told to nobody."""
    from assistant.dialogue.tongue import language_name

    for tag in knowledge.languages:
        if tag not in languages:
            fact = f"nothing here hears {language_name(tag)}, so the kiosk does not offer it"
            yield f"{fact}: assistant models install {tag}"


def _check_folder(folder: Path) -> None:
    """Told before the first customer, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise AudioError(f"{folder} cannot be written: {error.strerror}", "name another folder") from None
