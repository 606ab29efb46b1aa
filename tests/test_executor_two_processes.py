"""Two mybro processes in one repository: they take turns, and neither harms what the other did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mybro.executor.checkpoint import CheckpointStore, History
from tests.claude_api import ScriptedServer, bash, text, write
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.executor_tools import new_repository
from tests.fakes.executor import GIT_ENVIRONMENT, git_image, image
from tests.program import lines, of, processes_with, run, start
from tests.projects import contents, home, shop
from tests.trials import share

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]
ROOT = Path(__file__).parent.parent

WAIT = "import time, unittest\nclass Slow(unittest.TestCase):\n    def test(self):\n        time.sleep({})\n"
RENAME = "rename user id to account id"


@pytest.fixture
def env(
    claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path
) -> dict[str, str]:
    half = write(shop / "half.py", "half = 1\n")
    done = write(shop / "whole.py", "whole = 2\n")
    claude_api.when("work slowly", [half, bash("python3 -m unittest slow"), done, text("Done.")])
    return {**claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin, "MYBRO_BRAIN__PROVIDER": "none"}


def until(process: subprocess.Popen[str], event: str, **fields: str) -> list[dict[str, Any]]:
    """Read what a program tells up to such an event."""
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if told[-1]["event"] == event and all(word in told[-1][key] for key, word in fields.items()):
            return told
    raise AssertionError(f"no {event} among {[item['event'] for item in told]}")


def test_one_waits_for_the_other_and_both_can_be_undone(env: dict[str, str], shop: Path, home: Path) -> None:
    (shop / "slow.py").write_text(WAIT.format(2))
    before = contents(shop)
    first = start("say", "please work slowly", "--json", home=home, cwd=shop, env=env)
    until(first, "JobProgressed", text="half.py")
    second = run("say", RENAME, "--json", home=home, cwd=shop, env=env)
    rest, errors = first.communicate(timeout=60)

    assert first.returncode == second.returncode == 0, errors + second.stderr
    (finished,) = of("JobFinished", lines(rest))
    assert sorted(finished["outcome"]["changed"]) == ["half.py", "whole.py"], "the rename is not the first's"
    (renamed,) = of("JobFinished", lines(second.stdout))
    assert not {"half.py", "whole.py"} & set(renamed["outcome"]["changed"])
    waited = [item["text"] for item in of("JobProgressed", lines(second.stdout))]
    assert any("another mybro" in words for words in waited)
    undoing = [start("say", "undo that", "--json", home=home, cwd=shop, env=env) for _ in range(2)]
    for process in undoing:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert contents(shop) == before
    assert processes_with(home) == []


def test_the_second_goes_on_where_the_first_is_killed(env: dict[str, str], shop: Path, home: Path) -> None:
    (shop / "slow.py").write_text(WAIT.format(60))
    before = contents(shop)
    first = start("say", "please work slowly", "--json", home=home, cwd=shop, env=env)
    until(first, "JobProgressed", text="half.py")
    second = start("say", RENAME, "--json", home=home, cwd=shop, env=env)
    until(second, "JobProgressed", text="another mybro")
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    rest, errors = second.communicate(timeout=60)

    assert second.returncode == 0, errors
    assert of("JobFinished", lines(rest))[0]["outcome"]["ok"]
    assert b"account_id" in contents(shop)["shop/prices.py"]
    assert run("say", "undo the last two changes", home=home, cwd=shop, env=env).returncode == 0
    assert contents(shop) == before
    assert processes_with(home) == []


@pytest.mark.parametrize("seed", share(range(20), 8))
def test_jobs_undo_and_redo_at_once(seed: int, tmp_path: Path) -> None:
    repo = new_repository(tmp_path / "shop", {"shared.txt": "begin\n"})
    was = image(repo), git_image(repo)
    root, jobs = tmp_path / "checkpoints", 8
    rivals = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.executor_rival", name, root, repo, str(seed + n), str(jobs)],
            cwd=ROOT, env={"PATH": os.environ["PATH"], **GIT_ENVIRONMENT}, stdout=subprocess.PIPE, text=True,
        )
        for n, name in enumerate(("ann", "bob"))
    ]  # fmt: skip
    told = [rival.communicate(timeout=120)[0].splitlines() for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0]
    for lines_of_one in told:
        assert lines_of_one.count("job JobFinished") == jobs
        assert not [line for line in lines_of_one if line.endswith("False")]
    history = History(CheckpointStore(root, repo))
    assert history.recover() == [], "a job was left open"
    done = [step.number for step in history.steps("done")]
    assert (repo / "shared.txt").read_text().count("\n") == len(done) + 1, "a line was lost"
    assert [undone.kept for _, undone in history.undo(len(done))] == [()] * len(done)
    assert (image(repo), git_image(repo)) == was
    history.close()
