"""The microphone's and the loudspeaker's streams inside one process, with a driver for tests."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mybro.audio.capture import CALM_BLOCKS, QUEUE_BLOCKS, TOGETHER, Capture, Captured
from mybro.audio.devices import Device
from mybro.audio.playout import Playout

pytestmark = pytest.mark.unit

LIMIT_S = 30
MICROPHONE = Device(0, "Desk", 1, 0, 48000.0, default_input=True)


@pytest.fixture
def behave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets how the driver behaves, which is in the place of `sounddevice`."""
    state = tmp_path / "driver.json"

    def behave(**how: object) -> None:
        fresh = state.with_suffix(".new")
        fresh.write_text(json.dumps(how))
        fresh.replace(state)

    behave()
    monkeypatch.setenv("DRIVER_STATE", str(state))
    path = Path(__file__).parent / "fakes" / "driver" / "sounddevice.py"
    spec = importlib.util.spec_from_file_location("sounddevice", path)
    assert spec and spec.loader
    driver = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "sounddevice", driver)
    spec.loader.exec_module(driver)
    return behave


async def take(capture: Capture, count: int) -> list[Captured]:
    blocks: list[Captured] = []
    async for block in capture.blocks():
        blocks.append(block)
        if len(blocks) == count:
            break
    return blocks


async def test_the_queue_is_bounded_and_what_does_not_fit_is_counted(behave: Callable[..., None]) -> None:
    behave(block_wait_s=0.001)
    capture = Capture(MICROPHONE)
    capture.open()
    first, *_ = await take(capture, 1)
    # Nobody takes anything for longer than the queue lasts.
    await asyncio.sleep(0.3)
    blocks: list[Captured] = []
    async with asyncio.timeout(LIMIT_S):
        while not blocks or not blocks[-1].dropped:
            blocks += await take(capture, QUEUE_BLOCKS)
            await asyncio.sleep(0.2)
    assert first.dropped == 0
    gaps = [two.start - one.start for one, two in itertools.pairwise(blocks)]
    # What was lost is missing in time as well, in whole blocks.
    assert set(gaps) != {320} and all(gap % 320 == 0 for gap in gaps)
    capture.close()
    await capture.aclose()
    capture.close()


async def test_after_a_gap_converted_sound_is_where_it_belongs(behave: Callable[..., None]) -> None:
    behave(rates=[48000], block_wait_s=0.001)
    capture = Capture(MICROPHONE)
    capture.open()
    assert capture.rate == 48000
    blocks: list[Captured] = []
    async with asyncio.timeout(LIMIT_S):
        while not blocks or not blocks[-1].dropped:
            blocks += await take(capture, QUEUE_BLOCKS)
            await asyncio.sleep(0.2)
    blocks += await take(capture, QUEUE_BLOCKS)
    ends = [block.start + len(block.pcm) // 2 for block in blocks]
    assert all(end <= block.start for end, block in zip(ends, blocks[1:], strict=False))
    lost = blocks[-1].dropped * 320
    heard = sum(len(block.pcm) // 2 for block in blocks)
    # All time is either heard or lost, but for what the converter holds and what was lost since.
    assert blocks[-1].start <= heard + lost + 320 * 4
    capture.close()
    await capture.aclose()


async def test_closing_ends_whoever_reads(behave: Callable[..., None]) -> None:
    capture = Capture(MICROPHONE)
    capture.open()
    reading = asyncio.create_task(take(capture, 10_000))
    await asyncio.sleep(0.1)
    await asyncio.to_thread(capture.close)
    assert await asyncio.wait_for(reading, LIMIT_S)
    await capture.aclose()


async def test_a_rate_that_cannot_be_had_at_all_is_an_error(behave: Callable[..., None]) -> None:
    behave(rates=[8000])
    for device in (MICROPHONE, Device(0, "Desk", 1, 0, 16000.0)):
        capture = Capture(device)
        with pytest.raises(Exception, match="Invalid sample rate"):
            capture.open()
        capture.close()
        await capture.aclose()


# ------------------------------------------------------------------ the loudspeaker


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [16000, 22050, 24000, 48000])
def test_any_rate_is_played_on_any_loudspeaker(
    behave: Callable[..., None], tmp_path: Path, rate: int, channels: int
) -> None:
    behave(rates=[48000], block_wait_s=0.001)
    finished = threading.Event()
    playout = Playout(rate, 1.0, finished.set)
    tone = (np.sin(np.arange(rate // 2) * 2 * np.pi * 440 / rate) * 10000).astype("<i2").tobytes()
    # Fed before it is open, and after.
    half = rate // 4 * 2
    playout.feed(tone[:half])
    playout.open(Device(1, "Box", 0, channels, 48000.0))
    playout.feed(tone[half:], last=True)
    assert finished.wait(LIMIT_S)
    # All but what the device still holds, which is one block.
    assert playout.close() == pytest.approx(rate // 2, abs=rate // 45)
    raw: Any = np.frombuffer((tmp_path / "driver.played").read_bytes(), "<i2")
    # The driver's buffer has two channels; a device of one fills the first half of it.
    width = min(channels, 2)
    played = raw.reshape(-1, 2)[:, 0] if width == 2 else raw
    wave = np.abs(np.fft.rfft(played[played != 0].astype(float), 48000))
    assert np.argmax(wave) == pytest.approx(440, abs=6)


def test_a_loudspeaker_that_has_no_rate_in_common_is_an_error(behave: Callable[..., None]) -> None:
    behave(rates=[8000])
    playout = Playout(16000, 1.0, lambda: None)
    with pytest.raises(Exception, match="Invalid sample rate"):
        playout.open(Device(1, "Box", 0, 2, 16000.0))
    assert playout.close() == 0


async def test_a_quiet_room_wakes_nobody_for_each_block(behave: Callable[..., None]) -> None:
    behave(block_wait_s=0.001, amplitude=20)
    capture = Capture(MICROPHONE)
    capture.open()
    blocks = await asyncio.wait_for(take(capture, CALM_BLOCKS + 5), LIMIT_S)
    await asyncio.to_thread(capture.close)
    await capture.aclose()
    assert [block.start for block in blocks[:3]] == [0, 320, 640]
    assert len(blocks[-1].pcm) == TOGETHER * 640
    for one, two in itertools.pairwise(blocks):
        assert two.start == one.start + len(one.pcm) // 2
