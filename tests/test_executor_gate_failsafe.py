"""Whatever is said and whatever breaks, a command is judged in time, and what cannot be judged is asked."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro.executor.checkpoint.entry import Limits
from mybro.executor.claude.messages import PermissionAsked
from mybro.executor.claude.permissions import READ_ONLY, Allow, Ask, Verdict, judge
from tests.gate_cases import project

pytestmark = pytest.mark.unit

PARTS = [
    "rm", "ls", "git", "python -c", "cat", "npx", "env", "if", "then", "fi", "for x in",
    "do", "done", "!", "sh -c",
    "$x", "${x:-y}", "$(", "$((", "))", ")", "(", "`", "'", '"', "\\", "\n", " ", ";", "&", "&&",
    "|", "<", ">", ">>",
    "<<E", "E",
    "<(", "{", "}", "{a,b}", "{1..9}", "*", "**/", "?", "[a]", "~", "#", "=", "x=", "\0", "\r", "\ue010",
    "-", "--", "--x=",
    "a/b", "../", "/", ".env", "canary.txt", "é", "🙂", "\ud800", "%1", "$!", "select 1",
]  # fmt: skip
LONG = [
    "{a,b}" * 24, "echo " + "{a,b}" * 24, "echo " + "{1..40}" * 4, "! " * 5000 + "ls", "( " * 3000 + "ls",
    "if " * 5000, "$(" * 3000, "`" * 3001,
    "eval " * 3000 + "ls", "cd a; " * 3000, "rm " + "x=$x" * 4000, "ls /*/*/*/*/*",
    "cat <<A\n" * 2000, "rm '" + "a" * 15_000 + "'", "python -c '" + "(" * 9000 + "'",
    "timeout 5 " * 1900 + "ls",

    "rm " + "x" * 300_000, "echo " + "x" * 300_000, "uv run " * 2500 + "ls",
]  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("failsafe"))


def decide(command: object, repo: Path, *, read_only: bool = False) -> Verdict:
    return judge(PermissionAsked("r", "Bash", {"command": command}), repo, read_only=read_only)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.lists(st.sampled_from(PARTS), max_size=40).map("".join), st.text(max_size=200)))
def test_any_text_is_judged(shared: Path, command: str) -> None:
    assert isinstance(decide(command, shared), Allow | Ask)
    assert decide(command, shared, read_only=True) in (Allow(), READ_ONLY)


@pytest.mark.parametrize("command", LONG, ids=range(len(LONG)))
def test_what_is_long_or_deep_is_asked_about(shared: Path, command: str) -> None:
    assert isinstance(decide(command, shared), Ask)


BEGUN = [
    "vendor/bin/phpunit tests", "aws ec2 describe-x", "aws sts get-caller-identity", "az vm list", "go test",
    "gcloud compute instances list", "cmake -S .", "kubectl logs x", "lsof -i :3", "mvn test", "gradle test",
    "xcodebuild test", "pnpm -r test", "docker build -t x", "gh api user", "npm run", "ruff check", "x check",
    "python -m unittest", "RUSTFLAGS='-D", "systemctl status x", "playwright test",
]  # fmt: skip


AGAIN = (" --a", " -a", " a", "a", "/a", " -x 3", " --a=b", "-D_C:a=b.", " :3", " -l a", "-Da", "- ")


@pytest.mark.parametrize("begun", BEGUN)
def test_what_repeats_takes_in_proportion(shared: Path, begun: str) -> None:
    """A pattern that tries every way to divide the words would take a thousand times as long, or for ever."""

    def work(times: int) -> float:
        spent = time.process_time()
        for again in AGAIN:
            decide(begun + again * times + "!", shared)
        return time.process_time() - spent

    half = work(25)
    assert work(50) < 40 * half


def test_what_breaks_in_judging_is_asked_about(tmp_path: Path) -> None:
    for broken in (tmp_path / "\0", tmp_path / ("x" * 5000)):  # no such folder can be
        assert isinstance(decide("rm a", broken), Ask)
        assert decide("rm a", broken, read_only=True) == READ_ONLY
        asked = judge(PermissionAsked("r", "Write", {"file_path": "a\0"}), broken, read_only=False)
        assert isinstance(asked, Ask)


# ---------------------------------------------------------------------------- files that nothing brings back


KEPT = Limits(ignored=True, folders=("node_modules",))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "shop"
    for name in (
        "notes.local",
        "data/big.bin",
        "data/gen.py",
        "mine.py",
        "node_modules/x/index.js",
        "build/app.js",
        "kept.local",
        "a.py",
    ):
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text("mine\n")
    (repo / ".gitignore").write_text("*.local\nmine.py\ndata/\nnode_modules/\nbuild/\n")
    subprocess.run(["git", "init", "-q"], cwd=repo, check=True)
    subprocess.run(["git", "add", "-f", "kept.local", "a.py"], cwd=repo, check=True)
    return repo


def written(repo: Path, name: str, limits: Limits | None = None, tool: str = "Write") -> Verdict:
    asked = PermissionAsked("r", tool, {"file_path": str(repo / name), "content": "x"})
    return judge(asked, repo, read_only=False, limits=limits or Limits())


@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit"])
def test_an_ignored_file_that_no_checkpoint_keeps_is_asked_about(repo: Path, tool: str) -> None:
    for name in ("notes.local", "data/big.bin"):
        asked = written(repo, name, tool=tool)
        assert isinstance(asked, Ask), name
        assert (asked.risk, asked.object) == ("destructive", Path(name).name)
        assert "no checkpoint keeps" in asked.text


def test_what_is_tracked_new_or_made_again_is_not(repo: Path) -> None:
    for name in (
        "a.py",
        "kept.local",
        "new.local",
        "data/new.bin",
        "node_modules/x/index.js",
        "build/app.js",
    ):
        assert written(repo, name) == Allow(), name


@pytest.mark.parametrize(
    "command",
    [
        "sed -i 's/a/b/' mine.py", "sed -i.bak -e s/a/b/ a.py mine.py", "sed -i s/a/b/ *.py",
        "perl -pi -e 's/a/b/' mine.py", "cd data && sed -i s/a/b/ gen.py", "echo x >> notes.local",
        "echo x | tee -a data/big.bin", "mv mine.py yours.py", "black mine.py",
        "npx prettier --write mine.py", "ruff check --fix mine.py",
        "grep -rl a --include=*.py . | xargs sed -i s/a/b/",
        "for f in mine.py; do sed -i s/a/b/ $f; done", "find . -name '*.py' | xargs sed -i s/a/b/",
        "isort .", "autopep8 -r -i .",
    ],
)  # fmt: skip
def test_what_edits_such_a_file_is_asked_about(repo: Path, command: str) -> None:
    asked = decide(command, repo)
    assert isinstance(asked, Ask)
    kept = judge(PermissionAsked("r", "Bash", {"command": command}), repo, read_only=False, limits=KEPT)
    assert kept == Allow()


def test_the_question_names_the_file(repo: Path) -> None:
    for command in ("sed -i s/a/b/ mine.py", "mv mine.py yours.py", "cat a.py > notes.local"):
        asked = decide(command, repo)
        assert isinstance(asked, Ask)
        assert asked.risk == "destructive"
        assert asked.object in ("mine.py", "notes.local")
        assert "no checkpoint keeps" in asked.text


@pytest.mark.parametrize(
    "command",
    [
        "sed -i 's/a/b/' a.py", "perl -pi -e 's/a/b/' a.py", "echo x >> a.py", "mv a.py b.py", "black a.py",
        "sed -i s/a/b/ node_modules/x/index.js build/app.js", "echo x > new.local", "ruff check --fix .",
        "echo x >> kept.local", "git ls-files '*.py' | xargs sed -i s/a/b/", "black .",
        "cat mine.py notes.local", "npx eslint --fix .", "gofmt -w .", "isort --check-only .",
    ],
)  # fmt: skip
def test_what_edits_another_is_not(repo: Path, command: str) -> None:
    assert decide(command, repo) == Allow()


def test_the_settings_of_checkpoints_count(repo: Path) -> None:
    assert written(repo, "notes.local", Limits(ignored=True)) == Allow()
    assert isinstance(written(repo, "data/big.bin", Limits(ignored=True, folders=("data",))), Ask)
    assert isinstance(written(repo, "notes.local", Limits(max_file_bytes=2, ignored=True)), Ask)
