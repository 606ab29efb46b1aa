"""shellcheck, hadolint and actionlint: used where they are installed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding, Severity, Unexamined

_LEVELS: dict[str, Severity] = {"error": "medium", "warning": "medium", "info": "low", "style": "low"}
_UNPARSED = frozenset({"SC1072", "SC1073", "DL1000"})
_OTHER_SHELL = "SC1071"
_UNTRUSTED = "potentially untrusted"
"""GitHub runs such a workflow; zizmor tells that of it better."""
_STILL_RUNS: dict[str, Severity] = {
    "runner-label": "medium",
    "expression": "medium",
    "action": "medium",
    "if-cond": "medium",
    "deprecated-commands": "medium",
    "env-var": "medium",
    "credentials": "medium",
}
"""actionlint's kinds that GitHub accepts; the job then waits, or does something else than was meant."""


class Shellcheck:
    """Shell scripts."""

    name = "shellcheck"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        names = [f.path for f in task.files("shell") if not f.name.endswith(".zsh")]
        return _lint(task, self.name, ["--format=json", "--norc", "--severity=info"], names, "SC")


class Hadolint:
    """Dockerfiles; the repository's own settings are not read, which could point to any registry."""

    name = "hadolint"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        names = [f.path for f in task.files("dockerfile")]
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder) / "hadolint.yaml"
            settings.write_text("ignored: []\n", encoding="utf-8")
            return _lint(task, self.name, ["--format", "json", "--no-fail", "-c", str(settings)], names, "")


class Actionlint:
    """GitHub workflows; it starts shellcheck itself unless it is told not to."""

    name = "actionlint"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        names = [f.path for f in task.files("yaml") if f.path.startswith(".github/workflows/")]
        argv = ["-format", "{{json .}}", "-shellcheck=", "-pyflakes=", "-no-color"]
        return _lint(task, self.name, argv, names, "")


def _lint(task: Task, name: str, options: list[str], names: list[str], prefix: str) -> Outcome:
    found = program(name, task.repo.root)
    if found is None:
        raise EngineError("not installed")
    outcome, rules = Outcome(), task.rules(name)
    for batch in batches(names):
        answer = command([found, *options, *batch], cwd=task.repo.root, deadline=task.deadline)
        try:
            rows = json.loads(answer.output)
        except ValueError as error:
            # Nothing at all is no answer, either: each prints an empty list where it finds nothing.
            raise EngineError(answer.errors.strip()[:200] or "did not answer in JSON") from error
        for row in rows or []:
            _add(outcome, row, rules, name, f"{prefix}{row.get('code') or row.get('kind') or ''}")
    return outcome


def _add(outcome: Outcome, row: Mapping[str, Any], rules: Mapping[str, Any], engine: str, rule: str) -> None:
    check = rules.get(rule) or rules.get("all")
    path, line = plain(str(row.get("file") or row.get("filepath"))), int(row["line"])
    if rule in _UNPARSED and all(entry.what != path for entry in outcome.unexamined):
        outcome.unexamined.append(Unexamined(path, f"does not parse, line {line}", engine))
    if check is None or rule == _OTHER_SHELL or (rule == "expression" and _UNTRUSTED in str(row["message"])):
        return
    level = _LEVELS.get(str(row.get("level")), _STILL_RUNS.get(rule, check.severity))
    if check.id == "CI17" and row.get("level") != "error":
        level = check.severity
    outcome.findings.append(
        Finding(
            check.id,
            path,
            line,
            int(row.get("column") or 1),
            str(row["message"]),
            level,
            check.confidence,
            engine,
            rule,
        )
    )
