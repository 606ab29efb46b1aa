"""The packages of the repository's project: added, removed, upgraded, looked after."""

from __future__ import annotations

import asyncio
import concurrent.futures
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mybro.errors import ExecutorError, MybroError, PackagesError
from mybro.events import Choice, Outcome
from mybro.executor.actions.work import Work, plain
from mybro.executor.words import count_words, listed
from mybro.ops.kept import uninterrupted
from mybro.packages.known import managers_of, written
from mybro.packages.manager import TIMEOUT_S
from mybro.packages.room import Packages

T = TypeVar("T")

_MOST_BYTES = 8 << 20
"""Kept of what a tool prints."""
_DEV = re.compile(r"\bdev(?:elopment)?\b", re.IGNORECASE)
_SHELL = 'exec "$@" >"$0/out" 2>"$0/err"'
_DONE = {"add": ("adding", "Added"), "remove": ("removing", "Removed"), "upgrade": ("upgrading", "Upgraded")}


async def add(work: Work) -> Outcome:
    """Add what was named, unless the rules forbid it."""
    return await _change(work, "add")


async def remove(work: Work) -> Outcome:
    return await _change(work, "remove")


async def upgrade(work: Work) -> Outcome:
    """Upgrade what was named; without a name everything, whatever manager it is of."""
    if work.arguments.name:
        return await _change(work, "upgrade")
    managers = [each.name for each in await _asked(work, Packages.managers)]
    for manager in managers:
        await _asked(work, lambda room, one=manager: room.change("upgrade", (), manager=one))  # type: ignore[misc]
    return Outcome(f"Upgraded everything with {listed(managers)}.")


async def outdated(work: Work) -> Outcome:
    """Tell of which direct dependencies there are newer versions."""
    rows = await _asked(work, Packages.outdated)
    if not rows:
        return Outcome("Every package is up to date.")
    newer = "There is a newer version of" if len(rows) == 1 else f"There are newer versions of {len(rows)}:"
    said = f"{newer} {listed([row.name for row in rows])}."
    return Outcome(said, detail="\n".join(row.sentence() for row in rows))


async def audit(work: Work) -> Outcome:
    """Tell what is known to be weak of what is in use."""
    rows = await _asked(work, Packages.audit)
    if not rows:
        return Outcome("No weakness is known.")
    names = listed(list(dict.fromkeys(row.name for row in rows)))
    known = count_words(len(rows), "known weakness", "known weaknesses")
    lines = [
        f"{row.name}: {row.title} ({row.severity}; fixed in {row.fixed_in or 'no version'})" for row in rows
    ]
    return Outcome(f"{known}, in {names}.", ok=False, detail="\n".join(map(plain, lines)))


async def _change(work: Work, verb: str) -> Outcome:
    names = [written(name) or name for name in (work.arguments.name or "").split()]
    if not names:
        raise ExecutorError("no_names", f"which packages to {verb} was not said")
    manager = await _manager(work, names, verb)
    doing, done = _DONE[verb]
    await work.step(f"{doing} {listed(names, len(names))} with {manager}")
    forbidden = await _asked(work, lambda room: room.forbidden(manager, names)) if verb == "add" else None
    if forbidden is not None:
        name, technology = forbidden
        use = f"Use {technology.instead} instead" if technology.instead else ""
        known = "" if name.casefold() == technology.name.casefold() else f", which {name} is"
        raise ExecutorError("forbidden", f"your rules forbid {technology.name}{known}", hint=use)
    dev = verb != "upgrade" and _DEV.search(work.job.intent.text) is not None
    await _asked(work, lambda room: room.change(verb, names, dev=dev, manager=manager, anyway=True))
    return Outcome(f"{done} {listed(names)} with {manager}.")


async def _manager(work: Work, names: Sequence[str], verb: str) -> str:
    """Which tool it is for: the only one, the one whose packages have these names, or the one that is chosen.

    Raises `ExecutorError`: needs_agent where no manifest says which packages there are.
    """
    try:
        found = [each.name for each in await _asked(work, Packages.managers)]
    except ExecutorError as error:
        if error.code == "no_manifest":
            raise ExecutorError("needs_agent", error.message) from error
        raise
    fitting = [each for each in found if all(each in managers_of(name) for name in names)]
    if len(found) == 1 or len(fitting) == 1:
        return (fitting or found)[0]
    answer = await work.ask(f"With {' or '.join(found)}?", [Choice(each) for each in found])
    if answer is None:
        raise ExecutorError("not_chosen", f"nothing to {verb}, since I do not know with which tool")
    return answer


async def _asked(work: Work, question: Callable[[Packages], T]) -> T:
    """Have the room do something in a thread; its commands are the job's, and die with it.

    Raises `ExecutorError`.
    """
    commands = _Commands(work)
    room = Packages(work.repo, commands)
    thread = asyncio.ensure_future(asyncio.to_thread(question, room))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        commands.stop()
        await uninterrupted(asyncio.wait({thread}))
        raise
    except ExecutorError:
        raise
    except MybroError as error:
        # What the tool advises is shown, not said.
        message, _, advice = plain(error.message).partition(" hint: ")
        raise ExecutorError(
            error.code, message, hint=error.hint or advice, retryable=error.retryable
        ) from error


class _Commands:
    """Runs a thread's commands as those of a job, one at a time."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[subprocess.CompletedProcess[str]] | None = None
        self._stopped = False

    def __call__(
        self, argv: Sequence[str], folder: Path, env: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """See `Runner`; called from the thread. The job's own environment is the one that counts."""
        if shutil.which(argv[0]) is None:
            raise FileNotFoundError(argv[0])
        done: concurrent.futures.Future[subprocess.CompletedProcess[str]] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(self._begin, argv, done)
        return done.result()

    def stop(self) -> None:
        """End the command under way; the thread learns of it once the command is dead."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()

    def _begin(
        self, argv: Sequence[str], done: concurrent.futures.Future[subprocess.CompletedProcess[str]]
    ) -> None:
        def ended(task: asyncio.Task[subprocess.CompletedProcess[str]]) -> None:
            if task.cancelled():
                done.set_exception(PackagesError("stopped", "it was stopped"))
            elif (error := task.exception()) is not None:
                done.set_exception(error)
            else:
                done.set_result(task.result())

        self._task = self._loop.create_task(self._run(argv))
        self._task.add_done_callback(ended)
        if self._stopped:
            self._task.cancel()

    async def _run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryDirectory(prefix="mybro-") as folder:
            # The virtual environment that mybro runs in is not the project's.
            apart = ("env", "-u", "VIRTUAL_ENV", "sh", "-c", _SHELL, folder)
            result = await self._work.run(*apart, *argv, timeout_s=TIMEOUT_S, quiet=True)
            told = [_text(Path(folder) / name) for name in ("out", "err")]
        return subprocess.CompletedProcess(list(argv), result.returncode, *told)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")
