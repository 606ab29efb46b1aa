"""`mybro replay`, as it is used."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from mybro.cli import main
from mybro.cli.replay import Ports, command, stages
from mybro.events import (
    AudioBlock,
    SpeechEnded,
    Transcript,
)
from mybro.journal.sound import load
from mybro.models import package
from tests.journal_tools import begin, tone, utterance
from tests.requirements import need

pytest_plugins = ["tests.history_fixtures"]
pytestmark = pytest.mark.integration


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
