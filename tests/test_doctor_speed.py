"""What makes the doctor quick must not change what it finds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mybro.doctor import engines, facts
from mybro.doctor.check import catalogue
from mybro.doctor.engine import Outcome, Task
from mybro.doctor.examine import survey
from mybro.doctor.facts import Repository
from mybro.doctor.own.place import Content
from mybro.doctor.survey import NOT_ASCII, UNKNOWN, Survey
from mybro.rules import traces
from mybro.rules.layers import load
from mybro.rules.sightings import in_file
from tests.doctor_cases import lay, read
from tests.requirements import need

pytestmark = pytest.mark.unit

WORDS = st.binary(min_size=1, max_size=80)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(WORDS, min_size=1, max_size=40),
    st.lists(st.lists(st.one_of(WORDS, st.integers(0, 39)), max_size=6), max_size=5),
)
def test_a_word_that_is_in_a_file_is_never_missed(words: list[bytes], made: list[list[bytes | int]]) -> None:
    parts = [[words[p % len(words)] if isinstance(p, int) else p for p in file] for file in made]
    files = {str(number): b"".join(file) for number, file in enumerate(parts)}
    seen = Survey(files.get, files, lambda: words)
    for path, data in files.items():
        for word in words:
            assert seen.may_have(path, (word,)) or word not in data


def test_most_words_that_are_not_in_a_file_are_known_not_to_be() -> None:
    words = [b"requests", b"request", b"sk-proj", b"aiohttp", b"PRIVATE KEY", b"jwt", NOT_ASCII]
    files = {
        "a": b"import aiohttp\n" * 40_000,
        "b": b"-----BEGIN PRIVATE KEY-----",
        "c": b"a quest for http: sk-pro, jw t, REQUEST",
        "d": "ö jwt".encode(),
    }
    seen = Survey(files.get, files, lambda: words)
    had = {path: [word for word in words if seen.may_have(path, (word,))] for path in files}
    assert had == {"a": [b"aiohttp"], "b": [b"PRIVATE KEY"], "c": [b"request"], "d": [b"jwt", NOT_ASCII]}


def test_what_was_not_looked_at_may_have_every_word() -> None:
    files = {"here": b"nothing", "gone": None}
    seen = Survey(files.get, files, lambda: [b"word"])
    assert seen.marks("gone") == seen.marks("elsewhere") == UNKNOWN
    assert seen.may_have("gone", (b"word",)) and not seen.may_have("here", (b"word",))
    assert seen.may_have("here", (b"another",))  # was not asked for at the start
    late = Survey(files.get, ["here"] * 3, lambda: [b"word"], deadline=0.0)
    assert late.marks("gone") == UNKNOWN


def test_very_many_words_have_a_place_of_their_own() -> None:
    words = [b"%05d-word" % number for number in range(3000)]
    files = {"file": b" ".join(words[::2])}
    seen = Survey(files.get, files, lambda: words)
    assert [word for word in words if seen.may_have("file", (word,))] == words[::2]


def _tasks(repo: Repository, *, deep: bool = True) -> dict[str, Task]:
    chosen = {key: check for key, check in catalogue().items() if deep or not check.deep}
    until = time.monotonic() + 600
    return {
        name: Task(repo, {k: c for k, c in chosen.items() if name in c.engines}, until, deep=deep)
        for name in ("mybro", "rules", "ast-grep")
        if engines.load(name).available()
    }


def _found(root: Path, *, surveyed: bool) -> dict[str, tuple[list[object], list[object]]]:
    repo = facts.look(root)
    tasks = _tasks(repo)
    if surveyed:
        survey(repo, tasks, least_bytes=0)
        assert repo.survey is not None
    outcomes: dict[str, Outcome] = {name: engines.load(name).run(task) for name, task in tasks.items()}
    return {name: (sorted(o.findings, key=repr), list(o.unexamined)) for name, o in outcomes.items()}


def test_with_the_look_at_all_files_everything_is_found_that_is_without(tmp_path: Path) -> None:
    for case in read():
        lay(case, tmp_path / case.name)
    for folder in tmp_path.rglob(".git"):
        folder.rename(folder.with_name("was-git"))  # all of them are one repository here
    without, with_it = (_found(tmp_path, surveyed=surveyed) for surveyed in (False, True))
    assert sum(len(findings) for findings, _ in without.values()) > 300
    assert with_it == without


def test_a_check_says_which_words_it_needs_and_finds_nothing_without_them(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("x = 1\n" * 10)
    repo = facts.look(tmp_path)
    tasks = _tasks(repo, deep=False)
    survey(repo, tasks, least_bytes=0)
    opened: list[str] = []
    read_file = repo.read

    def counted(file: facts.File | str, limit: int = facts.MAX_SOURCE_BYTES) -> bytes | None:
        opened.append(file if isinstance(file, str) else file.path)
        return read_file(file, limit)

    assert repo.survey is not None
    repo.survey.mask(())
    repo.read = counted  # type: ignore[method-assign]
    assert [engines.load(name).run(tasks[name]).findings for name in ("mybro", "rules")]
    assert opened.count("plain.py") <= 1  # where no file is a test, its text is asked for one


def test_content_without_a_look_has_what_is_in_it() -> None:
    file = facts.File("a.py", 3, 0o644, "python", False)
    assert Content(file, b"abc").has(b"bc")
    assert not Content(file, b"abc").has(b"BC")


@pytest.mark.parametrize(
    ("source", "can"),
    [
        ("import requests", True),
        ("import os, requests as r", True),
        ("import os, \\\n  requests", True),
        ("from requests.adapters import X", True),
        ("import\\\n requests", True),
        ("# all requests\nrequests = 1", False),
        ("import requests_mock", False),
        ("def f(a, requests): ...", False),
        ("import os, \\\n sys, requests", True),
        ("import os\nf(a, requests)", False),
    ],
)
def test_an_import_is_told_from_a_word(source: str, can: bool) -> None:
    assert traces.imports("requests", source) is can


@pytest.mark.parametrize("module", ["flask_*", "torch.cuda"])
def test_a_module_with_parts_or_wildcards_is_recognised(module: str) -> None:
    top = module.partition(".")[0].replace("*", "login")
    assert traces.imports(module, f"import {top}")
    assert not traces.imports(module, "import other")


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        (r'#\s*include\s*[<"]cuda\w*\.h[>"]', "cuda"),
        (r"<script[^>]+jquery[^\"']*\.js", "jquery"),
        (r"abcde?", "abcd"),
        (r"abcde*fg", "abcd"),
        (r"this|that", ""),
        (r"(maybe)?", ""),
        (r"\d+", ""),
    ],
)
def test_a_pattern_s_letters_are_in_all_that_it_matches(pattern: str, word: str) -> None:
    assert traces.literal(pattern) == word


def test_every_forbidden_technology_s_words_are_where_it_is_seen() -> None:
    rules = load(None)
    for path, text in (
        ("a.py", "import flask_login\n"),
        ("a.py", "async def f():\n    import requests\n    requests.get('x')\n"),
        ("a.py", "m.cuda()\n"),
        ("a.ts", "import x from 'webpack-merge'\n"),
        ("a.js", "const e = require('express')\n"),
        ("a.rs", "use cudarc::driver;\n"),
        ("a.c", "#include <cuda_runtime.h>\n"),
        ("a.html", '<script src="/js/jquery-3.js"></script>\n'),
    ):
        language = {"py": "python", "ts": "typescript", "js": "javascript", "rs": "rust"}.get(
            path[2:], path[2:]
        )
        seen = [s.technology for s in in_file(path, text, rules.sought(text))]
        assert seen
        for technology in seen:
            words = rules.technologies[technology].words(language)
            assert words is None or any(word in text for word in words)


def test_a_bundle_is_told_and_not_searched(tmp_path: Path) -> None:
    line = "if(a==b){" + "x=1;" * 8000 + "}"
    (tmp_path / "bundle.js").write_text(line + "\n")
    (tmp_path / "own.js").write_text("if (a == b) { x = 1; }\n")
    repo = facts.look(tmp_path)
    engine = engines.load("ast-grep")
    need(engine.available(), "ast-grep: pip install ast-grep-cli")
    outcome = engine.run(_tasks(repo)["ast-grep"])
    assert {finding.path for finding in outcome.findings} == {"own.js"}
    assert [(entry.what, entry.partial) for entry in outcome.unexamined] == [("bundle.js", False)]
