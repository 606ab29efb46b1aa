"""The parts of the set-up that decide: stamps, missing parts, children, coverage."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mybro.ops.bootstrap import environment, machine, suite
from mybro.ops.bootstrap.__main__ import main, usage
from mybro.ops.bootstrap.console import SetupError, call
from mybro.ops.bootstrap.npm_tools import ACP_AGENT, CLAUDE_CLI, TYPESCRIPT, claude_version
from mybro.ops.bootstrap.part import INTERRUPTED, SOME_FAILED, Part, failures, settings_of_children
from mybro.ops.bootstrap.places import ROOT
from mybro.ops.bootstrap.stamps import Stamp, digest
from tests.requirements import need

pytestmark = pytest.mark.unit


def test_a_stamp_holds_for_what_it_was_made_from(tmp_path: Path) -> None:
    source, made, stamp = tmp_path / "in", tmp_path / "out", Stamp(tmp_path / "deep/stamp.json")
    source.write_text("1")
    made.write_text("x")
    key = digest([source], "3.12")
    assert not stamp.fresh(key)
    stamp.write(key, left=[made])
    assert stamp.fresh(key)
    assert not stamp.fresh(digest([source], "3.13"))
    source.write_text("2")
    assert not stamp.fresh(digest([source], "3.12"))


def test_a_stamp_does_not_hold_when_what_was_made_is_gone(tmp_path: Path) -> None:
    made, stamp = tmp_path / "out", Stamp(tmp_path / "stamp.json")
    made.write_text("x")
    stamp.write("key", left=[made])
    made.unlink()
    assert not stamp.fresh("key")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key": "key"}', '{"key": "key", "left": 3}', "\x00"])
def test_a_damaged_stamp_means_do_it_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "stamp.json").write_text(content)
    assert not Stamp(tmp_path / "stamp.json").fresh("key")


def test_a_cleared_stamp_is_gone_and_may_be_cleared_twice(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamp.json")
    stamp.write("key")
    stamp.clear()
    stamp.clear()
    assert not stamp.fresh("key")


def test_the_same_contents_in_other_files_are_another_digest(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_text("ab")
    two.write_text("c")
    before = digest([one, two])
    one.write_text("a")
    two.write_text("bc")
    assert digest([one, two]) != before


def test_a_child_that_works_gives_its_output() -> None:
    assert call([sys.executable, "-c", "print('here')"], "it") == "here\n"


def test_a_child_that_fails_shows_the_end_of_what_it_said() -> None:
    script = "import sys; print('\\n'.join(map(str, range(100)))); print('why', file=sys.stderr); sys.exit(3)"
    with pytest.raises(SetupError) as failure:
        call([sys.executable, "-c", script], "the thing")
    told = str(failure.value)
    assert told.startswith("the thing failed (exit status 3)")
    assert told.endswith("why")
    assert "\n10\n" not in told


def test_a_child_that_is_not_there_or_hangs_is_an_error() -> None:
    with pytest.raises(SetupError, match="did not start"):
        call(["no-such-program-at-all"], "it")
    with pytest.raises(SetupError, match="stopped after"):
        call([sys.executable, "-c", "import time; time.sleep(60)"], "it", timeout_s=0.2)


def test_every_part_says_how_it_is_seen_and_where_it_is_required() -> None:
    listed = machine.parts()
    assert len({part.name for part in listed}) == len(listed)
    for part in listed:
        assert part.gives
        assert part.stage in ("setup", "test")
        assert set(part.ci) <= set(part.platforms) <= {"linux", "macos"}
        if part.apt:
            assert part.is_the_systems()
        if part.is_the_systems() and "linux" in part.ci:
            assert part.apt, f"CI needs {part.name}, and nothing installs it"


def test_a_part_is_seen_as_a_command_a_library_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "plugin.so").touch()
    part = machine.Part(name="x", gives="x", stage="test", ci=())
    assert replace(part, command="sh").is_there()
    assert not replace(part, command="no-such-command").is_there()
    assert not replace(part, library="libnosuchthing.so.7").is_there()
    assert replace(part, file=f"{tmp_path}/*.so").is_there()
    assert not replace(part, file=f"{tmp_path}/*.dll").is_there()


@pytest.mark.parametrize(
    ("configured", "good"),
    [
        ("version_info = 3.12.4\n", True),
        ("home = /x\nversion = 3.11.7\n", True),
        ("home = /x\n", False),
        (None, False),
    ],
)
def test_an_environment_is_usable_if_it_is_whole(
    tmp_path: Path, configured: str | None, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHON", raising=False)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    if configured is not None:
        (tmp_path / "pyvenv.cfg").write_text(configured)
    assert environment.usable(tmp_path) is good


def test_another_python_that_is_asked_for_needs_another_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").touch()
    (tmp_path / "pyvenv.cfg").write_text("version_info = 3.10.1\n")
    monkeypatch.setenv("PYTHON", sys.executable)
    assert not environment.usable(tmp_path)


def test_uv_trusts_whom_the_machine_trusts_unless_told_otherwise() -> None:
    need(sys.platform == "darwin" or ssl.get_default_verify_paths().cafile, "the system's certificates")
    assert environment.trusting({"A": "b"}) == {"A": "b", "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    assert environment.trusting({"UV_SYSTEM_CERTS": "0"})["UV_SYSTEM_CERTS"] == "0"


@pytest.mark.parametrize("gate", ["0", "1"])
def test_too_little_coverage_fails_only_where_that_is_asked_for(
    gate: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(suite.COVERAGE_GATE, gate)
    low = [(suite.UNITS, 84.9), (suite.WHOLE, 70.0)]
    assert suite.judge(low) == int(gate)
    assert "84.9 %" in capsys.readouterr().err
    assert suite.judge([(suite.UNITS, 85.0)]) == 0
    assert suite.judge([(suite.UNITS, None)]) == int(gate)


def test_a_persons_settings_are_no_part_of_a_test_but_the_engine_can_be_hidden(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tools = (tool.variable for tool in (CLAUDE_CLI, ACP_AGENT, TYPESCRIPT))
    for name in ("MYBRO_SPEAK__VOLUME", suite.ENGINE_SWITCH, *tools):
        monkeypatch.setenv(name, "0")
    test = tmp_path / "test_it.py"
    test.write_text(
        "import os\n"
        "def test_env():\n"
        "    assert 'MYBRO_SPEAK__VOLUME' not in os.environ\n"
        "    assert os.environ['MYBRO_NATIVE'] == '0'\n"
    )
    assert suite.test(["-q", "-p", "no:cacheprovider", str(test)]) == 0


def test_the_pinned_cli_has_a_version() -> None:
    assert claude_version().count(".") == 2


def test_another_cli_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYBRO_CLAUDE_BIN", "/somewhere/claude")
    assert CLAUDE_CLI.provide() == Path("/somewhere/claude")
    monkeypatch.setenv("MYBRO_ACP_BIN", "/somewhere/agent")
    assert ACP_AGENT.provide() == Path("/somewhere/agent")


def test_help_names_every_target(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    assert capsys.readouterr().out.strip() == usage().strip()
    assert main(["bench", "no-such-benchmark"]) in (1, 2)


def test_what_failed_is_read_from_pytests_own_notes(tmp_path: Path) -> None:
    assert failures(tmp_path / "nothing") == []
    (tmp_path / "test_it.py").write_text("def test_good(): pass\ndef test_bad(): assert False\n")
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", ".", "-o", "cache_dir=notes", "test_it.py"]
    ended = subprocess.run(
        command, cwd=tmp_path, env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )
    assert ended.returncode == SOME_FAILED
    assert failures(tmp_path / "notes") == ["test_it.py::test_bad"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pytestmark = pytest.mark.unit\n", ["units and parts"]),
        ("pytestmark = pytest.mark.end_to_end\n", ["end to end"]),
        ("pytestmark = [\n    pytest.mark.unit,\n    pytest.mark.trial,\n]\n", ["end to end"]),
        ("pytestmark = pytest.mark.unit\n@pytest.mark.trial\n", ["units and parts", "end to end"]),
        ("@pytest.mark.end_to_end\n", ["units and parts", "end to end"]),
        ("", ["units and parts"]),
    ],
)
def test_a_file_is_handed_to_every_lane_that_has_tests_in_it(text: str, names: list[str]) -> None:
    assert [lane.name for lane in suite.lanes_of(text)] == names


def test_a_part_runs_its_lane_and_measures_children_too(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text(
        "import subprocess, sys, pytest\n"
        "@pytest.mark.unit\n"
        "def test_one():\n"
        "    assert not subprocess.run([sys.executable, '-m', 'mybro', '--version']).returncode\n"
        "@pytest.mark.trial\n"
        "def test_two(): assert False\n"
    )
    part = Part("x", suite.UNITS.marks, [str(test)], tmp_path / "part", dict(os.environ))
    assert part.run() == 0, part.output.read_text()
    assert "1 passed, 1 deselected" in part.output.read_text()
    assert part.failures() == []
    assert len(list(part.folder.glob("data.*"))) == 2
    assert str(ROOT / "mybro") in settings_of_children()


def test_a_part_that_is_stopped_does_not_begin(tmp_path: Path) -> None:
    part = Part("x", "unit", ["tests/test_risk.py"], tmp_path / "part", dict(os.environ))
    part.stop()
    assert part.run() in INTERRUPTED
    assert part.output.read_text() == ""
