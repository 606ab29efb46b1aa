"""The loudspeaker behind the sound process: nothing is lost, and no driver hangs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import numpy as np
import pytest

from mybro.audio.playback import DevicePlayback, DevicePlayer, sound_available
from mybro.audio.sound import SoundProcess
from mybro.errors import AudioError
from tests.audio_driver import LIMIT_S, Driver, Listening, driver, process, until

__all__ = ["driver", "process"]
pytestmark = pytest.mark.integration


def ramp(seconds: float, rate: int = 16000) -> bytes:
    return (np.arange(round(seconds * rate)) % 20000 + 1).astype(np.int16).tobytes()


async def say(playback: DevicePlayback, pcm: bytes) -> None:
    await playback.write(pcm)
    await playback.finish()


async def test_everything_written_is_played_in_order(driver: Driver, process: SoundProcess) -> None:
    playback = await DevicePlayer(process).play(16000)
    sound = ramp(0.5)
    await playback.write(sound[:3000])
    await asyncio.sleep(0.2)
    await say(playback, sound[3000:])
    played = driver.played()
    assert np.array_equal(played[played > 0], np.frombuffer(sound, "<i2"))
    assert playback.position == len(sound) // 2


async def test_a_stop_ends_it_and_says_how_much_was_heard(driver: Driver, process: SoundProcess) -> None:
    playback = await DevicePlayer(process).play(16000)
    saying = asyncio.create_task(say(playback, ramp(10.0)))
    await until(lambda: playback.position > 3000)
    playback.stop()
    playback.stop()
    await asyncio.wait_for(saying, LIMIT_S)
    assert 3000 < playback.position < 80_000
    heard = len(driver.played())
    again = await DevicePlayer(process).play(16000)
    await say(again, ramp(0.1))
    assert len(driver.played()) - heard < 16000


async def test_a_killed_sound_process_costs_no_words(driver: Driver, process: SoundProcess) -> None:
    playback = await DevicePlayer(process).play(16000)
    sound = np.arange(24000).astype(np.int16)
    saying = asyncio.create_task(say(playback, sound.tobytes()))
    await until(lambda: playback.position > 8000)
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    await asyncio.wait_for(saying, LIMIT_S)
    assert playback.position == len(sound)
    assert set(np.unique(sound)) <= set(np.unique(driver.played()))


@pytest.mark.parametrize("hangs", ["output_abort", "open"])
async def test_a_driver_that_hangs_does_not_hang_the_voice(
    driver: Driver, process: SoundProcess, hangs: str
) -> None:
    playback = await DevicePlayer(process).play(16000)
    first = process.pid
    driver.set(hangs=hangs)
    if hangs == "open":
        # The microphone's open holds the device thread: a stop must not wait for it.
        process.post({"do": "listen", "device": None})
    saying = asyncio.create_task(say(playback, ramp(10.0)))
    await until(lambda: playback.position > 1000)
    playback.stop()
    silent_from = len(driver.played())
    await asyncio.wait_for(saying, LIMIT_S)
    assert np.count_nonzero(driver.played()[silent_from:]) < 16000
    assert process.pid != first


async def test_a_loudspeaker_that_makes_no_headway_is_begun_anew(
    driver: Driver, process: SoundProcess
) -> None:
    playback = await DevicePlayer(process).play(16000)
    saying = asyncio.create_task(say(playback, ramp(1.0)))
    await until(lambda: playback.position > 3000)
    first = process.pid
    driver.set(consumes=False)
    await until(lambda: process.pid not in (None, first))
    driver.set(consumes=True)
    await asyncio.wait_for(saying, LIMIT_S)
    assert playback.position == 16000


async def test_a_loudspeaker_that_is_gone_for_good_is_said(driver: Driver, process: SoundProcess) -> None:
    playback = await DevicePlayer(process).play(16000)
    saying = asyncio.create_task(say(playback, ramp(10.0)))
    await until(lambda: playback.position > 1000)
    assert process.pid
    driver.set(outputs=[])
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(AudioError, match="no loudspeaker"):
        await asyncio.wait_for(saying, LIMIT_S)


async def test_ducked_is_softer(driver: Driver, process: SoundProcess) -> None:
    playback = await DevicePlayer(process).play(16000)
    playback.duck(True)
    await say(playback, np.full(4000, 10000, np.int16).tobytes())
    assert np.median(driver.played()) == pytest.approx(2000, abs=2)
    # The next sentence is as loud as before.
    before = len(driver.played())
    await say(await DevicePlayer(process).play(16000), np.full(4000, 10000, np.int16).tobytes())
    assert np.max(driver.played()[before:]) == 10000


async def test_a_rate_that_the_loudspeaker_lacks_is_converted(driver: Driver, process: SoundProcess) -> None:
    driver.set(rates=[48000])
    playback = await DevicePlayer(process).play(16000)
    await say(playback, np.full(4000, 10000, np.int16).tobytes())
    assert playback.position == 4000
    assert np.count_nonzero(driver.played() > 9000) == pytest.approx(12000, rel=0.05)


async def test_no_loudspeaker_is_said(driver: Driver, process: SoundProcess) -> None:
    driver.set(outputs=[])
    assert (problem := await sound_available(process)) and problem.code == "no_loudspeaker"
    with pytest.raises(AudioError, match="no loudspeaker"):
        await DevicePlayer(process).play(16000)


async def test_a_microphone_that_is_awaited_does_not_cut_the_voice(
    driver: Driver, process: SoundProcess
) -> None:
    driver.set(inputs=[])
    playback = await DevicePlayer(process).play(16000)
    talking = process.pid
    saying = asyncio.create_task(say(playback, ramp(1.5)))
    async with Listening(process):
        await until(lambda: playback.position > 16000)
        assert process.pid == talking
        await asyncio.wait_for(saying, LIMIT_S)
    played = driver.played()
    assert np.count_nonzero(played) == 24000


async def test_nothing_of_it_is_left_behind(driver: Driver) -> None:
    process = SoundProcess(env=driver.env)
    await process.start()
    pid = process.pid
    assert pid
    await process.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with contextlib.suppress(AudioError):
        await process.start()
    assert process.pid is None
