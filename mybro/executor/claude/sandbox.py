"""A wall around a coding agent's process: what it may write, what it may not read, whatever it runs.

A gate judges commands, but a test that it lets pass can do anything. So the operating system holds the agent:
it writes to the repository, to a temporary folder of its own and to the CLI's state, and reads no credentials
but the CLI's own. Not covered: the network, signals to other processes of the same person, and the CLI's
state itself, which the CLI must be able to change.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from mybro.config import config_file, data_dir
from mybro.errors import ExecutorError
from mybro.executor.claude.sandbox_places import (
    Places,
    private_environment,
    secret_places,
    state_folder,
    writable_places,
)
from mybro.ops import knock

Kind = Literal["bubblewrap", "landlock", "seatbelt"]
KINDS: tuple[Kind, ...] = ("seatbelt",) if sys.platform == "darwin" else ("bubblewrap", "landlock")
_PROBE_S = 10.0
_GIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Held:
    """A command in its sandbox; `close` removes the temporary folder when the process is dead."""

    argv: list[str]
    env: dict[str, str]
    folder: Path

    def close(self) -> None:
        """Remove the temporary folder, also what was left in it without rights."""
        shutil.rmtree(self.folder, onerror=_insist)


def find_sandbox(mode: Literal["auto", "on", "off"]) -> Kind | None:
    """What holds agents here: the first kind of sandbox that is seen to work. Blocks for a moment, once.

    Raises `ExecutorError` where there is none and `mode` is "on".
    """
    found = None if mode == "off" else working()
    if found is None and mode == "on":
        raise ExecutorError(
            "no_sandbox", "no sandbox works here, and executor.sandbox is on",
            hint="Install bubblewrap, or set executor.sandbox to auto",
        )  # fmt: skip
    return found


def tell_sandbox(mode: Literal["auto", "on", "off"]) -> str:
    """What `mybro check` shows. Raises `ExecutorError` where nothing holds agents though it should."""
    found = find_sandbox(mode)
    if found is None and mode == "auto":
        raise ExecutorError(
            "no_sandbox", "none works here: what agents run is only asked about", hint="Install bubblewrap"
        )
    return found or "off"


def hold(
    kind: Kind, argv: Sequence[str], env: Mapping[str, str], repo: Path, state: Sequence[Path] = (),
    logins: frozenset[str] = frozenset(),
) -> Held:  # fmt: skip
    """The command line and environment that run `argv` in a sandbox for `repo`. Blocks for git.

    `state` and `logins`: the folders and variables that an agent other than Claude Code has of its own.
    """
    with contextlib.suppress(OSError):
        state_folder(env).mkdir(mode=0o700, parents=True, exist_ok=True)  # what is not there cannot be opened
    base = Path(tempfile.mkdtemp(prefix="mybro-agent-")).resolve()
    own = base / "tmp"
    own.mkdir()
    places = agent_places(env, repo, base, state)
    return Held(_WRAPPERS[kind](places, argv), private_environment(env, own, logins), base)


def agent_places(env: Mapping[str, str], repo: Path, base: Path, state: Sequence[Path] = ()) -> Places:
    """What an agent that works on `repo` may write and not read; `base` is its temporary folder."""
    writable, fixed = writable_places(env, repo, git_folders(repo), state)
    real = [place.resolve() for place in state]
    sockets = knock.folder()
    secret = secret_places(env, (data_dir(), config_file(), *([Path(sockets)] if sockets else [])))
    hidden = tuple(place for place in secret if not any(place.is_relative_to(own) for own in real))
    return Places((base / "tmp", *writable), fixed, hidden, base / "empty")


def git_folders(repo: Path) -> list[Path]:
    """Where git keeps what belongs to the work tree: two folders where it is a linked one."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"], cwd=repo,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull}, capture_output=True,
            text=True, stdin=subprocess.DEVNULL, timeout=_GIT_S, check=False,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted({Path(line).resolve() for line in done.stdout.splitlines()})


@cache
def working() -> Kind | None:
    return next((kind for kind in KINDS if works(kind)), None)


def works(kind: Kind) -> bool:
    """Whether a process in such a sandbox can write where it may, and neither write nor read elsewhere."""
    with tempfile.TemporaryDirectory(prefix="mybro-probe-") as folder:
        top = Path(folder).resolve()
        for name in ("tmp", "repo", "secret"):
            (top / name).mkdir()
        (top / "secret" / "key").write_text("key")
        places = Places((top / "tmp", top / "repo"), (), (top / "secret",), top / "empty")
        script = 'echo x > "$1/repo/x" && cat "$1/repo/x" && ! echo x > "$1/y" && ! cat "$1/secret/key"'
        try:
            argv = _WRAPPERS[kind](places, ["/bin/sh", "-c", script, "sh", str(top)])
            done = subprocess.run(
                argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_S, check=False
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0 and done.stdout == b"x\n" and not (top / "y").exists()


# ---------------------------------------------------------------------------- the kinds


def _bubblewrap(places: Places, argv: Sequence[str]) -> list[str]:
    """Without a process namespace of its own, so that whoever ends the agent finds all of its processes."""
    places.empty.touch(mode=0o444)
    line = [
        shutil.which("bwrap") or "bwrap", "--die-with-parent", "--unshare-user", "--cap-drop", "ALL",
        "--ro-bind", "/", "/", "--dev", "/dev",
    ]  # fmt: skip
    for path, rule in places.ordered():
        name = str(path)
        if not path.exists():
            continue
        if rule != "hidden":
            line += ["--bind" if rule == "writable" else "--ro-bind", name, name]
        elif path.is_dir():
            line += ["--tmpfs", name]
        else:
            line += ["--ro-bind", str(places.empty), name]
    # Only now: what is writable may have been mounted inside.
    for path, rule in places.ordered():
        if rule == "hidden" and path.is_dir():
            line += ["--remount-ro", str(path)]
    return [*line, "--", *argv]


def _landlock(places: Places, argv: Sequence[str]) -> list[str]:
    from mybro.executor.claude import landlock

    return landlock.wrap(places.ordered(), argv)


def _seatbelt(places: Places, argv: Sequence[str]) -> list[str]:
    from mybro.executor.claude.sandbox_macos import profile

    return ["/usr/bin/sandbox-exec", "-p", profile(places.ordered()), *argv]


_WRAPPERS: dict[Kind, Callable[[Places, Sequence[str]], list[str]]] = {
    "bubblewrap": _bubblewrap, "landlock": _landlock, "seatbelt": _seatbelt,
}  # fmt: skip


def _insist(function: Callable[..., object], path: str, _: object) -> None:
    """Folders that were made read-only must be opened before they can be emptied."""
    place = Path(path)
    with contextlib.suppress(OSError, TypeError):
        place.parent.chmod(0o700)
        place.chmod(0o700)
        function(path)
