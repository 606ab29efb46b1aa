"""`mybro devices`: the list, the level test, and what is said where there is nothing to list."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from mybro.cli import main
from mybro.cli.devices import bar, dbfs, judged
from tests.audio_tools import dev_clips, read_pcm, write_wav
from tests.program import Terminal, environment, processes_with

if TYPE_CHECKING:
    # At run time it is a plugin, whose asserts pytest rewrites before anybody imports it.
    from tests.sound_server import SoundServer

pytest_plugins = ("tests.sound_server",)
pytestmark = pytest.mark.integration

LIMIT_S = 60.0
DRIVER = Path(__file__).parent / "fakes" / "driver"


class Driver:
    """A sound driver that behaves as the test says, for mybro in this process and in others."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "driver.json"
        self.env = {
            "PYTHONPATH": str(DRIVER),
            "DRIVER_STATE": str(self._file),
            "MYBRO_CONFIG_FILE": str(folder / "config.toml"),
        }
        self.set()

    def set(self, **how: object) -> None:
        self._file.write_text(json.dumps(how))


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Driver:
    driver = Driver(tmp_path)
    for name, value in driver.env.items():
        monkeypatch.setenv(name, value)
    return driver


Output = pytest.CaptureFixture[str]


# ---------------------------------------------------------------------- the list


def test_a_table_says_what_there_is_and_what_is_used(driver: Driver, capsys: Output) -> None:
    driver.set(inputs=["Desk", "A rather long name of a microphone"], rates=[44100])
    assert main(["devices"]) == 0
    out, err = capsys.readouterr()
    assert err == "" and "\033" not in out
    head, *rows = out.splitlines()
    assert head.split() == ["#", "NAME", "IN", "OUT", "RATE"]
    assert [re.split(r" {2,}", row.strip()) for row in rows] == [
        ["*", "0", "Desk", "1", "-", "44.1 kHz", "default microphone, mybro listens here"],
        ["1", "A rather long name of a microphone", "1", "-", "44.1 kHz"],
        ["*", "2", "Box", "-", "2", "44.1 kHz", "default loudspeaker, mybro speaks here"],
    ]
    assert all(row == row.rstrip() for row in rows)
    # Columns: the rates stand under each other.
    assert len({row.index("kHz") for row in rows}) == 1


def test_the_settings_choose(driver: Driver, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.set(inputs=["Desk", "Studio"])
    monkeypatch.setenv("MYBRO_AUDIO__INPUT_DEVICE", "stud")
    assert main(["devices", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["chosen_input"], row["chosen_output"]) for row in rows] == [
        ("Desk", False, False), ("Studio", True, False), ("Box", False, True),
    ]  # fmt: skip
    assert rows[0]["default_input"] and rows[0]["rate"] == 16000.0 and rows[0]["inputs"] == 1


def test_a_chosen_device_that_is_not_there_is_said(
    driver: Driver, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBRO_AUDIO__INPUT_DEVICE", "studio")
    assert main(["devices"]) == 0
    out, err = capsys.readouterr()
    assert "mybro listens here" not in out and "Desk" in out
    assert "'studio' is not connected" in err


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--test"]])
def test_without_portaudio_a_sentence_says_how_to_get_it(
    driver: Driver, capsys: Output, arguments: list[str]
) -> None:
    driver.set(library=False)
    assert main(["devices", *arguments]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("mybro: The sound library PortAudio is not installed. Run: ")
    assert err.count("\n") == 1


def test_without_any_device_a_sentence_says_so(driver: Driver, capsys: Output) -> None:
    driver.set(inputs=[], outputs=[])
    assert main(["devices"]) == 1
    assert capsys.readouterr() == (
        "", "mybro: There is no sound device. Connect a microphone, or start the sound server\n"
    )  # fmt: skip


# ---------------------------------------------------------------------- the test


def test_sound_that_arrives_is_said(driver: Driver, capsys: Output) -> None:
    assert main(["devices", "--test", "0.5"]) == 0
    # In a pipe there is no meter, only the sentence.
    assert capsys.readouterr() == ("Sound arrives from Desk, the loudest at -12 dBFS\n", "")


def test_the_test_as_json(driver: Driver, capsys: Output) -> None:
    assert main(["devices", "--test", "0.5", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    result = json.loads(line)
    assert result["device"] == "Desk" and result["sound"] is True
    assert result["peak_dbfs"] == pytest.approx(-12.2, abs=0.2) and result["seconds"] >= 0.5


@pytest.mark.parametrize("as_json", [False, True])
def test_exact_zeros_give_the_remedy(driver: Driver, capsys: Output, as_json: bool) -> None:
    driver.set(amplitude=0)
    assert main(["devices", "--test", "0.5", *(["--json"] if as_json else [])]) == 1
    out, err = capsys.readouterr()
    if as_json:
        result: dict[str, Any] = json.loads(out)
        assert result["sound"] is False and result["peak_dbfs"] == -120 and result["hint"]
    else:
        assert out == "" and err.startswith("mybro: Desk delivers only zeros. ")


def test_another_microphone_can_be_tested(driver: Driver, capsys: Output) -> None:
    driver.set(inputs=["Desk", "Studio"])
    assert main(["devices", "--test", "0.5", "--device", "studio"]) == 0
    assert "Studio" in capsys.readouterr().out
    assert main(["devices", "--test", "0.5", "--device", "bogus"]) == 1
    assert "'bogus' is not connected" in capsys.readouterr().err
    assert main(["devices", "--device", "studio"]) == 2
    assert main(["devices", "--test", "never"]) == 2


@pytest.mark.unit
@pytest.mark.parametrize(
    ("peak", "platform", "code", "says"),
    [
        (0, "linux", "dead_sound", "Unmute"), (0, "darwin", "dead_sound", "Privacy"),
        (100, "linux", "quiet_sound", "come nearer"), (32767, "linux", "clipped", "down"),
        (32768, "linux", "clipped", "down"), (5000, "darwin", "sound", "-16 dBFS"),
    ],
)  # fmt: skip
def test_the_loudest_sample_is_judged(peak: int, platform: str, code: str, says: str) -> None:
    problem = judged("Desk", peak, platform)
    assert problem.code == code and "Desk" in problem.line() and says in problem.line()


@pytest.mark.unit
def test_the_meter_is_as_long_as_it_is_loud() -> None:
    def plain(text: str, fg: str) -> str:
        return f"{fg} {text}"

    def filled(amplitude: float) -> int:
        return bar(dbfs(amplitude), dbfs(amplitude), plain).count("█")

    assert [filled(0), filled(32768)] == [0, 39]
    assert filled(0) < filled(100) < filled(1000) < filled(10000)
    assert [bar(dbfs(a), dbfs(a), plain).split()[0] for a in (10, 2000, 32768)] == ["yellow", "green", "red"]
    assert len({len(bar(level, level, lambda text, fg: text)) for level in (-120.0, -60.0, -3.0, 0.0)}) == 1


# ---------------------------------------------------------------------- at a terminal


@pytest.fixture
def terminal(driver: Driver, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(environment(tmp_path / "home", **driver.env), "devices", "--test", "300")
    yield terminal
    terminal.close()


def test_the_level_is_shown_and_ctrl_c_ends_it_cleanly(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for("dBFS")
    assert "█" in terminal.screen and "\033[32m" in terminal.screen
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.screen and "Error" not in terminal.screen
    assert terminal.screen.rstrip().endswith("\r\033[K"), "the line of the meter is left empty"
    deadline = time.monotonic() + LIMIT_S
    while left := processes_with(tmp_path / "home"):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


# ---------------------------------------------------------------------- real sound


@pytest.mark.end_to_end
def test_a_real_sound_server_is_listed_and_heard(sound_server: SoundServer, tmp_path: Path) -> None:
    env = environment(tmp_path / "home") | sound_server.env | {"MYBRO_CONFIG_FILE": str(tmp_path / "c.toml")}

    def devices(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mybro", "devices", *arguments],
            env=env, capture_output=True, text=True, timeout=LIMIT_S,
        )  # fmt: skip

    listed = devices()
    assert listed.returncode == 0, listed.stderr
    assert "default microphone, " in listed.stdout and "mybro speaks here" in listed.stdout
    # Nobody speaks: a null sink gives exact zeros.
    silent = devices("--test", "0.5")
    assert silent.returncode == 1 and "only zeros" in silent.stderr
    # For longer than the slowest machine takes to listen.
    clip = np.tile(read_pcm(dev_clips()[0].path), 20)
    speaking = sound_server.say(write_wav(tmp_path / "said.wav", clip))
    try:
        heard = devices("--test", "3")
    finally:
        speaking.kill()
        speaking.wait()
    assert heard.returncode == 0, heard.stderr
    assert heard.stdout.startswith("Sound arrives from ")
