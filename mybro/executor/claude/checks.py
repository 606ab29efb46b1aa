"""Test and lint commands that need no question: few, plain, with arguments that stay in the repository."""

from __future__ import annotations

import re
import shlex
from itertools import takewhile
from pathlib import Path

from mybro.executor.claude.overwriting import is_inside

_PLAIN = re.compile(r"[\w\s./:=,@%+'\"|&-]+")
"""Anything else (substitutions, redirections, globs, separators) is asked about."""

_PYTEST = frozenset(
    {
        "-v", "-vv", "-q", "-qq", "-x", "-s", "-l", "-k", "-m", "-n", "-ra", "-rA", "--lf", "--ff", "--tb",
        "--maxfail", "--durations", "--collect-only", "--co", "--no-header", "--color", "--last-failed",
        "--failed-first", "--exitfirst", "--verbose", "--quiet", "--strict-markers", "--sw",
    }
)  # fmt: skip
_RUFF = frozenset(
    {"--fix", "--diff", "--check", "--select", "--ignore", "--quiet", "-q", "--statistics", "--output-format"}
)
_CARGO = frozenset(
    {
        "--all", "--workspace", "--release", "--lib", "--bins", "--tests", "--all-targets", "--all-features",
        "-p", "--package", "--test", "--no-run", "--quiet", "-q", "--verbose", "-v", "--", "--nocapture",
        "--check", "-D",
    }
)  # fmt: skip
_DOCTOR = frozenset(
    {
        "--select", "--ignore", "--fail-on", "--json", "--list", "--explain", "--deep", "--changed", "--base",
        "--all", "-a", "--diff", "--",
    }
)  # fmt: skip
_GO = frozenset({"-v", "-run", "-race", "-count", "-short", "-cover", "-timeout", "-failfast"})
_QUIET = frozenset({"-q", "-v", "-s", "--quiet", "--silent", "--verbose", "--", "--run"})

_KNOWN: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("pytest",), _PYTEST),
    (("python", "-m", "pytest"), _PYTEST),
    (("python3", "-m", "pytest"), _PYTEST),
    (("python", "-m", "unittest"), _QUIET),
    (("python3", "-m", "unittest"), _QUIET),
    (("uv", "run", "pytest"), _PYTEST),
    (("ruff", "check"), _RUFF),
    (("ruff", "format"), _RUFF),
    (("mypy",), frozenset({"--strict"})),
    (("mybro", "doctor"), _DOCTOR),
    (("cargo", "test"), _CARGO),
    (("cargo", "check"), _CARGO),
    (("cargo", "clippy"), _CARGO),
    (("cargo", "fmt"), _CARGO),
    (("go", "test"), _GO),
    (("go", "vet"), _GO),
    (("npm", "test"), _QUIET),
    (("npm", "run", "test"), _QUIET),
    (("npm", "run", "lint"), _QUIET),
    (("make", "test"), _QUIET),
    (("make", "lint"), _QUIET),
    (("make", "check"), _QUIET),
    (("tsc", "--noEmit"), frozenset()),
)
_RUNNER = re.compile(
    r"([\w.-]*[_.:-])?(tests?|r?specs?|jest|vitest|mocha|ava|tox|nox|ctest|phpunit|pytest)([_.:-][\w.:-]*)?"
)
"""What a program, or the word that tells it what to do, is called where it runs tests."""
_DRIVERS = frozenset(
    {
        "bundle", "yarn", "pnpm", "npm", "npx", "bun", "bunx", "deno", "dotnet", "mvn", "mvnw", "gradle",
        "gradlew", "make", "just", "rake", "mix", "swift", "cargo", "go", "php", "composer", "poetry", "uv",
        "hatch", "pdm", "sbt", "lein", "cabal", "stack", "zig", "bazel", "ninja",
    }
)  # fmt: skip
"""Programs that are told by a word to run tests."""
_DOCTORS = re.compile(r"\s*(cd \S+ && )?mybro doctor(\s|$)")
_FILTERS = frozenset({"head", "tail", "grep", "wc", "sort", "uniq", "cat"})


def is_check(command: str, repo: Path) -> bool:
    """Whether a command does nothing but run the repository's tests or linters."""
    line = re.sub(r"\s*2>&1(?=\s|$)", "", command.strip())
    if "\n" in line or not _PLAIN.fullmatch(line) or line.endswith(("&", "|")):
        return False
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="&|")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return False
    parts = _parts(words)
    if parts and parts[0][1][:1] == ["cd"]:
        (_, change), *parts = parts
        if len(change) != 2 or not is_inside(repo / change[1], repo) or not parts or parts[0][0] != "&&":
            return False
        parts[0] = ("", parts[0][1])
    if not parts or any(before not in ("", "|") for before, _ in parts):
        return False
    (_, check), *filters = parts
    return _is_known(check, repo) and all(_is_filter(words) for _, words in filters)


def is_doctor(command: str, repo: Path) -> bool:
    """Whether it only has mybro examine the repository, of which that runs nothing."""
    return _DOCTORS.match(command) is not None and is_check(command, repo)


def covered(command: str) -> str:
    """What a yes for the rest of the session covers: the same command or, of a test runner, any tests."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    runner = list(takewhile(lambda word: not word.startswith("-") and "=" not in word, words))
    drivers = len(runner) if runner and Path(runner[0]).name in _DRIVERS else 1
    found = next((n for n, word in enumerate(runner[:drivers]) if _RUNNER.fullmatch(Path(word).name)), None)
    if found is None or not _PLAIN.fullmatch(command) or set(command) & set("&|\n"):
        return command
    return f"tests by {shlex.join(runner[: found + 1])}"


def _parts(words: list[str]) -> list[tuple[str, list[str]]]:
    """Commands, each with the separator before it."""
    parts: list[tuple[str, list[str]]] = [("", [])]
    for word in words:
        if word and set(word) <= {"&", "|"}:
            parts.append((word, []))
        else:
            parts[-1][1].append(word)
    return parts


def _is_known(words: list[str], repo: Path) -> bool:
    for head, options in _KNOWN:
        if tuple(words[: len(head)]) == head:
            rest = words[len(head) :]
            if head[0] == "make" and any("=" in word for word in rest):
                return False  # it sets a variable, which may name another program
            return all(_is_harmless(word, options, repo) for word in rest)
    return False


def _is_harmless(word: str, options: frozenset[str], repo: Path) -> bool:
    if word.startswith("-"):
        return word.partition("=")[0] in options
    return is_inside(repo / word.partition("::")[0], repo)


def _is_filter(words: list[str]) -> bool:
    """A filter of the output: it may name no file, so all but grep's pattern are options and numbers."""
    if not words or words[0] not in _FILTERS:
        return False
    free = [word for word in words[1:] if not re.fullmatch(r"-[A-Za-z0-9]+|\d+", word)]
    return len(free) <= (1 if words[0] == "grep" else 0) and "-f" not in words
