"""Weights that go bad on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.errors import ModelError, ModelLoadError, TranscriptionError, TranscriptionTimeout
from mybro.models import Backend, Weights, find
from mybro.models.files import folder_of, measure, write_manifest
from mybro.models.store import named
from mybro.transcribe.choice import setup_for
from mybro.transcribe.client import failure
from mybro.transcribe.mending import mend, prepare
from mybro.transcribe.service import Transcription
from tests.transcribe_scene import block, model, settings

__all__ = ["model"]
pytestmark = pytest.mark.integration

NAME = "base.en"


class Store:
    """A model of its own in the store, and how to get it again."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.model = named("faster-whisper", NAME)
        self.folder = folder_of(self.model)
        self.fetched = 0
        self.put()

    def put(self) -> Weights:
        shutil.copytree(self.source, self.folder)
        write_manifest(self.folder, self.model, measure(self.folder), source="test")
        found = find(self.model)
        assert found
        return found

    def fetch(self, backend: Backend, name: str) -> Weights:
        assert (backend, name) == ("faster-whisper", NAME)
        self.fetched += 1
        return self.put()

    def spoil(self, *, shorter: bool) -> None:
        """Cut the weights off, or overwrite their beginning."""
        weights = self.folder / "model.bin"
        size = weights.stat().st_size
        weights.chmod(0o644)
        with weights.open("r+b") as file:
            file.write(b"\xff" * 4096)
            file.truncate(size - 1 if shorter else size)


@pytest.fixture
def store(model: str) -> Iterator[Store]:
    made = Store(Path(setup_for(settings()).path))
    yield made
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.mark.parametrize("shorter", [True, False])
async def test_damaged_weights_are_had_anew(store: Store, shorter: bool) -> None:
    store.spoil(shorter=shorter)
    stt = Transcription(settings(model=NAME))
    try:
        await stt.start(store.fetch)
        assert (stt.model, store.fetched) == (NAME, 1)
        heard = await stt.transcribe(1, 1, block("01_piper_joe"))
        assert heard
        assert heard.text
    finally:
        await stt.aclose()


def test_without_a_way_to_get_them_it_is_said_how(store: Store) -> None:
    store.spoil(shorter=True)
    with pytest.raises(ModelError) as missing:
        prepare(settings(model=NAME))
    assert (missing.value.code, "mybro models fetch" in missing.value.hint) == ("model_missing", True)
    assert not store.folder.exists()


def test_what_is_whole_or_not_ours_is_left_alone(store: Store, tmp_path: Path) -> None:
    assert mend(setup_for(settings(model=NAME))) is False
    assert store.folder.exists()
    assert mend(setup_for(settings())) is False
    own = tmp_path / "mine"
    shutil.copytree(store.source, own)
    assert mend(setup_for(settings(model=str(own)))) is False
    assert (own / "model.bin").exists()
    assert mend(setup_for(settings(backend="openai", openai_base_url="http://127.0.0.1:1"))) is False


def test_a_workers_errors_keep_their_kind() -> None:
    fields = {"message": "m", "hint": "h", "retryable": False}
    assert type(failure({"code": "model_not_loaded", **fields})) is ModelLoadError
    assert type(failure({"code": "other", **fields})) is TranscriptionError
    assert issubclass(TranscriptionTimeout, TranscriptionError)
