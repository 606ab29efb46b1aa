"""Takes paths from one known state to another, leaving alone what somebody changed in between.

Every step may be repeated: a path that already is as wanted is left, so that an undo which was cut off by a
crash is finished by running it again.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mybro.errors import ExecutorError
from mybro.executor.checkpoint.blobs import Blobs
from mybro.executor.checkpoint.entry import PIPE, SOCKET, Change, Entry, Kept, Kind, shown
from mybro.executor.checkpoint.place import NoFolderError, Place

_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}

_REMOVABLE = (SOCKET, PIPE)
"""Special files hold nothing, so that one which a job left may go."""


@dataclass(slots=True)
class Restored:
    """What came of it."""

    paths: list[bytes] = field(default_factory=list)
    kept: dict[bytes, str] = field(default_factory=dict)
    """Path to reason."""

    def reasons(self) -> tuple[Kept, ...]:
        """What was kept, without folders that were kept only for what is in them."""
        inner = {path.rpartition(b"/")[0] for path in self.kept}
        shown_paths = [p for p in sorted(self.kept) if p not in inner or self.kept[p] != _NOT_EMPTY]
        return tuple(Kept(shown(path), self.kept[path]) for path in shown_paths)


_CACHES = (b"__pycache__", b".pytest_cache", b".mypy_cache", b".ruff_cache")
"""Made again by the next run: no reason to keep a folder that a job made."""

_NOT_EMPTY = "there is something else in it"
_CHANGED = "you changed it meanwhile"


class Restorer:
    """Brings back paths. In a `Change`, `before` is what is wanted and `after` what a job left."""

    def __init__(
        self, place: Place, blobs: Blobs, temporary: bytes, kept: dict[bytes, str] | None = None
    ) -> None:
        """`kept`: what an earlier `plan` left alone."""
        self._place = place
        self._blobs = blobs
        self._temporary = temporary
        self._resumed = False
        self._done = Restored(kept=dict(kept or {}))

    @property
    def kept(self) -> dict[bytes, str]:
        return self._done.kept

    def plan(self, changes: Sequence[Change]) -> list[Change]:
        """Those changes that are to be taken back; the others are noted as kept."""
        todo: list[Change] = []
        for change in changes:
            now = self._place.state(change.path)
            if now == change.before:
                continue
            if now != change.after:
                self._done.kept[change.path] = "you deleted it meanwhile" if now is None else _CHANGED
            elif change.before is not None and change.before.kind is Kind.OPAQUE:
                self._done.kept[change.path] = f"its contents were not kept: {change.before.why}"
            elif change.before is None and now is not None and _is_lost(now):
                self._done.kept[change.path] = f"it could not be brought back afterwards: {now.why}"
            else:
                todo.append(change)
        return todo

    def check_room(self, todo: Sequence[Change], free_bytes: int) -> None:
        """Raises `ExecutorError` where what is to be written does not fit."""
        files = [c.before for c in todo if c.before is not None and c.before.kind is Kind.FILE]
        if sum(self._blobs.size(entry.data) for entry in files) > free_bytes:
            raise disk_full()

    def apply(self, todo: Sequence[Change], *, resumed: bool = False) -> Restored:
        """Do it: first what goes, deepest first, then what comes, then the modes of folders.

        `resumed`: an earlier run was cut off, so that a path may be halfway. Raises `ExecutorError`
        where the disk is full; what has come back by then stays, and running again goes on.
        """
        self._resumed = resumed
        deepest_first = sorted(todo, key=lambda change: change.path, reverse=True)
        for change in deepest_first:
            if change.after is not None and not _replaces(change):
                self._step(change, self._remove)
        for change in reversed(deepest_first):
            if change.before is not None and change.path not in self._done.kept:
                self._step(change, self._create)
        for change in deepest_first:
            if change.before is not None and change.before.kind is Kind.FOLDER:
                self._step(change, self._finish_folder)
        self._done.paths = [change.path for change in todo if change.path not in self._done.kept]
        return self._done

    def _step(self, change: Change, step: Callable[[Change], None]) -> None:
        try:
            step(change)
        except NoFolderError as error:
            missing = "its folder is gone" if error.missing else "something else is where its folder was"
            self._done.kept[change.path] = missing
        except OSError as error:
            if error.errno in _FATAL:
                raise disk_full(error) from error
            reason = (
                _NOT_EMPTY if error.errno in (errno.ENOTEMPTY, errno.EEXIST) else (error.strerror or "error")
            )
            self._done.kept[change.path] = reason

    def _remove(self, change: Change) -> None:
        now = self._place.state(change.path)
        wanted = change.before.kind if change.before is not None else None
        if now is None or now == change.before or (now.kind is wanted is Kind.FOLDER):
            return  # gone already, or there already but for its mode
        if not self._is_ours(now, change):
            self._done.kept[change.path] = _CHANGED
        elif now.kind is Kind.FOLDER:
            self._place.remove_folder(change.path, _CACHES)
        else:
            self._place.remove(change.path)

    def _create(self, change: Change) -> None:
        wanted, now = change.before, self._place.state(change.path)
        if wanted is None or now == wanted:
            return
        if wanted.kind is Kind.FOLDER:
            if now is None:
                self._place.make_folder(change.path)
            elif now.kind is not Kind.FOLDER:
                self._done.kept[change.path] = _CHANGED
            return
        if now is not None and not self._is_ours(now, change):
            self._done.kept[change.path] = _CHANGED
        elif wanted.kind is Kind.LINK:
            self._place.put_link(change.path, wanted.data, self._temporary)
        elif now is not None and now.kind is Kind.FILE and now.data == wanted.data:
            self._place.set_mode(change.path, wanted.mode)
        else:
            chunks = self._blobs.chunks(wanted.data)
            self._place.put_file(change.path, wanted.mode, chunks, self._temporary)

    def _finish_folder(self, change: Change) -> None:
        if change.before is not None and change.path not in self._done.kept:
            self._place.set_mode(change.path, change.before.mode)

    def _is_ours(self, now: Entry, change: Change) -> bool:
        """Whether what is there is what the job left, or a step of ours on the way from it."""
        if now == change.after or now == change.before:
            return True
        if now.kind is Kind.FOLDER and change.after is not None and change.after.kind is Kind.FOLDER:
            return True  # opened up for writing, or its mode is not set yet
        return self._resumed and change.after is not None and now.data == change.after.data


def _replaces(change: Change) -> bool:
    """Whether what comes can be put over what goes in one step."""
    if change.before is None or change.after is None:
        return False
    if change.before.kind is Kind.FOLDER:
        return change.after.kind is Kind.FOLDER
    return change.after.kind is not Kind.FOLDER


def _is_lost(entry: Entry) -> bool:
    return entry.kind is Kind.OPAQUE and entry.why not in _REMOVABLE


def disk_full(error: OSError | None = None) -> ExecutorError:
    """What to raise where nothing more can be written."""
    if error is not None and error.errno == errno.EROFS:
        return ExecutorError("read_only", "the disk may only be read", hint="Nothing more was changed.")
    if error is not None and error.errno == errno.EIO:
        return ExecutorError("disk_error", f"the disk does not answer: {os.strerror(errno.EIO)}")
    return ExecutorError("disk_full", "the disk is full", hint="Make room and say it again.", retryable=True)
