"""The worker process, spoken to over its socket as the service does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mybro.clock import MonotonicClock
from mybro.errors import ChildError, TranscriptionError
from mybro.ops.child import Child
from mybro.ops.frames import Header
from mybro.transcribe.choice import setup_for
from mybro.transcribe.client import WorkerProcess
from mybro.transcribe.mailbox import Request
from mybro.transcribe.recogniser import Setup
from mybro.transcribe.worker import DEPTH
from tests.fakes.transcribe import Server, transcription_server
from tests.transcribe_scene import PATIENCE_S, clip, is_gone, model, settings, until

__all__ = ["model"]
pytestmark = pytest.mark.integration

LONG = clip("00_piper_joe").tobytes()
SHORT = clip("01_piper_joe").tobytes()


class Talk:
    """A child and the frames that it sends."""

    def __init__(self, child: Child) -> None:
        self.child = child

    async def load(self, setup: Setup) -> Header:
        await self.child.send({"type": "load", "setup": asdict(setup)})
        return await self.next()

    def ask(self, number: int, turn: int = 1, pcm: bytes = SHORT, **other: Any) -> None:
        header = {"type": "transcribe", "request": number, "turn": turn, "prompt": "", "language": "en"}
        self.child.post({**header, "speculative": False, **other}, pcm)

    def drop(self, number: int) -> None:
        self.child.post({"type": "drop", "request": number})

    async def next(self) -> Header:
        async with asyncio.timeout(PATIENCE_S):
            frame = await self.child.receive()
        assert frame, self.child.complaints
        return frame[0]

    async def answers(self, count: int) -> dict[int, Header]:
        """The next answers, by request; "started" frames are passed over."""
        found: dict[int, Header] = {}
        while len(found) < count:
            header = await self.next()
            if header["type"] != "started":
                assert header["request"] not in found
                found[header["request"]] = header
        return found


@asynccontextmanager
async def worker() -> AsyncIterator[Talk]:
    child = await Child.start("mybro.transcribe.worker")
    try:
        yield Talk(child)
    finally:
        # Long enough for a slow machine: a worker that is let go ends by itself.
        await child.aclose(grace_s=PATIENCE_S)
        assert child.returncode == 0


async def test_it_loads_once_and_answers_each_numbered_request(model: str) -> None:
    async with worker() as talk:
        ready = await talk.load(setup_for(settings()))
        assert (ready["type"], ready["languages"]) == ("ready", ["en"])
        assert ready["load_ms"] > 0 and ready["warm_up_ms"] > 0
        for number in (7, 8):
            talk.ask(number)
            assert await talk.next() == {"type": "started", "request": number}
            answer = await talk.next()
            assert (answer["type"], answer["request"]) == ("result", number)
            assert answer["text"].lower().strip(".") == "run the tests" and answer["language"] == "en"
            assert answer["timings_ms"]["encode"] > 0


@asynccontextmanager
async def at_work() -> AsyncIterator[tuple[Talk, Server]]:
    """A worker that is at work on request 0 until the server goes on."""
    with transcription_server() as server:
        server.says({"text": "Undo that."})
        server.stall()
        async with worker() as talk:
            await talk.load(Setup("openai", "m", base_url=server.address))
            talk.ask(0, 0)
            await until(lambda: server.got)
            yield talk, server


async def test_what_waits_can_be_dropped_and_a_newer_trial_replaces_an_older_one() -> None:
    async with at_work() as (talk, server):
        talk.ask(2, 2, speculative=True)
        talk.ask(3, 2, speculative=True)
        talk.ask(4, 3)
        for number in (0, 4, 99):
            talk.drop(number)
        # The answers to these two come while the first is still worked on.
        gone = await talk.answers(2)
        assert {number: answer["type"] for number, answer in gone.items()} == {2: "dropped", 4: "dropped"}
        server.go_on()
        rest = await talk.answers(2)
        assert {number: answer["type"] for number, answer in rest.items()} == {0: "dropped", 3: "result"}


async def test_more_than_can_wait_is_refused_not_forgotten() -> None:
    async with at_work() as (talk, server):
        for number in range(1, DEPTH + 4):
            talk.ask(number, number, b"")
        refused = await talk.answers(3)
        assert sorted(refused) == [DEPTH + 1, DEPTH + 2, DEPTH + 3]
        assert {answer["code"] for answer in refused.values()} == {"recogniser_busy"}
        server.go_on()
        answers = await talk.answers(DEPTH + 1)
        assert answers[0]["text"] == "Undo that."
        assert {answer["text"] for number, answer in answers.items() if number} == {""}


async def test_weights_that_cannot_be_loaded_are_said(model: str, tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"nonsense")
    (tmp_path / "config.json").write_text("{}")
    async with worker() as talk:
        failed = await talk.load(Setup("faster-whisper", "mine", path=str(tmp_path)))
        assert (failed["type"], failed["code"]) == ("failed", "model_not_loaded")
        assert "mybro models verify mine" in failed["hint"]
        # It ends by itself: a worker without a model is of no use.
        async with asyncio.timeout(PATIENCE_S):
            assert await talk.child.receive() is None


async def test_a_recogniser_that_fails_says_so_and_the_worker_goes_on() -> None:
    with transcription_server() as server:
        server.says({}, status=401)
        async with worker() as talk:
            ready = await talk.load(Setup("openai", "m", base_url=server.address))
            assert (ready["type"], ready["languages"]) == ("ready", [])
            talk.ask(1)
            assert (await talk.answers(1))[1]["code"] == "key_refused"
            server.answers.clear()
            server.says({"text": "Undo that."})
            talk.ask(2)
            assert (await talk.answers(1))[2]["text"] == "Undo that."


async def test_an_odd_number_of_bytes_is_a_failure_not_a_death(model: str) -> None:
    async with worker() as talk:
        await talk.load(setup_for(settings()))
        talk.ask(1, pcm=b"\0\0\0")
        failed = (await talk.answers(1))[1]
        assert (failed["type"], failed["code"], failed["retryable"]) == ("failed", "recogniser_failed", True)
        talk.ask(2)
        assert (await talk.answers(1))[2]["type"] == "result"


async def test_a_language_is_detected_where_none_is_set(model: str) -> None:
    async with worker() as talk:
        await talk.load(setup_for(settings()))
        talk.ask(1, language="auto")
        assert (await talk.answers(1))[1]["language"] == "en"


async def test_it_ends_when_its_parent_goes_also_before_it_has_loaded_or_at_work(model: str) -> None:
    async with worker():
        pass
    async with worker() as talk:
        await talk.child.send({"type": "load", "setup": asdict(setup_for(settings()))})
    async with worker() as talk:
        await talk.load(setup_for(settings()))
        talk.ask(1, pcm=LONG)


async def test_the_terminals_ctrl_c_does_not_end_it(model: str) -> None:
    async with worker() as talk:
        await talk.load(setup_for(settings()))
        os.kill(talk.child.pid, signal.SIGINT)
        talk.ask(1)
        assert (await talk.answers(1))[1]["type"] == "result"


# ---------------------------------------------------------------------------- as its parent sees it


async def test_a_started_worker_answers_until_it_is_killed(model: str) -> None:
    started = await WorkerProcess.start(setup_for(settings()), MonotonicClock())
    try:
        assert started.languages == ["en"] and started.load_ms > 0
        started.send(Request(1, 1, SHORT))
        types = [(await started.receive() or {})["type"] for _ in range(2)]
        assert types == ["started", "result"]
        os.kill(started.pid, signal.SIGKILL)
        assert await started.receive() is None
        assert started.epitaph() == "the speech recogniser ended unexpectedly"
        started.drop(1)
    finally:
        await started.aclose()
        await started.aclose()
    assert is_gone(started.pid)


async def test_what_the_backend_says_is_raised(tmp_path: Path) -> None:
    with pytest.raises(TranscriptionError) as failed:
        await WorkerProcess.start(Setup("faster-whisper", "mine", path=str(tmp_path)), MonotonicClock())
    assert failed.value.code == "model_not_loaded"


async def test_a_backend_that_nobody_knows_leaves_an_epitaph() -> None:
    with pytest.raises(ChildError) as died:
        await WorkerProcess.start(Setup("whisper-9", "m"), MonotonicClock())
    assert died.value.code == "worker_died" and "KeyError: 'whisper-9'" in died.value.message


class Late:
    """A clock on which every wait is over at once."""

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


async def test_a_model_that_does_not_load_in_time_is_given_up(model: str) -> None:
    with pytest.raises(ChildError) as hung:
        await WorkerProcess.start(setup_for(settings()), Late())
    assert hung.value.code == "worker_hung" and hung.value.retryable
