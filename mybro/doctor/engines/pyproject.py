"""validate-pyproject: whether pyproject.toml means what it should."""

from __future__ import annotations

import importlib.util
import tomllib

from mybro.doctor.engine import Outcome, Task
from mybro.doctor.finding import Finding
from mybro.ops import toml


class ValidatePyproject:
    """A library: it runs in this process, on data that tomllib has read, with no plugin of anybody's."""

    name = "validate-pyproject"

    def available(self) -> bool:
        return importlib.util.find_spec("validate_pyproject") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        outcome = Outcome()
        for file in task.repo.named("pyproject.toml"):
            if not task.repo.asked(file.path) or file.is_test:
                continue
            problem = _problem(task.repo.text(file) or "")
            if problem:
                line, message = problem
                outcome.findings.append(
                    Finding(
                        check.id, file.path, line, 1, message, check.severity, check.confidence, self.name
                    )
                )
        return outcome


def _problem(text: str) -> tuple[int, str] | None:
    from validate_pyproject import api, errors

    try:
        data = toml.parse(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        line = message.partition("at line ")[2].partition(",")[0]
        return (int(line) if line.isdigit() else 0), f"is no valid TOML: {message}"
    known = {key: value for key, value in data.items() if key in ("project", "build-system")}
    try:
        api.Validator(plugins=[])(known)
    except errors.ValidationError as error:
        first = str(error).strip().splitlines()[0].rstrip(":")
        name = first.split("`")[1].rpartition(".")[2] if first.count("`") > 1 else ""
        found = text.find(f"\n{name}") if name else -1
        return (text.count("\n", 0, found + 1) + 1 if found >= 0 else 0), first[:300]
    return None
