"""Where a command stands after `cd`: certain as long as the chain of `&&` lasts, and no longer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mybro.executor.claude.gate import reach_of
from tests.gate_cases import project

pytestmark = pytest.mark.unit


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        "cd src && cat ../README.md",
        "cd src && ls && cd - && ls",
        "cd docs && cd ../src && cat ../README.md | head; ls",
        "mkdir -p build && cd build && cmake .. && make",
        "mkdir -p build/debug && cd build/debug && cmake ../..",
        "(cd src && cat ../README.md) && cat README.md",
        "pushd src && cat ../a.py; popd",
        "cd src && python -m pytest ../tests -q 2>&1 | tail -20",
        "cd src && for f in *.py; do wc -l $f; done; cd ../..",
    ],
)
def test_what_follows_in_the_chain_stands_there(repo: Path, command: str) -> None:
    assert reach_of(command, repo) is not None


@pytest.mark.parametrize(
    "command",
    [
        "cd nowhere; cat ../other/x",
        "cd nowhere && ls; cat ../other/x",
        "cd src && ls || cat ../x",
        "true || cd src && cat ../x",
        "cd src & cat ../x",
        'cd "src && x" | cat ../x',
        "echo | cd src && cat ../x",
        "! cd src && cat ../x",
        "cd src && cd .. && cat ../x",
        "cd src && bash -c 'cd .. && ls' && ls; cat ../x",
        "cd src && hyperfine 'cd tests && ls'; cat ../x",
        "cd src/lib && for i in 1 2 3; do cd ..; cat ../x; done",
        "cd src/lib && while true; do cd .. && cat ../x; done",
        "cd src && cd $(ls | head -1) && cd - && cat ../x",
        "CDPATH=.. && cd other && cat x",
        "popd",
        "mkdir x && cd x && cp ../README.md ../canary.txt",
        "mkdir x && cd x && cat ../*.pem",
        "mkdir x && cd x && node ../cleanup.js",
    ],
)
def test_elsewhere_it_may_stand_where_it_stood(repo: Path, command: str) -> None:
    assert reach_of(command, repo) is None


def test_a_search_of_the_environment_meets_no_secret(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reach_of("env | grep -i python", repo) is not None
    assert reach_of("env | grep -c .", repo) is not None
    assert reach_of("env | grep -i secret", repo) is None
    monkeypatch.setenv("SHOP_PASSWORD", "the-pythons-word")
    assert reach_of("env | grep -i python", repo) is None


def test_what_the_project_uses_may_be_run(repo: Path) -> None:
    assert reach_of("npx graphql-inspector validate api.graphql", repo) is None
    (repo / "package.json").write_text(json.dumps({"devDependencies": {"graphql-inspector": "3"}}))
    assert reach_of("npx graphql-inspector validate api.graphql", repo) is not None
    assert reach_of("npx graphql-inspector publish api.graphql", repo) is None


def test_a_program_that_was_just_built_of_calm_sources_may_run(repo: Path) -> None:
    built = "gcc -o /tmp/mybro-test-sum sum.c && /tmp/mybro-test-sum"
    (repo / "sum.c").write_text("int main(void) { return 0; }\n")
    assert reach_of(built, repo) is not None
    (repo / "sum.c").write_text('int main(void) { return system("rm canary.txt"); }\n')
    assert reach_of(built, repo) is None


def test_tasks_that_are_run_without_a_name_are_read(repo: Path) -> None:
    (repo / "Rakefile").write_text("task default: [:test]\ntask(:test) { ruby 'test/all.rb' }\n")
    assert reach_of("rake", repo) is not None
    (repo / "Rakefile").write_text("task(:default) { rm_rf 'src' }\n")
    assert reach_of("rake", repo) is None
