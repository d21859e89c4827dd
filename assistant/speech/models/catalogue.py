"""The speech models that can be asked for by name or by language, as `catalogue.toml` lists them."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from assistant.dialogue.tongue import language_name
from assistant.errors import ModelError
from assistant.values import primary_language

Kind = Literal["small", "large"]


@dataclass(frozen=True, slots=True)
class CatalogueModel:
    """A model that its maker offers."""

    name: str  # of its folder; the maker's file is NAME.zip
    language: str  # "de", "en-us"
    kind: Kind
    megabytes: int  # of the ZIP, in millions of bytes
    licence: str = ""  # empty: the maker's page tells
    sha256: str = ""  # of the ZIP; empty: the first one seen is recorded


@cache
def catalogue() -> tuple[CatalogueModel, ...]:
    """Every model known by name, those of a language together, the recommended one of each kind first."""
    stored = tomllib.loads(
        resources.files("assistant.speech.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    )
    return tuple(CatalogueModel(**model) for model in stored["model"])


def named(name: str) -> CatalogueModel | None:
    return next((model for model in catalogue() if model.name == name), None)


def of_language(language: str) -> tuple[CatalogueModel, ...]:
    """Models that hear a language ("de", "German"); with a region ("en-IN") of that region, if any."""
    tag = language_tag(language)
    region = tuple(model for model in catalogue() if model.language == tag)
    return region or tuple(m for m in catalogue() if primary_language(m.language) == primary_language(tag))


def language_tag(called: str) -> str:
    """Of a language that is called by its tag or by its English name: "de" for "German"."""
    tags = {primary_language(model.language) for model in catalogue()}
    names = {language_name(tag).lower(): tag for tag in tags}
    lowered = called.lower().replace("_", "-")
    return names.get(lowered, lowered)


def choose(wanted: str, kind: Kind | None = None) -> CatalogueModel:
    """The model of that name or for that language: a small one unless a large one is asked for.

    Raises ModelError for what is not in the catalogue.
    """
    if exact := named(wanted):
        return exact
    offered = of_language(wanted)
    if not offered:
        raise no_such_model(wanted)
    found = [model for model in offered if model.kind == (kind or "small")]
    if kind and not found:
        others = ", ".join(model.name for model in offered)
        raise ModelError(f"there is no {kind} model for {language_name(wanted)}", f"there is: {others}")
    return (found or offered)[0]


def no_such_model(wanted: str) -> ModelError:
    names = {model.name for model in catalogue()} | {model.language for model in catalogue()}
    near = difflib.get_close_matches(wanted, sorted(names), 1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    return ModelError(
        f"no speech model is known by the name or language `{wanted}`",
        f"{guess}assistant models list   shows what there is; any other Vosk model: "
        "assistant models install --from FILE.zip",
    )
