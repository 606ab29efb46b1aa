"""typos: misspelt words, also inside names."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import tomlkit

from mybro.doctor.engine import EngineError, Outcome, Task, command, plain, program
from mybro.doctor.facts import MAX_SOURCE_BYTES, File
from mybro.doctor.finding import Edit, Finding
from mybro.doctor.languages import CODE, TEXT

_FEW = 60
"""Up to this many files are named; more are found by its own walk, which is quicker."""
_LANGUAGES = [*sorted(TEXT - {"plist", "css", "html"}), "prose", "yaml"]
_MOST = 20_000
_CONFIGURED = ("typos.toml", "_typos.toml", ".typos.toml", "Cargo.toml", "pyproject.toml")
"""Where it looks for accepted words."""
_GENERATED = ("changelog", "license", "copying", "notice", "authors", "contributors", "requirements")


class Typos:
    """The repository's own list of accepted words is honoured."""

    name = "typos"

    def available(self) -> bool:
        return program("typos") is not None

    def run(self, task: Task) -> Outcome:
        check = next(iter(task.checks.values()))
        files = {f.path: f for f in task.files(*_LANGUAGES) if not f.name.casefold().startswith(_GENERATED)}
        typos = program("typos", task.repo.root)
        if typos is None:
            raise EngineError("not installed")
        outcome = Outcome()

        # Its threads tell several files at a time.
        @lru_cache(maxsize=16)
        def lines(path: str) -> list[bytes]:
            return (task.repo.read(path) or b"").splitlines()

        for row in self._rows(task, typos, files):
            if row.get("type") != "typo" or len(outcome.findings) >= _MOST:
                continue
            path = plain(str(row.get("path", "")))
            file = files.get(path)
            if file is None or "line_num" not in row or not row["corrections"] or len(row["typo"]) < 4:
                continue
            if file.language in CODE | {"make"} and _is_part(lines(path), row):
                continue
            words = ", ".join(row["corrections"])
            edits = _edits(task, row, path) if task.edits else ()
            outcome.findings.append(
                Finding(
                    check.id,
                    path,
                    row["line_num"],
                    row["byte_offset"] + 1,
                    f"{row['typo']} should be {words}",
                    check.severity,
                    "high" if file.language not in CODE else "medium",
                    "typos",
                    row["typo"],
                    row["line_num"],
                    "unsafe" if len(row["corrections"]) == 1 else "no",
                    edits,
                )
            )
        return outcome

    def _rows(self, task: Task, typos: str, files: dict[str, File]) -> Iterator[dict[str, Any]]:
        few = len(files) <= _FEW
        with tempfile.TemporaryDirectory() as folder:
            argv = [typos, "--format", "json", "--no-check-filenames"]
            if any(task.repo.blocks(name) for name in _CONFIGURED):
                argv.append("--isolated")
            if few:
                listed = Path(folder) / "files"
                names = [b"./" + p.encode("utf-8", "surrogateescape") for p in files if "\n" not in p]
                listed.write_bytes(b"\n".join(names))
                argv += ["--file-list", str(listed)]
            else:
                config = Path(folder) / "typos.toml"
                config.write_text(_settings(task), encoding="utf-8")
                argv += ["--config", str(config), "--hidden", "--no-ignore", "."]
            answer = command(argv, cwd=task.repo.root, deadline=task.deadline)
        if answer.status not in (0, 2) and not answer.output:
            raise EngineError(answer.errors.strip()[:200] or "failed")
        for line in answer.output.splitlines():
            try:
                yield json.loads(line)
            except ValueError:
                continue


def _settings(task: Task) -> str:
    """Its own walk must not open what is not to be examined: great files, data, what others made."""
    repo = task.repo
    great = [f"/{f.path}" for f in repo.files.values() if f.size > MAX_SOURCE_BYTES and "\n" not in f.path]
    kept = {f.name.rpartition(".")[2].casefold() for f in repo.sources(*_LANGUAGES) if "." in f.name}
    others = {f.name.rpartition(".")[2] for f in repo.files.values() if "." in f.name}
    unread = sorted(f"*.{ending}" for ending in others if ending.casefold() not in kept and ending.isalnum())
    folders = [
        ".git/",
        "node_modules/",
        ".venv/",
        "venv/",
        "__pycache__/",
        "vendor/",
        "_vendor/",
        "third_party/",
    ]
    return tomlkit.dumps({"files": {"extend-exclude": [*great[:2000], *unread, *folders]}})


def _is_part(lines: list[bytes], row: dict[str, Any]) -> bool:
    """Whether it is no word: a part of a pattern ("delet|remov"), a compiler's option with its value, or a
    possessive in a name, which has no room for the apostrophe."""
    if row["line_num"] > len(lines):
        return False
    line, start = lines[row["line_num"] - 1], row["byte_offset"]
    word = row["typo"].encode()
    before, after = line[max(0, start - 2) : start], line[start + len(word) : start + len(word) + 1]
    if before.endswith((b"|", b"?:", b"\\b", b"(?")) or after in (b"|", b"?", b"*"):
        return True
    if before.endswith((b"(", b")")) and after in (b"(", b")") and b"|" in line:
        return True
    if before in (b" -", b"\t-", b"=-") and word[:1] in b"IL":
        return True
    own = word.endswith(b"ys") and before.endswith(b"_")
    return own and list(row["corrections"]) == [f"{row['typo'][:-2]}ies"]


def _edits(task: Task, row: dict[str, Any], path: str) -> tuple[Edit, ...]:
    lines = (task.repo.read(path) or b"").splitlines(keepends=True)
    number = row["line_num"] - 1
    if len(row["corrections"]) != 1 or number >= len(lines):
        return ()
    start = sum(map(len, lines[:number])) + row["byte_offset"]
    word = row["typo"].encode()
    data = b"".join(lines)
    if data[start : start + len(word)] != word:
        return ()
    return (Edit(start, start + len(word), row["corrections"][0].encode()),)
