"""The supervisor with real processes that end in every way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mybro.errors import ChildError
from mybro.ops.daemon.keeper import Keeper
from mybro.ops.daemon.record import Record, read
from mybro.ops.supervision import GAVE_UP

pytestmark = pytest.mark.integration

LIMIT_S = 60


class Hurried:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Scene:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.alerts: list[str] = []
        self.record = Record.begin(folder, Path("/shop"))
        self.lives = folder / "lives"

    def keeper(self, body: str) -> Keeper:
        """Keeps a program that first writes down its environment and how often it was started."""
        script = (
            "import json, os, pathlib, resource, signal, sys\n"
            "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
            f"lives = pathlib.Path({str(self.lives)!r})\n"
            "with lives.open('a') as file:\n"
            "    print(json.dumps(dict(os.environ)), file=file, flush=True)\n"
            "life = len(lives.read_text().splitlines())\n"
        )
        return Keeper([sys.executable, "-c", script + body], self.record, alert=self._alert, clock=Hurried())

    async def _alert(self, text: str) -> None:
        self.alerts.append(text)

    @property
    def environments(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lives.read_text().splitlines()]

    async def run(self, body: str) -> int:
        return await asyncio.wait_for(self.keeper(body).run(), LIMIT_S)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.record.close()


async def test_what_ends_well_is_not_started_again(scene: Scene) -> None:
    assert await scene.run("") == 0
    assert len(scene.environments) == 1
    assert scene.alerts == []
    told, alive = read(scene.folder)
    assert told is not None
    assert (told.restarts, told.gave_up, told.child, alive) == (0, "", None, True)


async def test_a_segfault_is_followed_by_three_more_at_most(scene: Scene) -> None:
    assert await scene.run("os.kill(os.getpid(), signal.SIGSEGV)") == GAVE_UP
    assert len(scene.environments) == 4
    (alert,) = scene.alerts
    assert "139" in alert
    told, _ = read(scene.folder)
    assert told is not None
    assert told.restarts == 3
    assert "3 restarts within an hour did not help" in told.gave_up
    assert "Segmentation fault" in told.gave_up
    assert told.hint


async def test_want_of_memory_is_met_with_smaller_models(scene: Scene) -> None:
    assert await scene.run("os.kill(os.getpid(), signal.SIGKILL)") == GAVE_UP
    assert [life.get("MYBRO_SMALLER_MODEL") for life in scene.environments] == [None, "1", "2"]


async def test_a_fault_alerts_and_the_next_life_is_debugged(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    body = "print('mybro: KeyError at brain.py:7', file=sys.stderr)\nsys.exit(255 if life == 1 else 0)"
    with caplog.at_level("INFO", "mybro.daemon"):
        assert await scene.run(body) == 0
    assert [life.get("PYTHONDEVMODE") for life in scene.environments] == [None, "1"]
    (alert,) = scene.alerts
    assert "255" in alert
    assert "KeyError at brain.py:7" in caplog.text


async def test_wrong_settings_are_told_and_not_tried_again(scene: Scene) -> None:
    assert await scene.run("print('mybro: no such port', file=sys.stderr); sys.exit(2)") == GAVE_UP
    told, _ = read(scene.folder)
    assert told is not None
    assert "no such port" in told.gave_up
    assert len(scene.environments) == 1


async def test_a_stop_by_the_person_is_no_crash(scene: Scene) -> None:
    # It ends only when it is told to, with a status that would be a crash.
    keeper = scene.keeper("signal.signal(signal.SIGTERM, lambda *_: os._exit(139))\nsignal.pause()")
    running = asyncio.create_task(keeper.run())
    await scene.until(lambda: scene.lives.exists() and bool(scene.lives.read_text()))
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await asyncio.wait_for(running, LIMIT_S) == 0
    assert (len(scene.environments), scene.alerts) == (1, [])


async def test_a_stop_while_it_waits_ends_it(scene: Scene) -> None:
    class Slow(Hurried):
        async def sleep(self, seconds: float) -> None:
            await asyncio.Event().wait()

    keeper = Keeper(
        [sys.executable, "-c", "import sys; sys.exit(1)"], scene.record, alert=scene._alert, clock=Slow()
    )
    running = asyncio.create_task(keeper.run())
    await scene.until(lambda: scene.record.restarts == 1)
    keeper.stop()
    assert await asyncio.wait_for(running, LIMIT_S) == 0


async def test_endless_complaints_are_cut(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "mybro.daemon"):
        assert await scene.run("sys.stderr.write('x' * 300_000 + '\\nend\\n')") == 0
    assert "session: end" in caplog.text
    assert max(map(len, caplog.messages)) < 1000


async def test_what_cannot_be_started_is_an_error(scene: Scene) -> None:
    with pytest.raises(ChildError, match="did not start"):
        await Keeper(["/nonexistent/mybro"], scene.record, alert=scene._alert).run()


def test_there_is_one_supervisor(tmp_path: Path) -> None:
    assert read(tmp_path) == (None, False)
    first = Record.begin(tmp_path, Path("/shop"))
    with pytest.raises(ChildError, match="running already"):
        Record.begin(tmp_path, Path("/shop"))
    first.close()
    first.close()
    told, alive = read(tmp_path)
    assert told is not None
    assert (told.repo, alive) == ("/shop", False)
    assert told.since <= time.time()
    Record.begin(tmp_path, Path("/other")).close()
    (tmp_path / "daemon.json").write_text("[1]")
    assert read(tmp_path) == (None, False)
