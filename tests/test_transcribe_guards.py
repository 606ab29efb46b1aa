"""Whisper's typical failures: judged by rule, and with the real model on noise and silence."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mybro.transcribe import guards
from mybro.transcribe.listener import Listener
from mybro.transcribe.prompt import prompt_for, token_limit
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recognition
from tests.audio_tools import AUDIO, clicks, dev_clips, noise, read_pcm
from tests.transcribe_scene import clip, loaded, model, sound
from tests.trials import share

__all__ = ["model"]
pytestmark = pytest.mark.unit

Sound = npt.NDArray[np.float32]

SPEECH = sound(clip("01_piper_joe"))
HUM = np.sin(np.arange(2 * SAMPLE_RATE) * 2 * np.pi * 100 / SAMPLE_RATE).astype(np.float32) * 0.1


def heard(text: str, logprob: float = -0.2, no_speech: float = 0.01, tokens: int = 5) -> Recognition:
    return Recognition(text, no_speech_probability=no_speech, average_logprob=logprob, tokens=tokens)


def test_levels_are_those_of_full_scale() -> None:
    assert guards.levels_dbfs(np.ones(SAMPLE_RATE // 5, np.float32)) == pytest.approx([0.0, 0.0], abs=1e-6)
    assert guards.levels_dbfs(np.zeros(0, np.float32)) == pytest.approx([-120.0])
    assert guards.is_silent(sound(noise(1, np.random.default_rng(1), -70))) and not guards.is_silent(SPEECH)
    assert guards.is_flat(HUM) and not guards.is_flat(SPEECH)


@pytest.mark.parametrize(
    ("answer", "unsaid"),
    [
        (heard(""), True),
        (heard(" ... "), True),
        (heard("Run the tests."), False),
        (heard("Run the tests.", no_speech=0.7, logprob=-0.9), True),
        (heard("Run the tests.", no_speech=0.7, logprob=-0.2), False),
        (heard("Run the tests.", no_speech=0.4, logprob=-1.1), True),
        (heard("Run the tests.", no_speech=0.1, logprob=-1.1), False),
        (heard("Thank you."), False),
        (heard("Thank you.", no_speech=0.4), True),
        (heard("Thanks for watching!", logprob=-1.2), True),
        (heard("Bye-bye!", no_speech=0.4), True),
        (heard("I'll see you next time.", no_speech=0.4), True),
        (heard("Subtitles by the Amara.org community", no_speech=0.4), True),
        (heard("Undo mm, mm."), True),
        (heard("Mm-hmm."), False),
        (heard("Undo."), False),
        (heard("Undo the humming"), False),
        (heard("Stop, mm."), False),
    ],
)
def test_words_need_some_evidence_and_known_phantoms_more(answer: Recognition, unsaid: bool) -> None:
    assert guards.is_unsaid(answer, SPEECH) is unsaid


def test_a_phantom_over_a_hum_was_not_said() -> None:
    assert guards.is_unsaid(heard("Thank you."), HUM)
    assert not guards.is_unsaid(heard("Run the tests."), HUM)


def test_a_loop_shows_in_its_length_and_in_its_ratio() -> None:
    assert guards.is_looped(heard("a b c", tokens=token_limit(len(SPEECH) / SAMPLE_RATE)), SPEECH)
    assert guards.is_looped(heard("run the tests " * 20), SPEECH)
    assert not guards.is_looped(heard("Run the tests, then fix what fails."), SPEECH)
    assert guards.compression_ratio("") == 0.0


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("no, no, no", "no, no, no"),
        ("no, no, no, no, no", "no"),
        ("Run it. Run it. Run it.", "Run it."),
        ("do it do it", "do it do it"),
        ("please add a test, add a test, add a test, add a test", "please add a test"),
        ("go on go on go on and stop", "go on and stop"),
        ("  as it was ", "as it was"),
    ],
)
def test_what_is_said_over_and_over_is_kept_once(text: str, once: str) -> None:
    assert guards.collapse(text) == once


@given(st.permutations(["alpha", "beta", "gamma", "delta", "eps"]), st.integers(1, 5), st.integers(4, 9))
def test_any_phrase_that_loops_is_kept_once(words: list[str], period: int, times: int) -> None:
    phrase = " ".join(words[:period])
    assert guards.collapse(" ".join(["so", *[phrase] * times, "end"])) == f"so {phrase} end"


@given(st.lists(st.sampled_from("ab"), max_size=14))
def test_collapsing_invents_nothing_and_keeps_the_first_word(words: list[str]) -> None:
    rest = iter(words)
    kept = guards.collapse(" ".join(words)).split()
    assert all(word in rest for word in kept)
    assert kept[:1] == words[:1]


# ---------------------------------------------------------------------------- the real model


def wordless(seed: int) -> dict[str, Sound]:
    """Four seconds each of what is not speech, at several levels."""
    rng = np.random.default_rng(seed)
    seconds = 4.0
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    white = rng.standard_normal(len(time))
    brown = np.cumsum(white)
    typing = clicks(seconds, rng)
    hum = sum(np.sin(2 * np.pi * 50 * k * time + k) / k for k in range(1, 6))
    beeps = np.sin(2 * np.pi * 880 * time) * (time % 1.0 < 0.2)
    fan = np.convolve(white, np.hanning(64), "same") * (1 + 0.2 * np.sin(2 * np.pi * 3 * time))
    made = {
        "white": white,
        "brown": brown - brown.mean(),
        "typing": typing,
        "hum": hum,
        "beeps": beeps,
        "fan": fan,
    }
    found: dict[str, Sound] = {"silence": np.zeros(len(time), np.float32)}
    for (name, wave), level in itertools.product(made.items(), (-45, -25)):
        scaled = wave / np.sqrt(np.mean(wave**2)) * 10 ** (level / 20)
        found[f"{name} at {level} dBFS"] = np.clip(scaled, -1, 1).astype(np.float32)
    return found


@pytest.mark.integration
def test_noise_and_silence_give_no_text_also_without_a_prompt(model: str) -> None:
    listener = Listener(loaded("faster-whisper"))
    said = {name: listener.transcribe(wave, Hints()).text for name, wave in wordless(1).items()}
    assert {name: text for name, text in said.items() if text} == {}


@pytest.mark.trial
def test_noise_of_many_seeds_gives_no_text(model: str) -> None:
    listener = Listener(loaded("faster-whisper"))
    said = {
        (seed, name): listener.transcribe(wave, Hints(prompt_for("en"))).text
        for seed in share(range(2, 12), 1)
        for name, wave in wordless(seed).items()
    }
    assert {name: text for name, text in said.items() if text} == {}


@pytest.mark.integration
def test_the_recorded_silence_of_a_room_gives_no_text(model: str) -> None:
    room = sound(read_pcm(AUDIO / "silence.flac"))
    assert Listener(loaded("faster-whisper")).transcribe(room, Hints(prompt_for("en"))).text == ""


@pytest.mark.integration
def test_speech_is_never_taken_for_noise_nor_looped(model: str) -> None:
    listener = Listener(loaded("faster-whisper"))
    for each in share(dev_clips(), 3):
        said = listener.transcribe(sound(read_pcm(each.path)), Hints(prompt_for("en"))).text
        assert said and guards.compression_ratio(said) < guards.LOOP_RATIO
        assert len(said.split()) <= 2 * len(each.text.split()) + 2, each.path.name


@pytest.mark.integration
def test_quiet_speech_is_heard_as_well(model: str) -> None:
    listener = Listener(loaded("faster-whisper"))
    for gain_db in (0, -20, -30):
        said = listener.transcribe(SPEECH * np.float32(10 ** (gain_db / 20)), Hints(prompt_for("en")))
        assert said.text.lower().strip(".") == "run the tests", gain_db
