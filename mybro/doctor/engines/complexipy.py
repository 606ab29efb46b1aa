"""complexipy: functions that are hard to follow."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

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
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "out.json"
            for batch in batches(
                (f.path for f in task.files("python") if f.name.endswith(".py")), _BATCH_CHARS
            ):
                out.unlink(missing_ok=True)
                answer = command(
                    [
                        complexipy,
                        "--isolated",
                        "--failed",
                        "--quiet",
                        "--cache-dir",
                        folder,
                        "--max-complexity-allowed",
                        str(MOST),
                        "--output-format",
                        "json",
                        "--output",
                        str(out),
                        *batch,
                    ],
                    cwd=task.repo.root,
                    deadline=task.deadline,
                )
                if not out.exists():
                    if answer.status not in (0, 1):
                        raise EngineError(answer.errors.strip()[-200:] or "failed")
                    continue
                for row in json.loads(out.read_bytes()):
                    score, name = int(row["complexity"]), str(row["function_name"])
                    path = plain(str(row["path"]))
                    outcome.findings.append(
                        Finding(
                            check.id,
                            path,
                            _line(task, path, row, name),
                            1,
                            f"{name.replace('::', '.')} has a cognitive complexity of {score}, above {MOST}",
                            "medium" if score >= GRAVE else check.severity,
                            check.confidence,
                            self.name,
                            "cognitive",
                            anchor=name,
                        )
                    )
        return outcome


def _line(task: Task, path: str, row: dict[str, object], name: str) -> int:
    """Where the function begins: the newest versions tell, others leave it to be found."""
    told = row.get("line_start") or row.get("line")
    if isinstance(told, int):
        return told
    wanted = f"def {name.rpartition('::')[2]}(".encode()
    data = task.repo.read(path) or b""
    place = data.find(wanted)
    return data.count(b"\n", 0, place) + 1 if place >= 0 else 0
