"""The command line: commands, exit codes, and the one place that shows failures to people."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TextIO

import click

from assistant import __version__
from assistant.cli.kiosk import kiosk
from assistant.cli.options import (
    PATH,
    Asked,
    BaseOptions,
    base_options,
    language_of_pages,
    question_options,
)
from assistant.cli.serve import serve
from assistant.cli.sound import doctor, models
from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.channels.asking import Asking
    from assistant.channels.screen import Screen
    from assistant.settings import Settings
    from assistant.values import Heard, Turn, Utterance

USAGE = 64  # EX_USAGE of sysexits.h; click's own 2 means "unsure" here
INTERRUPTED = 130  # 128 + SIGINT
READER_GONE = 141  # 128 + SIGPIPE: `assistant ask ... | head`


class Commands(click.Group):
    """The commands, ended with an exit code and a message whatever happens."""

    def main(self, *args: Any, **options: Any) -> NoReturn:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # UTF-8 whatever the locale says
                stream.reconfigure(encoding="utf-8", errors="replace")
        sys.exit(self._run(*args, **({"prog_name": "assistant"} | options | {"standalone_mode": False})))

    def _run(self, *args: Any, **options: Any) -> int:
        try:
            code = super().main(*args, **options)
            return code if isinstance(code, int) else 0
        except click.UsageError as error:
            error.show()
            return USAGE
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except AssistantError as error:
            _show_error(error)
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            return INTERRUPTED

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:  # caught here: click would end with 1, which means a failure
            # What is still buffered has nowhere to go; without this Python complains at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(READER_GONE) from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def main() -> None:
    """Answer customers by voice and by text from one knowledge base, on your own machine.

    \b
    Start with:
      assistant init knowledge          a small base to begin with
      assistant chat                    try it out
      assistant ask "when are you open" one question, one answer
      assistant kiosk                   speak with it
      assistant serve                   chat and kiosk in a browser
      assistant doctor                  are microphone, voice and models in order?
      assistant check                   what is wrong with the pages?
    """


@main.command()
@question_options
@click.option(
    "--file", type=click.File("rb"), metavar="FILE", help="Ask every line of a file (- for the input)."
)
@click.option("--speak", type=PATH, metavar="WAV", help="Write the spoken answer to a file.")
@base_options
def ask(asked: Asked, file: BinaryIO | None, speak: Path | None, base: BaseOptions) -> int:
    """Answer one question, typed or spoken, or a file of them.

    \b
    Examples:
      assistant ask "when are you open"
      assistant ask --audio question.wav --language en --speak answer.wav
      assistant ask --file questions.txt --json > answers.jsonl

    \b
    Exit code: 0 answered, 2 unsure (choices are offered), 3 unknown, 1 something broke,
    64 the command was not understood. With --file the highest of the answers, or 1 when a
    line could not be read.
    """
    if sum((bool(asked.words), file is not None, asked.audio is not None)) != 1:
        raise click.UsageError('Give one of: a "question", --file FILE, --audio WAV.')
    if file and speak:
        raise click.UsageError("--speak writes one answer; it does not go with --file.")
    settings = base.settings()
    asking = _open_asking(settings, asked)
    if file:
        return asking.ask_all(file)
    turn = (
        _ask_aloud(asking, settings, asked.audio, asked.language)
        if asked.audio
        else asking.ask(_typed(asked.words))
    )
    if speak:
        _write_spoken(turn, settings, asking, speak)
    return _exit_code(turn)


@main.command()
@question_options
@click.option("--numbers", "-v", is_flag=True, help="Show what every witness measured, too.")
@base_options
def why(asked: Asked, numbers: bool, base: BaseOptions) -> int:
    """Explain how a question is understood.

    Tells whether it is answered and by how much, the phrase that won and where it stands, the
    words that counted, and what would change it. For every word the question is asked once more
    without it.

    \b
    Examples:
      assistant why "can I bring my dog"
      assistant why "can I bring my dog" --numbers
      assistant why --audio question.wav --language en
    """
    from assistant.channels.explaining import explain
    from assistant.channels.explaining_json import explanation_json
    from assistant.channels.numbers import show_numbers

    if bool(asked.words) == (asked.audio is not None):
        raise click.UsageError('Give one of: a "question", --audio WAV.')
    settings = base.settings()
    asking = _open_asking(settings, asked)
    utterance = (
        _heard(asking, settings, asked.audio, asked.language)[0] if asked.audio else _typed(asked.words)
    )
    told, folder = asking.explain(utterance), asking.assistant.knowledge.folder
    if asked.as_json:
        asking.out.data(explanation_json(told, folder))
        return 0
    explain(asking.out, told, folder)
    if numbers:
        show_numbers(asking.out, told)
    return 0


@main.command()
@click.option("--language", metavar="LANGUAGE", help="Begin in this language, such as de.")
@base_options
def chat(language: str | None, base: BaseOptions) -> int:
    """Talk with the assistant; /help there lists what else can be done.

    \b
    Examples:
      assistant chat
      printf 'when are you open\\n' | assistant chat
    """
    from assistant import wiring
    from assistant.channels import terminal

    settings = base.settings()
    asking = _open_asking(settings, Asked(language=language))
    open_voice = partial(wiring.open_voice, settings)
    terminal.chat(asking.assistant, asking.conversation, open_voice, wiring.state_folder())
    return 0


@main.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for machines.")
@base_options
def check(as_json: bool, base: BaseOptions) -> int:
    """Tell what must be mended in the pages.

    Reads every page strictly; where they are in order, tries every question and every check
    against the whole base.

    \b
    Example:
      assistant check --knowledge knowledge

    \b
    Exit code: 0 all good, or warnings only; 1 errors.
    """
    from assistant import wiring
    from assistant.channels.checking import check_base
    from assistant.channels.lines import check_json, has_errors, summary

    settings, out = base.settings(), _screen(sys.stdout)
    knowledge, problems = check_base(settings, wiring.matcher_maker(settings), _screen(sys.stderr))
    if as_json:
        out.data(check_json(knowledge, problems))
        return int(has_errors(problems))
    for problem in problems:
        out.problem(problem)
    out.line(summary(knowledge, problems), "bold")
    return int(has_errors(problems))


@main.command()
@click.argument("folder", type=PATH, required=False)
@base_options
def init(folder: Path | None, base: BaseOptions) -> int:
    """Start a new base in FOLDER, with a few pages to change.

    \b
    Example:
      assistant init knowledge
    """
    from assistant.knowledge.starter_base import write_starter

    named = folder or base.knowledge
    if named is None:
        raise click.UsageError("Name the folder for the new base, such as: assistant init knowledge")
    write_starter(named)
    click.echo(f"A new knowledge base stands in {named}.")
    click.echo(f"Try it:                 assistant chat --knowledge {named}")
    click.echo(f"After changing a page:  assistant check --knowledge {named}")
    return 0


for command in (kiosk, serve, doctor, models):
    main.add_command(command)


def run() -> None:
    """What `assistant` runs: a command, and then an end in order.

    A thread that is still loading a model, inside a native library, would end the whole process with a
    crash when Python takes itself down around it. By now all is closed and written.
    """
    try:
        main()
    except SystemExit as ended:
        if threading.active_count() > 1:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError):
                    stream.flush()
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        raise


# --- between the commands and the house --------------------------------------------------------


def _open_asking(settings: Settings, asked: Asked) -> Asking:
    """The assistant in a new conversation, after telling once what it must do without."""
    from assistant import wiring
    from assistant.channels.asking import Asking
    from assistant.dialogue.tongue import known_language
    from assistant.values import Conversation

    assistant = wiring.build_assistant(settings)
    err = _screen(sys.stderr)
    err.notes(assistant.matcher.notes)
    known = known_language(assistant.knowledge, asked.language)
    if asked.language and not asked.audio:  # what is heard may be answered in another one
        known = language_of_pages(assistant.knowledge, asked.language)
    conversation = Conversation().with_language(known) if known else Conversation()
    return Asking(assistant, conversation, _screen(sys.stdout), err, asked.as_json)


def _typed(words: tuple[str, ...]) -> Utterance:
    from assistant.values import Utterance

    return Utterance(" ".join(words))


def _exit_code(turn: Turn) -> int:
    from assistant.channels.lines import exit_code

    return exit_code(turn)


def _ask_aloud(asking: Asking, settings: Settings, audio: Path, language: str | None) -> Turn:
    """Hear the question in a WAV file, tell what was heard, and answer."""
    utterance, heard = _heard(asking, settings, audio, language)
    if not asking.as_json:
        asking.out.line(f"heard: {heard.text or '(nobody spoke)'}", "dim")
    return asking.ask(utterance, heard)


def _heard(asking: Asking, settings: Settings, audio: Path, language: str | None) -> tuple[Utterance, Heard]:
    """What a WAV file says, as an utterance and as it was heard."""
    from assistant import wiring
    from assistant.speech.hearing.whole_utterance import as_utterance, hear
    from assistant.speech.sound.wav_audio import WavMicrophone

    microphone = WavMicrophone(audio)
    asking.err.notes(microphone.notes)
    knowledge = asking.assistant.knowledge
    with closing(
        wiring.open_recognizer(settings, language or knowledge.default_language, knowledge)
    ) as recognizer:
        heard = hear(microphone, recognizer)
    return as_utterance(heard), heard


def _write_spoken(turn: Turn, settings: Settings, asking: Asking, file: Path) -> None:
    from assistant import wiring
    from assistant.speech.sound.wav_audio import write_wav

    with closing(wiring.open_synthesizer(settings, turn.reply.language)) as voice:
        seconds = write_wav(file, voice.speak(turn.reply.spoken, turn.reply.language), voice.rate_hz)
    asking.err.line(f"spoken: {file} ({seconds:.1f} s)", "dim")


def _screen(stream: TextIO) -> Screen:
    from assistant.channels.screen import Screen

    return Screen(stream)


def _show_error(error: AssistantError) -> None:
    _screen(sys.stderr).error(error)
