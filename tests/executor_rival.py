"""One of several that work in a repository at the same time.

    python -m tests.executor_rival NAME CHECKPOINTS REPO SEED JOBS

Does jobs, undoes and does them again, all by an `Executor`; prints one line for each: what it was and how it
ended.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Callable
from pathlib import Path

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import Answered, Event, JobFailed, JobFinished, JobStopped, Outcome
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.hand import Job, Report
from mybro.executor.jobs import Executor
from mybro.intent import Intent


class Writer:
    """A hand that adds a line to a shared file in two steps, as one does who reads, thinks and writes."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self._name, self._random = name, chance

    def handles(self, intent: Intent) -> bool:
        return True

    async def run(self, job: Job, report: Report) -> Outcome:
        shared = job.repo / "shared.txt"
        known = shared.read_text()
        await asyncio.sleep(self._random.uniform(0.0, 0.05))
        shared.write_text(f"{known}{self._name} {job.number}\n")
        (job.repo / f"{self._name}{job.number}.txt").write_bytes(self._random.randbytes(2000))
        return Outcome("Written.")

    async def stop(self) -> tuple[str, ...]:
        return ()

    async def answer(self, answer: Answered) -> None: ...

    async def aclose(self) -> None: ...


async def work(name: str, root: Path, repo: Path, seed: int, jobs: int, tell: Callable[[str], None]) -> None:
    chance = random.Random(seed)
    ends: asyncio.Queue[Event] = asyncio.Queue()

    async def emit(event: Event) -> None:
        if isinstance(event, JobFinished | JobFailed | JobStopped):
            await ends.put(event)

    store = CheckpointStore(root, repo)
    hands = (Writer(name, chance),)
    executor = Executor(ExecutorSettings(), repo, emit, hands, store, MonotonicClock())
    try:
        for number in range(1, jobs + 1):
            await executor.start(number, number, Intent(kind="task", text="write"))
            tell(f"job {type(await ends.get()).__name__}")
            if chance.random() < 0.3:
                tell(f"undo {(await executor.undo()).ok}")
                if chance.random() < 0.5:
                    tell(f"redo {(await executor.redo()).ok}")
    finally:
        await executor.aclose()


def main() -> None:
    name, root, repo, seed, jobs = sys.argv[1:]

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    asyncio.run(work(name, Path(root), Path(repo), int(seed), int(jobs), tell))


if __name__ == "__main__":
    main()
