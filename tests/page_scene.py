"""A real browser on the page: Debian's Chromium, with a recording as its microphone."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.async_api import Browser, Page, Playwright, async_playwright

from tests.audio_tools import read_pcm
from tests.requirements import need

LIMIT_MS = 120_000
RATE = 16_000
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 860}
WIDE = {"width": 1920, "height": 1080}
_AXE = Path(".cache") / "web" / "node_modules" / "axe-core" / "axe.min.js"
_CHECKOUT = Path(__file__).parent.parent


def microphone(recording: Path, place: Path) -> Path:
    """A recording with quiet before and after it, as the browser's microphone reads it: once."""
    # No real microphone gives zeros, and one that does is taken for a muted one.
    quiet = np.random.default_rng(1).integers(-4, 5, RATE).astype(np.int16)
    wav = place / "microphone.wav"
    sound = np.concatenate([quiet, read_pcm(recording), *[quiet] * 20])
    soundfile.write(wav, sound, RATE, subtype="PCM_16")
    return wav


@contextlib.asynccontextmanager
async def chromium(wav: Path | None = None, *more: str) -> AsyncIterator[Browser]:
    """A browser that takes `wav` for what its microphone hears."""
    arguments = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", *more]
    if wav is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={wav}%noloop")
    async with async_playwright() as playwright:
        browser = await browser_of(playwright, *arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def browser_of(playwright: Playwright, *arguments: str) -> Browser:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    need(program, "Chromium: apt install chromium")
    rooted = ["--no-sandbox"] if os.geteuid() == 0 else []
    return await playwright.chromium.launch(executable_path=program, args=[*arguments, *rooted])


@contextlib.asynccontextmanager
async def visit(
    browser: Browser, address: str, size: dict[str, int] = DESK, **more: Any
) -> AsyncIterator[Page]:
    """A page in a context of its own; no script of it may fail, and nothing may break its content policy."""
    context = await browser.new_context(viewport=size, permissions=["microphone"], **more)  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(LIMIT_MS)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
    try:
        await page.goto(address)
        yield page
        assert faults == []
    finally:
        await context.close()


async def shot(page: Page, name: str, place: Path) -> None:
    """A picture of the page; MYBRO_SCREENSHOTS names a folder to keep it in."""
    folder = Path(os.environ.get("MYBRO_SCREENSHOTS", place))
    await page.screenshot(path=folder / f"{name}.png")


def axe_source() -> str:
    """axe-core's script."""
    named = os.environ.get("MYBRO_TSX_BIN")
    beside = [Path(named).parent.parent / "axe-core" / "axe.min.js"] if named else []
    found = next((path for path in [*beside, _CHECKOUT / _AXE] if path.exists()), None)
    need(found, "axe-core: make test fetches it with npm")
    assert found is not None
    return found.read_text(encoding="utf-8")


async def faults_of(page: Page, impacts: Iterable[str] = ("serious", "critical")) -> list[str]:
    """What axe finds wrong with the page as it stands."""
    # The content policy lets no page load it; the browser's own tools may.
    await page.evaluate(axe_source())
    found = await page.evaluate("() => axe.run(document)")
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in impacts
        for node in one["nodes"]
    ]
