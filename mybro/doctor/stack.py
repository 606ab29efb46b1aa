"""The rules about which technologies are used: this room looks at files, the rules' room judges."""

from __future__ import annotations

from datetime import UTC, datetime

from mybro.doctor.engine import EngineError, Outcome, Task
from mybro.doctor.facts import MAX_SOURCE_BYTES
from mybro.doctor.finding import Finding
from mybro.errors import RulesError
from mybro.rules.layers import load
from mybro.rules.model import Sighting
from mybro.rules.sightings import LANGUAGES, in_file

_MANIFESTS = ("pyproject.toml", "package.json", "Cargo.toml")
_CHECKS = {"requests": "requests", "CUDA": "cuda", "Docker": "docker"}
"""The engine's rule for a technology; "forbidden" for all others."""


class StackRules:
    """Holds the repository against its rules."""

    name = "rules"

    def available(self) -> bool:
        return True

    def run(self, task: Task) -> Outcome:
        repo, checks, outcome = task.repo, task.rules(self.name), Outcome()
        try:
            rules = load(repo.root)
        except RulesError as error:
            raise EngineError(str(error)) from error
        seen: list[Sighting] = []
        for file in repo.files.values():
            if file.vendored or not repo.asked(file.path):
                continue
            suffix = f".{file.name.rpartition('.')[2].lower()}"
            told = suffix in LANGUAGES or file.name in _MANIFESTS or file.name.endswith((".txt", ".in"))
            text = repo.text(file) if told and file.size <= MAX_SOURCE_BYTES else None
            seen += in_file(file.path, text, rules.sought(text))
        # What has an end ends with the person's own day.
        for violation in rules.violations(seen, datetime.now(UTC).astimezone().date()):
            check = checks.get(_CHECKS.get(violation.sighting.technology, "forbidden"))
            if check is None:
                continue
            at = violation.sighting
            outcome.findings.append(
                Finding(
                    check.id, at.path, at.line, 1,
                    f"{at.evidence} ({at.technology}): use {violation.instead}",
                    check.severity, check.confidence, self.name, violation.rule.id,
                    anchor=f"{at.technology} {at.evidence}",
                )
            )  # fmt: skip
        return outcome
