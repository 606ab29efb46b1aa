"""cargo-deny: what it said of a real lock file and a small database, given again by a stand-in."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from mybro.doctor.examine import Examination, Wish, examine

pytestmark = pytest.mark.integration

ENTRY = '[[package]]\nname = "{}"\nversion = "{}"\n'
LOCK = "version = 4\n\n" + "\n".join(ENTRY.format(*crate) for crate in (("app", "0.1.0"), ("time", "0.1.43")))
SPAN = "time 0.1.43 registry+https://example.org/index"
FAULT = {
    "fields": {
        "advisory": {"id": "RUSTSEC-2020-0071", "package": "time", "title": "Potential segfault"},
        "code": "vulnerability",
        "labels": [{"column": 1, "line": 3, "message": "security vulnerability detected", "span": SPAN}],
        "message": "Potential segfault",
        "severity": "error",
    },
    "type": "diagnostic",
}
SUMMARY = {"fields": {"advisories": {"errors": 1, "helps": 0, "notes": 0, "warnings": 0}}, "type": "summary"}
OFFLINE = {
    "fields": {
        "level": "ERROR",
        "message": "failed to fetch advisory database\nfatal: Could not resolve host\n",
    },
    "type": "log",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    (folder / "app" / "src").mkdir(parents=True)
    manifest = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ntime = "0.1"\n'
    (folder / "app" / "Cargo.toml").write_text(manifest)
    (folder / "app" / "Cargo.lock").write_text(LOCK)
    (folder / "app" / "src" / "main.rs").write_text("fn main() {}\n")
    return folder


def told(root: Path, monkeypatch: pytest.MonkeyPatch, *rows: object) -> tuple[Examination, list[str], str]:
    """The examination; where the programs were started; the settings that cargo-deny was given."""
    programs = root.parent / "bin"
    programs.mkdir()
    said = "\n".join(map(json.dumps, rows))
    here = f"pwd >> {root.parent}/started\n"
    (programs / "cargo").write_text(f"#!/bin/sh\n{here}echo '{{}}'\n")
    keep = f"cp deny.toml {root.parent}/deny.toml\n"
    (programs / "cargo-deny").write_text(f"#!/bin/sh\n{here}{keep}cat >&2 <<'E'\n{said}\nE\nexit 1\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    result = examine(Wish(root, select=("DP14",), deep=True, online=True))
    started = (root.parent / "started").read_text().splitlines()
    return result, started, (root.parent / "deny.toml").read_text()


def test_a_known_fault_is_told_at_its_place_in_the_lock(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, _, _ = told(root, monkeypatch, FAULT, SUMMARY)
    (finding,) = result.findings
    assert (finding.path, finding.line, finding.severity) == ("app/Cargo.lock", 8, "high")
    assert (finding.rule, finding.message) == ("RUSTSEC-2020-0071", "time 0.1.43: Potential segfault")
    assert not result.unexamined


def test_settings_of_the_repository_run_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """cargo obeys the .cargo/config.toml of where it is started: never in the repository."""
    (root / "app" / "deny.toml").write_text('[advisories]\nignore = ["RUSTSEC-1", { id = "RUSTSEC-2" }]\n')
    _, started, settings = told(root, monkeypatch, SUMMARY)
    assert started
    assert not [folder for folder in started if Path(folder).is_relative_to(root)]
    assert "RUSTSEC-1" in settings
    assert "RUSTSEC-2" in settings


def test_without_a_database_nothing_was_examined(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result, _, _ = told(root, monkeypatch, OFFLINE)
    assert [(e.what, e.why) for e in result.unexamined] == [
        ("app/Cargo.lock", "fatal: Could not resolve host")
    ]
    assert result.exit_code() == 3
