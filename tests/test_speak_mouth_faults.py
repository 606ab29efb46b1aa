"""What the mouth does where a voice or a loudspeaker fails; chimes and recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from mybro.errors import SpeakError
from mybro.events import StageFailed
from mybro.speak.mouth import Mouth
from mybro.speak.player import SilentPlayer
from mybro.speak.sound import Sound
from tests.fakes.audio import ManualClock
from tests.fakes.speak import RATE, FakeSpeaker, Heard
from tests.mouth_scene import SETTINGS, Scene, at, scene

__all__ = ["at"]
pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("fault", "code"), [("at once", "voice_failed"), ("crash", "voice_failed"), ("hang", "voice_hangs")]
)
async def test_a_voice_that_fails_gives_way_to_the_next_for_good(fault: str, code: str) -> None:
    broken, sound = FakeSpeaker("broken"), FakeSpeaker("sound")
    broken.fault = fault  # type: ignore[assignment]
    made = scene(broken, sound)
    await made.mouth.say(1, "This is said all the same.")
    await made.mouth.say(2, "And this.")
    await made.clock.advance(8)
    assert made.heard.story == f"1+ !{code} 1- 2+ 2-"
    assert sound.said == ["This is said all the same.", "And this."]
    assert broken.closed and len(made.player.heard) == 2 * 2 * RATE
    await made.mouth.aclose()
    assert sound.closed


async def test_a_voice_that_breaks_off_is_followed_from_the_start_of_the_sentence() -> None:
    broken, sound = FakeSpeaker("broken", fault="midway"), FakeSpeaker("sound", sample_rate=RATE * 2)
    made = scene(broken, sound)
    await made.mouth.say(1, "The first sentence. The second sentence.")
    await made.clock.advance(5)
    assert broken.said == ["The first sentence."]
    assert sound.said == ["The first sentence.", "The second sentence."]
    # 0.3 s of the broken one; the other's samples, made for twice the rate, last half as long.
    assert len(made.player.heard) / 2 / RATE == pytest.approx(0.3 + 2 * 0.5, abs=0.02)
    await made.mouth.aclose()


async def test_where_every_voice_fails_text_is_left_and_each_failure_is_told_once() -> None:
    made = scene(FakeSpeaker("one", fault="at once"), FakeSpeaker("two", fault="crash"))
    for number in (1, 2, 3):
        await made.mouth.say(number, "Is anybody there?")
    await made.clock.advance(1)
    assert made.heard.story == "1+ !voice_failed !voice_failed 1- 2+ 2- 3+ 3-"
    last = [event for event in made.heard.events if isinstance(event, StageFailed)][-1]
    assert last.problem.hint == "Now speaking: text only" and "anybody" not in last.problem.line()
    await made.mouth.aclose()


@pytest.mark.parametrize(
    ("fault", "code"),
    [("fail", "no_loudspeaker"), ("crash", "loudspeaker_failed"), ("hang", "loudspeaker_hangs")],
)
async def test_a_loudspeaker_that_fails_is_told_once_and_tried_again(
    at: Scene, fault: str, code: str
) -> None:
    at.player.fault = fault  # type: ignore[assignment]
    await at.mouth.say(1, "Nobody hears this.")
    await at.mouth.say(2, "Nor this.")
    await at.clock.advance(20)
    assert at.heard.story == f"1+ !{code} 1- 2+ 2-"
    at.player.fault = "none"
    await at.mouth.say(3, "Heard again.")
    await at.clock.advance(2)
    assert at.heard.story.endswith("3+ 3-") and len(at.player.heard) == 2 * RATE
    at.player.fault = "fail"
    await at.mouth.say(4, "Gone once more.")
    await at.clock.advance(2)
    assert at.heard.story.endswith("4+ !no_loudspeaker 4-")


async def test_nothing_speakable_is_over_at_once(at: Scene) -> None:
    await at.mouth.say(1, "```\ncode\n```")
    await at.clock.advance(0)
    assert at.heard.story == "1+ 1-"


async def test_a_synthesizer_without_an_end_is_cut_off() -> None:
    made = scene(FakeSpeaker(seconds=500.0))
    await made.mouth.say(1, "On and on.")
    await made.clock.advance(95)
    assert made.heard.story == "1+ 1-"
    assert len(made.player.heard) / 2 / RATE == pytest.approx(90, abs=1)
    await made.mouth.aclose()


async def test_volume_makes_it_softer() -> None:
    made = scene(settings=SETTINGS.model_copy(update={"volume": 0.5}))
    await made.mouth.say(1, "Softly now.")
    await made.clock.advance(2)
    assert set(np.frombuffer(made.player.heard, "<i2")) == {500}
    await made.mouth.aclose()


@pytest.mark.parametrize("name", ["listening", "accepted", "stopped"])
async def test_chimes_are_short_soft_and_different(at: Scene, name: str) -> None:
    await at.mouth.chime(name)  # type: ignore[arg-type]
    await at.clock.advance(1)
    (playback,) = at.player.playbacks
    sound = np.frombuffer(playback.heard, "<i2") / 32768
    assert 0.05 < len(sound) / playback.sample_rate < 0.25
    assert 0.02 < np.sqrt(np.mean(sound**2)) < np.abs(sound).max() < 0.3
    assert abs(sound[0]) < 0.01 and abs(sound[-1]) < 0.01, "a step would click"
    spectrum = np.abs(np.fft.rfft(sound[: len(sound) // 3]))
    first = np.argmax(spectrum) * playback.sample_rate / (len(sound) // 3)
    wanted = {"listening": 659, "accepted": 784, "stopped": 587}[name]
    assert first == pytest.approx(wanted, rel=0.1)


async def test_a_chime_comes_before_the_sentence_and_only_stop_sounds_over_one(at: Scene) -> None:
    await at.mouth.chime("accepted")
    await at.mouth.say(1, "Running the tests.")
    await at.clock.advance(0.3)
    assert [playback.sample_rate for playback in at.player.playbacks] == [24_000, RATE]
    await at.mouth.chime("listening")
    at.mouth.interrupt()
    await at.mouth.chime("stopped")
    await at.clock.advance(1)
    assert [playback.sample_rate for playback in at.player.playbacks] == [24_000, RATE, 24_000]


async def test_chimes_can_be_switched_off() -> None:
    made = scene(settings=SETTINGS.model_copy(update={"chimes": False}))
    await made.mouth.chime("accepted")
    await made.clock.advance(1)
    assert made.player.playbacks == []
    await made.mouth.aclose()


async def test_a_recording_holds_what_was_heard_and_no_more(tmp_path: Path) -> None:
    made = scene()
    made.mouth.record(tmp_path / "voice.wav")
    await made.mouth.say(1, "Heard whole.")
    await made.clock.advance(1.1)
    await made.mouth.say(2, "Heard by half.")
    await made.clock.advance(0.5)
    made.mouth.interrupt()
    await made.clock.advance(0.1)
    await made.mouth.aclose()
    sound, rate = soundfile.read(tmp_path / "voice.wav", dtype="int16")
    assert len(sound) / rate == pytest.approx(1.5, abs=0.02)
    assert np.median(sound) == pytest.approx(1000, abs=2)


async def test_a_recording_needs_no_loudspeaker(tmp_path: Path) -> None:
    heard, clock = Heard(), ManualClock()
    mouth = Mouth(SETTINGS, FakeSpeaker(), SilentPlayer(), heard.emit, clock)
    mouth.record(tmp_path / "voice.wav")
    await mouth.say(1, "Heard by the file alone.")
    for _ in range(20):
        await clock.advance(0.1)
    await mouth.aclose()
    assert heard.story == "1+ 1-"
    assert soundfile.info(tmp_path / "voice.wav").duration == pytest.approx(1.0, abs=0.02)


async def test_a_recording_that_cannot_be_written_is_refused_at_once(at: Scene, tmp_path: Path) -> None:
    with pytest.raises(SpeakError, match="cannot be written"):
        at.mouth.record(tmp_path / "missing" / "voice.wav")


async def test_closing_is_silent_and_can_be_done_twice(at: Scene) -> None:
    await at.mouth.say(1, "This will not be heard out.")
    await at.clock.advance(0.2)
    await at.mouth.aclose()
    await at.mouth.aclose()
    assert at.player.playbacks[0].stopped and at.speaker.closed


async def test_a_sound_waits_for_samples_and_ends() -> None:
    sound = Sound()
    sound.end()
    assert await sound.read(0, 10) == b"" and sound.seconds == 0.0
