"""Which backend and model the settings mean."""

from __future__ import annotations

import importlib.util
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.errors import ModelError, TranscriptionError
from mybro.models import Backend, Weights, package, resolve
from mybro.transcribe.choice import backend_for, check_language, recommended, setup_for
from mybro.transcribe.recogniser import BACKENDS, Setup, build
from tests.transcribe_scene import model, settings

__all__ = ["model"]
pytestmark = pytest.mark.unit


def test_auto_is_mlx_on_apple_silicon_if_it_is_there_and_else_faster_whisper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = importlib.util.find_spec("mlx_whisper") is not None
    for system, machine, backend in (
        ("darwin", "arm64", "mlx-whisper" if there else "faster-whisper"),
        ("darwin", "x86_64", "faster-whisper"),
        ("linux", "aarch64", "faster-whisper"),
    ):
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        assert backend_for("auto") == backend
        assert backend_for("openai") == "openai"


def test_what_is_recommended_suits_backend_and_language() -> None:
    assert recommended("mlx-whisper", "en") == "large-v3-turbo"
    assert recommended("faster-whisper", "en") == "small.en"
    assert recommended("faster-whisper", "auto") == "small"


def test_auto_takes_the_packaged_model_where_the_recommended_one_is_missing(model: str) -> None:
    for language in ("en", "auto"):
        assert setup_for(settings(model="auto", language=language)).name == "faster-whisper/tiny.en"
    with pytest.raises(ModelError) as missing:
        setup_for(settings(model="auto", language="de"))
    assert missing.value.code == "model_missing"


def test_missing_weights_are_fetched_where_that_is_allowed(model: str) -> None:
    asked: list[tuple[Backend, str]] = []

    def fetch(backend: Backend, name: str) -> Weights:
        asked.append((backend, name))
        return resolve("faster-whisper", "tiny.en")

    assert setup_for(settings(model="base.en"), fetch).model == "tiny.en"
    assert asked == [("faster-whisper", "base.en")]
    with pytest.raises(ModelError):
        setup_for(settings(model="base.en"))
    with pytest.raises(ModelError) as unknown:
        setup_for(settings(model="bse.en"), fetch)
    assert unknown.value.code == "unknown_model" and len(asked) == 1


def test_a_folder_is_a_model(model: str) -> None:
    folder = package.packaged_folder()
    assert setup_for(settings(model=str(folder), compute_type="float32", timeout_s=7)).path == str(folder)


def test_english_models_refuse_other_languages(model: str) -> None:
    with pytest.raises(TranscriptionError, match="knows English only") as refused:
        setup_for(settings(language="de"))
    assert refused.value.code == "language_unknown" and "small" in refused.value.hint


def test_a_server_needs_an_address_and_its_key_shows_nowhere() -> None:
    with pytest.raises(TranscriptionError) as missing:
        setup_for(settings(backend="openai"))
    assert missing.value.code == "no_address" and "transcribe.openai_base_url" in missing.value.hint
    setup = setup_for(
        settings(
            backend="openai", model="auto", openai_base_url="http://127.0.0.1:9/v1", openai_api_key="k3y"
        )
    )
    assert (setup.name, setup.api_key, setup.path) == ("openai/whisper-1", "k3y", "")
    assert "k3y" not in repr(setup)


def test_a_loaded_model_says_which_languages_it_knows() -> None:
    for wanted, known in (("de", ["en", "de"]), ("auto", ["en"]), ("xx", [])):
        check_language(wanted, known, "m")
    with pytest.raises(TranscriptionError, match="'xx'") as unknown:
        check_language("xx", ["fr", "en"], "m")
    assert unknown.value.hint == "It knows: en, fr"


def test_every_backend_can_be_built_and_a_missing_one_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in BACKENDS:
        assert build(Setup(name, "m")).window_s >= 30
    monkeypatch.setitem(BACKENDS, "mlx-whisper", "mybro.transcribe.not_there:Backend")
    with pytest.raises(TranscriptionError) as missing:
        build(Setup("mlx-whisper", "m"))
    assert missing.value.code == "backend_missing" and "mybro models setup mlx" in missing.value.hint


def test_backends_import_nothing_heavy_before_they_load() -> None:
    script = (
        "import sys; from mybro.transcribe.recogniser import *; [build(Setup(n, 'm')) for n in BACKENDS]; "
    )
    script += "print([m for m in ('numpy', 'faster_whisper', 'mlx', 'httpx') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]", done.stderr
