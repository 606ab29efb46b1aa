"""`mybro history` and `mybro replay`, as they are used."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.cli import main
from tests.journal_tools import bytes_on_disk

pytest_plugins = ["tests.history_fixtures"]
pytestmark = pytest.mark.integration


def lines(out: str) -> list[list[str]]:
    return [line.split("\t") for line in out.splitlines()]


def test_in_a_pipe_one_line_each_newest_last(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history"]) == 0
    shown = lines(capsys.readouterr().out)
    assert [[row[0], *row[2:]] for row in shown] == [
        ["#1", "run the tests", "test", "done, but: 2 of 14 tests fail", ""],
        ["#2", "rename load to read [31m", "rename old_name=load new_name=read",
         "done: Renamed in 3 files", ""],
        ["#3", "accept dates with slashes", "task", "failed: the coding session ended", "$0.04"],
        ["#5", "push it", "task", "accepted, not begun", ""],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["2"], [3, 5]),
        (["--failed"], [1, 3]),
        (["--search", "TESTS run"], [1]),
        (["--search", "nothing like it"], []),
        (["--since", "2d"], [2, 3, 5]),
        (["1", "--since", "2d", "--failed"], [3]),
        (["--repo", "{shop}/src"], [1, 2, 3, 5]),
        (["--repo", "/"], []),
    ],
)
def test_what_is_listed(
    data: Path, arguments: list[str], numbers: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    filled = [argument.replace("{shop}", str(data.parent / "shop")) for argument in arguments]
    assert main(["history", *filled, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["id"] for each in found] == numbers


def test_on_a_terminal_a_table_that_cannot_steer_it(data: Path) -> None:
    """What was said is somebody else's text: it must not reach the terminal as commands."""
    parent, child = pty.openpty()
    env = {"PATH": os.environ["PATH"], "HOME": str(data), "MYBRO_DATA_DIR": str(data), "TERM": "xterm",
           "COLUMNS": "200"}  # fmt: skip
    done = subprocess.Popen([sys.executable, "-m", "mybro", "history"], stdout=child, env=env)
    os.close(child)
    shown = b""
    while True:
        try:
            part = os.read(parent, 65_536)
        except OSError:
            break
        if not part:
            break
        shown += part
    os.close(parent)
    assert done.wait(60) == 0
    text = shown.decode()
    assert "what came of it" in text
    assert "2 of 14 tests fail" in text
    assert "rename load to read [31m" in text
    assert "read \x1b[31m" not in text


def test_showing_one(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "show", "#3"]) == 0
    shown = capsys.readouterr().out
    for part in ("#3  failed", "accept dates with slashes", "Run npm install? yes by key",
                 "failed: the coding session ended", "$0.04 (1200 tokens in, 90 out)"):  # fmt: skip
        assert part in shown
    assert main(["history", "show", "1"]) == 0
    shown = capsys.readouterr().out
    assert "faster-whisper/tiny.en, 212 ms" in shown
    assert "FAILED test_tax" in shown
    assert main(["history", "show", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["jobs"][0]["changed"] == ["a.py"]


def test_exporting_everything(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "export", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["id"] for each in found] == [1, 2, 3, 4, 5]
    assert [event["name"] for event in found[0]["events"]][-2:] == ["JobFinished", "SayStarted"]


def test_deleting(data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"slashes" in bytes_on_disk(data)
    assert main(["history", "delete", "3", "99", "--yes"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("Deleted: 1.\n", "mybro: there is no #99\n")
    assert b"slashes" not in bytes_on_disk(data)
    assert main(["history", "delete", "--older-than", "1d", "-y"]) == 0
    assert main(["history", "delete", "--all", "-y"]) == 0
    capsys.readouterr()
    assert main(["history"]) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Nothing to show.\n")


def test_deleting_asks_first(data: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(data), "MYBRO_DATA_DIR": str(data)}
    ask = [sys.executable, "-m", "mybro", "history", "delete", "1"]
    for answer, code in (("n\n", 1), ("", 130), ("y\n", 0)):
        done = subprocess.run(ask, input=answer, capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == code, done
        assert ("Deleted: 1." in done.stdout) == (code == 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["history", "many"],
        ["history", "0"],
        ["history", "--since", "2 years"],
        ["history", "show"],
        ["history", "show", "seven"],
        ["history", "show", "9" * 30],
        ["history", "delete"],
        ["history", "delete", "1", "--all"],
        ["history", "delete", "--older-than", "soon"],
        ["replay", "-1"],
        ["replay", "²"],
    ],
)
def test_wrong_use_is_told_in_a_line(
    data: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_shows_the_list_and_the_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("--failed", "--search", "delete", "export", "show"))


def test_a_number_that_is_not_there_is_told_in_a_line(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in (["history", "show"], ["replay"]):
        assert main([*verb, "77"]) == 1
        assert capsys.readouterr().err == "mybro: there is no #77. `mybro history` lists what there is\n"


def test_to_look_creates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "new"))
    assert main(["history"]) == 0
    assert main(["history", "delete", "--all"]) == 0
    assert main(["replay", "1"]) == 1
    assert not (tmp_path / "new").exists()
    assert capsys.readouterr().out == ""


def test_that_a_damaged_journal_was_set_aside_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "journal.db").write_bytes(b"no database " * 1000)
    assert main(["history"]) == 0
    assert "was set aside" in capsys.readouterr().err


def test_costs_by_day(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["history", "costs"]) == 0
    (row,) = capsys.readouterr().out.splitlines()
    assert "$0.04  1200 tokens in, 90 out" in row
    assert row.endswith("1 job")
    assert main(["history", "costs", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usd"] == pytest.approx(0.0423)


def test_costs_by_session_and_by_job(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for by in ("session", "job"):
        assert main(["history", "costs", "--by", by]) == 0
        (row,) = capsys.readouterr().out.splitlines()
        assert "$0.04  1200 tokens in, 90 out" in row
        assert main(["history", "costs", "--by", by, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["input_tokens"], found["seconds"] >= 0) == (1200, True)
        assert {"repo", "agent", "session"} <= found.keys()
    assert found["utterance"]
    assert found["title"]
