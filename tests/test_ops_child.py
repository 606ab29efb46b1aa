"""Child processes and frames: real processes, real kills."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from mybro.errors import ChildError
from mybro.ops import frames
from mybro.ops.child import Child
from mybro.ops.frames import pack, read_frame, read_frame_blocking
from tests.cancelling import break_off

pytestmark = pytest.mark.integration


ECHO = """
while frame := read_frame_blocking(sock):
    sock.sendall(pack({"got": frame[0]}, frame[1]))
"""
PARENT = """
import asyncio, sys
from mybro.ops.child import Child

async def main():
    child = await Child.start("child_under_test")
    await child.send({})
    await child.receive()
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}


def write(folder: Path, body: str) -> None:
    head = """
    import os, sys, time
    from mybro.ops.child import parent_socket
    from mybro.ops.frames import pack, read_frame_blocking
    sock = parent_socket(sys.argv)
    """
    (folder / "child_under_test.py").write_text(textwrap.dedent(head) + textwrap.dedent(body))


@asynccontextmanager
async def started(folder: Path, env: dict[str, str], body: str, *arguments: str) -> AsyncIterator[Child]:
    write(folder, body)
    child = await Child.start("child_under_test", *arguments, env=env)
    try:
        yield child
    finally:
        await child.aclose()


def gone(pid: int, within_s: float = 60) -> bool:
    """Whether a process ends in time; one that nobody has waited for yet counts as ended."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


async def test_frames_go_both_ways_whatever_their_size(tmp_path: Path, env: dict[str, str]) -> None:
    async with started(tmp_path, env, ECHO) as child:
        for size in (0, 1, 70_000, 3_000_000):
            payload = os.urandom(size)
            await child.send({"size": size, "text": "äöü\u2028"}, payload)
            answer = await child.receive()
            assert answer == ({"got": {"size": size, "text": "äöü\u2028"}}, payload)
        child.post({"last": True})
        answer = await child.receive()
        assert answer is not None and answer[0] == {"got": {"last": True}}
    assert child.returncode == 0 and gone(child.pid)


async def test_arguments_and_descriptors_reach_the_child(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, "os.write(int(sys.argv[2]), sys.argv[3].encode())")
    reading, writing = os.pipe()
    child = await Child.start("child_under_test", str(writing), "hello", env=env, pass_fds=(writing,))
    os.close(writing)
    assert await child.wait() == 0
    assert os.read(reading, 100) == b"hello"
    os.close(reading)
    await child.aclose()


async def test_death_is_seen_at_once_and_sending_is_then_an_error(
    tmp_path: Path, env: dict[str, str]
) -> None:
    async with started(tmp_path, env, ECHO) as child:
        os.kill(child.pid, signal.SIGKILL)
        assert await child.receive() is None
        assert await child.wait() == -signal.SIGKILL
        with pytest.raises(ChildError) as ended:
            for _ in range(3):
                await child.send({}, bytes(1_000_000))
        assert ended.value.code == "child_ended" and ended.value.retryable
        child.post({"nobody": "hears"})


async def test_what_it_says_on_its_error_stream_is_kept_but_bounded(
    tmp_path: Path, env: dict[str, str]
) -> None:
    body = 'sys.stderr.write("x" * 500_000 + "\\nRuntimeError: no weights\\n"); sys.exit(3)'
    async with started(tmp_path, env, body) as child:
        assert await child.receive() is None
        assert await child.wait() == 3
        assert child.complaints.endswith("RuntimeError: no weights") and len(child.complaints) <= 4096
    assert child.complaints.endswith("no weights")


async def test_bytes_that_are_no_frame_are_an_error(tmp_path: Path, env: dict[str, str]) -> None:
    for garbage in (r'b"\xff" * 64', r'b"\x01\0\0\0\0\0\0\0["', r'b"\x02\0\0\0\0\0\0\0[]"'):
        async with started(tmp_path, env, f"sock.sendall({garbage}); time.sleep(60)") as child:
            with pytest.raises(ChildError) as garbled:
                await child.receive()
            assert garbled.value.code == "child_garbled"


async def test_a_child_that_ignores_the_closed_socket_is_killed(tmp_path: Path, env: dict[str, str]) -> None:
    body = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sock.sendall(pack({}))
    time.sleep(600)
    """
    write(tmp_path, body)
    child = await Child.start("child_under_test", env=env)
    assert await child.receive() is not None
    await child.aclose(grace_s=0.1)
    assert child.returncode == -signal.SIGKILL
    await child.aclose()
    child.kill()


async def test_closing_kills_also_when_it_is_cancelled(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, "sock.sendall(pack({}))\ntime.sleep(600)")
    child = await Child.start("child_under_test", env=env)
    await child.receive()
    closing = asyncio.create_task(child.aclose(grace_s=600))
    await asyncio.sleep(0.05)
    closing.cancel()
    await asyncio.wait({closing})
    assert closing.cancelled() and child.returncode == -signal.SIGKILL


async def test_killing_reaches_grandchildren_also_when_the_child_is_dead(
    tmp_path: Path, env: dict[str, str]
) -> None:
    body = """
    import subprocess
    inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    sock.sendall(pack({"pid": inner.pid}))
    time.sleep(600)
    """
    for dead_before in (False, True):
        async with started(tmp_path, env, body) as child:
            frame = await child.receive()
            assert frame is not None
            if dead_before:
                os.kill(child.pid, signal.SIGKILL)
                await child.wait()
            child.kill()
            assert gone(frame[0]["pid"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_child_outlives_its_parent(tmp_path: Path, env: dict[str, str], how: signal.Signals) -> None:
    write(tmp_path, ECHO)
    parent = subprocess.Popen([sys.executable, "-c", PARENT], env=env, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert psutil.pid_exists(child)
    parent.send_signal(how)
    assert gone(child)
    parent.wait()
    parent.stdout.close()


async def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path, env: dict[str, str]) -> None:
    write(tmp_path, "time.sleep(600)")

    async def turns(number: int) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    await break_off(
        lambda: Child.start("child_under_test", env=env),
        map(turns, (0, 1, 3, 5, 8, 12)),
        lambda child: child.aclose(grace_s=0.0),
    )
    assert not [p for p in psutil.Process().children() if "child_under_test" in " ".join(p.cmdline())]


async def test_a_child_that_cannot_be_started_is_an_error(env: dict[str, str]) -> None:
    with pytest.raises(ChildError) as failed:
        await Child.start("child_under_test", "x" * 10_000_000, env=env)
    assert failed.value.code == "child_not_started"


# ---------------------------------------------------------------------------- frames


async def test_a_stream_that_ends_within_a_frame_is_at_its_end() -> None:
    whole = pack({"a": 1}, b"payload")
    for length in range(len(whole)):
        reader = asyncio.StreamReader()
        reader.feed_data(whole[:length])
        reader.feed_eof()
        assert await read_frame(reader) is None
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(whole[:length])
            theirs.shutdown(socket.SHUT_WR)
            assert read_frame_blocking(ours) is None


def test_a_frame_that_no_reader_would_take_is_not_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    assert pack({}, bytes(90))
    with pytest.raises(ValueError, match="larger than 100"):
        pack({}, bytes(101))
