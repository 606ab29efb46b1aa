"""Time that stands still in a pause."""

from __future__ import annotations

import asyncio

import pytest

from mybro.executor.claude.turn import MODEL_SILENCE_S, RunningTurn
from mybro.executor.held_clock import HeldClock
from mybro.pipeline.timers import Timers
from tests.fakes.audio import ManualClock

pytestmark = pytest.mark.unit


async def test_a_pause_does_not_count() -> None:
    below = ManualClock()
    clock = HeldClock(below)
    waiting = asyncio.create_task(clock.sleep(10))
    await below.advance(4)
    clock.hold(on=True)
    clock.hold(on=True)
    await below.advance(100)
    assert clock.now() == 4
    assert not waiting.done()
    clock.hold(on=False)
    await below.advance(5)
    assert not waiting.done()
    await below.advance(1)
    assert waiting.done()
    await asyncio.wait_for(clock.sleep(0), 1)


async def test_an_agent_held_in_a_pause_is_not_taken_for_silent() -> None:
    below = ManualClock()
    clock = HeldClock(below)
    silence = asyncio.create_task(RunningTurn(clock, 1800.0).silence())
    await below.advance(MODEL_SILENCE_S - 10)
    clock.hold(on=True)
    await below.advance(10 * MODEL_SILENCE_S)
    clock.hold(on=False)
    await below.advance(5)
    assert not silence.done()
    await below.advance(10)
    assert silence.done()


async def test_timers_stand_still_while_somebody_speaks_or_all_is_paused() -> None:
    clock = ManualClock()
    fired: list[str] = []

    async def fire(name: str) -> None:
        fired.append(name)

    timers = Timers(clock, lambda work: asyncio.get_running_loop().create_task(work), fire)
    timers.set("one", 30)
    timers.set("gone", 30)
    timers.cancel("gone")
    await clock.advance(20)
    timers.hold("speech", on=True)
    timers.set("two", 5)
    timers.hold("pause", on=True)
    await clock.advance(100)
    timers.hold("speech", on=False)
    await clock.advance(100)
    assert fired == []
    timers.hold("pause", on=False)
    await clock.advance(6)
    assert fired == ["two"]
    timers.set("one", 30)
    await clock.advance(29)
    assert fired == ["two"]
    await clock.advance(2)
    assert fired == ["two", "one"]
