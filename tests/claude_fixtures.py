"""Fixtures for tests that drive the real Claude Code CLI: `pytest_plugins = ["tests.claude_fixtures"]`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from tests.claude_api import ScriptedServer
from tests.fakes.claude import Desk
from tests.requirements import need

_CHECKOUT = Path(__file__).parent.parent / ".cache" / "claude" / "node_modules" / ".bin" / "claude"


def find_claude() -> str | None:
    """MYBRO_CLAUDE_BIN, else the checkout's own, else the one on PATH."""
    named = os.environ.get("MYBRO_CLAUDE_BIN")
    return named or (str(_CHECKOUT) if _CHECKOUT.exists() else shutil.which("claude"))


def environment(home: Path, url: str) -> dict[str, str]:
    """A whole environment for the CLI, in which it can reach nothing but `url`."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb",
        "CLAUDE_CONFIG_DIR": str(home / ".claude"), "CLAUDE_CODE_TMPDIR": str(home),
        "ANTHROPIC_API_KEY": "test-key", "ANTHROPIC_BASE_URL": url, "NO_PROXY": "127.0.0.1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1",
        # A busy machine may take longer to start our tools than the CLI waits for them by itself.
        "CLAUDE_CODE_MAX_RETRIES": "2", "MCP_TIMEOUT": "120000",
    }  # fmt: skip


@pytest.fixture
def claude_bin() -> str:
    """The real CLI's path."""
    found = find_claude()
    need(found, "the Claude Code CLI: npm install -g @anthropic-ai/claude-code, or set MYBRO_CLAUDE_BIN")
    return str(found)


@pytest.fixture
def claude_api() -> Iterator[ScriptedServer]:
    with ScriptedServer() as api:
        yield api


@pytest.fixture
def claude_env(claude_api: ScriptedServer, tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return environment(home, claude_api.url)


@pytest.fixture
def claude_repo(tmp_path: Path) -> Path:
    """A git repository with one commit."""
    repo = tmp_path / "shop"
    repo.mkdir()
    (repo / "parser.py").write_text("def parse(line):\n    return line.split()\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "Begin"]):
        subprocess.run(["git", *arguments], cwd=repo, env=env, check=True)
    return repo


@pytest.fixture
async def desk(
    claude_bin: str, claude_env: dict[str, str], claude_repo: Path, tmp_path: Path
) -> AsyncIterator[Desk]:
    """The hand, ready for `desk.do("…")`; no process of it is left afterwards."""
    desk = Desk(ExecutorSettings(claude_path=claude_bin), claude_env, claude_repo, tmp_path)
    yield desk
    await desk.aclose()
    await desk.aclose()
