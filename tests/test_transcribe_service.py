"""The whole service with real workers: requests, deaths, switching, closing."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from mybro.errors import ModelError, TranscriptionError
from mybro.events import AudioBlock, Transcribed
from mybro.models import package, resolve
from mybro.models.files import MANIFEST, folder_of, write_manifest
from mybro.models.store import named
from mybro.transcribe.pending import MAX_PENDING
from mybro.transcribe.service import Transcription
from tests.fakes.transcribe import Server, transcription_server
from tests.requirements import need
from tests.transcribe_scene import PATIENCE_S, block, is_gone, model, settings, until

__all__ = ["model"]
pytestmark = pytest.mark.integration

COMMAND = "01_piper_joe"
"""Run the tests."""


@asynccontextmanager
async def service(**other: Any) -> AsyncIterator[Transcription]:
    made = Transcription(settings(**other))
    try:
        await made.start()
        yield made
    finally:
        pid = made.worker_pid
        await made.aclose()
        assert pid is None or is_gone(pid)


def killed(of: Transcription) -> int:
    """Kill the worker; returns its number."""
    pid = of.worker_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


@pytest.fixture
def server() -> Iterator[Server]:
    """What answers workers that need no weights, and so are quick to start."""
    with transcription_server() as running:
        running.says({"text": "Run the tests."})
        yield running


def remote(server: Server, **other: Any) -> AbstractAsyncContextManager[Transcription]:
    return service(backend="openai", openai_base_url=server.address, **other)


async def replaced(of: Transcription, former: int) -> None:
    await until(lambda: of.worker_pid not in (None, former))


async def asked_of(server: Server, times: int) -> None:
    await until(lambda: len(server.got) == times)


def is_command(heard: Transcribed | None) -> bool:
    return heard is not None and heard.text.lower().strip(".") == "run the tests"


async def test_two_requests_at_once_get_each_its_own_words(model: str) -> None:
    async with service() as stt:
        assert (stt.name, stt.model, stt.ready) == ("faster-whisper", "tiny.en", True)
        long, short = await asyncio.gather(
            stt.transcribe(1, 11, block("00_piper_joe")), stt.transcribe(2, 12, block(COMMAND))
        )
        assert long and long.text.startswith("Create a new file") and (long.turn, long.request) == (1, 11)
        assert is_command(short) and short and (short.turn, short.request) == (2, 12)
        assert short.model == "faster-whisper/tiny.en" and short.language == "en"
        assert short.no_speech_probability < 0.3 and -1 < short.average_logprob < 0
        assert short.processing_ms > 0
        silence = await stt.transcribe(3, 13, AudioBlock(0, bytes(32_000)))
        assert silence and silence.text == ""


async def test_before_start_and_after_close_nothing_is_transcribed(model: str) -> None:
    stt = Transcription(settings())
    assert (stt.name, stt.model, stt.ready, stt.worker_pid) == ("", "", False, None)
    for _ in range(2):
        with pytest.raises(TranscriptionError) as closed:
            await stt.transcribe(1, 1, block(COMMAND))
        assert closed.value.code == "recogniser_closed"
        await stt.aclose()
    with pytest.raises(TranscriptionError):
        await stt.start()


async def test_closing_twice_ends_the_worker_and_answers_who_waits(server: Server) -> None:
    server.stall()
    async with remote(server) as stt:
        pid = stt.worker_pid
        waiting = [asyncio.create_task(stt.transcribe(1, number, block(COMMAND))) for number in range(3)]
        await asked_of(server, 1)
        await asyncio.gather(stt.aclose(), stt.aclose())
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert [getattr(outcome, "code", outcome) for outcome in outcomes] == ["recogniser_closed"] * 3
        assert pid and is_gone(pid) and not stt.ready


async def test_closing_while_it_starts_leaves_no_worker(model: str) -> None:
    before = set(psutil.Process().children())
    stt = Transcription(settings())
    starting = asyncio.create_task(stt.start())
    await until(lambda: starting.done() or set(psutil.Process().children()) - before)
    await stt.aclose()
    with pytest.raises(TranscriptionError) as closed:
        await starting
    assert closed.value.code == "recogniser_closed"
    await until(lambda: set(psutil.Process().children()) <= before)  # until they have been waited for


async def test_a_second_start_changes_nothing(server: Server) -> None:
    async with remote(server) as stt:
        pid = stt.worker_pid
        await stt.start()
        assert stt.worker_pid == pid


# ---------------------------------------------------------------------------- dropping


async def test_a_dropped_request_is_none_and_the_next_is_answered(model: str) -> None:
    async with service() as stt:
        first = asyncio.create_task(stt.transcribe(1, 1, block("00_piper_joe")))
        second = asyncio.create_task(stt.transcribe(2, 2, block("00_piper_joe")))
        third = asyncio.create_task(stt.transcribe(3, 3, block(COMMAND)))
        await asyncio.sleep(0)
        for number in (1, 2, 2, 99):
            stt.drop(number)
        assert await first is None and await second is None
        assert is_command(await third)


async def test_a_newer_trial_replaces_an_older_one_of_its_turn_and_no_confirmed_one(server: Server) -> None:
    server.stall()
    async with remote(server) as stt:
        first = asyncio.create_task(stt.transcribe(1, 1, block(COMMAND)))
        await asked_of(server, 1)
        older = asyncio.create_task(stt.transcribe(2, 2, block(COMMAND), speculative=True))
        newer = asyncio.create_task(stt.transcribe(2, 3, block(COMMAND), speculative=True))
        sure = asyncio.create_task(stt.transcribe(3, 4, block(COMMAND)))
        assert await older is None
        server.go_on()
        for task in (first, newer, sure):
            assert is_command(await task)


async def test_a_caller_that_gives_up_leaves_nothing_behind(server: Server) -> None:
    async with remote(server) as stt:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await stt.transcribe(1, 1, block("00_piper_joe"))
        assert is_command(await stt.transcribe(2, 2, block(COMMAND)))


async def test_too_many_at_once_are_refused(server: Server) -> None:
    async with remote(server) as stt:
        tasks = [
            asyncio.create_task(stt.transcribe(number, number, AudioBlock(0, b"")))
            for number in range(MAX_PENDING + 1)
        ]
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert getattr(outcomes[-1], "code", "") == "recogniser_busy"
        assert all(isinstance(outcome, Transcribed) for outcome in outcomes[:-1])


# ---------------------------------------------------------------------------- deaths


async def test_a_worker_that_dies_at_work_is_replaced_and_its_segment_tried_again(model: str) -> None:
    async with service() as stt:
        asked = [
            asyncio.create_task(stt.transcribe(number, number, block(COMMAND))) for number in range(1, 4)
        ]
        await asyncio.sleep(0)
        former = killed(stt)
        answers = await asyncio.gather(*asked)
        assert all(is_command(answer) for answer in answers)
        assert is_gone(former) and stt.worker_pid not in (None, former)


async def test_an_idle_worker_that_dies_is_replaced_unasked(server: Server) -> None:
    async with remote(server) as stt:
        for _ in range(2):
            former = killed(stt)
            await replaced(stt, former)
        assert is_command(await stt.transcribe(1, 1, block(COMMAND)))


async def test_a_segment_that_kills_two_workers_is_given_up_and_the_next_is_heard(server: Server) -> None:
    server.stall()
    async with remote(server) as stt:
        asked = asyncio.create_task(stt.transcribe(1, 1, block(COMMAND)))
        for tries in (1, 2):
            await asked_of(server, tries)
            killed(stt)
        with pytest.raises(TranscriptionError) as died:
            await asked
        assert died.value.code == "recogniser_died" and died.value.retryable
        server.go_on()
        assert is_command(await stt.transcribe(2, 2, block(COMMAND)))


async def test_an_answer_that_takes_too_long_is_given_up_and_the_worker_replaced(server: Server) -> None:
    server.stall()
    async with remote(server, timeout_s=3.0) as stt:
        with pytest.raises(TranscriptionError) as late:
            await stt.transcribe(1, 1, block(COMMAND))
        # The worker's own limit, or the service's, whichever the machine comes to first.
        assert late.value.code in ("recogniser_timeout", "server_unreachable") and late.value.retryable
        server.go_on()
        await until(lambda: stt.ready)
        assert is_command(await stt.transcribe(2, 2, block(COMMAND)))


async def test_weights_that_vanish_stop_the_restarts_until_somebody_asks(model: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    packaged = package.packaged_folder()
    assert packaged
    shutil.copytree(packaged, folder)
    async with service(model=str(folder)) as stt:
        (folder / "model.bin").rename(folder / "away")
        killed(stt)
        with pytest.raises(TranscriptionError) as gone:
            await stt.transcribe(1, 1, block(COMMAND))
        assert gone.value.code == "model_not_loaded"
        (folder / "away").rename(folder / "model.bin")
        async with asyncio.timeout(PATIENCE_S):
            assert is_command(await stt.transcribe(1, 2, block(COMMAND)))


async def test_a_worker_ends_with_its_parent_however_that_dies(model: str) -> None:
    script = (
        "import asyncio\nfrom mybro.transcribe.service import Transcription\n"
        "from tests.transcribe_scene import settings\n"
        "async def main():\n    stt = Transcription(settings())\n    await stt.start()\n"
        "    print(stt.worker_pid, flush=True)\n    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    )
    assert parent.stdout
    async with asyncio.timeout(PATIENCE_S):
        pid = int(await parent.stdout.readline())
    assert not is_gone(pid)
    parent.kill()
    await parent.wait()
    await until(lambda: is_gone(pid))


# ---------------------------------------------------------------------------- switching


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
