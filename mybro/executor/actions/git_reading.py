"""What git can tell without changing anything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.sources import find_path
from mybro.executor.actions.work import Work, printable
from mybro.executor.checkpoint.git import Git
from mybro.executor.words import count_words, files_words, listed


@dataclass(slots=True)
class Status:
    """`git status`, taken apart."""

    branch: str | None = None
    """None where HEAD is detached."""
    upstream: str | None = None
    ahead: int = 0
    behind: int = 0
    unborn: bool = False
    staged: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    untracked: list[str] = field(default_factory=list)
    """A nested repository ends with a slash."""
    conflicts: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.staged or self.changed or self.untracked or self.conflicts)


async def read_status(work: Work) -> Status:
    """The state of the repository. Raises `ExecutorError` not_a_repository."""
    if Git.at(work.repo) is None:
        raise ExecutorError(
            "not_a_repository", "this folder is not a git repository", hint="Run `git init` in it first."
        )
    listed = await work.git("status", "--porcelain=v2", "-z", "--branch", "--untracked-files=all")
    status = Status()
    fields = iter(listed.split("\0"))
    for field_ in fields:
        if field_.startswith("# branch."):
            _take_branch(status, field_.removeprefix("# branch."))
        elif field_.startswith("? "):
            status.untracked.append(field_[2:])
        elif field_.startswith("u "):
            status.conflicts.append(field_.split(" ", 10)[10])
        elif field_.startswith(("1 ", "2 ")):
            parts = field_.split(" ", 8 if field_[0] == "1" else 9)
            if parts[1][0] != ".":
                status.staged.append(parts[-1])
            if parts[1][1] != ".":
                status.changed.append(parts[-1])
            if field_[0] == "2":
                next(fields, None)  # the name before
    return status


def _take_branch(status: Status, line: str) -> None:
    name, _, value = line.partition(" ")
    if name == "head":
        status.branch = None if value == "(detached)" else value
    elif name == "oid":
        status.unborn = value == "(initial)"
    elif name == "upstream":
        status.upstream = value
    elif name == "ab" and (found := re.fullmatch(r"\+(\d+) -(\d+)", value)):
        status.ahead, status.behind = int(found.group(1)), int(found.group(2))


async def status(work: Work) -> Outcome:
    """Branch, distance from its upstream, and what is not committed."""
    now = await read_status(work)
    where = f"On {now.branch}" if now.branch else "On no branch"
    if now.unborn:
        where += ", without a commit yet"
    if now.ahead or now.behind:
        parts = [count_words(now.ahead, "commit") + " to push"] if now.ahead else []
        parts += [count_words(now.behind, "commit") + " to pull"] if now.behind else []
        where += f", with {listed(parts)}"
    changes = [
        f"{len(names)} {word}"
        for word, names in (
            ("in conflict", now.conflicts), ("staged", now.staged), ("changed", now.changed),
            ("new", now.untracked),
        )
        if names
    ]  # fmt: skip
    what = "Nothing to commit" if now.clean else f"{listed(changes, 4)}: {files_words(_all(now))}"
    shown = await work.git("status", "--short", "--branch")
    return Outcome(f"{where}. {what}.", detail=printable(shown))


def _all(now: Status) -> list[str]:
    return list(dict.fromkeys([*now.conflicts, *now.staged, *now.changed, *now.untracked]))


async def diff(work: Work) -> Outcome:
    """What is different from the last commit: a sentence to speak, the whole to show."""
    now = await read_status(work)
    said = work.arguments.path
    path = find_path(work.repo, said) if said else None
    if said and path is None:
        raise ExecutorError("no_such_path", f"there is nothing called {said} here")
    base = ["--cached"] if now.unborn else ["HEAD"]
    limits = ["--", path] if path else []
    flags = ("diff", "--no-ext-diff", "--no-color", *base)
    numbers = await work.git(*flags, "--numstat", "-z", "--no-renames", *limits)
    whole = await work.git(*flags, *limits)
    rows = [line.split("\t", 2) for line in numbers.split("\0") if line.count("\t") >= 2]
    untracked = [
        name for name in now.untracked if path is None or name == path or name.startswith(f"{path}/")
    ]
    added = sum(int(row[0]) for row in rows if row[0].isdigit())
    removed = sum(int(row[1]) for row in rows if row[1].isdigit())
    sentences = []
    if rows:
        lines = listed([f"{n} {word}" for word, n in (("added", added), ("removed", removed)) if n])
        count = count_words(len(rows), "file")
        sentences.append(
            f"{count} changed{f', {lines} lines' if lines else ''}: {files_words([r[2] for r in rows])}."
        )
    if untracked:
        sentences.append(f"{count_words(len(untracked), 'new file')}: {files_words(untracked)}.")
    detail = "\n".join([printable(whole), *(f"new file: {name}" for name in untracked)]).strip()
    return Outcome(" ".join(sentences) or "Nothing has changed since the last commit.", detail=detail)
