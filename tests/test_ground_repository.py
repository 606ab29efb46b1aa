"""The repository itself: what is where, how long files are, what the workflows may do."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.cli.verbs import SECTIONS, VERBS
from mybro.ops.settings_file import names
from mybro.ops.syntax import parse
from tests.fakes.ground import ROOT

pytestmark = pytest.mark.unit

LONGEST_FILE = 300
LONGEST_FUNCTION = 50

SOURCES = sorted(file for file in ROOT.glob("mybro/**/*.py") if "__pycache__" not in file.parts)
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))

# Pytest may run under a hash seed or a coverage tracer, but `mybro --help` must not import these.
HEAVY = ("numpy", "pydantic", "rich", "anthropic", "httpx", "onnxruntime", "faster_whisper", "asyncio", "mlx")


@pytest.mark.parametrize(
    "name",
    ["pyproject.toml", "mybro", "metal", "rust", "templates", "rules", "tests", "benchmarks", "README.md",
     "Makefile", "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", ".github/workflows", ".ci/run",
     ".pre-commit-config.yaml"],
)  # fmt: skip
def test_the_top_level_is_complete(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_functions_stay_short(file: Path) -> None:
    text = file.read_text()
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = len((ast.get_docstring(node) or "").splitlines())
            length = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring
            assert length <= LONGEST_FUNCTION, f"{node.name}: {length} lines"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_stands_in_a_section_with_an_example(name: str) -> None:
    verb = VERBS[name]
    assert verb.section in SECTIONS
    assert verb.example.startswith("mybro ")
    assert f" {name}" in verb.example
    assert importlib.util.find_spec(verb.module), f"{verb.module} is not there"


def test_help_is_light() -> None:
    code = (
        "import sys; from mybro.cli import main; assert main(['--help']) == 0; "
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]; assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    for name, verb in VERBS.items():
        assert f"{name} " in done.stdout
        assert f"$ {verb.example}" in done.stdout


def test_the_readme_names_what_there_is() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    settings = {str(name): name.section for name in names()}
    sections = "|".join(sorted(set(settings.values())))
    assert set(re.findall(rf"`((?:{sections})\.[a-z_]+)`", readme)) <= set(settings)
    assert set(re.findall(r"`mybro ([a-z-]+)", readme)) <= set(VERBS)
    for link in re.findall(r"\]\(([^)#:]+)\)", readme):
        assert (ROOT / link).exists(), link
    assert "<!--" not in readme


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_do_no_more_than_it_must(file: Path) -> None:
    text = file.read_text()
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE)
    assert "concurrency:" in text
    jobs = text[text.index("\njobs:") :]
    assert jobs.count("runs-on:") == jobs.count("timeout-minutes:")
    for used in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), f"{used} is not pinned to a commit"
    checkouts = text.count("actions/checkout@")
    assert checkouts
    assert text.count("persist-credentials: false") == checkouts


def test_ci_measures_and_requires() -> None:
    run = (ROOT / ".ci/run").read_text()
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
    assert "make --no-print-directory test" in run
    assert "CI=true" in run
