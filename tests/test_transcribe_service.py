"""The whole service with real workers: requests, deaths, switching, closing."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mybro.errors import TranscriptionError
from mybro.events import AudioBlock, Transcribed
from mybro.models import package
from mybro.transcribe.pending import MAX_PENDING
from mybro.transcribe.service import Transcription
from tests.fakes.transcribe import Server
from tests.transcribe_scene import PATIENCE_S, block, is_gone, model, settings, until
from tests.transcribe_service_scene import (
    COMMAND,
    asked_of,
    is_command,
    killed,
    remote,
    replaced,
    server,
    service,
)

__all__ = ["model", "server"]
pytestmark = pytest.mark.integration


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
