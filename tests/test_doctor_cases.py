"""Every check against its labelled cases: it fires where it must, stays quiet where it must, and mends."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Wish, examine
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


@cache
def _together() -> dict[str, set[str]]:
    """All cases that need no repository of their own, examined at once: folder to the checks that fired."""
    root = Path(mkdtemp(prefix="doctor-cases-"))
    for case in TOGETHER:
        lay(case, root / case.name)
    found = examine(Wish(root, deep=True))
    lost = [entry for entry in found.unexamined if "PY01" not in entry.what and entry.engine != "ruff"]
    need(not [e for e in lost if "not installed" in e.why], f"the engines of `mybro doctor`: {lost}")
    fired: dict[str, set[str]] = {}
    for finding in found.findings:
        fired.setdefault(finding.path.partition("/")[0], set()).add(finding.check)
    return fired


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.name)
def test_a_file_is_judged_as_labelled(case: Case) -> None:
    assert (case.check in _together().get(case.name, set())) == case.fires


@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.name)
def test_a_repository_is_judged_as_labelled(case: Case, tmp_path: Path) -> None:
    lay(case, tmp_path)
    found = examine(Wish(tmp_path, select=(case.check,), deep=True))
    assert not [entry for entry in found.unexamined if "not installed" in entry.why]
    assert (case.check in {finding.check for finding in found.findings}) == case.fires


@cache
def _mended() -> tuple[Path, dict[str, bytes], dict[str, str]]:
    root = Path(mkdtemp(prefix="doctor-mends-"))
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
