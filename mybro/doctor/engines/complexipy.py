"""complexipy: functions that are hard to follow."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding

MOST = 25
"""Cognitive complexity: above 15 is widely held too much; this is where reading really fails."""
GRAVE = 60
_BATCH_CHARS = 700_000 if Path("/proc").exists() else 100_000


class Complexipy:
    """Works file by file; its own cache and configuration are not used."""

    name = "complexipy"

    def available(self) -> bool:
        return program("complexipy") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        complexipy = program("complexipy", task.repo.root)
        if complexipy is None:
            raise EngineError("not installed")
        outcome = Outcome()
        paths = (file.path for file in task.files("python") if file.name.endswith(".py"))
        with tempfile.TemporaryDirectory() as folder:
            for batch in batches(paths, _BATCH_CHARS):
                for row in _measure(complexipy, task, Path(folder), batch):
                    score, name = int(row["complexity"]), str(row["function_name"])
                    path = plain(str(row["path"]))
                    message = f"{name.replace('::', '.')} has a cognitive complexity of {score}, above {MOST}"
                    severity = "medium" if score >= GRAVE else check.severity
                    outcome.findings.append(
                        Finding(
                            check.id, path, _line(task, path, row, name), 1, message, severity,
                            check.confidence, self.name, "cognitive", anchor=name,
                        )
                    )  # fmt: skip
        return outcome


def _measure(complexipy: str, task: Task, folder: Path, batch: Sequence[str]) -> list[dict[str, Any]]:
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    answer = command(
        [
            complexipy, "--isolated", "--failed", "--quiet", "--cache-dir", str(folder),
            "--max-complexity-allowed", str(MOST), "--output-format", "json", "--output", str(out), *batch,
        ],
        cwd=task.repo.root,
        deadline=task.deadline,
    )  # fmt: skip
    if out.exists():
        rows: list[dict[str, Any]] = json.loads(out.read_bytes())
        return rows
    if answer.status not in (0, 1):
        raise EngineError(answer.errors.strip()[-200:] or "failed")
    return []


def _line(task: Task, path: str, row: dict[str, object], name: str) -> int:
    """Where the function begins: the newest versions tell, others leave it to be found."""
    told = row.get("line_start") or row.get("line")
    if isinstance(told, int):
        return told
    wanted = f"def {name.rpartition('::')[2]}(".encode()
    data = task.repo.read(path) or b""
    place = data.find(wanted)
    return data.count(b"\n", 0, place) + 1 if place >= 0 else 0
