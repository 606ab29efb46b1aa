"""The doctor on the project itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.doctor.examine import Wish, examine
from tests.requirements import need

pytestmark = pytest.mark.end_to_end

ROOT = Path(__file__).parent.parent


def test_the_project_is_clean() -> None:
    found = examine(Wish(ROOT))
    missing = [entry for entry in found.unexamined if "not installed" in entry.why]
    need(not missing, f"the engines of `mybro doctor`: {missing}")
    assert not [(f.check, f.place, f.message) for f in found.failing()]
    assert not [entry for entry in found.unexamined if entry.partial]
    assert found.exit_code() == 0


def test_hashed_requirements_count_as_a_lock() -> None:
    assert not examine(Wish(ROOT, select=("DP04",))).findings
