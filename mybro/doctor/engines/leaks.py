"""gitleaks and betterleaks: many more kinds of keys than mybro knows; used where they are installed."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from mybro.doctor.engine import EngineError, Outcome, Task, command, program
from mybro.doctor.finding import Confidence, Finding

_LOGGED = {"git": ("--log-opts=--all --no-textconv --no-ext-diff --no-show-signature",)}
"""Nothing that the repository's settings name is run to show a commit."""
_SURE: dict[str, Confidence] = {"low": "low", "medium": "medium", "high": "high"}


class Gitleaks:
    """Its report holds whole secrets: it goes into a private folder and no further."""

    name = "gitleaks"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        outcome = Outcome()
        for check, how in (("SEC01", "dir"), ("SEC03", "git")):
            if check in task.checks and (how == "dir" or task.repo.git is not None):
                self._scan(task, check, how, outcome)
        return outcome

    def _scan(self, task: Task, name: str, how: str, outcome: Outcome) -> None:
        found = program(self.name, task.repo.root)
        if found is None:
            raise EngineError("not installed")
        check = task.checks[name]
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.json"
            answer = command(
                [
                    found,
                    how,
                    ".",
                    "--no-banner",
                    "--redact",
                    *_LOGGED.get(how, ()),
                    "--max-target-megabytes",
                    "2",
                    "-f",
                    "json",
                    "-r",
                    str(out),
                ],
                cwd=task.repo.root,
                deadline=task.deadline,
            )
            if not out.exists():
                raise EngineError(answer.errors.strip()[-200:] or "failed")
            rows = json.loads(out.read_bytes() or b"[]") or []
        for row in rows:
            path = str(row.get("File", "")).removeprefix(f"{task.repo.root}/").removeprefix("./")
            if how == "dir" and (path not in task.repo.files or not task.repo.asked(path)):
                continue
            where = f" in commit {row['Commit'][:10]}" if how == "git" and row.get("Commit") else ""
            outcome.findings.append(
                Finding(
                    check.id,
                    path,
                    int(row.get("StartLine") or 0),
                    int(row.get("StartColumn") or 1),
                    f"{row.get('Description') or row['RuleID']}{where}",
                    "medium" if row["RuleID"].startswith("generic") else check.severity,
                    "medium",
                    self.name,
                    str(row["RuleID"]),
                    anchor=f"{row.get('Commit', '')}{row['RuleID']}",
                )
            )


class Betterleaks:
    """Files only; its values are redacted by itself, and not read here."""

    name = "betterleaks"

    def available(self) -> bool:
        return program(self.name) is not None

    def run(self, task: Task) -> Outcome:
        found, check = program(self.name, task.repo.root), task.checks.get("SEC01")
        outcome = Outcome()
        if found is None or check is None:
            return outcome
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.json"
            argv = [found, ".", "-o", str(out), "--redact", "--silent", "--max-target-megabytes", "2"]
            answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
            if not out.exists():
                raise EngineError(answer.errors.strip()[-200:] or "failed")
            rows = json.loads(out.read_bytes()).get("findings") or []
        for row in rows:
            place = row["location"]
            path = str(place["path"]).removeprefix(f"{task.repo.root}/").removeprefix("./")
            if path in task.repo.files and task.repo.asked(path):
                sure = _SURE.get(str(row.get("confidence")), "medium")
                generic = str(row["rule_id"]).startswith("generic") or sure == "low"
                outcome.findings.append(
                    Finding(
                        check.id,
                        path,
                        int(place["start_line"]),
                        1,
                        f"found by the rule {row['rule_id']}",
                        "medium" if generic else check.severity,
                        sure,
                        self.name,
                        str(row["rule_id"]),
                    )
                )
        return outcome
