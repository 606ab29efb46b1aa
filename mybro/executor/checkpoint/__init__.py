"""Checkpoints of a working tree, and undoing jobs by them."""

from mybro.executor.checkpoint.entry import Change, Changes, Checkpoint, Entry, Kept, Kind, Limits, Undone
from mybro.executor.checkpoint.history import History, Step
from mybro.executor.checkpoint.store import CheckpointStore

__all__ = [
    "Change",
    "Changes",
    "Checkpoint",
    "CheckpointStore",
    "Entry",
    "History",
    "Kept",
    "Kind",
    "Limits",
    "Step",
    "Undone",
]
