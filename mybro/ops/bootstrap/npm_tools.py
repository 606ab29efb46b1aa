"""What the tests drive from npm: coding agents, and a way to run TypeScript."""

from __future__ import annotations

import json
import os
from pathlib import Path

from mybro.ops.bootstrap.console import SetupError, call
from mybro.ops.bootstrap.npm_tool import NpmTool

CLAUDE_PACKAGE = "@anthropic-ai/claude-code"


def claude_version() -> str:
    """The version that requirements/claude/package.json asks for."""
    manifest = json.loads(CLAUDE_CLI.manifest.read_text(encoding="utf-8"))
    version: str = manifest["dependencies"][CLAUDE_PACKAGE]
    return version


def _finish_claude(tool: NpmTool) -> None:
    # Its install script puts the platform's binary where a stub stands. It is called by name, because
    # npm's own rules on which install scripts may run change from version to version.
    package = tool.place / "node_modules" / CLAUDE_PACKAGE
    call(["node", "install.cjs"], "the Claude Code CLI's install script", cwd=package)
    told = call([tool.path, "--version"], "the Claude Code CLI", env=_plain_env(tool.place), timeout_s=60)
    if not told.startswith(claude_version()):
        raise SetupError(f"the Claude Code CLI says it is {told.strip()}, not {claude_version()}")


def _plain_env(place: Path) -> dict[str, str]:
    """An environment in which the CLI neither reads the person's settings nor calls home."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place),
        "CLAUDE_CONFIG_DIR": str(place / "config"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def _finish_acp(tool: NpmTool) -> None:
    call([tool.path, "--version"], "the agent", timeout_s=60)


CLAUDE_CLI = NpmTool("claude", "claude", "MYBRO_CLAUDE_BIN", "the Claude Code CLI", finish=_finish_claude)
ACP_AGENT = NpmTool(
    "acp",
    "claude-agent-acp",
    "MYBRO_ACP_BIN",
    "an agent that speaks ACP",
    # Its optional part is a second copy of the Claude Code CLI, which the tests have already.
    flags=["--omit=optional"],
    finish=_finish_acp,
)
TYPESCRIPT = NpmTool("web", "tsx", "MYBRO_TSX_BIN", "a way to run TypeScript")
