"""What is learnt of a loudspeaker's echo: kept for the next session, tried there, and forgotten if wrong."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mybro.audio.echo_filter import PARTITIONS, EchoPath
from mybro.audio.echo_memory import KEEP, Acquaintance, EchoMemory
from mybro.audio.guard import EchoGuard
from mybro.audio.source import BLOCK_SAMPLES
from mybro.events import SAMPLE_RATE
from mybro.speak.chimes import SAMPLE_RATE as CHIME_RATE
from mybro.speak.chimes import chime
from tests.test_audio_guard import cleaned, energy, room, voice

pytestmark = pytest.mark.unit

LIMIT_S = 30
PAIR = ("Desk microphone", "Loudspeaker Ü")


def some_path(seed: int = 1) -> EchoPath:
    rng = np.random.default_rng(seed)
    shape = (PARTITIONS, BLOCK_SAMPLES + 1)
    answer = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)
    return EchoPath(-123, answer, rng.random(shape).astype(np.float32))


def same(one: EchoPath | None, other: EchoPath) -> bool:
    return one is not None and bool(
        one.offset == other.offset
        and np.array_equal(one.answer, other.answer)
        and np.array_equal(one.doubt, other.doubt)
    )


# ------------------------------------------------------------------ the file


def test_what_is_kept_is_recalled_for_these_devices_alone(tmp_path: Path) -> None:
    path = some_path()
    EchoMemory(tmp_path / "new" / "echo").keep(*PAIR, path)
    memory = EchoMemory(tmp_path / "new" / "echo")
    assert same(memory.recall(*PAIR), path)
    assert memory.recall(PAIR[0], "another") is None
    assert memory.recall(PAIR[1], PAIR[0]) is None
    memory.keep(*PAIR, some_path(2))
    assert same(memory.recall(*PAIR), some_path(2))


def test_no_more_than_the_latest_pairs_are_kept(tmp_path: Path) -> None:
    memory, path = EchoMemory(tmp_path), some_path()
    for number in range(KEEP + 3):
        memory.keep("microphone", f"loudspeaker {number}", path)
        for file in tmp_path.iterdir():
            os.utime(file, ns=(0, file.stat().st_mtime_ns - 10**9))
    assert len(list(tmp_path.iterdir())) == KEEP
    known = [memory.recall("microphone", f"loudspeaker {number}") is not None for number in range(KEEP + 3)]
    assert known == [False] * 3 + [True] * KEEP
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1e6


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: kept[:-1],
        lambda kept: kept + b"\0",
        lambda kept: b"",
        lambda kept: kept[:5000] + bytes([kept[5000] ^ 1]) + kept[5001:],
        lambda kept: b"mybroEP2" + kept[8:],
        lambda kept: os.urandom(len(kept)),
    ],
    ids=["short", "long", "empty", "changed", "another version", "anything"],
)
def test_what_was_spoilt_is_as_if_it_were_not(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    memory = EchoMemory(tmp_path)
    memory.keep(*PAIR, some_path())
    (file,) = tmp_path.iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    assert memory.recall(*PAIR) is None
    memory.keep(*PAIR, some_path())
    assert same(memory.recall(*PAIR), some_path())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e9])
def test_no_number_that_could_break_the_filter_is_taken(tmp_path: Path, value: float) -> None:
    memory, path = EchoMemory(tmp_path), some_path()
    path.answer[3, 4] = value
    memory.keep(*PAIR, path)
    assert memory.recall(*PAIR) is None
    memory.keep(*PAIR, replace(some_path(), offset=10**8))
    assert memory.recall(*PAIR) is None


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    memory = EchoMemory(tmp_path / "file" / "echo")
    memory.keep(*PAIR, some_path())
    assert memory.recall(*PAIR) is None


# ------------------------------------------------------------------ what it is good for


SAID = voice("piper_joe", 4)
QUIET = np.zeros(1)


def taught(delay_s: float, seed: int) -> EchoPath:
    guard = EchoGuard()
    cleaned(guard, SAID, room(SAID, QUIET, delay_s, -20, seed))
    path = guard.learnt
    assert path is not None
    return path


def person_over_first_words(guard: EchoGuard) -> float:
    """Share of a person's words that are let through, half a second after the first sentence begins."""
    words = voice("flite_slt", 1)[: SAMPLE_RATE // 2]
    said = SAID[: SAMPLE_RATE * 3 // 2]
    person = np.zeros(len(said))
    at = SAMPLE_RATE // 2
    person[at : at + len(words)] = words
    _, echo = cleaned(guard, said, room(said, person, 0.1, -20, 1))
    assert echo[5 : at // BLOCK_SAMPLES].mean() > 0.9, "nobody speaks yet"
    return 1 - float(echo[at // BLOCK_SAMPLES : (at + len(words)) // BLOCK_SAMPLES].mean())


def test_a_session_that_begins_with_what_was_learnt_hears_a_person_over_its_first_words() -> None:
    known = EchoGuard()
    known.start_from(taught(0.1, 1))
    assert person_over_first_words(known) > 0.5
    assert person_over_first_words(EchoGuard()) < 0.2


@pytest.mark.parametrize("elsewhere", ["another room", "no room"])
def test_what_was_learnt_elsewhere_does_no_harm_and_is_forgotten(elsewhere: str) -> None:
    path = taught(0.25, 7) if elsewhere == "another room" else replace(some_path(), offset=-4000)
    guard = EchoGuard()
    guard.start_from(path)
    heard = room(SAID, QUIET, 0.1, -20, 1)
    clean, echo = cleaned(guard, SAID, heard)
    half = len(clean) // 2
    assert energy(clean[half:]) < energy(heard[half:]) / 100
    assert echo[20:].mean() > 0.95, "no echo is taken for a person"


def test_a_chime_does_not_prove_what_was_learnt() -> None:
    import soxr

    tones = soxr.resample(np.frombuffer(chime("accepted"), "<i2") / 32768, CHIME_RATE, SAMPLE_RATE)
    padded = np.concatenate([np.zeros(SAMPLE_RATE // 2), tones, np.zeros(SAMPLE_RATE // 2)])
    guard = EchoGuard()
    guard.start_from(taught(0.1, 1))
    cleaned(guard, padded, room(padded, QUIET, 0.1, -20, 1))
    assert guard.learnt is None, "still on trial"
    cleaned(guard, SAID, room(SAID, QUIET, 0.1, -20, 1), begin_s=9.0, stream=2)
    assert guard.learnt is not None


def test_little_was_heard_and_nothing_is_claimed() -> None:
    guard = EchoGuard()
    assert guard.learnt is None
    cleaned(guard, SAID[:3200], room(SAID, QUIET, 0.1, -20)[:3200])
    assert guard.learnt is None
    guard.start_from(some_path())
    assert guard.learnt is None, "on trial"


# ------------------------------------------------------------------ in the sound process


async def written(folder: Path) -> Path:
    """The file that is being written."""

    def files() -> list[Path]:
        return list(folder.glob("*.path"))

    async with asyncio.timeout(LIMIT_S):
        while not (found := files()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found[0]


async def test_it_is_kept_after_the_first_speech_and_begun_from_the_next_time(tmp_path: Path) -> None:
    guard, first = EchoGuard(), Acquaintance()
    first.folder = str(tmp_path / "echo")
    await first.begin(guard, *PAIR)
    first.end(guard)
    assert not (tmp_path / "echo").exists(), "nothing was learnt"
    cleaned(guard, SAID, room(SAID, QUIET, 0.1, -20))
    first.end(guard)
    file = await written(tmp_path / "echo")
    file.unlink()
    first.end(guard)
    assert not file.exists(), "once a minute"
    await first.begin(guard, PAIR[0], "another")
    first.end(guard)
    file = await written(tmp_path / "echo")

    later, second = EchoGuard(), Acquaintance()
    second.folder = str(tmp_path / "echo")
    await second.begin(later, PAIR[0], "another")
    assert person_over_first_words(later) > 0.5


async def test_without_a_plain_microphone_or_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    guard, nowhere, unit = EchoGuard(), Acquaintance(), Acquaintance()
    cleaned(guard, SAID, room(SAID, QUIET, 0.1, -20))
    unit.folder = str(tmp_path)
    await nowhere.begin(guard, *PAIR)
    await unit.begin(guard, *PAIR)
    await unit.begin(guard, None, PAIR[1])
    for acquaintance in (nowhere, unit):
        acquaintance.end(guard)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    guard, acquaintance = EchoGuard(), Acquaintance()
    acquaintance.folder = str(tmp_path / "data" / "echo")
    await acquaintance.begin(guard, *PAIR)
    cleaned(guard, SAID, room(SAID, QUIET, 0.1, -20))
    assert guard.learnt is not None
    acquaintance.end(guard)
    await acquaintance.begin(guard, PAIR[0], "another")
    acquaintance.end(guard)
