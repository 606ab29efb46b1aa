"""Mending: in a copy, looked at again, and only then written, each file wholly or not at all."""

from __future__ import annotations

import difflib
import os
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from mybro.doctor.check import DoctorError
from mybro.doctor.examine import Examination, Wish, examine
from mybro.doctor.facts import SKIPPED, Repository
from mybro.doctor.finding import FIX_ORDER, LEVELS, Edit, Finding
from mybro.doctor.redact import printable

_ROUNDS = 12
"""One mended thing can uncover the next; after this many looks the rest is left."""


class Keeper(Protocol):
    """What can bring back the state before: the executor's checkpoints, given from outside."""

    def keep(self, root: Path, label: str) -> str:
        """Note the whole tree; gives how a person gets it back. Raises `MybroError` where it cannot."""
        ...


@dataclass(slots=True)
class Mended:
    """What was mended, or would be."""

    files: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)
    """Path to its content before and after."""
    count: int = 0
    """Findings that are gone."""
    refused: dict[str, str] = field(default_factory=dict)
    """Path to why it stays as it is."""
    kept: str = ""
    """How to get back what was there before."""

    def diff(self) -> str:
        """A unified diff; what is no UTF-8 is shown with replacement characters."""
        parts: list[str] = []
        for path, (before, after) in sorted(self.files.items()):
            one, other = (d.decode("utf-8", "replace").splitlines(keepends=True) for d in (before, after))
            name = printable(path)
            lines = difflib.unified_diff(one, other, f"a/{name}" if before else "/dev/null", f"b/{name}")
            parts += [x if x.endswith("\n") else f"{x}\n\\ No newline at end of file\n" for x in lines]
        return "".join(parts)


def mend(found: Examination, wish: Wish, *, unsafe: bool = False) -> Mended:
    """Work out what mends the findings; nothing in the repository changes.

    Each round mends in the copy what does not overlap, and looks again. A file in which something new and
    worse turns up, or which no longer parses, is left as it was.
    """
    least = FIX_ORDER["unsafe" if unsafe else "safe"]
    wanted = [f for f in found.findings if FIX_ORDER[f.fix] >= least and f.path]
    mended = Mended()
    if not wanted:
        return mended
    names = {finding.check for finding in wanted}
    with tempfile.TemporaryDirectory(prefix="mybro-doctor-") as folder:
        copy = Path(folder) / found.repo.root.name
        _copy(found.repo, copy, {finding.path for finding in wanted})
        again = replace(wish, root=copy, paths=(), select=tuple(sorted(names)), changed=False, edits=True,
                        use_baseline=False, baseline=None, deep=True)  # fmt: skip
        before = {path: found.repo.read(path) or b"" for path in {finding.path for finding in wanted}}
        accepted = Counter(_key(f) for f in wanted)
        alone: set[str] = set()
        for _ in range(_ROUNDS):
            result = examine(again)
            _put_back_broken(result, copy, before, mended, alone)
            chosen = [f for f in result.findings if _meant(f, accepted, before, mended, least)]
            if not _apply(chosen, copy, alone):
                break
        _compare(
            found,
            examine(replace(again, select=wish.select, edits=False, deep=wish.deep)),
            copy,
            before,
            mended,
        )
    return mended


def _key(finding: Finding) -> tuple[str, str]:
    return finding.check, finding.path


def _meant(
    finding: Finding, accepted: Counter[tuple[str, str]], before: dict[str, bytes], mended: Mended, least: int
) -> bool:
    """Only what was found before, in the files where it was; a mended line may show the next of its kind."""
    known = _key(finding) in accepted and finding.path in before and finding.path not in mended.refused
    return known and bool(finding.edits) and FIX_ORDER[finding.fix] >= least


def _copy(repo: Repository, copy: Path, paths: set[str]) -> None:
    """The files to mend and what says how to judge them; a git repository where the original is one."""
    settings = {p for p in repo.files if p.rpartition("/")[2] in _SETTINGS}
    for path in sorted(paths | settings | {".gitignore"}):
        data = repo.read(path)
        if data is not None:
            target = copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            target.chmod(repo.files[path].mode & 0o777 | 0o600)
    copy.mkdir(exist_ok=True)
    if repo.git is not None:
        subprocess.run(
            ["git", "init", "-q", "--template=", str(copy)], capture_output=True, check=False, timeout=30
        )
    if "package.json" in repo.files and not (copy / "package.json").exists():
        (copy / "package.json").write_text("{}")
    for language, ending in _ENDINGS.items():
        # What applies to the repository has to apply to its copy: one empty file for each language.
        if repo.languages[language]:
            (copy / f"mybro_language.{ending}").touch()


_ENDINGS = {"python": "py", "javascript": "js", "typescript": "ts", "rust": "rs", "swift": "swift"}
_SETTINGS = frozenset(
    {"pyproject.toml", "ruff.toml", ".ruff.toml", "mybro.toml", "typos.toml", "_typos.toml", ".typos.toml",
     "Cargo.toml", "tsconfig.json", "package.json", ".gitattributes"}
)  # fmt: skip


def _apply(findings: Sequence[Finding], copy: Path, alone: set[str]) -> bool:
    """Make the edits that do not overlap; in a file where several together broke it, one a round."""
    by_file: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_file[finding.path].append(finding)
    changed = False
    for path, listed in by_file.items():
        file = copy / path
        data = file.read_bytes() if file.exists() else b""
        after = apply_edits(data, [f.edits for f in (listed[:1] if path in alone else listed)])
        if after != data:
            file.write_bytes(after)
            changed = True
    return changed


def apply_edits(data: bytes, groups: Iterable[Sequence[Edit]]) -> bytes:
    """The content with the edits made; a group that touches an earlier one's ground is left for later."""
    taken: list[Edit] = []
    for group in groups:
        fresh = [edit for edit in group if edit not in taken]
        inside = all(0 <= e.start <= e.end <= len(data) for e in fresh)
        if inside and not any(_touch(edit, other) for edit in fresh for other in taken):
            taken += fresh
    for edit in sorted(taken, key=lambda e: (e.start, e.end), reverse=True):
        data = data[: edit.start] + edit.text + data[edit.end :]
    return data


def _touch(one: Edit, other: Edit) -> bool:
    if one.start == one.end or other.start == other.end:
        return one.start <= other.end and other.start <= one.end
    return one.start < other.end and other.start < one.end


def _put_back_broken(
    result: Examination, copy: Path, before: dict[str, bytes], mended: Mended, alone: set[str]
) -> None:
    """A file that no longer parses goes back, and is tried once more with one edit at a time."""
    for entry in result.unexamined:
        if (
            entry.what in before
            and "parse" in entry.why
            and (copy / entry.what).read_bytes() != before[entry.what]
        ):
            (copy / entry.what).write_bytes(before[entry.what])
            if entry.what in alone:
                mended.refused[entry.what] = "would no longer parse"
            alone.add(entry.what)


def _compare(
    found: Examination, after: Examination, copy: Path, before: dict[str, bytes], mended: Mended
) -> None:
    """Take each file that is better in every way; the others stay."""
    old, new = _by_path(found.findings), _by_path(after.findings)
    broken = {entry.what for entry in after.unexamined if entry.partial}
    for path, was in before.items():
        file = copy / path
        now = file.read_bytes() if file.exists() else b""
        if now == was:
            continue
        worse = [
            check for check, count in new[path].items()
            if LEVELS[_worst(after.findings, path, check)] > 0 and count > old[path][check]
        ]  # fmt: skip
        if path in broken:
            mended.refused[path] = "would no longer parse"
        elif worse:
            mended.refused[path] = f"would give {', '.join(sorted(worse))}"
        else:
            mended.files[path] = (was, now)
            mended.count += max(1, sum(old[path].values()) - sum(new[path].values()))


def _by_path(findings: Iterable[Finding]) -> defaultdict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for finding in findings:
        found[finding.path][finding.check] += 1
    return found


def _worst(findings: Iterable[Finding], path: str, check: str) -> str:
    levels = [f.severity for f in findings if f.path == path and f.check == check]
    return max(levels, key=LEVELS.__getitem__)


def run_tests(root: Path, mended: Mended, command: Sequence[str], timeout_s: float) -> bool:
    """Run the project's own tests on a whole copy with the mended files in it. This runs its code."""
    with tempfile.TemporaryDirectory(prefix="mybro-tests-") as folder:
        copy = Path(folder) / root.name
        shutil.copytree(root, copy, symlinks=True, ignore=shutil.ignore_patterns(*(SKIPPED - {".git"})))
        for path, (_, after) in mended.files.items():
            (copy / path).write_bytes(after)
        try:
            done = subprocess.run(command, cwd=copy, timeout=timeout_s, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return False
        except OSError as error:
            raise DoctorError("no_test_command", f"{command[0]} did not start: {error.strerror}") from None
        return done.returncode == 0


def write(
    repo: Repository, mended: Mended, keeper: Keeper | None, say: Callable[[str], None] | None = None
) -> None:
    """Write what was mended. Raises `DoctorError` where nothing could bring the old state back."""
    if not mended.files:
        return
    if keeper is not None:
        mended.kept = keeper.keep(repo.root, "mending what was found")
    elif repo.git is None or not repo.git.clean():
        raise DoctorError(
            "not_clean", "there are changes that are not committed, and no checkpoint could be taken",
            hint="Commit or stash them, or look with --diff",
        )  # fmt: skip
    for path, (was, now) in mended.files.items():
        current = repo.read(path) or b""
        if current != was:
            mended.refused[path] = "was changed meanwhile"
            continue
        _replace(repo.root / path, now)
        if say:
            say(path)
    for path in mended.refused:
        mended.files.pop(path, None)


def _replace(file: Path, data: bytes) -> None:
    """Whole or not at all; the permissions stay."""
    mode = file.stat().st_mode & 0o7777 if file.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name[:40]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        Path(name).chmod(mode)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
