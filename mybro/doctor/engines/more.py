"""Engines that are looked for on PATH in a deep examination: JavaScript, Swift, types, known faults."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding, Unexamined


class OnPath:
    """A program that prints one JSON document."""

    name = ""

    def available(self) -> bool:
        return program(self.name) is not None

    def ask(self, task: Task, *arguments: str) -> Any:
        found = program(self.name, task.repo.root)
        if found is None:
            raise EngineError("not installed")
        answer = command([found, *arguments], cwd=task.repo.root, deadline=task.deadline)
        try:
            return json.loads(answer.output or b"null")
        except ValueError as error:
            raise EngineError(answer.errors.strip()[-200:] or "did not answer in JSON") from error


class Oxlint(OnPath):
    """JavaScript and TypeScript."""

    name = "oxlint"

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        for batch in batches(f.path for f in task.files("javascript", "typescript", "tsx")):
            told = self._ask_plainly(task, batch)
            for row in told.get("diagnostics", []):
                span = (row.get("labels") or [{}])[0].get("span", {})
                if not row.get("code"):
                    line = int(span.get("line") or 0)
                    why = f"does not parse, line {line}"
                    outcome.unexamined.append(Unexamined(plain(row["filename"]), why, self.name))
                    continue
                outcome.findings.append(
                    Finding(
                        check.id,
                        plain(row["filename"]),
                        int(span.get("line") or 0),
                        int(span.get("column") or 1),
                        row["message"],
                        check.severity,
                        check.confidence,
                        self.name,
                        row.get("code", ""),
                    )
                )
        return outcome

    def _ask_plainly(self, task: Task, batch: list[str]) -> dict[str, Any]:
        """Without the repository's own settings: they can name plugins, which are code."""
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder) / "oxlintrc.json"
            settings.write_text("{}", encoding="utf-8")
            argv = ["--format", "json", "--config", str(settings), "--disable-nested-config"]
            argv += ["-A", "all", "-D", "correctness", "-D", "suspicious"]
            told = self.ask(task, *argv, *batch)
        if not isinstance(told, dict):
            raise EngineError("did not answer in JSON")
        return told


class Knip(OnPath):
    """Files and dependencies that nothing uses; loads the project's configuration files, which are code."""

    name = "knip"

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        if "package.json" not in task.repo.files:
            return Outcome()
        told = self.ask(task, "--reporter", "json", "--no-exit-code", "--no-progress")
        if not isinstance(told, dict):
            raise EngineError("did not answer in JSON")
        outcome = Outcome()
        # Since version 6 each file is an issue of its own; before, there was one list of them.
        unused = [item["name"] for row in told.get("issues", []) for item in row.get("files") or ()]
        for path in (*told.get("files", []), *unused):
            message = "nothing uses this file"
            outcome.findings.append(
                Finding(check.id, path, 0, 1, message, check.severity, check.confidence, self.name, "files")
            )
        for row in told.get("issues", []):
            for kind in ("dependencies", "devDependencies", "unlisted"):
                for item in row.get(kind, []):
                    outcome.findings.append(
                        Finding(
                            check.id,
                            row["file"],
                            int(item.get("line") or 0),
                            int(item.get("col") or 1),
                            f"{kind}: {item['name']}",
                            check.severity,
                            check.confidence,
                            self.name,
                            kind,
                        )
                    )
        return outcome


class Swiftlint(OnPath):
    """Swift."""

    name = "swiftlint"

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        for batch in batches(f.path for f in task.files("swift")):
            for row in self.ask(task, "lint", "--quiet", "--reporter", "json", *batch) or []:
                path = plain(str(row["file"]).removeprefix(f"{task.repo.root}/"))
                outcome.findings.append(
                    Finding(
                        check.id,
                        path,
                        int(row["line"] or 0),
                        int(row["character"] or 1),
                        row["reason"],
                        "medium" if row["severity"] == "Error" else check.severity,
                        check.confidence,
                        self.name,
                        row["rule_id"],
                    )
                )
        return outcome


class Mypy:
    """Types. The project's own plugins would run: needs trust."""

    name = "mypy"

    def available(self) -> bool:
        return program("mypy") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        mypy = program("mypy", task.repo.root)
        if mypy is None:
            raise EngineError("not installed")
        argv = [mypy, "--output", "json", "--no-error-summary", "--cache-dir", "/dev/null", "."]
        answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
        outcome = Outcome()
        if answer.status not in (0, 1) and not answer.output.lstrip().startswith(b"{"):
            raise EngineError(
                (answer.errors or answer.output.decode(errors="replace")).strip()[-200:] or "failed"
            )
        for line in answer.output.splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if row.get("severity") == "error":
                outcome.findings.append(
                    Finding(
                        check.id,
                        plain(row["file"]),
                        row["line"],
                        row["column"] + 1,
                        row["message"],
                        check.severity,
                        check.confidence,
                        self.name,
                        row["code"] or "",
                    )
                )
        return outcome


class Uv:
    """With the network: known faults of what uv.lock holds."""

    name = "uv"

    def available(self) -> bool:
        return program("uv") is not None

    def run(self, task: Task) -> Outcome:
        uv = program("uv", task.repo.root)
        if uv is None:
            raise EngineError("not installed")
        outcome = Outcome()
        if "uv.lock" not in task.repo.files:
            return outcome
        if check := task.checks.get("DP05"):
            argv = [uv, "audit", "--frozen", "--output-format", "json"]
            answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
            if not answer.output.lstrip().startswith((b"{", b"[")):
                raise EngineError(answer.errors.strip()[-200:] or "did not answer in JSON")
            for found in re.findall(rb'"(?:id|identifier)":\s*"((?:GHSA|CVE|PYSEC)-[^"]+)"', answer.output):
                name = found.decode()
                outcome.findings.append(
                    Finding(
                        check.id,
                        "uv.lock",
                        0,
                        1,
                        f"known fault {name}",
                        check.severity,
                        check.confidence,
                        self.name,
                        name,
                    )
                )
        return outcome
