"""Where agents that are not Claude Code keep what is theirs, and that they are held or asked about."""

from __future__ import annotations

from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.acp import hand
from mybro.executor.acp.shelter import login_variables, own_places
from mybro.executor.claude.sandbox import working
from tests.fakes.acp import AcpDesk
from tests.fakes.claude import no, yes
from tests.requirements import need

pytest_plugins = ["tests.acp_fixtures"]
pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("argv", "found"),
    [
        (("/usr/bin/gemini", "--acp"), [".gemini"]),
        (("/usr/bin/npx", "-y", "@google/gemini-cli@1.2.3", "--acp"), [".gemini"]),
        (("/opt/bin/goose", "acp"), [".config/goose", ".local/share/goose"]),
        (("/usr/bin/node", "/opt/lib/codex-acp.js"), [".codex"]),
        (("/usr/bin/ssh", "host", "config", "local"), []),
        (("/usr/bin/gh", "docker", "aws", "gnupg"), []),
    ],
)
def test_what_is_an_agents_own(argv: tuple[str, ...], found: list[str], tmp_path: Path) -> None:
    places = (".gemini", ".codex", ".config/goose", ".local/share/goose", ".ssh", ".docker", ".aws", ".gnupg")
    for place in (*places, ".config/gh", ".local/share/keyrings", ".cache"):
        (tmp_path / place).mkdir(parents=True)
    assert own_places(argv, {"HOME": str(tmp_path)}) == tuple(tmp_path / place for place in found)


def test_with_what_agents_reach_their_models() -> None:
    env = dict.fromkeys(
        ("GEMINI_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "GITHUB_TOKEN", "MY_API_KEY", "HOME"),
        "x",
    )
    assert login_variables(env) == {"GEMINI_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"}


async def test_an_agent_that_asks_nobody_is_held(fake_desk: AcpDesk, tmp_path: Path) -> None:
    need(working(), "bubblewrap or Landlock")
    assert fake_desk.settings.sandbox == "auto"
    canary = tmp_path / "canary"
    canary.write_text("alive")
    inside = fake_desk.repo / "inside"
    await fake_desk.do(f"run echo dead > {canary}; rm -f {canary}; echo x > {inside}")
    assert (canary.read_text(), inside.read_text()) == ("alive", "x\n")
    assert fake_desk.asked == []


async def test_where_nothing_can_hold_it_a_person_is_asked(
    fake_desk: AcpDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hand, "find_sandbox", lambda _mode: None)
    fake_desk.reply = no
    with pytest.raises(ExecutorError, match="no sandbox would hold it") as error:
        await fake_desk.do("say hello")
    assert error.value.code == "no_sandbox"
    fake_desk.reply = yes
    assert (await fake_desk.do("say hello")).summary == "hello."
    assert (await fake_desk.do("say hello")).summary == "hello."
    assert [asked.risk for asked in fake_desk.asked] == ["destructive", "destructive"]
