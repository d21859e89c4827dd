"""What a voice should say for a text written for the screen."""

from __future__ import annotations

import html
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from assistant.dialogue.saying import as_said

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

_ADDRESS = re.compile(r"\bhttps?://(?:www\.)?([^\s/?#<>]+)[^\s<>]*?(?=[.,;:!?)]*(?:\s|$))", re.IGNORECASE)
_MARKUP = re.compile(r"<!--.*?(?:-->|\Z)|<[/a-zA-Z!?][^>]*>", re.DOTALL)
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li|/?tr)\b[^>]*>", re.IGNORECASE)
# Pictograms, flags, dingbats and the joiners and colours between them; © ® ™ ° are said.
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff\ufe0e\ufe0f\u200d\u20e3\U000e0000-\U000e007f]+"
)
_ARROWS = re.compile(r"\s*(?:[\u2190-\u21ff]|-+>|=+>)\s*")
_LONE_MARKS = re.compile(r"[*_`~|\\\ufffd]+|(?<!\w)#+(?!\w)")
# One line that begins with a letter and holds no mark that Markdown knows within a line.
_PLAIN = re.compile(r"[^\W\d_][^*_`\[\]<>&\\~|\x00-\x1f\x85\u2028\u2029]*\Z")
_REMEMBERED = 512  # texts: the pages' answers and labels, which are said again and again
_TASK_BOX = re.compile(r"^\[[ xX]\]\s+")
_SPACE_BEFORE_MARK = re.compile(r"\s+([.,;:!?…](?:\s|$))")
_DOUBLED_MARKS = re.compile(r"([.,;:!?…])(?:\s*,)+")
_CLOSED = re.compile(r"""[.!?…:;。！？]["'”’»“)\]]*$""")


@lru_cache(_REMEMBERED)
def spoken_form(markdown: str, language: str) -> str:
    """Plain words for a voice: no marks, links by their name, lists and tables as sentences, and what is
    written short (times, prices, numbers, abbreviations) as a person says it in that language.

    Any text whatever is accepted; a text of nothing but pictures is told by their descriptions.
    """
    texts = [markdown] if _PLAIN.match(markdown) else _blocks(markdown)
    return " ".join(sentence for text in texts for sentence in _closed(text, language))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _parsed(markdown: str) -> SyntaxTreeNode:
    from markdown_it.tree import SyntaxTreeNode

    return SyntaxTreeNode(_parser().parse(markdown))


def _blocks(markdown: str) -> list[str]:
    """What is to be said of a text with marks in it, block by block."""
    page = _parsed(markdown)
    return _texts(page) or [node.content for node in page.walk() if node.type == "image"]


def _texts(node: SyntaxTreeNode) -> list[str]:
    """A text that will be a sentence or more for each block with a word in it, in reading order."""
    if node.type == "table":
        return _with_words(_rows(node))
    if node.type == "html_block":
        return _with_words([html.unescape(_MARKUP.sub(" ", _BREAK.sub(", ", node.content)))])
    if node.type in ("fence", "code_block"):
        return _with_words(node.content.splitlines())
    if node.type == "inline":
        return _with_words([_inline(node)])
    texts = [text for child in node.children for text in _texts(child)]
    return _numbered(node, texts) if node.type == "list_item" else texts


def _numbered(item: SyntaxTreeNode, texts: list[str]) -> list[str]:
    """ "24. Dezember" at the beginning of a line looks like a list: its number must not get lost."""
    whole = item.parent
    if whole is None or whole.type != "ordered_list" or not texts:
        return texts
    start = int(whole.attrs.get("start", 1))
    is_list = start == 1 and len(whole.children) > 1
    return texts if is_list else [f"{start + whole.children.index(item)}. {texts[0]}", *texts[1:]]


def _with_words(texts: list[str]) -> list[str]:
    return [text for text in texts if any(char.isalnum() for char in text)]


def _rows(table: SyntaxTreeNode) -> list[str]:
    """ "Monday: 9 to 17." for two columns, "Tea: small 2 €, large 3 €." for more."""
    head, *body = [
        [_inline(cell).strip() for cell in row.children] for part in table.children for row in part.children
    ]
    return [_row(head, row) for row in body or [head]]


def _row(head: list[str], row: list[str]) -> str:
    title, *cells = row
    if len(cells) > 1:
        cells = [f"{name} {cell}" for name, cell in zip(head[1:], cells, strict=False) if cell]
    told = ", ".join(filter(None, cells))
    return f"{title}: {told}" if title and told else title or told


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in ("text", "code_inline"):
        return node.content
    if node.type in ("softbreak", "hardbreak"):
        return " " if node.type == "softbreak" else ", "
    if node.type == "html_inline":
        return ", " if _BREAK.match(node.content) else ""
    if node.type == "image":
        return _picture(node)
    if node.type == "s":
        return ""  # a price struck out must not be said as if it held
    return "".join(map(_inline, node.children))


def _picture(node: SyntaxTreeNode) -> str:
    """A picture in the middle of a sentence stands for a word; alone it is for the eyes."""
    siblings = node.parent.children if node.parent else []
    is_alone = all(
        other.type in ("image", "softbreak", "hardbreak") or not other.content.strip() for other in siblings
    )
    return "" if is_alone else node.content


def _closed(text: str, language: str) -> list[str]:
    """The text as one sentence that ends, or nothing where there is no word in it."""
    named = _ADDRESS.sub(r"\1", _TASK_BOX.sub("", text.strip()))
    bare = _LONE_MARKS.sub(" ", as_said(_ARROWS.sub(", ", _EMOJI.sub(" ", named)), language))
    joined = _SPACE_BEFORE_MARK.sub(r"\1", " ".join(bare.split()))
    told = _DOUBLED_MARKS.sub(r"\1", joined).strip(" ,")
    if not any(char.isalnum() for char in told):
        return []
    return [told if _CLOSED.search(told) else f"{told}."]
