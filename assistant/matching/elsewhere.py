"""What people ask elsewhere: from it a base learns what is not its matter."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources

from assistant.values import primary_language


def asked_elsewhere(languages: Collection[str]) -> tuple[str, ...]:
    """Questions on many matters in the languages of a base ("de-AT" is "de"); in all that are listed where
    none of its languages is, for the encoder reads them alike."""
    listed = _listed()
    own = set(map(primary_language, languages)) & listed.keys()
    return tuple(text for language in sorted(own or listed) for text in listed[language])


@cache
def _listed() -> Mapping[str, Sequence[str]]:
    """By language."""
    topics = tomllib.loads(
        resources.files("assistant.matching").joinpath("elsewhere.toml").read_text("utf-8")
    )
    found: dict[str, list[str]] = {}
    for topic in topics.values():
        for language, texts in topic.items():
            found.setdefault(language, []).extend(texts)
    return found
