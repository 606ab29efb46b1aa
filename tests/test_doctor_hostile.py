"""Repositories that want to be run, to hang, or to break what looks at them."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mybro.doctor import facts
from mybro.doctor.check import catalogue
from mybro.doctor.engine import Task
from mybro.doctor.examine import Wish, examine
from mybro.doctor.fix import mend
from mybro.doctor.languages import language_of
from mybro.doctor.own.sweep import Own
from tests.doctor_fixtures import git, repository
from tests.requirements import need

pytestmark = pytest.mark.integration


def marks(folder: Path) -> str:
    """A command that leaves a trace if anything runs it."""
    return f"touch {folder / 'ran'}"


def test_nothing_that_gits_configuration_names_is_run(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": "x = 1\n", ".gitattributes": "*.py filter=evil diff=evil\n"})
    trap = marks(tmp_path)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "diff.external", "core.editor"):
        git(root, "config", name, trap)
    for name in ("filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv"):
        git(root, "config", name, trap)
    hook = root / ".git" / "hooks" / "post-index-change"
    hook.write_text(f"#!/bin/sh\n{trap}\n")
    hook.chmod(0o755)
    (root / "a.py").write_text("x = 2\nimport os\n")
    for wish in (Wish(root), Wish(root, changed=True), Wish(root, deep=True, select=("GT", "SEC"))):
        examine(wish)
    mend(examine(Wish(root)), Wish(root))
    assert facts.look(root).git is not None
    assert not (tmp_path / "ran").exists()


def test_a_signed_commit_is_given_to_no_program(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": "x = 1\n"})
    signed = git(root, "cat-file", "commit", "HEAD").replace(
        "\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----\n\n", 1
    )
    (tmp_path / "commit").write_text(signed)
    commit = git(root, "hash-object", "-t", "commit", "-w", str(tmp_path / "commit")).strip()
    git(root, "update-ref", "HEAD", commit)
    evil = tmp_path / "gpg"
    evil.write_text(f"#!/bin/sh\n{marks(tmp_path)}\n")
    evil.chmod(0o755)
    git(root, "config", "log.showSignature", "true")
    git(root, "config", "gpg.program", str(evil))
    git(root, "log", "-1")
    (tmp_path / "ran").unlink()
    examine(Wish(root, deep=True, select=("SEC03", "GT")))
    assert not (tmp_path / "ran").exists()


def test_no_library_that_a_project_names_is_loaded(tmp_path: Path) -> None:
    """A library that cannot be loaded would be complained of, and one that is a pipe waited for."""
    os.mkfifo(tmp_path / "sgconfig.yml")
    (tmp_path / "a.js").write_text("debugger;\n")
    found = examine(Wish(tmp_path, select=("JS08",), timeout_s=20))
    assert [f.check for f in found.findings] == ["JS08"] and not found.incomplete


@pytest.mark.parametrize(
    "name", [".gitignore", ".gitattributes", "pyproject.toml", "Cargo.toml", "mybro.toml"]
)
def test_settings_that_are_a_pipe_or_without_end_are_not_waited_for(name: str, tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": "import os\n", "notes.md": "The adress.\n"})
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        make(root / name)
        found = examine(Wish(root, select=("PY03", "DC04"), timeout_s=30))
        assert {f.check for f in found.findings} == {"PY03", "DC04"}
        assert not [entry for entry in found.unexamined if "out of time" in entry.why]
        (root / name).unlink()


@pytest.mark.parametrize(
    "text", ["lint = 3", "lint.ignore = 3\nlint.per-file-ignores = [1]", "ignore = {a = 1}"]
)
def test_settings_of_another_kind_than_was_meant_stop_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.ruff]\n{text}\n")
    (tmp_path / "a.py").write_text("import os\n")
    found = examine(Wish(tmp_path, select=("PY03",)))
    assert [f.check for f in found.findings] == ["PY03"] and not found.incomplete


@pytest.mark.parametrize(
    "text",
    ["\n", "\n ", "[", "{{", "<!--", "[a](", "![", "<img ", "# a ", "```a`", "- ", "? ", "- [", "a: {"],
)
def test_what_is_written_against_patterns_takes_no_longer_than_other_text(text: str, tmp_path: Path) -> None:
    """The square of the length would be minutes, and nothing can interrupt a pattern."""
    names = ("README.md", ".github/workflows/a.yml", "a.sh", "Makefile", "a.yml", "Cargo.toml", ".gitignore")
    repo = facts.Repository(tmp_path, {})
    checks = {name: check for name, check in catalogue().items() if "mybro" in check.engines}
    began = time.process_time()
    for name in names:
        file = facts.File(name, 100_000, 0o644, language_of(name), False)
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text * (100_000 // len(text)))
        repo.files[name] = file
    Own().run(Task(repo, checks, time.monotonic() + 60))
    assert time.process_time() - began < 60


def test_nothing_of_a_python_project_is_run(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    names = ("setup.py", "conftest.py", "sitecustomize.py", "ruff.py", "typos.py", "yaml.py")
    files = dict.fromkeys(names, trap)
    files["pyproject.toml"] = (
        '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["httpx"]\n'
        '[tool.ruff]\nextend = "../../../etc/passwd"\n[tool.deptry]\nextend_exclude = ["a"]\n'
    )
    files["evil.py"] = trap
    root = repository(tmp_path / "r", files)
    for name in ("ruff", "typos", "ast-grep", "zizmor", "git"):
        fake = root / name
        fake.write_text(f"#!/bin/sh\n{marks(tmp_path)}\n")
        fake.chmod(0o755)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{root}{os.pathsep}.{os.pathsep}{before}"
    try:
        # Whoever puts a repository first on PATH has run its git before.
        (root / "git").unlink()
        examine(Wish(root, deep=True))
    finally:
        os.environ["PATH"] = before
    assert not (tmp_path / "ran").exists()


def test_nothing_that_a_rust_project_names_is_run(tmp_path: Path) -> None:
    need(shutil.which("rustfmt"), "clippy and rustfmt on PATH")
    root = tmp_path / "r"
    tools = dict.fromkeys(
        (f"tools/bin/{name}" for name in ("rustfmt", "rustc", "cargo")), f"#!/bin/sh\n{marks(tmp_path)}\n"
    )
    files = {
        "Cargo.toml": '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n',
        "Cargo.lock": "version = 4\n",
        "src/main.rs": "fn  main(){}\n",
        "rust-toolchain.toml": f'[toolchain]\npath = "{root}/tools"\n',
        ".cargo/config.toml": f'[build]\nrustc = "{root}/tools/bin/rustc"\n',
        **tools,
    }
    repository(root, files)
    (root / "tools" / "lib").mkdir()
    for tool in tools:
        (root / tool).chmod(0o755)
    found = examine(Wish(root, deep=True, select=("RS06", "RS05", "DP14")))
    assert [f.path for f in found.findings] == ["src/main.rs"]
    assert not (tmp_path / "ran").exists()


def test_loops_pipes_and_odd_names_are_survived(tmp_path: Path) -> None:
    root = tmp_path / "r"
    root.mkdir()
    (root / "loop").symlink_to(".")
    (root / "a").mkdir()
    (root / "a" / "up").symlink_to("..")
    (root / "outside").symlink_to("/etc")
    os.mkfifo(root / "pipe.py")
    (root / "new\nline.py").write_text("import os\n")
    (root / "-rf.py").write_text("x = f'a'\n")
    os.close(os.open(os.fsencode(root) + b"/\xff\xfe.py", os.O_CREAT | os.O_WRONLY))
    (root / "bad.py").write_bytes(b"x = '\xff\xfe'\n")
    (root / "zero.py").write_bytes(b"\0" * 5000)
    (root / "nested.json").write_text("[" * 100_000)
    (root / "package.json").write_text("[" * 100_000)
    (root / "deep.py").write_text("(" * 5000 + ")" * 5000)
    (root / "bomb.yml").write_text("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n")
    found = examine(Wish(root, deep=True))
    paths = {finding.path for finding in found.findings}
    assert "GT07" in {finding.check for finding in found.findings}
    assert any(path == "-rf.py" for path in paths)
    assert not any(path.startswith(("loop/", "outside/")) for path in found.repo.files)
    assert "pipe.py" not in found.repo.files


@pytest.mark.skipif(sys.platform != "linux", reason="a process's own peak of memory is read from /proc")
def test_a_file_of_a_gigabyte_is_told_and_not_read(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", {"a.py": "x = 1\n"})
    with (root / "big.py").open("wb") as stream:
        stream.truncate(1 << 30)
    with (root / "big.txt").open("wb") as stream:
        stream.truncate(1 << 30)
    git(root, "add", "-N", "big.py")
    # A process of its own, and what it says of itself: its resource usage begins with its parent's memory.
    code = """
import re, resource, sys
from pathlib import Path
from mybro.cli import main
status = main(sys.argv[1:])
own = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(max(int(own[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss), file=sys.stderr)
sys.exit(status)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, "doctor", str(root), "--json", "--fail-on", "high"],
        capture_output=True, text=True, timeout=120, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    assert told.returncode == 3, told.stderr
    assert int(told.stderr.split()[-1]) < (600 << 10), "in kB"
    found = json.loads(told.stdout)
    assert any(entry["what"] == "big.py" and entry["partial"] for entry in found["unexamined"])
    assert ("GT05", "big.py") in {(finding["id"], finding["path"]) for finding in found["findings"]}


def test_very_many_files_are_listed_in_bounded_memory(tmp_path: Path) -> None:
    root = tmp_path / "r"
    for folder in range(10):
        (root / f"d{folder}").mkdir(parents=True)
        for number in range(1000):
            os.close(os.open(root / f"d{folder}" / f"{number}.py", os.O_CREAT | os.O_WRONLY))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    repo = facts.look(root)
    assert len(repo.files) == 10_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < (60 << 10)


def test_an_engine_out_of_time_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    found = examine(Wish(tmp_path, timeout_s=1e-9))
    assert any("out of time" in entry.why for entry in found.unexamined)
    assert found.exit_code("high") == 3
