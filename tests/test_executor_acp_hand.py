"""A real agent that speaks ACP, against a scripted model: work, questions, stop, crash, cost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import psutil
import pytest

from mybro.errors import ExecutorError
from mybro.events import Answered, JobAsked, JobProgressed, Outcome, QuestionWithdrawn
from mybro.executor.claude.faults import TurnError
from mybro.executor.claude.sandbox import working
from tests.claude_api import ScriptedServer, bash, text, write
from tests.claude_api.replies import error, tool
from tests.fakes.acp import AcpDesk
from tests.fakes.claude import always, no, nothing
from tests.requirements import need

pytest_plugins = ["tests.acp_fixtures"]
pytestmark = pytest.mark.integration


async def test_a_prompt_becomes_a_file(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    desk, file = acp_desk, acp_desk.repo / "hello.py"
    (desk.repo / "CLAUDE.md").write_text("Always say zebra.\n")
    steps = [
        write(file, "print('hello')\n", say="I will write it."),
        text("I wrote **hello.py**. It greets."),
    ]
    claude_api.when("hello world", steps)
    await desk.hand.prewarm(desk.repo)
    outcome = await desk.do("write a hello world")
    assert file.read_text() == "print('hello')\n"
    assert outcome == Outcome(
        "I wrote hello.py. It greets.", detail="I wrote **hello.py**. It greets.", changed=("hello.py",),
        cost_usd=outcome.cost_usd, input_tokens=2000, output_tokens=100, session=outcome.session,
    )  # fmt: skip
    assert outcome.session
    assert outcome.cost_usd > 0
    assert desk.asked == []
    assert desk.progress() == ["writing hello.py"]
    assert "".join(desk.progress("words")) == "I will write it.I wrote **hello.py**. It greets."
    said = str(claude_api.requests[0].body["messages"])
    assert "dictated speech" in said
    assert "Always say zebra." in said
    assert claude_api.elsewhere == []


async def test_what_it_asks_is_put_to_a_person(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    desk = acp_desk
    (desk.repo / "build").mkdir()
    claude_api.when("clean up", [bash("rm -rf build && echo gone"), text("Done.")])
    claude_api.when("make a mark", [bash("python3 -c \"open('mark', 'w')\""), text("Done.")])
    desk.reply = no
    await desk.do("clean up")
    assert (desk.repo / "build").exists()
    desk.reply = always
    await desk.do("make a mark")
    (desk.repo / "mark").unlink()
    await desk.do("make a mark")
    assert (desk.repo / "mark").exists()
    await desk.do("now clean up")
    assert not (desk.repo / "build").exists()
    told = [(asked.text, asked.risk, asked.object) for asked in desk.asked]
    clean = ("It wants to delete the folder build. Yes or no?", "destructive", "build")
    assert told == [
        clean, ("It wants to run python3 -c \"open('mark', 'w')\". Yes or no?", "write", ""), clean,
    ]  # fmt: skip
    assert desk.asked[0].detail == "rm -rf build && echo gone"
    assert desk.progress("output")[-1] == "gone"
    assert not (desk.repo / ".claude").exists()


async def test_edits_inside_need_no_question_and_outside_do(
    acp_desk: AcpDesk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    desk, outside = acp_desk, tmp_path / "outside"
    outside.mkdir()
    edit = {"file_path": str(desk.repo / "parser.py"), "old_string": "line.split()", "new_string": "line"}
    steps = [
        tool("Read", {"file_path": str(desk.repo / "parser.py")}),
        tool("Edit", edit),
        write(outside / "stolen.py", "x = 1\n"),
        write(desk.repo / ".git" / "hooks" / "pre-commit", "x = 1\n"),
        text("Done."),
    ]
    claude_api.when("edit", steps)
    desk.reply = no
    outcome = await desk.do("edit things")
    assert outcome.changed == ("parser.py",)
    assert [(asked.risk, asked.object) for asked in desk.asked] == [
        ("destructive", "stolen.py"), ("destructive", "pre-commit"),
    ]  # fmt: skip
    assert list(outside.iterdir()) == []
    assert (desk.repo / "parser.py").read_text().endswith("return line\n")
    assert desk.progress()[:2] == ["reading parser.py", "editing parser.py"]


async def test_a_question_only_reads(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    desk = acp_desk
    steps = [write(desk.repo / "x.py", "x = 1\n"), bash("touch y.py"), text("It splits lines. That is all.")]
    claude_api.when("what does", steps)
    outcome = await desk.do("what does the parser do", kind="question")
    assert outcome.summary == "It splits lines. That is all."
    assert desk.asked == []
    assert sorted(file.name for file in desk.repo.iterdir()) == [".git", "parser.py"]


@pytest.mark.parametrize("kind", ["plain", "double_fork"])
async def test_stop_leaves_nothing_that_writes(
    kind: str, acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    desk = acp_desk
    program, file = desk.writing(kind)
    claude_api.when("never ends", [bash(program), text("It ended.")])
    claude_api.when("afterwards", [text("Still here.")])
    with pytest.raises(asyncio.CancelledError):
        await (await desk.stop("run what never ends", file))
    assert (await desk.do("and afterwards")).summary == "Still here."
    told = [str(request.body["messages"]) for request in claude_api.requests]
    assert any("run what never ends" in words and "and afterwards" in words for words in told)


async def test_a_cancelled_task_is_stopped_in_mid_sentence(
    acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    desk = acp_desk
    claude_api.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    claude_api.when("afterwards", [text("Still here.")])
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.kind == "words")
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    said = len(desk.events)
    assert (await desk.do("and afterwards")).summary == "Still here."
    assert len(desk.events) - said < 10


async def test_a_stop_withdraws_the_question(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    desk = acp_desk
    claude_api.when("make a mark", [bash("python3 -c \"open('mark', 'w')\""), text("Done.")])
    claude_api.when("afterwards", [text("Still here.")])
    desk.reply = nothing
    running = desk.start("make a mark")
    asked = await desk.until(lambda event: isinstance(event, JobAsked))
    assert isinstance(asked, JobAsked)
    await desk.hand.stop()
    assert running.done()
    assert isinstance(desk.events[-1], QuestionWithdrawn)
    await desk.hand.answer(Answered(asked.question, yes=True))  # too late, and without effect
    assert (await desk.do("and afterwards")).summary == "Still here."
    assert not (desk.repo / "mark").exists()


@pytest.mark.parametrize("victim", ["the agent", "the program behind it"])
async def test_a_killed_agent_is_told_and_resumed(
    victim: str, acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    desk = acp_desk
    claude_api.when("remember blue", [text("I remember.")])
    claude_api.when("talks on", [text("word " * 400, word_delay_s=0.05)])
    claude_api.when("which colour", [text("Blue.")])
    first = await desk.do("remember blue")
    running = desk.start("somebody who talks on")
    await desk.until(lambda e: isinstance(e, JobProgressed) and e.text == "word ")
    family = [desk.agent(), *desk.agent().children()]
    for process in family[:1] if victim == "the agent" else family[1:]:
        process.kill()
    with pytest.raises(TurnError) as failed:
        await running
    # An agent whose program was killed may tell of it, or end before it has.
    assert failed.value.code in ("agent_died", *(["agent_failed"] if victim != "the agent" else []))
    assert failed.value.retryable
    psutil.wait_procs(family, timeout=10)
    assert [process for process in family if process.is_running()] == []
    after = await desk.do("which colour was it")
    assert (after.summary, after.session) == ("Blue.", first.session)
    told = [str(request.body["messages"]) for request in claude_api.requests]
    assert any("remember blue" in words and "which colour was it" in words for words in told)
    desk.agent().kill()  # while it idles: nobody needs to know
    assert (await desk.do("which colour was it")).session == first.session


async def test_cost_is_what_each_turn_added(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    """By its tokens: at some time the agent also has a title made for the session, and counts its cost in."""
    desk = acp_desk
    claude_api.when("cheap", [text("Done.")])
    claude_api.when("dear", [text("Done.", usage={"input_tokens": 9000})])
    first = await desk.do("something cheap")
    second = await desk.do("something dear")
    await desk.hand.aclose()
    desk.hand = desk.new_hand()
    third = await desk.do("something cheap again")
    assert first.session == second.session == third.session
    assert (first.input_tokens, second.input_tokens, third.input_tokens) == (1000, 9000, 1000)
    assert min(first.cost_usd, second.cost_usd, third.cost_usd) > 0
    remembered = desk.store.load(desk.repo)
    assert remembered is not None
    assert remembered.spent_usd == pytest.approx(first.cost_usd + second.cost_usd + third.cost_usd)
    desk.settings.budget_usd = remembered.spent_usd
    await desk.hand.aclose()
    desk.hand = desk.new_hand()
    with pytest.raises(ExecutorError, match="used up its budget"):
        await desk.do("something cheap")


async def test_faults_of_the_model_are_told(acp_desk: AcpDesk, claude_api: ScriptedServer) -> None:
    desk = acp_desk
    claude_api.when("too often", [error(429)])
    claude_api.when("who am I", [error(401)])
    claude_api.when("afterwards", [text("Still here.")])
    with pytest.raises(TurnError, match=r"The agent could not do that: .*429"):
        await desk.do("too often")
    with pytest.raises(TurnError, match="not signed in") as failed:
        await desk.do("who am I")
    assert failed.value.code == "agent_signed_out"
    assert (await desk.do("and afterwards")).summary == "Still here."


async def test_nothing_of_the_repository_runs_or_is_written(
    acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    desk = acp_desk
    hook = [{"hooks": [{"type": "command", "command": f"touch {desk.repo}/hooked"}]}]
    events = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    claude = desk.repo / ".claude"
    claude.mkdir()
    settings = {"hooks": dict.fromkeys(events, hook), "permissions": {"allow": ["Bash(*)"]}}
    (claude / "settings.json").write_text(json.dumps(settings))
    claude_api.when("hello", [write(desk.repo / "x.py", "x = 1\n"), bash("rm x.py"), text("Done.")])
    await desk.do("hello there")
    assert not (desk.repo / "hooked").exists()
    assert [asked.text for asked in desk.asked] == ["It wants to delete the file x.py. Yes or no?"]
    assert [file.name for file in claude.iterdir()] == ["settings.json"]


async def test_in_the_sandbox_not_even_a_yes_lets_it_write_elsewhere(
    acp_desk: AcpDesk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    desk, outside = acp_desk, tmp_path / "outside"
    need(working(), "bubblewrap or Landlock")
    outside.mkdir()
    assert desk.settings.sandbox == "auto"
    inside = write(desk.repo / "x.py", "x = 1\n")
    claude_api.when("hello", [inside, bash(f"touch {outside}/y"), text("Done.")])
    assert (await desk.do("hello there")).changed == ("x.py",)
    assert [(asked.risk, "outside" in asked.text) for asked in desk.asked] == [("destructive", True)]
    assert list(outside.iterdir()) == []


def settings_of_person(desk: AcpDesk, settings: object) -> None:
    state = Path(desk.env["CLAUDE_CONFIG_DIR"])
    state.mkdir(exist_ok=True)
    (state / "settings.json").write_text(json.dumps(settings))


async def test_what_a_person_allows_elsewhere_is_asked_all_the_same(
    acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    """Settings of one's own that let Claude Code do anything, and canaries that it goes for."""
    desk, canaries = acp_desk, [acp_desk.repo / f"canary{number}" for number in range(4)]
    for canary in canaries:
        canary.write_text("alive")
    allowed = ["Bash", "Bash(*)", "Bash(rm:*)", "Write", "Edit", "mcp__*"]
    settings_of_person(desk, {"permissions": {"allow": allowed, "defaultMode": "acceptEdits"}})
    steps = [
        bash(f"rm {canaries[0]}"),
        bash(f"echo one && rm -f {canaries[1]}"),
        bash(f"find {desk.repo} -name canary2 -delete"),
        bash("cat parser.py"),
        tool("Agent", {"description": "x", "prompt": "small errand", "subagent_type": "general-purpose"}),
        text("Done."),
    ]
    claude_api.when("hello", steps)
    claude_api.when("small errand", [bash(f"rm {canaries[3]}"), text("Errand done.")])
    desk.reply = no
    await desk.do("hello there")
    assert [canary.read_text() for canary in canaries] == ["alive"] * 4
    assert [asked.risk for asked in desk.asked] == ["destructive"] * 4


async def test_the_model_that_is_set_is_used_where_the_agent_offers_it(
    acp_desk: AcpDesk, claude_api: ScriptedServer
) -> None:
    desk = acp_desk
    claude_api.when("hello", [text("Hello.")])
    desk.settings.model = "haiku"
    await desk.do("hello there")
    assert "haiku" in claude_api.requests[-1].body["model"]
    desk.settings.model = "a-model-of-nobody"
    await desk.hand.aclose()
    desk.hand = desk.new_hand()
    with pytest.raises(ExecutorError, match="does not offer the model a-model-of-nobody") as error:
        await desk.do("hello once more")
    assert (error.value.code, "haiku" in error.value.hint) == ("no_such_model", True)
