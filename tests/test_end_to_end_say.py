"""Typed sentences through the whole program, each in a process of its own."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from mybro.intent import Intent
from tests.program import lines, of, processes_with, run, start
from tests.projects import contents, git, home, shop

__all__ = ["home", "shop"]
pytestmark = pytest.mark.end_to_end


def test_a_dry_run_prints_the_intent_alone(shop: Path, home: Path) -> None:
    done = run("say", "rename user id to account id", "--dry-run", "--json", home=home, cwd=shop)
    assert done.returncode == 0
    intent = Intent.model_validate_json(done.stdout)
    assert (intent.kind, intent.action) == ("local", "rename")
    assert intent.arguments.old_name == "user id"


def test_tests_fail_lint_is_fixed_and_tests_pass(shop: Path, home: Path) -> None:
    before = contents(shop)
    first = run("say", "run the tests", home=home, cwd=shop)
    assert first.returncode == 1
    assert "1 failed" in first.stdout
    fixed = run("say", "fix the lint errors", home=home, cwd=shop)
    assert fixed.returncode == 0
    assert contents(shop) != before
    assert run("say", "run the tests", home=home, cwd=shop).returncode == 0


def test_a_rename_reaches_every_file_and_undo_brings_all_back_in_another_process(
    shop: Path, home: Path
) -> None:
    before = contents(shop)
    assert run("say", "rename user id to account id", home=home, cwd=shop / "tests").returncode == 0
    renamed = contents(shop)
    assert b"account_id" in renamed["shop/prices.py"]
    assert b"account_id" in renamed["tests/test_prices.py"]
    assert run("say", "undo that", home=home, cwd=shop).returncode == 0
    assert contents(shop) == before
    assert run("say", "redo", home=home, cwd=shop).returncode == 0
    assert contents(shop) == renamed


def test_undo_leaves_alone_what_the_person_saved_meanwhile(shop: Path, home: Path) -> None:
    original = (shop / "tests" / "test_prices.py").read_bytes()
    run("say", "rename user id to account id", home=home, cwd=shop)
    (shop / "shop" / "prices.py").write_text("# my own\n")
    done = run("say", "undo", home=home, cwd=shop)
    assert (shop / "shop" / "prices.py").read_text() == "# my own\n"
    assert (shop / "tests" / "test_prices.py").read_bytes() == original
    assert "prices.py" in done.stdout


def test_a_push_asks_first_and_without_a_terminal_it_is_not_done(
    shop: Path, home: Path, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "-q", "--bare", str(remote))
    git(shop, "remote", "add", "origin", str(remote))
    refused = run("say", "push to origin main", home=home, cwd=shop)
    assert refused.returncode == 1
    assert "--yes" in refused.stderr
    assert git(remote, "branch", "--list") == ""
    allowed = run("say", "push to origin main", "--yes", home=home, cwd=shop)
    assert allowed.returncode == 0, allowed.stdout + allowed.stderr
    assert "main" in git(remote, "branch", "--list")


def test_a_task_without_claude_says_how_to_get_it(shop: Path, home: Path) -> None:
    done = run("say", "make the parser faster", home=home, cwd=shop)
    assert done.returncode == 1
    assert "claude" in done.stdout.lower()
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ((), 2, "Missing argument"),
        (("",), 2, "empty"),
        (("run the tests", "--repo", "/nonexistent"), 1, "--repo"),
        (("run the tests", "--nonsense"), 2, "--nonsense"),
    ],
)
def test_a_mistake_gives_one_line_and_a_status(
    arguments: tuple[str, ...], status: int, says: str, shop: Path, home: Path
) -> None:
    done = run("say", *arguments, home=home, cwd=shop)
    assert done.returncode == status
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_whole_home_folder_is_no_repository(home: Path) -> None:
    done = run("say", "run the tests", home=home, cwd=home)
    assert done.returncode == 1
    assert "--repo" in done.stderr


def test_json_lines_tell_the_whole_way(shop: Path, home: Path) -> None:
    done = run("say", "run the tests", "--json", home=home, cwd=shop)
    told = lines(done.stdout)
    order = [item["event"] for item in told]
    wanted = ["Typed", "Transcript", "Recorded", "Intent", "JobStarted", "JobFinished"]
    assert [name for name in order if name in wanted] == wanted
    assert of("JobFinished", told)[0]["outcome"]["ok"] is False


def test_ctrl_c_kills_the_work_and_leaves_no_process(shop: Path, home: Path) -> None:
    (shop / "tests" / "test_slow.py").write_text(
        "import time, unittest\n\nclass Slow(unittest.TestCase):\n"
        "    def test(self):\n        time.sleep(600)\n"
    )
    process = start("say", "run the tests", "--json", home=home, cwd=shop)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "JobStarted":
            break
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert processes_with(home) == []
