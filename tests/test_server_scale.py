"""The intent cache and the API's tables: embedded, and on real Redis and PostgreSQL servers."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mybro.brain.dialog import Dialog
from mybro.errors import ServerError
from mybro.intent import Intent
from mybro.pipeline.conversations import Conversations, key_of
from mybro.server.cache import Cache, InMemory, Redis, Tiers
from mybro.server.store import Store
from tests.fakes.pipeline import FakeBrain
from tests.requirements import need

pytestmark = pytest.mark.integration

LIMIT_S = 60
HOUR_S = 3600.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server did not start"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("the server did not start in time")


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("redis-server")
    need(program, "Redis: apt install redis-server")
    assert program is not None
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    folder = tmp_path_factory.mktemp("redis")
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(LIMIT_S)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = programs[-1].parent if programs else None
    need(found or shutil.which("initdb"), "PostgreSQL: apt install postgresql")
    place = found or Path(str(shutil.which("initdb"))).parent
    # It refuses to run as root, and root's temporary folders are closed to everybody else.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(f"/tmp/mybro-pg-{os.getpid()}")  # noqa: S108
    folder.mkdir(mode=0o700)
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    port, data = free_port(), folder / "data"
    started = None
    try:
        subprocess.run(
            [place / "initdb", "-D", data, "-A", "trust", "-U", "mybro", "--no-sync"],
            user=user, cwd=folder, check=True, capture_output=True, timeout=LIMIT_S,
        )  # fmt: skip
        started = subprocess.Popen(
            [place / "postgres", "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1", "-F"],
            user=user, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(port, started)
        yield f"postgresql://mybro@127.0.0.1:{port}/postgres"
    finally:
        if started is not None:
            started.terminate()
            started.wait(LIMIT_S)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    url = request.getfixturevalue("postgres_url") if request.param == "postgresql" else None
    opened = await Store.open(url)
    await opened.forget_logs()
    yield opened
    await opened.aclose()


async def test_transcriptions_are_logged_and_paged(store: Store) -> None:
    for number in range(5):
        await store.log("one" if number % 2 else "two", "faster-whisper/tiny.en", f"text {number}", 12.34)
    rows = await store.logs(3)
    assert [row["content"] for row in rows] == ["text 4", "text 3", "text 2"]
    assert [row["content"] for row in await store.logs(9, rows[-1]["id"])] == ["text 1", "text 0"]
    assert [row["content"] for row in await store.logs(9, session_id="one")] == ["text 3", "text 1"]
    assert rows[0]["latency_ms"] == pytest.approx(12.3)
    assert abs(rows[0]["created_at"].timestamp() - time.time()) < LIMIT_S
    await store.forget_logs()
    assert await store.logs(9) == []


async def test_kept_intents_expire(store: Store) -> None:
    await store.put("key", "first", HOUR_S)
    await store.put("key", "second", HOUR_S)
    assert await store.get("key") == "second"
    await store.put("key", "third", -1)
    assert await store.get("key") is None


async def test_what_is_older_than_the_retention_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    long_ago = await Store.open(wall=lambda: time.time() - 10 * 86_400)
    await long_ago.log("s", "m", "old", 1.0)
    await long_ago.aclose()
    kept = await Store.open()
    assert len(await kept.logs(9)) == 1
    await kept.aclose()
    pruned = await Store.open(retention_days=9)
    assert await pruned.logs(9) == []
    await pruned.aclose()
    assert (tmp_path / "server.db").stat().st_mode & 0o077 == 0


async def test_a_database_that_is_not_there_is_told() -> None:
    with pytest.raises(ServerError, match=r"server\.database_url cannot be used"):
        await Store.open(f"postgresql://nobody:secret@127.0.0.1:{free_port()}/x")


async def test_redis_keeps_for_a_time(redis_url: str) -> None:
    cache = Redis(redis_url)
    await cache.put("key", "body", HOUR_S)
    assert await cache.get("key") == "body"
    assert await cache.get("other") is None
    await cache.put("key", "body", 0.01)
    await asyncio.sleep(0.1)
    assert await cache.get("key") is None
    await cache.aclose()


@pytest.mark.parametrize("first", ["memory", "redis"])
async def test_tiers_are_asked_in_turn(store: Store, request: pytest.FixtureRequest, first: str) -> None:
    quick: Cache = InMemory() if first == "memory" else Redis(request.getfixturevalue("redis_url"))
    slow: Cache = store
    tiers = Tiers((quick, slow), HOUR_S)
    key = f"tiers {os.getpid()} {id(store)}"
    await slow.put(key, "body", HOUR_S)
    assert await quick.get(key) is None
    assert await tiers.get(key) == "body"
    # From now on the quick one knows it, too.
    assert await quick.get(key) == "body"
    await tiers.clear()
    assert await tiers.get(key) is None
    await quick.aclose()


async def test_a_tier_that_is_gone_costs_no_answer(store: Store) -> None:
    gone = Redis(f"redis://127.0.0.1:{free_port()}/0")
    tiers = Tiers((gone, store), HOUR_S)
    await tiers.put("key", "body", HOUR_S)
    assert await tiers.get("key") == "body"
    await gone.aclose()


async def test_what_was_understood_outlives_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    known = Intent(kind="task", text="add a login page", source="claude")
    asked = []
    for _ in range(2):
        store = await Store.open()
        brain = FakeBrain({"add a login page": known})
        thinks = Conversations(brain, cache=Tiers((InMemory(), store), HOUR_S), ttl_s=HOUR_S, name="m")
        assert await thinks.understand("add a login page", Dialog()) == known
        asked.append(len(brain.asked))
        await store.aclose()
    assert asked == [1, 0]


def test_the_key_is_the_sentence_and_what_it_points_back_to() -> None:
    empty, intent = Dialog(), Intent(kind="task", text="mend the parser")
    window = empty.add("mend the parser", intent)
    assert key_of("Run the linter!", empty, "m") == key_of("run the linter", window, "m")
    assert key_of("add tests for it", empty, "m") != key_of("add tests for it", window, "m")
    assert key_of("run the linter", empty, "m") != key_of("run the linter", empty, "other model")
    assert key_of("run the linter", empty, "m") != key_of("run the tests", empty, "m")


async def test_what_the_grammar_knows_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    cache = InMemory()
    brain = FakeBrain()
    thinks = Conversations(brain, cache=cache, ttl_s=HOUR_S)
    await thinks.understand("run the tests", Dialog())
    await thinks.understand("run the tests", Dialog())
    assert len(brain.asked) == 2
    await thinks.aclose()


def test_without_the_libraries_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ServerError, match=r"\.\[scale\]"):
        Redis("redis://127.0.0.1/0")
