"""What an agent that speaks ACP may do wrong, the sentence that tells of it, and what it asks for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Answered, JobAsked, JobProgressed
from mybro.executor.choice import coding_hand
from mybro.executor.claude.faults import TurnError
from tests.acp_fixtures import fake_agent
from tests.fakes.acp import AcpDesk
from tests.fakes.audio import ManualClock
from tests.fakes.claude import always, no, nothing, yes

pytest_plugins = ["tests.acp_fixtures"]
pytestmark = pytest.mark.integration


async def fails(desk: AcpDesk, words: str) -> TurnError:
    with pytest.raises(TurnError) as failed:
        await desk.do(words)
    return failed.value


async def told(desk: AcpDesk, words: str) -> Any:
    """What the agent was answered."""
    return json.loads((await desk.do(words)).detail)


def begin(desk: AcpDesk, kind: str) -> None:
    desk.settings = ExecutorSettings(agent="acp", acp_command=fake_agent(kind))
    desk.hand = desk.new_hand()


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (None, "agent_not_set", "No agent is set"),
        ("'unclosed", "agent_not_set", "No agent is set"),
        ("no-such-agent --acp", "agent_missing", "no-such-agent is not installed"),
    ],
)
async def test_no_agent(command: str | None, code: str, words: str, fake_desk: AcpDesk) -> None:
    fake_desk.settings = ExecutorSettings(agent="acp", acp_command=command)
    fake_desk.hand = fake_desk.new_hand()
    with pytest.raises(ExecutorError, match=words) as error:
        await fake_desk.do("say hello")
    assert error.value.code == code
    assert "executor.acp_command" in error.value.hint


@pytest.mark.parametrize(
    ("kind", "code", "words"),
    [
        ("garbage", "agent_not_acp", "not the Agent Client Protocol"),
        ("version", "agent_version", "speaks version 7 of the Agent Client Protocol, not version 1"),
        ("signed_out", "agent_signed_out", "not signed in"),
        ("dies", "agent_died", "ended unexpectedly"),
    ],
)
async def test_agents_that_cannot_begin(kind: str, code: str, words: str, fake_desk: AcpDesk) -> None:
    before = psutil.Process().children()
    begin(fake_desk, kind)
    error = await fails(fake_desk, "say hello")
    assert (error.code, words in error.message) == (code, True), error.message
    assert psutil.Process().children() == before
    begin(fake_desk, "plain")
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


async def test_an_agent_that_dies_is_started_again(fake_desk: AcpDesk) -> None:
    assert (await fails(fake_desk, "die now")).code == "agent_died"
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


async def test_lines_that_are_no_messages_are_borne_up_to_a_point(fake_desk: AcpDesk) -> None:
    assert (await fake_desk.do("garble 5")).summary == "Done."
    assert (await fails(fake_desk, "rave on")).code == "agent_not_acp"
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


async def test_what_the_agent_says_of_its_fault_is_told(fake_desk: AcpDesk) -> None:
    error = await fails(fake_desk, "fail the model is not there. " + "Very. " * 60)
    assert error.message.startswith("The agent could not do that: the model is not there. Very.")
    assert len(error.message) < 200
    assert error.outcome is not None
    assert error.outcome.cost_usd == 0.25
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("max_tokens", "too_long"), ("max_turn_requests", "too_many_steps"), ("refusal", "agent_refused"),
        ("cancelled", "turn_failed"), ("something_new", None),
    ],
)  # fmt: skip
async def test_ends_that_are_no_success(reason: str, code: str | None, fake_desk: AcpDesk) -> None:
    if code is None:
        assert (await fake_desk.do(f"stopwith {reason}")).summary == "That is done."
    else:
        assert (await fails(fake_desk, f"stopwith {reason}")).code == code


async def test_a_silent_agent_is_stopped(fake_desk: AcpDesk) -> None:
    clock = fake_desk.clock = ManualClock()
    fake_desk.hand = fake_desk.new_hand()
    running = fake_desk.start("hang")
    await fake_desk.until(lambda event: isinstance(event, JobProgressed))
    await clock.advance(400)
    with pytest.raises(TurnError) as failed:
        await running
    assert failed.value.message == "The agent gave no sign of life for 5 minutes, so I stopped it"
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


@pytest.mark.parametrize("verb", ["hang", "leave"])
async def test_stop_leaves_nothing_whatever_the_agent_does(verb: str, fake_desk: AcpDesk) -> None:
    program, file = fake_desk.writing("double_fork")
    assert (await fake_desk.stop(f"{verb} {program}", file)).cancelled()
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


async def test_an_agent_that_forgets_begins_anew_or_goes_on(fake_desk: AcpDesk) -> None:
    begin(fake_desk, "forgetful")
    program, file = fake_desk.writing("double_fork")
    assert (await fake_desk.stop(f"leave {program}", file)).cancelled()
    assert (await fake_desk.do("say Hello.")).summary == "Hello."


async def test_history_is_not_heard_again_and_cost_goes_on_from_it(fake_desk: AcpDesk) -> None:
    first = await fake_desk.do("spend [0.5, NaN, -1, null, 0.75]")
    assert first.cost_usd == 0.75
    await fake_desk.hand.aclose()
    fake_desk.hand = fake_desk.new_hand()
    again = await fake_desk.do("spend [1.75]")  # taken up with 1.5 on its counter
    assert again.cost_usd == 0.25
    assert "history" not in fake_desk.progress("words")
    assert again.session == first.session


async def test_a_session_that_is_gone_begins_anew(fake_desk: AcpDesk) -> None:
    await fake_desk.do("spend [0.75]")
    await fake_desk.hand.aclose()
    begin(fake_desk, "lost")
    assert (await fake_desk.do("spend [0.25]")).cost_usd == 0.25
    remembered = fake_desk.store.load(fake_desk.repo)
    assert remembered is not None
    assert remembered.spent_usd == 0.25


async def test_a_budget_stops_the_turn_that_goes_over_it(fake_desk: AcpDesk) -> None:
    fake_desk.settings = ExecutorSettings(agent="acp", acp_command=fake_agent(), budget_usd=1.0)
    fake_desk.hand = fake_desk.new_hand()
    error = await fails(fake_desk, "spend [0.5, 1.25]")
    assert error.code == "budget_spent"
    assert (await fails(fake_desk, "say hello")).code == "budget_spent"


# ---------------------------------------------------------------------------- files through us


async def test_files_are_read_and_written_inside(fake_desk: AcpDesk) -> None:
    parser = str(fake_desk.repo / "parser.py")
    answer = await told(fake_desk, "read " + json.dumps({"path": parser, "line": 2, "limit": 1}))
    assert answer["result"] == {"content": "    return line.split()\n"}
    new = fake_desk.repo / "deep" / "new.py"
    assert (await told(fake_desk, f"write {new}"))["result"] == {}
    assert new.read_text() == "x = 1\n"
    missing = json.dumps({"path": str(fake_desk.repo / "none")})
    assert (await told(fake_desk, f"read {missing}"))["error"]["code"] == -32002
    assert (await told(fake_desk, "read " + json.dumps({"path": "parser.py"})))["error"]["code"] == -32602
    assert (await told(fake_desk, f"read {json.dumps({'path': str(fake_desk.repo)})}"))["error"]
    assert (await told(fake_desk, f"write {fake_desk.repo}"))["error"]
    assert fake_desk.asked == []


async def test_files_outside_are_asked_about(fake_desk: AcpDesk, tmp_path: Path) -> None:
    secret, target = tmp_path / "secret", tmp_path / "new.py"
    secret.write_text("key")
    fake_desk.reply = no
    assert (
        "said no" in (await told(fake_desk, "read " + json.dumps({"path": str(secret)})))["error"]["message"]
    )
    assert "error" in await told(fake_desk, f"write {target}")
    assert "error" in await told(fake_desk, f"write {fake_desk.repo / '.git' / 'config'}")
    assert not target.exists()
    fake_desk.reply = yes
    assert (await told(fake_desk, "read " + json.dumps({"path": str(secret)})))["result"] == {
        "content": "key"
    }
    assert (await told(fake_desk, f"write {target}"))["result"] == {}
    assert [asked.object for asked in fake_desk.asked] == ["", "new.py", "config", "", "new.py"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"method": "terminal/create", "command": "ls"}, -32601),
        ({"method": "fs/read_text_file", "session": "another", "path": "/etc/passwd"}, -32800),
        ({"method": "fs/write_text_file", "path": "/tmp/x", "content": 3}, -32602),  # noqa: S108
    ],
)
async def test_what_is_not_served(request_: dict[str, Any], code: int, fake_desk: AcpDesk) -> None:
    assert (await told(fake_desk, f"call {json.dumps(request_)}"))["error"]["code"] == code


# ---------------------------------------------------------------------------- permissions

RUN = {"kind": "execute", "title": "python3 -O make.py", "rawInput": {"command": "python3 -O make.py"}}
ALL = ["reject_always", "reject_once", "allow_always", "allow_once"]


@pytest.mark.parametrize(
    ("reply", "kinds", "chosen"),
    [
        (yes, ALL, "the allow_once"),
        (always, ALL, "the allow_once"),
        (no, ALL, "the reject_once"),
        (no, ["allow_once", "reject_always"], "the reject_always"),
        (no, ["allow_once"], None),
        (yes, ["allow_always", "reject_once"], "the reject_once"),
    ],
)
async def test_only_what_holds_once_is_chosen(
    reply: Callable[[JobAsked], Answered | None], kinds: list[str], chosen: str | None, fake_desk: AcpDesk
) -> None:
    fake_desk.reply = reply
    outcome = await told(fake_desk, f"permit {json.dumps([RUN, kinds])}")
    assert outcome.get("optionId") == chosen
    assert [asked.text for asked in fake_desk.asked] == ["It wants to run python3 -O make.py. Yes or no?"]


async def test_each_use_of_a_call_is_judged(fake_desk: AcpDesk, tmp_path: Path) -> None:
    places = [{"path": str(fake_desk.repo / "a.py")}, {"path": str(tmp_path / "b.py")}]
    fake_desk.reply = no
    call = {"kind": "edit", "title": "Edit", "locations": places}
    assert (await told(fake_desk, f"permit {json.dumps([call, ALL])}"))["optionId"] == "the reject_once"
    assert [asked.object for asked in fake_desk.asked] == ["b.py"]


async def test_a_question_that_the_agent_withdraws(fake_desk: AcpDesk) -> None:
    fake_desk.reply = nothing
    assert (await fake_desk.do("withdraw it")).detail == "-32800"
    assert fake_desk.withdrawn == [fake_desk.asked[0].question]


def test_the_settings_choose_the_hand() -> None:
    for agent in ("claude", "acp"):
        hand = coding_hand(ExecutorSettings(agent=agent), ManualClock())
        assert type(hand).__name__ == f"{agent.capitalize()}Hand"
