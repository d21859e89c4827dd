"""The bytes of a page -> its text, or the reason why they are none. Nothing is guessed."""

from __future__ import annotations

import codecs
import re

from assistant.values import Place, Problem

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "a Word, Excel or zip file"),
    (b"{\\rtf", "an RTF document"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_SAVE_AS_TEXT = "open it in the program it was made with and save it as plain text, encoding UTF-8"
_SAVE_AS_UTF8 = (
    "open the page in your editor, check the letters of this line, and save it as UTF-8 "
    "(Notepad: Save as, Encoding: UTF-8; VS Code: Save with Encoding)"
)
LINE_END = re.compile(r"\r\n|\r|\n")


def encoding_of(data: bytes) -> tuple[bytes, str]:
    """The byte order mark (empty where there is none) and the encoding it stands for."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return bom, encoding
    return b"", "utf-8"


def decode_page(path: str, data: bytes) -> tuple[str | None, tuple[Problem, ...]]:
    """The text of a page, or None and the problems which say where the bytes cannot be read."""
    for beginning, what in _OTHER_FILES:
        if data.startswith(beginning):
            fact = f"this is {what}, not a page of text"
            return None, (Problem("not-text", Place(path), fact, _SAVE_AS_TEXT),)
    bom, encoding = encoding_of(data)
    body = data[len(bom) :]
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        return None, (_undecodable(path, body, encoding, error.start),)
    nul = text.find("\0")
    if nul >= 0:
        return None, (_nul(path, text, nul, bool(bom)),)
    return text, ()


def _undecodable(path: str, body: bytes, encoding: str, start: int) -> Problem:
    """Says which letter stands there if the page was saved by an older Windows program."""
    if encoding != "utf-8":
        place = Place(path, _line_after(body[:start].decode(encoding, "replace")))
        return Problem(
            "bad-encoding", place, f"this page is damaged {encoding[:6].upper()} text", _SAVE_AS_UTF8
        )
    text = body.decode("cp1252", "replace")  # one byte is one letter: positions stay the same
    if 0 in body[:400]:
        return _nul(path, text, text.find("\0"), False)
    fact = f"this page is not saved as UTF-8: the byte {body[start]:#04x} here is no letter"
    if text[start].isprintable() and text[start] != "\ufffd":
        fact += f" (in Windows encoding it is `{text[start]}`)"
    line = _line_after(text[:start])
    excerpt = LINE_END.split(text)[line - 1].strip()[:100]
    return Problem("bad-encoding", Place(path, line), fact, _SAVE_AS_UTF8, excerpt)


def _nul(path: str, text: str, at: int, marked: bool) -> Problem:
    wide = not marked and text.count("\0") > len(text) // 4
    what = (
        "the page was saved as UTF-16 without a mark"
        if wide
        else "the page holds a NUL byte, which no text has"
    )
    return Problem("nul-byte", Place(path, _line_after(text[:at])), what, _SAVE_AS_UTF8)


def _line_after(text: str) -> int:
    return len(LINE_END.findall(text)) + 1
