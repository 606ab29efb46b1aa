"""Checkpoints of one working tree: taken before and after a job, so that the job can be undone exactly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.checkpoint import database, gitback, gitstate
from mybro.executor.checkpoint.blobs import Blobs
from mybro.executor.checkpoint.entry import Change, Changes, Checkpoint, Entry, Limits, Undone, shown
from mybro.executor.checkpoint.git import Git, GitError
from mybro.executor.checkpoint.gitstate import GitState
from mybro.executor.checkpoint.lock import FileLock
from mybro.executor.checkpoint.place import NoFolderError, Place
from mybro.executor.checkpoint.restore import Restored, Restorer
from mybro.executor.checkpoint.scan import Scanner, Seen, covered
from mybro.executor.checkpoint.stamps import Stamps, make_stamps

_LOCK_TIMEOUT_S = 60.0


def repository_key(repo: Path) -> str:
    """The name of a repository's folder among the checkpoints: readable, and one per place."""
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in repo.name)[:40]
    return f"{name or 'root'}-{hashlib.sha256(os.fsencode(repo)).hexdigest()[:16]}"


class CheckpointStore:
    """The checkpoints of one working tree. Everything blocks: call it from a thread.

    What is in a checkpoint: every file, link and folder with its permission bits, apart from what git
    ignores, from what `Limits` excludes and from `.git`; of each repository in the tree (submodules and
    nested ones too) HEAD, branches, tags, stash, index, hooks, configuration and unfinished operations.
    Not in it: owners, extended attributes, time stamps, remote-tracking branches.
    """

    def __init__(self, root: Path, repo: Path, limits: Limits | None = None) -> None:
        """`root` holds the checkpoints of all repositories."""
        self.repo = repo.resolve()
        self.folder = root / repository_key(self.repo)
        self.limits = limits or Limits()
        with database.readable_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.db = database.open_database(self.folder / "checkpoints.db")
            self.blobs = Blobs(self.db, self.folder / "blobs")
        self._threads = threading.RLock()
        self._lock = FileLock(self.folder / "lock")
        self._latest: dict[bytes, Entry] = {}
        self._seen: Seen = {}
        self._stamps: Stamps = make_stamps()
        self._version: int | None = None

    def close(self) -> None:
        with self._threads:
            self.db.close()

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other threads and processes away from these checkpoints."""
        with self._threads, database.readable_errors(self.folder):
            outermost = not self._lock.held
            if outermost and not self._lock.acquire(_LOCK_TIMEOUT_S):
                owner = self._lock.owner()
                raise ExecutorError(
                    "checkpoints_locked", f"process {owner} is busy with this repository's checkpoints",
                    retryable=True,
                )  # fmt: skip
            try:
                yield
            finally:
                if outermost:
                    self._lock.release()

    def take(self, label: str, give_up: threading.Event | None = None) -> Checkpoint:
        """Note the state of the whole tree.

        Raises `ExecutorError`: disk_full, checkpoints_locked, checkpoint_failed, and given_up soon after
        `give_up` is set. Then there is none.
        """
        with self.exclusive():
            self._refresh()
            try:
                with database.transaction(self.db):
                    return self._take(label, give_up or threading.Event())
            except BaseException:
                self._version = None
                raise

    def changes(self, before: int, after: int) -> Changes:
        """What differs between two checkpoints, the older first."""
        with self.exclusive():
            states = self._git_states(before), self._git_states(after)
            words: list[str] = []
            for folder in sorted(states[0].keys() | states[1].keys()):
                one, other = states[0].get(folder), states[1].get(folder)
                found = list(gitstate.differences(one, other))
                git = Git.at(self._path(folder))
                if one and other and git and gitstate.index_differs(git, one, other, self.blobs):
                    found.append("the index")
                words += [f"{word} of {shown(folder)}" if folder else word for word in found]
            return Changes(tuple(self._path_changes(before, after)), tuple(words))

    def undo(self, before: int, after: int, *, step: int | None = None) -> Undone:
        """Take back what happened between two checkpoints, and nothing that happened since.

        `step` is marked as undone together with it. Raises `ExecutorError` disk_full; then part of it has
        come back, and undoing again goes on.
        """
        return self._bring_back(after, before, step)

    def redo(self, before: int, after: int, *, step: int | None = None) -> Undone:
        """Do again what `undo` took back."""
        return self._bring_back(before, after, step)

    def resume(self) -> list[Undone]:
        """Finish what a crash cut off, and remove what it left."""
        with self.exclusive():
            self.blobs.sweep()
            rows = self.db.execute("SELECT number FROM restoring ORDER BY number").fetchall()
            return [self._carry_out(row[0], resumed=True) for row in rows]

    # ------------------------------------------------------------------------ taking

    def _refresh(self) -> None:
        """Have in memory what the database says; another process may have written."""
        version = self.db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._latest = database.load_latest(self.db)
            self._seen = database.load_seen(self.db, self._latest)
            self._stamps = make_stamps()
            self._stamps.put([(path, seen[0]) for path, seen in self._seen.items()])
            self._version = version

    def _take(self, label: str, give_up: threading.Event) -> Checkpoint:
        at = time.time()
        scanner = Scanner(self.repo, self.limits, self.blobs, self._seen, self._stamps, give_up)
        scan = scanner.run(self._latest)
        states = {}
        for folder, git in scan.repositories.items():
            with contextlib.suppress(GitError):
                states[os.fsdecode(folder)] = gitstate.capture(git, self.blobs).model_dump()
        excluded = tuple(sorted(scan.excluded))
        row = (label, at, json.dumps(states), b"\0".join(sorted(scan.unknown)), json.dumps(excluded))
        cursor = self.db.execute(
            "INSERT INTO checkpoint (label, at, git, unknown, excluded) VALUES (?, ?, ?, ?, ?)", row
        )
        number = int(cursor.lastrowid or 0)
        database.save_entries(self.db, number, self._latest, scan.entries)
        forgotten = [
            path for path in (*scan.racy, *(self._seen.keys() - scan.entries.keys())) if path in self._seen
        ]
        database.save_seen(self.db, scan.seen, forgotten)
        self._latest = scan.entries
        for path in forgotten:
            del self._seen[path]
        self._seen.update(scan.seen)
        self._stamps.forget(forgotten)
        self._stamps.put([(path, seen[0]) for path, seen in scan.seen.items()])
        return Checkpoint(number, label, at, excluded)

    # ------------------------------------------------------------------------ comparing

    def _path_changes(self, before: int, after: int) -> list[Change]:
        unknown_before, unknown_after = self._unknown(before), self._unknown(after)
        return [
            change
            for change in database.changes_between(self.db, before, after)
            if not (change.before is None and covered(change.path, unknown_before))
            and not (change.after is None and covered(change.path, unknown_after))
        ]

    def _unknown(self, checkpoint: int) -> set[bytes]:
        row = self.db.execute("SELECT unknown FROM checkpoint WHERE id = ?", (checkpoint,)).fetchone()
        if row is None:
            raise ExecutorError("no_such_checkpoint", f"checkpoint {checkpoint} is no longer kept")
        return set(row[0].split(b"\0")) if row[0] else set()

    def _git_states(self, checkpoint: int) -> dict[bytes, GitState]:
        row = self.db.execute("SELECT git FROM checkpoint WHERE id = ?", (checkpoint,)).fetchone()
        if row is None:
            raise ExecutorError("no_such_checkpoint", f"checkpoint {checkpoint} is no longer kept")
        return {os.fsencode(k): GitState.model_validate(v) for k, v in json.loads(row[0]).items()}

    def _path(self, folder: bytes) -> Path:
        return self.repo / os.fsdecode(folder) if folder else self.repo

    # ------------------------------------------------------------------------ bringing back

    def _bring_back(self, source: int, target: int, step: int | None) -> Undone:
        with self.exclusive():
            changes = self._wanted(source, target)
            name = f".mybro-undo-{os.urandom(4).hex()}"
            with self._place() as place:
                restorer = Restorer(place, self.blobs, name.encode())
                todo = restorer.plan(changes)
                restorer.check_room(todo, shutil.disk_usage(self.repo).free)
            with database.transaction(self.db):
                paths = b"\0".join(change.path for change in todo)
                cursor = self.db.execute(
                    "INSERT INTO restoring (source, target, step, name, paths) VALUES (?, ?, ?, ?, ?)",
                    (source, target, step, name, paths),
                )
            return self._carry_out(int(cursor.lastrowid or 0), restorer.kept)

    def _wanted(self, source: int, target: int) -> list[Change]:
        """The changes seen from where we are to where we want to be: `before` is wanted."""
        if target < source:
            return self._path_changes(target, source)
        return [Change(c.path, c.after, c.before) for c in self._path_changes(source, target)]

    def _carry_out(self, row: int, kept: dict[bytes, str] | None = None, *, resumed: bool = False) -> Undone:
        """Do what is written down in the row, then strike it out."""
        source, target, step, name, packed = self.db.execute(
            "SELECT source, target, step, name, paths FROM restoring WHERE number = ?", (row,)
        ).fetchone()
        paths = set(packed.split(b"\0")) if packed else set()
        todo = [change for change in self._wanted(source, target) if change.path in paths]
        try:
            with self._place() as place:
                if resumed:
                    for folder in {path.rpartition(b"/")[0] for path in paths}:
                        place.discard(folder, name.encode())
                done = Restorer(place, self.blobs, name.encode(), kept).apply(todo, resumed=resumed)
                self._tighten(place, paths)
            undone = self._finish_git(source, target, done, resumed)
        except ExecutorError:
            with contextlib.suppress(sqlite3.Error), database.transaction(self.db):
                self.db.execute("DELETE FROM restoring WHERE number = ?", (row,))
            raise
        with database.transaction(self.db):
            self.db.execute("DELETE FROM restoring WHERE number = ?", (row,))
            state = "undone" if target < source else "done"
            self.db.execute("UPDATE step SET state = ? WHERE number = ?", (state, step))
        return undone

    def _finish_git(self, source: int, target: int, done: Restored, resumed: bool) -> Undone:
        restored, kept = [], list(done.reasons())
        sources, targets = self._git_states(source), self._git_states(target)
        for folder, wanted in sorted(targets.items()):
            git = Git.at(self._path(folder))
            # One that was gone is back by now, as it was last used.
            left = sources.get(folder) or (gitstate.capture(git, self.blobs) if git is not None else None)
            if git is not None and left is not None and left != wanted:
                returned = gitback.restore(git, left, wanted, self.blobs, resumed=resumed)
                restored += returned.restored
                kept += returned.kept
        return Undone(tuple(shown(path) for path in sorted(done.paths)), tuple(kept), tuple(restored))

    @contextlib.contextmanager
    def _place(self) -> Iterator[Place]:
        place = Place(self.repo, self.limits.max_file_bytes, self._loosened)
        try:
            yield place
        finally:
            place.close()

    def _loosened(self, path: bytes, mode: int) -> None:
        with database.transaction(self.db):
            self.db.execute("INSERT OR IGNORE INTO loosened VALUES (?, ?)", (path, mode))

    def _tighten(self, place: Place, settled: set[bytes]) -> None:
        """Give folders that were opened up for writing their mode back."""
        for path, mode in self.db.execute("SELECT path, mode FROM loosened ORDER BY path DESC").fetchall():
            if path not in settled:
                with contextlib.suppress(NoFolderError, FileNotFoundError):
                    place.set_mode(path, mode)
        with database.transaction(self.db):
            self.db.execute("DELETE FROM loosened")

    # ------------------------------------------------------------------------ forgetting

    def bytes_kept(self) -> int:
        """How much the kept contents take."""
        row = self.db.execute("SELECT COALESCE(SUM(size), 0) FROM blob").fetchone()
        return int(row[0])

    def forget_unused(self, used: set[int]) -> None:
        """Forget every checkpoint that is not in `used`, but for the newest, and contents nobody needs."""
        with self.exclusive():
            with database.transaction(self.db):
                database.drop_checkpoints(self.db, used)
                needed = database.entry_digests(self.db)
                for (text,) in self.db.execute("SELECT git FROM checkpoint"):
                    for state in json.loads(text).values():
                        needed |= set(GitState.model_validate(state).digests())
                every = {row[0] for row in self.db.execute("SELECT digest FROM blob")}
                self.blobs.drop(every - needed)
            self.db.execute("PRAGMA incremental_vacuum").fetchall()  # each row frees a page
            self.blobs.sweep()
