"""ast-grep: patterns over syntax trees, for languages that have no quick linter of their own here."""

from __future__ import annotations

import json
import re
import tempfile
from functools import cache
from pathlib import Path

from mybro.doctor.check import Check
from mybro.doctor.engine import EngineError, Outcome, Task, batches, command, plain, program
from mybro.doctor.facts import File
from mybro.doctor.finding import Edit, Finding, Fixable, Unexamined
from mybro.doctor.own.place import any_in

FOLDER = Path(__file__).parent.parent / "patterns"
_GRAMMARS = {
    "javascript": ("JavaScript",),
    "typescript": ("TypeScript",),
    "tsx": ("Tsx",),
    "rust": ("Rust",),
    "swift": ("Swift",),
    "shell": ("Bash",),
    "python": ("Python",),
}
_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_FAMILY = {
    "js": ("JavaScript", "TypeScript", "Tsx"),
    "jsx": ("JavaScript", "Tsx"),
    "ts": ("TypeScript", "Tsx"),
}
"""A pattern for one of these is used with each of the grammars."""
_PYTHON_HINTS = (
    b"CERT_NONE",
    b"check_hostname",
    b"verify_ssl",
    b"iterrows",
    b"jwt",
    b"set_cookie",
    b"CORS",
    b"csrf",
    b"SESSION_COOKIE",
    b"DEBUG",
    b"set_start_method",
    b"get_context",
)
"""Python is looked at only where one of these is in the file: ruff has seen the rest."""
_PYTHON_WORDS = (b"jwt.decode", b"verify_signature", *(hint for hint in _PYTHON_HINTS if len(hint) > 3))
"""One of these is in every file with something to find: short words cost more to look for."""

_BUNDLED_BYTES, _BUNDLED_LINE = 20_000, 500
"""A script of this size whose lines are so long on average was put together by a program. Each match would
bring its whole line: a gigabyte of output for a few such files."""


class AstGrep:
    """The patterns are in patterns/*.yml; a rule's id begins with its check's."""

    name = "ast-grep"

    def available(self) -> bool:
        return program("ast-grep") is not None

    def words(self, task: Task) -> tuple[bytes, ...]:
        return _PYTHON_WORDS

    def run(self, task: Task) -> Outcome:
        files = [f for f in task.files(*_GRAMMARS) if f.language != "python" or self._hinted(task, f)]
        bundles = {f.path for f in files if f.language in _SCRIPTS and _bundled(task, f)}
        files = [f for f in files if f.path not in bundles]
        rules = _rules(frozenset(task.checks), frozenset(f.language for f in files))
        astgrep = program("ast-grep", task.repo.root)
        if astgrep is None:
            raise EngineError("not installed")
        why = "put together by a program, with lines too long for patterns"
        outcome = Outcome(unexamined=[Unexamined(path, why, self.name, partial=False) for path in bundles])
        if not rules:
            return outcome
        with tempfile.TemporaryDirectory() as folder:
            # The project's own sgconfig.yml can name libraries, which are code.
            settings, written = Path(folder) / "sgconfig.yml", Path(folder) / "rules.yml"
            settings.write_text("ruleDirs: []\n", encoding="utf-8")
            written.write_text("\n---\n".join(rules), encoding="utf-8")
            known = {f.path: f for f in files}
            for batch in batches(f.path for f in files):
                answer = command(
                    [
                        astgrep,
                        "scan",
                        "--config",
                        str(settings),
                        "--rule",
                        str(written),
                        "--json=stream",
                        "--no-ignore",
                        "hidden",
                        "--no-ignore",
                        "vcs",
                        *batch,
                    ],
                    cwd=task.repo.root,
                    deadline=task.deadline,
                )
                if answer.status not in (0, 1) and not answer.output:
                    raise EngineError(answer.errors.strip()[:300] or "failed")
                self._read(task, answer.output, known, outcome)
        return outcome

    def _hinted(self, task: Task, file: File) -> bool:
        if not task.repo.may_have(file, _PYTHON_WORDS):
            return False
        return any_in(task.repo.read(file) or b"", _PYTHON_HINTS)

    def _read(self, task: Task, output: bytes, known: dict[str, File], outcome: Outcome) -> None:
        for line in output.splitlines():
            row = json.loads(line)
            path, rule = plain(row["file"]), row["ruleId"].partition("@")[0]
            check = task.checks.get(rule.partition("-")[0])
            if check is None or path not in known:
                continue
            fix = _fixable(check, rule, "replacement" in row)
            edits: tuple[Edit, ...] = ()
            if task.edits and fix != "no":
                place = row.get("replacementOffsets") or row["range"]["byteOffset"]
                edits = (Edit(place["start"], place["end"], row["replacement"].encode()),)
            start, end = row["range"]["start"], row["range"]["end"]
            outcome.findings.append(
                Finding(
                    check.id,
                    path,
                    start["line"] + 1,
                    start["column"] + 1,
                    row["message"] or check.title,
                    check.severity_of(rule),
                    check.confidence,
                    self.name,
                    rule,
                    end["line"] + 1,
                    fix,
                    edits,
                    anchor=row["text"][:200],
                )
            )


def _bundled(task: Task, file: File) -> bool:
    if file.size < _BUNDLED_BYTES:
        return False
    data = task.repo.read(file) or b""
    return len(data) > _BUNDLED_LINE * (data.count(b"\n") + 1)


def _fixable(check: Check, rule: str, has_replacement: bool) -> Fixable:
    return (check.fixes or {}).get(rule, check.fixable) if has_replacement else "no"


@cache
def _all() -> tuple[tuple[str, str, str], ...]:
    """Every pattern: its check's id, its language as written, its text."""
    found = []
    for file in sorted(FOLDER.glob("*.yml")):
        for text in re.split(r"(?m)^---\s*$", file.read_text(encoding="utf-8")):
            name, language = re.search(r"(?m)^id: (\w+)", text), re.search(r"(?m)^language: (\w+)", text)
            if name and language:
                found.append((name[1], language[1], text))
    return tuple(found)


def _rules(checks: frozenset[str], languages: frozenset[str]) -> list[str]:
    grammars = {grammar for language in languages for grammar in _GRAMMARS[language]}
    rules = []
    for check, written, text in _all():
        for grammar in _FAMILY.get(written, (written,)):
            if check in checks and grammar in grammars:
                named = re.sub(r"(?m)^(id: \S+)", rf"\1@{grammar}", text, count=1)
                rules.append(re.sub(r"(?m)^language: \w+", f"language: {grammar}", named, count=1))
    return rules
