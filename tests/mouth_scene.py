"""A mouth with a loudspeaker that is not one: fixtures, with an import of `at`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from mybro.config import SpeakSettings
from mybro.speak.mouth import Mouth
from mybro.speak.silent import Silent
from tests.fakes.audio import ManualClock
from tests.fakes.speak import FakePlayer, FakeSpeaker, Heard, in_turn

SETTINGS = SpeakSettings(volume=1.0, timeout_s=5.0)


@dataclass
class Scene:
    """A mouth that says each sentence in one second, unless told otherwise."""

    clock: ManualClock
    player: FakePlayer
    heard: Heard
    speaker: FakeSpeaker
    mouth: Mouth


def scene(*speakers: FakeSpeaker | Silent, settings: SpeakSettings = SETTINGS) -> Scene:
    clock, heard = ManualClock(), Heard()
    player = FakePlayer(clock)
    first = speakers[0] if speakers else FakeSpeaker()
    mouth = Mouth(settings, first, player, heard.emit, clock, in_turn(*speakers, Silent()))
    assert isinstance(first, FakeSpeaker)
    return Scene(clock, player, heard, first, mouth)


@pytest.fixture
async def at() -> AsyncIterator[Scene]:
    made = scene()
    yield made
    await made.mouth.aclose()
