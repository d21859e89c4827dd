"""A ZIP unpacked as if its sender were an enemy: nothing leaves the folder, nothing fills the disk."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from assistant.errors import ModelError

# A large model has some 60 files; its floats do not shrink to a fifth of their size.
_MOST_FILES = 1000
_MOST_RATIO = 20
# Short texts shrink by more than that, and this much fits anywhere.
_HARMLESS_BYTES = 50 * 10**6
_MOST_BYTES = 20 * 10**9
_LONGEST_NAME = 200  # with the folder before it a path must stay below the 260 characters of Windows
_PIECE_BYTES = 1 << 20
_SPARE_BYTES = 100 * 10**6  # a disk filled to the last byte breaks other programs
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\ud800-\udfff\\:*?"<>|]')  # on one system or another
_ORDINARY = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
Progress = Callable[[int, int | None], None]  # bytes unpacked, bytes in all


class BadArchive(ModelError):
    """The ZIP itself is at fault: trying it again is of no use."""


def unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpack into a new folder.

    Raises BadArchive for a ZIP that is damaged or up to something, ModelError where there is no room.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if not member.is_dir()]
            _check(members, archive)
            declared = sum(member.file_size for member in members)
            check_room(folder.parent, declared)
            folder.mkdir(parents=True)
            done = 0
            for member in members:
                done += _unpack_one(opened, member, folder)
                progress(done, declared)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise BadArchive(f"{_name(archive)} is damaged: {error}", "fetch it again") from None
    except OSError as error:
        raise ModelError(
            f"{_name(archive)} cannot be unpacked: {error}", "mend this, then ask again"
        ) from None


def top_folder(archive: Path) -> str:
    """The one folder that everything in a ZIP lies in; empty where there is none."""
    try:
        with zipfile.ZipFile(archive) as opened:
            tops = {name.partition("/")[0] for name in opened.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise BadArchive(f"{archive} is no ZIP file that can be read: {error}", "fetch it again") from None
    return tops.pop() if len(tops) == 1 else ""


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise ModelError where so much does not fit on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes + _SPARE_BYTES:
        wanted = (needed_bytes + _SPARE_BYTES) / 1e6
        raise ModelError(
            f"there is no room for the model in {folder}: {free / 1e6:.0f} MB are free, "
            f"{wanted:.0f} MB are needed",
            "make room, or name a folder on another disk with --models",
        )


def _check(members: Sequence[zipfile.ZipInfo], archive: Path) -> None:
    """Everything that the list of contents can tell, before a byte is written."""
    if not members:
        raise BadArchive(f"{_name(archive)} is empty", "fetch it again")
    for fault in _faults(members, archive.stat().st_size):
        raise BadArchive(
            f"{_name(archive)} is not unpacked: {fault}",
            "a speech model needs no such thing: do not trust this file",
        )


def _faults(members: Sequence[zipfile.ZipInfo], packed_bytes: int) -> Iterator[str]:
    if len(members) > _MOST_FILES:
        yield f"it holds {len(members)} files"
    declared = sum(member.file_size for member in members)
    if declared > min(max(_MOST_RATIO * packed_bytes, _HARMLESS_BYTES), _MOST_BYTES):
        yield f"it would grow from {packed_bytes / 1e6:.1f} MB to {declared / 1e6:.0f} MB"
    seen: set[str] = set()
    for member in members:
        if fault := fault_of_name(member.orig_filename) or _fault_of_kind(member):
            yield f"{_shown(member.orig_filename)} {fault}"
        if (name := member.filename.casefold()) in seen:
            yield f"{_shown(name)} is in it twice"
        seen.add(name)


def fault_of_name(name: str) -> str:
    """What is wrong with the path of a file in a model, in words; empty for a good one."""
    parts = name.split("/")
    if name.startswith("/") or ".." in parts or "\\" in name or re.match(r"[A-Za-z]:", name):
        return "would leave the folder"
    if len(name) > _LONGEST_NAME:
        return "has too long a name"
    if _FORBIDDEN.search(name) or any(not part or part == "." or part[-1] in ". " for part in parts):
        return "has a name that not every system can write"
    if any(_DEVICES.fullmatch(part) for part in parts):
        return "is named as a device of Windows"
    return ""


def _fault_of_kind(member: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is a link or a device, not a file"
    if member.compress_type not in _ORDINARY:
        return "is packed in a way that is not read here"
    return "is encrypted" if member.flag_bits & 1 else ""


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> int:
    target = folder.joinpath(*member.filename.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as packed, target.open("xb") as file:
        return _copy(packed, file, member)


def _copy(packed: IO[bytes], file: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Count what really comes out: the list of contents may lie."""
    done = 0
    while piece := packed.read(_PIECE_BYTES):
        done += len(piece)
        if done > member.file_size:
            raise zipfile.BadZipFile(f"{_shown(member.filename)} is larger than the list of contents says")
        file.write(piece)
    if done != member.file_size:
        raise zipfile.BadZipFile(f"{_shown(member.filename)} is cut off")
    return done


def _name(archive: Path) -> str:
    return archive.name.removesuffix(".part")  # as its maker calls it


def _shown(name: str) -> str:
    return repr(name if len(name) < 80 else name[:77] + "...")
