"""A kept command outlives neither its keeper's owner nor, as far as a system allows, its keeper."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path

import psutil
import pytest

from mybro.errors import ChildError
from mybro.ops.kept import Ended, Kept, uninterrupted
from mybro.ops.priority import NICENESS
from mybro.ops.processes import MARKER, kill_tree
from tests.cancelling import break_off
from tests.fakes.ops import KINDS, QUICK, silent, writers

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parent.parent
LINUX = sys.platform == "linux"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}


async def keep(*argv: str, env: dict[str, str], stdin: int = PIPE) -> Kept:
    return await Kept.start(argv, cwd=ROOT, env=env, stdin=stdin, stderr=PIPE)


def stubborn(kind: str, file: Path) -> tuple[str, ...]:
    return sys.executable, "-m", "tests.fakes.ops", kind, str(file)


def gone(process: psutil.Process) -> bool:
    """Whether it ends soon; a zombie that nobody buries counts as ended."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


def becomes(file: Path, end: str, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not file.read_text().endswith(end):
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


async def test_a_command_has_its_own_pipes(env: dict[str, str]) -> None:
    kept = await keep("bash", "-c", "cat; echo no >&2; exit 7", env=env)
    assert kept.stdin is not None
    assert kept.stdout is not None
    assert kept.stderr is not None
    kept.stdin.write(b"x" * 200_000)
    kept.stdin.close()
    assert await kept.stdout.read() == b"x" * 200_000
    assert await kept.stderr.read() == b"no\n"
    assert await kept.wait() == Ended(7, ())
    assert kept.ended
    assert await kept.aclose() == await kept.aclose() == Ended(7, ())


async def test_a_command_is_marked_and_in_a_session_of_its_own(env: dict[str, str]) -> None:
    kept = await keep("sleep", "20", env={**env, MARKER: "outer", "ODD": "sn\udcffow"})
    process = psutil.Process(kept.pid)
    assert process.environ()[MARKER] == f"outer/{kept.token}"
    assert process.environ()["ODD"] == "sn\udcffow"
    assert os.getsid(kept.pid) == kept.pid
    assert process.nice() == min(psutil.Process().nice() + NICENESS, 19)
    assert len({os.getsid(0), os.getsid(kept.pid), os.getsid(kept.keeper_pid)}) == 3
    kept.kill()
    assert await kept.wait() == Ended(-signal.SIGKILL, ())
    await kept.aclose()


AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")


@pytest.mark.skipif(
    not AUTOGROUP.exists() or AUTOGROUP.read_text().strip() != "1", reason="sessions have no shares here"
)
async def test_every_session_of_a_command_gives_way(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    kept = await keep(*stubborn("double_fork", file), env=env)
    (writer,) = await asyncio.to_thread(writers, file)
    assert os.getsid(writer.pid) != os.getsid(kept.pid)
    share = Path(f"/proc/{writer.pid}/autogroup")
    assert await asyncio.to_thread(becomes, share, f" nice {NICENESS}\n")
    assert not becomes(Path("/proc/self/autogroup"), f" nice {NICENESS}\n", seconds=0)
    await kept.aclose()


async def test_the_stop_order(env: dict[str, str]) -> None:
    script = "trap 'echo int' INT; trap 'echo term; exit 5' TERM; echo up; while :; do sleep 0.02; done"
    kept = await keep("bash", "-c", script, env=env)
    assert kept.stdout is not None
    assert await kept.stdout.readline() == b"up\n"
    kept.interrupt()
    assert await kept.stdout.readline() == b"int\n"
    kept.terminate()
    assert await kept.stdout.readline() == b"term\n"
    assert await kept.wait() == Ended(5, ())
    await kept.aclose()


async def test_terminate_does_not_wait_for_ever(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    kept = await keep(*stubborn("term_ignoring", file), env=env)
    await asyncio.to_thread(writers, file)
    kept.terminate()
    assert await kept.wait() == Ended(-signal.SIGKILL, ())
    assert silent(file)
    await kept.aclose()


OWNER = """
import asyncio, json, os, sys
from pathlib import Path
from mybro.ops.kept import Kept

async def main():
    kept = [await Kept.start(argv, cwd=Path.cwd(), env=dict(os.environ)) for argv in json.loads(sys.argv[1])]
    print(json.dumps([[k.keeper_pid, k.pid] for k in kept]), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def owner(commands: list[tuple[str, ...]], env: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", OWNER, json.dumps(commands)], cwd=ROOT, env=env, stdout=subprocess.PIPE
    )


def test_nothing_outlives_a_killed_owner(tmp_path: Path, env: dict[str, str]) -> None:
    kinds = [*KINDS, *QUICK, "bare"] if LINUX else KINDS
    files = {kind: tmp_path / kind for kind in kinds}
    with owner([stubborn(kind, file) for kind, file in files.items()], env) as process:
        assert process.stdout is not None
        pids = json.loads(process.stdout.readline())
        keepers = [psutil.Process(keeper) for keeper, _ in pids]
        for file in files.values():
            writers(file)
        process.kill()
    assert all(gone(keeper) for keeper in keepers)
    assert [kind for kind, file in files.items() if not silent(file)] == []


@pytest.mark.parametrize("kind", ["plain", "double_fork"])
async def test_a_killed_keeper_takes_its_command_along(
    kind: str, tmp_path: Path, env: dict[str, str]
) -> None:
    file = tmp_path / "written"
    kept = await keep(*stubborn(kind, file), env=env)
    await asyncio.to_thread(writers, file)
    os.kill(kept.keeper_pid, signal.SIGKILL)
    assert await kept.wait() == Ended(-signal.SIGKILL, ())
    assert silent(file)
    await kept.aclose()


@pytest.mark.skipif(not LINUX, reason="only Linux lets a process die with its parent")
def test_owner_and_keeper_killed_at_once(tmp_path: Path, env: dict[str, str]) -> None:
    """The command dies all the same; what it had detached is nobody's any more, but still marked."""
    plain, detached = tmp_path / "plain", tmp_path / "detached"
    commands = [stubborn("plain", plain), stubborn("double_fork", detached)]
    with owner(commands, env) as process:
        assert process.stdout is not None
        (keeper, command), (keeper_too, _) = json.loads(process.stdout.readline())
        writers(plain)
        (left,) = writers(detached)
        agent = psutil.Process(command)
        token = left.environ()[MARKER]
        for pid in (process.pid, keeper, keeper_too):
            os.kill(pid, signal.SIGSTOP)
        for pid in (process.pid, keeper, keeper_too):
            os.kill(pid, signal.SIGKILL)
    assert gone(agent)
    assert silent(plain)
    assert kill_tree(None, marker=token) == ()
    assert silent(detached)


@pytest.mark.skipif(not LINUX, reason="a pipe of another process cannot be opened here")
async def test_pipes_that_somebody_else_holds_are_let_go(env: dict[str, str]) -> None:
    """Left open, they would be complained of when they are collected, and a warning is an error here."""
    kept = await keep("sleep", "20", env=env)
    ends = [f"/proc/{kept.pid}/fd/{number}" for number in (0, 1)]
    held = [os.open(end, flag) for end, flag in zip(ends, (os.O_RDONLY, os.O_WRONLY), strict=True)]
    assert kept.stdin is not None
    kept.stdin.write(b"x" * 1_000_000)  # that nobody reads
    keeper = kept.keeper_pid
    try:
        assert await kept.aclose() == Ended(-signal.SIGKILL, ())
        assert not psutil.pid_exists(keeper)
        del kept
        await asyncio.sleep(0)
        gc.collect()
    finally:
        for descriptor in held:
            os.close(descriptor)


async def test_what_cannot_start_leaves_no_keeper(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ChildError, match="frobnicate is not installed"):
        await keep("frobnicate", env=env)
    with pytest.raises(ChildError, match="no folder"):
        await Kept.start(["true"], cwd=tmp_path / "nowhere", env=env)
    keepers = [p for p in psutil.Process().children() if "mybro.ops.keeper" in " ".join(p.cmdline())]
    assert all(gone(keeper) for keeper in keepers)


async def test_a_start_that_is_cancelled_leaves_nothing(env: dict[str, str]) -> None:
    pauses = map(asyncio.sleep, (0.0, 0.005, 0.02, 0.04))
    await break_off(lambda: keep("sleep", "20", env=env), pauses, Kept.aclose)
    assert [p for p in psutil.Process().children(recursive=True) if p.name() == "sleep"] == []


async def test_uninterrupted_work_ends_before_the_cancellation() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.02)
        done.append("work")

    task = asyncio.create_task(uninterrupted(work()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["work"]
