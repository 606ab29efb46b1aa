"""Tests, linters, formatters and the diagnosis: the real ones for Python, recorded words for the others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mybro.config import ExecutorSettings
from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.diagnosis import diagnose
from mybro.executor.actions.testing import package_manager
from mybro.executor.actions.work import Work
from mybro.intent import Action, Intent
from tests.executor_tools import Local, new_repository, write
from tests.fakes.executor import git

pytest_plugins = ["tests.executor_tools"]
pytestmark = pytest.mark.integration

StandIn = Callable[[str, str], None]

PASSES = "def test_one():\n    pass\n\ndef test_two():\n    pass\n"
FAILS = (
    "import pytest\n\ndef test_price():\n    assert 1 == 2\n\n"
    "@pytest.mark.skip\ndef test_later():\n    pass\n"
)
UNITTEST = (
    "import unittest\n\nclass T(unittest.TestCase):\n    def test_a(self):\n        pass\n"
    "    def test_b(self):\n        self.fail()\n"
)


async def fails(local: Local, action: Action, text: str = "", **said: str) -> ExecutorError:
    with pytest.raises(ExecutorError) as raised:
        await local.do(action, text, **said)
    return raised.value


# ---------------------------------------------------------------------------- tests


async def test_pytest(local: Local) -> None:
    write(local.repo, {"tests/test_good.py": PASSES, "pyproject.toml": ""})
    outcome = await local.do(Action.TEST)
    assert (outcome.summary, outcome.ok) == ("All 2 tests passed.", True)
    assert "2 passed" in outcome.detail
    write(local.repo, {"tests/test_bad.py": FAILS, "tests/test_broken.py": "import nothing_like_it\n"})
    outcome = await local.do(Action.TEST)
    assert outcome.summary == "0 passed, 1 failed: test_broken.py."
    assert not outcome.ok
    outcome = await local.do(Action.TEST, path="test bad")
    assert outcome.summary == "0 passed, 1 failed: test_price in test_bad.py. 1 skipped."
    assert (await fails(local, Action.TEST, path="nothing")).code == "no_such_path"


async def test_pytest_finds_nothing_or_cannot_run(local: Local) -> None:
    write(local.repo, {"test_none.py": "x = 1\n", "conftest.py": ""})
    outcome = await local.do(Action.TEST)
    assert (outcome.summary, outcome.ok) == ("There are no tests to run.", False)
    write(local.repo, {"pytest.ini": "[pytest]\naddopts = --no-such-option\n"})
    assert (await fails(local, Action.TEST)).code == "tests_not_run"


async def test_one_test(local: Local) -> None:
    write(local.repo, {"test_one.py": "def test_it():\n    pass\n"})
    assert (await local.do(Action.TEST)).summary == "The one test passed."


async def test_the_repositorys_own_python_is_used(local: Local) -> None:
    write(local.repo, {"test_one.py": UNITTEST, ".venv/bin/python": '#!/bin/sh\n[ "$1" = -c ] && exit 1\n'
                       "echo own; exit 0\n"})  # fmt: skip
    (local.repo / ".venv/bin/python").chmod(0o755)
    # It has no pytest, but some other interpreter has.
    assert (await local.do(Action.TEST)).summary == "1 passed, 1 failed: test_b in test_one.py."


async def test_unittest_where_there_is_no_pytest(
    local: Local, monkeypatch: pytest.MonkeyPatch, stand_in: StandIn
) -> None:
    stand_in("python3", f'test "$1" = -c && exit 1; exec {sys.executable} "$@"')
    monkeypatch.setattr(sys, "executable", str(local.repo.parent / "programs/python3"))
    write(local.repo, {"tests/__init__.py": "", "tests/test_it.py": UNITTEST})
    outcome = await local.do(Action.TEST)
    assert outcome.summary == "1 passed, 1 failed: test_b in test_it.py."
    (local.repo / "tests/__init__.py").unlink()
    assert (await local.do(Action.TEST, path="tests/test_it.py")).summary == outcome.summary
    write(local.repo, {"tests/test_it.py": PASSES})
    assert (await fails(local, Action.TEST)).code == "no_pytest"


async def test_no_tests(local: Local) -> None:
    assert (await fails(local, Action.TEST)).code == "no_tests"
    write(
        local.repo, {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}
    )
    assert (await fails(local, Action.TEST)).code == "no_tests"
    write(local.repo, {"package.json": "[]", "Makefile": "tests:\n\ttrue\n"})
    assert (await fails(local, Action.TEST)).code == "no_tests"


async def test_make(local: Local) -> None:
    write(local.repo, {"Makefile": "test:\n\t@echo '===== 3 passed, 1 failed in 0.1s ====='; exit 1\n"})
    outcome = await local.do(Action.TEST)
    assert (outcome.summary, outcome.ok) == ("3 passed, 1 failed.", False)
    write(local.repo, {"Makefile": "test:\n\t@true\n"})
    assert (await local.do(Action.TEST)).summary == "make test succeeded."


async def test_npm_and_its_like(local: Local, stand_in: StandIn) -> None:
    write(local.repo, {"package.json": '{"scripts": {"test": "vitest"}}'})
    stand_in("npm", 'test "$*" = "run test" && echo "Tests:       1 failed, 2 passed, 3 total"; exit 1')
    assert (await local.do(Action.TEST)).summary == "2 passed, 1 failed."
    assert package_manager(local.repo) == "npm"
    for lock, name in (("bun.lock", "bun"), ("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm")):
        write(local.repo, {lock: ""})
        assert package_manager(local.repo) == name


async def test_cargo_and_go_together(local: Local, stand_in: StandIn) -> None:
    write(local.repo, {"Cargo.toml": "[package]\n", "go.mod": "module shop\n"})
    stand_in("cargo", "echo 'test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured'")
    stand_in("go", """echo '{"Action":"pass","Package":"shop","Test":"TestParse"}'""")
    outcome = await local.do(Action.TEST)
    assert (outcome.summary, outcome.ok) == ("3 tests passed, 1 skipped.", True)
    stand_in("cargo", "echo 'error[E0425]: cannot find value `x`'; exit 101")
    outcome = await local.do(Action.TEST)
    assert outcome.summary == "The one test passed. It does not compile: cannot find value `x`."
    assert not outcome.ok


# ---------------------------------------------------------------------------- linters


BAD = "import os\nimport sys\n\n\ndef f(x):\n    if x == None:\n        return y\n"


async def test_ruff(local: Local) -> None:
    assert (await local.do(Action.LINT)).summary == "ruff found nothing to complain about."
    write(local.repo, {"bad.py": BAD, "worse.py": "def f(:\n"})
    outcome = await local.do(Action.LINT, path="bad")
    assert not outcome.ok
    assert outcome.summary == ("ruff: 3 problems found: F401 in bad.py and F821 in bad.py.")
    assert "bad.py:1: F401" in outcome.detail
    assert (local.repo / "bad.py").read_text() == BAD
    outcome = await local.do(Action.LINT, "fix the lint errors", path="bad")
    assert outcome.summary == "ruff fixed 2 problems. 1 problem left: F821 in bad.py."
    assert "import" not in (local.repo / "bad.py").read_text()
    outcome = await local.do(Action.LINT)
    assert "a syntax error in worse.py" in outcome.summary
    assert (await fails(local, Action.LINT, path="nothing")).code == "no_such_path"
    write(local.repo, {"ruff.toml": "no-such-setting = 1\n"})
    assert (await fails(local, Action.LINT)).code == "linter_failed"
    assert (await fails(local, Action.FORMAT)).code == "formatter_failed"


async def test_the_repositorys_own_ruff_is_used(local: Local) -> None:
    write(local.repo, {".venv/bin/ruff": '#!/bin/sh\nfor a in "$@"; do case $a in --output-file=*) '
                       'echo "[]" > "${a#*=}";; esac; done\n'})  # fmt: skip
    (local.repo / ".venv/bin/ruff").chmod(0o755)
    write(local.repo, {"bad.py": BAD})
    assert (await local.do(Action.LINT)).summary == "ruff found nothing to complain about."


async def test_ruff_format(local: Local) -> None:
    assert (await local.do(Action.FORMAT)).summary == "Everything is formatted already."
    write(local.repo, {"a.py": "x   =  1\n", "b.py": "y = [1,\n2]\n", "worse.py": "def f(:\n"})
    outcome = await local.do(Action.FORMAT)
    assert outcome.summary == "Formatted 2 files: a.py and b.py."
    assert (local.repo / "a.py").read_text() == "x = 1\n"


async def test_no_linter_and_no_formatter(tmp_path: Path, bare_machine: Path) -> None:
    local = Local(new_repository(tmp_path / "words", {"notes.txt": "x\n"}))
    assert (await fails(local, Action.LINT)).code == "no_linter"
    assert (await fails(local, Action.FORMAT)).code == "no_formatter"


ESLINT = """
while [ $# -gt 0 ]; do case $1 in -o) out=$2;; --fix) fix=1;; esac; shift; done
left='{"ruleId":null,"message":"bad"}'
[ "$fix" ] || left="{\\"ruleId\\":\\"no-var\\",\\"message\\":\\"var\\"},$left"
echo "[{\\"filePath\\":\\"a.js\\",\\"messages\\":[$left]}]" > $out
exit 1
"""


async def test_eslint(tmp_path: Path, bare_machine: Path, stand_in: StandIn) -> None:
    local = Local(
        new_repository(tmp_path / "web", {"package.json": '{"eslintConfig": {}}', "a.js": "var x\n"})
    )
    stand_in("npx", ESLINT)
    outcome = await local.do(Action.LINT)
    assert outcome.summary == "ESLint: 2 problems found: no-var in a.js and an error in a.js."
    outcome = await local.do(Action.LINT, "please fix the style")
    assert outcome.summary == "ESLint fixed 1 problem. 1 problem left: an error in a.js."
    stand_in("npx", "echo 'npm error could not determine executable'; exit 1")
    assert (await fails(local, Action.LINT)).code == "linter_failed"


async def test_biome_and_prettier(tmp_path: Path, bare_machine: Path, stand_in: StandIn) -> None:
    local = Local(new_repository(tmp_path / "web", {"biome.json": "{}", "a.js": "x\n"}))
    stand_in("npx", "echo 'Fixed 2 files in 1ms.'; echo 'Found 1 error.'; echo 'Found 2 warnings.'; exit 1")
    assert (await local.do(Action.LINT, "mend it")).summary == "Biome fixed 2 problems. 3 problems left."
    stand_in("npx", "echo broken; exit 1")
    assert (await fails(local, Action.LINT)).code == "linter_failed"
    refused = await fails(local, Action.FORMAT)
    assert (refused.code, refused.message) == ("formatter_failed", "npx could not format: broken")
    stand_in("npx", 'test "$*" = "--no-install biome format --write ." && echo "let x" > a.js')
    assert (await local.do(Action.FORMAT)).summary == "Formatted 1 file: a.js."
    (local.repo / "biome.json").rename(local.repo / ".prettierrc")
    stand_in("npx", 'test "$*" = "--no-install prettier --write ." && echo "let longer" > a.js')
    assert (await local.do(Action.FORMAT)).summary == "Formatted 1 file: a.js."


async def test_clippy_and_vet(tmp_path: Path, bare_machine: Path, stand_in: StandIn) -> None:
    local = Local(new_repository(tmp_path / "rs", {"Cargo.toml": "[package]\n", "go.mod": "module x\n"}))
    stand_in("cargo", "echo 'src/lib.rs:1:25: error[E0425]: cannot find value'; exit 101")
    stand_in("go", "echo '# shop'; echo 'vet: ./a_test.go:3:28: undefined: y'; exit 1")
    outcome = await local.do(Action.LINT, "fix the warnings")
    assert (outcome.summary, outcome.ok) == ("clippy and go vet: 2 problems left.", False)
    stand_in("go", "echo 'go: cannot find main module'; exit 1")
    assert (await fails(local, Action.LINT)).message == "go vet could not run: go: cannot find main module"
    stand_in("cargo", "echo 'error: no such command: `clippy`'; exit 101")
    assert (await fails(local, Action.LINT)).message == "clippy could not run: no such command: `clippy`"
    stand_in("cargo", "true")
    stand_in("go", "true")
    stand_in("gofmt", "true")
    assert (await local.do(Action.LINT)).summary == "clippy and go vet found nothing to complain about."
    assert (await local.do(Action.FORMAT)).summary == "Everything is formatted already."


# ---------------------------------------------------------------------------- what is wrong


async def quick_look(local: Local) -> Outcome:
    """What "how healthy is it" does where the doctor's engines are not installed."""
    intent = Intent(kind="local", action=Action.DOCTOR, text="run the doctor")
    return await diagnose(Work(local.job(intent), local.report, ExecutorSettings()))


async def test_nothing_is_wrong(local: Local) -> None:
    outcome = await quick_look(local)
    assert (outcome.summary, outcome.ok) == ("I found nothing wrong.", True)


async def test_what_is_wrong(local: Local) -> None:
    write(local.repo, {
        "worse.py": "def f(:\n",
        "merged.py": "<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\n", "bad.py": "import os\n",
    })  # fmt: skip
    (local.repo / "binary.py").write_bytes(b"\0\1")
    git(local.repo, "checkout", "-q", "--detach")
    (local.repo / ".git/MERGE_HEAD").write_text(git(local.repo, "rev-parse", "HEAD"))
    outcome = await quick_look(local)
    assert not outcome.ok
    for part in (
        "merged.py has unsolved conflicts.", "worse.py does not parse.", "ruff finds ",
        "Git is in the middle of a merge.", "You are on no branch.", "4 files not committed.",
    ):  # fmt: skip
        assert part in outcome.summary
    assert "worse.py:1: " in outcome.detail
    assert "bad.py:1: F401" in outcome.detail


async def test_a_folder_without_git(tmp_path: Path, bare_machine: Path) -> None:
    (tmp_path / "plain").mkdir()
    write(tmp_path / "plain", {"notes.txt": "x"})
    local = Local(tmp_path / "plain", ExecutorSettings())
    outcome = await quick_look(local)
    assert (outcome.summary, outcome.ok) == ("It is not a git repository.", True)
