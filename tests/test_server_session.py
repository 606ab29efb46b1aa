"""The session's part of the API, over real HTTP and WebSockets."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from mybro import events as ev
from mybro.errors import ServerError
from mybro.intent import Intent
from tests.server_scene import LIMIT_S, Scene, frames, scene, serve_scene, until

__all__ = ["scene"]
pytestmark = pytest.mark.integration


async def test_status_follows_a_job_to_its_stop(scene: Scene) -> None:
    idle = await scene.call("GET", "/v1/status")
    assert (idle["jobs"], idle["questions"], idle["asked"]) == ([], [], None)
    assert idle["says"]
    job = await scene.job()
    busy = await scene.call("GET", "/v1/status")
    assert [(one["job"], one["phase"]) for one in busy["jobs"]] == [(job, "running")]
    assert busy["seq"] == scene.server.stream.last > idle["seq"]
    assert (await scene.call("GET", "/v1/jobs"))[0]["title"] == "working"
    assert await scene.call("POST", "/v1/stop") == {"ok": True}
    assert not scene.executor.running
    assert (await scene.call("GET", "/v1/status"))["generation"] == 1


async def test_events_arrive_numbered_and_are_caught_up_with(scene: Scene) -> None:
    await scene.job()
    async with scene.socket("/v1/events?after=0") as socket:
        hello = (await frames(socket, 1))[0]
        assert (hello["event"], hello["oldest"]) == ("Hello", 1)
        first = await until(socket, "JobStarted")
        assert [event["seq"] for event in first] == list(range(1, len(first) + 1))
    # What happens while nobody watches is there when somebody comes back.
    await scene.call("POST", "/v1/stop")
    last = first[-1]["seq"]
    async with scene.socket(f"/v1/events?after={last}&session={hello['session']}") as socket:
        await frames(socket, 1)
        missed = await until(socket, "JobStopped")
        assert [event["seq"] for event in missed] == list(range(last + 1, last + 1 + len(missed)))
    for elsewhere in (f"after={last}&session=another", "after=99999"):
        async with scene.socket(f"/v1/events?{elsewhere}") as socket:
            assert (await frames(socket, 2))[1]["seq"] == 1
    async with scene.socket("/v1/events") as socket:
        await frames(socket, 1)
        await scene.typed("hello")
        assert (await frames(socket, 1))[0]["event"] == "Typed"


async def test_fifty_watchers_miss_nothing(scene: Scene) -> None:
    async def watch() -> list[int]:
        async with scene.socket("/v1/events?after=0") as socket:
            await frames(socket, 1)
            return [event["seq"] for event in await frames(socket, 300)]

    watching = [asyncio.create_task(watch()) for _ in range(50)]
    for sample in range(300):
        await scene.pipeline.post(ev.LevelMeasured(sample, -30.0, -20.0))
    assert await asyncio.gather(*watching) == [list(range(1, 301))] * 50


async def test_a_watcher_who_comes_too_late_is_told_what_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_scene(tmp_path, monkeypatch, kept=10) as scene:
        for sample in range(30):
            await scene.pipeline.post(ev.LevelMeasured(sample, -30.0, -20.0))
        await scene.pipeline.settled()
        async with scene.socket("/v1/events?after=3") as socket:
            hello, missed, first = await frames(socket, 3)
        assert hello["oldest"] == 21
        assert (missed["event"], missed["from"], missed["to"]) == ("Missed", 4, 20)
        assert first["seq"] == 21


async def test_a_message_is_done_and_answered(scene: Scene) -> None:
    asking = asyncio.create_task(
        scene.call("POST", "/v1/chat/message", json={"text": "run the tests", "wait_s": 30})
    )
    await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
    await scene.executor.finish(next(iter(scene.executor.running)))
    task = await asking
    assert (task["state"], task["result"]["state"], task["result"]["reply"]) == ("done", "done", "Done")
    assert task["result"]["intent"]["action"] == "test"
    turn = await scene.call("GET", f"/v1/turns/{task['result']['turn']}")
    assert turn["outcome"]["summary"] == "Done"


async def test_longer_work_becomes_a_task(scene: Scene) -> None:
    task = await scene.call("POST", "/v1/chat/message", 202, json={"text": "run the tests", "wait_s": 0})
    assert task["state"] == "running"
    await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
    await scene.call("POST", "/v1/stop")
    async with asyncio.timeout(LIMIT_S):
        while (task := await scene.call("GET", task["url"]))["state"] == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert task["result"]["state"] == "stopped"
    assert [one["id"] for one in await scene.call("GET", "/v1/tasks")] == [task["id"]]
    await scene.refused("GET", "/v1/tasks/abc", 404, "no_such_task")


async def test_each_conversation_has_its_own_window_of_five(scene: Scene) -> None:
    for number in range(7):
        await _said(scene, f"task {number}", "one")
    await _said(scene, "task for the other", "two")
    windows = [[turn.text for turn in dialog.turns] for dialog in scene.brain.dialogs]
    assert windows[-2] == [f"task {number}" for number in range(1, 6)]
    assert windows[-1] == []


async def _said(scene: Scene, text: str, conversation: str) -> None:
    scene.executor.started.clear()
    body = {"text": text, "session_id": conversation, "wait_s": 0}
    await scene.call("POST", "/v1/chat/message", 202, json=body)
    await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
    await scene.executor.finish(next(iter(scene.executor.running)))
    await scene.pipeline.settled()


async def test_what_a_model_understood_is_not_asked_again(scene: Scene) -> None:
    known = Intent(kind="task", text="add a page", source="claude")
    scene.brain.known["add a page"] = known
    results = []
    for text in ("add a page", "Add a page!"):
        scene.executor.started.clear()
        asking = asyncio.create_task(
            scene.call("POST", "/v1/chat/message", json={"text": text, "wait_s": 30})
        )
        await asyncio.wait_for(scene.executor.started.wait(), LIMIT_S)
        await scene.executor.finish(next(iter(scene.executor.running)))
        results.append((await asking)["result"])
    assert scene.brain.asked == ["add a page"]
    assert [one["cached"] for one in results] == [False, True]
    await scene.call("DELETE", "/api/v1/history")
    await scene.call("POST", "/v1/chat/message", 202, json={"text": "add a page", "wait_s": 0})
    await asyncio.wait_for(scene.brain.thinking.wait(), LIMIT_S)
    await scene.pipeline.settled(jobs=False)
    assert scene.brain.asked == ["add a page"] * 2


async def test_a_question_is_answered_by_its_number(scene: Scene) -> None:
    job = await scene.job()
    await scene.pipeline.post(ev.JobAsked(job, 7, "permission", "Run npm install?", "npm install --save"))
    await scene.pipeline.settled(jobs=False)
    asked = (await scene.call("GET", "/v1/questions"))[0]
    assert (asked["number"], asked["detail"], asked["risk"]) == (7, "npm install --save", "write")
    await scene.call("POST", "/v1/questions/7/answer", json={"yes": True})
    await scene.pipeline.settled(jobs=False)
    assert [(one.question, one.yes, one.by) for one in scene.executor.answers] == [(7, True, "page")]
    await scene.refused("POST", "/v1/questions/7/answer", 404, "no_such_question", json={"yes": True})


async def test_a_destructive_yes_names_its_object(scene: Scene) -> None:
    job = await scene.job()
    asked = ev.JobAsked(job, 9, "permission", "Delete build?", object="build", risk="destructive")
    await scene.pipeline.post(asked)
    await scene.pipeline.settled(jobs=False)
    path = "/v1/questions/9/answer"
    await scene.refused("POST", path, 409, "name_the_object", json={"yes": True})
    await scene.refused(
        "POST", path, 409, "name_the_object", json={"yes": True, "object": "build", "always": True}
    )
    await scene.call("POST", path, json={"yes": True, "object": "build"})
    await scene.pipeline.settled(jobs=False)
    assert [one.yes for one in scene.executor.answers] == [True]


async def test_history_is_paged_and_replayed(scene: Scene) -> None:
    for number in range(5):
        await _said(scene, f"task {number}", "")
    first = await scene.call("GET", "/v1/history?limit=2")
    assert [one["text"] for one in first["items"]] == ["task 4", "task 3"]
    second = await scene.call("GET", f"/v1/history?limit=2&before={first['next']}")
    assert [one["text"] for one in second["items"]] == ["task 2", "task 1"]
    found = await scene.call("GET", "/v1/history?search=task%203")
    assert [one["text"] for one in found["items"]] == ["task 3"]
    whole = await scene.call("GET", f"/v1/history/{first['items'][0]['id']}")
    assert "Understood" in {event["name"] for event in whole["events"]}
    assert str(Path.home()) not in json.dumps(first)
    await scene.refused("GET", "/v1/history/12345", 404, "no_such_utterance")
    await scene.refused("GET", f"/v1/history/{first['items'][0]['id']}/audio", 404, "no_recording")


async def test_undo_is_done(scene: Scene) -> None:
    answer = await scene.call("POST", "/v1/undo?wait_s=30")
    assert (answer["state"], answer["reply"]) == ("done", "Undone")
    assert scene.executor.taken_back == [("undo", 1)]


async def test_the_page_is_there_and_says_what_it_may(scene: Scene) -> None:
    async with scene.anyone as browser:
        page = await browser.get("/")
        assert page.status_code == 200
        assert "<html" in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
        references = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
        assert references
        for reference in references:
            assert (await browser.get(reference)).status_code == 200
        outside = await browser.get("/page/..%2f..%2f..%2fconfig.py")
        assert outside.status_code == 404


async def test_measures_are_read_by_prometheus(scene: Scene) -> None:
    await scene.job()
    text = (await scene.http.get("/metrics")).text
    assert 'mybro_events_total{event="JobStarted"} 1.0' in text
    assert "start" in await scene.call("GET", "/v1/latency")


async def test_a_taken_port_is_told_clearly(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ServerError, match=f"port {scene.port} is taken") as refused:
        async with serve_scene(tmp_path / "other", monkeypatch, port=scene.port):
            pass
    assert refused.value.code == "port_busy"


async def test_it_answers_under_the_names_of_this_machine(scene: Scene) -> None:
    async with httpx.AsyncClient(base_url=f"http://localhost:{scene.port}") as client:
        assert (await client.get("/healthz")).json() == {"ok": True}
