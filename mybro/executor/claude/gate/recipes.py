"""What `npm run` and `make` would run: the lines that the repository keeps under a name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from mybro.executor.claude.gate.place import Place

_CALL = re.compile(
    r"(?<![\w/.-])(?:(?:npm|pnpm|yarn"
    r"|bun)\s+(?:(?:-\S+\s+)*run(?:-script)?\s+)?(?:-\S+\s+)*(?P<script>[\w:.-]+)"
    r"|(?P<maker>g?make)(?P<targets>(?:\s+[\w.=/-]+)*))"
)
_RULE = re.compile(
    r"^([\w./ %-]+?)\s*::?(?!=)([^\n]*)((?:\n(?:\t[^\n]*|[ \t]*(?=\n)|[ \t]*#[^\n]*))*)", re.MULTILINE
)
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_MOST = 200
_DRY = re.compile(r"-[npqrRsSkiBwd]*[nq][npqrRsSkiBwd]*|--dry-run|--just-print|--question")
"""With one of these, make only says what it would run."""
_RUN_ANYWAY = re.compile(
    r"^\t[@-]*\+|\$[({](MAKE|shell)\b|!=|^-?include|\bload\b|\$[({](eval|file)\b", re.MULTILINE
)


def hidden_commands(command: str, repo: Path) -> list[str]:
    """The commands behind the names that a command line calls; those it does not find run nothing known."""
    found: list[str] = []
    for call in _CALL.finditer(command):
        if call["maker"]:
            words = call["targets"].split()
            if not is_dry(words):
                found += _recipes(repo, [word for word in words if "=" not in word and word[0] != "-"])
        else:
            found += _scripts(repo, "test" if call["script"] == "t" else call["script"], set())
    return found[:_MOST]


def recipes(name: str, words: list[str], place: Place) -> list[str]:
    """The lines that `npm run` or `make` would run where a command stands."""
    found: list[str] = []
    if name in ("npm", "pnpm", "yarn", "bun"):
        plain = [word for word in words if word[:1] != "-" and word not in ("run", "run-script")]
        for folder in place.folders:
            place.traces.read.add(folder / "package.json")
            found += _scripts(folder, {"t": "test"}.get(plain[0], plain[0]) if plain else "install", set())
    elif name == "make" and not is_dry(words):
        for folder in place.folders:
            place.traces.read |= {folder / one for one in _MAKEFILES}
            found += _recipes(folder, [word for word in words if "=" not in word and word[:1] != "-"])
    return found[:_MOST]


def is_dry(words: list[str]) -> bool:
    return any(_DRY.fullmatch(word) for word in words)


def only_says(words: list[str], place: Place) -> bool:
    """Whether `make -n` runs nothing: no line that is run all the same, none while the file is read."""
    texts = [place.program(folder / name) for folder in place.folders for name in _MAKEFILES]
    return all(text is not None and not _RUN_ANYWAY.search(text) for text in texts) and not any(
        word.startswith(("--e", "--f", "--i", "--makef")) for word in words
    )


def directives(name: str, words: list[str], place: Place) -> list[str]:
    """The lines that other runners would run: `just`, `task`, `composer`, `deno task`, `go generate`."""
    plain = [word for word in words if word[:1] != "-" and word not in ("run", "run-script", "task")]
    found: list[str] = []
    for folder in place.folders:
        if name == "just":
            found += _named(folder, ("justfile", "Justfile", ".justfile"), plain or ["default"], _JUST, place)
        elif name == "task":
            found += _named(folder, ("Taskfile.yml", "Taskfile.yaml"), plain or ["default"], _TASK, place)
        elif name in ("composer", "deno") and plain:
            for file in ("composer.json",) if name == "composer" else ("deno.json", "deno.jsonc"):
                place.traces.read.add(folder / file)
                text = _text(folder / file)
                found += re.findall(
                    rf'"(?:pre-|post-)?{re.escape(plain[0])}"\s*:\s*(\[[^\]]*\]|"[^"]*")', text
                )
        elif name == "go" and plain[:1] == ["generate"]:
            for path in sorted(folder.rglob("*.go"))[:_MOST]:
                found += re.findall(r"^//go:generate\s+(.*)", place.program(path) or "", re.MULTILINE)
    return found[:_MOST]


_JUST = r"^@?{name}\b[^\n:=]*:(?!=)(?P<needs>[^\n]*)(?P<body>(?:\n[ \t]+[^\n]*|\n(?=[ \t]))*)"
_TASK = r"^  {name}:(?P<needs>)(?P<body>[^\n]*(?:\n    [^\n]*|\n(?=\s*\n| {{4}}))*)"


def _named(
    folder: Path, files: tuple[str, ...], names: list[str], pattern: str, place: Place
) -> Iterator[str]:
    """The lines under names in a file of recipes, and under the names that these call."""
    place.traces.read |= {folder / file for file in files}
    text = next((_text(folder / file) for file in files if (folder / file).is_file()), "")
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or not re.fullmatch(r"[\w:-]+", name):
            continue
        seen.add(name)
        if found := re.search(pattern.format(name=re.escape(name)), text, re.MULTILINE):
            waiting += re.findall(r"[\w-]+", found["needs"]) + re.findall(
                r"(?:just|task|task:)\s+([\w-]+)", found["body"]
            )
            yield from (line.strip() for line in found["body"].splitlines() if line.strip())


def _scripts(repo: Path, name: str, seen: set[str]) -> Iterator[str]:
    try:
        scripts = json.loads((repo / "package.json").read_text())["scripts"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if not isinstance(scripts, dict) or name in seen:
        return
    seen.add(name)
    names = [f"pre{name}", name, f"post{name}"]
    if name in ("install", "i", "ci"):
        names = ["preinstall", "install", "postinstall", "prepare"]
    for one in names:
        line = scripts.get(one)
        if isinstance(line, str):
            yield line
            for call in _CALL.finditer(line):
                if call["script"]:
                    yield from _scripts(repo, call["script"], seen)


def _recipes(repo: Path, targets: list[str]) -> Iterator[str]:
    text = next(
        (_text(repo / name) for name in _MAKEFILES if (repo / name).is_file()),
        "",
    )
    text = text.replace("\\\n", " ")
    variables = dict(re.findall(r"^(\w+)\s*[:?]?=\s*([^\n]*)", text, re.MULTILINE))
    rules: dict[str, tuple[str, str]] = {}
    first = ""
    for names, needs, recipe in _RULE.findall(text):
        for name in names.split():
            rules.setdefault(name, (needs, recipe))
            first = first or ("" if name.startswith(".") else name)
    waiting, seen = targets or [first], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in rules:
            continue
        seen.add(name)
        needs, recipe = rules[name]
        before, _, inline = needs.partition(";")
        waiting += before.split()
        for line in [inline, *recipe.splitlines()]:
            if line.strip():
                yield re.sub(
                    r"\$[({](\w+)[)}]", lambda v: str(variables.get(v[1], v[1])), line.strip().lstrip("@-+")
                )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:200_000]
    except OSError:
        return ""
