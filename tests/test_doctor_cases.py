"""Every check against its labelled cases: it fires where it must, stays quiet where it must, and mends."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Examination, Wish, examine
from mybro.doctor.fix import mend
from tests.doctor_cases import Case, content, lay, read
from tests.requirements import need

pytestmark = pytest.mark.integration

CASES = read()
ALONE = [case for case in CASES if case.alone]
TOGETHER = [case for case in CASES if not case.alone]
FIXED = [case for case in CASES if case.fixed]
UNLABELLED = {
    "PY10", "RS05", "DP05", "DP14", "JS23", "JS24", "SW05", "CI15", "CI17",
}  # fmt: skip
"""Their engines run the repository's code, ask the network, or are not there everywhere."""


def _missing(found: Examination) -> dict[str, str]:
    """The checks whose engines are not installed, and why."""
    lost = [entry for entry in found.unexamined if "PY01" not in entry.what and entry.engine != "ruff"]
    return {check: e.why for e in lost if "not installed" in e.why for check in e.what.split(", ")}


def _folder() -> Path:
    folder = Path(mkdtemp(prefix="mybro-doctor-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _together() -> tuple[dict[str, set[str]], dict[str, str]]:
    """All cases that need no repository of their own, examined at once: folder to the checks that fired,
    and the checks that could not be looked at.
    """
    root = _folder()
    for case in TOGETHER:
        lay(case, root / case.name)
    found = examine(Wish(root, deep=True))
    fired: dict[str, set[str]] = {}
    for finding in found.findings:
        fired.setdefault(finding.path.partition("/")[0], set()).add(finding.check)
    return fired, _missing(found)


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.name)
def test_a_file_is_judged_as_labelled(case: Case) -> None:
    fired, missing = _together()
    need(case.check not in missing, f"{case.check} {missing.get(case.check)}")
    assert (case.check in fired.get(case.name, set())) == case.fires


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.name)
def test_a_repository_is_judged_as_labelled(case: Case, tmp_path: Path) -> None:
    lay(case, tmp_path)
    found = examine(Wish(tmp_path, select=(case.check,), deep=True))
    missing = _missing(found)
    need(case.check not in missing, f"{case.check} {missing.get(case.check)}")
    assert (case.check in {finding.check for finding in found.findings}) == case.fires


@cache
def _mended() -> tuple[Path, dict[str, bytes], dict[str, str]]:
    root = _folder()
    for case in FIXED:
        if not case.alone:
            lay(case, root / case.name)
    wish = Wish(root, deep=True)
    mended = mend(examine(wish), wish, unsafe=True)
    return root, {path: after for path, (_, after) in mended.files.items()}, mended.refused


@pytest.mark.parametrize("case", FIXED, ids=lambda case: case.name)
def test_a_mended_file_is_as_labelled(case: Case, tmp_path: Path) -> None:
    if case.alone:
        lay(case, tmp_path)
        wish = Wish(tmp_path, select=(case.check,), deep=True)
        files = {path: after for path, (_, after) in mend(examine(wish), wish, unsafe=True).files.items()}
        name = ""
    else:
        _, files, _ = _mended()
        name = f"{case.name}/"
    for path, (how, text) in case.fixed.items():
        was = content(*case.files[path]) if path in case.files else b""
        assert files.get(f"{name}{path}", was) == content(how, text)


def test_mending_again_changes_nothing() -> None:
    root, files, _ = _mended()
    for path, after in files.items():
        (root / path).write_bytes(after)
    wish = Wish(root, deep=True)
    assert not mend(examine(wish), wish, unsafe=True).files


def test_every_check_has_cases_of_both_kinds() -> None:
    fires = {case.check for case in CASES if case.fires}
    quiet = {case.check for case in CASES if not case.fires}
    assert catalogue().keys() - fires == UNLABELLED
    assert catalogue().keys() - quiet == UNLABELLED
    assert fires <= catalogue().keys()


def test_more_than_twenty_five_checks_mend_themselves() -> None:
    assert len({case.check for case in FIXED}) >= 25
