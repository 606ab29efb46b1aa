"""Settings: defaults, file, environment and options, in that order, and what cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.config import Settings, cache_dir, config_file, data_dir, load_settings
from mybro.errors import ConfigError
from mybro.ops.settings_file import names

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "config.toml"
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(made))
    for name in names():
        monkeypatch.delenv(name.variable, raising=False)
    return made


def test_a_machine_with_nothing_has_every_default() -> None:
    assert load_settings() == Settings()
    assert load_settings().transcribe.language == "en"


def test_the_file_wins_over_defaults_the_environment_over_it_and_options_over_all(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("[audio]\nhangover_ms = 700\nonset_ms = 80\nwebrtc_mode = 2\n")
    assert load_settings().audio.hangover_ms == 700
    monkeypatch.setenv("MYBRO_AUDIO__HANGOVER_MS", "800")
    monkeypatch.setenv("MYBRO_AUDIO__ONSET_MS", "90")
    audio = load_settings({"audio": {"hangover_ms": 900}}).audio
    assert (audio.hangover_ms, audio.onset_ms, audio.webrtc_mode, audio.pre_roll_ms) == (900, 90, 2, 500)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[audio]\nvad = 'psychic'\n", "audio.vad"),
        ("[audio]\nvadd = 'silero'\n", "audio.vadd"),
        ("[ear]\nvad = 'silero'\n", "ear"),
        ("[audio]\nhangover_ms = 'long'\n[speak]\nvolume = 7\n", "audio.hangover_ms"),
        ("[speak]\nvolume = 7\n", "speak.volume"),
        ("[audio\n", "cannot be read"),
        ("audio = 7\n", "audio"),
    ],
)
def test_what_cannot_be_used_is_named(file: Path, content: str, told: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError) as refused:
        load_settings()
    assert told in refused.value.message
    assert refused.value.exit_code == 2 and refused.value.hint


def test_every_wrong_setting_is_named_at_once(file: Path) -> None:
    file.write_text("[audio]\nonset_ms = 1\n[speak]\nvolume = 7\n")
    with pytest.raises(ConfigError, match=r"audio\.onset_ms.*speak\.volume"):
        load_settings()


def test_bytes_that_are_no_text_and_a_folder_are_refused(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings()
    file.unlink()
    file.mkdir()
    with pytest.raises(ConfigError, match="Is a directory"):
        load_settings()


def test_a_secret_is_not_told_by_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_BRAIN__ANTHROPIC_API_KEY", "sk-of-this-test")
    settings = load_settings()
    assert "sk-of-this-test" not in repr(settings) and "sk-of-this-test" not in settings.model_dump_json()
    key = settings.brain.anthropic_api_key
    assert key is not None and key.get_secret_value() == "sk-of-this-test"


def test_places_can_be_put_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"MYBRO_CONFIG_FILE": config_file, "MYBRO_DATA_DIR": data_dir, "MYBRO_CACHE_DIR": cache_dir}
    for variable, place in places.items():
        monkeypatch.setenv(variable, str(tmp_path / variable))
        assert place() == tmp_path / variable
        monkeypatch.delenv(variable)
        assert "mybro" in place().parts
