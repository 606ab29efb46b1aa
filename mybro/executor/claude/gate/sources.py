"""Programs in files of the repository: they are read before they run."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from mybro.executor.claude.gate.harm import harms, harms_outside
from mybro.executor.claude.gate.paths import under
from mybro.executor.claude.gate.place import Place
from mybro.executor.claude.gate.pythons import file_is_calm, python_only_computes
from mybro.executor.claude.gate.words import Word
from mybro.vocabulary import words as word_lists

_JS_MODULES = word_lists("modules")["NODE_MODULES"]
_JS_SUFFIXES = ("", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".json", "/index.js", "/index.ts")
_JS_READS = r"(readFileSync|existsSync|readdirSync|statSync|readFile|createReadStream)"
_JS_DOORS = re.compile(
    r"\beval\b|\bFunction\b|constructor(?!\s*\([^'\"`]*\)\s*\{)|__\w|\bglobal(This)?\b|\b(Reflect|Proxy|Deno|Bun|WebAssembly|atob|unescape)\b"
    r"|child_process|fromCharCode|\bvm\b|worker_threads|base64|\\[xu0-7]|['\"]\s*\+\s*['\"]|\.join\(\s*['\"`]{2}\s*\)\s*\]"
    r"|\bprocess\b(?!\.(env|argv|exit|cwd|version|versions|platform|on|stdout|stderr|uptime|memoryUsage|nextTick|hrtime)\b)"
    r"|\bmodule\b(?!\.exports\b)|\[\s*['\"`]\s*\+|\bimport\s*\(|\bwith\s*\(|\bexec\w*Sync\b|\bspawn"
)
_JS_IMPORT = re.compile(r"\brequire\s*\(\s*(['\"])([^'\"]+)\1\s*\)|\b(?:from|import)\s*(['\"])([^'\"]+)\3")
_MOST = 60
_TESTED = word_lists("effects")["TESTED"]


def content_is_calm(path: Path, content: str) -> bool:
    """Whether what is put into a new file does no harm when it runs as a test or a program."""
    if path.name in ("setup.py", "conftest.py", "sitecustomize.py") or ".config." in path.name:
        return False
    if path.suffix == ".py" and python_only_computes(content, whole=True):
        return True
    return path.suffix.lstrip(".") in _TESTED and not harms(content)


def reaches_out(command: str, place: Place) -> bool:
    """Whether a test that is new plainly deletes or writes outside of the repository.

    What was written in the last day is looked through: where the command names it, or where tests lie.
    """
    told = [
        place.top / word for word in re.findall(r"[\w./-]+", command) if not word.startswith(("-", "/", ".."))
    ]
    named = [path for path in told if path.exists() and path != place.top]
    since = time.time() - _NEW_S
    seen = 0
    for start in named or [place.top / name for name in _TEST_FOLDERS]:
        for where, folders, files in os.walk(start) if start.is_dir() else [(start.parent, [], [start.name])]:
            folders[:] = [
                name
                for name in folders
                if name[0] != "." and name not in ("node_modules", "target", "vendor")
            ]
            seen += len(files)
            for path in (Path(where) / name for name in files if Path(name).suffix.lstrip(".") in _TESTED):
                try:
                    if path.stat().st_mtime > since and harms_outside(
                        path.read_text("utf-8", errors="replace")[:100_000]
                    ):
                        return True
                except OSError:
                    continue
            if seen > _MOST_TESTS:
                return False
    return False


_NEW_S, _MOST_TESTS = 86_400.0, 300
_TEST_FOLDERS = ("tests", "test", "spec", "__tests__", "src", "e2e")


def programs(name: str, place: Place) -> list[Path] | None:
    """Where a program may lie that is called by this name; None where that is not in the repository."""
    if not place.changes(Word((name,))):
        return None
    return [under(folder, name) for folder in place.folders]


def python_file(name: str, place: Place) -> bool:
    found = programs(name, place)
    return found is not None and all(file_is_calm(path, place) for path in found)


def javascript_file(name: str, place: Place) -> bool:
    """The same of a JavaScript program, and of all that it requires from the repository."""
    waiting = programs(name, place)
    if waiting is None:
        return False
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        found = [Path(f"{path}{suffix}") for suffix in _JS_SUFFIXES]
        for one in found:
            if one in seen:
                continue
            seen.add(one)
            place.traces.read.add(one)
            if not one.is_file() and one not in place.traces.written:
                continue
            text = place.program(one)
            wanted = None if text is None else _javascript(text) if one.suffix != ".json" else []
            if wanted is None or len(seen) > _MOST * len(_JS_SUFFIXES):
                return False
            waiting += [one.parent / name for name in wanted]
    return True


def _javascript(text: str) -> list[str] | None:
    """The files that a calm JavaScript program requires; None where it is not calm."""
    bare = re.sub(r"(?m)(^|\s)//[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    bare = re.sub(r"(?s)(?<!\S)/\*.*?\*/", " ", bare)
    wanted: list[str] = []
    for found in _JS_IMPORT.finditer(bare):
        name = found[2] or found[4]
        if name.startswith("."):
            wanted.append(name)
        elif name.removeprefix("node:") == "fs":
            if not _only_reads(bare, found):
                return None
        elif name.removeprefix("node:") not in _JS_MODULES:
            return None
    rest = _JS_IMPORT.sub(" 0 ", bare)
    return None if _JS_DOORS.search(rest) or re.search(r"\brequire\b", rest) else wanted


def _only_reads(text: str, found: re.Match[str]) -> bool:
    """Whether the module of files is asked for nothing but to read, and by a fixed name."""
    before = text[: found.start()]
    after = text[found.end() :]
    called = re.search(r"(?:const|let|var)\s+(\w+)\s*=\s*$|import\s+(\w+)\s+$", before)
    if called is None:
        return re.match(rf"\.{_JS_READS}\(\s*(['\"])[\w./-]+\2", after) is not None
    name = called[1] or called[2]
    uses = [use.end() for use in re.finditer(rf"(?<![\w.]){name}\b", after)]
    return all(re.match(rf"\.{_JS_READS}\b", after[end:]) for end in uses)
