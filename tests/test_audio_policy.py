from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import numpy as np
import pytest

from mybro.audio.ear import Ear
from mybro.audio.policy import MicrophoneKeeper, MicrophonePolicy
from mybro.audio.source import BLOCK_SAMPLES
from mybro.config import AudioSettings
from mybro.errors import AudioError, Problem
from mybro.events import (
    AudioBlock,
    Event,
    LevelMeasured,
    SpeechEnded,
    SpeechStarted,
    TalkPressed,
    TalkReleased,
)
from tests.audio_tools import Pcm, dev_clips, noise, read_pcm, trimmed
from tests.fakes.audio import ManualClock

pytestmark = pytest.mark.unit

PUSH = AudioSettings(listen="push-to-talk", release_after_s=30)
FREE = AudioSettings(listen="hands-free", idle_after_s=600)


# ------------------------------------------------------------------ the policy


def test_push_to_talk_opens_on_demand_and_closes_lazily() -> None:
    policy = MicrophonePolicy(PUSH, 0)
    assert not policy.wanted(0) and policy.changes_at(0) is None
    policy.pressed(10)
    assert policy.wanted(10) and policy.wanted(1000), "while the key is held, however long"
    assert policy.changes_at(10) is None
    policy.released(1000)
    assert policy.wanted(1029.9) and not policy.wanted(1030)
    assert policy.changes_at(1000) == 1030


def test_hands_free_lets_go_when_nobody_speaks() -> None:
    policy = MicrophonePolicy(FREE, 0)
    assert policy.wanted(599)
    policy.heard(500)
    assert policy.wanted(1099) and not policy.wanted(1100)
    policy.heard(1100)
    assert not policy.wanted(1100), "nothing can be heard through a closed microphone"
    policy.pressed(1200)
    policy.released(1201)
    assert policy.wanted(1700)


@pytest.mark.parametrize("settings", [PUSH, FREE])
def test_let_go_is_at_once(settings: AudioSettings) -> None:
    policy = MicrophonePolicy(settings, 0)
    policy.pressed(1)
    policy.let_go(2)
    assert not policy.wanted(2) and not policy.held
    policy.released(3)


# ------------------------------------------------------------------ the keeper


class FakeEar:
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def listen(self, source: Microphone) -> None:
        self.calls.append("listen")
        async for _ in source.blocks():
            pass
        self.calls.append("done")

    def hold(self, held: bool) -> None:
        self.calls.append(f"hold {held}")

    def mute(self, *, tail: bool = False) -> None:
        self.calls.append(f"mute tail={tail}")

    def unmute(self, *, pre_roll: bool = False) -> None:
        self.calls.append(f"unmute pre_roll={pre_roll}")

    def end_now(self) -> None:
        self.calls.append("end_now")


class Microphone:
    """Open until closed; gives what is put into it."""

    name, live, dropped_blocks = "fake", True, 0

    def __init__(self, error: AudioError | None = None) -> None:
        self._items: asyncio.Queue[AudioBlock | None] = asyncio.Queue()
        self._error = error
        self.end = 0

    def hear(self, pcm: Pcm) -> None:
        for at in range(0, len(pcm), BLOCK_SAMPLES):
            block = AudioBlock(self.end, pcm[at : at + BLOCK_SAMPLES].tobytes())
            self.end = block.end
            self._items.put_nowait(block)

    async def blocks(self) -> AsyncIterator[AudioBlock | Problem]:
        if self._error:
            raise self._error
        while item := await self._items.get():
            yield item

    async def drained(self) -> None:
        """Everything put in has been taken, and judged."""
        while not self._items.empty():  # noqa: ASYNC110
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)

    async def aclose(self) -> None:
        self._items.put_nowait(None)


class Kept:
    """A running keeper with a clock that the test moves."""

    def __init__(self, settings: AudioSettings, ear: Ear | FakeEar | None = None) -> None:
        self.clock = ManualClock()
        self.ear = ear or FakeEar()
        self.opened: list[Microphone] = []
        self.keeper = MicrophoneKeeper(settings, self.ear, self._open, self.clock)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.keeper.run())

    def _open(self) -> Microphone:
        self.opened.append(Microphone())
        return self.opened[-1]

    def is_open(self) -> bool:
        return self.keeper.is_open

    async def after(self, seconds: float, *events: Event) -> None:
        await self.clock.advance(seconds)
        for event in events:
            self.keeper.notice(event)
        await self.clock.advance(0)

    async def close(self) -> None:
        await self.keeper.aclose()
        await self.keeper.aclose()
        await asyncio.wait_for(self.task, 10)
        assert not self.is_open()


async def test_the_key_opens_the_microphone_and_it_closes_later() -> None:
    kept = Kept(PUSH)
    await kept.after(100)
    assert not kept.is_open()
    await kept.after(0, TalkPressed(), TalkPressed())
    assert kept.is_open()
    await kept.after(100, TalkReleased(), TalkReleased())
    await kept.after(29)
    assert kept.is_open()
    await kept.after(0, TalkPressed())
    await kept.after(5, TalkReleased())
    await kept.after(29)
    assert len(kept.opened) == 1
    await kept.after(1.1)
    assert not kept.is_open()
    await kept.after(0, TalkPressed())
    assert len(kept.opened) == 2
    await kept.close()
    assert isinstance(kept.ear, FakeEar)
    assert kept.ear.calls[:5] == [
        "mute tail=False", "hold True", "unmute pre_roll=True", "listen", "hold False",
    ]  # fmt: skip


async def test_hands_free_is_open_until_idle_and_the_key_opens_it_again() -> None:
    kept = Kept(FREE)
    await kept.after(500, SpeechStarted(1, 0))
    await kept.after(599)
    assert kept.is_open()
    await kept.after(1.1)
    assert not kept.is_open()
    await kept.after(100, TalkPressed())
    await kept.after(1, TalkReleased())
    assert kept.is_open()
    await kept.close()
    assert isinstance(kept.ear, FakeEar) and "end_now" in kept.ear.calls
    assert not any(call.startswith("mute") for call in kept.ear.calls)


@pytest.mark.parametrize("settings", [PUSH, FREE])
async def test_lock_and_lid_close_it_at_once(settings: AudioSettings) -> None:
    kept = Kept(settings)
    await kept.after(0, TalkPressed())
    assert kept.is_open()
    kept.keeper.let_go()
    await kept.after(0)
    assert not kept.is_open()
    await kept.after(1000)
    assert not kept.is_open()
    await kept.close()


async def test_a_microphone_that_cannot_be_had_is_an_error() -> None:
    clock = ManualClock()
    broken = AudioError("no_portaudio", "PortAudio is missing")
    keeper = MicrophoneKeeper(FREE, FakeEar(), lambda: Microphone(broken), clock)  # type: ignore[arg-type]
    with pytest.raises(AudioError, match="missing"):
        await keeper.run()
    await keeper.aclose()


async def test_a_source_that_somebody_else_closes_is_not_opened_in_a_circle() -> None:
    kept = Kept(FREE)
    await kept.after(1)
    await kept.opened[0].aclose()
    await kept.after(1)
    assert len(kept.opened) == 1 and not kept.is_open()
    await kept.close()


async def test_only_what_is_said_with_the_key_down_is_heard() -> None:
    rng = np.random.default_rng(1)
    words = trimmed(read_pcm(dev_clips()[1].path))
    pause = noise(2.0, rng)
    heard: list[SpeechEnded] = []

    async def emit(event: Event) -> None:
        if isinstance(event, SpeechEnded):
            heard.append(event)

    kept = Kept(PUSH, Ear(PUSH, emit, itertools.count(1).__next__))
    await kept.after(0, TalkPressed())
    microphone = kept.opened[0]
    microphone.hear(np.concatenate([noise(0.3, rng), words, pause, words]))
    await microphone.drained()
    assert heard == [], "a pause ends nothing while the key is down"
    released = microphone.end
    await kept.after(0, TalkReleased())
    microphone.hear(np.concatenate([noise(1.0, rng), words, noise(1.0, rng)]))
    await microphone.drained()
    (first,) = heard
    assert first.reason == "key"
    assert released < first.utterance.audio.end < released + 16000 * 0.3
    # Pressed again a moment late: the first word is whole.
    microphone.hear(words[:3200])
    await microphone.drained()
    spoken_at = microphone.end - 3200
    await kept.after(0, TalkPressed())
    microphone.hear(np.concatenate([words[3200:], noise(0.2, rng)]))
    await microphone.drained()
    await kept.after(0, TalkReleased())
    microphone.hear(noise(0.5, rng))
    await microphone.drained()
    assert len(heard) == 2
    assert heard[1].utterance.audio.start <= spoken_at
    await kept.close()


async def test_a_short_word_is_heard_though_the_key_comes_up_at_once() -> None:
    rng = np.random.default_rng(2)
    word = trimmed(read_pcm(dev_clips()[2].path))
    events: list[Event] = []

    async def emit(event: Event) -> None:
        if not isinstance(event, LevelMeasured):
            events.append(event)

    kept = Kept(PUSH, Ear(PUSH, emit, itertools.count(1).__next__))
    await kept.after(0, TalkPressed())
    microphone = kept.opened[0]
    # The sound is still on its way when the key is let go.
    microphone.hear(word[:-1600])
    await microphone.drained()
    await kept.after(0, TalkReleased())
    microphone.hear(np.concatenate([word[-1600:], noise(1.0, rng)]))
    await microphone.drained()
    (ended,) = [e for e in events if isinstance(e, SpeechEnded)]
    assert ended.utterance.audio.end >= len(word)
    await kept.close()
