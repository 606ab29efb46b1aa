"""Another model or another backend, while sentences wait."""

from __future__ import annotations

import asyncio
import importlib.util
import shutil
from pathlib import Path

import pytest

from mybro.errors import ModelError, TranscriptionError
from mybro.models import package, resolve
from mybro.models.files import MANIFEST, folder_of, write_manifest
from mybro.models.store import named
from mybro.transcribe.service import Transcription
from tests.requirements import need
from tests.transcribe_scene import block, is_gone, model, settings
from tests.transcribe_service_scene import COMMAND, is_command, service

__all__ = ["model"]
pytestmark = pytest.mark.integration


async def test_switching_stops_the_old_worker_and_the_new_one_answers_what_waits(model: str) -> None:
    folder = str(package.packaged_folder())
    async with service() as stt:
        former = stt.worker_pid
        waiting = asyncio.create_task(stt.transcribe(1, 1, block(COMMAND)))
        await asyncio.sleep(0)
        await stt.switch("faster-whisper", folder)
        assert former and is_gone(former) and stt.worker_pid not in (None, former)
        answer = await waiting
        assert is_command(answer)
        later = await stt.transcribe(2, 2, block(COMMAND))
        assert is_command(later) and later and later.model == f"faster-whisper/{stt.model}"


async def test_switching_to_another_backend(model: str) -> None:
    need(importlib.util.find_spec("mlx_whisper"), "mlx-whisper: mybro models setup mlx")
    async with service() as stt:
        former = stt.worker_pid
        await stt.switch("mlx-whisper", "tiny.en")
        assert stt.name == "mlx-whisper" and former and is_gone(former)
        answer = await stt.transcribe(1, 1, block(COMMAND))
        assert is_command(answer) and answer and answer.model == "mlx-whisper/tiny.en"


async def test_where_the_new_model_cannot_be_had_the_old_one_serves_on(model: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    (broken / "model.bin").write_bytes(b"nonsense")
    async with service() as stt:
        former = stt.worker_pid
        with pytest.raises(ModelError):
            await stt.switch("faster-whisper", "base.en")
        assert stt.worker_pid == former
        with pytest.raises(TranscriptionError) as unusable:
            await stt.switch("faster-whisper", str(broken))
        assert unusable.value.code == "model_not_loaded"
        answer = await stt.transcribe(1, 1, block(COMMAND))
        assert is_command(answer) and answer and answer.model == "faster-whisper/tiny.en"


async def test_a_start_that_fails_can_be_made_again(model: str) -> None:
    stt = Transcription(settings(model="base.en"))
    try:
        with pytest.raises(ModelError):
            await stt.start()
        assert not stt.ready and stt.worker_pid is None
        await stt.switch("faster-whisper", "tiny.en")
        assert is_command(await stt.transcribe(1, 1, block(COMMAND)))
    finally:
        await stt.aclose()


async def test_a_better_model_that_arrives_is_taken(model: str) -> None:
    assert not await Transcription(settings(model="auto")).upgrade()
    async with service(model="auto") as made:
        assert made.model == "tiny.en"
        assert not await made.upgrade()
        packaged, better = resolve("faster-whisper", "tiny.en").path, named("faster-whisper", "small.en")
        own = folder_of(better)
        shutil.copytree(packaged, own)
        try:
            (own / MANIFEST).unlink(missing_ok=True)
            write_manifest(own, better, {}, source="test")
            assert await made.upgrade()
            assert made.model == "small.en"
            answer = await made.transcribe(1, 1, block(COMMAND))
            assert answer is not None and answer.model.endswith("small.en")
            assert not await made.upgrade()
        finally:
            shutil.rmtree(own)


async def test_a_model_that_was_chosen_stays(model: str) -> None:
    async with service(model=model) as made:
        assert not await made.upgrade()
