"""The service's files as their readers take them, and what is run to bring them to life."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.errors import ChildError, ConfigError
from mybro.ops.daemon.launchd import Launchd
from mybro.ops.daemon.plan import LABEL, Command, Plan, environment
from mybro.ops.daemon.service import Daemon, manager_here
from mybro.ops.daemon.systemd import UNIT, Systemd
from mybro.ops.supervision import GAVE_UP
from tests.requirements import need

pytestmark = pytest.mark.integration

ODD = 'a "shop" of 100% \\ $HOME'


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    repo = tmp_path / ODD
    repo.mkdir()
    kept = environment(
        {"PATH": "/opt/tools:relative:/usr/bin", "HOME": str(tmp_path), "ANTHROPIC_API_KEY": "k"}
    )
    return Plan(repo, tmp_path, tmp_path / "logs" / "start.log", microphone=True, environment=kept)


def test_the_environment_finds_programs_and_holds_no_key(plan: Plan, tmp_path: Path) -> None:
    parts = plan.environment["PATH"].split(os.pathsep)
    assert parts[:2] == ["/opt/tools", "/usr/bin"]
    assert {"/opt/homebrew/bin", f"{tmp_path}/.local/bin"} <= set(parts)
    assert "relative" not in parts
    assert len(parts) == len(set(parts))
    assert set(plan.environment) == {"PATH"}


def test_the_agent_of_launchd(plan: Plan, tmp_path: Path) -> None:
    manager = Launchd(tmp_path, user=501)
    assert manager.path == tmp_path / "Library/LaunchAgents" / f"{LABEL}.plist"
    agent = plistlib.loads(manager.content(plan))
    assert agent["Label"] == LABEL
    words = agent["ProgramArguments"]
    assert Path(words[0]).is_absolute()
    assert words[words.index("--repo") + 1] == str(plan.repo)
    assert words[-3:] == ["--under", "launchd", "--microphone"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert (agent["ProcessType"], agent["LimitLoadToSessionType"]) == ("Interactive", "Aqua")
    assert agent["RunAtLoad"] is True
    assert agent["ThrottleInterval"] >= 10
    assert "/opt/homebrew/bin" in agent["EnvironmentVariables"]["PATH"]
    for name in ("StandardOutPath", "StandardErrorPath", "WorkingDirectory"):
        assert Path(agent[name]).is_absolute()


def test_what_launchctl_is_told(tmp_path: Path) -> None:
    manager = Launchd(tmp_path, user=501)
    steps = {step: manager.commands(step) for step in ("probe", "install", "start", "stop", "uninstall")}
    service = f"gui/501/{LABEL}"
    assert steps["probe"] == [Command(("launchctl", "print", "gui/501"))]
    assert [command.words[1:] for command in steps["install"]] == [
        ("bootout", service), ("enable", service), ("bootstrap", "gui/501", str(manager.path)),
    ]  # fmt: skip
    # The one before may still be going.
    assert steps["install"][-1].tries > 1
    assert steps["start"][-1].words[1:] == ("kickstart", service)
    assert steps["stop"][-1].words[1:] == ("kill", "SIGTERM", service)
    assert steps["uninstall"][-1].words[1:] == ("bootout", service)


@pytest.mark.parametrize(
    ("status", "output", "state"),
    [
        (113, "Could not find service", "stopped"),
        (0, "x = {\n\tstate = running\n\tlast exit code = 0\n}", "running"),
        (0, "x = {\n\tstate = not running\n\tlast exit code = 1\n}", "failed"),
        (0, "x = {\n\tstate = not running\n\tlast exit code = 0\n}", "stopped"),
        (0, "x = {\n\tstate = not running\n\tlast exit code = (never exited)\n}", "stopped"),
    ],
)
def test_what_launchctl_tells(tmp_path: Path, status: int, output: str, state: str) -> None:
    assert Launchd(tmp_path).state(status, output) == state


def test_the_unit_of_systemd(plan: Plan, tmp_path: Path) -> None:
    unit = Systemd(tmp_path, {}).content(plan).decode()
    assert f"RestartPreventExitStatus={GAVE_UP}" in unit
    assert "OOMPolicy=continue" in unit
    assert '"--under" "systemd" "--microphone"' in unit
    assert str(tmp_path / 'a \\"shop\\" of 100%% \\\\ $$HOME') in unit


@pytest.mark.skipif(sys.platform != "linux", reason="systemd belongs to Linux")
def test_systemd_understands_the_unit(plan: Plan, tmp_path: Path) -> None:
    need(shutil.which("systemd-analyze"), "systemd-analyze, of the package systemd")
    file = tmp_path / UNIT
    file.write_bytes(Systemd(tmp_path, {}).content(plan))
    found = subprocess.run(
        ["systemd-analyze", "--user", "verify", file], capture_output=True, text=True, timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert (found.returncode, found.stderr) == (0, "")


def test_a_unit_holds_no_line_break(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        Systemd(tmp_path, {}).content(Plan(Path("/a\nExecStart=/bin/sh"), tmp_path, plan.log))


@pytest.mark.parametrize(
    ("output", "state"),
    [("active", "running"), ("inactive", "stopped"), ("failed", "failed"), ("", "stopped")],
)
def test_what_systemctl_tells(tmp_path: Path, output: str, state: str) -> None:
    assert Systemd(tmp_path, {}).state(0, f"{output}\n") == state


class Recorder:
    """A program on PATH that writes down how it is called, and answers as told."""

    def __init__(self, folder: Path, name: str) -> None:
        self._log = folder / "calls"
        self._log.touch()
        self._script = folder / name
        self.answer("exit 0")

    def answer(self, body: str) -> None:
        self._script.write_text(f'#!/bin/sh\necho "$@" >> "{self._log}"\n{body}\n')
        self._script.chmod(0o755)

    def calls(self) -> list[str]:
        found = self._log.read_text().splitlines()
        self._log.write_text("")
        return found


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_a_service_from_install_to_uninstall(plan: Plan, tools: Path, tmp_path: Path) -> None:
    recorder = Recorder(tools, "systemctl")
    daemon = Daemon(Systemd(tmp_path, {}))
    assert (daemon.state(), daemon.uninstall()) == ("absent", False)
    with pytest.raises(ChildError, match="no daemon is installed"):
        daemon.start()
    daemon.install(plan)
    assert daemon.file.read_bytes() == Systemd(tmp_path, {}).content(plan)
    assert plan.log.stat().st_mode & 0o077 == 0
    assert recorder.calls() == [
        "--user show-environment", "--user daemon-reload", f"--user reset-failed {UNIT}",
        f"--user enable {UNIT}", f"--user restart {UNIT}",
    ]  # fmt: skip
    recorder.answer("echo active")
    assert daemon.state() == "running"
    daemon.stop()
    daemon.start()
    assert recorder.calls() == [
        f"--user is-active {UNIT}", "--user show-environment", f"--user stop {UNIT}",
        "--user show-environment", f"--user reset-failed {UNIT}", f"--user start {UNIT}",
    ]  # fmt: skip
    assert daemon.uninstall()
    assert f"--user disable --now {UNIT}" in recorder.calls()
    assert daemon.state() == "absent"


def test_launchd_is_asked_again_while_the_former_agent_is_going(
    plan: Plan, tools: Path, tmp_path: Path
) -> None:
    recorder = Recorder(tools, "launchctl")
    mark = tmp_path / "gone"
    recorder.answer(
        f'case "$1" in bootout) exit 3;; bootstrap) [ -e "{mark}" ] || {{ : > "{mark}"; exit 5; }};; esac'
    )
    daemon = Daemon(Launchd(tmp_path, user=501))
    daemon.install(plan)
    assert [line.split()[0] for line in recorder.calls()] == [
        "print", "bootout", "enable", "bootstrap", "bootstrap",
    ]  # fmt: skip
    assert daemon.installed


def test_without_a_manager_it_is_said_how_to_run_it_by_hand(plan: Plan, tools: Path, tmp_path: Path) -> None:
    daemon = Daemon(Launchd(tmp_path))  # there is no launchctl on this PATH
    with pytest.raises(ChildError) as refused:
        daemon.install(plan)
    assert "mybro daemon run" in refused.value.hint
    assert not daemon.installed
    Recorder(tools, "systemctl").answer("echo 'Failed to connect to bus' >&2; exit 1")
    with pytest.raises(ChildError, match="does not answer here"):
        Daemon(Systemd(tmp_path, {})).install(plan)


def test_what_a_manager_refuses_is_told(plan: Plan, tools: Path, tmp_path: Path) -> None:
    Recorder(tools, "systemctl").answer('case "$2" in enable) echo "Unit is masked." >&2; exit 1;; esac')
    with pytest.raises(ChildError, match=r"systemctl --user enable failed with status 1: Unit is masked\."):
        Daemon(Systemd(tmp_path, {})).install(plan)


def test_each_system_has_its_manager() -> None:
    assert (manager_here("darwin").name, manager_here("linux").name) == ("launchd", "systemd")
    with pytest.raises(ChildError, match="nothing here starts services"):
        manager_here("plan9")
