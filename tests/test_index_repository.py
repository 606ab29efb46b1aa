"""The index of a repository: what is found in each language, what is left out, and what is read again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mybro.index import Index, build, load, refresh
from mybro.index.languages import GRAMMARS, reader
from mybro.index.repository import place
from mybro.index.symbols import symbols
from tests.requirements import need

pytestmark = pytest.mark.unit

SOURCES = {
    "python": (
        "MAX_TRIES = 3\nclass ConfigLoader:\n    def load_config(self, file_path: str = ''):\n"
        "        self.was_read = True\n        for each_line in file_path:\n            pass\n"
        "@property\nasync def parse_date(text): ...\n",
        {
            "MAX_TRIES": "constant", "ConfigLoader": "class", "load_config": "method",
            "file_path": "variable",
            "was_read": "variable", "each_line": "variable", "parse_date": "function",
        },
    ),
    "javascript": (
        "export class HttpClient { sendAll(request) {} }\nconst userId = 1;\nasync function loadPage() {}\n"
        "const onClick = () => 1;\n",
        {
            "HttpClient": "class", "sendAll": "method", "userId": "variable", "loadPage": "function",
            "onClick": "function",
        },
    ),
    "typescript": (
        "export interface UserAccount { firstName: string }\ntype RowId = number;\nenum ColorName { Red }\n"
        "function toRow(account: UserAccount) {}\n",
        {"UserAccount": "class", "RowId": "class", "ColorName": "class", "toRow": "function"},
    ),
    "rust": (
        "pub struct RingBuffer { write_index: usize }\nimpl RingBuffer {\n pub fn push_all(&mut self) {} }\n"
        "const BLOCK_SIZE: usize = 4;\nenum SampleKind { Quiet }\n",
        {"RingBuffer": "class", "push_all": "function", "BLOCK_SIZE": "constant", "SampleKind": "class"},
    ),
    "go": (
        "package main\ntype UserStore struct { firstName string }\nfunc (s *UserStore) FindAll() {}\n"
        "func parseDate(text string) {}\n",
        {"UserStore": "class", "FindAll": "method", "parseDate": "function"},
    ),
    "swift": (
        "class TurnView { var lineCount = 1\n func drawAll(frame: Int) {} }\nprotocol DrawsThings {}\n",
        {"TurnView": "class", "lineCount": "variable", "drawAll": "function", "DrawsThings": "class"},
    ),
    "c": (
        "#define MAX_LINES 10\nstruct line_buffer { int first_line; };\n"
        "static int read_lines(int count) {\n return 1; }\n",
        {"MAX_LINES": "constant", "line_buffer": "class", "read_lines": "function"},
    ),
    "cpp": (
        "namespace audio_core {\nclass NoiseGate { void openGate() {} };\n}\n",
        {"NoiseGate": "class", "audio_core": "module"},
    ),
    "bash": (
        "function run_tests() { :; }\nlog_file=out\n",
        {"run_tests": "function", "log_file": "variable"},
    ),
}  # fmt: skip


def kinds(language: str, *, trees: bool) -> dict[str, str]:
    return {one.name: one.kind for one in symbols(language, SOURCES[language][0].encode(), trees=trees)}


@pytest.mark.parametrize("language", SOURCES)
def test_tree_sitter_finds_what_a_language_defines(language: str) -> None:
    need(reader(language), "tree-sitter: pip install 'mybro[index]'")
    found = kinds(language, trees=True)
    assert SOURCES[language][1].items() <= found.items()


@pytest.mark.parametrize("language", SOURCES)
def test_regular_expressions_find_functions_and_classes(language: str) -> None:
    wanted = {
        name
        for name, kind in SOURCES[language][1].items()
        if kind in ("function", "class") and name != "onClick"
    }
    assert wanted <= kinds(language, trees=False).keys()


@pytest.mark.parametrize("language", GRAMMARS)
def test_a_file_that_is_no_code_gives_no_error(language: str) -> None:
    for junk in (b"", b"\0\xff\xfe", b"(" * 5000, "def ä(): 'ü".encode()):
        assert isinstance(symbols(language, junk), list)


def test_a_symbol_knows_its_line_and_how_often_it_is_used() -> None:
    source = b"import os\n\n\ndef parse_date(x):\n    return x\n\nparse_date(parse_date(1))\n"
    one = next(each for each in symbols("python", source) if each.name == "parse_date")
    assert (one.line, one.uses) == (4, 3)


# ---------------------------------------------------------------------------- a repository


def git(root: Path, *arguments: str) -> None:
    command = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MYBRO_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "src" / "dates.py").write_text("def parse_date(): ...\n")
    (root / "secret.py").write_text("def hidden_thing(): ...\n")
    (root / ".gitignore").write_text("secret.py\n")
    (root / "pyproject.toml").write_text(
        '[project]\ndependencies = ["httpx>=1"]\n[dependency-groups]\ndev=["ruff"]'
    )
    (root / "package.json").write_text('{"dependencies": {"@scope/left-pad": "1"}}')
    (root / "Cargo.toml").write_text("not [ toml")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "x")
    git(root, "branch", "feature/login-form")
    return root


def names(index: Index) -> set[str]:
    return {symbol.name for found in index.symbols.values() for symbol in found}


def test_git_says_what_belongs_to_a_repository(repo: Path) -> None:
    (repo / "src" / "fresh.py").write_text("new_thing = 1\n")
    index = build(repo)
    assert names(index) == {"parse_date", "new_thing"}
    assert "secret.py" not in index.paths and "src/fresh.py" in index.paths
    assert set(index.branches) == {"main", "feature/login-form"}
    assert set(index.dependencies) == {"httpx", "ruff", "left-pad"}
    assert index.recent[0] == "src/fresh.py" and "src/dates.py" in index.recent


def test_without_git_a_walk_leaves_out_what_others_made(tmp_path: Path) -> None:
    for path in ("a.py", "node_modules/b.py", ".venv/c.py", "deep/er/d.py"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"name_{file.stem} = 1\n")
    assert names(build(tmp_path)) == {"name_a", "name_d"}


def test_only_what_has_changed_is_read_again(repo: Path) -> None:
    first = refresh(repo)
    kept = load(repo)
    assert kept is not None and kept.symbols == first.symbols
    # What the index says of an unchanged file is believed; a changed one is read.
    raw = json.loads(place(repo).read_text())
    raw["files"]["src/dates.py"][2][0][0] = "from_the_cache"
    place(repo).write_text(json.dumps(raw))
    assert names(refresh(repo)) == {"from_the_cache"}
    (repo / "src" / "dates.py").write_text("def parse_time(): ...\n\n")
    assert names(refresh(repo)) == {"parse_time"}
    (repo / "src" / "dates.py").unlink()
    assert names(refresh(repo)) == set()


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"version": 0}', '{"version": 1, "root": "/elsewhere"}'])
def test_a_broken_index_is_made_anew(repo: Path, broken: str) -> None:
    refresh(repo)
    place(repo).write_text(broken)
    assert load(repo) is None
    assert names(refresh(repo)) == {"parse_date"}


def test_the_index_is_kept_outside_the_repository_for_its_owner_only(repo: Path) -> None:
    before = sorted(path for path in repo.rglob("*") if ".git" not in path.parts)
    refresh(repo)
    assert sorted(path for path in repo.rglob("*") if ".git" not in path.parts) == before
    assert place(repo).parent.stat().st_mode & 0o077 == 0


def test_links_and_monsters_are_not_read(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("outside_thing = 1\n")
    (repo / "link.py").symlink_to(tmp_path / "outside.py")
    (repo / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (repo / "big.py").write_text("big_thing = 1\n" + "#" * 1_100_000)
    assert names(build(repo)) == {"parse_date"}


def test_a_process_of_its_own_brings_it_up_to_date(repo: Path, tmp_path: Path) -> None:
    env = {**os.environ, "MYBRO_CACHE_DIR": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-m", "mybro.index", str(repo)], check=True, env=env, timeout=60)
    kept = load(repo)
    assert kept is not None and names(kept) == {"parse_date"}
