"""Pictures, films and links in the text of an answer: where they lead, and where they may."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote

from assistant.knowledge.lines import Findings, Line, shortened
from assistant.values import Media, Place

FOLDER = "media"

_CODE_SPAN = re.compile(r"(`{1,3})[^`]+\1")
_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_TITLE = re.compile(r"(?<!\s)\s+(?:\"[^\"]*\"|'[^']*')\s*$")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_SAFE_SCHEMES = ("http", "https", "mailto", "tel")
_EXAMPLE = "`![what it shows](../media/picture.jpg)`"


def read_media(lines: Sequence[Line], page_path: str, findings: Findings) -> tuple[Media, ...]:
    """Everything of the media folder that a text shows or links to, in its order, each once."""
    found: dict[str, Media] = {}
    for line in lines:
        if not line.is_open or "[" not in line.text:
            continue
        text = _CODE_SPAN.sub("", line.text)
        if "![" in _LINK.sub("", text):
            fact = (
                "a picture is not written to its end" if "](" in text else "a picture has no file behind it"
            )
            findings.add("unclosed-image", line.number, fact, f"write it on one line like {_EXAMPLE}")
        for shown in (text, _LINK.sub("", text)):  # a picture may stand in the words of a link
            for media in _media_of(shown, line, page_path, findings):
                found.setdefault(media.path, media)
    return tuple(found.values())


def _media_of(text: str, line: Line, page_path: str, findings: Findings) -> Iterator[Media]:
    for mark, description, written in _LINK.findall(text):
        target = _TITLE.sub("", written).strip()
        if target.startswith("<") and target.endswith(">"):
            target = target[1:-1].replace(" ", "%20")
        scheme = _SCHEME.match(target)
        if scheme and not (mark or "\\" in target):
            if scheme[1].lower() not in _SAFE_SCHEMES:
                fact = f"the link `{shortened(target)}` begins with `{scheme[1]}:`, which is not allowed"
                findings.add(
                    "bad-link", line.number, fact, "links begin with `https://`, `mailto:` or `tel:`"
                )
            continue
        path = _inside(target, page_path)
        if path:
            yield Media(path, " ".join(description.split()), Place(findings.path, line.number))
        else:
            _report(target, bool(mark), line, findings)


def _inside(target: str, page_path: str) -> str:
    """The path relative to the knowledge folder; empty where it is not in the media folder."""
    if (
        not target
        or " " in target
        or "\\" in target
        or _SCHEME.match(target)
        or target.startswith(("/", "#", "?"))
    ):
        return ""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page_path), unquote(target)))
    return path if path.startswith(f"{FOLDER}/") and path.isprintable() and "\\" not in path else ""


def _report(target: str, is_picture: bool, line: Line, findings: Findings) -> None:
    what = "picture" if is_picture else "link"
    if not target:
        findings.add("bad-media", line.number, f"a {what} names no file", f"write it like {_EXAMPLE}")
        return
    name = re.split(r"[\\/]", target.rstrip("\\/"))[-1]
    if is_picture and _SCHEME.match(target) and "://" in target:
        fact = f"the picture `{shortened(target)}` is on another computer, out of reach without the internet"
        hint = f"save it in the media folder and write `../media/{shortened(quote(name))}`"
    elif " " in target:
        fact = f"the {what} `{shortened(target)}` has a space in its name"
        hint = f"rename the file without spaces, then write `../media/{shortened(name.replace(' ', '-'))}`"
    else:
        fact = f"the {what} `{shortened(target)}` does not lead into the media folder"
        hint = f"did you mean `../media/{shortened(name)}`?" if name else f"write it like {_EXAMPLE}"
        hint += "" if is_picture else " Links to other sites begin with `https://`"
    findings.add("bad-media", line.number, fact, hint)
