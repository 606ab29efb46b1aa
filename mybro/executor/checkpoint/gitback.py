"""Brings a repository's own state back, part by part, where nobody went on from what the job left."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mybro.executor.checkpoint.blobs import Blobs
from mybro.executor.checkpoint.entry import Kept, shown
from mybro.executor.checkpoint.git import Git, GitError
from mybro.executor.checkpoint.gitstate import GitState, index_files, ref_words

_CHANGED = "you changed it meanwhile"
_LOCK_WAIT_S = 2.0
_READY = "index.mybro"


@dataclass(slots=True)
class Returned:
    """What came back, and what was left."""

    restored: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)


def restore(git: Git, source: GitState, target: GitState, blobs: Blobs, *, resumed: bool = False) -> Returned:
    """Go from `source`, which a job left, to `target`, part by part, where nobody went on from there.

    `resumed`: an earlier run was cut off, so that a part may be halfway.
    """
    done = Returned()
    clear_index_lock(git.own / "index")
    _guarded(done, "HEAD", lambda: _restore_head(git, source, target, done))
    moved_on = bool(done.kept)
    _guarded(done, "the branches", lambda: _restore_refs(git, source, target, done))
    moved_on = moved_on or any(kept.path.startswith("branch ") for kept in done.kept)
    if moved_on and source.index != target.index:
        done.kept.append(Kept("the index", "you went on from the branch as it is"))
    else:
        _guarded(done, "the index", lambda: _restore_index(git, source, target, blobs, done))
    _guarded(done, "the stash", lambda: _restore_stash(git, source, target, done, resumed))
    _guarded(done, "git's own files", lambda: _restore_files(git, source, target, blobs, done))
    return done


def _guarded(done: Returned, what: str, part: Callable[[], None]) -> None:
    try:
        part()
    except (GitError, OSError) as error:
        done.kept.append(Kept(what, f"git would not: {str(error).partition(chr(10))[0]}"))


def _restore_head(git: Git, source: GitState, target: GitState, done: Returned) -> None:
    now = git.head()
    if source.head == target.head or now == target.head:
        return
    if now != source.head:
        done.kept.append(Kept("HEAD", "you switched the branch meanwhile"))
        return
    if target.head.startswith("ref: "):
        git.run("symbolic-ref", "-m", "mybro: undo", "HEAD", target.head.removeprefix("ref: "))
    else:
        git.run("update-ref", "-m", "mybro: undo", "--no-deref", "HEAD", target.head)
    done.restored.append("HEAD")


def _restore_refs(git: Git, source: GitState, target: GitState, done: Returned) -> None:
    names = sorted(source.refs.keys() | target.refs.keys())
    names = [name for name in names if source.refs.get(name) != target.refs.get(name)]
    if git.has_other_worktrees():  # another agent's branches are not this job's
        heads = {state.head.removeprefix("ref: ") for state in (source, target)}
        names = [name for name in names if name in heads]
    current = git.refs() if names else {}
    for name in names:
        then, wanted, now = source.refs.get(name), target.refs.get(name), current.get(name)
        if now == wanted:
            continue
        if now != then:
            done.kept.append(Kept(ref_words(name), "it moved on meanwhile"))
        elif wanted is None:
            if git.head() == f"ref: {name}" and target.head != f"ref: {name}":
                done.kept.append(Kept(ref_words(name), "you are on it"))
                continue
            git.run("update-ref", "-d", name, then or "")
            done.restored.append(ref_words(name))
        else:
            git.run("update-ref", "-m", "mybro: undo", name, wanted, then or "0" * len(wanted))
            done.restored.append(ref_words(name))


def _restore_index(git: Git, source: GitState, target: GitState, blobs: Blobs, done: Returned) -> None:
    if source.index == target.index:
        return
    index = git.own / "index"
    with index_files(blobs, source.index, target.index) as (source_file, target_file):
        then, wanted, now = (git.index_entries(file) for file in (source_file, target_file, index))
        if then == wanted or now == wanted:
            return
        if now == then:
            _replace_index(index, target_file.read_bytes() if target_file.exists() else None)
            done.restored.append("the index")
            return
    paths = [path for path in then.keys() | wanted.keys() if then.get(path) != wanted.get(path)]
    mine = [path for path in paths if now.get(path) == then.get(path)]
    for path in sorted(set(paths) - set(mine)):
        if now.get(path) != wanted.get(path):
            done.kept.append(Kept(f"the index entry of {shown(path)}", _CHANGED))
    if mine:
        nothing = b"0" * len(next(iter([*then.values(), *wanted.values()]))[0].split()[2])
        lines = [b"0 " + nothing + b"\t" + path + b"\0" for path in mine]
        lines += [entry[2:] + b"\t" + path + b"\0" for path in mine for entry in wanted.get(path, ())]
        git.run("update-index", "-z", "--index-info", stdin=b"".join(lines))
        done.restored.append("the index")


def _restore_stash(git: Git, source: GitState, target: GitState, done: Returned, resumed: bool) -> None:
    if source.stashes == target.stashes or git.has_other_worktrees():
        return
    now = tuple(git.stashes()) if "refs/stash" in git.refs() else ()
    if now == target.stashes:
        return
    halfway = resumed and (_ends_with(source.stashes, now) or _ends_with(target.stashes, now))
    if now != source.stashes and not halfway:
        done.kept.append(Kept("the stash", _CHANGED))
        return
    old, new = list(now), list(target.stashes)
    while old and new and old[-1] == new[-1]:
        old.pop()
        new.pop()
    for _ in old:
        git.run("stash", "drop", "--quiet", "stash@{0}")
    for commit, message in reversed(new):
        git.run("stash", "store", "--quiet", "-m", message, commit)
    done.restored.append("the stash")


def _ends_with(entries: tuple[tuple[str, str], ...], last: tuple[tuple[str, str], ...]) -> bool:
    return not last or entries[-len(last) :] == last


def _restore_files(git: Git, source: GitState, target: GitState, blobs: Blobs, done: Returned) -> None:
    for name in sorted(source.files.keys() | target.files.keys()):
        then, wanted = source.files.get(name), target.files.get(name)
        if then == wanted:
            continue
        file = git.own / name
        now = _file_bytes(file)
        if now == _blob_bytes(wanted, blobs):
            continue
        if now != _blob_bytes(then, blobs):
            done.kept.append(Kept(f".git/{name}", _CHANGED))
            continue
        if wanted is None:
            file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                if file.parent != git.own and file.parent.name not in ("info", "hooks"):
                    file.parent.rmdir()
        else:
            _write(file, wanted[0], blobs.read(bytes.fromhex(wanted[1])))
        done.restored.append(f".git/{name}")


def _replace_index(index: Path, data: bytes | None) -> None:
    """Put an index in place by git's own locking rule: whoever creates `index.lock` may write.

    The lock is a second name of our own finished file, so that one which a crash left is known as ours.
    """
    lock, ready = index.with_name("index.lock"), index.with_name(_READY)
    clear_index_lock(index)
    with ready.open("wb") as file:
        file.write(data or b"")
        file.flush()
        os.fsync(file.fileno())
    deadline = time.monotonic() + _LOCK_WAIT_S
    try:
        while not _linked(ready, lock):
            if time.monotonic() > deadline:
                raise GitError("another git is busy with the index")
            time.sleep(0.05)
        if data is None:
            index.unlink(missing_ok=True)
            lock.unlink()
        else:
            lock.replace(index)
    finally:
        ready.unlink(missing_ok=True)


def clear_index_lock(index: Path) -> None:
    """Remove what a crash left of `_replace_index`."""
    lock, ready = index.with_name("index.lock"), index.with_name(_READY)
    with contextlib.suppress(FileNotFoundError):
        if lock.samefile(ready):
            lock.unlink()
    ready.unlink(missing_ok=True)


def _linked(ready: Path, lock: Path) -> bool:
    try:
        lock.hardlink_to(ready)
    except FileExistsError:
        return False
    return True


def _file_bytes(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _blob_bytes(kept: tuple[int, str] | None, blobs: Blobs) -> bytes | None:
    return None if kept is None else blobs.read(bytes.fromhex(kept[1]))


def _write(file: Path, mode: int, data: bytes) -> None:
    file.parent.mkdir(exist_ok=True)
    temporary = file.with_name(".mybro-undo")  # one name, so that what a crash leaves is used up
    try:
        temporary.write_bytes(data)
        temporary.chmod(mode)
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
