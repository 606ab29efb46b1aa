"""The mouth on a clock of its own: order, cutting, going on, and voices or devices that fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mybro.config import SpeakSettings
from mybro.errors import SpeakError
from mybro.events import StageFailed
from mybro.speak.mouth import Mouth
from mybro.speak.player import SilentPlayer
from mybro.speak.silent import Silent
from mybro.speak.sound import Sound
from tests.fakes.audio import ManualClock
from tests.fakes.speak import RATE, FakePlayer, FakeSpeaker, Heard, in_turn

pytestmark = pytest.mark.unit

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


async def test_a_sentence_is_heard_whole(at: Scene) -> None:
    await at.mouth.say(1, "Running the tests.")
    await at.clock.advance(0.9)
    assert at.heard.story == "1+"
    await at.clock.advance(0.2)
    assert at.heard.story == "1+ 1-"
    assert len(at.player.heard) == 2 * RATE
    assert at.speaker.said == ["Running the tests."]


async def test_text_is_shown_as_it_is_and_spoken_as_it_sounds(at: Scene) -> None:
    await at.mouth.say(1, "Edited `src/cart.py`.")
    await at.clock.advance(2)
    assert at.heard.texts == ["Edited `src/cart.py`."]
    assert at.speaker.said == ["Edited cart dot py."]


async def test_one_thing_at_a_time(at: Scene) -> None:
    await at.mouth.say(1, "This is the first.")
    await at.mouth.say(2, "This is the second.")
    await at.clock.advance(1.05)
    assert at.heard.story == "1+ 1- 2+"
    await at.clock.advance(1.05)
    assert at.heard.story == "1+ 1- 2+ 2-"


async def test_urgency_orders_what_waits_and_news_is_merged(at: Scene) -> None:
    await at.mouth.say(1, "Busy with this.")
    await at.clock.advance(0.1)
    await at.mouth.say(2, "All tests passed.", "news")
    await at.mouth.say(3, "The push failed.", "error")
    await at.mouth.say(4, "Formatted.", "news")
    await at.mouth.say(5, "Run npm install?", "question")
    await at.mouth.say(6, "Nothing to undo.", "answer")
    await at.clock.advance(10)
    assert at.heard.story == "1+ 1- 6+ 6- 5+ 5- 3+ 3- 2+ 2- 4-"
    assert at.heard.texts[-1] == "All tests passed. Formatted."


async def test_interrupt_is_heard_within_one_block_and_empties_the_queue(at: Scene) -> None:
    await at.mouth.say(1, "This will be cut.")
    await at.mouth.say(2, "This is never begun.")
    await at.clock.advance(0.45)
    at.mouth.interrupt()
    assert at.player.playbacks[0].stopped
    await at.clock.advance(5)
    assert at.heard.story == "1+ 1x 2x"
    assert len(at.player.heard) == 2 * round(0.45 * RATE)


async def test_interrupting_twice_or_when_silent_changes_nothing(at: Scene) -> None:
    at.mouth.interrupt()
    await at.mouth.say(1, "This will be cut.")
    await at.clock.advance(0.1)
    at.mouth.interrupt()
    at.mouth.interrupt()
    await at.clock.advance(1)
    at.mouth.interrupt()
    await at.mouth.say(2, "This is said.")
    await at.clock.advance(2)
    assert at.heard.story == "1+ 1x 2+ 2-"


async def test_one_sentence_can_be_taken_back_by_its_number(at: Scene) -> None:
    await at.mouth.say(1, "The first one.")
    await at.mouth.say(2, "A question that is settled.", "question")
    await at.mouth.say(3, "The third one.")
    await at.clock.advance(0.1)
    at.mouth.interrupt(2)
    at.mouth.interrupt(99)
    await at.clock.advance(5)
    assert sorted(at.heard.story.split()) == ["1+", "1-", "2x", "3+", "3-"]


async def test_a_voice_still_at_work_is_ended_with_its_sentence() -> None:
    made = scene(FakeSpeaker(seconds=60.0))
    await made.mouth.say(1, "A very long one.")
    await made.clock.advance(0.0)
    made.mouth.interrupt()
    await made.clock.advance(0.5)
    assert (made.speaker.cut, made.speaker.said[-1]) == (1, ""), "cut, and warmed up again"
    await made.mouth.aclose()


async def test_hold_goes_on_from_where_it_was_and_answers_meanwhile(at: Scene) -> None:
    await at.mouth.say(1, "All tests passed in the whole project.", "news")
    await at.clock.advance(0.4)
    at.mouth.hold(True)
    await at.mouth.say(2, "Paused.", "answer")
    await at.mouth.say(3, "Another job is done.", "news")
    await at.clock.advance(30)
    assert at.heard.story == "1+ 2+ 2-"
    at.mouth.hold(False)
    await at.clock.advance(0.55)
    assert at.heard.story == "1+ 2+ 2-"
    await at.clock.advance(0.1)
    assert at.heard.story == "1+ 2+ 2- 1- 3+"
    first, _, rest, *_ = at.player.playbacks
    assert len(first.heard) + len(rest.heard) == 2 * RATE
    assert at.speaker.said.count("All tests passed in the whole project.") == 1


async def test_what_is_held_can_be_interrupted(at: Scene) -> None:
    await at.mouth.say(1, "This is held.")
    await at.clock.advance(0.3)
    at.mouth.hold(True)
    await at.clock.advance(1)
    at.mouth.interrupt()
    at.mouth.hold(False)
    await at.clock.advance(5)
    assert at.heard.story == "1+ 1x"


async def test_news_waits_while_the_person_speaks_and_yields_at_once(at: Scene) -> None:
    at.mouth.person_speaks(True)
    await at.mouth.say(1, "A job is done.", "news")
    await at.mouth.say(2, "A job failed.", "error")
    await at.clock.advance(5)
    assert at.heard.story == ""
    at.mouth.person_speaks(False)
    await at.clock.advance(0.3)
    assert at.heard.story == "2+"
    at.mouth.person_speaks(True)
    await at.clock.advance(5)
    assert at.player.playbacks[0].stopped and at.heard.story == "2+"
    await at.mouth.say(3, "An answer is not held up.", "answer")
    await at.clock.advance(1.1)
    assert at.heard.story == "2+ 3+ 3-"
    at.mouth.person_speaks(False)
    await at.clock.advance(0.8)
    assert at.heard.story == "2+ 3+ 3- 2- 1+"


async def test_mute_shows_what_it_does_not_say(at: Scene) -> None:
    await at.mouth.say(1, "This is cut by the mute.")
    await at.clock.advance(0.2)
    at.mouth.mute(True)
    await at.mouth.say(2, "Only shown.")
    await at.mouth.chime("accepted")
    await at.clock.advance(0.1)
    assert at.heard.story == "1+ 1x 2+ 2-"
    assert len(at.player.playbacks) == 1
    at.mouth.mute(False)
    await at.mouth.say(3, "Heard again.")
    await at.clock.advance(1.1)
    assert at.heard.story.endswith("3+ 3-") and len(at.player.playbacks) == 2


async def test_ducking_holds_for_the_next_sentence_too(at: Scene) -> None:
    await at.mouth.say(1, "The first sentence.")
    await at.mouth.say(2, "The second sentence.")
    await at.clock.advance(0.2)
    at.mouth.duck(True)
    await at.clock.advance(1)
    at.mouth.duck(False)
    await at.clock.advance(1)
    assert [playback.ducked for playback in at.player.playbacks] == [[True], [True, False]]


async def test_the_queue_is_bounded_and_counts_what_it_drops() -> None:
    made = scene(settings=SETTINGS.model_copy(update={"queue_limit": 3}))
    for number in range(1, 8):
        await made.mouth.say(number, f"News of job {number}.", "news")
    await made.mouth.say(8, "An answer.", "answer")
    await made.clock.advance(10)
    words = made.heard.story.split()
    assert made.mouth.dropped == 5
    assert words[:5] == ["1x", "2x", "3x", "4x", "5x"]
    assert words[5:] == ["8+", "8-", "6+", "6-", "7-"]
    await made.mouth.aclose()


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
