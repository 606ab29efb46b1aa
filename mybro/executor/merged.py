"""What a merge brought, or why git refused, and how one says it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.executor.checkpoint.git import GitError
from mybro.executor.words import count_words, listed, lock_words

_ASKED = re.compile(
    r"(?:please\s+)?merge\s+(?:the\s+)?(?P<one>[\w-]+)\s+agent(?:['’]?s)?(?:\s+(?:work|changes|branch))?[.!]?"
    r"|(?:please\s+)?merge\s+the\s+(?:work|changes)\s+of\s+(?:the\s+)?(?P<other>[\w-]+)\s+agent[.!]?",
    re.IGNORECASE,
)


def whose_work(text: str) -> str | None:
    """The agent whose work is to be merged, as it is called; None for a sentence that asks for no merge."""
    found = _ASKED.fullmatch(text.strip())
    return (found["one"] or found["other"]) if found is not None else None


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge brought, or why it brought nothing."""

    files: tuple[str, ...] = ()
    added: int = 0
    """Lines, as are the removed ones."""
    removed: int = 0
    listing: str = ""
    """Each file with its lines, to be shown."""
    conflicts: tuple[str, ...] = ()
    """The files that both sides changed; then nothing was merged."""
    kept: Path | None = None
    """Where files are now that git ignores and nothing makes again."""

    @classmethod
    def told(cls, numstat: str) -> Merged:
        """Read from `git diff --numstat -z --no-renames`."""
        rows = [row.split("\t", 2) for row in numstat.split("\0") if row]
        added, removed = (sum(int(row[side]) for row in rows if row[side].isdigit()) for side in (0, 1))
        listing = "\n".join(f"+{more} -{less}  {path}" for more, less, path in rows)
        return cls(tuple(path for _, _, path in rows), added, removed, listing)

    @property
    def shown(self) -> str:
        """The listing, and what became of what git ignores."""
        kept = f"what git ignores there is kept in {self.kept}" if self.kept else ""
        return "\n".join(filter(None, (self.listing, kept)))

    @property
    def words(self) -> str:
        """As in "2 files, 10 lines added and 3 removed: a.py and b.py"."""
        if not self.files:
            return "nothing new"
        lines = f"{count_words(self.added, 'line')} added and {self.removed} removed"
        return f"{count_words(len(self.files), 'file')}, {lines}: {listed(self.files)}"


def refusal(error: GitError, code: str, what: str) -> ExecutorError:
    """Why git does not do it; what it would write over it names in lines of their own."""
    lines = str(error).splitlines()
    files = [line.strip() for line in lines if line.startswith("\t")]
    why = f"it would write over {listed(files)}" if files else lock_words(str(error)) or lines[-1]
    hint = "Commit or undo your own changes to these files first" if files else ""
    return ExecutorError(code, f"{what}: {why}", hint=hint)
