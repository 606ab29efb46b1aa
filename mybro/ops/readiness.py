"""Is everything there that a session needs? One finding for each thing, with its remedy."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mybro import native
from mybro.config import Settings, config_file, data_dir
from mybro.errors import MybroError, Problem
from mybro.ops import keychain
from mybro.ops.permissions import INPUT_MONITORING, MICROPHONE, Permissions

State = Literal["ok", "optional", "missing"]
"""Optional: not there, and a session runs without it."""

ANSWER_S = 10.0

KEY_NAME = "anthropic"
KEY_VARIABLE = "ANTHROPIC_API_KEY"

GET_CLAUDE = "Get it: npm install -g @anthropic-ai/claude-code"
SIGN_IN = "Sign in: claude auth login"
NO_KEYS_YET = Problem(
    "no_input_monitoring", "macOS does not let mybro notice keys yet", "mybro setup --only permissions"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing."""

    name: str
    state: State
    detail: str
    remedy: str = ""
    """What a person can do; empty where the state is ok."""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def ready(findings: Sequence[Finding]) -> bool:
    """Whether a session can run."""
    return all(finding.state != "missing" for finding in findings)


def judged(name: str, look: Callable[[], str], state: State = "missing") -> Finding:
    """Ok with what `look` tells; `state` with the problem's sentence and hint where it raises."""
    try:
        return Finding(name, "ok", look())
    except MybroError as error:
        return Finding(name, state, error.message, error.hint)


def folder_of_data() -> Finding:
    """Whether the journal can be written."""
    folder = data_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "Make it writable, or set MYBRO_DATA_DIR to another folder"
        return Finding("data folder", "missing", f"{folder} cannot be written: {error.strerror}", remedy)
    return Finding("data folder", "ok", str(folder))


def settings_file(settings: Settings) -> Finding:
    """`settings` are read already: what is wrong with them is an error before this."""
    del settings
    file = config_file()
    return Finding("settings", "ok", str(file) if file.exists() else "all defaults")


def git() -> Finding:
    """Checkpoints, undo and every git command need it."""
    found = shutil.which("git")
    if not found:
        remedy = "xcode-select --install" if sys.platform == "darwin" else "sudo apt-get install git"
        return Finding("git", "missing", "git is not installed", f"Run: {remedy}")
    return Finding("git", "ok", found)


def claude_cli(path: str | None) -> str | None:
    """The Claude Code CLI: `path` (a path or a bare name), else `claude` on PATH; None if it is absent."""
    return shutil.which(os.path.expanduser(path) if path else "claude")  # noqa: PTH111


@dataclass(frozen=True, slots=True)
class SignIn:
    """What `claude auth status` says."""

    signed_in: bool
    how: str = ""
    """Such as "claude.ai" or "api_key"."""


def claude_sign_in(binary: str) -> SignIn | None:
    """Whether the CLI is signed in; None where it does not tell (an older CLI, or one that fails)."""
    env = {**os.environ, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
    try:
        done = subprocess.run(
            [binary, "auth", "status", "--json"], env=env, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=ANSWER_S, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
        return SignIn(bool(told["loggedIn"]), str(told.get("authMethod") or ""))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError):
        return None


def coding_session(settings: Settings, binary: str | None = None) -> Finding:
    """Tasks go to the Claude Code CLI; local commands work without it.

    `binary` is where the CLI was found; without it, the settings and PATH are looked at.
    """
    if settings.executor.agent == "acp":
        return _acp_agent(settings.executor.acp_command)
    name = "Claude Code"
    binary = binary or claude_cli(settings.executor.claude_path)
    if binary is None:
        wanted = settings.executor.claude_path
        detail = f"{wanted} is not there" if wanted else "not installed: commands work, coding tasks do not"
        return Finding(name, "optional", detail, f"{GET_CLAUDE}, then: claude auth login")
    sign_in = claude_sign_in(binary)
    if sign_in is None:
        return Finding(name, "optional", f"{binary} does not say whether it is signed in", SIGN_IN)
    if not sign_in.signed_in:
        return Finding(name, "optional", "not signed in: coding tasks do not work", SIGN_IN)
    return Finding(name, "ok", f"{binary}, signed in ({sign_in.how})")


def _acp_agent(command: str | None) -> Finding:
    """Whether the program is there; only a session shows whether it speaks the protocol and is signed in."""
    name, program = "coding agent", (command or "").split(maxsplit=1)
    if not program:
        remedy = "mybro config set executor.acp_command COMMAND, or: mybro config set executor.agent claude"
        return Finding(name, "optional", "none is set: commands work, coding tasks do not", remedy)
    found = shutil.which(os.path.expanduser(program[0]))  # noqa: PTH111
    if found is None:
        return Finding(name, "optional", f"{program[0]} is not there", "Install it, or set another one")
    return Finding(name, "ok", f"{found}, by the Agent Client Protocol")


def api_key(settings: Settings, env: Mapping[str, str] = os.environ) -> Finding:
    """A key makes intents quicker and finer; without one what no rule matches goes to Claude Code."""
    name = "API key"
    if settings.brain.provider in ("openai", "none"):
        return Finding(name, "ok", f"not used: brain.provider is {settings.brain.provider}")
    if settings.brain.anthropic_api_key:
        return Finding(name, "ok", "set for mybro")
    if env.get(KEY_VARIABLE):
        return Finding(name, "ok", f"from {KEY_VARIABLE}")
    if keychain.read(KEY_NAME):
        return Finding(name, "ok", "in the keychain")
    remedy = "mybro setup --only key" if keychain.available() else f"Set {KEY_VARIABLE} in your shell"
    return Finding(name, "optional", "none: unclear sentences go to Claude Code", remedy)


def key_store() -> Finding:
    """Where keys can be kept."""
    name = keychain.available()
    if name:
        return Finding("keychain", "ok", name)
    remedy = f"Put keys into environment variables such as {KEY_VARIABLE}"
    return Finding("keychain", "optional", "there is none here", remedy)


def microphone_access(permissions: Permissions) -> Finding:
    """macOS gives silence, not an error, where the microphone is not allowed."""
    match permissions.access(MICROPHONE):
        case "granted":
            return Finding("microphone permission", "ok", "granted")
        case "undetermined":
            return Finding(
                "microphone permission", "optional", "macOS will ask", "mybro setup --only permissions"
            )
        case "denied":
            return Finding("microphone permission", "missing", "denied", "mybro setup --only permissions")


def key_trouble(permissions: Permissions | None, trouble: Problem | None) -> Problem | None:
    """Why the talk key cannot be noticed; `trouble` is what the platform says of itself."""
    if trouble is None and permissions is not None and permissions.access(INPUT_MONITORING) != "granted":
        return NO_KEYS_YET
    return trouble


def talk_key(settings: Settings, trouble: Problem | None) -> Finding:
    """Push-to-talk notices a key everywhere, or taps in its terminal where `trouble` tells why not."""
    name = "talk key"
    if settings.audio.listen == "hands-free":
        return Finding(name, "ok", "not used: hands-free")
    if trouble is None:
        return Finding(name, "ok", settings.audio.talk_key)
    return Finding(name, "optional", trouble.message, trouble.hint)


def this_machine() -> Finding:
    """What a report of a problem should begin with."""
    from mybro import __version__

    system = f"macOS {platform.mac_ver()[0]}" if sys.platform == "darwin" else platform.system()
    detail = f"mybro {__version__}, Python {platform.python_version()}, {system} {platform.machine()}"
    return Finding("machine", "ok", detail)


def engine() -> Finding:
    """Whether what can be done in Rust is."""
    if found := native.engine():
        return Finding("engine", "ok", f"the Rust engine {found.__version__}")
    return Finding("engine", "optional", "Python does what the Rust engine would do faster", "make rust")


def as_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """What `mybro check --json` prints."""
    return {"ready": ready(findings), "findings": [finding.as_json() for finding in findings]}
