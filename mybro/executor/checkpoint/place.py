"""A working tree, reached without ever following a symbolic link below its top folder.

Every step goes through an open folder, so that a folder which is swapped for a link cannot lead outside.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from mybro.executor.checkpoint.blobs import CHUNK
from mybro.executor.checkpoint.entry import PIPE, SOCKET, Entry, Kind, opaque

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ALWAYS_FOLDS: bool = sys.platform == "darwin"


class NoFolderError(Exception):
    """A path's folder does not exist, or something that is no folder is in its place."""

    def __init__(self, missing: bool) -> None:
        super().__init__("missing" if missing else "not a folder")
        self.missing = missing


class Place:
    """One working tree, for the time of one undo."""

    def __init__(self, root: Path, max_file_bytes: int, loosened: Callable[[bytes, int], None]) -> None:
        """`loosened(path, mode)` is told before a folder without write permission is opened up."""
        self._max_file_bytes = max_file_bytes
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._loosened = loosened
        self._folds_names = _folds_names(root)

    def close(self) -> None:
        os.close(self._root)

    @contextlib.contextmanager
    def parent(self, path: bytes, *, writable: bool = False) -> Iterator[tuple[int, bytes]]:
        """The open folder of a path, and the path's last name. Raises `NoFolderError`."""
        *folders, name = path.split(b"/")
        handle = os.dup(self._root)
        try:
            for depth, folder in enumerate(folders, start=1):
                inner = self._enter(handle, folder, b"/".join(folders[:depth]))
                os.close(handle)
                handle = inner
            if writable and os.geteuid() != 0:
                self._make_writable(handle, b"/".join(folders))
            yield handle, name
        finally:
            os.close(handle)

    def state(self, path: bytes) -> Entry | None:
        """What is at a path now; None for nothing."""
        try:
            with self.parent(path) as (folder, name):
                return self._state(folder, name)
        except NoFolderError:
            return None

    def remove(self, path: bytes) -> None:
        """Remove a file, link or special file."""
        with self.parent(path, writable=True) as (folder, name):
            os.unlink(name, dir_fd=folder)

    def remove_folder(self, path: bytes, caches: Sequence[bytes] = ()) -> None:
        """Remove a folder that is empty, or holds nothing but folders of these names."""
        with self.parent(path, writable=True) as (folder, name):
            self._empty(folder, name, path, caches)
            os.rmdir(name, dir_fd=folder)

    def _empty(self, folder: int, name: bytes, path: bytes, caches: Sequence[bytes]) -> None:
        handle = self._enter(folder, name, path)
        try:
            inner = os.listdir(handle)  # noqa: PTH208 - an open folder, not a path
            if inner and all(os.fsencode(one) in caches for one in inner):
                for one in inner:
                    shutil.rmtree(one, ignore_errors=True, dir_fd=handle)
        finally:
            os.close(handle)

    def make_folder(self, path: bytes) -> None:
        """Make a folder that its owner can work in; its final mode comes last."""
        with self.parent(path, writable=True) as (folder, name):
            os.mkdir(name, 0o700, dir_fd=folder)

    def set_mode(self, path: bytes, mode: int) -> None:
        with self.parent(path) as (folder, name):
            os.chmod(name, mode, dir_fd=folder)

    def put_file(self, path: bytes, mode: int, chunks: Iterable[bytes], temporary: bytes) -> None:
        """Have a file with these bytes at a path, at once and whole."""
        with self.parent(path, writable=True) as (folder, name), _removed(folder, temporary):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(temporary, flags, 0o600, dir_fd=folder)
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fchmod(handle, mode)
                os.fsync(handle)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def put_link(self, path: bytes, target: bytes, temporary: bytes) -> None:
        """Have a symbolic link at a path, in place of a file or link or of nothing."""
        with self.parent(path, writable=True) as (folder, name), _removed(folder, temporary):
            os.symlink(target, temporary, dir_fd=folder)
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)

    def discard(self, folder_path: bytes, temporary: bytes) -> None:
        """Remove a temporary file that a crash left beside `folder_path`'s files."""
        with (
            contextlib.suppress(NoFolderError, FileNotFoundError),
            self.parent(folder_path + b"/" + temporary if folder_path else temporary) as (folder, name),
        ):
            os.unlink(name, dir_fd=folder)

    def _enter(self, folder: int, name: bytes, path: bytes) -> int:
        try:
            if self._folds_names and os.fsdecode(name) not in os.listdir(folder):
                raise NoFolderError(missing=True)
            return os.open(name, _FOLDER, dir_fd=folder)
        except FileNotFoundError:
            raise NoFolderError(missing=True) from None
        except PermissionError:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o700 == 0o700:
                raise
            self._loosened(path, stat.S_IMODE(status.st_mode))
            os.chmod(name, stat.S_IMODE(status.st_mode) | 0o700, dir_fd=folder)
            return os.open(name, _FOLDER, dir_fd=folder)
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                raise NoFolderError(missing=False) from None
            raise

    def _make_writable(self, folder: int, path: bytes) -> None:
        mode = stat.S_IMODE(os.fstat(folder).st_mode)
        if mode & 0o300 != 0o300:
            self._loosened(path, mode)
            os.fchmod(folder, mode | 0o700)

    def _state(self, folder: int, name: bytes) -> Entry | None:
        try:
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if self._folds_names and os.fsdecode(name) not in os.listdir(folder):
                return None  # another spelling of the name is there
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISDIR(status.st_mode):
                return Entry(Kind.FOLDER, mode, b"")
            if stat.S_ISLNK(status.st_mode):
                return Entry(Kind.LINK, 0, os.readlink(name, dir_fd=folder))
            if stat.S_ISREG(status.st_mode) and status.st_size > self._max_file_bytes:
                return too_large(status)
            if stat.S_ISREG(status.st_mode):
                return _file_state(folder, name, mode)
            return special(status)
        except FileNotFoundError:
            return None


def special(status: os.stat_result) -> Entry:
    """The entry of a file that is neither regular nor a folder nor a link."""
    if stat.S_ISSOCK(status.st_mode):
        what = SOCKET
    else:
        what = PIPE if stat.S_ISFIFO(status.st_mode) else "it is a device"
    return opaque(what, stat.S_IMODE(status.st_mode))


def _file_state(folder: int, name: bytes, mode: int) -> Entry:
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except PermissionError:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        return unreadable(status)
    digest = hashlib.sha256()
    try:
        while chunk := os.read(handle, CHUNK):
            digest.update(chunk)
    finally:
        os.close(handle)
    return Entry(Kind.FILE, mode, digest.digest())


def unreadable(status: os.stat_result) -> Entry:
    """The entry of a file that may not be read."""
    return opaque("it cannot be read", stat.S_IMODE(status.st_mode), status.st_size, status.st_mtime_ns)


def too_large(status: os.stat_result) -> Entry:
    """The entry of a file over the limit."""
    return opaque("it is too large", stat.S_IMODE(status.st_mode), status.st_size, status.st_mtime_ns)


@contextlib.contextmanager
def _removed(folder: int, temporary: bytes) -> Iterator[None]:
    """Leave no temporary file, whatever happens; one from an interrupted run goes first."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary, dir_fd=folder)
    try:
        yield
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)


def _folds_names(root: Path) -> bool:
    """Whether one file may answer to several spellings of its name."""
    if _ALWAYS_FOLDS:
        return True
    swapped = root.with_name(root.name.swapcase())
    return swapped != root and swapped.exists() and swapped.samefile(root)
