"""`assistant models`: what it shows, asks and answers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assistant.channels.model_lines import ModelLine, install_progress, show_models, size
from assistant.channels.screen import Screen
from assistant.cli import INTERRUPTED, USAGE, Commands
from assistant.cli import sound as cli_sound
from assistant.errors import ModelError
from assistant.speech.models import vosk_models as models
from tests.model_site import Site, model_site

COMMANDS = Commands(commands={"models": cli_sound.models})
NAME = "vosk-model-small-ko-0.22"  # in the catalogue, without a checksum


def model_zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("am/final.mdl", "conf/model.conf", "graph/HCLG.fst"):
            archive.writestr(f"{NAME}/{name}", f"{name} of a model")
    return packed.getvalue()


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No model but those of the test, and every model works."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("ASSISTANT_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(models, "_packaged", lambda: None)
    monkeypatch.setattr(models, "try_vosk_model", lambda _folder: None)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    with model_site(model_zip()) as moods:
        monkeypatch.setenv("ASSISTANT_MODELS_SITE", moods.address)
        yield moods


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(COMMANDS, ["models", *words], input=typed)


@pytest.mark.usefixtures("site")
def test_a_language_is_installed_listed_verified_and_removed(tmp_path: Path) -> None:
    done = run("install", "ko")
    assert done.exit_code == 0 and done.stdout == f"installed: {tmp_path / 'models' / NAME}\n"
    assert (
        f"{NAME}: 87 MB, Apache-2.0" in done.stderr
        and "fetching" in done.stderr
        and "trying out" in done.stderr
    )
    (listed,) = json.loads(run("list", "--installed", "--json").stdout)
    assert (listed["name"], listed["installed_in"]) == (NAME, str(tmp_path / "models"))
    verified = run("verify")
    assert verified.exit_code == 0 and "hears Korean, all files as installed" in verified.stdout
    assert run("remove", "ko", "--yes").stdout == f"removed: {tmp_path / 'models' / NAME}\n"
    assert json.loads(run("list", "--installed", "--json").stdout) == []


@pytest.mark.usefixtures("site")
def test_a_model_that_is_not_as_installed_ends_verify_with_1(tmp_path: Path) -> None:
    run("install", NAME)
    (tmp_path / "models" / NAME / "conf" / "model.conf").write_text("changed")
    result = run("verify", "ko", "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1 and not told["ok"]
    assert told["findings"][0]["fact"] == "conf/model.conf was changed"
    assert f"assistant models install {NAME}" in told["findings"][0]["hint"]


def test_a_zip_is_installed_without_a_network(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.zip").write_bytes(model_zip())
    result = run("install", "--from", f"{NAME}.zip", "--models", "elsewhere")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "elsewhere" / NAME / "am" / "final.mdl").is_file()


@pytest.mark.usefixtures("site")
def test_a_model_that_does_not_work_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_folder: Path) -> None:
        raise ModelError("it crashes when it is loaded")

    monkeypatch.setattr(models, "try_vosk_model", broken)
    result = run("install", "ko")
    assert result.exit_code == 1 and "not installed" in result.stderr
    assert run("verify").exit_code == 1


@pytest.mark.usefixtures("site")
def test_ctrl_c_tells_that_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(models, "try_vosk_model", interrupted)
    result = run("install", "ko")
    assert result.exit_code == INTERRUPTED and "what has arrived is kept" in result.stderr
    assert (tmp_path / "models" / ".unfinished" / f"{NAME}.zip.part").exists()


@pytest.mark.usefixtures("site")
def test_nobody_is_asked_where_nobody_can_answer(tmp_path: Path) -> None:
    run("install", "ko")
    result = run("remove", "ko", typed="y\n")
    assert result.exit_code == USAGE and "--yes" in result.stderr
    assert (tmp_path / "models" / NAME).is_dir()


@pytest.mark.parametrize(
    "words",
    [["install"], ["install", "klingon"], ["list", "klingon"], ["remove", "ko"], ["verify"], ["nonsense"]],
)
def test_what_cannot_be_done_is_told(words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code in (1, USAGE) and "Traceback" not in result.output and result.stderr


def test_the_list_names_language_size_and_licence() -> None:
    lines = run("list").stdout.splitlines()
    assert "German\tvosk-model-small-de-0.15\t46 MB\tApache-2.0\tno" in lines
    assert "Persian\tvosk-model-small-fa-0.42\t53 MB\tsee the maker's page\tno" in lines
    assert [line.split("\t")[1] for line in run("list", "en-IN").stdout.splitlines()] == [
        *("vosk-model-small-en-in-0.4", "vosk-model-en-in-0.5")
    ]
    assert run("list", "german").stdout == run("list", "de").stdout != ""


def test_a_model_that_nobody_offers_is_listed_as_well(tmp_path: Path) -> None:
    for name in ("vosk-model-xx-1.0", "de"):
        (tmp_path / "models" / name / "am").mkdir(parents=True)
        (tmp_path / "models" / name / "am" / "final.mdl").write_bytes(b"x")
    names = [line["name"] for line in json.loads(run("list", "--installed", "--json").stdout)]
    assert names == ["de", "vosk-model-xx-1.0"]
    assert [line["name"] for line in json.loads(run("list", "de", "--json").stdout)][-1] == "de"


@pytest.mark.parametrize("megabytes, told", [(46, "46 MB"), (999, "999 MB"), (1913, "1.9 GB")])
def test_sizes_are_told_as_people_say_them(megabytes: int, told: str) -> None:
    assert size(megabytes) == told


def test_a_terminal_sees_a_table_and_a_bar() -> None:
    stream = io.StringIO()
    screen = Screen(stream, is_terminal=True)
    show_models(
        screen, [ModelLine("vosk-model-small-de-0.15", "de", "German", "small", 46, "Apache-2.0", "models")]
    )
    assert "language" in stream.getvalue() and "vosk-model-small-de-0.15" in stream.getvalue()
    with install_progress(screen) as step:
        step("fetching", 1_000_000, 46_000_000)
        step("unpacking", 5, None)
