"""The real sound process with a driver that misbehaves on request."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mybro.audio.devices import Device
from mybro.audio.ear import Ear
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.playback import DevicePlayback, DevicePlayer, sound_available
from mybro.audio.sound import SoundProcess
from mybro.config import AudioSettings
from mybro.errors import AudioError, Problem
from mybro.events import AudioBlock, Event, ListeningStarted, SourceTroubled

pytestmark = pytest.mark.integration

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
            **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
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

    def __init__(self, process: SoundProcess, device: str | None = None) -> None:
        self.source = MicrophoneSource(process, device)
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
