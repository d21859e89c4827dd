"""Every command of the README runs as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
LASTING = ("assistant kiosk", "assistant serve")  # until they are told to end
LEFT_OUT = {".git", ".venv", "build", "dist", "__pycache__"}


def block(name: str) -> str:
    """The command below a comment of that name."""
    found = re.search(rf"<!-- {name} -->\n```bash\n(.+?)\n```", README, re.DOTALL)
    assert found, f"the README has lost its {name} command"
    return found[1]


def tour() -> list[str]:
    """The commands of the minute's tour, in order."""
    part = README.partition("## A minute")[2].partition("\n## ")[0]
    return [
        line for lines in re.findall(r"```bash\n(.+?)\n```", part, re.DOTALL) for line in lines.splitlines()
    ]


def run(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project standing alone, as on a fresh machine."""
    folder = tmp_path_factory.mktemp("fresh") / "project"
    shutil.copytree(REPOSITORY, folder, ignore=lambda _, names: LEFT_OUT.intersection(names))
    return folder


@pytest.fixture(scope="module")
def tour_folder(checkout: Path) -> Iterator[Path]:
    """The copy with `assistant` on the path, as after an installation."""
    program = checkout / "bin" / "assistant"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m assistant "$@"\n')
    program.chmod(0o755)
    yield checkout
    shutil.rmtree(program.parent)


def index_in_reach() -> bool:
    """A test machine may be offline; then a fresh install cannot be tried."""
    asked = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--dry-run",
        "--ignore-installed",
        "--no-deps",
        "click",
    ]
    return subprocess.run(asked, capture_output=True).returncode == 0


def run_until_it_says_something(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """For what goes on until it is told to end."""
    with subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", f"exec {command}"],
        cwd=folder, env={**os.environ, **more}, text=True, encoding="utf-8",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as program:  # fmt: skip
        assert program.stdout
        first = program.stdout.readline()
        program.terminate()
        rest, errors = program.communicate(timeout=60)
    return subprocess.CompletedProcess(command, program.returncode, first + rest, errors)


def test_every_command_of_the_tour_runs(tour_folder: Path) -> None:
    commands = tour()
    assert len(commands) > 8
    for command in commands:
        start = run_until_it_says_something if command.startswith(LASTING) else run
        result = start(command, tour_folder, PATH=f"{tour_folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        assert result.stdout


def test_the_two_commands_at_the_top_work_on_a_fresh_machine(checkout: Path) -> None:
    if not index_in_reach():
        pytest.skip("no package index in reach: nothing can be installed")
    result = run(block("main job"), checkout)
    assert result.returncode == 0, result.stderr
    assert "10:00" in result.stdout
    assert (checkout / "answer.wav").stat().st_size > 10_000
    collected = run(block("test"), checkout, PYTEST_ADDOPTS="--collect-only")
    assert collected.returncode == 0, collected.stdout + collected.stderr
    assert "tests collected" in collected.stdout
