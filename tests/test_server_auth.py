"""Who may do what: tokens, scopes, revocation, the page's cookie."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from pydantic import SecretStr
from websockets.exceptions import InvalidStatus

from mybro.config import ServerSettings
from mybro.errors import ServerError
from mybro.server.auth import Doorkeeper
from mybro.server.tokens import ALGORITHM, AUDIENCE, KEYCHAIN_NAME, Tokens, secret_of
from tests.fakes.desk import keychain_in_memory
from tests.requirements import need
from tests.server_scene import LIMIT_S, Scene, bearer, code, frames, get, scene, serve_scene

__all__ = ["scene"]
pytestmark = pytest.mark.integration


def forged(scene: Scene, secret: str | None = None, algorithm: str = ALGORITHM, **claims: Any) -> str:
    """A token that this server did not make."""
    now = int(time.time())
    body = {"jti": "ab", "scope": "act", "aud": AUDIENCE, "iat": now, "exp": now + 600, **claims}
    return jwt.encode(
        body, scene.keychain.kept["mybro", KEYCHAIN_NAME] if secret is None else secret, algorithm
    )


async def test_without_a_token_nothing_is_told(scene: Scene) -> None:
    for path in (
        "/v1/status",
        "/v1/history",
        "/api/v1/history",
        "/metrics",
        "/v1/nothing",
        "/nothing",
        "/docs",
    ):
        answer = await get(scene, path)
        assert code(answer) == (401, "no_credentials")
        assert answer.headers["www-authenticate"] == "Bearer"
    async with scene.anyone as client:
        assert code(await client.post("/v1/stop")) == (401, "no_credentials")
        assert (await client.get("/healthz")).status_code == 200


async def test_tokens_that_are_not_good_are_refused(scene: Scene) -> None:
    good = await scene.token("read")
    header, body, signature = good.split(".")
    bad = {
        "nonsense": "bad_token",
        f"{header}.{body}.{signature[:-4]}AAAA": "bad_token",
        forged(scene, "another secret that is quite long enough"): "bad_token",
        forged(scene, "", "none"): "bad_token",
        forged(scene, aud="another"): "bad_token",
        forged(scene, exp=1): "token_expired",
        # Well signed, but never given out: the register knows nothing of it.
        forged(scene): "token_revoked",
        # mybro: ignore[SEC23] the test reads the name of its own token
        forged(scene, jti=jwt.decode(good, options={"verify_signature": False})["jti"]): "token_revoked",
    }
    for token, why in bad.items():
        assert code(await get(scene, authorization=bearer(token))) == (401, why)
    assert code(await get(scene, authorization="Basic YTpi")) == (401, "bad_token")
    assert (await get(scene, authorization=bearer(good))).status_code == 200


async def test_a_revoked_token_is_refused_at_once(scene: Scene) -> None:
    made = await scene.call("POST", "/v1/tokens", 201, json={"scope": "read", "days": 1, "name": "lamp"})
    assert (await get(scene, authorization=bearer(made["token"]))).status_code == 200
    # By another process, as `mybro serve revoke` does it.
    other = Tokens(scene.keychain.kept["mybro", KEYCHAIN_NAME])
    other.revoke(made["id"])
    other.close()
    assert code(await get(scene, authorization=bearer(made["token"]))) == (401, "token_revoked")
    listed = {one["id"]: one for one in await scene.call("GET", "/v1/tokens")}
    assert listed[made["id"]]["revoked"]
    assert "token" not in listed[made["id"]]
    await scene.refused("DELETE", "/v1/tokens/0123", 404, "no_such_token")


async def test_a_connection_ends_with_its_token(scene: Scene) -> None:
    made = await scene.call("POST", "/v1/tokens", 201, json={"scope": "read", "days": 1})
    async with scene.socket("/v1/events", made["token"]) as socket, scene.socket("/v1/events") as other:
        await scene.call("DELETE", f"/v1/tokens/{made['id']}")
        async with asyncio.timeout(LIMIT_S):
            await socket.wait_closed()
        assert (socket.close_code, socket.close_reason) == (1008, "token_revoked")
        await frames(other, 1)


async def test_a_scope_that_is_too_small_is_refused(scene: Scene) -> None:
    read, speak, act = [await scene.token(scope) for scope in ("read", "speak", "act")]
    async with scene.anyone as client:
        for token in (read, speak):
            headers = {"authorization": bearer(token)}
            assert code(await client.post("/v1/stop", headers=headers)) == (403, "scope_too_small")
            answer = await client.post("/v1/chat/message", headers=headers, json={"text": "hello"})
            assert code(answer) == (403, "scope_too_small")
        files = {"file": b"RIFF"}
        answer = await client.post(
            "/v1/audio/transcriptions", headers={"authorization": bearer(read)}, files=files
        )
        assert code(answer) == (403, "scope_too_small")
        # A program's token makes no others, whatever its scope.
        answer = await client.post(
            "/v1/tokens", headers={"authorization": bearer(act)}, json={"scope": "read"}
        )
        assert code(answer) == (403, "scope_too_small")
    with pytest.raises(InvalidStatus) as refused:
        async with scene.socket("/ws/microphone", speak):
            pass
    assert refused.value.response.status_code == 403


async def test_a_cookie_serves_the_page_and_no_other(scene: Scene) -> None:
    own = {"origin": scene.served.url}
    async with scene.anyone as browser:
        opened = await browser.get(f"/?token={scene.served.token}")
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await browser.get("/v1/session")).json()["by"] == "cookie"
        assert (await browser.post("/v1/stop", headers=own)).status_code == 200
        # A form or script of another place, also of another port of this machine.
        for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
            answer = await browser.post("/v1/stop", headers={"origin": origin})
            assert code(answer) == (403, "foreign_origin")
        assert code(await browser.post("/v1/stop")) == (403, "foreign_origin")
        assert (await browser.delete("/v1/session", headers=own)).status_code == 200
        assert code(await browser.get("/v1/status")) == (401, "no_credentials")
        assert code(await browser.get("/?token=wrong")) == (401, "bad_token")


async def test_guessing_is_slowed_down(scene: Scene) -> None:
    async with scene.anyone as client:
        codes = [code(await client.post("/v1/session", json={"password": f"guess {n}"})) for n in range(12)]
        assert codes[:10] == [(401, "bad_password")] * 10
        assert codes[-1] == (429, "too_many_requests")
        told = {}
        for tries in range(400):  # a slow machine gives each guess some time to be forgotten
            told[tries] = code(await client.get("/v1/status", headers={"authorization": bearer("x")}))
            if told[tries] == (429, "too_many_requests"):
                break
        assert told[0] == (401, "bad_token")
        assert told[max(told)] == (429, "too_many_requests")


def certificate(place: Path) -> dict[str, str]:
    """A key and a certificate for this machine, of one day."""
    openssl = shutil.which("openssl")
    need(openssl, "openssl")
    cert, key = place / "cert.pem", place / "key.pem"
    name = ["-subj", "/CN=localhost", "-days", "1", "-keyout", str(key), "-out", str(cert)]
    command = [str(openssl), "req", "-x509", "-newkey", "rsa:2048", "-nodes", *name]
    subprocess.run(command, check=True, capture_output=True)
    return {"tls_cert": str(cert), "tls_key": str(key)}


async def test_with_tls_and_a_password_it_may_be_reached_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    everywhere: dict[str, Any] = {"host": "0.0.0.0", **certificate(tmp_path)}  # noqa: S104
    word = "correct horse battery"
    names = ("studio.local",)
    async with serve_scene(tmp_path, monkeypatch, password=word, allowed_hosts=names, **everywhere) as scene:
        address = f"https://127.0.0.1:{scene.port}"
        async with httpx.AsyncClient(base_url=address, verify=False) as browser:  # noqa: S501 - made here
            own = {"origin": address}
            assert code(await browser.get("/v1/status")) == (401, "no_credentials")
            wrong = await browser.post("/v1/session", json={"password": "wrong"}, headers=own)
            assert code(wrong) == (401, "bad_password")
            right = await browser.post("/v1/session", json={"password": word}, headers=own)
            assert (right.status_code, right.json()["password_login"]) == (200, True)
            assert "secure" in right.headers["set-cookie"].lower()
            assert (await browser.get("/v1/status")).status_code == 200
            named = {"host": f"studio.local:{scene.port}"}
            assert (await browser.get("/healthz", headers=named)).status_code == 200
        assert word not in str(scene.keychain.kept)


async def test_beyond_this_machine_it_insists_on_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = {"tls_cert": "/nowhere", "tls_key": "/nowhere"}
    real = certificate(tmp_path)
    cases: list[tuple[dict[str, Any], str]]
    cases = [({}, "needs TLS"), (nowhere, "is no file"), (real, "needs a password")]
    for given, why in cases:
        for host in ("0.0.0.0", "::", "192.168.1.5", "studio.local"):  # noqa: S104
            with pytest.raises(ServerError, match=why):
                async with serve_scene(tmp_path, monkeypatch, host=host, **given):
                    pass


def test_a_weak_secret_is_refused() -> None:
    with pytest.raises(ServerError, match="too short"):
        secret_of(ServerSettings(jwt_secret=SecretStr("short")), lasting=False)


def test_a_secret_lasts_in_the_keychain_or_for_one_run() -> None:
    with keychain_in_memory() as kept:
        first = secret_of(ServerSettings(), lasting=True)
        assert kept.kept["mybro", KEYCHAIN_NAME] == first == secret_of(ServerSettings(), lasting=False)
        kept.locked = True
        assert secret_of(ServerSettings(), lasting=False) != first
        with pytest.raises(ServerError, match="cannot be kept"):
            secret_of(ServerSettings(), lasting=True)


def test_a_browser_is_known_again_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path))
    moment = 1000.0
    first = Doorkeeper(Tokens("0" * 32), 7777, wall=lambda: moment)
    shown, gone = (f"other=1; {first.cookie}={first.open_session()}" for _ in range(2))
    first.close_session(gone)
    first.close()
    # The page's token is another, and no file holds what the cookie does.
    second = Doorkeeper(Tokens("0" * 32), 7777, wall=lambda: moment)
    assert second.page_token != first.page_token
    assert (second.who("", shown).by, second.who("", shown).scope) == ("cookie", "act")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert shown.rpartition("=")[2].encode() not in kept
    for cookies in (gone, shown.replace("7777", "8888"), f"{first.cookie}="):
        with pytest.raises(ServerError, match="needs a token"):
            second.who("", cookies)
    # Each visit counts; a week without one ends it.
    moment += 6 * 86_400
    assert second.who("", shown)
    second.close()
    moment += 6 * 86_400
    third = Doorkeeper(Tokens("0" * 32), 7777, wall=lambda: moment)
    assert third.who("", shown)
    moment += 8 * 86_400
    with pytest.raises(ServerError, match="needs a token"):
        third.who("", shown)
    third.close()
