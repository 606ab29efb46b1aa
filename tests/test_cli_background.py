"""What a session that nobody looks at writes down of its end."""

from __future__ import annotations

import logging

import click
import pytest

from mybro.cli.background import unattended
from mybro.errors import ServerError
from mybro.ops.supervision import FAULT, Cause, cause_of

pytestmark = pytest.mark.unit

SAID = "delete my diary"


def test_an_unforeseen_error_is_told_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(click.exceptions.Exit) as left, unattended():
        raise KeyError(SAID)
    assert left.value.exit_code == FAULT
    assert cause_of(left.value.exit_code) is Cause.FAULT
    told = capsys.readouterr().err
    assert told.startswith("mybro: KeyError at test_cli_background.py:")
    assert SAID not in told


def test_a_refusal_goes_its_usual_way(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ServerError), unattended():
        raise ServerError("port_busy", "port 7777 is taken")
    assert capsys.readouterr().err == ""


def test_faults_that_are_logged_lose_their_text_too(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("tests.background")
    with unattended():
        log.info("not worth a line")
        try:
            raise ValueError(SAID)
        except ValueError:
            log.exception("a task failed")
    log.error("nobody takes it down any more")
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert "a task failed" in told
    assert "not worth" not in told
    assert SAID not in told
