"""Which technologies a repository uses, and where."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from mybro.errors import RulesError
from mybro.rules import python_code
from mybro.rules.manifests import asked_for
from mybro.rules.model import RuleSet, Sighting, Technology, matches

MAX_BYTES = 1_000_000
"""A larger file was written by a machine."""
LANGUAGES = {
    ".py": "python", ".pyi": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "typescript",
    ".vue": "javascript", ".svelte": "javascript", ".astro": "javascript",
    ".rs": "rust", ".swift": "swift",
    ".c": "c", ".cc": "c", ".cpp": "c", ".cxx": "c", ".h": "c", ".hpp": "c", ".m": "c", ".mm": "c",
    ".html": "html", ".htm": "html",
}  # fmt: skip
CONTEXTS = {
    "test": "tests",
    "tests": "tests",
    "docs": "docs",
    "examples": "examples",
    "benchmarks": "benchmarks",
}
OTHERS_WORK = frozenset(
    {"node_modules", ".venv", "venv", "site-packages", "vendor", "third_party", "dist", "build"}
)
GIT_TIMEOUT_S = 60

_COMMENT = re.compile(
    r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|//[^\n]*|/\*.*?\*/""", re.DOTALL
)
_MODULE = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(?P<quote>["'])(?P<module>[^"'\n]+)(?P=quote)"""
)
_CRATE = re.compile(r"(?:\buse\s+|\bextern\s+crate\s+)(?:::)?(?P<module>\w+)")
_IMPORTS = {"javascript": _MODULE, "typescript": _MODULE, "rust": _CRATE}


def sightings(repo: Path, rules: RuleSet, paths: Iterable[str] | None = None) -> list[Sighting]:
    """Every use of what the rules forbid in these files of the repository, or in all that are its own work.

    Raises `RulesError` where git does not list them.
    """
    found: list[Sighting] = []
    for path in own_files(repo) if paths is None else paths:
        text = _read(repo / path)
        found += in_file(path, text, rules.sought(text))
    return found


def own_files(repo: Path) -> list[str]:
    """The files of a repository that git does not ignore, but for what others wrote.

    Raises `RulesError`.
    """
    # A repository's own configuration could name a program to run here.
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "ls-files",
        "-z",
        "-c",
        "-o",
        "--exclude-standard",
        "--deduplicate",
    ]
    try:
        told = subprocess.run(command, cwd=repo, capture_output=True, timeout=GIT_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise RulesError(
            "no_repository", f"git cannot list the files of {repo}", hint="Is it a repository?"
        ) from error
    names = (name.decode("utf-8", "surrogateescape") for name in told.stdout.split(b"\0") if name)
    return [name for name in names if OTHERS_WORK.isdisjoint(name.split("/")[:-1])]


def in_file(path: str, text: str | None, technologies: Iterable[Technology]) -> Iterator[Sighting]:
    """The technologies in one file; `text` is None where it cannot be read, or is no text."""
    technologies = list(technologies)
    language = LANGUAGES.get(Path(path).suffix.lower(), "")
    around = frozenset(CONTEXTS[part] for part in path.split("/")[:-1] if part in CONTEXTS)
    for technology in technologies:
        if technology.files and matches(path, technology.files):
            contexts = around | frozenset(technology.contexts)
            yield Sighting(technology.name, path, 0, "the file itself", language, contexts)
    if text is None:
        return
    asked = asked_for(path, text)
    for technology in technologies:
        tables = {"pypi": technology.pypi, "npm": technology.npm, "crates": technology.crates}
        for ecosystem, name, line in asked:
            if any(fnmatchcase(name, pattern) for pattern in tables[ecosystem]):
                yield Sighting(technology.name, path, line, f"depends on {name}", language, around)
    for name, line, evidence, contexts in _in_code(language, text, technologies):
        yield Sighting(name, path, line, evidence, language, around | contexts)


def _in_code(language: str, text: str, technologies: list[Technology]) -> Iterator[python_code.Found]:
    if language == "python":
        named = [each for each in technologies if each.named_in(text)]
        yield from python_code.find(text, named) if named else ()
        return
    if language in ("javascript", "typescript", "rust", "c", "swift"):
        text = _COMMENT.sub(lambda match: match[1] or _blank(match[0]), text)
    imports = list(_IMPORTS[language].finditer(text)) if language in _IMPORTS else []
    for technology in technologies:
        for match in _modules(language, text, technology, imports):
            evidence = " ".join(match[0].split())
            yield technology.name, text.count("\n", 0, match.start()) + 1, evidence, frozenset()


def _blank(comment: str) -> str:
    """As long, with the same ends of lines, so that what follows stays where it is."""
    return "\n".join(" " * len(line) for line in comment.split("\n"))


def _modules(
    language: str, text: str, technology: Technology, imports: list[re.Match[str]]
) -> Iterator[re.Match[str]]:
    if language in ("javascript", "typescript"):
        for match in imports:
            if any(
                fnmatchcase(match["module"], name) or match["module"].startswith(f"{name}/")
                for name in technology.javascript
            ):
                yield match
    elif language == "rust":
        yield from (match for match in imports if match["module"] in technology.rust + technology.crates)
    for pattern in technology.text.get(language, ()):
        yield from _compiled(pattern).finditer(text)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _read(path: Path) -> str | None:
    try:
        # A link may lead out of the repository, and a pipe would never end.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
            return None
        content = path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in content[:8000] else content.decode("utf-8", "replace")
