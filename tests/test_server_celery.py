"""Longer work by a real Celery worker, with a real Redis server between; and without either."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis as Client

from mybro.models import package
from mybro.server.celery_queue import WORKERS, CeleryQueue, alive_key
from tests.program import command, environment, processes_with
from tests.requirements import need
from tests.server_scene import LIMIT_S, Scene, serve_scene
from tests.test_server_scale import free_port, redis_url

__all__ = ["redis_url"]
pytestmark = pytest.mark.integration

SPOKEN = Path(__file__).parent / "audio" / "dev" / "02_piper_joe.flac"


class Worker:
    """`mybro serve worker` as a person starts it."""

    def __init__(self, url: str, place: Path, *more: str, **variables: str) -> None:
        self.home = place / "home"
        env = environment(
            self.home, MYBRO_SERVER__CELERY_URL=url, MYBRO_TRANSCRIBE__MODEL="tiny.en",
            MYBRO_TRANSCRIBE__BACKEND="faster-whisper", MYBRO_DATA_DIR=str(place / "data"),
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring", **variables,
        )  # fmt: skip
        self.told = place / "worker.log"
        with self.told.open("wb") as told:
            self.process = subprocess.Popen(
                command("serve", "worker", *more), cwd=place, env=env, stdin=subprocess.DEVNULL,
                stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def until_alive(self, client: Any) -> None:
        deadline = time.monotonic() + LIMIT_S
        while not any(client.exists(alive_key(name)) for name in client.smembers(WORKERS)):
            assert self.process.poll() is None, self.told.read_text()
            assert time.monotonic() < deadline, self.told.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(LIMIT_S)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT_S)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Any]:
    with Client.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        yield client


@pytest.fixture
def worker(redis_url: str, redis: Any, tmp_path: Path) -> Iterator[Worker]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    made = Worker(redis_url, tmp_path, "--beat", MYBRO_SERVER__UPKEEP_S="1")
    made.until_alive(redis)
    yield made
    made.close()
    assert processes_with(made.home) == []


@pytest.fixture
async def scene(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with serve_scene(tmp_path, monkeypatch, ears=True, celery_url=redis_url) as made:
        yield made


async def ended(scene: Scene, url: str) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT_S):
        while (task := await scene.call("GET", url))["state"] in ("queued", "running"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return dict(task)


async def begun(scene: Scene, url: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        while (await scene.call("GET", url))["state"] == "queued":  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_worker_does_it_and_the_api_tells(scene: Scene, worker: Worker, redis: Any) -> None:
    def upload() -> dict[str, Any]:
        return {"files": {"file": ("a.flac", SPOKEN.read_bytes())}}

    words = await scene.call("POST", "/v1/audio/transcriptions", **upload())
    here = await scene.server.store.logs(1)
    assert words["text"] == here[0]["content"] != ""
    (listed,) = await scene.call("GET", "/v1/tasks")
    assert (listed["kind"], listed["state"]) == ("transcribe", "done")
    assert listed["result"]["model_id"] == "faster-whisper/tiny.en"
    told = await scene.refused("GET", f"/v1/tasks/{'0' * 32}", 404, "no_such_task")
    assert told["retryable"] is False
    bad = {"files": {"file": ("a.flac", b"fLaC" + bytes(100))}}
    await scene.refused("POST", "/v1/audio/transcriptions", 415, "unreadable_sound", **bad)
    # Another queue, as after a restart of the session, knows what came of it.
    later = CeleryQueue(f"{redis_dsn(redis)}", fallback=False)
    assert (await later.kept(listed["id"]))[0].result == listed["result"]
    await later.aclose()
    # The beat has had old things deleted meanwhile, and no log holds what was said.
    async with asyncio.timeout(LIMIT_S):
        while sum(json.loads(m)["status"] == "SUCCESS" for m in metas(redis)) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert words["text"].split()[0] not in worker.told.read_text()


def redis_dsn(client: Any) -> str:
    options = client.connection_pool.connection_kwargs
    return f"redis://{options['host']}:{options['port']}/0"


def metas(client: Any) -> list[str]:
    return [client.get(key) for key in client.scan_iter("celery-task-meta-*")]


async def test_a_stop_ends_what_a_worker_does_and_a_kill_is_told(
    scene: Scene, worker: Worker, redis: Any, tmp_path: Path
) -> None:
    for number in range(4000):
        (tmp_path / f"m{number}.py").write_text("import os\n" * 50)
    stopped = await scene.call("POST", "/v1/doctor", 202)
    await begun(scene, stopped["url"])
    await scene.call("POST", "/v1/stop")
    task = await ended(scene, stopped["url"])
    assert (task["state"], task["error"]["code"]) == ("failed", "stopped")
    killed = await scene.call("POST", "/v1/doctor", 202)
    await begun(scene, killed["url"])
    worker.kill()
    task = await ended(scene, killed["url"])
    assert (task["state"], task["error"]["code"]) == ("interrupted", "interrupted")
    assert "not begun again" in task["error"]["hint"]
    # Another worker does not take it up unasked.
    second = Worker(redis_dsn(redis), tmp_path)
    try:
        second.until_alive(redis)
        fresh = await scene.call("POST", "/v1/doctor", 202)
        await begun(scene, fresh["url"])
        assert (await scene.call("GET", killed["url"]))["state"] == "interrupted"
        await scene.call("POST", "/v1/stop")
        await ended(scene, fresh["url"])
    finally:
        second.close()


async def test_without_a_worker_the_session_does_it_or_refuses(
    redis_url: str, redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"redis://127.0.0.1:{free_port()}/0"
    for url, code in ((redis_url, "no_worker"), (gone, "queue_failed")):
        refusing: dict[str, Any] = {"celery_url": url, "celery_fallback": False}
        async with serve_scene(tmp_path / code, monkeypatch, **refusing) as scene:
            told = await scene.refused("POST", "/v1/doctor", 503, code)
            assert told["retryable"] is True
            # What needs no worker works all the same.
            assert (await scene.call("GET", "/v1/tasks")) == []
            assert await scene.call("POST", "/v1/stop") == {"ok": True}
        async with serve_scene(tmp_path / f"{code} here", monkeypatch, celery_url=url) as scene:
            task = await scene.call("POST", "/v1/doctor", 202)
            assert (await ended(scene, task["url"]))["state"] == "done"


def test_without_the_library_or_an_address_it_says_so(tmp_path: Path) -> None:
    from tests.program import run

    missing = run("serve", "worker", home=tmp_path / "home", cwd=tmp_path)
    assert (missing.returncode, "MYBRO_SERVER__CELERY_URL" in missing.stderr) == (1, True)
    wrong = {"MYBRO_SERVER__CELERY_URL": "amqp://somewhere"}
    refused = run("serve", "worker", home=tmp_path / "home", cwd=tmp_path, env=wrong)
    assert (refused.returncode, "no address of a Redis server" in refused.stderr) == (1, True)
