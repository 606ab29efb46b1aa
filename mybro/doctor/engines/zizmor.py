"""zizmor: what can go wrong in GitHub workflows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.finding import Confidence, Finding, Severity, Unexamined

_LEVELS: dict[str, Severity] = {"High": "high", "Medium": "medium", "Low": "low", "Informational": "low"}
_SURE: dict[str, Confidence] = {"High": "high", "Medium": "medium", "Low": "low"}

_ALSO_PEDANTIC = frozenset({"excessive-permissions"})
"""Told also where zizmor is only asked to be strict: the mistake is plain."""


def workflow(path: str) -> bool:
    """Whether zizmor looks at it."""
    name = path.rpartition("/")[2]
    return (path.startswith(".github/workflows/") and path.endswith((".yml", ".yaml"))) or name in (
        "action.yml",
        "action.yaml",
        "dependabot.yml",
        "dependabot.yaml",
    )


class Zizmor:
    """Offline only."""

    name = "zizmor"

    def available(self) -> bool:
        return program("zizmor") is not None

    def run(self, task: Task) -> Outcome:
        repo, rules = task.repo, task.rules(self.name)
        paths = [p for p, f in repo.files.items() if workflow(p) and repo.asked(p) and f.size < 1 << 20]
        outcome = Outcome()
        for batch in batches(paths):
            rows = _ask(task, batch)
            if rows is None and len(batch) > 1:
                # One file that it cannot read spoils the run: the others are looked at one by one.
                for path in batch:
                    self._add(outcome, _ask(task, [path]), rules, path)
            else:
                self._add(outcome, rows, rules, batch[0])
        return outcome

    def _add(
        self, outcome: Outcome, rows: list[dict[str, Any]] | None, rules: dict[str, Any], path: str
    ) -> None:
        if rows is None:
            outcome.unexamined.append(Unexamined(plain(path), "is no valid workflow", self.name))
            return
        for row in rows:
            check = rules.get(row["ident"])
            told = row["determinations"]
            places = [p for p in row["locations"] if p["symbolic"].get("kind") == "Primary"] or row[
                "locations"
            ]
            pedantic = told.get("persona") != "Regular" and row["ident"] not in _ALSO_PEDANTIC
            if check is None or not places or row.get("ignored") or pedantic:
                continue
            place = places[0]
            where = place["symbolic"]["key"].get("Local", {})
            point = place["concrete"]["location"]["start_point"]
            annotation = place["symbolic"].get("annotation") or ""
            outcome.findings.append(
                Finding(
                    check.id,
                    plain(where.get("verbatim_path") or where.get("given_path", "")),
                    point["row"] + 1,
                    point["column"] + 1,
                    f"{row['desc']}: {annotation}" if annotation not in ("", row["desc"]) else row["desc"],
                    (check.severities or {}).get(row["ident"])
                    or _LEVELS.get(told["severity"], check.severity),
                    _SURE.get(told["confidence"], "medium"),
                    self.name,
                    row["ident"],
                )
            )


def _ask(task: Task, paths: Sequence[str]) -> list[dict[str, Any]] | None:
    """What it says of some files; None where it cannot read one of them."""
    zizmor = program("zizmor", task.repo.root)
    if zizmor is None:
        raise EngineError("not installed")
    options = [
        "--offline",
        "--no-progress",
        "--quiet",
        "--no-config",
        "--persona=pedantic",
        "--format",
        "json",
    ]
    answer = command([zizmor, *options, *paths], cwd=task.repo.root, deadline=task.deadline)
    try:
        found = json.loads(answer.output)
    except ValueError:
        return None
    return found if isinstance(found, list) else None
