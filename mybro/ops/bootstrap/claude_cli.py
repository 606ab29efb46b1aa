"""The Claude Code CLI that the tests drive: one version, pinned with hashes, in the checkout's own cache."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from pathlib import Path

from mybro.ops.bootstrap.console import SetupError, call, say, step
from mybro.ops.bootstrap.places import CACHE, REQUIREMENTS
from mybro.ops.bootstrap.stamps import Stamp, digest

PACKAGE = "@anthropic-ai/claude-code"
PINNED = REQUIREMENTS / "claude"
PLACE = CACHE / "claude"
BINARY = PLACE / "node_modules" / ".bin" / "claude"


def pinned_version() -> str:
    """The version that requirements/claude/package.json asks for."""
    manifest = json.loads((PINNED / "package.json").read_text(encoding="utf-8"))
    version: str = manifest["dependencies"][PACKAGE]
    return version


def provide() -> Path | None:
    """The CLI that the tests use; None, with one line said, where it cannot be had.

    MYBRO_CLAUDE_BIN chooses another one.
    """
    chosen = os.environ.get("MYBRO_CLAUDE_BIN")
    if chosen:
        return Path(chosen)
    stamp = Stamp(PLACE / "stamp.json")
    files = [PINNED / "package.json", PINNED / "package-lock.json"]
    key = digest(files, sys.platform, platform.machine())
    if stamp.fresh(key):
        return BINARY
    if shutil.which("npm") is None or shutil.which("node") is None:
        say("the Claude Code CLI's tests are left out: npm is not here")
        return None
    try:
        with step(f"fetching the Claude Code CLI {pinned_version()} for the tests"):
            _fetch(files)
    except SetupError as trouble:
        say(f"{trouble}\nmybro: the Claude Code CLI's tests are left out")
        return None
    stamp.write(key, left=[BINARY])
    return BINARY


def _fetch(files: list[Path]) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    for file in files:
        shutil.copy(file, PLACE)
    call(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci", cwd=PLACE)
    # Its install script puts the platform's binary where a stub stands. It is called by name, because
    # npm's own rules on which install scripts may run change from version to version.
    package = PLACE / "node_modules" / PACKAGE
    call(["node", "install.cjs"], "the Claude Code CLI's install script", cwd=package)
    told = call([BINARY, "--version"], "the Claude Code CLI", env=_plain_env(), timeout_s=60)
    if not told.startswith(pinned_version()):
        raise SetupError(f"the Claude Code CLI says it is {told.strip()}, not {pinned_version()}")


def _plain_env() -> dict[str, str]:
    """An environment in which the CLI neither reads the person's settings nor calls home."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(PLACE),
        "CLAUDE_CONFIG_DIR": str(PLACE / "config"),
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
