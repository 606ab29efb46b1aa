"""Real sound: a server, PortAudio and the sound process, from end to end."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mybro.audio.ear import Ear
from mybro.audio.microphone import MicrophoneSource
from mybro.audio.playback import DevicePlayer, sound_available
from mybro.audio.sound import SoundProcess
from mybro.config import AudioSettings
from mybro.events import SAMPLE_RATE, Event, ListeningStarted, SourceOpened, SpeechEnded
from tests.audio_tools import Pcm, correlation, dev_clips, read_pcm, trimmed, write_wav

if TYPE_CHECKING:
    # At run time it is a plugin, whose asserts pytest rewrites before anybody imports it.
    from tests.sound_server import SoundServer

pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.end_to_end

LIMIT_S = 60
TRIES = 3
"""A busy machine may break a sound up now and then: never three times in a row."""
ALIKE = 0.9
BLOCK_MS = 20
SILENT = 20
"""Largest sample that counts as silence."""


@pytest.fixture
async def process(sound_server: SoundServer) -> AsyncIterator[SoundProcess]:
    process = SoundProcess(env=sound_server.env)
    yield process
    await process.aclose()


async def test_devices_are_there(process: SoundProcess) -> None:
    devices = await process.devices()
    assert any(device.default_input for device in devices)
    assert any(device.default_output for device in devices)
    assert await sound_available(process) is None


async def test_what_is_said_is_heard_word_for_word(
    sound_server: SoundServer, process: SoundProcess, tmp_path: Path
) -> None:
    clip = read_pcm(dev_clips()[0].path)
    wav = write_wav(tmp_path / "said.wav", clip)
    heard: asyncio.Queue[Event] = asyncio.Queue()
    ear = Ear(AudioSettings(), heard.put, itertools.count(1).__next__)
    source = MicrophoneSource(process)
    listening = asyncio.create_task(ear.listen(source))
    async with asyncio.timeout(LIMIT_S):
        while not isinstance(await heard.get(), SourceOpened):
            pass
    alike = []
    for _ in range(TRIES):
        playing = sound_server.say(wav)
        async with asyncio.timeout(LIMIT_S):
            while not isinstance(event := await heard.get(), SpeechEnded):
                pass
        await asyncio.to_thread(playing.wait, LIMIT_S)
        sound = np.frombuffer(event.utterance.audio.pcm, "<i2")
        alike.append(correlation(sound, trimmed(clip)))
        assert event.utterance.speech_end - event.utterance.speech_start > SAMPLE_RATE
        if alike[-1] > ALIKE:
            break
    await source.aclose()
    await asyncio.wait_for(listening, LIMIT_S)
    assert max(alike) > ALIKE, alike
    assert source.dropped_blocks == 0


async def test_the_microphone_comes_back_with_the_sound_server(
    sound_server: SoundServer, process: SoundProcess, tmp_path: Path
) -> None:
    wav = write_wav(tmp_path / "said.wav", read_pcm(dev_clips()[1].path))
    events: list[Event] = []

    async def emit(event: Event) -> None:
        events.append(event)

    async def until(*names: str) -> None:
        """Until these have come, in this order, since the last call; then forget them."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                left = iter([type(event).__name__ for event in events])
                if all(name in left for name in names):
                    break
                await asyncio.sleep(0.05)
        events.clear()

    source = MicrophoneSource(process)
    listening = asyncio.create_task(Ear(AudioSettings(), emit, itertools.count(1).__next__).listen(source))
    # What is said before the microphone is open, nobody can hear.
    await until("SourceOpened")
    await asyncio.to_thread(sound_server.say(wav).wait, LIMIT_S)
    await until("ListeningStarted", "SpeechEnded")
    await asyncio.to_thread(sound_server.stop)
    await until("SourceTroubled")
    await asyncio.to_thread(sound_server.start)
    async with asyncio.timeout(LIMIT_S):
        while not any(isinstance(event, ListeningStarted) for event in events):
            await asyncio.to_thread(sound_server.say(wav).wait, LIMIT_S)
    await asyncio.to_thread(sound_server.say(wav).wait, LIMIT_S)
    await until("SpeechEnded")
    await source.aclose()
    await asyncio.wait_for(listening, LIMIT_S)


# ------------------------------------------------------------------ the loudspeaker


def sounding(recorded: Pcm) -> int:
    """Index after the last sample that is not silence."""
    loud = np.flatnonzero(np.abs(recorded) > SILENT)
    return int(loud[-1]) + 1 if len(loud) else 0


async def test_what_is_played_comes_out_of_the_loudspeaker(
    sound_server: SoundServer, process: SoundProcess
) -> None:
    clip = trimmed(read_pcm(dev_clips()[2].path))
    alike = []
    for _ in range(TRIES):
        recording = sound_server.record_loudspeaker()
        await asyncio.sleep(0.3)
        playback = await DevicePlayer(process).play(SAMPLE_RATE)
        await playback.write(clip.tobytes())
        await asyncio.wait_for(playback.finish(), LIMIT_S)
        assert playback.position == len(clip)
        await asyncio.sleep(0.5)
        alike.append(correlation(recording.close(), clip))
        if alike[-1] > ALIKE:
            break
    assert max(alike) > ALIKE, alike


async def test_a_stop_is_silence_within_a_block(sound_server: SoundServer, process: SoundProcess) -> None:
    tone = (np.sin(np.arange(SAMPLE_RATE * 8) * 0.2) * 12000).astype(np.int16)
    after_ms = []
    for _ in range(TRIES):
        recording = sound_server.record_loudspeaker()
        playback = await DevicePlayer(process).play(SAMPLE_RATE)
        saying = asyncio.create_task(playback.write(tone.tobytes()))
        async with asyncio.timeout(LIMIT_S):
            while sounding(recording.pcm()) < SAMPLE_RATE // 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        stopped_at = len(recording.pcm())
        playback.stop()
        await saying
        await playback.finish()
        await asyncio.sleep(0.5)
        after_ms.append(1000 * (sounding(recording.close()) - stopped_at) / SAMPLE_RATE)
        assert 0 < playback.position < len(tone)
    # The recording itself lags by a few milliseconds, more on a busy machine: the best of three counts.
    assert min(after_ms) < BLOCK_MS, after_ms
