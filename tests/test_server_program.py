"""`mybro serve` and `mybro run` as a person starts them."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mybro.models import package
from tests.program import command, environment, processes_with, run
from tests.projects import home, shop
from tests.requirements import need

__all__ = ["home", "shop"]
pytestmark = pytest.mark.end_to_end

LIMIT_S = 90
SECRET = "a secret for the tests that is long enough"


class Serving:
    """A session that serves, and its address."""

    def __init__(self, repo: Path, home: Path, *arguments: str, **variables: str) -> None:
        env = environment(
            home, MYBRO_BRAIN__PROVIDER="none", MYBRO_TRANSCRIBE__MODEL="tiny.en",
            PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring", MYBRO_SERVER__JWT_SECRET=SECRET,
            MYBRO_SERVER__LOGS_PORT="0", **variables,
        )  # fmt: skip
        self.process = subprocess.Popen(
            command(*arguments), cwd=repo, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.env = env
        self.output: list[str] = []
        self._address: str | None = None
        self._known = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self.output.append(line)
            if found := re.search(r"open (http\S+)", line):
                self._address = found[1]
                self._known.set()
        if stream is self.process.stderr:
            self._known.set()

    @property
    def address(self) -> str:
        """The page's address, with its token."""
        assert self._known.wait(LIMIT_S)
        assert self._address is not None, "".join(self.output)
        return self._address

    def client(self) -> httpx.Client:
        url, _, token = self.address.partition("/?token=")
        return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=LIMIT_S)

    def close(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(LIMIT_S)
        for reader in self._readers:
            reader.join(LIMIT_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return status


@pytest.fixture
def serving(shop: Path, home: Path) -> Iterator[Serving]:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    made = Serving(shop, home, "serve", "--port", "0", "--no-voice", "--json")
    yield made
    made.close()


def test_a_message_is_done_in_the_repository(serving: Serving, shop: Path, home: Path) -> None:
    with serving.client() as client:
        status = client.get("/v1/status").json()
        assert (status["repo"], status["model"]) == (str(shop), "faster-whisper/tiny.en")
        body = {"text": "run the tests", "wait_s": 60}
        task = client.post("/v1/chat/message", json=body).json()
        assert "1 passed, 1 failed" in task["result"]["reply"]
        assert client.get("/v1/history").json()["items"][0]["text"] == "run the tests"
        # A program's token, from another terminal; revoked there, it is refused here.
        made = run(
            "serve", "token", "--scope", "read", "--name", "lamp", home=home, cwd=shop, env=serving.env
        )
        own = {"Authorization": f"Bearer {made.stdout.strip()}"}
        assert client.get("/v1/status", headers=own).status_code == 200
        assert client.post("/v1/stop", headers=own).status_code == 403
        number = made.stderr.split()[1].strip(",")
        assert number in run("serve", "tokens", home=home, cwd=shop, env=serving.env).stdout
        assert run("serve", "revoke", number, home=home, cwd=shop, env=serving.env).returncode == 0
        assert client.get("/v1/status", headers=own).status_code == 401
        again = run("serve", "revoke", "0123", home=home, cwd=shop, env=serving.env)
        assert (again.returncode, "there is no token" in again.stderr) == (1, True)
    token = serving.address.partition("token=")[2]
    assert serving.close() == 130
    assert processes_with(home) == []
    for path in home.rglob("*"):
        if path.is_file() and path.suffix != ".bin":
            content = path.read_bytes()
            for secret in (token, made.stdout.strip(), SECRET):
                assert secret.encode() not in content, path


def test_a_taken_port_is_one_clear_line(serving: Serving, shop: Path, home: Path) -> None:
    port = serving.address.partition("/?")[0].rpartition(":")[2]
    second = run("serve", "--port", port, "--no-voice", home=home, cwd=shop, env=serving.env)
    assert second.returncode == 1
    assert second.stderr.strip().splitlines()[-1].startswith(f"mybro: port {port} is taken")
    # A session that listens by itself goes on without the page, and says so.
    env = {**serving.env, "MYBRO_SERVER__ENABLED": "true", "MYBRO_SERVER__PORT": port}
    recording = Path(__file__).parent / "audio" / "dev" / "02_piper_joe.flac"
    third = run("run", "--json", "--no-voice", "--audio", recording, home=home, cwd=shop, env=env)
    assert third.returncode == 0, third.stderr
    assert "port_busy" in third.stdout
    assert serving.close(signal.SIGTERM) == 0


def test_run_serves_the_page_where_it_is_asked_to(shop: Path, home: Path) -> None:
    made = Serving(
        shop, home, "run", "--no-voice", "--json", "--audio", "-",
        MYBRO_SERVER__ENABLED="true", MYBRO_SERVER__PORT="0",
    )  # fmt: skip
    with made.client() as client:
        assert client.get("/v1/status").json()["says"]
    made.close()
    assert "token=" not in "".join(line for line in made.output if line.startswith("{"))


def test_nothing_listens_beyond_this_machine_without_tls_and_a_password(shop: Path, home: Path) -> None:
    env = {"MYBRO_SERVER__HOST": "0.0.0.0", "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}  # noqa: S104
    refused = run("serve", "--port", "0", home=home, cwd=shop, env=env)
    assert refused.returncode == 1
    assert "that needs TLS" in refused.stderr
    cert = home / "cert.pem"
    cert.write_text("")
    more = {"MYBRO_SERVER__TLS_CERT": str(cert), "MYBRO_SERVER__TLS_KEY": str(cert)}
    refused = run("serve", "--port", "0", home=home, cwd=shop, env={**env, **more})
    assert "that needs a password" in refused.stderr
    no_keychain = run("serve", "token", home=home, cwd=shop, env=env)
    assert (no_keychain.returncode, "cannot be kept" in no_keychain.stderr) == (1, True)
