"""What an agent is told of the rules, and what becomes of its work that breaks them: the real agents."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mybro.clock import MonotonicClock
from mybro.config import ExecutorSettings
from mybro.events import Event, JobFailed, JobFinished, JobStopped, Outcome
from mybro.executor.checkpoint import CheckpointStore
from mybro.executor.jobs import Executor
from mybro.executor.rulings import broken_by
from mybro.executor.written import Written
from mybro.intent import Intent
from tests.claude_api import ScriptedServer, bash, text, write
from tests.fakes.acp import AcpDesk
from tests.fakes.claude import Desk

pytest_plugins = ["tests.claude_fixtures", "tests.acp_fixtures"]
pytestmark = pytest.mark.integration

FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
FASTAPI = "from fastapi import FastAPI\n\napp = FastAPI()\n"
BROKEN = "It uses Flask, which your rules forbid."


@pytest.fixture(autouse=True)
def no_rules_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "settings" / "config.toml"))


async def do(desk: Desk, words: str, *, stop_at: str = "") -> Event:
    """The end of a job that has its checkpoints; it is stopped once the agent has been told so much."""
    ends: asyncio.Queue[Event] = asyncio.Queue()
    heard = asyncio.Event()

    async def emit(event: Event) -> None:
        desk.events.append(event)
        if stop_at and stop_at in "".join(desk.progress("words")):
            heard.set()
        if isinstance(event, JobFailed | JobFinished | JobStopped):
            await ends.put(event)

    store = CheckpointStore(desk.repo.parent / "checkpoints", desk.repo)
    executor = Executor(desk.settings, desk.repo, emit, (desk.hand,), store, MonotonicClock())
    try:
        await executor.start(1, 1, Intent(kind="task", text=words))
        async with asyncio.timeout(120):
            if stop_at:
                await heard.wait()
                await executor.stop()
            return await ends.get()
    finally:
        await executor.aclose()


def outcome(event: Event) -> Outcome:
    assert isinstance(event, JobFinished), event
    return event.outcome


def mode(desk: Desk, rules: str, **more: object) -> None:
    desk.settings = desk.settings.model_copy(update={"rules": rules, **more})
    desk.hand = desk.new_hand()


async def test_what_breaks_the_rules_is_mended_in_the_same_session(
    desk: Desk, claude_api: ScriptedServer
) -> None:
    file = desk.repo / "server.py"
    claude_api.when("web server", [write(file, FLASK), text("I added a server with Flask.")])
    claude_api.when("breaks rules", [write(file, FASTAPI), text("There is a server with FastAPI now.")])
    done = outcome(await do(desk, "add a web server"))
    assert done.summary == "There is a server with FastAPI now."
    assert file.read_text() == FASTAPI
    assert done.changed == ("server.py",)
    assert done.input_tokens == 4000
    assert len({request.headers["x-claude-code-session-id"] for request in claude_api.requests}) == 1
    assert "web backend: use FastAPI" in claude_api.requests[0].system


async def test_what_still_breaks_them_is_told_and_nothing_more_is_asked(
    desk: Desk, claude_api: ScriptedServer
) -> None:
    file = desk.repo / "server.py"
    claude_api.when("web server", [write(file, FLASK), text("I added a server.")])
    claude_api.when("breaks rules", [text("I left it as it is.")])
    done = outcome(await do(desk, "add a web server"))
    assert done.summary == f"I left it as it is. {BROKEN}"
    assert "server.py:1: from flask import Flask (Flask); use FastAPI" in done.detail
    assert len(claude_api.requests) == 3


async def test_rules_that_are_only_told(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("web server", [write(desk.repo / "server.py", FLASK), text("I added a server.")])
    mode(desk, "tell")
    assert outcome(await do(desk, "add a web server")).summary == f"I added a server. {BROKEN}"
    assert len(claude_api.requests) == 2


async def test_rules_that_are_off(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("web server", [write(desk.repo / "server.py", FLASK), text("I added a server.")])
    mode(desk, "off")
    assert outcome(await do(desk, "add a web server")).summary == "I added a server."
    assert len(claude_api.requests) == 2
    assert "web backend: use FastAPI" not in claude_api.requests[-1].system


async def test_what_stood_before_and_what_is_made_by_commands(desk: Desk, claude_api: ScriptedServer) -> None:
    old = desk.repo / "old.py"
    old.write_text(FLASK)
    claude_api.when("comment", [bash("echo '# old' >> old.py"), text("Done.")])
    assert outcome(await do(desk, "add a comment")).summary == "Done."
    mode(desk, "tell")
    claude_api.when("by hand", [bash("echo 'import flask' > new.py"), text("Done.")])
    assert outcome(await do(desk, "make it by hand")).summary == f"Done. {BROKEN}"


async def test_an_empty_purse_ends_the_mending_not_the_job(desk: Desk, claude_api: ScriptedServer) -> None:
    mode(desk, "mend", budget_usd=0.22)
    large = {"input_tokens": 20_000}
    steps = [write(desk.repo / "server.py", FLASK, usage=large), text("I added a server.", usage=large)]
    claude_api.when("web server", steps)
    claude_api.when("breaks rules", [write(desk.repo / "server.py", FASTAPI), text("Changed.")])
    done = outcome(await do(desk, "add a web server"))
    assert done.summary == f"I added a server. {BROKEN}"
    assert len(claude_api.requests) == 2
    assert done.cost_usd > 0


async def test_stop_ends_the_mending(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("web server", [write(desk.repo / "server.py", FLASK), text("I added a server.")])
    claude_api.when("breaks rules", [text("word " * 400, word_delay_s=0.05)])
    assert isinstance(await do(desk, "add a web server", stop_at="word word"), JobStopped)


async def test_rules_that_cannot_be_read_are_told_of_once(desk: Desk, claude_api: ScriptedServer) -> None:
    (desk.repo / ".mybro").mkdir()
    (desk.repo / ".mybro" / "rules.toml").write_text("[[rule]\n")
    claude_api.when("web server", [write(desk.repo / "server.py", FLASK), text("I added a server.")])
    done = outcome(await do(desk, "add a web server"))
    assert done.summary == "I added a server. I worked without your rules, which cannot be read."
    assert "rules.toml is not TOML" in done.detail
    assert (await desk.do("another web server")).summary == "I added a server."


async def test_an_agent_cannot_lift_a_rule_that_it_breaks(desk: Desk, claude_api: ScriptedServer) -> None:
    mode(desk, "tell")
    lifting = '[[rule]]\nid = "web-backend"\noff = true\n\n[[rule]]\nid = "forbidden"\noff = true\n'
    claude_api.when(
        "web server",
        [
            write(desk.repo / ".mybro" / "rules.toml", lifting),
            write(desk.repo / "server.py", FLASK),
            text("I added a server."),
        ],
    )
    assert outcome(await do(desk, "add a web server")).summary == f"I added a server. {BROKEN}"


@pytest.mark.parametrize("kind", ["claude", "acp"])
async def test_rules_that_change_reach_a_session_that_goes_on(
    kind: str, desk: Desk, acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    """Though an agent holds on to the system prompt with which its session began."""
    desk = desk if kind == "claude" else acp_desk
    claude_api.when("hello", [text("Hello.")])

    def forbids(what: str) -> None:
        rules = desk.repo / ".mybro" / "rules.toml"
        rules.parent.mkdir(exist_ok=True)
        rules.write_text(f'[[rule]]\nid = "web-backend"\nneed = "{what}"\nuse = ["FastAPI"]\n')

    def told() -> str:
        # An agent that looks for a title asks without tools, whenever it likes.
        asked = [each.body for each in claude_api.requests if each.body.get("tools")]
        return str(asked[-1]["messages"][-1])

    forbids("leftpad")
    first = await desk.do("hello there")
    forbids("rightpad")
    second = await desk.do("hello again")
    assert "rightpad" in told()
    assert "leftpad" not in told()
    assert "instructions have changed" in told()
    await desk.do("hello once more")
    assert "instructions have changed" not in told()
    await desk.hand.aclose()
    forbids("upperpad")
    desk.hand = desk.new_hand()
    third = await desk.do("hello after a restart")
    assert "upperpad" in told()
    assert first.session == second.session == third.session


async def test_an_acp_agent_is_held_to_them_too(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    file = acp_desk.repo / "server.py"
    claude_api.when("web server", [write(file, FLASK), text("I added a server.")])
    claude_api.when("breaks rules", [write(file, FASTAPI), text("It is FastAPI now.")])
    assert outcome(await do(acp_desk, "add a web server")).summary == "It is FastAPI now."
    assert "web backend: use FastAPI" in str(claude_api.requests[0].body["messages"])


def test_what_is_moved_is_not_new_and_what_is_added_to_it_is(tmp_path: Path) -> None:
    moved = Written({"app.py": FLASK, "web/app.py": None}, {"app.py": None, "web/app.py": FLASK})
    assert broken_by(tmp_path, moved) == []
    more = Written(moved.before, {"app.py": None, "web/app.py": f"{FLASK}import flask_login\n"})
    assert [each.sighting.evidence for each in broken_by(tmp_path, more)] == ["import flask_login"]


def test_the_setting_is_one_of_three() -> None:
    assert ExecutorSettings().rules == "mend"
    with pytest.raises(ValueError, match="mend"):
        ExecutorSettings(rules="perhaps")
