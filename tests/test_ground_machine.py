"""System packages: a stub in the place of apt-get notes what it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mybro.ops.bootstrap import lanes, machine
from mybro.ops.bootstrap.machine import PLATFORM, install
from mybro.ops.bootstrap.stamps import Stamp

pytestmark = pytest.mark.unit

linux_only = pytest.mark.skipif(PLATFORM != "linux", reason="apt-get is Debian's")


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing but what a test puts there, and what a shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "env"):
        (folder / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stub(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!{folder}/sh\n{script}\n")
    (folder / name).chmod(0o755)


@linux_only
def test_packages_are_installed_without_a_question_and_nothing_is_removed(programs: Path) -> None:
    log = programs / "log"
    stub(programs, "apt-get", f'echo "$DEBIAN_FRONTEND $*" >> {log}')
    stub(programs, "sudo", 'test "$1" = -n && shift; exec "$@"')
    stub(programs, "true", "exit 0")
    assert install(["portaudio", "tmux"])
    update, wanted = log.read_text().splitlines()
    assert update.endswith("update")
    assert wanted.startswith("noninteractive ") and wanted.endswith("--no-remove portaudio tmux")
    assert " -y " in wanted
    log.unlink()
    assert install(["tmux"], quiet=True)
    assert len(log.read_text().splitlines()) == 1


@linux_only
def test_a_system_that_refuses_is_left_as_it_is(programs: Path) -> None:
    assert not install(["tmux"]), "no apt-get"
    stub(programs, "apt-get", "echo no such package >&2; exit 100")
    stub(programs, "sudo", "exit 1")
    assert not install(["tmux"])
    assert not install(["tmux"], quiet=True)


def test_nothing_is_asked_for_nothing() -> None:
    assert not install([])


def test_what_is_missing_is_one_line_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lacking = [part for part in machine.parts() if part.apt][:2]
    monkeypatch.setattr(machine, "missing", lambda _stages: lacking)
    monkeypatch.setattr(machine, "install", lambda *_args, **_named: False)
    monkeypatch.setattr(machine, "TRIED", Stamp(tmp_path / "tried.json"))
    machine.provide(["test"], again=True)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert all(part.name in told for part in lacking)


def test_an_unknown_benchmark_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert lanes.bench(["frobnicate"]) == 2
    assert "no such benchmark: frobnicate" in capsys.readouterr().err
