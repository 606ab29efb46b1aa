"""Four agents at work at the same time, each the real CLI in a working tree of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import Event, JobFailed, JobFinished, JobStarted, JobStopped
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.claude.hand import ClaudeHand
from mybro.executor.claude.store import FileSessionStore
from mybro.executor.crew import Crew
from mybro.executor.hand import Report
from mybro.executor.jobs import Executor
from mybro.executor.worktrees import Worktrees
from mybro.intent import Intent
from tests.claude_api import ScriptedServer, bash, text, tool
from tests.claude_api.replies import Reply

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.end_to_end

NAMES = ("first", "docs", "parser", "numbers")
LIMIT_S = 240


def script(name: str) -> list[Reply]:
    """Change the file that all have, make one of one's own, look at both."""
    edit = {"file_path": "parser.py", "old_string": "line.split()", "new_string": f"line.split('{name}')"}
    own = {"file_path": f"{name}.txt", "content": f"{name}\n"}
    return [
        tool("Read", {"file_path": "parser.py"}),
        tool("Edit", edit),
        tool("Write", own),
        bash(f"cat parser.py {name}.txt"),
        text(f"The {name} work is done."),
    ]


async def test_four_agents_at_once(
    claude_bin: str, claude_env: dict[str, str], claude_repo: Path, claude_api: ScriptedServer,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    together = threading.Barrier(len(NAMES))
    for name in NAMES:
        steps = script(name)

        def play(step: int, tries: int, steps: list[Reply] = steps) -> Reply:
            if step == 1 and tries == 1:
                together.wait(LIMIT_S)  # nobody goes on before all four are in the middle of their work
            return steps[min(step, len(steps) - 1)]

        claude_api.when(f"the {name} work", play)
    settings = ExecutorSettings(claude_path=claude_bin, rules="off")
    ends: dict[int, Event] = {}
    started: list[JobStarted] = []
    all_ended = asyncio.Event()

    async def emit(event: Event) -> None:
        if isinstance(event, JobStarted):
            started.append(event)
        if isinstance(event, JobFinished | JobFailed | JobStopped):
            ends[event.job] = event
            if len(ends) == len(NAMES):
                all_ended.set()

    def build(place: Path, report: Report, questions: Iterator[int]) -> Executor:
        store = FileSessionStore(tmp_path / "sessions")
        hand = ClaudeHand(settings, MonotonicClock(), env=claude_env, store=store)
        checkpoints = CheckpointStore(tmp_path / "data" / "checkpoints", place)
        return Executor(settings, place, report, (hand,), checkpoints, MonotonicClock(), questions)

    crew = Crew(claude_repo, emit, build)
    try:
        for number, name in enumerate(NAMES, 1):
            agent = None if name == "first" else name
            await crew.start(number, number, Intent(kind="task", text=f"do the {name} work", agent=agent))
        async with asyncio.timeout(LIMIT_S):
            await all_ended.wait()
        assert {type(event) for event in ends.values()} == {JobFinished}
        assert len({request.headers["x-claude-code-session-id"] for request in claude_api.requests}) == 4
        trees = Worktrees(claude_repo)
        for name in NAMES:
            place = claude_repo if name == "first" else trees.get(name).path
            assert f"split('{name}')" in (place / "parser.py").read_text()
            assert [file.name for file in place.glob("*.txt")] == [f"{name}.txt"]
    finally:
        await crew.aclose()
