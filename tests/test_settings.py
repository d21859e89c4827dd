"""Settings: what may be written in settings.toml, and what is said to whoever wrote something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import SettingsError
from assistant.settings import KioskSettings, ListeningSettings, Settings, load_settings
from assistant.values import Thresholds


def written(folder: Path, text: str) -> Settings:
    (folder / "settings.toml").write_text(text, encoding="utf-8")
    return load_settings(folder, environment={})


def test_a_base_without_settings_has_the_usual_ones(tmp_path: Path) -> None:
    assert load_settings(tmp_path, environment={}) == written(tmp_path, "")


def test_sections_set_how_a_kiosk_listens_speaks_and_waits(tmp_path: Path) -> None:
    settings = written(
        tmp_path,
        'margin = 0\n[listening]\nmode = "push"\npause_seconds = 1\n'
        '[speaking]\nwords_a_minute = 140\n[kiosk]\nlanguages = ["de", "en"]\nstop_by_voice = false\n',
    )
    assert settings.thresholds == Thresholds(margin=0.0)
    assert settings.listening == ListeningSettings(mode="push", pause_seconds=1.0)
    assert settings.speaking.words_a_minute == 140
    assert settings.kiosk == KioskSettings(languages=("de", "en"), stop_by_voice=False)


def test_a_whisper_model_is_a_folder(tmp_path: Path) -> None:
    settings = written(tmp_path, '[listening]\nwhisper_model = "../models/whisper-small"')
    assert settings.listening.whisper_model == Path("../models/whisper-small")


@pytest.mark.parametrize(
    ("text", "fact", "hint"),
    [
        ("marge = 0.1", "unknown setting `marge`", "did you mean `margin`?"),
        ("volume = 1", "unknown setting `volume`", "write it below a line [speaking]"),
        (
            "[kiosk]\nmargin = 1",
            "[kiosk] unknown setting `margin`",
            "known settings: languages, idle_seconds",
        ),
        ("[kiosk]\nidle_second = 9", "[kiosk] unknown setting `idle_second`", "did you mean `idle_seconds`?"),
        ("kiosk = 1", "unknown setting `kiosk`", "[kiosk]"),
        ("margin = 2", "`margin` must be a number from 0 to 1, not 2", ""),
        ("margin = true", "`margin` must be a number from 0 to 1, not True", ""),
        ('default_language = "German"', '`default_language` must be a language such as "de"', ""),
        ('[listening]\nmode = "loud"', "`mode` must be one of push, open, not 'loud'", ""),
        ("[listening]\npause_seconds = -1", "`pause_seconds` must be a number from 0.1 to 10, not -1", ""),
        ("[listening]\nwhisper_model = true", "`whisper_model` must be a folder such as", ""),
        ('[listening]\nwhisper_model = ""', "`whisper_model` must be a folder such as", ""),
        ("[listening]\nonly_questions = 1", "`only_questions` must be true or false, not 1", ""),
        ("[speaking]\nwords_a_minute = 1.5", "`words_a_minute` must be a whole number from 80 to 450", ""),
        ("[speaking]\nvoices = []", "`voices` must be a list", ""),
        ('[kiosk]\nlanguages = "de"', '`languages` must be a list such as ["de", "en"]', ""),
        ('[kiosk]\nlanguages = ["Deutsch"]', '`languages` must be a language such as "de"', ""),
        ("[kiosk]\nstop_by_voice = 1", "`stop_by_voice` must be true or false, not 1", ""),
        ("margin = = 1", "cannot be read", "write it as `name = value`"),
    ],
)
def test_what_cannot_be_set_is_told_with_file_name_and_a_way_out(
    tmp_path: Path, text: str, fact: str, hint: str
) -> None:
    with pytest.raises(SettingsError) as told:
        written(tmp_path, text)
    assert str(tmp_path / "settings.toml") in told.value.fact
    assert fact in told.value.fact
    assert hint in told.value.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("# ours\nmargin = 2", ":2: `margin`"),
        (
            "[kiosk]\nidle_seconds = 9\n\n[ listening ]\nmode = 'push'\npause_seconds = -1",
            ":6: [listening] `pause",
        ),
        ("[web]\nlanguages = ['de']\n[kiosk]\n\"languages\" = 'de'", ":4: [kiosk] `languages`"),
        ("[kiosk]\nidle_second = 9", ":2: [kiosk] unknown setting `idle_second`"),
        ("marge.left = 1", ":1: unknown setting `marge`"),
        ("margin = 0\n[matching]\nmargin = 1", ":2: unknown setting `matching`"),
        ("margin = = 1", "(at line 1, column 10)"),
        ("margin = 0\nkiosk . 'idle_seconds' = 1", ":2: [kiosk] `idle_seconds`"),
        ("[speaking]\nvoices = [\n'volume=1',\n]\nvolume = 7", ":5: [speaking] `volume`"),
        ("kiosk = { idle_seconds = 1 }", "settings.toml: [kiosk] `idle_seconds`"),  # not looked into
    ],
)
def test_what_cannot_be_set_is_told_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(SettingsError) as told:
        written(tmp_path, text)
    assert place in told.value.fact
