"""Nothing of a command is left: real processes that do all they can to stay."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mybro.errors import ChildError
from mybro.ops.tree import MARKER, descendants, freeze, kill_tree, run_command, thaw
from tests.fakes.ops import KINDS, QUICK, silent, soon, writers, written

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parent.parent
TOKEN = "token-of-this-test"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def sleeper(env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the others, and must survive."""
    with subprocess.Popen(["sleep", "60"], env=env) as process:
        yield process
        assert process.poll() is None
        process.kill()


def stubborn(kind: str, file: Path) -> list[str]:
    return [sys.executable, "-m", "tests.fakes.ops", kind, str(file)]


# ---------------------------------------------------------------------------- kill_tree


@pytest.mark.parametrize("kind", [*KINDS, *QUICK])
@pytest.mark.parametrize("grace_s", [0.0, 0.2])
def test_kill_tree_ends_every_kind(
    kind: str, grace_s: float, tmp_path: Path, env: dict[str, str], sleeper: subprocess.Popen[bytes]
) -> None:
    file = tmp_path / "written"
    marked = {**env, MARKER: f"outer/{TOKEN}"}
    with subprocess.Popen(stubborn(kind, file), env=marked, cwd=ROOT, start_new_session=True) as process:
        writers(file)
        assert written(file)
        assert kill_tree(process.pid, marker=TOKEN, grace_s=grace_s) == ()
        assert silent(file)
        assert descendants(process.pid, TOKEN) == []


def test_grace_lets_a_process_end_in_its_own_way(tmp_path: Path, env: dict[str, str]) -> None:
    script = "trap 'echo bye > said; exit 0' TERM; echo > ready; while :; do sleep 0.05; done"
    with subprocess.Popen(["bash", "-c", script], env=env, cwd=tmp_path) as process:
        assert soon((tmp_path / "ready").exists)
        assert kill_tree(process.pid, grace_s=60.0) == ()
        assert process.wait() == 0
    assert (tmp_path / "said").read_text() == "bye\n"


def test_a_tree_is_frozen_and_goes_on(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    with subprocess.Popen(stubborn("setsid", file), env=env, cwd=ROOT) as process:
        (writer,) = writers(file)
        frozen = freeze(process.pid)
        assert writer in frozen
        assert psutil.Process(process.pid) not in frozen
        assert silent(file)
        thaw(frozen)
        assert written(file)
        assert kill_tree(process.pid) == ()


def test_what_is_born_while_a_tree_is_frozen_goes_on_too(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    script = f"while :; do /bin/true; echo x >> {file}; done"
    with subprocess.Popen(["bash", "-c", f"({script}) & ({script}) & wait"], env=env) as process:
        assert soon(file.exists)
        for _ in range(8):
            frozen = freeze(process.pid)
            held = [p for p in descendants(process.pid) if p.status() != psutil.STATUS_STOPPED]
            thaw(frozen)
            assert held == []
            assert written(file)
            assert soon(lambda: not any(map(_is_stopped, descendants(process.pid))))
        assert kill_tree(process.pid) == ()


def _is_stopped(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:
        return False


def test_what_was_at_rest_before_a_freeze_stays_so(env: dict[str, str]) -> None:
    with subprocess.Popen(
        ["bash", "-c", "sleep 60 & kill -STOP $!; echo; wait"], env=env, stdout=-1
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (rested,) = descendants(process.pid)
        assert soon(lambda: _is_stopped(rested))
        frozen = freeze(process.pid)
        assert rested not in frozen
        assert kill_tree(process.pid) == ()


def test_a_dead_root_and_an_unknown_token_hit_nobody(sleeper: subprocess.Popen[bytes]) -> None:
    gone = subprocess.Popen(["true"])
    root = psutil.Process(gone.pid)
    gone.wait()
    assert kill_tree(root, marker="nobody-carries-this") == ()
    assert kill_tree(None) == ()
    assert descendants(root) == []


# ---------------------------------------------------------------------------- run_command


async def test_a_command_gives_its_lines(tmp_path: Path, env: dict[str, str]) -> None:
    heard: list[str] = []

    async def hear(line: str) -> None:
        heard.append(line)

    script = r"cat; echo out; echo err >&2; printf '10%%\r100%%\n\xff'; exit 3"
    result = await run_command(["bash", "-c", script], cwd=tmp_path, env=env, on_line=hear)
    assert result.lines == ("out", "err", "100%", "\N{REPLACEMENT CHARACTER}")
    assert tuple(heard) == result.lines
    assert (result.returncode, result.dropped, result.timed_out) == (3, 0, False)
    assert result.output.startswith("out\nerr")


async def test_output_is_bounded(tmp_path: Path, env: dict[str, str]) -> None:
    script = "seq 100000; head -c 1000000 /dev/zero | tr '\\0' x"
    result = await run_command(["bash", "-c", script], cwd=tmp_path, env=env, keep_lines=3, max_line_chars=10)
    assert result.lines == ("99999", "100000", "x" * 10)
    assert result.dropped == 99998


async def test_what_a_command_leaves_in_the_background_dies(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    script = f"{' '.join(stubborn('double_fork', file))} & while ! [ -s {file} ]; do sleep 0.01; done"
    result = await run_command(["bash", "-c", script], cwd=ROOT, env=env)
    assert result.returncode == 0
    assert silent(file)


@pytest.mark.parametrize("kind", [*KINDS, *QUICK, "bare"])
async def test_a_command_out_of_time_is_dead(kind: str, tmp_path: Path, env: dict[str, str]) -> None:
    if kind == "bare" and sys.platform != "linux":
        pytest.skip("a process that left the tree and emptied its environment needs a subreaper")
    file = tmp_path / "written"
    clock = WhenWritten(file)
    result = await run_command(stubborn(kind, file), cwd=ROOT, env=env, timeout_s=900.0, clock=clock)
    assert result.timed_out
    assert clock.asked == 900.0
    assert silent(file)


async def test_a_cancelled_command_is_dead(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "written"
    task = asyncio.create_task(run_command(stubborn("term_ignoring", file), cwd=ROOT, env=env))
    await asyncio.to_thread(writers, file)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert silent(file)


async def test_an_error_in_the_listener_ends_the_command(tmp_path: Path, env: dict[str, str]) -> None:
    async def refuse(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="y"):
        await run_command(["yes"], cwd=tmp_path, env=env, on_line=refuse)


async def test_a_command_that_cannot_start_says_why(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(ChildError, match="frobnicate is not installed") as missing:
        await run_command(["frobnicate"], cwd=tmp_path, env=env)
    assert missing.value.code == "command_not_found"
    with pytest.raises(ChildError, match="no folder") as nowhere:
        await run_command(["true"], cwd=tmp_path / "nowhere", env=env)
    assert nowhere.value.code == "command_not_started"
    with pytest.raises(ChildError, match="Permission denied"):
        await run_command([str(tmp_path)], cwd=tmp_path, env=env)


class WhenWritten:
    """A clock on which a wait is over once a file is being written."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.asked = 0.0

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.asked = seconds
        await asyncio.to_thread(writers, self._file)
