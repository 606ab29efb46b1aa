"""Engines: programs and own code that look for many checks in one run."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from mybro.doctor.check import Check
from mybro.doctor.facts import File, Repository
from mybro.doctor.finding import Finding, Unexamined
from mybro.doctor.shapes import Shape

MAX_OUTPUT_BYTES = 256 << 20
_BATCH_CHARS = 100_000
"""What one command line holds of paths: the smallest system allows 256 kB with the environment."""
_POLL_S = 0.05
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SYSTEMROOT",
    "XDG_CACHE_HOME",
    "UV_CACHE_DIR",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "SSL_CERT_FILE",
    "CI",
)


@dataclass(slots=True)
class Task:
    """What one engine is to look for, and where."""

    repo: Repository
    checks: dict[str, Check]
    """By id; those that this engine serves."""
    deadline: float
    """When it must have ended, by `time.monotonic()`."""
    edits: bool = False
    """Whether to fill in what mends each finding."""
    deep: bool = False
    tests: tuple[str, ...] = ()

    def rules(self, engine: str) -> dict[str, Check]:
        """This engine's rules, each with its check; longer names first, so that they win over prefixes."""
        found = {rule: check for check in self.checks.values() for rule in check.engines.get(engine, ())}
        return dict(sorted(found.items(), key=lambda item: -len(item[0])))

    def files(self, *languages: str) -> list[File]:
        return self.repo.sources(*languages)

    def wants(self, *ids: str) -> bool:
        return any(name in self.checks for name in ids)


@dataclass(slots=True)
class Outcome:
    """What came of one engine's run."""

    findings: list[Finding] = field(default_factory=list)
    unexamined: list[Unexamined] = field(default_factory=list)
    seconds: float = 0.0


class Engine(Protocol):
    """Looks for everything that its task names, in one go."""

    name: str

    def available(self) -> bool:
        """Whether it can run here."""
        ...

    def run(self, task: Task) -> Outcome:
        """May raise `EngineError`."""
        ...


@runtime_checkable
class AsksForWords(Protocol):
    """An engine that does not look at files without certain words or shapes, see `Repository.may_have`."""

    def words(self, task: Task) -> Iterable[bytes | Shape]:
        """All that it will ask for."""
        ...


class EngineError(Exception):
    """An engine that did not do its work; the text says why, in a few words."""


class Children:
    """The engines' processes: each in a group of its own, all of which can be ended at once."""

    def __init__(self) -> None:
        self._living: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def start(self, argv: Sequence[str], **how: object) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise EngineError("stopped")
            child: subprocess.Popen[bytes] = subprocess.Popen(argv, start_new_session=True, **how)  # type: ignore[call-overload]
            self._living.add(child)
        return child

    def end(self, child: subprocess.Popen[bytes]) -> None:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            child.kill()
        child.wait()
        with self._lock:
            self._living.discard(child)

    def done(self, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._living.discard(child)

    def open(self) -> None:
        """Allow starting again after `stop`."""
        with self._lock:
            self._stopped = False

    def stop(self) -> None:
        """End all, and start no more."""
        with self._lock:
            self._stopped, living = True, list(self._living)
        for child in living:
            self.end(child)


CHILDREN = Children()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program printed."""

    output: bytes
    errors: str
    status: int


def command(
    argv: Sequence[str], *, cwd: Path, deadline: float, env: dict[str, str] | None = None, stdin: bytes = b""
) -> Answer:
    """Run a program to its end, with few of this process's variables.

    Raises `EngineError` where it does not start, is out of time, or prints more than a report can hold.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        try:
            child = CHILDREN.start(
                argv, stdin=given, stdout=out, stderr=err, cwd=cwd, env=engine_environment() | (env or {})
            )
        except (OSError, ValueError) as error:
            raise EngineError(f"did not start: {error}") from error
        try:
            while True:
                try:
                    child.wait(_POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    if time.monotonic() > deadline:
                        raise EngineError("out of time") from None
                    if os.fstat(out.fileno()).st_size > MAX_OUTPUT_BYTES:
                        raise EngineError("too much output") from None
        finally:
            if child.poll() is None:
                CHILDREN.end(child)
            CHILDREN.done(child)
        out.seek(0)
        err.seek(0)
        return Answer(
            out.read(MAX_OUTPUT_BYTES), err.read(1 << 16).decode(errors="replace"), child.returncode
        )


def engine_environment() -> dict[str, str]:
    """Neither keys nor anything that makes a program load code from the repository."""
    env = {name: os.environ[name] for name in _KEPT if name in os.environ}
    env["PATH"] = os.pathsep.join(p for p in env.get("PATH", "").split(os.pathsep) if Path(p).is_absolute())
    return env | {"NO_COLOR": "1", "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}


def program(name: str, root: Path | None = None) -> str | None:
    """Where a program is: beside this Python, else on PATH, but never in the examined repository."""
    beside = Path(sys.executable).parent / name
    if beside.is_file() and os.access(beside, os.X_OK):
        return str(beside)
    found = shutil.which(name, path=engine_environment()["PATH"])
    if found is None or (root is not None and Path(found).resolve().is_relative_to(root.resolve())):
        return None
    return found


def batches(paths: Iterable[str], most: int = _BATCH_CHARS) -> Iterator[list[str]]:
    """The paths, each as "./path" so that none is taken for an option, in command lines' worth."""
    batch: list[str] = []
    size = 0
    for path in paths:
        batch.append(f"./{path}")
        size += len(path) + 3
        if size >= most:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def plain(path: str) -> str:
    """A path as an engine gives it, as the repository's own."""
    return path.removeprefix("./")
