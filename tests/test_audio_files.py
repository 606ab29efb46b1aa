from __future__ import annotations

import asyncio
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mybro.audio.files import FileSource, PipeSource
from mybro.audio.source import AudioSource
from mybro.errors import AudioError
from mybro.events import AudioBlock
from tests.audio_tools import Pcm, correlation, dev_clips, read_pcm, write_wav
from tests.fakes.audio import HastyClock

pytestmark = pytest.mark.unit


async def everything(source: AudioSource) -> Pcm:
    """All of a source's sound, after checking that its blocks join."""
    pcm, at = b"", 0
    async for block in source.blocks():
        assert isinstance(block, AudioBlock)
        assert block.start == at
        at = block.end
        pcm += block.pcm
    await source.aclose()
    return np.frombuffer(pcm, "<i2")


async def test_a_flac_file_comes_out_bit_for_bit() -> None:
    clip = dev_clips()[0]
    source = FileSource(clip.path)
    pcm = read_pcm(clip.path)
    assert np.array_equal(await everything(source), pcm)
    assert source.name == clip.path.name and not source.live
    assert source.seconds == pytest.approx(len(pcm) / 16000)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
async def test_any_rate_and_channels_become_16_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    def tone(hertz: int) -> np.ndarray:
        return np.sin(2 * np.pi * 440 * np.arange(round(hertz * 2.3)) / hertz) * 0.5

    samples = np.stack([tone(rate)] * channels, axis=1)
    soundfile.write(str(tmp_path / "tone.wav"), samples, rate, subtype="PCM_16")
    heard = await everything(FileSource(tmp_path / "tone.wav"))
    wanted = (tone(16000) * 32768).astype(np.int16)
    assert abs(len(heard) - len(wanted)) <= 1
    assert correlation(heard, wanted[: len(heard)]) > 0.999


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
async def test_any_sample_format_is_read(tmp_path: Path, subtype: str) -> None:
    samples = np.sin(np.arange(16000) * 0.1) * 0.5
    soundfile.write(str(tmp_path / "x.wav"), samples, 16000, subtype=subtype)
    heard = await everything(FileSource(tmp_path / "x.wav"))
    assert np.max(np.abs(heard - samples * 32768)) < 600


async def test_floats_out_of_range_are_clipped_and_nan_is_silence(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.array([2.0, -2.0, np.nan, 0.5]), 16000, subtype="FLOAT")
    assert (await everything(FileSource(tmp_path / "x.wav"))).tolist() == [32767, -32768, 0, 16384]


async def test_two_channels_are_averaged(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "x.wav"), np.array([[0.5, 0.0], [0.25, 0.25]]), 16000, subtype="PCM_16")
    assert (await everything(FileSource(tmp_path / "x.wav"))).tolist() == [8192, 8192]


@pytest.mark.parametrize("length", [1, 319, 320, 321, 16001])
async def test_the_last_odd_samples_are_delivered(tmp_path: Path, length: int) -> None:
    pcm = np.arange(length, dtype=np.int16)
    assert np.array_equal(await everything(FileSource(write_wav(tmp_path / "x.wav", pcm))), pcm)


async def test_a_file_in_real_time_takes_its_time(tmp_path: Path) -> None:
    clock = HastyClock()
    path = write_wav(tmp_path / "x.wav", np.zeros(16000 * 2 + 160, np.int16))
    await everything(FileSource(path, realtime=True, clock=clock))
    assert clock.now() == pytest.approx(2.01)
    fast = HastyClock()
    await everything(FileSource(path, clock=fast))
    assert fast.now() == 0.0


async def test_hours_of_sound_take_no_more_memory_than_seconds(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    write_wav(path, np.zeros(0, np.int16))
    size = 2 * 2 * 3600 * 16000
    with path.open("r+b") as file:
        header = bytearray(file.read())
        header[4:8], header[-4:] = struct.pack("<I", len(header) + size - 8), struct.pack("<I", size)
        file.seek(0)
        file.write(header)
        file.truncate(len(header) + size)  # sparse: it takes no room on the disk
    source = FileSource(path)
    assert source.seconds == pytest.approx(7200)
    tracemalloc.start()
    try:
        seen = 0
        async for block in source.blocks():
            seen = block.end
            if seen >= 60 * 16000:
                await source.aclose()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert 60 * 16000 <= seen < 61 * 16000
    assert peak < 4_000_000


def bad(tmp_path: Path, kind: str) -> Path:
    path = tmp_path / f"{kind}.wav"
    match kind:
        case "empty":
            path.touch()
        case "text":
            path.write_text("these are words, not sound\n" * 40)
        case "header only":
            write_wav(path, np.zeros(0, np.int16))
        case "cut header":
            path.write_bytes(write_wav(tmp_path / "whole.wav", np.ones(99, np.int16)).read_bytes()[:20])
        case "folder":
            path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["empty", "text", "header only", "cut header", "folder", "missing"])
def test_what_is_no_sound_is_said_before_anything_starts(tmp_path: Path, kind: str) -> None:
    with pytest.raises(AudioError) as caught:
        FileSource(bad(tmp_path, kind))
    assert kind in str(caught.value)
    assert caught.value.hint


async def test_a_damaged_file_gives_its_good_part_and_then_its_error(tmp_path: Path) -> None:
    pcm = read_pcm(dev_clips()[0].path)
    soundfile.write(str(tmp_path / "x.flac"), pcm, 16000)
    whole = (tmp_path / "x.flac").read_bytes()
    (tmp_path / "x.flac").write_bytes(whole[: len(whole) // 2])
    seen = 0
    with pytest.raises(AudioError, match="damaged after") as caught:
        async for block in FileSource(tmp_path / "x.flac").blocks():
            seen = block.end
    assert caught.value.hint
    assert seen >= 16000


# ------------------------------------------------------------------ pipes


async def test_a_pipe_is_read_in_blocks_with_its_odd_end() -> None:
    pcm = (np.arange(5000) % 3000).astype(np.int16)
    read, write = os.pipe()
    feeding = asyncio.create_task(feed(write, pcm.tobytes() + b"x", chunk=333))
    assert np.array_equal(await everything(PipeSource(read, name="pipe")), pcm)
    await feeding
    assert os.get_blocking(read)
    os.close(read)


async def feed(descriptor: int, data: bytes, chunk: int) -> None:
    for at in range(0, len(data), chunk):
        os.write(descriptor, data[at : at + chunk])
        await asyncio.sleep(0)
    os.close(descriptor)


async def test_standard_input_may_be_a_file(tmp_path: Path) -> None:
    pcm = np.arange(1000, dtype=np.int16)
    path = tmp_path / "raw.pcm"
    path.write_bytes(pcm.tobytes())
    with path.open("rb") as file:
        assert np.array_equal(await everything(PipeSource(file.fileno())), pcm)


async def test_closing_a_pipe_that_says_nothing_ends_it() -> None:
    read, write = os.pipe()
    source = PipeSource(read)
    waiting = asyncio.create_task(everything(source))
    await asyncio.sleep(0.05)
    await source.aclose()
    assert len(await asyncio.wait_for(waiting, 10)) == 0
    await source.aclose()
    os.close(read)
    os.close(write)


def test_a_terminal_is_no_sound() -> None:
    ours, theirs = os.openpty()
    try:
        with pytest.raises(AudioError, match="terminal") as caught:
            PipeSource(theirs)
        assert "mybro hear -" in caught.value.hint
    finally:
        os.close(ours)
        os.close(theirs)
