"""shellcheck, hadolint and actionlint: used where they are installed."""

from __future__ import annotations

import json

from mybro.doctor.check import Check
from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding, Severity

_LEVELS: dict[str, Severity] = {"error": "medium", "warning": "medium", "info": "low", "style": "low"}


class Shellcheck:
    """Shell scripts."""

    name = "shellcheck"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        names = [f.path for f in task.files("shell") if not f.name.endswith(".zsh")]
        return _lint(task, check, self.name, ["--format=json", "--norc", "--severity=warning"], names, "SC")


class Hadolint:
    """Dockerfiles."""

    name = "hadolint"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        names = [f.path for f in task.files("dockerfile")]
        return _lint(task, check, self.name, ["--format", "json", "--no-fail", "-c", "/dev/null"], names, "")


class Actionlint:
    """GitHub workflows; it starts shellcheck itself unless it is told not to."""

    name = "actionlint"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        check = task.checks["CI01"]
        names = [f.path for f in task.files("yaml") if f.path.startswith(".github/workflows/")]
        argv = ["-format", "{{json .}}", "-shellcheck=", "-pyflakes=", "-no-color"]
        return _lint(task, check, self.name, argv, names, "")


def _lint(task: Task, check: Check, name: str, options: list[str], names: list[str], prefix: str) -> Outcome:
    found = program(name, task.repo.root)
    if found is None:
        raise EngineError("not installed")
    outcome = Outcome()
    for batch in batches(names):
        answer = command([found, *options, *batch], cwd=task.repo.root, deadline=task.deadline)
        try:
            rows = json.loads(answer.output or b"[]")
        except ValueError as error:
            raise EngineError(answer.errors.strip()[:200] or "did not answer in JSON") from error
        for row in rows or []:
            rule = f"{prefix}{row.get('code') or row.get('kind') or ''}"
            path = plain(str(row.get("file") or row.get("filepath")))
            outcome.findings.append(
                Finding(
                    check.id,
                    path,
                    int(row["line"]),
                    int(row.get("column") or 1),
                    str(row["message"]),
                    _LEVELS.get(str(row.get("level")), check.severity),
                    check.confidence,
                    name,
                    rule,
                )
            )
    return outcome
