"""Mixing, and the loudspeakers that make no sound."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mybro.audio.playback import Playback, Player
from mybro.audio.playout import Mixer
from mybro.audio.virtual import WAV_RATE, NullPlayer, WavPlayer
from mybro.errors import AudioError
from tests.fakes.audio import HastyClock, ManualClock

pytestmark = pytest.mark.unit


def ones(count: int, value: int = 1000) -> np.ndarray:
    return np.full(count, value, np.int16)


# ------------------------------------------------------------------ the mixer


def test_samples_come_out_in_order_with_silence_where_there_are_none() -> None:
    mixer = Mixer(16000)
    mixer.feed(np.arange(1, 6, dtype=np.int16))
    mixer.feed(np.arange(6, 9, dtype=np.int16))
    assert mixer.take(3)[0].tolist() == [1, 2, 3]
    samples, last = mixer.take(8)
    assert samples.tolist() == [4, 5, 6, 7, 8, 0, 0, 0] and not last
    assert mixer.taken == 8
    mixer.feed(ones(2))
    mixer.finish()
    assert mixer.take(4)[1]


def test_silence_takes_back_what_was_not_taken() -> None:
    mixer = Mixer(16000)
    mixer.feed(ones(100))
    mixer.take(10)
    mixer.silence()
    mixer.feed(ones(100))
    samples, last = mixer.take(50)
    assert not samples.any() and not last and mixer.taken == 10


def test_loudness_changes_without_a_step() -> None:
    mixer = Mixer(16000)
    mixer.feed(ones(2000, 10000))
    assert mixer.take(100)[0].tolist() == [10000] * 100
    mixer.set_gain(0.2)
    samples = np.concatenate([mixer.take(50)[0] for _ in range(10)]).astype(int)
    assert samples[-1] == pytest.approx(2000, abs=1)
    assert np.all(np.diff(samples) <= 0) and np.abs(np.diff(samples)).max() < 100
    mixer.set_gain(1.0)
    assert mixer.take(500)[0][-1] == 10000


# ------------------------------------------------------------------ no loudspeaker


async def test_silence_takes_as_long_as_the_sound_would() -> None:
    clock = ManualClock()
    playback = await NullPlayer(clock).play(24000)
    await playback.write(ones(24000).tobytes())
    finished = asyncio.create_task(playback.finish())
    await clock.advance(0.5)
    assert not finished.done() and playback.position == pytest.approx(12000, abs=480)
    await clock.advance(0.6)
    assert finished.done() and playback.position == 24000


async def test_writing_waits_while_enough_is_on_its_way() -> None:
    clock = ManualClock()
    playback = await NullPlayer(clock).play(16000)
    writing = asyncio.create_task(playback.write(ones(16000 * 5).tobytes()))
    await clock.advance(2.5)
    assert not writing.done()
    await clock.advance(0.6)
    assert writing.done()
    playback.stop()


async def test_a_stop_ends_it_where_it_is() -> None:
    clock = ManualClock()
    player = NullPlayer(clock)
    playback = await player.play(16000)
    await playback.write(ones(16000).tobytes())
    finished = asyncio.create_task(playback.finish())
    await clock.advance(0.25)
    playback.stop()
    playback.stop()
    await asyncio.wait_for(finished, 10)
    assert playback.position == pytest.approx(4000, abs=320)
    # What begins afterwards ends what went before.
    first, second = await player.play(16000), await player.play(16000)
    await asyncio.wait_for(first.finish(), 10)
    second.stop()


async def test_a_recording_holds_what_would_be_heard(tmp_path: Path) -> None:
    player = WavPlayer(tmp_path / "said.wav", HastyClock())
    player_as_seen: Player = player
    for rate in (16000, 22050, 24000):
        playback: Playback = await player_as_seen.play(rate)
        playback.duck(rate == 22050)
        await playback.write(ones(rate, 10000).tobytes())
        await playback.finish()
    stopped = await player.play(24000)
    stopped.stop()
    await stopped.finish()
    player.close()
    player.close()
    sound, rate = soundfile.read(tmp_path / "said.wav", dtype="int16")
    assert rate == WAV_RATE and len(sound) == pytest.approx(3 * WAV_RATE, abs=WAV_RATE // 20)
    middles = [int(sound[int((n + 0.5) * WAV_RATE)]) for n in range(3)]
    assert middles == [pytest.approx(level, rel=0.02) for level in (10000, 2000, 10000)]


def test_a_recording_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="cannot be written"):
        WavPlayer(tmp_path / "missing" / "x.wav")
