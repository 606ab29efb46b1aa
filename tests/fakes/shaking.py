"""Trees with a submodule in them, shaken as commands in a shell and git itself shake them."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.executor import (
    GIT_ENVIRONMENT,
    Image,
    Shaker,
    git,
    git_image,
    image,
    random_repository,
)

SHELL = (
    "sed -i s/o/0/ *.txt", "find . -name '*.py' -not -path '*/.git/*' -delete", "rm -rf lib src/deep",
    "mv a.py b.txt", "mkdir -p made && cp -a c made/", "chmod -R u=rwX,go= src", "printf more >> c",
    "truncate -s 3 a.py", "ln -sfn ../c link", "for n in 1 2 3 4 5; do echo $n > gen$n; done", "rm -f gen*",
    "touch -d '2001-01-01' c", "dd if=/dev/zero of=zeros bs=1k count=400", "cat c > .hidden",
    "mkdir -p void/inner", "cp b.txt b.bak; mv -f b.bak b.txt", "ln -f c hard",
)  # fmt: skip
"""Commands of which some fail, as they do."""

GIT = (
    "reset -q --hard", "reset -q --hard HEAD~1", "reset -q --soft HEAD~1", "reset -q", "checkout -q --detach",
    "checkout -q -- .", "clean -fdq", "add -A", "add -N .", "commit -qam all", "rebase -q HEAD~1",
    "commit -q --amend -m amended --allow-empty", "cherry-pick -n HEAD~1", "revert --no-edit HEAD",
    "stash -q", "stash -u -q", "stash drop -q", "stash apply -q", "tag -f t", "tag -d t", "branch -M main",
    "config shop.name new", "update-index --assume-unchanged c", "update-index --skip-worktree c",
    "update-index --no-assume-unchanged c", "merge --abort", "bisect start", "rm -q --cached -r -f .",
    "mv c moved",
)  # fmt: skip

SUBMODULE = (
    "-C part commit -q --allow-empty -m inner", "-C part checkout -q HEAD~1", "-C part switch -q -c inner",
    "-C part stash -q", "-C part add -A", "add part", "submodule deinit -q -f part", "rm -q -f part",
    "submodule update -q --init", "submodule absorbgitdirs",
)  # fmt: skip


@dataclass
class DeepShaker(Shaker):
    """Also runs commands, and moves a submodule about."""

    def _steps(self) -> list[Callable[[], object]]:
        steps = [*super()._steps(), *[self.shell] * 8]
        return [*steps, *[self.deep_git] * 8, *[self.submodule] * 5, self.inside] if self.git else steps

    def shell(self) -> None:
        env = {"PATH": os.environ["PATH"], **GIT_ENVIRONMENT}
        subprocess.run(
            ["sh", "-c", self.random.choice(SHELL)], cwd=self.repo, env=env, capture_output=True, check=False
        )

    def deep_git(self) -> None:
        git(self.repo, *self.random.choice(GIT).split(), check=False)

    def submodule(self) -> None:
        arguments = self.random.choice(SUBMODULE).split()
        if arguments[0] == "-C" and not (self.repo / "part" / ".git").exists():
            return
        git(self.repo, "-c", "protocol.file.allow=always", *arguments, check=False)

    def inside(self) -> None:
        (self.repo / "part" / "new.txt").write_bytes(self.contents())


def deep_repository(repo: Path, seed: int, *, ignores: bool = False) -> DeepShaker:
    """A random repository; one with git mostly has a submodule, `part`."""
    plain = random_repository(repo, seed, ignores=ignores)
    shaker = DeepShaker(plain.repo, random.Random(seed), git=plain.git, ignores=ignores)
    if shaker.git:
        library = repo.parent / "library"
        library.mkdir()
        git(library, "init", "-q", "-b", "main")
        for number in range(3):
            (library / "part.txt").write_text(f"{number}\n")
            git(library, "add", ".")
            git(library, "commit", "-q", "-m", f"{number}")
        add = ("submodule", "add", "-q", "-f", "--", str(library), "part")
        git(repo, "-c", "protocol.file.allow=always", *add, check=False)
        if shaker.random.random() < 0.7:
            git(repo, "commit", "-q", "-am", "all", check=False)
    return shaker


def whole(shaker: Shaker) -> tuple[Image, dict[str, dict[str, str]]]:
    """Every file, and what each repository in the tree knows."""
    files = image(shaker.repo)
    repositories: dict[str, dict[str, str]] = {}
    for folder in ("", "part"):
        marker = shaker.repo / folder / ".git"
        if shaker.git and folder and marker.is_file():
            files[os.fsencode(folder) + b"/.git"] = ("file", 0, marker.read_bytes())
        if shaker.git and marker.exists():
            repositories[folder] = git_image(shaker.repo / folder)
    return files, repositories
