"""Where a command stands, and which places its words name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from fnmatch import fnmatch
from glob import iglob
from pathlib import Path

from mybro.executor.claude.gate.words import Command, Word

PROTECTED = frozenset({".git", ".claude", ".mcp.json"})
"""Inside the repository, yet not covered by its checkpoint, or able to run things later."""

_STREAMS = frozenset({"/dev/null", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/tty", "/dev/fd/63"})
_OPEN = (
    "/usr/include/",
    "/usr/share/",
    "/usr/lib/",
    "/usr/bin/",
    "/etc/os-release",
    "/proc/cpuinfo",
    "/proc/meminfo",
)
_LOG = re.compile(r"/tmp/[\w-]+\.log")  # noqa: S108
"""What a server or a build says, kept out of the repository; nothing that is there is written over."""
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
_LONGEST_PROGRAM = 200_000


class Reach(IntEnum):
    """How far a harmless command reaches."""

    READS = 0
    WRITES = 1
    """Makes or changes files in the repository, as an edit does; what was there is not lost."""


_NOTES = re.compile(
    r"(?!requirements|CMakeLists|constraints).*\.(txt|log|out|md|rst|csv|tsv|patch|diff)", re.IGNORECASE
)
"""Files that nothing runs."""
_LEVERS = re.compile(
    r"\.husky|\.githooks|.*hooks?|\.pre-commit.*|\.gitattributes|\.gitmodules|package\.json|.*lint-?staged.*"
)
"""What git may run."""


@dataclass(slots=True)
class Traces:
    """What a command line puts into the repository, and what of the repository it runs."""

    written: dict[Path, str | None] = field(default_factory=dict)
    """Files, each with its content where that is known."""
    read: set[Path] = field(default_factory=set)
    """Programs that were read to be judged, and places where one could appear."""
    told: set[Path] = field(default_factory=set)
    """Programs that were judged by what the command line itself puts there."""
    shuffled: bool = False
    """Other versions of any file may appear."""
    runs: bool = False
    """Whatever there is of tests, builds and their settings is run."""
    commits: bool = False
    """git runs its hooks."""
    waits: bool = False

    def tangled(self, calm: Callable[[Path, str], bool]) -> bool:
        """Whether something may be run that was not there when it was judged; `calm` judges a content."""
        if self.shuffled and self.read - self.told:
            return True
        for path, content in self.written.items():
            known = content is not None and calm(path, content)
            judged = any(one == path or path in one.parents for one in self.read)
            if judged and not (path in self.told and known):
                return True
            if self.runs and not known and not _NOTES.fullmatch(path.name):
                return True
            if self.commits and any(_LEVERS.fullmatch(part) for part in path.parts[-3:]):
                return True
        return False


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
        self.traces = Traces()
        self.paths: list[Path] = []
        """Where Python looks for modules besides."""
        self.scripts = 0
        """How many programs of the repository were read."""
        self.apart: list[list[Path]] = []
        """What to go back to where a shell of its own ends."""

    def enter(self, word: Word) -> bool:
        """Change the folder: what follows may stand there, or where it stood before."""
        if word.text is None or word.text.startswith("-") or not self.reads(word):
            return word.local and word.quoted
        new = [Path(os.path.realpath(folder / word.text)) for folder in self.folders]
        self.folders = list(dict.fromkeys([*self.folders, *new]))
        return len(self.folders) <= _MOST_FOLDERS

    def reads(self, word: Word, *, content: bool = True) -> bool:
        """Whether it names what may be read: in the work tree, and no secret, if its content is seen."""
        if word.values is None:
            return word.local
        return all(self._readable(value, glob=word.glob, content=content) for value in word.values)

    def makes(self, word: Word, *, append: bool = False, content: str | None = None) -> Reach | None:
        """Whether a file may be made, or added to, under this name; with its content where that is known."""
        reach = self.touches(word, append=append)
        if reach is Reach.WRITES:
            self.puts(word, None if append else content)
        return reach

    def touches(self, word: Word, *, append: bool = True) -> Reach | None:
        """Whether a file may be made under this name, or be there already."""
        if word.text in _STREAMS:
            return Reach.READS
        if word.text is not None and not word.glob and _LOG.fullmatch(word.text):
            return None if os.path.lexists(word.text) else Reach.WRITES
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

    def puts(self, word: Word, content: str | None = None) -> None:
        """Keep in mind that these files get another content."""
        for value in word.values or ():
            for path in (self.top / value if word.glob else folder / value for folder in self.folders):
                real = Path(os.path.realpath(path))
                self.traces.written[real] = None if real in self.traces.written else content
        self.traces.shuffled |= word.glob or word.values is None

    def program(self, path: Path) -> str | None:
        """The text of a program in the repository, "" where there is none; None where it is not certain."""
        real = Path(os.path.realpath(path))
        if not self._below(real) or is_secret(real.name, glob=False):
            return None
        self.traces.read.add(real)
        if (told := self.traces.written.get(real)) is not None and not real.exists():
            self.traces.told.add(real)
            return told
        try:
            return real.read_text(encoding="utf-8")[:_LONGEST_PROGRAM] if real.is_file() else ""
        except (OSError, ValueError):
            return None

    def changes(self, word: Word) -> bool:
        """Whether it names files that may be edited."""
        if word.values is None or word.glob:
            return bool(word.values) and all(
                self._inside(v.split("*")[0] or ".") and self.reads(word) for v in word.values or ()
            )
        return all(self._inside(value) and not is_secret(value, glob=False) for value in word.values)

    def exists(self, value: str) -> bool:
        plain = os.path.normpath(value)
        return any(os.path.lexists(folder / name) for folder in self.folders for name in (value, plain))

    def is_folder(self, value: str) -> bool:
        return all((folder / value).is_dir() for folder in self.folders)

    def _readable(self, value: str, *, glob: bool, content: bool = True) -> bool:
        if value in _STREAMS or not value:
            return True
        if content and is_secret(value, glob=glob):
            return False
        if value.startswith(_OPEN) and ".." not in value:
            return True
        if _LOG.fullmatch(value) and not glob and os.path.realpath(value).endswith(value):
            return True
        if glob:
            fixed, wild = re.match(r"([^*?\[]*)(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]
            if ".." in wild or value.startswith("~"):
                return False
            names = (name for folder in self.folders for name in iglob(value, root_dir=folder))  # noqa: PTH207
            if content and any(is_secret(name, glob=False) for name in names):
                return False
            value = fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")
        return not value.startswith("~") and all(self._below(folder / value) for folder in self.folders)

    def _new(self, value: str, *, append: bool) -> bool:
        if not value or not self._inside(value) or is_secret(value, glob=False):
            return False
        if re.search(r"[$`\n]|(^|/)-", value):
            return False  # a name that could be taken for a command or an option later
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


def is_secret(value: str, *, glob: bool) -> bool:
    """Whether a path names a file that is known to hold secrets."""
    names = [part for part in re.split(r"[/:=]", value) if part]
    if glob:
        last = names[-1] if names else ""
        if last.startswith((".", "id", "cred", "secret", "*.pem", "*.key")) or (
            last.startswith(("?", "[")) and last != "[0-9]*"
        ):
            return any(fnmatch(sample, last) for sample in _SECRET_SAMPLES)
        return False
    return any(_SECRET.fullmatch(name) and not _EXAMPLE.fullmatch(name) for name in names)
