"""One session in the place of another, with real processes: in order, or not where the fresh one is bad."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from mybro.errors import ChildError
from mybro.ops.daemon.keeper import DONE, FAILED, Keeper
from mybro.ops.daemon.life import STANDS_BY
from mybro.ops.daemon.record import Record, read

pytestmark = pytest.mark.integration

LIMIT_S = 60
OLD = "import signal; signal.pause()"
FRESH = f"import sys; print({STANDS_BY!r}, file=sys.stderr, flush=True); sys.stdin.readline() or sys.exit(3)"
GOES_ON = f"{FRESH}; open('went', 'w'); import signal; signal.pause()"


class Scene:
    """A supervisor at work, and how its session is had to leave."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = Record.begin(folder, folder)
        self.refuses = ""
        self.left: list[int] = []
        self.running: asyncio.Task[int] | None = None

    async def leave(self, pid: int) -> None:
        if self.refuses:
            raise ChildError("not_quiet", self.refuses)
        self.left.append(pid)
        os.kill(pid, signal.SIGTERM)

    async def begin(self, fresh: str) -> int:
        async def alert(_: str) -> None: ...

        standby = [sys.executable, "-c", fresh], self.leave
        keeper = Keeper([sys.executable, "-c", OLD], self.record, alert=alert, standby=standby)
        self.running = asyncio.create_task(keeper.run())
        await self.until(lambda: self.child is not None)
        assert self.child is not None
        return self.child

    def went(self) -> bool:
        """Whether a fresh one was told to go on."""
        return (self.folder / "went").exists()

    def forget(self) -> None:
        (self.folder / "went").unlink()

    async def renew(self) -> None:
        os.kill(os.getpid(), signal.SIGUSR1)

    @property
    def child(self) -> int | None:
        told, _ = read(self.folder)
        return told.child if told else None

    @property
    def upgrade(self) -> str:
        told, _ = read(self.folder)
        return told.upgrade if told else ""

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.chdir(tmp_path)
    made = Scene(tmp_path)
    yield made
    if made.running is not None:
        if not made.running.done():
            os.kill(os.getpid(), signal.SIGTERM)
        assert await asyncio.wait_for(made.running, LIMIT_S) == 0
    made.record.close()


async def test_the_fresh_one_goes_on_once_the_old_one_has_left(scene: Scene) -> None:
    old = await scene.begin(GOES_ON)
    for _ in range(2):  # again and again
        await scene.renew()
        await scene.until(lambda: scene.upgrade == DONE and scene.child not in (None, *scene.left))
        await scene.until(scene.went)
        scene.forget()
    assert scene.left[0] == old
    assert len(scene.left) == 2


async def test_one_that_does_not_get_ready_is_let_go(scene: Scene) -> None:
    old = await scene.begin("import sys; sys.exit('mybro: port 7777 is no number')")
    await scene.renew()
    await scene.until(lambda: scene.upgrade.startswith(FAILED))
    assert "port 7777 is no number" in scene.upgrade
    assert (scene.child, scene.left) == (old, [])


async def test_without_a_quiet_moment_the_old_one_stays(scene: Scene) -> None:
    old = await scene.begin(GOES_ON)
    scene.refuses = "there was no quiet moment"
    await scene.renew()
    await scene.until(lambda: scene.upgrade.startswith(FAILED))
    assert "no quiet moment" in scene.upgrade
    assert scene.child == old
    assert not scene.went()
    # The next try finds one.
    scene.refuses = ""
    await scene.renew()
    await scene.until(lambda: scene.upgrade == DONE and scene.child != old)


async def test_a_stop_in_the_middle_ends_both(scene: Scene) -> None:
    await scene.begin("import time; open('began', 'w'); time.sleep(600)")
    await scene.renew()
    await scene.until(lambda: Path("began").exists())
    os.kill(os.getpid(), signal.SIGTERM)
    assert scene.running is not None
    assert await asyncio.wait_for(asyncio.shield(scene.running), LIMIT_S) == 0
