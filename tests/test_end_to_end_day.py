"""A day with the program, each command in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import threading
import wave
from pathlib import Path

import pytest

from mybro.demo import RECORDINGS
from tests.program import command, environment, lines, run
from tests.projects import git, home, shop

__all__ = ["home", "shop"]
pytestmark = pytest.mark.end_to_end

LIMIT_S = 120


def test_a_day_with_git(shop: Path, home: Path, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    git(shop, "remote", "add", "origin", str(tmp_path / "remote.git"))

    def say(text: str, *options: str) -> str:
        done = run("say", text, *options, home=home, cwd=shop)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        return done.stdout

    assert "user_id" in say("find all usages of user id")
    say("create a branch called faster prices")
    assert git(shop, "branch", "--show-current").strip() == "faster-prices"
    say("rename user id to account id")
    assert "account_id" in say("show me the diff")
    assert "prices.py" in say("git status")
    say("commit with the message rename user to account")
    assert git(shop, "log", "-1", "--format=%s").strip() == "rename user to account"
    say("format the code")
    say("push", "--yes")
    assert "faster-prices" in git(tmp_path / "remote.git", "branch")
    assert "help" in say("help").lower() or "say" in say("help").lower()


def test_looking_back_and_forgetting(shop: Path, home: Path, tmp_path: Path) -> None:
    heard = run("run", "--audio", RECORDINGS / "run_the_tests.flac", "--json", home=home, cwd=shop)
    assert heard.returncode == 0, heard.stderr
    (row,) = lines(run("history", "--json", home=home, cwd=shop).stdout)
    number = str(row["id"])
    wav = tmp_path / "said.wav"
    told = run("replay", number, "--transcribe", "--wav", wav, home=home, cwd=shop)
    assert told.returncode == 0, told.stderr
    assert "heard now: Run the tests" in told.stdout
    with wave.open(str(wav)) as sound:
        assert (sound.getframerate(), sound.getnchannels()) == (16000, 1)
    assert run("history", "show", number, home=home, cwd=shop).returncode == 0
    assert len(run("history", "export", home=home, cwd=shop).stdout.splitlines()) >= 1
    assert run("history", "delete", number, "--yes", home=home, cwd=shop).returncode == 0
    assert run("history", "--json", home=home, cwd=shop).stdout == ""
    assert run("replay", number, home=home, cwd=shop).returncode == 1


def test_settings_models_and_readiness(shop: Path, home: Path) -> None:
    assert run("config", "set", "speak.volume", "0.5", home=home, cwd=shop).returncode == 0
    assert run("config", "get", "speak.volume", home=home, cwd=shop).stdout.strip() == "0.5"
    assert "speak.volume" in run("config", home=home, cwd=shop).stdout
    assert run("config", "unset", "speak.volume", home=home, cwd=shop).returncode == 0
    assert run("config", "set", "speak.volume", "loud", home=home, cwd=shop).returncode != 0
    listed = run("models", "list", home=home, cwd=shop)
    assert "tiny.en" in listed.stdout
    assert run("models", "verify", home=home, cwd=shop).returncode == 0
    checked = run("check", "--json", home=home, cwd=shop)
    assert checked.returncode in (0, 1)
    assert "speech model" in checked.stdout


def test_the_voice_is_recorded_on_request(shop: Path, home: Path, tmp_path: Path) -> None:
    wav = tmp_path / "spoken.wav"
    done = run("run", "--audio", RECORDINGS / "undo.flac", "--record", wav, home=home, cwd=shop)
    assert done.returncode == 0, done.stderr
    with wave.open(str(wav)) as spoken:
        sound = spoken.readframes(spoken.getnframes())
        assert spoken.getnframes() / spoken.getframerate() > 0.5
    assert any(sound)


def test_the_demonstration_mends_the_project(tmp_path: Path, home: Path) -> None:
    done = run("demo", home=home, cwd=tmp_path, timeout_s=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "undo" in done.stdout.lower()


def test_the_live_view_shows_a_session_and_leaves_the_screen_in_order(shop: Path, home: Path) -> None:
    ours, theirs = pty.openpty()
    env = environment(home, TERM="xterm-256color", COLUMNS="90", LINES="30")
    recordings = [RECORDINGS / "run_the_tests.flac", RECORDINGS / "rename.flac"]
    session = subprocess.Popen(
        command("run", "--audio", *recordings), cwd=shop, env=env, stdin=theirs, stdout=theirs,
        stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    shown = bytearray()

    def read() -> None:
        try:
            while part := os.read(ours, 65536):
                shown.extend(part)
        except OSError:  # the terminal's other end is closed
            return

    reading = threading.Thread(target=read)
    reading.start()
    try:
        assert session.wait(LIMIT_S) == 0
        reading.join(LIMIT_S)
    finally:
        if session.poll() is None:
            session.send_signal(signal.SIGKILL)
        os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert "mybro · shop" in text
    assert "Run the tests" in text
    assert "1 failed" in text
    assert shown.decode().rfind("\x1b[?25h") > shown.decode().rfind("\x1b[?25l"), "the cursor is back"


def test_machine_readable_schema_and_completions(shop: Path, home: Path) -> None:
    schema = json.loads(run("intent-schema", home=home, cwd=shop).stdout)
    assert "stop" in json.dumps(schema)
    assert "mybro" in run("completions", "bash", home=home, cwd=shop).stdout
