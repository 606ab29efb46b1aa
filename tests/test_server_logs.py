"""The log: what is in it, what never is, where it goes."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Intent
from mybro.server.logs import HIDDEN, DailyFile, EventLog, LogFilter, formatter, logging_to
from tests.server_scene import LIMIT_S, Scene, scene

__all__ = ["scene"]
pytestmark = pytest.mark.integration

SAID = "delete the customer database of ACME"


def rendered(*, transcripts: bool, **extra: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"msg": "%s", "args": ("Typed",), "levelname": "INFO", "name": "mybro.session", **extra}
    )
    line: dict[str, Any] = json.loads(formatter(transcripts=transcripts).format(record))
    return line


def test_what_was_said_is_left_out_unless_it_is_asked_for() -> None:
    fields = {"turn": 3, "text": SAID, "intent": {"kind": "task", "text": SAID, "risk": "write"}}
    line = rendered(transcripts=False, fields=fields)
    assert line["event"] == "Typed"
    assert (line["level"], line["logger"]) == ("info", "mybro.session")
    assert line["fields"] == {
        "turn": 3, "text": HIDDEN, "intent": {"kind": "task", "text": HIDDEN, "risk": "write"}
    }  # fmt: skip
    assert rendered(transcripts=True, fields=fields)["fields"]["text"] == SAID


@pytest.mark.parametrize(
    "secret",
    [
        "sk-ant-api03-abcdefgh12345678", "Bearer abc.def.ghi", "eyJhbGciOi.eyJqdGkiOi.c2lnbmF0dXJl",
        # mybro: ignore[SEC16] what must be taken out of a log, and opens nothing
        "ghp_abcdefghijklmnop1234", "AKIAABCDEFGHIJKLMNOP", "token=abcdef", 'password: "hunter22"',
        "http://127.0.0.1:7777/?token=h-mqmBjt", "-----BEGIN PRIVATE KEY-----\nabc",
    ],
)  # fmt: skip
def test_keys_are_left_out_always(secret: str) -> None:
    for line in (
        rendered(transcripts=True, fields={"text": f"use {secret} now"}),
        rendered(transcripts=True, msg="it said %s", args=(secret,)),
        rendered(transcripts=True, id=secret),
    ):
        text = json.dumps(line)
        assert HIDDEN in text
        for part in secret.replace('"', " ").replace("=", " ").replace("\n", " ").split():
            if len(part) > 9 and "127.0.0.1" not in part and "PRIVATE" not in part:
                assert part not in text


def test_a_fault_is_told_by_its_kind_and_place() -> None:
    try:
        raise RuntimeError(SAID)
    except RuntimeError as error:
        found = (type(error), error, error.__traceback__)
    line = rendered(transcripts=False, exc_info=found)
    assert line["fault"]["type"] == "RuntimeError"
    assert "test_server_logs.py" in line["fault"]["at"][-1]
    assert SAID not in json.dumps(line)


async def test_every_event_is_logged_without_a_word_of_it(tmp_path: Path) -> None:
    intent = Intent(kind="task", target=SAID, reply=SAID, text=SAID)
    said: list[ev.Event] = [
        ev.Typed(1, SAID), ev.Understood(1, intent), ev.JobStarted(2, 1, SAID), ev.JobProgressed(2, SAID),
        ev.JobAsked(2, 3, "choice", SAID, SAID, SAID, "write", (ev.Choice(SAID, SAID),)),
        ev.JobFinished(2, ev.Outcome(SAID, True, SAID, (SAID,))), ev.SayStarted(4, SAID), ev.Announce(SAID),
        ev.JobFailed(2, Problem("bad", SAID, SAID)), ev.Transcribed(1, 2, SAID, "tiny.en"),
        ev.Answered(3, True, SAID),
    ]  # fmt: skip
    with logging_to(tmp_path) as ring:
        log = EventLog()
        for seq, event in enumerate(said, 1):
            log.watch(ev.Envelope(seq, 0.1, event))
        log.watch(ev.Envelope(99, 0.1, ev.LevelMeasured(1, -20.0, -10.0)))
        lines = [json.loads(line) for line in ring.after(0)]
    assert len(lines) == len(said)
    assert [line["fields"]["seq"] for line in lines] == list(range(1, len(said) + 1))
    written = (tmp_path / "mybro.jsonl").read_text()
    assert written.count("\n") == len(said)
    assert "ACME" not in written


async def test_lines_come_in_order_from_every_thread(tmp_path: Path) -> None:
    with logging_to(tmp_path) as ring:
        await asyncio.gather(
            *(asyncio.to_thread(logging.getLogger("mybro.x").info, "line") for _ in range(50))
        )
        await asyncio.sleep(0)
        assert ring.last == 50
    assert (tmp_path / "mybro.jsonl").read_text().count("\n") == 50


def test_files_rotate_are_packed_and_seven_are_kept(tmp_path: Path) -> None:
    file = DailyFile(tmp_path / "mybro.jsonl")
    day = 86_400
    for number in range(10):
        file.emit(logging.makeLogRecord({"msg": f"day {number}"}))
        # As if a day had gone by: the file's own clock says when it is over.
        file.rolloverAt = int(time.time()) - day * (20 - number)
        file.doRollover()
    file.close()
    packed = sorted(tmp_path.glob("*.gz"))
    assert len(packed) == 7
    assert [gzip.decompress(path.read_bytes()).decode() for path in packed][-1] == "day 9\n"
    assert (tmp_path / "mybro.jsonl").stat().st_mode & 0o077 == 0


def test_filters() -> None:
    line = json.dumps({"event": "Stopped", "level": "warning", "logger": "mybro.server"})
    assert LogFilter("info", "mybro.s", "STOP").passes(line)
    assert LogFilter("warning").passes(line)
    assert not LogFilter("error").passes(line)
    assert not LogFilter(logger="mybro.session").passes(line)
    assert not LogFilter(contains="start").passes(line)


async def test_the_log_has_a_port_of_its_own(scene: Scene) -> None:
    await scene.typed(SAID)
    await scene.pipeline.settled(jobs=False)
    base = f"http://127.0.0.1:{scene.served.logs_port}"
    headers = {"authorization": f"Bearer {scene.served.token}"}
    async with httpx.AsyncClient(base_url=base, timeout=LIMIT_S) as client:
        assert (await client.get("/v1/logs")).status_code == 401
        page = (await client.get("/v1/logs?contains=%22Typed%22", headers=headers)).json()
        assert page["lines"][0]["event"] == "Typed"
        assert SAID not in json.dumps(page)
        assert (await client.get("/v1/status", headers=headers)).status_code == 404
    # The page on the other port may read it, and has it on its own port as well.
    assert (await scene.call("GET", "/v1/logs?level=critical"))["lines"] == []
    address = f"ws://127.0.0.1:{scene.served.logs_port}/v1/logs/stream?logger=mybro.session&contains=StopAll"
    async with connect(address, additional_headers=headers, origin=scene.served.url) as socket:  # type: ignore[arg-type]
        await scene.call("POST", "/v1/stop")
        line = json.loads(await asyncio.wait_for(socket.recv(), LIMIT_S))
        assert (line["event"], line["logger"]) == ("StopAll", "mybro.session")
    with pytest.raises(InvalidStatus):
        async with connect(address):
            pass
