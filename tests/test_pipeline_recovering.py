"""What was cut off by a kill: what is asked about it, and what each answer does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kill_scene import LIMIT_S, Desk, committing
from tests.program import processes_with
from tests.projects import home, shop
from tests.test_server_scale import free_port

__all__ = ["home", "shop"]
pytestmark = pytest.mark.end_to_end


async def question(client: httpx.AsyncClient) -> dict[str, Any]:
    """The one question that is open."""
    async with asyncio.timeout(LIMIT_S):
        while not (found := (await client.get("/v1/questions")).json()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    (one,) = found
    return dict(one)


async def answer(client: httpx.AsyncClient, number: int, choice: str) -> None:
    body = {"yes": True, "choice": choice}
    assert (await client.post(f"/v1/questions/{number}/answer", json=body)).status_code == 200


async def test_what_a_kill_cut_off_is_looked_at_and_undone(shop: Path, home: Path) -> None:
    runs = home / "runs"
    committing(shop, runs)
    hook = shop / ".git" / "hooks" / "commit-msg"
    hook.write_text(
        hook.read_text().replace("sleep", "echo half > half.txt\nsleep 6; echo never > never.txt;:")
    )
    desk = Desk(home, shop, free_port(), 1)
    headers = {"Authorization": f"Bearer {desk.token()}"}
    desk.start()
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{desk.port}", headers=headers, timeout=LIMIT_S
        ) as client:
            await desk.until_up(client, None)
            (shop / "more.py").write_text("x = 1\n")
            body = {"text": "commit with the message first", "wait_s": 0}
            await client.post("/v1/chat/message", json=body)
            async with asyncio.timeout(LIMIT_S):
                while not (shop / "half.txt").exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            former = desk.session().pid
            os.kill(former, signal.SIGKILL)
            await desk.until_up(client, former)
            asked = await question(client)
            assert "what came of it is not known" in asked["text"]
            assert [one["label"] for one in asked["choices"]] == ["Check", "Do it again", "Undo", "Leave it"]
            assert (await client.get("/v1/history")).json()["items"][0]["state"] == "interrupted"
            await answer(client, asked["number"], "Check")
            again = await question(client)
            assert "+half" in again["detail"]
            assert [one["label"] for one in again["choices"]] == ["Do it again", "Undo", "Leave it"]
            await answer(client, again["number"], "Undo")
            async with asyncio.timeout(LIMIT_S):
                while (shop / "half.txt").exists():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert (shop / "more.py").exists()
    finally:
        await asyncio.to_thread(desk.close)
    # It was begun once, and nothing of it lived on.
    assert runs.read_text().split() == ["first"]
    assert not (shop / "never.txt").exists()
    assert processes_with(home) == []
    assert json.loads((desk.data / "daemon.json").read_text())["restarts"] == 1
