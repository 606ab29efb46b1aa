"""What is wrong in a repository, without running it: syntax, linter findings, conflicts, git's state."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from pathlib import Path

from mybro.events import Outcome
from mybro.executor.actions.git_reading import Status, read_status
from mybro.executor.actions.linting import ruff_findings
from mybro.executor.actions.sources import files, text_of
from mybro.executor.actions.work import Work
from mybro.executor.checkpoint.git import Git
from mybro.executor.words import count_words, files_words
from mybro.ops.syntax import parse

_CONFLICT = re.compile(r"^<{7} .*?^={7}$.*?^>{7} ", re.MULTILINE | re.DOTALL)

_UNFINISHED = {
    "MERGE_HEAD": "a merge", "CHERRY_PICK_HEAD": "a cherry-pick", "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase", "rebase-apply": "a rebase", "BISECT_LOG": "a bisect",
}  # fmt: skip


async def diagnose(work: Work) -> Outcome:
    """List what is wrong, the worst first."""
    broken, conflicted = await asyncio.to_thread(_read_files, work.repo)
    sentences: list[str] = []
    lines = [*broken.values()]
    if conflicted:
        sentences.append(f"{files_words(conflicted)} {_verb(conflicted, 'has', 'have')} unsolved conflicts.")
        lines += [f"{name}: unsolved conflicts" for name in conflicted]
    if broken:
        names = list(broken)
        sentences.append(f"{files_words(names)} {_verb(names, 'does', 'do')} not parse.")
    findings = await _lint(work)
    findings = [f for f in findings if f[1] != "invalid-syntax"]
    if findings:
        common = Counter(text for _, _, text in findings).most_common(1)[0][0]
        sentences.append(f"ruff finds {count_words(len(findings), 'problem')}, first of all: {common}.")
        lines += [f"{place}: {code} {text}" for place, code, text in findings]
    git = Git.at(work.repo)
    if git is None:
        sentences.append("It is not a git repository.")
    else:
        said = [*unfinished(git), *_git_words(await read_status(work))]
        sentences += said
        lines += said
    wrong = bool(broken or conflicted or findings)
    return Outcome(" ".join(sentences) or "I found nothing wrong.", ok=not wrong, detail="\n".join(lines))


def _read_files(repo: Path) -> tuple[dict[str, str], list[str]]:
    """Python files that do not parse, with where and why; files with conflict marks."""
    broken: dict[str, str] = {}
    conflicted: list[str] = []
    for name in files(repo):
        text = text_of(repo / name)
        if text is None:
            continue
        if _CONFLICT.search(text):
            conflicted.append(name)
        elif name.endswith(".py"):
            try:
                parse((repo / name).read_bytes(), name)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                line = getattr(error, "lineno", None) or 1
                broken[name] = f"{name}:{line}: {getattr(error, 'msg', error)}"
            except OSError:
                continue
    return broken, conflicted


async def _lint(work: Work) -> list[tuple[str, str, str]]:
    """Place, code and text of what ruff finds by the repository's own settings."""
    if not any(name.endswith(".py") for name in files(work.repo)):
        return []
    return [
        (
            f"{_inside(item['filename'], work.repo)}:{item['location']['row']}",
            item.get("code") or "invalid-syntax",
            item["message"],
        )
        for item in await ruff_findings(work, ".")
    ]


def unfinished(git: Git) -> list[str]:
    """What git is in the middle of, as sentences."""
    found = dict.fromkeys(what for name, what in _UNFINISHED.items() if (git.own / name).exists())
    return [f"Git is in the middle of {what}." for what in found]


def _git_words(now: Status) -> list[str]:
    words = []
    if now.branch is None:
        words.append("You are on no branch.")
    if now.behind:
        words.append(f"{count_words(now.behind, 'commit')} to pull.")
    if not now.clean:
        count = len({*now.staged, *now.changed, *now.untracked, *now.conflicts})
        words.append(f"{count_words(count, 'file')} not committed.")
    return words


def _inside(name: str, repo: Path) -> str:
    path = Path(name)
    return str(path.relative_to(repo)) if path.is_relative_to(repo) else name


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
