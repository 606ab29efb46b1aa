"""Recordings that clients send: every container that is known, and everything that is none."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys

import numpy as np
import pytest

from mybro.errors import ServerError
from mybro.server import sound
from mybro.server.decoding import decoded
from tests.audio_tools import AUDIO, read_pcm
from tests.server_scene import encoded
from tests.trials import share

pytestmark = pytest.mark.integration

SPEECH = read_pcm(AUDIO / "dev" / "02_piper_joe.flac")
KINDS = ("webm", "wav", "flac", "mp3", "ogg")
CODES = {"unreadable_sound", "empty_sound", "sound_too_long"}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_container_is_read(kind: str) -> None:
    pcm = np.frombuffer(await decoded(encoded(SPEECH, kind)), "<i2").astype(float)
    assert abs(len(pcm) - len(SPEECH)) < 3000
    # The same sound, as far as a lossy codec keeps it: as loud, within three decibels.
    loudness = np.sqrt((pcm**2).mean()) / np.sqrt((SPEECH.astype(float) ** 2).mean())
    assert 0.7 < loudness < 1.4


async def test_other_rates_and_channels_become_ours() -> None:
    stereo = sound.wav(np.repeat(SPEECH, 6).astype("<i2").tobytes(), 48_000)
    two = bytearray(stereo)
    two[22:24], two[28:32], two[32:34] = (
        (2).to_bytes(2, "little"),
        (192_000).to_bytes(4, "little"),
        b"\x04\x00",
    )
    pcm = await decoded(bytes(two))
    assert abs(len(pcm) // 2 - len(SPEECH)) < 400


async def test_a_recording_that_is_too_long_is_refused() -> None:
    with pytest.raises(ServerError) as refused:
        await asyncio.to_thread(sound.decode, encoded(SPEECH, "flac"), 0.2)
    assert refused.value.code == "sound_too_long"


async def test_damaged_files_are_refused_or_read_as_far_as_they_go() -> None:
    cases = [(kind, number) for kind in KINDS for number in range(40)]
    whole = {kind: encoded(SPEECH, kind) for kind in KINDS}
    for kind, number in share(cases, 3):
        chance = random.Random(f"{kind} {number}")
        content = bytearray(whole[kind])
        for _ in range(chance.choice((1, 20, 400))):
            content[chance.randrange(len(content))] = chance.randrange(256)
        cut = bytes(content[: chance.randrange(1, len(content))] if number % 2 else content)
        try:
            pcm = await decoded(cut)
        except ServerError as error:
            assert error.code in CODES, error
        else:
            assert 0 < len(pcm) <= sound.LONGEST_S * sound.RATE * 2


def test_it_answers_a_program_that_asks_it() -> None:
    def ask(content: bytes) -> bytes:
        command = [sys.executable, "-m", "mybro.server.decoding"]
        return subprocess.run(command, input=content, capture_output=True, check=True, timeout=60).stdout

    assert ask(b"nothing").startswith(b"failed\n")
    assert ask((AUDIO / "dev" / "02_piper_joe.flac").read_bytes()) == b"ok\n" + SPEECH.astype("<i2").tobytes()
