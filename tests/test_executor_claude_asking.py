"""What the real CLI asks reaches a person, and the person's answer reaches the CLI."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest

from mybro.events import Answered, Choice, JobAsked, QuestionWithdrawn
from tests.claude_api import ScriptedServer, bash, text, tool, tools, write
from tests.claude_api.replies import Reply
from tests.fakes.claude import Desk, always, choose, no, nothing, yes

pytest_plugins = ["tests.claude_fixtures"]
pytestmark = pytest.mark.integration


def told(api: ScriptedServer) -> str:
    """What the model was told by the last tool."""
    return str(api.requests[-1].body["messages"][-1]["content"])


async def test_yes_and_no(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("make a mark", [bash("python3 -c \"open('mark', 'w')\""), text("Done.")])
    desk.reply = no
    await desk.do("make a mark")
    assert not (desk.repo / "mark").exists()
    assert "The user said no" in told(claude_api)
    desk.reply = lambda asked: Answered(asked.question, yes=True)
    await desk.do("now make a mark")
    assert (desk.repo / "mark").exists()
    first, second = desk.asked
    assert first.question != second.question
    assert first.kind == "permission"
    assert first.text == "It wants to run python3 -c \"open('mark', 'w')\". Yes or no?"
    assert first.detail == "python3 -c \"open('mark', 'w')\""
    assert (first.risk, first.object) == ("write", "")
    assert desk.withdrawn == []


async def test_always_holds_for_the_session_and_is_written_nowhere(
    desk: Desk, claude_api: ScriptedServer
) -> None:
    claude_api.when("count", [bash("python3 -O -c 'print(1)'"), text("Done.")])
    claude_api.when("clean", [bash("rm -r build"), text("Done.")])
    (desk.repo / "build").mkdir()
    desk.reply = always
    for _ in range(2):
        await desk.do("count please")
        await desk.do("clean up")
    assert [asked.object for asked in desk.asked] == ["", "build", "build"]
    assert not (desk.repo / ".claude").exists()


async def test_something_destructive_names_its_object(desk: Desk, claude_api: ScriptedServer) -> None:
    (desk.repo / "build").mkdir()
    claude_api.when("clean", [bash("rm -rf build && echo gone"), text("Done.")])
    desk.reply = no
    await desk.do("clean up")
    (asked,) = desk.asked
    assert asked.text == "It wants to delete the folder build. Yes or no?"
    assert (asked.risk, asked.object) == ("destructive", "build")
    assert asked.detail == "rm -rf build && echo gone"
    assert (desk.repo / "build").exists()


async def test_nobody_answers(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("make a mark", [bash("python3 -c \"open('mark', 'w')\""), text("It was not allowed.")])
    desk.reply = lambda asked: Answered(asked.question, yes=False, by="timeout")
    assert (await desk.do("make a mark")).summary == "It was not allowed."
    assert desk.asked[0].timeout_s == desk.settings.permission_timeout_s
    assert desk.withdrawn == []
    assert "Nobody answered" in told(claude_api)
    assert not (desk.repo / "mark").exists()


async def test_a_stop_withdraws_the_question(desk: Desk, claude_api: ScriptedServer) -> None:
    claude_api.when("make a mark", [bash("python3 -c \"open('mark', 'w')\""), text("Done.")])
    desk.reply = nothing
    running = desk.start("make a mark")
    asked = await desk.until(lambda event: isinstance(event, JobAsked))
    assert isinstance(asked, JobAsked)
    await desk.hand.stop()
    assert running.done()
    assert isinstance(desk.events[-1], QuestionWithdrawn)
    await desk.hand.answer(Answered(asked.question, yes=True))  # too late, and without effect
    claude_api.when("afterwards", [text("Still here.")])
    assert (await desk.do("and afterwards")).summary == "Still here."
    assert not (desk.repo / "mark").exists()


async def test_questions_with_choices(desk: Desk, claude_api: ScriptedServer) -> None:
    blue, red, big, small = (
        {"label": label, "description": f"a {label.lower()} one"} for label in ("Blue", "Red", "Big", "Small")
    )
    colour = {"question": "Which colour?", "header": "Colour", "options": [blue, red], "multiSelect": False}
    size = {**colour, "question": "Which size?", "header": "Size", "options": [big, small]}
    claude_api.when("paint", [tool("AskUserQuestion", {"questions": [colour, size]}), text("Painted.")])
    desk.reply = lambda asked: choose("blue" if "colour" in asked.text else "enormous")(asked)
    await desk.do("paint it")
    first, second = desk.asked
    assert (first.kind, first.text) == ("choice", "Which colour? Blue or Red?")
    assert first.choices == (Choice("Blue", "a blue one"), Choice("Red", "a red one"))
    assert first.detail == "Blue: a blue one\nRed: a red one"
    assert second.text == "Which size? Big or Small?"
    assert '"Which colour?"="Blue"' in told(claude_api)
    assert '"Which size?"="enormous"' in told(claude_api)
    desk.reply = no
    await desk.do("paint it again")
    assert "does not want to choose" in told(claude_api)


async def test_a_plan_is_approved(desk: Desk, claude_api: ScriptedServer) -> None:
    plan = [tool("EnterPlanMode", {}), tool("ExitPlanMode", {}, say="I will write x."), text("Planned.")]
    claude_api.when("think first", plan)
    assert (await desk.do("think first")).summary == "Planned."
    (asked,) = desk.asked
    assert (asked.kind, asked.text) == ("plan", "It has a plan. Shall it go ahead?")
    assert asked.detail == "I will write x."


async def test_a_plan_is_written_down_unasked_and_shown_in_full(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    """Where the CLI keeps plans, and nothing else there."""
    plans = tmp_path / "home" / ".claude" / "plans"
    wrong = [write(plans / "run.sh", "x"), write(plans.parent / "x.md", "x")]

    def steps(step: int, _tries: int) -> Reply:
        if step == 0:
            return tool("EnterPlanMode", {})
        asked = json.dumps(claude_api.requests[-1].body)
        own = re.findall(r"/[^\s\\\"`]*plans/[^\s\\\"`]*?\.md", asked)[-1]
        mine = [write(own, "1. write x"), tool("ExitPlanMode", {}), *wrong]
        return mine[step - 1] if step <= len(mine) else text("Planned.")

    claude_api.when("think first", steps)
    desk.reply = lambda asked: (yes if asked.kind == "plan" else no)(asked)
    assert (await desk.do("think first")).summary == "Planned."
    plan, *others = desk.asked
    assert (plan.kind, plan.detail) == ("plan", "1. write x")
    assert [asked.object for asked in others] == ["run.sh", "x.md"]


async def test_edits_inside_need_no_question_and_outside_do(
    desk: Desk, claude_api: ScriptedServer, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (desk.repo / "link").symlink_to(outside)
    edit = {"file_path": str(desk.repo / "parser.py"), "old_string": "line.split()", "new_string": "line"}
    steps = [
        tool("Read", {"file_path": str(desk.repo / "parser.py")}),
        tool("Edit", edit),
        write(desk.repo / "new" / "deep.py", "x = 1\n"),
        write(desk.repo / "link" / "stolen.py", "x = 1\n"),
        write(outside / "stolen.py", "x = 1\n"),
        write(desk.repo / ".git" / "hooks" / "pre-commit", "x = 1\n"),
        text("Done."),
    ]
    claude_api.when("edit", steps)
    desk.reply = no
    outcome = await desk.do("edit things")
    assert outcome.changed == ("new/deep.py", "parser.py")
    assert [(asked.risk, asked.object) for asked in desk.asked] == [
        ("destructive", "stolen.py"), ("destructive", "stolen.py"), ("destructive", "pre-commit"),
    ]  # fmt: skip
    assert "outside the repository" in desk.asked[0].text
    assert list(outside.iterdir()) == []
    assert (desk.repo / "parser.py").read_text().endswith("return line\n")
    assert (desk.repo / "new" / "deep.py").exists()


async def test_a_question_only_reads(desk: Desk, claude_api: ScriptedServer) -> None:
    steps = [write(desk.repo / "x.py", "x = 1\n"), bash("touch y.py"), text("It splits lines. That is all.")]
    claude_api.when("what does", steps)
    outcome = await desk.do("what does the parser do", kind="question")
    assert outcome.summary == "It splits lines. That is all."
    assert desk.asked == []
    assert sorted(file.name for file in desk.repo.iterdir()) == [".git", "parser.py"]
    assert "Only read" in str(claude_api.requests[0].body["messages"])


async def test_two_questions_at_once(desk: Desk, claude_api: ScriptedServer) -> None:
    one, two = ({"command": f"python3 -c \"open('{name}', 'w')\"", "description": "mark"} for name in "ab")
    claude_api.when("two marks", [tools(("Bash", one), ("Bash", two)), text("Done.")])
    desk.reply = lambda asked: Answered(asked.question, yes="'a'" in asked.detail)
    await asyncio.wait_for(desk.do("make two marks"), 120)
    assert (desk.repo / "a").exists()
    assert not (desk.repo / "b").exists()
