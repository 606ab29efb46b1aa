"""Engines that are seldom installed: their recorded answers, given by programs of their names on PATH."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from mybro.doctor.check import catalogue
from mybro.doctor.engine import EngineError, Task, batches, command, program
from mybro.doctor.examine import Wish, examine
from mybro.doctor.facts import look
from mybro.doctor.finding import Finding

pytestmark = pytest.mark.integration

FILES = {
    "run.sh": "#!/bin/sh\nset -e\necho $1\n",
    "Dockerfile": "FROM python:3.12\nUSER app\n",
    ".github/workflows/a.yml": "on: push\njobs: {a: {runs-on: x, steps: [{run: ls}]}}\n",
    "A.swift": "let a = 1\n",
    "web.ts": "const a = 1;\n",
    "a.py": "def f(a: int) -> str:\n    return a\n",
}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the front of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def answers(folder: Path, name: str, answer: str, status: int = 0) -> None:
    """A program that prints `answer`, or writes it where its -r or -o says."""
    file = folder / name
    file.write_text(
        "#!/bin/sh\nout=\nwhile [ $# -gt 0 ]; do case $1 in -r|-o) out=$2;; esac; shift; done\n"
        f"cat > \"${{out:-/dev/stdout}}\" <<'E'\n{answer}\nE\nexit {status}\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


def told(root: Path, check: str, **wish: bool) -> list[Finding]:
    found = examine(Wish(root, select=(check,), deep=True, **wish))  # type: ignore[arg-type]
    assert not [entry for entry in found.unexamined if entry.partial]
    return [finding for finding in found.findings if finding.check == check]


def test_shellcheck(root: Path, programs: Path) -> None:
    row = {
        "file": "./run.sh",
        "line": 3,
        "column": 6,
        "level": "info",
        "code": 2086,
        "message": "Double quote",
    }
    answers(programs, "shellcheck", json.dumps([row]), 1)
    (finding,) = told(root, "CI15")
    assert (finding.path, finding.line, finding.rule, finding.severity) == ("run.sh", 3, "SC2086", "low")


def test_hadolint(root: Path, programs: Path) -> None:
    row = {
        "file": "./Dockerfile",
        "line": 1,
        "column": 1,
        "level": "error",
        "code": "DL3006",
        "message": "Tag it",
    }
    answers(programs, "hadolint", json.dumps([row]))
    assert [finding.rule for finding in told(root, "CI13")] == ["DL3006"]


def test_actionlint(root: Path, programs: Path) -> None:
    row = {
        "filepath": ".github/workflows/a.yml",
        "line": 2,
        "column": 3,
        "kind": "runner-label",
        "message": "x",
    }
    answers(programs, "actionlint", json.dumps([row]), 1)
    assert [(f.rule, f.line) for f in told(root, "CI01")] == [("runner-label", 2)]


def test_swiftlint(root: Path, programs: Path) -> None:
    row = {
        "file": str(root / "A.swift"),
        "line": 1,
        "character": 5,
        "severity": "Error",
        "rule_id": "n",
        "reason": "r",
    }
    answers(programs, "swiftlint", json.dumps([row]), 2)
    assert [(f.path, f.severity) for f in told(root, "SW05")] == [("A.swift", "medium")]


def test_oxlint(root: Path, programs: Path) -> None:
    row = {
        "filename": "web.ts",
        "message": "unused",
        "code": "no-unused",
        "labels": [{"span": {"line": 1, "column": 7}}],
    }
    answers(programs, "oxlint", json.dumps({"diagnostics": [row]}), 1)
    assert [(f.path, f.line) for f in told(root, "JS23")] == [("web.ts", 1)]


def test_knip_needs_trust(root: Path, programs: Path) -> None:
    (root / "package.json").write_text("{}")
    issue = {"file": "package.json", "dependencies": [{"name": "left-pad", "line": 3, "col": 5}]}
    answers(programs, "knip", json.dumps({"files": ["web.ts"], "issues": [issue]}))
    assert not told(root, "JS24")
    assert len(told(root, "JS24", trust=True)) == 2


def test_mypy_needs_trust(root: Path) -> None:
    assert not told(root, "PY10")
    (finding,) = told(root, "PY10", trust=True)
    assert (finding.path, finding.line, finding.rule) == ("a.py", 2, "return-value")


def test_leaks(root: Path, programs: Path) -> None:
    new = {"rule_id": "github-pat", "confidence": "high", "location": {"path": "a.py", "start_line": 1}}
    answers(programs, "betterleaks", json.dumps({"findings": [new]}), 1)
    old = {
        "RuleID": "generic-api-key",
        "File": "web.ts",
        "StartLine": 1,
        "Description": "a key",
        "Secret": "x",
    }
    answers(programs, "gitleaks", json.dumps([old]), 1)
    found = {finding.path: finding for finding in told(root, "SEC01")}
    assert found["a.py"].severity == "high"
    assert found["web.ts"].severity == "medium"


def test_an_engine_that_others_stand_in_for_may_fail(root: Path, programs: Path) -> None:
    answers(programs, "hadolint", "this is no JSON")
    found = examine(Wish(root, select=("CI13",)))
    assert found.unexamined
    assert not found.incomplete


def test_a_program_in_the_repository_is_not_taken(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "node_modules" / ".bin"
    folder.mkdir(parents=True)
    answers(folder, "oxlint", "{}")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    assert program("oxlint", root) is None


def test_what_runs_too_long_or_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="out of time"):
        command(["sleep", "60"], cwd=tmp_path, deadline=0.0)
    with pytest.raises(EngineError, match="did not start"):
        command(["/nonexistent"], cwd=tmp_path, deadline=0.0)


def test_command_lines_stay_short() -> None:
    parts = list(batches((f"file-{number}" for number in range(1000)), 500))
    assert sum(map(len, parts)) == 1000
    assert all(sum(map(len, part)) < 600 for part in parts)
    assert parts[0][0] == "./file-0"


def test_a_task_gives_longer_rules_first(root: Path) -> None:
    checks = {name: catalogue()[name] for name in ("PY01", "PY12")}
    names = list(Task(look(root), checks, 0.0).rules("ruff"))
    assert names == sorted(names, key=lambda name: -len(name))
