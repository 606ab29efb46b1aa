"""`mybro config`: what is in force and why, and changes that keep the file readable."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.config import Settings, load_settings
from mybro.errors import ConfigError
from mybro.ops import settings_file

pytestmark = pytest.mark.unit


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith("MYBRO_"):
            monkeypatch.delenv(name)
    path = tmp_path / "deep" / "config.toml"
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(path))
    return path


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    assert main(["config", "show", "--json"]) == 0
    settings: dict[str, dict[str, object]] = json.loads(capsys.readouterr().out)["settings"]
    return settings


def test_every_setting_is_shown_with_its_origin(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.parent.mkdir()
    file.write_text("[speak]\nvolume = 0.25\nrate_wpm = 150\n")
    monkeypatch.setenv("MYBRO_SPEAK__RATE_WPM", "210")
    told = shown(capsys)
    assert told["speak.volume"] == {"value": 0.25, "from": "file"}
    assert told["speak.rate_wpm"] == {"value": 210, "from": "environment"}
    assert told["audio.vad"]["from"] == "default"
    fields = sum(len(type(getattr(Settings(), name)).model_fields) for name in Settings.model_fields)
    assert len(told) == fields


def test_plain_output_names_the_file_and_says_when_it_is_not_there(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    assert "audio.vad" in out
    assert f"{file} (not there yet)" in out


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_a_secret_is_never_shown(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: list[str]
) -> None:
    monkeypatch.setenv("MYBRO_BRAIN__OPENAI_API_KEY", "sk-very-secret-indeed")
    assert main(["config", *as_json]) == 0
    assert main(["config", "get", "brain.openai_api_key"]) == 0
    out = capsys.readouterr().out
    assert "secret-indeed" not in out
    assert "********" in out


@pytest.mark.parametrize(
    ("name", "text", "stored"),
    [
        ("speak.volume", "0.5", 0.5),
        ("speak.volume", "1", 1.0),
        ("audio.hangover_ms", "700", 700),
        ("speak.notify", "false", False),
        ("speak.notify", "no", False),
        ("audio.vad", "webrtc", "webrtc"),
        ("audio.input_device", "4", "4"),
        ("audio.input_device", 'Jane\'s Mic "2"', 'Jane\'s Mic "2"'),
        ("transcribe.prompt", "asyncio, pytest", "asyncio, pytest"),
    ],
)
def test_a_value_is_understood_by_the_type_of_its_setting(
    file: Path, name: str, text: str, stored: object
) -> None:
    assert main(["config", "set", name, text]) == 0
    section, key = name.split(".")
    assert getattr(getattr(load_settings(), section), key) == stored


def test_comments_and_order_survive_a_change(file: Path) -> None:
    file.parent.mkdir()
    before = "# mine\n[speak]\n# not so loud\nvolume = 0.5  # half\nrate_wpm = 150\n"
    file.write_text(before)
    assert main(["config", "set", "speak.volume", "0.75"]) == 0
    assert file.read_text() == before.replace("0.5 ", "0.75 ")


def test_unset_brings_the_default_back(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["config", "set", "speak.volume", "0.5"])
    assert main(["config", "unset", "speak.volume"]) == 0
    assert shown(capsys)["speak.volume"]["from"] == "default"
    assert main(["config", "unset", "speak.volume"]) == 0
    assert "not in the file" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["set", "speak.volume", "7"], "speak.volume cannot be '7'"),
        (["set", "speak.volume", "-1"], "speak.volume cannot be '-1'"),
        (["set", "speak.volume", "loud"], "speak.volume cannot be 'loud'"),
        (["set", "audio.vad", "psychic"], "silero"),
        (["set", "speak.volum", "1"], "Did you mean speak.volume"),
        (["set", "volume", "1"], "speak.volume"),
        (["get", "nothing.here"], "there is no setting"),
        (["unset", "nothing.here"], "there is no setting"),
        (["set", "brain.anthropic_api_key", "sk-ant-0123"], "mybro setup --only key"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["config", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert "sk-ant" not in err
    assert len(err.splitlines()) == 1
    assert not file.exists()


def test_the_environment_that_wins_is_mentioned(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MYBRO_SPEAK__VOLUME", "0.1")
    assert main(["config", "set", "speak.volume", "0.5"]) == 0
    assert "MYBRO_SPEAK__VOLUME" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["show"], ["get", "speak.volume"], ["set", "speak.volume", "1"]])
def test_a_broken_file_is_named_and_left_alone(
    file: Path, capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    file.parent.mkdir()
    file.write_text("[speak\nvolume = 1\n")
    assert main(["config", *verb]) == 2
    assert str(file) in capsys.readouterr().err
    assert file.read_text() == "[speak\nvolume = 1\n"
    assert main(["config", "path"]) == 0


def test_a_wrong_value_in_the_file_can_be_mended_by_set(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("[speak]\nvolume = 99\n")
    assert main(["config", "show"]) == 2
    assert main(["config", "set", "speak.volume", "0.5"]) == 0
    assert main(["config", "show"]) == 0


def test_a_link_stays_a_link_and_the_mode_is_kept(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("")
    real.chmod(0o640)
    file.parent.mkdir()
    file.symlink_to(real)
    assert main(["config", "set", "speak.volume", "0.5"]) == 0
    assert file.is_symlink()
    assert "volume = 0.5" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


def test_a_file_that_cannot_be_written_is_a_sentence(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.parent.parent.joinpath("deep").write_text("a file where a folder should be")
    assert main(["config", "set", "speak.volume", "0.5"]) == 2
    assert "cannot be" in capsys.readouterr().err


def test_edit_opens_the_file_and_checks_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "[speak]\\nvolume = 9\\n" > "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    assert main(["config", "edit"]) == 2
    editor.write_text('#!/bin/sh\nprintf "[speak]\\nvolume = 0.9\\n" > "$1"\n')
    assert main(["config", "edit"]) == 0
    assert load_settings().speak.volume == 0.9


def test_every_secret_is_known_as_one() -> None:
    secret = {str(name) for name in settings_file.names() if name.secret}
    assert "brain.anthropic_api_key" in secret
    keys = {str(name) for name in settings_file.names() if name.key.endswith("api_key")}
    # An address of a database holds its password.
    assert secret == keys | {
        f"server.{name}" for name in ("jwt_secret", "database_url", "redis_url", "celery_url")
    }


def test_store_refuses_a_secret_before_it_touches_the_file(file: Path) -> None:
    with pytest.raises(ConfigError) as refusal:
        settings_file.store("brain.openai_api_key", "x")
    assert refusal.value.code == "secret_in_file"
    assert not file.exists()
