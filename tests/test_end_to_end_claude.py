"""A spoken command becomes a file by the real Claude Code CLI, and "undo that" removes it again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.demo import RECORDINGS as DEMO
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import text, tool
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.program import RECORDINGS, lines, of, processes_with, run
from tests.projects import contents, git, home, shop

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = pytest.mark.end_to_end

YES = RECORDINGS / "24_piper_joe.flac"
NO = RECORDINGS / "25_piper_joe.flac"
CREATE = Path(__file__).parent / "audio" / "create_hello.flac"


@pytest.fixture
def claude(claude_bin: str, claude_env: dict[str, str]) -> dict[str, str]:
    return {**claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin, "MYBRO_BRAIN__PROVIDER": "none"}


def test_spoken_command_to_file_and_back(
    claude: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    before, head = contents(shop), git(shop, "rev-parse", "HEAD")
    hello = {"file_path": str(shop / "hello.py"), "content": "print('hello')\n"}
    claude_api.when("prints hello", [tool("Write", hello), text("I wrote hello.py. It prints hello.")])

    done = run("run", "--audio", CREATE, "--json", "--no-voice", home=home, cwd=shop, env=claude)

    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    assert (shop / "hello.py").read_text() == "print('hello')\n"
    (finished,) = of("JobFinished", told)
    assert finished["outcome"]["changed"] == ["hello.py"]
    assert any("hello.py" in said["text"] for said in of("SayStarted", told))
    assert git(shop, "rev-parse", "HEAD") == head

    undone = run(
        "run", "--audio", DEMO / "undo.flac", "--json", "--no-voice", home=home, cwd=shop, env=claude
    )

    assert undone.returncode == 0, undone.stderr
    assert contents(shop) == before
    assert processes_with(home) == []


def test_typed_task_asks_before_a_command_and_takes_no_for_an_answer(
    claude: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    remove = tool("Bash", {"command": "rm -rf tests", "description": "Remove the tests"})
    claude_api.when("tidy up", [remove, text("I left the tests alone.")])

    done = run("say", "tidy up the project", "--yes", "--json", home=home, cwd=shop, env=claude)

    (asked,) = of("JobAsked", lines(done.stdout))
    assert asked["risk"] == "destructive"
    assert (shop / "tests").is_dir()
    assert done.returncode == 1


def test_a_spoken_yes_allows_a_command_and_is_journaled(
    claude: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    touch = tool("Bash", {"command": "touch -r . asked.txt", "description": "Touch a file"})
    claude_api.when("prints hello", [touch, text("I touched it.")])

    done = run("run", "--audio", CREATE, YES, "--json", "--no-voice", home=home, cwd=shop, env=claude)

    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    (asked,) = of("JobAsked", told)
    assert "touch" in asked["text"]
    assert [(a["question"], a["yes"], a["by"]) for a in of("Answered", told)] == [
        (asked["question"], True, "voice")
    ]
    assert (shop / "asked.txt").exists()
    (row, *_) = [
        json.loads(line) for line in run("history", "--json", home=home, cwd=shop).stdout.splitlines()
    ]
    (permission,) = row["jobs"][0]["permissions"]
    assert permission["answer"] == "yes"


def test_a_plain_spoken_yes_does_not_destroy(
    claude: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    remove = tool("Bash", {"command": "rm -rf tests", "description": "Remove the tests"})
    claude_api.when("prints hello", [remove, text("I removed the tests.")])

    done = run("run", "--audio", CREATE, YES, NO, "--json", "--no-voice", home=home, cwd=shop, env=claude)

    told = lines(done.stdout)
    assert any("tests" in said["text"] for said in of("SayStarted", told))
    assert [answer["yes"] for answer in of("Answered", told)] == [False]
    assert (shop / "tests").is_dir()


def test_an_agent_speaks_and_reads_the_journal_with_our_own_tools(
    claude: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    say = tool("mcp__mybro__speak", {"text": "The build is slow today."})
    look = tool("mcp__mybro__journal", {"limit": 3})
    claude_api.when("prints hello", [say, look, text("I told you.")])

    done = run("run", "--audio", CREATE, "--json", "--no-voice", home=home, cwd=shop, env=claude)

    assert done.returncode == 0, done.stderr
    told = lines(done.stdout)
    assert "The build is slow today." in [said["text"] for said in of("SayStarted", told)]
    assert of("JobAsked", told) == []
    results = json.dumps(claude_api.requests[-1].body["messages"])
    assert "It will be said." in results
    assert "utterances" not in results
    assert "print" in results.rpartition("tool_result")[2]
