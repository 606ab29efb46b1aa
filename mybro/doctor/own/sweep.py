"""Every own check, in one pass: each file is read once for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from mybro.doctor.check import Check, catalogue
from mybro.doctor.engine import Outcome, Task
from mybro.doctor.facts import MAX_SOURCE_BYTES, File, Repository
from mybro.doctor.finding import FIX_ORDER, Finding, Unexamined
from mybro.doctor.languages import READ
from mybro.doctor.own import triggers
from mybro.doctor.own.place import Content, Hit, PerFile, PerRepository
from mybro.doctor.shapes import Shape

_ROOM = "mybro.doctor.own"
PER_FILE = {
    "tokens": "secrets",
    "private_keys": "secrets",
    "passwords": "secrets",
    "bidi": "files",
    "conflicts": "files",
    "line_ends": "files",
    "encoding": "files",
    "byte_order": "files",
    "pipe_to_shell": "scripts",
    "shell_strict": "scripts",
    "gnu_options": "scripts",
    "new_bash": "scripts",
    "dockerfile": "scripts",
    "home_paths": "scripts",
    "linux_files": "python",
    "idioms": "idioms",
    "script_idioms": "configured",
    "page_idioms": "configured",
    "ts_ignore": "javascript",
    "no_assertions": "tests",
    "skips": "tests",
    "sleeps": "tests",
    "double_tests": "tests",
    "never_run": "tests",
    "long_files": "files",
    "taint": "taint",
    "placeholders": "docs",
    "markdown": "docs",
    "alt_text": "docs",
    "anchors": "docs",
    "workflow_syntax": "workflows",
    "job_timeout": "workflows",
    "retired": "workflows",
    "plist_syntax": "apple",
    "arbitrary_loads": "apple",
    "entitlements": "apple",
    "launchd": "apple",
    "extra_index": "dependencies",
    "cargo_versions": "rust",
    "cargo_edition": "rust",
    "install_scripts": "javascript",
    "package_json": "javascript",
    "tsconfig": "javascript",
}
"""A rule and the module that has its function: called with each file that was read."""
PER_REPOSITORY = {
    "history": "history",
    "secret_files": "git",
    "gitignore": "git",
    "artefacts": "git",
    "case_collisions": "git",
    "large_files": "git",
    "broken_links": "git",
    "odd_names": "git",
    "outside_links": "git",
    "executable": "git",
    "locks": "dependencies",
    "update_bot": "dependencies",
    "loose_versions": "dependencies",
    "requires_python": "dependencies",
    "double_dependencies": "dependencies",
    "licence_field": "dependencies",
    "js_locks": "javascript",
    "cargo_lock": "rust",
    "package_resolved": "apple",
    "usage": "apple",
    "readme": "docs",
    "licence": "docs",
    "thin_readme": "docs",
    "links": "docs",
    "no_tests": "tests",
    "pytest_strict": "tests",
    "no_ci": "workflows",
    "cycles": "structure",
    "duplicates": "structure",
}
"""Called once, with the repository."""
LANGUAGES: Mapping[str, frozenset[str]] = {
    "taint": frozenset({"python"}),
    "linux_files": frozenset({"python"}),
    "idioms": frozenset({"python"}),
    "script_idioms": frozenset({"shell", "dockerfile", "yaml", "make", "go"}),
    "page_idioms": frozenset({"html"}),
    "no_assertions": frozenset({"python"}),
    "skips": frozenset({"python"}),
    "sleeps": frozenset({"python"}),
    "double_tests": frozenset({"python"}),
    "never_run": frozenset({"python"}),
    "ts_ignore": frozenset({"typescript", "tsx"}),
    "shell_strict": frozenset({"shell"}),
    "gnu_options": frozenset({"shell"}),
    "new_bash": frozenset({"shell"}),
    "dockerfile": frozenset({"dockerfile"}),
    "placeholders": frozenset({"markdown"}),
    "markdown": frozenset({"markdown"}),
    "alt_text": frozenset({"markdown"}),
    "anchors": frozenset({"markdown"}),
    "workflow_syntax": frozenset({"yaml"}),
    "job_timeout": frozenset({"yaml"}),
    "retired": frozenset({"yaml"}),
    "plist_syntax": frozenset({"plist"}),
    "arbitrary_loads": frozenset({"plist"}),
    "entitlements": frozenset({"plist"}),
    "launchd": frozenset({"plist"}),
    "package_json": frozenset({"json"}),
    "install_scripts": frozenset({"json"}),
    "tsconfig": frozenset({"json"}),
    "cargo_versions": frozenset({"toml"}),
    "cargo_edition": frozenset({"toml"}),
    "extra_index": frozenset({"prose", "config", "toml"}),
    "pipe_to_shell": frozenset({"shell", "dockerfile", "yaml", "make"}),
    "home_paths": frozenset(
        {"python", "javascript", "typescript", "tsx", "rust", "swift", "shell", "toml", "yaml"}
    ),
}
"""What a rule looks at; without an entry: every file that a person writes."""


class Own:
    """mybro's own checks."""

    name = "mybro"

    def words(self, task: Task) -> Iterable[bytes | Shape]:
        return triggers.words(task.rules(self.name))

    def available(self) -> bool:
        return True

    def run(self, task: Task) -> Outcome:
        outcome = Outcome()
        rules = task.rules(self.name)
        several: dict[str, list[Check]] = {}
        for check in task.checks.values():
            for rule in check.engines.get(self.name, ()):
                several.setdefault(rule, []).append(check)
        for rule in rules:
            if rule in PER_REPOSITORY:
                whole: PerRepository = _function(PER_REPOSITORY[rule], rule)
                self._collect(task, several[rule], rule, whole(task.repo), outcome)
        self._files(task, several, outcome)
        return outcome

    def _files(self, task: Task, several: dict[str, list[Check]], outcome: Outcome) -> None:
        looks: list[tuple[str, PerFile]] = [(r, _function(PER_FILE[r], r)) for r in several if r in PER_FILE]
        by_language: dict[str, _Looks] = {}
        repo, late = task.repo, 0
        for file in repo.files.values():
            if not _to_read(task, file):
                continue
            if file.language not in by_language:
                by_language[file.language] = _Looks(repo, file.language, looks)
            marks = repo.marks(file)
            here = by_language[file.language].at(file, marks)
            if not here:
                continue
            if time.monotonic() > task.deadline:
                late += 1
                continue
            data = repo.read(file)
            if data is None:
                outcome.unexamined.append(Unexamined(file.path, "cannot be read", self.name))
            elif b"\0" not in data[:4096]:
                content = Content(file, data, repo.survey, marks)
                for look in here:
                    self._collect(task, several[look.rule], look.rule, look.find(content), outcome)
        if late:
            outcome.unexamined.append(Unexamined(f"{late:,} files", "out of time", self.name))

    def _collect(
        self, task: Task, checks: list[Check], rule: str, hits: Iterable[Hit], outcome: Outcome
    ) -> None:
        for hit in hits:
            # A hit that names its check is of no other one, also where only one was asked for.
            alone = checks[0] if len(checks) == 1 and hit.rule not in catalogue() else None
            check = next((c for c in checks if c.id == hit.rule), alone)
            if check is None or (hit.path and hit.path in task.repo.files and not task.repo.asked(hit.path)):
                continue
            fix = hit.fix if FIX_ORDER[hit.fix] <= FIX_ORDER[check.fixable] else check.fixable
            outcome.findings.append(
                Finding(
                    check.id,
                    hit.path,
                    hit.line,
                    1,
                    hit.message,
                    hit.severity or check.severity_of(rule),
                    hit.confidence or check.confidence,
                    self.name,
                    rule,
                    hit.line,
                    fix,
                    hit.edits,
                    anchor=hit.anchor,
                )
            )


class _Look(NamedTuple):
    """A rule as it is applied to the files of one language."""

    rule: str
    find: PerFile
    fits: Callable[[File], bool] | None
    masks: tuple[int, ...]
    """Of each, a file must have one mark."""


class _Looks:
    """The rules for the files of one language."""

    def __init__(self, repo: Repository, language: str, looks: Iterable[tuple[str, PerFile]]) -> None:
        self._all = [
            _Look(rule, find, triggers.fits(rule), tuple(map(repo.mask, triggers.groups(rule, language))))
            for rule, find in looks
            if language in LANGUAGES.get(rule, (language,))
        ]
        self._always = [look for look in self._all if not look.masks]
        self._any = 0
        for look in self._all:
            # The last group is the one that the fewest files have.
            self._any |= look.masks[-1] if look.masks else 0

    def at(self, file: File, marks: int) -> list[_Look]:
        """Those that can find something in the file."""
        asked = self._all if marks & self._any else self._always
        return [
            look
            for look in asked
            if (not look.masks or (marks & look.masks[-1] and all(marks & mask for mask in look.masks)))
            and (look.fits is None or look.fits(file))
        ]


def _to_read(task: Task, file: File) -> bool:
    return (
        file.language in READ
        and file.size <= MAX_SOURCE_BYTES
        and not file.vendored
        and task.repo.asked(file.path)
    )


def _function(module: str, name: str) -> Any:
    return getattr(import_module(f"{_ROOM}.{module}"), name)
