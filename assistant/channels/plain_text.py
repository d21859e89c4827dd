"""An answer for a pipe: Markdown as plain lines, nothing wrapped, nothing lost."""

from __future__ import annotations

import html
import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

_TAG = re.compile(r"<!--.*?(?:-->|\Z)|<[/a-zA-Z!?][^>]*>", re.DOTALL)
_TIGHT = ("bullet_list", "ordered_list", "list_item")


def plain_text(markdown: str) -> str:
    """The text without its marks: links with their address, pictures by their description."""
    from markdown_it.tree import SyntaxTreeNode

    return _blocks(SyntaxTreeNode(_parser().parse(markdown)), "\n\n").strip()


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable("table")


def _blocks(node: SyntaxTreeNode, between: str) -> str:
    return between.join(filter(None, map(_block, node.children)))


def _block(node: SyntaxTreeNode) -> str:
    if node.type == "bullet_list":
        return "\n".join(_item("- ", item) for item in node.children)
    if node.type == "ordered_list":
        first = int(node.attrs.get("start", 1))
        return "\n".join(_item(f"{number}. ", item) for number, item in enumerate(node.children, first))
    if node.type == "table":
        return _table(node)
    if node.type in ("fence", "code_block"):
        return node.content.rstrip("\n")
    if node.type == "html_block":
        return html.unescape(_TAG.sub("", node.content)).strip()
    if node.type == "inline":
        return _inline(node)
    return _blocks(node, "\n" if node.type in _TIGHT else "\n\n")


def _item(mark: str, item: SyntaxTreeNode) -> str:
    return mark + _blocks(item, "\n").replace("\n", "\n" + " " * len(mark))


def _table(table: SyntaxTreeNode) -> str:
    rows = [[_inline(cell) for cell in row.children] for part in table.children for row in part.children]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _inline(node: SyntaxTreeNode) -> str:
    if node.type in ("text", "code_inline"):
        return node.content
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type == "html_inline":
        return ""
    if node.type == "image":
        return f"[{node.content}]" if node.content else ""
    told = "".join(map(_inline, node.children))
    if node.type == "link":
        address = str(node.attrs.get("href", "")).removeprefix("mailto:")
        return told if told in (address, "") else f"{told} ({address})"
    return told
