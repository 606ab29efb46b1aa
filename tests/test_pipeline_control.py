"""A session reached from outside, through its real socket."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mybro import events as ev
from mybro.clock import MonotonicClock
from mybro.config import SpeakSettings
from mybro.errors import ChildError
from mybro.intent import Intent
from mybro.ops import rendezvous
from mybro.ops.rendezvous import SOCKET_VARIABLE, Line, ask_once, reach
from mybro.pipeline.control import MAX_TEXT
from mybro.pipeline.doors import control
from mybro.pipeline.pipeline import Pipeline
from mybro.pipeline.ports import Stages
from mybro.pipeline.state import Job, JobPhase
from mybro.speak.notify import Notifier
from tests.fakes.pipeline import FakeBrain, FakeExecutor

pytestmark = pytest.mark.unit

LIMIT_S = 20
REPO = Path("/home/ada/shop")


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - nothing tells of every change
        await asyncio.sleep(0.01)


class Scene:
    """A pipeline that is served."""

    def __init__(self) -> None:
        self.seen: list[ev.Event] = []
        self.pipeline = Pipeline(watchers=(lambda envelope: self.seen.append(envelope.event),))
        self.executor = FakeExecutor(self.pipeline.post)
        self.pipeline.attach(Stages(FakeBrain(), executor=self.executor))
        self.notified = Notifier(SpeakSettings(), MonotonicClock(), command=lambda _, text: ["test", text])

    async def asked(self) -> int:
        """The number of the question that is being asked, once one is."""
        async with asyncio.timeout(LIMIT_S):
            await until(lambda: self.pipeline.state.asked is not None)
        assert self.pipeline.state.asked is not None
        return self.pipeline.state.asked.number

    async def working(self) -> None:
        """Until a job is at work."""
        await self.pipeline.post(ev.Typed(self.pipeline.next_turn(), "run the tests"))
        await asyncio.wait_for(self.executor.started.wait(), LIMIT_S)


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.delenv(SOCKET_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    made = Scene()
    async with made.pipeline, control(made.pipeline, REPO, made.notified):
        yield made


@pytest.fixture
async def line(scene: Scene) -> AsyncIterator[Line]:
    opened = await Line.open(rendezvous.own_socket())
    yield opened
    await opened.aclose()


async def ask(line: Line, do: str, **fields: Any) -> dict[str, Any]:
    return await asyncio.wait_for(line.ask(do, **fields), LIMIT_S)


async def test_it_says_who_it_is_and_what_it_does(scene: Scene, line: Line) -> None:
    assert line.greeting["repo"] == str(REPO)
    idle = await ask(line, "status")
    assert (idle["jobs"], idle["asked"], idle["muted"]) == ([], None, False)
    await scene.working()
    busy = await ask(line, "status")
    assert [job["phase"] for job in busy["jobs"]] == ["running"]
    assert busy["says"]


async def test_stop_returns_once_the_work_is_dead(scene: Scene, line: Line) -> None:
    await scene.working()
    assert await ask(line, "stop") == {}
    assert scene.executor.running == {}
    assert scene.pipeline.state.jobs == {}


async def test_stop_does_not_wait_for_what_is_said_after_it(
    scene: Scene, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = asyncio.Event()

    async def sweep() -> tuple[str, ...]:
        await dead.wait()
        return ()

    monkeypatch.setattr(scene.executor, "sweep", sweep)
    await scene.working()
    stopping = asyncio.create_task(ask(line, "stop"))
    async with asyncio.timeout(LIMIT_S):
        await until(lambda: scene.pipeline.state.sweeping > 0 and not scene.pipeline.state.jobs)
        await scene.pipeline.post(ev.Typed(scene.pipeline.next_turn(), "run the tests"))
        await until(lambda: len(scene.pipeline.state.jobs) == 1)
        assert not stopping.done()
        dead.set()
        assert await stopping == {}
        assert scene.pipeline.state.jobs


async def test_say_and_speak(scene: Scene, line: Line) -> None:
    assert (await ask(line, "say", text=" run the tests "))["turn"] == 1
    await ask(line, "speak", text="The build is slow.")
    await scene.pipeline.settled(jobs=False)
    assert ev.Typed(1, "run the tests") in scene.seen
    assert "The build is slow." in [event.text for event in scene.seen if isinstance(event, ev.SayStarted)]


async def test_a_question_is_asked_and_its_answer_comes_back(scene: Scene, line: Line) -> None:
    waiting = asyncio.create_task(ask(line, "ask", text="Which one?", choices=["red", "blue"]))
    await scene.asked()
    await scene.pipeline.post(ev.Typed(scene.pipeline.next_turn(), "the blue one"))
    assert await waiting == {"answered": True, "yes": True, "choice": "blue"}
    assert scene.pipeline.state.questions == {}
    said = [event.text for event in scene.seen if isinstance(event, ev.SayStarted)]
    assert "Which one? red or blue?" in said, "who only listens must hear what there is to choose"


async def test_a_question_of_a_job_at_work_is_the_jobs(scene: Scene, line: Line) -> None:
    await scene.pipeline.post(ev.Typed(scene.pipeline.next_turn(), "make it faster"))
    await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
    waiting = asyncio.create_task(ask(line, "ask", text="Really?"))
    number = await scene.asked()
    question = scene.pipeline.state.questions[number]
    assert question.job in scene.pipeline.state.jobs
    await scene.pipeline.post(ev.Answered(number, yes=False, by="key"))
    assert await waiting == {"answered": True, "yes": False, "choice": None}


@pytest.mark.parametrize(
    ("place", "job", "says"),
    [(REPO, 90, "First agent: Really?"), (Path("/w/shop-1/docs"), 91, "Docs agent: Really?")],
)
async def test_of_several_agents_it_is_the_job_of_who_asks(
    scene: Scene, line: Line, place: Path, job: int, says: str
) -> None:
    for number, agent in enumerate(("first", "docs", "parser"), 90):
        intent = Intent(kind="task", text="make it faster", agent=agent)
        running = Job(number, 1, intent, JobPhase.RUNNING, agent=f"{agent} agent")
        scene.pipeline.state = replace(
            scene.pipeline.state, jobs={**scene.pipeline.state.jobs, number: running}
        )
    waiting = asyncio.create_task(ask(line, "ask", text="Really?", place=str(place)))
    number = await scene.asked()
    question = scene.pipeline.state.questions[number]
    assert (question.job, question.text) == (job, says)
    await scene.pipeline.post(ev.Answered(number, yes=True, by="key"))
    assert (await waiting)["answered"]
    await ask(line, "speak", text="Nearly there.", place=str(place))
    said = [event.text for event in scene.seen if isinstance(event, ev.Announce)]
    assert said == [says.replace("Really?", "Nearly there.")]


async def test_a_question_out_of_time_is_withdrawn(scene: Scene, line: Line) -> None:
    assert await ask(line, "ask", text="Still there?", timeout_s=0.2) == {"answered": False}
    await scene.pipeline.settled(jobs=False)
    assert scene.pipeline.state.questions == {}


async def test_stop_answers_open_questions_with_none(scene: Scene, line: Line) -> None:
    waiting = asyncio.create_task(ask(line, "ask", text="Shall I?"))
    await scene.asked()
    other = await Line.open(rendezvous.own_socket())
    await ask(other, "stop")
    await other.aclose()
    assert await waiting == {"answered": False}


async def test_a_client_that_leaves_takes_its_question_along(scene: Scene) -> None:
    line = await Line.open(rendezvous.own_socket())
    waiting = asyncio.create_task(line.ask("ask", text="Shall I?"))
    await scene.asked()
    waiting.cancel()
    await line.aclose()
    async with asyncio.timeout(LIMIT_S):
        await until(lambda: not scene.pipeline.state.questions)


async def test_notifications(scene: Scene, line: Line) -> None:
    assert await ask(line, "notify", text="done") == {"shown": True}


@pytest.mark.parametrize(
    ("do", "fields"),
    [
        ("dance", {}),
        ("say", {}),
        ("say", {"text": ""}),
        ("speak", {"text": "x" * (MAX_TEXT + 1)}),
        ("ask", {"text": "x", "choices": "red"}),
        ("ask", {"text": "x", "choices": [str(n) for n in range(10)]}),
        ("ask", {"text": "x", "timeout_s": -1}),
    ],
)
async def test_what_cannot_be_done_is_refused(line: Line, do: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ChildError):
        await ask(line, do, **fields)
    assert "says" in await ask(line, "status")


async def test_what_is_no_request_is_refused_and_the_line_stays(scene: Scene) -> None:
    (path,) = rendezvous.sessions()
    reader, writer = await asyncio.open_unix_connection(path)
    await reader.readline()
    for sent in (b"hello\n", b"[1]\n", b"{}\n", b"[" * 2000 + b"\n"):
        writer.write(sent)
        reply = json.loads(await asyncio.wait_for(reader.readline(), LIMIT_S))
        assert reply["error"]["code"] in ("bad_request", "unknown_request")
    writer.close()


async def test_the_socket_is_the_persons_own_and_goes_with_the_session(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = rendezvous.sessions()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    with pytest.raises(ChildError, match="no session"):
        await reach(Path("/home/ada/other"))
    with monkeypatch.context() as patch:
        patch.setenv(SOCKET_VARIABLE, str(path.with_name("gone.sock")))
        with pytest.raises(ChildError, match="no session"):
            await reach()


async def test_without_a_session_one_sentence_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    dead = rendezvous.folder() / "7.sock"
    dead.touch()
    os.utime(dead, (2**32, 2**32))  # the newest, so that it is tried first
    with pytest.raises(ChildError, match="no session") as error:
        await reach()
    assert "mybro run" in error.value.hint
    assert not dead.exists()


async def test_the_talk_key_is_pressed_by_programs(scene: Scene, line: Line) -> None:
    with pytest.raises(ChildError, match="no microphone"):
        await ask(line, "ptt", key="down")
    await scene.pipeline.post(ev.Ready("press it", hands_free=False))
    await scene.pipeline.settled(jobs=False)
    assert [(await ask(line, "ptt", key=key))["held"] for key in ("toggle", "down", "toggle", "up")] == [
        True, True, False, False,
    ]  # fmt: skip
    # A key that was pressed by hand is let go by the next toggle.
    await scene.pipeline.post(ev.TalkPressed())
    await scene.pipeline.settled(jobs=False)
    assert (await ask(line, "ptt", key="toggle"))["held"] is False
    with pytest.raises(ChildError, match="down, up or toggle"):
        await ask(line, "ptt", key="sideways")
    await scene.pipeline.settled(jobs=False)
    keys = [type(event) for event in scene.seen if isinstance(event, ev.TalkPressed | ev.TalkReleased)]
    assert keys == [
        ev.TalkPressed, ev.TalkPressed, ev.TalkReleased, ev.TalkReleased, ev.TalkPressed, ev.TalkReleased,
    ]  # fmt: skip


async def test_a_command_asks_once_without_a_loop(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SOCKET_VARIABLE)
    dead = rendezvous.folder() / "1.sock"
    dead.touch()
    os.utime(dead, (2**32, 2**32))  # the newest, so that it is tried first
    assert (await asyncio.to_thread(ask_once, "status", REPO))["jobs"] == []
    assert (await asyncio.to_thread(ask_once, "say", text="run the tests"))["turn"] == 1
    with pytest.raises(ChildError, match="does not know"):
        await asyncio.to_thread(ask_once, "dance")
    with pytest.raises(ChildError, match="no session"):
        await asyncio.to_thread(ask_once, "status", Path("/elsewhere"))
    assert not dead.exists()


async def test_a_key_that_a_program_never_lets_go_comes_up_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gate(MonotonicClock):
        def __init__(self) -> None:
            self.opened = asyncio.Event()

        async def sleep(self, seconds: float) -> None:
            await self.opened.wait()

    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    made, clock = Scene(), Gate()
    async with made.pipeline, control(made.pipeline, REPO, made.notified, clock=clock):
        await made.pipeline.post(ev.Ready("press it", hands_free=False))
        await made.pipeline.settled(jobs=False)
        line = await Line.open(rendezvous.own_socket())
        for key in ("down", "up", "down"):
            await ask(line, "ptt", key=key)
        clock.opened.set()
        async with asyncio.timeout(LIMIT_S):
            await until(lambda: made.seen.count(ev.TalkReleased()) == 2)
        # Only the press that still held came up by itself.
        await made.pipeline.settled(jobs=False)
        assert made.seen.count(ev.TalkReleased()) == 2
        await line.aclose()
