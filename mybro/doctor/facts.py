"""What is in a repository: its files, what they are written in, and reading them safely."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from mybro.doctor import git as git_room
from mybro.doctor.finding import Unexamined
from mybro.doctor.git import Git, GitError
from mybro.doctor.languages import TEXT, is_test, language_of
from mybro.doctor.shapes import Group
from mybro.doctor.survey import UNKNOWN, Survey

MAX_FILES = 200_000
MAX_SOURCE_BYTES = 2 << 20
"""Larger source files are not examined, and that is told."""
_HEAD_BYTES = 128
_REGULAR = frozenset({"100644", "100755"})

SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        ".venv",
        "venv",
        ".tox",
        ".nox",
        "__pycache__",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
        ".hypothesis",
        ".gradle",
        ".next",
        ".nuxt",
        ".turbo",
        ".parcel-cache",
        "DerivedData",
        ".build",
        "Pods",
        ".terraform",
        ".eggs",
        "bower_components",
        ".yarn",
        ".cache",
    }
)
"""Folders that are made by tools: not entered where nothing in them is tracked."""
VENDORED = frozenset(
    {"vendor", "vendored", "_vendor", "third_party", "thirdparty", "external", "node_modules"}
)


@dataclass(frozen=True, slots=True)
class File:
    """One regular file."""

    path: str
    """Relative to the root, with slashes; undecodable bytes are surrogates."""
    size: int
    """In bytes."""
    mode: int
    language: str
    """Such as "python"; empty where it is not known to be text."""
    tracked: bool
    vendored: bool = field(init=False, compare=False)
    """Whether it is somebody else's or made by a tool, and not to be judged as one's own."""

    def __post_init__(self) -> None:
        made = self.path.endswith((".min.js", ".min.css"))
        object.__setattr__(self, "vendored", made or not VENDORED.isdisjoint(self.path.split("/")[:-1]))

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def is_test(self) -> bool:
        return is_test(self.path)


@dataclass
class Repository:
    """A folder that is examined. Nothing in it is ever executed, imported or followed out of it."""

    root: Path
    files: dict[str, File]
    links: dict[str, str] = field(default_factory=dict)
    """Symbolic links and where they point."""
    submodules: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    """Tracked paths that are no files, links or folders now: devices, pipes, or gone."""
    git: Git | None = None
    unexamined: list[Unexamined] = field(default_factory=list)
    focus: frozenset[str] | None = None
    """The files that were asked for; None: all."""
    survey: Survey | None = None
    """Which words are in which files, where that was looked at; see `may_have`."""

    @cached_property
    def languages(self) -> Counter[str]:
        """Files of each language, vendored ones left out."""
        return Counter(file.language for file in self.files.values() if file.language and not file.vendored)

    def asked(self, path: str) -> bool:
        return self.focus is None or path in self.focus

    def sources(self, *languages: str) -> list[File]:
        """The files in these languages that are to be examined: asked for, not vendored, not too large."""
        return [
            file
            for file in self.files.values()
            if file.language in languages
            and file.size <= MAX_SOURCE_BYTES
            and not file.vendored
            and self.asked(file.path)
        ]

    def may_have(self, file: File, group: Group) -> bool:
        """False only where it is known that the file has none of these words and shapes."""
        return self.survey is None or self.survey.may_have(file.path, group)

    def marks(self, file: File) -> int:
        """What is known to be in a file, to be compared with masks."""
        return UNKNOWN if self.survey is None else self.survey.marks(file.path)

    def mask(self, group: Group) -> int:
        """The marks of which a file has one if one of these may be in it."""
        return UNKNOWN if self.survey is None else self.survey.mask(group)

    def named(self, *names: str) -> Iterator[File]:
        """The files of these names, wherever they lie."""
        for file in self.files.values():
            if file.name in names and not file.vendored:
                yield file

    def top(self, *names: str) -> File | None:
        """The first of these that lies at the root, whatever its case."""
        wanted = [name.casefold() for name in names]
        found = {p.casefold(): f for p, f in self.files.items() if "/" not in p}
        return next((found[name] for name in wanted if name in found), None)

    def read(self, file: File | str, limit: int = MAX_SOURCE_BYTES) -> bytes | None:
        """The content; None where it cannot be read, is no regular file (any more), or is over `limit`."""
        path = file if isinstance(file, str) else file.path
        try:
            handle = os.open(
                f"{self.root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except (OSError, ValueError):
            return None
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
                return None
            return os.read(handle, limit + 1)[:limit]
        except OSError:
            return None
        finally:
            os.close(handle)

    def blocks(self, path: str) -> bool:
        """Whether who opens it may wait, or read, for ever: a pipe or a device, also through a link."""
        try:
            mode = (self.root / path).stat().st_mode
        except (OSError, ValueError):
            return False
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))

    def text(self, file: File | str, limit: int = MAX_SOURCE_BYTES) -> str | None:
        """The content as text; what is not UTF-8 becomes U+FFFD."""
        data = self.read(file, limit)
        return None if data is None else data.decode("utf-8", "replace")


def look(root: Path, only: Iterable[str] | None = None) -> Repository:
    """List what is in `root`; `only` are the relative paths (files and folders) that are asked for."""
    git = git_room.find(root)
    repo = Repository(root, {}, git=git)
    tracked: dict[str, str] = {}
    if git is not None:
        try:
            if any(map(repo.blocks, (".gitignore", ".gitattributes"))):
                raise GitError("its settings here are no files")
            tracked = {path: mode for mode, path in git.entries()}
            others = git.names("ls-files", "-z", "--others", "--exclude-standard")
            _add(repo, [*tracked, *others], tracked)
        except GitError as error:
            repo.unexamined.append(Unexamined("git", f"git did not list the files: {error}", "git"))
            git = repo.git = None
    if git is None:
        _add(repo, _walk(root), {})
    if only is not None:
        repo.focus = _focus(repo, list(only))
    _tell_large(repo)
    return repo


def _focus(repo: Repository, only: list[str]) -> frozenset[str]:
    exact, folders = set(only), tuple(f"{path.rstrip('/')}/" for path in only)
    return frozenset(p for p in repo.files if p in exact or p.startswith(folders) or "." in exact)


def _walk(root: Path) -> Iterator[str]:
    """Regular files and links below `root`, without following links; made folders are left out."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(f"{root}/{folder}") as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in found:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in SKIPPED:
                    pending.append(path)
            else:
                yield path


def _add(repo: Repository, paths: Iterable[str], tracked: dict[str, str]) -> None:
    odd: list[str] = []
    real: dict[str, bool] = {"": True}
    submodules: list[str] = []
    for path in paths:
        if len(repo.files) >= MAX_FILES:
            repo.unexamined.append(Unexamined(".", f"more than {MAX_FILES:,} files: the rest is left out"))
            break
        if tracked.get(path) == "160000":
            submodules.append(path)
            continue
        if path.startswith(("../", "/")) or path.endswith("/") or not _inside(repo.root, path, real):
            continue
        try:
            found = os.lstat(f"{repo.root}/{path}")
        except (OSError, ValueError):
            odd.append(path)
            continue
        if stat.S_ISLNK(found.st_mode):
            repo.links[path] = str((repo.root / path).readlink())
        elif stat.S_ISREG(found.st_mode):
            language = language_of(path) or _shebang(repo, path, found)
            repo.files[path] = File(path, found.st_size, found.st_mode, language, path in tracked)
        else:
            odd.append(path)
    repo.odd, repo.submodules = tuple(odd), tuple(submodules)


def _shebang(repo: Repository, path: str, found: os.stat_result) -> str:
    """The language of a program without an ending, by its first line."""
    if not found.st_mode & 0o111 or "." in PurePosixPath(path).name or not found.st_size:
        return ""
    try:
        with (repo.root / path).open("rb") as stream:
            first = stream.read(_HEAD_BYTES).split(b"\n", 1)[0]
    except OSError:
        return ""
    if not first.startswith(b"#!"):
        return ""
    for word, language in ((b"python", "python"), (b"node", "javascript"), (b"sh", "shell")):
        if word in first:
            return language
    return ""


def _inside(root: Path, path: str, real: dict[str, bool]) -> bool:
    """Whether every folder on the way is a folder itself and no link, which could lead anywhere."""
    folder = path.rpartition("/")[0]
    if folder not in real:
        try:
            here = stat.S_ISDIR(os.lstat(f"{root}/{folder}").st_mode)
        except (OSError, ValueError):
            here = False
        real[folder] = here and _inside(root, folder, real)
    return real[folder]


def _tell_large(repo: Repository) -> None:
    for file in repo.files.values():
        if (
            file.size > MAX_SOURCE_BYTES
            and file.language in TEXT
            and not file.vendored
            and repo.asked(file.path)
        ):
            size = f"{file.size / 1e6:.0f} MB: larger than {MAX_SOURCE_BYTES >> 20} MB is not read"
            repo.unexamined.append(Unexamined(file.path, size))
