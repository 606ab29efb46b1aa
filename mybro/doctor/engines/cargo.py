"""Rust's own tools. clippy builds the project, which runs its build scripts: only where that is allowed."""

from __future__ import annotations

import json
import re

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding


class Clippy:
    """Needs trust."""

    name = "clippy"

    def available(self) -> bool:
        return program("cargo") is not None and program("cargo-clippy") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        for manifest in [
            f for f in task.repo.named("Cargo.toml") if "/" not in f.path or f.path.count("/") == 1
        ]:
            argv = [
                "cargo",
                "clippy",
                "--quiet",
                "--message-format",
                "json",
                "--manifest-path",
                manifest.path,
            ]
            answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
            for line in answer.output.splitlines():
                row = json.loads(line)
                told = row.get("message") or {}
                spans = [span for span in told.get("spans", []) if span["is_primary"]]
                if row.get("reason") != "compiler-message" or not spans:
                    continue
                outcome.findings.append(
                    Finding(
                        check.id,
                        spans[0]["file_name"],
                        spans[0]["line_start"],
                        spans[0]["column_start"],
                        told["message"],
                        "medium" if told["level"] == "error" else check.severity,
                        check.confidence,
                        self.name,
                        (told.get("code") or {}).get("code", ""),
                    )
                )
        return outcome


class Rustfmt:
    """Reads only; one finding a file."""

    name = "rustfmt"

    def available(self) -> bool:
        return program("rustfmt") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        rustfmt = program("rustfmt", task.repo.root)
        if rustfmt is None:
            raise EngineError("not installed")
        outcome = Outcome()
        for batch in batches(f.path for f in task.files("rust")):
            argv = [rustfmt, "--check", "--edition", "2021", "--config", "skip_children=true", *batch]
            told = command(argv, cwd=task.repo.root, deadline=task.deadline)
            for path in dict.fromkeys(
                re.findall(r"(?m)^Diff in (.+?):\d+:?$", told.output.decode(errors="replace"))
            ):
                name = plain(path.removeprefix(f"{task.repo.root}/"))
                outcome.findings.append(
                    Finding(check.id, name, 0, 1, check.title, check.severity, check.confidence, self.name)
                )
        return outcome


class CargoDeny:
    """Known faults of dependencies; asks the network."""

    name = "cargo-deny"

    def available(self) -> bool:
        return program("cargo-deny") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        deny = program("cargo-deny", task.repo.root)
        if deny is None:
            raise EngineError("not installed")
        outcome = Outcome()
        argv = [deny, "--format", "json", "check", "advisories"]
        answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
        for line in answer.errors.splitlines():
            try:
                fields = json.loads(line).get("fields", {})
            except ValueError:
                continue
            if fields.get("severity") == "error":
                advisory = fields.get("advisory") or {}
                message = f"{advisory.get('package', '')}: {advisory.get('title', fields.get('message', ''))}"
                outcome.findings.append(
                    Finding(
                        check.id,
                        "Cargo.lock",
                        0,
                        1,
                        message,
                        check.severity,
                        check.confidence,
                        self.name,
                        str(advisory.get("id", "")),
                    )
                )
        return outcome
