from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.audio.endpoint import Began, Ended, Endpointer, Paused, Resumed, Step
from mybro.config import AudioSettings

pytestmark = pytest.mark.unit

FRAME = 320
MS = 16


def run(
    frames: Iterable[float], settings: AudioSettings | None = None, levels: Iterable[float] = ()
) -> list[Step]:
    """The steps for 20 ms frames of these probabilities, and what the end of the source adds."""
    endpointer = Endpointer(settings or AudioSettings())
    steps: list[Step] = []
    for number, (probability, level) in enumerate(
        zip(frames, itertools.chain(levels, itertools.repeat(0.0)), strict=False)
    ):
        steps += endpointer.feed((number + 1) * FRAME, probability, level)
    return steps + endpointer.end("source")


def ms(*parts: tuple[float, int]) -> list[float]:
    """Frames: pairs of a probability and a length in milliseconds."""
    return [probability for probability, length in parts for _ in range(length // 20)]


def test_an_utterance_from_onset_to_hangover() -> None:
    began, paused, ended = run(ms((0, 1000), (1, 400), (0, 1000)))
    assert began == Began(1000 * MS)
    assert isinstance(paused, Paused) and paused.span.end == (1400 + 100) * MS
    assert isinstance(ended, Ended) and ended.reason == "quiet"
    assert (ended.span.start, ended.span.end) == (500 * MS, 1900 * MS)
    assert (ended.span.speech_start, ended.span.speech_end) == (1000 * MS, 1400 * MS)


def test_the_pre_roll_reaches_no_further_than_the_first_sample() -> None:
    ended = run(ms((0, 200), (1, 400), (0, 1000)))[-1]
    assert isinstance(ended, Ended) and ended.span.start == 0


def test_a_blip_begins_nothing() -> None:
    assert run(ms((0, 200), (1, 40), (0, 300), (1, 40), (0, 1000))) == []
    # Two halves of a word, a stop consonant apart, are no blips.
    assert run(ms((0, 200), (1, 40), (0, 60), (1, 40), (0, 1000)))[0] == Began(200 * MS)


@pytest.mark.parametrize("onset_ms", [20, 64, 200])
def test_the_onset_is_a_setting(onset_ms: int) -> None:
    needed = -(-onset_ms // 20) * 20
    assert run(ms((1, needed), (0, 1000)), AudioSettings(onset_ms=onset_ms)) != []
    assert run(ms((1, needed - 20), (0, 1000)), AudioSettings(onset_ms=onset_ms)) == []


@pytest.mark.parametrize("hangover_ms", [200, 500, 1200])
def test_the_hangover_is_a_setting(hangover_ms: int) -> None:
    frames = ms((1, 400), (0, hangover_ms - 20), (1, 400), (0, 2000))
    ended = [s for s in run(frames, AudioSettings(hangover_ms=hangover_ms)) if isinstance(s, Ended)]
    assert len(ended) == 1
    assert ended[0].span.end == (800 + 2 * hangover_ms - 20) * MS
    frames = ms((1, 400), (0, hangover_ms), (1, 400), (0, 2000))
    assert sum(isinstance(s, Ended) for s in run(frames, AudioSettings(hangover_ms=hangover_ms))) == 2


def test_a_pause_is_taken_back_when_speech_goes_on() -> None:
    steps = run(ms((1, 400), (0, 300), (1, 200), (0, 1000)))
    assert [type(s) for s in steps] == [Began, Paused, Resumed, Paused, Ended]
    assert steps[2] == Resumed(700 * MS)


def test_speech_goes_on_at_a_probability_that_would_not_begin_it() -> None:
    ended = run(ms((0, 100), (0.4, 200), (0.9, 200), (0.4, 400), (0, 1000)))[-1]
    assert isinstance(ended, Ended)
    assert (ended.span.speech_start, ended.span.speech_end) == (300 * MS, 900 * MS)
    # After a pause it takes the higher one again.
    assert not any(isinstance(s, Resumed) for s in run(ms((0.9, 200), (0, 200), (0.4, 200), (0, 1000))))


def test_the_next_pre_roll_takes_in_quiet_but_no_words() -> None:
    settings = AudioSettings(hangover_ms=200, pre_roll_ms=1000)
    first, second = [
        s for s in run(ms((1, 400), (0, 240), (1, 400), (0, 400)), settings) if isinstance(s, Ended)
    ]
    assert second.span.start == first.span.speech_end < first.span.end < second.span.speech_start


def test_a_long_utterance_is_cut_where_it_is_quietest_and_goes_on() -> None:
    settings = AudioSettings(max_utterance_s=5.0)
    frames = ms((1, 6000), (0, 1000))
    levels = [1.0] * len(frames)
    levels[170:173] = [0.1, 0.05, 0.1]
    began, first, again, *_, last = run(frames, settings, levels)
    assert began == Began(0)
    assert isinstance(first, Ended) and first.reason == "length"
    assert first.span.end in (171 * FRAME, 172 * FRAME)
    assert again == Began(first.span.end)
    assert isinstance(last, Ended) and last.reason == "quiet" and last.span.start == first.span.end


def test_a_length_that_is_reached_in_quiet_begins_nothing_new() -> None:
    settings = AudioSettings(max_utterance_s=2.0, hangover_ms=2000)
    *_, ended = run(ms((1, 1000), (0, 3000)), settings)
    assert isinstance(ended, Ended) and ended.reason == "length"
    assert sum(isinstance(s, Began) for s in run(ms((1, 1000), (0, 3000)), settings)) == 1


def test_the_key_ends_an_utterance_at_its_sample() -> None:
    endpointer = Endpointer(AudioSettings())
    endpointer.end_at(100)  # nothing is open: nothing to end
    steps: list[Step] = []
    for number in range(50):
        if number == 20:
            endpointer.end_at(25 * FRAME)
        steps += endpointer.feed((number + 1) * FRAME, 1.0, 0.0)
    ended = next(s for s in steps if isinstance(s, Ended))
    assert ended.reason == "key" and ended.span.end == 25 * FRAME
    assert endpointer.is_open, "speech goes on: the next utterance has begun"


def test_while_held_only_length_and_key_end_an_utterance() -> None:
    endpointer = Endpointer(AudioSettings())
    endpointer.held = True
    steps: list[Step] = []
    for number, probability in enumerate(ms((1, 400), (0, 3000), (1, 400))):
        steps += endpointer.feed((number + 1) * FRAME, probability, 0.0)
    assert [type(s) for s in steps] == [Began, Paused, Resumed]


probabilities = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.4, 0.6, 1.0]), st.integers(1, 60)), min_size=1, max_size=30
).map(lambda runs: [p for p, length in runs for _ in range(length)])
any_settings = st.builds(
    AudioSettings,
    pre_roll_ms=st.sampled_from([0, 100, 500, 2000]),
    onset_ms=st.sampled_from([20, 64, 300]),
    hangover_ms=st.sampled_from([100, 500, 1500]),
    speculate_ms=st.sampled_from([60, 160, 700]),
    max_utterance_s=st.sampled_from([1.1, 3.0, 28.0]),
)


@given(probabilities, any_settings, st.randoms(use_true_random=False))
def test_whatever_is_heard_the_utterances_fit_together(
    frames: list[float], settings: AudioSettings, random: object
) -> None:
    steps = run(frames, settings, [random.random() for _ in frames])  # type: ignore[attr-defined]
    # Each turn is opened once and closed once, pauses and resumptions alternate in it.
    state = "idle"
    follows = {
        Began: ({"idle"}, "open"),
        Paused: ({"open"}, "paused"),
        Resumed: ({"paused"}, "open"),
        Ended: ({"open", "paused"}, "idle"),
    }
    for step in steps:
        before, after = follows[type(step)]
        assert state in before
        state = after
    assert state == "idle"
    began = [s for s in steps if isinstance(s, Began)]
    ended = [s for s in steps if isinstance(s, Ended)]
    for opening, closing in zip(began, ended, strict=True):
        span = closing.span
        assert opening.sample == span.speech_start
        assert 0 <= span.start <= span.speech_start < span.speech_end <= span.end <= len(frames) * FRAME
        assert span.end - span.start <= settings.max_utterance_s * 16000
    for one, two in itertools.pairwise(ended):
        assert two.span.start >= one.span.speech_end
        assert two.span.speech_start >= one.span.end or one.reason == "length"
        if one.reason == "length" and one.span.speech_end == one.span.end == two.span.speech_start:
            assert two.span.start == one.span.end  # cut in mid-speech: no sound is in both
    # Speech that was long enough for an onset is in one of the utterances, whole.
    enough = -(-settings.onset_ms * MS // FRAME)
    for value, group in itertools.groupby(enumerate(frames), key=lambda item: item[1] >= 0.5):
        numbers = [number for number, _ in group]
        if value and len(numbers) >= enough:
            for number in numbers:
                inside = [
                    e for e in ended if e.span.start <= number * FRAME and (number + 1) * FRAME <= e.span.end
                ]
                assert inside, number


def decided(frames: Iterable[float], *waits: tuple[int, int, int]) -> list[Step]:
    """The steps where somebody else decides: after which frame, the end of speech meant, the quiet (ms)."""
    endpointer = Endpointer(AudioSettings(), longest_quiet_ms=2000)
    steps: list[Step] = []
    for number, probability in enumerate(frames):
        steps += endpointer.feed((number + 1) * FRAME, probability, 0.0)
        for frame, speech_end, quiet in waits:
            if frame == number:
                endpointer.end_after(speech_end * MS, quiet * MS)
    return steps


def ends(steps: list[Step]) -> list[int]:
    return [step.span.end // MS for step in steps if isinstance(step, Ended)]


def test_whoever_decides_ends_the_utterance_sooner_or_later() -> None:
    spoken = ms((1, 400), (0, 3000))
    assert ends(decided(spoken)) == [400 + 2000]
    assert ends(decided(spoken, (26, 400, 200))) == [600]
    assert ends(decided(spoken, (26, 400, 1500))) == [1900]
    assert ends(decided(spoken, (26, 400, 200), (27, 400, 900))) == [1300], "the last decision counts"
    assert ends(decided(spoken, (40, 400, 200))) == [840], "one that comes late counts at once"


def test_a_decision_about_less_than_was_said_counts_for_nothing() -> None:
    spoken = ms((1, 400), (0, 300), (1, 400), (0, 3000))
    assert ends(decided(spoken, (26, 400, 900))) == [1100 + 2000], "speech went on"
    assert ends(decided(spoken, (60, 400, 200))) == [1100 + 2000], "it was about the first half"
    assert ends(decided(spoken, (60, 1100, 200))) == [1300]
