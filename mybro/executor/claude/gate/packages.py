"""Package managers: what is listed or locked in the repository, and packages that many projects use.

Another name is asked about: to install it is to run what nobody here has read, and a name that is nearly
right is how such things are spread.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mybro.executor.claude.gate import runners
from mybro.executor.claude.gate.place import Place, Reach, Rule
from mybro.executor.claude.gate.tables import either
from mybro.executor.claude.gate.words import Command
from mybro.vocabulary import words as word_lists

_KNOWN = word_lists("packages")
_TOOLS = word_lists("modules")
_ALSO = {
    "pypi": _TOOLS["PYPI_TOOLS"],
    "npm": _TOOLS["NPM_TOOLS"],
    "crates": frozenset(
        ["serde", "serde_json", "tokio", "anyhow", "thiserror", "clap", "rand", "regex", "chrono", "log"]
    ),
}
_NAMES = {
    "pypi": re.compile(r"([A-Za-z][\w.-]*)(\[[\w,-]+\])?([=<>~!]=?=?[\w.*,<>=!~-]+)?"),
    "npm": re.compile(r"((?:@[\w-]+/)?[a-z][\w.-]*)()(@[\w.^~-]+)?"),
    "crates": re.compile(r"([a-z][\w-]*)()(@[\w.^~-]+)?"),
}


def known(name: str, place: str) -> bool:
    """Whether it is the name of a package that many projects use, in "pypi", "npm" or "crates"."""
    found = _NAMES[place].fullmatch(name)
    if found is None:
        return False
    plain = found[1].casefold().replace("_", "-") if place == "pypi" else found[1]
    return plain in _KNOWN[place] or plain in _ALSO[place]


def adding(place: str, options: str, *verbs: str) -> Rule:
    """A rule for `add NAME...`: nothing but known names."""

    def rule(command: Command, _: Place) -> Reach | None:
        texts = [word.text or "?" for word in command.words[1:]]
        count = next((len(verb.split()) for verb in verbs if texts[: len(verb.split())] == verb.split()), 0)
        rest = texts[count:]
        if "--features" in rest[:-1]:
            at = rest.index("--features")
            del rest[at : at + 2]
        names = [text for text in rest if not text.startswith("-")]
        fine = all(re.fullmatch(options, text) for text in rest if text.startswith("-"))
        return (
            Reach.WRITES if count and names and fine and all(known(name, place) for name in names) else None
        )

    return rule


def through(runner: str, rules: Callable[[], dict[str, Rule]], names: frozenset[str]) -> Rule:
    """A rule for `RUNNER PROGRAM ...`: the program's own rule, where it is one of the names."""

    def rule(command: Command, place: Place) -> Reach | None:
        head = runner.split()
        if len(command.words) > 2 and command.words[2].text in ("--frozen", "--locked"):
            command = Command([*command.words[:2], *command.words[3:]], document=command.document)
        texts = [word.text for word in command.words[1 : 1 + len(head)]]
        rest = command.words[1 + len(head) :]
        if texts != head or not rest or rest[0].text not in names:
            return None
        inner = rules().get(rest[0].text or "")
        return inner(Command(list(rest), document=command.document), place) if inner is not None else None

    return rule


_PYTHON = frozenset(
    {
        "pytest", "ruff", "mypy", "python", "black", "coverage", "isort", "flake8", "pylint", "pyright",
        "flask", "uvicorn", "tox", "unittest", "alembic", "fastapi", "streamlit", "pre-commit",
    }
)  # fmt: skip
NODE = frozenset(
    {
        "tsc", "vue-tsc", "eslint", "prettier", "jest", "vitest", "mocha", "biome", "stylelint", "vite",
        "next",
        "playwright", "cypress", "prisma", "astro", "storybook", "ng", "webpack", "tsx", "ts-node", "turbo",
        "nx", "depcheck", "knip", "madge", "ts-prune", "oxlint", "svelte-check", "publint", "attw", "cspell",
        "markdownlint", "markdownlint-cli2",
    }
)  # fmt: skip
"""Programs that Node's projects use, which npx takes from the project or fetches."""
_LINTERS = frozenset({"ruff", "black", "mypy", "isort", "pyright", "flake8"})
_QUIET = (
    r"-[qvUDEGdW]|--(dev|upgrade|quiet|save-dev|save|save-exact|no-cache-dir|user|group|optional|exact|D)"
)
_NPM_QUIET = _QUIET + "|--legacy-peer-deps|--no-audit|--no-fund"


def rules(programs: Callable[[], dict[str, Rule]]) -> dict[str, Rule]:
    """The rules; `programs` gives those of all programs, for what runs another."""
    npm = adding("npm", _NPM_QUIET, "install", "i", "add")
    python = through("run", programs, _PYTHON)
    return {
        "pip": adding("pypi", _QUIET, "install"),
        "uv": either(adding("pypi", _QUIET, "add", "pip install"), python),
        "uvx": through("", programs, _LINTERS),
        "pipx": through("run", programs, _LINTERS),
        "poetry": either(adding("pypi", _QUIET, "add"), python),
        "pdm": either(adding("pypi", _QUIET, "add"), python),
        "pipenv": python,
        "npm": npm,
        "pnpm": either(npm, through("exec", programs, NODE), through("", programs, NODE)),
        "bun": either(npm, runners.node),
        "bundle": through("exec", programs, frozenset({"rspec"})),
        "bunx": through("", programs, NODE),
        "yarn": either(adding("npm", _QUIET, "add"), through("", programs, NODE)),
        "cargo": adding("crates", r"--(dev|features|build)|-F", "add"),
    }
