"""The doctor over the API: the real one, on a small real repository."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.doctor_fixtures import repository
from tests.server_scene import LIMIT_S, Scene, bearer, code, get, serve_scene

pytestmark = pytest.mark.integration


@pytest.fixture
async def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    files = {"cart.py": "import sys\n\n\ndef total(cart=[]):\n    return 1\n", ".gitignore": "data/\n"}
    async with serve_scene(repository(tmp_path / "shop", files), monkeypatch) as made:
        yield made


async def examined(scene: Scene) -> Any:
    """The task of an examination, once it is over."""
    answer = await scene.http.post("/v1/doctor")
    assert answer.status_code in (200, 202), answer.text
    async with asyncio.timeout(LIMIT_S):
        while (task := await scene.call("GET", answer.json()["url"]))["state"] == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return task


async def test_it_looks_in_the_background_and_what_it_found_is_kept(scene: Scene) -> None:
    await scene.refused("GET", "/v1/doctor", 404, "no_report")
    first, second = await asyncio.gather(examined(scene), examined(scene))
    assert first["state"] == second["state"] == "done" and first["kind"] == "doctor"
    assert first["result"]["at"] == second["result"]["at"]
    found = await scene.call("GET", "/v1/doctor")
    assert found == first["result"] and 0 < found["score"] < 100
    assert [one["number"] for one in found["findings"]] == list(range(1, len(found["findings"]) + 1))
    unused = next(one for one in found["findings"] if one["id"] == "PY03")
    assert unused["places"] == [{"path": "cart.py", "line": 1}] and unused["mends"]["safe"] == 1
    assert unused["why"] and unused["mend"]


async def test_only_who_may_act_starts_it(scene: Scene) -> None:
    reader = bearer(await scene.token("read"))
    assert code(await get(scene, "/v1/doctor", authorization=reader)) == (404, "no_report")
    async with httpx.AsyncClient(base_url=scene.served.url, headers={"Authorization": reader}) as client:
        assert code(await client.post("/v1/doctor")) == (403, "scope_too_small")


async def test_a_stop_ends_it(scene: Scene, tmp_path: Path) -> None:
    for number in range(1_500):
        (tmp_path / "shop" / f"x{number}.py").write_text("import sys\n")
    began = asyncio.create_task(scene.http.post("/v1/doctor"))
    async with asyncio.timeout(LIMIT_S):
        while not (tasks := await scene.call("GET", "/v1/tasks")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await scene.call("POST", "/v1/stop")
    await began
    async with asyncio.timeout(LIMIT_S):
        while (task := await scene.call("GET", tasks[0]["url"]))["state"] == "running":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert (task["state"], task["error"]["code"]) == ("failed", "stopped")
    await scene.refused("GET", "/v1/doctor", 404, "no_report")
