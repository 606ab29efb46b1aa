"""The real sound process with a driver that misbehaves on request."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal

import numpy as np
import pytest

from mybro.audio.devices import Device
from mybro.audio.ear import Ear
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.playback import sound_available
from mybro.audio.sound import SoundProcess
from mybro.config import AudioSettings
from mybro.errors import AudioError
from mybro.events import AudioBlock, Event, ListeningStarted, SourceTroubled
from tests.audio_driver import LIMIT_S, Driver, Listening, driver, process, until

__all__ = ["driver", "process"]
pytestmark = pytest.mark.integration


async def test_devices_are_listed(process: SoundProcess) -> None:
    assert await process.devices() == [
        Device(0, "Desk", 1, 0, 16000.0, default_input=True),
        Device(1, "Box", 0, 2, 16000.0, default_output=True),
    ]


async def test_blocks_join_and_carry_the_sound(process: SoundProcess) -> None:
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) >= 20)
    assert mic.source.name == "Desk" and mic.problems == []
    assert [b.start for b in mic.blocks] == [n * 320 for n in range(len(mic.blocks))]
    sound = np.frombuffer(b"".join(b.pcm for b in mic.blocks), "<i2")
    assert np.array_equal(sound, (8000 * np.sin(np.arange(len(sound)) * 0.05)).astype(np.int16))


async def test_a_rate_that_the_device_does_not_have_is_converted(
    driver: Driver, process: SoundProcess
) -> None:
    driver.set(rates=[48000])
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) >= 30)
    assert all(one.end == two.start for one, two in zip(mic.blocks, mic.blocks[1:], strict=False))
    sound = np.frombuffer(b"".join(b.pcm for b in mic.blocks), "<i2").astype(float)
    wave = np.abs(np.fft.rfft(sound[-8192:]))
    assert np.argmax(wave) * 16000 / 8192 == pytest.approx(0.05 * 48000 / (2 * np.pi), rel=0.02)


async def test_a_closed_microphone_is_let_go_and_opens_again(process: SoundProcess) -> None:
    for _ in range(3):
        async with Listening(process) as mic:
            await until(mic.blocks.__len__)
        await mic.source.aclose()
        assert mic.blocks[0].start == 0


async def test_without_portaudio_one_sentence_says_how_to_get_it(
    driver: Driver, process: SoundProcess
) -> None:
    driver.set(library=False)
    async with Listening(process) as mic:
        await mic.task
        assert mic.error and mic.error.code == "no_portaudio" and mic.error.hint
    assert (problem := await sound_available(process)) and problem.code == "no_portaudio"


async def test_a_microphone_that_is_plugged_in_later_is_found(driver: Driver, process: SoundProcess) -> None:
    driver.set(inputs=[])
    async with Listening(process) as mic:
        await until(lambda: mic.problems)
        assert mic.problems[0].code == "no_microphone"
        driver.set(inputs=["Desk"])
        await until(lambda: mic.blocks)
    assert len(mic.problems) == 1


async def test_a_named_microphone_is_waited_for(driver: Driver, process: SoundProcess) -> None:
    async with Listening(process, "studio") as mic:
        await until(lambda: mic.problems)
        assert mic.problems[0].code == "no_such_device"
        driver.set(inputs=["Desk", "My Studio One"])
        await until(lambda: mic.blocks)
        assert mic.source.name == "My Studio One"


async def test_a_microphone_that_vanishes_comes_back_in_its_time(
    driver: Driver, process: SoundProcess
) -> None:
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) > 5)
        driver.set(inputs=[])
        await until(lambda: mic.problems)
        assert mic.problems[0].code == "device_gone"
        before = len(mic.blocks)
        driver.set(inputs=["Desk"])
        await until(lambda: len(mic.blocks) > before + 5)
        away = mic.blocks[before].start - mic.blocks[before - 1].end
    # Audio time went on while it was away.
    assert away >= 16000 * 0.4
    assert all(one.end <= two.start for one, two in zip(mic.blocks, mic.blocks[1:], strict=False))


async def test_a_device_that_dies_without_a_word_is_noticed(driver: Driver, process: SoundProcess) -> None:
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) > 5)
        driver.set(delivers=False)
        await until(lambda: mic.problems)
        assert mic.problems[0].code == "device_gone"
        before = len(mic.blocks)
        driver.set(delivers=True)
        await until(lambda: len(mic.blocks) > before)


async def test_a_killed_sound_process_is_replaced(process: SoundProcess) -> None:
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) > 5)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        await until(lambda: mic.problems)
        before = len(mic.blocks)
        await until(lambda: len(mic.blocks) > before)


async def test_a_driver_that_hangs_in_a_stop_is_taken_down(driver: Driver, process: SoundProcess) -> None:
    async with Listening(process) as mic:
        await until(lambda: mic.blocks)
        first = process.pid
        assert first
        driver.set(hangs="abort")
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    driver.set(hangs="")
    async with Listening(process) as mic:
        await until(lambda: mic.blocks)


async def test_who_is_too_slow_loses_sound_and_it_is_counted(process: SoundProcess) -> None:
    source = MicrophoneSource(process, queue_blocks=2)
    blocks = source.blocks()
    first = await anext(blocks)
    await until(lambda: source.dropped_blocks > 5)
    await anext(blocks), await anext(blocks)
    after = await anext(blocks)
    assert isinstance(first, AudioBlock) and isinstance(after, AudioBlock)
    # The gap is left in audio time.
    assert after.start >= first.end + 5 * 320
    await source.aclose()


async def test_a_device_that_runs_over_is_counted(driver: Driver, process: SoundProcess) -> None:
    async with Listening(process) as mic:
        await until(lambda: len(mic.blocks) > 2)
        assert mic.source.dropped_blocks == 0
        driver.set(overflow=True)
        await until(lambda: mic.source.dropped_blocks > 3)


async def test_exact_zeros_give_the_remedy_and_listening_goes_on(
    driver: Driver, process: SoundProcess
) -> None:
    # This is all that a microphone without permission looks like on macOS.
    driver.set(amplitude=0)
    events: list[Event] = []

    async def emit(event: Event) -> None:
        events.append(event)

    source = MicrophoneSource(process)
    listening = asyncio.create_task(Ear(AudioSettings(), emit, itertools.count(1).__next__).listen(source))

    def told(kind: type[Event]) -> list[Event]:
        return [event for event in events if isinstance(event, kind)]

    await until(lambda: told(SourceTroubled))
    (trouble,) = told(SourceTroubled)
    assert (
        isinstance(trouble, SourceTroubled) and trouble.problem.code == "dead_sound" and trouble.problem.hint
    )
    assert told(ListeningStarted) == []
    driver.set(amplitude=8000)
    await until(lambda: told(ListeningStarted))
    await source.aclose()
    await asyncio.wait_for(listening, LIMIT_S)


async def test_a_driver_that_answers_no_more_is_taken_down(driver: Driver, process: SoundProcess) -> None:
    await process.devices()
    first = process.pid
    driver.set(hangs="query")
    with pytest.raises(AudioError, match="do not answer"):
        await process.devices()
    driver.set(hangs="")
    assert len(await process.devices()) == 2
    assert process.pid != first


# ------------------------------------------------------------------ the loudspeaker
