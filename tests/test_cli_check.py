"""`mybro check`: every line with its remedy, on machines that lack this or that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.config import Settings
from mybro.errors import ModelError, Problem
from mybro.ops import keychain, readiness
from mybro.ops.onboarding_steps import ClaudeStep
from mybro.ops.permissions import responsible_app
from mybro.ops.readiness import Finding
from tests.fakes.desk import FakePermissions, MemoryKeychain, keychain_in_memory
from tests.program import measured

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def chain() -> Iterator[MemoryKeychain]:
    with keychain_in_memory() as ours:
        yield ours


def push_to_talk() -> Settings:
    return Settings()


def hands_free() -> Settings:
    return Settings(audio={"listen": "hands-free"})


def child(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """mybro on a bare machine: an empty HOME, no sound server, no display, no keys, no claude."""
    bare = home / "bare"
    bare.mkdir()
    env = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(bare),
        "LANG": "C.UTF-8",
        "ALSA_CONFIG_PATH": os.devnull,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **measured(),
    }
    return subprocess.run(
        [sys.executable, "-m", "mybro", *arguments], env=env, capture_output=True, text=True, timeout=120
    )


def test_a_bare_machine_gets_a_remedy_for_each_line_and_no_traceback(home: Path) -> None:
    done = child(home, "check", "--json")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert {"machine", "settings", "data folder", "git", "microphone", "speech model", "voice"} <= set(found)
    assert found["API key"]["state"] == "optional"
    assert found["keychain"]["state"] == "optional"
    assert found["data folder"]["state"] == "ok"
    for finding in told["findings"]:
        assert (finding["state"] == "ok") == (finding["remedy"] == ""), finding
    assert told["ready"] is all(finding["state"] != "missing" for finding in told["findings"])
    assert done.returncode == (0 if told["ready"] else 1)


def test_the_plain_form_has_the_same_lines(home: Path) -> None:
    done = child(home, "check")
    assert done.stderr == ""
    assert "OPTIONAL  API key" in done.stdout
    assert "→ Set ANTHROPIC_API_KEY in your shell" in done.stdout, "there is no keychain to keep one in"


def test_a_broken_settings_file_is_wrong_usage(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.toml").write_text("[audio]\nvad = 'psychic'\n")
    assert main(["check"]) == 2
    assert "audio.vad" in capsys.readouterr().err


def test_a_session_can_run_without_what_is_optional() -> None:
    fine, luxury, hole = (Finding("x", state, "") for state in ("ok", "optional", "missing"))
    assert readiness.ready([fine, luxury])
    assert not readiness.ready([fine, luxury, hole])
    assert readiness.as_json([fine])["findings"][0]["name"] == "x"


def test_a_problem_becomes_a_line_with_its_hint() -> None:
    def look() -> str:
        raise ModelError("x", "the model is missing", hint="Get it")

    assert readiness.judged("model", look) == Finding("model", "missing", "the model is missing", "Get it")
    assert readiness.judged("model", lambda: "tiny.en") == Finding("model", "ok", "tiny.en")


def test_a_data_folder_that_cannot_be_written_is_missing(home: Path) -> None:
    (home / "data").write_text("a file where a folder should be")
    finding = readiness.folder_of_data()
    assert finding.state == "missing"
    assert "MYBRO_DATA_DIR" in finding.remedy


def test_git_is_looked_for_on_path(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert readiness.git().state == "missing"


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        ('{"loggedIn": true, "authMethod": "api_key"}', "ok", "api_key"),
        ('{"loggedIn": false}', "optional", "not signed in"),
        ("what?", "optional", "does not say"),
    ],
)
def test_a_coding_session_needs_a_cli_that_is_signed_in(
    home: Path, monkeypatch: pytest.MonkeyPatch, said: str, state: str, told: str
) -> None:
    binary = home / "claude"
    binary.write_text(f"#!/bin/sh\necho '{said}'\n")
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    finding = readiness.coding_session(Settings())
    assert finding.state == state
    assert told in finding.detail
    assert bool(finding.remedy) == (state != "ok")


def test_an_absent_cli_is_optional(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    assert "npm install" in readiness.coding_session(Settings()).remedy
    named = Settings(executor={"claude_path": "/nowhere/claude"})
    assert "/nowhere/claude" in readiness.coding_session(named).detail


def test_a_key_that_nothing_would_use_is_not_asked_for(chain: MemoryKeychain) -> None:
    for provider in ("none", "openai"):
        finding = readiness.api_key(Settings(brain={"provider": provider}), {})
        assert (finding.state, finding.remedy) == ("ok", "")
    assert readiness.api_key(Settings(), {}).remedy == "mybro setup --only key"


def test_a_cli_outside_path_counts_as_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home / "nowhere"))
    binary = home / "claude"
    binary.write_text("#!/bin/sh\necho '{\"loggedIn\": true}'\n")
    binary.chmod(0o755)
    assert readiness.coding_session(Settings()).state == "optional"
    assert readiness.coding_session(Settings(), str(binary)).state == "ok"
    assert ClaudeStep(Settings(), lambda: str(binary)).settled(None)


def test_a_key_is_found_where_it_is_kept(chain: MemoryKeychain) -> None:
    assert readiness.api_key(Settings(), {}).state == "optional"
    assert "ANTHROPIC_API_KEY" in readiness.api_key(Settings(), {"ANTHROPIC_API_KEY": "sk-x"}).detail
    keychain.write(readiness.KEY_NAME, "sk-x")
    assert readiness.api_key(Settings(), {}).detail == "in the keychain"
    assert readiness.key_store().detail == "a keychain in memory"
    assert keychain.forget(readiness.KEY_NAME)
    assert not keychain.forget(readiness.KEY_NAME)
    assert "sk-own" not in readiness.api_key(Settings(brain={"anthropic_api_key": "sk-own"}), {}).detail


def test_a_locked_keychain_gives_no_key(chain: MemoryKeychain) -> None:
    keychain.write(readiness.KEY_NAME, "sk-x")
    chain.locked = True
    assert keychain.read(readiness.KEY_NAME) is None
    assert not keychain.forget(readiness.KEY_NAME)


@pytest.mark.parametrize(
    ("access", "state"), [("granted", "ok"), ("undetermined", "optional"), ("denied", "missing")]
)
def test_a_denied_microphone_is_missing(access: str, state: str) -> None:
    finding = readiness.microphone_access(FakePermissions({"microphone": access}))  # type: ignore[dict-item]
    assert finding.state == state


def test_the_talk_key_needs_input_monitoring_on_a_mac() -> None:
    granted = FakePermissions({"input-monitoring": "granted"})
    denied = FakePermissions({"input-monitoring": "undetermined"})
    assert readiness.key_trouble(granted, None) is None
    assert readiness.key_trouble(None, None) is None
    trouble = readiness.key_trouble(denied, None)
    assert trouble
    assert readiness.talk_key(push_to_talk(), trouble).remedy == "mybro setup --only permissions"
    assert readiness.talk_key(hands_free(), trouble).state == "ok"
    assert readiness.talk_key(push_to_talk(), None).state == "ok"


def test_a_key_that_cannot_be_noticed_is_optional_because_space_serves() -> None:
    trouble = Problem("no_talk_key", "there is no display", "tap space")
    assert readiness.key_trouble(None, trouble) == trouble
    finding = readiness.talk_key(push_to_talk(), trouble)
    assert (finding.state, finding.remedy) == ("optional", "tap space")


@pytest.mark.parametrize(("program", "app"), [("iTerm.app", "iTerm"), ("", "your terminal")])
def test_macos_holds_the_terminal_responsible(program: str, app: str) -> None:
    assert responsible_app({"TERM_PROGRAM": program}) == app
