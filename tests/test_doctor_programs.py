"""The engines that are looked for on PATH, as they really answer; each where it is installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mybro.doctor.examine import Examination, Wish, examine
from tests.doctor_fixtures import git, repository
from tests.requirements import need

pytestmark = pytest.mark.integration

MANIFEST = '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n'


def looked(program: str, root: Path, *checks: str) -> Examination:
    """What `program` has to do with is examined, with trust."""
    # A part of requirements/machine.toml is meant where its name occurs: "git" would be in "gitleaks".
    need(shutil.which(program), f"{'leak scanner' if 'leaks' in program else program} on PATH")
    return examine(Wish(root, select=checks, deep=True, trust=True))


def told(result: Examination, engine: str) -> set[tuple[str, int, str, str]]:
    """Path, line, the engine's own rule, severity."""
    return {(f.path, f.line, f.rule, f.severity) for f in result.findings if engine in (f.engine, *f.others)}


def test_shellcheck(tmp_path: Path) -> None:
    files = {
        "run.sh": '#!/bin/bash\nset -e\ncd $1\nfor f in `ls *.txt`; do cp "$f" b; done\n',
        "broken.sh": "#!/bin/bash\nset -e\nif true; then\n",
        "good.sh": '#!/bin/bash\nset -e\ncd "$1"\n',
        "-odd name.sh": "#!/bin/sh\nset -e\necho $1\n",
    }
    result = looked("shellcheck", repository(tmp_path / "r", files), "CI15")
    found = told(result, "shellcheck")
    assert ("run.sh", 3, "SC2086", "low") in found
    assert ("run.sh", 4, "SC2045", "medium") in found
    assert any(path == "-odd name.sh" for path, *_ in found)
    assert not any(path == "good.sh" for path, *_ in found)
    assert [entry.what for entry in result.unexamined] == ["broken.sh"]


def test_hadolint(tmp_path: Path) -> None:
    files = {
        "Dockerfile": "FROM debian\nRUN cd /tmp && make\nEXPOSE 99999\nUSER app\n",
        "web/Dockerfile": "FROM debian:12\nRUNN apt\n",
        ".hadolint.yaml": "ignored: [DL3006, DL3011]\n",
    }
    result = looked("hadolint", repository(tmp_path / "r", files), "CI13", "CI17")
    found = told(result, "hadolint")
    assert ("Dockerfile", 2, "DL3003", "low") in found
    assert ("Dockerfile", 3, "DL3011", "medium") in found
    assert any(f.check == "CI13" and "hadolint" in f.others and f.line == 1 for f in result.findings)
    assert [entry.what for entry in result.unexamined] == ["web/Dockerfile"]


def test_actionlint(tmp_path: Path) -> None:
    head = "on: push\npermissions: {}\njobs:\n  a:\n    timeout-minutes: 5\n    runs-on: "
    files = {
        ".github/workflows/a.yml": head + "my-own-label\n    steps: [{run: ls, shell: psh}]\n",
        ".github/workflows/good.yml": head + "ubuntu-latest\n    steps: [{run: ls}]\n",
    }
    result = looked("actionlint", repository(tmp_path / "r", files), "CI01")
    assert told(result, "actionlint") == {
        (".github/workflows/a.yml", 6, "runner-label", "medium"),
        (".github/workflows/a.yml", 7, "shell-name", "high"),
    }


def test_oxlint_loads_no_plugin_of_the_repository(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    files = {
        ".oxlintrc.json": '{"jsPlugins": ["./evil.js"], "rules": {"no-debugger": "off"}}',
        "evil.js": f'require("fs").writeFileSync({str(mark)!r}, "x");\nmodule.exports = {{rules: {{}}}};\n',
        "src/a.js": "debugger;\n",
        "src/bad.ts": "let x = {\n",
    }
    result = looked("oxlint", repository(tmp_path / "r", files), "JS23")
    assert ("src/a.js", 1, "eslint(no-debugger)", "low") in told(result, "oxlint")
    assert [entry.what for entry in result.unexamined] == ["src/bad.ts"]
    assert not mark.exists()


def test_knip(tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "a", "version": "1.0.0", "main": "src/index.js",'
        ' "dependencies": {"left-pad": "1.3.0"}}',
        "src/index.js": "import { b } from './b.js';\nimport chalk from 'chalk';\nconsole.log(b, chalk);\n",
        "src/b.js": "export const b = 1;\n",
        "src/orphan.js": "export const c = 1;\n",
    }
    result = looked("knip", repository(tmp_path / "r", files), "JS24")
    found = {(f.path, f.message) for f in result.findings}
    assert ("src/orphan.js", "nothing uses this file") in found
    assert ("package.json", "dependencies: left-pad") in found
    assert ("src/index.js", "unlisted: chalk") in found
    assert len(found) == 3


def test_clippy_leaves_nothing_behind(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": MANIFEST,
        "src/lib.rs": "pub fn f(v: &Vec<u8>) -> usize {\n    v.len()\n}\n",
        "inner/Cargo.toml": MANIFEST.replace('"a"', '"b"'),
        "inner/src/lib.rs": "pub fn g() -> u8 {\n    return 3;\n}\n",
        "broken/Cargo.toml": MANIFEST.replace('"a"', '"c"') + "[dependencies]\na = { path = '../nowhere' }\n",
        "broken/src/lib.rs": "pub fn h() {}\n",
    }
    root = repository(tmp_path / "r", files)
    need(shutil.which("cargo-clippy"), "clippy on PATH")
    result = looked("cargo", root, "RS05")
    assert told(result, "clippy") == {
        ("src/lib.rs", 1, "clippy::ptr_arg", "low"),
        ("inner/src/lib.rs", 2, "clippy::needless_return", "low"),
    }
    assert [entry.what for entry in result.unexamined] == ["broken/Cargo.toml"]
    assert not git(root, "status", "--porcelain", "--ignored")


@pytest.mark.parametrize("program", ["gitleaks", "betterleaks"])
def test_leaks(program: str, tmp_path: Path) -> None:
    token = "ghp_" + "K3v9QmX2bT7nW5yR8zL1cF6hJ0pD4sG9aU2e"
    root = repository(tmp_path / "r", {"src/a.py": f'token = "{token}"\n', "b.py": "token = read()\n"})
    result = looked(program, root, "SEC01")
    assert {path for path, *_ in told(result, program)} == {"src/a.py"}
    assert all(token not in f"{finding}" for finding in result.findings)
