"""Mending: in a copy, looked at again, each file wholly or not at all, and never over what would be lost."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mybro.doctor.check import DoctorError
from mybro.doctor.examine import Wish, examine
from mybro.doctor.facts import Repository
from mybro.doctor.finding import Edit
from mybro.doctor.fix import Mended, apply_edits, mend, run_tests, write
from tests.doctor_fixtures import git, repository

pytestmark = pytest.mark.end_to_end

UNTIDY = "import os, sys\nx = None\nif x == None:\n    print(f'hi')  \nclass A(object):\n    pass\n"


def mended(root: Path, *, unsafe: bool = False) -> Mended:
    wish = Wish(root)
    return mend(examine(wish), wish, unsafe=unsafe)


def test_nothing_changes_until_it_is_written(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": UNTIDY})
    found = mended(root)
    assert (root / "a.py").read_text() == UNTIDY
    assert "-class A(object):" in found.diff()
    write(facts_of(root), found, None)
    assert "class A:" in (root / "a.py").read_text()
    assert "x == None" in (root / "a.py").read_text()
    assert not mended(root).files


def facts_of(root: Path) -> Repository:
    return examine(Wish(root, select=("GT01",))).repo


def test_what_is_not_committed_is_not_written_over(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": UNTIDY})
    (root / "a.py").write_text(UNTIDY + "y = 1\n")
    with pytest.raises(DoctorError, match="not committed"):
        write(facts_of(root), mended(root), None)
    assert (root / "a.py").read_text() == UNTIDY + "y = 1\n"


class Keeper:
    def __init__(self) -> None:
        self.kept: list[str] = []

    def keep(self, root: Path, label: str) -> str:
        self.kept.append(label)
        return "kept"


def test_a_checkpoint_allows_it(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": UNTIDY})
    (root / "b.py").write_text("y = 1\n")
    found, keeper = mended(root), Keeper()
    write(facts_of(root), found, keeper)
    assert keeper.kept
    assert found.kept == "kept"
    assert "class A:" in (root / "a.py").read_text()


def test_a_file_that_changed_meanwhile_stays(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": UNTIDY})
    found = mended(root)
    (root / "a.py").write_text("z = 1\n")
    git(root, "commit", "-qam", "two")
    write(facts_of(root), found, None)
    assert (root / "a.py").read_text() == "z = 1\n"
    assert "a.py" in found.refused


def test_permissions_and_line_ends_stay(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": ""})
    (root / "a.py").write_bytes(b"#!/usr/bin/env python3\r\nimport os\r\nprint(f'x')\r\n")
    (root / "a.py").chmod(0o755)
    git(root, "commit", "-qam", "two")
    write(facts_of(root), mended(root), None)
    assert (root / "a.py").read_bytes() == b"#!/usr/bin/env python3\r\nprint('x')\r\n"
    assert (root / "a.py").stat().st_mode & 0o777 == 0o755


def test_accepted_findings_are_not_mended(tmp_path: Path) -> None:
    text = "import os  # mybro: ignore[PY03] kept for its side effect\nimport sys\n"
    root = repository(tmp_path / "r", {"a.py": text})
    _, after = mended(root).files["a.py"]
    assert after.decode() == text.splitlines(keepends=True)[0]


def test_the_projects_tests_run_on_the_copy(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": UNTIDY})
    found = mended(root)
    look = "import sys; sys.exit('class A:' not in open('a.py').read())"
    assert run_tests(root, found, [sys.executable, "-c", look], 60)
    assert not run_tests(root, found, [sys.executable, "-c", "raise SystemExit(1)"], 60)
    assert (root / "a.py").read_text() == UNTIDY


def test_edits_that_touch_are_left_for_later() -> None:
    data = b"abcdef"
    assert apply_edits(data, [[Edit(0, 2, b"X")], [Edit(1, 3, b"Y")], [Edit(4, 5, b"Z")]]) == b"XcdZf"
    assert apply_edits(data, [[Edit(0, 2, b"X")], [Edit(0, 2, b"X")]]) == b"Xcdef"
    assert apply_edits(data, [[Edit(0, 99, b"X")]]) == data


STATEMENTS = (
    "import os",
    "import sys, json",
    "x = None",
    "if x == None:\n    y = f'a'",
    "class {n}(object):\n    pass",
    "def {n}(a=[]):\n    return a",
    "try:\n    x = 1\nexcept:\n    pass",
    "z = set([1, 2])",
    "w = {{1, 1, 2}}",
    "def {n}():\n    'Text.'\n    pass",
    "for i in range(0, 3):\n    print(i)",
    "v = lambda a: a",
    "u = '\\d'  ",
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=12))
def test_mended_python_parses_and_mending_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str]
) -> None:
    root = tmp_path_factory.mktemp("p")
    text = "\n".join(part.format(n=f"n{number}") for number, part in enumerate(parts)) + "\n"
    (root / "a.py").write_text(text)
    found = mended(root, unsafe=True)
    for path, (_, after) in found.files.items():
        ast.parse(after)
        (root / path).write_bytes(after)
    assert not mended(root, unsafe=True).files
