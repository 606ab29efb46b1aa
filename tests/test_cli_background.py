"""What a session that nobody looks at writes down of its end."""

from __future__ import annotations

import asyncio
import gc
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


async def test_asyncio_tells_of_tasks_without_their_values(capsys: pytest.CaptureFixture[str]) -> None:
    loop = asyncio.get_running_loop()

    async def fail() -> None:
        raise ValueError(SAID)

    def call(text: str) -> None:
        raise KeyError(text)

    with unattended():
        task = asyncio.create_task(fail())
        await asyncio.wait({task})
        del task
        gc.collect()
        loop.call_soon(call, SAID)
        await asyncio.sleep(0.01)
        logging.getLogger("asyncio").warning("Executing %r took 0.200 seconds", SAID)
    told = capsys.readouterr().err
    assert "Task exception was never retrieved" in told
    assert "Exception in callback" in told
    assert "KeyError" in told
    assert "ValueError" in told
    assert "Executing" not in told
    assert SAID not in told


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
