"""The memory: every utterance, what it was understood as, and what came of it, in SQLite."""

from mybro.journal.archive import Archive
from mybro.journal.journal import Journal
from mybro.journal.records import (
    DayCost,
    Deletion,
    EventRecord,
    Filter,
    JobCost,
    JobRecord,
    SessionCost,
    State,
    Unfinished,
    UtteranceRecord,
)

__all__ = [
    "Archive",
    "DayCost",
    "Deletion",
    "EventRecord",
    "Filter",
    "JobCost",
    "JobRecord",
    "Journal",
    "SessionCost",
    "State",
    "Unfinished",
    "UtteranceRecord",
]
