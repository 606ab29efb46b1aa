"""The sound process over a driver that does as it is told: fixtures, with `pytest_plugins`."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mybro.audio.microphone import MicrophoneSource
from mybro.audio.sound import SoundProcess
from mybro.audio.unit_choice import UnitChoice
from mybro.errors import AudioError, Problem
from mybro.events import AudioBlock
from tests.program import measured

LIMIT_S = 60


class Driver:
    """What the sound process finds where the sound card's driver would be."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "driver.json"
        self._state: dict[str, Any] = {}
        self.set()
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parent / "fakes" / "driver"),
            "DRIVER_STATE": str(self._file),
            **measured(),
        }

    def set(self, **change: object) -> None:
        """Change how the driver behaves, at once."""
        self._state |= change
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._state))
        fresh.replace(self._file)

    def played(self) -> np.ndarray:
        """What came out of the loudspeaker's left side."""
        return np.frombuffer(self._file.with_suffix(".played").read_bytes(), "<i2")[::2]


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver(tmp_path)


@pytest.fixture
async def process(driver: Driver) -> AsyncIterator[SoundProcess]:
    process = SoundProcess(env=driver.env)
    yield process
    await process.aclose()
    await process.aclose()


class Listening:
    """A microphone being read."""

    def __init__(
        self, process: SoundProcess, device: str | None = None, unit: UnitChoice | None = None
    ) -> None:
        self.source = MicrophoneSource(process, device, unit=unit)
        self.blocks: list[AudioBlock] = []
        self.problems: list[Problem] = []
        self.error: AudioError | None = None
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            async for item in self.source.blocks():
                if isinstance(item, Problem):
                    self.problems.append(item)
                else:
                    self.blocks.append(item)
        except AudioError as error:
            self.error = error

    async def __aenter__(self) -> Listening:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.source.aclose()
        await asyncio.wait_for(self.task, LIMIT_S)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
