"""Locked screens and closed lids, as the systems report them."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path

import pytest

from mybro.ops import away

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("answer", "locked"), [("yes\n", True), ("no\n", False), ("", False)])
def test_logind(answer: str, locked: bool) -> None:
    assert away.locked_by_logind(answer) is locked


@pytest.mark.parametrize(("state", "closed"), [("state:      closed\n", True), ("state:      open\n", False)])
def test_lid(state: str, closed: bool, tmp_path: Path) -> None:
    (tmp_path / "LID0").mkdir()
    (tmp_path / "LID0" / "state").write_text(state)
    assert away.lid_closed(tmp_path) is closed


def test_no_lid(tmp_path: Path) -> None:
    assert away.lid_closed(tmp_path / "none") is False


@pytest.mark.parametrize(
    ("entries", "locked"),
    [
        ({"IOConsoleLocked": True}, True),
        ({"IOConsoleLocked": False}, False),
        ([{"AppleClamshellState": True}], True),
        ([{"AppleClamshellState": False}, {"other": 1}], False),
    ],
)
def test_ioreg(entries: dict[str, bool], locked: bool) -> None:
    assert away.locked_by_ioreg(plistlib.dumps(entries)) is locked


@pytest.mark.parametrize("answer", [b"", b"no property list", b"<plist><dict></plist>"])
def test_ioreg_that_says_nothing(answer: bytes) -> None:
    assert away.locked_by_ioreg(answer) is False


@pytest.mark.parametrize(("said", "expected"), [("yes", True), ("no", False)])
async def test_a_real_program_is_asked(
    said: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "loginctl"
    program.write_text(f"#!/bin/sh\n[ $2 = 7 ] && echo {said}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_SESSION_ID", "7")
    assert await away.is_away("linux") is expected


async def test_a_system_that_says_nothing_is_attended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_SESSION_ID", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert await away.is_away("linux") is False
    assert await away.is_away("darwin") is False
