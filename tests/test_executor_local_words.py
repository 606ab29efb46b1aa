"""What needs no process: names, paths, test reports and the sentences that are said."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from mybro.executor.actions import naming, results
from mybro.executor.actions.sources import MAX_TEXT_BYTES, files, find_path, has_files, text_of
from mybro.executor.checkpoint import Change, Changes, Entry, Kept, Kind, Step, Undone
from mybro.executor.words import changed_words, files_words, listed, redo_words, title, undo_words
from mybro.intent import Action, Arguments, Intent
from tests.executor_tools import new_repository, write

pytestmark = pytest.mark.unit


# ---------------------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("user id", ["userId", "user_id"]),
        ("user_id", ["user_id"]),
        ("`userId`", ["userId"]),
        ("parse line()", ["parse_line"]),
        ("table two", ["table2"]),
        ("user underscore id", ["userId", "user_id"]),
        ("nothing", []),
    ],
)
def test_the_identifiers_that_words_mean(said: str, found: list[str]) -> None:
    known = Counter({"userId": 5, "user_id": 2, "parse_line": 1, "table2": 1})
    assert naming.meant(said, known) == found


def test_identifiers_that_sound_nearly_like_it() -> None:
    known = Counter({"parse_line": 3, "parseLine": 1, "render": 9, "parse_lines": 1})
    assert naming.close("parts line", known) == ["parse_line", "parse_lines"]
    assert naming.close("quux", known) == []


@pytest.mark.parametrize(
    ("said", "model", "name"),
    [
        ("account id", "user_id", "account_id"),
        ("account id", "userId", "accountId"),
        ("account id", "UserID", "AccountId"),
        ("account id", "USER_ID", "ACCOUNT_ID"),
        ("account id", "_user", "_account_id"),
        ("accountId", "user_id", "accountId"),
        ("account", "x", "account"),
        ("table two", "x_y", "table_2"),
        ("read underscore date", "x_y", "read_date"),
        ("class", "x", None),
        ("True", "x", None),
        ("two cars", "x", None),
        ("!!", "x", None),
    ],
)
def test_a_new_name_in_the_style_of_the_old(said: str, model: str, name: str | None) -> None:
    assert naming.spell_like(said, model) == name


# ---------------------------------------------------------------------------- files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return new_repository(
        tmp_path / "shop",
        {"src/user.py": "x", "src/user_test.py": "x", "lib/user.py": "x", "a/b/Deep File.md": "x",
         ".gitignore": "out/\n"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("src/user.py", "src/user.py"),
        ("./src/", "src"),
        ("user dot py", "lib/user.py"),
        ("user test", "src/user_test.py"),
        ("deep file", "a/b/Deep File.md"),
        ("src user dot py", "src/user.py"),
        ("lib", "lib"),
        ("b", "a/b"),
        ("B", "a/b"),
        ("../shop/src", None),
        ("nothing", None),
        ("/", None),
    ],
)
def test_the_path_that_words_mean(said: str, path: str | None, tree: Path) -> None:
    assert find_path(tree, said) == path


def test_a_link_out_of_the_repository_is_no_path_in_it(tree: Path) -> None:
    (tree / "away").symlink_to(tree.parent)
    assert find_path(tree, "away") is None


def test_the_files_of_a_repository(tree: Path, tmp_path: Path) -> None:
    write(tree, {"out/made.py": "", "new.py": ""})
    (tree / "link.py").symlink_to("new.py")
    assert files(tree) == [".gitignore", "a/b/Deep File.md", "lib/user.py", "new.py", "src/user.py",
                           "src/user_test.py"]  # fmt: skip
    write(tmp_path / "plain", {"a.py": "x", "build/b.py": "x", "node_modules/c.py": "x", "d/e.py": "y"})
    (tmp_path / "plain/link.py").symlink_to("a.py")
    assert files(tmp_path / "plain") == ["a.py", "d/e.py"]
    assert has_files(tmp_path / "plain", "e*", containing="y")
    assert not has_files(tmp_path / "plain", "e*", top_only=True)
    assert not has_files(tmp_path / "plain", "a*", containing="z")
    (tmp_path / "broken").mkdir()
    write(tmp_path / "broken", {".git/HEAD": "ref: refs/heads/main\n", "a.py": ""})
    assert files(tmp_path / "broken") == ["a.py"]


def test_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"caf\xe9")
    (tmp_path / "binary").write_bytes(b"x\0y")
    with (tmp_path / "large").open("wb") as file:
        os.truncate(file.fileno(), MAX_TEXT_BYTES + 1)
    assert text_of(tmp_path / "text") == "caf\N{REPLACEMENT CHARACTER}"
    assert [text_of(tmp_path / name) for name in ("binary", "large", "gone")] == [None, None, None]


# ---------------------------------------------------------------------------- test reports

CARGO = """
running 3 tests
test tests::parses ... ok
test tests::slow ... ignored
test tests::fails_here - should panic ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s

running 1 test
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""
GO = """
{"Action":"start","Package":"shop"}
{"Action":"output","Package":"shop","Test":"TestFails","Output":"=== RUN   TestFails\\n"}
{"Action":"pass","Package":"shop","Test":"TestParse","Elapsed":0}
{"Action":"fail","Package":"shop","Test":"TestFails/inner","Elapsed":0}
{"Action":"fail","Package":"shop","Test":"TestFails","Elapsed":0}
{"Action":"skip","Package":"shop","Test":"TestSkips","Elapsed":0}
{"Action":"fail","Package":"shop","Elapsed":0.002}
go: downloading something
"""
GO_BUILD = """
{"ImportPath":"shop [shop.test]","Action":"build-output","Output":"./a_test.go:3:28: undefined: y\\n"}
{"ImportPath":"shop [shop.test]","Action":"build-fail"}
{"Action":"fail","Package":"shop","Elapsed":0,"FailedBuild":"shop [shop.test]"}
"""
NODE = """
ok 1 - adds
not ok 2 - fails here
  ---
ok 3 - skips # SKIP
# pass 1
# fail 1
# skipped 1
"""
UNITTEST = """
FAIL: test_b (test_it.T.test_b)
ERROR: test_gone (unittest.loader._FailedTest.test_gone)
FAIL: old_style (tests.test_old.T)
Ran 6 tests in 0.001s

FAILED (failures=2, errors=1, skipped=1, unexpected successes=1)
"""


def counts(run: results.TestRun) -> tuple[int, int, int, tuple[str, ...], str]:
    return run.passed, run.failed, run.skipped, run.failures, run.note


def test_reports_of_compiled_languages() -> None:
    assert counts(results.read_cargo(CARGO, 101)) == (2, 1, 1, ("fails_here",), "")
    broken = results.read_cargo("error[E0425]: cannot find value `x` in this scope\n", 101)
    assert counts(broken) == (0, 0, 0, (), "It does not compile: cannot find value `x` in this scope.")
    assert results.read_cargo("", 1).note == "cargo test failed."
    run = results.read_go(GO, 1)
    assert counts(run) == (1, 1, 1, ("TestFails/inner",), "")
    assert run.detail.splitlines()[1:] == ["=== RUN   TestFails", "go: downloading something"]
    run = results.read_go(GO_BUILD, 1)
    assert counts(run) == (0, 0, 0, (), "It does not build.")
    assert run.detail.strip() == "./a_test.go:3:28: undefined: y"


def test_reports_of_python() -> None:
    run = results.read_unittest(UNITTEST, 1)
    assert counts(run) == (1, 4, 1, ("test_b in test_it.py", "test_gone.py", "old_style in test_old.py"), "")
    assert results.read_unittest("Ran 2 tests\n\nOK\n", 0).ok
    junit = b"""<testsuites><testsuite>
        <testcase classname="tests.test_a" file="tests/test_a.py" name="test_x[1-2]"><failure/></testcase>
        <testcase classname="tests.test_a" file="tests/test_a.py" name="test_x[3]"><failure/></testcase>
        <testcase classname="" file="" name="tests.test_broken"><error/></testcase>
        <testcase classname="c" file="tests/test_a.py" name="test_y"><skipped/></testcase>
        <testcase classname="c" file="tests/test_a.py" name="test_z"/></testsuite></testsuites>"""
    assert counts(results.read_junit(junit)) == (1, 3, 1, ("test_x in test_a.py", "test_broken.py"), "")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tests:       1 failed, 1 skipped, 2 passed, 4 total\n  ● suite › adds\n", (2, 1, 1, ("adds",))),
        ("      Tests  1 failed | 2 passed (3)\n FAIL  a.test.ts > suite > adds\n", (2, 1, 0, ("adds",))),
        (NODE, (1, 1, 1, ("fails here",))),
        ("  3 passing (4ms)\n  1 failing\n  2 pending\n", (3, 1, 2, ())),
        (" 2 pass\n 1 fail\n(fail) adds > one [0.1ms]\n", (2, 1, 0, ("one",))),
        ("FAILED tests/test_a.py::test_x\n=== 1 failed, 2 passed in 0.1s ===\n", (2, 1, 0, ("test_x",))),
        (UNITTEST, (1, 4, 1, ("test_b in test_it.py", "test_gone.py", "old_style in test_old.py"))),
        (CARGO, (2, 1, 1, ("fails_here",))),
    ],
)  # fmt: skip
def test_reports_behind_a_script(text: str, found: tuple[object, ...]) -> None:
    run = results.read_any("npm", text, 1)
    assert counts(run)[:4] == found
    assert not run.ok


def test_a_script_that_says_nothing() -> None:
    assert results.read_any("make test", "hello\n", 0).note == "make test succeeded."
    assert results.read_any("make test", "hello\n", 2).note == "make test failed."


# ---------------------------------------------------------------------------- sentences


def test_lists() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
    assert listed(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"
    assert files_words(["x/a.py", "y/z/"]) == "a.py and z"


def test_titles() -> None:
    def of(text: str, action: Action | None = None, **said: str) -> str:
        names = Arguments.model_validate(said)
        kind = "local" if action else "task"
        return title(Intent.model_validate(
            {"kind": kind, "action": action, "text": text, "arguments": names}))  # fmt: skip

    assert of("run the tests", Action.TEST) == "running the tests"
    assert of("rename", Action.RENAME) == "renaming"
    assert of("rename", Action.RENAME, old_name="a", new_name="b") == "renaming a to b"
    assert of("  add   a test. ") == "“add a test”"
    assert of("word " * 30) == "“" + ("word " * 12).strip() + "...”"


STEP = Step(1, "renaming", 1, 2)


def test_what_undo_and_redo_say() -> None:
    assert undo_words([], 1).summary == "There is nothing to undo."
    assert redo_words([], 1).summary == "There is nothing to do again."
    undone = undo_words([(STEP, Undone(("a/b.py", "c.py")))], 1)
    assert undone.summary == "Undone: renaming. b.py and c.py are back to what was."
    assert undone.changed == ("a/b.py", "c.py")
    kept = Undone((), (Kept("b.py", "you changed it meanwhile"),))
    refused = undo_words([(STEP, kept)], 1)
    assert (refused.summary, refused.ok) == (
        "Undone: renaming. I left b.py alone, because you changed it meanwhile.", False,
    )  # fmt: skip
    mixed = Undone(("a.py",), (Kept("b.py", "one reason"), Kept("c.py", "another")), ("HEAD",))
    assert undo_words([(STEP, mixed)], 3).summary == (
        "Undone: renaming. a.py is back to what was. I left b.py and c.py alone. There was no more to undo."
    )
    again = redo_words([(STEP, Undone((), (), ("HEAD", "branch x")))], 1)
    assert again.summary == "Done again: renaming. HEAD and branch x are changed again."
    assert "restored  branch x" in again.detail


def test_what_changed() -> None:
    assert changed_words(Changes()).summary == "Nothing has changed since."
    file = Change(b"a/b.py", None, Entry(Kind.FILE, 0o644, b"x"))
    gone = Change(b"c\xff", Entry(Kind.FILE, 0o644, b"x"), None)
    said = changed_words(Changes((file, gone), ("HEAD",)))
    assert said.summary == "2 files changed: b.py and c\\xff; HEAD."
    assert said.detail == "created  a/b.py\ndeleted  c\\xff"
    assert changed_words(Changes((), ("the index", "HEAD"))).summary == "the index and HEAD."
