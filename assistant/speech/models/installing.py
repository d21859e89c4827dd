"""Speech models put into a folder, looked after and taken away: `assistant models`.

A model is made ready in a hidden folder inside the models folder and moved to its place as the last
act, so that whatever interrupts it, a half of one is never taken for a model.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assistant.dialogue.tongue import language_name
from assistant.errors import AssistantError, ModelError
from assistant.speech.models.catalogue import CatalogueModel, named
from assistant.speech.models.checksums import Record, read_records, sha256_of, sums_of, write_record
from assistant.speech.models.fetching import SILENT_SECONDS, fetch, forget, size
from assistant.speech.models.unpacking import BadArchive, check_room, fault_of_name, top_folder, unpack
from assistant.speech.models.vosk_models import (
    is_model,
    language_of_model,
    models_in,
    user_models_folder,
)
from assistant.values import Finding, primary_language

MAKERS_SITE = "https://alphacephei.com/vosk/models"
Step = Callable[[str, int, int | None], None]  # what is being done, bytes so far, bytes in all

_WORKSHOP = ".unfinished"
# Beside the ZIP its contents, some twice as much. What they really take is looked at before unpacking.
_GROWTH = 3
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _silent(_what: str, _done: int, _total: int | None) -> None:
    """For an install that nobody watches."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder of models, and how models get into it."""

    folder: Path
    try_out: Callable[[Path], None]  # raises ModelError for a model that does not work
    step: Step = _silent
    accept_new_sum: bool = False  # take a ZIP whose SHA-256 is not the one that was seen before
    silent_seconds: float = SILENT_SECONDS


def models_site(environment: Mapping[str, str] = os.environ) -> str:
    """The maker's address, or that of a mirror in ASSISTANT_MODELS_SITE."""
    return environment.get("ASSISTANT_MODELS_SITE", "").rstrip("/") or MAKERS_SITE


def models_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Where models are put: as given, else ASSISTANT_MODELS, else ./models if it exists, else the user's."""
    named_folder = given or (Path(value) if (value := environment.get("ASSISTANT_MODELS")) else None)
    if named_folder is None:
        return Path("models") if Path("models").is_dir() else user_models_folder()
    if is_model(named_folder):
        raise ModelError(
            f"{named_folder} is a model, not a folder of models", f"name {named_folder.resolve().parent}"
        )
    return named_folder


def install(shelf: Shelf, model: CatalogueModel, site: str) -> Path:
    """Fetch a model, try it and put it into the folder; the folder it is in now, or was already.

    Interrupted, it leaves what has arrived to go on from. Raises ModelError with the way out.
    """
    with _at_work(shelf.folder) as workshop:
        target = shelf.folder / model.name
        if _is_there(target):
            return target
        part = workshop / f"{model.name}.zip.part"
        check_room(workshop, _GROWTH * model.megabytes * 10**6 - size(part))
        try:
            fetch(
                f"{site}/{model.name}.zip",
                part,
                lambda done, total: shelf.step("fetching", done, total),
                shelf.silent_seconds,
            )
            target = _install_fetched(shelf, workshop, model, part)
        except BadArchive:
            forget(part)  # or it would be gone on from for ever
            raise
        forget(part)
        return target


def install_from(shelf: Shelf, source: Path, wanted: str | None = None) -> Path:
    """Put a model from a ZIP or a folder of this machine into the folder.

    `wanted` names it, or its language, where its own name does not. The source stays as it is.
    """
    if not source.exists():
        raise ModelError(f"there is no {source}", "name a ZIP file or a folder of a model")
    with _at_work(shelf.folder) as workshop:
        if source.is_dir():
            return _install_folder(shelf, workshop, source, wanted)
        if not zipfile.is_zipfile(source):
            raise ModelError(f"{source} is no ZIP file", "name a ZIP file or a folder of a model")
        name = _name_for((source.stem, top_folder(source)), wanted)
        if _is_there(shelf.folder / name):
            return shelf.folder / name
        archive_sum = _checked_sum(shelf, name, source)
        return _install_archive(shelf, workshop / name, source, archive_sum)


def verify(shelf: Shelf, name: str) -> Finding:
    """Is an installed model as it was installed, and does it work?"""
    folder = installed(shelf.folder, name)
    name, model = folder.name, _model_in(folder)
    shelf.step("reading", 0, None)
    record = read_records(shelf.folder).get(name, Record())
    if record.files and (changed := _changed(record.files, sums_of(model))):
        return Finding(name, "problem", changed, _reinstall(name))
    shelf.step("trying out", 0, None)
    try:
        shelf.try_out(model)
    except AssistantError as error:
        return Finding(name, "problem", error.fact, _reinstall(name))
    spoken = language_of_model(name)[0] or language_of_model(model.name)[0]
    told = f"hears {language_name(spoken)}" if spoken else "hears a language that its name does not tell"
    how = "all files as installed" if record.files else "put here by hand: no checksums to compare"
    return Finding(name, "ok", f"{told}, {how}")


def remove(folder: Path, name: str) -> None:
    """Take a model out of the folder; nothing else can be removed with this."""
    model = installed(folder, name)
    name = model.name
    with _at_work(folder) as workshop:
        if model.is_symlink():
            model.unlink()
        else:
            gone = workshop / name
            model.rename(gone)  # at once: half a model must not be found
            shutil.rmtree(gone)
        if record := read_records(folder).get(name):
            write_record(folder, name, Record(record.archive))


def installed(folder: Path, wanted: str) -> Path:
    """The model of that name in the folder, or the only one for that language."""
    there = models_in(folder)
    if exact := next((model for model in there if model.name == wanted), None):
        return exact
    base = primary_language(wanted)
    found = [model for model in there if language_of_model(model.name)[0] == base]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelError(
            f"{folder} has {len(found)} models for {language_name(base)}",
            f"name one: {', '.join(model.name for model in found)}",
        )
    names = ", ".join(model.name for model in there)
    hint = f"there is: {names}" if names else "it has none; what there is to install: assistant models list"
    raise ModelError(f"there is no model `{wanted}` in {folder}", hint)


def megabytes_of(model: Path) -> int:
    """What a model takes on the disk, in millions of bytes."""
    return round(sum(path.stat().st_size for path in model.rglob("*") if path.is_file()) / 1e6)


# --- from something to a model in its place ----------------------------------------------------


def _install_fetched(shelf: Shelf, workshop: Path, model: CatalogueModel, part: Path) -> Path:
    archive_sum = _checked_sum(shelf, model.name, part)
    try:
        return _install_archive(shelf, workshop / model.name, part, archive_sum)
    except ModelError:
        # No room, or it does not run here: where these are the maker's bytes, they need not come again.
        if archive_sum != model.sha256:
            forget(part)
        raise


def _install_archive(shelf: Shelf, unpacked: Path, archive: Path, archive_sum: str) -> Path:
    unpack(archive, unpacked, lambda done, total: shelf.step("unpacking", done, total))
    return _put_in_place(shelf, unpacked, archive_sum)


def _install_folder(shelf: Shelf, workshop: Path, source: Path, wanted: str | None) -> Path:
    model = _model_in(source)
    name = _name_for((model.resolve().name, source.resolve().name), wanted)
    if _is_there(shelf.folder / name):
        return shelf.folder / name
    files = [path for path in sorted(model.rglob("*")) if path.is_file()]
    total, done = sum(path.stat().st_size for path in files), 0
    check_room(workshop, total)
    for path in files:
        if fault := fault_of_name(path.relative_to(model).as_posix()):
            raise ModelError(f"{path!a} {fault}", "rename it, or take it away")
        target = workshop / name / path.relative_to(model)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        done += target.stat().st_size
        shelf.step("copying", done, total)
    return _put_in_place(shelf, workshop / name, "")


def _put_in_place(shelf: Shelf, prepared: Path, archive_sum: str) -> Path:
    """Try a model that lies ready, note its sums, and move it to where it is found."""
    name, model = prepared.name, _model_in(prepared)
    shelf.step("trying out", 0, None)
    try:
        shelf.try_out(model)
    except AssistantError as error:
        fact = error.fact.replace(str(model.resolve()), name).replace(str(model), name)
        raise ModelError(f"{fact}: not installed", "take another model, or fetch this one again") from None
    shelf.step("noting", 0, None)
    record = read_records(shelf.folder).get(name, Record())
    write_record(shelf.folder, name, Record(archive_sum or record.archive, sums_of(model)))
    return model.rename(shelf.folder / name)


def _checked_sum(shelf: Shelf, name: str, archive: Path) -> str:
    """The SHA-256 of a ZIP; raises BadArchive where another one is known."""
    shelf.step("checking", 0, None)
    found = sha256_of(archive)
    model = named(name)
    first_seen = read_records(shelf.folder).get(name, Record()).archive
    known = first_seen or (model.sha256 if model else "")
    if known and found != known and not shelf.accept_new_sum:
        source = "the one that came first" if first_seen else "the one that is known"
        raise BadArchive(
            f"{name}.zip is not {source}: its SHA-256 is {found}, expected was {known}",
            "fetch it once more; if it stays so, ask the maker whether the file was changed, and only then: "
            f"assistant models install {name} --new-checksum",
        )
    return found


def _model_in(folder: Path) -> Path:
    """The folder itself, or the one in it: a ZIP usually packs the folder, not only what is in it."""
    inside = [folder, *(path for path in sorted(folder.iterdir()) if path.is_dir())]
    found = next((path for path in inside if is_model(path)), None)
    if found is None:
        raise ModelError(
            f"{folder.name} is no Vosk model: it has no am/final.mdl", f"models that are: {MAKERS_SITE}"
        )
    return found


def _name_for(told: Sequence[str], wanted: str | None) -> str:
    """The name of the folder to be: it must tell the language, or the model would not be found."""
    own = next((name for name in told if _NAME.fullmatch(name) and _tells_language(name)), "")
    if wanted is None:
        if own:
            return own
        raise ModelError(
            f"no name here tells the language: {', '.join(filter(None, told))}",
            "name it: assistant models install de --from ...",
        )
    language = language_of_model(wanted)[0] if _NAME.fullmatch(wanted) else ""
    if not language:
        raise ModelError(
            f"`{wanted}` is neither a language nor the name of a model",
            "write de, en-us, or vosk-model-small-de-0.15",
        )
    if own and language_of_model(own)[0] != language:
        raise ModelError(
            f"{own} is for {language_name(language_of_model(own)[0])}, not {language_name(language)}",
            "leave the language out, or rename the file",
        )
    if wanted.startswith("vosk-model"):
        return wanted
    return own or f"vosk-model-{wanted.lower().replace('_', '-')}"


def _tells_language(name: str) -> bool:
    """`de` does, and whatever its maker named; `usb` has the form of a language and is none."""
    tag = language_of_model(name)[0]
    return bool(tag) and (name.startswith("vosk-model") or language_name(tag) != tag)


def _is_there(target: Path) -> bool:
    if target.exists() and target not in models_in(target.parent):
        raise ModelError(f"{target} is in the way: it is no model", "move it away, then ask again")
    return target.exists()


def _changed(recorded: Mapping[str, str], found: Mapping[str, str]) -> str:
    """What is not as it was installed, in words; empty where all is."""
    differs = [
        *(f"{path} is missing" for path in recorded if path not in found),
        *(f"{path} was changed" for path in recorded if path in found and found[path] != recorded[path]),
        *(f"{path} was added" for path in found if path not in recorded),
    ]
    rest = f", and {len(differs) - 3} more" if len(differs) > 3 else ""
    return ", ".join(differs[:3]) + rest


def _reinstall(name: str) -> str:
    return f"assistant models remove {name}, then: assistant models install {name}"


# --- one at a time -----------------------------------------------------------------------------


@contextmanager
def _at_work(folder: Path) -> Iterator[Path]:
    """The hidden folder to work in, for one process at a time; only parts to go on from outlive it."""
    try:
        workshop = folder / _WORKSHOP
        workshop.mkdir(parents=True, exist_ok=True)
        with (workshop / "lock").open("ab") as lock:
            if not _locked(lock):
                raise ModelError(
                    f"another process works on the models in {folder}", "wait until it has finished"
                )
            _tidy(workshop)  # what a process that was killed left behind
            try:
                yield workshop
            finally:
                _tidy(workshop)
    except OSError as error:
        raise ModelError(
            f"the models folder {folder} cannot be used: {error}", "name another with --models"
        ) from None


def _tidy(workshop: Path) -> None:
    for path in workshop.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)


def _locked(file: IO[bytes]) -> bool:
    """Take the lock unless somebody has it; it ends with the process, however that ends."""
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
