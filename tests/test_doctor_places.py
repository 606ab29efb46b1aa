"""How grave the same finding is where it lies: in the product, its tests, its examples, its tools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.doctor.examine import Wish, examine
from mybro.doctor.languages import is_example, is_test
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
