"""Looks at a whole working tree: every path's state, new contents kept, known files not read again."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.checkpoint.blobs import Blobs, RestlessError, TooLargeError
from mybro.executor.checkpoint.entry import Entry, Kind, Limits, opaque, shown
from mybro.executor.checkpoint.git import Git
from mybro.executor.checkpoint.place import special, too_large, unreadable
from mybro.executor.checkpoint.stamps import Stamp, Stamps, stamp

Seen = dict[bytes, tuple[Stamp, Entry]]

_RACY_NS = 100_000_000
_RACY_COARSE_NS = 2_100_000_000
"""A file that changed this shortly before it was read may change again under the same time stamp."""

_IGNORED_LISTED = 200
"""More than this nobody reads."""


@dataclass(slots=True)
class Scan:
    """What one look saw."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    seen: Seen = field(default_factory=dict)
    """Newly read files whose stamps can be relied on."""
    racy: list[bytes] = field(default_factory=list)
    """Newly read files whose stamps cannot."""
    repositories: dict[bytes, Git] = field(default_factory=dict)
    """By folder; the top folder is empty."""
    unknown: set[bytes] = field(default_factory=set)
    """Paths of which nothing is known, nor of anything below: ignored, excluded or unreadable."""
    excluded: list[str] = field(default_factory=list)
    """The same for a person, with reasons."""


class Scanner:
    """One look at one tree."""

    def __init__(
        self, root: Path, limits: Limits, blobs: Blobs, seen: Seen, stamps: Stamps, give_up: threading.Event
    ) -> None:
        """`stamps` are those of `seen`."""
        self._root = os.fsencode(root)
        self._limits = limits
        self._blobs = blobs
        self._seen = seen
        self._stamps = stamps
        self._give_up = give_up
        self._plain = True
        self._top: Git | None = None
        self.scan = Scan()

    def run(self, known: Mapping[bytes, Entry]) -> Scan:
        """Look at everything; `known` paths are looked at even where they are ignored by now."""
        scan = self.scan
        scan.entries = {path: entry for path, (_, entry) in self._seen.items()}
        looked: set[bytes] = set()
        waiting = [b""]
        while waiting:
            listings = self._stamps.look(self._root, waiting)
            inner: list[bytes] = []
            for folder, listing in zip(waiting, listings, strict=True):
                if isinstance(listing, int):
                    self._no_folder(folder, listing)
                else:
                    looked.add(folder)
                    inner += self._folder(folder, *listing)
            waiting = inner
        for path in self._stamps.outside(looked):
            del scan.entries[path]
        for path in known.keys() - scan.entries.keys():
            if covered(path, scan.unknown):
                self._follow_up(path)
        return scan

    def _no_folder(self, folder: bytes, number: int) -> None:
        """A folder that cannot be listed: gone meanwhile, or not ours to read."""
        error = OSError(number, os.strerror(number), os.fsdecode(folder))
        if not folder or not isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError)):
            raise error
        if isinstance(error, PermissionError):
            self._leave_out(folder, "it cannot be read")

    def _folder(self, folder: bytes, others: list[bytes], missing: list[bytes]) -> list[bytes]:
        """Take note of a folder's `Listing`; returns the folders in it that are to be looked at."""
        entries, unknown = self.scan.entries, self.scan.unknown
        prefix = folder + b"/" if folder else b""
        for name in missing:
            del entries[prefix + name]
        if b".git" in others and not self._repository(folder):
            return []
        inner: list[bytes] = []
        for name in others:
            path = prefix + name
            if path in unknown:
                continue
            try:
                status = os.lstat(self._root + b"/" + path)
            except OSError:
                continue  # gone meanwhile
            if name == b".git" and not (folder and stat.S_ISREG(status.st_mode)):
                continue  # of a submodule, the file that says where its repository is belongs to the tree
            if stat.S_ISREG(status.st_mode):
                self._file(path, status)
            elif stat.S_ISDIR(status.st_mode):
                if self._plain and self._is_heavy(name):
                    self._leave_out(path, "excluded by setting")
                    continue
                entries[path] = Entry(Kind.FOLDER, stat.S_IMODE(status.st_mode), b"")
                inner.append(path)
            else:
                self._other(path, status)
        return inner

    def _file(self, path: bytes, status: os.stat_result) -> None:
        """Take note of a regular file; read it where its stamp is not the known one."""
        known = self._seen.get(path)
        if known is not None and known[0] == stamp(status):
            self.scan.entries[path] = known[1]
        else:
            self._read(path, status)

    def _repository(self, folder: bytes) -> bool:
        """Take note of a git repository's top folder; False where its files are not to be looked at."""
        git = Git.at(Path(os.fsdecode(self._root + b"/" + folder if folder else self._root)))
        if git is None:
            return True
        if folder and self._top is not None and git.is_worktree_of(self._top):
            self._leave_out(folder, "another working tree of this repository")
            return False
        excludes = self._limits.folders
        ignored = git.ignored(excludes, standard=not self._limits.ignored)
        if ignored is None:
            return True
        if not folder:
            self._plain, self._top = False, git
        self.scan.repositories[folder] = git
        prefix = folder + b"/" if folder else b""
        if folder and (git.folder / ".git").is_dir():
            self.scan.excluded.append(f"{shown(prefix)}.git: commits of a nested repository")
        self.scan.unknown.update(prefix + path for path in ignored)
        heavy = [path for path in ignored if os.fsdecode(path.rsplit(b"/", 1)[-1]) in excludes]
        others = sorted(set(ignored) - set(heavy))
        listed = [f"{shown(prefix + path)}: excluded by setting" for path in heavy]
        listed += [f"{shown(prefix + path)}: git ignores it" for path in others[:_IGNORED_LISTED]]
        if len(others) > _IGNORED_LISTED:
            listed.append(
                f"{len(others) - _IGNORED_LISTED} more in {shown(folder) or 'all'}: git ignores them"
            )
        self.scan.excluded += listed
        return True

    def _is_heavy(self, name: bytes) -> bool:
        return os.fsdecode(name) in self._limits.folders + self._limits.plain_folders

    def _leave_out(self, path: bytes, why: str) -> None:
        self.scan.unknown.add(path)
        self.scan.excluded.append(f"{shown(path) or 'the top folder'}: {why}")

    def _read(self, path: bytes, status: os.stat_result) -> None:
        if self._give_up.is_set():
            raise ExecutorError("given_up", "the checkpoint was given up")
        try:
            digest, status = self._blobs.add_file(self._root + b"/" + path, self._limits.max_file_bytes)
        except TooLargeError:
            self.scan.entries[path] = too_large(status)
            self.scan.excluded.append(f"{shown(path)}: larger than {self._limits.max_file_bytes >> 20} MB")
        except RestlessError:
            self.scan.entries[path] = opaque("it changed all the time", 0, time.time_ns())
        except PermissionError:
            self.scan.entries[path] = unreadable(status)
            self.scan.excluded.append(f"{shown(path)}: it cannot be read")
        except (FileNotFoundError, NotADirectoryError):
            pass  # gone meanwhile
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            self._follow_up(path)  # a link was put in its place meanwhile
        else:
            entry = Entry(Kind.FILE, stat.S_IMODE(status.st_mode), digest)
            self.scan.entries[path] = entry
            if _is_racy(status):
                self.scan.racy.append(path)
            else:
                self.scan.seen[path] = (stamp(status), entry)

    def _other(self, path: bytes, status: os.stat_result) -> None:
        if stat.S_ISLNK(status.st_mode):
            try:
                target = os.readlink(self._root + b"/" + path)  # noqa: PTH115 - a Path would decode it
            except OSError:
                return
            self.scan.entries[path] = Entry(Kind.LINK, 0, target)
            return
        entry = self.scan.entries[path] = special(status)
        self.scan.excluded.append(f"{shown(path)}: {entry.why}")

    def _follow_up(self, path: bytes) -> None:
        """Look at one path by itself, never through a link."""
        full = self._root
        for part in path.split(b"/")[:-1]:
            full += b"/" + part
            if not _is_real_folder(full):
                return
        try:
            status = os.lstat(self._root + b"/" + path)
        except OSError:
            return
        if stat.S_ISREG(status.st_mode):
            self._file(path, status)
        elif stat.S_ISDIR(status.st_mode):
            self.scan.entries[path] = Entry(Kind.FOLDER, stat.S_IMODE(status.st_mode), b"")
        else:
            self._other(path, status)


def covered(path: bytes, unknown: set[bytes]) -> bool:
    """Whether a path or a folder above it is among the unknown ones."""
    if not unknown:
        return False
    while path:
        if path in unknown:
            return True
        path = path.rpartition(b"/")[0]
    return b"" in unknown


def _is_real_folder(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_racy(status: os.stat_result) -> bool:
    coarse = status.st_mtime_ns % 1_000_000_000 == 0 and status.st_ctime_ns % 1_000_000_000 == 0
    latest = max(status.st_mtime_ns, status.st_ctime_ns)
    return latest > time.time_ns() - (_RACY_COARSE_NS if coarse else _RACY_NS)
