"""How the parts of a repository hang together: cycles of imports, and the same lines twice."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator

from mybro.doctor.facts import Repository
from mybro.doctor.own.place import Hit

_IMPORT = re.compile(
    r"(?m)^(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+\(?([\w, \t\n]*)|import[ \t]+([\w., \t]+))"
)
_WINDOW = 12
_MOST_FILES = 5000
_LANGUAGES = ("python", "javascript", "typescript", "tsx", "rust", "swift", "go", "java")


def _modules(repo: Repository) -> dict[str, str]:
    """Importable name to path; src/ is no part of a name."""
    found = {}
    for file in repo.sources("python"):
        if file.name.endswith(".py") and not file.is_test:
            path = file.path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
            found[path.replace("/", ".")] = file.path
    return found


def cycles(repo: Repository) -> Iterator[Hit]:
    """Modules that reach themselves by imports at their top level."""
    modules = _modules(repo)
    if len(modules) > _MOST_FILES:
        return
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        text = _without_type_checking(repo.text(path) or "")
        graph[name] = set(_targets(name, path, text, modules)) - {name}
    for group in _components(graph):
        members = sorted(group)
        names = " → ".join(members[:5]) + (" → …" if len(members) > 5 else f" → {members[0]}")
        yield Hit(modules[members[0]], 1, f"import each other: {names}", anchor=" ".join(members))


def _without_type_checking(text: str) -> str:
    return re.sub(r"(?m)^if (?:typing\.)?TYPE_CHECKING:\n(?:[ \t]+.*\n|\n)*", "", text)


def _targets(name: str, path: str, text: str, modules: dict[str, str]) -> Iterator[str]:
    package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
    for found in _IMPORT.finditer(text):
        base, names, plain = found.groups()
        if plain:
            yield from (
                word.split()[0] for word in plain.split(",") if word.split() and word.split()[0] in modules
            )
            continue
        if base.startswith("."):
            level = len(base) - len(base.lstrip("."))
            parts = package.split(".")
            kept = parts[: len(parts) - level + 1]
            base = ".".join([*kept, base.lstrip(".")]).rstrip(".")
        submodules = [f"{base}.{word.split()[0]}" for word in names.split(",") if word.split()]
        inner = [target for target in submodules if target in modules]
        yield from inner
        if base in modules and (not inner or len(inner) < len(submodules)):
            yield base


def _components(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Strongly connected components of two or more, by Tarjan's algorithm without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    held: set[str] = set()
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(sorted(graph[root])))]
        index[root] = low[root] = len(index)
        stack.append(root)
        held.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    held.add(target)
                    work.append((target, iter(sorted(graph.get(target, ())))))
                    break
                if target in held:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    group: set[str] = set()
                    while node not in group:
                        group.add(stack.pop())
                    held -= group
                    if len(group) > 1:
                        yield group


def duplicates(repo: Repository) -> Iterator[Hit]:
    """Twelve equal lines of code in two places; blanks and comments do not count."""
    seen: dict[bytes, tuple[str, int]] = {}
    told: defaultdict[tuple[str, str], int] = defaultdict(int)
    for file in repo.sources(*_LANGUAGES)[:_MOST_FILES]:
        if file.is_test:
            continue
        rows = [
            (number, line.strip())
            for number, line in enumerate((repo.text(file) or "").splitlines(), 1)
            if len(line.strip()) > 3
            and not line.lstrip().startswith(("#", "//", "*", "import ", "from ", "use "))
        ]
        last = -_WINDOW
        for start in range(len(rows) - _WINDOW + 1):
            window = "\n".join(text for _, text in rows[start : start + _WINDOW])
            key = hashlib.blake2b(window.encode(), digest_size=12).digest()
            other = seen.setdefault(key, (file.path, rows[start][0]))
            if other == (file.path, rows[start][0]) or (
                other[0] == file.path and rows[start][0] - other[1] < _WINDOW
            ):
                continue
            if start - last >= _WINDOW and told[other[0], file.path] < 3:
                told[other[0], file.path] += 1
                yield Hit(
                    file.path,
                    rows[start][0],
                    f"{_WINDOW} lines are also in {other[0]}:{other[1]}",
                    anchor=other[0],
                )
            last = start
