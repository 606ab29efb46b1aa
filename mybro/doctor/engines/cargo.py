"""Rust's own tools. clippy builds the project, which runs its build scripts: only where that is allowed."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from mybro.doctor.check import Check
from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding, Unexamined


class Clippy:
    """Needs trust."""

    name = "clippy"

    def available(self) -> bool:
        return program("cargo") is not None and program("cargo-clippy") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        with tempfile.TemporaryDirectory() as built:
            for folder in _workspaces(task):
                for row in self._messages(task, folder, Path(built), outcome):
                    if finding := self._finding(check, row, folder, task):
                        outcome.findings.append(finding)
        return outcome

    def _messages(
        self, task: Task, folder: PurePosixPath, built: Path, outcome: Outcome
    ) -> Iterator[dict[str, Any]]:
        """What the compiler says; nothing is written into the repository."""
        manifest, lock = str(folder / "Cargo.toml"), task.repo.root / folder / "Cargo.lock"
        had_lock = lock.exists()
        argv = ["cargo", "clippy", "--quiet", "--message-format", "json", "--manifest-path", manifest]
        argv += ["--locked"] if had_lock else []
        try:
            answer = command(
                argv, cwd=task.repo.root, deadline=task.deadline, env={"CARGO_TARGET_DIR": str(built)}
            )
        finally:
            if not had_lock:
                lock.unlink(missing_ok=True)
        rows = [json.loads(line) for line in answer.output.splitlines() if line.startswith(b"{")]
        rows = [row for row in rows if row.get("reason") == "compiler-message"]
        if answer.status and not rows:
            why = (answer.errors.strip().splitlines() or ["failed"])[0][:200]
            outcome.unexamined.append(Unexamined(manifest, why, self.name))
        yield from rows

    def _finding(
        self, check: Check, row: dict[str, Any], folder: PurePosixPath, task: Task
    ) -> Finding | None:
        told = row.get("message") or {}
        spans = [span for span in told.get("spans", []) if span["is_primary"]]
        if not spans:
            return None
        # Paths are relative to the workspace, not to where cargo was started.
        path = str(folder / spans[0]["file_name"]).removeprefix(f"{task.repo.root}/")
        if path not in task.repo.files or not task.repo.asked(path):
            return None
        return Finding(
            check.id,
            path,
            spans[0]["line_start"],
            spans[0]["column_start"],
            told["message"],
            "medium" if told["level"] == "error" else check.severity,
            check.confidence,
            self.name,
            (told.get("code") or {}).get("code", ""),
        )


def _workspaces(task: Task) -> list[PurePosixPath]:
    """The folders of the manifests that no other one holds as a member."""
    folders: dict[PurePosixPath, bool] = {}
    for file in sorted(task.repo.named("Cargo.toml"), key=lambda f: f.path.count("/")):
        folder = PurePosixPath(file.path).parent
        text = task.repo.text(file) or ""
        member = any(holds and folder.is_relative_to(known) for known, holds in folders.items())
        if not file.vendored and not member and ("[package]" in text or "[workspace]" in text):
            folders[folder] = "[workspace]" in text
    return list(folders)


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
