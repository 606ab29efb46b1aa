"""The mouth on a clock of its own: order, cutting, going on, and voices or devices that fail."""

from __future__ import annotations

import pytest

from tests.fakes.speak import RATE, FakeSpeaker
from tests.mouth_scene import SETTINGS, Scene, at, scene

__all__ = ["at"]
pytestmark = pytest.mark.unit


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
