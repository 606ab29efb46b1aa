"""Reads what test runners print."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class TestRun:
    """What one runner reported."""

    __test__ = False

    runner: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()
    """As they are said: "test_parse_date in test_dates.py"."""
    ok: bool = False
    note: str = ""
    """A sentence where counting is not all there is to say: a build that failed."""
    detail: str = ""


def read_junit(report: bytes) -> TestRun:
    """pytest's own report, which no setting of the repository changes."""
    passed = failed = skipped = 0
    failures: list[str] = []
    for case in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314 - written by the run just made
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
            failures.append(_python_name(case))
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return TestRun("pytest", passed, failed, skipped, tuple(dict.fromkeys(failures)))


def _python_name(case: ElementTree.Element) -> str:
    name = (case.get("name") or "").split("[")[0]
    file = (case.get("file") or "").rsplit("/", 1)[-1]
    if not file or name.replace(".", "/").endswith(file.removesuffix(".py")):
        return file or name.rsplit(".", 1)[-1] + ".py"  # the file itself could not be imported
    return f"{name} in {file}"


def read_unittest(text: str, returncode: int) -> TestRun:
    ran = _number(r"^Ran (\d+) tests?", text)
    skipped = _number(r"skipped=(\d+)", text)
    unexpected = _number(r"unexpected successes=(\d+)", text)
    failures = []
    for method, where in re.findall(r"^(?:FAIL|ERROR): (\S+) \(([^)]*)\)", text, re.MULTILINE):
        parts = [part for part in where.split(".") if part != method]
        near = reversed(parts)  # a package may be called "tests"
        module = next((part for part in near if part.startswith("test") or part.endswith("test")), "")
        if "_FailedTest" in where:
            failures.append(f"{method.rsplit('.', 1)[-1]}.py")
        else:
            failures.append(f"{method} in {module}.py" if module else method)
    failures = list(dict.fromkeys(failures))
    failed = len(failures) + unexpected
    return TestRun(
        "unittest", max(0, ran - failed - skipped), failed, skipped, tuple(failures), returncode == 0,
        detail=text,
    )  # fmt: skip


def read_cargo(text: str, returncode: int) -> TestRun:
    found = re.findall(r"^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored", text, re.MULTILINE)
    passed, failed, skipped = (sum(int(row[column]) for row in found) for column in range(3))
    names = re.findall(r"^test (\S+)(?: - .*)? \.\.\. FAILED", text, re.MULTILINE)
    note = ""
    if returncode != 0 and not failed:
        errors = re.findall(r"^error(?:\[E\d+\])?: (.+)", text, re.MULTILINE)
        note = f"It does not compile: {errors[0]}." if errors else "cargo test failed."
    return TestRun(
        "cargo",
        passed,
        failed,
        skipped,
        tuple(n.rsplit("::", 1)[-1] for n in names),
        returncode == 0,
        note,
        text,
    )


def read_go(text: str, returncode: int) -> TestRun:
    """`go test -json`: one object a line."""
    counts: Counter[str] = Counter()
    failures: list[str] = []
    shown: list[str] = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            shown.append(line)
            continue
        if event.get("Action") in ("output", "build-output"):
            shown.append(event.get("Output", "").rstrip("\n"))
        elif event.get("Test") and event.get("Action") in ("pass", "fail", "skip"):
            counts[event["Action"]] += 1
            if event["Action"] == "fail":
                failures.append(event["Test"])
    failures = [name for name in failures if not any(other.startswith(f"{name}/") for other in failures)]
    detail = "\n".join(shown)
    note = "" if returncode == 0 or failures else "It does not build."
    failed = len(failures)
    return TestRun(
        "go", counts["pass"], failed, counts["skip"], tuple(failures), returncode == 0, note, detail
    )


_COUNTS = (
    # jest and vitest: "Tests:  1 failed, 2 passed, 3 total" or "Tests  1 failed | 2 passed (3)"
    (r"^\s*Tests:?\s+.*?(\d+) passed", r"^\s*Tests:?\s+.*?(\d+) failed", r"^\s*Tests:?\s+.*?(\d+) skipped"),
    # node --test
    (r"^(?:#|ℹ) pass (\d+)", r"^(?:#|ℹ) fail (\d+)", r"^(?:#|ℹ) skipped (\d+)"),
    # mocha
    (r"^\s*(\d+) passing", r"^\s*(\d+) failing", r"^\s*(\d+) pending"),
    # bun
    (r"^\s*(\d+) pass$", r"^\s*(\d+) fail$", r"^\s*(\d+) skip$"),
    # pytest, behind a script or a Makefile; cargo's lines look alike
    (
        r"^(?!test result).*?(\d+) passed.* in ", r"^(?!test result).*?(\d+) failed.* in ",
        r"^(?!test result).*?(\d+) skipped.* in ",
    ),
)  # fmt: skip

_NAMES = (
    r"^\s*● (.+)$", r"^\s*FAIL\s+\S+ > (.+)$", r"^\s*not ok \d+ - (.+?)(?: #.*)?$", r"^✖ (.+) \([\d.]+ms\)",
    r"^\(fail\) (.+?)(?: \[.*\])?$", r"^FAILED (\S+)",
)  # fmt: skip


def read_any(runner: str, text: str, returncode: int) -> TestRun:
    """Output of a script or Makefile, whatever runner is behind it."""
    for passed, failed, skipped in _COUNTS:
        if re.search(passed, text, re.MULTILINE) or re.search(failed, text, re.MULTILINE):
            return TestRun(
                runner, _number(passed, text), _number(failed, text), _number(skipped, text), _names(text),
                returncode == 0, detail=text,
            )  # fmt: skip
    for reader in (read_unittest, read_cargo):
        run = reader(text, returncode)
        if run.passed or run.failed:
            return run
    note = f"{runner} succeeded." if returncode == 0 else f"{runner} failed."
    return TestRun(runner, ok=returncode == 0, note=note, detail=text)


def _names(text: str) -> tuple[str, ...]:
    for pattern in _NAMES:
        if found := re.findall(pattern, text, re.MULTILINE):
            names = [re.split(r" › | > | - |::", name)[-1].strip() for name in found]
            return tuple(dict.fromkeys(names))
    return ()


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text, re.MULTILINE)
    return int(found.group(1)) if found else 0
