"""Package managers: what is listed or locked in the repository, and packages that many projects use.

Another name is asked about: to install it is to run what nobody here has read, and a name that is nearly
right is how such things are spread.
"""

from __future__ import annotations

import json
import re

from mybro.executor.claude.gate import javascripts
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


def used(name: str, place: Place) -> bool:
    """Whether the project says that it uses a package of npm with this name."""
    for folder in (*place.folders, place.top):
        try:
            told = json.loads((folder / "package.json").read_text("utf-8"))
            if any(name in told.get(key, ()) for key in ("dependencies", "devDependencies")):
                return True
        except (OSError, ValueError, AttributeError, TypeError):
            continue
    return False


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
_QUIET = (
    r"-[qvUDEGdW]|--(dev|upgrade|quiet|save-dev|save|save-exact|no-cache-dir|user|group|optional|exact|D)"
)
_NPM_QUIET = _QUIET + "|--legacy-peer-deps|--no-audit|--no-fund"


_NPM = adding("npm", _NPM_QUIET, "install", "i", "add")
_ADDS = adding("pypi", _QUIET, "add")
RULES: dict[str, Rule] = {
    "pip": adding("pypi", _QUIET, "install"),
    "uv": adding("pypi", _QUIET, "add", "pip install"),
    "poetry": _ADDS,
    "pdm": _ADDS,
    "npm": _NPM,
    "pnpm": _NPM,
    "bun": either(_NPM, javascripts.node),
    "yarn": adding("npm", _QUIET, "add"),
    "cargo": adding("crates", r"--(dev|features|build)|-F", "add"),
}
