"""Windows of long sound, and what is done about a recogniser's answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro.transcribe.listener import BEAMS, RETRY_TEMPERATURE, SEARCH_S, Listener, join, windows
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition
from tests.fakes.transcribe import Told
from tests.transcribe_scene import clip, sound

pytestmark = pytest.mark.unit

WORDS = Recognition("Run the tests.", average_logprob=-0.2, tokens=5, timings_ms={"decode": 2.0})
LOOP = Recognition("and the file " * 20, average_logprob=-0.1, tokens=60)
SOMETHING = Recognition(
    "You can never be sure what the next morning will bring.", average_logprob=-0.5, tokens=12
)
SPEECH = sound(clip("01_piper_joe"))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 90 * SAMPLE_RATE), st.integers(0, 2**32 - 1))
def test_windows_put_together_are_the_sound_and_none_is_too_long(length: int, seed: int) -> None:
    whole = np.random.default_rng(seed).uniform(-1, 1, length).astype(np.float32)
    parts = list(windows(whole, 30.0))
    assert np.array_equal(np.concatenate(parts), whole)
    limit = 30 * SAMPLE_RATE
    assert all(limit - SEARCH_S * SAMPLE_RATE <= len(part) <= limit for part in parts[:-1])
    assert len(parts[-1]) <= limit


def test_a_window_ends_in_the_quietest_moment_near_its_end() -> None:
    whole = np.random.default_rng(1).uniform(-1, 1, 40 * SAMPLE_RATE).astype(np.float32)
    whole[28 * SAMPLE_RATE : 28 * SAMPLE_RATE + SAMPLE_RATE // 5] = 0
    first, _ = windows(whole, 30.0)
    assert 28.0 <= len(first) / SAMPLE_RATE <= 28.2


def test_long_sound_is_heard_window_by_window_and_joined() -> None:
    recogniser = Told(WORDS, window_s=30.0)
    heard = Listener(recogniser).transcribe(np.tile(SPEECH, 40), Hints("prompt"))
    windows_heard = len(recogniser.asked)
    assert windows_heard > 1
    assert heard.text == " ".join(["Run the tests."] * windows_heard)
    assert heard.tokens == 5 * windows_heard and heard.average_logprob == pytest.approx(-0.2)
    assert heard.timings_ms["decode"] == 2.0 * windows_heard and heard.timings_ms["total"] > 0


def test_silence_is_not_even_asked_about() -> None:
    recogniser = Told(WORDS)
    heard = Listener(recogniser).transcribe(np.zeros(SAMPLE_RATE, np.float32), Hints(language=None))
    assert (heard.text, heard.no_speech_probability, recogniser.asked) == ("", 1.0, [])
    assert Listener(recogniser).transcribe(np.zeros(0, np.float32), Hints()).text == ""


def test_a_loop_is_tried_again_with_the_whole_window_without_the_prompt_and_then_with_some_chance() -> None:
    recogniser = Told(LOOP, LOOP, LOOP, WORDS)
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == "Run the tests."
    assert [hints for _, hints in recogniser.asked] == [
        Hints("prompt"),
        Hints("prompt", whole=True),
        Hints(whole=True),
        Hints(whole=True, temperature=RETRY_TEMPERATURE),
    ]


def test_a_loop_that_stays_is_told_once() -> None:
    recogniser = Told(LOOP)
    assert Listener(recogniser).transcribe(SPEECH, Hints()).text == "and the file"
    assert len(recogniser.asked) == 4


def test_a_sure_answer_stands_and_a_usual_command_needs_less_to_be_sure() -> None:
    for heard in (replace(WORDS, average_logprob=-0.1), WORDS, replace(WORDS, average_logprob=-0.4)):
        recogniser = Told(replace(heard, tokens=5))
        assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == heard.text
        assert len(recogniser.asked) == 1


def test_clear_words_that_are_no_command_are_heard_once_more_without_the_prompt() -> None:
    bent = Recognition("Addy married a more amiable woman.", average_logprob=-0.1, tokens=8)
    plain = replace(bent, text="Had he married a more amiable woman.")
    recogniser = Told(bent, plain)
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == plain.text
    assert [hints for _, hints in recogniser.asked] == [Hints("prompt"), Hints()]
    # What no prompt led to is as good as it gets.
    recogniser = Told(bent)
    assert Listener(recogniser).transcribe(SPEECH, Hints()).text == bent.text
    assert len(recogniser.asked) == 1


def test_silence_after_the_words_is_not_paid_for() -> None:
    recogniser = Told(WORDS)
    long = np.concatenate([SPEECH, np.zeros(5 * SAMPLE_RATE, np.float32)])
    Listener(recogniser).transcribe(long, Hints("prompt"))
    assert recogniser.asked[0][0] <= len(SPEECH) + SAMPLE_RATE // 2


def test_in_doubt_the_reading_that_fits_best_is_taken() -> None:
    said = Recognition("Fix the failing test in the parser.", average_logprob=-0.62, tokens=9)
    heard = Recognition("Fix the fading test in deep arson.", average_logprob=-0.57, tokens=9)
    recogniser = Told(heard, replace(heard, others=(said, replace(LOOP, average_logprob=0.0))))
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == said.text
    assert [hints for _, hints in recogniser.asked] == [Hints("prompt"), Hints("prompt", beams=BEAMS)]


def test_in_doubt_what_people_often_say_is_weighed_by_its_own_sound() -> None:
    heard = Recognition("Push towards in main.", average_logprob=-0.7, tokens=5)
    told = Recognition("Push to origin main.", average_logprob=-0.1, start_logprob=-3.6, tokens=5)
    for start_logprob, text in ((-3.6, told.text), (-9.0, heard.text)):
        recogniser = Told(heard, heard, replace(told, start_logprob=start_logprob))
        assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == text
        assert recogniser.asked[-1][1] == Hints("prompt", starts=(" Push to origin main",))


@pytest.mark.parametrize(
    "text",
    [
        "Undo the last edit.",  # a command as it is
        "Don't push towards in main.",
        "No, push towards in main.",
        "Don't undo the last edict.",
        "You can never be sure what the next morning will bring.",
    ],
)
def test_nothing_is_suggested_instead_of_a_command_a_refusal_or_prose(text: str) -> None:
    recogniser = Told(Recognition(text, average_logprob=-0.7, tokens=8))
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == text
    assert not any(hints.starts for _, hints in recogniser.asked)


def test_what_is_like_no_command_is_also_heard_without_the_prompt() -> None:
    bent = replace(SOMETHING, text="You can never be sure left the next morning real brain.")
    recogniser = Told(bent, bent, replace(SOMETHING, average_logprob=-0.3))
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == SOMETHING.text
    assert [(hints.prompt, hints.beams) for _, hints in recogniser.asked] == [
        ("prompt", 1), ("prompt", BEAMS), ("", BEAMS)
    ]  # fmt: skip


def test_a_recogniser_that_follows_one_reading_only_is_asked_once() -> None:
    recogniser = Told(SOMETHING, searches=False)
    assert Listener(recogniser).transcribe(SPEECH, Hints("prompt")).text == SOMETHING.text
    assert len(recogniser.asked) == 1


def test_a_loop_that_turns_into_what_nobody_said_is_no_text() -> None:
    phantom = Recognition("Thanks for watching!", average_logprob=-1.2, no_speech_probability=0.61, tokens=6)
    recogniser = Told(LOOP, phantom)
    assert Listener(recogniser).transcribe(SPEECH, Hints()).text == ""
    assert len(recogniser.asked) == 2


def test_the_quiet_windows_of_a_sound_say_nothing_about_its_words() -> None:
    quiet = Recognition("", "", no_speech_probability=0.9)
    joined = join([quiet, WORDS, quiet], Hints(language=None))
    assert (joined.text, joined.language, joined.no_speech_probability) == ("Run the tests.", "en", 0.0)
    assert join([quiet, quiet], Hints(language="de")).language == "de"
    assert join([quiet], Hints(language=None)).average_logprob == 0.0


def test_a_quick_answer_is_the_first_one_or_none() -> None:
    for heard, text in ((SOMETHING, SOMETHING.text), (LOOP, ""), (replace(SOMETHING, text=""), "")):
        recogniser = Told(heard)
        assert Listener(recogniser).transcribe(SPEECH, Hints("prompt"), quick=True).text == text
        assert len(recogniser.asked) == 1
    silence = Listener(Told(SOMETHING)).transcribe(np.zeros(SAMPLE_RATE, np.float32), Hints(), quick=True)
    assert silence.text == ""


def test_that_somebody_spoke_is_proved_by_any_reading_and_the_words_are_the_likeliest() -> None:
    doubtful = Recognition("Big wire.", average_logprob=-1.1, no_speech_probability=0.35, tokens=3)
    likelier = replace(doubtful, text="Be quiet.", average_logprob=-1.3)
    proof = replace(doubtful, text="Big liar.", average_logprob=-0.99)
    wide = replace(doubtful, others=(likelier, proof))
    assert Listener(Told(doubtful, wide)).transcribe(SPEECH, Hints()).text == "Be quiet."
    assert Listener(Told(doubtful, replace(wide, others=(likelier,)))).transcribe(SPEECH, Hints()).text == ""
    invented = replace(proof, text="Thank you.", average_logprob=-0.3)
    assert (
        Listener(Told(doubtful, replace(wide, others=(invented, proof)))).transcribe(SPEECH, Hints()).text
        == ""
    )


def test_what_people_say_here_needs_less_proof_but_a_yes_does_not() -> None:
    quiet = Recognition("Resume.", average_logprob=-1.1, no_speech_probability=0.45, tokens=2)
    for heard, text in (
        (quiet, "Resume."),
        (replace(quiet, text="Yes."), ""),
        (replace(quiet, text="The resonance."), ""),
        (replace(quiet, no_speech_probability=0.55), ""),
        (replace(quiet, language="de"), "Resume."),
    ):
        assert Listener(Told(heard)).transcribe(SPEECH, Hints()).text == text, heard
    assert Listener(Told(quiet)).transcribe(SPEECH, Hints(language="de")).text == ""


def test_what_may_be_speech_is_looked_at_again_before_it_is_given_up() -> None:
    garbled = Recognition("S0", average_logprob=-1.2, no_speech_probability=0.31, tokens=2)
    said = replace(garbled, text="Ask not.", average_logprob=-0.85)
    recogniser = Told(garbled, said)
    assert Listener(recogniser).transcribe(SPEECH, Hints()).text == "Ask not."
    noise = Told(replace(garbled, no_speech_probability=0.61), said)
    assert Listener(noise).transcribe(SPEECH, Hints()).text == "" and len(noise.asked) == 1


def test_a_clear_word_is_said_although_the_model_believes_that_nobody_spoke() -> None:
    clear = Recognition("Stop.", average_logprob=-0.45, no_speech_probability=0.7, tokens=2)
    for heard, text in (
        (clear, "Stop."),
        (replace(clear, average_logprob=-0.7), ""),
        (replace(clear, text="Okay."), ""),
        (replace(clear, no_speech_probability=0.9), ""),
    ):
        assert Listener(Told(heard)).transcribe(SPEECH, Hints()).text == text, heard


def test_short_words_are_heard_again_although_the_model_believes_that_nobody_spoke() -> None:
    post = Recognition("Post.", average_logprob=-0.92, no_speech_probability=0.67, tokens=2)
    pause = Recognition("Pause.", average_logprob=-0.52, no_speech_probability=0.51, tokens=2)
    assert Listener(Told(post, pause)).transcribe(SPEECH, Hints()).text == "Pause."
    noise = Told(replace(post, average_logprob=-1.2), pause)
    assert Listener(noise).transcribe(SPEECH, Hints()).text == "" and len(noise.asked) == 1
