"""Working trees that are shaken at random, and looked at without any of the code under test."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

GIT_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@localhost", "GIT_COMMITTER_NAME": "T",
    "GIT_COMMITTER_EMAIL": "t@localhost", "HOME": "/nonexistent",
}  # fmt: skip

Image = dict[bytes, tuple[str, int, bytes]]
"""Path to kind, permission bits and contents."""


def git(repo: Path, *arguments: str, check: bool = True) -> str:
    """Run git with nothing of this machine's configuration."""
    env = {"PATH": os.environ["PATH"], **GIT_ENVIRONMENT}
    done = subprocess.run(["git", "-C", repo, *arguments], env=env, capture_output=True)
    if check and done.returncode:
        raise AssertionError(f"git {arguments}: {done.stderr.decode(errors='replace')}")
    return os.fsdecode(done.stdout)


def image(repo: Path) -> Image:
    """Everything in a tree but `.git`, byte for byte."""
    found: Image = {}
    top = os.fsencode(repo)

    def look(folder: bytes) -> None:
        for entry in os.scandir(top + folder):
            path = folder + b"/" + entry.name
            if entry.name == b".git":
                continue
            status = entry.stat(follow_symlinks=False)
            mode = stat.S_IMODE(status.st_mode)
            if entry.is_symlink():
                found[path[1:]] = ("link", 0, os.readlink(entry.path))  # noqa: PTH115
            elif entry.is_dir(follow_symlinks=False):
                found[path[1:]] = ("folder", mode, b"")
                look(path)
            elif stat.S_ISREG(status.st_mode):
                with open(entry.path, "rb") as file:  # noqa: PTH123 - a Path would decode the name
                    found[path[1:]] = ("file", mode, file.read())
            else:
                found[path[1:]] = ("special", mode, b"")

    look(b"")
    return found


def git_image(repo: Path) -> dict[str, str]:
    """What a repository itself knows: HEAD, references, stash and index."""
    return {
        "head": git(repo, "symbolic-ref", "-q", "HEAD", check=False) or git(repo, "rev-parse", "HEAD"),
        "refs": git(repo, "for-each-ref", "--format=%(refname) %(objectname)"),
        "index": git(repo, "ls-files", "--stage", "-v", "-z"),
        "stash": git(repo, "stash", "list"),
        "merging": str((repo / ".git" / "MERGE_HEAD").exists()),
    }


NAMES = (
    "a.py", "b.txt", "c", "-dash", "sp ace", "new\nline", "\u00fcml\u00e4ut", "\udcff\udcfe.bin",
    "lib", "A.py", "src", "deep", "*.py", ":magic", "'quote\"", ".hidden", "tab\t",
)  # fmt: skip
MODES = (0o644, 0o755, 0o600, 0o444, 0o640)
FOLDER_MODES = (0o755, 0o700, 0o555)
TARGETS = ("a.py", "../a.py", "lib", "/nonexistent", ".", "../outside", os.fsdecode(b"\xff"))


@dataclass
class Shaker:
    """Changes a tree at random. What git ignores (`*.log`, `out/`) is never touched."""

    repo: Path
    random: random.Random
    git: bool = True
    ignores: bool = False
    """Whether to change what is ignored."""

    def shake(self, steps: int) -> None:
        for _ in range(steps):
            with contextlib.suppress(OSError, RuntimeError):  # RuntimeError: links in a circle
                self.random.choice(self._steps())()

    def _steps(self) -> list[Callable[[], object]]:
        files = [self.write] * 5 + [self.append, self.delete, self.delete, self.move, self.change_mode]
        files += [self.link, self.folder, self.retype, self.swap_case]
        in_git = [self.stage, self.stage, self.unstage, self.commit, self.branch]
        return [*files, *(in_git * self.git), *([self.ignore] * self.ignores)]

    def somewhere(self) -> Path:
        """A path that may or may not exist, never an ignored one."""
        depth = self.random.choice((1, 1, 2, 2, 3))
        path = self.repo.joinpath(*(self.random.choice(NAMES) for _ in range(depth)))
        if not path.parent.resolve().is_relative_to(self.repo):
            raise FileNotFoundError  # a link leads out of the tree
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def something(self, kind: str | None = None) -> Path:
        """A path that exists. Raises `FileNotFoundError` where there is none."""
        paths = [Path(os.fsdecode(p)) for p, (what, _, _) in image(self.repo).items() if kind in (None, what)]
        found = sorted(path for path in paths if path.suffix != ".log" and "out" not in path.parts)
        if not found:
            raise FileNotFoundError
        return self.repo / self.random.choice(found)

    def contents(self) -> bytes:
        many = self.random.randbytes(self.random.choice((10, 1000, 300_000)))
        return self.random.choice((b"", b"x\n", b"one\r\ntwo\r\n", b"$Id$\n", b"\0\1\2" * 50, many))

    def write(self) -> None:
        path = self.somewhere()
        if path.is_symlink():
            path.unlink()
        path.write_bytes(self.contents())

    def append(self) -> None:
        with self.something("file").open("ab") as file:
            file.write(b"more\n")

    def delete(self) -> None:
        self.remove(self.something())

    def remove(self, path: Path) -> None:
        if not path.is_dir() or path.is_symlink():
            path.unlink()
        elif self.holds_ignored(path):
            raise FileExistsError
        else:
            shutil.rmtree(path)

    def holds_ignored(self, folder: Path) -> bool:
        return any(path.suffix == ".log" or path.name == "out" for path in folder.rglob("*"))

    def move(self) -> None:
        target, source = self.somewhere(), self.something()
        if not self.holds_ignored(source):
            source.rename(target)

    def swap_case(self) -> None:
        path = self.something()
        if not path.is_dir():
            path.rename(path.with_name(path.name.swapcase()))

    def change_mode(self) -> None:
        path = self.something()
        if not path.is_symlink():
            path.chmod(self.random.choice(FOLDER_MODES if path.is_dir() else MODES))

    def link(self) -> None:
        path = self.somewhere()
        if os.path.lexists(path):
            self.remove(path)
        path.symlink_to(self.random.choice(TARGETS))

    def folder(self) -> None:
        self.somewhere().mkdir(exist_ok=True)

    def retype(self) -> None:
        path = self.something()
        folder = path.is_dir() and not path.is_symlink()
        self.remove(path)
        if folder:
            path.write_bytes(b"now a file\n")
        else:
            path.mkdir()
            (path / "inner").write_bytes(b"now inside\n")

    def stage(self) -> None:
        name = str(self.something("file").relative_to(self.repo))
        git(self.repo, "--literal-pathspecs", "add", "--", name, check=False)

    def unstage(self) -> None:
        names = [name for name in git(self.repo, "ls-files", "-z").split("\0") if name]
        if names:
            name = self.random.choice(names)
            git(self.repo, "--literal-pathspecs", "rm", "-q", "--cached", "-f", "--", name, check=False)

    def commit(self) -> None:
        git(self.repo, "commit", "-q", "-m", "c", "--allow-empty", check=False)

    def branch(self) -> None:
        name = f"b{self.random.randrange(4)}"
        actions = (
            ["switch", "-q", "-c", name], ["switch", "-q", name], ["branch", name], ["branch", "-D", name],
            ["tag", name], ["stash", "-u", "-q"], ["stash", "pop", "-q"], ["merge", "-q", name],
        )  # fmt: skip
        git(self.repo, *self.random.choice(actions), check=False)

    def ignore(self) -> None:
        lines = self.random.choice(("*.log\nout/\n", "out/\n", "*.py\nout/\n*.log\n", "lib/\nout/\n", ""))
        (self.repo / ".gitignore").write_text(lines)


def random_repository(repo: Path, seed: int, *, ignores: bool = False, steps: int = 25) -> Shaker:
    """A repository in some state, with ignored files in it; some have no git, some no commit."""
    chance = random.Random(seed)
    repo.mkdir()
    (repo.parent / "outside").mkdir(exist_ok=True)
    shaker = Shaker(repo.resolve(), chance, git=chance.random() < 0.85, ignores=ignores)
    if shaker.git:
        git(repo, "init", "-q", "-b", "main")
        if chance.random() < 0.3:
            (repo / ".gitattributes").write_text("*.txt text eol=crlf\n*.py ident\n")
        (repo / ".git" / "info" / "exclude").write_text("*.log\nout/\n")
    (repo / "x.log").write_text("ignored\n")
    (repo / "out").mkdir()
    (repo / "out" / "made").write_bytes(b"ignored too\n")
    shaker.shake(steps)
    return shaker
