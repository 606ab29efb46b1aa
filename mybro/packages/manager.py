"""What every package manager does, and running one."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mybro.errors import PackagesError

TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Outdated:
    """A package of which there is a newer version."""

    manager: str
    name: str
    current: str
    latest: str

    def sentence(self) -> str:
        return f"{self.name} {self.current}, and {self.latest} is there"


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known weakness of a version that is in use."""

    manager: str
    name: str
    title: str
    severity: str
    fixed_in: str
    """Empty where there is no version without it."""


class Manager(Protocol):
    """One tool in one project. The methods block, and raise `PackagesError`."""

    name: str
    manifest: str

    def change(self, verb: str, names: Sequence[str], *, dev: bool) -> None:
        """`verb` is "add", "remove" or "upgrade"; to upgrade no names means all of them."""

    def locked(self) -> bool:
        """Whether the lock file is there and fits the manifest."""

    def outdated(self) -> list[Outdated]: ...

    def audit(self) -> list[Advisory]: ...


Runner = Callable[[Sequence[str], Path, Mapping[str, str]], "subprocess.CompletedProcess[str]"]
"""Runs a command in a folder with an environment, its input closed. Raises as `subprocess.run` does."""


def run_here(argv: Sequence[str], folder: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=TIMEOUT_S, check=False,
    )  # fmt: skip


class Tool:
    """A program that manages packages, in a folder."""

    def __init__(self, program: str, folder: Path, runner: Runner) -> None:
        self._program = program
        self._folder = folder
        self._runner = runner

    def run(self, *arguments: str, may_fail: bool = False) -> subprocess.CompletedProcess[str]:
        """Raises `PackagesError` with what the program says where it fails."""
        env = {**os.environ, "NO_COLOR": "1", "CARGO_TERM_COLOR": "never"}
        # The virtual environment that mybro runs in is not the project's.
        env.pop("VIRTUAL_ENV", None)
        try:
            done = self._runner([self._program, *arguments], self._folder, env)
        except FileNotFoundError as error:
            message = f"this project's packages need {self._program}, which is not here"
            raise PackagesError("no_program", message, hint=f"Install {self._program}") from error
        except subprocess.TimeoutExpired as error:
            message = f"{self._program} took longer than {TIMEOUT_S} s"
            raise PackagesError("too_slow", message, retryable=True) from error
        if done.returncode and not may_fail:
            raise PackagesError(
                "packages_failed", f"{self._program} {arguments[0]} failed: {_reason(done.stderr)}"
            )
        return done

    def read(self, *arguments: str) -> Any:
        """The JSON that a program prints, whatever its exit status says."""
        done = self.run(*arguments, may_fail=True)
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            reason = _reason(done.stderr or done.stdout)
            raise PackagesError(
                "packages_failed", f"{self._program} {arguments[0]} failed: {reason}"
            ) from error


def _reason(told: str) -> str:
    """The few lines that say why, of what may be very many."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if line.lower().startswith(("error", "npm error"))]
    start = errors[0] if errors else 0
    return " ".join(lines[start : start + 4])[:400] or "it does not say why"
