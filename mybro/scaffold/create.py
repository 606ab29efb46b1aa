"""A new project: a template's files, in a git repository of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mybro.errors import ScaffoldError
from mybro.scaffold.catalogue import Template

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._ -]{0,63}")
GIT_TIMEOUT_S = 60
LOCK_TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Project:
    """What was made."""

    name: str
    path: Path
    files: int
    missing: tuple[str, ...]
    """Programs that it needs and that are not on this machine."""
    locked: bool
    """Whether the exact versions of what it depends on are written down."""


def folder_name(name: str) -> str:
    """The folder for a project's name as a person says it. Raises `ScaffoldError`."""
    if not _NAME.fullmatch(name.strip()) or ".." in name:
        raise ScaffoldError(
            "bad_name",
            f"{name!r} cannot be a project's name",
            hint="Letters, digits, spaces and hyphens, with a letter first",
        )
    return re.sub(r"[\s_]+", "-", name.strip()).lower().rstrip(".-")


def create(
    template: Template,
    name: str,
    parent: Path,
    answers: Mapping[str, Any] | None = None,
    *,
    lock: bool = True,
) -> Project:
    """Make the project in a folder of its own below `parent`; on an error nothing of it is left.

    `answers` are for the questions that the template asks; the rest take their defaults. With `lock` the
    versions of its dependencies are asked for and written down, where the network is there. Raises
    `ScaffoldError`.
    """
    target = parent / folder_name(name)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ScaffoldError("folder_taken", f"{target} is there already", hint="Choose another name")
    was_there = target.is_dir()
    try:
        _fill(template, target, {"project_name": name.strip(), **(answers or {})})
        locked = lock and _lock(target, template)
        _git(target, template)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        if was_there:
            target.mkdir()
        raise
    files = sum(path.is_file() for path in target.rglob("*") if ".git" not in path.relative_to(target).parts)
    missing = tuple(program for program in template.needs if shutil.which(program) is None)
    return Project(name, target, files, missing, locked)


def _fill(template: Template, target: Path, answers: Mapping[str, Any]) -> None:
    try:
        from copier import run_copy
        from copier.errors import CopierError
        from jinja2 import TemplateError
    except ImportError as error:
        raise ScaffoldError(
            "copier_missing", "new projects need copier", hint="Run `make setup` in mybro's checkout"
        ) from error
    try:
        run_copy(str(template.path), target, data=dict(answers), defaults=True, quiet=True, skip_tasks=True)
    except (CopierError, TemplateError, ValueError, OSError) as error:
        raise ScaffoldError("not_created", f"{target} could not be made: {error}") from error


def _lock(target: Path, template: Template) -> bool:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        done = subprocess.run(
            template.lock.split(),
            cwd=target,
            env=env,
            capture_output=True,
            timeout=LOCK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _git(target: Path, template: Template) -> None:
    """A first commit, so that whatever comes next can be seen and undone."""
    _run_git(target, "init", "-q", "-b", "main")
    commit(target, f"Start from {template.name}")


def commit(target: Path, message: str) -> None:
    """Commit everything in a project. Raises `ScaffoldError`."""
    known = subprocess.run(
        ["git", "config", "user.email"], capture_output=True, timeout=GIT_TIMEOUT_S, check=False
    )
    identity = [] if known.stdout.strip() else ["-c", "user.name=mybro", "-c", "user.email=mybro@localhost"]
    _run_git(target, "add", "-A")
    _run_git(target, *identity, "commit", "-q", "--no-verify", "-m", message)


def _run_git(target: Path, *arguments: str) -> None:
    try:
        subprocess.run(
            ["git", "-c", "commit.gpgsign=false", *arguments],
            cwd=target, check=True, capture_output=True, timeout=GIT_TIMEOUT_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        raise ScaffoldError("no_git", f"git could not make a repository of {target}: {error}") from error
