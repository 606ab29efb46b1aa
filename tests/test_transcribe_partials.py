"""Words while they are spoken: which stay, and how often they are looked for."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.errors import TranscriptionError
from mybro.events import AudioBlock, Transcribed
from mybro.transcribe.partials import AGAIN_S, TOO_SLOW_MS, Agreement, Partials
from tests.fakes.audio import ManualClock

pytestmark = pytest.mark.unit

SOUND = AudioBlock(0, bytes(32_000))


class Reads:
    """A recogniser that has one reading after another."""

    def __init__(self, *readings: str | TranscriptionError | None, ms: float = 40.0) -> None:
        self._readings = list(readings)
        self.asked: list[tuple[int, int, bool, bool]] = []
        self.ms = ms
        self.go = asyncio.Event()
        self.go.set()

    async def transcribe(
        self, turn: int, request: int, audio: AudioBlock, *, speculative: bool = False, quick: bool = False
    ) -> Transcribed | None:
        self.asked.append((turn, request, speculative, quick))
        reading = self._readings.pop(0)
        await self.go.wait()
        if isinstance(reading, TranscriptionError):
            raise reading
        return reading if reading is None else Transcribed(turn, request, reading, "m", processing_ms=self.ms)


def test_words_stay_once_two_readings_agree_on_them_and_more_follow() -> None:
    agreement = Agreement()
    assert agreement.add("Create a new") == ""
    assert agreement.add("create a new file") == "create a"
    assert agreement.add("Create a new file, called utils") == "Create a new"
    # A reading that turns back takes nothing away.
    assert agreement.add("Great") == "Create a new"


@given(st.lists(st.text("ab ", max_size=12), max_size=6))
def test_what_is_agreed_on_only_grows_and_was_read_twice(readings: list[str]) -> None:
    agreement = Agreement()
    lengths = [len(agreement.add(text).split()) for text in readings]
    assert lengths == sorted(lengths)
    assert all(length < max(2, len(text.split())) or length in lengths[:at]
               for at, (length, text) in enumerate(zip(lengths, readings, strict=True)))  # fmt: skip


async def test_new_words_are_told_once() -> None:
    recogniser = Reads("run the", "run the tests", "run the tests now", "run the tests now")
    clock = ManualClock()
    partials = Partials(recogniser, clock)
    told = []
    for _ in range(4):
        told.append(await partials.text(7, SOUND))
        await clock.advance(1)
    assert told == [None, "run", "run the", "run the tests"]
    assert [each[0] for each in recogniser.asked] == [7] * 4
    assert [each[1] for each in recogniser.asked] == [-1, -2, -3, -4]
    assert all(speculative and quick for _, _, speculative, quick in recogniser.asked)


async def test_another_turn_begins_anew() -> None:
    clock = ManualClock()
    partials = Partials(Reads("run the tests", "run the tests", "stop it please", "stop it please"), clock)
    told = []
    for turn in (1, 1, 2, 2):
        told.append(await partials.text(turn, SOUND))
        await clock.advance(1)
    assert told == [None, "run the", None, "stop it"]


async def test_it_rests_three_times_as_long_as_it_worked() -> None:
    clock = ManualClock()
    recogniser = Reads("a b", "a b", ms=100)
    partials = Partials(recogniser, clock)
    await partials.text(1, SOUND)
    await clock.advance(0.29)
    assert await partials.text(1, SOUND) is None and len(recogniser.asked) == 1
    await clock.advance(0.02)
    assert await partials.text(1, SOUND) == "a"


async def test_a_slow_recogniser_is_left_alone_for_long() -> None:
    clock = ManualClock()
    recogniser = Reads("a b", "a b", ms=TOO_SLOW_MS + 1)
    partials = Partials(recogniser, clock)
    await partials.text(1, SOUND)
    await clock.advance(AGAIN_S - 0.1)
    assert await partials.text(1, SOUND) is None and len(recogniser.asked) == 1
    await clock.advance(0.2)
    assert await partials.text(1, SOUND) == "a"


async def test_one_at_a_time_and_a_late_one_is_not_told_of_another_turn() -> None:
    recogniser = Reads("a b c", "x y", "x y")
    recogniser.go.clear()
    clock = ManualClock()
    partials = Partials(recogniser, clock)
    first = asyncio.create_task(partials.text(1, SOUND))
    await asyncio.sleep(0)
    assert await partials.text(1, SOUND) is None and len(recogniser.asked) == 1
    recogniser.go.set()
    assert await first is None


async def test_a_failure_or_a_dropped_request_is_nothing_to_tell() -> None:
    partials = Partials(Reads(TranscriptionError("busy", "busy"), None, "a b", "a b"), ManualClock())
    assert [await partials.text(1, SOUND) for _ in range(3)] == [None] * 3
