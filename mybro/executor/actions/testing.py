"""Runs a repository's tests, whatever they are written for, and says what came out."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.results import (
    TestRun,
    read_any,
    read_cargo,
    read_go,
    read_junit,
    read_unittest,
)
from mybro.executor.actions.sources import find_path, has_files
from mybro.executor.actions.work import Work, last_words, output, program, scratch_file
from mybro.executor.words import count_words, listed

Runner = Callable[[Work, str | None], Awaitable[TestRun]]

_PYTHON_MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "conftest.py")
_NO_TEST = "no test specified"


async def run_tests(work: Work) -> Outcome:
    """Run every kind of test that the repository has. `ok` is False where one fails."""
    wanted = work.arguments.path or work.job.intent.target
    path = find_path(work.repo, wanted) if wanted else None
    if work.arguments.path and path is None:
        raise ExecutorError("no_such_path", f"there is nothing called {wanted} here")
    runners = _runners(work.repo, path)
    if not runners:
        raise ExecutorError(
            "no_tests", "I found no tests here",
            hint="I know pytest, unittest, cargo, npm, go and a Makefile with a test target.",
        )  # fmt: skip
    runs = [await runner(work, path) for runner in runners]
    return _outcome(runs)


def _runners(repo: Path, path: str | None) -> list[Runner]:
    found: list[Runner] = []
    if (path or "").endswith(".py") or _is_python(repo):
        found.append(_python)
    if (repo / "Cargo.toml").is_file():
        found.append(_cargo)
    if _script(repo):
        found.append(_javascript)
    if (repo / "go.mod").is_file():
        found.append(_go)
    return found or ([_make] if _has_target(repo) else [])


def _is_python(repo: Path) -> bool:
    return has_files(repo, "test_*.py", "*_test.py") and (
        any((repo / mark).is_file() for mark in _PYTHON_MARKS)
        or not any((repo / other).is_file() for other in ("Cargo.toml", "package.json", "go.mod"))
    )


async def _python(work: Work, path: str | None) -> TestRun:
    for python in _pythons(work.repo):
        if (await work.run(*python, "-c", _HAS_PYTEST, quiet=True)).returncode == 0:
            return await _pytest(work, python, path)
    if has_files(work.repo, "test*.py", containing="unittest"):
        return await _unittest(work, _pythons(work.repo)[0], path)
    raise ExecutorError(
        "no_pytest", "pytest is not installed for this repository",
        hint="Install it into the repository's .venv, say with `uv pip install pytest`.",
    )  # fmt: skip


_HAS_PYTEST = "import importlib.util, sys; sys.exit(importlib.util.find_spec('pytest') is None)"


def _pythons(repo: Path) -> list[list[str]]:
    """Interpreters that may have the repository's packages, the likeliest first."""
    found = [[str(repo / folder / "bin" / "python")] for folder in (".venv", "venv")]
    found = [argv for argv in found if os.access(argv[0], os.X_OK)]
    if not found and (repo / "uv.lock").is_file() and (uv := program("uv", repo=repo)):
        found.append([uv, "run", "--quiet", "python"])
    if active := os.environ.get("VIRTUAL_ENV"):
        found.append([str(Path(active) / "bin" / "python")])
    if anyone := program("python3", "python", repo=repo):
        found.append([anyone])
    return [*(argv for argv in found if len(argv) > 1 or Path(argv[0]).exists()), [sys.executable]]


async def _pytest(work: Work, python: list[str], path: str | None) -> TestRun:
    with scratch_file(".xml") as report:
        result = await work.run(
            *python, "-m", "pytest", "-q", "--color=no", f"--junitxml={report}", "-o", "junit_family=xunit1",
            *([path] if path else []), timeout_s=work.settings.test_timeout_s,
        )  # fmt: skip
        if result.returncode == 5:
            return TestRun("pytest", detail=output(result))
        if report.is_file() and result.returncode in (0, 1, 2):
            return dataclasses.replace(
                read_junit(report.read_bytes()), detail=output(result), ok=result.returncode == 0
            )
    raise ExecutorError("tests_not_run", f"pytest could not run: {last_words(result)}")


async def _unittest(work: Work, python: list[str], path: str | None) -> TestRun:
    if path and path.endswith(".py"):
        start, name = str(Path(path).parent), Path(path).name
    else:
        top = has_files(work.repo, "test*.py", top_only=True)
        start, name = "." if top else "tests" if (work.repo / "tests").is_dir() else "test", "test*.py"
    where = ["discover", "-s", start, "-p", name]
    if (work.repo / start / "__init__.py").is_file():
        where += ["-t", "."]
    result = await work.run(*python, "-m", "unittest", *where, timeout_s=work.settings.test_timeout_s)
    return read_unittest(output(result), result.returncode)


async def _cargo(work: Work, _path: str | None) -> TestRun:
    result = await work.run("cargo", "test", "--no-fail-fast", timeout_s=work.settings.test_timeout_s)
    return read_cargo(output(result), result.returncode)


async def _go(work: Work, _path: str | None) -> TestRun:
    result = await work.run(
        "go", "test", "-json", "./...", timeout_s=work.settings.test_timeout_s, quiet=True, keep_lines=200_000
    )
    return read_go(output(result), result.returncode)


async def _javascript(work: Work, _path: str | None) -> TestRun:
    manager = package_manager(work.repo)
    result = await work.run(manager, "run", "test", timeout_s=work.settings.test_timeout_s)
    return read_any(manager, output(result), result.returncode)


async def _make(work: Work, _path: str | None) -> TestRun:
    result = await work.run("make", "test", timeout_s=work.settings.test_timeout_s)
    return read_any("make test", output(result), result.returncode)


def package_manager(repo: Path) -> str:
    """What installs and runs a JavaScript repository's tools, by its lock file."""
    locks = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}
    return next((manager for lock, manager in locks.items() if (repo / lock).is_file()), "npm")


def _script(repo: Path) -> bool:
    try:
        script = json.loads((repo / "package.json").read_bytes())["scripts"]["test"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return isinstance(script, str) and _NO_TEST not in script


def _has_target(repo: Path) -> bool:
    for name in ("GNUmakefile", "makefile", "Makefile"):
        try:
            text = (repo / name).read_text(errors="replace")
        except OSError:
            continue
        return any(line.split(":")[0].split() == ["test"] for line in text.splitlines() if ":" in line)
    return False


def _outcome(runs: list[TestRun]) -> Outcome:
    passed, skipped = sum(run.passed for run in runs), sum(run.skipped for run in runs)
    failures = [failure for run in runs for failure in run.failures]
    failed = max(len(failures), sum(run.failed for run in runs))
    ok = all(run.ok for run in runs)
    detail = "\n\n".join(run.detail for run in runs if run.detail)
    notes = [run.note for run in runs if run.note]
    if notes and not passed and not failed:
        return Outcome(f"{' '.join(notes)}", ok=ok, detail=detail)
    if not passed and not failed:
        return Outcome("There are no tests to run.", ok=False, detail=detail)
    if failed:
        names = f": {listed(failures)}" if failures else ""
        summary = f"{passed} passed, {failed} failed{names}."
    elif passed == 1:
        summary = "The one test passed."
    else:
        summary = f"All {count_words(passed, 'test')} passed." if not skipped else f"{passed} tests passed."
    if skipped:
        summary = f"{summary[:-1]}, {skipped} skipped." if not failed else f"{summary} {skipped} skipped."
    return Outcome(" ".join([summary, *notes]), ok=ok, detail=detail)
