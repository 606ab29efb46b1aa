"""What mybro uses of the machine itself: which parts are missing, and how they are installed."""

from __future__ import annotations

import ctypes
import glob
import os
import shutil
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mybro.ops.bootstrap.console import SetupError, call, say, step
from mybro.ops.bootstrap.places import CACHE, REQUIREMENTS
from mybro.ops.bootstrap.stamps import Stamp, digest

PLATFORM: Literal["linux", "macos"] = "macos" if sys.platform == "darwin" else "linux"

TRIED = Stamp(CACHE / "system-packages.json")


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of requirements/machine.toml, which explains the fields."""

    name: str
    gives: str
    stage: str
    ci: tuple[str, ...]
    platforms: tuple[str, ...] = ("linux", "macos")
    apt: str = ""
    brew: str = ""
    command: str = ""
    library: str = ""
    file: str = ""
    unless: str = ""

    def is_the_systems(self) -> bool:
        return bool(self.command or self.library or self.file)

    def is_there(self) -> bool:
        if self.command:
            return shutil.which(self.command) is not None
        if self.library:
            return _loads(self.library)
        return bool(glob.glob(self.file))  # noqa: PTH207 - an absolute pattern


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def parts() -> list[Part]:
    """Everything that requirements/machine.toml lists."""
    with (REQUIREMENTS / "machine.toml").open("rb") as file:
        entries = tomllib.load(file)["part"]
    return [_part(entry) for entry in entries]


def _part(entry: dict[str, Any]) -> Part:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return Part(**values)


def missing(stages: Sequence[str]) -> list[Part]:
    """The system's parts that `stages` use and this machine lacks."""
    return [
        part
        for part in parts()
        if part.stage in stages
        and PLATFORM in part.platforms
        and part.is_the_systems()
        and not part.is_there()
        and not (part.unless and shutil.which(part.unless))
    ]


def provide(stages: Sequence[str], *, again: bool) -> None:
    """Install the missing system packages where that is allowed; name in one line what stays missing.

    Nothing here stops what does not need the part. What could not be installed is not tried at every
    run, unless `again`.
    """
    lacking = missing(stages)
    if not lacking:
        return
    key = digest([], [part.name for part in lacking])
    if again or not TRIED.fresh(key):
        # One after the other: a package that this system does not have must not take the rest with it.
        if not install([part.apt for part in lacking if part.apt]):
            for part in lacking:
                install([part.apt] if part.apt else [], quiet=True)
        lacking = missing(stages)
        TRIED.write(digest([], [part.name for part in lacking]))
    if lacking:
        say(_sentence(lacking))


def _sentence(lacking: Sequence[Part]) -> str:
    names = ", ".join(part.name for part in lacking)
    if PLATFORM == "macos":
        remedy = "brew install " + " ".join(part.brew for part in lacking if part.brew)
    else:
        remedy = "sudo apt-get install " + " ".join(part.apt for part in lacking if part.apt)
    return f"not here, so what uses it is left out: {names} ({remedy})"


def install(packages: Sequence[str], *, quiet: bool = False) -> bool:
    """Install Debian packages if this user may do that unasked; whether that was done.

    `--no-remove`, because a package that the person uses is never taken away for one of ours.
    """
    if not packages:
        return False
    root = _as_root()
    if root is None:
        return False
    # `env`, because sudo keeps nothing of the environment.
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    apt += ["-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::Retries=2"]
    options = ["install", "-y", "--no-install-recommends", "--no-remove"]
    try:
        if quiet:
            call([*apt, *options, *packages], "apt-get")
            return True
        with step(f"installing system packages: {' '.join(packages)}"):
            call([*apt, "update"], "apt-get update")
            call([*apt, *options, *packages], "apt-get install")
    except SetupError:
        return False
    return True


def _as_root() -> list[str] | None:
    """What to put before a command that only root may run; None if that is not possible unasked."""
    if PLATFORM != "linux" or shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    try:
        call(["sudo", "-n", "true"], "sudo", timeout_s=10)
    except SetupError:
        return None
    return ["sudo", "-n"]
