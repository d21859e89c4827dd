"""Whoever asks a benchmark for help is told what it does, instead of waiting for it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "bench"
BENCHMARKS = sorted(path.stem for path in FOLDER.glob("*.py") if "\ndef main(" in path.read_text("utf-8"))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_help_tells_what_a_benchmark_does(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        benchmark = importlib.import_module(f"tests.bench.{name}")
    except ModuleNotFoundError as missing:
        if str(missing.name).startswith(("assistant", "tests")):
            raise
        pytest.skip(f"the `bench` extra is not installed: {missing}")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        benchmark.main()
    assert ended.value.code == 0
    assert str(benchmark.__doc__).strip() in capsys.readouterr().out
