"""Where a command stands, and which places its words name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from enum import IntEnum
from fnmatch import fnmatch
from glob import iglob
from pathlib import Path

from mybro.executor.claude.gate.words import Command, Word

PROTECTED = frozenset({".git", ".claude", ".mcp.json"})
"""Inside the repository, yet not covered by its checkpoint, or able to run things later."""

_STREAMS = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty"})
_OPEN = (
    "/usr/include/",
    "/usr/share/",
    "/usr/lib/",
    "/usr/bin/",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
)
_SECRET = re.compile(
    r"\.env(\..*)?|.*\.(pem|key|p12|pfx|keystore|jks|kdbx)|id_(rsa|dsa|ecdsa|ed25519).*|\.netrc"
    r"|\.npmrc|\.pypirc"
    r"|\.git-credentials|credentials(\..*)?|secrets?(\.(json|ya?ml|toml|env|txt|ini|enc))?"
    r"|\.htpasswd|\.pgpass",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(r".*\.(example|sample|template|dist|pub)", re.IGNORECASE)
_SECRET_SAMPLES = (
    ".env",
    ".env.local",
    ".netrc",
    "id_rsa",
    "server.pem",
    "server.key",
    "credentials.json",
    "secrets.yml",
)
_MOST_FOLDERS = 8


class Reach(IntEnum):
    """How far a harmless command reaches."""

    READS = 0
    WRITES = 1
    """Makes or changes files in the repository, as an edit does; what was there is not lost."""


Rule = Callable[[Command, "Place"], Reach | None]


def worst(reaches: Iterable[Reach | None]) -> Reach | None:
    """The farthest; None as soon as one is not certain."""
    found = list(reaches)
    return (
        None
        if any(one is None for one in found)
        else max((one for one in found if one is not None), default=None)
    )


class Place:
    """The repository, and the folders in which a command may stand by now."""

    def __init__(self, repo: Path) -> None:
        self.top = Path(os.path.realpath(repo))
        self.folders = [self.top]
        self._made: list[Path] = []
        self.apart: list[list[Path]] = []
        """What to go back to where a shell of its own ends."""

    def enter(self, word: Word) -> bool:
        """Change the folder: what follows may stand there, or where it stood before."""
        if word.text is None or word.text.startswith("-") or not self.reads(word):
            return word.local and word.quoted
        new = [Path(os.path.realpath(folder / word.text)) for folder in self.folders]
        self.folders = list(dict.fromkeys([*self.folders, *new]))
        return len(self.folders) <= _MOST_FOLDERS

    def reads(self, word: Word) -> bool:
        """Whether it names what may be read: in the work tree, and no secret."""
        if word.values is None:
            return word.local
        return all(self._readable(value, glob=word.glob) for value in word.values)

    def makes(self, word: Word, *, append: bool = False) -> Reach | None:
        """Whether a file may be made, or added to, under this name."""
        if word.text in _STREAMS:
            return Reach.READS
        if (
            word.values is None
            or word.glob
            or not all(self._new(value, append=append) for value in word.values)
        ):
            return None
        # What a command has made itself holds what it put there: it is not made anew.
        paths = [Path(os.path.realpath(folder / value)) for value in word.values for folder in self.folders]
        if not append:
            if any(path.is_relative_to(made) for path in paths for made in self._made):
                return None
            self._made += paths
        return Reach.WRITES

    def changes(self, word: Word) -> bool:
        """Whether it names files that may be edited."""
        if word.values is None or word.glob:
            return bool(word.values) and all(
                self._inside(v.split("*")[0] or ".") and self.reads(word) for v in word.values or ()
            )
        return all(self._inside(value) and not _is_secret(value, glob=False) for value in word.values)

    def exists(self, value: str) -> bool:
        plain = os.path.normpath(value)
        return any(os.path.lexists(folder / name) for folder in self.folders for name in (value, plain))

    def is_folder(self, value: str) -> bool:
        return all((folder / value).is_dir() for folder in self.folders)

    def _readable(self, value: str, *, glob: bool) -> bool:
        if value in _STREAMS or not value:
            return True
        if _is_secret(value, glob=glob):
            return False
        if value.startswith(_OPEN) and ".." not in value:
            return True
        if glob:
            fixed, wild = re.match(r"([^*?\[]*)(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
            if ".." in wild or value.startswith("~"):
                return False
            names = (name for folder in self.folders for name in iglob(value, root_dir=folder))  # noqa: PTH207
            if any(_is_secret(name, glob=False) for name in names):
                return False
            value = fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")
        return not value.startswith("~") and all(self._below(folder / value) for folder in self.folders)

    def _new(self, value: str, *, append: bool) -> bool:
        if not value or not self._inside(value) or _is_secret(value, glob=False):
            return False
        return append or not self.exists(value)

    def _inside(self, value: str) -> bool:
        if value.startswith("~"):
            return False
        for folder in self.folders:
            real = Path(os.path.realpath(folder / value))
            if not self._below(real):
                return False
            if PROTECTED & {part.casefold() for part in real.relative_to(self.top).parts}:
                return False
        return True

    def _below(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.top)


def _is_secret(value: str, *, glob: bool) -> bool:
    names = [part for part in re.split(r"[/:=]", value) if part]
    if glob:
        last = names[-1] if names else ""
        if last.startswith((".", "id", "cred", "secret", "*.pem", "*.key")) or (
            last.startswith(("?", "[")) and last != "[0-9]*"
        ):
            return any(fnmatch(sample, last) for sample in _SECRET_SAMPLES)
        return False
    return any(_SECRET.fullmatch(name) and not _EXAMPLE.fullmatch(name) for name in names)
