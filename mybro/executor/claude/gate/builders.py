"""Compilers, builders and servers of many languages: the calls of them that are everyday work."""

from __future__ import annotations

import re
from pathlib import Path

from mybro.executor.claude.gate import javascripts, runners, scripts
from mybro.executor.claude.gate.arguments import COMPILED
from mybro.executor.claude.gate.harm import harms
from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.tables import calls_like
from mybro.executor.claude.gate.words import Command, Word

_SOURCES = {
    "cargo": ((".rs",), re.compile(
        r"remove_(file|dir)|File::create|OpenOptions|fs::(write|rename|copy|remove|hard_link|set_perm)|Command\b|unsafe|libc"
        r"|set_len|extern\s+\"|include!|std::os|rename\(|reqwest|asm!")),
    "go": ((".go",), re.compile(
        r"os\.(Remove|Rename|Create|Truncate|WriteFile|OpenFile|Chmod|Chown|Link|Symlink|StartProcess)|exec\.|syscall|unsafe"
        r"|ioutil\.(Write|Temp)|import \"C\"|plugin|\.Delete\(|net/rpc")),
}  # fmt: skip
_RUN = (
    r"run( (--release|--quiet|-q|-race|\.|\./[\w/.]+|[\w/]+\.go|--bin [\w-]+|--example [\w-]+"
    r"|(-p|--package|--features) [\w-]+|-h|--help|--version|-- ?[\w .=-]*))*"
)
_MOST_FILES, _MOST_BYTES = 400, 2_000_000


def _own_program(name: str) -> Rule:
    """`cargo run`, `go run .`: the sources are looked through for what deletes, writes or runs."""
    suffixes, risky = _SOURCES[name]
    fixed = calls_like([_RUN], Reach.WRITES)

    def rule(command: Command, place: Place) -> Reach | None:
        told = " ".join(word.text or "?" for word in command.words if word.text != "--release")
        if fixed(command, place) is None or place.traces.waits or runners.DESTRUCTIVE.search(told):
            return None
        size = 0
        files = [path for path in _sources(place.top, suffixes) if path.is_file()]
        for path in files:
            text = place.program(path)
            size += len(text or "")
            if text is None or risky.search(text):
                return None
        return Reach.WRITES if len(files) < _MOST_FILES and size < _MOST_BYTES else None

    return rule


def _sources(top: Path, suffixes: tuple[str, ...]) -> list[Path]:
    found: list[Path] = []
    waiting = [top]
    while waiting and len(found) < _MOST_FILES:
        for path in sorted(waiting.pop().iterdir()):
            if (
                path.is_dir()
                and not path.is_symlink()
                and path.name not in ("node_modules", "target", ".git", ".venv")
            ):
                waiting.append(path)
            elif path.suffix in suffixes:
                found.append(path)
    return found[:_MOST_FILES]


def _one_liner(command: Command, place: Place) -> Reach | None:
    """`ruby -e`, `php -r`: a line that computes and prints."""
    texts = [word.text or "\0" for word in command.words[1:]]
    while texts and _OF_LANGUAGE.fullmatch(texts[0]):
        texts = texts[1:]
    if len(texts) != 2 or texts[0] not in ("-e", "-r", "--eval"):
        return None
    if not all(place.reads(Word((found[2],))) for found in _DATA.finditer(texts[1])):
        return None
    return Reach.READS if scripts.one_liner_computes(_DATA.sub("0", texts[1])) else None


_OF_LANGUAGE = re.compile(r"-r(json|yaml|csv|set|time|date|digest|pp|bigdecimal|uri)|--project(=\.)?")
"""Parts of the language that are asked for, and the packages of a project."""
_DATA = re.compile(
    r"(?:File\.read|IO\.read|CSV\.read|YAML\.load_file|file_get_contents|\bread\.(?:csv|table|delim)|readLines|readRDS)"
    r"\(\s*(['\"])(\w[\w./-]*)\1\s*\)"
)
"""Files of which the content is read."""


_COMPILERS = re.compile(r"(gcc|g\+\+|cc|c\+\+|clang|clang\+\+)(-\d+)?|rustc|swiftc|ghc")


def compiled(command: Command, place: Place) -> set[str]:
    """The program that a compiler makes, where its sources do no harm when they run."""
    texts = [word.text or "" for word in command.words]
    if not _COMPILERS.fullmatch(texts[0]) or "-o" not in texts[:-1]:
        return set()
    made = texts[texts.index("-o") + 1]
    sources = [text for text in texts[1:] if Path(text).suffix.lstrip(".") in COMPILED]
    told = [place.program(under(folder, text)) for text in sources for folder in place.folders]
    return {made} if sources and place.is_temporary(made) and not any(map(harms, told)) else set()


RULES: dict[str, Rule] = {
    **dict.fromkeys(("flask", "uvicorn", "gunicorn", "hypercorn", "fastapi", "streamlit"), runners.serving),
    **dict.fromkeys(("ruby", "php", "Rscript", "julia", "lua", "elixir", "perl"), _one_liner),
    **dict.fromkeys(("tsx", "ts-node"), javascripts.node),
    "cargo": _own_program("cargo"),
    "go": _own_program("go"),
}
