"""Markdown of an answer -> HTML that is safe to put into a page.

Two gates, each of which would do: only elements made here are written, and nh3 removes what is not listed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from assistant.channels.plain_text import plain_text
from assistant.channels.web.asking.media import CONTENT_TYPES, FOLDER

_SCHEMES = {"http", "https", "mailto", "tel"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_ATTRIBUTES = {
    "a": {"href", "target"},
    "img": {"src", "alt", "title", "loading", "decoding"},
    "video": {"src", "controls", "preload", "aria-label"},
    "audio": {"src", "controls", "preload", "aria-label"},
    "ol": {"start"},
    "div": {"lang"},
    "th": {"scope"},
}
_TAGS = {
    *_ATTRIBUTES,
    *("p", "br", "hr", "strong", "em", "code", "pre", "blockquote", "ul", "li"),
    *("table", "thead", "tbody", "tr", "td"),
}


def to_html(markdown: str, language: str) -> str:
    """One `<div lang>` with the answer; pictures, films and sounds lead to `/media/` and nowhere else."""
    tag = language if _LANGUAGE.fullmatch(language) else "und"
    return str(_cleaner().clean(f'<div lang="{tag}">{_parser().render(markdown)}</div>'))


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", renderer_cls=_Renderer).enable("table")


@cache
def _cleaner() -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags={"script", "style"},
        set_tag_attribute_values={"th": {"scope": "col"}},
        url_schemes=_SCHEMES,
        url_relative=lambda url: url if _is_media(url) else None,
        link_rel="noopener noreferrer",
    )


def _media_address(written: str) -> str:
    """`../media/map.svg`, as a page writes it -> `/media/map.svg`; empty for anything else."""
    path = unquote(written)
    if _SCHEME.match(path) or path.startswith("/") or not path.isprintable() or "\\" in path:
        return ""
    inside = re.sub(r"^(\.{1,2}/)+", "", posixpath.normpath(path))
    address = f"/{quote(inside)}"
    return address if _is_media(address) else ""


def _is_media(address: str) -> bool:
    parts = unquote(address).split("/")
    return parts[:2] == ["", FOLDER] and len(parts) > 2 and not {"", ".", ".."} & set(parts[2:])


class _Renderer(RendererHTML):
    """HTML of the few elements that an answer may have; HTML that an editor wrote is left out."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        address = _media_address(str(token.attrs.get("src", "")))
        described = escape(self.renderInlineAsText(token.children, options, env))
        if not address:  # of another site, which an offline page cannot show
            return described
        kind = CONTENT_TYPES.get(PurePosixPath(unquote(address)).suffix.lower(), "").partition("/")[0]
        if kind in ("video", "audio"):
            return f'<{kind} controls preload="metadata" src="{address}" aria-label="{described}"></{kind}>'
        return f'<img src="{address}" alt="{described}" loading="lazy" decoding="async">'

    def link_open(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, env: EnvType) -> str:
        href = str(tokens[idx].attrs.get("href", ""))
        scheme = _SCHEME.match(href)
        address = href if scheme and scheme[1].lower() in _SCHEMES else _media_address(href)
        env.setdefault("links", []).append(bool(address))
        if not address:  # the words of the link remain
            return ""
        # A telephone number or an e-mail address opens no page that could stand in a tab of its own.
        is_page = not (scheme and scheme[1].lower() in ("mailto", "tel"))
        return f'<a href="{escape(address)}"{" target=_blank" if is_page else ""}>'

    def link_close(self, _tokens: Sequence[Token], _idx: int, _options: OptionsDict, env: EnvType) -> str:
        return "</a>" if env["links"].pop() else ""

    def heading_open(self, *_: object) -> str:
        return "<p><strong>"  # the page has headings of its own, and their order must stay whole

    def heading_close(self, *_: object) -> str:
        return "</strong></p>\n"

    def html_inline(self, *_: object) -> str:
        return ""

    def html_block(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, _env: EnvType) -> str:
        told = escape(plain_text(tokens[idx].content))
        return f"<p>{told}</p>\n" if told else ""
