"""Real kills at any moment: nothing that was accepted is lost, and nothing lives on."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from mybro.demo import RECORDINGS as DEMO
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import text, tool
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.program import RECORDINGS, lines, of, processes_with, run, start
from tests.projects import contents, home, shop
from tests.trials import share

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]

SPOKEN = [DEMO / f"{name}.flac" for name in ("what_is_wrong", "run_the_tests", "fix_the_lint", "rename")]


def none_left(home: Path, within_s: float = 5.0) -> list[psutil.Process]:
    """What still lives of a session, after a grace for the kernel to tell its children."""
    deadline = time.monotonic() + within_s
    while (left := processes_with(home)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def history(home: Path, repo: Path) -> list[dict[str, Any]]:
    done = run("history", "1000", "--json", home=home, cwd=repo)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def read_until_killed(process: subprocess.Popen[str], after_s: float) -> list[dict[str, Any]]:
    """What a session told until a SIGKILL at so many seconds after its first word."""
    assert process.stdout is not None
    told = [json.loads(process.stdout.readline())]
    time.sleep(after_s)
    process.kill()
    rest, _ = process.communicate(timeout=30)
    # The last line may have been cut in the middle.
    return told + [json.loads(line) for line in rest.splitlines() if line.endswith("}")]


@pytest.mark.parametrize("seed", share(range(30), seed=5))
def test_killing_the_program_loses_no_accepted_sentence(seed: int, shop: Path, home: Path) -> None:
    audio = [part for path in SPOKEN for part in ("--audio", path)]
    process = start("run", *audio, "--json", "--no-voice", home=home, cwd=shop)
    told = read_until_killed(process, random.Random(seed).uniform(0.0, 8.0))

    assert none_left(home) == []
    accepted = [item["turn"] for item in of("Intent", told)]
    heard = {item["turn"]: item["text"] for item in of("Transcript", told) if item["final"]}
    kept = {item["turn"]: item["text"] for item in history(home, shop)}
    assert {turn: kept.get(turn) for turn in accepted} == {turn: heard[turn] for turn in accepted}
    # Whatever the kill cut off in the repository can be taken back by the next session.
    assert run("say", "undo the last ten changes", home=home, cwd=shop).returncode == 0


def test_killing_the_recogniser_costs_no_word(shop: Path, home: Path) -> None:
    process = start("hear", RECORDINGS / "human_jfk.flac", "--json", home=home, cwd=shop)
    assert process.stdout is not None
    first = process.stdout.readline()
    for worker in psutil.Process(process.pid).children(recursive=True):
        worker.kill()
    rest, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    words = " ".join(item["text"] for item in of("Transcript", lines(first + rest)) if item["final"])
    whole = run("hear", RECORDINGS / "human_jfk.flac", "--json", home=home, cwd=shop)
    undisturbed = " ".join(i["text"] for i in of("Transcript", lines(whole.stdout)) if i["final"])
    assert words == undisturbed
    assert none_left(home) == []


def test_killing_claude_is_said_and_can_be_undone(
    claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    before = contents(shop)
    half = tool("Write", {"file_path": str(shop / "half.py"), "content": "half = 1\n"})
    wait = tool("Bash", {"command": "python3 -c 'import time; time.sleep(600)'", "description": "Wait"})
    claude_api.when("work slowly", [half, wait, text("Done.")])
    env = {**claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin, "MYBRO_BRAIN__PROVIDER": "none"}
    process = start("say", "work slowly", "--yes", "--json", home=home, cwd=shop, env=env)
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(json.loads(line))
        if (shop / "half.py").exists():
            break
    claude = [
        p for p in processes_with(home) if "claude" in p.name() or "claude" in " ".join(p.cmdline()[:1])
    ]
    assert claude
    for one in claude:
        os.kill(one.pid, signal.SIGKILL)
    rest, errors = process.communicate(timeout=60)
    told += lines(rest)
    assert of("JobFailed", told), errors
    assert process.returncode == 1
    assert none_left(home) == []
    assert run("say", "undo that", home=home, cwd=shop, env=env).returncode == 0
    assert contents(shop) == before


def test_what_was_accepted_and_never_begun_is_offered_again(shop: Path, home: Path) -> None:
    """Killed while a language model thinks about it; the next session offers, and does nothing unasked."""
    before = contents(shop)
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        thinking = {
            "MYBRO_BRAIN__PROVIDER": "openai",
            "MYBRO_BRAIN__OPENAI_BASE_URL": f"http://127.0.0.1:{never_answers.getsockname()[1]}/v1",
            "MYBRO_BRAIN__OPENAI_MODEL": "silent",
            "MYBRO_BRAIN__TIMEOUT_S": "300",
        }
        spoken = DEMO / "add_a_test.flac"
        process = start("run", "--audio", spoken, "--json", "--no-voice", home=home, cwd=shop, env=thinking)
        assert process.stdout is not None
        assert any(json.loads(line)["event"] == "Recorded" for line in process.stdout)
        process.kill()
        process.communicate(timeout=30)
    assert none_left(home) == []
    silence = RECORDINGS.parent / "silence.flac"
    again = run("run", "--audio", silence, "--json", "--no-voice", home=home, cwd=shop)
    told = lines(again.stdout)
    assert of("Recalled", told), again.stderr
    assert not of("JobStarted", told)
    assert contents(shop) == before


def test_what_a_killed_program_had_spent_is_known(
    claude_bin: str, claude_env: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    """In the history, and in the budget of a day, which is passed by no crash."""
    claude_api.weighs = True
    wait = tool("Bash", {"command": "python3 -c 'import time; time.sleep(600)'", "description": "Wait"})
    claude_api.when("work slowly", [wait, text("Done.")])
    env = {
        **claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin, "MYBRO_BRAIN__PROVIDER": "none",
        "MYBRO_EXECUTOR__BUDGET_DAY_USD": "0.15",
    }  # fmt: skip
    process = start("say", "work slowly", "--yes", "--json", home=home, cwd=shop, env=env)
    assert process.stdout is not None
    assert any('"so_far"' in line and json.loads(line).get("so_far") for line in process.stdout)
    time.sleep(1.0)  # the screen is quicker than the disk
    process.kill()
    process.communicate(timeout=30)
    assert none_left(home) == []
    spent = claude_api.charged_usd
    silence = RECORDINGS.parent / "silence.flac"
    assert run("run", "--audio", silence, "--json", "--no-voice", home=home, cwd=shop).returncode == 0
    (job,) = lines(run("history", "costs", "--by", "job", "--json", home=home, cwd=shop).stdout)
    assert job["usd"] == pytest.approx(spent, rel=0.1)
    again = run("say", "work slowly", "--yes", home=home, cwd=shop, env=env)
    assert "coding budget of 0.15 dollars" in again.stdout + again.stderr
    assert 0.02 < spent <= claude_api.charged_usd <= 0.15
