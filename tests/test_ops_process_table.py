"""One process as the table shows it, by both ways of reading it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mybro.ops import process_table
from mybro.ops.process_table import Entry

pytestmark = pytest.mark.integration

Look = Callable[[int], Entry | None]

LAST_THREAD = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print(flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.mark.parametrize("look", [process_table.entry, process_table.from_psutil])
def test_a_process_and_its_states(look: Look, tmp_path: Path) -> None:
    odd = tmp_path / "a) T (b c"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([str(odd), "60"], start_new_session=True) as process:
        found = look(process.pid)
        assert found is not None
        assert (found.pid, found.parent, found.group) == (process.pid, os.getpid(), process.pid)
        assert not found.dead
        assert process.pid in process_table.pids()
        process.send_signal(signal.SIGSTOP)
        stopped = becomes(look, process.pid, "stopped")
        process.kill()
        dead = becomes(look, process.pid, "dead")
        assert found.identity == stopped.identity == dead.identity
    assert look(process.pid) is None


@pytest.mark.parametrize("read", [process_table.variable, process_table.variable_from_psutil])
def test_a_variable_of_another_process(read: Callable[[int, str], str]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], env={"XA": "no", "A": "b=c"}, stdin=-1
    ) as process:
        deadline = time.monotonic() + 60
        while read(process.pid, "A") != "b=c":  # until its program is loaded
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert read(process.pid, "B") == ""
        process.kill()
    assert read(process.pid, "A") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="a process's first thread ends alone on Linux only")
def test_a_process_whose_first_thread_has_ended_lives() -> None:
    with subprocess.Popen([sys.executable, "-c", LAST_THREAD], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 60
        while " Z " not in Path(f"/proc/{process.pid}/stat").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        found = process_table.entry(process.pid)
        assert found is not None
        assert not found.dead
        process.kill()


def becomes(look: Look, pid: int, state: str) -> Entry:
    deadline = time.monotonic() + 60
    while True:
        found = look(pid)
        assert found is not None
        if getattr(found, state):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.01)
