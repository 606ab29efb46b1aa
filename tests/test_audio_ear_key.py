"""The talk key, muting and the ear."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest

from mybro.errors import Problem
from mybro.events import (
    AudioBlock,
    Event,
    LevelMeasured,
)
from tests.audio_tools import (
    noise,
    trimmed,
)
from tests.ear_tools import Heard, clip
from tests.fakes.audio import MemorySource

pytestmark = pytest.mark.unit


def at_sample(result: Heard, sample: int, *actions: Callable[[], None]) -> None:
    done: list[int] = []

    def look(event: Event) -> None:
        if isinstance(event, LevelMeasured) and event.sample >= sample and not done:
            done.append(event.sample)
            for action in actions:
                action()

    result.on_event = look


async def test_end_now_closes_the_open_utterance() -> None:
    words = trimmed(clip("00_piper_joe"))
    result = Heard()
    at_sample(result, 16000, result.ear.end_now)
    await result.listen(MemorySource(words.tobytes()))
    assert result.ended()[0].reason == "key"
    assert 16000 <= result.ended()[0].utterance.audio.end < 18000
    assert len(result.ended()) == 2


async def test_a_live_source_gives_its_last_words_after_the_key() -> None:
    words = trimmed(clip("00_piper_joe"))
    result = Heard()
    at_sample(result, 16000, result.ear.end_now)
    await result.listen(MemorySource(words.tobytes(), live=True))
    assert 16000 + 2400 <= result.ended()[0].utterance.audio.end < 16000 + 5000


async def test_while_the_key_is_held_quiet_ends_nothing() -> None:
    rng = np.random.default_rng(6)
    words = trimmed(clip("01_piper_joe"))
    result = Heard()
    result.ear.hold(True)
    at_sample(result, 4 * 16000 + len(words), result.ear.end_now, lambda: result.ear.hold(False))
    await result.listen(
        MemorySource(np.concatenate([words, noise(2.0, rng), words, noise(3.0, rng)]).tobytes())
    )
    (ended,) = result.ended()
    assert ended.reason == "key"
    assert ended.utterance.speech_end - ended.utterance.speech_start > 2 * 16000 + len(words)


async def test_nothing_is_heard_while_muted() -> None:
    rng = np.random.default_rng(7)
    words = np.concatenate([trimmed(clip("01_piper_joe")), noise(1.0, rng)])
    result = Heard()
    result.ear.mute()
    await result.listen(MemorySource(words.tobytes()))
    assert result.names == ["SourceOpened", "ListeningStarted", "SourceClosed"]
    assert not any(isinstance(e, LevelMeasured) for e in result.events)
    result.ear.unmute()
    await result.listen(MemorySource(words.tobytes()))
    assert len(result.ended()) == 1


async def test_mute_ends_what_is_being_said() -> None:
    words = trimmed(clip("00_piper_joe"))
    result = Heard()
    at_sample(result, 16000, result.ear.mute)
    await result.listen(MemorySource(words.tobytes()))
    (ended,) = result.ended()
    assert ended.reason == "key" and ended.utterance.audio.end < 18000


@pytest.mark.parametrize("pre_roll", [True, False])
async def test_the_talk_key_pressed_late_still_has_the_first_word(pre_roll: bool) -> None:
    rng = np.random.default_rng(8)
    words = trimmed(clip("01_piper_joe"))
    result = Heard()
    result.ear.mute()
    pressed = 16000 + 3200

    class Pressed(MemorySource):
        async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
            async for block in super().blocks():
                if isinstance(block, AudioBlock) and block.start >= pressed:
                    result.ear.unmute(pre_roll=pre_roll)
                yield block

    await result.listen(Pressed(np.concatenate([noise(1.0, rng), words, noise(1.0, rng)]).tobytes()))
    (ended,) = result.ended()
    assert (ended.utterance.audio.start <= 16000) is pre_roll
    assert pre_roll or ended.utterance.audio.start >= pressed
