"""What a stop leaves: children that do all they can to stay, and a watcher that belongs to none of them.

    python -m tests.stop_scene

is the watcher. Its input is JSON lines: {"token", "file"} begins to watch, and {"token", "zero", "late_s",
"until_s"} tells when the stop was, on `time.monotonic`, and for how long to look. It answers with a `Sight`.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.fakes import ops

LATE_S = 1.0
"""What lives or writes this long after a stop is too late."""

_POLL_S = 0.01
_LOOK_S, _LOOK_LATER_S = 0.05, 0.5
_TEST = """import subprocess, time, unittest

class Stay(unittest.TestCase):
    def test(self):
        subprocess.Popen({argv!r})
        time.sleep(60)
"""


@dataclass(frozen=True, slots=True)
class Child:
    """One child to be started by a coding session, planted in a repository."""

    kind: str
    token: str
    """Stands in the command lines of all of it."""
    file: Path
    """It writes to this."""

    @property
    def command(self) -> str:
        """Runs it, and needs no question: it is a test of the repository's own."""
        return f"python3 -m unittest {self.token}"

    def wait_for_writing(self) -> None:
        """Return once it is seen to write, twice."""
        ops.writers(self.file)
        for _ in range(2):
            assert ops.written(self.file), f"{self.kind} does not write"


def plant(repo: Path, kind: str) -> Child:
    """Put a test into the repository that becomes a process of this kind (see `tests.fakes.ops`)."""
    token = f"test_stay_{secrets.token_hex(4)}"
    child = Child(kind, token, repo / f"{token}.txt")
    argv = [sys.executable, str(Path(ops.__file__).resolve()), kind, str(child.file), token]
    (repo / f"{token}.py").write_text(_TEST.format(argv=argv))
    return child


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one child, in seconds after the stop."""

    token: str
    writes_before: int
    """How often it was seen to have written in the second before the stop."""
    last_write_s: float
    last_alive_s: float
    late_bytes: int
    """Written when it was too late."""
    survivors: int
    """Processes that lived when it was too late."""
    lag_s: float
    """The longest time for which the watcher itself could not look, within two seconds of the stop."""

    @property
    def quiet_s(self) -> float:
        """When the last of it was over."""
        return max(self.last_write_s, self.last_alive_s, 0.0)

    @property
    def clean(self) -> bool:
        return self.survivors == 0 and self.late_bytes == 0


# ---------------------------------------------------------------------------- the watcher


@dataclass(slots=True)
class _Watched:
    token: str
    file: Path
    zero: float | None = None
    late_s: float = LATE_S
    until_s: float = 0.0
    sizes: list[tuple[float, int]] = field(default_factory=list)
    alive: list[tuple[float, frozenset[int]]] = field(default_factory=list)

    def note_size(self, now: float) -> None:
        size = self.file.stat().st_size if self.file.exists() else 0
        if not self.sizes or self.sizes[-1][1] != size:
            self.sizes.append((now, size))

    def sight(self, lag_s: float) -> Sight:
        zero = self.zero or 0.0
        in_time = [size for at, size in self.sizes if at <= zero + self.late_s] or [0]
        late = {pid for at, pids in self.alive if at > zero + self.late_s for pid in pids}
        return Sight(
            self.token,
            sum(zero - 1.0 <= at <= zero for at, _ in self.sizes),
            max((at for at, _ in self.sizes), default=zero) - zero,
            max((at for at, pids in self.alive if pids), default=zero) - zero,
            self.sizes[-1][1] - in_time[-1] if self.sizes else 0,
            len(late), lag_s,
        )  # fmt: skip


def _carriers(tokens: list[str]) -> dict[str, set[int]]:
    """The living processes that have a token in their command line; a zombie has none."""
    found: dict[str, set[int]] = {token: set() for token in tokens}
    for pid in psutil.pids():
        try:
            if sys.platform == "linux":
                line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
            else:
                line = " ".join(psutil.Process(pid).cmdline())
        except (OSError, psutil.Error):
            continue
        for token in tokens:
            if token in line:
                found[token].add(pid)
    return found


def watch() -> None:
    """Watch until the input ends and every child that was stopped has been watched for its time."""
    orders: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            orders.put(line)
        orders.put(None)

    threading.Thread(target=read, daemon=True).start()
    watched: dict[str, _Watched] = {}
    lags: list[tuple[float, float]] = []
    last_poll = last_look = time.monotonic()
    ending = False
    while not ending or any(child.zero is not None for child in watched.values()):
        ending = _take_orders(orders, watched) or ending
        now = time.monotonic()
        lags = [*((at, gap) for at, gap in lags if at > now - 60), (now, now - last_poll)]
        last_poll = now
        for child in watched.values():
            child.note_size(now)
        fresh = any(child.zero is None or now < child.zero + 3 for child in watched.values())
        if watched and now - last_look >= (_LOOK_S if fresh else _LOOK_LATER_S):
            last_look = now
            for token, pids in _carriers(list(watched)).items():
                watched[token].alive.append((now, frozenset(pids)))
        for child in list(watched.values()):
            if child.zero is not None and now >= child.zero + child.until_s:
                near = [gap for at, gap in lags if child.zero <= at <= child.zero + 2]
                sys.stdout.write(json.dumps(dataclasses.asdict(child.sight(max(near, default=0.0)))) + "\n")
                sys.stdout.flush()
                del watched[child.token]
        time.sleep(_POLL_S)


def _take_orders(orders: queue.Queue[str | None], watched: dict[str, _Watched]) -> bool:
    """Do what the input said; True at its end."""
    while not orders.empty():
        line = orders.get()
        if line is None:
            return True
        order = json.loads(line)
        if "file" in order:
            watched[order["token"]] = _Watched(order["token"], Path(order["file"]))
        else:
            child = watched[order["token"]]
            child.zero, child.late_s, child.until_s = order["zero"], order["late_s"], order["until_s"]
    return False


class Watcher:
    """The watcher's other end. It looks from a process outside everything that is stopped."""

    def __init__(self, until_s: float, late_s: float = LATE_S) -> None:
        """Everything is watched for `until_s` seconds after its stop; `late_s` after it, it is too late."""
        self._until_s = until_s
        self._late_s = late_s
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.stop_scene"], cwd=Path(__file__).parent.parent, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._kinds: dict[str, str] = {}

    def begin(self, child: Child) -> None:
        self._kinds[child.token] = child.kind
        self._order(token=child.token, file=str(child.file))

    def stopped(self, child: Child, zero: float) -> None:
        """The stop came at `zero`, on `time.monotonic`."""
        self._order(token=child.token, zero=zero, late_s=self._late_s, until_s=self._until_s)

    def sights(self) -> dict[str, list[Sight]]:
        """What was seen, by kind; waits until all have been watched for long enough."""
        out, _ = self._process.communicate(timeout=self._until_s + 60)
        seen = [Sight(**json.loads(line)) for line in out.splitlines()]
        assert len(seen) == len(self._kinds), "the watcher did not see all"
        found: dict[str, list[Sight]] = {}
        for sight in seen:
            found.setdefault(self._kinds[sight.token], []).append(sight)
        return found

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _order(self, **order: str | float) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()


@contextmanager
def watching(until_s: float, late_s: float = LATE_S) -> Iterator[Watcher]:
    watcher = Watcher(until_s, late_s)
    try:
        yield watcher
    finally:
        watcher.close()


if __name__ == "__main__":
    watch()
