"""What the newest job made outside the working tree, which no checkpoint holds."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from mybro.events import Outcome
from mybro.executor.words import joined


@dataclass(frozen=True, slots=True)
class Made:
    """A folder as a job left it."""

    path: Path
    files: dict[str, str]
    """By path inside it: a file's SHA-256, a link's target."""

    @classmethod
    def at(cls, path: Path) -> Made:
        return cls(path, _contents(path))


class Outside:
    """Kept in a file, so that another mybro in the same repository can take it back. Everything blocks."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._job: int | None = None

    def remember(self, job: int, made: list[Made]) -> None:
        """`job` is the newest that changed something; what an older one made is forgotten."""
        self._job = job
        with contextlib.suppress(OSError):
            if made:
                rows = [{"path": str(each.path), "files": each.files} for each in made]
                self._file.write_text(json.dumps(rows), encoding="utf-8")
            else:
                self._file.unlink(missing_ok=True)

    def take_back(self, job: int | None = None) -> Outcome | None:
        """Remove what the newest job made, or this job if it is that one; None where there is nothing."""
        if job is not None and job != self._job:
            return None
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            made = [Made(Path(row["path"]), row["files"]) for row in rows]
            self._file.unlink()
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return joined(*map(_remove, made)) if made else None


def _remove(made: Made) -> Outcome:
    """Where nobody has done anything in it since."""
    name = made.path.name
    if not made.path.is_dir() or made.path.is_symlink():
        return Outcome(f"{name} is no longer there.", ok=False)
    if _files(made.path).keys() != made.files.keys() or _contents(made.path) != made.files:
        said = f"I left {name}, because something was done in it since."
        return Outcome(said, ok=False, detail=f"To be rid of it, delete {made.path}")
    try:
        shutil.rmtree(made.path)
    except OSError as error:
        return Outcome(f"{name} could not be removed.", ok=False, detail=str(error))
    return Outcome(f"Undone: {name} is gone.", detail=str(made.path))


def _contents(folder: Path) -> dict[str, str]:
    return {
        name: str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in _files(folder).items()
    }


def _files(folder: Path) -> dict[str, Path]:
    """Every file and link; of git where its branches point to, not what it keeps for itself."""
    found = {path.relative_to(folder).parts: path for path in folder.rglob("*")}
    return {
        "/".join(parts): path
        for parts, path in found.items()
        if (path.is_file() or path.is_symlink())
        and (parts[0] != ".git" or parts[1] in ("HEAD", "refs", "packed-refs", "config"))
    }
