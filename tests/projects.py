"""Small repositories for tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mybro.demo import build_project


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The demonstration's project: one test fails until its lint errors are fixed."""
    repo = tmp_path / "shop"
    repo.mkdir()
    build_project(repo)
    return repo


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    return folder


def git(repo: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=repo, check=True, capture_output=True, text=True).stdout


def contents(repo: Path) -> dict[str, bytes]:
    """Every file outside `.git` and caches, by its path."""
    kept = (p for p in repo.rglob("*") if p.is_file() and not {".git", "__pycache__"} & set(p.parts))
    return {
        str(path.relative_to(repo)): path.read_bytes() for path in kept if ".pytest_cache" not in path.parts
    }
