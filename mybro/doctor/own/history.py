"""Keys in what was ever committed."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mybro.doctor.facts import Repository
from mybro.doctor.git import GitError
from mybro.doctor.own.place import Hit, any_in
from mybro.doctor.own.secrets import BODY, HINTS, PRIVATE, is_sample
from mybro.doctor.own.token_forms import FORMS, Form

_HISTORY_S = 60.0


def history(repo: Repository) -> Iterator[Hit]:
    """Keys in what was ever committed on any branch; lines that were added, newest first, within a minute."""
    if repo.git is None:
        return
    try:
        log = repo.git.run(
            "log",
            "--all",
            "-p",
            "-U0",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--no-renames",
            "--max-count=3000",
            "--format=%x00%H",
            "--diff-filter=AM",
            "--",
            ".",
        )
    except GitError:
        return
    deadline, seen = time.monotonic() + _HISTORY_S, set()
    for block in log.split(b"\0")[1:]:
        commit = block[:40].decode(errors="replace")
        if time.monotonic() > deadline:
            return
        if not (any_in(block, HINTS) or b"PRIVATE KEY" in block):
            continue
        for part in block.split(b"\ndiff --git ")[1:]:
            path = part.partition(b"\n")[0].rpartition(b" b/")[2].decode(errors="replace")
            added = b"\n".join(line[1:] for line in part.split(b"\n") if line.startswith(b"+"))
            for name, form, starts, _ in (*FORMS, Form("private key", PRIVATE, (b"PRIVATE KEY",))):
                for found in form.finditer(added) if any_in(added, starts) else ():
                    whole = name == "private key" and not BODY.search(added, found.end(), found.end() + 400)
                    if is_sample(found[0]) or whole or (path, found[0]) in seen:
                        continue
                    seen.add((path, found[0]))
                    if found[0] not in (repo.read(path) or b""):  # what still stands there is told there
                        yield Hit(path, 0, f"{name} in commit {commit[:10]}", rule=name, anchor=commit)
