"""vulture: Python that nothing uses."""

from __future__ import annotations

import re

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Finding

_LINE = re.compile(
    r"^(?P<path>.+):(?P<line>\d+): (?P<message>.+?) \((?P<sure>\d+)% confidence(?:, [^)]*)?\)$"
)
_SURE = 80


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
                [vulture, "--min-confidence", str(_SURE), *batch],
                cwd=task.repo.root,
                deadline=task.deadline,
            )
            for line in answer.output.decode(errors="surrogateescape").splitlines():
                if found := _LINE.match(line):
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
