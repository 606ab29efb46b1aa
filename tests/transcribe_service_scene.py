"""A service with its worker, what answers in the place of weights, and what the command says."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from mybro.events import Transcribed
from mybro.transcribe.service import Transcription
from tests.fakes.transcribe import Server, transcription_server
from tests.transcribe_scene import is_gone, settings, until

COMMAND = "01_piper_joe"
"""Run the tests."""


@asynccontextmanager
async def service(**other: Any) -> AsyncIterator[Transcription]:
    made = Transcription(settings(**other))
    try:
        await made.start()
        yield made
    finally:
        pid = made.worker_pid
        await made.aclose()
        assert pid is None or is_gone(pid)


def killed(of: Transcription) -> int:
    """Kill the worker; returns its number."""
    pid = of.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.fixture
def server() -> Iterator[Server]:
    """What answers workers that need no weights, and so are quick to start."""
    with transcription_server() as running:
        running.says({"text": "Run the tests."})
        yield running


def remote(server: Server, **other: Any) -> AbstractAsyncContextManager[Transcription]:
    return service(backend="openai", openai_base_url=server.address, **other)


async def replaced(of: Transcription, former: int) -> None:
    await until(lambda: of.worker_pid not in (None, former))


async def asked_of(server: Server, times: int) -> None:
    await until(lambda: len(server.got) == times)


def is_command(heard: Transcribed | None) -> bool:
    return heard is not None and heard.text.lower().strip(".") == "run the tests"
