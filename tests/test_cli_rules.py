"""`mybro rules`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mybro.cli import main

pytestmark = pytest.mark.end_to_end


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    (root / "shop").mkdir(parents=True)
    (root / "shop/app.py").write_text("import flask\n")
    subprocess.run(
        ["git", "init", "-q", root], check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    )
    monkeypatch.setenv("MYBRO_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.chdir(root)
    return root


def test_every_rule_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    assert "never requests in async code" in capsys.readouterr().out
    assert main(["rules", "show", "--json"]) == 0
    assert {row["id"] for row in json.loads(capsys.readouterr().out)} >= {"forbidden", "cache"}


def test_what_breaks_a_rule_is_found_and_ends_with_1(repo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check"]) == 1
    assert capsys.readouterr().out == "shop/app.py:1: import flask (Flask); use FastAPI [web-backend]\n"
    assert main(["rules", "check", "--json", "shop"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["technology"], row["line"], row["rule"]) == ("Flask", 1, "web-backend")
    (repo / "shop/app.py").unlink()
    assert main(["rules", "check"]) == 0
    assert "Nothing breaks a rule." in capsys.readouterr().out


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "explain", "http-client"]) == 0
    told = capsys.readouterr().out
    assert "blocks the whole event loop" in told and "httpx.AsyncClient" in told


def test_a_technology_is_explained_by_the_rules_that_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "explain", "flask"]) == 0
    told = capsys.readouterr().out
    assert "web backend: use FastAPI" in told and "Flask: use FastAPI" in told
    assert "CUDA: use" not in told


def test_decisions_are_answered(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "decide", "which", "database", "for", "a", "desktop", "app"]) == 0
    assert "SQLite" in capsys.readouterr().out
    assert main(["rules", "decide", "purple"]) == 1


@pytest.mark.parametrize("arguments", [["explain", "nope"], ["check", "/"], ["check", "missing"], ["decide"]])
def test_wrong_use_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_rules_hold_outside_a_repository_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rules", "show"]) == 0
    assert main(["rules", "check"]) == 2
    assert "Is it a repository?" in capsys.readouterr().err
    assert main(["rules", "show", "--repo", "/no/such/folder"]) == 1
