"""What one sentence does to work under way: stop it, add to it, ask about it."""

from __future__ import annotations

import pytest

from mybro import events as ev
from mybro.pipeline import effects as do
from tests.test_pipeline_transition import Run, kinds, said, started

pytestmark = pytest.mark.unit


def test_a_stop_is_told_once_all_of_it_is_carried_out() -> None:
    run = Run()
    effects = run.feed(ev.StopAll())
    assert do.Sweep(()) in effects
    assert "Say" not in kinds(effects)
    assert run.state.sweeping == 1
    assert said(run.feed(ev.Swept(0))) == ["Nothing is running."]
    assert run.state.sweeping == 0
    job = started(run)
    assert do.Sweep((job,)) in run.feed(ev.StopAll())
    assert said(run.feed(ev.JobStopped(job))) == ["Stopped."]
    assert said(run.feed(ev.Swept(1))) == []
    run.feed(ev.StopAll())
    left = ev.Swept(0, ("python3 -m http.server", "node"))
    assert said(run.feed(left)) == [
        "Ended what an earlier job had left running: python3 -m http.server and node."
    ]
