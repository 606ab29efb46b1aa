"""Status, diff, commits, branches, pushes and pull requests, with real git and real remotes on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.actions.git_remote import compare_page, without_secrets
from mybro.executor.actions.git_writing import branch_name
from mybro.intent import Action
from tests.executor_tools import Local, new_repository, write
from tests.fakes.executor import git

pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration


async def fails(local: Local, action: Action, **said: str) -> ExecutorError:
    with pytest.raises(ExecutorError) as raised:
        await local.do(action, **said)
    return raised.value


# ---------------------------------------------------------------------------- looking


async def test_status(local: Local) -> None:
    assert (await local.do(Action.GIT_STATUS)).summary == "On main. Nothing to commit."
    write(local.repo, {"shop.py": "x = 1\n", "new file.py": "", "sub/über.py": ""})
    git(local.repo, "add", "new file.py")
    outcome = await local.do(Action.GIT_STATUS)
    assert outcome.summary == "On main. 1 staged, 1 changed and 1 new: new file.py, shop.py and über.py."
    assert "?? sub/" in outcome.detail
    git(local.repo, "commit", "-qam", "More")
    git(local.repo, "mv", "shop.py", "store.py")
    assert "1 staged and 1 new: store.py and über.py" in (await local.do(Action.GIT_STATUS)).summary
    git(local.repo, "checkout", "-q", "--detach", "-f")
    assert (await local.do(Action.GIT_STATUS)).summary.startswith("On no branch.")


async def test_status_of_a_repository_without_a_commit_and_of_none(
    tmp_path: Path, bare_machine: Path
) -> None:
    local = Local(new_repository(tmp_path / "empty"))
    assert (await local.do(Action.GIT_STATUS)).summary == "On main, without a commit yet. Nothing to commit."
    assert (await local.do(Action.DIFF)).summary == "Nothing has changed since the last commit."
    assert (await fails(local, Action.PUSH)).code == "no_commit"
    (tmp_path / "plain").mkdir()
    assert (await fails(Local(tmp_path / "plain"), Action.GIT_STATUS)).code == "not_a_repository"


async def test_status_in_a_conflict(local: Local) -> None:
    git(local.repo, "switch", "-qc", "other")
    write(local.repo, {"shop.py": "x = 1\n"})
    git(local.repo, "commit", "-qam", "One")
    git(local.repo, "switch", "-q", "main")
    write(local.repo, {"shop.py": "x = 2\n"})
    git(local.repo, "commit", "-qam", "Two")
    git(local.repo, "merge", "-q", "other", check=False)
    assert (await local.do(Action.GIT_STATUS)).summary == "On main. 1 in conflict: shop.py."
    refused = await fails(local, Action.COMMIT)
    assert (refused.code, refused.message) == ("conflicts", "shop.py still has conflicts")
    assert "would not switch" in (await fails(local, Action.BRANCH, branch="other")).message


async def test_diff(local: Local) -> None:
    write(local.repo, {"shop.py": "def price(item, tax):\n    return item\n", "sub/new.py": "x\n"})
    outcome = await local.do(Action.DIFF)
    assert outcome.summary == "1 file changed, 1 added and 1 removed lines: shop.py. 1 new file: new.py."
    assert "+def price(item, tax):" in outcome.detail
    assert outcome.detail.endswith("new file: sub/new.py")
    assert (await local.do(Action.DIFF, path="sub")).summary == "1 new file: new.py."
    assert (await local.do(Action.DIFF, path="shop dot py")).summary.startswith("1 file changed")
    assert (await fails(local, Action.DIFF, path="nothing")).code == "no_such_path"
    (local.repo / "shop.py").write_bytes(b"\0\1")
    assert (await local.do(Action.DIFF, path="shop.py")).summary == "1 file changed: shop.py."


# ---------------------------------------------------------------------------- committing


async def test_commit_of_everything_but_secrets(local: Local) -> None:
    assert (await local.do(Action.COMMIT)).summary == "There is nothing to commit."
    write(local.repo, {"shop.py": "x = 1\n", "more.py": "", ".env": "KEY=1", ".env.example": "KEY=",
                       "deploy.pem": "secret"})  # fmt: skip
    outcome = await local.do(Action.COMMIT, message="Change the shop")
    assert outcome.summary == (
        "Committed 3 files: “Change the shop”. I left out .env and deploy.pem, which may hold secrets."
    )
    assert git(local.repo, "show", "--name-only", "--format=%s") == (
        "Change the shop\n\n.env.example\nmore.py\nshop.py\n"
    )
    assert (local.repo / ".env").exists()


async def test_commit_of_what_is_staged_only(local: Local) -> None:
    write(local.repo, {"one.py": "", "two.py": ""})
    git(local.repo, "add", "one.py")
    assert (await local.do(Action.COMMIT)).summary == "Committed 1 file: “Add one.py”."
    git(local.repo, "rm", "-q", "shop.py")
    assert (await local.do(Action.COMMIT)).summary == "Committed 1 file: “Remove shop.py”."
    write(local.repo, {"one.py": "x"})
    assert (await local.do(Action.COMMIT)).summary == "Committed 2 files: “Update one.py and two.py”."


async def test_odd_names_are_committed(local: Local) -> None:
    names = ["sp ace", "-dash", "quote\"'", "new\nline", ":magic", "*.py", "ümläut"]
    write(local.repo, dict.fromkeys(names, "x"))
    assert (await local.do(Action.COMMIT, message="Odd")).ok
    assert git(local.repo, "status", "--short") == ""
    assert len(git(local.repo, "ls-files", "-z").split("\0")) == len(names) + 2


async def test_a_hook_may_refuse(local: Local) -> None:
    hook = local.repo / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho 'error: no tests' >&2\nexit 1\n")
    hook.chmod(0o755)
    write(local.repo, {"new.py": ""})
    refused = await fails(local, Action.COMMIT)
    assert (refused.code, refused.message) == ("commit_refused", "the commit was refused: no tests")
    assert git(local.repo, "status", "--short") == "?? new.py\n"


async def test_a_refused_first_commit_leaves_nothing_staged(tmp_path: Path, bare_machine: Path) -> None:
    local = Local(new_repository(tmp_path / "empty"))
    git(local.repo, "config", "--unset", "user.name")
    git(local.repo, "config", "--unset", "user.email")
    git(local.repo, "config", "user.useConfigOnly", "true")
    write(local.repo, {"new.py": ""})
    assert (await fails(local, Action.COMMIT)).code == "no_identity"
    assert git(local.repo, "status", "--short") == "?? new.py\n"


async def test_branches(local: Local) -> None:
    assert (await local.do(Action.BRANCH)).summary == "You are on main."
    made = await local.do(Action.BRANCH, branch="fix the parser")
    assert made.summary == "Made the branch fix-the-parser, and switched to it."
    assert (await local.do(Action.BRANCH, branch="Main")).summary == "Switched to main."
    assert (await local.do(Action.BRANCH)).summary == "You are on main. The others: fix-the-parser."
    assert (await local.do(Action.BRANCH, name="main")).summary == "You are on main already."
    assert (await local.do(Action.BRANCH, branch="fix the parser")).summary == "Switched to fix-the-parser."
    write(local.repo, {"shop.py": "x = 1\n"})
    git(local.repo, "commit", "-qam", "Here")
    write(local.repo, {"shop.py": "x = 2\n"})
    refused = await fails(local, Action.BRANCH, branch="main")
    assert refused.message == (
        "git would not switch: files that you changed would be overwritten; commit them first"
    )
    git(local.repo, "checkout", "-q", "--detach")
    assert (await local.do(Action.BRANCH)).summary.startswith("You are on no branch.")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("fix the parser", "fix-the-parser"),
        ("feature slash dark mode", "feature/dark-mode"),
        ("release dash two", "release-two"),
        ("what? now!", "what-now"),
        ("a..b", "a.b"),
        ("x.lock", "x"),
        ("/../", None),
        ("???", None),
    ],
)
def test_spoken_branch_names(said: str, name: str | None) -> None:
    if name is not None:
        assert branch_name(said) == name
        return
    with pytest.raises(ExecutorError) as raised:
        branch_name(said)
    assert raised.value.code == "bad_branch_name"


# ---------------------------------------------------------------------------- sending


@pytest.fixture
def origin(repo: Path, tmp_path: Path) -> Path:
    """A bare remote that has the repository's first commit."""
    origin = tmp_path / "origin.git"
    git(repo, "init", "-q", "--bare", "-b", "main", str(origin))
    git(repo, "remote", "add", "origin", str(origin))
    git(repo, "push", "-q", "origin", "main")
    return origin


async def test_push(local: Local, origin: Path) -> None:
    assert (await local.do(Action.PUSH)).summary == "origin has everything of main already."
    write(local.repo, {"shop.py": "x = 1\n"})
    git(local.repo, "commit", "-qam", "More")
    assert "1 commit to push" in (await local.do(Action.GIT_STATUS)).summary
    assert (await local.do(Action.PUSH)).summary == "Pushed main to origin."
    assert git(origin, "log", "-1", "--format=%s", "main") == "More\n"
    git(local.repo, "branch", "side")
    assert (await local.do(Action.PUSH, branch="side", remote="origin")).summary == "Pushed side to origin."
    assert git(local.repo, "rev-parse", "--abbrev-ref", "side@{u}") == "origin/side\n"
    assert (await fails(local, Action.PUSH, branch="nothing")).code == "no_branch"
    assert (await fails(local, Action.PUSH, remote="elsewhere")).code == "no_remote"
    git(local.repo, "checkout", "-q", "--detach")
    assert (await fails(local, Action.PUSH)).code == "no_branch"


async def test_a_push_is_never_forced(local: Local, origin: Path) -> None:
    git(local.repo, "commit", "-q", "--amend", "-m", "Another beginning")
    refused = await fails(local, Action.PUSH)
    assert (refused.code, refused.message) == (
        "push_rejected", "origin has commits of main that are not here",
    )  # fmt: skip
    assert git(origin, "log", "-1", "--format=%s", "main") == "Begin\n"


async def test_why_a_push_fails(local: Local, origin: Path, tmp_path: Path) -> None:
    hook = origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'closed today' >&2\nexit 1\n")
    hook.chmod(0o755)
    git(local.repo, "commit", "-q", "--allow-empty", "-m", "More")
    assert (await fails(local, Action.PUSH)).code == "push_failed"
    git(local.repo, "remote", "set-url", "origin", str(tmp_path / "gone"))
    assert (await fails(local, Action.PUSH)).code == "push_failed"


async def test_which_remote(local: Local, tmp_path: Path) -> None:
    assert (await fails(local, Action.PUSH)).code == "no_remote"
    for name in ("one", "two"):
        git(local.repo, "init", "-q", "--bare", str(tmp_path / name))
    git(local.repo, "remote", "add", "one", str(tmp_path / "one"))
    assert (await local.do(Action.PUSH)).summary == "Pushed main to one."
    git(local.repo, "remote", "add", "two", str(tmp_path / "two"))
    git(local.repo, "commit", "-q", "--allow-empty", "-m", "More")
    assert (await local.do(Action.PUSH)).summary == "Pushed main to one."
    git(local.repo, "switch", "-qc", "side")
    refused = await fails(local, Action.PUSH)
    assert (refused.code, refused.message) == ("which_remote", "which remote: one or two?")


async def test_a_pull_request_without_gh(
    local: Local, origin: Path, monkeypatch: pytest.MonkeyPatch, bare_machine: Path
) -> None:
    (bare_machine / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(bare_machine))
    assert (await fails(local, Action.PULL_REQUEST)).code == "on_base"
    git(local.repo, "switch", "-qc", "side")
    write(local.repo, {"new.py": ""})
    assert (await local.do(Action.PULL_REQUEST)).summary == (
        "Pushed side. Open the pull request on your server's page. 1 change not committed."
    )
    assert "side" in git(origin, "branch")
    git(local.repo, "remote", "set-url", "origin", "https://me:secret@localhost.test/shop.git")
    git(local.repo, "remote", "set-url", "--push", "origin", str(origin))
    opened = await local.do(Action.PULL_REQUEST)
    assert opened.summary.startswith("Pushed side. The page to open the pull request is shown.")
    assert opened.detail == "https://localhost.test/shop/compare/main...side?expand=1"
    git(local.repo, "checkout", "-q", "--detach")
    assert (await fails(local, Action.PULL_REQUEST)).code == "no_branch"


async def test_a_pull_request_with_gh(
    local: Local, origin: Path, stand_in: Callable[[str, str], None], tmp_path: Path
) -> None:
    git(local.repo, "switch", "-qc", "side")
    git(local.repo, "remote", "set-head", "origin", "main")
    said = tmp_path / "said"
    stand_in("gh", f'echo "$@" > {said}; echo https://localhost/me/shop/pull/7')
    opened = await local.do(Action.PULL_REQUEST, message="Fix it")
    assert (opened.summary, opened.detail) == ("Opened pull request 7.", "https://localhost/me/shop/pull/7")
    assert said.read_text() == "pr create --head side --base main --title Fix it --body \n"
    await local.do(Action.PULL_REQUEST)
    assert said.read_text() == "pr create --head side --base main --fill\n"
    stand_in("gh", "echo 'already exists: https://localhost/me/shop/pull/7'; exit 1")
    assert (await local.do(Action.PULL_REQUEST)).summary == "There is a pull request already, number 7."
    stand_in("gh", "echo 'error: https://me:secret@localhost said no'; exit 1")
    refused = await fails(local, Action.PULL_REQUEST)
    assert refused.message == "gh did not open it: https://localhost said no"
    stand_in("gh", "echo fine")
    assert (await local.do(Action.PULL_REQUEST)).summary == "Opened the pull request."


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("git@github.com:me/shop.git", "https://github.com/me/shop/compare/main...a%23b?expand=1"),
        ("https://u:p@github.com/me/shop", "https://github.com/me/shop/compare/main...a%23b?expand=1"),
        ("ssh://git@git.x.org:22/me/shop.git", "https://git.x.org/me/shop/compare/main...a%23b?expand=1"),
        ("https://gitlab.com/g/s/shop.git",
         "https://gitlab.com/g/s/shop/-/merge_requests/new?merge_request[source_branch]=a%23b"),
        ("git@bitbucket.org:me/shop.git",
         "https://bitbucket.org/me/shop/pull-requests/new?source=a%23b&dest=main"),
        ("/srv/git/shop.git", None),
        ("host:shop.git", None),
    ],
)  # fmt: skip
def test_the_page_to_open_a_pull_request(url: str, page: str | None) -> None:
    assert compare_page(url, "main", "a#b") == page


def test_no_password_is_told() -> None:
    assert without_secrets("no https://me:secret@x.org/y here") == "no https://x.org/y here"
    assert without_secrets("https://x.org/me@y") == "https://x.org/me@y"
