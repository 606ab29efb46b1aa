"""Both local backends on the same weights: the same text to the word, also beside faster-whisper itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks.wer import score
from mybro.errors import TranscriptionError
from mybro.models import resolve
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import Hints, Recogniser, Setup, build
from tests.audio_tools import Clip, dev_clips, read_pcm
from tests.transcribe_scene import clip, loaded, model, sound
from tests.trials import share

__all__ = ["model"]
pytestmark = pytest.mark.integration

PROMPT = prompt_for("en")


def texts(recogniser: Recogniser, clips: Sequence[Clip], prompt: str = "") -> dict[str, str]:
    return {
        each.path.name: recogniser.recognise(sound(read_pcm(each.path)), Hints(prompt)).text for each in clips
    }


def assert_same(clips: Sequence[Clip], prompt: str) -> None:
    ours = loaded("faster-whisper", "float32")
    theirs = loaded("mlx-whisper", "float32")
    one, other = texts(ours, clips, prompt), texts(theirs, clips, prompt)
    assert all(one.values())
    assert {
        name: (text, other[name]) for name, text in one.items() if text.split() != other[name].split()
    } == {}


@pytest.mark.trial
@pytest.mark.parametrize("prompt", ["", PROMPT], ids=["plain", "prompted"])
def test_mlx_and_faster_whisper_give_the_same_words(model: str, prompt: str) -> None:
    # The prompt makes each twice as slow: of half of the recordings it is proof enough.
    assert_same(share(dev_clips()[:: 2 if prompt else 1], 7), prompt)


def test_a_beginning_that_is_given_stands_in_the_text_and_is_as_likely_in_both(model: str) -> None:
    hints = Hints(PROMPT, starts=(" Run the tests", " Run the text"))
    said = sound(clip("01_piper_joe"))
    one, other = (
        loaded(name, "float32").recognise(said, hints) for name in ("faster-whisper", "mlx-whisper")
    )
    assert one.text == other.text == "Run the tests." and one.start == other.start == " Run the tests"
    assert one.tokens == other.tokens
    assert one.average_logprob == pytest.approx(other.average_logprob, abs=0.05)
    assert one.start_logprob == pytest.approx(other.start_logprob, abs=0.05)


def test_ours_is_what_faster_whisper_itself_decodes(model: str) -> None:
    from faster_whisper import WhisperModel

    library = WhisperModel(
        str(resolve("faster-whisper", "tiny.en").path), device="cpu", compute_type="float32"
    )
    ours = loaded("faster-whisper", "float32")
    for each in share(dev_clips(), 2):
        segments, _ = library.transcribe(
            str(each.path), beam_size=1, temperature=0.0, without_timestamps=True,
            condition_on_previous_text=False, no_speech_threshold=None,
        )  # fmt: skip
        wanted = " ".join(segment.text.strip() for segment in segments)
        heard = ours.recognise(sound(read_pcm(each.path)), Hints(whole=True))
        assert heard.text.split() == wanted.split(), each.path.name


@pytest.mark.trial
def test_int8_is_within_a_point_of_float32(model: str) -> None:
    clips = share(dev_clips(), 5)
    int8, exact = (
        score((each.text, heard[each.path.name]) for each in clips)
        for heard in (texts(loaded("faster-whisper", kind), clips, PROMPT) for kind in ("int8", "float32"))
    )
    # In a small sample a single word is more than a point.
    assert int8.errors - exact.errors <= max(2, int8.words / 100), (int8, exact)


def test_a_server_or_a_folder_of_nonsense_is_no_model(model: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "weights.safetensors").write_bytes(b"nonsense")
    for backend in ("mlx-whisper", "faster-whisper"):
        with pytest.raises(TranscriptionError) as unusable:
            build(Setup(backend, "mine", path=str(tmp_path))).load()
        assert unusable.value.code == "model_not_loaded"


def test_mlx_refuses_int8_which_it_does_not_compute_in(model: str) -> None:
    with pytest.raises(TranscriptionError) as refused:
        loaded("mlx-whisper", "int8")
    assert refused.value.code == "compute_type_unknown" and "q4" in refused.value.hint


@pytest.mark.parametrize("backend", ["mlx-whisper", "faster-whisper"])
def test_language_prompt_temperature_and_limits_mean_the_same_in_both(model: str, backend: str) -> None:
    recogniser = loaded(backend)
    assert recogniser.languages() == ["en"] and recogniser.window_s == 30.0
    wave = sound(clip("03_piper_joe"))
    plain, heard = (recogniser.recognise(wave, Hints(prompt, language=None)) for prompt in ("", PROMPT))
    # The prompt is what tells the command from its sound.
    assert (plain.text.lower(), heard.text, heard.language) == ("and do that.", "Undo that.", "en")
    assert heard.no_speech_probability < 0.3 and -1 < heard.average_logprob < 0 and 0 < heard.tokens < 10
    assert set(heard.timings_ms) == {"encode", "decode"}
    sampled = recogniser.recognise(wave, Hints(temperature=0.4))
    assert "that" in sampled.text
    noise = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) * np.float32(0.05)
    assert recogniser.recognise(noise, Hints()).no_speech_probability > 0.3
