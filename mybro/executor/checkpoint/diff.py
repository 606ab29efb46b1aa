"""What differs between two checkpoints, as text that `git apply` takes for whatever is text."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from mybro.executor.checkpoint.entry import Change, Entry, Kind, shown
from mybro.executor.checkpoint.store import CheckpointStore

MOST_FILES = 500
MOST_CHARACTERS = 1 << 20
_MOST_BYTES = 1 << 20
"""Of one file; larger ones are only named."""
_MOST_LINES = 20_000
_NO_END = "\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a job changed."""

    text: str
    files: tuple[str, ...]
    """Printable paths."""
    whole: bool
    """Whether the text has all of it: no file was left out, and none is too large or no text."""


def difference(store: CheckpointStore, before: int, after: int) -> Difference:
    """From one checkpoint to the other, the older first. Blocks.

    Raises `ExecutorError` no_such_checkpoint, checkpoints_locked.
    """
    with store.exclusive():
        changes = [c for c in store.changes(before, after).paths if not _is_folder(c)]
        parts, size, whole = [], 0, len(changes) <= MOST_FILES
        for change in changes[:MOST_FILES]:
            part, exact = _one(store, change)
            whole = whole and exact
            if size + len(part) > MOST_CHARACTERS:
                whole = False
                break
            parts.append(part)
            size += len(part)
    return Difference("".join(parts), tuple(shown(change.path) for change in changes), whole)


def _is_folder(change: Change) -> bool:
    return all(entry is None or entry.kind is Kind.FOLDER for entry in (change.before, change.after))


def _one(store: CheckpointStore, change: Change) -> tuple[str, bool]:
    """One path's part, and whether it tells all."""
    name = shown(change.path)
    head = [f"diff --git a/{name} b/{name}\n", *_modes(change)]
    old, new = _text(store, change.before), _text(store, change.after)
    if old is None or new is None:
        return "".join([*head, f"Binary files a/{name} and b/{name} differ\n"]), False
    sides = (
        f"a/{name}" if change.before else "/dev/null",
        f"b/{name}" if change.after else "/dev/null",
    )
    lines = difflib.unified_diff(old, new, *sides)
    return "".join([*head, *(line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines)]), True


def _modes(change: Change) -> list[str]:
    before, after = _mode(change.before), _mode(change.after)
    if before is None and after is not None:
        return [f"new file mode {after}\n"]
    if after is None and before is not None:
        return [f"deleted file mode {before}\n"]
    return [f"old mode {before}\n", f"new mode {after}\n"] if before != after else []


def _mode(entry: Entry | None) -> str | None:
    """As git has it, which knows of a file's mode only whether it may be run."""
    if entry is None or entry.kind is Kind.FOLDER:
        return None
    return "120000" if entry.kind is Kind.LINK else "100755" if entry.mode & 0o100 else "100644"


def _text(store: CheckpointStore, entry: Entry | None) -> list[str] | None:
    """The lines, with their ends; None for what is no text or too large."""
    if entry is None or entry.kind is Kind.FOLDER:
        return []
    if entry.kind is Kind.OPAQUE or (entry.kind is Kind.FILE and store.blobs.size(entry.data) > _MOST_BYTES):
        return None
    data = entry.data if entry.kind is Kind.LINK else store.blobs.read(entry.data)
    if b"\0" in data:
        return None
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        return None
    ended = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    return ended if len(ended) <= _MOST_LINES else None
