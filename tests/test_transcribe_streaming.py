"""The streaming backends on the real libraries with tiny models made here: growing words, a final, boosts."""

from __future__ import annotations

import functools
import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from mybro.config import TranscribeSettings
from mybro.errors import ModelError, ModelLoadError, TranscriptionError
from mybro.models import lookup, models, named, resolve
from mybro.transcribe.choice import recommended, setup_for
from mybro.transcribe.growing import Growing, cased, names_in
from mybro.transcribe.listener import Listener
from mybro.transcribe.partials import Agreement
from mybro.transcribe.prompt import prompt_for
from mybro.transcribe.recogniser import SAMPLE_RATE, Hints, Recogniser, Setup, build
from mybro.transcribe.service import Transcription
from mybro.transcribe.zipformer import read_tokens, weights
from tests.requirements import need
from tests.transcribe_scene import block, clip, model, sound

__all__ = ["model"]
pytestmark = pytest.mark.integration

BACKENDS = ("sherpa-onnx", "parakeet-mlx")
SPOKEN = "00_piper_joe"
STEP = SAMPLE_RATE // 2


def made(backend: str, folder: Path) -> Path:
    """The weights of a tiny model."""
    if backend == "sherpa-onnx":
        need(importlib.util.find_spec("sherpa_onnx"), "sherpa-onnx: mybro models setup sherpa")
        need(importlib.util.find_spec("onnx"), "onnx, which is in the development requirements")
        from tests.fakes import transducer

        return transducer.write(folder)
    need(importlib.util.find_spec("parakeet_mlx"), "parakeet-mlx: mybro models setup parakeet")
    from mybro.transcribe.parakeet import prepare_import
    from tests.fakes import parakeet

    prepare_import()
    return parakeet.write(folder)


@functools.cache
def ready(backend: str, folder: Path) -> Recogniser:
    recogniser = build(Setup(backend, "tiny", path=str(made(backend, folder))))
    recogniser.load()
    return recogniser


@pytest.fixture(params=BACKENDS)
def recogniser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recogniser:
    return ready(request.param, tmp_path_factory.getbasetemp() / "streaming" / request.param)


def heard(recogniser: Recogniser, name: str = SPOKEN, **hints: object) -> str:
    return recogniser.recognise(sound(clip(name)), Hints(**hints)).text  # type: ignore[arg-type]


def test_words_come_while_the_sound_grows_and_all_of_them_at_its_end(recogniser: Recogniser) -> None:
    spoken = sound(clip(SPOKEN))
    agreed, seen = Agreement(), []
    for end in range(STEP, len(spoken), STEP):
        partial = recogniser.recognise(spoken[:end], Hints(unfinished=True))
        seen.append(agreed.add(partial.text))
    lengths = [len(text.split()) for text in seen]
    assert lengths == sorted(lengths) and lengths[-1] > lengths[len(lengths) // 3] > 0
    final = recogniser.recognise(spoken, Hints())
    assert final.text.split()[: lengths[-1]] == seen[-1].split()
    assert final.tokens and final.average_logprob < 0 and final.timings_ms["decode"] > 0


def test_growing_makes_no_difference_and_nothing_is_left_of_another_sound(recogniser: Recogniser) -> None:
    spoken, other = sound(clip(SPOKEN)), sound(clip("01_piper_joe"))
    at_once = recogniser.recognise(spoken, Hints())
    for end in range(STEP, len(spoken), STEP):
        recogniser.recognise(spoken[:end], Hints(unfinished=True))
    assert recogniser.recognise(spoken, Hints()).text == at_once.text
    before = recogniser.recognise(other, Hints()).text
    recogniser.recognise(spoken[: 2 * STEP], Hints(unfinished=True))
    assert recogniser.recognise(other, Hints()).text == before


def test_nothing_is_read_beyond_the_end_of_a_sound(tmp_path_factory: pytest.TempPathFactory) -> None:
    whole = ready("parakeet-mlx", tmp_path_factory.getbasetemp() / "streaming" / "parakeet-mlx")
    import mlx.core as mx

    spoken = sound(clip(SPOKEN))
    for end in range(2 * SAMPLE_RATE, 2 * SAMPLE_RATE + 160, 40):
        # Freed memory is given out again as it was left.
        left = [mx.full((2**power,), float("nan")) for power in range(4, 20) for _ in range(4)]
        mx.eval(left)
        del left
        assert whole.recognise(spoken[:end], Hints()).average_logprob < 0


def test_the_names_of_the_prompt_are_preferred(recogniser: Recogniser) -> None:
    assert "jump" in heard(recogniser) and "bold" not in heard(recogniser, prompt=prompt_for("en"))
    boosted = heard(recogniser, prompt=prompt_for("en", "bold, user_id."))
    assert "bold" in boosted and "jump" not in boosted and boosted == boosted.lower()
    assert "bold" not in heard(recogniser)


def test_a_listener_guards_it_like_every_other(recogniser: Recogniser) -> None:
    listener = Listener(recogniser)
    silence = np.zeros(SAMPLE_RATE, np.float32)
    assert listener.transcribe(silence, Hints()).text == ""
    # It says one word over and over, which is what a loop is.
    assert listener.transcribe(sound(clip(SPOKEN)), Hints()).text.startswith("jump")
    assert listener.transcribe(sound(clip("01_piper_joe"))[:100], Hints(), quick=True).text in ("", "jump")


def test_memory_does_not_grow_with_what_was_heard(recogniser: Recogniser) -> None:
    spoken = sound(clip(SPOKEN))
    process = psutil.Process()

    def hear(times: int) -> int:
        for _ in range(times):
            for end in range(STEP, len(spoken), STEP):
                recogniser.recognise(spoken[:end], Hints(unfinished=True))
            recogniser.recognise(spoken, Hints())
        return process.memory_info().rss

    first = hear(3)
    assert hear(10) - first < 30_000_000


def test_weights_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    for backend in BACKENDS:
        empty = build(Setup(backend, "none", path=str(tmp_path)))
        with pytest.raises(ModelLoadError):
            empty.load()
    for backend, kind in (("sherpa-onnx", "float16"), ("parakeet-mlx", "int8")):
        with pytest.raises(TranscriptionError) as odd:
            build(Setup(backend, "none", path=str(tmp_path), compute_type=kind)).load()
        assert odd.value.code == "compute_type_unknown"


async def test_a_session_switches_between_them_and_away(
    model: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.getbasetemp() / "streaming"
    folders = {backend: str(base / backend) for backend in BACKENDS if ready(backend, base / backend)}
    first, second = BACKENDS
    chosen = TranscribeSettings(backend=first, model=folders[first])
    transcription = Transcription(chosen)
    spoken = block("01_piper_joe")
    try:
        await transcription.start()
        for backend in BACKENDS:
            if backend == second:
                await transcription.switch(backend, folders[backend])
            partial = await transcription.transcribe(1, 1, spoken, speculative=True, quick=True)
            final = await transcription.transcribe(1, 2, spoken, expected="bold.")
            assert transcription.name == backend and partial and partial.text.startswith("jump")
            assert final and final.text.startswith("bold")
        await transcription.switch("faster-whisper", model)
        back = await transcription.transcribe(1, 3, spoken)
        assert back and "tests" in back.text
    finally:
        await transcription.aclose()


# ---------------------------------------------------------------------------- what is around them


def test_they_are_known_by_name_and_found_in_folders(tmp_path: Path) -> None:
    for backend in BACKENDS:
        known = models(backend)  # type: ignore[arg-type]
        assert {recommended(backend, "en"), recommended(backend, "de")} <= {model.name for model in known}  # type: ignore[arg-type]
        assert lookup(backend, known[0].repo) == known[0]  # type: ignore[arg-type]
        assert named(backend, recommended(backend, "en")).licence != "MIT"  # type: ignore[arg-type]
        with pytest.raises(ModelError) as missing:
            setup_for(TranscribeSettings(backend=backend))
        assert missing.value.code == "model_missing"
    folder = made("sherpa-onnx", tmp_path / "weights")
    assert resolve("sherpa-onnx", str(folder)).path == folder.resolve()
    with pytest.raises(ModelError):
        resolve("parakeet-mlx", str(folder))


def test_the_smaller_file_is_taken_unless_precision_is_asked_for(tmp_path: Path) -> None:
    folder = made("sherpa-onnx", tmp_path)
    shutil.copy(folder / "encoder.int8.onnx", folder / "encoder.onnx")
    shutil.copy(folder / "decoder.onnx", folder / "decoder.int8.onnx")
    assert weights(folder, "encoder", small=True).name == "encoder.int8.onnx"
    assert weights(folder, "encoder", small=False).name == "encoder.onnx"
    assert weights(folder, "decoder", small=True).name == "decoder.onnx"
    assert read_tokens(folder / "tokens.txt")[:2] == ["<blk>", "<sos/eos>"]
    (folder / "tokens.txt").write_text("a 0\nb 2\n")
    with pytest.raises(ValueError, match="number"):
        read_tokens(folder / "tokens.txt")


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Undo, git diff; it. parse_date, userId.", ["user id", "parse date", "git diff", "undo"]),
        ("A sentence of more words than any name. no", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_prompt_holds_names(prompt: str, names: list[str]) -> None:
    assert names_in(prompt) == names


def test_a_sound_goes_on_or_is_another() -> None:
    growing, ramp = Growing(), np.arange(8, dtype=np.float32)
    assert growing.rest(ramp[:3]) is None
    rest: Callable[[np.ndarray], list[float]] = lambda one: list(growing.rest(one))  # type: ignore[arg-type]  # noqa: E731
    assert rest(ramp[:5]) == [3, 4] and rest(ramp[:5]) == []
    assert growing.rest(ramp[1:]) is None and rest(ramp[1:]) == []
    assert growing.rest(ramp[1:3]) is None
    growing.forget()
    assert growing.rest(ramp[1:3]) is None
    assert (cased("RUN THE TESTS"), cased("Run it")) == ("run the tests", "Run it")
