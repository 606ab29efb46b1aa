"""The hand that needs no model: which jobs are its own, how it stops, how it runs commands."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import psutil
import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Answered, Choice, JobProgressed
from mybro.executor.actions.work import Work, last_words, output, plain, program
from mybro.intent import Action, Intent
from mybro.ops.tree import CommandResult
from tests.executor_tools import Local, write

pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration


def work_of(local: Local, settings: ExecutorSettings | None = None) -> Work:
    intent = Intent(kind="local", action=Action.TEST, text="test")
    return Work(local.job(intent), local.report, settings or ExecutorSettings())


def test_what_it_does(local: Local) -> None:
    hand = local.hand
    assert hand.handles(Intent(kind="local", action=Action.TEST, text="test"))
    assert not hand.handles(Intent(kind="task", text="add a test"))
    assert not hand.handles(Intent(kind="control", action=Action.STOP, text="stop"))


async def test_what_only_a_session_can_do(local: Local) -> None:
    with pytest.raises(ExecutorError) as raised:
        await local.hand.run(local.job(Intent(kind="task", text="add a test")), local.report)
    assert raised.value.code == "needs_agent"
    with pytest.raises(ExecutorError) as raised:
        await local.do(Action.NEW_PROJECT, template="haskell")
    assert raised.value.code == "needs_agent"
    for action, code in ((Action.SWITCH_REPOSITORY, "not_here"), (Action.SWITCH_AGENT, "not_here")):
        with pytest.raises(ExecutorError) as raised:
            await local.do(action)
        assert raised.value.code == code


async def test_stop_ends_the_command_with_all_its_children(local: Local) -> None:
    write(local.repo, {"Makefile": "test:\n\t@sh -c 'echo pid $$$$; sleep 600 & wait'\n"})
    running = asyncio.create_task(local.do(Action.TEST))
    await local.until(lambda e: isinstance(e, JobProgressed) and e.text.startswith("pid "))
    pid = int(next(text for text in local.output if text.startswith("pid ")).split()[1])
    children = psutil.Process(pid).children(recursive=True)
    await local.hand.stop()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(pid)
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert (await local.do(Action.GIT_STATUS)).ok
    await local.hand.aclose()
    await local.hand.aclose()


async def test_a_command_that_takes_too_long_is_ended(local: Local) -> None:
    write(local.repo, {"Makefile": "test:\n\t@sleep 600\n"})
    slow = Local(local.repo, ExecutorSettings(test_timeout_s=0.4))
    with pytest.raises(ExecutorError) as raised:
        await slow.do(Action.TEST)
    assert raised.value.code == "timed_out"
    assert raised.value.retryable


async def test_a_command_gets_no_input_no_colours_and_this_repository(
    local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    here = str(local.repo)  # a temporary folder, resolved already
    told = "import os, sys; print(os.getcwd(), os.environ['NO_COLOR'], 'GIT_DIR' in os.environ)"
    result = await work_of(local).run(sys.executable, "-c", f"{told}; print(repr(sys.stdin.read()))")
    assert result.lines == (f"{here} 1 False", "''")
    assert local.output == list(result.lines)
    local.events.clear()
    await work_of(local).run(sys.executable, "-c", "print('x')", quiet=True)
    assert local.output == []


async def test_a_program_that_is_not_there(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ExecutorError) as raised:
        await work_of(local).run("no-such-program-at-all")
    assert raised.value.code == "command_not_found"
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ExecutorError) as raised:
        await work_of(local).git("status")
    assert raised.value.code == "command_not_found"


async def test_questions_to_git(local: Local) -> None:
    work = work_of(local)
    assert (await work.git("rev-parse", "--abbrev-ref", "HEAD")).strip() == "main"
    assert await work.git("rev-parse", "--verify", "-q", "nothing", check=False) == ""
    with pytest.raises(ExecutorError) as raised:
        await work.git("log", "nothing")
    assert raised.value.code == "git_failed"
    impatient = work_of(local, ExecutorSettings(command_timeout_s=0.4))
    with pytest.raises(ExecutorError) as raised:
        await impatient.git("-c", "alias.wait=!sleep 600", "wait")
    assert raised.value.code == "timed_out"


async def test_a_question_is_answered_withdrawn_or_out_of_time(local: Local) -> None:
    work = work_of(local)
    choices = [Choice("one"), Choice("two")]
    asking = asyncio.create_task(work.ask("Which?", choices))
    await local.another_question()
    number = local.asked[0].question
    work.take_answer(Answered(number + 1, yes=True, choice="one"))
    work.take_answer(Answered(number, yes=True, choice="two"))
    work.take_answer(Answered(number, yes=True, choice="one"))
    assert await asking == "two"
    for answer in (Answered(0, yes=False), Answered(0, yes=True, choice="three"), Answered(0, yes=True)):
        asking = asyncio.create_task(work.ask("Which?", choices))
        await local.another_question()
        work.take_answer(Answered(local.asked[-1].question, answer.yes, choice=answer.choice))
        assert await asking is None
    assert local.withdrawn == []
    assert local.asked[-1].timeout_s == ExecutorSettings().permission_timeout_s
    asking = asyncio.create_task(work.ask("Which?", choices))
    await local.another_question()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert local.withdrawn == [local.asked[-1].question]


def test_lines_are_fit_to_be_shown() -> None:
    assert plain("\x1b[31mred\x1b[0m \x1b]0;title\x07tab\there\x00\r") == "red tab\there "
    result = CommandResult(1, ("one", "\x1b[1mtwo"), 3, timed_out=False, seconds=0.1)
    assert output(result) == "(3 lines before these are not shown)\none\ntwo"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("starting", "error: no such thing", "bye"), "no such thing"),
        (("fatal: not good", ""), "not good"),
        (("one", "two", " "), "two"),
        ((), "it ended with status 3"),
    ],
)
def test_why_a_command_failed(lines: tuple[str, ...], said: str) -> None:
    assert last_words(CommandResult(3, lines, 0, timed_out=False, seconds=0.1)) == said


def test_the_repositorys_own_programs_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'elsewhere'}:")
    for folder in ("elsewhere", ".venv/bin", "node_modules/.bin"):
        (tmp_path / folder).mkdir(parents=True)
    assert program("tool", "other", repo=tmp_path) is None
    for place in ("elsewhere/tool", "node_modules/.bin/tool", ".venv/bin/tool"):
        (tmp_path / place).touch()
        assert program("other", "tool", repo=tmp_path) != str(tmp_path / place), "it cannot be run"
        (tmp_path / place).chmod(0o755)
        assert program("other", "tool", repo=tmp_path) == str(tmp_path / place)
