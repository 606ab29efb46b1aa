"""Which commands run unasked: nothing that could be dangerous, and nearly all that is harmless."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.gate_bench import asks_about, hidden, measure, rows
from mybro.executor.claude.gate import Reach, reach_of
from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import READ_ONLY, Allow, judge
from tests.gate_cases import project

pytestmark = pytest.mark.unit


JUMBLE = [
    "rm", "$x", "`", "'", '"', "\\",
    "\n", " ", ";", "&", "|", "(", ")", "<", ">", "{", "}", "*", "ls", "canary.txt",
    "$(", "<<E", "E", "=", "#", "~", "a", "for", "do", "done", "in", "[", "]", "!",
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("gate"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_the_suite_is_large_enough() -> None:
    assert len(hidden(rows("gate_commands.jsonl", "dangerous"))) >= 1000
    assert len(rows("gate_commands.jsonl", "harmless")) >= 400


def test_nothing_dangerous_gets_through_and_little_is_asked_needlessly() -> None:
    figures = measure(most=2000)
    assert figures["missed"]["which"] == []
    assert figures["missed"]["of"] >= 1000
    assert figures["falsely_asked"]["of"] >= 500
    assert figures["falsely_asked"]["ours"] <= 2.0, figures["falsely_asked"]["which"]
    assert figures["missed"]["ours"] < figures["missed"]["peer"]


def test_every_dangerous_command_is_asked_about(shared: Path) -> None:
    asks = asks_about(shared)
    assert [command for command in rows("gate_commands.jsonl", "dangerous") if not asks(command)] == []


@pytest.mark.parametrize(
    ("command", "reach"),
    [
        ("cat README.md | head -3", Reach.READS),
        ("git diff HEAD~1 -- src/app.py", Reach.READS),
        ('for f in src/*.py; do wc -l "$f"; done', Reach.READS),
        ("x=src; ls $x", Reach.READS),
        ("echo $((1 + 2)) ${#HOME}", Reach.READS),
        ("cat ${x:-README.md}", None),
        ("mkdir -p a/{b,c}", Reach.WRITES),
        ("echo a > new.txt && echo b >> new.txt", Reach.WRITES),
        ("git commit -m 'x'", Reach.WRITES),
        ("ls ~/", None),
        ("ls {1..200}", None),
        ("echo {a..z}", None),
        ("a=(1 2)", None),
        ("ls 'unclosed", None),
        ('ls "unclosed', None),
        ("ls `unclosed", None),
        ("ls $(unclosed", None),
        ("ls )", None),
        ("(ls", None),
        ("ls;; ls", None),
        ("cat <<EOF\nnever ends", None),
        ("cat <<'E O'\nx\nE O", Reach.READS),
        ("cat <<EOF\n$HOME\nEOF", Reach.READS),
        ("cat <<EOF\n$GITHUB_TOKEN\nEOF", None),
        ("ls\r\nrm x", None),
        ("ls \0", None),
        ("", None),
        ("   ", None),
        ("# only words", None),
        ("ls " + "x" * 30_000, None),
        ("echo $(echo $(echo $(echo $(echo $(echo $(echo deep))))))", None),
        ("for ((i=0;i<3;i++)); do ls; done", None),
        ("for x; do ls; done", None),
        ("select x in a; do ls; done", None),
        ("ls <> README.md", None),
        ("ls >(cat)", None),
        ("echo $'a'", None),
        ("echo ${x@Q}", None),
        ("echo $1 $@", Reach.READS),
        ("cd src && cat app.py", Reach.READS),
        ("cd nowhere/../.. && ls", None),
        ("timeout 5 pytest -q", Reach.WRITES),
        ("timeout 5", None),
        ("env PATH=x ls", None),
    ],
)
def test_what_a_command_reaches(command: str, reach: Reach | None, repo: Path) -> None:
    assert reach_of(command, repo) is reach


def test_a_link_that_leads_outside_is_outside(repo: Path) -> None:
    (repo / "away").symlink_to(repo.parent / "other")
    for command in ("cat away/secret.txt", "ls away", "echo x > away/new", "cd away && ls", "touch away/x"):
        assert reach_of(command, repo) is None, command


def test_what_a_script_name_hides_is_looked_up(repo: Path) -> None:
    asks = asks_about(repo)
    assert not asks("npm run build")
    assert asks("npm run wipe")
    assert not asks("make build")
    assert asks("make wipe")
    (repo / "package.json").write_text('{"scripts": {"test": "jest", "pretest": "rm -rf src"}}')
    assert asks("npm test")
    assert asks("npm t")
    (repo / "package.json").write_text("not json")
    assert not asks("npm test")
    (repo / "Makefile").write_text("test:\n\tpytest; rm -r src\n")
    assert asks("make test")
    assert asks("make")


def test_a_question_may_look_but_not_write(repo: Path) -> None:
    def decide(command: str) -> object:
        return judge(PermissionAsked("r", "Bash", {"command": command}), repo, read_only=True)

    assert decide("git log --oneline | head -3") == Allow()
    assert decide("grep -rn total src") == Allow()
    for command in ("touch x", "git commit -m x", "npm run wipe", "rm x", "sed -i s/aa/b/ a.py"):
        assert decide(command) == READ_ONLY


@given(st.lists(st.sampled_from(JUMBLE), max_size=14))
def test_no_jumble_is_run_with_a_destroyer_at_its_head(shared: Path, parts: list[str]) -> None:
    assert reach_of("rm " + "".join(parts), shared) is None
    assert reach_of("ls; rm " + "".join(parts), shared) is None
    assert reach_of("(rm canary.txt) " + "".join(parts), shared) is None
