"""Four coding agents at once, each with the real CLI in a working tree of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mybro import events as ev
from mybro.config import load_settings
from mybro.executor.worktrees import Worktrees
from mybro.pipeline.session import session
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import Reply, text, tool
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.program import processes_with
from tests.projects import shop

__all__ = ["claude_api", "claude_bin", "claude_env", "shop"]
pytestmark = pytest.mark.end_to_end

NAMES = ("second", "parser", "docs")
LIMIT_S = 120


def met(together: threading.Barrier, steps: list[Reply]) -> Callable[[int, int], Reply]:
    """These steps, of which the first waits until all are at work."""

    def play(step: int, tries: int) -> Reply:
        if step == 0 and tries == 1:
            together.wait(LIMIT_S)
        return steps[min(step, len(steps) - 1)]

    return play


async def test_four_agents_work_at_once_and_their_work_is_merged(
    claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for name, value in claude_env.items():
        if name != "PATH":
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    places = {"": shop, **{name: Worktrees(shop).provide(name) for name in NAMES}}
    together = threading.Barrier(len(places))
    for name, place in places.items():
        file = {"file_path": str(place / f"{name or 'first'}.py"), "content": f"name = {name!r}\n"}
        steps = [tool("Write", file), text(f"I wrote {name or 'first'}.py.")]
        claude_api.when(f"a file for {name or 'first'}", met(together, steps))
    settings = load_settings(
        {
            "brain": {"provider": "none"}, "speak": {"backend": "none", "notify": False},
            "executor": {"claude_path": claude_bin},
        }
    )  # fmt: skip
    ended: asyncio.Queue[ev.Event] = asyncio.Queue()
    at_work, most = 0, 0

    def watch(envelope: ev.Envelope) -> None:
        nonlocal at_work, most
        match envelope.event:
            case ev.JobStarted():
                at_work += 1
                most = max(most, at_work)
            case ev.JobFinished() | ev.JobFailed() | ev.JobStopped():
                at_work -= 1
                ended.put_nowait(envelope.event)

    async with session(settings, shop, (watch,), ears=False) as running:

        async def say(sentence: str) -> None:
            await running.pipeline.post(ev.Typed(running.pipeline.next_turn(), sentence))

        async def end() -> ev.JobFinished:
            event = await asyncio.wait_for(ended.get(), LIMIT_S)
            assert isinstance(event, ev.JobFinished), event
            return event

        await say("write a file for first")
        for name in NAMES:
            await say(f"{name} agent, write a file for {name}")
        summaries = [(await end()).outcome.summary for _ in places]
        assert any(said.startswith("Parser agent: ") for said in summaries), summaries
        assert most == len(places)
        assert (shop / "first.py").exists()
        for name in NAMES:
            assert not (shop / f"{name}.py").exists()
            assert (places[name] / f"{name}.py").read_text() == f"name = {name!r}\n"
        for name in NAMES:
            await say(f"merge the {name} agent's work")
            assert (await end()).outcome.ok
            assert (shop / f"{name}.py").exists()
    assert Worktrees(shop).all() == []
    assert processes_with(Path(claude_env["HOME"])) == []
