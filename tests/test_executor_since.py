"""Since when, as it is said."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from mybro.executor.since import LastSpoken, moment

pytestmark = pytest.mark.unit

NOON = datetime(2026, 3, 4, 14, 30).astimezone()
LEFT = NOON.timestamp() - 1000


def at(day: int, hour: int) -> float:
    return datetime(2026, 3, day, hour).astimezone().timestamp()


@pytest.mark.parametrize(
    ("said", "when"),
    [
        (None, LEFT),
        ("I left", LEFT),
        ("lunch", LEFT),
        ("the last command", None),
        ("my last task", None),
        ("this morning", at(4, 0)),
        ("today", at(4, 0)),
        ("last night", at(3, 18)),
        ("yesterday", at(3, 0)),
        ("noon", at(4, 12)),
        ("an hour ago", NOON.timestamp() - 3600),
        ("half an hour ago", NOON.timestamp() - 1800),
        ("two hours ago", NOON.timestamp() - 7200),
        ("in the last 20 minutes", NOON.timestamp() - 1200),
        ("the last couple of days", NOON.timestamp() - 2 * 86_400),
    ],
)
def test_moments(said: str | None, when: float | None) -> None:
    assert moment(said, NOON.timestamp(), LEFT) == when


def test_noon_before_noon_is_yesterdays() -> None:
    assert moment("noon", at(4, 9), None) == at(3, 12)
    assert moment("I left", at(4, 9), None) is None


def test_when_somebody_spoke_outlasts_a_restart(tmp_path: Path) -> None:
    said = LastSpoken(tmp_path / "repo", tmp_path / "spoken")
    assert said.load() is None
    said.save(LEFT)
    assert LastSpoken(tmp_path / "repo", tmp_path / "spoken").load() == pytest.approx(LEFT, abs=0.01)
    assert LastSpoken(tmp_path / "other", tmp_path / "spoken").load() is None
    (tmp_path / "file").touch()
    LastSpoken(tmp_path, tmp_path / "file" / "spoken").save(LEFT)
