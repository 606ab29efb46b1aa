"""Fixtures for tests of agents that speak ACP: `pytest_plugins = ["tests.acp_fixtures"]`."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from tests.fakes.acp import AcpDesk
from tests.requirements import need

pytest_plugins = ["tests.claude_fixtures"]

ROOT = Path(__file__).parent.parent
_CHECKOUT = ROOT / ".cache" / "acp" / "node_modules" / ".bin" / "claude-agent-acp"


def find_agent() -> str | None:
    """MYBRO_ACP_BIN, else the checkout's own, else the one on PATH."""
    named = os.environ.get("MYBRO_ACP_BIN")
    return named or (str(_CHECKOUT) if _CHECKOUT.exists() else shutil.which("claude-agent-acp"))


@pytest.fixture
async def acp_desk(
    claude_bin: str, claude_env: dict[str, str], claude_repo: Path, tmp_path: Path
) -> AsyncIterator[AcpDesk]:
    """The hand with the real agent, which drives the real CLI; no process of it is left afterwards."""
    agent = find_agent()
    need(agent, "the ACP agent claude-agent-acp: make test brings it, or set MYBRO_ACP_BIN")
    claude_env["CLAUDE_CODE_EXECUTABLE"] = claude_bin
    desk = AcpDesk(ExecutorSettings(agent="acp", acp_command=agent), claude_env, claude_repo, tmp_path)
    yield desk
    await desk.aclose()
    await desk.aclose()


@pytest.fixture
async def fake_desk(claude_repo: Path, tmp_path: Path) -> AsyncIterator[AcpDesk]:
    """The hand with an agent that does as the prompt says, in ways that a good one would not."""
    settings = ExecutorSettings(agent="acp", acp_command=fake_agent())
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    desk = AcpDesk(settings, env, claude_repo, tmp_path)
    yield desk
    await desk.aclose()


def fake_agent(*arguments: str) -> str:
    """The command line of the agent in tests/fakes/acp_agent.py."""
    return shlex.join([sys.executable, "-m", "tests.fakes.acp_agent", *arguments])
