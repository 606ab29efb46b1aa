"""vulture: Python that nothing uses."""

from __future__ import annotations

import re

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding

_LINE = re.compile(
    r"^(?P<path>.+):(?P<line>\d+): (?P<message>.+?) \((?P<sure>\d+)% confidence(?:, [^)]*)?\)$"
)
_SURE = 80
_PRIVATE = re.compile(r"unused (?:function|class) '_[A-Za-z0-9]\w*[A-Za-z0-9]'")
_AT_TOP = (b"def _", b"async def _", b"class _")
"""How what a module keeps to itself begins, where nothing decorates it."""
_SPECIAL = re.compile(rb"\s+(?:async )?def __\w+__\(")


class Vulture:
    """It has no JSON: its lines are one a finding."""

    name = "vulture"

    def available(self) -> bool:
        return program("vulture") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        vulture = program("vulture", task.repo.root)
        if vulture is None:
            raise EngineError("not installed")
        outcome = Outcome()
        # What one file uses another defines: they are looked at together, as many as a command line holds.
        for batch in batches((f.path for f in task.files("python")), 700_000):
            answer = command(
                [vulture, "--min-confidence", "60", *batch],
                cwd=task.repo.root,
                deadline=task.deadline,
            )
            for line in answer.output.decode(errors="surrogateescape").splitlines():
                if (found := _LINE.match(line)) and _is_meant(task, found):
                    outcome.findings.append(
                        Finding(
                            check.id,
                            plain(found["path"]),
                            int(found["line"]),
                            1,
                            found["message"],
                            check.severity,
                            "high" if found["sure"] == "100" else "medium",
                            self.name,
                            "unused",
                        )
                    )
        return outcome


def _is_meant(task: Task, found: re.Match[str]) -> bool:
    """What vulture is sure of, and what a module keeps to itself and never names again.

    Python's own protocols say which arguments a special method has.
    """
    sure, private = int(found["sure"]) >= _SURE, _PRIVATE.match(found["message"]) is not None
    if not sure and not private:
        return False
    data = task.repo.read(plain(found["path"])) or b""
    lines = data.split(b"\n")
    text = lines[int(found["line"]) - 1] if int(found["line"]) <= len(lines) else b""
    if not sure:
        return text.startswith(_AT_TOP) and b"globals()" not in data and b"getattr(" not in data
    return not (found["message"].startswith("unused variable") and _SPECIAL.match(text))
