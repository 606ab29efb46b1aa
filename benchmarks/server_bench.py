"""The session's server under load, beside an empty FastAPI application on the same stack, in one run.

    python -m benchmarks.server_bench --json [--quick]

Both servers are processes of their own on this machine: ours with a session behind it, its gate, credentials
and rates; the peer an application with one route, `GET /`, that answers `{}`. The clients are in this one.

Figures: calls_over_empty (calls a second of `GET /v1/status` over those of the empty route, the two turn
about; higher is better), lost_events (50 WebSocket streams of events, each event counted by its number) and
dropped_frames (8 streams of sound at the speed of speech, in the same run as the events; 20 ms frames that
did not come to the recogniser's ear), with the words that came back.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.harness import Spread, report

AUDIO = Path(__file__).parents[1] / "tests" / "audio" / "dev" / "01_piper_joe.flac"
EVENT_STREAMS = 50
AUDIO_STREAMS = 8
FRAME_BYTES = 640
LIMIT_S = 120

EMPTY = """
import sys, uvicorn
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def nothing() -> dict[str, str]:
    return {}
print("mybro: open http://127.0.0.1:%s/?token=x" % sys.argv[1], file=sys.stderr, flush=True)
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="error")
"""


@contextlib.asynccontextmanager
async def process(*arguments: str, home: Path, cwd: Path) -> AsyncIterator[tuple[int, str]]:
    """A server at work: its port and the page's token."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TERM": "dumb",
        "MYBRO_BRAIN__PROVIDER": "none", "MYBRO_TRANSCRIBE__MODEL": "tiny.en", "MYBRO_SPEAK__NOTIFY": "false",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "MYBRO_SERVER__RATE_PER_S": "1000000",
        "MYBRO_SERVER__BURST": "1000000", "MYBRO_SERVER__LOGS_PORT": "0",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }  # fmt: skip
    child = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            while "open http" not in (line := (await child.stderr.readline()).decode()):
                if not line:
                    raise SystemExit("the server did not start")
        address, _, token = line.strip().partition("/?token=")
        draining = asyncio.create_task(child.stderr.read())
        yield int(address.rpartition(":")[2]), token
        draining.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
        await asyncio.wait_for(child.wait(), LIMIT_S)


async def calls(port: int, path: str, token: str, count: int) -> float:
    """Calls a second over four connections, each waiting for its answer before the next."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count // 4):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{path}: {head[:40]!r}")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(length)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(4)))
    return count / (time.perf_counter() - began)


def sentence() -> bytes:
    speech, _ = soundfile.read(str(AUDIO), dtype="int16")
    quiet = np.zeros(8000, np.int16)
    return bytes(np.concatenate([quiet, speech, quiet, quiet]).tobytes())


async def hear(port: int, token: str, sentences: int) -> tuple[int, str]:
    """Frames of one stream that did not arrive, and what was heard in it."""
    pcm = sentence() * sentences
    pcm = pcm[: len(pcm) // FRAME_BYTES * FRAME_BYTES]
    headers = {"Authorization": f"Bearer {token}"}
    texts: list[str] = []
    async with connect(f"ws://127.0.0.1:{port}/ws/transcribe", additional_headers=headers) as socket:

        async def read() -> int:
            async for raw in socket:
                frame = json.loads(raw)
                if frame.get("event") == "done":
                    return int(frame["samples"])
                if frame.get("is_final"):
                    texts.append(frame["text"])
            return 0

        reading = asyncio.create_task(read())
        began = time.perf_counter()
        for number, at in enumerate(range(0, len(pcm), FRAME_BYTES), 1):
            await socket.send(pcm[at : at + FRAME_BYTES])
            # At the speed of speech, against the start: what is late is not made up for by going slower.
            await asyncio.sleep(max(0.0, began + number * 0.02 - time.perf_counter()))
        await socket.send(json.dumps({"end": True}))
        arrived = await asyncio.wait_for(reading, LIMIT_S)
    return (len(pcm) // 2 - arrived) // (FRAME_BYTES // 2), " ".join(texts)


async def watch(socket: ClientConnection, until: asyncio.Future[int]) -> int:
    """Events of one stream that did not come, once it has come to the one that is the last for all."""
    first = last = seen = 0
    async for raw in socket:
        event = json.loads(raw)
        if event["event"] == "Missed":
            seen -= 1_000_000
        if "t" in event:
            first = first or event["seq"]
            last, seen = event["seq"], seen + 1
        if until.done() and last >= until.result():
            break
    return last - first + 1 - seen


async def under_load(port: int, token: str, sentences: int) -> dict[str, Any]:
    """Fifty streams of events and eight of sound, together, while a client asks without a pause."""
    headers = {"Authorization": f"Bearer {token}"}
    end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with contextlib.AsyncExitStack() as stack:
        address = f"ws://127.0.0.1:{port}/v1/events?after=0"
        sockets = [
            await stack.enter_async_context(connect(address, additional_headers=headers))
            for _ in range(EVENT_STREAMS)
        ]
        watching = [asyncio.create_task(watch(socket, end)) for socket in sockets]
        hearing = [asyncio.create_task(hear(port, token, sentences)) for _ in range(AUDIO_STREAMS)]
        while not all(task.done() for task in hearing):
            await post(port, token, "/v1/chat/message", {"text": "status", "wait_s": 10})
        heard = await asyncio.gather(*hearing)
        end.set_result(int((await get(port, token, "/v1/status"))["seq"]))
        # One more event lets those that are there already see that they are.
        await post(port, token, "/v1/chat/message", {"text": "status", "wait_s": 10})
        lost = await asyncio.wait_for(asyncio.gather(*watching), LIMIT_S)
    wanted = " ".join(["run the tests"] * sentences)
    words = ["".join(c for c in text.lower() if c.isalpha() or c == " ") for _, text in heard]
    return {
        "lost": sum(lost), "events": end.result() * EVENT_STREAMS,
        "dropped": sum(frames for frames, _ in heard),
        "frames": AUDIO_STREAMS * len(sentence()) * sentences // FRAME_BYTES,
        "right": sum(text == wanted for text in words),
    }  # fmt: skip


async def get(port: int, token: str, path: str) -> Any:
    import httpx

    async with httpx.AsyncClient(timeout=LIMIT_S) as client:
        return (
            await client.get(f"http://127.0.0.1:{port}{path}", headers={"Authorization": f"Bearer {token}"})
        ).json()


async def post(port: int, token: str, path: str, body: dict[str, Any]) -> Any:
    import httpx

    async with httpx.AsyncClient(timeout=LIMIT_S) as client:
        headers = {"Authorization": f"Bearer {token}"}
        return (await client.post(f"http://127.0.0.1:{port}{path}", headers=headers, json=body)).json()


async def measure(*, quick: bool) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="mybro-bench-") as folder:
        place = Path(folder)
        repo = place / "repo"
        (repo / ".git").mkdir(parents=True)
        async with (
            process(
                "-m", "mybro", "serve", "--port", "0", "--no-voice", "--json", home=place, cwd=repo
            ) as ours,
            process("-c", EMPTY, str(free_port()), home=place, cwd=repo) as peer,
        ):
            rounds, count = (4, 400) if quick else (10, 2000)
            await asyncio.sleep(0.5)
            mine, theirs = [], []
            for turn in range(rounds + 1):
                one = await calls(ours[0], "/v1/status", ours[1], count)
                other = await calls(peer[0], "/", peer[1], count)
                if turn:  # the first warms both
                    mine.append(one)
                    theirs.append(other)
            load = await under_load(*ours, sentences=1 if quick else 4)
    ratios = [a / b for a, b in zip(mine, theirs, strict=True)]
    calls_a_second = {"ours": round(statistics.median(mine)), "peer": round(statistics.median(theirs))}
    return {
        "calls_over_empty": {
            "unit": "calls/s", **calls_a_second,
            "ratio": round(statistics.median(ratios), 3),
            "spread": {"ratio": Spread(tuple(ratios)).figures()},
        },
        "lost_events": {
            "unit": "events", "ours": load["lost"], "of": load["events"], "streams": EVENT_STREAMS,
        },
        "dropped_frames": {
            "unit": "frames", "ours": load["dropped"], "of": load["frames"], "streams": AUDIO_STREAMS,
            "streams_heard_right": load["right"],
        },
    }  # fmt: skip


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server_bench", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer calls, one sentence")
    asked = parser.parse_args()
    report(asyncio.run(measure(quick=asked.quick)), as_json=asked.json)


if __name__ == "__main__":
    main()
