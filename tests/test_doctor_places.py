"""How grave the same finding is where it lies: in the product, its tests, its examples, its tools."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path

import pytest

from mybro.doctor.check import catalogue
from mybro.doctor.examine import Wish, examine
from mybro.doctor.finding import Finding
from mybro.doctor.languages import is_example, is_test
from mybro.doctor.merge import merge
from mybro.doctor.own.development import only_for_development

pytestmark = pytest.mark.integration

SHELL = "import os\nimport sys\n\nos.system('ls ' + sys.argv[1])\n"
PYPROJECT = """[project]
dependencies = ["httpx"]
[project.optional-dependencies]
test = ["Flask>=3"]
web = ["jinja2"]
[dependency-groups]
dev = ["requests", {include-group = "lint"}]
lint = ["httpx"]
[tool.poetry.group.dev.dependencies]
celery = "*"
"""


def severities(root: Path, check: str) -> dict[str, str]:
    return {f.path: f.severity for f in examine(Wish(root)).findings if f.check == check}


def test_an_example_is_no_product(tmp_path: Path) -> None:
    for folder in ("src", "examples", "docs/guide", "tests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "app.js").write_text("const express = require('express')\n")
    assert severities(tmp_path, "ST01") == {
        "src/app.js": "medium", "examples/app.js": "low", "docs/guide/app.js": "low", "tests/app.js": "low",
    }  # fmt: skip


def test_what_others_wrote_is_not_judged(tmp_path: Path) -> None:
    for folder in ("vendor/a", "third_party/a", "node_modules/a"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "app.js").write_text("const express = require('express')\n")
        (tmp_path / folder / "run.py").write_text(SHELL)
    (tmp_path / "main.py").write_text("print(1)\n")
    assert not [f for f in examine(Wish(tmp_path)).findings if "/a/" in f.path]


def test_a_server_that_only_tests_need_weighs_less_than_a_builder(tmp_path: Path) -> None:
    told = {"devDependencies": {"express": "^4", "webpack": "^5", "electron": "^30", "react-scripts": "^5"}}
    (tmp_path / "package.json").write_text(json.dumps(told, indent=1))
    found = [f for f in examine(Wish(tmp_path)).findings if f.check == "ST01"]
    assert {f.message.split(" (")[0].removeprefix("depends on "): f.severity for f in found} == {
        "express": "low", "webpack": "medium", "electron": "medium", "react-scripts": "medium",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("package", "develops"),
    [
        ("flask", True),
        ("requests", True),
        ("celery", True),
        ("jinja2", False),
        ("httpx", False),
        ("x", False),
    ],
)
def test_who_needs_a_package_of_python(package: str, develops: bool) -> None:
    assert only_for_development("a/pyproject.toml", PYPROJECT, package) is develops


def test_other_manifests_and_broken_ones() -> None:
    cargo = "[dev-dependencies]\nmock = '1'\n[dependencies]\ncuda = {package = 'cust', version = '1'}\n"
    assert only_for_development("Cargo.toml", cargo, "mock")
    assert not only_for_development("Cargo.toml", cargo, "cust")
    assert only_for_development("package.json", '{"devDependencies": {"a": "1"}}', "a")
    both = '{"devDependencies": {"a": "1"}, "dependencies": {"a": "1"}}'
    assert not only_for_development("package.json", both, "a")
    for text in ("", "[", '{"devDependencies": [1]}', "[[]]"):
        assert not only_for_development("package.json", text, "a")
        assert not only_for_development("pyproject.toml", text, "a")
    assert not only_for_development("requirements.txt", "a", "a")


def test_which_places_are_examples_and_tests() -> None:
    assert is_example("docs/conf.py")
    assert is_example("pkg/examples/app.ts")
    assert not is_example("docs/index.md")
    assert not is_example("src/examples.py")
    assert is_test("rust/fuzz/checks/scan.rs")
    assert not is_test("src/fuzzy/match.rs")


def test_what_a_merge_left_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("A = 1\n<<<<<<< HEAD\nB = 1\n=======\nB = 2\n>>>>>>> main\n")
    (tmp_path / "b.py").write_text("def broken(:\n")
    found = examine(Wish(tmp_path, select=("GT01", "PY01")))
    assert {(f.check, f.path) for f in found.findings} == {("GT01", "a.py"), ("PY01", "b.py")}


def test_what_another_package_looks_for_by_itself_is_used(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "a"\nversion = "1"\ndependencies = ["fastapi", "python-multipart", "soxr"]\n'
    )
    (tmp_path / "a.py").write_text("import fastapi\nimport yaml\n\nprint(fastapi, yaml)\n")
    found = {(f.check, f.anchor) for f in examine(Wish(tmp_path, select=("DP01", "DP02", "DP03"))).findings}
    assert found == {("DP01", "yaml"), ("DP02", "soxr")}


def test_whichever_engine_ends_first_the_finding_is_the_same() -> None:
    checks = catalogue()
    told = [
        Finding("SEC16", "a.py", 3, 1, "Possible hardcoded password", "medium", "medium", "ruff", "S105"),
        Finding("SEC16", "a.py", 3, 1, "the value of PASSWORD", "medium", "low", "mybro", "passwords"),
        Finding("SEC16", "a.py", 3, 9, "a password", "low", "high", "betterleaks", "generic"),
    ]
    merged = [merge(order, checks) for order in permutations(told)]
    assert all(findings == merged[0] for findings in merged)
    assert (merged[0][0].confidence, merged[0][0].others) == ("high", ("mybro", "ruff"))


def test_what_is_missing_altogether_is_no_matter_of_the_files_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n")
    assert {f.path for f in examine(Wish(tmp_path)).findings} == {"", "a.py"}
    assert {f.path for f in examine(Wish(tmp_path, ("a.py",))).findings} == {"a.py"}
