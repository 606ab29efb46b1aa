"""What a person may choose on the page: what may be spent, and to hear the replies there."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from playwright.async_api import expect

from mybro import events as ev
from mybro.ops import keychain
from mybro.server.store import Store
from tests.fakes.desk import keychain_in_memory
from tests.page_scene import LIMIT_MS, PHONE, chromium, faults_of, shot, visit
from tests.program import run
from tests.server_scene import Scene, scene, serve_scene

__all__ = ["scene"]
pytestmark = pytest.mark.integration

expect.set_options(timeout=LIMIT_MS)


async def test_what_may_be_spent_is_shown_and_set(scene: Scene, tmp_path: Path) -> None:
    budget = await scene.call("GET", "/v1/budget")
    assert budget == {"session_usd": None, "day_usd": None, "today_usd": 0}
    async with chromium() as browser, visit(browser, scene.served.page, PHONE) as page:
        await page.locator("#tab-costs").click()
        await page.get_by_label("By one coding session").fill("2.5")
        await page.get_by_role("button", name="Set", exact=True).click()
        await expect(page.get_by_label("By one coding session")).to_have_value("2.5")
        assert (await scene.call("GET", "/v1/budget"))["session_usd"] == 2.5
        await shot(page, "costs-budget", tmp_path)
        assert await faults_of(page) == []
        # A number that makes no sense is not sent.
        await page.get_by_label("By all of a day").fill("-1")
        await page.get_by_role("button", name="Set", exact=True).click()
        assert (await scene.call("GET", "/v1/budget"))["day_usd"] is None
    # The next coding session goes by it, and the next mybro.
    assert scene.server.settings.executor.budget_usd == 2.5
    assert "budget_usd = 2.5" in (tmp_path / "config.toml").read_text()
    for wrong in ({"day_usd": 0}, {"day_usd": "much"}, {"other": 1}):
        await scene.refused("POST", "/v1/budget", 422, "not_understood", json=wrong)
    assert (await scene.call("POST", "/v1/budget", json={"day_usd": 9}))["day_usd"] == 9
    assert "budget_usd = 2.5" not in (tmp_path / "config.toml").read_text()


async def test_replies_are_heard_in_the_browser_where_that_is_wanted(scene: Scene, tmp_path: Path) -> None:
    played = """() => { window.played = 0; const play = HTMLMediaElement.prototype.play;
        HTMLMediaElement.prototype.play = function () {
            this.addEventListener('ended', () => { window.played += 1 }); return play.call(this) } }"""
    async with chromium() as browser, visit(browser, scene.served.page) as page:
        await expect(page.locator("#link-text")).to_have_text("Connected")
        await page.evaluate(played)
        spoken: list[str] = []
        page.on("request", lambda one: spoken.append(one.post_data or "") if "/speech" in one.url else None)
        await scene.pipeline.post(ev.SayStarted(3, "Nobody hears this."))
        await asyncio.sleep(0.3)
        assert spoken == []
        aloud = page.get_by_role("button", name="Aloud")
        await aloud.click()
        await expect(aloud).to_have_attribute("aria-pressed", "true")
        await scene.pipeline.post(ev.SayStarted(5, "Done."))
        await page.wait_for_function("() => window.played === 1")
        await shot(page, "aloud", tmp_path)
        # A stop silences it, and what waits is not said.
        for number in (7, 9, 11):
            await scene.pipeline.post(ev.SayStarted(number, "This is a rather long sentence to be said."))
        async with asyncio.timeout(LIMIT_MS / 1e3):
            while len(spoken) < 2:  # noqa: ASYNC110 - the browser tells at its own time
                await asyncio.sleep(0.02)
        await page.keyboard.press("Escape")
        # That there was nothing to stop is said in their place.
        await page.wait_for_function("() => window.played === 2")
        assert len([words for words in spoken if "rather long" in words]) == 1
        # The choice outlives the page.
        await page.reload()
        await expect(page.get_by_role("button", name="Aloud")).to_have_attribute("aria-pressed", "true")


async def test_deleting_the_history_empties_the_apis_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve_scene(tmp_path, monkeypatch) as scene:
        await scene.server.store.log("s", "m", "the secret sentence", 1.0)
        await scene.server.store.put("key", '{"text": "the secret intent"}', 60)
    env = {"MYBRO_DATA_DIR": str(tmp_path / "data"), "MYBRO_CONFIG_FILE": str(tmp_path / "config.toml")}

    def delete(*words: str) -> subprocess.CompletedProcess[str]:
        return run("history", "delete", *words, "--yes", home=tmp_path / "home", cwd=tmp_path, env=env)

    def kept() -> bytes:
        return b"".join(path.read_bytes() for path in (tmp_path / "data").glob("server.db*"))

    done = await asyncio.to_thread(delete, "--older-than", "1d")
    assert done.returncode == 0, done.stderr
    assert b"secret intent" not in kept()
    assert b"secret sentence" in kept()
    assert (await asyncio.to_thread(delete, "--all")).returncode == 0
    assert b"secret" not in kept()
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    store = await Store.open()
    assert await store.logs(9) == []
    await store.aclose()


def test_the_servers_secrets_are_in_the_keychain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from mybro.cli.serve import command
    from mybro.config import ServerSettings
    from mybro.server.kept_secrets import with_secrets

    url = "redis://:hunter2@127.0.0.1/0"
    env = {"MYBRO_CONFIG_FILE": str(tmp_path / "config.toml")}
    refused = run("config", "set", "server.redis_url", url, home=tmp_path / "home", cwd=tmp_path, env=env)
    assert refused.returncode == 2
    assert "mybro serve secret redis_url" in refused.stderr
    assert not (tmp_path / "config.toml").exists()
    with keychain_in_memory():
        assert with_secrets(ServerSettings()).redis_url is None
        done = CliRunner().invoke(command, ["secret", "redis_url"], input=f"{url}\n")
        assert done.exit_code == 0
        assert url not in done.output
        found = with_secrets(ServerSettings()).redis_url
        assert found is not None
        assert found.get_secret_value() == url
        CliRunner().invoke(command, ["secret", "redis_url", "--forget"])
        assert keychain.read("server.redis_url") is None
    nothing = run("serve", "secret", "redis_url", home=tmp_path / "home", cwd=tmp_path)
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("mybro: there is no value"), "and no warning of Python's"
