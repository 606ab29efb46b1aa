"""`mybro doctor` as a person and a program use it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.doctor_fixtures import TOKEN, repository
from tests.program import run

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return repository(tmp_path / "shop", {"a.py": "import os\nimport yaml\nyaml.load(x, yaml.Loader)\n"})


def doctor(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run("doctor", *arguments, home=cwd.parent / "home", cwd=cwd)


def test_findings_give_one_and_a_report(shop: Path) -> None:
    done = doctor(cwd=shop)
    assert done.returncode == 1
    assert "What matters most" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_clean_repository_gives_nothing(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"notes.md": "# Notes\n\nNothing.\n"})
    done = doctor(cwd=root)
    assert done.returncode == 0
    assert "Nothing found" in done.stdout


def test_what_could_not_be_read_gives_three(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": "def f(:\n"})
    assert doctor("--ignore", "PY01,TS,DC,GT,CI", cwd=root).returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["--select", "NO1"],
        ["nowhere"],
        ["--explain", "X"],
        ["--base", "nowhere"],
        ["--fail-on", "x"],
        ["--json", "--sarif"],
    ],
)
def test_wrong_usage_gives_two(shop: Path, arguments: list[str]) -> None:
    done = doctor(*arguments, cwd=shop)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_threshold_decides(shop: Path) -> None:
    assert doctor("--select", "PY03", cwd=shop).returncode == 0
    assert doctor("--select", "PY03", "--fail-on", "low", cwd=shop).returncode == 1


def test_the_reports_for_programs(shop: Path, tmp_path: Path) -> None:
    told = json.loads(doctor("--json", "--select", "PY03", cwd=shop).stdout)
    assert [finding["id"] for finding in told["findings"]] == ["PY03"]
    (first,) = told["important"]
    assert first["places"][0]["path"] == "a.py" and first["mends"]["safe"] == first["count"] == 1
    assert json.loads(doctor("--sarif", cwd=shop).stdout)["version"] == "2.1.0"
    assert "::notice file=a.py,line=1" in doctor("--github", "--select", "PY03", cwd=shop).stdout
    page = tmp_path / "report.html"
    doctor("--html", "-o", page, cwd=shop)
    assert page.read_text().startswith("<!doctype html>")


def test_listing_and_explaining(shop: Path) -> None:
    listed = json.loads(doctor("--list", "--json", cwd=shop).stdout)
    assert len(listed) >= 70
    assert "SEC05" in doctor("--list", cwd=shop).stdout
    assert "Weak" in doctor("--explain", "sec05", cwd=shop).stdout.replace("weak", "Weak")
    told = json.loads(doctor("--explain", "sec05", "--json", cwd=shop).stdout)
    assert told["id"] == "SEC05" and told["why"] and told["mend"]


def test_mending_writes_and_a_diff_does_not(shop: Path) -> None:
    done = doctor("--diff", cwd=shop)
    assert "-import os" in done.stdout
    assert (shop / "a.py").read_text().startswith("import os")
    done = doctor("--fix", "--test", "python3 -c pass", cwd=shop)
    assert (shop / "a.py").read_text().startswith("import yaml")
    assert "Nothing here mends itself" in doctor("--fix", "--select", "PY", cwd=shop).stderr


def test_a_diff_shows_no_key_and_gives_the_terminal_no_orders(shop: Path) -> None:
    text = f"import os\n# \x1b[2J\nif KEY:\n\tTOKEN = '{TOKEN}'\n"
    (shop / "b.py").write_text(text)
    lines = doctor("--diff", "--select", "PY03", "b.py", cwd=shop).stdout.split("\n")
    assert "-import os" in lines and " # \\x1b[2J" in lines
    assert any(line.startswith(" \tTOKEN = ") and TOKEN not in line for line in lines)


def test_a_narrow_terminal_gets_narrow_lines(shop: Path) -> None:
    told = run(
        "doctor", "--all", "--select", "SEC09", home=shop.parent / "home", cwd=shop, env={"COLUMNS": "50"}
    )
    assert max(map(len, told.stdout[told.stdout.index("SEC09") :].splitlines()[:3])) <= 50


def test_where_something_is_not_committed_an_undo_brings_it_back(shop: Path) -> None:
    (shop / "deep").mkdir()
    (shop / "deep" / "b.py").write_text("import sys\n")
    done = doctor("--fix", "--select", "PY03", "deep", cwd=shop)
    assert 'mybro say "undo that"' in done.stderr
    assert (shop / "deep" / "b.py").read_text() == ""
    assert run("say", "undo that", home=shop.parent / "home", cwd=shop).returncode == 0
    assert (shop / "deep" / "b.py").read_text() == "import sys\n"


def test_what_was_mended_is_told_to_programs_and_a_caller_keeps_the_state_itself(shop: Path) -> None:
    (shop / "b.py").write_text("import sys\n")
    done = doctor("--fix", "--json", "--checkpointed", "--select", "PY03", cwd=shop)
    told = json.loads(done.stdout)
    assert (told["mended"], told["files"], told["refused"]) == (2, ["a.py", "b.py"], {})
    assert "-import sys" in told["diff"] and "undo that" not in done.stderr
    assert json.loads(doctor("--fix", "--json", "--select", "PY03", cwd=shop).stdout)["mended"] == 0


def test_failing_tests_keep_everything_as_it_was(shop: Path) -> None:
    done = doctor("--fix", "--test", "false", cwd=shop)
    assert done.returncode == 1
    assert (shop / "a.py").read_text().startswith("import os")


def test_a_baseline_is_written_and_read(shop: Path) -> None:
    assert doctor("--write-baseline", cwd=shop).returncode == 0
    done = doctor("--baseline", ".mybro-baseline.json", "--json", cwd=shop)
    assert not [f for f in json.loads(done.stdout)["findings"] if f["path"] == "a.py"]


def test_mybros_own_installation(shop: Path) -> None:
    done = doctor("--self", "--json", cwd=shop)
    assert {"machine", "git"} <= {finding["name"] for finding in json.loads(done.stdout)["findings"]}
