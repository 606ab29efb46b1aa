"""ruff: everything about Python that it can see."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mybro.doctor.check import Check
from mybro.doctor.engine import EngineError, Outcome, Task, command, plain, program
from mybro.doctor.engines.audited import RULE, banned, mistakes, row_of
from mybro.doctor.engines.ruff_settings import configuration
from mybro.doctor.engines.second_look import Texts
from mybro.doctor.finding import FIX_ORDER, LEVELS, Edit, Finding, Fixable, Unexamined
from mybro.doctor.languages import is_test

_SYNTAX = "invalid-syntax"
_QUIET_IN_STUBS = ("F401", "F811", "F821", "B0")


class Ruff:
    """Reads nothing of the repository's configuration but what can only silence or describe."""

    name = "ruff"

    def available(self) -> bool:
        return program("ruff") is not None

    def run(self, task: Task) -> Outcome:
        files = [f.path for f in task.files("python") if "\n" not in f.path]
        rules = task.rules(self.name)
        codes = [rule for rule in rules if rule != _SYNTAX]
        names = banned(frozenset(task.checks))
        if not files or not (rules or names):
            return Outcome()
        ruff = program("ruff", task.repo.root)
        if ruff is None:
            raise EngineError("not installed")
        with tempfile.TemporaryDirectory() as folder:
            config, listed = Path(folder) / "ruff.toml", Path(folder) / "files"
            config.write_text(configuration(task.repo, codes or ["E902"], names), encoding="utf-8")
            listed.write_bytes(b"".join(b"./" + _bytes(path) + b"\n" for path in files))
            answer = command(
                [
                    ruff,
                    "check",
                    "--config",
                    str(config),
                    "--no-cache",
                    "--exit-zero",
                    "--quiet",
                    "--no-fix",
                    "--output-format",
                    "json",
                    f"@{listed}",
                ],
                cwd=task.repo.root,
                deadline=task.deadline,
            )
        try:
            rows = json.loads(answer.output)
        except ValueError as error:
            raise EngineError(f"did not answer in JSON: {answer.errors.strip()[:200]}") from error
        return _outcome(task, rows, rules)


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def _outcome(task: Task, rows: list[dict[str, Any]], rules: Mapping[str, Check]) -> Outcome:
    outcome = Outcome()
    cache: dict[str, Check | None] = {}
    root = f"{task.repo.root}/"
    lines: dict[str, list[bytes]] = {}
    texts = Texts(task.repo.read)
    for row in rows:
        path = plain(str(row["filename"]).removeprefix(root))
        code = row["code"] or _SYNTAX
        if code == RULE:
            _audit(task, row, path, outcome)
            continue
        if code == _SYNTAX and not str(row["message"]).startswith("Cannot use"):
            outcome.unexamined.append(
                Unexamined(path, f"does not parse, line {row['location']['row']}", "ruff")
            )
        if code not in cache:
            cache[code] = next((check for rule, check in rules.items() if code.startswith(rule)), None)
        check = cache[code]
        if check is None or (path.endswith(".pyi") and code.startswith(_QUIET_IN_STUBS)):
            continue
        if code == "F401" and path.endswith("__init__.py"):
            continue
        if not texts.stands(row, path, code):
            continue
        slight = _is_slight(row, path, code) or texts.slight(row, path, code)
        edits: tuple[Edit, ...] = ()
        fix = _fixable(row, check, code)
        if task.edits and fix != "no":
            if path not in lines:
                lines[path] = (task.repo.read(path) or b"").splitlines(keepends=True)
            edits = tuple(_edits(row["fix"]["edits"], lines[path]))
        outcome.findings.append(
            Finding(
                check.id,
                path,
                row["location"]["row"],
                row["location"]["column"],
                row["message"],
                "low" if slight else check.severity_of(code),
                check.confidence,
                "ruff",
                code,
                row["end_location"]["row"],
                fix,
                edits,
            )
        )
    return outcome


def _audit(task: Task, row: Mapping[str, Any], path: str, outcome: Outcome) -> None:
    audited = row_of(str(row["message"]))
    check = task.checks.get(audited.check) if audited else None
    if audited is None or check is None or path.endswith(".pyi"):
        return
    lines = (task.repo.read(path) or b"").decode("utf-8", "replace").removeprefix("\ufeff").split("\n")
    place = row["location"]
    for line in mistakes(audited, lines, place["row"], place["column"]) if place["row"] <= len(lines) else ():
        outcome.findings.append(
            Finding(
                check.id,
                path,
                line,
                1,
                f"{audited.name}: {audited.message}",
                check.severity_of(audited.name),
                min(check.confidence, "medium", key=LEVELS.__getitem__),
                "ruff",
                audited.name,
                line,
            )
        )


def _is_slight(row: Mapping[str, Any], path: str, code: str) -> bool:
    """What ruff itself thinks safe; a name that is missing in a test's data and not in a test."""
    if code == "F821" and is_test(path):
        return not re.search(r"(?:^|/)(?:test[^/]*|[^/]*_test|conftest)\.py$", path)
    return "seems safe" in row["message"]


def _fixable(row: Mapping[str, Any], check: Check, code: str) -> Fixable:
    """What ruff says, unless the check knows better; a check that is not fixable never fixes."""
    fix = row.get("fix")
    if not fix or check.fixable == "no":
        return "no"
    told: Fixable = {"safe": "safe", "unsafe": "unsafe"}.get(fix["applicability"], "no")  # type: ignore[assignment]
    most = (check.fixes or {}).get(code, check.fixable)
    return told if FIX_ORDER[told] <= FIX_ORDER[most] else most


def _edits(edits: list[dict[str, Any]], lines: list[bytes]) -> Iterator[Edit]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))

    def offset(place: Mapping[str, int]) -> int:
        row, column = place["row"] - 1, place["column"] - 1
        if row >= len(lines):
            return starts[-1]
        text = lines[row].decode("utf-8", "surrogateescape")
        lead = 1 if row == 0 and text.startswith("\ufeff") else 0
        return starts[row] + len(text[: column + lead].encode("utf-8", "surrogateescape"))

    for edit in edits:
        yield Edit(offset(edit["location"]), offset(edit["end_location"]), (edit["content"] or "").encode())
