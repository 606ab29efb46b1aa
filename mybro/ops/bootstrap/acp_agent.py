"""The agent that the tests drive over ACP: one version, pinned with hashes, in the checkout's own cache."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from mybro.ops.bootstrap.console import SetupError, call, say, step
from mybro.ops.bootstrap.places import CACHE, REQUIREMENTS
from mybro.ops.bootstrap.stamps import Stamp, digest

PINNED = REQUIREMENTS / "acp"
PLACE = CACHE / "acp"
BINARY = PLACE / "node_modules" / ".bin" / "claude-agent-acp"


def provide() -> Path | None:
    """The agent; None, with one line said, where it cannot be had. MYBRO_ACP_BIN chooses another one."""
    chosen = os.environ.get("MYBRO_ACP_BIN")
    if chosen:
        return Path(chosen)
    stamp = Stamp(PLACE / "stamp.json")
    files = [PINNED / "package.json", PINNED / "package-lock.json"]
    key = digest(files, sys.platform)
    if stamp.fresh(key):
        return BINARY
    if shutil.which("npm") is None or shutil.which("node") is None:
        say("the tests of agents that speak ACP are left out: npm is not here")
        return None
    try:
        with step("fetching an agent that speaks ACP for the tests"):
            _fetch(files)
    except SetupError as trouble:
        say(f"{trouble}\nmybro: the tests of agents that speak ACP are left out")
        return None
    stamp.write(key, left=[BINARY])
    return BINARY


def _fetch(files: list[Path]) -> None:
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    for file in files:
        shutil.copy(file, PLACE)
    # Its optional part is a second copy of the Claude Code CLI, which the tests have already.
    flags = ["--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
    call(["npm", "ci", *flags], "npm ci", cwd=PLACE)
    call([BINARY, "--version"], "the agent", timeout_s=60)
