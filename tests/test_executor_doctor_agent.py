"""What the doctor found, mended by the real CLI against a scripted model, within one job."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mybro.brain import grammar
from mybro.events import Event, JobProgressed
from mybro.executor.actions import checkup
from mybro.executor.hand import Job
from mybro.executor.local import LocalHand
from mybro.executor.running import Router, Running
from tests.claude_api import ScriptedServer, bash, text, tool
from tests.fakes.claude import Desk

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.end_to_end


async def test_an_agent_mends_what_the_doctor_found_and_the_doctor_looks_again(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    cart = desk.repo / "cart.py"
    cart.write_text("def total(cart=[]):\n    return sum(cart)\n")
    events: list[Event] = []
    numbers = itertools.count(1)

    async def report(event: Event) -> None:
        events.append(event)

    router = Router([LocalHand(desk.settings), desk.hand])

    async def say(words: str) -> str:
        intent = grammar.parse(words)
        assert intent is not None
        job = Job(next(numbers), 1, intent, desk.repo, lambda: next(numbers))
        return (await router.run(Running(job, reads=False), report)).summary

    await say("how healthy is this repo")
    known = checkup.remembered(desk.repo)
    assert known is not None
    number = [entry.id for entry in known.important].index("PY04") + 1
    edit = {"file_path": str(cart), "old_string": "cart=[]", "new_string": "cart=()"}
    claude_api.when(
        "PY04",
        [tool("Read", {"file_path": str(cart)}), tool("Edit", edit), text("A tuple stands there now.")],
    )
    told = await say(f"let Claude fix number {number}")
    assert told == "A tuple stands there now. The doctor finds nothing of it any more."
    assert "cart=()" in cart.read_text()
    steps = [event.text for event in events if isinstance(event, JobProgressed) and event.kind == "step"]
    assert steps.count("the doctor is looking again") == 2 and steps[-1] == "the doctor is looking again"
    claude_api.when("DC02", [bash("true"), text("That needs a decision.")])
    assert (await say("let Claude fix the rest")).startswith("That needs a decision. The doctor still finds ")
    await router.aclose()
