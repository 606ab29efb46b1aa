"""Checks and formats code with what the repository configures, and ruff for Python."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mybro.errors import ExecutorError
from mybro.events import Outcome
from mybro.executor.actions.sources import files, find_path
from mybro.executor.actions.work import Work, last_words, output, scratch_file
from mybro.executor.words import count_words, files_words, listed

_FIX = re.compile(r"(?i)\b(fix|fixes|repair|mend|correct|clean up|clean)\b")

_ESLINT = ("eslint.config.js", "eslint.config.mjs", "eslint.config.cjs", "eslint.config.ts", ".eslintrc.js",
           ".eslintrc.cjs", ".eslintrc.yaml", ".eslintrc.yml", ".eslintrc.json", ".eslintrc")  # fmt: skip
_PRETTIER = (".prettierrc", ".prettierrc.json", ".prettierrc.yaml", ".prettierrc.yml", ".prettierrc.js",
             ".prettierrc.mjs", ".prettierrc.cjs", ".prettierrc.toml", "prettier.config.js",
             "prettier.config.mjs", "prettier.config.cjs")  # fmt: skip
_BIOME = ("biome.json", "biome.jsonc")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one linter reported."""

    tool: str
    left: int
    """Problems that remain."""
    fixed: int = 0
    first: tuple[str, ...] = ()
    """The first problems, as they are said: "F401 in dates.py"."""
    detail: str = ""


Linter = Callable[[Work, str, bool], Awaitable[Finding]]


async def lint(work: Work) -> Outcome:
    """Report problems; where the sentence asks for it, mend what can safely be mended."""
    fix = bool(_FIX.search(work.job.intent.text))
    path = _path(work)
    linters = _linters(work.repo)
    if not linters:
        raise ExecutorError(
            "no_linter", "I found no linter for this repository",
            hint="I know ruff, ESLint, Biome, clippy and go vet.",
        )  # fmt: skip
    findings = [await linter(work, path, fix) for linter in linters]
    left, fixed = sum(f.left for f in findings), sum(f.fixed for f in findings)
    detail = "\n".join(f.detail for f in findings if f.detail)
    tools = listed([f.tool for f in findings])
    first = listed([name for f in findings for name in f.first])
    parts = [f"{tools} fixed {count_words(fixed, 'problem')}."] if fixed else []
    if left:
        rest = f"{count_words(left, 'problem')} {'left' if fix else 'found'}" + (
            f": {first}." if first else "."
        )
        parts.append(rest if fixed else f"{tools}: {rest}")
    elif not fixed:
        parts.append(f"{tools} found nothing to complain about.")
    return Outcome(" ".join(parts), ok=left == 0, detail=detail)


async def format_code(work: Work) -> Outcome:
    """Rewrite files in the style that the repository configures."""
    path = _path(work)
    formatters = _formatters(work.repo)
    if not formatters:
        raise ExecutorError(
            "no_formatter", "I found no formatter for this repository",
            hint="I know ruff, Prettier, Biome, cargo fmt and gofmt.",
        )  # fmt: skip
    before = {name: _stamp(work.repo / name) for name in files(work.repo)}
    detail = [await formatter(work, path) for formatter in formatters]
    changed = [name for name in files(work.repo) if before.get(name) != _stamp(work.repo / name)]
    if not changed:
        return Outcome("Everything is formatted already.", detail="\n".join(detail))
    return Outcome(
        f"Formatted {count_words(len(changed), 'file')}: {files_words(changed)}.", detail="\n".join(detail)
    )


def _path(work: Work) -> str:
    said = work.arguments.path
    if said is None:
        return "."
    path = find_path(work.repo, said)
    if path is None:
        raise ExecutorError("no_such_path", f"there is nothing called {said} here")
    return path


def _linters(repo: Path) -> list[Linter]:
    names = files(repo)
    found: list[Linter] = []
    if any(name.endswith((".py", ".pyi")) for name in names):
        found.append(_ruff)
    if _configured(repo, _BIOME):
        found.append(_biome)
    elif _configured(repo, _ESLINT) or "eslintConfig" in _package(repo):
        found.append(_eslint)
    if "Cargo.toml" in names:
        found.append(_clippy)
    if "go.mod" in names:
        found.append(_vet)
    return found


def _formatters(repo: Path) -> list[Callable[[Work, str], Awaitable[str]]]:
    names = files(repo)
    found: list[Callable[[Work, str], Awaitable[str]]] = []
    if any(name.endswith((".py", ".pyi")) for name in names):
        found.append(_ruff_format)
    if _configured(repo, _BIOME):
        found.append(lambda work, path: _format_with(work, *_npx("biome"), "format", "--write", path))
    elif _configured(repo, _PRETTIER) or "prettier" in _package(repo):
        found.append(lambda work, path: _format_with(work, *_npx("prettier"), "--write", path))
    if "Cargo.toml" in names:
        found.append(lambda work, _: _format_with(work, "cargo", "fmt"))
    if "go.mod" in names:
        found.append(lambda work, path: _format_with(work, "gofmt", "-w", path))
    return found


def ruff_program(repo: Path) -> str:
    """The repository's ruff, or the one that comes with mybro."""
    own = next((p for folder in (".venv", "venv") if (p := repo / folder / "bin" / "ruff").is_file()), None)
    if own is not None:
        return str(own)
    from ruff import find_ruff_bin

    return str(find_ruff_bin())


async def ruff_findings(work: Work, path: str, *options: str) -> list[dict[str, Any]]:
    """What `ruff check` reports, as its JSON objects."""
    with scratch_file(".json") as report:
        result = await work.run(
            ruff_program(work.repo), "check", "--no-cache", "--output-format=json", f"--output-file={report}",
            *options, "--", path, quiet=True,
        )  # fmt: skip
        if result.returncode not in (0, 1) or not report.is_file():
            raise ExecutorError("linter_failed", f"ruff could not run: {last_words(result)}")
        found: list[dict[str, Any]] = json.loads(report.read_bytes() or b"[]")
    return found


async def _ruff(work: Work, path: str, fix: bool) -> Finding:
    before = await ruff_findings(work, path)
    after = await ruff_findings(work, path, "--fix") if fix and before else before
    first = [f"{_code(item)} in {Path(item['filename']).name}" for item in after]
    lines = [
        f"{_relative(item['filename'], work.repo)}:{item['location']['row']}: {_code(item)} {item['message']}"
        for item in after
    ]
    return Finding(
        "ruff", len(after), max(0, len(before) - len(after)), tuple(dict.fromkeys(first)), "\n".join(lines)
    )


def _code(item: dict[str, Any]) -> str:
    code = item.get("code")
    return "a syntax error" if code in (None, "invalid-syntax") else str(code)


async def _ruff_format(work: Work, path: str) -> str:
    ruff = ruff_program(work.repo)
    result = await work.run(ruff, "format", "--no-cache", "--", path)
    unparsed = result.returncode == 2 and re.search(r"^error: Failed to parse", output(result), re.MULTILINE)
    if result.returncode not in (0, 1) and not unparsed:
        raise ExecutorError("formatter_failed", f"ruff could not format: {last_words(result)}")
    return output(result)


async def _eslint(work: Work, path: str, fix: bool) -> Finding:
    before = await _eslint_messages(work, path)
    after = await _eslint_messages(work, path, "--fix") if fix and before else before
    first = tuple(dict.fromkeys(f"{rule} in {Path(name).name}" for name, rule, _ in after))
    lines = [f"{_relative(name, work.repo)}: {text}" for name, _, text in after]
    return Finding("ESLint", len(after), max(0, len(before) - len(after)), first, "\n".join(lines))


async def _eslint_messages(work: Work, path: str, *options: str) -> list[tuple[str, str, str]]:
    with scratch_file(".json") as report:
        result = await work.run(*_npx("eslint"), "-f", "json", "-o", str(report), *options, path)
        if result.returncode not in (0, 1) or not report.is_file():
            raise ExecutorError("linter_failed", f"ESLint could not run: {last_words(result)}")
        files_found = json.loads(report.read_bytes())
    return [
        (file["filePath"], str(message.get("ruleId") or "an error"), message["message"])
        for file in files_found
        for message in file["messages"]
    ]


async def _biome(work: Work, path: str, fix: bool) -> Finding:
    result = await work.run(*_npx("biome"), "lint", *(["--write"] if fix else []), path)
    text = output(result)
    left = sum(int(n) for n in re.findall(r"Found (\d+) (?:error|warning)s?", text))
    if result.returncode != 0 and not left:
        raise ExecutorError("linter_failed", f"Biome could not run: {last_words(result)}")
    fixed = re.search(r"Fixed (\d+) file", text)
    return Finding("Biome", left, int(fixed.group(1)) if fixed else 0, detail=text)


async def _clippy(work: Work, _path: str, fix: bool) -> Finding:
    if fix:
        await work.run("cargo", "clippy", "--fix", "--allow-dirty", "--allow-staged", "--quiet")
    result = await work.run("cargo", "clippy", "--quiet", "--message-format=short")
    lines = [line for line in output(result).splitlines() if re.match(r"\S+:\d+:\d+: (warning|error)", line)]
    if result.returncode != 0 and not lines:
        raise ExecutorError("linter_failed", f"clippy could not run: {last_words(result)}")
    return Finding("clippy", len(lines), detail="\n".join(lines))


async def _vet(work: Work, _path: str, _fix: bool) -> Finding:
    result = await work.run("go", "vet", "./...")
    lines = [line for line in output(result).splitlines() if re.match(r"(vet: )?\S+\.go:\d+", line)]
    if result.returncode != 0 and not lines:
        raise ExecutorError("linter_failed", f"go vet could not run: {last_words(result)}")
    return Finding("go vet", len(lines), detail=output(result))


async def _format_with(work: Work, *argv: str) -> str:
    result = await work.run(*argv)
    if result.returncode != 0:
        raise ExecutorError(
            "formatter_failed", f"{Path(argv[0]).name} could not format: {last_words(result)}"
        )
    return output(result)


def _npx(name: str) -> tuple[str, ...]:
    return ("npx", "--no-install", name)


def _configured(repo: Path, names: tuple[str, ...]) -> bool:
    return any((repo / name).is_file() for name in names)


def _package(repo: Path) -> dict[str, Any]:
    try:
        package = json.loads((repo / "package.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return package if isinstance(package, dict) else {}


def _relative(name: str, repo: Path) -> str:
    path = Path(name)
    return str(path.relative_to(repo)) if path.is_relative_to(repo) else name


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
