"""An enrolled voice: its file of weights, what it is learned from, and whom it lets through."""

from __future__ import annotations

import io
import pickle
import stat
import struct
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mybro.audio import own_voice, voice_model
from mybro.audio.own_voice import OwnVoice, enrol, speech_of
from mybro.audio.voice_model import VoiceModel, read_weights
from mybro.cli.voice import command
from mybro.config import AudioSettings
from mybro.errors import AudioError, ModelError
from mybro.events import SAMPLE_RATE, AudioBlock, Transcribed
from mybro.pipeline.own_voice import OwnerOnly, owner_only
from tests.audio_tools import AUDIO
from tests.fakes.pipeline import FakeTranscription

pytestmark = pytest.mark.unit


def weights(wide: int = 256) -> dict[str, Any]:
    """A network of random numbers: sounds that differ have rows that differ."""
    rng = np.random.default_rng(3)
    made: dict[str, Any] = {
        "linear.weight": rng.normal(size=(wide, wide)), "linear.bias": np.zeros(wide)
    }  # fmt: skip
    for layer, given in enumerate((40, wide, wide)):
        made[f"lstm.weight_ih_l{layer}"] = rng.normal(size=(4 * wide, given)) / given**0.5
        made[f"lstm.weight_hh_l{layer}"] = rng.normal(size=(4 * wide, wide)) / wide
        made[f"lstm.bias_ih_l{layer}"] = made[f"lstm.bias_hh_l{layer}"] = rng.normal(size=4 * wide) / 4
    return {name: np.asarray(tensor, np.float32) for name, tensor in made.items()}


@pytest.fixture
def model() -> VoiceModel:
    return VoiceModel(weights(wide=32))


def tone(hertz: float, seconds: float = 2.0) -> bytes:
    at = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    sound = sum(np.sin(2 * np.pi * hertz * order * at) / order for order in range(1, 8))
    return np.asarray(6000 * sound, "<i2").tobytes()


# ------------------------------------------------------------------ the file of weights


def written(tensors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A file as torch wrote it before version 1.6."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_: Any) -> None: ...

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = (
        "torch._utils", "_rebuild_tensor_v2", "_rebuild_tensor_v2",
    )  # fmt: skip
    utils._rebuild_tensor_v2 = rebuild  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Storage:
        def __init__(self, key: str) -> None:
            self.key = key

    class Tensor:
        def __init__(self, key: str, shape: tuple[int, ...]) -> None:
            self.key, self.shape = key, shape

        def __reduce__(self) -> Any:
            strides = tuple(int(np.prod(self.shape[at + 1 :])) for at in range(len(self.shape)))
            return rebuild, (Storage(self.key), 0, self.shape, strides)

    class Writer(pickle.Pickler):
        def persistent_id(self, thing: Any) -> Any:
            return (
                ("storage", "FloatStorage", thing.key, "cpu", 0, None) if isinstance(thing, Storage) else None
            )

    out = io.BytesIO()
    for value in (1, 1001, {"little_endian": True}):
        pickle.dump(value, out, 2)
    Writer(out, 2).dump({"model_state": {name: Tensor(name, each.shape) for name, each in tensors.items()}})
    pickle.dump(list(tensors), out, 2)
    for each in tensors.values():
        out.write(struct.pack("<q", each.size) + each.tobytes())
    return out.getvalue()


def test_torchs_file_is_read_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = weights(wide=8)
    found = read_weights(io.BytesIO(written(tensors, monkeypatch)))
    assert {name: each.tolist() for name, each in found.items()} == {
        name: each.tolist() for name, each in tensors.items()
    }


@pytest.mark.parametrize(
    "values", [[print], [1, 1001, {}, {"model_state": print}], [1, 2, {}, {"model_state": {}}, print]]
)
def test_a_file_that_would_run_something_is_refused(values: list[object]) -> None:
    file = io.BytesIO(b"".join(pickle.dumps(value, 2) for value in values))
    with pytest.raises(ModelError, match=r"not a file of weights: .*print is not expected"):
        read_weights(file)


def test_other_weights_than_those_measured_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pretrained.pt").write_bytes(b"something else")
    with pytest.raises(ModelError, match="damaged"):
        VoiceModel.load(tmp_path / "pretrained.pt")


def test_without_the_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, voice_model.PACKAGE, None)
    with pytest.raises(ModelError) as raised:
        VoiceModel.load()
    assert "--no-deps" in (raised.value.problem.hint or "")


# ------------------------------------------------------------------ a voice


def test_a_voice_is_256_numbers_of_length_one() -> None:
    row = VoiceModel(weights()).embed(speech_of(tone(150, 0.5)))
    assert row.shape == (256,) and abs(float(np.linalg.norm(row)) - 1) < 1e-4


def test_silence_is_no_speech() -> None:
    quiet = bytes(SAMPLE_RATE)
    assert abs(len(speech_of(quiet + tone(150, 1.0) + quiet)) - SAMPLE_RATE) < SAMPLE_RATE // 5
    assert len(speech_of(b"")) == 0


def test_what_is_short_is_nobody_elses(model: VoiceModel) -> None:
    voice = OwnVoice(-np.ones((1, 32), np.float32))
    assert voice.likeness(model, tone(150, 0.3)) is None
    assert not voice.is_other(model, tone(150, 0.3))
    assert voice.is_other(model, tone(150, 2.0))


def test_too_little_speech_is_not_learned_from(model: VoiceModel) -> None:
    with pytest.raises(AudioError, match="less than"):
        enrol(model, [tone(150, 1.0)])


def test_an_enrolled_voice_is_known_again_clean_and_in_noise(model: VoiceModel) -> None:
    voice = enrol(model, [tone(150), tone(150), tone(150)])
    assert not voice.is_other(model, tone(150, 3.0))
    rng = np.random.default_rng(1)
    noisy = np.frombuffer(tone(150), "<i2") + rng.normal(size=2 * SAMPLE_RATE) * 1500
    assert not voice.is_other(model, np.asarray(np.clip(noisy, -32768, 32767), "<i2").tobytes())


def test_it_is_kept_for_its_owner_alone_and_forgotten(
    model: VoiceModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    assert own_voice.kept() is None
    voice = enrol(model, [tone(150), tone(150), tone(150)])
    own_voice.keep(voice)
    again = own_voice.kept()
    assert again is not None and np.array_equal(again.rows, voice.rows)
    assert stat.S_IMODE(own_voice.file().stat().st_mode) == 0o600
    own_voice.file().write_bytes(b"damaged")
    assert own_voice.kept() is None
    assert own_voice.forget() and not own_voice.forget()


# ------------------------------------------------------------------ in a session


class Judge(OwnVoice):
    """Knows by the first sample."""

    def is_other(self, model: VoiceModel, pcm: bytes) -> bool:
        return pcm[:1] == b"x"


@pytest.mark.parametrize(
    ("pcm", "said", "heard"),
    [(b"mm", "run the tests", "run the tests"), (b"xx", "run the tests", ""), (b"xx", "stop", "stop")],
)
async def test_what_another_says_is_heard_as_nothing_but_a_stop(
    model: VoiceModel, pcm: bytes, said: str, heard: str
) -> None:
    recogniser = OwnerOnly(FakeTranscription(said), Judge(np.zeros((1, 32), np.float32)), model)
    found = await recogniser.transcribe(1, 1, AudioBlock(0, pcm))
    assert isinstance(found, Transcribed) and found.text == heard
    recogniser.drop(1)
    await recogniser.aclose()


def test_only_where_it_is_wanted() -> None:
    recogniser = FakeTranscription()
    assert owner_only(AudioSettings(), recogniser) is recogniser
    assert owner_only(AudioSettings(own_voice_only=True), None) is None


def test_without_an_enrolled_voice_a_session_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    with pytest.raises(AudioError, match="no voice"):
        owner_only(AudioSettings(own_voice_only=True), FakeTranscription())


def test_the_command_enrols_from_recordings(
    model: VoiceModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(VoiceModel, "load", classmethod(lambda cls: model))
    files = [str(AUDIO / "dev" / f"{at:02}_piper_joe.flac") for at in (0, 1, 2)]
    desk = CliRunner()
    assert "Enrolled" in desk.invoke(command, ["enrol", *files]).output
    assert "A voice is enrolled" in desk.invoke(command, []).output
    assert desk.invoke(command, ["forget"]).output == "forgotten\n"
