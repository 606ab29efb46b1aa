"""A journal that is closed leaves no connection behind."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from mybro.journal.journal import Journal
from tests.cancelling import break_off
from tests.journal_tools import begin

pytestmark = pytest.mark.integration


def test_a_read_under_way_is_waited_for(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def main() -> None:
        talk = await begin(tmp_path)
        reads = [asyncio.create_task(talk.journal.recent()) for _ in range(3)]
        await asyncio.sleep(0)
        await talk.journal.aclose()
        await asyncio.gather(*reads)

    asyncio.run(main())
    assert left(before) == []


def test_an_opening_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    before = set(threading.enumerate())

    async def main() -> None:
        talk = await begin(tmp_path)
        await talk.journal.aclose()
        pauses = (asyncio.sleep(0.0005 * number) for number in range(1, 40))
        await break_off(lambda: Journal.open(tmp_path / "journal.db"), pauses, Journal.aclose)

    asyncio.run(main())
    assert left(before) == []


def left(before: set[threading.Thread]) -> list[str]:
    """The threads of connections that do not end."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        names = [t.name for t in set(threading.enumerate()) - before if "connection_worker" in t.name]
        if not names:
            break
        time.sleep(0.02)
    return names
