"""What holds an agent's process: real sandboxes, of every kind that works here."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mybro.errors import ExecutorError
from mybro.executor.claude import sandbox
from mybro.executor.claude.landlock import grants
from mybro.executor.claude.sandbox import Held, Kind, find_sandbox, hold, tell_sandbox
from mybro.executor.claude.sandbox_macos import profile
from mybro.executor.claude.sandbox_places import Places, private_environment, secret_places
from mybro.ops import rendezvous
from tests.requirements import need

pytestmark = pytest.mark.integration


@pytest.fixture(params=["bubblewrap", "landlock", "seatbelt"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Every kind that works here, and at least one."""
    found = find_sandbox("auto")
    need(found, "a sandbox: install bubblewrap, or a Linux newer than 6.2")
    kind: Kind = request.param
    if not sandbox.works(kind):
        pytest.skip(f"{kind} does not work here")
    return kind


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for place in (
        ".ssh/id_ed25519",
        ".netrc",
        ".config/gh/hosts.yml",
        ".config/odd/api-token",
        ".claude/old",
    ):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_text("CANARY")
    (home / ".claude" / "settings.json").write_text("{}")
    (home / "notes.txt").write_text("plain")
    return home


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    repo = tmp_path / "shop"
    repo.mkdir()
    (repo / "a.txt").write_text("a")
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "Begin")
    return repo


def git(repo: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    env = {"PATH": os.environ["PATH"], "HOME": str(repo), "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *who, *arguments], cwd=repo, env=env, check=True)


def run(kind: Kind, script: str, home: Path, repo: Path, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **more}
    held = hold(kind, ["/bin/sh", "-c", script], env, repo)
    try:
        return subprocess.run(
            held.argv, env=held.env, cwd=repo, capture_output=True, text=True, check=False, timeout=30
        )
    finally:
        held.close()
        assert not held.folder.exists()


def test_the_repository_and_a_folder_of_its_own_can_be_written(kind: Kind, home: Path, repo: Path) -> None:
    script = """
        echo b > b.txt && rm a.txt && git add -A && git -c user.name=x -c user.email=x@y commit -qm two &&
        echo x > "$TMPDIR/x" && mkdir "$TMPDIR/d" && touch "$TMPDIR/d/x" && chmod 0 "$TMPDIR/d" &&
        echo new > ~/.claude/new && echo x > /dev/null && cat ~/notes.txt
    """
    done = run(kind, script, home, repo)
    assert (done.returncode, done.stdout) == (0, "plain"), done.stderr
    assert (repo / "b.txt").read_text() == "b\n"
    assert not (repo / "a.txt").exists()
    assert (home / ".claude" / "new").exists()


@pytest.mark.parametrize(
    "script",
    [
        "echo x > ~/new", "echo x >> ~/notes.txt", "rm -f ~/notes.txt", "mv ~/notes.txt .", "> ~/notes.txt",
        "mkdir ~/folder", "ln -s . ~/link", "rm -rf ~/.ssh/id_ed25519", "cp a.txt ~/notes.txt", "touch ../x",
        "python3 -c 'import os; os.remove(os.path.expanduser(\"~/notes.txt\"))'",
        "python3 -c 'import os; os.truncate(os.path.expanduser(\"~/notes.txt\"), 0)'",
        "ln -s ~ there && echo x > there/notes.txt", "(setsid sh -c 'echo x > ~/notes.txt')",
    ],
)  # fmt: skip
def test_nothing_else_can_be_written(kind: Kind, script: str, home: Path, repo: Path) -> None:
    before = tree(home.parent, repo)
    assert run(kind, script, home, repo).returncode != 0
    assert tree(home.parent, repo) == before


def tree(folder: Path, without: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if not path.is_relative_to(without))
    return {str(path): path.read_text() if path.is_file() else "" for path in files}


@pytest.mark.parametrize(
    "file", [".ssh/id_ed25519", ".netrc", ".config/gh/hosts.yml", ".config/odd/api-token"]
)
def test_credentials_cannot_be_read(kind: Kind, file: str, home: Path, repo: Path) -> None:
    for script in (
        f"cat ~/{file}",
        f"ln -s ~/{file} x; cat x",
        f"cp ~/{file} y; cat y",
        f"ln ~/{file} z; cat z",
    ):
        assert "CANARY" not in run(kind, script, home, repo).stdout


def test_a_journal_cannot_be_read(
    kind: Kind, home: Path, repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "journal.db").write_text("CANARY")
    monkeypatch.setenv("MYBRO_DATA_DIR", str(data))
    assert "CANARY" not in run(kind, f"cat {data}/journal.db", home, repo).stdout
    inside = data / "worktrees" / "one"
    inside.mkdir(parents=True)
    done = run(kind, f"touch x && ! touch {data}/x && ! cat {data}/journal.db", home, inside)
    assert done.returncode == 0, done.stderr
    assert (inside / "x").exists()


def test_sessions_sockets_are_not_opened(kind: Kind, home: Path, repo: Path) -> None:
    """Who reaches one could say "yes" for the person."""
    place = rendezvous.own_socket()
    place.write_text("CANARY")
    try:
        assert "CANARY" not in run(kind, f'cat "{place}"', home, repo).stdout
    finally:
        place.unlink()


def test_a_linked_work_tree_can_be_committed_to(kind: Kind, home: Path, repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", "-b", "second", str(tmp_path / "second"))
    script = "echo b > b.txt && git add b.txt && git -c user.name=x -c user.email=x@y commit -qm two"
    done = run(kind, script, home, tmp_path / "second")
    assert done.returncode == 0, done.stderr
    assert run(kind, f"echo x > {repo}/a.txt", home, tmp_path / "second").returncode != 0


@pytest.mark.parametrize("file", ["hooks/post-checkout", "config", "~/.claude/settings.json"])
def test_what_would_run_later_stays_as_it_is(kind: Kind, file: str, home: Path, repo: Path) -> None:
    if kind == "landlock":
        pytest.skip("landlock cannot take away from what is writable")
    (repo / ".git" / "hooks").mkdir(exist_ok=True)
    target = file if file.startswith("~") else f".git/{file}"
    assert run(kind, f"echo x >> {target}", home, repo).returncode != 0
    assert run(kind, f"mv {target} away && echo x > {target}", home, repo).returncode != 0


def test_other_programs_secrets_are_not_handed_on(kind: Kind, home: Path, repo: Path) -> None:
    done = run(kind, "env", home, repo, GITHUB_TOKEN="CANARY", AWS_SECRET_ACCESS_KEY="CANARY", EDITOR="vi")
    assert "CANARY" not in done.stdout
    assert "EDITOR=vi" in done.stdout


def test_what_the_cli_signs_in_with_stays() -> None:
    env = {"ANTHROPIC_API_KEY": "a", "AWS_ACCESS_KEY_ID": "b", "TMPDIR": "/old"}
    assert private_environment(env, Path("/own"))["ANTHROPIC_API_KEY"] == "a"
    assert "AWS_ACCESS_KEY_ID" not in private_environment(env, Path("/own"))
    bedrock = private_environment(env | {"CLAUDE_CODE_USE_BEDROCK": "1"}, Path("/own"))
    assert bedrock["AWS_ACCESS_KEY_ID"] == "b"
    assert bedrock["TMPDIR"] == "/own"


def test_the_keychain_is_hidden_where_the_cli_can_do_without(tmp_path: Path) -> None:
    keychains = Path(os.path.realpath(tmp_path)) / "Library" / "Keychains"
    assert keychains not in secret_places({"HOME": str(tmp_path)}, ())
    assert keychains in secret_places({"HOME": str(tmp_path), "ANTHROPIC_API_KEY": "x"}, ())


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_sandbox("off") is None
    assert tell_sandbox("off") == "off"
    monkeypatch.setattr(sandbox, "KINDS", ())
    sandbox.working.cache_clear()
    try:
        assert find_sandbox("auto") is None
        with pytest.raises(ExecutorError, match="none works here"):
            tell_sandbox("auto")
        with pytest.raises(ExecutorError) as error:
            find_sandbox("on")
        assert error.value.message == "no sandbox works here, and executor.sandbox is on"
    finally:
        sandbox.working.cache_clear()


def test_the_longer_path_has_the_last_word() -> None:
    places = Places((Path("/r"), Path("/h/data/w")), (Path("/r/.git/hooks"),), (Path("/h/data"),), Path("/e"))
    assert [rule for _, rule in places.ordered()] == ["writable", "hidden", "writable", "fixed"]
    told = profile(places.ordered()).splitlines()[-4:]
    assert told == [
        '(allow file-read* file-write* (subpath "/r"))',
        '(deny file-read* file-write* network-outbound (subpath "/h/data"))',
        '(allow file-read* file-write* (subpath "/h/data/w"))',
        '(deny file-write* (subpath "/r/.git/hooks"))',
    ]


def test_around_what_is_hidden_the_rest_is_granted(tmp_path: Path) -> None:
    for name in ("a", "b/c", "b/d"):
        (tmp_path / name).mkdir(parents=True)
    rules = {str(tmp_path / "b" / "c"): "hidden", str(tmp_path / "a"): "writable"}
    granted = {Path(path).name: rights for path, rights in grants(rules, str(tmp_path))}
    assert granted.keys() == {"a", "d"}
    assert granted["a"] > granted["d"]


def test_a_command_that_does_not_exist_is_told(home: Path, repo: Path) -> None:
    if not sandbox.works("landlock"):
        pytest.skip("landlock does not work here")
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    held: Held = hold("landlock", ["/no/such/program"], env, repo)
    done = subprocess.run(held.argv, env=held.env, capture_output=True, text=True, check=False)
    held.close()
    assert done.returncode == 126
    assert "/no/such/program was not started" in done.stderr
    assert json.loads(held.argv[4])
