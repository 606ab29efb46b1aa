"""What work cost, told while it goes on and after a stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro import events as ev
from mybro.pipeline.session import Session
from mybro.pipeline.state import JobPhase
from tests.claude_api import ScriptedServer, bash, text, write
from tests.whole_session import (
    SLOW,
    Told,
    claude_api,
    claude_bin,
    claude_env,
    retries,
    running,
    shop,
    told,
    type_in,
    until,
)

__all__ = ["claude_api", "claude_bin", "claude_env", "retries", "running", "shop", "told"]
pytestmark = pytest.mark.end_to_end


async def test_a_job_that_is_stopped_has_cost_something_all_the_same(
    running: Session, told: Told, claude_api: ScriptedServer, shop: Path
) -> None:
    (shop / "slow.py").write_text(SLOW.format(60))
    half = write(shop / "half.py", "half = 1\n", usage={"input_tokens": 50_000})
    claude_api.when("work slowly", [half, bash("python3 -m unittest slow"), text("Done.")])
    await type_in(running, "please work slowly")
    await until(lambda: "unittest" in told.steps())
    await type_in(running, "what did that cost?")
    await until(lambda: "Nothing here has cost anything yet. What is at work counts when it" in told.said())
    (job,) = running.pipeline.state.jobs.values()
    assert job.phase is JobPhase.RUNNING
    await type_in(running, "stop")
    await running.pipeline.settled()
    stopped = told.end()
    assert isinstance(stopped, ev.JobStopped)
    assert stopped.outcome is not None
    assert stopped.outcome.cost_usd > 0.2
    assert stopped.outcome.changed == ("half.py",)
    for asked in ("what did that cost?", "how much have you spent today?"):
        told.events.clear()
        await type_in(running, asked)
        await running.pipeline.settled()
        assert "cost 2" in told.said() and "cents" in told.said()
    told.events.clear()
    await type_in(running, "how much budget is left?")
    await until(lambda: "No budget is set, so coding may cost any amount." in told.said())
    (day,) = await running.journal.costs()
    assert day.usd == pytest.approx(stopped.outcome.cost_usd)
