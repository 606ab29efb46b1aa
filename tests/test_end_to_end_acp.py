"""The whole program, from a recording of speech to a file, with an agent that speaks ACP as its hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acp_fixtures import find_agent
from tests.claude_api import ScriptedServer, text
from tests.claude_api.replies import tool
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.program import lines, of, processes_with, run
from tests.projects import home, shop
from tests.requirements import need

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = pytest.mark.end_to_end
CREATE = Path(__file__).parent / "audio" / "create_hello.flac"


@pytest.fixture
def acp(claude_bin: str, claude_env: dict[str, str]) -> dict[str, str]:
    agent = find_agent()
    need(agent, "the ACP agent claude-agent-acp: make test brings it, or set MYBRO_ACP_BIN")
    ours = {"MYBRO_EXECUTOR__AGENT": "acp", "MYBRO_EXECUTOR__ACP_COMMAND": str(agent)}
    return {**claude_env, **ours, "CLAUDE_CODE_EXECUTABLE": claude_bin, "MYBRO_BRAIN__PROVIDER": "none"}


def test_spoken_command_to_file(
    acp: dict[str, str], claude_api: ScriptedServer, shop: Path, home: Path
) -> None:
    hello = {"file_path": str(shop / "hello.py"), "content": "print('hello')\n"}
    claude_api.when("prints hello", [tool("Write", hello), text("I wrote hello.py. It prints hello.")])
    done = run("run", "--audio", CREATE, "--json", "--no-voice", home=home, cwd=shop, env=acp)
    assert done.returncode == 0, done.stderr
    assert (shop / "hello.py").read_text() == "print('hello')\n"
    (finished,) = of("JobFinished", lines(done.stdout))
    assert finished["outcome"]["changed"] == ["hello.py"]
    assert finished["outcome"]["summary"] == "I wrote hello.py. It prints hello."
    assert processes_with(home) == []
    undone = run("say", "undo that", home=home, cwd=shop, env=acp)
    assert undone.returncode == 0, undone.stderr
    assert not (shop / "hello.py").exists()


def test_without_its_program_one_sentence_says_so(shop: Path, home: Path) -> None:
    env = {"MYBRO_EXECUTOR__AGENT": "acp", "MYBRO_EXECUTOR__ACP_COMMAND": "no-such-agent --acp"}
    env["MYBRO_BRAIN__PROVIDER"] = "none"
    told = run("say", "add a greeting", "--yes", home=home, cwd=shop, env=env)
    assert told.returncode == 1
    assert "no-such-agent is not installed" in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
    checked = run("check", home=home, cwd=shop, env=env)
    assert "no-such-agent is not there" in checked.stdout
