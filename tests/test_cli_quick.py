"""The words to a running session: the same by the short way as by the whole command line, and cheap."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mybro.ops.knock import folder, repository, sockets
from mybro.quick import TAKEN, quick
from tests.program import environment

pytestmark = pytest.mark.integration

DEAR = {"click", "typing", "dataclasses", "inspect", "pathlib", "asyncio", "tempfile", "mybro.cli"}
"""What costs more than the word itself."""


class Session(socketserver.ThreadingUnixStreamServer):
    """Answers as a session's control socket does, by a table."""

    daemon_threads = True

    def __init__(self, path: Path, repo: Path, replies: dict[str, dict[str, Any]]) -> None:
        self.asked: list[dict[str, Any]] = []
        session = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                greeting = {"mybro": "1", "protocol": 1, "pid": 1, "repo": str(repo)}
                self.wfile.write(json.dumps(greeting).encode() + b"\n")
                if line := self.rfile.readline():
                    request = json.loads(line)
                    session.asked.append(request)
                    if reply := replies.get(request["do"]):
                        self.wfile.write(json.dumps({"id": request["id"], **reply}).encode() + b"\n")

        super().__init__(str(path), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


REPLIES: dict[str, dict[str, Any]] = {
    "status": {"ok": {"says": "Ready."}},
    "stop": {"ok": {}},
    "say": {"ok": {"turn": 3}},
    "ptt": {"error": {"code": "no_microphone", "message": "there is no microphone", "hint": "Use the page"}},
}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.delenv("MYBRO_SOCKET", raising=False)
    made = tmp_path / "repo"
    (made / ".git").mkdir(parents=True)
    (made / "inner").mkdir()
    monkeypatch.chdir(made / "inner")
    return made


@pytest.fixture
def session(repo: Path) -> Iterator[Session]:
    place = folder()
    assert place is not None
    with Session(Path(place) / "1.sock", repo, REPLIES) as made:
        yield made
        made.shutdown()


def test_the_plain_forms_are_answered(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    assert [quick(["status"]), quick(["stop"]), quick(["say", "run", "the tests"])] == [0, 0, 0]
    assert capsys.readouterr().out.splitlines() == ["Ready.", "Stopped.", TAKEN]
    assert [(one["do"], one.get("text")) for one in session.asked][2] == ("say", "run the tests")
    assert quick(["ptt", "toggle"]) == 1
    assert capsys.readouterr().err == "mybro: there is no microphone. Use the page\n"
    session.asked.clear()
    # Whatever asks for more is for the whole command line.
    for words in (
        ["status", "--json"],
        ["say", "--yes", "x"],
        ["say", " "],
        ["say"],
        ["ptt", "left"],
        ["run"],
    ):
        assert quick(words) is None
    assert session.asked == []


def test_a_sentence_goes_to_its_own_repository_only(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_SOCKET", str(sockets()[0]))
    assert quick(["say", "delete it all"]) is None
    monkeypatch.delenv("MYBRO_SOCKET")
    monkeypatch.chdir(tmp_path)
    assert repository(".") == str(tmp_path.resolve())
    assert quick(["say", "run the tests"]) is None
    assert session.asked == []


def test_where_nobody_answers_it_is_left_to_others(repo: Path) -> None:
    assert quick(["status"]) is None
    place = folder()
    assert place is not None
    Path(place, "9.sock").write_text("no socket")
    assert quick(["stop"]) is None


def test_it_imports_next_to_nothing(session: Session, repo: Path, tmp_path: Path) -> None:
    env = environment(tmp_path / "home", XDG_RUNTIME_DIR=os.environ["XDG_RUNTIME_DIR"])
    # Whoever measures coverage imports what they like.
    env = {name: value for name, value in env.items() if not name.startswith("COVERAGE_")}
    script = "\nfrom mybro.__main__ import main\ntry: main()\nfinally: print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {script}", "status"],
        cwd=repo, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    says, modules = done.stdout.splitlines()
    assert says == "Ready."
    assert DEAR & set(modules.split()) == set()
